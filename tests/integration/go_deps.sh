# SPDX-License-Identifier: MIT
#
# What buildGoModule compiles apart from a module's own packages: what its source imports from other modules.  Here only what is
# read while evaluating; tests/integration/go_real.sh builds it.
. "$srcdir/tests/integration/lib.sh"
# By a name of one length everywhere: errors tell columns.
echo "import $srcdir/stdlib/go { system = \"x86_64-linux\"; }" >go.gx
export HOME="$PWD/home"
mkdir -p home app/sub/testdata app/vendor/x app/other app/_off lib

sum=h1:NIvaJDMOsjHA8n1jAhLSgzrAzy1Hgr+hNrb57e+94F0=
printf 'module example.com/app\n\ngo 1.22.6\n\nrequire (\n\texample.com/app/v9 v9.0.0\n\texample.com/a v1.0.0\n\texample.com/lib v1.0.0\n)\n\nreplace example.com/lib => ../lib\n' >app/go.mod
printf 'module example.com/lib\n' >lib/go.mod
for m in 'example.com/app/v9 v9.0.0' 'example.com/a v1.0.0'; do
	printf '%s %s\n%s/go.mod %s\n' "$m" $sum "$m" $sum
done >app/go.sum
cat >app/main.go <<'X'
// A comment with "example.com/a/no".
package main

import (
	"fmt"
	_ "example.com/a/underscore" // why
	alias "example.com/a/alias"

	. "example.com/a/dot"
	"example.com/app/sub"
	"example.com/lib"
	"example.com/app/v9/other"
	"github.com/unknown/module"
)

import "example.com/a"

var text = "example.com/a/text"
X
printf 'package sub\r\n\r\nimport "example.com/a/crlf"\r\n' >app/sub/sub.go
printf 'package sub\n\nimport "example.com/a/fortest"\n' >app/sub/sub_test.go
printf 'package sub\n\nimport "example.com/a/win"\n' >app/sub/sub_windows.go
printf 'package sub\n\nimport "example.com/a/winarm"\n' >app/sub/x_y_windows_arm64_test.go
printf '//go:build linux && !race\n\npackage sub\n\nimport "example.com/a/built"\n' >app/sub/linux.go
printf 'package sub\n\nimport "C"\nimport "example.com/a/cgo"\n' >app/sub/cgo.go
printf 'package lib\n\nimport "example.com/a/ofreplacement"\n' >lib/lib.go
# What Go does not look at.
for f in sub/testdata/t.go vendor/x/x.go _off/o.go _o.go .o.go other/o.go; do
	printf 'package p\n\nimport "example.com/a/nothere"\n' >app/$f
done
printf 'module example.com/other\n' >app/other/go.mod

at() { # EXPRESSION about p, a buildGoModule of ARGUMENTS
	gxeval --store "$PWD/s" --json -E "let p = (import ./go.gx).buildGoModule ({ pname = \"app\"; version = \"1\"; src = ./.; modRoot = \"app\"; } // { ${2-} }); in $1"
}
# The stand-ins for the source.
show() { # DERIVATION [ARGUMENTS]
	at p.$1.drvPath "${2-}" >drv && at p.$1.skeleton "${2-}" >json && tr -d '"' <json | sed 's/\\n/\n/g' >skeleton || return 1
	while read -r from to; do
		case $to in *deps*) echo "== $to" && cat "s$from" ;; esac
	done <skeleton
}
check "imports by their constraints" prints '== app/deps0.go
package deps

import (
	_ "example.com/a"
	_ "example.com/a/alias"
	_ "example.com/a/crlf"
	_ "example.com/a/dot"
	_ "example.com/a/ofreplacement"
	_ "example.com/a/underscore"
	_ "example.com/app/v9/other"
)
== app/deps1.go
//go:build linux && !race

package deps

import (
	_ "example.com/a/built"
)
== app/deps2_windows.go
package deps

import (
	_ "example.com/a/win"
)' show goDeps
for_tests() { show goTestDeps >all && grep -o 'example.com/a/\(fortest\|winarm\)' all; }
check "those of tests where tests run" prints 'example.com/a/fortest
example.com/a/winarm' for_tests

