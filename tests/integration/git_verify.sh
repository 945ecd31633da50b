# SPDX-License-Identifier: MIT
#
# Signed commits: taken with the right key, and with no other, on every route.
. "$srcdir/tests/integration/lib.sh"
. "$srcdir/tests/integration/lib/flakes.sh"

command -v ssh-keygen >/dev/null || { echo "no ssh-keygen"; exit 77; }
top=$PWD
varies='s/AAAA[A-Za-z0-9+/=]\{16,\}/KEY/g; s/[0-9a-f]\{40\}/COMMIT/g' # made anew in each run
for k in good other; do
	ssh-keygen -q -t ed25519 -N '' -f $k -C ''
done
ssh-keygen -q -t rsa -b 2048 -N '' -f rsa -C ''
ssh-keygen -q -t ecdsa -N '' -f ecdsa -C ''
key() { cut -d' ' -f2 <"$1.pub"; }
print() { ssh-keygen -l -f "$1.pub" | cut -d' ' -f2; }
sign() { # KEY MESSAGE
	git -C repo -c user.name=t -c user.email=t@t -c gpg.format=ssh -c user.signingKey="$top/$1" commit --allow-empty -qS -m "$2"
	git -C repo rev-parse HEAD
}
git_init repo
echo '{ outputs = { self }: { x = 7; }; }' >repo/flake.nix
git -C repo add .
signed=$(sign good one)
by_rsa=$(sign rsa two)
by_ecdsa=$(sign ecdsa three)
git -C repo -c user.name=t -c user.email=t@t commit -q --allow-empty -m unsigned
unsigned=$(git -C repo rev-parse HEAD)
changed=$(git -C repo cat-file commit "$signed" | sed 's/^one$/two/' | git -C repo hash-object -t commit -w --stdin)
git -C repo update-ref refs/heads/changed "$changed"
git -C repo reset -q --hard "$signed"

url="url = \"file://$top/repo\""
fetch() { # ATTRIBUTES
	gxeval --raw --impure -E "builtins.readFile \"\${builtins.fetchGit { $url; $1 }}/flake.nix\""
}
content=$(cat repo/flake.nix)
mine="publicKey = \"$(key good)\";"
refuses() { # MESSAGE REV COMMAND...
	_said="error: cannot verify the commit $2 of 'file://$top/repo': $1"
	shift 2
	must_fail "$@" >refuses.out 2>refuses.log || return 1
	[ "$(grep -c '^error' refuses.log)" -eq 1 ] && grep -qxF -- "$_said" refuses.log || { cat refuses.log && echo "not: $_said" && return 1; }
}
another="it is signed with another key, $(print good): No principal matched."

check "signed with the key" prints "$content" fetch "rev = \"$signed\"; verifyCommit = true; $mine"
check "keys alone ask for it" refuses "it is not signed" $unsigned fetch "rev = \"$unsigned\"; ref = \"$unsigned\"; allRefs = true; $mine"
check "not with verifyCommit = false" prints "$content" fetch "rev = \"$unsigned\"; allRefs = true; verifyCommit = false; $mine"
check "verifyCommit without keys" refuses "no public key is given to verify it with" $signed fetch "rev = \"$signed\"; verifyCommit = true;"
check "another key" refuses "$another" $signed fetch "rev = \"$signed\"; publicKey = \"$(key other)\";"
check "one of several keys" prints "$content" fetch "rev = \"$signed\"; publicKeys = [ { type = \"ssh-ed25519\"; key = \"$(key other)\"; } { key = \"$(key good)\"; } ];"
check "none of several keys" refuses "$another" $signed fetch "rev = \"$signed\"; publicKeys = [ { key = \"$(key other)\"; } { type = \"ssh-rsa\"; key = \"$(key rsa)\"; } ];"
check "publicKeys as text" prints "$content" fetch "rev = \"$signed\"; publicKeys = ''[{\"key\":\"$(key good)\"}]'';"
check "a changed commit" refuses "it was changed after it was signed, or its signature was" $changed fetch "rev = \"$changed\"; ref = \"changed\"; $mine"
check "an RSA key" prints "$content" fetch "rev = \"$by_rsa\"; allRefs = true; keytype = \"ssh-rsa\"; publicKey = \"$(key rsa)\";"
check "an ECDSA key" prints "$content" fetch "rev = \"$by_ecdsa\"; allRefs = true; keytype = \"ssh-ecdsa\"; publicKey = \"$(key ecdsa)\";"
check "a kind that is none" complains "'rsa' is no kind of public key" fetch "rev = \"$signed\"; keytype = \"rsa\"; $mine"
check "a key of another kind" complains "is no public key of the kind ssh-rsa" fetch "rev = \"$signed\"; keytype = \"ssh-rsa\"; $mine"
check "a key that is none" complains "is no public key of the kind" fetch "rev = \"$signed\"; publicKey = \"x\\n* ssh-ed25519 $(key good)\";"
check "a list of something else" complains "'publicKeys' must be a list of sets" fetch "rev = \"$signed\"; publicKeys = [ 1 ];"
check "text that is no list" complains "'publicKeys' is not valid" fetch "rev = \"$signed\"; publicKeys = \"[\";"

