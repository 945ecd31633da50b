# SPDX-License-Identifier: MIT
#
# DevPods in a cluster: who one is to it, apply, status, shell, delete; an API server that refuses, breaks off, talks nonsense.  The server is
# lib/cluster.py; the same verbs against a real Kubernetes: tests/cluster.sh.
. "$srcdir/tests/integration/lib.sh"
. "$srcdir/tests/integration/lib/cluster.sh"
cat >me.yaml <<X
apiVersion: gx.dev/v1alpha1
kind: DevPod
metadata: {name: me}
spec:
  image: $image
  store: {image: $image}
  env: [{name: COLOUR, value: blue}]
X
pods=/api/v1/namespaces/team/pods
# A pod may have a reason to wait before it is looked at.
varies="$varies;/: Pending\$/d"
context() { # NAME ARGUMENTS...
	_context=$1
	shift
	"$gx" devpod "$@" --context "$_context"
}

# --- who one is ---

mode no-crd
echo good >token
cat >who <<'X'
#!/bin/sh
echo "$KUBERNETES_EXEC_INFO" >who.info
echo run >>who.runs
[ "$1" = later ] || exit 3
token=good
[ ! -e plugin-old ] || { token=later; rm plugin-old; }
printf '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"%s"}}' $token
X
chmod +x who
for c in alice certificate basic file plugin by-name below insecure; do
	check "status as $c" prints "" context $c status
done
check "what a server's paths begin with is asked for" grep -q "^GET /clusters/one/api/v1/namespaces/default/pods?limit" requests
check "a plugin is told which cluster" grep -qF "\"server\":\"https://127.0.0.1:$port\"" who.info
touch plugin-old
: >who.runs
check "one whose token is not believed is asked again" prints "" context plugin status
check "once" prints 2 sh -c 'wc -l <who.runs | tr -d " "'
check "a token that is not believed" complains "Unauthorized" context wrong status
check "is in no message" sh -c '! grep -q hunter2 complains.log'
check "a plugin that is missing" complains "ask the administrator" context no-plugin status
check "a context that is missing" complains "has no context" context nobody status
check "a certificate of nobody's" mentions "cannot speak to the cluster" context unknown status
check "of another name" mentions "cannot speak to the cluster" context other-name status
echo "a b" >token
check "a file that holds no token" complains "holds no token" context file status
check "a kubeconfig that is none" complains "it is no kubeconfig" "$gx" devpod status --kubeconfig "$PWD/token"
check "none at all" complains "nothing says which cluster" env KUBECONFIG= "$gx" devpod status
printf 'clusters: [' >broken.yaml
check "broken YAML" complains "the kubeconfig" "$gx" devpod status --kubeconfig broken.yaml

# --- without a controller ---

check "apply" "$gx" devpod apply me.yaml
check "what it becomes is there" is "['me']" $pods "[i['metadata']['name'] for i in o['items']]"
check "in the context's namespace" is 200 /api/v1/namespaces/team/serviceaccounts/me "o.get('code', 200)"
check "and a policy" is 200 /apis/networking.k8s.io/v1/namespaces/team/networkpolicies/me "o.get('code', 200)"
uid=$(has $pods/me "o['metadata']['uid']")
check "again" "$gx" devpod apply me.yaml
check "the pod stays" is "$uid" $pods/me "o['metadata']['uid']"
sed s/blue/red/ me.yaml >red.yaml
check "another is made anew" "$gx" devpod apply red.yaml
check "it is another" is True $pods/me "o['metadata']['uid'] != '$uid'"
check "status" prints "me    Ready        Ready" "$gx" devpod status
check "as JSON" prints '[{"message":"","name":"me","namespace":"team","phase":"Ready","reason":"Ready"}]' "$gx" devpod status me --json
check "of all namespaces" prints "team/me  Ready        Ready" "$gx" devpod status --all-namespaces
check "of one that is not there" complains "there is no DevPod" "$gx" devpod status you
check "in another namespace" complains "says that it is of the namespace" sh -c \
	"sed 's/{name: me}/{name: me, namespace: other}/' me.yaml | '$gx' devpod apply -n team -"

# --- a shell ---

