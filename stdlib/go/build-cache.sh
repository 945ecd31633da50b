# SPDX-License-Identifier: MIT
#
# Compiles the program that serves several build caches to the go command; it needs nothing but the standard library.
set -eu
modMode=mod
. "$goSetup"

mkdir source
cd source
cp "$source" main.go
printf 'module build.invalid/cache\n\ngo 1.24\n' >go.mod
go build -ldflags='-s -w -buildid=' -o "$out" .
