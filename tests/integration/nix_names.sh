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
check "gx by one of the names" prints 2 "$gx" nix-names --as nix-instantiate --eval -E '1 + 1'
check "by one that is none" status 2 "$gx" nix-names --as nix-nothing --version
check "the name comes before all else" status 2 "$gx" nix-names --install names --as nix
package=$PWD/package$("$gx" build --store "$PWD/package" --no-link --print-out-paths gx:std#nix)
check "gx:std has a package of the names" prints "$(ls names)" ls "$package/bin"
check "which are the gx in PATH" prints 2 "$package/bin/nix-instantiate" --eval -E '1 + 1'
check "it has the version of the language" prints "$(names/nix --version)" "$package/bin/nix" --version
check "where there is none it says so" status 127 env PATH=/nowhere "$package/bin/nix-build"
remove package
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
check "nix eval --pure-eval looks at no file" complains "'--file' is not compatible with '--pure-eval'" ours nix eval --pure-eval -f read.nix
check "nix build takes no file for a flake" must_fail ours nix build --no-link ./t.nix
cat >read.nix <<'END_NIX'
let made = derivation { name = "made"; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "echo 42 > $out" ]; };
in { v = [ (import made) (builtins.readFile (builtins.toFile "t" "text")) (import "${./tree/default.nix}").x ];
  copy = builtins.path { path = made; name = "copy"; } != ""; }
END_NIX
look() { ours nix-instantiate --readonly-mode --eval --strict read.nix "$@"; }
check "in read-only mode what is imported has to be there" mentions "must exist already" look
check "also where there is no store" mentions "must exist already" env PATH="$PWD/names:$PATH" NIX_REMOTE="local?root=$PWD/none" \
	nix-instantiate --readonly-mode --eval --strict read.nix
check "which makes none" sh -c '! [ -e none ]'
check "otherwise it is built" prints '{ copy = true; v = [ 42 "text" 12 ]; }' ours nix-instantiate --eval --strict read.nix
check "then it is read, with what is not written" prints '{ copy = true; v = [ 42 "text" 12 ]; }' look
check "paths begin as NIX_STORE_DIR says" prints "\"$PWD/elsewhere\"" env PATH="$PWD/names:$PATH" NIX_STORE_DIR="$PWD/elsewhere" \
	nix-instantiate --eval -E builtins.storeDir
check "a folder with parameters is a store" prints /nix/store ours nix eval --raw --store "$PWD/other?store=/nix/store" --expr builtins.storeDir
check "that has not all" complains "has no parameter 'colour'" ours nix eval --raw --store "$PWD/other?colour=red" --expr builtins.storeDir
cat >tree/flake.nix <<'END_NIX'
{ outputs = { self }: {
  packages.x86_64-linux = rec { default = { type = "app"; program = "/bin/echo"; }; };
  apps.x86_64-linux = { default = { type = "app"; program = "/bin/echo"; }; none = { type = "derivation"; }; };
}; }
END_NIX
check "nix run takes its first word also behind --" prints "a b" ours nix run -- "path:$PWD/tree" a b
check "an app among the apps has to be one" complains "'apps.x86_64-linux.none' is not an app" ours nix run "path:$PWD/tree#none"
check "nix flake init asks the registry for templates" complains "flake:templates" sh -c 'mkdir started && cd started && PATH=$PWD/../names:$PATH nix flake init --no-registries'
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

