# SPDX-License-Identifier: MIT
#
# gx flake new, init, prefetch, archive, clone, audit; what metadata and show print as JSON; a lock file with both sides of a merge.
. "$srcdir/tests/integration/lib.sh"
. "$srcdir/tests/integration/lib/flakes.sh"
mkdir -p dep t/trivial/sub
echo '{ outputs = { self }: { v = 1; }; }' >dep/flake.nix
cat >t/flake.nix <<X
{ outputs = { self }: { templates = rec { trivial = { path = ./trivial; description = "small"; welcomeText = "welcome here"; }; default = trivial; }; }; }
X
echo '{ outputs = { self }: { v = 2; }; }' >t/trivial/flake.nix
echo a >t/trivial/sub/a
ln -s sub/a t/trivial/link

# new and init.
check "new" warns "welcome here" gx flake new -t ./t#trivial n1
check "writes the files" cmp t/trivial/sub/a n1/sub/a
check "and links" prints sub/a readlink n1/link
check "new again" gx flake new -t ./t#trivial n1
echo b >n1/sub/a
check "what is another is refused" complains "refusing to overwrite existing file" gx flake new -t ./t#trivial n1
check "and stays" prints b cat n1/sub/a
mkdir n2
echo a >n2/other && mkdir n2/sub && echo x >n2/sub/a
check "nothing is written beside it" sh -c 'cd n2 && ! gx flake init -t ../t 2>/dev/null && [ ! -e flake.nix ]'
echo a >n2/sub/a
check "init with a file that is the same" sh -c 'cd n2 && gx flake init -t ../t 2>/dev/null && [ -e flake.nix ]'
check "a flake of gx:std" sh -c 'gx flake new n3 && gx flake show ./n3 >/dev/null'
check "new wants a folder" status 2 gx flake new

# prefetch, archive.
git_init repo
cat >repo/flake.nix <<X
{ inputs.dep.url = "path:$PWD/dep"; inputs.s.url = ./s; outputs = { self, ... }: { v = 3; }; }
X
mkdir repo/s && echo '{ outputs = { self }: { }; }' >repo/s/flake.nix
git_commit repo one
gx flake lock ./repo 2>/dev/null && git_commit repo two
hash=$(gxeval --json --impure -E "(builtins.fetchGit $PWD/repo).narHash")
path=$(gxeval --raw --impure -E "(builtins.fetchGit $PWD/repo).outPath")
check "prefetch says where it is" warns "to '$path' (hash '" gx flake prefetch --store ./store ./repo
check "it is there" gx path-info --store ./store "$path"
check "as JSON" sh -c "gx flake prefetch --json --store ./store ./repo >p.json && grep -qF '{\"hash\":$hash,\"locked\":{\"lastModified\":' p.json"
check "a link keeps it" sh -c "gx flake prefetch --store ./store -o kept ./repo && [ \"\$(readlink kept)\" = '$path' ] && gx store roots --store ./store | grep -qF '$PWD/kept'"
check "archive" gx flake archive --to ./store2 ./repo
check "has the flake" gx path-info --store ./store2 "$path"
dep=$(gxeval --raw --impure -E "(builtins.fetchTree \"path:$PWD/dep\").outPath")
check "and its inputs" gx path-info --store ./store2 "$dep"
check "as JSON" prints "{\"inputs\":{\"dep\":{\"inputs\":{},\"path\":\"$dep\"},\"s\":{\"inputs\":{}}},\"path\":\"$path\"}" \
	gx flake archive --json --dry-run ./repo
mv dep dep.away
check "evaluates without them" prints 3 gxeval --store ./store2 ./repo#v
mv dep.away dep

# clone.
check "a clone of a repository" gx flake clone ./repo --dest c1
check "is one" prints two git -C c1 log -1 --format=%s
check "a place that is taken" complains "cannot clone into existing path" gx flake clone ./repo --dest c1
check "a copy of a tree" gx flake clone "path:$PWD/dep" --dest c2
check "may be written to" sh -c 'echo >>c2/flake.nix'
check "by a name" sh -c 'gx flake clone --override-flake x "git+file://$PWD/repo?ref=master" x --dest c3 && [ -d c3/.git ]'
check "a clone wants a place" status 2 gx flake clone ./repo
check "not of an option" complains "not" gx flake clone "git+file:///x?ref=--upload-pack=touch" --dest c4

