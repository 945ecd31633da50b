# SPDX-License-Identifier: MIT
#
# gx by Nix's names: the words of a script that was written for Nix do here what they do there, and print the same.
. "$srcdir/tests/integration/lib.sh"
. "$srcdir/tests/integration/lib/store.sh"
mkdir names home && export HOME="$PWD/home" NIX_CONF_DIR="$PWD"
printf 'build-users-group =\nsubstituters =\nsandbox-paths = /bin/sh=%s\n' "$(command -v busybox)" >nix.conf # for Nix; builders of gx have a shell
unset NIX_PATH NIX_REMOTE
check "gx nix-names --install makes the links" "$gx" nix-names --install names
check "a second time they are there" "$gx" nix-names --install names
check "nix-build says whose language it has" prints "$("$gxeval" --raw -E builtins.nixVersion)" sh -c 'names/nix-build --version | sed "s/.* //"'
cat >t.nix <<'END_NIX'
{ word ? "w" }:
let
  mk = name: deps: derivation {
    inherit name word; system = "x86_64-linux"; builder = "/bin/sh"; quote = "it's"; outputs = [ "out" "dev" ];
    args = [ "-c" "echo ${toString deps} $word > $out; echo d > $dev" ];
  };
  c = mk "c" [ ];
  b = mk "b" [ c ];
in { a = mk "a" [ b c c.dev ]; inherit b; deep.x = c; }
END_NIX

# --- without Nix
ours() { PATH=$PWD/names:$PATH NIX_REMOTE="local?root=$PWD/ours" "$@"; }
check "nix eval leaves in the store what it names" sh -c 'p=$(PATH=$PWD/names:$PATH NIX_REMOTE="local?root=$PWD/evaluated" nix eval --raw --expr "builtins.toFile \"x\" \"hello\""); [ "$(cat "$PWD/evaluated$p")" = hello ]'
mkdir tree && echo '{ outputs = { self }: { here = ./.; at = builtins.dirOf ./.; }; }' >tree/flake.nix && echo '{ x = 12; }' >tree/default.nix
tar czf tree.tgz tree
check "nix-instantiate takes a reference" prints 12 ours nix-instantiate --eval "flake:path:$PWD/tree" -A x
check "and the address of an archive" prints 12 ours nix-instantiate --eval "file://$PWD/tree.tgz" -A x
check "one that is not there" must_fail ours nix-instantiate --eval "file://$PWD/nothing.tgz" -A x
check "nix eval --json copies no paths" prints '"/nix/store"' ours nix eval --json "path:$PWD/tree#at"
check "what is forbidden is not looked for" complains "is forbidden in restricted mode" ours nix-instantiate --restrict-eval nothing
check "nix build takes no file for a flake" must_fail ours nix build --no-link ./t.nix
check "a folder with parameters is a store" prints /nix/store ours nix eval --raw --store "$PWD/other?store=/nix/store" --expr builtins.storeDir
check "that has not all" complains "has no parameter 'colour'" ours nix eval --raw --store "$PWD/other?colour=red" --expr builtins.storeDir
check "nix-build builds and prints where it is" ours nix-build t.nix -A a -o link
check "the link leads there" test "$(readlink link)" = "$(ours nix-build t.nix -A a --no-out-link 2>/dev/null | head -1)"
check "options come before the verb, too" ours nix --extra-experimental-features 'nix-command flakes' --option cores 1 hash path t.nix
check "a question about nothing valid" complains "is not valid" ours nix-store -q --hash /nix/store/00000000000000000000000000000000-x
check "two operations" complains "one thing" ours nix-store --gc --verify
check "no operation" complains "no operation" ours nix-store
check "an export cut off" complains "cut off" sh -c "printf '\\001\\0\\0\\0\\0\\0\\0\\0' >cut; exec env PATH='$PWD/names' NIX_REMOTE='local?root=$PWD/ours' nix-store --import <cut"
printf '\002\0\0\0\0\0\0\0' >odd
check "something else as an export" complains "no export" sh -c "exec env PATH='$PWD/names' NIX_REMOTE='local?root=$PWD/ours' nix-store --import <odd"
check "a row that is none" complains "line 3" sh -c "printf '%s\\n\\nmany\\n' /nix/store/00000000000000000000000000000000-x >row; exec env PATH='$PWD/names' NIX_REMOTE='local?root=$PWD/ours' nix-store --register-validity <row"

