# SPDX-License-Identifier: MIT
#
# Differential test: graphs of inputs, locked by gx and by nix, must give the same lock file byte for byte, and the same metadata: what is
# locked, its hash, store path, revision, number of commits and time.  Inputs are repositories, folders, archives and files here.
# Skipped (77) where nix is not installed.  TEST_NIX=DIR names the folder of another Nix's programs: then both are asked.
. "$srcdir/tests/integration/lib.sh"
. "$srcdir/tests/integration/lib/flakes.sh"
have_nix || { echo "nix is not installed"; exit 77; }
top=$PWD
export NIX_CONF_DIR="$top/etc" GIT_AUTHOR_DATE='1600000000 +0000' GIT_COMMITTER_DATE='1600000000 +0000'
mkdir etc
git config --global protocol.file.allow always

# --- sources
for r in git-a git-b; do
	git_init $r
	leaf $r $r
	git_commit $r one
	git -C $r tag v1
	git -C $r branch side
	echo more >$r/more
	git_commit $r two
done
git -C git-a -c user.name=t -c user.email=t@t tag -a -m signed v2
git clone -q --bare git-a bare.git
git_init wide
leaf wide wide
printf 'run export-ignore\n' >wide/.gitattributes
git -C wide submodule --quiet add ../git-b sm
git_commit wide one
leaf folder folder
find folder -exec touch -h -d @1500000000 {} +
mkdir tarred && leaf tarred/t-1 tarred && find tarred -exec touch -h -d @1400000000 {} +
for z in gz xz bz2 zst; do tar -C tarred --sort=name -caf t.tar.$z t-1 2>/dev/null; done
tar -C tarred/t-1 --sort=name -czf flat.tar.gz flake.nix run sub
echo '{ "k": 7 }' >data.json
# A flake with inputs of its own, and one with a lock file.
mkdir chain && echo "{ inputs.a.url = \"git+file://$top/git-a\"; inputs.b.url = \"path:$top/folder\"; outputs = { self, ... }: { }; }" >chain/flake.nix
mkdir locked && cp chain/flake.nix locked
gx flake lock "path:$top/locked" 2>/dev/null || { echo "not ok - gx locks a flake"; exit 1; }
mkdir nested nested/in && echo '{ inputs.in.url = "path:./in"; outputs = { self, ... }: { }; }' >nested/flake.nix
leaf nested/in nested
rev=$(git -C git-a rev-parse HEAD) old=$(git -C git-a rev-parse v1) wide=$(git -C wide rev-parse HEAD)

# --- inputs, one a line, as they stand in a flake
cat >inputs <<END
url = "git+file://$top/git-a";
url = "git+file://$top/git-a?ref=side";
url = "git+file://$top/git-a?ref=refs/heads/side";
url = "git+file://$top/git-a?ref=refs/tags/v1";
url = "git+file://$top/git-a?rev=$rev";
url = "git+file://$top/git-a?ref=master&rev=$old";
url = "git+file://$top/git-a?dir=sub";
url = "git+file://$top/git-a?shallow=1";
url = "git+file://$top/bare.git";
url = "git+file://$top/bare.git?ref=side";
url = "git+file://$top/git-b"; flake = false;
type = "git"; url = "file://$top/git-b";
type = "git"; url = "file://$top/git-b"; ref = "side"; dir = "sub";
url = "git+file://$top/wide?ref=master";
url = "git+file://$top/wide?rev=$wide&ref=master"; flake = false;
url = "git+file://$top/wide?ref=master&submodules=1";
url = "path:$top/folder";
url = "path:$top/folder?dir=sub";
url = "$top/folder";
url = "path:$top/folder"; flake = false;
type = "path"; path = "$top/folder";
url = "file://$top/t.tar.gz";
url = "tarball+file://$top/t.tar.xz";
url = "file://$top/t.tar.bz2?dir=sub";
url = "file://$top/t.tar.gz"; flake = false;
type = "tarball"; url = "file://$top/t.tar.gz";
url = "file+file://$top/data.json"; flake = false;
url = "path:$top/chain";
url = "path:$top/locked";
url = "path:$top/chain"; inputs.b.url = "git+file://$top/git-b";
END
[ -e t.tar.zst ] && echo "url = \"file://$top/t.tar.zst\";" >>inputs
n=$(wc -l <inputs)
line() { sed -n "$1p" inputs; }
graph() { # NAME TEXT
	mkdir -p "graphs/$1"
	echo "{ inputs = { $2 }; outputs = { self, ... }: { }; }" >"graphs/$1/flake.nix"
}
i=1
while [ $i -le "$n" ]; do
	graph "one-$i" "x = { $(line $i) };"
	graph "two-$i" "x = { $(line $i) }; y = { $(line $((i * 7 % n + 1))) }; z.follows = \"x\";"
	i=$((i + 1))
