# SPDX-License-Identifier: MIT
#
# The main job on real input: examples/go-service with the toolchain, the tools and the modules as their publishers serve them, through
# the user's module proxy.  Skipped without a network.  It takes minutes where nothing is there yet:
#     TEST_STORE=FOLDER  is a store to keep between runs, which is emptied when it has become large
#     TEST_TOOLS=1       builds gopls, staticcheck and two small tools too, and runs them; tests/all-tools has the others
#     TEST_REAL=no       skips all of it: one pass of scripts/check is enough
. "$srcdir/tests/integration/lib.sh"
[ "${TEST_REAL-}" != no ] || { echo "TEST_REAL=no"; exit 77; }
gx=$builddir/gx
store=${TEST_STORE:-$PWD/s}

# Objects of earlier states of the standard library pile up.
if [ "$(du -sm "$store" 2>/dev/null | cut -f1)" -gt 5000 ] 2>/dev/null; then
	remove "$store"
fi

if [ -z "${GOPROXY-}" ]; then
	command -v go >/dev/null 2>&1 && GOPROXY=$(cd / && go env GOPROXY)
fi
[ -z "${GOPROXY-}" ] || export GOPROXY
export HOME="$PWD/home" XDG_CACHE_HOME="$PWD/cache" XDG_STATE_HOME="$PWD/state"
mkdir -p home cache state
cp -r "$srcdir/examples/go-service" service
chmod -R u+w service
ln -sfn "$srcdir/stdlib" stdlib

probe='let m = import '$srcdir'/stdlib/go/modules.gx { mod = import '$srcdir'/stdlib/go/mod.gx; };
  in derivation { name = "probe"; system = "builtin"; builder = "builtin:go-module"; module = "github.com/google/uuid"; version = "v1.6.0";
    outputHashMode = "go-h1"; outputHash = "h1:NIvaJDMOsjHA8n1jAhLSgzrAzy1Hgr+hNrb57e+94F0="; }'
if ! timeout 60 gxeval --store "$PWD/probe" --realise -E "$probe" >probe.log 2>&1; then
	echo "modules cannot be fetched here: $(head -n 1 probe.log)"
	exit 77
fi

in_shell() { # PROGRAM...
	"$gx" develop --store "$store" "./service#$shell" --command "$@"
}
# A shell of the toolchain alone, unless the tools are wanted: they take the most time.
if [ -n "${TEST_TOOLS-}" ]; then
	shell=default
else
	shell=plain
	sed -i 's|^        devShells = {|&\n          plain = pkgs.mkShell { packages = [ go pkgs.gofumpt ]; env.GOTOOLCHAIN = "local"; env.CGO_ENABLED = "0"; };|' service/flake.gx
fi

check "the shell" in_shell true
check "its Go" prints "go version go1.22.6 linux/amd64" in_shell go version
check "GOROOT is in the store" in_shell sh -c 'case $(go env GOROOT) in /nix/store/*-go-1.22.6) ;; *) exit 1 ;; esac'
check "its formatter knows its version" in_shell sh -c 'gofumpt --version | grep -q "^v0"'
check "share/go is GOROOT too" prints "go version go1.22.6 linux/amd64" in_shell sh -c 'go=$(go env GOROOT); GOROOT=$go/share/go "$go/share/go/bin/go" version && [ "$(readlink -f "$go/share/go")" = "$go" ]'
quick() {
	in_shell true 2>again.log && [ ! -s again.log ] || { cat again.log; return 1; }
}
check "a second time builds nothing and says nothing" env GOPROXY=off "$gx" develop --store "$store" "./service#$shell" --command true
check "and is silent" quick

check "the package, its tests run" sh -c '"$1" build --store "$2" --no-link --print-out-paths ./service >out' - "$gx" "$store"
# Work in the shell, as a person does it.  With -trimpath the compiled standard library that is there can be used: it takes half a
# minute else.
value() { # ATTRIBUTE of the package
	gxeval --raw --store "$store" "./service#packages.x86_64-linux.default.$1"
}
mkdir -p home/cache
cp -R "$store$(value goStd.outPath)/." home/cache
chmod -R u+w home/cache
at_work() { # PROGRAM...
	in_shell env -C service GOFLAGS='-trimpath -modcacherw' GOCACHE="$PWD/home/cache" GOPATH="$PWD/home/go" "$@"
}
tests_run() { at_work go test ./... >tested && grep -q '^ok .*example.com/go-service/internal/notes' tested; }
check "go test" tests_run
check "gofumpt has nothing to say" prints "" at_work gofumpt -l .
printf 'package notes\n\nfunc  unused() {}\n' >service/internal/notes/more.go
check "but sees what is not formatted" prints internal/notes/more.go at_work gofumpt -l .
version_of() { # NAME
	gxeval --raw --impure -E "(import $srcdir/stdlib/go/tools/versions.gx).$1"
}
tool() { # NAME PROGRAM...
	_name=$1
	shift
	"$gx" shell --store "$store" "gx:std#$_name" --command "$@"
}
if [ -n "${TEST_TOOLS-}" ]; then
	check "gopls" in_shell sh -c 'gopls version | grep -q v0'
	check "gotestsum knows its version" prints "gotestsum version v$(version_of gotestsum)" tool gotestsum gotestsum --version
	check "so does shfmt" prints "v$(version_of shfmt)" tool shfmt shfmt --version
	staticcheck_says() { status 1 at_work staticcheck ./... >checked && grep -q 'more.go:3:7: func unused is unused (U1000)' checked; }
	check "staticcheck sees what is wrong" staticcheck_says
	rm service/internal/notes/more.go
	check "staticcheck finds nothing" prints "" at_work staticcheck ./...
	check "gopls leads into dependencies and the standard library" prints "file://$PWD/home/go/pkg/mod/github.com/go-chi/chi/v5@v5.1.0/chi.go
