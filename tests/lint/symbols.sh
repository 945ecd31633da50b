# SPDX-License-Identifier: MIT
#
# The arrows once more, in what was compiled: no library needs a symbol that only one above it defines. An include can be avoided by
# declaring a function where it is used; this cannot.
command -v nm >/dev/null 2>&1 || { echo "no nm"; exit 77; }
. "$srcdir/tests/lint/lib.sh"
cd "$builddir" || exit 1

nm -A -P lib*.a 2>/dev/null | awk "$ARROWS"'
	# libstore.a[db.o]: db_open T 0 1
	{ match($1, /^lib[a-z]*/); lib = substr($1, 4, RLENGTH - 3) }
	$3 == "T" || $3 == "D" || $3 == "B" || $3 == "R" || $3 == "C" { home[$2] = lib; next }
	$3 == "U" { n++; user[n] = $1; wants[n] = $2; from[n] = lib }
	END {
		for (i = 1; i <= n; i++)
			if (wants[i] in home && index(may[from[i]], " " home[wants[i]] " ") == 0) {
				print "not ok - " user[i] " " wants[i] " is of " home[wants[i]] "/"
				bad = 1
			}
		if (!n) { print "not ok - nm printed nothing"; bad = 1 }
		if (!bad) print "ok - " n " symbols come from below"
		exit bad
	}'
