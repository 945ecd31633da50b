# SPDX-License-Identifier: MIT
#
# What the tests of the store on disk share.  $store is a store in the test's folder; gxs runs the program on it.
gx=$builddir/gx
store=$PWD/s
gxs() { _verb1=$1 _verb2=$2; shift 2; ASAN_OPTIONS=$leaks "$gx" "$_verb1" "$_verb2" --store "$store" "$@"; }

# What is run with these options, under the address sanitizer, must free all it took. Not what evaluates or builds from an expression:
# that is the collector's, which does not run there.
leaks=${ASAN_OPTIONS-}:detect_leaks=1
have_nix() { command -v nix-store >/dev/null 2>&1; }
nix_store() { nix-store --store "$store" --option substituters '' "$@"; }

rows() { python3 "$srcdir/tests/integration/lib/rows.py" "$1"; }

# A tree with every kind of thing in it.
sample_tree() { # FOLDER
	mkdir -p "$1/bin" "$1/empty" "$1/share/doc"
	printf '#!/bin/sh\necho hi\n' >"$1/bin/hi"
	chmod 755 "$1/bin/hi"
	printf 'text\n' >"$1/share/doc/a b"
	: >"$1/share/doc/nothing"
	ln -s ../share "$1/bin/link"
	ln -s /nowhere "$1/dangling"
	head -c 100000 /dev/zero >"$1/big"
}

same_output() { # COMMAND1 COMMAND2
	sh -c "$1" >one.out 2>one.err || { cat one.err && return 1; }
	sh -c "$2" >two.out 2>two.err || { cat two.err && return 1; }
	diff one.out two.out
}
