# SPDX-License-Identifier: MIT
#
# The Go programs of gx:std: their table, versions and locks; that a lock is read late; what is built from one; and the script that writes
# them, with a module proxy in a folder, where there is a go command.
. "$srcdir/tests/integration/lib.sh"
std=$srcdir/stdlib
export HOME="$PWD/home" XDG_CACHE_HOME="$PWD/cache"
mkdir -p home cache

# --- the table
names() {
	gxeval --raw --impure -E "builtins.concatStringsSep \"\n\" (builtins.attrNames (import $std/go/tools/$1.gx)) + \"\n\""
}
names table >names
check "each tool has a version" prints "$(cat names)" names versions
check "and a lock, and nothing else does" prints "$(cat names)" sh -c "ls '$std/go/tools/locks' >locks && sed 's/\.gx\$//' locks | LC_ALL=C sort"
check "tests/all-tools builds each" prints "$(cat names)" sh -c "sed -n \"/^tools='/,/^'/s/ .*//p\" '$srcdir/tests/all-tools' | LC_ALL=C sort"
check "each name of nixpkgs that has another here" prints "controller-gen-0 go-containerregistry-0 helm-0 mockery-0 staticcheck-0 task-0 yq-0" gxeval --raw --impure -E "
	let t = import $std/go/tools { tool = a: a; }; in toString (map (n: n + (if t ? \${n} && t.\${n} ? version then \"-0\" else \"\"))
	(builtins.filter (n: !((import $std/go/tools/table.gx) ? \${n})) (builtins.attrNames t)))"
for system in x86_64-linux aarch64-linux x86_64-darwin aarch64-darwin; do
	check "all evaluate for $system" gxeval --json --read-only --impure -E "let p = (builtins.getFlake \"gx:std\").packages.$system; in
		map (n: assert p.\${n}.meta.license != \"\" && p.\${n}.meta.mainProgram != \"\"; p.\${n}.drvPath)
		([ \"go\" ] ++ builtins.attrNames (builtins.intersectAttrs (import $std/go/tools/table.gx) p))"
done
check "gx:std lists them as its packages" prints "$(printf 'default\ngo\n%s\n' "$(cat names)" | LC_ALL=C sort)" sh -c '
	gxeval --raw --impure -E "let p = (builtins.getFlake \"gx:std\").packages.x86_64-linux; in
		builtins.concatStringsSep \"\n\" (builtins.filter (n: n == \"default\" || n == \"go\" || p.\${n}.go or null != null) (builtins.attrNames p)) + \"\n\"" >got && LC_ALL=C sort got'

# --- a lock is read when it must be
cp -R "$std" std
chmod -R u+w std
rm std/go/tools/locks/gofumpt.gx
of() { # ATTRIBUTE
	gxeval --raw --read-only -E "(import ./std { system = \"x86_64-linux\"; }).gofumpt.$1"
}
check "without its lock a tool has a name" prints "gofumpt-$(of version)" of name
check "and a description" prints "A stricter gofmt" of meta.description
check "a tool built by another Go, as nixpkgs' packages take it" prints '[ "1.26" "staticcheck" true ]' gxeval --read-only --strict \
	-E 'with import ./std { system = "x86_64-linux"; }; let t = go-tools.override { buildGo125Module = buildGo126Module; }; in [ (lib.versions.majorMinor t.go.version) t.meta.mainProgram ((shfmt.override { }).drvPath == shfmt.drvPath) ]'
check "what there is for one system says so" prints '[ "x86_64-linux" "aarch64-linux" ]' gxeval --read-only --strict -E '(import ./std { system = "x86_64-linux"; }).containerd.meta.platforms'
check "a shell of others is there" gxeval --read-only --raw -A drvPath -E 'with import ./std { system = "x86_64-linux"; }; mkShell { packages = [ go shfmt ]; }'
check "it cannot be built" mentions "gofumpt.gx' does not exist" of drvPath

# --- what is built
cat >lock.gx <<'X'
{
  go = "1.26.0";
  packages = [ "example.com/tool/cmd/it" "example.com/tool/server" ];
  replace = {
    "example.com/old@v1.0.0" = "example.com/fork@v1.1.0";
  };
  modules = {
    "example.com/fork@v1.1.0" = "h1:f";
    "example.com/tool@v2.0.0" = "h1:t";
  };
}
X
built() { # ATTRIBUTE
	gxeval --raw --impure -E "(import $std/go/tool.gx { buildGoModule = a: a; } {
		pname = \"it\"; version = \"2.0.0\"; lock = ./lock.gx; description = \"d\"; homepage = \"h\"; license = \"MIT\";
		programs.server = \"it-server\"; ldflags = v: [ \"-X main.v=\${v}\" ]; module = \"example.com/tool\"; packages = [ ];
	}).$1"
}
check "a module that requires what the lock has, what is replaced by its own name" prints "module gx.invalid/tool

go 1.26.0
require example.com/old v1.0.0
require example.com/tool v2.0.0
replace example.com/old v1.0.0 => example.com/fork v1.1.0" built goModText
check "programs get their names" prints 'mv "$out/bin/server" "$out/bin/it-server"' built postInstall
check "the linker is told the version" prints '-X main.v=2.0.0' sh -c "gxeval --raw --impure -E \"toString ((import $std/go/tool.gx { buildGoModule = a: a; } {
	pname = ''it''; version = ''2.0.0''; lock = ./lock.gx; description = ''''; homepage = ''''; license = ''''; ldflags = v: [ ''-X main.v=\\\${v}'' ]; }).ldflags)\""
check "the modules with their sums, in order of their names" prints '[{"h1":"h1:f","path":"example.com/fork","version":"v1.1.0"},{"h1":"h1:t","path":"example.com/tool","version":"v2.0.0"}]' \
	gxeval --json --impure -E "(import $std/go/tool.gx { buildGoModule = a: a; } { pname = \"it\"; version = \"2.0.0\"; lock = ./lock.gx;
		description = \"\"; homepage = \"\"; license = \"\"; }).goSelected.zips"

# --- the script
if ! command -v go >/dev/null 2>&1 || ! command -v python3 >/dev/null 2>&1; then
	skip "update-go-tools" "there is no go or no python3"
	return 0 2>/dev/null || exit 0
fi
cat >make.py <<'X'
# make.py MODULE VERSION FOLDER: the module in ./proxy, as the newest there is.
import base64, hashlib, os, sys, zipfile
module, version, folder = sys.argv[1:]
top = "%s@%s/" % (module, version)
files = {}
for at, _, names in os.walk(folder):
    for n in names:
        path = os.path.join(at, n)
        files[top + os.path.relpath(path, folder)] = open(path, "rb").read()
def h1(d):
    s = "".join("%s  %s\n" % (hashlib.sha256(d[n]).hexdigest(), n) for n in sorted(d))
    return "h1:" + base64.b64encode(hashlib.sha256(s.encode()).digest()).decode()
to = "proxy/%s/@v" % module
os.makedirs(to, exist_ok=True)
with zipfile.ZipFile("%s/%s.zip" % (to, version), "w") as z:
    for n in sorted(files):
        z.writestr(n, files[n])
mod = files[top + "go.mod"]
open("%s/%s.mod" % (to, version), "wb").write(mod)
open("%s/%s.info" % (to, version), "w").write('{"Version":"%s"}' % version)
open("%s/list" % to, "a").write(version + "\n")
print(module, version, h1(files))
print(module, version + "/go.mod", h1({"go.mod": mod}))
X
# A module with one file; IMPORT of the others.
module() { # MODULE VERSION FILE TEXT [LINE]...
	rm -rf m
	mkdir -p "m/$(dirname "$3")"
	printf '%s' "$4" >"m/$3"
	{ printf 'module %s\n\ngo 1.21\n\n' "$1"; _m=$1 _v=$2; shift 4; printf '%s\n' "$@"; } >m/go.mod
	[ ! -f sums ] || cp sums m/go.sum
	python3 make.py "$_m" "$_v" m
}
module example.com/unused v1.0.0 a.go 'package unused' >unused.sums
module example.com/fork v1.1.0 a.go 'package old' >fork.sums
module example.com/part v1.0.0 a.go 'package part' >part.sums
cat unused.sums fork.sums >sums
program='package main

import (
	_ "example.com/old"
	_ "example.com/part"
)

func main() {}
'
tool() { # VERSION
	module example.com/tool "$1" cmd/it/it.go "$program" 'require example.com/old v1.0.0' 'require example.com/part v1.0.0' \
		'require example.com/unused v1.0.0' 'replace example.com/old => example.com/fork v1.1.0' 'replace example.com/part => ./part'
}
tool v1.0.0 >tool1.sums
module example.com/alone v1.0.0 main_linux.go 'package main

func main() {}
' >alone.sums

mkdir -p tree/scripts tree/stdlib/go/tools/locks
cp "$srcdir/scripts/update-go-tools" "$srcdir/scripts/update-go-tools.gx" tree/scripts
cp "$std/go/mod.gx" tree/stdlib/go
cat >tree/stdlib/go/tools/table.gx <<'X'
{
  it = { module = "example.com/tool"; packages = [ "./cmd/..." ]; };
  pinned = { module = "example.com/tool"; pin = "1.0.0"; packages = [ "./cmd/it" ]; };
  alone = { module = "example.com/alone"; packages = [ "." ]; os = "linux"; };
  gone = { module = "example.com/gone"; packages = [ "." ]; };
}
X
printf '{\n}\n' >tree/stdlib/go/tools/versions.gx
update() {
	TOOLCHAIN=local GXEVAL=$gxeval GOENV=off GOPROXY="file://$PWD/proxy" GOSUMDB=off GOPATH="$PWD/gopath" GOCACHE="$PWD/cache/go" GOMODCACHE= \
		tree/scripts/update-go-tools "$@"
}
sum() { # FILE: that of the contents
	sed -n '1s/.* //p' "$1"
}
lock() { # SUM-OF-TOOL VERSION
	printf '%s\n' '# Written by scripts/update-go-tools.' '{' '  go = "1.21";' '  packages = [' '    "example.com/tool/cmd/it"' '  ];' \
		'  replace = {' '    "example.com/old@v1.0.0" = "example.com/fork@v1.1.0";' '  };' '  modules = {' \
		"    \"example.com/fork@v1.1.0\" = \"$(sum fork.sums)\";" "    \"example.com/part@v1.0.0\" = \"$(sum part.sums)\";" \
		"    \"example.com/tool@$1\" = \"$(sum "$2")\";" '  };' '}'
}
check "a new tool" prints 'it (new) -> 1.0.0, 3 modules' update it
check "its lock has what its programs are made of, and no more" prints "$(lock v1.0.0 tool1.sums)" cat tree/stdlib/go/tools/locks/it.gx
check "its version" prints '{ it = "1.0.0"; }' gxeval -f tree/stdlib/go/tools/versions.gx
check "a second time nothing changes" prints 'it 1.0.0' update it
tool v1.1.0 >tool2.sums
check "a new release" prints 'it 1.0.0 -> 1.1.0, 3 modules' update it
check "is another lock" prints "$(lock v1.1.0 tool2.sums)" cat tree/stdlib/go/tools/locks/it.gx
check "one release that is asked for" prints 'it 1.1.0 -> 1.0.0, 3 modules' update it@v1.0.0
check "one that stays" prints 'pinned (new) -> 1.0.0, 3 modules' update pinned
check "one that is for one system" prints 'alone (new) -> 1.0.0, 1 modules' update alone
check "one that is not there leaves the others" sh -c '! TOOLCHAIN=local GXEVAL=$1 GOENV=off GOPROXY="file://$PWD/proxy" GOSUMDB=off GOPATH="$PWD/gopath" \
	GOCACHE="$PWD/cache/go" tree/scripts/update-go-tools >out 2>err && grep -qx "it 1.0.0 -> 1.1.0, 3 modules" out && grep -qx "error: not updated: gone" err' - "$gxeval"
check "what is not in the table" mentions "there is no 'nono' in stdlib/go/tools/table.gx" update nono
chmod -R u+w gopath
