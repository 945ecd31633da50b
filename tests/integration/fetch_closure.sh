# SPDX-License-Identifier: MIT
#
# fetchClosure, and gx store make-content-addressed: the paths that follow from contents are those of Nix, and what is rewritten is whole.
. "$srcdir/tests/integration/lib.sh"
. "$srcdir/tests/integration/lib/store.sh"
command -v python3 >/dev/null || { echo "python3 is missing"; exit 77; }
. "$srcdir/tests/integration/lib/caches.sh"

# "self" holds its own path in a file, in a link, and across what is read at once; "top" refers to it and to c.
cat >self.gx <<'E2'
let
  self = derivation {
    name = "self";
    system = builtins.currentSystem;
    builder = "/bin/sh";
    args = [ "-c" "mkdir $out && head -c 65500 /dev/zero > $out/far && for i in 1 2 3; do printf '%s %s ' $out $out >> $out/far; done && ln -s $out/far $out/link && echo 3 > $out/three.gx" ];
  };
in derivation {
  name = "top";
  system = builtins.currentSystem;
  builder = "/bin/sh";
  args = [ "-c" "mkdir $out && echo ${self} ${import ./three.gx} > $out/both && ln -s ${self}/link $out/link" ];
}
E2
top=$("$gx" build --no-link --print-out-paths --store "$PWD/built" -f self.gx 2>log) || { cat log; exit 1; }
readdress() { "$gx" store make-content-addressed "$@"; }
rewritten() { # STORE PATH: what PATH became there
	readdress --store "$1" --json "$2" >json 2>log || cat log
	sed 's/.*:"//; s/".*//' json
}

ca=$(rewritten "$PWD/built" "$top")
plain=$(rewritten "$PWD/built" "$c")
check "another path, of the same name" sh -c "case '$ca' in '$top') exit 1 ;; /nix/store/*-top) ;; *) exit 1 ;; esac"
check "the same each time" prints "$ca" rewritten "$PWD/built" "$top"
check "in words" prints "rewrote '$top' to '$ca'" readdress --store "$PWD/built" "$top"
check "nothing to do for what has such a path" prints "rewrote '$ca' to '$ca'" readdress --store "$PWD/built" "$ca"
check "what it refers to is rewritten too" sh -c "! '$gx' path-info -r --store '$PWD/built' '$ca' | grep -F -e '$top' -e '$c'"
real=$PWD/built$(readlink "$PWD/built$ca/link")
check "paths in it lead to the new ones" sh -c "grep -q \$(basename \$(dirname '$real')) '$real/../far' 2>/dev/null || [ \$(grep -ac \$(basename \$(dirname '$real')) \$(dirname '$real')/far) = 1 ]"
check "contents have the address" "$gx" store verify --store "$PWD/built"
if have_nix; then
	check "Nix finds the same path of what refers to itself" prints "$ca" sh -c "nix --extra-experimental-features nix-command store make-content-addressed --store '$PWD/built' --json '$top' 2>nix.log | sed 's/.*\"\(.*\)\".*/\1/' | grep -o '/nix/store/[^\"]*-top' | tail -1"
	check "and of what does not" prints "$plain" sh -c "nix --extra-experimental-features nix-command store make-content-addressed --store '$PWD/built' --json '$c' 2>nix.log | grep -o '/nix/store/[^\"]*-c' | tail -1"
	check "it has nothing to say against these" sh -c "nix-store --store '$PWD/built' --verify --check-contents >nix.log 2>&1 && ! grep -qi 'error\|modified' nix.log"
else
	skip "Nix finds the same path of what refers to itself" "nix-store is missing"
fi
if [ -n "${TEST_NIX-}" ]; then
	check "so does the newest of what does not" prints "$plain" sh -c "NIX_STATE_DIR= '$TEST_NIX/nix' --extra-experimental-features nix-command store make-content-addressed --store '$PWD/built' --json '$c' 2>nix.log | grep -o '/nix/store/[^\"]*-c' | tail -1"