# What scripts for Nix write and look at.
ours_status() { # STATUS COMMAND...
	_s=$1
	shift
	status "$_s" ours "$@"
}
check "a wrong option ends with 1, as every failure of Nix" ours_status 1 nix-store --no-such-option
check "so does a build that fails, of nix build" ours_status 1 nix build --impure --expr 'derivation { name = "f"; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "exit 1" ]; }'
check "what was fetched and is another is told by both" ours_status 102 nix eval --impure --expr 'builtins.fetchurl { url = "file:///etc/passwd"; sha256 = "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="; }'
check "a program's own status is its own" ours_status 100 nix shell --expr 'derivation { name = "f"; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "mkdir $out" ]; }' -c sh -c 'exit 100'
check "nix-build tells them apart" ours_status 100 nix-build --no-out-link -E 'derivation { name = "f"; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "exit 1" ]; }'
check "an output that may not be as it is is one" ours_status 1 nix-build --no-out-link -E 'derivation { name = "f"; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "echo $out >$out" ]; allowedReferences = [ ]; }'
check "so are checks of outputs that are none" complains "contains output name 'none'" ours nix-build --no-out-link -E 'derivation { name = "f"; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "echo x >$out" ]; allowedReferences = [ "none" ]; }'
check "a builder that closes its output and goes on is ended" mentions "failed due to signal" ours nix-build --no-out-link -E 'derivation { name = "f"; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "exec >/dev/null 2>&1; while :; do sleep 1; done" ]; }'
check "an unknown setting is warned of" sh -c "PATH='$PWD/names' nix-instantiate --eval --option no-such-setting x -E 1 2>said && [ \$(grep -c no-such-setting said) = 1 ]"
check "attributes come before -f as well" prints '"w"' ours nix eval deep.x.word -f t.nix
check "nix eval puts what it makes into the store" sh -c "PATH='$PWD/names:$PATH' NIX_REMOTE='local?root=$PWD/ours'; export NIX_REMOTE; [ -e $PWD/ours\$(nix eval --raw --expr 'builtins.toFile \"kept\" \"x\"') ]"
debug() { ours nix --debug eval --expr 1 && ours nix eval --debug --expr 1 && ours nix-instantiate --debug --eval -E 1; }
check "--debug says more, before the verb and behind it" debug
check "but not into dummy://" prints /nix/store ours nix eval --store dummy:// --raw --expr builtins.storeDir
check "which is where it says" prints /some/store ours nix eval --store 'dummy://?store=/some/store' --raw --expr builtins.storeDir
check "an empty eval-system is none" prints odd ours nix eval --impure --raw --system odd --eval-system '' --expr builtins.currentSystem
echo from a file >arg
check "--arg-from-file" prints "from a file" ours nix eval --raw --arg-from-file x arg --expr '{ x }: { inherit x; }' x
check "--arg-from-stdin" prints "from a file" sh -c "PATH='$PWD/names' nix eval --raw --arg-from-stdin x --expr '{ x }: { inherit x; }' x <arg"
check "--arg-from-file of none" complains "cannot read 'nothing'" ours nix eval --raw --arg-from-file x nothing --expr '{ x }: x'
check "nix eval --json --pretty" prints '{
  "a": [
    1
  ]
}' ours nix eval --json --pretty --expr '{ a = [ 1 ]; }'
check "nix hash path --mode flat" prints "$(ours nix hash file t.nix)" ours nix hash path --mode flat t.nix
check "nix hash path --mode nothing" complains "neither 'nar' nor 'flat'" ours nix hash path --mode nothing t.nix
check "nix hash convert --from another form" complains "is written as 'base16', but '--from nix32'" ours nix hash convert --hash-algo sha1 --from nix32 800d59cfcd3c05e900cb4e214be48f6b886a08df
check "nix store add --mode text" prints "$(ours nix eval --impure --raw --expr 'builtins.toFile "arg" (builtins.readFile ./arg)')" ours nix store add --mode text arg
b=$(ours nix-instantiate t.nix -A b 2>/dev/null)
check "nix-store -r of one output" prints "$(ours nix-build --no-out-link t.nix -A b.dev 2>/dev/null)" ours nix-store -r "$b!dev"
check "nix derivation show, as the newest Nix" sh -c "PATH='$PWD/names' NIX_REMOTE='local?root=$PWD/ours' nix derivation show $b | grep -q '^{\"derivations\":{\"$(basename "$b")\":{\"args\":.*\"version\":4}},\"version\":4}$'"
PATH=$PWD/names:$PATH NIX_REMOTE="local?root=$PWD/ours" nix derivation show "$b" | sed 's/^{"derivations":{"[^"]*"://; s/},"version":4}$//' >b.json
again() { sed "$1" b.json | PATH=$PWD/names NIX_REMOTE="local?root=$PWD/ours" nix derivation add; }
check "nix derivation add of it is the same" prints "$b" again ''
check "also without the paths of outputs" prints "$b" again 's/{"path":"[^"]*"}/{}/g'
check "with wrong ones" mentions "has incorrect output" again 's/"name":"b","outputs"/"name":"other","outputs"/'
check "of something else" complains "no derivation in the form of version 4" again 's/.*/{}/'
check "of no JSON" mentions "error: " again 's/.*/{/'
row='"ca":null,"deriver":"'
b_dev=$(ours nix-store -q --outputs "$b" | grep dev)
gone=/nix/store/00000000000000000000000000000000-gone
check "nix path-info --json, as the newest Nix" sh -c "PATH='$PWD/names' NIX_REMOTE='local?root=$PWD/ours' nix path-info --json $b_dev $gone | grep -q '^{\"$gone\":null,\"$b_dev\":{$row/nix/store/.*\"version\":1}}$'"
check "--json-format 2" sh -c "PATH='$PWD/names' NIX_REMOTE='local?root=$PWD/ours' nix path-info --json --json-format 2 $b_dev | grep -q '^{\"info\":{\"$(basename "$b_dev")\":{$row[^/]*\".*\"version\":2}},\"storeDir\":\"/nix/store\",\"version\":2}$'"
check "--json-format 7" complains "neither 1 nor 2" ours nix path-info --json --json-format 7 "$b_dev"
check "paths from standard input" prints "$b_dev" sh -c "echo $b_dev | PATH='$PWD/names' NIX_REMOTE='local?root=$PWD/ours' nix path-info --stdin"
check "nix store info" sh -c "PATH='$PWD/names' NIX_REMOTE='local?root=$PWD/ours' nix store info | grep -qx 'Store URL: local'"
check "nix why-depends builds what it asks about" sh -c "PATH='$PWD/names' NIX_REMOTE='local?root=$PWD/ours' nix why-depends -f t.nix a^out deep.x^out --argstr word why | grep -q -e '-c$'"
check "--precise says where" prints "    …" sh -c "PATH='$PWD/names' NIX_REMOTE='local?root=$PWD/ours' nix why-depends -f t.nix a^out deep.x^out --precise | sed -n '2s/[^ ]*└───: \\(…\\).*/    \\1/p'"