done
graph many "$(i=1; while [ $i -le "$n" ]; do echo "x$i = { $(line $i) };"; i=$((i + 3)); done)"
graph follows "a.url = \"git+file://$top/git-b\"; c = { url = \"path:$top/chain\"; inputs.a.follows = \"a\"; inputs.b.follows = \"c/a\"; };"

# --- both
# The folder's own time is when its lock file was written.
normal='m: builtins.toJSON (removeAttrs m [ "path" "fingerprint" "lastModified" "url" ] // { locked = removeAttrs m.locked [ "__final" "lastModified" ]; })'
shown() { # FILE: what counts of metadata
	gxeval --impure --raw -E "($normal) (builtins.fromJSON (builtins.readFile $PWD/$1))"
}
# What Nix changed on purpose since 2.8: references are written whole, archives have a time, `dir` is no part of an address.
older() { # FILE
	sed -i -e 's,"refs/heads/,",g' -e 's,?dir=sub",",g' -e '/"lastModified": 1400000000,\?$/d' -e 's/"lastModified":1400000000,//g' "$1"
}
same() { # FILE FILE IS-OLDER
	[ -z "$3" ] || { older "$1"; older "$2"; }
	cmp -s "$1" "$2" || { diff "$1" "$2"; return 1; }
}
compare() { # GRAPH IS-OLDER NIX...
	_graph=graphs/$1
	_older=$2
	shift 2
	rm -f "$_graph/flake.lock"
	gx flake lock "path:$top/$_graph" 2>gx.log && gx flake metadata --json "path:$top/$_graph" >gx.json 2>gx.log || { cat gx.log; return 1; }
	mv "$_graph/flake.lock" gx.lock
	"$@" flake lock "path:$top/$_graph" 2>nix.log && "$@" flake metadata --json "path:$top/$_graph" >nix.json 2>nix.log ||
		{ tail -n 3 nix.log; return 1; }
	cp "$_graph/flake.lock" nix.lock
	shown gx.json >gx.shown && shown nix.json >nix.shown || return 1
	same gx.lock nix.lock "$_older" && { [ -n "$_older" ] || same gx.shown nix.shown ""; }
}
whole='m: builtins.toJSON { inherit (m) path revision revCount lastModified; inherit (m.locked) narHash; }'
compare_whole() { # REFERENCE NIX...
	_ref=$1
	shift
	gx flake metadata --json "$_ref" >gx.json 2>gx.log || { cat gx.log; return 1; }
	"$@" flake metadata --json "$_ref" >nix.json 2>nix.log || { tail -n 3 nix.log; return 1; }
	prints "$(gxeval --impure --raw -E "($whole) (builtins.fromJSON (builtins.readFile $PWD/nix.json))")" \
		gxeval --impure --raw -E "($whole) (builtins.fromJSON (builtins.readFile $PWD/gx.json))"
}
# A submodule that is not asked for is an empty folder, which 2.8 leaves out.  It knows no `dir` of paths, no "tarball+"
# and "file+", no zstd and no branch of a revision, and takes an input that was overridden for what it was.
is_newer_only() {
	sed 's/wide?ref=master&submodules=1//g' "$1" | grep -q -e 'wide?' -e 'folder?dir' -e zst -e tarball+ -e file+file -e 'git-a?rev' -e inputs.b
}
newer() {
	(XDG_CACHE_HOME="$top/cache-newer" && export XDG_CACHE_HOME &&
		"$TEST_NIX/nix" --extra-experimental-features 'nix-command flakes' --store "$top/newer-root" "$@")
}
is_old=
case $(nix --version) in *" 2."[0-9].* | *" 2.1"[0-9].*) is_old=yes ;; esac
for g in graphs/*/; do
	g=${g#graphs/}
	g=${g%/}
	[ -n "$is_old" ] && is_newer_only "graphs/$g/flake.nix" || check "graph $g" compare "$g" "$is_old" nix_
	[ -z "${TEST_NIX-}" ] || check "graph $g, newer" compare "$g" "" newer
done
for r in "git-a" "git-a?ref=side" "git-a?ref=refs/tags/v1" "git-a?rev=$rev" "bare.git" "git-b?ref=master&rev=$(git -C git-b rev-parse v1)"; do
	check "the flake $r" compare_whole "git+file://$top/$r" nix_
	[ -z "${TEST_NIX-}" ] || check "the flake $r, newer" compare_whole "git+file://$top/$r" newer
done
exit 0
