# SPDX-License-Identifier: MIT
#
# What is done to outputs once they are there: interpreters of scripts, manual pages, what is propagated.  Nothing is stripped, but
# what was compiled forgets the compiler.

# The program of an input that is called so; empty where there is none.
_program() { # NAME [--build]
	_in=$HOST_PATH
	[ "${2-}" != --build ] || _in=$PATH
	_findIn "$_in" "$1" || return 0
	case $_file in "$NIX_STORE"/*) printf %s "$_file" ;; esac
}

# "#!/usr/bin/env NAME" and "#!/bin/NAME" become NAME of an input, where one has it; /bin/sh stays, it is there on all systems.
_patchShebang() { # FILE [--build]
	_line=
	IFS= read -r _line <"$1" 2>/dev/null || [ -n "$_line" ] || return 0
	case $_line in "#!"*) ;; *) return 0 ;; esac
	# shellcheck disable=SC2086
	set -- "$1" "${2-}" ${_line#??}
	case ${3-} in "" | /bin/sh | "$NIX_STORE"/*) return 0 ;; esac
	_old=$3
	_script=$1 _which=$2
	shift 3
	if [ "${_old##*/}" = env ]; then
		[ "${1-}" != -S ] || shift
		case ${1-} in "" | -* | *=*) return 0 ;; esac
		_old=$1
		shift
	fi
	_new=$(_program "${_old##*/}" "$_which")
	[ -n "$_new" ] || return 0
	echo "$_script: interpreter '${_line#??}' becomes '$_new${*:+ $*}'"
	{
		echo "#!$_new${*:+ $*}"
		tail -n +2 "$_script"
	} >"$NIX_BUILD_TOP/.script"
	[ -w "$_script" ] || chmod u+w "$_script"
	cat "$NIX_BUILD_TOP/.script" >"$_script"
}

patchShebangs() { # [--build | --host | --update] FILE...
	_for=
	while :; do
		case ${1-} in
		--build) _for=--build ;;
		--host | --update | --) ;;
		*) break ;;
		esac
		shift
	done
	find "$@" -type f -perm -0100 >"$NIX_BUILD_TOP/.scripts"
	while IFS= read -r _f; do
		_patchShebang "$_f" "$_for"
	done <"$NIX_BUILD_TOP/.scripts"
}

# Moves what matches to another output; "REMOVE" as its name removes it.
moveToOutput() { # PATTERN OUTPUT
	_to=$(valueOf "$2")
	for _o in $outputs; do
		_from=$(valueOf "$_o")
		[ "$_from" != "$_to" ] && [ -d "$_from" ] || continue
		for _f in "$_from"/$1; do
			[ -e "$_f" ] || [ -L "$_f" ] || continue
			if [ "$2" = REMOVE ]; then
				rm -rf "$_f"
				continue
			fi
			_target=$_to${_f#"$_from"}
			mkdir -p "${_target%/*}"
			mv "$_f" "$_target"
			rmdir "${_f%/*}" 2>/dev/null || :
		done
	done
}

_compressManuals() { # FOLDER
	[ -z "${dontGzipMan-}" ] && [ -d "$1/share/man" ] || return 0
	find "$1/share/man" -type f ! -name '*.gz' ! -name '*.bz2' ! -name '*.xz' >"$NIX_BUILD_TOP/.manuals"
	while IFS= read -r _f; do
		gzip -n "$_f" 2>/dev/null || gzip "$_f"
	done <"$NIX_BUILD_TOP/.manuals"
}

_moveSbin() { # FOLDER
	[ -d "$1/sbin" ] && [ ! -L "$1/sbin" ] && [ -z "${dontMoveSbin-}" ] || return 0
	mkdir -p "$1/bin"
	mv "$1"/sbin/* "$1/bin"
	rmdir "$1/sbin"
	ln -s bin "$1/sbin"
}

_propagate() { # FOLDER
	for _list in propagated-native-build-inputs:"${propagatedNativeBuildInputs-}" propagated-build-inputs:"${propagatedBuildInputs-}" \
		propagated-user-env-packages:"${propagatedUserEnvPkgs-}"; do
		[ -n "${_list#*:}" ] || continue
		mkdir -p "$1/nix-support"
		printf '%s ' ${_list#*:} >"$1/nix-support/${_list%%:*}"
	done
	[ -n "${setupHook-}" ] || return 0
	mkdir -p "$1/nix-support"
	substituteAll "$setupHook" "$1/nix-support/setup-hook"
}

# Debuggers are told where the C library was compiled, which is in zig: a program would need all of it.  With dontStrip it does.
_forgetCompiler() { # FOLDER
	_forget=$(_program forget-zig --build)
	[ -z "$_forget" ] || [ -n "${dontStrip-}" ] || find "$1" -type f -exec "$_forget" {} +
}

fixupPhase() {
	for _o in $outputs; do
		_folder=$(valueOf "$_o")
		[ ! -e "$_folder" ] || [ -L "$_folder" ] || chmod -R u+w,u-s,g-s "$_folder"
	done
	runHook preFixup
	for _o in $outputs; do
		prefix=$(valueOf "$_o")
		[ -d "$prefix" ] || continue
		_moveSbin "$prefix"
		_compressManuals "$prefix"
		[ -n "${dontPatchShebangs-}" ] || patchShebangs --host "$prefix"
		_forgetCompiler "$prefix"
		runHook fixupOutput
	done
	_o=${outputDev:-dev}
	case " $outputs " in *" $_o "*) ;; *) _o=${outputs%% *} ;; esac
	_propagate "$(valueOf "$_o")"
	runHook postFixup
}
