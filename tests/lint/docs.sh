# SPDX-License-Identifier: MIT
#
# Every name that gx:std offers has documentation: what 'gx doc' lists has a sentence, and what is no set has a text of its own.
# The examples in doc comments of lib, "EXPR => VALUE", are true.
gx=${gxeval%/*}/gx
status=0
fail() {
	echo "not ok - $*"
	status=1
}

for set in std std.lib std.pkgs std.lists std.strings std.attrsets std.trivial std.stdenv builtins; do
	"$gx" doc $set >list 2>err || { fail "gx doc $set: $(head -n 1 err)"; continue; }
	# Names stand two columns in; a long one has its text in the next line.
	if grep -e '(no doc comment)' -e '(it cannot be evaluated)' list >bad; then
		while read -r line; do
			fail "$set: $line"
		done <bad
	fi
	[ "$(wc -l <list)" -gt 3 ] || fail "gx doc $set lists next to nothing"
done

# Functions only: a package has its description, and platforms of stdenv speak for themselves.
"$gxeval" --raw --impure -E '
	let
	  lib = (builtins.getFlake "gx:std").lib;
	  pkgs = (builtins.getFlake "gx:std").legacyPackages.${builtins.currentSystem};
	  functions = prefix: set: map (n: "${prefix}.${n}") (builtins.filter (n: lib.isFunction set.${n}) (builtins.attrNames set));
	in
	lib.concatLines (functions "std.lib" lib ++ functions "std.pkgs" pkgs)' >functions || exit 1
n=0
while read -r name; do
	n=$((n + 1))
	"$gx" doc "$name" >text 2>err || { fail "gx doc $name: $(head -n 1 err)"; continue; }
	! grep -q 'has no doc comment' text || fail "$name has no doc comment"
	[ "$(wc -c <text)" -gt 40 ] || fail "$name: its documentation says next to nothing"
done <functions
[ $n -gt 150 ] || fail "only $n functions in gx:std"

# A list of those that are not true, as FILE:LINE.
awk '
	BEGIN { print "with import (builtins.getEnv \"srcdir\" + \"/stdlib/lib\");\nmap (e: e.at) (builtins.filter (e: !e.ok) [" }
	/\/\*\*/ { inside = 1 }
	inside && (i = index($0, " => ")) {
		name = FILENAME
		sub(/.*\//, "", name)
		print "{ at = \"" name ":" FNR "\"; ok = (" substr($0, 1, i) ") == (" substr($0, i + 4) "); }"
	}
	/\*\// { inside = 0 }
	END { print "])" }
' "$srcdir"/stdlib/lib/*.gx "$srcdir"/stdlib/lib/*/*.gx >examples.gx
examples=$(grep -c '^{ at' examples.gx)
[ "$examples" -gt 60 ] || fail "only $examples examples in stdlib/lib"
"$gxeval" --impure -f examples.gx >got 2>&1
[ "$(cat got)" = '[ ]' ] || fail "examples that are not true: $(cat got)"
[ $status -eq 0 ] && echo "ok - $n functions of gx:std have documentation, and $examples examples are true"
exit $status
