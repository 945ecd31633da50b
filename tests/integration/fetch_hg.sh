# SPDX-License-Identifier: MIT
#
# Mercurial: fetchMercurial and inputs of type hg.  Nothing that a repository configures runs.
. "$srcdir/tests/integration/lib.sh"
. "$srcdir/tests/integration/lib/flakes.sh"
top=$PWD
eval_() { gxeval --impure --json -E "$1"; }
mkdir bin
for p in sh git; do ln -s "$(command -v $p)" bin/$p; done
check "without hg that is said" complains "Mercurial repositories need the program hg, which is not installed" \
	env PATH="$top/bin" "$gxeval" --impure -E "(builtins.fetchMercurial \"https://example.org/r\").rev"
command -v hg >/dev/null || { skip "the rest" "hg is not installed"; exit 0; }
export HGUSER=t HGRCPATH=
hg init r
echo a >r/a
echo '{ outputs = { self }: { v = builtins.readFile ./a; }; }' >r/flake.nix
(cd r && hg add -q && hg commit -m one -d '0 0' && hg branch -q side && echo b >a && hg commit -m two -d '0 0' && hg tag -d '0 0' v2 && hg update -q default)
id() { (cd r && hg id -i --debug -r "$1"); }
one=$(id default) two=$(id v2)
url="file://$top/r"

check "a repository here" prints "[\"default\",\"$one\",0,\"$(echo "$one" | cut -c 1-12)\"]" \
	eval_ "let r = builtins.fetchMercurial $top/r; in [ r.branch r.rev r.revCount r.shortRev ]"
check "a branch" prints '"b\n"' eval_ "builtins.readFile (builtins.fetchMercurial { url = \"$url\"; rev = \"side\"; } + \"/a\")"
check "a tag" prints "\"$two\"" eval_ "(builtins.fetchMercurial { url = \"$url\"; rev = \"v2\"; }).rev"
check "a revision, under a name, in pure evaluation" prints '"b\n"' gxeval --json -E "builtins.readFile (builtins.fetchMercurial { url = \"$url\"; rev = \"$two\"; name = \"x\"; } + \"/a\")"
check "what hg notes in an archive is not there" prints '["a","flake.nix"]' eval_ "builtins.attrNames (builtins.readDir (builtins.fetchMercurial $top/r))"
check "as a reference" prints "[\"$one\",0]" eval_ "let t = builtins.fetchTree \"hg+$url\"; in [ t.rev t.revCount ]"
check "a branch of a reference" prints '"b\n"' eval_ "builtins.readFile (builtins.fetchTree \"hg+$url?ref=side\" + \"/a\")"
check "as a flake" prints '"a\n"' gx eval --json "hg+$url#v"
mkdir user
echo "{ inputs.r.url = \"hg+$url?ref=side\"; outputs = { r, ... }: { v = r.v; }; }" >user/flake.nix
check "as an input" prints '"b\n"' gx eval --json ./user#v
check "that is locked" grep -q "\"rev\": \"$(id side)\"" user/flake.lock
(cd r && hg update -q side && echo c >a && hg commit -m three -d '0 0' && hg update -q default)
check "and stays" prints '"b\n"' gx eval --json ./user#v
check "a branch that moved is asked again" prints '"c\n"' eval_ "builtins.readFile (builtins.fetchTree \"hg+$url?ref=side\" + \"/a\")"

echo changed >r/a
echo new >r/new
check "a working tree with changes is what it is" prints '["changed\n",false,"0000000000000000000000000000000000000000"]' \
	eval_ "let r = builtins.fetchMercurial $top/r; in [ (builtins.readFile (r + \"/a\")) (builtins.pathExists (r + \"/new\")) r.rev ]"
(cd r && hg revert -q a && rm -f a.orig new)

