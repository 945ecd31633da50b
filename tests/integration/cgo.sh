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

# With libraries of Debian: as pkg-config says, and as a compiler that knows them finds them.
libraries() {
	gxeval --store "$store" --option substituters '' --realise -E "let p = $std; in p.stdenv.mkDerivation {
		name = \"libraries\";
		dontUnpack = true;
		nativeBuildInputs = [ p.cc p.pkg-config ];
		buildInputs = [ p.zlib ];
		buildPhase = \"
			echo '#include <stdio.h>' >main.c
			echo '#include <zlib.h>' >>main.c
			echo 'int main(void) { return puts(zlibVersion()) < 0; }' >>main.c
			\$CC -O2 -g main.c \$(pkg-config --cflags --libs zlib) -o by-name
			\$CC -O2 main.c -lz -o plain
		\";
		installPhase = \"install -D by-name plain -t \$out/bin\";
	}"
}
names() {
	"$builddir/gx" path-info --store "$store" -r "$1" | sed 's/.*-\(glibc\|zlib\|libraries\)/\1/; s/-[0-9].*//'
}
libraries >path 2>log || cat log
if grep -q 'cannot fetch' log; then
	skip "libraries of Debian" "$(grep -m 1 'cannot fetch' log)"
else
	check "libraries of Debian, by pkg-config and without" [ -s path ]
	check "are all that a program needs" prints "glibc
zlib
libraries" names "$(cat path)"
	check "it is started by their own loader" prints "$(sed -n '/-glibc-/s,$,/lib64/ld-linux-x86-64.so.2,p' <<-X
		$("$builddir/gx" path-info --store "$store" -r "$(cat path)")
	X
	)" loader "$store$(cat path)/bin/by-name"
fi

# What is taken away is what no one needs who runs it.
strips() {
	gxeval --store "$store" --realise -E "let p = $std; in p.stdenv.mkDerivation {
		name = \"stripped\";
		src = ./hello;
		nativeBuildInputs = [ p.cc ];
		dontStrip = true;
		buildPhase = \"
			\$CC -g -O2 main.c twice.c -lm -o whole
			\$CC -g -shared -fPIC twice.c -o libtwice.so
			\$CC -g -c twice.c
			strip -o all whole; strip -g -o some whole; strip -s libtwice.so
			! strip twice.o 2>told; ! strip main.c 2>>told; ! strip -x whole 2>>told; grep -q main whole
		\";
		installPhase = \"install -D whole all some libtwice.so -t \$out/bin; cp told \$out\";
	}"
}
check "strip" strips
stripped=$store$(strips 2>/dev/null)
for kind in all some; do
	check "what is stripped runs: $kind" prints "42 goes on 7" "$stripped/bin/$kind"
done
sections() { # FILE
	readelf -S -W "$1" | grep -o '\.\(debug_info\|symtab\|text\) ' | sort | tr -d '\n'
}
check "symbols and what debuggers read are there before" prints ".debug_info .symtab .text " sections "$stripped/bin/whole"
check "all is taken" prints ".text " sections "$stripped/bin/all"
check "with -g symbols stay, and where they are" prints ".symtab .text " sections "$stripped/bin/some"
symbol() { # FILE
	readelf -s -W "$1" | awk '$8 == "twice" { print $7 != "UND" && $7 != "ABS" }'
}
check "a symbol is in a section" prints 1 symbol "$stripped/bin/some"
check "a library keeps what others link with" prints 1 symbol "$stripped/bin/libtwice.so"
check "what is refused" prints "error: cannot strip 'twice.o': it is not linked, others refer to its symbols
error: cannot strip 'main.c': it is no ELF file
error: strip takes [-s|-g] [-o FILE] FILE..., not '-x'" cat "$stripped/told"
