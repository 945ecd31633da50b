# SPDX-License-Identifier: MIT
#
# Makes an object of what a build compiles and its caches do not have; read before setup.sh.
. "$saveCache"

# Where new entries go: with a program that serves caches, into the object itself.
begin_cache() { # FOLDER
	mkdir -p "$1"
	[ -z "${buildCache-}" ] || newCache=$1
}

end_cache() { # FOLDER
	[ -n "${buildCache-}" ] || save_cache "$GOCACHE" "$1"
}

# Runs a command of which it does not matter whether it succeeds, unless that was for want of memory or space: what is missing then would
# be there another time.
compile() { # COMMAND...
	{ "$@" 2>&1 && : >"$TMPDIR/compiled"; } | tee "$TMPDIR/log" >&2
	[ ! -e "$TMPDIR/compiled" ] || { rm "$TMPDIR/compiled"; return; }
	! grep -q 'signal: \|no space left\|cannot allocate' "$TMPDIR/log" || exit 1
	echo 'note: not all packages compile' >&2
}