check "a command there" prints red "$gx" devpod shell me -- sh -c 'echo $COLOUR'
check "its status" status 7 "$gx" devpod shell me -- sh -c 'exit 7'
check "what it says on standard error" sh -c "'$gx' devpod shell me -- sh -c 'echo no >&2' 2>&1 >/dev/null | grep -qx no"
check "what it reads" prints "1234567 " sh -c "seq 1 1000000 | head -c 1234567 | '$gx' devpod shell me -- sh -c 'wc -c | tr \"\\n\" \" \"'"
check "what it writes" prints 3000000 sh -c "'$gx' devpod shell me -- head -c 3000000 /dev/zero | wc -c | tr -d ' '"
check "the same bytes" sh -c "head -c 700000 '$gx' >some; '$gx' devpod shell me -- cat <some | cmp - some"
check "a shell that reads commands" prints 42 sh -c "echo 'echo \$((6*7))' | '$gx' devpod shell me"
check "words stay words" prints "[a b][*][\$x;]" "$gx" devpod shell me -- printf '[%s]' 'a b' '*' '$x;'
check "whose reader goes" sh -c "'$gx' devpod shell me -- yes 2>log | head -n 1 | grep -q y"
check "a program that is not there" complains "cannot run the program" "$gx" devpod shell me -- /nonexistent
cat >typed <<'X'
= there
> stty size; tty >/dev/null && echo a ter''minal
= 24 80
= a terminal
> sleep 50
sleep 1
^C
> echo go''ne on
= gone on
> exit 5
exit 5
X
check "in a terminal" env TEST_COLUMNS=80 python3 "$lib/terminal.py" "$gx" devpod shell me -- sh -c 'echo there; exec sh' <typed
mode no-crd v4
check "by the older protocol" prints red "$gx" devpod shell me -- sh -c 'echo $COLOUR' </dev/null
mode no-crd deny-exec
check "one that is refused" complains "cannot create resource" "$gx" devpod shell me -- true
mode no-crd cut-exec
check "and not told to its end" complains "cannot create resource" "$gx" devpod shell me -- true
mode no-crd bad-accept
check "another answers" complains "does not speak WebSocket" "$gx" devpod shell me -- true
mode no-crd break-exec
check "it breaks off" complains "broke off" "$gx" devpod shell me -- true
check "more seconds than there are" complains "takes seconds" "$gx" devpod shell me --timeout 4294967297 -- true
check "a port that is none" complains "below 65536" "$gx" devpod controller --port 4294967297

# --- gone ---

mode no-crd
check "delete" "$gx" devpod delete me
check "the pod has gone" is 404 $pods/me "o.get('code')"
check "and its account" is 404 /api/v1/namespaces/team/serviceaccounts/me "o.get('code')"
check "once more" complains "there is no DevPod" "$gx" devpod delete me
send POST $pods application/json '{"metadata":{"name":"theirs","labels":{"app":"db"}},"spec":{}}'
check "what is of others stays" complains "is not of a DevPod" "$gx" devpod delete theirs
sed 's/name: me/name: theirs/' me.yaml >theirs.yaml
check "also where one would be made" complains "that is not of this DevPod" "$gx" devpod apply theirs.yaml
send POST /api/v1/namespaces/team/serviceaccounts application/json '{"metadata":{"name":"default"}}'
check "an account of others too" complains "that is not of this DevPod" sh -c "sed 's/name: me/name: default/' me.yaml | '$gx' devpod apply -"

# --- why it waits ---

waits() { # MODE TEXT
	mode no-crd $1
	check "$1" complains "$2" "$gx" devpod apply me.yaml --timeout 1
	mode no-crd
	"$gx" devpod delete me 2>delete.log || cat delete.log
}
waits unschedulable "Insufficient memory"
waits no-image "ImagePullBackOff"
waits "no-image evil" "Back-off pulling image"
waits no-map "configmap \"dev-env\" not found"
waits dies "cannot run: OutOfmemory"
mode no-crd unschedulable
check "without waiting" "$gx" devpod apply me.yaml --no-wait
check "what status says then" within 5 prints \
	"me    Pending      Unschedulable: 0/1 nodes are available: 1 Insufficient memory." "$gx" devpod status me
mode no-crd
"$gx" devpod delete me

# --- servers that are away, talk nonsense ---

mode no-crd busy
check "busy: it is asked again" "$gx" devpod apply me.yaml
mode no-crd cut
check "watches that break off" "$gx" devpod apply red.yaml
mode no-crd compact
check "versions that are too old" "$gx" devpod apply me.yaml
"$gx" devpod delete me
mode no-crd junk unschedulable
check "no JSON" complains "Insufficient memory" "$gx" devpod apply me.yaml --timeout 1
mode no-crd huge unschedulable
check "without end" complains "Insufficient memory" "$gx" devpod apply me.yaml --timeout 2
mode no-crd junk-list
check "a list that is none" complains "makes no sense" "$gx" devpod status --timeout 1
mode no-crd away
check "away" complains "away" "$gx" devpod status
mode no-crd
"$gx" devpod delete me

# --- with the kind, and nobody who looks ---

mode
check "where the kind is known it is applied" complains "no controller has looked at it" "$gx" devpod apply me.yaml --timeout 1
check "as it is" is blue /apis/gx.dev/v1alpha1/namespaces/team/devpods/me "o['spec']['env'][0]['value']"
check "directly all the same" "$gx" devpod apply --direct me.yaml
check "delete" "$gx" devpod delete me
check "has gone" is 404 /apis/gx.dev/v1alpha1/namespaces/team/devpods/me "o.get('code')"
check "what it may not ask for is told before anything is sent" complains "'hostNetwork' is not known" sh -c \
	"(cat me.yaml; echo '  hostNetwork: true') | '$gx' devpod apply -"
check "references in YAML" complains "references" sh -c "printf 'a: &a 1\nb: *a\n' | '$gx' devpod apply -"
check "no token is in what was said" sh -c '! grep -q "hunter2" log complains.log check.log requests server.log'
