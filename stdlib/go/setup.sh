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

# The build cache begins with what is compiled already: its entries are linked to, new ones lie beside them.
for _cache in ${goStd-} ${goDeps-}; do
	cp -R -s "$_cache/." "$GOCACHE"
	find "$GOCACHE" -type d -exec chmod u+w {} +
done
date +%s >"$GOCACHE/trim.txt"

# Says what begins; with a command, that it is to be counted in the lines `go build -v` prints, of as many as the command does.
phase() { # NAME [COMMAND]...
	_phase=$1
	shift
	_lines=0
	[ $# -eq 0 ] || _lines=$("$@" 2>/dev/null | wc -l)
	echo "@nix {\"action\":\"setPhase\",\"phase\":\"$_phase\",\"lines\":$_lines}" >&2
}