# Folders by Nix's variables: a store of a test suite, a container.
moved() { env PATH="$PWD/names:$PATH" NIX_STORE_DIR="$PWD/m/store" NIX_STATE_DIR="$PWD/m/var/nix" NIX_LOG_DIR="$PWD/m/log" "$@"; }
mkdir -p m/store
check "NIX_STORE_DIR and the others say where the store is" moved nix-build t.nix -A b -o moved
check "the objects are there" test -e "$PWD/m/store/$(basename "$(readlink moved)")"
check "so is the database" test -e m/var/nix/db/db.sqlite
check "and the logs" test -d m/log/drvs

# What builders print is printed, as it comes.
cat >loud.nix <<'END_NIX'
derivation { name = "loud"; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "echo it is loud; echo > $out; echo > $two" ]; outputs = [ "out" "two" ]; }
END_NIX
check "nix-build prints what builders print" sh -c "exec env PATH='$PWD/names' NIX_REMOTE='local?root=$PWD/ours' nix-build --no-out-link loud.nix 2>&1 | grep -qx 'it is loud'"
check "with -Q it does not" sh -c "! env PATH='$PWD/names' NIX_REMOTE='local?root=$PWD/ours' nix-build -Q --check --no-out-link loud.nix 2>&1 | grep -x 'it is loud'"
check "outputs of one derivation are linked by its number" ours nix-build t.nix -A a.out -A a.dev -A b -o several
check "and by their names" prints "several several-2 several-dev" sh -c 'echo several*'
check "nix-build --dry-run lists what will be built" sh -c "env PATH='$PWD/names' NIX_REMOTE='local?root=$PWD/ours' nix-build --dry-run t.nix -A a --argstr word dry 2>&1 |
	sed 's,-.*/\(.*-\),\1,; s/ .*-/ /' | tr '\n' ' ' | grep 'these 3 derivations will be built: '"

# --- keeping equal files once
mkdir same && head -c 100000 /dev/zero >same/a && cp same/a same/b && chmod +x same/b && cp same/a same/c
same=$(ours nix-store --add same)
check "nix-store --optimise" ours nix-store --optimise
check "equal files are one" test "$(stat -c %i "ours$same/a")" = "$(stat -c %i "ours$same/c")"
check "an executable one is another" test "$(stat -c %i "ours$same/a")" != "$(stat -c %i "ours$same/b")"
check "the store is what it was" ours nix-store --verify --check-contents

# --- beside Nix
have_nix || { skip "the same as Nix" "nix-bin is missing"; exit; }
theirs() { NIX_REMOTE="local?root=$PWD/theirs" "$@"; }
alike() { # WORDS: both print the same, and end alike
	ours "$@" >o.out 2>o.err && _o=0 || _o=$?
	theirs "$@" >t.out 2>t.err && _t=0 || _t=$?
	[ $((_o != 0)) = $((_t != 0)) ] || { echo "status $_o, Nix: $_t" && cat o.err t.err && return 1; }
	diff o.out t.out
}
alike_in_any_order() {
	alike "$@" >/dev/null || [ $_o$_t = 00 ] || return 1
	sort o.out >o.sorted && sort t.out | diff o.sorted -
}
check "nix-instantiate" alike nix-instantiate t.nix -A a
a=$(cat o.out)
check "nix-instantiate of several" alike nix-instantiate t.nix -A b -A deep.x --argstr word other
check "nix-instantiate -E of several" alike nix-instantiate -E '(import ./t.nix { }).b' '(import ./t.nix { }).a'
check "nix-instantiate --add-root" alike nix-instantiate t.nix -A a --add-root root --indirect
check "nix-instantiate --eval" alike nix-instantiate --eval -E '{ a = 1 + 1; b = 2; }'
check "nix-instantiate --eval --strict" alike nix-instantiate --eval --strict -E '{ a = 1 + 1; b = [ (x: x) ]; }'
check "nix-instantiate --eval --json" prints '"w"' ours nix-instantiate --eval --json --strict t.nix -A deep.x.word
check "nix-instantiate --eval --xml" alike nix-instantiate --eval --xml --no-location --strict -E '{ a = "x"; f = { y, z ? 1 }: y; }'
check "nix-instantiate --parse" alike nix-instantiate --parse -E 'x: with x; a.b or 1'
check "nix-instantiate --find-file" alike nix-instantiate --find-file -I t=./t.nix t
check "nix-instantiate --pure-eval" alike nix-instantiate --option pure-eval true t.nix -A a
check "nix-instantiate --readonly-mode builds nothing" mentions "read-only" ours nix-instantiate --readonly-mode -E 'import (derivation { name = "x"; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "echo 1 >$out" ]; })'
check "a setting counts" complains "because of a warning" ours nix-instantiate --eval --option abort-on-warn true -E 'builtins.warn "x" 1'
check "nix-build of two" alike nix-build t.nix -A a -A b --no-out-link
built=$(theirs nix-build t.nix -A a --no-out-link 2>/dev/null)
for question in outputs "binding quote" hash size references "tree" "requisites -u"; do
	# shellcheck disable=SC2086
	check "nix-store -q --$question" alike nix-store -q --$question "$a"
