# SPDX-License-Identifier: MIT
#
# Inputs that lie in the flake's own tree, and when and where lock files are written.
. "$srcdir/tests/integration/lib.sh"
. "$srcdir/tests/integration/lib/flakes.sh"
node() { # LOCK EXPRESSION, of its nodes
	gxeval --impure --json -E "with (builtins.fromJSON (builtins.readFile $1)).nodes; $2"
}

# A path value is what Nix writes for it.
mkdir -p tree/s tree/deep/er
echo '{ outputs = { self }: { v = 5; }; }' >tree/s/flake.nix
echo '{ inputs.d.url = ./s; inputs.f = { url = ./flake.nix; flake = false; }; outputs = { d, f, ... }: { v = d.v; t = builtins.isString (builtins.readFile f); }; }' >tree/flake.nix
check "an input that is a path" prints 5 gxeval ./tree#v
check "is locked by its name from the flake" prints '{"locked":{"path":"s","type":"path"},"original":{"path":"s","type":"path"},"parent":[]}' node ./tree/flake.lock d
check "a file beside the flake" prints true gxeval ./tree#t
echo '{ inputs = { up.url = ./../..; here.url = ../../s; }; outputs = { up, here, ... }: { v = up.v + here.v; }; }' >tree/deep/er/flake.nix
check "above the flake in its tree" prints 10 gxeval "path:$PWD/tree?dir=deep/er#v"
check "is locked with dots" prints '["../..","../../s"]' node ./tree/deep/er/flake.lock '[ up.locked.path here.locked.path ]'
echo '{ inputs.up.url = ./../../..; outputs = _: { }; }' >tree/deep/er/flake.nix
check "not out of it" complains "is not in the tree of the flake" gxeval "path:$PWD/tree?dir=deep/er#v"

# Relative inputs of an input that is locked already are those of its own tree.
mkdir -p a/in b c
echo '{ outputs = _: { n = 1; }; }' >a/in/flake.nix
echo '{ inputs.i.url = "path:./in"; outputs = { i, ... }: { n = i.n + 1; }; }' >a/flake.nix
echo "{ inputs.a.url = \"path:$PWD/a\"; outputs = { a, ... }: { n = a.n + 1; }; }" >b/flake.nix
echo "{ inputs.b.url = \"path:$PWD/b\"; outputs = { b, ... }: { n = b.n + 1; }; }" >c/flake.nix
gx flake lock ./a 2>/dev/null && gx flake lock ./b 2>/dev/null
check "of an input of an input" prints 4 gxeval ./c#n
check "with the way to it" prints '["b","a"]' node ./c/flake.lock i.parent
check "and stay" quiet gxeval ./c#n

# When nothing may be written.
mkdir app
echo "{ inputs.s.url = \"path:$PWD/tree/s\"; outputs = { s, ... }: { v = s.v; }; }" >app/flake.nix
check "lock --check without a lock file" complains "the lock file of 'path:$PWD/app' is not up to date" gx flake lock --check ./app
check "says what would change" grep -qF "Added input 's'" complains.log
check "and what to do" grep -qF "'gx flake lock' brings it up to date" complains.log
check "CI does not lock by the way" complains "not allowed due to 'CI=true'" env CI=true gxeval ./app#v
check "and says what to do" grep -qF "'gx flake lock'" complains.log
check "nor when asked to lock" complains "is not up to date" env CI=true gx flake lock ./app
check "nothing was written" [ ! -e app/flake.lock ]
check "CI goes on without writing" prints 5 env CI=true gxeval --no-write-lock-file ./app#v
check "CI updates when that is asked for" env CI=true gx flake update --flake ./app
check "what is up to date is fine" env CI=true gx flake lock ./app
check "for all" prints 5 env CI=true gxeval ./app#v
check "CI=no is nothing" prints 5 env CI=no gxeval ./app#v

