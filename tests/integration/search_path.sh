# SPDX-License-Identifier: MIT
#
# Where <name> is looked up: settings, NIX_PATH and -I, entries that are fetched, and restricted evaluation.
. "$srcdir/tests/integration/lib.sh"
gx=$builddir/gx
export HOME="$PWD/home" XDG_CACHE_HOME="$PWD/cache" NIX_CONF_DIR="$PWD/etc"
unset NIX_PATH NIX_CONFIG XDG_CONFIG_HOME
mkdir -p home etc src
here=$PWD
echo '1 + 2' >src/simple.nix
ev() { gxeval "$@"; }
finds() { # NAME PATH [OPTION]...: where <NAME> is
	_name=$1 _path=$2
	shift 2
	prints "$_path" gxeval "$@" -E "<$_name>"
}
lacks() { # NAME [OPTION]...
	_name=$1
	shift
	complains "was not found in the Nix search path" gxeval "$@" -E "<$_name>"
}

# --- what NixOS/nix's test of it says
export NIX_PATH="non-existent=/non-existent/but-unused-anyways:by-absolute-path=$here/src:by-relative-path=src"
check "an absolute entry in restricted evaluation" prints 3 gxeval --restrict-eval -E 'import <by-absolute-path/simple.nix>'
check "a relative one" prints 3 gxeval --restrict-eval -E 'import <by-relative-path/simple.nix>'
check "where it is" finds by-absolute-path/simple.nix "$here/src/simple.nix"
check "where a relative one is" finds by-relative-path/simple.nix "$here/src/simple.nix"
unset NIX_PATH

for i in from-nix-path-file from-NIX_PATH from-nix-path from-extra-nix-path from-I; do
	mkdir "$i"
	: >"$i/only-$i.nix"
done
check "what is nowhere is not found" lacks test
echo "nix-path = test=$here/from-nix-path-file" >etc/nix.conf
check "nix.conf, without NIX_PATH" finds test "$here/from-nix-path-file"
with() { NIX_PATH="test=$here/from-NIX_PATH" "$@"; }
check "NIX_PATH overrides it" with finds test "$here/from-NIX_PATH"
check "and hides what it lacks" with lacks test/only-from-nix-path-file.nix
I="-I test=$here/from-I"
check "-I extends nix.conf" finds test/only-from-I.nix "$here/from-I/only-from-I.nix" $I
check "which has what -I lacks" finds test/only-from-nix-path-file.nix "$here/from-nix-path-file/only-from-nix-path-file.nix" $I
check "-I extends NIX_PATH" with finds test/only-from-I.nix "$here/from-I/only-from-I.nix" $I
check "-I comes before NIX_PATH" with finds test "$here/from-I" $I
check "which has what -I lacks" with finds test/only-from-NIX_PATH.nix "$here/from-NIX_PATH/only-from-NIX_PATH.nix" $I
X="--extra-nix-path test=$here/from-extra-nix-path"
check "--extra-nix-path extends NIX_PATH" with finds test/only-from-extra-nix-path.nix \
	"$here/from-extra-nix-path/only-from-extra-nix-path.nix" $X
check "which comes first" with finds test/only-from-NIX_PATH.nix "$here/from-NIX_PATH/only-from-NIX_PATH.nix" $X
P="--nix-path test=$here/from-nix-path"
check "--nix-path overrides NIX_PATH" with finds test "$here/from-nix-path" $P
check "and hides what it has" with lacks test/only-from-NIX_PATH.nix $P
check "--nix-path overrides nix.conf" finds test "$here/from-nix-path" $P
check "and hides what it has" lacks test/only-from-nix-path-file.nix $P
check "--extra-nix-path extends nix.conf" finds test/only-from-extra-nix-path.nix \
	"$here/from-extra-nix-path/only-from-extra-nix-path.nix" $X
check "which comes first" finds test "$here/from-nix-path-file" $X
check "-I extends --nix-path" finds test/only-from-I.nix "$here/from-I/only-from-I.nix" $P $I
check "which has what -I lacks" finds test/only-from-nix-path.nix "$here/from-nix-path/only-from-nix-path.nix" $P $I
check "the last --nix-path wins" finds test "$here/from-I" $P --nix-path "test=$here/from-I"
echo "extra-nix-path = more=$here/from-I" >>etc/nix.conf
check "extra-nix-path in the file extends it" finds more "$here/from-I"
check "and NIX_PATH overrides that as well" with lacks more
check "nix-path of NIX_CONFIG is in place of the file's" env NIX_CONFIG="nix-path = test=$here/from-I" gxeval -E "assert toString <test> == \"$here/from-I\"; 1"
check "nixPath tells" prints '[ { path = "/b"; prefix = "a"; } { path = "c"; prefix = ""; } ]' \
	env NIX_PATH=a=/b:c gxeval -E 'builtins.nixPath'
