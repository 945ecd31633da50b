# SPDX-License-Identifier: MIT
#
# Each header compiles alone, and twice in a row.
cd "$srcdir" || exit 1
. tests/lint/lib.sh
: "${CC:=cc}" "${HEADER_FLAGS:=-I$srcdir -I$builddir -std=gnu17}"
own=
[ -n "${tmp-}" ] || { tmp=$(mktemp -d) && own=$tmp; }
status=0
for h in $(find $FOLDERS -name "*.h" | sort); do
	[ -f "$h" ] || continue
	printf '#include "config.h"\n#include "%s"\n#include "%s"\n' "$h" "$h" >"$tmp/header.c"
	if $CC $HEADER_FLAGS -Werror -Wno-unused-function -fsyntax-only "$tmp/header.c" >"$tmp/header.log" 2>&1; then
		:
	else
		echo "not ok - $h alone"
		sed 's/^/#   /' "$tmp/header.log" | head -n 8
		status=1
	fi
done
[ $status -eq 0 ] && echo "ok - every header compiles alone"
[ -n "$own" ] && rm -rf "$own"
exit $status
