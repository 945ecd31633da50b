# SPDX-License-Identifier: MIT
#
# doc/ARCHITECTURE.md names every source file, has at most 200 lines, and names no file that is not there.
cd "$srcdir" || exit 1
doc=doc/ARCHITECTURE.md
status=0
# The files that are built: Makefile.am's.
for f in $(grep -o '\(base\|lang\|eval\|store\|fetch\|builtins\|flake\|cli\)/[a-z0-9_]*\.\(c\|y\|re\)\b' Makefile.am | sort -u); do
	case $f in lang/parser.c | lang/lexer.c) continue ;; esac
	grep -qF "\`${f#*/}\`" "$doc" || { echo "not ok - $doc does not name $f"; status=1; }
done
for f in $(sed -n 's/^- \(`[a-z0-9_.]*`.*\)/\1/p' "$doc" | grep -o '`[a-z0-9_]*\.[a-z]*`' | tr -d '`' | sort -u); do
	set -- */"$f"
	[ -f "$1" ] || { echo "not ok - $doc names $f, which is not there"; status=1; }
done
[ "$(wc -l <"$doc")" -le 200 ] || { echo "not ok - $doc is longer than 200 lines"; status=1; }
[ $status -eq 0 ] && echo "ok - $doc names every source file"
exit $status
