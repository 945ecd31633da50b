#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Differential test: generated derivations must have the same .drv paths and output paths in gxeval and nix-instantiate.
# Skipped (77) where nix-instantiate is not installed.
#
# A .drv path is a hash of the derivation's text and inputs, so equal paths mean equal bytes.  Nix writes to a
# store below the working folder: only so can it follow the whole closure of a drvPath.  FILES sets of COUNT derivations
# are made, from SEED on; of a set that differs, the first derivation that does is shown (those before it agree,
# so the fault is its own).  KEEP=DIR keeps the sets.
set -u
command -v nix-instantiate >/dev/null 2>&1 || { echo "nix-instantiate is not installed"; exit 77; }
here=$srcdir/tests/diff/drv
: "${FILES:=12}" "${COUNT:=40}" "${SEED:=1}"
work=$PWD/work
mkdir -p "$work/etc" "$work/x/src/sub" "$work/root"
cd "$work/x" || exit 1
export NIX_CONF_DIR="$work/etc" NIX_STORE_DIR=/nix/store
unset NIX_PATH NIX_REMOTE

echo one >src/one
: >src/empty
printf '#!/bin/sh\necho hi\n' >src/run.sh
chmod 755 src/run.sh
chmod 644 src/one src/empty
ln -s ../one src/sub/link
echo hidden >src/sub/.hidden

nix() {
	timeout 300 nix-instantiate --store "$work/root" "$@" 2>"$1.nix-err" </dev/null
}
gx() {
	timeout 60 "$gxeval" --read-only --drv-path -f "$@" 2>"$1.gx-err" </dev/null
}

# What evaluates to all paths of a set: one line a derivation.
paths() {
	cat <<NIX
let
  set = import ./$1;
  line = name: let d = set.\${name}; in
    name + " " + builtins.unsafeDiscardStringContext (builtins.concatStringsSep " " ([ d.drvPath ] ++ map (o: o.outPath) d.all));
in builtins.concatStringsSep "\n" (map line (builtins.attrNames set)) + "\n"
NIX
}

agree=0 differ=0
n=0
while [ $n -lt "$FILES" ]; do
	f=set-$((SEED + n)).gx
	n=$((n + 1))
	awk -v seed=$((SEED + n - 1)) -v count="$COUNT" -f "$here/gen.awk" >"$f"
	paths "$f" >"paths-$f"
	# First by instantiating, which fills Nix's store, then all outputs.
	nix "$f" | sed 's/!.*//' >"$f.nix"
	gx "$f" | sed 's/!.*//' >"$f.gx-out"
	nix --eval --json "paths-$f" >"$f.nix-paths"
	timeout 60 "$gxeval" --read-only --json -f "paths-$f" >"$f.gx-paths" 2>>"$f.gx-err"
	sed 's/\\n/\n/g; s/^"//; s/"$//; $a\' "$f.nix-paths" >"$f.nix-lines"
	sed 's/\\n/\n/g; s/^"//; s/"$//; $a\' "$f.gx-paths" >"$f.gx-lines"
	if [ -s "$f.nix" ] && cmp -s "$f.nix" "$f.gx-out" && cmp -s "$f.nix-lines" "$f.gx-lines"; then
		agree=$((agree + COUNT))
		continue
	fi
	differ=$((differ + 1))
	first=$(diff "$f.nix-lines" "$f.gx-lines" | sed -n 's/^< \(d[0-9]*\) .*/\1/p' | head -n 1)
	[ -n "$first" ] || first=$(diff "$f.nix" "$f.gx-out" | sed -n 's/^\([0-9]*\).*/\1/p' | head -n 1)
	echo "not ok - $f: ${first:-one side refuses}"
	[ -n "$first" ] && grep -s "^  $first " "$f" | cut -c 1-1500 | sed 's/^/#   /'
	tail -n 3 "$f.nix-err" "$f.gx-err" | sed 's/^/#   /'
done
[ -n "${KEEP-}" ] && mkdir -p "$KEEP" && cp -r . "$KEEP"
chmod -R u+w "$work"
echo "ok - $agree derivations agree with $(nix-instantiate --version)"
[ $differ -eq 0 ]
