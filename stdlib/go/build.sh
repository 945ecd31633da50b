# SPDX-License-Identifier: MIT
#
# Builds, tests and installs the programs of a Go module: what buildGoModule runs.  The shell is the sandbox's busybox.
#
# Without a build id what is linked does not depend on how it came about (setup.sh has the rest).
set -eu

hook() { # NAME
	eval "text=\${$1-}"
	[ -z "$text" ] || eval "$text"
}

. "$goSetup"

if [ -n "${src-}" ]; then
	cp -R "$src" source
	chmod -R u+w source
else
	mkdir source
fi
cd "source/$modRoot"
hook postUnpack
for p in ${patches-}; do
	patch -p1 <"$p"
done
hook postPatch
hook preConfigure
hook postConfigure

# Programs to build: those named, or every main package that is not excluded.
packages() {
	if [ -n "${packages-}" ]; then
		echo "$packages"
	elif [ -n "${subPackages-}" ]; then
		for p in $subPackages; do
			echo "./${p#./}"
		done
	else
		go list -e -f '{{if eq .Name "main"}}{{.ImportPath}}{{end}}' ./... |
			while read -r p; do
				case " ${excludedPackages-} " in *" ${p##*/} "*) continue ;; esac
				echo "$p"
			done
	fi
}

# Those that are not compiled yet, as far as that is known without asking for each.
compiled() {
	if [ -n "${goDeps-}" ]; then
		_which='{{with .Module}}{{if .Main}}{{println $.ImportPath}}{{end}}{{end}}'
	elif [ -n "${goStd-}" ]; then
		_which='{{if not .Standard}}{{println .ImportPath}}{{end}}'
	else
		_which='{{println .ImportPath}}'
	fi
	# shellcheck disable=SC2086
	go list -e -deps -f "$_which" ${buildFlags-} $list | grep .
}

hook preBuild
list=$(packages)
[ -n "$list" ] || { echo "error: there is no main package in $modRoot of the source" >&2; exit 1; }
mkdir -p "$out/bin"
(
	[ -z "${targetOS-}" ] || export GOOS=$targetOS
	[ -z "${targetArch-}" ] || export GOARCH=$targetArch
	phase buildPhase compiled
	# shellcheck disable=SC2086
	go build -v ${buildFlags-} "-ldflags=${ldflags:+$ldflags }-buildid=" -o "$out/bin/" $list
)
hook postBuild

if [ -n "${doCheck-}" ]; then
	phase checkPhase
	hook preCheck
	# shellcheck disable=SC2086
	go test ${checkFlags-} ${checkPackages:-./...}
	hook postCheck
fi

hook preInstall
hook postInstall
hook preFixup
hook postFixup
