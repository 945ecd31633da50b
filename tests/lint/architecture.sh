# SPDX-License-Identifier: MIT
#
# The README of each folder of C names every source file of it, one line each, and no file that is not there; what doc/ARCHITECTURE.md
# and HACKING.md name in `quotes` as FOLDER/FILE is there.
cd "$srcdir" || exit 1
. tests/lint/lib.sh
status=0
bad() { echo "not ok - $*"; status=1; }

for d in $FOLDERS; do
	doc=$d/README.md
	[ -f "$doc" ] || { bad "$doc is missing"; continue; }
	for f in "$d"/*.c "$d"/*/*.c "$d"/*.y "$d"/*.re; do
		case $f in *\** | lang/parser.c | lang/lexer.c) continue ;; esac
		grep -q "^- \`${f#*/}\` [^ ]" "$doc" || bad "$doc has no line for $f"
	done
	# A header of its own .c file needs no line.
	for f in "$d"/*.h "$d"/*/*.h; do
		case $f in *\** | lang/parser.h) continue ;; esac
		[ -f "${f%.h}.c" ] || [ -f "${f%.h}.re" ] || grep -q "^- \`${f#*/}\` [^ ]" "$doc" || bad "$doc has no line for $f"
	done
	for f in $(sed -n 's/^- `\([^`]*\)`.*/\1/p' "$doc"); do
		[ -f "$d/$f" ] || bad "$doc names $f, which is not there"
	done
done
for doc in doc/*.md HACKING.md README.md; do
	for f in $(grep -o '`[a-z]*/[a-z0-9_/.-]*\.\(c\|h\|sh\|re\|y\|gx\|def\|md\)`' "$doc" | tr -d '`' | sort -u); do
		[ -e "$f" ] || bad "$doc names $f, which is not there"
	done
done
[ $status -eq 0 ] && echo "ok - what the documents name is there, and every source file is named"
exit $status
