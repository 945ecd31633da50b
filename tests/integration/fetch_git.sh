# SPDX-License-Identifier: MIT
#
# What fetchGit and git inputs can be told: submodules, export-ignore, names, shallow histories, and addresses in all their forms.
. "$srcdir/tests/integration/lib.sh"
. "$srcdir/tests/integration/lib/flakes.sh"
top=$PWD
git config --global protocol.file.allow always # for git itself: submodule add
eval_() { gxeval --impure --json -E "$1"; }

git_init deep
echo deep >deep/d
git_commit deep one
git_init part
echo in >part/f
git -C part submodule --quiet add ../deep deep
git_commit part one
git_init whole
mkdir -p whole/doc/only whole/sub/keep
printf 'doc export-ignore\nsecret.txt export-ignore\n/sub/x export-ignore\nsub/keep/** export-ignore\nodd export-ignore=no\n' >whole/.gitattributes
for f in doc/only/a secret.txt sub/x sub/y sub/keep/z odd; do echo "$f" >"whole/$f"; done
git -C whole submodule --quiet add ../part sm
git -C whole submodule --quiet update --init --recursive
git_commit whole one
rev=$(git -C whole rev-parse HEAD)
url="url = \"file://$top/whole\""
names() { echo "let names = d: builtins.concatMap (n: if (builtins.readDir d).\${n} == \"directory\" then [ (n + \"/\") ] ++ map (m: \"\${n}/\${m}\") (names \"\${d}/\${n}\") else [ n ]) (builtins.attrNames (builtins.readDir d)); in toString (names ($1))"; }
has() { # WHAT EXPRESSION
	prints "$1" gxeval --impure --raw -E "$(names "$2")"
}

# --- export-ignore
left=".gitattributes .gitmodules odd sm/ sub/ sub/keep/ sub/y"
all=".gitattributes .gitmodules doc/ doc/only/ doc/only/a odd secret.txt sm/ sub/ sub/keep/ sub/keep/z sub/x sub/y"
check "fetchGit leaves out what export-ignore says, and keeps the folder" has "$left" "builtins.fetchGit { $url; rev = \"$rev\"; }"
check "also of a working tree" has "$left" "builtins.fetchGit $top/whole"
check "also of a branch" has "$left" "builtins.fetchGit { $url; ref = \"master\"; }"
check "unless it is told not to" has "$all" "builtins.fetchGit { $url; rev = \"$rev\"; exportIgnore = false; }"
check "fetchTree does not by itself" has "$all" "builtins.fetchTree { type = \"git\"; $url; rev = \"$rev\"; }"
check "but when told to" has "$left" "builtins.fetchTree { type = \"git\"; $url; rev = \"$rev\"; exportIgnore = true; }"
check "nor does a reference" has "$all" "builtins.fetchTree \"git+file://$top/whole?rev=$rev\""
check "unless it says so" has "$left" "builtins.fetchTree \"git+file://$top/whole?rev=$rev&exportIgnore=1\""
check "the two ways to it make one tree" prints true eval_ "(builtins.fetchGit $top/whole).narHash == (builtins.fetchGit { $url; rev = \"$rev\"; }).narHash"

