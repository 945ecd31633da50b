# SPDX-License-Identifier: MIT
#
# Images beside the tools that others have for them: docker-registry, skopeo, umoci, podman, runc, buildah and containerd, those of them that are
# installed, and crane, which gx:std has, with TEST_TOOLS=1 and a store to keep it in (tests/integration/go_real.sh).
. "$srcdir/tests/integration/lib.sh"
gx=${gxeval%/*}/gx
export HOME="$PWD/home" XDG_CACHE_HOME="$PWD/cache"
unset DOCKER_CONFIG REGISTRY_AUTH_FILE
mkdir home
cp -r "$srcdir/stdlib" std
cat >t.gx <<'X'
let
  pkgs = import ./std { system = builtins.currentSystem; };
  # The shell of the builders, with a few of its own programs.
  tools = pkgs.runCommand "tools" { } ''
    mkdir -p $out/bin
    cp "$(readlink -f /proc/self/exe)" $out/bin/busybox
    for f in sh id touch cat sleep httpd wget; do ln -s busybox $out/bin/$f; done
  '';
  hello = pkgs.writeShellScriptBin "hello" "echo hello, $(id -u)";
in
{
  inherit tools;
  app = pkgs.buildImage {
    name = "gx-test/app";
    tag = "1";
    contents = [ tools ];
    folders."/data".uid = 1000;
    folders."/tmp".mode = "1777";
    config = { entrypoint = [ hello ]; user = "1000"; workdir = "/data"; env.PATH = "/bin"; };
  };
}
X
on() { # VERB OPTIONS...
	_verb=$1
	shift
	"$gx" image "$_verb" -q --store "$PWD/s" -f t.gx "$@"
}
have() { # PROGRAM
	command -v "$1" >/dev/null
}
digest=$(on build app --to oci:zstd:x 2>log) || { cat log; exit 1; }
on build app --compression gzip --to oci:gzip:x >gzip.digest || exit 1
on build app --to docker-archive:docker.tar:gx-test/app:1 >/dev/null || exit 1
on build app --to oci-archive:oci.tar:gx-test/app:1 >/dev/null || exit 1
hash() { "$gx" hash path "$1"; }

# --- skopeo
if have skopeo; then
	echo '{"default": [{"type": "insecureAcceptAnything"}]}' >policy
	skopeo() {
		command skopeo --policy policy "$@"
	}
	for at in oci:zstd:x oci:gzip:x oci-archive:oci.tar docker-archive:docker.tar; do
		check "skopeo copies $at" skopeo copy -q "$at" "oci:copy-$(echo "$at" | tr : -)"
	done
	check "and it is the same image" prints "$digest" skopeo inspect --format '{{.Digest}}' oci:copy-oci-zstd-x
	[ "$digest" = "$(skopeo inspect --format '{{.Digest}}' oci:zstd:x)" ] || echo "not ok - skopeo sees another digest"
else
	skip "skopeo" "it is not installed"
fi

# --- umoci
if have umoci && [ "$(id -u)" = 0 ]; then
	check "umoci unpacks it" umoci unpack --image gzip:x bundle
	check "what is in it is what the store has" prints "$(hash s/nix/store/*-tools)" hash bundle/rootfs/nix/store/*-tools
	check "owners are as they were said" prints "1000 755" stat -c '%u %a' bundle/rootfs/data
else
	skip "umoci" "it is not installed, or this is not root"
fi

# --- runc
if have runc && [ -d bundle/rootfs ]; then
	python3 - <<'X'
import json
c = json.load(open("bundle/config.json"))
c["process"].update(terminal=False)
c["process"].pop("rlimits", None)
c["root"]["readonly"] = True
c["process"]["args"] = ["/bin/sh", "-c", "id -u; touch /nix/store/x || echo read-only"]
json.dump(c, open("bundle/config.json", "w"))
X
	runc --root "$PWD/runc" run -b bundle "gx-test-$$" >ran 2>ran.err
	if grep -q '^1000$' ran; then
		check "runc runs it, as who it says, read-only" prints "1000
read-only" cat ran
	else
		skip "runc" "no container runs here: $(tail -1 ran.err | cut -c1-200)"
	fi
else
	skip "runc" "it is not installed, or there is nothing to run"
fi

# --- a registry
if have docker-registry && have python3; then
	port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
	printf 'version: 0.1\nlog: {accesslog: {disabled: false}}\nstorage: {filesystem: {rootdirectory: "%s/registry"}, delete: {enabled: true}}\nhttp: {addr: "127.0.0.1:%s"}\n' "$PWD" "$port" >registry.yml
	: >registry.log
	docker-registry serve registry.yml >>registry.log 2>&1 &
	pid=$!
	trap 'kill $pid 2>/dev/null' EXIT
	until python3 -c "import urllib.request; urllib.request.urlopen('http://127.0.0.1:$port/v2/')" 2>/dev/null; do
		kill -0 $pid || { cat registry.log; exit 1; }
		sleep 0.1
	done
	at=127.0.0.1:$port
	check "docker-registry takes it" prints "$digest" on push app --to "$at/team/app:1"
	check "and what is said of it" prints "$digest" on push app --to "$at/team/app:1" --sbom spdx
	check "another repository takes it over" prints "$digest" on push app --to "$at/other/app:1"
	: >registry.log
	check "once more" prints "$digest" on push app --to "$at/team/app:1"
	check "no blob is sent" prints 0 sh -c "grep -c '\"P[A-Z]* /v2/' registry.log || true"
	if have skopeo; then
		check "skopeo sees it there" prints "$digest" skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$at/team/app:1"
		check "and fetches all of it" skopeo copy -q --src-tls-verify=false "docker://$at/other/app:1" oci:fetched
	fi
	check "gx sees what it sent" prints "$digest" "$gx" image digest "docker://$at/team/app:1"
	crane=$(command -v crane || { [ -n "${TEST_TOOLS-}" ] && [ -n "${TEST_STORE-}" ] && [ "${TEST_REAL-}" != no ] &&
		echo "$TEST_STORE$("$gx" build --store "$TEST_STORE" --no-link --print-out-paths -E '(import ./std { system = builtins.currentSystem; }).crane' 2>crane.log)/bin/crane"; })
	if [ -n "$crane" ] && [ -x "$crane" ]; then
		on push app --compression gzip --to "$at/gzip/app:1" >/dev/null
		check "crane finds it valid, each layer" "$crane" validate --insecure --remote "$at/gzip/app:1"
		check "it is the same to it" prints "$(cat gzip.digest)" "$crane" digest --insecure "$at/gzip/app:1"
	else
		skip "crane" "it is not built here"
	fi
	kill $pid
else
	skip "docker-registry" "it is not installed"
fi

# --- buildah
if have buildah && [ "$(id -u)" = 0 ]; then
	printf '[storage]\ndriver="vfs"\ngraphroot="%s/bgraph"\nrunroot="%s/brun"\n' "$PWD" "$PWD" >buildah.conf
	mkdir -p home/.config/containers
	echo '{"default": [{"type": "insecureAcceptAnything"}]}' >home/.config/containers/policy.json
	buildah() {
		CONTAINERS_STORAGE_CONF="$PWD/buildah.conf" TMPDIR="$PWD" command buildah "$@"
	}
	check "buildah takes it for a base" buildah from --name gx-test "oci:zstd:x"
	check "as what it says it is" prints 1000 buildah inspect --format '{{.OCIv1.Config.User}}' gx-test
	remove bgraph brun
else
	skip "buildah" "it is not installed, or this is not root"
fi

# --- containerd
if have containerd && have ctr && have runc && [ "$(id -u)" = 0 ]; then
	# Sockets have short names.
	run=$(mktemp -d /tmp/gx-ctr.XXXXXX)
	cat >containerd.toml <<X
version = 2
root = "$run/root"
state = "$run/state"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.devmapper"]
[grpc]
address = "$run/sock"
X
	containerd -c containerd.toml >containerd.log 2>&1 &
	cpid=$!
	ctr() {
		command ctr -a "$run/sock" "$@"
	}
	until ctr version >/dev/null 2>&1 || ! kill -0 $cpid 2>/dev/null; do sleep 0.1; done
	check "containerd takes it" ctr images import --snapshotter native oci.tar
	on build app --compression gzip --to oci-archive:gzip.tar:gx-test/gzip:1 >/dev/null
	check "with gzip too" ctr images import --snapshotter native gzip.tar
	ctr images ls >images
	check "it is the same to it" grep -q "^gx-test/app:1 .*$digest" images
	if ctr run --rm --snapshotter native --runc-binary runc --read-only gx-test/app:1 "gx-$$" >ran 2>ran.err; then
		check "and runs it, read-only, as who it says" prints "hello, 1000" cat ran
		check "nobody can write to the store" mentions "Read-only" ctr run --rm --snapshotter native --read-only gx-test/gzip:1 "gxw-$$" /bin/touch /nix/store/x
	else
		skip "containerd" "no container runs here: $(tail -1 ran.err | cut -c1-200)"
	fi
	kill $cpid
	wait $cpid 2>/dev/null
	remove "$run"
else
	skip "containerd" "it is not installed, or this is not root"
fi

# --- podman
if have podman && have runc && [ "$(id -u)" = 0 ]; then
	printf '[containers]\ndefault_ulimits=["nofile=1024:1024","nproc=4096:4096"]\n[engine]\ncgroup_manager="cgroupfs"\nevents_logger="file"\nruntime="runc"\n' >containers.conf
	printf '[storage]\ndriver="vfs"\ngraphroot="%s/graph"\nrunroot="%s/run"\n' "$PWD" "$PWD" >storage.conf
	export CONTAINERS_CONF="$PWD/containers.conf" CONTAINERS_STORAGE_CONF="$PWD/storage.conf" TMPDIR="$PWD"
	mkdir -p home/.config/containers
	echo '{"default": [{"type": "insecureAcceptAnything"}]}' >home/.config/containers/policy.json
	run() {
		podman --cgroup-manager cgroupfs run --rm --network none --read-only --log-driver none "$@"
	}
	if check "podman is given it" on load app --to containers-storage:gx-test/app:1 && run localhost/gx-test/app:1 >ran 2>ran.err; then
		check "and runs it, read-only, as who it says" prints "hello, 1000" cat ran
		check "the store cannot be written to" mentions "Read-only" run --entrypoint /bin/touch localhost/gx-test/app:1 /nix/store/x
		check "its folder is its own" run --read-only=false --entrypoint /bin/touch localhost/gx-test/app:1 /data/x
		check "HTTP is answered from it" prints "hello" run --entrypoint /bin/sh localhost/gx-test/app:1 -c \
			'cd /tmp && echo hello >index.html && busybox httpd -p 127.0.0.1:8080 -h /tmp && busybox wget -q -O - http://127.0.0.1:8080/'
	else
		skip "podman" "no container runs here: $(tail -1 ran.err 2>/dev/null | cut -c1-200)"
	fi
	umount -l graph/* 2>/dev/null
else
	skip "podman" "it is not installed, or this is not root"
fi
remove s graph run bundle
