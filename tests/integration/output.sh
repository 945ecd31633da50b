# SPDX-License-Identifier: MIT
#
# Where output goes, and what happens when it cannot.
. "$srcdir/tests/integration/lib.sh"

full() {
	status 1 gxeval -E 1 >/dev/full 2>full.err && grep -q 'cannot write' full.err
}
if [ -c /dev/full ]; then check "a full disk" full; else skip "a full disk" "no /dev/full"; fi

closed() {
	status 1 gxeval -E 1 >&- 2>closed.err && grep -q 'cannot write' closed.err
}
check "standard output is closed" closed

# The reader is gone before the program writes: no signal may end it.
broken_pipe() {
	{
		sleep 0.2
		gxeval --json -E 'builtins.genList (x: x) 100000' 2>pipe.err
		echo $? >pipe.status
	} | :
	[ "$(cat pipe.status)" = 1 ] && grep -q 'cannot write' pipe.err
}
check "a closed pipe" broken_pipe

check "standard input may be closed" sh -c 'gxeval -E 1 <&-'
check "standard error may be closed" status 1 sh -c 'gxeval -E "throw \"x\"" 2>&-'
check "no colour when redirected" sh -c 'gxeval -E "throw \"x\"" 2>e; ! grep -q "$(printf "\033")" e'
check "trace goes to standard error" sh -c '[ "$(gxeval -E "builtins.trace \"hello\" 1" 2>t)" = 1 ] && [ "$(cat t)" = "trace: hello" ]'

json_log() {
	must_fail gxeval --log-format json -E 'let x = 1; in x.y' 2>log || return 1
	[ "$(wc -l <log)" = 1 ] || return 1
	prints true gxeval -E 'let m = builtins.fromJSON (builtins.readFile ./log); in m.level == "error" && m.line == 1 && m.column == 15 && m.message != ""'
}
check "--log-format json is one object a line" json_log
full_json() {
	status 1 gxeval --log-format json -E 1 >/dev/full 2>full.err && grep -q '^{"level":"error","message":"cannot write' full.err
}
if [ -c /dev/full ]; then check "also where the result cannot be written" full_json; else skip "also where the result cannot be written" "no /dev/full"; fi

# An endless evaluation that is interrupted; the shell starts background jobs with SIGINT ignored, so ask for it anew.
interrupted() {
	timeout -s INT 1 gxeval -E 'let f = x: f (x + 1); in builtins.foldl'"'"' (a: b: a + b) 0 (builtins.genList (x: builtins.foldl'"'"' (a: b: a + b) 0 (builtins.genList (y: y) 100000)) 1000000)' 2>int.err
	rc=$?
	# timeout says 124 when it had to act and the program ended by itself.
	[ $rc -eq 124 ] && grep -q 'error: interrupted' int.err
}
check "an interrupt ends it in an orderly way" interrupted
