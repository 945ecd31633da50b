# SPDX-License-Identifier: MIT
#
# A patch without what changes each time it is asked for: the files in the order of their names, their hunks, and nothing else.
#
#     patchStrip=N patchPrefixed=BOOL patchPrefix=TEXT patchBelow=FOLDER patchOnly=GLOBS patchWithout=GLOBS awk -f patch.awk FILE
#
# What comes out is what lsdiff and filterdiff of patchutils 0.3.3 make of it when nixpkgs' fetchpatch runs them, since hashes are of that.
# Globs are one on a line.
BEGIN {
	strip = ENVIRON["patchStrip"]
	prefixed = ENVIRON["patchPrefixed"]
	prefix = ENVIRON["patchPrefix"]
	below = ENVIRON["patchBelow"]
	only = ENVIRON["patchOnly"]
	without = ENVIRON["patchWithout"]
}

# An expression for a glob, whose "*" matches slashes too.
function regex(glob,   out, c, i) {
	out = "^"
	for (i = 1; i <= length(glob); i++) {
		c = substr(glob, i, 1)
		if (c == "*") out = out ".*"
		else if (c == "?") out = out "."
		else if (c ~ /[][A-Za-z0-9_\/!-]/) out = out (c == "!" && substr(glob, i - 1, 1) == "[" ? "^" : c)
		else out = out "\\" c
	}
	return out "$"
}

function stripped(file, n) {
	for (; n > 0 && file ~ /\//; n--) sub(/^[^\/]*\/+/, "", file)
	return file
}

function matches(file, globs,   n, i, list) {
	n = split(globs, list, "\n")
	for (i = 1; i <= n; i++)
		if (list[i] != "" && file ~ regex(list[i])) return 1
	return 0
}

function parts(file) { return gsub(/\/+/, "/", file) }
function base(file) { sub(/.*\//, "", file); return file }

# The name that a file goes by: fewer folders, then a shorter last part, then shorter.
function best(a, b) {
	if (a == "/dev/null") return b
	if (b == "/dev/null") return a
	if (parts(a) != parts(b)) return parts(a) < parts(b) ? a : b
	if (length(base(a)) != length(base(b))) return length(base(a)) < length(base(b)) ? a : b
	return length(b) < length(a) ? b : a
}

function bare(line) { line = substr(line, 5); sub(/\t.*/, "", line); return line }

# "--- a/x" with other folders in front.
function moved(line, side,   file, rest) {
	file = bare(line)
	rest = substr(line, 5 + length(file))
	if (file != "/dev/null") file = stripped(file, strip)
	if (prefixed != "") file = side "/" prefix file # filterdiff's way with /dev/null too
	return substr(line, 1, 4) file rest
}

function finish(   file) {
	if (!open) return
	open = 0
	file = best(bare(old), bare(new))
	if (!hunks || (below != "" && stripped(file, 1) !~ regex(below "/*"))) return
	old = moved(old, "a")
	new = moved(new, "b")
	text[++n] = old "\n" new "\n" hunks
	name[n] = file
	shown[n] = stripped(best(bare(old), bare(new)), 1)
}

left[1] > 0 || left[2] > 0 {
	hunks = hunks $0 "\n"
	c = substr($0, 1, 1)
	if (c == "-" || c == " " || c == "") left[1]--
	if (c == "+" || c == " " || c == "") left[2]--
	next
}
/^\\/ && open && hunks { hunks = hunks $0 "\n"; next }
/^--- / { finish(); before = $0; next }
/^\+\+\+ / && before { old = before; new = $0; before = ""; hunks = ""; open = 1; next }
/^@@ -[0-9]+(,[0-9]+)? \+[0-9]+(,[0-9]+)? @@/ && open {
	for (i = 1; i <= 2; i++) {
		count = $(i + 1)
		left[i] = sub(/.*,/, "", count) ? count + 0 : 1
	}
	# One line is not counted.
	at = index(substr($0, 4), " @@") + 5
	range = substr($0, 1, at)
	gsub(/,0*1 /, " ", range)
	hunks = hunks range substr($0, at + 1) "\n"
	next
}
{ before = ""; finish() }

END {
	finish()
	# By name, and where that is the same as they came.
	for (i = 1; i <= n; i++) order[i] = i
	for (i = 2; i <= n; i++)
		for (j = i; j > 1 && name[order[j]] < name[order[j - 1]]; j--) {
			k = order[j]; order[j] = order[j - 1]; order[j - 1] = k
		}
	for (i = 1; i <= n; i++) {
		k = order[i]
		if (!matches(shown[k], without) && (only == "" || matches(shown[k], only))) printf "%s", text[k]
	}
}