rm etc/nix.conf
mkdir -p home/.nix-defexpr/channels/chan
check "channels of the user where nothing else is said" finds chan "$here/home/.nix-defexpr/channels/chan"
check "an empty NIX_PATH is nothing" env NIX_PATH= sh -c '! gxeval -E "<chan>" 2>/dev/null'
check "and none in restricted evaluation" lacks chan --restrict-eval
check "nothing stands in for nixpkgs" lacks nixpkgs
check "but how to have it is said" grep -q 'hint: -I nixpkgs=FOLDER names one that is here' complains.log
check "pure evaluation has no search path" complains "in pure evaluation mode" gxeval --pure-eval -I "x=$here" -E '<x>'

# --- entries that are fetched
mkdir -p pkgs/lib flake
echo '{ a = 5; }' >pkgs/default.nix
echo '"lib"' >pkgs/lib/default.nix
echo '{ outputs = _: { }; }' >flake/flake.nix
echo 7 >flake/default.nix
tar czf pkgs.tar.gz pkgs
t=file://$here/pkgs.tar.gz
check "an archive by its address" prints 5 gxeval -I "nixpkgs=$t" -E '(import <nixpkgs>).a'
check "what is below it" prints '"lib"' gxeval -I "nixpkgs=$t" -E 'import <nixpkgs/lib>'
check "in NIX_PATH" prints '"lib"' env NIX_PATH="x=/none:nixpkgs=$t:y=/none" gxeval -E 'import <nixpkgs/lib>'
check "as a folder of names" prints '"lib"' gxeval -I "$t" -E 'import <lib>'
check "in restricted evaluation as well" prints '"lib"' gxeval --restrict-eval -I "nixpkgs=$t" -E 'import <nixpkgs/lib>'
check "but not what the expression names" complains "forbidden in restricted mode" gxeval --restrict-eval -I src=src -E \
	"builtins.findFile [ { path = \"$t\"; prefix = \"p\"; } ] \"p\""
check "a flake" prints 7 gxeval -I "f=flake:path:$here/flake" -E 'import <f>'
check "one of gx" prints '"lambda"' gxeval -I "std=flake:gx:std" -E 'builtins.typeOf (import <std/flake.gx>).outputs'
missing() {
	gxeval -I "p=file://$here/none.tar.gz" -I p=src -E 'import <p/simple.nix> + import <p/simple.nix>' >o 2>e || return 1
	[ "$(cat o)" = 6 ] && [ "$(grep -c "warning: search path entry 'file://$here/none.tar.gz' cannot be fetched, ignoring" e)" = 1 ]
}
check "in place of nixpkgs as well" prints '"set"' gxeval -I nixpkgs=flake:gx:std -E 'builtins.typeOf (import <nixpkgs> { }).lib'
check "what cannot be fetched is left out, and said once" missing
check "with -f as well" prints 5 gxeval -I "p=$t" -f '<p>' -A a

# --- allowed-uris
fetch() { gxeval --restrict-eval "$@" -E "builtins.readFile (builtins.fetchurl \"file://$here/src/simple.nix\")"; }
check "restricted evaluation fetches nothing" complains "forbidden in restricted mode" fetch
check "but what is below an allowed address" prints '"1 + 2\n"' fetch --allowed-uris "file://$here/src"
check "with a slash" prints '"1 + 2\n"' fetch --allowed-uris "x file://$here/src/"
check "or is one" prints '"1 + 2\n"' fetch --allowed-uris "file://$here/src/simple.nix"
check "or has an allowed scheme" prints '"1 + 2\n"' fetch --allowed-uris "file:"
check "not what only begins so" complains "forbidden in restricted mode" fetch --allowed-uris "file://$here/src/simp"
check "nor one longer" complains "forbidden in restricted mode" fetch --allowed-uris "file://$here/src/simple.nix/"
climb() { gxeval --restrict-eval --allowed-uris "file://$here/etc" -E "builtins.fetchurl \"file://$here/etc/$1/src/simple.nix\""; }
check "nor what climbs out" complains "forbidden in restricted mode" climb ..
check "however it is written" must_fail climb %2e%2e

