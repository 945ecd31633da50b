# SPDX-License-Identifier: MIT
#
# Evaluating flakes: what they see, where they lie, what is picked, what is refused.
. "$srcdir/tests/integration/lib.sh"
. "$srcdir/tests/integration/lib/flakes.sh"

flake() { # DIR TEXT
	rm -rf "$1"
	mkdir -p "$1"
	printf '%s\n' "$2" >"$1/flake.gx"
}

# Picking attributes.
flake pick '{ outputs = { self }: {
	packages.x86_64-linux = { default = "default"; p = "package"; both = "package"; };
	legacyPackages.x86_64-linux = { l = "legacy"; p = "legacy"; };
	both = "exact"; other."a.b" = "dots"; }; }'
x="gxeval --raw --system x86_64-linux"
check "the default" prints default $x ./pick
check "#ATTR" prints package $x ./pick#p
check "--attr" prints package $x ./pick --attr p
check "below legacyPackages" prints legacy $x ./pick#l
check "packages before a path of that name" prints package $x ./pick#both
check "the path itself behind a dot" prints exact $x ./pick#.both
check "a quoted name" prints dots $x './pick#other."a.b"'
check "what is not there is named" complains "does not provide attribute 'packages.x86_64-linux.nope', 'legacyPackages.x86_64-linux.nope' or 'nope'" $x ./pick#nope
mkdir pick/below
check "the flake is found upwards" prints package sh -c "cd pick/below && $x --attr p"
check "gx eval is gxeval" prints '"package"' gx eval ./pick#both
check "flake.gx goes before flake.nix" prints package sh -c "echo '{ outputs = x: { both = 1; }; }' >pick/flake.nix; $x ./pick#both"

# Purity.
flake pure '{ outputs = { self }: {
	passwd = builtins.readFile /etc/passwd; time = builtins ? currentTime; env = builtins.getEnv "HOME";
	flake = builtins.getFlake "path:/tmp"; up = builtins.readDir ./..; text = builtins.readFile ./flake.gx; }; }'
check "a file elsewhere" complains "forbidden in pure evaluation" gxeval ./pure#passwd
check "no clock" prints false gxeval ./pure#time
check "no environment" prints '""' gxeval ./pure#env
check "no unlocked flake" complains "is not locked" gxeval ./pure#flake
check "nothing above the flake" prints '{ }' gxeval ./pure#up
check "its own files" gxeval ./pure#text
check "--impure" gxeval --impure ./pure#passwd

# Git.
git_init tree
cat >tree/flake.nix <<'X'
{ outputs = { self }: {
	names = builtins.attrNames (builtins.readDir ./.); there = builtins.pathExists ./new; new = import ./new;
	r = self.sourceInfo.rev or "none"; dirty = self.sourceInfo.dirtyRev or "none"; short = self.shortRev or self.dirtyShortRev;
	git = builtins.pathExists ./.git; count = self.revCount or 0; path = toString ./.; out = self.outPath;
	src = (derivation { name = "d"; system = "s"; builder = "b"; src = ./.; here = self; file = ./a; }).drvPath;
	filtered = builtins.path { path = ./.; name = "f"; filter = p: t: baseNameOf p != "a"; }; }; }