# The user's keys and settings count for nothing.
printf '* %s\n' "$(cat other.pub)" >all
git config --file home/.gitconfig gpg.ssh.allowedSignersFile "$top/all"
git -C repo config gpg.ssh.allowedSignersFile "$top/all"
git -C repo config gpg.ssh.program "$(command -v true)"
git -C repo config gpg.program "$(command -v true)"
by_other=$(git -C repo -c user.name=t -c user.email=t@t -c gpg.format=ssh -c gpg.ssh.program=ssh-keygen -c user.signingKey="$top/other" commit --allow-empty -qS -m other && git -C repo rev-parse HEAD)
check "a key that the user trusts" refuses "it is signed with another key, $(print other): No principal matched." $by_other fetch "rev = \"$by_other\"; $mine"
git -C repo reset -q --hard "$signed"

# A commit whose tree was replaced where it lies keeps its name and its signature.
cp -r repo forged
tree=$(git -C forged rev-parse "$signed:flake.nix")
file=forged/.git/objects/$(echo "$tree" | cut -c1-2)/$(echo "$tree" | cut -c3-)
echo evil >evil
blob=$(git -C forged hash-object -w ../evil)
chmod u+w "$file"
cp "forged/.git/objects/$(echo "$blob" | cut -c1-2)/$(echo "$blob" | cut -c3-)" "$file"
rm -rf cache/gx
check "what git itself would take for it" prints evil gxeval --raw --impure -E "builtins.readFile \"\${builtins.fetchGit { url = \"file://$top/forged\"; rev = \"$signed\"; }}/flake.nix\""
check "is not taken for the commit of another repository" prints "$content" fetch "rev = \"$signed\";"
check "nor verified" prints "$content" fetch "rev = \"$signed\"; $mine"
rm -rf cache/gx
check "an object that is not what its name says" must_fail gxeval --raw --impure -E "builtins.readFile \"\${builtins.fetchGit { url = \"file://$top/forged\"; rev = \"$signed\"; $mine }}/flake.nix\""

# Working trees.
check "a clean tree" prints "$content" gxeval --raw --impure -E "builtins.readFile \"\${builtins.fetchGit { $url; $mine }}/flake.nix\""
check "a clean tree, another key" refuses "$another" $signed gxeval --impure --json -E "builtins.fetchGit { $url; publicKey = \"$(key other)\"; }"
echo >>repo/flake.nix
check "a tree with changes" complains "the commit of '$top/repo' must be verified, but its working tree is dirty" \
	gxeval --impure --json -E "builtins.fetchGit { $url; $mine }"
git -C repo checkout -q .
printf 'x\n' >>repo/flake.nix
git -C repo update-index --assume-unchanged flake.nix
check "a change that git was told not to see" prints "$content" gxeval --raw --impure -E "builtins.readFile \"\${builtins.fetchGit { $url; $mine }}/flake.nix\""
git -C repo update-index --no-assume-unchanged flake.nix
git -C repo checkout -q .

