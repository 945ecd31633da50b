# SPDX-License-Identifier: MIT
#
# Programs of Debian from the mirror that apt has here: built, and run in a root that has nothing but the store, /proc, /dev and /tmp.  Skipped
# without a mirror, where a pinned file is gone (scripts/update-debian mends that), or with TEST_REAL=no.  TEST_STORE=FOLDER is a store to keep.
# tests/all-debian runs all there are.
. "$srcdir/tests/integration/lib.sh"
[ "${TEST_REAL-}" != no ] || { echo "TEST_REAL=no"; exit 77; }
command -v python3 >/dev/null || { echo "no python3"; exit 77; }
[ "$(uname -m)" = x86_64 ] || [ "$(uname -m)" = aarch64 ] || { echo "Debian's packages are not here for $(uname -m)"; exit 77; }
store=${TEST_STORE:-$PWD/s}
export HOME="$PWD" XDG_CACHE_HOME="$PWD/cache"

names="bash coreutils gnused gnugrep jq git curl openssl python3"
gx build --impure --store "$store" --option substituters '' --no-link --print-out-paths -E "let std = import $srcdir/stdlib { system = builtins.currentSystem; }; in
	map (n: std.\${n}) [ $(printf '"%s" ' $names) ]" >paths 2>build.log || {
	grep -q 'cannot fetch' build.log && { grep -m 1 'error: cannot fetch' build.log; exit 77; }
	cat build.log
	exit 1
}
path=$(sed 's,$,/bin,' paths | tr '\n' ':')
mkdir -p root/nix/store root/proc root/dev root/tmp root/etc
chmod 755 . root
chmod 1777 root/tmp
echo "root:x:0:0::/tmp:/bin/sh" >root/etc/passwd
echo "root:x:0:" >root/etc/group
cat >enter.py <<'X'
# enter.py PATH PROGRAM ARGUMENT...: in the folder root.
import os, sys
os.chroot("root")
os.chdir("/tmp")
os.execve(sys.argv[2], sys.argv[2:], {"PATH": sys.argv[1], "HOME": "/tmp", "LC_ALL": "C.UTF-8"})
X
own=
[ "$(id -u)" = 0 ] || own="-U -r"
inside() { # TEXT for bash
	unshare $own -m sh -c 'mount --rbind "$1/nix/store" root/nix/store && mount --rbind /dev root/dev && mount --rbind /proc root/proc && shift &&
		exec python3 enter.py "$@"' sh "$store" "$path" "$(sed -n '/-bash-/s,$,/bin/bash,p' paths)" -ec "$1"
}
inside true 2>enter.log || { echo "no root of one's own can be made here: $(sed 1q enter.log)"; exit 77; }

check "nothing else is there" prints "dev etc nix proc tmp" inside 'cd /; echo *'
check "jq" prints 3 inside 'echo "{\"a\":[1,2]}" | jq ".a | add"'
check "git: a commit, a clone, templates, a helper that is a script" inside 'git init -q r; cd r; git config user.name a; git config user.email a@b
	echo x >f; git add f; git commit -qm x; [ -e .git/hooks/pre-commit.sample ]; git clone -q . ../c; [ "$(cat ../c/f)" = x ]; git submodule status'
check "git: an alias runs in a shell" prints hi inside 'git -c alias.hi="!echo hi" hi'
check "python: modules in C, a shell, time zones" prints "a 9" inside 'python3 -c "
import ssl, sqlite3, ctypes, zlib, lzma, bz2, curses, readline, subprocess, datetime, zoneinfo
print(subprocess.check_output(\"echo a\", shell=True).decode().strip(), datetime.datetime.fromtimestamp(0, zoneinfo.ZoneInfo(\"Asia/Tokyo\")).hour)"'
check "python: a venv" prints /tmp/v inside 'python3 -m venv --without-pip v; v/bin/python -c "import sys; print(sys.prefix)"'
check "a merged tree is /usr, with headers, links of libraries, and the loader at its place" prints "jq-1.6 1" \
	gx develop --fhs --impure --store "$store" --option substituters '' \
	-E "let std = import $srcdir/stdlib { system = builtins.currentSystem; }; in std.fhs { packages = [ std.jq std.zlib ]; }" \
	--command sh -ec 'cd /; [ -e usr/include/zlib.h ]; [ -e usr/lib/$(uname -m)-linux-gnu/libz.so ]; [ -s etc/ssl/certs/ca-certificates.crt ]
		set -- lib*/ld-linux-*; echo "$(/usr/bin/env jq --version) $("$1" /usr/bin/jq -n 1)"'
check "certificates are found" inside '[ "$(grep -c BEGIN "$(python3 -c "import ssl; print(ssl.get_default_verify_paths().cafile)")")" -gt 100 ]'
check "curl speaks TLS with a server, and believes no other" inside 'openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost \
	-addext subjectAltName=IP:127.0.0.1 -keyout key.pem -out cert.pem 2>/dev/null
	cat >serve.py <<"X"
import http.server, ssl
s = http.server.HTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
c.load_cert_chain("cert.pem", "key.pem")
s.socket = c.wrap_socket(s.socket, server_side=True)
print(s.server_port, file=open("port", "w"), flush=True)
for _ in range(2):
    s.handle_request()
X
	python3 serve.py 2>/dev/null & for i in 1 2 3 4 5 6 7 8 9 10; do [ -s port ] && break; sleep 0.3; done
	port=$(cat port)
	curl -sS --cacert cert.pem "https://127.0.0.1:$port/" | grep -q serve.py
	! curl -sS "https://127.0.0.1:$port/" 2>err; grep -q certificate err'
check "programs look for libraries in the store alone" inside 'python3 -c "
import re
maps = open(\"/proc/self/maps\").read()
assert not re.search(r\" /(usr|lib)\", maps), maps"'
check "the same for another architecture is made here as well" sh -c 'gx build --impure --store "$1" --option substituters "" --no-link --print-out-paths -E \
	"(import $2/stdlib { system = \"aarch64-linux\"; }).jq" >arm 2>arm.log || { grep -q "cannot fetch" arm.log && exit 0; cat arm.log; exit 1; }
	python3 -c "
import struct, sys
d = open(sys.argv[1], \"rb\").read(20)
assert d[:4] == b\"\x7fELF\" and struct.unpack(\"<H\", d[18:20])[0] == 183" "$1$(cat arm)/bin/jq"' sh "$store" "$srcdir"
remove s cache
