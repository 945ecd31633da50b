# SPDX-License-Identifier: MIT
#
# .attrs.sh, written for bash, as text for a shell without arrays: a list becomes its words, the outputs become variables of their
# names, what is in env is exported.  Values are quoted already, so they are taken over as they stand.
BEGIN { RS = "\001" }

# The length of a value that begins here: quoted pieces and what is between them, up to a blank or the end of the list.
function value_length(text,    i, c, inside) {
	for (i = 1; i <= length(text); i++) {
		c = substr(text, i, 1)
		if (inside)
			inside = c != "'"
		else if (c == "'")
			inside = 1
		else if (c == "\\")
			i++
		else if (c ~ /[ \n)]/)
			break
	}
	return i - 1
}

function take(    n, v) {
	n = value_length(rest)
	v = substr(rest, 1, n)
	rest = substr(rest, n + 1)
	sub(/^ /, "", rest)
	return v
}

function list(name,    all) {
	while (rest != "" && substr(rest, 1, 1) != ")")
		all = all (all == "" ? "" : "' '") take()
	print name "=" all
}

function set(name,    key, names) {
	while (match(rest, /^\['[^']*'\]=/)) {
		key = substr(rest, 3, RLENGTH - 5)
		rest = substr(rest, RLENGTH + 1)
		names = names (names == "" ? "" : " ") key
		if (name == "env" || name == "outputs")
			print "export " key "=" take()
		else
			take()
	}
	if (name == "outputs")
		print "outputs='" names "'"
}

{
	rest = $0
	while (match(rest, /^declare (-[aA] )?[A-Za-z_][A-Za-z0-9_]*=/)) {
		head = substr(rest, 9, RLENGTH - 9)
		rest = substr(rest, RLENGTH + 1)
		if (sub(/^-[aA] /, "", head)) {
			rest = substr(rest, 2)
			if (substr(rest, 1, 2) == "['")
				set(head)
			else
				list(head)
			rest = substr(rest, index(rest, "\n") + 1)
			continue
		}
		print head "=" take()
		rest = substr(rest, index(rest, "\n") + 1)
	}
}
