# SPDX-License-Identifier: MIT
#
# The phases of a build, each a function with a hook before and behind; a variable with a phase's name is text that stands in for it.

showPhase() { # PHASE
	echo "Running phase: $1"
	echo "@nix {\"action\":\"setPhase\",\"phase\":\"$1\"}" >&2
}

# With what is left out where nobody asked for it, and what is where somebody said so.
_wanted() { # PHASE
	case $1 in
	unpackPhase) [ -z "${dontUnpack-}" ] ;;
	patchPhase) [ -z "${dontPatch-}" ] ;;
	configurePhase) [ -z "${dontConfigure-}" ] ;;
	buildPhase) [ -z "${dontBuild-}" ] ;;
	checkPhase) [ -n "${doCheck-}" ] ;;
	installPhase) [ -z "${dontInstall-}" ] ;;
	fixupPhase) [ -z "${dontFixup-}" ] ;;
	installCheckPhase) [ -n "${doInstallCheck-}" ] ;;
	distPhase) [ -n "${doDist-}" ] ;;
	esac
}

runPhase() { # PHASE
	curPhase=$1
	_wanted "$1" || return 0
	showPhase "$1"
	if [ -n "$(valueOf "$1")" ]; then
		runText "$1"
	elif isFunction "$1"; then
		"$1"
	else
		die "there is no phase '$1'"
	fi
	[ "$1" != unpackPhase ] || cd "${sourceRoot:-.}"
}

definePhases() {
	[ -n "${phases-}" ] || phases="${prePhases-} unpackPhase patchPhase ${preConfigurePhases-} configurePhase ${preBuildPhases-} buildPhase \
checkPhase ${preInstallPhases-} installPhase ${preFixupPhases-} fixupPhase installCheckPhase ${preDistPhases-} distPhase ${postPhases-}"
}

genericBuild() {
	if [ -f "${buildCommandPath-}" ]; then
		runFile "$buildCommandPath" buildCommand
		return
	fi
	if [ -n "${buildCommand-}" ]; then
		runText buildCommand
		return
	fi
	definePhases
	for _phase in $phases; do
		runPhase "$_phase"
	done
}

# --- unpack ---

stripHash() { # PATH
	_name=${1##*/}
	case $_name in
	????????????????????????????????-*) printf '%s\n' "${_name#*-}" ;;
	*) printf '%s\n' "$_name" ;;
	esac
}

_defaultUnpack() { # FILE
	if [ -d "$1" ]; then
		cp -R "$1" "$(stripHash "$1")"
		return
	fi
	case $1 in
	*.tar) tar xf "$1" ;;
	*.tar.gz | *.tgz | *.tar.Z) gzip -dc "$1" | tar xf - ;;
	*.tar.xz | *.txz) xz -dc "$1" | tar xf - ;;
	*.tar.lzma) lzma -dc "$1" | tar xf - ;;
	*.tar.bz2 | *.tbz2 | *.tbz) bzip2 -dc "$1" | tar xf - ;;
	*.zip) unzip -q "$1" ;;
	*) return 1 ;;
	esac
}

unpackFile() { # FILE
	echo "unpacking source archive $1"
	curSrc=$1
	if [ -n "${unpackCmd-}" ]; then
		runText unpackCmd
	elif ! runOneHook unpackCmd "$1"; then
		_defaultUnpack "$1" || die "it is not known how to unpack '$1': name an unpackPhase, or dontUnpack = true"
	fi
}

unpackPhase() {
	runHook preUnpack
	[ -n "${srcs-}" ] || srcs=${src-}
	[ -n "$srcs" ] || die "there is no src to unpack: name one, or dontUnpack = true"
	_before=" "
	for _d in *; do
		[ ! -d "$_d" ] || _before="$_before$_d "
	done
	for _s in $srcs; do
		unpackFile "$_s"
	done
	_findRoot
	[ -d "$sourceRoot" ] || die "there is no folder '$sourceRoot' in the source"
	[ -n "${dontMakeSourcesWritable-}" ] || chmod -R u+w "$sourceRoot"
	runHook postUnpack
}

