# SPDX-License-Identifier: MIT
#
# The REPL as a person meets it, in a terminal: pastes, lines that go on, history, what is folded, Ctrl-C.  What an input means
# is tests/integration/repl.sh's.
. "$srcdir/tests/integration/lib.sh"
export HOME=$PWD XDG_STATE_HOME=$PWD/state NO_COLOR=1 TEST_TERM=xterm

command -v python3 >/dev/null || { echo "there is no python3" && exit 77; }
terminal() { # PROGRAM ARGUMENT... <<LINES
	python3 "$srcdir/tests/integration/lib/terminal.py" "$@"
}
repl() { # LINE...
	printf '%s\n' '= gx> ' "$@" '> :q' 'exit 0' >lines
	terminal gxeval --repl --read-only <lines
}

# --- pastes ---

check "a paste of several lines is one input, which waits for Return" repl \
	'- error' '- 42' 'paste let\r\ta = 20;\r\tb = 22;\rin\ra + b\r' 'keys  * 10\r' '= 240'
check "tabs that are pasted complete nothing" repl '- abort' 'paste \t1 + \tbuiltins.length [ ]' 'keys  + 6\r' '= 7'
check "what would steer the terminal is not taken" repl '- \x07' 'paste "a\x07\x01\x1b[31mb\x7f"' '> ' '= "a[31mb"'
check "a paste may be given up" repl 'paste throw "never' '- error' '^C' '= gx> ' '> 1 + 1' '= 2'
check "wide characters are pasted whole" repl 'paste builtins.stringLength "ß世🌍"' '> ' '= 9'
check "a tab with more behind it is pasted, whatever the terminal says" repl '- abort' 'keys \t40 + 2\r' '= 42'
check "the terminal tells of pastes only while a line is typed" sh -c '
	printf "%s\n" "= [?2004h" "> 1 + 1" "= [?2004l" "= [?2004h" "> :q" "= [?2004l" "exit 0" |
	python3 "$srcdir/tests/integration/lib/terminal.py" gxeval --repl --read-only'
check "a dumb terminal is asked for nothing" env TEST_TERM=dumb sh -c '
	printf "%s\n" "- [?2004h" "= gx>" "> 1 + 1" "= 2" "> :q" "exit 0" |
	python3 "$srcdir/tests/integration/lib/terminal.py" gxeval --repl --read-only'

# --- lines ---

check "an input that goes on has another prompt" repl '> let x = 20;' '= ... ' '> in x +' '= ... ' '> 1' '= 21'
check "an entry of several lines comes back whole" repl '> [ 7' '= ... ' '> 8 ]' '= 8' 'keys \e[A\r' '= 7' '= 8'
check "up goes to the line above, in an input of several" repl '> 11' '= 11' 'paste 30\r+ 3' 'keys \e[A\x012\r' '= 233'
check "and down to the one below" repl '> 11' '= 11' 'paste 30\r+ 3' 'keys \e[A\e[B3\r' '= 63'
check "completion knows the lines before" repl '> s.magnolia = 5' '= gx> ' '> with s;' '= ... ' '> 1 +' '= ... ' 'tab magn' 'keys \r' '= 6'
mkdir flake
echo '{ outputs = _: { outer = 1; overlays = { }; }; }' >flake/flake.gx
check "candidates do not repeat what stands before them" repl 'tab :lf ./flake#o' '= outer     overlays' '= gx> ' '^C' '= gx> '

# --- the history ---

check "its file is its user's" sh -c '[ "$(stat -c %a state/gx/repl-history)" = 600 ]'
check "one that others could read no longer is" sh -c 'chmod 644 state/gx/repl-history &&
	printf "%s\n" "= gx>" "> 5" "= 5" "> :q" "exit 0" |
	python3 "$srcdir/tests/integration/lib/terminal.py" gxeval --repl --read-only &&
	[ "$(stat -c %a state/gx/repl-history)" = 600 ]'
check "what was typed comes back" repl '> 600 + 66' '= 666' 'keys \e[A\r' '= 666'
check "in the next session as well" repl 'keys \e[A\e[A\r' '= 666'
together() {
	rm -f state/gx/repl-history
	for _s in 1 2 3; do
		{ echo '= gx>'; for _i in 1 2 3 4 5 6 7 8; do printf '> %s\n= %s\n' "$_s$_i" "$_s$_i"; done; echo '> :q'; echo 'exit 0'; } |
			terminal gxeval --repl --read-only >"t$_s" 2>&1 &
	done
	wait
	[ "$(grep -cx '[123][1-8]' state/gx/repl-history)" = 24 ]
}
check "sessions at the same time lose nothing" together
shortens() {
	seq 25000 >state/gx/repl-history
	repl 'keys \e[A\r' '= 25000' || return 1
	[ "$(sed -n 1p state/gx/repl-history)" = 15001 ] && [ "$(stat -c %a state/gx/repl-history)" = 600 ]
}
check "a long one is shortened" shortens

# --- what is shown ---

check "a long string is folded" repl '> builtins.concatStringsSep "" (builtins.genList (_: "ab") 2500)' '= ab"«4200 bytes elided»' "= ':p it' prints all"
check ":p shows all of it" repl '- elided' '> :p builtins.concatStringsSep "" (builtins.genList (_: "ab") 2500 ++ [ "end" ])' '= abend'
check "a long list is folded" repl '- 41' '> builtins.genList (x: x) 1000' '= «960 items elided»'
check "and so is a large set" repl '> builtins.listToAttrs (builtins.genList (i: { name = "a${toString i}"; value = i; }) 1000)' '= «960 attributes elided»'
check "one that fits is not" repl '- elided' '> builtins.genList (x: x) 40' '= 39' '= ]'
check "where 'it' is another variable the advice is not to print that" repl '> it = 1' '> builtins.genList (x: x) 50' "= ':p EXPR' prints all"
check ":l names what it added" sh -c 'echo "{ one = 1; two = 2; }" >names.gx; printf "%s\n" "= gx>" "> :l names.gx" "= added 2 variables:" "= one, two" "> :q" "exit 0" |
	python3 "$srcdir/tests/integration/lib/terminal.py" gxeval --repl --read-only'

# --- giving up ---

check "Ctrl-C ends an evaluation and not the session" repl "> x = 8" "> builtins.foldl' (a: b: a + b) 0 (builtins.genList (x: builtins.length (builtins.genList (y: y) 100000)) 1000000)" \
	'sleep 0.5' '^C' '= error: interrupted' '> x' '= 8'
