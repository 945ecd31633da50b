# SPDX-License-Identifier: MIT
#
# Where files of Debian's packages come from: a mirror by hash, those that apt has on the machine, other addresses that are given, and the
# archive, which is asked last and by one at a time.
. "$srcdir/tests/integration/lib.sh"
. "$srcdir/tests/integration/lib/serving.sh"
export XDG_CACHE_HOME="$PWD/cache"

head -c 3000 /dev/zero >body
hash=$(gx hash file body)
serve_body

mkdir -p apt/sources.list.d mirror/pool/main lies/pool/main
cp body mirror/pool/main/a.deb
echo other >lies/pool/main/a.deb

# The requests of a fetch, a line each.
n=0
fetch() { # ATTRIBUTES [OPTION...]
	n=$((n + 1))
	: >requests
	_attributes=$1
	shift
	gx build --store "$PWD/s$n" --option substituters '' --option apt-folder "$PWD/apt" --option download-attempts 1 --no-link "$@" -E "derivation ({
		name = \"a.deb\"; system = \"builtin\"; builder = \"builtin:fetchurl\"; outputHash = \"$hash\"; outputHashAlgo = null;
		url = \"apt://debian/pool/main/a.deb\"; urls = \"http://127.0.0.1:$port/given/missing\"; archiveUrls = \"http://127.0.0.1:$port/archive/x\";
	} // { $_attributes })"
}
asked() { # PATHS COMMAND...
	_paths=$1
	shift
	"$@" || return
	prints "$_paths" sh -c 'cut -d" " -f2 requests | tr "\n" " "'
}

check "without a mirror in apt's files, the addresses that are given, then the archive" asked '/given/missing /archive/x ' fetch ''
printf 'Types: deb\nURIs: file://%s/mirror\nSuites: bookworm\n' "$PWD" >apt/sources.list.d/debian.sources
check "a mirror of apt's comes first" asked '' fetch ''
echo "deb http://127.0.0.1:$port/near trixie main" >apt/sources.list
rm apt/sources.list.d/debian.sources
check "over the network, whatever release it is configured for" asked '/near/pool/main/a.deb ' fetch ''
echo "deb http://127.0.0.1:$port/near trixie-security main" >apt/sources.list
check "one of security updates does not have it" asked '/given/missing /archive/x ' fetch ''
check "but what is theirs" asked '/near/pool/main/b.deb ' fetch 'url = "apt://debian-security/pool/main/b.deb";'
printf 'deb file:%s/lies bookworm main\ndeb file:%s/mirror bookworm main\n' "$PWD" "$PWD" >apt/sources.list
check "one that lies is passed over" asked '' fetch ''
check "all that lie are one error" complains "hash mismatch" fetch "archiveUrls = \"file://$PWD/lies/pool/main/a.deb\"; url = \"apt://debian/pool/none\";"
check "a file that is gone everywhere is one error" complains "missing" fetch "archiveUrls = \"http://127.0.0.1:$port/archive/missing\"; url = \"apt://debian/pool/none\";"
echo "deb http://127.0.0.1:$port/near bookworm main" >apt/sources.list
check "what is longer than it should be is not read to its end" complains "it is larger than 2999 bytes" fetch 'size = 2999;'
check "of the right length it is taken" asked '/near/pool/main/a.deb ' fetch 'size = 3000;'
hex=$(gx hash convert --to base16 "$hash")
mkdir -p own/sha256
cp body "own/sha256/${hex#sha256:}"
check "a mirror of one's own, by hash, is before all" asked '' fetch '' --option hashed-mirrors "file://$PWD/own"

# Who asks the archive has a file locked.
rm apt/sources.list
cat >hold.py <<'X'
import fcntl, os, time
with open("cache/gx/locks/archives", "r+") as f:
    fcntl.lockf(f, fcntl.LOCK_EX)
    open("held", "w").close()
    while not os.path.exists("let-go"):
        time.sleep(0.05)
X
python3 hold.py &
holder=$!
waits() {
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		[ -e held ] && break
		sleep 0.3
	done
	fetch '' >fetch.log 2>&1 &
	_fetch=$!
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		grep -q /given/missing requests && break
		sleep 0.3
	done
	sleep 1
	cp requests before
	touch let-go
	wait "$_fetch" || { cat fetch.log; return 1; }
	[ "$(cut -d" " -f2 before)" = /given/missing ] && prints '/given/missing /archive/x ' sh -c 'cut -d" " -f2 requests | tr "\n" " "'
}
check "the archive is asked by one at a time" waits
wait "$holder"
remove s[0-9]* cache
