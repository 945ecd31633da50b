# SPDX-License-Identifier: MIT
#
# golden.sh FILE.gx...: one batch of golden tests, called by tests/run.
#
# FILE.gx is run as `gxeval -f FILE.gx` with the words of FILE.flags (shell words; lines that start with # are
# comments), in its own folder.  Expected are
#   FILE.exp alone       status 0, standard output = FILE.exp, nothing on standard error
#   FILE.err alone       status 1, standard error = FILE.err, nothing on standard output
#   both                 status 0, and both
# Under GX_GC_STRESS the words of FILE.stress, NAME=VALUE, go into its environment: a collection scans what is alive, which
# a test that fills the stack or the heap cannot afford so often.
# With GX_COMPILE_CACHE=always the second of two runs counts, which finds the programs that the first one kept.
# Where the output names the folder of the test, the expectation says /pwd; elsewhere in the source tree, /srcdir.
# Below notyet/ the expectation is what should come out one day, and a test that passes is an error.
out=$tmp/out.$$ err=$tmp/err.$$ result=$tmp/golden.out.$$

run_one() { # FLAGS ENVIRONMENT
	environment=$2
	eval "set -- $1"
	env $environment timeout "${TEST_TIMEOUT:-120}" "$gxeval" -f "$base" "$@" >"$out" 2>"$err" </dev/null
}

# The words of a file that may be missing, in $words; lines that start with # are comments.
read_words() { # FILE
	words=
	[ -f "$1" ] || return
	while IFS= read -r line || [ -n "$line" ]; do
		case $line in '#'*) ;; *) words="$words $line" ;; esac
	done <"$1"
}

# Compares a result with an expectation ("-": must be empty), naming the folder /pwd when that helps.
same() { # GOT EXPECTED
	if [ "$2" = - ]; then
		[ ! -s "$1" ]
		return
	fi
	cmp -s "$1" "$2" && return
	sed "s!$PWD!/pwd!g; s!$srcdir!/srcdir!g" "$1" >"$1.pwd" && mv "$1.pwd" "$1"
	cmp -s "$1" "$2"
}

explain() { # GOT EXPECTED
	[ "$2" = - ] && set -- "$1" /dev/null
	diff -u "$2" "$1" | sed -n '3,60s/^/#   /p'
}

accept_one() {
	for f in "$out" "$err"; do
		sed "s!$PWD!/pwd!g; s!$srcdir!/srcdir!g" "$f" >"$f.pwd" && mv "$f.pwd" "$f"
	done
	if [ $rc -gt 1 ]; then
		echo "not ok - $name: status $rc is nothing to accept"
		return
	fi
	if [ $rc -eq 0 ]; then cp "$out" "$stem.exp"; else rm -f "$stem.exp"; fi
	if [ -s "$err" ]; then cp "$err" "$stem.err"; else rm -f "$stem.err"; fi
	echo "ok - $name accepted"
}

check_one() {
	want_rc=0 want_out=- want_err=-
	[ -f "$stem.exp" ] && want_out=$stem.exp
	if [ -f "$stem.err" ]; then
		want_err=$stem.err
		[ $want_out = - ] && want_rc=1
	elif [ $want_out = - ]; then
		echo "not ok - $name: neither $stem.exp nor $stem.err"
		return
	fi
	good=1
	[ $rc -eq $want_rc ] || good=0
	same "$out" "$want_out" || good=0
	same "$err" "$want_err" || good=0
	case $name in
	*/notyet/*)
		if [ $good = 1 ]; then
			echo "not ok - $name passes now: move it out of notyet"
		elif [ $rc -gt 1 ]; then
			echo "not ok - $name: status $rc"
		else
			echo "ok - $name # SKIP not yet"
		fi
		;;
	*)
		[ $good = 1 ] && echo "ok - $name" && return
		echo "not ok - $name"
		[ $rc -eq $want_rc ] || echo "#   status $rc, expected $want_rc"
		explain "$out" "$want_out"
		explain "$err" "$want_err"
		;;
	esac
}

for file; do
	name=${file#"$srcdir"/tests/}
	base=${file##*/}
	stem=${base%.gx}
	cd "${file%/*}" || exit 1
	read_words "$stem.flags"
	flags=$words words=
	[ -z "${GX_GC_STRESS-}" ] || read_words "$stem.stress"
	[ "${GX_COMPILE_CACHE-}" != always ] || run_one "$flags" "$words"
	run_one "$flags" "$words"
	rc=$?
	if [ -n "$accept" ]; then accept_one; else check_one; fi
done >"$result"
rm -f "$out" "$err"
