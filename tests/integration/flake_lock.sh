# SPDX-License-Identifier: MIT
#
# Lock files: what gx writes is what Nix writes, byte for byte, and what it keeps, updates and refuses.
. "$srcdir/tests/integration/lib.sh"
. "$srcdir/tests/integration/lib/flakes.sh"
varies='s/:1:[0-9]*$/:1:COLUMN/' # behind the name of a folder

mkdir dep lib app repo
cat >dep/flake.nix <<X
{ outputs = { self }: { v = 42; }; }
X
cat >lib/flake.nix <<X
{ inputs.dep.url = "path:$PWD/dep"; outputs = { self, dep }: { d = dep.v; }; }
X
git_init repo
echo hi >repo/a
mkdir repo/sub
echo b >repo/sub/b
echo '{ outputs = { self }: { n = 7; rev = self.rev; }; }' >repo/flake.nix
ln -s a repo/link
git_commit repo one
cat >app/flake.nix <<X
{
  description = "an app";
  inputs.lib.url = "path:$PWD/lib";
  inputs.dep.url = "path:$PWD/dep";
  inputs.lib2 = { url = "path:$PWD/lib"; inputs.dep.follows = "dep"; };
  inputs.data = { url = "path:$PWD/repo/sub"; flake = false; };
  inputs.sub.url = "git+file://$PWD/repo?ref=master";
  inputs.tree = { type = "git"; url = "file://$PWD/repo"; ref = "master"; flake = false; };
  outputs = { self, lib, lib2, dep, data, sub, tree, ... }: {
    x = lib.d + lib2.d + sub.n;
    info = builtins.removeAttrs lib.sourceInfo [ "outPath" ];
    out = tree.outPath;
    drv = (derivation { name = "t"; system = "s"; builder = "b"; args = [ "\${self}/x" ./flake.nix "\${tree}" sub ]; }).drvPath;
  };
}
X

check "lock writes the lock file" gx flake lock ./app
check "a second lock changes nothing" quiet gx flake lock ./app
check "an attribute of it" prints 91 gxeval ./app --attr x
check "the old lock is enough with --no-update-lock-file" prints 91 gxeval --no-update-lock-file ./app --attr x
cp app/flake.lock kept.lock

if have_nix; then
	rm app/flake.lock
	nix_ flake lock "$PWD/app" >/dev/null 2>&1
	check "the lock file is what Nix writes" cmp app/flake.lock kept.lock
	for a in drv out; do
		check "$a is what Nix says" prints "$(nix_ eval --raw "$PWD/app#$a" 2>/dev/null)" gxeval --raw ./app --attr $a
	done
	check "sourceInfo holds what Nix has" prints "$(nix_ eval --json "$PWD/app#info" 2>/dev/null)" gxeval --json ./app --attr info
else
	skip "the lock file and what comes of it is what Nix says" "no nix"
fi

echo '{ outputs = { self }: { v = 43; }; }' >dep/flake.nix
check "a locked path that changed is an error" complains "NAR hash mismatch in input" gxeval ./app --attr x
(
	cd app || exit
	check "update of one input" gx flake update dep
	check "others stay" complains "NAR hash mismatch in input" gxeval --attr x
	check "update of an input of an input" gx flake update lib/dep
	check "all are new" prints 93 gxeval --attr x
	check "nor of none" complains "input path to be updated cannot be zero-length" gx flake update ''
	check "--update-input of none" complains "--update-input was passed a zero-length" gx flake lock --update-input ''
	check "--override-input of none" complains "--override-input was passed a zero-length" gx flake lock --override-input '' .
	check "update of what is no input" complains "no input 'nope'" gx flake update nope
)
sed -i 's/an app/the app/; s,inputs.dep.url = "path:[^"]*/dep";,inputs.dep.url = "path:'"$PWD"'/./dep";,' app/flake.nix
check "--no-update-lock-file refuses" complains "requires lock file changes" gxeval --no-update-lock-file ./app --attr info

