# SPDX-License-Identifier: MIT
#
# The exported graph "closure" of .attrs.json, which is compact and has its keys in order, as lists and as a registration.
BEGIN { RS = "\001" }

function field(object, name) {
	match(object, "\"" name "\":(\"[^\"]*\"|[0-9]+)")
	object = substr(object, RSTART + length(name) + 3, RLENGTH - length(name) - 3)
	gsub("\"", "", object)
	return object
}

function references(object,    n, i, words, text) {
	match(object, /"references":\[[^]]*\]/)
	text = substr(object, RSTART + 14, RLENGTH - 15)
	gsub("\"", "", text)
	n = split(text, words, ",")
	text = n "\n"
	for (i = 1; i <= n; i++)
		text = text words[i] "\n"
	return text
}

{
	rest = substr($0, index($0, "\"closure\":["))
	while (match(rest, /^("closure":\[|,)\{[^{}]*\}/)) {
		object = substr(rest, 1, RLENGTH)
		rest = substr(rest, RLENGTH + 1)
		print field(object, "path") >(out "/store-paths")
		printf "%s\n%s\n%s\n\n%s", field(object, "path"), field(object, "narHash"), field(object, "narSize"), references(object) >(out "/registration")
		total += field(object, "narSize")
	}
	printf "%d\n", total >(out "/total-nar-size")
}