# --- submodules
with="$(echo "$all" | sed 's,sm/,sm/ sm/.gitmodules sm/deep/ sm/deep/d sm/f,')"
check "submodules of a commit, and theirs" has "$with" "builtins.fetchGit { $url; rev = \"$rev\"; submodules = true; }"
check "of a working tree" has "$with" "builtins.fetchGit { $url; submodules = true; }"
check "of a reference" has "$with" "builtins.fetchTree \"git+file://$top/whole?submodules=1\""
check "the set says so" prints '[true,false]' eval_ "map (t: t.submodules) [ (builtins.fetchGit { $url; submodules = true; }) (builtins.fetchGit { $url; }) ]"
check "both are one tree" prints true eval_ "(builtins.fetchGit { $url; submodules = true; }).narHash == (builtins.fetchGit { $url; rev = \"$rev\"; submodules = true; }).narHash"
echo changed >whole/sm/f
check "what changed in one is seen" prints '"changed\n"' eval_ "builtins.readFile (builtins.fetchGit { $url; submodules = true; } + \"/sm/f\")"
check "and makes the whole dirty" prints "\"$rev-dirty\"" eval_ "(builtins.fetchGit { $url; submodules = true; }).dirtyRev"
check "not for who does not look at it" prints false eval_ "builtins.fetchGit { $url; } ? dirtyRev"
git -C whole/sm checkout -q f
rm -rf whole/sm/deep/.git
check "one that is not checked out" complains "the submodule 'sm/deep' of '$top/whole/sm' is not checked out" eval_ "(builtins.fetchGit { $url; submodules = true; }).narHash"
git clone -q whole plain 2>/dev/null
check "a clone without them has all the same by its commit" has "$with" "builtins.fetchGit { url = \"file://$top/whole\"; rev = \"$rev\"; submodules = true; }"
git clone -q whole far/away/plain 2>/dev/null
check "relative addresses start at what it was cloned from" has "$with" "builtins.fetchGit { url = \"file://$top/far/away/plain\"; rev = \"$rev\"; submodules = true; }"
check "its working tree has not" complains "is not checked out" eval_ "(builtins.fetchGit { url = \"file://$top/plain\"; submodules = true; }).narHash"

git_init lost
mkdir lost/sm
echo a >lost/a
git -C lost update-index --add --cacheinfo "160000,$rev,sm"
git_commit lost one
check "a submodule without address" complains "the submodule 'sm' of 'file://$top/lost' cannot be fetched: .gitmodules has no address for it" \
	eval_ "(builtins.fetchGit { url = \"file://$top/lost\"; ref = \"master\"; submodules = true; }).narHash"
bad() { # DESCRIPTION ADDRESS MESSAGE
	printf '[submodule "x"]\n\tpath = sm\n\turl = %s\n' "$2" >lost/.gitmodules
	git -C lost update-index --add .gitmodules
	git -C lost -c user.name=t -c user.email=t@t commit -qm "$2" --allow-empty
	check "$1" complains "$3" eval_ "(builtins.fetchGit { url = \"file://$top/lost\"; ref = \"master\"; submodules = true; }).narHash"
}
bad "an address that runs a program" "ext::touch ran" "is not a Git address"
bad "one that is an option" "--upload-pack=touch ran" "is not a Git address"
bad "one that leads out of its parent" "../../../../../../../../../../../../../../../../x" "leads out of"
bad "one that is not there" "../nowhere" "nowhere"
check "nothing ran" [ ! -e ran ]

# --- inputs.self.submodules
said_in() { _text=$1; shift; "$@" 2>said.log >/dev/null && grep -qF -- "$_text" said.log || { cat said.log; return 1; }; }
git -C whole submodule --quiet update --init --recursive
echo '{ inputs.self.submodules = true; outputs = { self }: { d = builtins.readFile ./sm/deep/d; n = self.narHash; s = self.submodules; r = self.dirtyRev; }; }' >whole/flake.nix
git_commit whole two
check "a flake that wants its submodules has them" prints deep gx eval --raw ./whole#d
check "also as a commit" prints deep gx eval --raw "git+file://$top/whole?ref=master#d"
check "it is the tree that has them" prints "true" gx eval --json ./whole#s
mkdir user
echo "{ inputs.w.url = \"git+file://$top/whole\"; outputs = { w, ... }: { d = w.d; n = w.narHash; }; }" >user/flake.nix
check "as an input" prints deep gx eval --raw ./user#d
rm user/flake.lock
check "which takes the tree once more" said_in "refetching input 'git+file://$top/whole" gx eval -v --raw ./user#d
check "which is locked with them" grep -q '"submodules": true' user/flake.lock
rm -rf cache
check "and fetched with them from the lock" prints deep gx eval --raw ./user#d
rm user/flake.lock
echo changed >whole/sm/f
check "as an input it is its commit, whatever is changed in a submodule" prints deep gx eval --raw ./user#d
check "so that it is locked" grep -q "\"rev\": \"$(git -C whole rev-parse HEAD)\"" user/flake.lock
check "the flake itself is what lies there" prints "$(git -C whole rev-parse HEAD)-dirty" gx eval --raw "./whole#r"
git -C whole/sm checkout -q f
sed -i 's/true/false/' whole/flake.nix
check "who does not want them has none" complains "sm/deep" gx eval --raw ./whole#d

