# SPDX-License-Identifier: MIT
#
# What integration tests share.  A test is a shell script that starts with
#     . "$srcdir/tests/integration/lib.sh"
# runs in an empty folder of its own, and says `check "what it shows" command...` for each behaviour.  tests/run sets
# srcdir, builddir, gxeval.  No pipe over the program under test: its status would be lost.
set -u
PATH=${gxeval%/*}:$PATH

# Runs a command; its success is the test's.
check() { # DESCRIPTION COMMAND...
	_what=$1
	shift
	if "$@" >check.log 2>&1; then
		echo "ok - $_what"
	else
		echo "not ok - $_what"
		sed 's/^/#   /' check.log
	fi
}

# Says that something is not tried here, and why; a script that cannot run at all prints why and ends with status 77.  scripts/check
# takes only what tests/skips-allowed names.
skip() { # WHAT WHY
	echo "ok - $1 # SKIP $2"
}

# Succeeds when the command ends with exactly this status.
status() { # STATUS COMMAND...
	_want=$1
	shift
	_rc=0
	"$@" || _rc=$?
	[ $_rc -eq "$_want" ] || { echo "status $_rc, expected $_want: $*" && return 1; }
}

# Tries a command until it succeeds; fails, with what it said last, when that takes longer.
within() { # SECONDS COMMAND...
	_end=$(($(date +%s) + $1))
	shift
	until "$@" >within.log 2>&1; do
		[ "$(date +%s)" -le $_end ] || { cat within.log; return 1; }
		sleep 0.1
	done
}

# Succeeds when the command fails in an orderly way: not by a signal, a timeout, or not being found.
must_fail() { # COMMAND...
	_rc=0
	"$@" || _rc=$?
	[ $_rc -ne 0 ] && [ $_rc -lt 124 ] || { echo "status $_rc, expected an orderly failure: $*" && return 1; }
}

# Removes stores and what else may be read-only, also as an ordinary user.
remove() { # FILE...
	chmod -R u+w "$@" 2>/dev/null
	rm -rf "$@"
}

# Succeeds when standard output of the command is exactly TEXT and its status 0.
prints() { # TEXT COMMAND...
	_text=$1
	shift
	_got=$("$@") || return 1
	[ "$_got" = "$_text" ] || { printf 'printed:  %s\nexpected: %s\n' "$_got" "$_text" && return 1; }
}

# Succeeds when the command fails in an orderly way and what it says on standard error is, as a whole, what stands below the name of the
# check in NAME.err beside the script, with TEXT in it.  `make accept T=integration/NAME.sh` writes that file; review it like code.
complains() { # TEXT COMMAND...
	mentions "$@" || return 1
	_key=$_what
	_asked="$_asked$_key
"
	_times=$(printf %s "$_asked" | grep -cxF -- "$_key")
	[ "$_times" -le 1 ] || _key="$_key ($_times)"
	_said=$(_told <complains.log)
	if [ -n "${accept-}" ] && ! grep -qxF -- "=== $_key" "$_errors" 2>/dev/null; then
		printf '=== %s\n%s\n\n' "$_key" "$_said" >>"$_errors"
	fi
	_wanted=$(key="=== $_key" awk '/^=== /{ on = $0 == ENVIRON["key"]; next } on' "$_errors")
	[ "$_said" = "$_wanted" ] || { printf '=== %s\n%s\nexpected:\n%s\n' "$_key" "$_said" "$_wanted" && return 1; }
}

# Succeeds when the command fails in an orderly way and TEXT (a fixed string) is part of what it says on standard error: for what others
# word, as the system, a library or Nix.
mentions() { # TEXT COMMAND...
	_text=$1
	shift
	must_fail "$@" 2>complains.log || return 1
	grep -qF -- "$_text" complains.log || { cat complains.log && echo "does not say: $_text" && return 1; }
}

# An error without what is another in each run: folders, ports, times, the hash of a store path (the first is HASH1, another is HASH2), and what the
# script says in $varies, for sed.
_told() {
	root=$_root home=$HOME tree=$srcdir built=$builddir awk -f "$srcdir/tests/integration/lib/told.awk" | sed -e "$varies"
}
varies=
_root=$PWD
_asked=
_errors=$srcdir/tests/integration/$(basename "$0" .sh).err
[ -z "${accept-}" ] || _errors=$recorded
