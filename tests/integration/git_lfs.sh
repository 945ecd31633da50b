# SPDX-License-Identifier: MIT
#
# Large files of git: pointers become what they stand for, from the server, the repository or the cache, and nothing else does.
. "$srcdir/tests/integration/lib.sh"
. "$srcdir/tests/integration/lib/flakes.sh"
command -v python3 >/dev/null || { echo "no python3"; exit 77; }
unset http_proxy https_proxy all_proxy HTTPS_PROXY ALL_PROXY
export no_proxy="*" GX_EVAL_CACHE=0 # what is locked would be answered without a look at anything
top=$PWD
mkdir served served/objects
: >served/requests
echo ok >served/mode
(cd served && exec python3 "$srcdir/tests/integration/lib/lfs.py") >server.log 2>&1 &
server=$!
trap ': >served/stop; wait $server 2>/dev/null' EXIT
for i in $(seq 1 100); do [ -e served/port ] && break; sleep 0.1; done
[ -e served/port ] || { cat server.log; exit 1; }
port=$(cat served/port)
varies="s/:$port/:PORT/g; s/[0-9a-f]\{64\}/OBJECT/g; s/[0-9a-f]\{40\}/COMMIT/g"

# --- a repository: one large file under two names, a small one, what only looks like it, one that is left out
git_init repo
head -c 100000 /dev/zero | tr '\0' x >big
echo small >little
pointer() { # FILE: what stands for it
	printf 'version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize %s\n' "$(sha256sum <"$1" | cut -d ' ' -f 1)" "$(stat -c %s "$1")"
}
keep() { cp "$1" "served/objects/$(sha256sum <"$1" | cut -d ' ' -f 1)"; } # FILE
keep big && keep little
mkdir repo/sub
pointer big >repo/one.bin
pointer big >repo/sub/two.bin
chmod +x repo/sub/two.bin
pointer little >repo/three.bin
pointer little >repo/plain.txt
echo 'no pointer' >repo/odd.bin
: >repo/empty.bin
ln -s one.bin repo/link.bin
pointer big | sed 's/^oid.*/oid sha256:zz/' >repo/out.bin
printf '*.bin filter=lfs -text\n.gitattributes export-ignore\nout.bin export-ignore\n' >repo/.gitattributes
echo '{ outputs = { self }: { size = builtins.stringLength (builtins.readFile ./one.bin); }; }' >repo/flake.nix
git_commit repo one
rev=$(git -C repo rev-parse HEAD)
publish() { rm -rf served/repo.git && git clone -q --bare repo served/repo.git && git -C served/repo.git update-server-info; }
publish
url=http://127.0.0.1:$port/repo.git
tree() { gxeval --impure --raw -E "\"\${builtins.fetchGit { url = \"${from-$url}\"; rev = \"$rev\"; lfs = true; $1 }}$2\""; } # ATTRIBUTES FILE
read_() { gxeval --impure --raw -E "builtins.readFile \"\${builtins.fetchGit { url = \"${from-$url}\"; rev = \"${2-$rev}\"; lfs = true; }}/$1\""; } # FILE [REV]
is_file() { read_ "$1" ${3-} >got && cmp got "$2"; } # NAME FILE [REV]
anew() { rm -rf cache && : >served/requests && echo "$1" >served/mode; } # MODE
asked() { cut -d ' ' -f 1,3 served/requests | grep -c "$1" || :; }

