# SPDX-License-Identifier: MIT
#
# substitute, substituteInPlace, substituteAll: text for text in files; no pattern is special.

# One text for another in a file.  --replace-fail wants it to be there.
_replace() { # HOW OLD NEW FILE
	[ -n "$2" ] || die "substitute: there is nothing to look for in '$4'"
	if old=$2 new=$3 awk '
		BEGIN { RS = "\001"; old = ENVIRON["old"]; new = ENVIRON["new"] }
		{
			while (i = index($0, old)) {
				printf "%s%s", substr($0, 1, i - 1), new
				$0 = substr($0, i + length(old))
				n++
			}
			printf "%s", $0
		}
		END { exit !n }' "$4" >"$4.new"; then
		cat "$4.new" >"$4"
	else
		case $1 in
		--replace-fail) rm -f "$4.new" && die "substitute: '$2' is not in '${_of:-$4}'" ;;
		--replace-quiet | --subst-var*) ;;
		*) echo "warning: substitute: '$2' is not in '${_of:-$4}'" >&2 ;;
		esac
	fi
	rm -f "$4.new"
}

_substitutions() { # FILE OPTION...
	_file=$1
	shift
	while [ $# -gt 0 ]; do
		case $1 in
		--replace | --replace-fail | --replace-warn | --replace-quiet)
			[ $# -ge 3 ] || die "substitute: $1 takes two texts"
			_replace "$1" "$2" "$3" "$_file"
			shift 3
			;;
		--subst-var-by)
			[ $# -ge 3 ] || die "substitute: $1 takes a name and a text"
			_replace "$1" "@$2@" "$3" "$_file"
			shift 3
			;;
		--subst-var)
			[ $# -ge 2 ] || die "substitute: $1 takes a name"
			_replace "$1" "@$2@" "$(valueOf "$2")" "$_file"
			shift 2
			;;
		*) die "substitute: there is no option '$1'" ;;
		esac
	done
}

# Through a file of its own: input and output may be one.
substitute() { # INPUT OUTPUT OPTION...
	[ -f "$1" ] || die "substitute: there is no file '$1'"
	_of=$1
	_work=$(mktemp "$NIX_BUILD_TOP/.substitute-XXXXXX")
	cat "$1" >"$_work"
	_output=$2
	shift 2
	_substitutions "$_work" "$@"
	[ "$_of" = "$_output" ] || cp -f "$_of" "$_output"
	[ -w "$_output" ] || { chmod u+w "$_output" && _writable=; }
	cat "$_work" >"$_output"
	rm -f "$_work"
}

substituteInPlace() { # FILE... OPTION...
	_files=0
	for _f; do
		case $_f in --*) break ;; esac
		_files=$((_files + 1))
	done
	_n=0
	_rest=$(($# - _files))
	while [ $_n -lt $_files ]; do
		# The file in front becomes the one behind, so that the options are always after it.
		_f=$1
		shift
		_nth "$_f" $((_files - _n - 1)) "$@"
		_n=$((_n + 1))
	done
}

# FILE, then those files that are still to come, then options.
_nth() { # FILE FILES-BEFORE-OPTIONS [FILE]... OPTION...
	_one=$1
	shift $((2 + $2))
	substitute "$_one" "$_one" "$@"
}

# @name@ for each variable of the environment that is called so.
substituteAll() { # INPUT OUTPUT
	[ -f "$1" ] || die "substituteAll: there is no file '$1'"
	_all=$(awk '
		BEGIN { RS = "\001" }
		{
			while (match($0, /@[a-z][A-Za-z0-9_]*@/)) {
				name = substr($0, RSTART + 1, RLENGTH - 2)
				if (name in ENVIRON) {
					printf "%s%s", substr($0, 1, RSTART - 1), ENVIRON[name]
					$0 = substr($0, RSTART + RLENGTH)
				} else {
					printf "%s", substr($0, 1, RSTART + RLENGTH - 2)
					$0 = substr($0, RSTART + RLENGTH - 1)
				}
			}
			printf "%s.", $0
		}' "$1")
	cp -f "$1" "$2" 2>/dev/null || :
	chmod u+w "$2"
	printf %s "${_all%.}" >"$2"
}

substituteAllInPlace() { # FILE...
	for _f; do
		substituteAll "$_f" "$_f"
	done
}
