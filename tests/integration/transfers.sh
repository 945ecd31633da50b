# SPDX-License-Identifier: MIT
#
# Transfers from servers on this machine.  Over TLS, with certificates made here: who is not who he must be gets nothing, least of
# all a password, and nothing leads from https to http.  And what servers do wrong.
. "$srcdir/tests/integration/lib.sh"
command -v python3 >/dev/null && command -v openssl >/dev/null || { echo "no python3 or no openssl"; exit 77; }
export HOME="$PWD/home" XDG_CACHE_HOME="$PWD/cache"
mkdir -p home
unset http_proxy https_proxy all_proxy HTTPS_PROXY ALL_PROXY
export no_proxy='*'
varies='s/\(cannot fetch .[^ ]*: \).*\( (after [0-9]* attempts)\)/\1WHY\2/; s/got: .*/got: SUM/' # the words of libcurl, the times in an archive

# --- certificates
cat >ca.conf <<'END'
[ca]
default_ca = here
[here]
database = index
new_certs_dir = .
serial = serial
default_md = sha256
policy = any
copy_extensions = copy
unique_subject = no
[any]
commonName = supplied
[req]
distinguished_name = dn
[dn]
END
: >index
echo 01 >serial
key="-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
openssl req -config ca.conf -x509 $key -keyout authority.secret -out authority.crt -days 2 -subj /CN=authority \
	-addext basicConstraints=critical,CA:true >openssl.log 2>&1 || { cat openssl.log; echo "openssl makes no certificates"; exit 77; }
certificate() { # NAME ALT-NAMES START END
	openssl req -config ca.conf -new $key -keyout "$1.key" -out "$1.csr" -subj "/CN=$1" -addext "subjectAltName=$2" >openssl.log 2>&1 &&
		openssl ca -config ca.conf -batch -notext -cert authority.crt -keyfile authority.secret -in "$1.csr" -out "$1.pem" \
			-startdate "$3" -enddate "$4" >openssl.log 2>&1 || { cat openssl.log; echo "openssl makes no certificates"; exit 77; }
	rm -f 0*.pem 1*.pem
}
certificate good DNS:localhost,IP:127.0.0.1 200101000000Z 491231000000Z
certificate expired DNS:localhost,IP:127.0.0.1 200101000000Z 200201000000Z
certificate early DNS:localhost,IP:127.0.0.1 491201000000Z 491231000000Z
certificate stranger DNS:example.org 200101000000Z 491231000000Z
openssl req -config ca.conf -x509 $key -keyout selfmade.key -out selfmade.pem -days 2 -subj /CN=localhost \
	-addext subjectAltName=DNS:localhost,IP:127.0.0.1 >openssl.log 2>&1

: >requests
mkdir tree && echo hello >tree/file && tar -cf body tree
python3 "$srcdir/tests/integration/lib/servers.py" >server.log 2>&1 &
server=$!
trap ': >stop; wait $server 2>/dev/null' EXIT
for i in $(seq 1 100); do [ -e ports ] && break; sleep 0.1; done
[ -e ports ] || { cat server.log; exit 1; }
port() { sed -n "s/^$1 //p" ports; }

# --- asking
export SSL_CERT_FILE="$PWD/authority.crt"
printf 'machine localhost login joe password secret\n' >home/.netrc
fetch() { # URL: prints what is in the tree there
	gxeval --impure --raw -E "builtins.readFile ((builtins.fetchTree { type = \"tarball\"; url = \"$1\"; }).outPath + \"/file\")"
}
env_fetch() { (export "$1"; fetch "$2"); } # VARIABLE=VALUE URL
at() { echo "https://${2:-localhost}:$(port "$1")"; }
unasked() { ! grep "^$1 " requests; }
last() { prints "$1" tail -n 1 requests; }

check "a server whom the authority vouches for" prints hello fetch "$(at good)/hello"
check "is told the password for it" last "good /hello Basic am9lOnNlY3JldA=="
check "a server is found by its address as well" prints hello fetch "$(at good 127.0.0.1)/address"
check "and is told no password meant for another name" last "good /address none"
check "a password in the address" prints hello fetch "https://jim:x@127.0.0.1:$(port good)/own"
check "goes to who is named" last "good /own Basic amltOng="