fi

# --- out of caches, on the way
"$gx" copy --store "$PWD/built" --to "file://$PWD/cache" "$top" 2>log || cat log
"$gx" copy --store "$PWD/built" --to "file://$PWD/cache" "$ca" 2>log || cat log
check "out of a cache that nobody trusts" prints "$ca" sh -c "'$gx' store make-content-addressed --store '$PWD/s1' --from 'file://$PWD/cache' --json '$top' | sed 's/.*:\"//; s/\".*//'"
check "under the old path it gets nowhere" sh -c "! '$gx' path-info --all --store '$PWD/s1' | grep -qF '$top'"
check "nothing is left of the way" [ -z "$(ls "$PWD/s1/nix/store/00000000000000000000000000000000-gx-staging" 2>/dev/null)" ]
check "whole" "$gx" store verify --store "$PWD/s1"
check "from another store" sh -c "'$gx' store make-content-addressed --store '$PWD/s2' --from '$PWD/built' '$top' && '$gx' path-info --store '$PWD/s2' '$ca'"
check "to another" sh -c "'$gx' store make-content-addressed --store '$PWD/built' --to '$PWD/s3' '$top' && '$gx' path-info --store '$PWD/s3' '$ca'"
check "what has such a path needs no signature" "$gx" copy --store "$PWD/s4" --from "file://$PWD/cache" "$ca"
check "whole too" "$gx" store verify --store "$PWD/s4"
check "nor between stores" "$gx" copy --store "$PWD/built" --to "$PWD/s5" "$ca"
check "what is not there" complains "does not have" readdress --store "$PWD/s6" --from "file://$PWD/cache" /nix/store/00000000000000000000000000000000-x
check "no path" complains "needs a path" readdress

