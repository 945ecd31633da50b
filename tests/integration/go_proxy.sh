# SPDX-License-Identifier: MIT
#
# Go modules as builds, without a network: a module proxy in a folder, made here, which then lies; and go.sum files that
# lack lines.  Each mistake is one clear error, nothing of it becomes valid, and the next run succeeds.
. "$srcdir/tests/integration/lib.sh"
gx=$builddir/gx
std=$srcdir/stdlib/go

command -v python3 >/dev/null 2>&1 || { echo "there is no python3"; exit 77; }
export HOME="$PWD/home" XDG_CACHE_HOME="$PWD/cache" GOENV=off GOPROXY="file://$PWD/proxy"
mkdir -p home proxy

cat >make.py <<'X'
# make.py MODULE VERSION KIND: the module's files in ./proxy; prints its sums.
import base64, hashlib, os, sys, zipfile
module, version, kind = sys.argv[1:]
mod = ("module %s\n" % module).encode()
files = {"go.mod": mod, "a.go": b"package a\n\nconst A = 1\n"}
top = "%s@%s/" % (module, version)
names = {top + n: c for n, c in files.items()}
def h1(d):
    s = "".join("%s  %s\n" % (hashlib.sha256(d[n]).hexdigest(), n) for n in sorted(d))
    return "h1:" + base64.b64encode(hashlib.sha256(s.encode()).digest()).decode()
print(h1(names), h1({"go.mod": mod}))
if kind == "changed":
    names[top + "a.go"] = b"package a\n\nconst A = 2\n"
if kind == "above":
    names[top + "../../evil"] = b"x"
if kind == "case":
    names[top + "A.go"] = b"package a\n"
folder = "proxy/%s/@v" % module
os.makedirs(folder, exist_ok=True)
with zipfile.ZipFile("%s/%s.zip" % (folder, version), "w") as z:
    for n, c in names.items():
        z.writestr(n, c)
open("%s/%s.mod" % (folder, version), "wb").write(mod)
X
module() { python3 make.py example.com/a v1.0.0 "$1" >sums && read -r h1 mod <sums; }
module plain

# The module as a build of its own.
fetch="let m = import $std/modules.gx { mod = import $std/mod.gx; };
  in derivation { name = \"a\"; system = \"builtin\"; builder = \"builtin:go-module\"; module = \"example.com/a\"; version = \"v1.0.0\";
    outputHashMode = \"go-h1\"; outputHash = \"$h1\"; }"
realise() { gxeval --store "$PWD/s" --realise -E "$fetch"; }
out=$(gxeval --store "$PWD/s" --raw -E "($fetch).outPath")
lies() { # KIND TEXT
	module "$1" && complains "$2" realise
}
nothing() { ! "$gx" path-info --store "$PWD/s" "$out" && [ ! -e "s$out" ]; }
if ! realise >probe.log 2>&1 && grep -q "namespace" probe.log; then
	head -n 1 probe.log
	exit 77
fi
"$gx" store delete --store "$PWD/s" "$out" >/dev/null 2>&1 || { chmod -R u+w s; rm -rf s; }

check "contents that changed" lies changed "checksum mismatch"
check "nothing of it is valid" nothing
check "a name that leads out" lies above "Go module 'example.com/a@v1.0.0'"
check "nothing of that either" nothing
check "names that differ by case only" lies case "Go module 'example.com/a@v1.0.0'"
rm proxy/example.com/a/@v/v1.0.0.zip
check "a proxy that does not have it" complains "example.com/a@v1.0.0" realise
check "still nothing" nothing
module plain
check "the next run succeeds" prints "$out" realise
check "the module is there" cmp "s$out/go.mod" proxy/example.com/a/@v/v1.0.0.mod
check "again nothing is fetched" prints "$out" env GOPROXY=off gxeval --store "$PWD/s" --realise -E "$fetch"

# go.sum: what is missing is said before anything is built.
mkdir app
printf 'module example.com/app\n\ngo 1.22.6\n\nrequire example.com/a v1.0.0\n' >app/go.mod
printf 'package main\n\nimport "example.com/a"\n\nfunc main() { println(a.A) }\n' >app/main.go
app() { gxeval --raw -E "((import $std { system = \"x86_64-linux\"; }).buildGoModule { pname = \"app\"; src = ./app; ${1-} }).drvPath"; }
check "no go.sum" complains "go.sum has no line for the go.mod of 'example.com/a' at v1.0.0" app
echo "example.com/a v1.0.0/go.mod $mod" >app/go.sum
check "a go.sum without the contents" complains "go.sum has no line for the contents of 'example.com/a' at v1.0.0" app
echo "example.com/a v1.0.0 $h1" >>app/go.sum
check "a whole go.sum" app
app >one
check "vendorHash changes nothing" prints "$(cat one)" app 'vendorHash = "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";'
printf 'replace example.com/a => ../a\n' >>app/go.mod
check "a replacement above the source" complains "is above the source" app
printf 'module example.com/app\n\ngo 9.99.0\n' >app/go.mod
check "a toolchain that is not known" complains "go.mod wants Go 9.99.0" app

names='n: builtins.concatStringsSep " " (builtins.attrNames (builtins.intersectAttrs { go_1_22 = 1; go_1_26 = 1; go = 1; gopls = 1; staticcheck = 1; gofumpt = 1; buildGoModule = 1; } n))'
check "toolchain and tools" prints "buildGoModule go go_1_22 go_1_26 gofumpt gopls staticcheck" \
	gxeval --raw --apply "$names" -E "import $std { system = \"x86_64-linux\"; }"
check "go_1_22 is 1.22.6" prints 1.22.6 gxeval --raw -E "(import $std { system = \"aarch64-linux\"; }).go_1_22.version"
for system in x86_64-linux aarch64-linux x86_64-darwin aarch64-darwin; do
	check "the tools evaluate for $system" gxeval --json --read-only -E \
		"let p = import $std { system = \"$system\"; }; in [ p.go.drvPath p.gopls.drvPath p.staticcheck.drvPath p.gofumpt.drvPath ]"
done