c=$(ours nix-instantiate -E '(import ./t.nix { }).deep.x // { }' 2>/dev/null)
check "nix-store --print-env has the arguments as one text" prints "-c echo  \$word > \$out; echo d > \$dev" sh -c "eval \"\$(PATH='$PWD/names:$PATH' NIX_REMOTE='local?root=$PWD/ours' nix-store --print-env $c | grep '^export _args')\"; echo \"\$_args\""
check "warn-short-path-literals" sh -c "PATH='$PWD/names' NIX_CONFIG='warn-short-path-literals = true' nix eval --expr 'a/b' 2>&1 | grep -q 'should be prefixed'"
check "--no-warn-short-path-literals" sh -c "! PATH='$PWD/names' NIX_CONFIG='warn-short-path-literals = true' nix eval --no-warn-short-path-literals --expr 'a/b' 2>&1 | grep 'should be prefixed'"

# A program after each build.
cat >hook <<END_HOOK
#!/bin/sh
echo "\$DRV_PATH: \$OUT_PATHS" >>$PWD/hook.log
echo from the hook
END_HOOK
chmod +x hook && : >hook.log
check "post-build-hook" ours nix-build --post-build-hook "$PWD/hook" --no-out-link t.nix -A b --argstr word hooked
check "runs after each build, with all it made" sh -c "[ \$(grep -c '^/nix/store/.*-[bc].drv: /nix/store/.*-dev /nix/store/.*[bc]\$' hook.log) = 2 ]"
check "also after one that is only compared" ours nix-build --check --post-build-hook "$PWD/hook" --no-out-link t.nix -A b --argstr word hooked
check "that is three" sh -c '[ $(wc -l <hook.log) = 3 ]'
check "not when there is nothing to build" sh -c "PATH='$PWD/names:$PATH' NIX_REMOTE='local?root=$PWD/ours' nix-build --post-build-hook '$PWD/hook' --no-out-link t.nix -A b --argstr word hooked && [ \$(wc -l <hook.log) = 3 ]"
check "one that fails" mentions "post-build-hook '/bin/false' failed with exit code 1" ours nix-build --post-build-hook /bin/false --no-out-link t.nix -A b --argstr word unhooked
check "one that is not there" mentions "post-build-hook '/nowhere' cannot be run" ours nix-build --post-build-hook /nowhere --no-out-link t.nix -A b --argstr word nowhere
check "an output of a derivation" prints "$b_dev" ours nix path-info "$b^dev"
check "which it has not" complains "has no output" ours nix path-info "$b^none"

# Deleting as much as may be.
cat >tree.nix <<'END_NIX'
let mk = name: deps: derivation { inherit name; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "echo ${toString deps} > $out" ]; };
in rec { low = mk "low" [ ]; held = mk "held" [ ]; top = mk "top" [ low held ]; other = mk "other" [ held ]; }
END_NIX
for x in top other low held; do eval "$x=\$(ours nix-build --no-out-link tree.nix -A $x 2>/dev/null)"; done
check "nix store delete of what is needed" mentions "refers to it" ours nix store delete "$low"
check "--recursive --skip-alive" ours nix store delete --recursive --skip-alive "$top"
check "deletes all but what others need" sh -c "cd ours/nix/store && [ ! -e ${top##*/} ] && [ ! -e ${low##*/} ] && [ -e ${held##*/} ] && [ -e ${other##*/} ]"
check "--also-referrers" ours nix store delete --skip-alive --also-referrers "$held"
check "deletes these as well" sh -c "cd ours/nix/store && [ ! -e ${held##*/} ] && [ ! -e ${other##*/} ]"

# Where it is.
check "a folder as an address" prints "$b_dev" env PATH="$PWD/names:$PATH" nix path-info --store "local://$PWD/ours" "$b_dev"
check "with signs for signs" prints "$b_dev" env PATH="$PWD/names:$PATH" nix path-info --store "local://$(echo "$PWD" | sed 's,/,%2F,g')%2Fours" "$b_dev"
check "NIX_STORE_DIR counts below another root" sh -c "env PATH='$PWD/names' NIX_STORE_DIR=/other/store nix-store --store ./x --add arg | grep -q '^/other/store/.*-arg$' && [ -n \"\$(ls x/nix/store/*-arg)\" ]"

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
check "nix-store --print-env" sh -c "PATH='$PWD/names:$PATH' NIX_REMOTE='local?root=$PWD/ours' nix-store --print-env $a | sed '/^export _args/d' >o.env &&
	NIX_REMOTE='local?root=$PWD/theirs' nix-store --print-env $a | sed '/^export _args/d' | diff o.env -"
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