# A row that says a content address which the files do not have.
digest=${ca#/nix/store/}
mkdir lies && cp -r cache/. lies
for i in lies/*.narinfo; do grep -q "^StorePath: $ca\$" "$i" && info=$i; done
"$gx" build --no-link --print-out-paths --store "$PWD/built" -E 'derivation { name = "other"; system = builtins.currentSystem; builder = "/bin/sh"; args = [ "-c" "echo other >$out" ]; }' >other 2>log || cat log
"$gx" copy --store "$PWD/built" --to "file://$PWD/lies" "$(cat other)" 2>log || cat log
for i in lies/*.narinfo; do grep -q "^StorePath: $(cat other)\$" "$i" && instead=$i; done
{ grep -v '^URL\|^Compression\|^FileHash\|^FileSize\|^NarHash\|^NarSize' "$info"; grep '^URL\|^Compression\|^FileHash\|^FileSize\|^NarHash\|^NarSize' "$instead"; } >made && mv made "$info"
check "contents of something else are not taken" complains "does not have the contents that its path stands for" "$gx" copy --store "$PWD/s7" --from "file://$PWD/lies" "$ca"

# --- in an expression
serve "$PWD/cache"
fetch() { # STORE ARGUMENTS OPTION...
	_store=$1 _args=$2
	shift 2
	"$gx" eval --store "$PWD/$_store" --raw "$@" -E "builtins.fetchClosure { fromStore = \"$url/ok\"; $_args }"
}
varies="s/127.0.0.1:[0-9]*/HOST/"
check "what has such a path" prints "$ca" fetch e1 "fromPath = $ca;"
check "is there then" "$gx" path-info --store "$PWD/e1" "$ca"
check "any other is rewritten" prints "$ca" fetch e2 "fromPath = $top; toPath = $ca;"
check "and is not there" sh -c "! '$gx' path-info --all --store '$PWD/e2' | grep -qF '$top'"
check "toPath that nobody knows" complains "yielded '$ca'" fetch e3 "fromPath = $top; toPath = \"\";"
check "another than it says" complains "was expected" fetch e3 "fromPath = $top; toPath = /nix/store/00000000000000000000000000000000-top;"
check "not asked again for what is there" prints "$ca" fetch e2 "fromPath = /nix/store/00000000000000000000000000000000-x; toPath = $ca;"
check "as it is only where that is meant" complains "is input-addressed" fetch e4 "fromPath = $top;" --option require-sigs false
check "and signed" complains "not in a way that is trusted here" fetch e5 "fromPath = $top; inputAddressed = true;"
check "nothing is taken then" nothing_in "$PWD/e5"
check "unless none is needed" prints "$top" fetch e6 "fromPath = $top; inputAddressed = true;" --option require-sigs false
check "not for what has such a path" complains "is not input-addressed" fetch e1 "fromPath = $ca; inputAddressed = true;"
check "toPath that was not rewritten" complains "nothing that was rewritten" fetch e6 "fromPath = $top; toPath = $top;"
check "what is in it can be read, also in pure evaluation" prints 3 "$gx" eval --store "$PWD/e1" --pure-eval -E "import ((builtins.fetchClosure { fromStore = \"$url/ok\"; fromPath = /nix/store/$(basename "$(dirname "$real")"); }) + \"/three.gx\")"
cat >user.gx <<E2
derivation {
  name = "user";
  system = builtins.currentSystem;
  builder = "/bin/sh";
  args = [ "-c" "echo \${builtins.fetchClosure { fromStore = "$url/ok"; fromPath = $ca; }} >\$out" ];
}
E2
check "a derivation depends on it" sh -c "user=\$('$gx' build --no-link --print-out-paths --store '$PWD/e1' -f user.gx) && '$gx' path-info -r --store '$PWD/e1' \$user | grep -qF '$ca'"

# --- the newest Nix is given the same; where positions of a path in itself count, it differs
theirs() { # STORE ARGUMENTS
	NIX_STATE_DIR='' NIX_REMOTE='' "$TEST_NIX/nix" --extra-experimental-features 'nix-command fetch-closure' --option require-sigs false \
		--store "$PWD/$1" eval --raw --impure --expr "builtins.fetchClosure { fromStore = \"$url/ok\"; $2 }" 2>nix.log
}
agree() { # STORE ARGUMENTS: both print one path, or both refuse
	_want=$(theirs "newest-$1" "$2") || _want=refused
	_got=$(fetch "ours-$1" "$2" --option require-sigs false 2>log) || _got=refused
	[ "$_got" = "$_want" ] || { cat log nix.log && echo "$_got, theirs is $_want" && return 1; }
}
refuse() { agree f4 "$1" && [ "$_want" = refused ]; }
if [ -n "${TEST_NIX-}" ]; then
	check "the newest fetches what has such a path" agree f1 "fromPath = $plain;"
	check "the newest rewrites to it" agree f2 "fromPath = $c; toPath = $plain;"
	check "the newest takes the other as it is" agree f3 "fromPath = $top; inputAddressed = true;"
	check "that is what was asked for" [ "$_want" = "$top" ]
	for args in "fromPath = $top;" "fromPath = $plain; inputAddressed = true;" "fromPath = $c; toPath = $c;" "fromPath = $c; toPath = \"\";" \
		"fromPath = $c; toPath = $plain; inputAddressed = true;" "fromPath = /nix/store/00000000000000000000000000000000-x;" "fromPath = $c; other = 1;"; do
		check "both refuse { $(echo "$args" | sed 's,/nix/store/[0-9a-z]*-,,g') }" refuse "$args"
	done
	check "and both have the same then" sh -c "'$gx' path-info --store '$PWD/newest-f3' --json '$top' >theirs && '$gx' path-info --store '$PWD/ours-f3' --json '$top' >ours &&
		[ \"\$(grep -o '\"narHash\":\"[^\"]*' ours)\" = \"\$(grep -o '\"narHash\":\"[^\"]*' theirs)\" ]"
fi
