# SPDX-License-Identifier: MIT
#
# awk -v seed=N -v count=N -f gen.awk: a set of derivations d000, d001, … where each may use those before it.
#
# Every way into a derivation's text occurs: strings that need escapes, contexts of all three kinds, paths that
# are copied, outputs in any order, fixed outputs in every notation of a hash, structured attributes,
# nulls that are ignored.  Features are drawn independently, so chains mix them.

function rnd(n) { return int(rand() * n) }
function pick(text,    a, n) { n = split(text, a, " "); return a[1 + rnd(n)] }
function digits(alphabet, n,    s) { s = ""; while (n-- > 0) s = s substr(alphabet, 1 + rnd(length(alphabet)), 1); return s }

# A string literal's inside.
function text(    n, s, k) {
	s = ""
	for (n = rnd(6); n > 0; n--) {
		k = rnd(12)
		if (k == 0) s = s "\\n"
		else if (k == 1) s = s "\\t\\r"
		else if (k == 2) s = s "\\\""
		else if (k == 3) s = s "\\\\"
		else if (k == 4) s = s "$\\${x}"
		else if (k == 5) s = s "äß→"
		else if (k == 6) s = s digits("abcdefgh ", 40 + rnd(300))
		else s = s digits("abcdefghijklmnop-_/=:;,.()[] ", rnd(12))
	}
	return s
}

# An earlier derivation; near ones more often, so that chains get long.
function dep(i,    j) {
	j = rnd(2) ? i - 1 - rnd(4) : rnd(i)
	return sprintf("d%03d", j < 0 ? 0 : j)
}

# What a link leads to is copied by path in newer versions, and the link itself in older ones.
function no_link() { return pick("./src/one ./src ./src/sub ./src/run.sh ./src/empty") }

function path() { return pick("./src/one ./src ./src/sub ./src/run.sh ./src/sub/link ./src/empty") }

# An expression for a string, perhaps with context.
function str(i,    k) {
	k = rnd(14)
	if (i == 0 && k > 3 && k < 10) k = 0
	if (k == 4) return "\"${" dep(i) "}/bin/" digits("abc", 3) "\""
	if (k == 5) return "\"" text() "${" dep(i) "}:${" dep(i) "}\""
	if (k == 6) return dep(i) ".drvPath"
	if (k == 7) return "(builtins.unsafeDiscardOutputDependency " dep(i) ".drvPath)"
	if (k == 8) return "(builtins.elemAt " dep(i) ".all 0)"
	if (k == 9) return "(builtins.toString " dep(i) ")"
	if (k == 10) return "\"${" path() "}\""
	if (k == 11) return "(builtins.toFile \"" digits("abcxyz", 5) "\" \"" text() "${" path() "}\")"
	if (k == 12) return "(builtins.placeholder \"" pick("out dev lib") "\")"
	return "\"" text() "\""
}

# An expression for any value an attribute may have.
function value(i, depth,    k, n, s) {
	k = rnd(12)
	if (k == 0) return sprintf("(%d)", rnd(2000000) - 1000000)
	if (k == 1) return pick("true false null")
	if (k == 2) return path()
	if (k == 3 && i > 0) return dep(i)
	if (k == 4) return "(builtins.path { path = " no_link() "; name = \"" digits("abc", 4) "\"; })"
	if (k == 5) return "(builtins.path { path = ./src; name = \"filtered\"; filter = p: t: " \
		pick("(t==\"directory\") (t!=\"symlink\") (baseNameOf(p)!=\"sub\") true false") "; })"
	if (k == 6) return "(builtins.filterSource (p: t: baseNameOf p != \"" pick("one sub link") "\") ./src)"
	if (k < 9 && depth > 0) {
		s = "["
		for (n = rnd(4); n > 0; n--) s = s " " value(i, depth - 1)
		return s " ]"
	}
	return str(i)
}

function json(i, depth,    k, n, s) {
	k = rnd(8)
	if (k == 0 && depth > 0) {
		s = "{"
		for (n = rnd(4); n > 0; n--) s = s " " digits("abcd", 1) n " = " json(i, depth - 1) ";"
		return s " }"
	}
	if (k == 1) return pick("0.5 2.25 true")
	return value(i, depth)
}

