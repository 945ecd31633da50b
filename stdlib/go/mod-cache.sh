# SPDX-License-Identifier: MIT
#
# Lays out a module cache (GOMODCACHE) from unpacked modules, read from $modulesPath: a line each,
# "zip|mod PATH VERSION SUM OBJECT NAME", PATH and VERSION escaped.
#
# The go command takes a module as downloaded when its folder is there and cache/download has its .ziphash and .mod;
# it compares their sums with go.sum once more.  The .zip itself it does not look for.
set -eu

while read -r kind path version sum object name; do
	notes=$out/cache/download/$path/@v
	mkdir -p "$notes"
	if [ "$kind" = mod ]; then
		cp "$object" "$notes/$version.mod"
		continue
	fi
	mkdir -p "$(dirname "$out/$path")"
	ln -s "$object" "$out/$path@$version"
	printf %s "$sum" >"$notes/$version.ziphash"
	# A module from before there were any go.mod files is given one that says its name.
	if [ -f "$object/go.mod" ]; then
		cp "$object/go.mod" "$notes/$version.mod"
	else
		printf 'module %s\n' "$name" >"$notes/$version.mod"
	fi
done <"$modulesPath"
mkdir -p "$out/cache/download"