# Overrides.
mkdir other
echo '{ outputs = { self }: { v = 1; }; }' >other/flake.nix
mkdir top
echo "{ inputs.dep.url = \"path:$PWD/dep\"; outputs = { self, dep }: { y = dep.v; }; }" >top/flake.nix
check "without an override" prints 43 gxeval ./top --attr y
cp top/flake.lock top.lock
check "--override-input" prints 1 gxeval --override-input dep "path:$PWD/other" ./top --attr y
check "an override is not written" cmp top/flake.lock top.lock
check "an override of no input is a warning" warns "does not match any input" gxeval --override-input nope gx:std ./top --attr y

# Old versions are read.
sed 's/"version": 7/"version": 5/' top.lock >top/flake.lock
check "version 5 is read" prints 43 gxeval --no-write-lock-file ./top --attr y

# What a flake overrides of its inputs' inputs is what is locked.
cp -r other other2
mkdir over
echo "{ inputs.mid.url = \"path:$PWD/top\"; inputs.mid.inputs.dep.url = \"path:$PWD/other2\"; outputs = { self, mid }: { z = mid.y; }; }" >over/flake.nix
check "an override in a flake" prints 1 gxeval ./over --attr z
check "it is the original as well" prints "$PWD/other2" gxeval --raw --impure -E \
	"(builtins.fromJSON (builtins.readFile ./over/flake.lock)).nodes.dep.original.path"

# Kept trees: what lies in the cache is not believed, whoever changed it.
mkdir t
echo hi >t/x
tar czf t.tar.gz t
tree="{ type = \"tarball\"; url = \"file://$PWD/t.tar.gz\"; }"
tree_hash() { gxeval --impure --raw -E "(builtins.fetchTree $tree).narHash"; }
damage() { # COMMAND..., in the kept tree
	for _kept in cache/gx/trees/*/x; do
		chmod -R u+w "${_kept%/x}" && (cd "${_kept%/x}" && "$@") || return 1
	done
}
is_whole() { [ "$(cat cache/gx/trees/*/x)" = hi ]; }
rm -rf cache/gx/trees
hash=$(tree_hash)
check "the hash of a tarball" [ "$hash" = "$(gx hash path t)" ]
truncate -s 257M zeroes && tar -czf zeroes.tar.gz zeroes && rm zeroes
check "one that unpacks to a thousand times its size" complains "unpacks to more than 268435456 bytes" \
	gxeval --impure -E "builtins.fetchTree { type = \"tarball\"; url = \"file://$PWD/zeroes.tar.gz\"; }"
mkdir tar
echo "{ inputs.t = { type = \"tarball\"; url = \"file://$PWD/t.tar.gz\"; flake = false; }; outputs = { self, t }: { x = builtins.readFile \"\${t}/x\"; }; }" >tar/flake.nix
for how in "sh -c 'echo tampered >x'" "rm x" "chmod +x x" "ln -s / y" "truncate -s 0 x"; do
	eval "damage $how"
	check "the hash is that of the archive after: $how" prints "$hash" tree_hash
	check "the kept tree is whole after: $how" is_whole
	eval "damage $how"
	rm -f tar/flake.lock
	check "what is locked is right after: $how" prints hi gxeval --raw ./tar --attr x
	check "the lock says so after: $how" grep -qF "\"$hash\"" tar/flake.lock
	eval "damage $how"
	check "a lock does not stand in the way after: $how" prints hi gxeval --raw ./tar --attr x
