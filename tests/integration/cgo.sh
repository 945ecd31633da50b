# SPDX-License-Identifier: MIT
#
# The C compiler by itself: what mkDerivation compiles with it is whole, and needs nothing of others.  tests/all-cgo has what Go does with it.
# Skipped where zig cannot be fetched, or with TEST_REAL=no.  TEST_STORE=FOLDER is a store to keep between runs, as for go_real.sh.
. "$srcdir/tests/integration/lib.sh"
wanted=zig.release
. "$srcdir/tests/integration/lib/toolchain.sh"

mkdir hello
cat >hello/main.c <<'X'
#include <limits.h>
#include <math.h>
#include <stdio.h>

int twice(int n);

int main(int argc, char **argv)
{
	/* What the standard leaves open ends no program. */
	int over = INT_MAX - 1 + 2 * argc;

	printf("%d %s %.0f\n", twice(21), over && *argv ? "goes on" : "is 0", sqrt((double)argc * 49));
	return 0;
}
X
printf 'int twice(int n)\n{\n\treturn 2 * n;\n}\n' >hello/twice.c
hello="let p = $std; in p.stdenv.mkDerivation {
	name = \"hello\";
	src = ./hello;
	nativeBuildInputs = [ p.cc ];
	buildPhase = \"\$CC -O2 -c twice.c; \$AR rcs libtwice.a twice.o; \$RANLIB libtwice.a; \$CC -O0 -Wall -Werror main.c -L. -ltwice -lm -o hello\";
	installPhase = \"install -Dm755 hello -t \$out/bin\";
}"
out=$(gxeval --raw --store "$store" -A outPath -E "$hello")
built() {
	gxeval --store "$store" --realise -E "$hello"
}
loader() { # FILE
	readelf -l "$1" | sed -n 's/.*program interpreter: \(.*\)]/\1/p'
}
check "a program of C" prints "$out" built
check "it has its C library in itself" prints "" loader "$store$out/bin/hello"
check "it runs" prints "42 goes on 7" "$store$out/bin/hello"
check "it needs nothing else" prints "$out" "$builddir/gx" path-info --store "$store" -r "$out"
check "a second time it is the same" "$builddir/gx" build --store "$store" --no-link --rebuild "$(gxeval --raw -A drvPath -E "$hello")^out"
