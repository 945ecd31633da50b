# SPDX-License-Identifier: MIT
#
# A store served to other machines, and who vouches for what is in it.
. "$srcdir/tests/integration/lib.sh"
. "$srcdir/tests/integration/lib/caches.sh"
command -v python3 >/dev/null || { echo "python3 is missing"; exit 77; }

"$gx" cache serve --port 0 --store "$PWD/built" --sign-key secret >at 2>served &
pid=$!
trap 'kill $pid 2>/dev/null' EXIT
until [ -s at ]; do kill -0 $pid || { cat served; exit 1; }; sleep 0.05; done
url=$(cat at)
get() { # PATH [METHOD]: status and body
	python3 -c '
import http.client, sys
c = http.client.HTTPConnection(sys.argv[1])
for i in range(2):  # twice over one connection
    c.request(sys.argv[3], sys.argv[2])
    r = c.getresponse()
    body = r.read()
print(r.status, r.getheader("Content-Length"))
sys.stdout.buffer.write(body)' "${url#http://}" "$1" "${2-GET}"
}
digest=$(basename "$c" | cut -c1-32)
check "it says what it is" prints "200 51
StoreDir: /nix/store
WantMassQuery: 1
Priority: 30" get /nix-cache-info
get "/$digest.narinfo" >info
check "an object" grep -qx "StorePath: $c" info
check "signed on the fly" grep -q '^Sig: test-1:' info
get "/$digest.narinfo" HEAD >headed
# Head and body in two packets, and the second waits for 40 ms until the first is acknowledged.
check "a connection that is kept does not wait" python3 - "${url#http://}" "/$digest.narinfo" <<'P'
import http.client, sys, time
c = http.client.HTTPConnection(sys.argv[1])
times = []
for i in range(60):
    begin = time.monotonic()
    c.request("GET", sys.argv[2])
    c.getresponse().read()
    times.append(time.monotonic() - begin)
print(times)
sys.exit(min(times[-20:]) > 0.03)
P
check "HEAD has no body" [ "$(wc -l <headed)" = 1 ]
check "one that is not there" prints "404 4
404" get /00000000000000000000000000000000.narinfo
check "a path that is none" prints "404 4
404" get /../../etc/passwd
get / POST >posted 2>/dev/null
check "nothing is taken" grep -q "^405 " posted
check "an archive" sh -c "'$gx' nar pack '$PWD/built$c' >want" 
get "/nar/$digest.nar" >got.with && tail -n +2 got.with >got
check "which is that of the object" cmp want got
check "lines without end" prints "" python3 -c '
import socket, sys
s = socket.create_connection(sys.argv[1].split(":"))
try:
    s.sendall(b"GET /" + b"x" * 100000)
    print(s.recv(100).decode(), end="")
except OSError:
    pass' "${url#http://}"
check "what is no request" status 3 python3 -c '
import socket, sys
s = socket.create_connection(sys.argv[1].split(":"))
s.sendall(b"hello\r\n\r\n")
sys.exit(0 if b" 400 " not in s.recv(100) else 3)' "${url#http://}"

check "a build takes all of it" prints "$c" from "$url" build --no-link --print-out-paths --store "$PWD/n1" -f three.gx
check "signed" prints 3 fetched "$PWD/n1"
check "whole" "$gx" store verify --store "$PWD/n1"
check "gx copy as well" env NIX_CONFIG="trusted-public-keys = $public" "$gx" copy --store "$PWD/n2" --from "$url" "$c"
if command -v nix-store >/dev/null; then
	check "Nix takes it" nix --extra-experimental-features nix-command copy --from "$url" --to "$PWD/nix" --option trusted-public-keys "$public" "$c"
	check "and finds it whole" nix-store --store "$PWD/nix" --verify --check-contents
else
	skip "Nix takes it" "nix-store is missing"
fi

# --- what is built is signed
check "secret-key-files" env NIX_CONFIG="secret-key-files = $PWD/secret" "$gx" build --no-link --store "$PWD/made" -f three.gx
check "signs what is built" prints 3 fetched "$PWD/made"
check "a file that is not there" complains "cannot read the key" "$gx" build --no-link --store "$PWD/made" --option secret-key-files nowhere -f three.gx

# --- signatures of objects that are here
"$gx" copy --store "$PWD/mine" --no-check-sigs --from "$PWD/built" "$c" 2>log
check "no signatures" prints 0 fetched "$PWD/mine"
check "gx store sign" "$gx" store sign --store "$PWD/mine" -k secret "$c"
check "one object" prints 1 fetched "$PWD/mine"
check "with all it refers to" "$gx" store sign --store "$PWD/mine" -k secret -r "$c"
check "three" prints 3 fetched "$PWD/mine"
"$gx" store sign --store "$PWD/mine" -k secret -r "$c" 2>said
check "once is enough" grep -qx '0 signatures added' said
check "they count" env NIX_CONFIG="trusted-public-keys = $public" "$gx" copy --store "$PWD/mine" --to "$PWD/yours" "$c"
"$gx" copy --store "$PWD/third" --no-check-sigs --from "$PWD/built" "$c" 2>log
"$gx" store copy-sigs --store "$PWD/third" -s "$url" -r "$c" 2>said
check "gx store copy-sigs" grep -qx '3 signatures added' said
check "has them" prints 3 fetched "$PWD/third"
check "sign needs a key" complains "nothing to sign with" "$gx" store sign --store "$PWD/mine" "$c"
check "copy-sigs needs a cache" complains "no signatures to take" "$gx" store copy-sigs --store "$PWD/mine" "$c"
check "either needs a path" complains "needs a path" "$gx" store sign --store "$PWD/mine" -k secret

check "a port that is taken" mentions "cannot serve at '127.0.0.1'" "$gx" cache serve --store "$PWD/built" --port "${url##*:}"
check "an address that is none" complains "no numeric address" "$gx" cache serve --store "$PWD/built" --host example
check "a port that is none" complains "a number up to 65535" "$gx" cache serve --store "$PWD/built" --port 65536