file://$(value go.outPath)/src/net/http/server.go" \
		at_work python3 "$srcdir/tests/integration/lib/lsp.py" . internal/notes/notes.go chi.NewRouter http.Handler -- gopls
fi
rm -f service/internal/notes/more.go

# The dependencies are compiled apart from the package, and not again when it changes.
variant() { # OPTION... : the package from ./changed, telling what it compiles
	gxeval --store "$store" "$@" -E "let p = import $srcdir/stdlib/go { system = \"x86_64-linux\"; };
		in p.buildGoModule { pname = \"go-service\"; src = ./changed; go = p.go_1_22; }"
}
compiled() { # ATTRIBUTE: what the log of this build names
	"$gx" log --store "$store" "$(variant --raw -A "$1")" >log && grep '^[a-z.]*/' log | sort
}
cp -r service changed
check "a variant of the package" variant --realise
check "compiles its own packages" prints "example.com/go-service
example.com/go-service/internal/notes" compiled drvPath
check "and says beforehand how many they are" grep -qF '"phase":"buildPhase","lines":2}' log
check "the dependencies are another object" prints "github.com/go-chi/chi/v5
github.com/google/uuid" compiled goDeps.drvPath
check "which says so too" grep -qF '"phase":"compiling","lines":2}' log
variant --raw -A goDeps.outPath >deps
echo 'func leaf() int { return 1 }' >>changed/internal/notes/notes.go
check "a leaf of the source changes" variant --realise
check "the dependencies stay" prints "$(cat deps)" variant --raw -A goDeps.outPath
check "the package is compiled anew" prints "example.com/go-service
example.com/go-service/internal/notes" compiled drvPath

# In another root, with another number of cores, everything comes out the same: --rebuild compares.
two=$store-two
# Files are shared with the first: folders alone may be changed.
remove_two() { [ ! -e "$two" ] || { find "$two" -type d -exec chmod u+w {} + && rm -rf "$two"; }; }
remove_two
cp -al "$store" "$two" && rm -rf "$two/nix/var" && cp -a "$store/nix/var" "$two/nix/"
again() { # DERIVATION
	"$gx" build --store "$two" --no-link --cores 1 --rebuild "$1^out"
}
check "in another root: the dependencies" again "$(value goDeps.drvPath)"
check "in another root: the package" again "$(value drvPath)"
check "in another root: a tool" again "$(gxeval --raw --store "$store" -E "(import $srcdir/stdlib/go { system = \"x86_64-linux\"; }).gofumpt.drvPath")"
remove_two

answers() {
	"$gx" run --store "$store" ./service -- -listen 127.0.0.1:0 >said &
	pid=$!
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
		address=$(sed -n 's/.*listens on //p' said)
		[ -z "$address" ] || break
		sleep 1
	done
	busybox wget -qO answer "$address/" && grep -q '"service":"go-service","version":"1.0.0"' answer
	rc=$?
	kill $pid
	wait $pid 2>/dev/null
	return $rc
}
check "gx run answers a request" answers

# Another platform: the header of an ELF file for aarch64 has 183 (b7 00) at offset 18.
cross="(import $srcdir/stdlib/go { system = \"x86_64-linux\"; }).buildGoModule { pname = \"go-service\"; src = ./service; GOOS = \"linux\"; GOARCH = \"arm64\"; }"
for_arm64() {
	out=$(gxeval --store "$store" --realise -E "$cross") || return 1
	[ "$(od -An -tx1 -j18 -N2 "$store$out/bin/go-service" | tr -d ' ')" = b700 ]
}
check "built for linux-arm64" for_arm64

# go.sum with a wrong sum: the module that comes is not the one that was meant.
sed -i 's|^\(github.com/google/uuid v1.6.0 h1:\).*|\1AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=|' service/go.sum
check "a sum that is wrong" mentions "checksum mismatch" "$gx" build --store "$store" --no-link ./service
