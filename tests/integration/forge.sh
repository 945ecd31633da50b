# SPDX-License-Identifier: MIT
#
# github, gitlab and sourcehut, as they answer: lib/forge.py is all of them, in a network of the test's own.
. "$srcdir/tests/integration/lib.sh"
. "$srcdir/tests/integration/lib/flakes.sh"
self=$srcdir/tests/integration/forge.sh
. "$srcdir/tests/integration/lib/forge.sh"
start_forge
one=1111111111111111111111111111111111111111
two=2222222222222222222222222222222222222222
mkdir -p a/sub b
echo '{ outputs = { self }: { v = 1; r = self.rev; t = self.lastModified; }; }' >a/flake.nix
echo '{ outputs = { self }: { v = "in a folder"; }; }' >a/sub/flake.nix
printf '#!/bin/sh\n' >a/run && chmod +x a/run
echo '{ outputs = { self }: { v = 2; }; }' >b/flake.nix
add_commit side $two b
add_commit main $one a
add_commit feature/x 3333333333333333333333333333333333333333 b
add_commit main $one a
asked() { prints "$1" last_request; }
unasked() { [ ! -s "$forge/requests" ] || { cat "$forge/requests"; return 1; }; }
at() { gx eval --json "$1"; }
tree() { gxeval --impure --json -E "removeAttrs (builtins.fetchTree $1) [ \"outPath\" ]"; }
anew() { rm -rf cache && : >"$forge/requests"; }

# --- each forge: a default branch, a branch, a commit, a folder
for f in github:owner/repo gitlab:owner/repo sourcehut:~owner/repo; do
	anew
	check "$f" prints 1 at "$f#v"
	check "$f: its commit" prints "\"$one\"" at "$f#r"
	check "$f: its time" prints 1700000000 at "$f#t"
	check "$f: a branch" prints 2 at "$f/side#v"
	check "$f: a commit" prints 2 at "$f/$two#v"
	check "$f: a folder" prints '"in a folder"' at "$f?dir=sub#v"
	check "$f: a branch that is not there" must_fail at "$f/nope#v"
	check "$f: a repository that is not there" complains "says 404" at "${f}x#v"
done
check "github: a branch with a slash" prints 2 at github:owner/repo/feature/x#v
check "gitlab: a host of somebody's own" prints 2 at "gitlab:owner/repo/side?host=lab.example#v"
check "github: one of somebody's own" prints 2 at "github:owner/repo/side?host=hub.example#v"
check "is asked where it has its interface" grep -q "^hub.example /api/v3/repos/owner/repo/tarball/$two" forge/requests
anew
check "github: the commit is asked of the interface, the archive of the site" sh -c "gx eval --json github:owner/repo#v >/dev/null && cut -d ' ' -f 1-2 '$forge/requests'"
check "in that order" prints "api.github.com /repos/owner/repo/commits/HEAD
github.com /owner/repo/archive/$one.tar.gz
codeload.github.com /owner/repo/tar.gz/$one" cut -d ' ' -f 1-2 forge/requests
: >forge/requests
check "a second time nothing is asked" prints 1 at github:owner/repo#v
check "(it was not)" unasked
check "when its time is over the branch is" prints 1 gx eval --option tarball-ttl 0 --json github:owner/repo#v
check "but nothing is fetched again" prints "api.github.com /repos/owner/repo/commits/HEAD none" cat forge/requests
check "attributes" prints "{\"lastModified\":1700000000,\"lastModifiedDate\":\"20231114221320\",\"narHash\":\"$(gxeval --impure --raw -E "(builtins.fetchTree { type = \"path\"; path = $PWD/a; }).narHash")\",\"rev\":\"$one\",\"shortRev\":\"1111111\"}" \
	tree "{ type = \"github\"; owner = \"owner\"; repo = \"repo\"; }"

# --- a forge that cannot be asked
older() { # REFERENCE
	[ "$(gx eval --refresh --option download-attempts 1 --json "$1" 2>older.log)" = 1 ] &&
		[ "$(grep -c '^warning: .*; using what was fetched before$' older.log)" = 1 ] || { cat older.log; return 1; }
}
for how in down limited; do
	behaves $how
	for f in github:owner/repo gitlab:owner/repo sourcehut:~owner/repo; do
		[ $how$f != limitedsourcehut:~owner/repo ] || continue
		behaves ok && gx eval --refresh --json "$f#v" >/dev/null 2>&1
		behaves $how
		check "$f $how: the commit of last time, with a warning" older "$f#v"
	done
	anew
	check "$how: what was never here is an error" must_fail gx eval --option download-attempts 1 --json github:owner/repo#v
done
behaves

# --- a lock
mkdir user
echo '{ inputs.a.url = "github:owner/repo"; inputs.b.url = "gitlab:owner/repo/side"; inputs.c.url = "sourcehut:~owner/repo?dir=sub";
	outputs = { a, b, c, ... }: { v = [ a.v b.v c.v ]; }; }' >user/flake.nix