check "a certificate that nobody vouches for" complains "self-signed certificate" fetch "$(at selfmade)/x"
check "names the address without a password" sh -c "! grep -q secret complains.log"
check "nothing was asked of it, no password told" unasked selfmade
check "a certificate that is over" complains "certificate has expired" fetch "$(at expired)/x"
check "nothing was told to it" unasked expired
check "a certificate of the future" complains "not yet valid" fetch "$(at early)/x"
check "nothing was told to that" unasked early
check "a certificate of somebody else" complains "no alternative certificate subject name matches" fetch "$(at stranger)/x"
check "nothing was told to him" unasked stranger
check "no TLS at all" must_fail fetch "https://localhost:$(port plain)/x"
check "nothing was told there" unasked plain
check "an authority that is not the user's" complains "unable to get local issuer certificate" env_fetch SSL_CERT_FILE="$PWD/selfmade.pem" "$(at good)/other"
check "a file of authorities that is not there" complains "named by SSL_CERT_FILE" env_fetch SSL_CERT_FILE=/nope "$(at good)/nope"

# --- being sent on
check "on to another path of the same host" prints hello fetch "$(at good)/to/good/localhost/there"
check "the password goes along" last "good /there Basic am9lOnNlY3JldA=="
check "on to another host" prints hello fetch "$(at good)/to/good/127.0.0.1/away"
check "without the password" last "good /away none"
check "a password of the address stays behind too" prints hello fetch "https://jim:x@localhost:$(port good)/to/good/127.0.0.1/far"
check "(it does)" last "good /far none"
check "on to http" complains "leads from https to an address that is not" fetch "$(at good)/to/plain/localhost/open"
check "nothing is asked there" unasked plain
check "on to one whose certificate is nothing" complains "self-signed certificate" fetch "$(at good)/to/selfmade/localhost/x"
check "nothing is told to it" unasked selfmade
check "from http to https" prints hello fetch "http://127.0.0.1:$(port plain)/to/good/localhost/up"
check "the password for the first is not told to the second" last "good /up none"

# --- wrong answers: one clear error each, nothing of it is kept, and the next run succeeds
plain() { echo "http://localhost:$(port plain)/$1"; }
nothing_kept() { [ -z "$(ls -A cache/gx/trees 2>/dev/null | grep tmp-)" ] || { ls -A cache/gx/trees; return 1; }; }
check "half of what was announced" complains "(after 5 attempts)" fetch "$(plain cut)"
check "a connection that breaks in the middle" complains "(after 5 attempts)" fetch "$(plain reset)"
check "a page instead of an archive" complains "cannot unpack" fetch "$(plain html)"
check "a server that sends in circles" complains "redirects followed" fetch "$(plain to/plain/localhost/to/plain/localhost/to/plain/localhost/to/plain/localhost/to/plain/localhost/to/plain/localhost/to/plain/localhost/to/plain/localhost/to/plain/localhost/to/plain/localhost/to/plain/localhost/end)"
mkdir zeros && head -c 300000000 /dev/zero >zeros/file && tar -c zeros | gzip -1 >bomb && rm -r zeros
check "a small archive with very much in it" complains "bytes" fetch "$(plain bomb)"
check "nothing of these is kept" nothing_kept
check "what comes after that is fetched" prints hello fetch "$(plain fine)"

# --- inside a fixed-output build, and for Go modules
busybox=$(sh -c 'for f in /bin/busybox /usr/bin/busybox; do [ -x $f ] && echo $f && exit; done')
mkdrv=$builddir/tests/integration/mkdrv
if [ -n "$busybox" ] && [ -x "$mkdrv" ] && "$mkdrv" --probe >probe.log 2>&1; then
	sum=$(printf 'hello\n' | sha256sum | cut -d ' ' -f 1)
	build() { gxeval --store "$PWD/s" --realise -E "import <nix/fetchurl.nix> { url = \"$1\"; name = \"$2\"; hash = \"sha256:$sum\"; }"; }
	: >requests
	check "a builder that fetches" build "$(at good)/built" a
	check "asks the same way" last "good /built Basic am9lOnNlY3JldA=="
	check "a builder and a certificate that nobody vouches for" complains "self-signed certificate" build "$(at selfmade)/built" b
	check "nothing was told to it then" unasked selfmade
	check "a builder that is sent on to http" complains "leads from https to an address that is not" build "$(at good)/to/plain/localhost/built" c
	check "nothing was asked there then" unasked plain
	check "a builder that is given a page" complains "hash mismatch" build "$(plain html)" d
	check "a builder that is given half" complains "(after 5 attempts)" build "$(plain cut)" e
	check "a builder that is given the wrong length" complains "hash mismatch" build "$(plain short)" f
	# What passes is tried again, what does not is one clear error; nothing that is not the whole is taken for it.
	check "500 three times, then the file" build "$(plain thrice500)" g
	check "it was asked four times" prints 4 grep -c "^plain /thrice500 " requests
	check "404" complains "the server says 404" build "$(plain once404)" h
	check "is asked once" prints 1 grep -c "^plain /once404 " requests
	check "and there at the next run" build "$(plain once404)" h
	stalled() { gxeval --option stalled-download-timeout 1 --option download-attempts 2 --store "$PWD/s" --realise -E "import <nix/fetchurl.nix> { url = \"$1\"; name = \"$2\"; hash = \"sha256:$sum\"; }"; }
	check "a server that stalls" complains "hardly anything came for 1 seconds (after 2 attempts)" stalled "$(plain stall)" i
	check "bytes of the right length that are others" complains "hash mismatch" build "$(plain wrong)" j

	# Several addresses: the first that has the file.
	dead=http://127.0.0.1:1
	paths() { cut -d ' ' -f 1-2 requests; }
	several() { # NAME ATTRIBUTES [OPTION...]
		_name=$1 _attrs=$2
		shift 2
		gxeval --store "$PWD/s" "$@" --realise -E "derivation { name = \"$_name\"; system = \"builtin\"; builder = \"builtin:fetchurl\"; outputHash = \"sha256:$sum\"; outputHashMode = \"flat\"; $_attrs }"
	}
	: >requests
	check "one dead mirror of three" several k "urls = [ \"$dead/x\" \"$(plain wrong)\" \"$(plain built)\" ];"
	check "those before it were asked" prints "plain /wrong
