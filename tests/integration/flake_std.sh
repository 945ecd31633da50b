# SPDX-License-Identifier: MIT
#
# gx:std, and the verbs that show flakes.
. "$srcdir/tests/integration/lib.sh"
. "$srcdir/tests/integration/lib/flakes.sh"

mkdir new
check "gx flake init" sh -c 'cd new && gx flake init'
check "not over a flake that is there" must_fail sh -c 'cd new && gx flake init'
check "a shell of every system" sh -c 'cd new && for s in x86_64-linux aarch64-linux x86_64-darwin aarch64-darwin; do
	gxeval --raw .#devShells.$s.default.drvPath || exit; done'
check "show" prints 'path:/x
├───devShells
│   ├───aarch64-darwin
│   │   └───default: development environment '"'gx-shell'"'
│   ├───aarch64-linux
│   │   └───default: development environment '"'gx-shell'"'
│   ├───x86_64-darwin
│   │   └───default: development environment '"'gx-shell'"'
│   └───x86_64-linux
│       └───default: development environment '"'gx-shell'"'
└───packages
    ├───aarch64-darwin
    │   └───default: package '"'hello'"'
    ├───aarch64-linux
    │   └───default: package '"'hello'"'
    ├───x86_64-darwin
    │   └───default: package '"'hello'"'
    └───x86_64-linux
        └───default: package '"'hello'" sh -c 'gx flake show ./new >show.log && sed "1s,.*,path:/x," show.log'
check "show --json" sh -c 'gx flake show --json ./new >show.json && grep -qF "{\"name\":\"hello\",\"type\":\"derivation\"}" show.json'
check "metadata" sh -c 'gx flake metadata ./new >meta.log && grep -q "└───std: gx:std" meta.log'
check "metadata --json" sh -c 'gx flake metadata --json ./new >meta.json && gxeval --json -E "(builtins.fromJSON (builtins.readFile ./meta.json)).locks.nodes.std.locked" >out && grep -qF "{\"name\":\"std\",\"type\":\"gx\"}" out'
check "check" warns "8 outputs evaluate, 0 do not" gx flake check ./new
mkdir half
echo '{ outputs = { self }: { packages.x86_64-linux = { a = throw "sorry"; b = derivation { name = "b"; system = "s"; builder = "b"; }; }; }; }' >half/flake.gx
check "check goes on after an error" complains "1 outputs evaluate, 1 do not" gx flake check ./half
check "show goes on after an error" sh -c 'gx flake show ./half >half.log; [ $? -eq 1 ] && grep -q "a: error: sorry" half.log && grep -q "b: package" half.log'

# A flake written for nixpkgs and flake-utils.
mkdir theirs
cat >theirs/flake.nix <<'X'
{
  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-24.05";
  inputs.flake-utils.url = "github:numtide/flake-utils";
  outputs = { self, nixpkgs, flake-utils }:
    flake-utils.lib.eachDefaultSystem (system:
      let pkgs = import nixpkgs { inherit system; overlays = [ (final: prev: { mine = prev.writeText "mine" "x"; }) ]; }; in {
        packages.default = pkgs.symlinkJoin { name = "all"; paths = [ pkgs.mine (pkgs.writeShellScriptBin "run" "echo run") ]; };
        packages.made = pkgs.stdenv.mkDerivation { pname = "made"; version = "1"; src = self; installPhase = "mkdir $out"; };
        devShells.default = pkgs.mkShell { packages = [ pkgs.mine ]; FOO = "bar"; shellHook = "echo hi"; inputsFrom = [ self.devShells.${system}.other ]; };
        devShells.other = pkgs.mkShell { packages = [ pkgs.emptyFile ]; shellHook = "echo other"; };
        apps.default = flake-utils.lib.mkApp { drv = self.packages.${system}.default; name = "run"; };
        lib = nixpkgs.lib.optionals true [ 1 ];
      });
}
X
std="--override-input nixpkgs gx:std --override-input flake-utils gx:std"
check "needs the network as it is" must_fail gxeval --offline ./theirs
check "evaluates with gx:std for both" gx flake check $std ./theirs
check "hooks of shells it takes from" prints 'echo other
echo hi' gxeval --raw $std ./theirs#devShells.x86_64-linux.default.shellHook
check "nothing is written" [ ! -e theirs/flake.lock ]

# lib.
e() { # RESULT EXPRESSION
	check "lib: $2" prints "$1" gxeval --json --impure -E "with import $srcdir/stdlib/lib; $2"
}
e '{"packages":{"a":{"x":1},"b":{"x":2}}}' 'eachSystem [ "a" "b" ] (s: { packages.x = if s == "a" then 1 else 2; })'
e '["a","b","","c"]' 'splitString "." "a.b..c"'
e '{"a":{"b":1,"c":2}}' 'recursiveUpdate { a.b = 1; } { a.c = 2; }'
e '{"a":1}' 'filterAttrs (n: v: v == 1) { a = 1; b = 2; }'
e '"'"'"'a b'"'"'"' 'escapeShellArg "a b"'
e '[3,2,1]' 'reverseList [ 1 2 3 ]'
e '[1,2]' 'unique [ 1 2 1 ]'
e 'true' 'hasInfix "b" "abc" && hasPrefix "a" "abc" && hasSuffix "c" "abc"'
e '"a"' 'removeSuffix ".txt" "a.txt"'
e '{"a/b":{"type":"derivation"}}' 'flattenTree { a = { recurseForDerivations = true; b = { type = "derivation"; }; }; c = 1; }'
e '10' 'foldr (a: b: a + b) 0 [ 1 2 3 4 ]'
e '3' '(fix (extends (final: prev: { b = prev.a + 1; }) (final: { a = 2; b = 0; }))).b'