function hash(algo,    hex, hexdig, n32, b64) {
	hexdig = "0123456789abcdef"; n32 = "0123456789abcdfghijklmnpqrsvwxyz"
	b64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	hex["md5"] = 32; hex["sha1"] = 40; hex["sha256"] = 64; hex["sha512"] = 128
	if (rnd(2)) return digits(hexdig, hex[algo])
	if (rnd(2)) {
		if (algo == "md5") return digits("01234567", 1) digits(n32, 25)
		if (algo == "sha1") return digits(n32, 32)
		if (algo == "sha256") return digits("01", 1) digits(n32, 51)
		return digits("0123", 1) digits(n32, 102)
	}
	if (algo == "md5") return digits(b64, 21) digits("AQgw", 1) "=="
	if (algo == "sha1") return digits(b64, 26) digits("AEIMQUYcgkosw048", 1) "="
	if (algo == "sha256") return digits(b64, 42) digits("AEIMQUYcgkosw048", 1) "="
	return digits(b64, 85) digits("AQgw", 1) "=="
}

function fixed(structured,    algo, h, s) {
	algo = pick("md5 sha1 sha256 sha256 sha256 sha512")
	h = hash(algo)
	if (rnd(4) == 0) s = "outputHash = \"" algo ":" h "\";"
	else if (h ~ /=$/ && rnd(2)) s = "outputHash = \"" algo "-" h "\"; outputHashAlgo = " pick((structured ? "" : "null ") "\"\" \"" algo "\"") ";"
	else if (rnd(12) == 0) s = "outputHash = \"\"; outputHashAlgo = \"" algo "\";"
	else s = "outputHash = \"" h "\"; outputHashAlgo = \"" algo "\";"
	if (rnd(2)) s = s " outputHashMode = \"" pick("flat recursive") "\";"
	return s
}

function attributes(i, structured,    n, s) {
	s = ""
	for (n = rnd(8); n > 0; n--)
		s = s " " digits("abcdefghijklmnopqrstuvwxyzABC_", 1 + rnd(6)) n " = " (structured ? json(i, 3) : value(i, 2)) ";"
	return s
}

# Attributes that mean something to a builder, not to the text.
function known(i,    s) {
	s = ""
	if (rnd(6) == 0) s = s " passAsFile = [ \"text\" ]; text = " str(i) ";"
	if (rnd(6) == 0) s = s " preferLocalBuild = true;"
	if (rnd(8) == 0) s = s " impureEnvVars = [ \"http_proxy\" \"X\" ];"
	if (i > 0 && rnd(8) == 0) s = s " exportReferencesGraph = [ \"graph\" " dep(i) " ];"
	if (i > 0 && rnd(8) == 0) s = s " disallowedReferences = [ " dep(i) " ];"
	return s
}

function derivation(i,    s, structured, n) {
	structured = rnd(5) == 0
	s = "derivation { name = \"" digits("abcdefghijklmnop", 1) digits("abcxyz019-+._?=", rnd(14)) "\";"
	s = s " system = \"" pick("x86_64-linux aarch64-linux builtin") "\";"
	s = s " builder = " (structured && rnd(2) ? "\"/bin/sh\"" : rnd(3) ? str(i) " + \"x\"" : "\"/bin/sh\"") ";"
	if (rnd(2)) {
		s = s " args = ["
		for (n = rnd(5); n > 0; n--) s = s " " value(i, 1)
		s = s " ];"
	}
	if (structured) s = s " __structuredAttrs = true;"
	else if (rnd(8) == 0) s = s " __structuredAttrs = false;"
	if (rnd(5) == 0) s = s " __ignoreNulls = " pick("true false") "; nothing = null;"
	if (rnd(4) == 0) s = s " " fixed(structured)
	else if (rnd(3) == 0) s = s " outputs = [ " pick("\"out\" \"dev\" \"a\"") " " pick("\"lib\" \"doc\" \"z\"") " \"bin\" ];"
	if (!structured) s = s known(i)
	return s attributes(i, structured) " }"
}

BEGIN {
	srand(seed)
	print "rec {"
	for (i = 0; i < count; i++)
		printf "  d%03d = %s;\n", i, derivation(i)
	print "}"
}
