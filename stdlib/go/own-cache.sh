# SPDX-License-Identifier: MIT
#
# Compiles some packages of a module, which are no programs: $out is a build cache (GOCACHE) with them alone.
#
# Some may be for other platforms, or not compile; then the module's own build is the one to say so.
set -eu
. "$cacheSetup"
begin_cache "$out"
. "$goSetup"
export GOOS GOARCH

cd "$src/$folder"
# shellcheck disable=SC2086
list=$(go list -e -f '{{if not (or .Incomplete .Error)}}{{.ImportPath}}{{end}}' $packages) || list=
if [ -n "$list" ]; then
	# shellcheck disable=SC2086
	set -- $list
	phase compiling $#
	# shellcheck disable=SC2086
	compile go build -v ${buildFlags-} "$@"
fi
end_cache "$out"
