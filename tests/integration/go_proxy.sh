# SPDX-License-Identifier: MIT
#
# Go modules as builds, without a network: a module proxy in a folder, made here, which then lies; and go.sum files that
# lack lines.  Each mistake is one clear error, nothing of it becomes valid, and the next run succeeds.
. "$srcdir/tests/integration/lib.sh"
gx=$builddir/gx
std=$srcdir/stdlib/go
# The words of libcurl, the newest Go, what is behind the name of a folder.
varies='s/\(cannot fetch .[^ ]*: \).*\( (after [0-9]* attempts)\)/\1WHY\2/; s/newest is [0-9.]*/newest is GO/; s/go_[0-9_]*/GO/; s/«string»:1:[0-9]*/«string»:1:COLUMN/'

command -v python3 >/dev/null 2>&1 || { echo "there is no python3"; exit 77; }
export HOME="$PWD/home" XDG_CACHE_HOME="$PWD/cache" GOENV=off GOPROXY="file://$PWD/proxy"
mkdir -p home proxy

cat >make.py <<'X'
# make.py MODULE VERSION KIND: the module's files in ./proxy; prints its sums.
import base64, hashlib, os, sys, warnings, zipfile
module, version, kind = sys.argv[1:]
mod = ("module %s\n" % module).encode()
files = {"go.mod": mod, "a.go": b"package a\n\nconst A = 1\n"}
top = "%s@%s/" % (module, version)
names = {top + n: c for n, c in files.items()}
def h1(d):
    s = "".join("%s  %s\n" % (hashlib.sha256(d[n]).hexdigest(), n) for n in sorted(d))
    return "h1:" + base64.b64encode(hashlib.sha256(s.encode()).digest()).decode()
if kind == "noise":
    names[top + "noise"] = os.urandom(6000000)
print(h1(names), h1({"go.mod": mod}))
more = []
if kind == "changed":
    names[top + "a.go"] = b"package a\n\nconst A = 2\n"
if kind == "above":
    more.append((top + "../../evil", b"x"))
if kind == "absolute":
    more.append(("/tmp/evil", b"x"))
if kind == "case":
    more.append((top + "A.go", b"package a\n"))
if kind == "twice":
    more.append((top + "a.go", b"package a\n"))
if kind == "link":
    link = zipfile.ZipInfo(top + "link")
    link.create_system, link.external_attr = 3, 0o120777 << 16
    more.append((link, b"/etc/passwd"))
if kind == "license":
    more.append((top + "LICENSE", b"x" * (16 << 20) + b"x"))
if kind == "bomb":
    more.append((top + "zeroes", b"\0" * (501 << 20)))
folder = "proxy/%s/@v" % module
os.makedirs(folder, exist_ok=True)
file = "%s/%s.zip" % (folder, version)
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as z:
        for n, c in list(names.items()) + more:
            z.writestr(n, c)
if kind == "flipped":
    with open(file, "r+b") as f:
        at = f.read().index(b"a.go") + 4
        f.seek(at)
        byte = f.read(1)[0]
        f.seek(at)
        f.write(bytes([byte ^ 4]))
if kind == "torn":
    os.truncate(file, os.path.getsize(file) - 20)
if kind == "large":
    os.truncate(file, (500 << 20) + 1)
if kind == "other":
    open(file, "wb").write(b"<html>Please log in</html>\n")
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
"$gx" store delete --store "$PWD/s" "$out" >/dev/null 2>&1 || remove s

# What each zip is refused for: one error, of which nothing is left in the store or its staging.
while read -r kind text; do
	check "a zip that is not right: $kind" lies "$kind" "Go module 'example.com/a@v1.0.0': $text"
	check "nothing of it is valid: $kind" nothing
done <<'X'
changed checksum mismatch
above path '../../evil' is not clean
absolute path '/tmp/evil' does not have prefix
case case-insensitive file name collision
twice multiple entries for file 'a.go'
link 'link' is a symbolic link, not a regular file
license LICENSE file too large
bomb total uncompressed size of module contents too large
flipped member 'example.com/a@v1.0.0/a.go' of the zip file is damaged
torn not a valid zip file
large cannot fetch
other not a valid zip file
X
module changed
check "the line of go.sum that is not met" complains "the line of go.sum is: example.com/a v1.0.0 $h1" realise
check "nothing was written outside" [ ! -e /tmp/evil ]
cat >refuse.py <<'X'
import http.server, os
class H(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_error(403)
    def log_message(self, *args):
        pass
s = http.server.HTTPServer(("127.0.0.1", 0), H)
open("refuse.new", "w").write(str(s.server_port))
os.rename("refuse.new", "refuse")
s.handle_request()
X
python3 refuse.py &
refusing=$!
until [ -e refuse ] || ! kill -0 $refusing; do sleep 0.1; done
check "a proxy that refuses" complains "the server says 403: this is the module proxy's refusal" \
	env GOPROXY="http://127.0.0.1:$(cat refuse)" gxeval --store "$PWD/s" --realise -E "$fetch"
kill $refusing 2>/dev/null
wait $refusing 2>/dev/null
rm proxy/example.com/a/@v/v1.0.0.zip
check "a proxy that does not have it" complains "example.com/a@v1.0.0" realise
check "no network" complains "Go module 'example.com/a@v1.0.0': cannot fetch 'http://127.0.0.1:9/" env GOPROXY=http://127.0.0.1:9 gxeval --store "$PWD/s" --realise -E "$fetch"
check "still nothing" nothing

# A proxy that stops in the middle; gx is killed there.
cat >slow.py <<'X'
import http.server, time
class H(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = open("proxy" + self.path, "rb").read()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2])
        self.wfile.flush()
        open("half", "w").close()
        time.sleep(600)
    def log_message(self, *args):
        pass
