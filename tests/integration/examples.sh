# SPDX-License-Identifier: MIT
#
# The files of examples/ and what README.md shows of them.
. "$srcdir/tests/integration/lib.sh"
cd "$srcdir/examples" || exit 1
check_dir=${tmp:-/tmp}
check() { # DESCRIPTION COMMAND...: as in lib.sh, with its log outside the source folder
	_what=$1
	shift
	if "$@" >"$check_dir/check.log" 2>&1; then echo "ok - $_what"; else echo "not ok - $_what"; sed 's/^/#   /' "$check_dir/check.log"; fi
}

for f in *.gx; do
	check "$f evaluates" gxeval --read-only -f "$f"
done
check "hello" prints '{ greeting = "hello, you"; letters = 3; }' gxeval -f hello.gx --argstr name you
check "config as JSON" prints '{"memory":2,"name":"web","ports":[80,443],"user":"service"}' gxeval --json -f config.gx -A hosts.web
check "config as text" prints '# made from config.gx
listen 80;
listen 443;' gxeval --raw -f config.gx -A nginx
check "a derivation" prints /nix/store/hfd23x120hp2f7nydzf8si34jrpp93pg-hello-1.0.drv gxeval --read-only --drv-path -f derivation.gx
check "the profile names functions" sh -c 'gxeval --profile "$tmp/profile" -f "$srcdir/bench/fib.gx" >/dev/null && grep -q "fib.* [0-9]*$" "$tmp/profile"'
check "the image of the service" prints '["go-service","1.0.0",["8080/tcp"],"1000"]' gxeval --read-only --json \
	--attr packages.x86_64-linux.image.imageDescription --apply 'd: [ d.name d.tag (builtins.attrNames d.config.ExposedPorts) d.config.User ]' ./go-service
check "each folder with a flake has a page, but the first" prints "" sh -c 'for f in */flake.gx; do [ -f "$(dirname "$f")/README.md" ] || [ "$f" = go-service/flake.gx ] || echo "$f"; done'
check "what a cluster is told of the service that a ConfigMap configures" prints '["ConfigMap","Deployment","Service"]' gxeval --json \
	-E 'map (o: o.kind) (import ./config-service/kubernetes.gx "localhost/config-service:1").items'
