# SPDX-License-Identifier: MIT
#
# What people get wrong in flakes and in the arguments of the standard library, and what they are told.
. "$srcdir/tests/integration/lib.sh"
. "$srcdir/tests/integration/lib/flakes.sh"
varies='s/\(cannot fetch .[^ ]*: \).*\( (after [0-9]* attempts)\)/\1WHY\2/' # in the words of libcurl

mkdir -p f/m
printf 'module example.com/m\n\ngo 1.24\n' >f/m/go.mod
cat >f/flake.nix <<'X'
{
  inputs.std.url = "gx:std";
  outputs = { self, std }: let p = std.legacyPackages.x86_64-linux; in {
    packages.x86_64-linux.hello = p.writeText "hello" "x";
    packages.x86_64-linux.number = 12;
    packages.aarch64-linux.only = p.writeText "only" "x";
    devShells.x86_64-linux = {
      ci = p.mkShell { pakages = [ ]; shelHook = ""; FOO = "x"; };
      right = p.mkShell { FOO = "x"; BAR = "y"; };
      package = p.mkShell { packages = self.packages.x86_64-linux.hello; };
      number = p.mkShell { buildInputs = 1; }; quotes = p.mkShell { packages = "gopls"; };
    };
    quoted = p.buildGoModule { name = "m"; src = "./."; };
    old = p.buildGoModule { name = "m"; src = ./m; go = p.go_1_22; };
    slip = p.buildGoModule { name = "m"; src = ./m; go = p.go_1_24; subPackage = [ "." ]; preBuild = ""; GOFLAGS = "-v"; };
    system = builtins.currentSystem;
  };
}
X
cd f || exit 1
gx flake lock 2>/dev/null
of() { gxeval --system x86_64-linux --raw ".#$1"; }

check "an output like another" complains "Did you mean hello?" of helo
check "what is missing" complains "flake '.' does not provide attribute 'packages.x86_64-linux.helo'" of helo
check "an output of another system" complains "it is there for aarch64-linux only; this is x86_64-linux" of only
check "an output of another kind" complains "there is the development shell 'ci': gx develop '.#ci'" of ci
check "an exact path" complains "flake '.' does not provide attribute 'helo'" of .helo
check "a system in a pure evaluation" complains "flakes are evaluated pure: name the system" of system

# --- what is no derivation, with its place
for verb in build run shell; do
	check "gx $verb of a number" complains "expected a derivation" "$gx" $verb --store "$PWD/../store" .#number
	check "gx $verb says where it is" grep -qF "while evaluating 'packages.x86_64-linux.number', at flake.nix:5:5" complains.log
	check "gx $verb shows the line" grep -qF "5 |     packages.x86_64-linux.number = 12;" complains.log
done

# --- code of others: their frames are folded, the line of one's own is shown
git_init ../lib
cat >../lib/flake.nix <<'X'
{ outputs = { self }: { thrown = x: throw "no ${x}"; wrong = x: x + 1; }; }
X
git_commit ../lib one
mkdir ../user
cat >../user/flake.nix <<X
{
  inputs.lib.url = "git+file://$(realpath ..)/lib";
  outputs = { self, lib }: {
    thrown = lib.thrown "tea";
    wrong = lib.wrong "tea";
  };
}
X
gx flake lock ../user 2>/dev/null
check "what a library throws" complains "while calling 'thrown', at $(realpath ..)/user/flake.nix:4:14" gxeval ../user#thrown
check "is about the caller's line" grep -qF '4 |     thrown = lib.thrown "tea";' complains.log
check "and not about its own" sh -c '! grep -q "throw .no" complains.log'
check "--show-trace shows both" complains 'throw "no ${x}"' gxeval --show-trace ../user#thrown
check "another error in a library" complains 'wrong = x: x + 1' gxeval ../user#wrong
check "has the caller's line too" grep -qF '5 |     wrong = lib.wrong "tea";' complains.log

shell() { of "devShells.x86_64-linux.$1.drvPath"; }
check "misspelt arguments of mkShell" warns "mkShell knows no 'pakages' (flake.nix:8); did you mean 'packages'?" shell ci
check "each of them" warns "mkShell knows no 'shelHook' (flake.nix:8); did you mean 'shellHook'?" shell ci
check "variables are no mistakes" quiet shell right
check "no list" complains "mkShell: 'packages' must be a list, but is the package hello" shell package
check "with what to write" grep -qF "write packages = [ pkgs.hello ]" complains.log
check "a name" complains "mkShell: 'packages' must be a list, but is the string \"gopls\"; write packages = [ pkgs.gopls ]" shell quotes
check "a number" complains "mkShell: 'buildInputs' must be a list, but is an integer" shell number
check "a path in quotes" complains "a path is written without quotes, src = ./.;" of quoted.drvPath
check "too old a Go" complains "go.mod needs Go 1.24, but go is 1.22.6: leave 'go' out or take a newer one, such as pkgs.go_1_24" \
	of old.drvPath
