# SPDX-License-Identifier: MIT
#
# installManPage, installShellCompletion, installBin: files where shells and man look for them.

installBin() { # FILE...
	for _f; do
		install -Dm755 "$_f" "${outputBin:+$(valueOf "$outputBin")}${outputBin:-$out}/bin/${_f##*/}"
	done
}

installManPage() { # [--name NAME] FILE...
	_name=
	while [ $# -gt 0 ]; do
		case $1 in
		--name)
			_name=$2
			shift 2
			continue
			;;
		--) shift && continue ;;
		esac
		_page=${_name:-$(stripHash "$1")}
		_plain=${_page%.gz}
		case $_plain in *.[1-9n]*) ;; *) die "installManPage: '$_page' does not say which section it belongs to" ;; esac
		_section=${_plain##*.}
		_place=${man:-$out}/share/man/man${_section%"${_section#?}"}
		mkdir -p "$_place"
		cat "$1" >"$_place/$_page"
		_name=
		shift
	done
}

# Where a shell looks for what completes a command.
_completion() { # SHELL COMMAND
	case $1 in
	bash) echo "share/bash-completion/completions/$2.bash" ;;
	fish) echo "share/fish/vendor_completions.d/$2.fish" ;;
	zsh) echo "share/zsh/site-functions/_$2" ;;
	nushell) echo "share/nushell/vendor/autoload/$2.nu" ;;
	esac
}

# Of a file of its own name: what kind it is, where nobody said so.
_shellOf() { # FILE
	case $1 in
	*.bash) echo bash ;;
	*.fish) echo fish ;;
	*.zsh | */_* | _*) echo zsh ;;
	*.nu) echo nushell ;;
	*) die "installShellCompletion: it is not known for which shell '$1' is: say --bash, --zsh, --fish or --nushell" ;;
	esac
}

_installCompletion() { # FILE
	_kind=${_shell:-$(_shellOf "$1")}
	_as=$(stripHash "$1")
	if [ -n "$_exact" ]; then
		_as=$(_completion "$_kind" _)
		_as=${_as%/*}/$_exact
	elif [ -n "$_command" ]; then
		_as=$(_completion "$_kind" "$_command")
	else
		_place=$(_completion "$_kind" _)
		_as=${_place%/*}/$_as
	fi
	mkdir -p "$out/${_as%/*}"
	cat "$1" >"$out/$_as"
	[ -s "$out/$_as" ] || die "installShellCompletion: what was given for $_kind ('$1') is empty"
}

installShellCompletion() { # [--cmd NAME] ([--bash|--zsh|--fish|--nushell] [--name NAME] FILE)...
	_shell= _command= _exact=
	while [ $# -gt 0 ]; do
		case $1 in
		--bash | --zsh | --fish | --nushell) _shell=${1#--} ;;
		--cmd) _command=$2 && shift ;;
		--cmd=*) _command=${1#*=} ;;
		--name) _exact=$2 && shift ;;
		--name=*) _exact=${1#*=} ;;
		--) ;;
		*)
			_installCompletion "$1"
			_exact=
			;;
		esac
		shift
	done
}
