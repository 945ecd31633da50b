# SPDX-License-Identifier: MIT
#
# gx search: packages by words in their names and descriptions, in gx:std and in a flake.
. "$srcdir/tests/integration/lib.sh"
export HOME=$PWD

mkdir -p f
cat >f/flake.gx <<'X'
{
  outputs = { self }: let
    drv = a: derivation ({ system = "x86_64-linux"; builder = "/bin/sh"; name = "${a.pname}-1"; } // a);
    package = pname: a: drv { inherit pname; } // a;
  in {
    packages.x86_64-linux = {
      mill = package "mill" { version = "2.5"; meta.description = "Grinds Corn"; };
      both = package "both" { meta.description = "The flake's own"; };
      broken = throw "not on this machine";
    };
    packages.riscv64-linux.other = package "other" { meta.description = "Corn elsewhere"; };
    legacyPackages.x86_64-linux = {
      both = package "both" { meta.description = "the same again"; };
      bare = package "bare" { };
      lib.corn = package "hidden" { };
      corn = x: x;
      tools = { recurseForDerivations = true; sieve = package "sieve" { version = "10"; meta.description = "For corn and flour"; }; };
    };
  };
}
X
search() { # WORD...
	gx search --system x86_64-linux ./f "$@"
}
check "a word in descriptions, in large and small letters" prints 'mill         2.5  Grinds Corn
tools.sieve  10   For corn and flour' search corn
check "in names" prints 'bare' search BAR
check "all of several" prints 'tools.sieve  10  For corn and flour' search corn flour
check "in name and description together" prints 'mill  2.5  Grinds Corn' search mill corn
check "a regular expression" prints 'both       The flake'\''s own
mill  2.5  Grinds Corn' search '^(m.*l|both)$'
check "each is in one output only, and what fails in none" prints 'bare both mill tools.sieve' sh -c '
	gx search --system x86_64-linux ./f "^" >all && cut -d" " -f1 all | tr "\n" " " | sed "s/ $//"'
check "as JSON" prints '{"packages.x86_64-linux.mill":{"description":"Grinds Corn","pname":"mill","version":"2.5"},"legacyPackages.x86_64-linux.tools.sieve":{"description":"For corn and flour","pname":"sieve","version":"10"}}' \
	search --json corn
check "nothing as JSON" prints '{}' search --json rye
check "another system" prints 'other  Corn elsewhere' gx search --system riscv64-linux ./f corn
check "nothing is found" complains "no package of './f' has that" search rye
check "what is no regular expression" complains "invalid regular expression 'a('" search 'a('
check "no word" status 2 gx search
check "one word is sought in gx:std" prints "golangci-lint
golangci-lint-langserver" sh -c 'gx search golangci >got && cut -d" " -f1 got'
check "as if it was named" prints "$(gx search debugger)" gx search gx:std debugger
check "without some" prints 'mill  2.5  Grinds Corn' search corn -e flour
check "without several" complains "no package" search corn --exclude SIEVE --exclude mill
# --- of a file
cat >set.nix <<'X'
let drv = name: a: derivation ({ inherit name; system = builtins.currentSystem; builder = "/bin/sh"; } // a);
in {
  mill = drv "corn-mill-2.5pre" { meta.description = "Grinds Corn"; };
  tools = { n ? "x" }: { sieve = drv "sieve-${n}" { pname = "sieve"; version = n; }; };
}
X
check "of a file" prints 'mill  2.5pre  Grinds Corn' gx search -f set.nix '' corn
check "of a set in it, arguments passed" prints 'tools.sieve  7' gx search -f set.nix tools sieve --argstr n 7
check "of an expression, as JSON" prints '{"mill":{"description":"Grinds Corn","pname":"corn-mill","version":"2.5pre"}}' \
	gx search -E 'import ./set.nix' '' corn --json --impure
check "which has nothing" complains "no package of 'set.nix' has that" gx search -f set.nix '' rye
check "a file and no word" status 2 gx search -f set.nix ''
# --- as nix prints them
cat >long.exp <<'X'
* <b>packages.x86_64-linux.mill<0> (2.5)
  Grinds <g>Corn<0>

* <b>legacyPackages.x86_64-linux.tools.sieve<0> (10)
  For <g>corn<0> and flour
X
long() {
	search --long "$@" >long.got && sed 's/\x1b\[0;1m/<b>/g; s/\x1b\[0m/<0>/g; s/\x1b\[32;1m/<g>/g' long.got
}
check "--long" prints "$(cat long.exp)" long corn
check "overlapping matches are one" prints '* <b>packages.x86_64-linux.<g>mil<b>l<0> (2.5)
  Gr<g>inds<0> Corn' long mi il ind ds
echo '{ good = derivation { name = "good-1"; system = "s"; builder = "b"; }; bad = throw "no luck"; }' >bad.nix
check "what fails in it is an error" complains "no luck" gx search -f bad.nix '' good
