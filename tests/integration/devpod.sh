# SPDX-License-Identifier: MIT
#
# DevPods on paper: what gx devpod prints for kubectl.  What they become is tested as expressions (tests/golden/std/devpod_*).
. "$srcdir/tests/integration/lib.sh"
gx=${gxeval%/*}/gx
image=registry.example/a@sha256:6105d6cc76af400325e94d588ce511be5bfdbb73b437dc51eca43917d7a43e3d
cat >flake.gx <<X
{
  outputs = { self }: {
    devpods.me = { metadata.name = "me"; spec = { image = "$image"; store.image = "$image"; }; };
    devpods.other = { metadata.name = "me"; spec = { image = "$image"; store.image = "$image"; hostPID = true; }; };
  };
}
X
echo "{\"apiVersion\":\"gx.dev/v1alpha1\",\"kind\":\"DevPod\",\"metadata\":{\"name\":\"me\"},\"spec\":{\"image\":\"$image\",\"store\":{\"image\":\"$image\"}}}" >me.json
"$gx" devpod render .#devpods.me >flake.out
"$gx" devpod render me.json >file.out
kinds() { # FILE
	python3 -c 'import json, sys; print(*[i["kind"] for i in json.load(open(sys.argv[1]))["items"]])' "$1"
}
check "of a flake" prints "ServiceAccount NetworkPolicy Pod" kinds flake.out
check "of a file, the same" cmp flake.out file.out
check "of standard input" sh -c "'$gx' devpod render - <me.json | cmp - flake.out"
"$gx" devpod manifests --image "$image" --namespace tools >manifests.out
check "what a cluster needs" prints "Namespace CustomResourceDefinition ServiceAccount ClusterRole ClusterRoleBinding Role RoleBinding ClusterRole Deployment" kinds manifests.out
check "in that namespace" prints "tools" python3 -c 'import json; print(json.load(open("manifests.out"))["items"][-1]["metadata"]["namespace"])'
check "one that asks for more" complains "'hostPID' is not known" "$gx" devpod render .#devpods.other
check "one of another kind" complains "this is no DevPod" sh -c "sed s/DevPod/Pod/ me.json | '$gx' devpod render -"
check "no JSON" complains "JSON" sh -c "echo '{' | '$gx' devpod render -"
check "no file" complains "cannot read" "$gx" devpod render missing.json
check "a controller without an image" complains "--image says" "$gx" devpod manifests
check "by its tag" complains "given by its digest" "$gx" devpod manifests --image registry.example/gx:1
check "in a namespace that is none" complains "is no name of a namespace" "$gx" devpod manifests --image "$image" --namespace A