check "without lfs pointers are what is committed" prints "$(pointer big)" gxeval --impure --raw -E "builtins.readFile \"\${builtins.fetchGit { url = \"$url\"; rev = \"$rev\"; }}/one.bin\""
check "with it they are what they stand for" is_file one.bin big
check "also in a folder" is_file sub/two.bin big
check "each object is fetched once" prints 2 asked 'GET /objects/'
check "and all are asked for at once" prints 1 asked POST
check "what has no such attribute stays" is_file plain.txt repo/plain.txt
check "also what is no pointer" is_file odd.bin repo/odd.bin
anew ok
check "which is said" warns "warning: 'odd.bin' in '$url' should be a pointer to a large file and is none" read_ odd.bin
check "but not of an empty file" sh -c '! grep -q empty warns.log'
check "nor of what is left out, whose attributes are left out too" sh -c '! grep -q out.bin warns.log'
check "the question" prints "{\"operation\":\"download\",\"transfers\":[\"basic\"],\"objects\":[{\"oid\":\"$(sha256sum <little | cut -d ' ' -f 1)\",\"size\":6},{\"oid\":\"$(sha256sum <big | cut -d ' ' -f 1)\",\"size\":100000}]}" tail -n 1 served/questions
mkdir same same/sub
cp big same/one.bin && cp big same/sub/two.bin && chmod +x same/sub/two.bin && cp little same/three.bin
cp -P repo/plain.txt repo/odd.bin repo/empty.bin repo/link.bin repo/flake.nix same
check "the tree is that of the files" prints "$(gxeval --impure --raw -E "(builtins.fetchTree { type = \"path\"; path = \"$top/same\"; }).narHash")" \
	gxeval --impure --raw -E "(builtins.fetchGit { url = \"$url\"; rev = \"$rev\"; lfs = true; }).narHash"

# --- inputs
mkdir user
user() { # URL
	rm -f user/flake.lock
	echo "{ inputs.r.url = \"$1\"; outputs = { self, r }: { inherit (r) size; }; }" >user/flake.nix
	gx eval --refresh "./user#size"
}
check "a flake's input" prints 100000 user "git+$url?lfs=1"
check "is locked with it" grep -q '"lfs": true' user/flake.lock
check "without" prints 131 user "git+$url"
echo '{ inputs.self.lfs = true; outputs = { self }: { size = builtins.stringLength (builtins.readFile ./one.bin); }; }' >repo/flake.nix
git_commit repo two
publish
check "a flake that wants it for itself" prints 100000 user "git+$url"
check "is locked with it then" grep -q '"lfs": true' user/flake.lock
git -C repo reset -q --hard "$rev"
publish

# --- the cache
anew ok
read_ one.bin >/dev/null
rm -rf cache/gx/trees
: >served/requests
check "what is cached is not fetched again" is_file one.bin big
check "(nobody was asked)" prints 0 asked objects
rm -rf cache/gx/trees
for f in cache/gx/lfs/*; do chmod u+w "$f" && head -c "$(stat -c %s "$f")" /dev/urandom >"$f"; done
check "what was changed there is" is_file one.bin big
check "(it was)" prints 2 asked 'GET /objects/'
rm -rf cache/gx/trees cache/gx/lfs
check "offline it cannot be" complains "and --offline was given" gxeval --offline --impure --raw -E "\"\${builtins.fetchGit { url = \"$url\"; rev = \"$rev\"; lfs = true; }}\""

# --- what servers do wrong: one clear error, no tree
wrong() { # WHAT MODE MESSAGE
	anew "$2"
	check "$1" complains "$3" read_ one.bin
	check "leaves no tree: $1" sh -c '! ls cache/gx/trees | grep -q .'
	check "nor an object: $1" sh -c '! ls -A cache/gx/lfs | grep -q tmp'
}
wrong "an object that is missing" missing "it does not give the object of 'three.bin': 404 Object does not exist"
wrong "other bytes of the right length" wrong "is not the object"
wrong "more than the object" long "larger than"
wrong "less than the object" short "has 5 bytes, but the object"
wrong "an answer about another size" other "answers with another object"
wrong "an answer that is no JSON" garbage "no JSON"
wrong "an answer about nothing" none "says nothing of the object"
wrong "an address of a file here" file "leads to an address that is not https"
wrong "a header that is two" inject "something that is no header"
wrong "a server that wants a password" private "says 401"
anew ok
check "after all that it is fetched" is_file one.bin big
anew moved
check "a server that has moved" is_file one.bin big
check "is asked the same again" grep -q 'POST 127.0.0.1 /new/repo.git/info/lfs/objects/batch' served/requests

# --- passwords
anew private
printf 'machine 127.0.0.1 login joe password secret\nmachine localhost login other password other\n' >home/.netrc
check "with a password of the netrc" is_file one.bin big
check "it goes to its host" grep -q 'POST 127.0.0.1 /repo.git/info/lfs/objects/batch Basic am9lOnNlY3JldA==' served/requests
anew token
check "what an answer says to send is sent" is_file one.bin big
check "with the object alone" prints 2 grep -c '^GET 127.0.0.1 /objects/[0-9a-f]* RemoteAuth secret' served/requests
anew away
check "an object that is elsewhere" is_file one.bin big
check "is asked for without it" prints 2 grep -c '^GET localhost /objects/[0-9a-f]* none' served/requests
rm home/.netrc

# --- over ssh the server says where they are
mkdir bin
cat >bin/ssh <<'END'
#!/bin/sh
echo "$*" >>ssh.log
while :; do case $1 in -o | -p) shift 2 ;; -*) shift ;; *) break ;; esac done
shift
[ "$1" != -- ] || shift
exec sh -c "$*"
END
echo '#!/bin/sh' >bin/git-lfs-authenticate
echo "cat '$top/answer'" >>bin/git-lfs-authenticate
chmod +x bin/ssh bin/git-lfs-authenticate
over_ssh() { (PATH=$top/bin:$PATH from=ssh://git@example.org:22$top/repo; is_file "$@"); }
echo "{\"href\":\"http://127.0.0.1:$port/repo.git/info/lfs/\",\"header\":{\"Authorization\":\"RemoteAuth ssh\"}}" >answer
anew private
check "over ssh" over_ssh one.bin big
check "the host is asked" grep -qF -- "-oBatchMode=yes -p22 git@example.org -- git-lfs-authenticate $top/repo download" ssh.log
check "and what it says to send is sent" grep -q 'POST 127.0.0.1 /repo.git/info/lfs/objects/batch RemoteAuth ssh' served/requests
anew ok
echo "Permission denied" >answer
check "an answer that is none" complains "what git-lfs-authenticate answers is no JSON" over_ssh one.bin big
anew ok
cp -r repo 'a;b'
over_odd() { (PATH=$top/bin:$PATH from="ssh://example.org$top/a;b"; is_file "$@"); }
check "a path that a shell would take apart" complains "cannot be asked for over ssh" over_odd one.bin big

# --- repositories here
anew ok
from=file://$top/clone
git clone -q "$url" clone 2>/dev/null
check "a clone: whence it came is asked" is_file one.bin big
check "(it was)" prints 1 asked POST
anew ok
git -C clone config lfs.url "http://127.0.0.1:$port/mine.git/info/lfs"
check "unless it names a server" is_file one.bin big
check "which is asked then" prints 1 asked 'POST /mine.git/info/lfs/objects/batch'
anew ok
printf '[lfs]\nurl = http://127.0.0.1:%s/mine.git\n' "$port" >clone/.lfsconfig
git -C clone config --unset lfs.url
git_commit clone two
check "a file of the tree names none" is_file one.bin big "$(git -C clone rev-parse HEAD)"
check "the one it came from is asked" prints 1 asked 'POST /repo.git/info/lfs/objects/batch'
anew ok
for f in big little; do
	oid=$(sha256sum <$f | cut -d ' ' -f 1)
	mkdir -p "clone/.git/lfs/objects/$(echo "$oid" | cut -c 1-2)/$(echo "$oid" | cut -c 3-4)"
	cp $f "clone/.git/lfs/objects/$(echo "$oid" | cut -c 1-2)/$(echo "$oid" | cut -c 3-4)/$oid"
done
check "what it has itself" is_file one.bin big
check "is fetched from nowhere" prints 0 asked objects
anew ok
git clone -q clone again
from=file://$top/again
check "what it was cloned from has it" is_file one.bin big
check "is fetched from nowhere either" prints 0 asked objects
anew ok
rm -rf clone/.git/lfs
check "one that has nothing, from one that has nothing" complains "it names no 'origin'" read_ one.bin
git -C again remote set-url origin "$url"
anew ok
check "a working tree without changes is its commit, with them" prints '[100000,true]' gxeval --impure --json -E "let t = builtins.fetchGit { url = \"$from\"; lfs = true; }; in [ (builtins.stringLength (builtins.readFile \"\${t}/one.bin\")) (t ? rev) ]"
echo changed >again/plain.txt
check "one with changes is what is there" prints 131 gxeval --impure --json -E "builtins.stringLength (builtins.readFile \"\${builtins.fetchGit { url = \"$from\"; lfs = true; }}/one.bin\")"
exit 0
