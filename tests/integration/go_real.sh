# SPDX-License-Identifier: MIT
#
# The main job on real input: examples/go-service with the toolchain, the tools and the modules as their publishers serve them, through
# the user's module proxy.  Skipped without a network.  It takes minutes where nothing is there yet; TEST_STORE names a store
# to keep between runs (CI caches it), and TEST_TOOLS=1 builds gopls and staticcheck too.
. "$srcdir/tests/integration/lib.sh"
gx=$builddir/gx
store=${TEST_STORE:-$PWD/s}

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
check "the source is formatted" prints "" in_shell sh -c 'cd service && gofumpt -l .'
if [ -n "${TEST_TOOLS-}" ]; then
	check "gopls" in_shell sh -c 'gopls version | grep -q v0'
	check "staticcheck finds nothing" in_shell sh -c 'cd service && GOFLAGS=-modcacherw staticcheck ./...'
fi
quick() {
	in_shell true 2>again.log && [ ! -s again.log ] || { cat again.log; return 1; }
}
check "a second time builds nothing and says nothing" env GOPROXY=off "$gx" develop --store "$store" "./service#$shell" --command true
check "and is silent" quick

check "the package, its tests run" sh -c '"$1" build --store "$2" --no-link --print-out-paths ./service >out' - "$gx" "$store"
check "built again it is the same" "$gx" build --store "$store" --no-link --rebuild ./service

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
check "a sum that is wrong" complains "checksum mismatch" "$gx" build --store "$store" --no-link ./service