check "a misspelt argument of buildGoModule" warns "buildGoModule knows no 'subPackage' (flake.nix:15); did you mean 'subPackages'?" of slip.drvPath
check "phases and variables are no mistakes" sh -c "! grep -q 'preBuild\|GOFLAGS' warns.log"

printf '<<<<<<< HEAD\n{ }\n=======\n{ "a": 1 }\n>>>>>>> other\n' >flake.lock
check "a lock file with both sides of a conflict" complains "has conflict marks of git at line 1" of hello.drvPath
rm flake.lock
cat >flake.nix <<'X'
{ outputs = { self, nixpkgs }: { x = 1; }; }
X
check "an input that gx:std answers for" complains "gx flake lock --override-input nixpkgs gx:std" of x
echo '{ inputs.nixpkgs.url = "github:NixOS/nixpkgs"; outputs = { self, nixpkgs }: { x = 1; }; }' >flake.nix
check "a flake that is asked for by name" complains "'gx:std' can stand in for it: builtins.getFlake \"gx:std\"" \
	gxeval --impure --offline -E 'builtins.getFlake "github:NixOS/nixpkgs"'
check "and that cannot be fetched" complains "'gx:std' can stand in for it: gx flake lock --override-input nixpkgs gx:std" \
	env https_proxy=http://127.0.0.1:9 gxeval .#x
check "with the line that names it" grep -qF "while updating the flake input 'nixpkgs', at flake.nix:1:3" complains.log
echo '{ inputs.my.url = "github:NixOS/nixpkgs"; outputs = { self, my }: { x = 1; }; }' >flake.nix
check "by the input's own name" complains "gx flake lock --override-input my gx:std" env https_proxy=http://127.0.0.1:9 gxeval .#x
cat >flake.lock <<'X'
{ "nodes": { "my": { "locked": { "lastModified": 1, "narHash": "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
      "owner": "NixOS", "repo": "nixpkgs", "rev": "0000000000000000000000000000000000000001", "type": "github" },
    "original": { "owner": "NixOS", "repo": "nixpkgs", "type": "github" } },
  "root": { "inputs": { "my": "my" } } }, "root": "root", "version": 7 }
X
echo '{ inputs.my.url = "github:NixOS/nixpkgs"; outputs = { self, my }: { x = my.x; }; }' >flake.nix
check "when it was locked before, too" complains "gx flake lock --override-input my gx:std" env https_proxy=http://127.0.0.1:9 gxeval .#x
check "with its line" grep -qF "while fetching the flake input 'my', at flake.nix:1:3" complains.log
rm flake.lock
echo '{ outputs = { self, other }: { x = 1; }; }' >flake.nix
check "an input without an address" complains 'give its address, inputs.other.url = "…"; or --override-input other FLAKE' gxeval .#x
echo '{ inputs.other.url = "github:some/other"; outputs = { self, other }: { x = 1; }; }' >flake.nix
check "another that cannot be fetched" complains "--override-input other FLAKE takes another for it" \
	env https_proxy=http://127.0.0.1:9 gxeval .#x
rm -f flake.lock
note="note: Nix does not take this flake.nix"
for text in 'let v = 1; in { outputs = { self }: { x = v; }; }' '{ gxConfig = { }; outputs = { self }: { x = 1; }; }' \
	'{ } // { outputs = { self }: { x = 1; }; }'; do
	echo "$text" >flake.nix
	check "gx flake lock of what Nix does not take: $text" warns "$note" gx flake lock
	check "gx flake check of it" warns "$note" gx flake check --no-build
done
check "nothing is said of it where it is only used" quiet gxeval .#x
for text in '{ outputs = { self }: { x = 1; }; }' '/* a comment */ rec { outputs = { self }: { x = 1; }; }' '({ outputs = { self }: { x = 1; }; })'; do
	echo "$text" >flake.nix
	check "nor of what it takes: $text" quiet gx flake lock
done
echo '{ inputs.other.url = "github:some/other"; outputs = { self, other }: { x = 1; }; }' >flake.nix
git init -q .
git rm -q --cached . 2>/dev/null
check "a file that git does not know goes by its name" complains "git add -N flake.nix" of x

