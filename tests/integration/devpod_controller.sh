# SPDX-License-Identifier: MIT
#
# gx devpod controller: DevPods become pods, and end as they should; what it says in their status; an API server that ends and comes back, watches that
# break off or lie; two of them, one Lease; DevPods that ask for what they may not have.  The server is lib/cluster.py; a real Kubernetes: tests/cluster.sh.
. "$srcdir/tests/integration/lib.sh"
. "$srcdir/tests/integration/lib/cluster.sh"
# How often it is looked at meanwhile is another each time.
varies="$varies;/^waiting for/d"
pods=/api/v1/namespaces/team/pods
devpods=/apis/gx.dev/v1alpha1/namespaces/team/devpods
devpod() { # NAME [MORE LINES OF SPEC]: a file NAME.yaml
	cat >"$1.yaml" <<-X
		apiVersion: gx.dev/v1alpha1
		kind: DevPod
		metadata: {name: $1}
		spec:
		  image: $image
		  store: {image: $image}
	X
	[ $# -lt 2 ] || printf '  %s\n' "$2" >>"$1.yaml"
}
controllers=
start_controller() { # NAME [OPTIONS]
	_n=$1
	shift
	"$gx" devpod controller --context controller --lease-namespace gx-system --port 0 "$@" >"$_n.log" 2>&1 &
	eval "$_n=$!"
	controllers="$controllers $!"
	within 20 grep -q "are looked after" "$_n.log" || cat "$_n.log"
	eval "${_n}_at=$(sed -n 's/.* at \(http[^ ]*\)$/\1/p' "$_n.log")"
}
trap 'kill $server $controllers 2>/dev/null' EXIT
leads() { # NAME
	within 30 grep -q "does the work now" "$1.log"
}
fetch() { # URL
	python3 -c 'import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1]).read().decode(), end="")' "$1"
}
ready() { # NAME: what the DevPod says of itself
	has "$devpods/$1" "'%s %s %s' % (o['status']['phase'], o['status']['conditions'][0]['status'], o['status']['conditions'][0]['reason'])"
}
# What became of it, as kubectl describe tells.
news() { # NAME
	has /api/v1/namespaces/team/events "sorted('%s %s: %s' % (e['type'], e['reason'], e['message']) for e in o['items'] if e['involvedObject']['name'] == '$1' and e['involvedObject']['kind'] == 'DevPod')"
}
send POST /api/v1/namespaces application/json '{"metadata":{"name":"team"}}'
mode
start_controller one
check "it takes the lease" leads one

# --- a life ---

devpod me "env: [{name: COLOUR, value: blue}]"
check "apply waits for it" "$gx" devpod apply --timeout 30 me.yaml
check "a shell" prints blue "$gx" devpod shell me -- sh -c 'echo $COLOUR'
check "it says so" prints "Ready True Ready" ready me
check "the pod is owned" is "DevPod True" $pods/me "'%s %s' % (o['metadata']['ownerReferences'][0]['kind'], o['metadata']['ownerReferences'][0]['controller'])"
check "it holds on to it" is "['gx.dev/pod']" $devpods/me "o['metadata']['finalizers']"
check "status" prints "me    Ready        Ready" "$gx" devpod status
sleep 1
: >requests
sleep 2
check "then nothing is written but the lease" sh -c '! grep "^P" requests | grep -v "/leases/"'
uid=$(has $pods/me "o['metadata']['uid']")
send DELETE $pods/me application/json ''
check "a pod that is deleted comes back" within 20 is True $pods/me "o.get('metadata', {}).get('uid', '$uid') != '$uid' and o['status'].get('phase') == 'Running'"
check "its Events" prints "['Normal Ready: the pod is ready', 'Normal Replaced: the pod is made anew when the old one has gone']" news me
devpod me "env: [{name: COLOUR, value: red}]"
check "another specification" "$gx" devpod apply --timeout 30 me.yaml
check "another pod" prints red "$gx" devpod shell me -- sh -c 'echo $COLOUR'
(cat me.yaml; echo "  running: false") >rest.yaml
check "at rest" "$gx" devpod apply --timeout 30 --no-wait rest.yaml
check "it has no pod" within 20 is 404 $pods/me "o.get('code')"
check "and says why" within 10 prints "Absent False Stopped" ready me
check "awake" "$gx" devpod apply --timeout 30 me.yaml
mode stubborn
check "delete waits for the pod" "$gx" devpod delete --timeout 30 me
check "which has gone first" is 404 $pods/me "o.get('code')"

# --- what it is made of ---

mode
send POST /api/v1/namespaces/team/configmaps application/json '{"metadata":{"name":"dev-env"},"data":{"A":"1"}}'
devpod map "envFrom: {configMaps: [dev-env], restart: true}"
check "with a map" "$gx" devpod apply --timeout 30 map.yaml
uid=$(has $pods/map "o['metadata']['uid']")
send PATCH /api/v1/namespaces/team/configmaps/dev-env application/merge-patch+json '{"metadata":{"labels":{"x":"y"}}}'
sleep 6
check "that means the same" is "$uid" $pods/map "o['metadata']['uid']"
send PATCH /api/v1/namespaces/team/configmaps/dev-env application/merge-patch+json '{"data":{"A":"2"}}'
check "another content, another pod" within 20 is True $pods/map "o.get('metadata', {}).get('uid', '$uid') != '$uid'"
"$gx" devpod delete --timeout 30 map

devpod idle "idleSeconds: 4"
check "one that is used seldom" "$gx" devpod apply --timeout 30 idle.yaml
check "is put to rest" within 20 prints "Absent False Idle" ready idle
check "and woken" prints there "$gx" devpod shell idle -- echo there
"$gx" devpod delete --timeout 30 idle

# --- why it waits, what may not be ---

mode unschedulable
devpod waits "flakeRef: github:team/service"
check "what the pod waits for" complains "Insufficient memory" "$gx" devpod apply --timeout 3 waits.yaml
check "which is an Event" prints "['Warning Unschedulable: 0/1 nodes are available: 1 Insufficient memory.']" news waits
check "what it is from is told" prints "github:team/service team" sh -c "'$gx' devpod status -A --json | python3 -c 'import json, sys; print(*[o[\"flakeRef\"] + \" \" + o[\"namespace\"] for o in json.load(sys.stdin)])'"
"$gx" devpod delete --timeout 30 waits
mode dies
devpod dies
check "a pod that failed" complains "cannot run" "$gx" devpod apply --timeout 30 dies.yaml
: >requests
sleep 2
check "is not made again at once" prints 0 sh -c 'grep -c "^PATCH.*/pods/" requests || true'
"$gx" devpod delete --timeout 30 dies
mode dies long
devpod long
"$gx" devpod apply --timeout 30 long.yaml
check "what is told at length is cut between letters" prints 2048 has $devpods/long "len(o['status']['conditions'][0]['message'])"
check "and in Events" prints "[512]" has /api/v1/namespaces/team/events "[len(e['message']) for e in o['items'] if e['involvedObject']['name'] == 'long']"
"$gx" devpod delete --timeout 30 long
mode
hostile() { # NAME SPEC TEXT: past the check of gx devpod apply
	python3 - "$1" "$2" >body.json <<-P
		import json, sys
		print(json.dumps({"metadata": {"name": sys.argv[1]}, "spec": dict({"image": "$image", "store": {"image": "$image"}}, **json.loads(sys.argv[2]))}))
	P
	send POST $devpods application/json "$(cat body.json)"
	check "$1" within 10 is True "$devpods/$1" "o['status']['conditions'][0]['reason'] == 'Invalid' and '''$3''' in o['status']['conditions'][0]['message']"
	check "$1: no pod" is 404 "$pods/$1" "o.get('code')"
	send DELETE "$devpods/$1" application/json ''
}
hostile host-store '{"store": {"mode": "hostPath"}}' "is not given out here"
hostile host-path '{"store": {"mode": "hostPath", "path": "/etc"}}' "is not given out here"
hostile host-pid '{"hostPID": true}' "'hostPID' is not known"
hostile privileged '{"securityContext": {"privileged": true}}' "'securityContext' is not known"
hostile host-volume '{"volumes": [{"name": "etc", "hostPath": {"path": "/etc"}}]}' "'volumes' is not known"
hostile other-tenant '{"tenant": "../team-b"}' "'tenant' is no name"
hostile unpack-file '{"store": {"mode": "unpack", "image": "'$image'", "cache": "file:///nix/store", "closure": "/nix/store/x"}}' "'store.cache' is the address"
hostile root-workspace '{"workspace": {"mountPath": "/nix/store"}}' "and not the store's"
hostile up-workspace '{"workspace": {"mountPath": "/data/../etc"}}' "is a folder"
hostile evil-flake '{"flakeRef": "github:a/b;rm -rf $HOME"}' "is no reference"
hostile evil-escape '{"flakeRef": "x\u001b]0;owned\u0007"}' "is no reference"
hostile by-tag '{"image": "registry.example/a:latest"}' "given by its digest"
hostile evil-map '{"envFrom": {"configMaps": ["../../secrets/x"]}}' "has names of ConfigMaps"
hostile evil-env '{"env": [{"name": "A B", "value": "x"}]}' "a list of names and values"
hostile evil-command '{"command": []}' "a list of words"
send POST $pods application/json '{"metadata":{"name":"theirs","labels":{"app":"db"}},"spec":{"x":1}}'
devpod theirs
check "a pod of others" complains "not of this DevPod" "$gx" devpod apply --timeout 4 theirs.yaml
check "stays" is "{'x': 1}" $pods/theirs "o['spec']"
check "and goes with nobody" "$gx" devpod delete --timeout 30 theirs
check "it is there" is "{'x': 1}" $pods/theirs "o['spec']"

# --- health ---

check "it is well" prints ok fetch $one_at/healthz
check "and ready" prints ok fetch $one_at/readyz
check "metrics" sh -c "python3 -c 'import urllib.request; print(urllib.request.urlopen(\"$one_at/metrics\").read().decode())' | grep -x 'gx_devpod_leader 1'"
check "nothing else" mentions 404 fetch $one_at/secrets
check "nonsense" python3 - "$one_at" <<'P'
import socket, sys
host, port = sys.argv[1][7:].split(":")
for what in (b"", b"x" * 100000, b"GET /\r\n\r\n", b"POST /healthz HTTP/1.1\r\n\r\n", b"\0\r\n\r\n"):
    s = socket.create_connection((host, int(port)), 5)
    try:
        s.sendall(what)
        s.shutdown(1)
        s.recv(100)
    except OSError:
        pass
    s.close()
P
check "it is well all the same" prints ok fetch $one_at/healthz

# --- an API server that is not there, or not itself ---

works() { # NAME: a DevPod is made
	devpod "$1"
	"$gx" devpod apply --timeout 30 "$1.yaml" && "$gx" devpod delete --timeout 30 "$1"
}
for m in cut compact stale busy; do
	mode $m
	touch drop-watches
	sleep 0.5
	rm drop-watches
	check "$m" works "while-$m"
done
for m in junk huge junk-list; do
	mode $m
	touch drop-watches
	sleep 1
	rm drop-watches
	mode
	check "after $m" works "after-$m"
done
kill $server
sleep 2
check "without a server it lives" prints ok fetch $one_at/healthz
start_cluster "$port"
send POST /api/v1/namespaces application/json '{"metadata":{"name":"team"}}'
mode forbid-once
check "with another it goes on" works restarted
mode

# --- two of them ---

# The new server knew of no lease.
check "the one holds it again" within 20 is True /apis/coordination.k8s.io/v1/namespaces/gx-system/leases/gx-devpod-controller \
	"o.get('spec', {}).get('holderIdentity', '') != ''"
start_controller two
check "another waits" sh -c 'sleep 3; ! grep -q "does the work now" two.log'
check "and is ready" prints ok fetch $two_at/readyz
kill -KILL $one
check "when the one is killed it takes over" leads two
check "and works" works taken-over
start_controller three
kill $two
check "one that ends gives it back" leads three
check "its end is orderly" sh -c "for i in 1 2 3 4 5 6 7 8 9 10; do kill -0 $two 2>/dev/null || exit 0; sleep 0.3; done; exit 1"

# --- one whose certificate is found anew for each request ---

kill $three
python3 - <<'P'
import json
pem = {"clientCertificateData": open("alice.crt").read(), "clientKeyData": open("alice.key").read(), "expirationTimestamp": "2020-01-01T00:00:00Z"}
json.dump({"kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1", "status": pem}, open("brief.json", "w"))
P
printf '#!/bin/sh\ncat brief.json\n' >brief
chmod +x brief
start_controller four --context brief
check "it leads too" leads four
check "its streams begin as whom they were asked for" sh -c "sleep 1; python3 -c 'import urllib.request; print(urllib.request.urlopen(\"$four_at/metrics\").read().decode())' | grep -x 'gx_devpod_watch_failures_total 0'"
check "and it works" works brief
check "no token is in what was said" sh -c '! grep -l "Bearer\|hunter2\|token: " one.log two.log three.log'
