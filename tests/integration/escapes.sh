# SPDX-License-Identifier: MIT
#
# What others wrote does not steer the terminal it is shown on: builders, evaluated programs, names.  Results that
# programs read are as they are.
. "$srcdir/tests/integration/lib.sh"
. "$srcdir/tests/integration/lib/build.sh"

esc=$(printf '\033') csi=$(printf '\233') bel=$(printf '\a')
red=$esc'[31m' clear=$esc'[2J' plain=$esc'[0m'

# Runs a program in a terminal with colours and ends with status WANT; it must print TEXT and none of the UNWANTED before.
shows() { # WANT TEXT UNWANTED COMMAND...
	{ printf -- '- %s\n' "$3" && printf '= %s\nexit %s\n' "$2" "$1"; } >dialog
	shift 3
	python3 "$srcdir/tests/integration/lib/terminal.py" env TERM=xterm "$@" <dialog
}
clean() { ! LC_ALL=C grep "[$esc$csi$bel]" "$1"; }
says() { grep -qF -- "$2" "$1" || { cat "$1" && return 1; }; }
# The same on standard error that is no terminal.
tells() { # TEXT COMMAND...
	_tells=$1
	shift
	"$@" >told.out 2>told
	clean told && says told "$_tells"
}

# --- builders
noise="printf 'a\\033[31mred\\033[2J\\033]52;c;aGk=\\007\\2332J\\302\\2332J\\001b\\n'"
script noisy "$noise; echo END; exit 1"
check "the end of a failed log, not on a terminal" tells '> ared�2J�2J^Ab' build "$drv"
check "the end of a failed log, on a terminal: colours stay within a line" \
	shows 100 "> a${red}red�2J�2J^Ab$plain" "$clear" "$gx" build --store "$store" --no-link "$drv"
check "the end of a failed log with NO_COLOR" \
	shows 100 "> ared�2J�2J^Ab" "$red" env NO_COLOR=1 "$gx" build --store "$store" --no-link "$drv"
check "lines as they come, not on a terminal" tells 'noisy> ared�2J�2J^Ab' build -L "$drv"
check "lines as they come, on a terminal" \
	shows 100 "noisy> a${red}red�2J�2J^Ab$plain" "$clear" "$gx" build -L --store "$store" --no-link "$drv"
printf "a${red}red${clear}${esc}]52;c;aGk=${bel}${csi}2J\302\2332J\001b\nEND\n" >want
"$gx" log --store "$store" "$drv" >got
check "a log that a program reads is as it is" cmp want got
check "a log on a terminal" shows 0 "a${red}red�2J�2J^Ab$plain" "$clear" "$gx" log --store "$store" "$drv"
check "a log on a terminal with NO_COLOR" shows 0 "ared�2J�2J^Ab" "$esc" env NO_COLOR=1 "$gx" log --store "$store" "$drv"

# --- what is evaluated
check "throw" tells 'error: xy^[c' "$gx" eval -E "throw \"x${clear}y${esc}c\""
check "throw on a terminal" shows 1 'xy^[c' "$clear" "$gx" eval -E "throw \"x${clear}y${esc}c\""
check "abort" tells 'xy�' "$gx" eval -E "abort \"x${clear}y${csi}\""
check "trace" tells 'trace: xy' "$gx" eval -E "builtins.trace \"x${red}y\" 1"
check "trace in colour on a terminal" shows 0 "x${red}y$plain" "$clear" "$gx" eval -E "builtins.trace \"x${red}y${clear}\" 1"
check "warn" tells 'xy' "$gx" eval -E "builtins.warn \"x${clear}y\" 1"
check "a context that the program added" tells 'while xy' "$gx" eval -E "builtins.addErrorContext \"while x${clear}y\" (throw 1)"
check "names of attributes" tells "attribute '\"xy\"' missing" "$gx" eval -E "{}.\"x${clear}y\""
printf '1 + "%s" + a' "x${clear}y" >"na${red}me.gx"
check "names of files and lines of source" tells 'x?[2Jy' "$gx" eval --file "na${red}me.gx"
check "words of the command line" tells "'ab'" "$gx" eval --option "a${clear}b" 1
check "a value on a terminal" shows 0 '"xy^[c"' "$clear" "$gx" eval -E "\"x${clear}y${esc}c\""
check "a value that a program reads" prints "\"x${clear}y\"" "$gx" eval -E "\"x${clear}y\""
check "--raw is data" shows 0 "x${clear}y" "^[" "$gx" eval --raw -E "\"x${clear}y\""
cat >dialog <<'END'
> builtins.fromJSON ''"x\u001b[2Jy\u001bc"''
= "xy^[c"
> :q
exit 0
END
check "a value in the REPL" sh -c "python3 '$srcdir/tests/integration/lib/terminal.py' '$gx' repl <dialog"

# --- flakes
mkdir f
printf '{ description = "x%sy"; outputs = _: { "a%sb" = throw "%sz"; }; }\n' "$clear" "$clear" "$clear" >f/flake.gx
check "a description on a terminal" shows 0 'Description:   xy' "$clear" "$gx" flake metadata --store "$store" ./f
"$gx" flake metadata --store "$store" ./f >got
check "a description that a program reads" says got "x${clear}y"
check "names of outputs that are checked" tells "checking 'ab'" "$gx" flake check --store "$store" ./f
exit 0