# --- what NixOS/nix's test of restricted evaluation says besides
check "no file is needed" prints 3 gxeval --restrict-eval -E '1 + 2'
check "a file that is named is not allowed by that" complains "forbidden in restricted mode" gxeval --restrict-eval -f src/simple.nix
check "but below the search path" prints 3 gxeval --restrict-eval -f src/simple.nix -I src=src
check "one file of it" prints 3 gxeval --restrict-eval -f src/simple.nix -I src1=src/simple.nix
fake='let __nixPath = [ { prefix = "foo"; path = ./src; } ]; in builtins.readFile <foo/simple.nix>'
check "a search path of the expression allows nothing" complains "forbidden in restricted mode" gxeval --restrict-eval -E "$fake"
check "where it is allowed it is found" prints '"1 + 2\n"' gxeval --restrict-eval -I src=. -E "$fake"
check "nothing is fetched by tarball" complains "forbidden in restricted mode" gxeval --restrict-eval -E \
	'fetchTarball "https://github.com/NixOS/patchelf/archive/master.tar.gz"'
check "nor with git" complains "forbidden in restricted mode" gxeval --restrict-eval -E 'fetchGit "git://github.com/NixOS/patchelf.git"'
mkdir -p tunnel.d foo2
ln -sfn .. tunnel.d/tunnel
echo foo >bar
tunnel="let __nixPath = [ { prefix = \"foo\"; path = $here/tunnel.d; } ]; in"
check "a link out of it leads nowhere" complains "forbidden in restricted mode" gxeval --restrict-eval -I tunnel.d -E \
	"$tunnel builtins.readFile <foo/tunnel/bar>"
check "nor to a folder" complains "forbidden in restricted mode" gxeval --restrict-eval -I tunnel.d -E \
	"$tunnel builtins.readDir <foo/tunnel/foo2>"
check "parents show only what leads to what is allowed" prints '{ "tunnel.d" = "directory"; }' gxeval --restrict-eval -I tunnel.d -E \
	"$tunnel builtins.readDir <foo/tunnel>"
mkdir traverse
ln -sfn "$here/secret" innocent
up=$(echo "$here/traverse" | sed 's,[^/]\+,..,g')
secret() {
	complains "forbidden" gxeval --restrict-eval -I "$here/traverse" -E "builtins.readFile \"$here/traverse/$up$here/innocent\"" || return 1
	! grep "$here/secret" complains.log
}
check "and a link's target is not told" secret

# --- and of pure evaluation
pure() { gxeval --pure-eval -E "$1"; }
check "pure: a value" prints true pure 'assert 1 + 2 == 3; true'
check "pure: reading says what to pass" complains "--impure" pure 'builtins.readFile ./bar'
check "pure: what may not be read is not there" prints false pure 'builtins.pathExists ./bar'
check "pure: no clock" must_fail pure builtins.currentTime
check "pure: no system" must_fail pure builtins.currentSystem
check "pure: an address without a hash" must_fail pure "import (builtins.fetchurl { url = \"file://$here/src/simple.nix\"; })"
sum=$("$gx" hash file src/simple.nix)
check "pure: with one" prints 3 pure "import (builtins.fetchurl { url = \"file://$here/src/simple.nix\"; sha256 = \"$sum\"; })"
check "pure: no home" must_fail pure '~/foo'
check "pure: a path is itself" prints /some/absolute/path pure /some/absolute/path
check "pure: a relative one too" prints "$here/some/relative/path" pure some/relative/path

# --- values as files
value='{ x = "foo" + "bar"; y = { z = "bla"; }; }'
written() {
	[ "$(cat out/x)" = foobar ] && [ "$(cat out/y/z)" = bla ] && [ "$(ls out out/y | tr '\n' ' ')" = "out: x y  out/y: z " ]
}
check "a set is written as a folder" prints "" gxeval --write-to out -E "$value"
check "with a file for each string" written
check "never over what is there" complains "the path 'out' exists already" gxeval --write-to out -E "$value"
check "a string is a file" sh -c 'gxeval --write-to text -E "\"a\"" && [ "$(cat text)" = a ]'
for name in . .. a/b; do
	check "no file is called '$name'" complains "cannot be the name of a file" gxeval --write-to "o$$-${#name}" -E "{ \"$name\" = \"bla\"; }"
done
check "what is neither" complains "neither a string nor a set but an integer" gxeval --write-to number -E '{ a = 1; }'
