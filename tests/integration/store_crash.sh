# SPDX-License-Identifier: MIT
#
# Killed, or out of space, at calls that change files: after each, the store is in order, nothing that is
# valid is incomplete, and the next try succeeds.
. "$srcdir/tests/integration/lib.sh"
. "$srcdir/tests/integration/lib/store.sh"

${CC:-cc} -shared -fPIC -O1 -o kill_at.so "$srcdir/tests/integration/lib/kill_at.c" -ldl 2>cc.log || { echo "no shared library can be made"; exit 77; }
shim=$PWD/kill_at.so
ldd "$gx" 2>/dev/null | grep -q asan && { echo "the address sanitizer wants to be first"; exit 77; }
sample_tree tree
mkdir src && echo one >src/one && echo two >src/two
cat >drvs.gx <<'END'
let d = derivation { name = "d"; system = "x"; builder = "/b"; src = ./src; text = builtins.toFile "t" "text"; };
in [ d (derivation { name = "e"; system = "x"; builder = "/b"; inherit d; }) ]
END

fresh() {
	rm -rf "$store"
	[ ! -d seed ] || cp -a seed "$store"
}

# Runs COMMAND with the shim for n = 1, 1 + STEP, ... (CRASH_ALL=1: every n) up to the number of calls it makes; after each
# looks at the store, and tries again without.
each_point() { # VARIABLE STEP COMMAND...
	var=$1 step=$2
	shift 2
	[ -z "${CRASH_ALL-}" ] || step=1
	fresh && rm -f calls
	env LD_PRELOAD="$shim" CALL_LOG="$PWD/calls" "$@" >run.log 2>&1 || { cat run.log; return 1; }
	total=$(wc -l <calls) failures=0 n=1
	while [ $n -le $total ]; do
		fresh
		# What may fail without harm does: then the command succeeds.
		env LD_PRELOAD="$shim" $var=$n "$@" >run.log 2>&1 || failures=$((failures + 1))
		"$gx" store verify --store "$store" >verify.log 2>&1 || { echo "$var=$n: after the failure:"; cat run.log verify.log; return 1; }
		! command -v nix-store >/dev/null || [ ! -d "$store/nix/var/nix/db" ] ||
			HOME=$PWD nix-store --store "$store" --option substituters '' --verify --check-contents >verify.log 2>&1 || { echo "$var=$n: Nix after the failure:"; cat run.log verify.log; return 1; }
		"$@" >again.log 2>&1 || { echo "$var=$n: the next try:"; cat run.log again.log; return 1; }
		"$gx" store verify --store "$store" >verify.log 2>&1 || { echo "$var=$n: after the next try:"; cat verify.log; return 1; }
		"$gx" store gc --store "$store" >gc.log 2>&1 || { echo "$var=$n: collecting:"; cat gc.log; return 1; }
		if [ -n "$(ls "$store/nix/store/00000000000000000000000000000000-gx-staging")" ]; then
			echo "$var=$n: something is left in staging"; return 1
		fi
		n=$((n + step))
	done
	echo "$failures failures in $total calls"
	[ $failures -gt $((total / step / 3)) ]
}

# The order that makes it safe: contents on the disk, then the name, then the row.
in_order() {
	rm -rf "$store" calls && gxs store info >/dev/null
	env LD_PRELOAD="$shim" CALL_LOG="$PWD/calls" "$gx" store add --store "$store" src || return 1
	awk '/^write$/ && !synced { wrote = NR }
		/^syncfs$/ { synced = NR }
		/^renameat$/ { renamed = NR }
		/^fsync$/ && renamed { dir = NR }
		/^pwrite/ && dir { row = NR }
		END { exit !(wrote && wrote < synced && synced < renamed && renamed < dir && dir < row) }' calls || { cat calls; return 1; }
}

check "contents are synced before the name, the name before the row" in_order
check "killed while a tree is added to a new store" each_point KILL_AT 5 "$gx" store add --store "$store" tree
check "no space at some point of that" each_point FAIL_AT 7 "$gx" store add --store "$store" tree
"$gx" store add --store "$PWD/seed" src >/dev/null
check "killed while a tree is added" each_point KILL_AT 2 "$gx" store add --store "$store" tree
check "no space while a tree is added" each_point FAIL_AT 3 "$gx" store add --store "$store" tree
check "killed while derivations are written" each_point KILL_AT 5 "$gxeval" --store "$store" --drv-path -f drvs.gx
check "no space while derivations are written" each_point FAIL_AT 7 "$gxeval" --store "$store" --drv-path -f drvs.gx
mkdrv=$builddir/tests/integration/mkdrv
if [ -x "$mkdrv" ] && "$mkdrv" --probe >/dev/null 2>&1 && [ -x /bin/busybox -o -x /usr/bin/busybox ]; then
	rm -rf "$store" seed
	"$mkdrv" "$store" built -- /bin/sh -c 'mkdir $out; echo one > $out/one; echo two > $out/two; ln -s one $out/three' >drv.log
	"$mkdrv" "$store" fetched -f "flat:sha256:$(printf 'fetched\n' | sha256sum | cut -d ' ' -f 1)" -e "url=file://$PWD/served" \
		-- builtin:fetchurl >fetch.log
	printf 'fetched\n' >served
	mv "$store" seed
	for what in drv fetch; do
		set -- "$gx" build --store "$store" --no-link "$(sed -n 1p $what.log)"
		check "killed during a build ($what)" each_point KILL_AT 5 "$@"
		check "no space during a build ($what)" each_point FAIL_AT 7 "$@"
	done
	rm -rf seed
	"$gx" store add --store "$PWD/seed" src >/dev/null
fi
"$gx" store add --store "$PWD/seed" tree >/dev/null
check "killed while garbage is collected" each_point KILL_AT 2 "$gx" store gc --store "$store"
