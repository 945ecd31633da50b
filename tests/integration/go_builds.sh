# SPDX-License-Identifier: MIT
#
# What buildGoModule makes of modules of odd shapes, and what their tests see.  They import nothing, but need a toolchain: skipped without a
# network, or with TEST_REAL=no.  TEST_STORE=FOLDER is a store to keep between runs, as for go_real.sh.
. "$srcdir/tests/integration/lib.sh"
[ "${TEST_REAL-}" != no ] || { echo "TEST_REAL=no"; exit 77; }
store=${TEST_STORE:-$PWD/s}
if [ -z "${GOPROXY-}" ]; then
	command -v go >/dev/null 2>&1 && GOPROXY=$(cd / && go env GOPROXY)
fi
[ -z "${GOPROXY-}" ] || export GOPROXY
export HOME="$PWD/home"
mkdir -p home

std="import $srcdir/stdlib { system = \"x86_64-linux\"; }"
if ! timeout 200 gxeval --store "$store" --realise -E "($std).go_1_26" >probe.log 2>&1; then
	echo "a toolchain cannot be fetched here: $(head -n 1 probe.log)"
	exit 77
fi

module() { # FOLDER [LINE...] : a module of its name
	mkdir -p "$1"
	printf 'module example.com/%s\n\ngo 1.24\n' "${1##*/}" >"$1/go.mod"
}
program() { # FILE [WORD]
	mkdir -p "${1%/*}"
	printf 'package main\n\nfunc main() { println("%s") }\n' "${2-$1}" >"$1"
}
build() { # FOLDER [ARGUMENTS] : prints the output, in this file system
	_out=$(gxeval --store "$store" --realise -E "let p = $std; in p.buildGoModule ({ pname = \"m\"; src = ./$1; go = p.go_1_26; } // { ${2-} })") && echo "$store$_out"
}
has() { # "PROGRAMS" FOLDER [ARGUMENTS]
	_all=$1
	shift
	_path=$(build "$@") && [ "$(ls "$_path/bin" | xargs)" = "$_all" ] || { ls "$_path/bin"; return 1; }
}

module shapes
program shapes/cmd/app/main.go app
program shapes/cmd/tool/main.go
program shapes/examples/one/main.go
program shapes/internal/gen/main.go
mkdir -p shapes/cmd/only shapes/env
printf 'package main\n\nimport "testing"\n\nfunc TestNothing(t *testing.T) {}\n' >shapes/cmd/only/only_test.go
cat >shapes/env/env_test.go <<'X'
package env

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

func TestPrograms(t *testing.T) {
	for _, name := range []string{"sh", "cat", "env", "true", "sleep", "diff", "tar"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Error(err)
		}
	}
	if out, err := exec.Command("sh", "-c", "echo a | cat").Output(); string(out) != "a\n" {
		t.Error(string(out), err)
	}
}

func TestZone(t *testing.T) {
	if _, err := time.LoadLocation("Europe/Berlin"); err != nil {
		t.Error(err)
	}
}

func TestOwnFile(t *testing.T) {
	_, file, _, _ := runtime.Caller(0)
	if _, err := os.Stat(filepath.Join(filepath.Dir(file), "env_test.go")); err != nil {
		t.Error(err)
	}
}
X
printf 'package env\n' >shapes/env/env.go
check "programs, not examples, helpers or tests; tests find programs, time zones, their files" has "app tool" shapes
check "what is excluded by its path" has app shapes 'excludedPackages = [ "cmd/tool" ]; doCheck = false;'
check "what is named is built" has "gen one" shapes 'subPackages = [ "internal/gen" "./examples/one" ]; doCheck = false;'
mkdir -p alone && cp shapes/go.mod alone/
program alone/internal/gen/main.go
check "a helper where there is nothing else" has gen alone

# Phases as texts, with what hooks bring.
cat >phases.gx <<'X'
hook: {
	doCheck = false;
	nativeBuildInputs = [ hook ];
	preBuild = ''echo "$unset" hooked: $(greet) >note'';
	buildPhase = ''
		runHook preBuild
		go build -o app-x ./cmd/app
		go install ./cmd/tool
		runHook postBuild
	'';
	installPhase = ''
		mkdir -p $out/bin
		cp app-x $GOPATH/bin/tool note $out/bin
	'';
}
X
printf 'mkdir -p $out/nix-support\necho "greet() { echo hello; }; postBuildHooks=later; later() { echo later >>note; }" >$out/nix-support/setup-hook\n' >hook.sh
phases() {
	out=$(build shapes "inherit (import $PWD/phases.gx (p.runCommand \"hook\" { } (builtins.readFile $PWD/hook.sh))) doCheck nativeBuildInputs preBuild buildPhase installPhase;") || return 1
	"$out/bin/app-x" >said 2>&1 && "$out/bin/tool" >>said 2>&1 && cat "$out/bin/note" >>said && prints 'app
shapes/cmd/tool/main.go
 hooked: hello
later' cat said
}
check "phases and hooks" phases

# A workspace at the root.
module work/lib
module work/app
printf 'package lib\n\nfunc Name() string { return "lib" }\n' >work/lib/lib.go
printf 'package lib\n\nimport "testing"\n\nfunc TestName(t *testing.T) {\n\tif Name() != "lib" {\n\t\tt.Fatal(Name())\n\t}\n}\n' >work/lib/lib_test.go
printf 'package main\n\nimport "example.com/lib"\n\nfunc main() { println(lib.Name()) }\n' >work/app/main.go
printf 'go 1.24\n\nuse (\n\t./app\n\t./lib\n)\n' >work/go.work
check "a workspace" has app work
check "one of its folders" has app work 'modRoot = "app";'
printf 'package lib\n\nimport "testing"\n\nfunc TestOther(t *testing.T) {\n\tt.Run("deep", func(t *testing.T) { t.Error("no") })\n}\n' >work/lib/other_test.go
check "a test of another module of it fails, and is named" mentions "> --- FAIL: example.com/lib: TestOther TestOther/deep" build work

module slow
program slow/main.go
printf 'package main\n\nimport (\n\t"testing"\n\t"time"\n)\n\nfunc TestSlow(t *testing.T) { time.Sleep(time.Minute) }\n' >slow/slow_test.go
check "a test that does not end is named" mentions "> --- FAIL: example.com/slow: TestSlow (too slow)" build slow 'checkFlags = [ "-timeout=1s" ];'

module cgo
printf 'package main\n\nimport "C"\n\nfunc main() {}\n' >cgo/main.go
check "cgo is off" mentions "all files of 'example.com/cgo' are excluded by build constraints, since they use cgo" build cgo
check "cgo without a compiler" mentions "CGO_ENABLED is 1, and there is no C compiler 'gcc' in PATH" build cgo 'CGO_ENABLED = 1;'
module tagged
printf '//go:build special\n\npackage main\n\nfunc main() {}\n' >tagged/main.go
check "nothing counts here" mentions "  example.com/tagged: main.go" build tagged
check "with its tag it does" has tagged tagged 'tags = [ "special" ]; doCheck = false;'