# Inputs.
mkdir app
app() { # ATTRIBUTES
	echo "{ inputs.r = { type = \"git\"; $url; $1 }; outputs = { self, r }: { x = r.x; }; }" >app/flake.nix
	rm -f app/flake.lock
	gxeval ./app --attr x
}
check "an input" prints 7 app "$mine"
check "its key stays in the lock" grep -qF "\"publicKey\": \"$(key good)\"" app/flake.lock
check "an input with several keys" prints 7 app "publicKeys = [ { key = \"$(key other)\"; type = \"ssh-ed25519\"; } { key = \"$(key good)\"; } ];"
check "they stay in the lock" grep -qF "\"publicKeys\": \"[{\\\"key\\\":\\\"$(key other)\\\",\\\"type\\\":\\\"ssh-ed25519\\\"},{\\\"key\\\":\\\"$(key good)\\\"}]\"" app/flake.lock
check "from the lock" prints 7 gxeval ./app --attr x
sed -i "s|$(key good)|$(key rsa)|" app/flake.lock
rm -rf cache
check "an input signed with another key" refuses "$another" $signed app "publicKey = \"$(key other)\";"
check "locks nothing" [ ! -e app/flake.lock ]
check "an input by address" prints 7 sh -c "echo '{ inputs.r.url = \"git+file://$top/repo?verifyCommit=1&publicKey=$(key good | sed 's/+/%2B/g')\"; outputs = { self, r }: { x = r.x; }; }' >app/flake.nix; gxeval ./app --attr x"
check "keys that are computed" complains "'publicKeys' must be a list of sets" app "publicKeys = [ { key = \"a\" + \"b\"; } ];"

# Without the program that verifies, nothing is taken for verified.
mkdir bin
for p in git sh; do ln -s "$(command -v $p)" bin/$p; done
rm -rf cache
check "without ssh-keygen" refuses "verifying it needs ssh-keygen, which is not installed" $signed env PATH="$top/bin" "$gxeval" --impure --json -E "builtins.fetchGit { $url; rev = \"$signed\"; $mine }"

# Nor is anything else accepted and not done.
git_init plain
echo '{ inputs.self.shallow = true; outputs = { self }: { x = 1; }; }' >plain/flake.nix
git -C plain add .
check "inputs.self.shallow" complains "'inputs.self' has an attribute 'shallow'" gxeval ./plain --attr x
check "a name" complains "the attribute 'name' is not for 'fetchTree': what it fetches is called 'source'" gxeval --impure -E "builtins.fetchTree { type = \"git\"; $url; name = \"x\"; }"
check "unpack = false" complains "cannot be fetched without unpacking it" gxeval --impure -E 'builtins.fetchTree { type = "tarball"; url = "file:///x.tar.gz"; unpack = false; }'
check "a branch of std" complains "the branch or tag 'main' cannot be taken of 'gx:std'" gxeval --impure -E 'builtins.fetchTree "flake:std/main"'

# Repositories kept in the cache: what can no longer be read is fetched again.
damage() { # DESCRIPTION COMMAND, in the kept repository
	check "kept: $1" prints "$content" fetch "rev = \"$signed\"; $mine"
	rm -rf cache/gx/trees
	chmod -R u+w cache/gx/git
	(cd cache/gx/git/* && eval "$2")
	check "fetched again: $1" prints "$content" fetch "rev = \"$signed\"; $mine"
	rm -rf cache/gx/trees
	check "whole: $1" prints "$content" fetch "rev = \"$signed\"; $mine"
}
rm -rf cache
damage "empty objects" 'for f in $(find objects -type f); do : >$f; done'
damage "changed objects" 'for f in $(find objects -name "*.pack" -o -path "*/??/*" -type f); do printf "\377\377\377\377\377\377" | dd of=$f bs=1 seek=14 conv=notrunc 2>/dev/null; done'
damage "no configuration" ': >HEAD; : >config'
damage "no reference" 'rm -rf refs packed-refs'
