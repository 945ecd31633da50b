# SPDX-License-Identifier: MIT
#
# The arrows of doc/ARCHITECTURE.md: which folder may include which, private headers stay in their folder, each
# library's header occurs in one .c file, config.h comes first in every .c file, no file is longer than 1000 lines or wider than 132 columns.
cd "$srcdir" || exit 1
. tests/lint/lib.sh

# A distribution also holds the generated parser and lexer.
find $FOLDERS -name '*.[chy]' -o -name '*.re' |
	grep -v '^lang/\(parser\.[ch]\|lexer\.c\)$' | sort | xargs awk "$ARROWS"'
	function bad(text) { print "not ok - " FILENAME ":" FNR ": " text; failures++ }
	FNR == 1 {
		split(FILENAME, part, "/")
		folder = part[1]
		seen_include = 0
		if (FILENAME ~ /\.[ch]$/ && $0 !~ /SPDX-License-Identifier: MIT/)
			bad("does not start with the licence line")
	}
	FNR > 1000 && !long[FILENAME]++ { bad("longer than 1000 lines") }
	{
		line = $0
		while ((tab = index(line, "\t")))
			line = substr(line, 1, tab - 1) sprintf("%*s", 8 - (tab - 1) % 8, "") substr(line, tab + 1)
		if (length(line) > 132) bad("wider than 132 columns")
	}
	folder ~ /^(format|store|fetch|golang|cache|image|kube|build|remote)$/ && /(^|[^a-z_])mem_(new|bytes|root|many)\(/ {
		bad("collected memory in " folder "/")
	}
	/(^|[^a-z_])(read|open|fdopen)dir\(/ && FILENAME != "base/dir.c" {
		bad("lists a directory itself: a list cut short is not told from a whole one (base/dir.h)")
	}
	/^#[ \t]*include "/ {
		split($0, quoted, "\"")
		header = quoted[2]
		if (!seen_include++ && FILENAME ~ /\.c$/ && header != "config.h")
			bad("the first include is not config.h")
		if (header == "config.h") next
		if (header !~ /\//) { bad("include \"" header "\" has no folder"); next }
		split(header, to, "/")
		if (index(may[folder], " " to[1] " ") == 0)
			bad(folder "/ may not include " header)
		if ((header ~ /_int\.h$/ || header == "eval/state.h") && to[1] != folder)
			bad(header " is private to " to[1] "/")
		next
	}
	/^#[ \t]*include <(gc|sqlite3|curl|openssl|archive|seccomp|git2|bzlib|lzma|zstd|brotli|microhttpd|yaml)[.\/_]/ {
		match($0, /<(gc|sqlite3|curl|openssl|archive|seccomp|git2|bzlib|lzma|zstd|brotli|microhttpd|yaml)/)
		lib = substr($0, RSTART + 1, RLENGTH - 1)
		if (FILENAME ~ /\.h$/) bad("library header <" lib "> in a header")
		# Hashes are linked in and signatures loaded when used; logs are written by the library itself; conversations are no transfers.
		if (FILENAME == "format/sign.c" || FILENAME == "kube/http.c" || FILENAME == "format/compress.c" && lib == "bzlib") next
		if (lib in owner && owner[lib] != FILENAME) bad("<" lib "> is also included by " owner[lib])
		owner[lib] = FILENAME
	}
	END {
		if (!failures) print "ok - " ARGC - 1 " files keep to the arrows"
		exit failures > 0
	}'