s = http.server.ThreadingHTTPServer(("127.0.0.1", 0), H)
open("port.new", "w").write(str(s.server_port))
import os
os.rename("port.new", "port")
s.serve_forever()
X
killed() {
	module plain
	python3 slow.py >slow.log 2>&1 &
	server=$!
	until [ -e port ] || ! kill -0 $server; do sleep 0.1; done
	GOPROXY=http://127.0.0.1:$(cat port) gxeval --store "$PWD/s" --realise -E "$fetch" >kill.log 2>&1 &
	pid=$!
	for _ in $(seq 100); do [ ! -e half ] || break; sleep 0.1; done
	kill -9 $pid
	wait $pid 2>/dev/null
	kill $server
	wait $server 2>/dev/null
	[ -e half ] || { cat slow.log kill.log; return 1; }
	nothing && "$gx" store verify --store "$PWD/s" --check-contents
}
check "killed in the middle of a fetch: nothing is valid, the store is in order" killed
module plain
check "the next run succeeds" prints "$out" realise
check "the module is there" cmp "s$out/go.mod" proxy/example.com/a/@v/v1.0.0.mod
check "no folder of a build is left" [ -z "$(ls s/nix/var/nix/builds 2>/dev/null)" ]
check "again nothing is fetched" prints "$out" env GOPROXY=off gxeval --store "$PWD/s" --realise -E "$fetch"

# A disk that is full while a module is unpacked.
full() {
	unshare -m sh -c "mount -t tmpfs -o size=\$1 none small && shift && exec \"\$@\"" - "$@"
}
if mkdir small && full 12m true 2>/dev/null; then
	module noise
	noise=$(echo "$fetch" | sed "s|outputHash = \"[^\"]*\"|outputHash = \"$h1\"|")
	check "a full disk: one error, nothing valid; then it works" full 16m sh -c '
		head -c 9000000 /dev/zero >small/fill
		"$1" --store "$PWD/small" --realise -E "$2" 2>full.log && exit 1
		grep -q "No space left on device" full.log || { cat full.log; exit 1; }
		"$3" path-info --store "$PWD/small" --all | grep -v "[.]drv\$" && exit 1
		rm small/fill
		"$3" store verify --store "$PWD/small" --check-contents && mount -o remount,size=64m small &&
			"$1" --store "$PWD/small" --realise -E "$2"' - gxeval "$noise" "$gx"
	module plain
fi

# go.sum: what is missing is said before anything is built.
mkdir app
printf 'module example.com/app\n\ngo 1.22.6\n\nrequire example.com/a v1.0.0\n' >app/go.mod
printf 'package main\n\nimport "example.com/a"\n\nfunc main() { println(a.A) }\n' >app/main.go
app() { gxeval --store "$PWD/s" --raw -E "((import $std { system = \"x86_64-linux\"; }).buildGoModule { pname = \"app\"; src = ./app; ${1-} }).drvPath"; }
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
check "a toolchain that is not known" complains "go.mod asks for Go 9.99.0" app

names='n: builtins.concatStringsSep " " (builtins.attrNames (builtins.intersectAttrs { go_1_22 = 1; go_1_26 = 1; go = 1; gopls = 1; staticcheck = 1; gofumpt = 1; buildGoModule = 1; } n))'
check "toolchain and tools" prints "buildGoModule go go_1_22 go_1_26 gofumpt gopls staticcheck" \
	gxeval --raw --apply "$names" -E "import $std { system = \"x86_64-linux\"; }"
check "go_1_22 is 1.22.6" prints 1.22.6 gxeval --raw -E "(import $std { system = \"aarch64-linux\"; }).go_1_22.version"
for system in x86_64-linux aarch64-linux x86_64-darwin aarch64-darwin; do
	check "the tools evaluate for $system" gxeval --json --read-only -E \
		"let p = import $std { system = \"$system\"; }; in [ p.go.drvPath p.gopls.drvPath p.staticcheck.drvPath p.gofumpt.drvPath ]"
done
