# SPDX-License-Identifier: MIT
#
# Builds, tests and installs the programs of a Go module: what buildGoModule runs.  The shell is the sandbox's busybox.
#
# Everything the go command could take from elsewhere is set or switched off: the module cache is an object made from
# what go.sum lists, there is no network, no other toolchain, no file of a user's.  With -trimpath, without version control stamps and
# without a build id the result does not depend on where or when it was built.
set -eu

hook() { # NAME
	eval "text=\${$1-}"
	[ -z "$text" ] || eval "$text"
}

export HOME=$PWD/home TMPDIR=$PWD
export GOENV=off GOPROXY=off GOSUMDB=off GOTOOLCHAIN=local GO111MODULE=on GOTELEMETRY=off
export GOCACHE=$PWD/cache GOPATH=$PWD/gopath GOMAXPROCS=${NIX_BUILD_CORES:-1}
export PATH=$go/bin:${PATH-}
# Modules lie in the cache as links to their objects, which the index of packages does not follow.
export GODEBUG=goindex=0
mkdir -p "$HOME" "$GOCACHE"
if [ -n "${goModules-}" ]; then
	export GOMODCACHE=$goModules
else
	export GOMODCACHE=$PWD/gopath/mod
	mkdir -p "$GOMODCACHE"
fi
export GOFLAGS="-mod=$modMode -trimpath -buildvcs=false${tags:+ -tags=$tags}"

# The build cache begins with the standard library: its entries are linked to, new ones lie beside them.
if [ -n "${goStd-}" ]; then
	cp -R -s "$goStd/." "$GOCACHE"
	chmod -R u+w "$GOCACHE" 2>/dev/null || :
	date +%s >"$GOCACHE/trim.txt"
fi

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

hook preBuild
echo '@nix {"action":"setPhase","phase":"buildPhase"}' >&2
list=$(packages)
[ -n "$list" ] || { echo "error: there is no main package in $modRoot of the source" >&2; exit 1; }
mkdir -p "$out/bin"
(
	[ -z "${targetOS-}" ] || export GOOS=$targetOS
	[ -z "${targetArch-}" ] || export GOARCH=$targetArch
	# shellcheck disable=SC2086
	go build ${buildFlags-} "-ldflags=${ldflags:+$ldflags }-buildid=" -o "$out/bin/" $list
)
hook postBuild

if [ -n "${doCheck-}" ]; then
	echo '@nix {"action":"setPhase","phase":"checkPhase"}' >&2
	hook preCheck
	# shellcheck disable=SC2086
	go test ${checkFlags-} ${checkPackages:-./...}
	hook postCheck
fi

hook preInstall
hook postInstall
hook preFixup
hook postFixup
