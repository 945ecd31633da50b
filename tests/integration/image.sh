# SPDX-License-Identifier: MIT
#
# Images on disk: what is in them, how they are named, and that they are the same wherever and whenever they are made.
. "$srcdir/tests/integration/lib.sh"
command -v python3 >/dev/null || { echo "python3 is missing"; exit 77; }
export XDG_CACHE_HOME="$PWD/cache" TMPDIR="$PWD/tmp" && mkdir tmp # others make images, too
cp -r "$srcdir/stdlib" std
mkdir -p odd/sub two long/$(printf 'd%.0s' $(seq 90))/$(printf 'e%.0s' $(seq 90))
echo x >odd/sub/.wh.gone
printf 'long\n' >"$(echo long/d*/e*)/file"
ln -s "$(printf 't%.0s' $(seq 150))" long/link
cat >t.gx <<'X'
let
  pkgs = import ./std { system = builtins.currentSystem; };
  inherit (pkgs) lib;
  hello = pkgs.writeShellScriptBin "hello" "echo hello";
  data = pkgs.writeTextDir "share/data" "data\n";
  tool = pkgs.runCommand "tool" { } "mkdir -p $out/bin $out/empty; echo ${data} >$out/bin/tool; chmod +x $out/bin/tool; ln -s tool $out/bin/alias";
  image = pkgs.buildImage {
    name = "registry.example/team/hello";
    tag = "1";
    contents = [ tool ];
    folders."/tmp".mode = "1777";
    folders."/data/own" = { uid = 1000; gid = 100; };
    config = {
      entrypoint = [ hello "now" ];
      cmd = "x";
      env = { A = "b"; N = 1; YES = true; };
      user = 1000;
      workdir = "/data/own";
      exposedPorts = [ 8080 "53/udp" ];
      volumes = [ "/data/own" ];
      labels.version = 2;
      stopSignal = "SIGTERM";
    };
    annotations.vendor = "me";
  };
  many = n: lib.concatStringsSep " " (map (i: builtins.toFile "f${toString i}" (toString i)) (lib.range 1 n));
  shell = pkgs.mkShell { packages = [ hello tool ]; env.FOO = "b'a r"; };
  small = args: pkgs.buildImage ({ name = "small"; config.env.ALL = many 3; } // args);
in
{
  inherit hello tool image;
  top = pkgs.buildImage { name = "top"; base = image; config = { cmd = [ "other" ]; env = { A = "mine"; C = "d"; }; }; };
  gzip = small { compression = "gzip"; };
  zstd = small { };
  grouped = pkgs.buildImage { name = "grouped"; layers = 10; config.env.ALL = many 80; };
  grouped1 = pkgs.buildImage { name = "grouped"; layers = 10; config.env.ALL = many 81; };
  odd = pkgs.buildImage { name = "odd"; config.env.ODD = "${./odd}"; };
  long = pkgs.buildImage { name = "long"; config.env.LONG = "${./long}"; };
  large = pkgs.runCommand "large" { } "mkdir $out; for f in a b; do head -c 52000000 /dev/zero >$out/$f; done; echo c >$out/c";
  file = pkgs.buildImage { name = "file"; contents = [ ]; config.cmd = [ "x" ]; };
  index = pkgs.buildImageIndex { name = "index"; images = [ image (pkgs.buildImage { name = "arm"; architecture = "arm64"; variant = "v8"; config.cmd = [ data ]; }) ]; };
  inherit shell;
  inShell = pkgs.buildImage { name = "in-shell"; inherit shell; config.env = { FOO = "mine"; PATH = "/bin"; TERM = "dumb"; }; };
  noShell = pkgs.buildImage { name = "no-shell"; shell = hello; };
  noFile = pkgs.buildImage { name = "no-file"; shell = pkgs.writeText "text" "some text"; };
  dev = pkgs.devContainerImage { name = "dev"; packages = [ hello ]; system = [ tool ]; shell = shell // { shellHook = "export HOOK=1"; }; };
  layered = pkgs.dockerTools.buildLayeredImage { name = "layered"; tag = "t"; contents = [ hello ]; config.Cmd = [ "/bin/hello" ]; extraCommands = "mkdir -p var/lib; echo x >var/lib/x"; };
  stream = pkgs.dockerTools.streamLayeredImage { name = "stream"; contents = hello; fromImage = image; };
  docker = pkgs.dockerTools.buildImage { name = "docker"; copyToRoot = [ hello pkgs.dockerTools.fakeNss ]; config.Entrypoint = [ "/bin/hello" ]; };
  slip = pkgs.buildImage { name = "x"; config.entrypoit = [ hello ]; };
  slip2 = pkgs.buildImage { name = "x"; contnets = [ hello ]; };
  root = pkgs.dockerTools.buildImage { name = "x"; runAsRoot = "id"; };
  now = pkgs.dockerTools.buildLayeredImage { name = "x"; created = "now"; };
  base = pkgs.buildImage { name = "x"; base = "alpine:3"; };
  form = pkgs.buildImage { name = "x"; form = "neither"; };
  folder = pkgs.buildImage { name = "x"; folders."../up" = { }; };
  mode = pkgs.buildImage { name = "x"; folders."/a".mode = "rwx"; };
  layers = pkgs.buildImage { name = "x"; layers = 1000; };
}
X
gx=${gxeval%/*}/gx
on() { # VERB ATTRIBUTE [OPTIONS...]
	_verb=$1
	_attr=$2
	shift 2
	gx image "$_verb" -q --store "$PWD/s" -f t.gx "$_attr" "$@"
}
# What python says of the JSON in a file, which is called x.
json() { # FILE EXPRESSION
	python3 -c 'import json, sys; x = json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$1" "$2"
}

on build image >digest 2>log || { cat log; echo "not ok - an image is made"; exit 1; }
check "its digest is that of its manifest" prints "$(cat digest)" python3 -c '
import hashlib, json
d = json.load(open("image/index.json"))["manifests"][0]["digest"]
assert d == "sha256:" + hashlib.sha256(open("image/blobs/sha256/" + d[7:], "rb").read()).hexdigest()
print(d)'
check "under its name" prints "registry.example/team/hello:1" json image/index.json 'x["manifests"][0]["annotations"]["org.opencontainers.image.ref.name"]'
on inspect image >i.json
check "its configuration" prints "{'Cmd': ['x'], 'Entrypoint': ['HELLO', 'now'], 'Env': ['A=b', 'N=1', 'YES=true'], 'ExposedPorts': {'53/udp': {}, '8080/tcp': {}}, 'Labels': {'version': '2'}, 'StopSignal': 'SIGTERM', 'User': '1000', 'Volumes': {'/data/own': {}}, 'WorkingDir': '/data/own'}" \
	sh -c 'python3 -c "import json, re; print(re.sub(r\"/nix/store/[a-z0-9]*-hello/bin/hello\", \"HELLO\", str(json.load(open(\"i.json\"))[\"config\"][\"config\"])))"'
check "no time is told" prints "['architecture', 'config', 'os', 'rootfs']" json i.json 'sorted(x["config"])'
check "what the manifest says besides" prints "['dev.gx.closure', 'org.opencontainers.image.title', 'vendor']" json i.json 'sorted(x["manifest"]["annotations"])'
check "layers are as they say" python3 - <<'X'
import hashlib, json
x = json.load(open("i.json"))
for l, id, d in zip(x["layers"], x["config"]["rootfs"]["diff_ids"], x["manifest"]["layers"]):
    blob = open("image/blobs/sha256/" + l["digest"][7:], "rb").read()
    assert "sha256:" + hashlib.sha256(blob).hexdigest() == l["digest"] == d["digest"]
    assert len(blob) == l["size"] == d["size"] and l["diffId"] == id
X
check "what is needed comes before what needs it" prints "[['data'], ['hello'], ['tool'], ['hello-root']]" \
	json i.json '[[p[44:] for p in l.get("paths", l.get("root"))] for l in x["layers"]]'

# --- the same everywhere ---
check "once more" prints "$(cat digest)" on digest image
check "in another store, by another user, elsewhere in the world" prints "$(cat digest)" \
	env TZ=Pacific/Apia HOME="$PWD/other" XDG_CACHE_HOME="$PWD/other/cache" LC_ALL=C gx image digest -q --store "$PWD/other/s" -f t.gx image
check "with another umask" prints "$(cat digest)" sh -c "umask 077; XDG_CACHE_HOME=$PWD/third '$gx' image digest -q --store '$PWD/s' -f t.gx image"
cp -a s/nix/store good
chmod -R u+w s/nix/store
for f in s/nix/store/*-tool/bin/tool s/nix/store/*-hello/bin/hello s/nix/store/*-data/share/data s/nix/store/*.image.json s/nix/store/*-hello-root/bin/tool; do
	rm -f "$f" && echo junk >"$f"
done
check "of what is remembered, nothing is read" prints "$(cat digest)" on digest image
remove s/nix/store && mv good s/nix/store

# --- what is in it ---
on build image --compression gzip --to oci:gz >/dev/null
check "unpacked it is what the store has" python3 - "$PWD/s" <<'X'
import json, os, subprocess, sys, tarfile
index = json.load(open("gz/index.json"))
blob = lambda d: "gz/blobs/sha256/" + d["digest"][7:]
for d in json.load(open(blob(index["manifests"][0])))["layers"]:
    with tarfile.open(blob(d)) as t:
        names = [m.name for m in t]
        assert len(names) == len(set(names)) and "." not in names and "" not in names, names
        for m in t:
            assert m.mtime == 1 and not m.uname and not m.gname, m
            if m.name == "data/own":
                assert (m.uid, m.gid, m.mode) == (1000, 100, 0o755)
            else:
                assert m.uid == m.gid == 0, m
            if m.name == "tmp":
                assert m.mode == 0o1777
        t.extractall("root", numeric_owner=False, filter=lambda m, p: m.replace(uid=os.getuid(), gid=os.getgid()))
gx = os.path.join(os.path.dirname(os.environ["gxeval"]), "gx")
hash = lambda p: subprocess.run([gx, "hash", "path", p], stdout=subprocess.PIPE, check=True).stdout
for p in os.listdir("root/nix/store"):
    assert hash("root/nix/store/" + p) == hash(sys.argv[1] + "/nix/store/" + p), p
assert len(os.listdir("root/nix/store")) == 3
assert os.readlink("root/bin/tool").startswith("/nix/store/"), os.readlink("root/bin/tool")
X
check "folders of packages are folders at the root" [ -d root/empty ]
on inspect zstd >zstd.json && on inspect gzip >gzip.json
check "gzip or zstd, it is the same inside" prints "True True" sh -c 'python3 -c "
import json
a, b = json.load(open(\"zstd.json\")), json.load(open(\"gzip.json\"))
print(a[\"config\"][\"rootfs\"] == b[\"config\"][\"rootfs\"], a[\"digest\"] != b[\"digest\"])"'
on build long --compression gzip --to oci:long-image >/dev/null
check "long names and links" python3 - <<'X'
import json, tarfile
blob = lambda d: "long-image/blobs/sha256/" + d["digest"][7:]
m = json.load(open(blob(json.load(open("long-image/index.json"))["manifests"][0])))
with tarfile.open(blob(m["layers"][0])) as t:
    byname = {x.name.split("-source/" if "-source/" in x.name else "-long/")[-1]: x for x in t}
    assert byname["d" * 90 + "/" + "e" * 90].isdir() and byname["d" * 90 + "/" + "e" * 90 + "/file"].size == 5
    assert byname["link"].linkname == "t" * 150
X
on inspect large --form tools >large.json
check "a large object is two layers" prints "[1, 2, None]" json large.json '[l.get("part") for l in x["layers"]] + [None]'
on build large --compression gzip --form tools --to oci:tools >/dev/null
check "tools have objects at the root, a large one in two halves" python3 - <<'X'
import json, tarfile
blob = lambda d: "tools/blobs/sha256/" + d["digest"][7:]
m = json.load(open(blob(json.load(open("tools/index.json"))["manifests"][0])))
parts = [[n.split("/", 1)[-1] for n in tarfile.open(blob(l)).getnames() if "/" in n] for l in m["layers"]]
assert parts == [["a"], ["b", "c"]], parts
assert all("/" not in tarfile.open(blob(l)).getnames()[0] for l in m["layers"])
X

# --- many objects ---
on inspect grouped >g.json && on inspect grouped1 >g1.json
check "many objects share layers" prints "True 80" json g.json 'str(len(x["layers"]) <= 10) + " " + str(sum(len(l["paths"]) for l in x["layers"]))'
check "one more changes one layer" prints 1 python3 -c '
import json
a, b = ([l["digest"] for l in json.load(open(f))["layers"]] for f in ("g.json", "g1.json"))
print(len(set(b) - set(a)))'

# --- bases, platforms, packages and shells ---
on inspect top >top.json
check "a base comes first, with its configuration" prints "True ['HELLO', 'now'] ['other'] ['N=1', 'YES=true', 'A=mine', 'C=d'] 1000" python3 -c '
import json, re
a, b = json.load(open("i.json")), json.load(open("top.json"))
c = b["config"]["config"]
n = len(a["layers"])
e = [re.sub("/nix/store/.*", "HELLO", w) for w in c["Entrypoint"]]
print([l["digest"] for l in b["layers"]][:n] == [l["digest"] for l in a["layers"]], e, c["Cmd"], c["Env"], c["User"])'
on inspect index >index.json
check "an image for two platforms" prints "[{'architecture': 'amd64', 'os': 'linux'}, {'architecture': 'arm64', 'os': 'linux', 'variant': 'v8'}]" \
	json index.json '[m["platform"] for m in x["manifest"]["manifests"]]'
check "any package is one" on build tool --to oci:packages
check "its program is what runs" prints "['/bin/tool'] /bin" python3 -c '
import json
blob = lambda d: json.load(open("packages/blobs/sha256/" + d["digest"][7:]))
c = blob(blob(json.load(open("packages/index.json"))["manifests"][0])["config"])["config"]
print([w[w.index("-tool") + 5:] for w in c["Entrypoint"]], c["Env"][0][c["Env"][0].index("-tool") + 5:])'
on inspect shell >shell.json
check "a shell is one: its variables, its packages in PATH" prints "[\"FOO=b'a r\", 'PATH=hello/bin:tool/bin']" python3 -c '
import json, re
print([re.sub("/nix/store/[a-z0-9]*-", "", v) for v in json.load(open("shell.json"))["config"]["config"]["Env"]])'
on inspect inShell >shell.json
check "one of a shell: what it sets itself stays, its PATH is behind" prints "['FOO=mine', 'TERM=dumb', 'PATH=hello/bin:tool/bin:/bin']" python3 -c '
import json, re
print([re.sub("/nix/store/[a-z0-9]*-", "", v) for v in json.load(open("shell.json"))["config"]["config"]["Env"]])'
check "again, out of what is remembered" sh -c 'gx image inspect -q --store "$PWD/s" -f t.gx inShell >again.json && cmp again.json shell.json'
check "what is no shell is told" complains "is no shell: that has no variables" on inspect noFile
check "nor is a folder" complains "is no shell" on inspect noShell
check "the image of a dev container" on build dev --to oci-archive:dev.tar:dev
mkdir dev && tar xf dev.tar -C dev
on inspect dev >dev.json
check "its user, and PATH: the shell, its tools, the system" prints "['vscode', '/workspaces', 'PATH=hello/bin:tool/bin:hello/bin:/usr/local/bin:/usr/bin:/bin']" python3 -c '
import json, re
c = json.load(open("dev.json"))["config"]["config"]
print([c["User"], c["WorkingDir"], re.sub("/nix/store/[a-z0-9]*-", "", [v for v in c["Env"] if v.startswith("PATH=")][0])])'
check "at its root are users, the system, and what the shell does when it is entered" prints "/usr/bin -> ../bin; vscode:x:1000:1000::/home/vscode:/bin/bash; export HOOK=1" python3 -c '
import io, json, re, tarfile, subprocess, glob
d = json.load(open("dev.json"))
blob = "dev/blobs/sha256/" + d["layers"][-1]["digest"][7:]
t = tarfile.open(fileobj=io.BytesIO(subprocess.run(["zstd", "-dcq", blob], stdout=subprocess.PIPE).stdout))
names = {m.name: m for m in t.getmembers()}
profile = glob.glob("s" + names["etc/profile"].linkname)[0]
passwd = t.extractfile("etc/passwd").read().decode().split()
print("/usr/bin -> %s; %s; %s" % (names["usr/bin"].linkname, passwd[1], open(profile).read().split("\n")[1]))'
on inspect layered >layered.json
check "dockerTools, with commands" prints "True layered t ['/bin/hello']" json layered.json 'str("root" in x["layers"][-1]) + " " + x["name"] + " " + x["tag"] + " " + str(x["config"]["config"]["Cmd"])'
check "streamLayeredImage on a base" on digest stream
check "buildImage with users" on digest docker

# --- what is said of it ---
on inspect image --sbom spdx >spdx.json && on inspect image --sbom cyclonedx >cyclonedx.json && on inspect image --provenance >from.json
check "a bill of materials, SPDX" prints "SPDX-2.3 ['registry.example/team/hello', 'data', 'hello', 'tool'] 4" \
	json spdx.json 'x["spdxVersion"] + " " + str([x["packages"][0]["name"]] + sorted(p["name"] for p in x["packages"][1:])) + " " + str(len(x["relationships"]))'
check "or CycloneDX" prints "CycloneDX 1.5 pkg:oci/hello@$(cat digest)?repository_url=registry.example/team/hello ['data', 'hello', 'tool']" \
	json cyclonedx.json '" ".join([x["bomFormat"], x["specVersion"], x["metadata"]["component"]["purl"], str(sorted(c["name"] for c in x["components"]))])'
check "provenance is about this digest" prints "$(cat digest)" json from.json '"sha256:" + x["subject"][0]["digest"]["sha256"]'
check "beside it in the folder" on build image --to oci:about:x --sbom spdx --provenance
check "as manifests that refer to it" python3 - "$(cat digest)" <<'X'
import hashlib, json, sys
blob = lambda d: open("about/blobs/sha256/" + d["digest"][7:], "rb").read()
image, *more = json.load(open("about/index.json"))["manifests"]
assert image["digest"] == sys.argv[1] and [d["artifactType"] for d in more] == ["application/spdx+json", "application/vnd.in-toto+json"]
for d in more:
    m = json.loads(blob(d))
    assert m["subject"]["digest"] == sys.argv[1] and m["artifactType"] == d["artifactType"]
    assert blob(m["config"]) == b"{}" and json.loads(blob(m["layers"][0]))
assert json.loads(blob(json.loads(blob(more[0]))["layers"][0])) == json.load(open("spdx.json"))
X

# --- engines ---
mkdir bin
printf '#!/bin/sh\necho "$0 $1 $2 $3" >>loaded\ntar xOf "$4" index.json manifest.json 2>/dev/null >>loaded\ntrue\n' >bin/podman
cp bin/podman bin/docker
chmod +x bin/podman bin/docker
mkdir only && cp bin/podman only && ln -s "$(command -v tar)" only/tar
check "podman is given it" env PATH="$PWD/only" "$gx" image load -q --store "$PWD/s" -f t.gx image
check "under its name" grep -q '"org.opencontainers.image.ref.name":"registry.example/team/hello:1"' loaded
check "docker as well" env PATH="$PWD/bin:$PATH" "$gx" image load -q --store "$PWD/s" -f t.gx image --to docker-daemon:other:3
check "under another" grep -q '"RepoTags":\["other:3"\]' loaded
check "where both are docker is" env PATH="$PWD/bin:$PATH" "$gx" image load -q --store "$PWD/s" -f t.gx image
check "with the words for it" prints "podman load -q -i
docker load -q -i
docker load -q -i" sed -n 's#.*/\(bin\|only\)/\([a-z]* load\)#\2#p' loaded
mkdir with:colon
check "a colon in the temporary folder begins no name" env TMPDIR="$PWD/with:colon" PATH="$PWD/bin:$PATH" "$gx" image load -q \
	--store "$PWD/s" -f t.gx image --to docker-daemon:third:1
check "and it is called as was said" grep -q '"RepoTags":\["third:1"\]' loaded
check "where there is none" complains "it is not installed" env PATH=/nowhere "$gx" image load -q --store "$PWD/s" -f t.gx image
check "another engine" complains "no place to load into" on load image --to cri:

# --- places ---
check "several in one folder" on build top --to oci:image:second
check "both are there" prints "['registry.example/team/hello:1', 'second']" json image/index.json '[m["annotations"]["org.opencontainers.image.ref.name"] for m in x["manifests"]]'
on build image --to oci-archive:a1.tar:x >/dev/null && on build image --to oci-archive:a2.tar:x >/dev/null
check "a file of it, twice the same" cmp a1.tar a2.tar
on build image --to docker-archive:d.tar:me:2 >/dev/null
check "as docker saves it" python3 - <<'X'
import hashlib, json, tarfile
with tarfile.open("d.tar") as t:
    m = json.load(t.extractfile("manifest.json"))[0]
    c = json.load(t.extractfile(m["Config"]))
    assert m["RepoTags"] == ["me:2"]
    assert ["sha256:" + hashlib.sha256(t.extractfile(l).read()).hexdigest() for l in m["Layers"]] == c["rootfs"]["diff_ids"]
X

# --- images of others ---
"$gx" image digest --store "$PWD/s" -f t.gx image >digest
for place in oci:image:registry.example/team/hello:1 oci-archive:a1.tar oci-archive:a1.tar:x; do
	check "the digest of $place" prints "$(cat digest)" "$gx" image digest "$place"
done
check "what is in it" sh -c "'$gx' image inspect oci-archive:a1.tar >theirs.json && on() { '$gx' image inspect --store '$PWD/s' -f t.gx image; } && on >ours.json"
check "is what it was" python3 -c '
import json
a, b = json.load(open("theirs.json")), json.load(open("ours.json"))
assert all(a[k] == b[k] for k in ("digest", "mediaType", "manifest", "config"))
assert [(l["digest"], l["diffId"]) for l in a["layers"]] == [(l["digest"], l["diffId"]) for l in b["layers"]]'
check "what docker saved" sh -c "'$gx' image inspect docker-archive:d.tar >docker.json"
check "is as it says" prints "['me:2'] 1000" json docker.json 'print(x["manifest"]["RepoTags"], x["config"]["config"]["User"]) or ""'
check "but has no digest" complains "no digest until it is pushed" "$gx" image digest docker-archive:d.tar
check "several in one folder: which" complains "2 images are in it" "$gx" image digest oci:image
check "none of that name" complains "there is no 'third'" "$gx" image digest oci:image:third
check "no folder of images" complains "cannot open 'index.json'" "$gx" image inspect oci:odd
check "no archive" complains "no tar archive" "$gx" image inspect oci-archive:t.gx
check "no place" complains "names no image" "$gx" image inspect oci:
cp -r image bent && chmod -R u+w bent && for f in bent/blobs/sha256/*; do [ "$(wc -c <"$f")" -gt 5000 ] || printf ' ' >>"$f"; done
varies='s/[0-9a-f]\{64\}/DIGEST/'
check "one that somebody changed" complains "another digest" "$gx" image inspect oci:bent:second
head -c 3000 a1.tar >cut.tar
check "an archive that is cut off" complains "cut.tar" "$gx" image inspect oci-archive:cut.tar

mkdir full && echo x >full/x
check "a folder with something else" complains "is no folder of images" on build image --to oci:full
check "what is no place" complains "is no place for an image" on build image --to nowhere
check "a docker archive of two platforms" complains "for several platforms" on build index --to docker-archive:x.tar
check "nothing is left behind" prints "" sh -c 'ls image/blobs/sha256 | grep new; ls -d "$TMPDIR"/gx-image-* 2>/dev/null; ls *.new 2>/dev/null; true'

# --- what cannot be ---
check "a name that means something is gone" complains "cannot be in an image" on digest odd
check "a word of config that is none" complains "'entrypoit' of 'config' is not known" on digest slip
check "an argument that is none" complains "did you mean 'contents'?" on digest slip2
check "running as root" complains "'runAsRoot' is not here" on digest root
on digest now >now.digest 2>now.log
check "an image that is made now has no time" [ -s now.digest ]
check "which is told" grep -qF "'x' would be another image each time it is made 'now'" now.log
check "a base without a digest" complains "'base' of the image is not" on digest base
check "a form that is none" complains "'form' of the image is not" on digest form
check "a folder above the root" complains "paths below the root" on digest folder
check "a mode that is none" complains "whose modes are as" on digest mode
check "too many layers" complains "a number from 1 to 120" on digest layers
for p in s/nix/store/*-tool; do
	chmod u+w "$p/bin" "$p/bin/tool"
	echo changed >>"$p/bin/tool"
done
check "an object that was damaged" complains "was damaged" env XDG_CACHE_HOME="$PWD/fresh" "$gx" image digest -q --store "$PWD/s" -f t.gx image
remove s other
