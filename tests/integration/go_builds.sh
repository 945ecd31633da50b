# SPDX-License-Identifier: MIT
#
# What buildGoModule makes of modules of odd shapes, and what their tests see.  They import nothing, but need a toolchain: skipped without a
# network, or with TEST_REAL=no.  TEST_STORE=FOLDER is a store to keep between runs, as for go_real.sh.
. "$srcdir/tests/integration/lib.sh"
top=$PWD
. "$srcdir/tests/integration/lib/toolchain.sh"

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

func TestWrites(t *testing.T) {
	if err := os.WriteFile("new", nil, 0o600); err != nil {
		t.Error(err)
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

wrapped() {
	out=$(build shapes 'subPackages = [ "cmd/app" ]; doCheck = false; nativeBuildInputs = [ p.makeWrapper p.installShellFiles ];
		postInstall = "wrapProgram $out/bin/app --set X 1\necho complete >app.bash; installShellCompletion app.bash; install -Dm644 go.mod $out/share/mod";') || return 1
	grep -q 'X=.*1' "$out/bin/app" && [ -s "$out/share/mod" ] && [ -s "$out/share/bash-completion/completions/app.bash" ] || { find "$out"; return 1; }
}
check "what nixpkgs' packages install with" wrapped

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
check "cgo without a compiler" mentions "CGO_ENABLED is 1, and there is no C compiler 'gcc' in PATH" build cgo 'CGO_ENABLED = 1; env.CC = "gcc";'
module tagged
printf '//go:build special\n\npackage main\n\nfunc main() {}\n' >tagged/main.go
check "nothing counts here" mentions "  example.com/tagged: main.go" build tagged
check "with its tag it does" has tagged tagged 'tags = [ "special" ]; doCheck = false;'

# What is compiled once and not again.  Forty packages of some size, in six layers.
module many
padding=$(yes '// 0123456789012345678901234567890123456789012345678901234567890' | head -n 80)
i=0
while [ $i -lt 40 ]; do
	mkdir -p many/p$i
	below=$((i / 2 - 1))
	{
		printf '%s\npackage p%d\n\n' "$padding" $i
		[ $i -lt 4 ] || printf 'import "example.com/many/p%d"\n\nfunc N() int { return p%d.N() + 1 }\n' $below $below
		[ $i -ge 4 ] || echo 'func N() int { return 1 }'
	} >many/p$i/p.go
	i=$((i + 1))
done
mkdir -p many/cmd/many many/cmd/other
# A file that is embedded belongs to the package.
printf 'package p39\n\nimport _ "embed"\n\n//go:embed sub/*.txt\nvar text string\n\nfunc Text() string { return text }\n' >many/p39/text.go
mkdir -p many/p39/sub && echo text >many/p39/sub/a.txt
printf 'package p39\n\nimport "testing"\n\nfunc TestN(t *testing.T) {\n\tif N() != 4 || Text() != "text\\n" {\n\t\tt.Fatal(N(), Text())\n\t}\n}\n' >many/p39/p_test.go
program many/cmd/other/main.go
{
	printf 'package main\n\nimport (\n'
	for i in 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39; do printf '\t"example.com/many/p%d"\n' $i; done
	printf ')\n\nfunc main() {\n\tprintln(p39.Text()'
	for i in 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38; do printf ', p%d.N()' $i; done
	printf ')\n}\n'
} >many/cmd/many/main.go
of_many() { # EXPRESSION about p, the build [ARGUMENTS]
	gxeval --store "$store" --raw -E "let q = $std; p = q.buildGoModule ({ pname = \"m\"; src = ./many; go = q.go_1_26; subPackages = [ \"cmd/many\" ]; } // { ${2-} }); in $1"
}
groups() { of_many 'builtins.concatStringsSep "\n" (map (o: o.drvPath) p.goOwn)' "$@"; }
compiled() { # DERIVATION...
	for drv; do gx log --store "$store" "$drv"; done >log && grep '^example.com/many/' log | sort
}
# What is compiled of the standard library is there for a plain go too.
go=$store$(gxeval --store "$store" --raw -E "($std).go_1_26.outPath")
plain_go() { # ARGUMENT...
	env -u GOFLAGS GOROOT="$go" GOCACHE="$top/plain" GOPATH="$top/gopath" GOENV=off GOTOOLCHAIN=local GOWORK=off CGO_ENABLED=0 "$go/bin/go" "$@"
}
same_as_plain() { # OUTPUT FOLDER PACKAGE
	(cd "$2" && plain_go build -modcacherw -trimpath -buildvcs=false -ldflags=-buildid= -o "$top/plain-bin" "$3") && cmp plain-bin "$1"
}
compiled_std=$(of_many p.goStd.outPath) && cp -R "$store$compiled_std" plain && chmod -R u+w plain
check "groups of packages" has many many 'subPackages = [ "cmd/many" ];'
groups >one
check "are several" test "$(grep -c . one)" -ge 2
all_packages() { compiled $(cat one) >list && [ "$(grep -c /p list)" = 38 ] && ! grep -q cmd list; }
check "and have all packages but the programs" all_packages
check "the program is the same bytes as from plain go" same_as_plain "$store$(of_many p.outPath)/bin/many" many ./cmd/many
echo 'var more = 1' >>many/cmd/many/main.go
check "a line in main" has many many 'subPackages = [ "cmd/many" ]; doCheck = false;'
groups >two
check "changes no group" cmp one two
check "and compiles main alone" prints example.com/many/cmd/many compiled "$(of_many p.drvPath 'doCheck = false;')"
new_groups() { # FILE [LINE] : how many are others with a line more in it
	echo "${2-// More.}" >>"$1"
	groups >two && sort one >a && sort two >b && comm -13 a b | wc -l
	cp two one
}
check "nor do tests and what is no code" prints 0 new_groups many/p30/p_test.go 'package p30'
check "a package that no other imports" prints 1 new_groups many/p30/p.go
check "one that half of all do" sh -c "[ $(new_groups many/p1/p.go) -gt 1 ]"
check "a file that is embedded" prints 1 new_groups many/p39/sub/a.txt ''
check "the program with it" has many many 'subPackages = [ "cmd/many" ]; doCheck = false;'
printf 'text\n' >many/p39/sub/a.txt
again() { gx build --store "$store" --no-link --cores 1 --rebuild "$1^out"; }
check "a group comes out the same again" again "$(tail -n 1 one)"
of_many p.goChecked.drvPath >checked
check "tests run no more for another version or other flags of the linker" prints "$(cat checked)" of_many p.goChecked.drvPath 'version = "2"; ldflags = [ "-X main.v=2" ]; subPackages = [ "cmd/other" ];'
check "but for another source" sh -c "[ '$(cat checked)' != '$(echo '// More.' >>many/p3/p.go && of_many p.goChecked.drvPath)' ]"

# With modules of others, by a Go that is told where caches are.
cp -r "$srcdir/examples/go-service" service
chmod -R u+w service
with_modules() {
	_out=$(gxeval --store "$store" --realise -E "let p = $std; in p.buildGoModule { pname = \"go-service\"; src = ./service; go = p.go_1_26; }") &&
		same_as_plain "$store$_out/bin/go-service" service .
}
check "a program with dependencies is the same bytes as from plain go" with_modules
of_service() { gxeval --store "$store" --raw -E "let p = $std; in (p.buildGoModule { pname = \"go-service\"; src = ./service; go = p.go_1_26; }).$1.drvPath"; }
check "its dependencies come out the same again" again "$(of_service goDeps)"
check "and what tests need" again "$(of_service goTestDeps)"
