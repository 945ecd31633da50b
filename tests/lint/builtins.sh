# SPDX-License-Identifier: MIT
#
# Every builtin of `gxeval --dump-builtins` has a documentation worth the name, an example that evaluates to what
# it says, and under tests/golden/builtins/NAME/ a case that works and one that fails (constants: one that works).
# Those in tests/lint/builtins-without-example need what is not there in a golden test, such as a repository: a script
# under tests/integration/ has the case that works.
reader=$srcdir/tests/lint/builtins.gx
"$gxeval" --dump-builtins >dump.json || exit 1
field() { # FIELD [NAME]
	"$gxeval" --raw -f "$reader" --argstr dump "$PWD/dump.json" --argstr name "${2-}" -A "$1"
}
status=0
fail() {
	echo "not ok - $*"
	status=1
}

field functions >functions || exit 1
field constants >constants || exit 1
field thin >thin || exit 1
while read -r name; do
	fail "$name: its documentation says next to nothing"
done <thin

cat functions constants >all
sort all | uniq -d >twice
while read -r name; do
	fail "$name is declared twice"
done <twice

is_without_example() { # NAME
	grep -qx "$1" "$srcdir/tests/lint/builtins-without-example"
}
while read -r name; do
	field example "$name" >example && field result "$name" >want || { fail "$name: no example"; continue; }
	if [ ! -s example ]; then
		is_without_example "$name" || fail "$name: the example is empty"
		continue
	fi
	{ echo 'with builtins;'; cat example; } >example.gx
	"$gxeval" -f example.gx >got 2>err
	rc=$?
	if [ $rc -eq 1 ] && [ "$(head -c 6 want)" = error: ]; then
		head -n 1 err >got
	elif [ $rc -ne 0 ]; then
		fail "$name: the example ends with status $rc: $(head -n 1 err)"
		continue
	fi
	echo >>want
	cmp -s got want || fail "$name: example $(cat example) gives $(cat got), not $(cat want)"
done <all

golden=$srcdir/tests/golden/builtins
has() { # FOLDER ENDING
	set -- "$1"/*."$2"
	[ -f "$1" ]
}
while read -r name; do
	if is_without_example "$name"; then
		grep -q "builtins\.$name " "$srcdir"/tests/integration/*.sh || fail "$name: not in tests/integration/*.sh"
	else
		has "$golden/$name" exp || fail "$name: no tests/golden/builtins/$name/*.exp"
	fi
	has "$golden/$name" err || fail "$name: no tests/golden/builtins/$name/*.err"
done <functions
while read -r name; do
	has "$golden/$name" exp || fail "$name: no tests/golden/builtins/$name/*.exp"
done <constants
for d in "$golden"/*/; do
	name=$(basename "$d")
	grep -qx -e "$name" all || fail "tests/golden/builtins/$name: no such builtin"
done
[ $status -eq 0 ] && echo "ok - $(wc -l <all) builtins have documentation, a true example and golden tests"
exit $status