check "a flake with all three is locked" prints '[1,2,"in a folder"]' at ./user#v
anew
check "from the lock only archives are fetched" prints '[1,2,"in a folder"]' at ./user#v
check "(nobody is asked for a commit)" sh -c "! grep -e commits -e info/refs '$forge/requests'"

# --- limits, secrets
anew
behaves limited
check "github: no more requests" complains "asked too often and takes no more requests until 08:00:00 UTC" at github:owner/repo#v
check "with what to do about it" grep -q "access-tokens, 'github.com=TOKEN'" complains.log
check "gitlab: no more requests" complains "asked too often and takes no more requests for 60 seconds" at gitlab:owner/repo#v
check "is asked once" prints 1 grep -c '^gitlab.com' forge/requests
check "a token raises the limit" prints 1 gx eval --json --option access-tokens github.com=sesame github:owner/repo#v
anew
behaves private
check "a private repository" complains "says 404" at github:owner/repo#v
check "says what it may need" grep -q "if it is private" complains.log
secret() { gx eval --json --option access-tokens "example.org=other github.com/owner=sesame gitlab.com=PAT:sesame git.sr.ht=sesame" "$@"; }
check "with a token" prints 1 secret github:owner/repo#v
check "it goes to the interface" grep -q "^api.github.com /repos/owner/repo/tarball/$one Bearer sesame" forge/requests
check "and nowhere else" grep -q "^codeload.github.com .*none$" forge/requests
check "gitlab's" prints 1 secret gitlab:owner/repo#v
check "sourcehut's" prints 1 secret sourcehut:~owner/repo#v
check "one for another place is not sent" complains "says 404" gx eval --json --option access-tokens "github.com/own=sesame" github:owner/repo#v
anew
check "a wrong one" complains "says 404" gx eval --json --option access-tokens github.com=wrong github:owner/repo#v
check "is in no message" sh -c "! grep -q wrong complains.log"
sed -i 's/side/main/' user/flake.nix && rm user/flake.lock
check "a flake with private inputs" prints '[1,1,"in a folder"]' secret ./user#v
check "no lock has it" sh -c "! grep -r sesame user"
check "nor anything that is kept" sh -c "! grep -r sesame cache"

# --- what goes wrong
anew
behaves flaky
check "three failures, then an answer" prints 1 at github:owner/repo#v
anew
behaves down
check "a forge that is down" complains "(after 5 attempts)" at github:owner/repo#v
behaves wrong
check "a page instead of an answer" complains "is no JSON" at github:owner/repo#v
check "a page instead of an archive" complains "cannot unpack" at "github:owner/repo/$one#v"
behaves cut
check "half an archive" complains "(after 5 attempts)" at "github:owner/repo/$one#v"
behaves
check "nothing of that is kept" prints 1 at "github:owner/repo/$one#v"

# --- addresses that change
anew
file() { gxeval --impure --raw "$@" -E 'builtins.readFile (builtins.fetchurl "https://site.example/file")'; }
check "a file" prints "at $one" file
add_commit main $two b
check "is not asked for again" prints "at $one" file
check "before its time is over" prints "at $two" file --option tarball-ttl 0
: >forge/requests
check "and then not fetched" prints "at $two" file --option tarball-ttl 0
check "when it is the same (asked)" prints 1 grep -c file forge/requests
check "without the network what is here will do" prints "at $two" file --option tarball-ttl 0 --offline
latest='{ type = "tarball"; url = "https://site.example/latest.tar.gz"; }'
check "an archive whose server names another address for good" tree "$latest"
mkdir named
echo '{ inputs.l.url = "https://site.example/latest.tar.gz"; outputs = { l, ... }: { v = [ l.v l.rev l.revCount ]; }; }' >named/flake.nix
check "is locked by that" prints "[2,\"$two\",7]" at ./named#v
check "(the lock has it)" grep -q "\"url\": \"https://site.example/$two.tar.gz\"" named/flake.lock
check "not by one that lies here" complains "has a link that is no archive elsewhere: 'file:///etc/passwd'" tree '{ type = "tarball"; url = "https://site.example/evil.tar.gz"; }'

