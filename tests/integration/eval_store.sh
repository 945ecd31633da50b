# SPDX-License-Identifier: MIT
#
# What an evaluation puts into a store, and reads back from it.
. "$srcdir/tests/integration/lib.sh"
gx=$builddir/gx

mkdir src
echo one >src/one
echo two >src/two
cat >pkg.gx <<'GX'
{ src ? ./src }:
let
  source = derivation {
    name = "source"; system = "s"; builder = "b"; url = "http://x";
    outputHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"; outputHashAlgo = "sha256";
  };
  config = builtins.toFile "config" "from ${src}";
in derivation { name = "pkg"; system = "s"; builder = "${source}/sh"; args = [ config ]; outputs = [ "out" "dev" ]; }
GX

here=$PWD
store() { ls "$here/st/nix/store" | sed -n '/^0\{32\}-/d; s/^[0-9a-z]\{32\}-//p' | sort | tr '\n' ' '; }
holds() { # NAMES
	_got=$(store)
	[ "$_got" = "$1 " ] || { echo "the store holds $_got" && return 1; }
}

check "a value needs no store" prints '"pkg"' gxeval -f pkg.gx -A name
check "--drv-path writes the derivation" gxeval --store "$here/st" --drv-path -f pkg.gx
check "with all it refers to" holds "config pkg.drv source.drv src"
check "writing it again changes nothing" gxeval --store "$here/st" --drv-path -f pkg.gx
check "the same objects" holds "config pkg.drv source.drv src"
ended() { [ -z "$(ls "$here/st/nix/var/nix/temproots")" ]; }
check "a run that ended keeps nothing from the collector" ended
check "one whose build fails says so" sh -c '! gxeval --store "$PWD/st" --realise -f pkg.gx 2>/dev/null'
check "and keeps nothing either" ended
check "read-only gives the same path" sh -c 'a=$(gxeval --read-only --drv-path -f pkg.gx) &&
	b=$(gxeval --store "$PWD/st" --drv-path -f pkg.gx) && [ "$a" = "$b" ]'

check "a text that was only just made is read back" \
	prints '"x"' gxeval --store "$here/st" -E 'builtins.readFile (builtins.toFile "t" "x")'
check "a filtered copy holds what the filter wanted" \
	prints '{ one = "regular"; }' gxeval --store "$here/st" -E \
	'builtins.readDir (builtins.filterSource (p: t: baseNameOf p != "two") ./src)'
check "a derivation is imported from its file" prints '"dev"' gxeval --store "$here/st" -E \
	'builtins.elemAt (map (o: o.outputName) (import (import ./pkg.gx { }).drvPath).all) 0'
if command -v nix-store >/dev/null; then
	check "the store is as Nix wants it" env NIX_REMOTE= NIX_CONF_DIR="$PWD" nix-store --store "$PWD/st" --verify --check-contents
else
	skip "the store is as Nix wants it" "no nix-store"
fi

# More than are written, or looked at, at once.
check "three hundred texts" prints 300 gxeval --store "$here/many" -E 'let
  texts = builtins.genList (i: builtins.toFile "t" (toString i)) 300;
in builtins.seq (derivation { name = "all"; system = "s"; builder = "b"; inherit texts; }).drvPath (builtins.length texts)'
check "are all in order" "$gx" store verify --store "$here/many"
last=$(ls "$here/many/nix/store" | tail -n 1)
chmod 644 "$here/many/nix/store/$last"
check "and the last is looked at" complains "'$last' has mode 0644" "$gx" store verify --store "$here/many"