# The one folder that unpacking made.
_findRoot() {
	: "${sourceRoot=}"
	if [ -n "${setSourceRoot-}" ]; then
		_runOne setSourceRoot
	elif [ -z "$sourceRoot" ]; then
		for _d in *; do
			case $_before in *" $_d "*) continue ;; esac
			[ -d "$_d" ] || continue
			[ -z "$sourceRoot" ] || die "unpacking made several folders ('$sourceRoot', '$_d'): say which is meant, sourceRoot = \"$_d\""
			sourceRoot=$_d
		done
	fi
	[ -n "$sourceRoot" ] || die "unpacking made no folder: say where the source is, sourceRoot = \".\""
}

# --- patch, configure, build, check, install ---

patchPhase() {
	runHook prePatch
	for _p in ${patches-}; do
		echo "applying patch $_p"
		case $_p in
		*.gz) gzip -dc "$_p" ;;
		*.bz2) bzip2 -dc "$_p" ;;
		*.xz) xz -dc "$_p" ;;
		*) cat "$_p" ;;
		esac >"$NIX_BUILD_TOP/.patch"
		# shellcheck disable=SC2086
		patch ${patchFlags:--p1} <"$NIX_BUILD_TOP/.patch"
	done
	runHook postPatch
}

configurePhase() {
	runHook preConfigure
	: "${configureScript=}"
	[ -n "$configureScript" ] || [ ! -x ./configure ] || configureScript=./configure
	if [ -n "$configureScript" ]; then
		[ -n "${dontAddPrefix-}" ] || prependToVar configureFlags "${prefixKey:---prefix=}${prefix:-$out}"
		# shellcheck disable=SC2086
		$configureScript ${configureFlags-}
	else
		echo "there is no configure script: nothing to configure"
	fi
	runHook postConfigure
}

_haveMakefile() {
	[ -n "${makeFlags-}${makefile-}" ] || [ -e Makefile ] || [ -e makefile ] || [ -e GNUmakefile ]
}

_make() { # TARGET...
	command -v make >/dev/null || die "there is no 'make' among the inputs of this build"
	# shellcheck disable=SC2086
	make ${makefile:+-f $makefile} ${enableParallelBuilding:+-j$NIX_BUILD_CORES} SHELL=/bin/sh ${makeFlags-} "$@"
}

buildPhase() {
	runHook preBuild
	if _haveMakefile; then
		# shellcheck disable=SC2086
		_make ${buildFlags-}
	else
		echo "there is no Makefile and no buildPhase: nothing to build"
	fi
	runHook postBuild
}

checkPhase() {
	runHook preCheck
	if _haveMakefile; then
		# shellcheck disable=SC2086
		_make ${checkTarget:-check} ${checkFlags-}
	else
		echo "there is no Makefile and no checkPhase: nothing to check"
	fi
	runHook postCheck
}

installPhase() {
	runHook preInstall
	if _haveMakefile; then
		mkdir -p "${prefix:-$out}"
		# shellcheck disable=SC2086
		_make ${installTargets:-install} ${installFlags-}
	else
		echo "there is no Makefile and no installPhase: nothing to install"
		mkdir -p "$out"
	fi
	runHook postInstall
}

installCheckPhase() {
	runHook preInstallCheck
	if _haveMakefile && [ -n "${installCheckTarget-}" ]; then
		# shellcheck disable=SC2086
		_make $installCheckTarget ${installCheckFlags-}
	fi
	runHook postInstallCheck
}

distPhase() {
	runHook preDist
	if _haveMakefile; then
		# shellcheck disable=SC2086
		_make ${distTarget:-dist} ${distFlags-}
		mkdir -p "$out/tarballs"
		# shellcheck disable=SC2086
		[ -n "${dontCopyDist-}" ] || cp -R ${tarballs:-*.tar.gz} "$out/tarballs"
	fi
	runHook postDist
}