# --- names, shallow histories
git -C whole checkout -q flake.nix
check "the store path has the name" sh -c "gxeval --impure --raw -E '(builtins.fetchGit { $url; rev = \"$rev\"; name = \"pin-1\"; }).outPath' | grep -q -e '-pin-1\$'"
check "a name that store paths cannot have" complains "a source cannot be called 'a b'" eval_ "(builtins.fetchGit { $url; name = \"a b\"; }).outPath"
git clone -q --depth 1 "file://$top/whole" cut 2>/dev/null
check "of a shallow repository a commit has no count" complains "is a shallow repository" eval_ "(builtins.fetchGit { url = \"file://$top/cut\"; ref = \"master\"; }).revCount"
check "unless it may be one" prints false eval_ "builtins.fetchGit { url = \"file://$top/cut\"; shallow = true; } ? revCount"
two=$(git -C whole rev-parse HEAD)
check "a commit without its history" prints false eval_ "builtins.fetchTree { type = \"git\"; $url; ref = \"master\"; } ? revCount"
check "-v says what is copied" said_in "copying '$top/cut' to the store" gxeval -v --store "$PWD/vs" --impure -E "(builtins.fetchGit { url = \"file://$top/cut\"; shallow = true; }).outPath"
check "does not spoil the one with it" prints 2 eval_ "(builtins.fetchGit { $url; ref = \"master\"; }).revCount"
check "a commit on no branch, by all references" prints "\"$two\"" eval_ "(builtins.fetchGit { $url; rev = \"$two\"; allRefs = true; }).rev"