# Other files than flake.lock.
cp app/flake.lock old.lock
check "--output-lock-file" gx flake lock --output-lock-file out.lock ./app
check "writes the same" cmp out.lock old.lock
echo '{ outputs = { self }: { v = 6; }; }' >tree/s/flake.nix
check "what it is now elsewhere" gx flake update --flake ./app --output-lock-file new.lock
check "leaves the flake's own alone" cmp app/flake.lock old.lock
check "--reference-lock-file" prints 6 gxeval --reference-lock-file new.lock --no-write-lock-file ./app#v
check "one that is not there" complains "cannot read the lock file 'nope.lock'" gxeval --reference-lock-file nope.lock ./app#v
check "one that is no part of what is committed" complains "the setting allow-dirty is off" \
	gxeval --no-allow-dirty --reference-lock-file new.lock ./app#v
check "with --commit-lock-file" complains "exclude each other" gx flake lock --commit-lock-file --output-lock-file x ./app

# Committing it.
export GIT_CONFIG_GLOBAL="$PWD/gitconfig"
printf '[user]\nname = t\nemail = t@example.org\n' >gitconfig
git_init repo
mkdir repo/sub
cp app/flake.nix repo/flake.nix
cp app/flake.nix repo/sub/flake.nix
git_commit repo one
echo staged >repo/staged && git -C repo add staged
echo changed >>repo/flake.nix && sed -i '$d' repo/flake.nix && echo '# changed' >>repo/flake.nix
check "--commit-lock-file" gx flake lock --commit-lock-file ./repo
check "commits" prints "flake.lock: Add" git -C repo log -1 --format=%s
check "the lock file alone" prints flake.lock git -C repo show --name-only --format= HEAD
check "says in the message what changed" sh -c 'git -C repo log -1 --format=%b | grep -qF "Added input"'
check "what was staged stays staged" prints staged git -C repo diff --cached --name-only
check "what was changed stays changed" prints flake.nix git -C repo diff --name-only
check "in a folder, with another summary" gx flake lock --commit-lock-file --commit-lock-file-summary "deps: new" "./repo/sub"
check "is committed" prints "deps: new sub/flake.lock" sh -c 'echo $(git -C repo show --name-only --format=%s HEAD)'
echo '{ outputs = { self }: { v = 7; }; }' >tree/s/flake.nix
check "updates too, the summary as a setting" gx flake update --flake ./repo --commit-lock-file --option commit-lockfile-summary other
check "are committed" prints other git -C repo log -1 --format=%s
check "nothing new is no commit" sh -c 'gx flake lock --commit-lock-file ./repo && [ "$(git -C repo rev-list --count HEAD)" = 4 ]'
check "without a repository" warns "is not a git repository" gx flake update --flake ./app --commit-lock-file

# What nothing pins.
git_init dirty
echo '{ outputs = { self }: { v = 1; }; }' >dirty/flake.nix
git_commit dirty one
echo '# changed' >>dirty/flake.nix
mkdir user
echo "{ inputs.d.url = \"git+file://$PWD/dirty\"; outputs = { d, ... }: { v = d.v; }; }" >user/flake.nix
check "is used, and told of" warns "nothing names its state" gxeval ./user#v
check "but lock cannot write it down" complains "because it has an unlocked input" gx flake lock ./user
check "unless its hash is pin enough" gx flake lock --allow-dirty-locks ./user
check "which is told of" warns "is unlocked" gxeval ./user#v

# A flake that gets flakes of its own tree.
git_init own
mkdir own/sub
echo '{ outputs = _: { number = 123; }; }' >own/flake.nix
cat >own/sub/flake.nix <<'X'
{
  outputs = { self }: {
    by_path = (builtins.getFlake ./..).number;
    by_name = (builtins.getFlake "path:${builtins.unsafeDiscardStringContext self.sourceInfo.outPath}?narHash=${self.narHash}").number;
  };
}
X
git -C own add .
check "a folder of the tree is as pure as the tree" prints 123 gxeval ./own/sub#by_path
check "as is the tree by its hash, though files lie there that do not count" prints 123 gxeval ./own/sub#by_name

# The flake itself in place of one of its inputs.
mkdir -p self/in
echo '{ outputs = _: { v = 1; }; }' >self/in/flake.nix
echo "{ inputs.i.url = \"path:$PWD/self/in\"; outputs = { i, ... }: { v = i.v; w = 2; x = i.w or 0; }; }" >self/flake.nix
check "an input that the flake itself stands in for" prints 2 gxeval --override-input i "path:$PWD/self" "path:$PWD/self#x"
