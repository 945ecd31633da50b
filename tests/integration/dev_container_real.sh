# SPDX-License-Identifier: MIT
#
# The dev container that gx init writes, with what it is for: gopls answers in it, and delve stops at a breakpoint. The image is that of
# .devcontainer/image.gx, with the toolchain, gopls and delve as they are published and Debian's programs around them; podman runs it.  Minutes where
# nothing is there yet, so only with TEST_TOOLS=1 (tests/integration/go_real.sh tells of that and of TEST_STORE).
. "$srcdir/tests/integration/lib.sh"
[ "${TEST_REAL-}" != no ] || { echo "TEST_REAL=no"; exit 77; }
[ -n "${TEST_TOOLS-}" ] || { echo "TEST_TOOLS is not set"; exit 77; }
[ "$(id -u)" = 0 ] || { echo "not root"; exit 77; }
for t in podman runc python3; do command -v $t >/dev/null || { echo "$t is not installed"; exit 77; }; done
wanted=go_1_26
. "$srcdir/tests/integration/lib/toolchain.sh"
gx=$builddir/gx
if ! timeout 300 gxeval --store "$store" --realise -E "($std).devContainerImage { name = \"probe\"; packages = [ ]; shell = ($std).mkShell { }; }" >probe.log 2>&1; then
	echo "Debian's packages cannot be fetched here: $(grep -m 1 '^ *error:' probe.log)"
	exit 77
fi

# --- a project, as somebody begins one
mkdir -p hello && cd hello || exit 1
printf 'module example.com/hello\n\ngo 1.26\n' >go.mod
cat >main.go <<'END'
package main

import "fmt"

// greet is what everybody is told.
func greet(name string) string {
	text := "hello, " + name
	return text
}

func main() {
	fmt.Println(greet("you"))
}
END
check "gx init" "$gx" init --devcontainer
sed -i 's/(pkgs.goFor .\/.)/pkgs.go_1_26/' flake.gx
"$gx" flake lock 2>/dev/null
cd ..

root=$PWD
# --- podman, with nothing of the machine's own
printf '[containers]\ndefault_ulimits=["nofile=4096:4096","nproc=4096:4096"]\n[engine]\ncgroup_manager="cgroupfs"\nevents_logger="file"\nruntime="runc"\n' >containers.conf
printf '[storage]\ndriver="overlay"\ngraphroot="%s/graph"\nrunroot="%s/run"\n' "$PWD" "$PWD" >storage.conf
export CONTAINERS_CONF="$PWD/containers.conf" CONTAINERS_STORAGE_CONF="$PWD/storage.conf" TMPDIR="$PWD"
mkdir -p home/.config/containers only
echo '{"default": [{"type": "insecureAcceptAnything"}]}' >home/.config/containers/policy.json
value() { python3 -c 'import json, sys; print(eval("json.load(open(sys.argv[2]))" + sys.argv[1]))' "$1" "$root/hello/.devcontainer/devcontainer.json"; }
# What the editor runs on the machine; its image is podman's then.
initialize() { (cd hello && PATH=${gxeval%/*}:$PATH sh -c "$(value '["initializeCommand"]') --store '$store' --to containers-storage:"); }
check "the image is made and loaded, as devcontainer.json says" initialize
image=$(value '["image"]')
podman --cgroup-manager cgroupfs run -d --name "gx-dev-$$" --network none --log-driver none --cap-add "$(value '["capAdd"][0]')" --security-opt "$(value '["securityOpt"][0]')" \
	-v "$PWD/hello:$PWD/hello" "$image" sleep 600 >started 2>&1 || {
	skip "the container" "no container runs here: $(tail -1 started | cut -c1-200)"
	umount -l graph/overlay 2>/dev/null
	remove graph run
	exit 0
}
trap 'podman --cgroup-manager cgroupfs rm -f -t 0 "gx-dev-$$" >/dev/null 2>&1; umount -l "$root/graph/overlay" 2>/dev/null; remove "$root/graph" "$root/run"' EXIT
chmod -R a+rwX hello
inside() { podman --cgroup-manager cgroupfs exec -w "$PWD/hello" "gx-dev-$$" "$@"; }
check "one is who devcontainer.json says" prints "$(value '["remoteUser"]')" inside id -un
check "what it does after it was made" inside sh -c "$(value '["postCreateCommand"]')"
check "go is the shell's" prints go1.26 inside sh -c 'go version | grep -o "go1\.26" | head -1'
gopls_says() {
	python3 "$srcdir/tests/integration/lib/lsp.py" hello main.go '?(greet' '(greet' -- podman --cgroup-manager cgroupfs exec -i -w "$PWD/hello" "gx-dev-$$" gopls >says &&
		grep -qF 'func greet(name string) string' says && grep -qF 'what everybody is told' says && grep -qxF "file://$PWD/hello/main.go" says || { cat says; return 1; }
}
check "gopls says what a function is, and where" gopls_says
stops() {
	printf 'break main.go:8\ncontinue\nprint text\nexit\n' >hello/commands
	inside dlv debug --init commands --allow-non-terminal-interactive . >stopped 2>&1
	grep -q '> \[Breakpoint 1\] main.greet() ./main.go:8' stopped && grep -q '"hello, you"' stopped || { cat stopped; return 1; }
}
check "delve stops at a breakpoint" stops
check "a program is built and run" prints "hello, you" inside go run .