X
echo 1 >tree/a
mkdir tree/dir
echo 1 >tree/dir/b
git_commit tree one
check "no git" complains "cannot start 'git': it is not installed" env PATH=/nowhere "$gxeval" ./tree#names
rev=$(git -C tree rev-parse HEAD)
check "what is in no commit is told as git's" complains "Path 'new' does not exist in Git repository \"$PWD/tree\"." gxeval ./tree#new
echo 2 >tree/new
check "untracked files are not listed" prints '["a","dir","flake.nix"]' gxeval --json ./tree#names
check "nor there" prints false gxeval ./tree#there
check "and people are told" warns "git does not track it: new" gxeval ./tree#there
silent_of_git() { gxeval --json ./tree#git 2>&1 >/dev/null | grep -c 'not track' | grep -qx 0; }
check "but of git's own folder nobody wants to hear" silent_of_git
check "reading one says why" complains "Path 'new' in the repository \"$PWD/tree\" is not tracked by Git." gxeval ./tree#new
check "rev" prints "$rev" gxeval --raw ./tree#r
check "revCount" prints 1 gxeval ./tree#count
compare() { # WHAT
	have_nix || { skip "$1: is what Nix says" "no nix"; return; }
	for a in names r count path out src filtered; do
		check "$1: $a is what Nix says" prints "$(nix_ eval --json "$PWD/tree#$a" 2>/dev/null | sed "s,$PWD/nix-root,,g")" \
			gxeval --json ./tree#$a
	done
}
compare clean
echo 3 >>tree/dir/b
git -C tree add -N new
compare dirty
check "dirtyRev" prints "$rev-dirty" gxeval --raw ./tree#dirty
check "a commit by its name" prints "$rev" gxeval --raw "git+file://$PWD/tree?rev=$rev#r"
check "a branch" prints '["a","dir","flake.nix"]' gxeval --json "git+file://$PWD/tree?ref=master#names"
check "no such branch" must_fail gxeval "git+file://$PWD/tree?ref=nope#names"
check "no such commit" must_fail gxeval "git+file://$PWD/tree?rev=1111111111111111111111111111111111111111#names"
check "a branch that is an option" complains "invalid Git branch" gxeval "git+file://$PWD/tree?ref=--upload-pack=x#names"

# The tree is copied only for who asks.
check "no copy without need" sh -c 'gxeval --store "$PWD/s1" ./tree#count && ! ls s1/nix/store 2>/dev/null | grep -q source'
check "a copy for outPath" sh -c 'gxeval --store "$PWD/s2" ./tree#out && ls s2/nix/store | grep -q source'
check "of the copy untracked files are no part" sh -c 'echo 1 >tree/secret && gxeval --store "$PWD/s3" ./tree#out && ! find s3 -name secret | grep -q .'

# Relative inputs.
flake rel '{ inputs.sub.url = "path:./sub"; inputs.data = { url = "path:./sub/data"; flake = false; };
	outputs = { self, sub, data }: { x = sub.x; same = sub.outPath == self.outPath + "/./sub"; d = builtins.readFile (data + "/f"); }; }'
flake rel/sub '{ outputs = { self }: { x = builtins.readFile ./data/f; }; }'
mkdir rel/sub/data
printf hello >rel/sub/data/f
check "a relative flake" prints hello gxeval --raw ./rel#x
check "it lies in the tree, by the path that was written, as for Nix" prints true gxeval ./rel#same
check "a relative folder" prints hello gxeval --raw ./rel#d
flake esc '{ inputs.sub.url = "path:../rel"; outputs = { self, sub }: { x = 1; }; }'
check "a relative path does not lead out" complains "leads out of the tree of the flake: '$PWD/rel' is forbidden in pure evaluation mode" gxeval ./esc#x
check "nor in an impure evaluation" complains "leads out of the tree of the flake: '$PWD/rel' does not exist there" gxeval --impure ./esc#x