# --- pure evaluation takes what only its hash is known of
hash=$(gxeval --impure --raw -E "(builtins.fetchGit { $url; ref = \"master\"; }).narHash")
by_hash() { gxeval --pure-eval --raw -E "(builtins.fetchGit { $url; ref = \"master\"; $1 }).outPath"; }
check "a hash is enough" prints "$(gxeval --impure --raw -E "(builtins.fetchGit { $url; ref = \"master\"; }).outPath")" by_hash "narHash = \"$hash\";"
check "with a warning, each time" sh -c "$(command -v gxeval) --pure-eval -E '(builtins.fetchGit { $url; ref = \"master\"; narHash = \"$hash\"; }).rev' 2>&1 >/dev/null | grep -q 'warning: Input .* is unlocked'"
check "it has to be right" complains "NAR hash mismatch in input" by_hash "narHash = \"sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\";"
check "without one there is none" complains "doesn't fetch unlocked input" by_hash ""

# --- addresses
check "a relative one, as text" prints "\"$two\"" eval_ '(builtins.fetchGit "./whole").rev'
check "git+file: from where one stands" prints "\"$two\"" eval_ '(builtins.fetchTree "git+file:./whole").rev'
check "with a warning" sh -c "gxeval --impure -E '(builtins.fetchTree \"git+file:./whole\").rev' 2>&1 | grep -q \"'file:./whole' is looked for where this command was started\""
git_init beside
echo '{ inputs.w = { url = "git+file:./whole"; flake = false; }; outputs = { w, ... }: { inherit (w) rev; }; }' >beside/flake.nix
git -C beside add flake.nix
check "as an input" prints "$two" gx eval --raw ./beside#rev
check "is locked as it is" grep -q '"url": "file:./whole"' beside/flake.lock
check "git+file:" prints "\"$two\"" eval_ "(builtins.fetchTree \"git+file:$top/whole\").rev"
mkdir bin
printf '#!/bin/sh\necho "$*" >>"%s/ssh.log"\nexit 1\n' "$top" >bin/ssh
chmod +x bin/ssh
over_ssh() { (PATH="$top/bin:$PATH"; eval_ "builtins.fetchGit { url = \"$1\"; ref = \"main\"; }"); }
check "user@host:path" must_fail over_ssh "git@example.org:o/r.git"
check "is ssh" grep -q "git@example.org git-upload-pack '/o/r.git'" ssh.log
rm -f ssh.log
check "ssh:" must_fail over_ssh "ssh://git@example.org:22/o/r.git"
check "is too" grep -q "22 git@example.org git-upload-pack '/o/r.git'" ssh.log
check "a host that is an option" complains "begins with a dash" over_ssh "ssh://-oProxyCommand=touch/x"

# --- what has other contents than its hash says, changes that nobody committed
other=sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
check "a wrong narHash ends with 102, in a reference" status 102 gx eval "path:$top/deep?narHash=$other#x"
check "of fetchTree" status 102 eval_ "fetchTree { type = \"path\"; path = $top/deep; narHash = \"$other\"; }"
check "of fetchGit" status 102 eval_ "(fetchGit { $url; rev = \"$rev\"; narHash = \"$other\"; }).outPath"
check "and a wrong hash of fetchurl" status 102 eval_ "builtins.fetchurl { url = \"file://$top/deep/d\"; sha256 = \"$other\"; }"
check "not that of a path" status 1 eval_ "builtins.path { path = $top/deep; sha256 = \"$other\"; }"
git_init changed
echo one >changed/f
git_commit changed one
state() { gxeval "$@" --impure --json -E "builtins.fetchGit $top/changed ? dirtyRev"; }
check "a tree without changes: nobody minds" quiet state --no-allow-dirty --warn-dirty
echo two >changed/f
check "one with changes is taken" prints true quiet state
check "unless it must not be" complains "'$top/changed' has changes that are not committed, and allow-dirty is false" state --no-allow-dirty
check "one may be warned of it" warns "warning: '$top/changed' has changes that are not committed" state --option warn-dirty true

# --- what has gone, and what is on another branch
git init -q --bare -b main bare.git
git_init moves
echo one >moves/f
git_commit moves one
git -C moves -c user.name=t -c user.email=t@example.org tag -a -m t1 t1
git -C moves push -q "$top/bare.git" HEAD:main t1 2>/dev/null
first=$(git -C moves rev-parse HEAD)
git -C moves checkout -q -b aside
echo two >moves/f
git_commit moves two
aside=$(git -C moves rev-parse HEAD)
git -C moves checkout -q -
of_bare() { eval_ "let r = builtins.fetchGit { url = \"file://$top/bare.git\"; $1 }; in [ r.rev r.revCount r.narHash ]"; }
before=$(of_bare 'ref = "main";')
mv bare.git gone.git
check "a repository that has gone: as it was the last time, with a warning" warns "the repository '$top/bare.git' does not exist" of_bare 'ref = "main";'
check "the same as then" prints "$before" of_bare 'ref = "main";'
check "by its commit as well" prints "$before" quiet of_bare "rev = \"$first\";"
check "not what nobody fetched" complains "does not exist" of_bare 'ref = "other";'
mv gone.git bare.git
far() { _NIX_FORCE_HTTP=1 gxeval --impure --json -E "(builtins.fetchGit { url = \"file://$top/moves\"; $1 }).rev"; }
check "a tag by its full name is its commit" prints "\"$first\"" far 'ref = "refs/tags/t1";'
check "a commit on another branch" prints "\"$aside\"" far "rev = \"$aside\";"
exit 0
