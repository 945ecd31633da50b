# SPDX-License-Identifier: MIT
#
# Registries: who is asked in which order, what gx registry writes, and what locks make of names.
. "$srcdir/tests/integration/lib.sh"
. "$srcdir/tests/integration/lib/flakes.sh"
export XDG_CONFIG_HOME="$PWD/config" NIX_CONF_DIR="$PWD/etc"
mkdir -p config/nix config/gx etc a b/sub c
echo '{ outputs = { self }: { v = "a"; }; }' >a/flake.nix
echo '{ outputs = { self }: { v = "b"; }; }' >b/flake.nix
echo '{ outputs = { self }: { v = "sub"; }; }' >b/sub/flake.nix
path_registry() { # FILE NAME PATH [DIR]
	cat >"$1" <<X
{ "version": 2, "flakes": [ { "from": { "type": "indirect", "id": "$2" }, "to": { "type": "path", "path": "$3"${4:+, \"dir\": \"$4\"} } } ] }
X
}

# The order.
path_registry etc/registry.json dep "$PWD/a"
check "the system's" prints '"a"' gxeval dep#v
path_registry config/nix/registry.json dep "$PWD/b"
check "the user's is before it" prints '"b"' gxeval dep#v
path_registry config/gx/registry.json dep "$PWD/b" sub
check "gx's own before Nix's; a folder of the flake" prints '"sub"' gxeval dep#v
check "flags before all" prints '"a"' gxeval --override-flake dep "path:$PWD/a" dep#v
check "a folder that the name adds is not lost" prints '"sub"' gxeval --override-flake d "path:$PWD/b" 'flake:d?dir=sub#v'
check "names may lead to names" prints '"sub"' gxeval --override-flake other dep other#v
check "round in a circle" complains "round in a circle" gxeval --override-flake x y --override-flake y x x#v
check "no registry" complains "cannot find flake 'flake:dep' in the flake registries" gxeval --no-use-registries dep#v
check "the same as a setting" complains "cannot find flake 'flake:dep'" gxeval --option use-registries false dep#v
check "gx:std is there all the same" gxeval --no-use-registries 'std#lib.version'
path_registry global.json glob "$PWD/a"
check "a global one" prints '"a"' gxeval --option flake-registry "$PWD/global.json" glob#v
check "by its address" prints '"a"' gxeval --flake-registry "file://$PWD/global.json" glob#v
mv global.json moved.json
by_address() { prints '"a"' gxeval --flake-registry "file://$PWD/global.json" --refresh glob#v 2>warned; }
check "what it said last counts when it has gone" by_address
check "which is said" grep -q "the registry '$PWD/global.json' is gone; using what was fetched before" warned
check "by its path it is an empty one" complains "cannot find flake 'flake:glob'" gxeval --flake-registry "$PWD/global.json" glob#v
mv moved.json global.json
check "none" complains "cannot find flake 'flake:nixpkgs'" gxeval --flake-registry '' nixpkgs#v
check "fetchTree asks, but not the user" complains "cannot find flake 'flake:dep'" gxeval --impure -E 'fetchTree "dep"'
check "pure evaluation takes no name" complains "not locked" gxeval --pure-eval -E 'builtins.getFlake "dep"'
cp config/gx/registry.json kept.json
cd c || exit 1
path_registry ../config/gx/registry.json rel ./../../a
check "a relative path starts at the registry" prints '"a"' gxeval rel#v
cp ../kept.json ../config/gx/registry.json
cd ..

# What is well known needs no network to be resolved.
check "nixpkgs" prints github:NixOS/nixpkgs/nixpkgs-unstable gx registry resolve nixpkgs
check "a branch is carried over" prints github:NixOS/nixpkgs/nixos-24.11 gx registry resolve nixpkgs/nixos-24.11
rev=0123456789012345678901234567890123456789
check "a revision too" prints "github:NixOS/nixpkgs/$rev" gx registry resolve "nixpkgs/nixos-24.11/$rev"
check "not to what has none" complains "the branch or tag 'main' cannot be taken of" gx registry resolve dep/main
check "several" prints "$(printf 'gx:std\ngithub:numtide/flake-utils')" gx registry resolve std flake-utils
check "what is no name stays" prints github:a/b gx registry resolve github:a/b

# Locks do not depend on the user.
echo '{ outputs = { self, dep }: { v = dep.v; }; }' >c/flake.nix
check "an input is not looked up in the user's" complains "cannot find flake 'flake:dep'" gx flake lock ./c
check "but in the global one, and flags" gx flake lock --override-flake dep "path:$PWD/a" ./c
check "the lock says both" grep -qF '"id": "dep"' c/flake.lock
check "and needs no registry then" prints '"a"' gxeval --no-registries ./c#v
rm c/flake.lock
check "--override-input asks the user's" prints '"sub"' gxeval --override-input dep dep ./c#v
check "--inputs-from" gx flake lock --override-flake dep "path:$PWD/b" ./c
check "lets a name mean what is locked" prints '"b"' gxeval --inputs-from ./c dep#v

# gx registry.
rm config/gx/registry.json config/nix/registry.json etc/registry.json
check "add" gx registry add one "path:$PWD/b?dir=sub"
check "writes" grep -qF '"dir": "sub"' config/gx/registry.json
check "it counts" prints '"sub"' gxeval one#v
check "add again" gx registry add one "path:$PWD/a"
check "replaces" prints "user   flake:one path:$PWD/a" gx registry list --flake-registry ''
check "list shows flags" prints "$(printf 'flags  flake:x path:/x\nuser   flake:one path:%s' "$PWD/a")" \
	gx registry list --flake-registry '' --override-flake x path:/x
check "pin" gx registry pin one
check "pins by hash" grep -qF '"narHash"' config/gx/registry.json
check "what changed is not what was pinned" sh -c "echo '{ outputs = { self }: { v = \"new\"; }; }' >a/flake.nix && ! gxeval one#v"
check "pin to another" gx registry pin one "path:$PWD/b"
check "is that one" prints '"b"' gxeval one#v
check "remove" gx registry remove one
check "it is gone" complains "cannot find flake 'flake:one'" gxeval one#v
check "remove what is not there" warns "no such name" gx registry remove one
check "another file" gx registry add --registry "$PWD/new/dir/r.json" two "path:$PWD/a"
check "is a registry" prints '"new"' gxeval --flake-registry "$PWD/new/dir/r.json" two#v
if have_nix; then
	nix_ registry add --registry "$PWD/nix.json" two "path:$PWD/a" 2>nix.log
	check "as Nix writes it" gxeval --impure -E "assert builtins.fromJSON (builtins.readFile ./nix.json) == builtins.fromJSON (builtins.readFile ./new/dir/r.json); true"
else
	skip "as Nix writes it" "no nix"
fi

# Files that are none.
for text in '{' '{"version":1,"flakes":[]}' '{"version":2}' '{"version":2,"flakes":[{"from":{"type":"indirect","id":"q"}}]}' \
	'{"version":2,"flakes":[{"from":{"type":"indirect","id":"q"},"to":{"type":"path","path":["x"]}}]}'; do
	echo "$text" >config/gx/registry.json
	check "is none: $text" complains "the registry '$PWD/config/gx/registry.json' is not valid" gxeval q#v
done
check "a refused file stays" prints "$text" cat config/gx/registry.json

# The REPL asks as well, and "" is the flake here.
rm config/gx/registry.json
check "names in the REPL" sh -c 'printf ":lf nm\noutputs.v\n" | gx repl --override-flake nm "path:$PWD/b" >repl.log 2>&1; grep -qF "\"b\"" repl.log'
check "an empty word is the flake here" prints '"b"' sh -c 'cd b && gxeval --attr v ""'

# A name alone, and what is written of it.
in_folder() { (cd "$PWD/c" && "$@"); }
path_registry config/gx/registry.json named "$PWD/b"
check "a name alone is a flake" prints '"b"' gxeval --attr v named
check "to gx build too" complains "does not provide attribute" gx build --no-link named
check "a folder of that name is before it" prints '"here"' sh -c 'mkdir -p d/named && echo "{ outputs = { self }: { v = \"here\"; }; }" >d/named/flake.nix && cd d && gxeval --attr v ./named'
check "what no registry has" complains "cannot find flake 'flake:nobody'" gx build --no-link nobody
dubious() { gxeval "$PWD/b?nothing#v" >dubious.out 2>dubious.log && grep -qxF "warning: dubious URI query 'nothing' is missing equal sign '=', ignoring" dubious.log; }
check "a word without a value is told of" dubious
check "not a word that is empty" sh -c "! gxeval '$PWD/b?#v' 2>&1 | grep dubious"
check "a folder with a query" prints '"sub"' gxeval --attr v "$PWD/b?dir=sub"
mkdir e && echo '{ inputs.a.url = "path:'"$PWD"'/a"; outputs = { self, a }: { v = a.v; }; }' >e/flake.nix
path_registry config/gx/registry.json named "$PWD/e"
check "the lock file of what a name means is not written" complains "cannot be written" gx flake lock named
check "nor made" [ ! -e e/flake.lock ]
check "it is used without" prints '"new"' gxeval --no-write-lock-file --attr v named
