# SPDX-License-Identifier: MIT
#
# Compiles what a module imports from others, once for all states of its source: $out is a build cache (GOCACHE) with what
# is not in those that are there.
#
# In the place of the source are its go.mod and go.sum and the stand-ins made by packages.gx.  Some of what these import may be
# for other platforms, or not compile; then so may the module's own build, which is the one to say so.
set -eu
. "$cacheSetup"
begin_cache "$out"
. "$goSetup"
export GOOS GOARCH

# A line a file: where it is, and where it belongs.
while read -r from to; do
	mkdir -p "$(dirname "source/$to")"
	cp "$from" "source/$to"
done <"$skeletonPath"
cd "source/$standIn"

# A go.mod that the go command does not take is not that of the build where something changes the source first.
unusable() {
	[ -n "${sourceChanges-}" ] || exit 1
	echo 'note: nothing is compiled in advance' >&2
	exit
}
# What is younger than a few seconds does not come into an index of packages, and slow machines are no reason that it should.
touch -t 210001010000 ./*.go
# Packages without errors in them or below; programs cannot be imported.
imports=$(go list -e -f '{{join .Imports "\n"}}' .) || unusable
[ -z "$imports" ] ||
	# shellcheck disable=SC2086
	list=$(go list -e -f '{{if not (or .Incomplete (eq .Name "main"))}}{{.ImportPath}}{{end}}' $imports) || unusable

if [ -n "${list-}" ]; then
	# shellcheck disable=SC2086
	phase compiling "$(go list -e -deps -f '{{if not .Standard}}{{.ImportPath}}{{end}}' ${buildFlags-} $list | wc -l)"
	# shellcheck disable=SC2086
	compile go build -v ${buildFlags-} $list
	# What `go vet`, a part of every test, has to know of them.
	if [ -n "${forTests-}" ]; then
		phase 'preparing tests'
		rm deps*.go
		{ echo 'package deps'; printf 'import _ "%s"\n' testing $list; } >deps.go
		touch -t 210001010000 deps.go
		compile go test .
	fi
fi
end_cache "$out"