# What is wrong with a flake.
bad() { # WHAT TEXT MESSAGE
	flake bad "$2"
	check "$1" status_1 "$3" ./bad#x
}
status_1() { # MESSAGE ARGS...
	_m=$1
	shift
	complains "$_m" status 1 gxeval "$@"
}
o='outputs = { self, ... }: { x = 1; };'
bad "an input twice" "{ inputs.a.url = \"path:/x\"; inputs.a.url = \"path:/y\"; $o }" "already defined"
bad "an input that follows itself" "{ inputs.a.follows = \"a\"; $o }" "a -> a"
bad "inputs that follow each other" "{ inputs.a.follows = \"b\"; inputs.b.follows = \"a\"; $o }" "follow cycle detected: [b -> a -> b]"
bad "follows nothing" "{ inputs.a.follows = \"b\"; $o }" "follows a non-existent input 'b'"
bad "an input without address" "{ outputs = { self, nowhere }: { x = 1; }; }" "cannot find flake 'flake:nowhere'"
bad "a path that is not there" "{ inputs.a.url = \"path:/nonexistent\"; $o }" "cannot be read"
bad "a computed address" "{ inputs.a.url = \"path:\" + \"/x\"; $o }" "must be written out"
bad "an address with a dash" "{ inputs.a.url = \"-x\"; $o }" "begins with a dash"
bad "an address with a line end" "{ inputs.a.url = \"path:/x\\ny\"; $o }" "control characters"
bad "address and follows" "{ inputs.a.url = \"path:/x\"; inputs.a.follows = \"b\"; $o }" "flake input has both a flake reference and a follows attribute"
bad "attributes without type" "{ inputs.a.owner = \"x\"; $o }" "needs a 'type'"
bad "an attribute flakes do not have" "{ foo = 1; $o }" "which flakes do not have"
bad "no outputs" '{ description = "x"; }' "lacks the attribute 'outputs'"
bad "outputs that are no function" '{ outputs = { }; }' "must be a function"
bad "no set" '[ ]' "must be a set"
bad "a flake that is its own input" "{ inputs.a.url = \"path:$PWD/bad\"; $o }" "input of itself"
bad "self as an input of an input" "{ inputs.a = { url = \"path:/x\"; inputs.self.url = \"path:/y\"; }; $o }" "'self' cannot be an input"
check "a reference with a dash" complains "begins with a dash" gxeval -- '-x#y'
check "no flake" complains "no flake.gx or flake.nix" gxeval ./home --attr x

# What is wrong with a lock file.
flake bad "{ $o }"
lock() { # WHAT TEXT MESSAGE
	printf '%s' "$2" >bad/flake.lock
	check "lock file: $1" status_1 "$3" ./bad#x
}
n='"locked":{"type":"path","path":"/x","narHash":"sha256-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaA="},"original":{"type":"path","path":"/x"}'
lock "no JSON" '{' "is not valid"
lock "a list" '[]' "no version"
lock "a later version" '{"version":8,"root":"root","nodes":{}}' "unsupported version 8"
lock "no nodes" '{"version":7}' "no nodes"
lock "a node that is missing" '{"version":7,"root":"root","nodes":{"root":{"inputs":{"a":"b"}}}}' "refers to the node 'b'"
lock "a node below itself" "{\"version\":7,\"root\":\"root\",\"nodes\":{\"root\":{\"inputs\":{\"a\":\"b\"}},\"b\":{\"inputs\":{\"c\":\"b\"},$n}}}" "is an input of itself"
lock "an input that is a number" '{"version":7,"root":"root","nodes":{"root":{"inputs":{"a":5}}}}' "neither a node nor"
lock "an entry that is not locked" '{"version":7,"root":"root","nodes":{"root":{"inputs":{"a":"b"}},"b":{"locked":{"type":"path","path":"/x"},"original":{"type":"path","path":"/x"}}}}' "is not locked"
lock "a type that is unknown" '{"version":7,"root":"root","nodes":{"root":{"inputs":{"a":"b"}},"b":{"locked":{"type":"q"},"original":{"type":"q"}}}}' "the input type 'q' is not supported"
awk 'BEGIN { for (i = 0; i < 100000; i++) printf "[" }' >bad/flake.lock
check "lock file: too deep" status_1 "nesting deeper" ./bad#x
awk 'BEGIN { printf "{\"version\":7,\"root\":\"n0\",\"nodes\":{"; for (i = 0; i < 500; i++) printf "\"n%d\":{\"inputs\":{\"a\":\"n%d\"},\"locked\":{\"type\":\"gx\",\"name\":\"std\"},\"original\":{\"type\":\"gx\",\"name\":\"std\"}},", i, i + 1; printf "\"n500\":{\"locked\":{\"type\":\"gx\",\"name\":\"std\"},\"original\":{\"type\":\"gx\",\"name\":\"std\"}}}}" }' >bad/flake.lock
check "lock file: a chain too long" status_1 "nested deeper" ./bad#x

