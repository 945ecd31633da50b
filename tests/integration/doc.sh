# SPDX-License-Identifier: MIT
#
# gx doc, and ':doc', which says the same: builtins, names of gx:std, doc comments of one's own. That all of gx:std has documentation is
# tests/lint/docs.sh's.
. "$srcdir/tests/integration/lib.sh"
export HOME=$PWD

has() { # TEXT COMMAND...
	_text=$1
	shift
	"$@" >has.log 2>&1 || { cat has.log && return 1; }
	grep -qF -- "$_text" has.log || { cat has.log && echo "does not say: $_text" && return 1; }
}
in_repl() { # LINE...
	printf '%s\n' "$@" | gxeval --repl 2>&1
}

check "a builtin" has 'builtins.map f list' gx doc map
check "by its whole name" has 'Example: map (x: x * x) [ 1 2 3 ]' gx doc builtins.map
check "a builtin that is no function" has 'The version of Nix' gx doc builtins.nixVersion
check "a function of the library" has 'std.mkShell { buildInputs ? …' gx doc mkShell
check "with what it is for" has 'packages           what is in front of PATH' gx doc std.mkShell
check "where it is" has '/lib/strings.gx:' gx doc std.lib.hasPrefix
check "its arguments" has 'std.lib.hasPrefix prefix s' gx doc std.lib.hasPrefix
check "and an example" has 'hasPrefix "ab" "abc" => true' gx doc std.strings.hasPrefix
check "a function that is made of another has its own" has 'toLower "ABC" => "abc"' gx doc std.toLower
check "a set that can be called" has 'The programs of a Go module' gx doc buildGoModule
check "a package" has 'The language server of Go' gx doc gopls
check "a value" has 'std.defaultSystems = [ ' gx doc std.defaultSystems
check "a set is listed" has '  hasPrefix prefix s          Does a string begin with the prefix?' gx doc std.strings
check "so are the builtins" has '  typeOf e  ' gx doc builtins
check "and all, without a name" sh -c 'gx doc >all && grep -q "^builtins$" all && grep -q "^std$" all && grep -q "^  mkShell" all'
narrow() {
	printf '%s\n' '= gx> ' '> :doc std.mkShell' '= inputsFrom         packages, or shells, whose' '= ]                   inputs are there as well' '> :q' 'exit 0' |
		sed 's/^= \]/=/' >lines
	TEST_TERM=xterm TEST_COLUMNS=50 NO_COLOR=1 python3 "$srcdir/tests/integration/lib/terminal.py" gxeval --repl <lines
}
check "text is broken at blanks, below itself" narrow
check "a slip is corrected" complains "Did you mean hasPrefix?" gx doc hasPerfix
check "in a set as well" complains "Did you mean trim?" gx doc std.strings.trimm
check "what is not there" complains "there is nothing named 'xyzzy'" gx doc xyzzy
check "what is no name" complains "'1 + 1' is no name" gx doc '1 + 1'
check "one name at a time" status 2 gx doc map filter

check "a shell completes names" prints 'hasPrefix' gx __complete -- doc hasP
check "builtins, too" prints 'hashString' gx __complete -- doc hashS
check "below others as well" prints 'std.strings.hasInfix
std.strings.hasPrefix
std.strings.hasSuffix' gx __complete -- doc std.strings.has
check "the sets, too" sh -c 'gx __complete -- doc s >o && grep -qx std o'
check "and nothing of what is not there" prints '' gx __complete -- doc nope.

cat >flake.gx <<'END'
{
  outputs = { self }: {
    lib = {
      /** Says it. */
      say = x: { loud ? false }: x;
      bare = a: b: a;
      /**
        Two lines
          of it.
      */
      number = 7;
      alias = self.lib.say;
      broken = throw "no";
      partial = self.lib.bare 1;
    };
  };
}
END
check "a function of a flake" prints '"x" is not it' sh -c 'gx doc ".#lib.say" >o && grep -q "^lib.say x { loud ? … }$" o && grep -q "^Says it\.$" o && grep -q "flake.gx:5:7$" o && echo "\"x\" is not it"'
check "a comment before what is no function" sh -c 'gx doc .#lib.number >o && grep -qx "lib.number = 7" o && grep -qx "Two lines" o && grep -qx "  of it\." o'
check "a name that is another's has the function's" has 'Says it.' gx doc .#lib.alias
check "without a doc comment it is said where it is" has 'flake.gx:6:7 and has no doc comment' gx doc .#lib.bare
check "one that is made of another has not the other's arguments" has 'lib.partial b' gx doc .#lib.partial
check "a list goes on behind what fails" sh -c 'gx doc .#lib >o && grep -q "broken  *(it cannot be evaluated)" o && grep -q "say x { loud ? … }  *Says it" o && grep -q "bare a b  *(no doc comment)" o'
check "a flake that is not there" complains "'./none'" gx doc ./none#x
check "a name that a flake has not" complains "lib has no 'saay'" gx doc .#lib.saay

check "':doc' of a name of the library" has 'std.mkShell {' in_repl ':doc std.mkShell'
check "of a builtin that is no variable" has 'builtins.length list' in_repl ':doc length'
check "of a variable" has 'f a b' in_repl 'f = a: b: a' ':doc f'
check "which comes first" has 'map is mine' in_repl 'map = /** map is mine */ x: x' ':doc map'
check "of a binding that is no function" has 'seven it is' in_repl '/** seven it is */ n = 7' ':doc n'
check "of a builtin that is not there" has "Did you mean map?" in_repl ':doc builtins.mapp'
check "of an expression" has 'builtins.map f list' in_repl ':doc (builtins.map)'
