# SPDX-License-Identifier: MIT
#
# Functions that have a better answer here: memory comes from base/alloc.h, which has one answer to there being none (the collector's from
# base/mem.h); text is put together with base/buf.h, pieces of it taken with their lengths.
cd "$srcdir" || exit 1
. tests/lint/lib.sh

find $FOLDERS -name '*.[chy]' -o -name '*.re' |
	grep -v '^lang/\(parser\.[ch]\|lexer\.c\)$\|^base/\(alloc\|mem\)\.c$' | sort | xargs awk '
	{ code = $0; gsub(/"([^"\\]|\\.)*"/, "\"\"", code); sub(/^[ \t]*\*.*|\/\*.*/, "", code) }
	match(code, /(^|[^A-Za-z0-9_.>])(malloc|calloc|realloc|reallocarray|strdup|strndup|asprintf|vasprintf|strcpy|strcat|strncpy|strncat|sprintf|vsprintf|strtok|gets|alloca|system|popen)\(/) {
		name = substr(code, RSTART, RLENGTH)
		gsub(/^[^a-z]|\($/, "", name)
		print "not ok - " FILENAME ":" FNR ": " name
		bad = 1
	}
	END {
		if (!bad) print "ok - no banned function is called"
		exit bad
	}'