# --- in a flake that is read where it lies
mkdir inside
cp -R r inside/r
echo '{ outputs = _: { v = builtins.readFile (builtins.fetchMercurial ./r + "/a"); rev = (builtins.fetchMercurial ./r).rev; side = builtins.readFile (builtins.fetchMercurial { url = ./r; rev = "side"; } + "/a"); g = builtins.readFile (builtins.fetchGit ./g + "/a"); b = (builtins.fetchGit { url = ./g; ref = "master"; }).rev; nope = (builtins.fetchGit ./nope).rev; }; }' >inside/flake.nix
git_init inside/g
echo g >inside/g/a
git_commit inside/g one
inside() { gx eval --impure --json "./inside#$1"; }
check "a repository in a flake" prints '"a\n"' inside v
check "its commit" prints "\"$one\"" inside rev
check "its branch" prints '"c\n"' inside side
check "one of git" prints '"g\n"' inside g
check "and its branch" prints "\"$(git -C inside/g rev-parse HEAD)\"" inside b
echo changed >inside/r/a
check "what is changed there is seen" prints '"changed\n"' inside v
check "in pure evaluation it is not locked" complains "doesn't fetch unlocked input" gx eval ./inside#v
check "one that is not there" mentions "/nope' does not exist" inside nope

# --- hostile ones
printf '[hooks]\nprechangegroup = touch %s/ran\npre-archive = touch %s/ran\npre-status = touch %s/ran\n[extensions]\nevil = %s/evil.py\n[ui]\nssh = touch %s/ran\n[alias]\nlog = !touch %s/ran\nstatus = !touch %s/ran\n' \
	"$top" "$top" "$top" "$top" "$top" "$top" "$top" >r/.hg/hgrc
echo "open('$top/ran', 'w')" >evil.py
rm -rf cache
check "hg itself would run them" sh -c "hg --cwd r status >/dev/null 2>&1; rm ran"
check "a repository that configures programs" prints "\"$one\"" eval_ "(builtins.fetchMercurial $top/r).rev"
check "and one of its branches" prints '"c\n"' eval_ "builtins.readFile (builtins.fetchMercurial { url = \"$url\"; rev = \"side\"; } + \"/a\")"
check "run nothing" [ ! -e ran ]
check "a revision that is an option" complains "invalid Mercurial branch/tag name" eval_ "(builtins.fetchMercurial { url = \"$url\"; rev = \"--config=x\"; }).rev"
check "an address of another kind" complains "is not a Mercurial address" eval_ '(builtins.fetchMercurial "bundle://x").rev'
check "a host that is an option" complains "begins with a dash" eval_ '(builtins.fetchMercurial "ssh://-oProxyCommand=x/y").rev'
check "a revision that is not there" complains "has no revision '1111111111111111111111111111111111111111'" \
	eval_ "(builtins.fetchMercurial { url = \"$url\"; rev = \"1111111111111111111111111111111111111111\"; }).rev"
check "a branch that is not there" complains "has no branch or tag 'nope'" eval_ "(builtins.fetchMercurial { url = \"$url\"; rev = \"nope\"; }).rev"
check "a repository that is not there" complains "does not exist" eval_ "(builtins.fetchMercurial $top/nowhere).rev"
mv r gone
check "one that has gone: what came a moment ago" prints "\"$one\"" eval_ "(builtins.fetchMercurial { url = \"$url\"; rev = \"$one\"; }).rev"
check "but not when it is to be asked" must_fail gxeval --impure --refresh -E "(builtins.fetchMercurial $top/r).rev"
mv gone r

# --- flakes in it
hg init fl
echo '{ inputs.dep.url = "path:'"$top"'/dep"; outputs = { self, dep }: { v = dep.v; }; }' >fl/flake.nix
mkdir dep && echo '{ outputs = { self }: { v = "dep"; }; }' >dep/flake.nix
hg -R fl add -q fl/flake.nix && hg -R fl commit -q -u t -m one
check "a lock file is written beside a flake without changes" prints '"dep"' gxeval "hg+file://$top/fl#v"
check "and hg knows it" prints "A flake.lock" hg -R fl status
hg -R fl commit -q -u t -m two
check "it is that of the commit then" prints '"dep"' gxeval --no-update-lock-file "hg+file://$top/fl#v"
echo '{ outputs = { self }: { v = "new"; }; }' >dep/flake.nix
check "one that is known is written anew" gx flake update --flake "hg+file://$top/fl"
check "as a change" prints "M flake.lock" hg -R fl status
exit 0
