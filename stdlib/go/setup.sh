# SPDX-License-Identifier: MIT
#
# The go command in a build; read by the scripts that use it on modules.
#
# Everything it could take from elsewhere is set or switched off: the module cache is an object made from what
# go.sum lists, there is no network, no other toolchain, no file of a user's.  With -trimpath and without version control stamps
# what is compiled does not depend on where or when it was.
export HOME=$PWD/home TMPDIR=$PWD
export GOENV=off GOPROXY=off GOSUMDB=off GOTOOLCHAIN=local GO111MODULE=on GOTELEMETRY=off
export GOCACHE=$PWD/cache GOPATH=$PWD/gopath GOMAXPROCS=${NIX_BUILD_CORES:-1}
export PATH=$go/bin${PATH:+:$PATH}
mkdir -p "$HOME" "$GOCACHE"
# Its library is a part of what it links, which so needs it and not Go's own linker.
if [ -n "${goCC-}" ]; then
	export CC=$goCC/bin/cc CXX=$goCC/bin/c++ AR=$goCC/bin/ar GO_EXTLINK_ENABLED=1
fi
if [ -n "${goModules-}" ]; then
	export GOMODCACHE=$goModules
else
	export GOMODCACHE=$PWD/gopath/mod
	mkdir -p "$GOMODCACHE"
fi
export GOFLAGS="-mod=$modMode -trimpath -buildvcs=false${tags:+ -tags=$tags}"

# The build cache begins with what is compiled already.  What serves several folders leaves them where they are; before Go 1.24 their
# entries are linked to, and new ones lie beside them.  An old index of packages does not follow the links to modules.
if [ -n "${buildCache-}" ]; then
	export GOCACHEPROG="$buildCache ${newCache:-$PWD/compiled} ${goStd-} ${goCaches-}"
else
	export GODEBUG=goindex=0
	for _cache in ${goStd-} ${goCaches-}; do
		cp -R -s "$_cache/." "$GOCACHE"
		find "$GOCACHE" -type d -exec chmod u+w {} +
	done
	date +%s >"$GOCACHE/trim.txt"
fi

# Says what begins, and how many lines `go build -v` will print in it, if that is known.
phase() { # NAME [LINES]
	echo "@nix {\"action\":\"setPhase\",\"phase\":\"$1\",\"lines\":${2-0}}" >&2
}
