# SPDX-License-Identifier: MIT
#
# Writes about 1 MB of source of the kinds a package collection has, the same each time.
awk 'BEGIN {
	print "{ pkgs, lib, ... }:\n\nrec {"
	for (i = 0; i < 1200; i++) {
		printf "  # Package number %d: what it is for, in a line that a reader may skip.\n", i
		printf "  package%d = pkgs.stdenv.mkDerivation (finalAttrs: {\n", i
		printf "    pname = \"package%d\";\n    version = \"%d.%d.%d\";\n", i, i % 7, i % 31, i % 13
		printf "    src = pkgs.fetchurl {\n      url = \"https://example.org/${finalAttrs.pname}-${finalAttrs.version}.tar.gz\";\n"
		printf "      hash = \"sha256-%064d\";\n    };\n", i * 7919
		printf "    buildInputs = [ pkgs.zlib pkgs.openssl package%d ] ++ lib.optionals (%d > 3) [ ./patches/fix-%d.patch ];\n", i ? i - 1 : 0, i % 9, i
		printf "    configureFlags = with lib; [ \"--with-a=${getDev pkgs.a}\" (enableFeature true \"b\") ];\n"
		printf "    postInstall = \x27\x27\n      mkdir -p $out/bin\n      for f in *; do\n        install -m 755 \"$f\" $out/bin/\x27\x27${f}\n      done\n    \x27\x27;\n"
		printf "    meta = { description = \"Number %d\"; license = lib.licenses.mit; priority = if %d == 2 then -1 else 5 * 3; };\n  });\n\n", i, i % 5
	}
	print "}"
}'
