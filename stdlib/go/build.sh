# SPDX-License-Identifier: MIT
#
# Builds, tests and installs the programs of a Go module: what buildGoModule runs.  The shell is the sandbox's busybox.
#
# Without a build id what is linked does not depend on how it came about (setup.sh has the rest).
#
# Texts for phases may be those that nixpkgs runs: programs are in $GOPATH/bin until they are installed.  What hooks and texts find is what
# stdenv has for its own.
. "$stdenv/setup"
. "$goSetup"

fail() { # LINE...
	printf '%s\n' "error: $1" >&2
	shift
	[ $# -eq 0 ] || printf '%s\n' "$@" >&2
	exit 1
}

# Runs the text that was given for a phase, or what is usual.
run_phase() { # NAME
	if [ -n "$(valueOf "$1")" ]; then
		phase "$1"
		runText "$1"
	else
		"default_$1"
	fi
}

# Where nothing could change the source it is built where it lies.
is_left_alone() {
	[ -d "${src-}" ] && [ -z "${doCheck-}${onlyTests-}" ] && [ "$modMode" != mod ] && [ "${CGO_ENABLED-0}" = 0 ] || return 1
	for _name in postUnpack patches postPatch preConfigure postConfigure preBuild buildPhase postBuild installPhase preInstall postInstall \
		preFixup postFixup; do
		eval "[ -z \"\${$_name-}\${${_name}Hooks-}\" ]" || return 1
	done
}

unpack() {
	if is_left_alone; then
		cd "$src/$modRoot"
		return
	fi
	if [ -z "${src-}" ]; then
		mkdir source
	elif [ -d "$src" ]; then
		cp -R "$src" source
		chmod -R u+w source
	else
		mkdir source
		tar xf "$src" -C source --strip-components=1
	fi
	cd "source/$modRoot"
}

# With cgo the standard library needs a compiler already.
check_compiler() {
	[ "${CGO_ENABLED-0}" = 1 ] || return 0
	_cc=$(go env CC)
	command -v "${_cc%% *}" >/dev/null || fail "CGO_ENABLED is 1, and there is no C compiler '${_cc%% *}' in PATH" \
		"  nativeBuildInputs takes a package that has one, env.CC its name; without CGO_ENABLED what needs C is left out"
}

# What `./...` means at the root of a workspace, where Go would say that no module is there.
patterns() {
	if [ -f go.work ] && [ "${GOWORK-}" != off ]; then
		go list -m -f '{{.Dir}}/...' | sed "s|^$PWD/|./|"
	else
		echo ./...
	fi
}

# A line for each package of the module: "main|other DIRECTORY IMPORT-PATH", main being a program that was asked for.  Packages of
# others are among them unless they are compiled already.
list_packages() { # PATTERN...
	if [ -n "${goCaches-}" ]; then
		_which='and .Module .Module.Main'
	elif [ -n "${goStd-}" ]; then
		_which='not .Standard'
	else
		_which=true
	fi
	# shellcheck disable=SC2086
	go list -e -deps -f "{{if $_which}}{{if or .DepOnly (ne .Name \"main\") (not (or .GoFiles .CgoFiles))}}other{{else}}main{{end}} {{.Dir}} {{.ImportPath}}{{end}}" ${buildFlags-} "$@"
}

# Left out where nobody named the programs: what is no program of the module but an example, or helps to make or to test it.
is_program() { # DIRECTORY
	_dir=${1#"$PWD"}/
	case $_dir in
	*/examples/* | */Godeps/* | */testdata/* | */vendor/* | */_* | */internal/* | */hack/* | */scripts/* | */test/* | */tests/*) return 1 ;;
	esac
	for _x in ${excludedPackages-}; do
		_x=${_x#./}
		case $_dir in */"${_x%/}"/*) return 1 ;; esac
	done
}

# Programs to build: those named, or every main package that is not left out, if there are others.
programs() { # FILE
	[ -z "${packages-}${subPackages-}" ] || { echo "$wanted"; return; }
	grep ^main "$1" >"$1.main" || return 0
	while read -r _ dir path; do
		! is_program "$dir" || echo "$path"
	done <"$1.main" >"$1.list"
	[ -s "$1.list" ] || [ -n "${excludedPackages-}" ] || sed 's/.* //' "$1.main" >"$1.list"
	cat "$1.list"
}

# Why there is nothing to build.  Of what was named, Go says it.
nothing_to_build() {
	_main='{{if eq .Name "main"}}{{if .CgoFiles}}{{.ImportPath}}{{end}}{{end}}'
	# shellcheck disable=SC2086
	_cgo=$([ "${CGO_ENABLED-0}" != 0 ] || CGO_ENABLED=1 go list -e -f "$_main" $wanted 2>/dev/null) || :
	[ -z "$_cgo" ] || fail "all files of '$(echo $_cgo)' are excluded by build constraints, since they use cgo" \
		"  cgo is off: CGO_ENABLED = 1 switches it on"
	[ -z "${packages-}${subPackages-}" ] || return 0
	_ignored=$(find . -name '*.go' ! -name '*_test.go' ! -path '*/testdata/*' ! -path '*/vendor/*' -exec dirname {} + | sort -u |
		xargs go list -e -f '{{if not .GoFiles}}{{with .IgnoredGoFiles}}  {{$.ImportPath}}: {{join . " "}}{{end}}{{end}}' 2>/dev/null) || :
	[ -z "$_ignored" ] || fail "there is no main package in '$modRoot' of the source; of these, build constraints exclude all files:" "$_ignored"
	fail "there is no main package in '$modRoot' of the source"
}

default_buildPhase() {
	runHook preBuild
	wanted=${packages-}
	for p in ${subPackages-}; do
		wanted="$wanted ./${p#./}"
	done
	[ -n "$wanted" ] || wanted=$(patterns)
	(
		[ -z "${targetOS-}" ] || export GOOS=$targetOS
		[ -z "${targetArch-}" ] || export GOARCH=$targetArch
		# shellcheck disable=SC2086
		list_packages $wanted >"$TMPDIR/packages"
		list=$(programs "$TMPDIR/packages")
		grep -q ^main "$TMPDIR/packages" && [ -n "$list" ] || nothing_to_build
		phase buildPhase "$(grep -c "${mainsOnly:+^main}" "$TMPDIR/packages")"
		# shellcheck disable=SC2086
		go build -v ${buildFlags-} "-ldflags=${ldflags:+$ldflags }-buildid=" -o "$GOPATH/bin/" $list
	)
	runHook postBuild
}

# The tests that failed, by package: of a long log the end is shown.
failed_tests() { # LOG
	awk '
		/^ *--- FAIL: / { names = names " " $3 }
		/^panic: test timed out/ { late = 1 }
		late && /^\t\tTest[^ ]* \(/ { names = names " " $1 " (too slow)" }
		/^FAIL\t/ {
			print "--- FAIL: " $2 ":" (names ? names : " " (index($0, "[") ? substr($0, index($0, "[")) : "no test is named"))
			names = ""; late = 0
		}' "$1" | head -n 20 >&2
}

default_checkPhase() {
	runHook preCheck
	phase checkPhase
	# A test may look for its files where the compiler saw them, and for time zones where Go is.
	export ZONEINFO=$go/lib/time/zoneinfo.zip
	_all=$(patterns)
	for p in $_all; do
		_paths="${_paths-} -gcflags=$p=-trimpath="
	done
	{
		# shellcheck disable=SC2086
		go test $_paths ${checkFlags-} ${checkPackages:-$_all} 2>&1 || : >"$TMPDIR/failed"
	} | tee "$TMPDIR/tests"
	# A module of programs for other platforms has none.
	! grep -qx 'no packages to test' "$TMPDIR/tests" || rm -f "$TMPDIR/failed"
	[ ! -e "$TMPDIR/failed" ] || { failed_tests "$TMPDIR/tests"; exit 1; }
	runHook postCheck
}

default_installPhase() {
	runHook preInstall
	runHook postInstall
}

unpack
runHook postUnpack
for p in ${patches-}; do
	patch -p1 <"$p"
done
runHook postPatch
runHook preConfigure
runHook postConfigure
check_compiler

mkdir -p "$GOPATH"
if [ -n "${onlyTests-}" ]; then
	runHook preBuild
	default_checkPhase
	mkdir "$out"
	exit
fi
if [ -n "${installPhase-}" ]; then
	mkdir "$GOPATH/bin"
else
	mkdir -p "$out/bin"
	ln -s "$out/bin" "$GOPATH/bin"
fi
run_phase buildPhase
[ -z "${doCheck-}" ] || run_phase checkPhase
run_phase installPhase
[ -z "${goCC-}" ] || [ -n "${dontStrip-}" ] || find "$out" -type f -exec "$goCC/bin/forget-zig" {} +
runHook preFixup
runHook postFixup
