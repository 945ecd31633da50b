# SPDX-License-Identifier: MIT
#
# What was fetched before: for a while nobody is asked again, and when a server cannot be asked it will do, with one warning.
. "$srcdir/tests/integration/lib.sh"
. "$srcdir/tests/integration/lib/flakes.sh"
command -v python3 >/dev/null || { echo "no python3"; exit 77; }
unset http_proxy https_proxy all_proxy HTTPS_PROXY ALL_PROXY
export no_proxy="*"
mkdir served served/objects
: >served/requests
echo ok >served/mode
start() {
	rm -f served/stop served/port
	(cd served && exec python3 "$srcdir/tests/integration/lib/lfs.py" ${port-}) >server.log 2>&1 &
	server=$!
	for i in $(seq 1 100); do [ -e served/port ] && break; sleep 0.1; done
	[ -e served/port ] || { cat server.log; exit 1; }
	port=$(cat served/port)
}
stop() {
	: >served/stop
	wait $server 2>/dev/null
}
start
trap stop EXIT
varies="s/:$port/:PORT/g; s/after [0-9]* ms/after N ms/; s/port $port/port PORT/"

git_init repo
publish() { # TEXT
	echo "$1" >repo/f
	git_commit repo "$1"
	rm -rf served/repo.git && git clone -q --bare repo served/repo.git && git -C served/repo.git update-server-info
	mkdir -p tree && cp repo/f tree/f && tar -C . -cf served/objects/tree.tar tree
	echo "$1" >served/objects/file
}
publish one
at=http://127.0.0.1:$port
git_() { gxeval --impure --raw "$@" -E "builtins.readFile ((builtins.fetchGit { url = \"$at/repo.git\"; ref = \"master\"; }) + \"/f\")"; }
head_() { gxeval --impure --raw "$@" -E "builtins.readFile ((builtins.fetchGit \"$at/repo.git\") + \"/f\")"; }
tarball() { gxeval --impure --raw "$@" -E "builtins.readFile ((builtins.fetchTarball \"$at/objects/tree.tar\") + \"/f\")"; }
file() { gxeval --impure --raw "$@" -E "builtins.readFile (builtins.fetchurl \"$at/objects/file\")"; }
unasked() { [ ! -s served/requests ] || { cat served/requests; return 1; }; }

for what in git_ head_ tarball file; do
	check "$what: what is there" prints one $what
done
publish two
: >served/requests
for what in git_ head_ tarball file; do
	check "$what: for a while it is what it was" prints one quiet $what
done
check "and nobody is asked" unasked
check "git_: until one wants to know" prints two git_ --refresh
check "or the time is over" prints two head_ --option tarball-ttl 0
check "tarball: the same" prints two tarball --refresh
check "file: the same" prints two file --refresh

stop
once() { # COMMAND...: one warning, on one line
	"$@" 2>once.log || return 1
	[ "$(wc -l <once.log)" -eq 1 ] && grep -q '^warning: cannot .*; using what was fetched before$' once.log || { cat once.log; return 1; }
}
for what in git_ head_ tarball file; do
	check "$what: when the server is away it will do, with a warning" once prints two $what --refresh
	check "$what: and is asked for again the next time" once prints two $what --refresh
	check "$what: offline that is said already" prints two quiet $what --refresh --offline
done
check "what was never here is an error" complains "cannot look up a reference" gxeval --impure -E "builtins.fetchGit { url = \"$at/repo.git\"; ref = \"other\"; }"
check "also of an archive" complains "cannot fetch" gxeval --impure -E "builtins.fetchTarball \"$at/objects/other.tar\""
sum=0000000000000000000000000000000000000000000000000000
check "what has another hash than is wanted will not do" complains "does not have the hash" gxeval --impure -E "builtins.fetchurl { url = \"$at/objects/file\"; sha256 = \"$sum\"; }"
rm -rf cache/gx/trees
check "a note without its tree will not do" must_fail git_ --refresh

start
git -C served/repo.git update-ref -d refs/heads/master
git -C served/repo.git update-server-info
check "that the server has no such branch any more is an error" complains "the repository has no reference 'master'" git_ --refresh
exit 0
