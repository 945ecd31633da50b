# SPDX-License-Identifier: MIT
#
# makeWrapper and wrapProgram: a shell script in front of a program.  It runs with the /bin/sh of where it runs, which is any POSIX
# shell, so what the program is told as its own name is its path.

_quoted() { # TEXT
	printf "'"
	printf %s "$1" | sed "s/'/'\\\\''/g"
	printf "'"
}

# A variable with something in front of or behind what it is, once.
_affix() { # prefix|suffix NAME SEPARATOR VALUE
	_sep=$(_quoted "$3")
	_val=$(_quoted "$4")
	case $1 in
	prefix) _new="$_val\${$2:+$_sep\"\$$2\"}" ;;
	suffix) _new="\${$2:+\"\$$2\"$_sep}$_val" ;;
	esac
	[ -z "$4" ] || printf 'case %s"$%s"%s in *%s%s%s*) ;; *) %s=%s ;; esac\nexport %s\n' "$_sep" "$2" "$_sep" "$_sep" "$_val" "$_sep" "$2" "$_new" "$2"
}

_each() { # prefix|suffix NAME SEPARATOR VALUES
	_which=$1 _name=$2 _by=$3
	for _v in $4; do
		_affix "$_which" "$_name" "$_by" "$_v"
	done
}

# The lines of a wrapper, and in _before and _after what comes before and behind the arguments.
_wrapperLines() { # OPTION...
	while [ $# -gt 0 ]; do
		case $1 in
		--set)
			printf 'export %s=%s\n' "$2" "$(_quoted "$3")"
			shift 3
			;;
		--set-default)
			printf 'export %s=${%s-%s}\n' "$2" "$2" "$(_quoted "$3")"
			shift 3
			;;
		--unset)
			printf 'unset %s\n' "$2"
			shift 2
			;;
		--chdir)
			printf 'cd %s\n' "$(_quoted "$2")"
			shift 2
			;;
		--run)
			printf '%s\n' "$2"
			shift 2
			;;
		--prefix | --suffix)
			_affix "${1#--}" "$2" "$3" "$4"
			shift 4
			;;
		--prefix-each | --suffix-each)
			_name=${1%-each}
			_each "${_name#--}" "$2" "$3" "$4"
			shift 4
			;;
		--prefix-contents | --suffix-contents)
			_name=${1%-contents}
			# shellcheck disable=SC2046
			_each "${_name#--}" "$2" "$3" "$(cat $4)"
			shift 4
			;;
		--add-flag | --append-flag | --add-flags | --append-flags | --argv0) shift 2 ;;
		--inherit-argv0 | --resolve-argv0) shift ;;
		*) die "makeWrapper: there is no option '$1'" ;;
		esac
	done
}

# Arguments that are in front ("add") or behind ("append"): words, or one as it is.
_wrapperFlags() { # add|append OPTION...
	_which=$1
	shift
	while [ $# -gt 0 ]; do
		case $1 in
		--"$_which"-flag) printf ' %s' "$(_quoted "$2")" ;;
		--"$_which"-flags) printf ' %s' "$2" ;;
		--set | --set-default) shift ;;
		--prefix* | --suffix*) shift 2 ;;
		--inherit-argv0 | --resolve-argv0) set -- "$1" "$@" ;;
		--argv0) echo "warning: makeWrapper: a script cannot set the name that a program is told; '$2' is left out" >&2 ;;
		esac
		shift 2
	done
}

makeShellWrapper() { # PROGRAM WRAPPER [OPTION]...
	_original=$1
	_wrapper=$2
	shift 2
	[ -x "$_original" ] && [ ! -d "$_original" ] || die "makeWrapper: '$_original' is no program"
	mkdir -p "${_wrapper%/*}"
	_lines=$(_wrapperLines "$@")
	_front=$(_wrapperFlags add "$@")
	_behind=$(_wrapperFlags append "$@" 2>/dev/null)
	printf '#!/bin/sh -e\n%s\nexec %s%s "$@"%s\n' "$_lines" "$(_quoted "$_original")" "$_front" "$_behind" >"$_wrapper"
	chmod +x "$_wrapper"
}

wrapProgramShell() { # PROGRAM [OPTION]...
	_program=$1
	shift
	[ -x "$_program" ] && [ ! -d "$_program" ] || die "wrapProgram: '$_program' is no program"
	_hidden=${_program%/*}/.${_program##*/}-wrapped
	while [ -e "$_hidden" ]; do
		_hidden=${_hidden}_
	done
	mv "$_program" "$_hidden"
	makeShellWrapper "$_hidden" "$_program" "$@"
}

makeWrapper() {
	makeShellWrapper "$@"
}

wrapProgram() {
	wrapProgramShell "$@"
}

makeBinaryWrapper() {
	makeShellWrapper "$@"
}

wrapProgramBinary() {
	wrapProgramShell "$@"
}
