# SPDX-License-Identifier: MIT
#
# The program strip of the C compiler (stdlib/zig/cc/strip.c) by itself, without zig: files whose headers are not what a linker writes.
# cgo.sh has what it does with real programs.
. "$srcdir/tests/integration/lib.sh"

command -v python3 >/dev/null 2>&1 || { echo "there is no python3"; exit 77; }
${CC-cc} -D'ZIG="/s/h-zig/zig"' -D'TARGET="t"' -D'RUNTIMES=""' -D'NAME="n"' "$srcdir/stdlib/zig/cc/cc.c" "$srcdir/stdlib/zig/cc/strip.c" \
	-o strip 2>cc.log || { echo "nothing here makes a program: $(tail -1 cc.log)"; exit 77; }

# Programs with no segment, and 499 sections of these bytes each.
cat >make.py <<'X'
import struct, sys

def section(kind, at, length):
    return struct.pack("<IIQQQQIIQQ", 0, kind, 0, 0, at, length, 0, 0, 1, 0)

def program(name, at, length):
    head = b"\x7fELF\2\1\1" + bytes(9) + struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, 0, 0, 64, 0, 64, 56, 0, 64, 500, 0)
    open(name, "wb").write(head + section(0, 0, 0) + section(1, at, length) * 499)

program("overlapping", 0, 32064)
program("outside", 0, 32065)
program("far", 2**64 - 1, 2)
X
python3 make.py
size() { # FILE
	wc -c <"$1" | tr -d ' '
}
check "sections that overlap" ./strip -g -o some overlapping
check "are each kept" prints $((64 + 499 * 32064 + 500 * 64)) size some
check "or none of them" ./strip -o none overlapping
check "then little is left" prints 128 size none
check "a section that ends outside" complains "its headers name what is not in it" ./strip outside
check "or begins there" complains "its headers name what is not in it" ./strip far