# metadata and show as JSON.
check "metadata" sh -c "gx flake metadata --json ./repo >m.json && [ \$(wc -l <m.json) -eq 1 ]"
keys='["fingerprint","lastModified","locked","locks","original","originalUrl","path","resolved","resolvedUrl","revCount","revision","url"]'
check "has what Nix has" prints "$keys" gxeval --json --impure -E 'builtins.attrNames (builtins.fromJSON (builtins.readFile ./m.json))'
mkdir show
cat >show/flake.nix <<'X'
{
  outputs = { self }: let d = name: { type = "derivation"; inherit name; drvPath = "x"; outPath = "y"; }; in {
    packages.x86_64-linux = { a = d "a"; b = d "b" // { meta.description = "B"; }; bad = 42; };
    packages.other = { c = throw "not looked at"; };
    packages.empty = { };
    legacyPackages.x86_64-linux = { l = d "l"; f = x: x; broken = throw "no"; set.x = d "x"; };
    apps.x86_64-linux.a = { type = "app"; program = "/x"; meta.description = "an app"; };
    checks = { };
    overlays.default = final: prev: { };
    lib = { };
  };
}
X
show() { # EXPECTED [OPTIONS]
	_want=$1
	shift
	prints "$_want" gx flake show --json "$@" --option system x86_64-linux ./show
}
rest='"lib":{"type":"unknown"},"overlays":{"default":{"type":"nixpkgs-overlay"}},"packages":{"other":{"c":{}},"x86_64-linux":{"a":{"description":"","name":"a","type":"derivation"},"b":{"description":"B","name":"b","type":"derivation"},"bad":{}}}}'
app='{"apps":{"x86_64-linux":{"a":{"description":"an app","type":"app"}}},"legacyPackages":{"x86_64-linux":'
check "show --json" show "$app{}},$rest"
check "show --json --legacy" show "$app{\"broken\":{},\"f\":{},\"l\":{\"description\":\"\",\"name\":\"l\",\"type\":\"derivation\"},\"set\":{}}},$rest" --legacy

# audit.
git -C repo tag old HEAD~1
tar czf dep.tar.gz dep
mkdir app
cat >app/flake.nix <<X
{
  inputs.repo.url = "git+file://$PWD/repo";
  inputs.older.url = "git+file://$PWD/repo?ref=old";
  inputs.dep.url = "path:$PWD/dep";
  inputs.tar.url = "file://$PWD/dep.tar.gz";
  outputs = _: { };
}
X
gx flake lock ./app 2>/dev/null
check "an audit" gx flake audit ./app
gx flake audit ./app >audit.log
check "names pin, age, state and place" grep -qE "^dep  .*sha256-.* 0 d +same +path:$PWD/dep" audit.log
check "parts of the flake are parts" grep -qE "^repo/s .*part of the flake" audit.log
check "one source twice" grep -qF "remark: 'older' and 'repo' are one source with two pins" audit.log
check "is an error when asked for" status 1 gx flake audit --strict ./app
echo '# changed' >>dep/flake.nix
tar czf dep.tar.gz dep
check "what has changed is an error" sh -c 'gx flake audit ./app >audit.log; [ $? -eq 1 ] && grep -q "error: .dep. is not what was locked" audit.log && grep -q "error: .tar. is not" audit.log'
check "not without looking" gx flake audit --no-verify ./app
rm dep.tar.gz
check "what is gone is one" sh -c 'gx flake audit ./app >audit.log; [ $? -eq 1 ] && grep -q "error: .tar. cannot be fetched" audit.log'
check "without a network it is not" sh -c 'gx flake audit --offline ./app >audit.log; grep -qE "^tar .* 0 d +- +file:" audit.log && ! grep -q "tar. cannot" audit.log'
check "JSON" sh -c 'gx flake audit --json ./app >audit.json; [ $? -eq 1 ]'
check "says the same" prints '{"dep":["changed"],"older":["duplicate"],"tar":["unreachable"]}' gxeval --json --impure -E \
	'with builtins; removeAttrs (listToAttrs (map (i: { name = i.input; value = i.problems; }) (fromJSON (readFile ./audit.json)).inputs)) [ "repo" "repo/dep" "repo/s" "older/s" "older/dep" ]'
check "an age" sh -c 'sed -i "s/\"lastModified\": [0-9]*/\"lastModified\": 1000000000/" app/flake.lock && gx flake audit --no-verify --max-age 30 ./app | grep -q "remark: .dep. is [0-9]* days old"'
check "http" sh -c 'sed -i "s,file:///.*/dep.tar.gz,http://example.org/dep.tar.gz," app/flake.lock app/flake.nix && ! gx flake audit --no-verify ./app >audit.log && grep -q "error: .tar. comes without encryption" audit.log'
check "no number of days" status 2 gx flake audit --max-age soon ./app

# Both sides of a merge.
git_init merge
cat >merge/flake.nix <<X
{ inputs.dep.url = "path:$PWD/dep"; inputs.d2.url = "path:$PWD/n1"; outputs = _: { v = 1; }; }
X
git -C merge add . && gx flake lock ./merge 2>/dev/null && git_commit merge one
git -C merge checkout -qb side
echo '# 1' >>dep/flake.nix && gx flake update --flake ./merge dep 2>/dev/null && git_commit merge side
git -C merge checkout -q master
echo '# 2' >>dep/flake.nix && gx flake update --flake ./merge dep 2>/dev/null && git_commit merge ours
git -C merge -c user.name=t -c user.email=t@t merge -q side >/dev/null 2>&1
varies='s/marks of git at line [0-9]*/marks of git at line LINE/' # both sides may be of one second
check "a conflict is told as one" complains "has conflict marks of git at line" gx flake metadata ./merge
check "with the inputs that differ" grep -qF "Updated input 'dep'" complains.log
check "and no other" sh -c '! grep -q d2 complains.log'
check "and what mends it" grep -qF "git checkout --ours flake.lock && gx flake lock" complains.log
check "which does" sh -c 'cd merge && git checkout -q --ours flake.lock && gx flake lock && gx flake metadata >/dev/null'