done
check "nothing else is left there" [ "$(ls cache/gx/trees | wc -l)" -eq 1 ]
rev=$(git -C repo rev-parse HEAD)
commit="(builtins.fetchGit { url = \"file://$PWD/repo\"; rev = \"$rev\"; })"
check "a commit is kept by its hash too" prints hi gxeval --raw -E "builtins.readFile \"\${$commit}/a\""
for f in cache/gx/trees/*/a; do echo evil >"$f"; done
check "and looked at each time" prints hi gxeval --raw -E "builtins.readFile \"\${$commit}/a\""

# The cache is its user's alone.
rm -rf cache/gx
check "a tree fetched under umask 002" sh -c "umask 002; gxeval --impure --raw -E '(builtins.fetchTree $tree).narHash'"
check "folders are for their owner" [ -z "$(find cache/gx -type d -maxdepth 1 -perm /077)" ]
chmod 777 cache/gx cache/gx/trees
check "a tree where folders were open" prints "$hash" tree_hash
check "they are no longer" [ -z "$(find cache/gx -maxdepth 1 -type d -perm /077)" ]

# Attributes of every type are read, and kept as what they are.
mkdir typed
typed() { # ATTRIBUTES
	echo "{ inputs.r = { type = \"git\"; url = \"file://$PWD/repo\"; flake = false; $1 }; outputs = { self, r }: { x = r.revCount or 0; }; }" >typed/flake.nix
	rm -f typed/flake.lock
	gxeval ./typed --attr x
}
check "a Boolean attribute that is true" prints 0 typed "ref = \"master\"; shallow = true;"
check "is true in the lock, for both" [ "$(grep -c '"shallow": true' typed/flake.lock)" -eq 2 ]
check "one that is false" prints 1 typed "ref = \"master\"; shallow = false;"
check "is false in the lock, for both" [ "$(grep -c '"shallow": false' typed/flake.lock)" -eq 2 ]

# What is no flake and no archive by its name is one file.
mkdir kinds && (cd kinds && echo one >f && tar -cf f.tar f && cp f.tar g)
kind() { # ATTRIBUTES: the type that is locked
	rm -f kinds/flake.lock
	echo "{ inputs.a = { $1 }; outputs = { a, ... }: { x = 1; }; }" >kinds/flake.nix
	gxeval ./kinds --attr x >/dev/null 2>&1
	sed -n 's/.*"type": "\(.*\)".*/\1/p' kinds/flake.lock | head -1
}
check "a file that is no flake" prints file kind "url = \"file://$PWD/kinds/f\"; flake = false;"
check "an archive by its name" prints tarball kind "url = \"file://$PWD/kinds/f.tar\"; flake = false;"
check "or by what is said of it" prints tarball kind "url = \"tarball+file://$PWD/kinds/g\"; flake = false;"
check "both in one flake are what they are" prints "file file tarball tarball" eval 'kind "url = \"file://$PWD/kinds/g\"; flake = false; }; inputs.b = { url = \"tarball+file://$PWD/kinds/g\"; flake = false;" >/dev/null; sed -n "s/.*\"type\": \"\(.*\)\".*/\1/p" kinds/flake.lock | xargs'
check "a reference with the kind of a file" prints file kind "url = \"file+file://$PWD/kinds/f.tar\"; flake = false;"

# An expression that asks for a flake gives no names of inputs to update.
check "getFlake with a lock file" prints 43 gxeval --impure -E "(builtins.getFlake \"path:$PWD/top\").y"

# A flake is looked for upward, but not in another file system.
mkdir -p above/mnt/plain/sub
echo '{ outputs = { self }: { x = 1; }; }' >above/flake.nix
check "a flake above" prints 1 sh -c 'cd above/mnt/plain/sub && gx eval .#x'
if [ "$(id -u)" = 0 ]; then set -- unshare -m; else set -- unshare -rm; fi
if "$@" true 2>/dev/null; then
	check "a mount between is where the search ends" complains "there is no flake.gx or flake.nix in '$PWD/above/mnt/sub' nor above it in its file system" \
		"$@" sh -c "mount -t tmpfs none '$PWD/above/mnt' && mkdir '$PWD/above/mnt/sub' && cd '$PWD/above/mnt/sub' && gx eval .#x"
else
	echo "ok - a mount between is where the search ends # SKIP no mount namespaces"
fi

# What is locked and in the store needs its source no more.
mkdir gone
echo hi >gone/x
gone="(builtins.fetchTree { type = \"path\"; path = \"$PWD/gone\"; narHash = \"$(gx hash path gone)\"; })"
check "a tree in the store" gx store add --store ./store --name source gone
rm -r gone
check "is taken from there" prints hi gxeval --store ./store --raw -E "builtins.readFile \"\${$gone}/x\""
check "and from nowhere else" must_fail gxeval --raw -E "builtins.readFile \"\${$gone}/x\""