deps() { at p.goDeps.drvPath "${1-}"; }
deps >one
same() { deps "${1-}" >two && cmp one two; }
differs() { deps "${1-}" >two && ! cmp -s one two; }
check "another version, another name" same 'version = "2"; pname = "b"; ldflags = [ "-X main.v=2" ]; env.VERSION = "2";'
echo '// More.' >>app/main.go
echo 'package sub' >app/sub/more.go
check "another source" same
mkdir -p app/alone
printf 'package alone\n\nimport "example.com/a/alone"\n' >app/alone/alone.go
check "what no program needs" same
check "nor tests that do not run" same 'doCheck = false;'
check "other tags" differs 'tags = [ "x" ];'
check "another platform" differs 'GOARCH = "arm64";'
check "what the compiler looks at" differs 'env.GOAMD64 = "v3";'
printf 'package sub\n\nimport "example.com/a/more"\n' >app/sub/more.go
check "another import" differs
rm app/sub/more.go
check "and back" same
check "none where the text of go.mod is given" prints null at p.goDeps 'goMod = builtins.readFile ./app/go.mod; goSum = builtins.readFile ./app/go.sum;'
check "others with C" differs 'CGO_ENABLED = 1;'
check "none for a compiler of one's own" prints null at p.goDeps 'CGO_ENABLED = 1; env.CC = "gcc";'

# A workspace: replacements are seen from the file that names them.
mkdir -p ws/b ws/lib
printf 'go 1.22.6\n\nuse (\n\t./b\n)\n' >ws/go.work
printf 'module example.com/b\n\ngo 1.22.6\n\nrequire (\n\texample.com/a v1.0.0\n\texample.com/lib v1.0.0\n)\n\nreplace example.com/lib => ../lib\n' >ws/b/go.mod
grep 'com/a v1' app/go.sum >ws/b/go.sum
printf 'package b\n\nimport "example.com/a/b"\n' >ws/b/b.go
cp lib/* ws/lib/
check "a workspace" prints '["b/deps0.go","b/go.mod","b/go.sum","go.work","lib/go.mod"]' \
	at 'builtins.filter (n: n != null) (map (l: if builtins.isString l && l != "" then builtins.head (builtins.match "[^ ]* (.*)" l) else null) (builtins.split "\n" p.goDeps.skeleton))' 'src = ./ws; modRoot = ".";'

# go.work is looked for upwards, as the go command does, unless GOWORK is off.
work() { # EXPRESSION [ARGUMENTS] : of ws/b
	at "$1" "src = ./ws; modRoot = \"b\"; ${2-}"
}
files='builtins.filter (n: n != null) (map (l: if builtins.isString l && l != "" then builtins.head (builtins.match "[^ ]* (.*)" l) else null) (builtins.split "\n" p.goDeps.skeleton))'
printf 'replace example.com/x => ./x\n' >>ws/go.work
check "a module in it is built in it" prints '["b/deps0.go","b/go.mod","b/go.sum","go.work","lib/go.mod"]' work "$files"
check "unless it is off" prints '["b/deps0.go","b/go.mod","b/go.sum","lib/go.mod"]' work "$files" 'env.GOWORK = "off";'
check "as an argument" prints '["b/deps0.go","b/go.mod","b/go.sum","lib/go.mod"]' work "$files" 'GOWORK = "off";'
printf 'replace example.com/y => ../x\n' >>ws/go.work
check "a replacement above it" complains "go.work replaces 'example.com/y' by '../x', which is above the source" work p.drvPath
printf 'go 1.22.6\n\nuse ./b\nuse ./compliance\n' >ws/go.work
check "a folder that is not there" complains "go.work uses the folder 'compliance', which is not in the source" work p.drvPath
check "does not matter when it is off" work p.drvPath 'env.GOWORK = "off";'
mkdir ws/compliance
check "one without go.mod" complains "go.work uses the folder 'compliance', which has no go.mod" work p.drvPath

# What is excluded is not required, so it needs no sum.
printf 'module example.com/e\n\ngo 1.24\n\nrequire example.com/gone v1.0.0\n' >e.mod
excluded() { gxeval --store "$PWD/s" --json -E "((import ./go.gx).buildGoModule { pname = \"e\"; goMod = builtins.readFile ./e.mod; }).goModules"; }
check "a requirement without a sum" complains "go.sum has no line for the go.mod of 'example.com/gone' at v1.0.0" excluded
echo 'exclude example.com/gone v1.0.0' >>e.mod
check "excluded" prints null excluded