done
for question in requisites "requisites --include-outputs" referrers graph; do
	# shellcheck disable=SC2086
	check "nix-store -q --$question, in any order" alike_in_any_order nix-store -q --$question "$a"
done
for question in deriver hash size references referrers referrers-closure; do
	check "nix-store -q --$question of an output" alike_in_any_order nix-store -q --$question "$built"
done
check "nix-store -q --valid-derivers" prints "$a" ours nix-store -q --valid-derivers "$built"
check "nix-store --print-env" alike nix-store --print-env "$a"
check "nix-store --realise" alike_in_any_order nix-store --realise "$a"
check "nix-store --check-validity" alike nix-store --check-validity "$a" "$built"
check "nix-store --check-validity of another" alike nix-store --check-validity --print-invalid "$a" /nix/store/00000000000000000000000000000000-x
check "nix-store --verify" alike nix-store --verify --check-contents
check "nix-store --dump-db" alike_in_any_order nix-store --dump-db "$a" "$built"
check "nix-store --add-fixed" alike nix-store --add-fixed sha256 t.nix
check "nix-store --add-fixed --recursive" alike nix-store --add-fixed --recursive sha1 same
check "nix-store --print-fixed-path" alike nix-store --print-fixed-path --recursive sha256 0000000000000000000000000000000000000000000000000000 n
check "nix-store --dump" alike nix-store --dump same
for words in "--type sha256 same" "--flat --type sha1 t.nix" "--base32 --type sha256 same" "--truncate --base32 --type sha256 same" "same" \
	"--type sha256 --to-base32 $(printf '%064d' 5)" "--type sha1 --to-base16 $(printf '%032d' 5)"; do
	# shellcheck disable=SC2086
	check "nix-hash $words" alike nix-hash $words
done
closure=$(theirs nix-store -qR "$a" "$built")
# shellcheck disable=SC2086
check "nix-store --export" sh -c "PATH='$PWD/names:$PATH' NIX_REMOTE='local?root=$PWD/ours' nix-store --export $(echo $closure) >ours.export"
# shellcheck disable=SC2086
check "nix-store --import of what Nix exports" sh -c "NIX_REMOTE='local?root=$PWD/theirs' nix-store --export $(echo $closure) >theirs.export &&
	PATH='$PWD/names:$PATH' NIX_REMOTE='local?root=$PWD/third' nix-store --import <theirs.export"
check "Nix imports what gx exports" sh -c "NIX_REMOTE='local?root=$PWD/fourth' nix-store --import <ours.export"
check "what was imported is right" sh -c "PATH='$PWD/names:$PATH' NIX_REMOTE='local?root=$PWD/fourth' nix-store --verify --check-contents"
check "Nix accepts a store of which gx keeps equal files once" sh -c "NIX_REMOTE='local?root=$PWD/ours' nix-store --verify --check-contents"
