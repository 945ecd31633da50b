# SPDX-License-Identifier: MIT
#
# Without memory, from whichever mapping on: the result, or one error and status 1.
. "$srcdir/tests/integration/lib.sh"

${CC:-cc} -shared -fPIC -O1 -o fail_mmap.so "$srcdir/tests/integration/lib/fail_mmap.c" -ldl 2>cc.log || { echo "no shared library can be made"; exit 77; }
ldd "$gxeval" 2>/dev/null | grep -q asan && { echo "the address sanitizer wants to be first"; exit 77; }

each() {
	failed=0
	for n in $(seq 1 30); do
		rc=0
		env LD_PRELOAD="$PWD/fail_mmap.so" MMAP_FAIL=$n gxeval -E 'builtins.length (builtins.genList (x: [ x ]) 10000)' >out 2>err || rc=$?
		[ $rc = 0 ] && [ "$(cat out)" = 10000 ] && continue
		failed=$((failed + 1))
		[ $rc = 1 ] && [ "$(grep -c ^error: err)" = 1 ] && grep -qi memory err || { echo "$n: status $rc" && cat err && return 1; }
	done
	[ $failed -gt 0 ] || { echo "none failed" && return 1; }
}
check "each mapping that fails is told" each
check "a limit on memory that is too small" complains "Cannot allocate memory" sh -c 'ulimit -v 300000; gxeval -E 1'
check "one that is too small for what is computed" complains "error: out of memory" \
	sh -c 'ulimit -v 700000; gxeval -E "builtins.length (builtins.concatLists (builtins.genList (x: builtins.genList (y: { inherit x y; z = [ x y ]; }) 1000) 20000))"'
exit 0
