# SPDX-License-Identifier: MIT
#
# The benchmarks run: bench/run with gxeval alone, what finds the attributes of a collection, and the counts of instructions.
. "$srcdir/tests/integration/lib.sh"

run() { (cd "$builddir" && env NIX= "$srcdir/bench/run" "$@"); }

(cd "$srcdir/bench" && ls ./*.gx) | sed 's,^\./,,; s,\.gx$,,' | sort >files
run --list | sort >works
check "each file of bench/ is a work" test -z "$(comm -23 files works)"
run -n 1 update_grow flake-show >run.out
check "what is named is measured, memory too" test "$(awk 'NR > 1 && NF == 10 && $2 > 0 && $8 > 0 { print $1 }' run.out | tr '\n' ' ')" = \
	"update_grow flake-show "

mkdir tree && cat >tree/default.nix <<'X2'
{ system }: {
  good = derivation { name = "good"; inherit system; builder = "x"; };
  number = 1;
  throws = throw "no";
  wrong = derivation { name = "wrong"; inherit system; builder = "x"; needs = missing: 1; };
  late = (import ./nowhere.nix).x;
}
X2
check "attributes that cannot be evaluated are left out" prints '[
"good"
"number"
]' "$srcdir/bench/set/names" "$PWD/tree" "$builddir/gxeval"

if ! command -v valgrind >/dev/null; then
	skip "instructions" "valgrind is not installed"
elif ldd "$gxeval" 2>/dev/null | grep -q asan; then
	skip "instructions" "the address sanitizer is not for valgrind"
else
	# A copy, so that the counts of this build say nothing about those of others.
	mkdir copy && cp "$srcdir/bench/instructions" copy/
	sed 's/fib 27/fib 12/' "$srcdir/bench/fib.gx" >copy/fib.gx
	printf '# a comment\n1234567890 fib=999999.0 foldl=1.0\n' >copy/history
	(cd "$builddir" && "$OLDPWD/copy/instructions" fib) >counts 2>&1
	check "a count that changed is told" test "$(awk '/^fib .* 999999\.0  -[0-9.]* %$/ { n++ } END { print n, NR }' counts)" = "1 2"
fi