# --- flakes of newcomers: what is written, and what they are told
mkdir ../new && cd ../new || exit 1
try() { # TEXT-OF-THE-FLAKE MESSAGE
	printf '{\n  %s\n}\n' "$1" >flake.nix
	rm -f flake.lock
	gx flake lock >/dev/null 2>&1 # of those that can be: it is not what they are about
	check "$2" complains "$2" gxeval --system x86_64-linux .#tool
}
while IFS='|' read -r text message; do
	try "$text" "$message"
done <<'X'
outputs = { self }: { package.x86_64-linux.tool = 1; };|the flake has 'package'; did you mean 'packages'?
outputs = { self }: { packages.tool = 1; };|packages.tool says for no system: it is written packages.x86_64-linux.tool
outputs = { self }: { packages.x86_64-linux = derivation { name = "x"; system = "x"; builder = "x"; }; };|packages.x86_64-linux is one itself: it is a set of them
outputs = { self }: { packages.x86_64-linux = { a = 1; b = 2; }; };|it has 'a', 'b'
outputs = { self }: { packages.x86_64-linux.tool = self.tol; };|attribute 'tol' missing
output = { self }: { };|did you mean 'outputs'?
input.a.url = "gx:std"; outputs = { self, a }: { };|did you mean 'inputs'?
descripton = "x"; outputs = { self }: { };|did you mean 'description'?
inputs.a = "gx:std"; outputs = { self, a }: { };|an input is written inputs.a.url = "gx:std";
inputs = [ "gx:std" ]; outputs = { self, a }: { };|an input is written inputs.NAME.url = "…";
inputs.a.uri = "gx:std"; outputs = { self, a }: { };|did you mean 'url'?
inputs.a.url = "gx:std"; outputs = { self }: { };|write { a, self }: or end the list with '...'
inputs.a.url = "gx:std"; outputs = { a }: { };|write { a, self }: or end the list with '...'
outputs = self: inputs: { };|it takes one set: outputs = { self, nixpkgs }: { … };
inputs.a.url = "gx:std"; outputs = { self, a }: { packages.x86_64-linux.tool = a.gopls; };|the packages of a flake are in legacyPackages.x86_64-linux
inputs.a.url = "gx:std"; outputs = { self, a }: { packages.x86_64-linux.tool = a.legacyPackages.gopls; };|its names are systems, as in x86_64-linux.gopls
inputs.a.url = "gx:std"; outputs = { self, a }: { packages.x86_64-linux.tool = a.legacyPackages.${system}.go; };|a flake names its systems
outputs = { self }: { packages.x86_64-linux.tool = pkgs.go; };|let pkgs = nixpkgs.legacyPackages.${system}; in
inputs.b.follows = "c"; outputs = { self, b }: { };|input 'b' follows a non-existent input 'c'
inputs.a.url = "gx:std"; inputs.b.follows = "a/z"; outputs = { self, a, b }: { };|at flake.nix:2:28
inputs.a.url = "gx:std"; inputs.b.follows = "c"; outputs = { self, a, b }: { };|hint: the flake has 'a'
inputs.a.url = "github/NixOS/nixpkgs"; outputs = { self, a }: { };|did you mean 'github:NixOS/nixpkgs'?
inputs.a.url = "github.com/NixOS/nixpkgs"; outputs = { self, a }: { };|it is not an absolute path
inputs.a.url = "https://github.com/NixOS/nixpkgs"; outputs = { self, a }: { };|is the page of a project, not an archive
inputs.a.url = "https://gitlab.com/some/project.git/"; outputs = { self, a }: { };|did you mean 'gitlab:some/project'?
inputs.a.url = "https://github.com/NixOS/nixpkgs/tree/nixos-24.05"; outputs = { self, a }: { };|did you mean 'github:NixOS/nixpkgs/nixos-24.05'?
inputs.a.url = "github:NixOS"; outputs = { self, a }: { };|while reading the flake input 'a', at flake.nix:2:3
inputs.a.url = "./nosuch"; outputs = { self, a }: { };|while updating the flake input 'a', at flake.nix:2:3
X
echo '{ outputs = { self }: { devShell.x86_64-linux.default = 1; package.x86_64-linux.tool = 1; }; }' >flake.nix
rm -f flake.lock
check "a name below devShell.SYSTEM" complains "it is not a derivation; did you mean 'devShells'?" \
	gx flake check --system x86_64-linux --no-build
gx flake show --system x86_64-linux >show.log 2>&1
check "gx flake show says it, too" grep -qF "it is not a derivation; did you mean 'devShells'?" show.log
check "and the name that lacks its s" grep -qF "package: unknown; did you mean 'packages'?" show.log
printf '{ outputs = { self, ... }: { packages.x86_64-linux.tool = 1; }; inputs.a.url = "gx:std"; }\n' >flake.nix
check "three dots take all inputs" prints 1 gxeval --system x86_64-linux .#tool