# --- an ordinary flake: a package set by its usual name, a library for systems, no option at all
pkgs=6666666666666666666666666666666666666666 utils=7777777777777777777777777777777777777777
mkdir -p set/lib set/pkgs/by-name/he/hello set/pkgs/top-level utils project
cat >set/flake.nix <<'END'
{ outputs = { self, ... }: let forAllSystems = self.lib.genAttrs self.lib.systems.flakeExposed; in {
	lib = import ./lib;
	legacyPackages = forAllSystems (system: import ./. { inherit system; });
}; }
END
cat >set/lib/default.nix <<'END'
let lib = {
	systems.flakeExposed = [ "x86_64-linux" "aarch64-linux" ];
	genAttrs = names: f: builtins.listToAttrs (map (name: { inherit name; value = f name; }) names);
	fix = f: let x = f x; in x;
	extends = overlay: f: final: let prev = f final; in prev // overlay final prev;
	callPackageWith = scope: file: args: let f = import file; in lib.makeOverridable f (builtins.intersectAttrs (builtins.functionArgs f) scope // args);
	makeOverridable = f: args: f args // { override = new: lib.makeOverridable f (args // new); };
}; in lib
END
echo 'import ./pkgs/top-level' >set/default.nix
cat >set/pkgs/top-level/default.nix <<'END'
{ system, overlays ? [ ] }:
let
	lib = import ../../lib;
	stdenv.mkDerivation = args: derivation ({ inherit system; builder = "/bin/sh"; name = "${args.pname}-${args.version}"; } // removeAttrs args [ "meta" ])
		// { inherit (args) pname version meta; };
	byName = final: builtins.listToAttrs (builtins.concatMap (shard: map (name: { inherit name;
		value = lib.callPackageWith final (../by-name + "/${shard}/${name}/package.nix") { }; })
		(builtins.attrNames (builtins.readDir (../by-name + "/${shard}")))) (builtins.attrNames (builtins.readDir ../by-name)));
in lib.fix (builtins.foldl' (f: o: lib.extends o f) (final: byName final // { inherit lib stdenv system; mkShell = a: stdenv.mkDerivation ({ pname = "shell"; version = "0"; meta = { }; } // a); }) overlays)
END
cat >set/pkgs/by-name/he/hello/package.nix <<'END'
{ stdenv, lib, greeting ? "hello" }: stdenv.mkDerivation { pname = "hello"; version = "2.12"; src = ./package.nix; inherit greeting; meta.description = "A greeting"; }
END
echo '{ outputs = { self }: { lib.eachDefaultSystem = f: let s = [ "x86_64-linux" "aarch64-linux" ]; in builtins.mapAttrs (n: _: builtins.listToAttrs
	(map (name: { inherit name; value = (f name).${n}; }) s)) (f "x86_64-linux"); }; }' >utils/flake.nix
add_commit nixos-unstable $pkgs set NixOS/nixpkgs
add_commit nixpkgs-unstable $pkgs set NixOS/nixpkgs
add_commit main $utils utils numtide/flake-utils
cat >project/flake.nix <<'END'
{
	inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";
	inputs.flake-utils.url = "github:numtide/flake-utils";
	outputs = { self, nixpkgs, flake-utils }: flake-utils.lib.eachDefaultSystem (system: let pkgs = import nixpkgs { inherit system; overlays = [ (final: prev: { hello = prev.hello.override { greeting = "hi"; }; }) ]; }; in {
		packages.default = pkgs.hello;
		packages.plain = nixpkgs.legacyPackages.${system}.hello;
		devShells.default = pkgs.mkShell { packages = [ pkgs.hello ]; };
	});
}
END
anew
behaves
git_init project && git_commit project one
in_project() { (cd project && "$@"); }
check "an ordinary flake is shown" in_project sh -c 'gx flake show --all-systems >../shown 2>../shown.log'
check "as what it is" prints "├───devShells
│   ├───aarch64-linux
│   │   └───default: development environment 'shell-0'
│   └───x86_64-linux
│       └───default: development environment 'shell-0'
└───packages
    ├───aarch64-linux
    │   ├───default: package 'hello-2.12' - 'A greeting'
    │   └───plain: package 'hello-2.12' - 'A greeting'
    └───x86_64-linux
        ├───default: package 'hello-2.12' - 'A greeting'
        └───plain: package 'hello-2.12' - 'A greeting'" sed 1d shown
check "and locked" prints "$pkgs $utils" in_project sh -c 'gx eval --impure --raw -E "with (builtins.fromJSON (builtins.readFile ./flake.lock)).nodes; \"\${nixpkgs.locked.rev} \${flake-utils.locked.rev}\""'
check "evaluated" prints '"hi"' in_project gx eval .#packages.x86_64-linux.default.greeting
check "built, as far as telling what would be" in_project sh -c 'gx build --dry-run --store "$PWD/../store" --system x86_64-linux 2>../dry.log && grep -q "^  /nix/store/.*-hello-2.12.drv" ../dry.log'
git -C project add . && git_commit project two
add_commit main 8888888888888888888888888888888888888888 project some/project
rm -rf "$forge/some/project/tree-8888888888888888888888888888888888888888/.git"
check "and by its address" prints '"hello"' gx eval github:some/project#packages.x86_64-linux.plain.greeting
check "names mean what they do everywhere" prints '"2.12"' gx eval nixpkgs#legacyPackages.x86_64-linux.hello.version
exit 0