plain /built" paths
	: >requests
	check "none of three" complains "cannot fetch 'http://127.0.0.1:1/y'" several l "urls = [ \"$(plain wrong)\" \"$(plain missing)\" \"$dead/y\" ];"
	check "the last has something else" complains "hash mismatch" several m "url = \"$(plain missing)\"; urls = [ \"$(plain missing)\" \"$(plain wrong)\" ];"
	check "the same address is asked once" prints 2 grep -c "^plain /missing " requests
	: >requests
	check "a mirror by its name" several n "url = \"mirror://here/dir/built\"; here = [ \"$dead/a/\" \"$(plain pub/)\" ];"
	check "is asked below its address" prints "plain /pub/dir/built" paths
	check "a mirror that nobody knows" complains "no mirrors are known for 'mirror://there/x'" several o "url = \"mirror://there/x\";"
	check "no address at all" complains "attribute 'url' missing" several p ""
	: >requests
	check "hashed mirrors" several q "url = \"$dead/q\";" --option hashed-mirrors "$dead $(plain hashed)"
	check "are asked by hash" prints "plain /hashed/sha256/$sum" paths
	: >requests
	check "before the address" several r "url = \"$(plain built)\";" --option hashed-mirrors "$(plain hashed/)"
	check "(it was not asked)" prints "plain /hashed/sha256/$sum" paths
	: >requests
	check "not for what is unpacked" mentions "hash mismatch" gxeval --store "$PWD/s" --option hashed-mirrors "$(plain hashed)" --realise -E "import <nix/fetchurl.nix> { url = \"$(plain built)\"; name = \"t\"; executable = true; hash = \"sha256:$sum\"; }"
	check "(it was asked there)" prints "plain /built" paths
	# An archive of Nix's, compressed or not: the hash is that of the tree.
	mkdir packed
	echo in >packed/f
	chmod +x packed/f
	ln -s f packed/l
	gx nar pack packed >t.nar
	xz -k t.nar
	head -c 100 t.nar.xz >cut.nar.xz
	unpacked() { # NAME FILE
		gxeval --store "$PWD/s" --realise -E "import <nix/fetchurl.nix> { url = \"file://$PWD/$2\"; name = \"$1\"; unpack = true; sha256 = \"$(sha256sum t.nar | cut -d ' ' -f 1)\"; }"
	}
	check "an archive of Nix's" unpacked u t.nar
	check "is a tree" sh -c 'test -x s/nix/store/*-u/f && test -L s/nix/store/*-u/l'
	check "also compressed" unpacked v t.nar.xz
	check "it is the same" sh -c 'diff -r --no-dereference packed s/nix/store/*-v && test -x s/nix/store/*-v/f'
	check "one that is cut off" complains "xz data" unpacked w cut.nar.xz
	check "nothing of that is valid" sh -c "! ls s/nix/store | grep -e '-[defijlmoptw]\$'"
else
	skip "builders that fetch" "builders cannot be confined here, or there is no static busybox"
fi
gofetch=$builddir/tests/tools/gofetch
if [ -x "$gofetch" ]; then
	check "a Go proxy with a certificate that is over" complains "certificate has expired" env GOPROXY="$(at expired)" "$gofetch" example.com/a v1.0.0 out
	check "nothing was told to the proxy" unasked expired
else
	skip "a Go proxy with a certificate that is over" "gofetch is not built"
fi
exit 0
