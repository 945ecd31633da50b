# SPDX-License-Identifier: MIT
#
# Images on their way into registries and out of them, also of such that lie, break off or are somebody else.
. "$srcdir/tests/integration/lib.sh"
command -v python3 >/dev/null || { echo "python3 is missing"; exit 77; }
gx=${gxeval%/*}/gx
export HOME="$PWD/home" XDG_CACHE_HOME="$PWD/cache"
unset DOCKER_CONFIG REGISTRY_AUTH_FILE XDG_RUNTIME_DIR
mkdir -p home/.docker bin
cp -r "$srcdir/stdlib" std
python3 -c 'import random; random.seed(1); open("large", "wb").write(random.randbytes(3000000))'
cat >t.gx <<'X'
let
  pkgs = import ./std { system = builtins.currentSystem; };
  make = args: pkgs.buildImage ({ name = "app"; config.env = { SMALL = builtins.toFile "small" "small\n"; LARGE = "${./large}"; }; } // args);
in
{
  app = make { };
  changed = make { config.env = { SMALL = builtins.toFile "small" "changed\n"; LARGE = "${./large}"; }; };
  named = make { name = "127.0.0.1:${import ./port.gx}/named/app"; tag = "2"; };
  two = pkgs.buildImageIndex { name = "two"; images = [ (make { }) (make { architecture = "arm64"; }) ]; };
  above = make { name = "above"; base = import ./base.gx; config.cmd = [ (builtins.toFile "more" "more\n") ]; };
}
X
echo >mode
: >requests
python3 "$srcdir/tests/integration/lib/registry.py" >server.log 2>&1 &
pid=$!
trap 'kill $pid 2>/dev/null' EXIT
until [ -s port ]; do kill -0 $pid || { cat server.log; exit 1; }; sleep 0.05; done
read -r port <port
echo "\"$port\"" >port.gx
at=127.0.0.1:$port
varies="s/$port/PORT/g;s/sha256:[0-9a-f]\{64\}/sha256:DIGEST/g"

mode() {
	echo "$*" >mode
	: >requests
	: >tokens
}
push() { # NAME [ATTRIBUTE] [OPTIONS...]
	_name=$1
	_attr=${2-app}
	shift
	[ $# -eq 0 ] || shift
	"$gx" image push --store "$PWD/s" -f t.gx "$_attr" --to "$at/$_name" "$@"
}
asked() { # COUNT PATTERN: so many requests
	prints "$1" sh -c 'grep -c -- "$0" requests || true' "$2"
}
# Pushes in the way the mode says, with no memory of where things went.
pushes() { # NAME MODE...
	_to=$1
	shift
	mode "$@"
	prints "$digest" push "$_to"
}
fails() { # TEXT MODE...
	_says=$1
	shift
	mode "$@"
	count=$((count + 1))
	complains "$_says" push "bad/$count"
}
count=0

digest=$("$gx" image digest --store "$PWD/s" -f t.gx app 2>log) || { cat log; exit 1; }
check "an image" pushes one/app
check "is there" python3 - "$at" "$digest" <<'X'
import hashlib, json, sys, urllib.request
get = lambda p: urllib.request.urlopen("http://%s/v2/one/app/%s" % (sys.argv[1], p)).read()
m = get("manifests/latest")
assert "sha256:" + hashlib.sha256(m).hexdigest() == sys.argv[2]
for d in json.loads(m)["layers"] + [json.loads(m)["config"]]:
    assert "sha256:" + hashlib.sha256(get("blobs/" + d["digest"])).hexdigest() == d["digest"]
X
mode
check "once more it is asked for" sh -c "'$gx' image push --store '$PWD/s' -f t.gx app --to $at/one/app 2>said && grep -q 'it is there already' said"
check "and nothing else" prints "HEAD /v2/one/app/manifests/latest 127.0.0.1 -" cat requests
mode
check "what changed" push one/app changed
check "goes alone: a layer and the configuration" asked 2 "^PUT /v2/one/app/blobs"
mode
check "another repository takes it over" prints "$digest" push two/app
check "and nothing is sent" asked 0 "^P[UA]T.*/blobs"
mode
check "one with a registry in its name" sh -c "'$gx' image push --store '$PWD/s' -f t.gx named"
check "goes there" asked 1 "^PUT /v2/named/app/manifests/2 "
mode
check "several platforms" push multi two
check "their manifests come first" prints "3" sh -c "grep -c '^PUT /v2/multi/manifests/' requests"
check "and the index has the name" sh -c "tail -1 requests | grep -q '^PUT /v2/multi/manifests/latest '"

# --- what is said of it
mode
check "bills go with it" push said/app app --sbom spdx --provenance
check "a tag lists them" python3 - "$at" "$digest" <<'X'
import json, sys, urllib.request
get = lambda p: json.load(urllib.request.urlopen("http://%s/v2/said/app/manifests/%s" % (sys.argv[1], p)))
x = get("sha256-" + sys.argv[2][7:])
assert [m["artifactType"] for m in x["manifests"]] == ["application/spdx+json", "application/vnd.in-toto+json"], x
assert all(get(m["digest"])["subject"]["digest"] == sys.argv[2] for m in x["manifests"])
X
mode
check "twice" push said/app app --sbom spdx
check "is one" python3 -c '
import json, sys, urllib.request
x = json.load(urllib.request.urlopen("http://%s/v2/said/app/manifests/sha256-%s" % (sys.argv[1], sys.argv[2][7:])))
assert len(x["manifests"]) == 2' "$at" "$digest"
mode referrers
check "a registry that knows of such things" push known/app app --sbom cyclonedx
check "needs no tag" asked 0 "/manifests/sha256-"
check "and lists them itself" python3 -c '
import json, sys, urllib.request
x = json.load(urllib.request.urlopen("http://%s/v2/known/app/referrers/%s" % tuple(sys.argv[1:])))
assert [m["artifactType"] for m in x["manifests"]] == ["application/vnd.cyclonedx+json"], x' "$at" "$digest"

# --- who one is
mode token
check "a registry that wants to know" complains "does not let everybody use" sh -c "echo everybody basic >mode; '$gx' image push --store '$PWD/s' -f t.gx app --to $at/auth/app"
mode token
check "no token for nobody" complains "no token from" push auth/app
check "everybody may" pushes auth/everybody token everybody
auth=$(printf 'me:secret' | base64)
printf '{"auths": {"http://%s/v1/": {"auth": "%s"}}}' "$at" "$auth" >home/.docker/config.json
check "docker's file, a token" pushes auth/token token
check "is asked for with all repositories" grep -q "scope=repository%3Aauth%2Ftoken%3Apull%2Cpush" tokens
check "and the service" grep -q 'service=here%2C%20%22there%22' tokens
check "a token that ends" pushes auth/expired token expired
check "docker's file, with each request" pushes auth/basic basic
rm home/.docker/config.json
mkdir -p home/.config/containers
printf '{"auths": {"%s/other": {"auth": "bad"}, "%s/auth": {"auth": "%s"}}}' "$at" "$at" "$auth" >home/.config/containers/auth.json
check "podman's file, by repository" pushes auth/podman token
rm home/.config/containers/auth.json
printf '{"auths": {"%s": {"identitytoken": "again"}}}' "$at" >home/.docker/config.json
check "a refresh token" pushes auth/refresh token refresh
check "goes in a body" sh -c "grep -q 'grant_type=refresh_token' tokens && ! grep -q '?.*again' tokens"
printf '#!/bin/sh\nread -r server\necho "$1 $server" >>asked-helper\n[ "$server" = %s ] || exit 1\necho "{\\"Username\\": \\"me\\", \\"Secret\\": \\"secret\\"}"\n' "$at" >bin/docker-credential-test
chmod +x bin/docker-credential-test
PATH=$PWD/bin:$PATH
printf '{"credHelpers": {"%s": "test"}}' "$at" >home/.docker/config.json
check "a credential helper" pushes auth/helper basic
check "which is asked once" prints "get $at" cat asked-helper
printf '{"credsStore": "test"}' >home/.docker/config.json
check "one for all registries" pushes auth/store token
printf '{"credsStore": "../evil"}' >home/.docker/config.json
check "a helper elsewhere" fails "has a name that is none" token
printf '{"credsStore": "missing"}' >home/.docker/config.json
check "a helper that is missing" fails "is not installed" token
printf '{"auths": ' >home/.docker/config.json
check "a file that is cut off" fails "in '$HOME/.docker/config.json'" token
printf '{"auths": {"%s": {"auth": "%s"}}}' "$at" "$auth" >home/.docker/config.json

# Whoever one is, is told to nobody else.
check "a realm elsewhere is asked as nobody" fails "who you are was not told to it" token realm-elsewhere
check "and is not told" sh -c "grep -q '^GET /token.* localhost -$' requests && ! grep -q 'localhost Basic' requests"
check "an upload that goes elsewhere" pushes auth/away token away no-mount
check "has no token with it" sh -c "grep -q '^PATCH /away.* localhost -$' requests && ! grep -q ' localhost [BT]' requests"
check "a password with each request" pushes auth/away2 basic away no-mount
check "does not go there either" sh -c "grep -q '^PATCH /away.* localhost -$' requests && ! grep -q ' localhost B' requests"
check "tokens that would be two lines" fails "there is no token in the answer" token junk-token
check "no token" fails "there is no token in the answer" token no-token
check "a token without end" fails "larger than 65536 bytes" token huge-token
check "who may not" fails "does not let you use" token deny
check "too often" fails "asked too often" busy
# A setting is called secret-key-files.
check "neither password nor token is kept anywhere" sh -c "! grep -rl 'secret\([^-]\|\$\)\|token-\|$auth' cache s/nix/store s/nix/var 2>/dev/null | grep -v sqlite"

# --- on the way
rm home/.docker/config.json
check "what breaks off" pushes way/break break no-mount
check "goes on where it stopped" asked 2 "^PATCH"
check "a session that is forgotten" pushes way/forget forget no-mount
breaks() { # MODE...: what the system says of connections differs
	mode "$@"
	count=$((count + 1))
	mentions "a blob for '$at/bad/$count'" push "bad/$count"
}
check "one that never takes anything" breaks broken no-mount
check "is given up after a while" sh -c "[ \"\$(grep -c ^PATCH requests)\" -le 15 ]"
check "one that has more than there is" breaks broken too-far no-mount
check "one that says not where to" fails "does not say where to send it" no-location no-mount
check "one that says an address that is none" fails "does not say where to send it" bad-location no-mount
check "another digest" fails "the registry says that it has" lie-digest no-mount
check "another digest of a manifest" fails "says that the image it took has the digest" lie-digest
check "another length" pushes way/length lie-length
mode
push way/length >/dev/null 2>&1
mode lie-length
"$gx" image push --store "$PWD/s" -f t.gx changed --to "$at/way/length" >/dev/null 2>&1
check "is another blob" asked 1 "^PATCH"

# --- bases
echo "\"$at/one/app@$digest\"" >base.gx
mode
base() { # MODE...: a base, asked for anew
	mode "$@"
	rm -rf cache
	"$gx" image build -q --store "$PWD/s" -f t.gx above --to oci:above
}
check "a base of a registry" base
check "its layers are in the folder" python3 - <<'X'
import hashlib, json
blob = lambda d: open("above/blobs/sha256/" + d["digest"][7:], "rb").read()
m = json.loads(blob(json.load(open("above/index.json"))["manifests"][0]))
for d in m["layers"]:
    assert "sha256:" + hashlib.sha256(blob(d)).hexdigest() == d["digest"]
c = json.loads(blob(m["config"]))
assert len(m["layers"]) == len(c["rootfs"]["diff_ids"]) == 3, m
assert any(v.startswith("LARGE=") for v in c["config"]["Env"]) and len(c["config"]["Cmd"]) == 1
X
mode
check "its digest needs no registry" sh -c "'$gx' image digest --store '$PWD/s' -f t.gx above && ! [ -s requests ]"
mode
check "on top of it, the base is taken over" push above/app above
check "from where it is" asked 2 "^POST .*&from=one/app"
for how in other-manifest cut-manifest huge-manifest other-blob short-blob long-blob redirect-loop redirect-file redirect-flood; do
	rm -rf above
	check "a base: $how" complains "the b" base $how
done
echo "\"$at/one/none@$digest\"" >base.gx
check "a base that is not there" complains "the server says 404" base

# --- what images of others are made of
mode
push multi two >/dev/null 2>&1
look() { # VERB NAME MODE...
	_verb=$1 _of=$2
	shift 2
	mode "$@"
	"$gx" image "$_verb" "docker://$at/$_of"
}
same_config() {
	look inspect two/app >remote.json && "$gx" image inspect --store "$PWD/s" -f t.gx app >own.json && python3 -c '
import json
a, b = json.load(open("remote.json")), json.load(open("own.json"))
assert all(a[k] == b[k] for k in ("digest", "mediaType", "manifest", "config")), (a, b)
assert all(all(x[k] == y[k] for k in ("digest", "diffId", "size", "mediaType")) for x, y in zip(a["layers"], b["layers"]))
assert len(a["layers"]) == len(b["layers"])'
}
check "one in a registry is what it was here" same_config
check "no layer is read for it" asked 2 "^GET"
check "its digest" prints "$digest" look digest two/app
check "by its digest" prints "$digest" look digest "two/app@$digest"
check "several platforms" sh -c "'$gx' image inspect docker://$at/multi >multi.json"
check "each with what it is for" prints "linux/amd64 linux/arm64" python3 -c '
import json
x = json.load(open("multi.json"))
assert all(i["layers"] and i["config"] for i in x["images"])
print(*sorted("%s/%s" % (i["os"], i["architecture"]) for i in x["images"]))'
check "led elsewhere" prints "$digest" look digest two/app redirect-away
printf '{"auths": {"%s": {"auth": "%s"}}}' "$at" "$auth" >home/.docker/config.json
check "with a token" prints "$digest" look digest two/app token redirect-away
check "which goes to nobody else" sh -c "grep -q '^GET /away.* localhost -$' requests && ! grep -q ' localhost B' requests"
rm home/.docker/config.json
for how in other-manifest cut-manifest huge-manifest deep-manifest many-manifest other-blob short-blob long-blob redirect-loop redirect-file \
	redirect-flood; do
	check "one in a registry: $how" complains "" look inspect two/app $how
done
mode
python3 - "$at" <<'X'
import hashlib, json, sys, urllib.request
kind = "application/vnd.oci.image.index.v1+json"
def put(name, x):
    data = json.dumps(x).encode()
    q = urllib.request.Request("http://%s/v2/odd/manifests/%s" % (sys.argv[1], name), data=data, method="PUT", headers={"Content-Type": kind})
    urllib.request.urlopen(q)
    return {"mediaType": kind, "digest": "sha256:" + hashlib.sha256(data).hexdigest(), "size": len(data)}
inner = put("inner", {"schemaVersion": 2, "mediaType": kind, "manifests": []})
put("outer", {"schemaVersion": 2, "mediaType": kind, "manifests": [inner]})
put("md5", {"schemaVersion": 2, "mediaType": kind, "manifests": [dict(inner, digest="md5:00")]})
put("negative", {"schemaVersion": 2, "mediaType": kind, "manifests": [dict(inner, size=-1)]})
put("escape", {"schemaVersion": 2, "mediaType": kind, "manifests": [dict(inner, digest="sha256:../../../../etc/passwd")]})
X
check "an index of an index" complains "lists an index" look inspect odd:outer
for tag in md5 negative escape; do
	check "an index: $tag" complains "makes no sense" look inspect odd:$tag
done
check "what is not there" complains "404" look inspect one/none
check "names of others that are none" complains "is no name of an image" look digest "Upper/Case"
check "two at once" status 2 "$gx" image digest "docker://$at/one/app" "docker://$at/multi"

check "names that are none" complains "is no name of an image" push "Upper/Case"
check "a tag that is none" complains "its tag is none" push "one/app:-x"
check "a digest to push to" complains "not to a digest" push "one/app@$digest"
check "no name at all" complains "--to says where it goes" "$gx" image push --store "$PWD/s" -f t.gx app
check "nothing is left behind" prints "" sh -c 'ls -d "${TMPDIR:-/tmp}"/gx-image-* 2>/dev/null; true'
touch stop
remove s