# Archives.
mkdir -p src-1.0/dir
echo '{ outputs = { self }: { v = 5; d = builtins.attrNames (builtins.readDir ./.); }; }' >src-1.0/flake.nix
tar czf src.tar.gz src-1.0
flake tarball "{ inputs.t.url = \"tarball+file://$PWD/src.tar.gz\"; outputs = { self, t }: { inherit (t) v d; }; }"
check "a tarball" prints 5 gxeval ./tarball#v
check "its one folder is the tree" prints '["dir","flake.nix"]' gxeval --json ./tarball#d
rm src.tar.gz
check "it is fetched once" prints 5 gxeval ./tarball#v
check "--offline" prints 5 gxeval --offline ./tarball#v
flake forge '{ inputs.t.url = "github:o/r"; outputs = { self, t }: { x = 1; }; }'
check "--offline says what would be fetched" complains "needs the network" gxeval --offline ./forge#x

# Sources without a flake.
g() { # WHAT RESULT EXPRESSION
	check "$1" prints "$2" gxeval --json -E "$3"
}
out=$(gxeval --raw "git+file://$PWD/tree?ref=master#out")
g "fetchGit of a branch" "\"$out\"" "(builtins.fetchGit { url = \"file://$PWD/tree\"; ref = \"master\"; }).outPath"
g "fetchGit of a revision" "\"$out\"" "(builtins.fetchGit { url = $PWD/tree; rev = \"$rev\"; }).outPath"
g "fetchGit of a dirty tree" '"0000000"' "(builtins.fetchGit $PWD/tree).shortRev"
g "fetchTree of a path" true "(builtins.fetchTree \"path:$PWD/pure\").outPath == (builtins.fetchTree { type = \"path\"; path = \"$PWD/pure\"; }).outPath"
g "getFlake" '"exact"' "(builtins.getFlake \"path:$PWD/pick\").both"
check "fetchGit in pure evaluation" complains "doesn't fetch unlocked input" gxeval --pure-eval -E "builtins.fetchGit $PWD/tree"
check "fetchGit with an option as its revision" must_fail gxeval -E "builtins.fetchGit { url = $PWD/tree; rev = \"--output=x\"; }"
check "fetchGit with an option as its branch" must_fail gxeval -E "builtins.fetchGit { url = $PWD/tree; ref = \"--upload-pack=x\"; }"
check "fetchGit of ext::" must_fail gxeval -E 'builtins.fetchGit { url = "ext::sh -c true"; }'

# Links and folders that lead out.
flake out '{ outputs = { self }: { a = builtins.readFile ./link/passwd; b = import ./file; c = builtins.readDir ./link; d = builtins.pathExists ./link/passwd; }; }'
ln -s /etc out/link
ln -s /etc/passwd out/file
for a in a b c; do
	check "a link out of the flake: $a" complains "forbidden in pure evaluation" gxeval ./out#$a
done
check "what it leads to is not told" prints false gxeval ./out#d
check "dir=.." complains "leads out of its source tree" gxeval "path:$PWD/out?dir=../pick#both"
mkdir linked
ln -s "$PWD/pick/flake.gx" linked/flake.gx
check "a flake.gx that is a link out" complains "forbidden in pure evaluation" gxeval ./linked#both
check "an unknown name" complains "cannot find flake 'flake:nowhere' in the flake registries" gxeval 'nowhere#hello'
check "std by its name" gxeval 'flake:std#lib.version'
mkdir at_home && echo '{ outputs = { self }: { x = "${self}"; }; }' >at_home/flake.nix
check "a folder that the cache lies in can be a flake" env XDG_CACHE_HOME="$PWD/at_home/.cache" "$gx" eval --store "$PWD/home.store" "path:$PWD/at_home#x"
