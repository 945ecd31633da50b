# SPDX-License-Identifier: MIT
#
# What scripts about clusters share: certificates, the API server of lib/cluster.py behind TLS, a kubeconfig, and what is asked of it.
for t in python3 openssl; do command -v $t >/dev/null 2>&1 || { echo "there is no $t"; exit 77; }; done
gx=${gxeval%/*}/gx
lib=$srcdir/tests/integration/lib
image=registry.example/a@sha256:6105d6cc76af400325e94d588ce511be5bfdbb73b437dc51eca43917d7a43e3d
export HOME="$PWD/home" XDG_CACHE_HOME="$PWD/cache"
unset KUBECONFIG KUBERNETES_SERVICE_HOST
mkdir -p home

{
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=ca \
		-addext keyUsage=critical,keyCertSign
	# NAME SUBJECT EXTENSION
	certificate() {
		openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$1.key" -out "$1.csr" -subj "$2"
		echo "$3" >"$1.ext"
		openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile "$1.ext" -out "$1.crt"
	}
	certificate api /CN=api "subjectAltName=IP:127.0.0.1,DNS:kubernetes"
	certificate alice /O=gx-devs/CN=alice "extendedKeyUsage=clientAuth"
	cat api.crt api.key >server.pem
} >openssl.log 2>&1
[ -s alice.crt ] || { cat openssl.log; echo "openssl makes no certificates"; exit 77; }

: >mode
: >requests
start_cluster() { # [PORT]
	rm -f port
	python3 "$lib/cluster.py" "$@" >server.log 2>&1 &
	server=$!
	until [ -s port ]; do kill -0 $server || { cat server.log; exit 1; }; sleep 0.05; done
	read -r port <port
}
start_cluster
trap 'kill $server 2>/dev/null' EXIT
cat >config <<X
apiVersion: v1
kind: Config
current-context: alice
clusters:
- {name: c, cluster: {server: 'https://127.0.0.1:$port', certificate-authority: ca.pem}}
- {name: by-name, cluster: {server: 'https://127.0.0.1:$port', certificate-authority: ca.pem, tls-server-name: kubernetes}}
- {name: below, cluster: {server: 'https://127.0.0.1:$port/clusters/one', certificate-authority: ca.pem, tls-server-name: kubernetes}}
- {name: other-name, cluster: {server: 'https://127.0.0.1:$port', certificate-authority: ca.pem, tls-server-name: elsewhere}}
- {name: unknown, cluster: {server: 'https://127.0.0.1:$port'}}
- {name: insecure, cluster: {server: 'https://127.0.0.1:$port', insecure-skip-tls-verify: true}}
contexts:
- {name: alice, context: {cluster: c, user: token, namespace: team}}
- {name: certificate, context: {cluster: c, user: certificate}}
- {name: basic, context: {cluster: c, user: basic}}
- {name: file, context: {cluster: c, user: file}}
- {name: plugin, context: {cluster: c, user: plugin}}
- {name: no-plugin, context: {cluster: c, user: no-plugin}}
- {name: wrong, context: {cluster: c, user: wrong}}
- {name: by-name, context: {cluster: by-name, user: token}}
- {name: below, context: {cluster: below, user: token}}
- {name: other-name, context: {cluster: other-name, user: token}}
- {name: unknown, context: {cluster: unknown, user: token}}
- {name: insecure, context: {cluster: insecure, user: token}}
- {name: controller, context: {cluster: c, user: controller}}
- {name: brief, context: {cluster: c, user: brief}}
users:
- {name: token, user: {token: good}}
- {name: controller, user: {token: controller}}
- {name: basic, user: {username: me, password: secret}}
- {name: file, user: {tokenFile: token}}
- {name: wrong, user: {token: hunter2-is-secret}}
- {name: certificate, user: {client-certificate: alice.crt, client-key: alice.key}}
- {name: plugin, user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: ./who, args: [later], provideClusterInfo: true}}}
- {name: brief, user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: ./brief}}}
- {name: no-plugin, user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: ./missing, installHint: ask the administrator}}}
X
export KUBECONFIG="$PWD/config"
varies="s/$port/PORT/g"

mode() {
	echo "$*" >mode.new
	mv mode.new mode
	: >requests
}
# Asks the server for what it has, and prints an expression over it (o: the object, or the list).
has() { # PATH EXPRESSION
	python3 - "$port" "$1" "$2" <<P
import json, ssl, sys, urllib.request
c = ssl.create_default_context(cafile="ca.pem")
r = urllib.request.Request("https://127.0.0.1:%s%s" % (sys.argv[1], sys.argv[2]), headers={"Authorization": "Bearer good"})
try:
    o = json.load(urllib.request.urlopen(r, context=c))
except urllib.error.HTTPError as x:
    o = {"code": x.code}
print(eval(sys.argv[3]))
P
}
send() { # METHOD PATH TYPE BODY
	python3 - "$port" "$@" <<P
import ssl, sys, urllib.request
c = ssl.create_default_context(cafile="ca.pem")
r = urllib.request.Request("https://127.0.0.1:%s%s" % (sys.argv[1], sys.argv[3]), method=sys.argv[2], data=sys.argv[5].encode() or None,
                           headers={"Authorization": "Bearer good", "Content-Type": sys.argv[4]})
urllib.request.urlopen(r, context=c).read()
P
}
is() { # TEXT PATH EXPRESSION: has prints this
	prints "$1" has "$2" "$3"
}
