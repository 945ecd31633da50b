# SPDX-License-Identifier: MIT
#
# Compiles the standard library once, for all builds with this toolchain and platform: $out is a build cache (GOCACHE).
# Where tests can run, what `go vet` has to know of it is there too: every `go test` asks for that.
set -eu
. "$saveCache"

export HOME=$PWD/home GOCACHE=$PWD/cache GOENV=off GOPROXY=off GOTOOLCHAIN=local GOTELEMETRY=off
export GOFLAGS='-trimpath -buildvcs=false' GOMAXPROCS=${NIX_BUILD_CORES:-1} PATH=$go/bin
[ -z "${goCC-}" ] || export CC=$goCC/bin/cc CXX=$goCC/bin/c++ AR=$goCC/bin/ar GO_EXTLINK_ENABLED=1
mkdir -p "$HOME" "$GOCACHE" stub
cd "$go/src"
echo "@nix {\"action\":\"setPhase\",\"phase\":\"compiling\",\"lines\":$(go list std | wc -l)}" >&2
go build -v std

# A package that imports all of it, and has no tests.
if [ "$GOOS/$GOARCH" = "$(go env GOHOSTOS)/$(go env GOHOSTARCH)" ]; then
	cd "$HOME/../stub"
	printf 'module std.invalid/stub\n\ngo 1.21\n' >go.mod
	{
		echo 'package stub'
		go list std | while read -r p; do
			case /$p/ in /vendor/* | */internal/* | /unsafe/) ;; *) echo "import _ \"$p\"" ;; esac
		done
	} >stub.go
	echo '@nix {"action":"setPhase","phase":"preparing tests"}' >&2
	go test .
fi
save_cache "$GOCACHE" "$out"
