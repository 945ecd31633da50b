# SPDX-License-Identifier: MIT
#
# Differential test: inputs of forges and from addresses, locked by gx and by nix on the forge of tests/integration/lib/forge.py, must give
# the same lock file byte for byte, and the same metadata, hashes and store paths.
# Skipped (77) where nix is not installed or has no network of its own.  TEST_NIX=DIR names the folder of another Nix's programs.
. "$srcdir/tests/integration/lib.sh"
. "$srcdir/tests/integration/lib/flakes.sh"
have_nix || { echo "nix is not installed"; exit 77; }
self=$srcdir/tests/diff/forges.sh
. "$srcdir/tests/integration/lib/forge.sh"
start_forge
top=$PWD
export NIX_CONF_DIR="$top/etc" XDG_CONFIG_HOME="$top/config"
mkdir etc && echo 'flake-registry = ' >etc/nix.conf
one=1111111111111111111111111111111111111111 two=2222222222222222222222222222222222222222 three=3333333333333333333333333333333333333333
# (Nix remembers trees by their commits, whatever the repository.)
four=4444444444444444444444444444444444444444 five=5555555555555555555555555555555555555555
leaf a a
leaf b b
mkdir c && echo '{ inputs.r.url = "github:owner/repo/side"; inputs.l.url = "gitlab:group/lib"; outputs = { self, ... }: { }; }' >c/flake.nix
mkdir d && echo '{ inputs.c.url = "github:some/chain"; inputs.c.inputs.r.follows = "r"; inputs.r.url = "github:owner/repo"; outputs = { self, ... }: { }; }' >d/flake.nix
add_commit side $two b
add_commit feature/x $three b
add_commit main $one a
add_commit main $two b group/lib
add_commit main $four c some/chain
add_commit main $five d some/deep

# --- inputs, one a line, as they stand in a flake; those behind "new" only a newer Nix locks in this way
cat >inputs <<END
url = "github:owner/repo";
url = "github:owner/repo/side";
url = "github:owner/repo/$two";
url = "github:owner/repo?ref=side";
url = "github:owner/repo?rev=$two";
new url = "github:owner/repo?dir=sub";
url = "github:owner/repo"; flake = false;
new url = "github:owner/repo?host=hub.example";
type = "github"; owner = "owner"; repo = "repo"; ref = "side";
url = "gitlab:owner/repo";
new url = "gitlab:owner/repo/side?dir=sub";
url = "gitlab:owner/repo?host=lab.example";
url = "gitlab:group/lib/$two"; flake = false;
type = "gitlab"; owner = "group"; repo = "lib";
url = "sourcehut:~owner/repo";
url = "sourcehut:~owner/repo/side";
url = "sourcehut:~owner/repo/$two"; flake = false;
url = "github:some/chain";
url = "github:some/deep";
new url = "github:some/deep"; inputs.c.inputs.l.follows = "";
new url = "github:owner/repo/feature/x";
new url = "https://site.example/$one.tar.gz";
new url = "https://site.example/$two.tar.gz"; flake = false;
new url = "https://site.example/latest.tar.gz";
new type = "tarball"; url = "https://site.example/latest.tar.gz";
new url = "tarball+https://site.example/$one.tar.gz?dir=sub";
new url = "file+https://site.example/file"; flake = false;
END
n=$(wc -l <inputs)
graph() { # NAME INPUTS
	mkdir -p "graphs/$1"
	echo "{ inputs = { $2 }; outputs = i: { paths = builtins.mapAttrs (_: x: x.outPath) (builtins.removeAttrs i [ \"self\" ]); }; }" | sed 's/{ new /{ /g' >"graphs/$1/flake.nix"
	case $2 in *'{ new '*) : >"graphs/$1.new" ;; esac
}
line() { sed -n "$1p" inputs; }
i=1
while [ $i -le "$n" ]; do
	graph "one-$i" "x = { $(line $i) };"
	graph "two-$i" "x = { $(line $i) }; y = { $(line $((i * 5 % n + 1))) }; z.follows = \"x\";"
	i=$((i + 1))
done

# --- all of them
as() { # gx | new | old, then WORDS
	_who=$1
	shift
	case $_who in
	gx) gx "$@" --store "$top/gx-store" ;;
	new) XDG_CACHE_HOME="$top/cache-new" "$TEST_NIX/nix" --extra-experimental-features 'nix-command flakes' --store "$top/new-root" "$@" ;;
	old) XDG_CACHE_HOME="$top/cache-old" nix --extra-experimental-features 'nix-command flakes' --store "$top/nix-root" "$@" ;;
	esac
}
# What counts of metadata: the folder's own time is when its lock file was written.
normal='m: builtins.toJSON (removeAttrs m [ "path" "fingerprint" "lastModified" "url" ] // { locked = removeAttrs m.locked [ "__final" "lastModified" ]; })'
shown() { gxeval --impure --raw -E "($normal) (builtins.fromJSON (builtins.readFile $PWD/$1))"; }
compare() { # GRAPH WHO
	_dir=graphs/$1
	for _by in gx "$2"; do
		rm -f "$_dir/flake.lock"
		as "$_by" flake lock "path:$top/$_dir" 2>log && as "$_by" flake metadata --json "path:$top/$_dir" >"$_by.json" 2>log &&
			as "$_by" eval --json "path:$top/$_dir#paths" >"$_by.paths" 2>log || { echo "$_by:" && cat log && return 1; }
		mv "$_dir/flake.lock" "$_by.lock" && shown "$_by.json" >"$_by.shown" || return 1
	done
	diff "gx.lock" "$2.lock" && [ "$(cat gx.paths)" = "$(cat "$2.paths")" ] || return 1
	[ "$2" = old ] || cmp gx.shown "$2.shown"
}
whole='m: builtins.toJSON { inherit (m) path revision lastModified; inherit (m.locked) narHash; }'
compare_whole() { # REFERENCE WHO
	for _by in gx "$2"; do
		as "$_by" flake metadata --json "$1" >"$_by.json" 2>log || { echo "$_by:" && cat log && return 1; }
		gxeval --impure --raw -E "($whole) (builtins.fromJSON (builtins.readFile $PWD/$_by.json))" >"$_by.shown" || return 1
	done
	cmp gx.shown "$2.shown" || { cat gx.shown "$2.shown" && return 1; }
}
for g in graphs/*/; do
	g=${g#graphs/}
	g=${g%/}
	[ -z "${ONLY-}" ] || [ "$ONLY" = "$g" ] || continue
	[ -e "graphs/$g.new" ] || check "graph $g" compare "$g" old
	[ -z "${TEST_NIX-}" ] || check "graph $g, newer" compare "$g" new
done
for r in github:owner/repo github:owner/repo/side "github:owner/repo/$two" gitlab:group/lib sourcehut:~owner/repo; do
	check "the flake $r" compare_whole "$r" old
	[ -z "${TEST_NIX-}" ] || check "the flake $r, newer" compare_whole "$r" new
done
[ -n "${TEST_NIX-}" ] || skip "graphs that only a newer Nix knows" "TEST_NIX names none: $(ls graphs/*.new | wc -l) of them"
exit 0
