# SPDX-License-Identifier: MIT
#
# Compiles for a target what programs are linked with, the C library and what compilers take for granted; with cxx, C++'s as well.  The output is
# the cache of zig where it has that, for each of the ways in which it is asked: without optimisation, for speed, for size, and stripped,
# as Go's linker asks when it is told to (-s).
export HOME=$PWD ZIG_GLOBAL_CACHE_DIR=$PWD/cache ZIG_LOCAL_CACHE_DIR=$PWD/cache
if [ -n "${cxx-}" ]; then
	language=c++ main=main.cc
	printf '#include <iostream>\nint main() { try { throw 1; } catch (int) { std::cout << 1; } }\n' >$main
else
	language=cc main=main.c
	printf 'int main(void) { return 0; }\n' >$main
fi
mkdir cache
if [ -n "${begin-}" ]; then
	# Links to what is compiled; the lists of what it was made from are opened for writing.
	cp -R -s "$begin/b" "$begin/o" cache
	cp -R "$begin/h" cache
	chmod -R u+w cache/h
	find cache -type d -exec chmod u+w {} +
fi
for flags in -O0 -O2 -Os "-O2 -s"; do
	"$zig/zig" $language -target "$target" -fno-sanitize=undefined $flags $main -o main
done
rm -rf cache/z cache/tmp
mv cache "$out"
