# SPDX-License-Identifier: MIT
#
# A binary cache over https and HTTP/2, served by nghttpd with a certificate of this test's own: hundreds of questions share one
# connection, and a certificate that nobody trusts is refused.
. "$srcdir/tests/integration/lib.sh"
. "$srcdir/tests/integration/lib/caches.sh"
. "$srcdir/tests/integration/lib/store.sh"
unset http_proxy https_proxy all_proxy HTTPS_PROXY ALL_PROXY SSL_CERT_FILE NIX_SSL_CERT_FILE
nghttpd=$(PATH=$PATH:/usr/sbin command -v nghttpd) || { echo "nghttpd is missing"; exit 77; }
command -v openssl >/dev/null || { echo "openssl is missing"; exit 77; }
command -v python3 >/dev/null || { echo "python3 is missing"; exit 77; }

# A closure of 301 objects.
cat >many.gx <<'E2'
let make = n: builtins.toFile "n${toString n}" "object ${toString n}";
in derivation {
  name = "many"; system = builtins.currentSystem; builder = "/bin/sh";
  inputs = map make (builtins.genList (n: n) 300);
  args = [ "-c" "echo $inputs > $out" ];
}
E2
many=$("$gx" build --no-link --print-out-paths --store "$PWD/built" -f many.gx 2>log) || { cat log; exit 1; }
"$gx" copy --store "$PWD/built" --to "file://$PWD/docs?secret-key=$PWD/secret&compression=zstd" "$many" 2>log || { cat log; exit 1; }

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout server.key -out server.pem -days 2 -subj /CN=localhost \
	-addext subjectAltName=DNS:localhost,IP:127.0.0.1 2>openssl.log || { cat openssl.log; exit 1; }
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$nghttpd" -v -a 127.0.0.1 -d "$PWD/docs" "$port" server.key server.pem >server.log 2>&1 &
server=$!
trap 'kill $server 2>/dev/null' EXIT
url=https://127.0.0.1:$port
listens() { python3 -c "import socket; socket.create_connection(('127.0.0.1', $port)).close()"; }
within 10 listens || { cat server.log; exit 1; }

take() { # STORE
	NIX_SSL_CERT_FILE="$PWD/server.pem" NIX_CONFIG="trusted-public-keys = $public" "$gx" copy --store "$PWD/$1" --from "$url" "$many"
}
check "a certificate that nobody trusts" mentions "certificate" env NIX_CONFIG="trusted-public-keys = $public" "$gx" copy --store "$PWD/none" --from "$url" "$many"
check "nothing came" nothing_in "$PWD/none"
: >server.log
check "a closure over HTTP/2" take s1
check "all of it" [ "$("$gx" path-info -r --store "$PWD/s1" "$many" | wc -l)" = 301 ]
check "whole" "$gx" store verify --store "$PWD/s1"
check "by HTTP/2" grep -q "recv :scheme: https\|:scheme: https" server.log

check "many questions at once" python3 -c '
import re
first = [m.group(1) for m in re.finditer(r"(recv|send) (?:\(stream_id=\d+\)|HEADERS frame)", open("server.log").read())]
most = run = 0
for w in first:
    run = run + 1 if w == "recv" else 0
    most = max(most, run)
assert most >= 20, most'
check "nearly all of them on one connection" python3 -c '
import collections, re
asked = collections.Counter(re.findall(rb"\[id=(\d+)\][^\n]* recv HEADERS", open("server.log", "rb").read()))
assert sum(asked.values()) > 600 and max(asked.values()) > 0.9 * sum(asked.values()), asked'
check "an evaluation reads what is there" prints "$(cat "$PWD/built/nix/store/${many##*/}")" env NIX_SSL_CERT_FILE="$PWD/server.pem" \
	NIX_CONFIG="trusted-public-keys = $public
substituters = $url" "$gx" eval --raw --store "$PWD/s2" --option max-jobs 0 -E 'builtins.replaceStrings [ "\n" ] [ "" ] (builtins.readFile (import ./many.gx))' --impure
if have_nix 2>/dev/null; then
	check "and Nix takes it from there" env NIX_SSL_CERT_FILE="$PWD/server.pem" nix --extra-experimental-features nix-command copy --from "$url" --to "$PWD/nix" \
		--option trusted-public-keys "$public" "$many"
fi
: >server.log
check "what is not there is asked for once" sh -c "! NIX_SSL_CERT_FILE=$PWD/server.pem '$gx' copy --store '$PWD/s3' --from '$url' /nix/store/00000000000000000000000000000000-x 2>/dev/null"
kill $server
wait $server 2>/dev/null
check "a server that is gone" mentions "Failed to connect" env NIX_SSL_CERT_FILE="$PWD/server.pem" NIX_CONFIG="trusted-public-keys = $public" "$gx" copy --store "$PWD/s4" --from "$url" "$many"
