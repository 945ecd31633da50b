# SPDX-License-Identifier: MIT
#
# What scripts and shells ask of Nix's commands besides building: completions, channels, formatters, traces of calls.
. "$srcdir/tests/integration/lib.sh"
gx=$builddir/gx
export HOME="$PWD/home" XDG_CACHE_HOME="$PWD/cache" NIX_CONF_DIR="$PWD/etc"
unset NIX_REMOTE XDG_CONFIG_HOME XDG_STATE_HOME NIX_USER_CONF_FILES NIX_CONFIG NIX_PATH NIX_PROFILES
mkdir -p home etc names
echo 'substituters =' >etc/nix.conf
"$gx" nix-names --install names
export PATH="$PWD/names:$PATH" NIX_STORE_DIR="$PWD/root/store" NIX_STATE_DIR="$PWD/root/state" NIX_LOG_DIR="$PWD/root/log"

# --- completions
mkdir -p dep one "two*" home/three
echo '{ outputs = i: { }; }' >dep/flake.nix
echo "{ inputs.a.url = \"path:$PWD/dep\"; outputs = i: { some = 1; }; }" >one/flake.nix
echo "{ inputs.b.url = \"path:$PWD/dep\"; outputs = i: { some = 1; }; }" | tee "two*/flake.nix" >home/three/flake.nix
tab=$(printf '\t')
words() { # INDEX WORD...
	i=$1
	shift
	NIX_GET_COMPLETIONS=$i nix "$@"
}
check "a verb" prints "normal
build$tab" words 1 buil
check "one of a group" prints "normal
metadata$tab" words 2 flake metad
check "a file" prints "filenames
./one$tab" words 2 build ./on
check "a name with signs of a pattern" prints "filenames
./two*$tab" words 2 build './two*'
check "no file" prints "filenames" words 2 build ./nothing
check "an option" sh -c "NIX_GET_COMPLETIONS=2 nix build --log-f | grep -q '^--log-format'"
check "a setting" sh -c "NIX_GET_COMPLETIONS=3 nix build --option allow-import | grep -q '^allow-import-from-derivation'"
check "the inputs of the flake that is named" prints "normal
a$tab" words 4 build ./one --override-input ''
check "also when it comes later" prints "normal
a$tab" words 3 build --override-input '' '' ./one
check "of each of several" prints "normal
a$tab
b$tab" words 5 build ./one './two*' --override-input ''
check "of one in the home folder" prints "normal
b$tab" words 5 flake update --flake '~/three' ''
check "an attribute" prints "attrs
./one#some$tab" words 2 eval ./one#so
check "one of a file" prints "attrs
outputs$tab" words 4 eval --file ./one/flake.nix outp
check "nothing is said of what is broken" prints "attrs" sh -c "echo 'throw 1' >bad.nix; NIX_GET_COMPLETIONS=4 nix eval --file bad.nix x 2>&1"
check "a word that is not there" prints "" words 9 build

# --- channels
mkdir -p served/nixexprs-1
cat >served/nixexprs-1/default.nix <<'END_NIX'
{ system ? "x86_64-linux" }: {
  thing = derivation { name = "thing-1.0"; inherit system; builder = "/bin/sh"; args = [ "-c" "mkdir -p $out/bin; echo made >$out/bin/thing" ]; };
}
END_NIX
(cd served && tar cf - nixexprs-1 | bzip2 >nixexprs.tar.bz2)
check "a channel is added" nix-channel --add "file://$PWD/served/" named
check "by its last part without a name" nix-channel --add http://localhost/a/other-unstable
check "they are listed" prints "named file://$PWD/served/
other http://localhost/a/other-unstable" nix-channel --list
check "and kept as Nix keeps them" prints "file://$PWD/served/ named" head -n 1 home/.nix-channels
check "one is removed" nix-channel --remove other
check "that makes a generation" prints 1 sh -c 'nix-channel --list-generations | wc -l'
check "no name" complains "invalid channel identifier 'a b'" nix-channel --add http://localhost/x 'a b'
cp home/.nix-channels channels
echo 'http://localhost/x a"b' >>home/.nix-channels
check "nor in the list" complains "is no name of a channel" nix-channel --list
mv channels home/.nix-channels
check "no address" complains "invalid channel URL 'x'" nix-channel --add x
check "one that is not there" complains "there is no channel 'nowhere'" nix-channel --update nowhere
check "nothing to do" complains "no operation is given" nix-channel
mkdir empty
check "an update" env TMPDIR="$PWD/empty" nix-channel --update
check "leaves nothing" rmdir empty
check "makes the next one" prints 2 sh -c 'nix-channel --list-generations | wc -l'
check "its packages are found" prints thing-1.0 nix-env -qa
check "and by its name" prints '"thing-1.0"' nix-instantiate --eval -E '(import <named> { }).thing.name'
mv served/nixexprs.tar.bz2 served/kept.tar.bz2
nix-channel --add "file://$PWD/served/kept.tar.bz2" second
check "others stay as they are" nix-channel --update second
check "both are there" prints "named second" sh -c 'ls home/.nix-defexpr/channels/ | grep -v manifest | tr "\n" " " | sed "s/ $//"'
check "what cannot be fetched is told" mentions "nixexprs.tar" nix-channel --update named
check "and changes nothing" prints 3 sh -c 'nix-channel --list-generations | wc -l'
check "back to the one before" nix-channel --rollback
check "another place for the list" sh -c "NIX_CONFIG='use-xdg-base-directories = true' nix-channel --add http://localhost/x && grep -q '^http://localhost/x x' home/.local/state/nix/channels"

# --- formatters
mkdir -p project/below
cat >project/flake.nix <<'END_NIX'
{ outputs = _: { formatter.x86_64-linux = derivation {
    name = "tidy"; system = "x86_64-linux"; builder = "/bin/sh";
    args = [ "-c" "mkdir -p $out/bin; printf '#!/bin/sh\necho $PRJ_ROOT $# \"$@\"\n' >$out/bin/tidy; chmod +x $out/bin/tidy" ];
}; }; }
END_NIX
in_project() { (cd project/below && "$@"); }
check "gx fmt" prints "$PWD/project 0" in_project gx fmt
check "with words" prints "$PWD/project 3 ./a b --check" in_project nix fmt ./a b -- --check
check "nix formatter run" prints "$PWD/project 1 x" in_project nix formatter run x
check "nix formatter build prints the program" sh -c 'cd project && nix formatter build | grep -qx "$NIX_STORE_DIR/.*-tidy/bin/tidy" && [ -L result ]'
check "without a link" sh -c 'cd project && rm result && nix formatter build --no-link >/dev/null && [ ! -L result ]'
check "with another" sh -c 'cd project && nix formatter build -o mine >/dev/null && [ -L mine ]'
check "no formatter" complains "does not provide attribute" sh -c 'cd one && exec gx fmt'

# --- calls
calls() { nix-instantiate --eval --trace-function-calls -E "$1" 2>&1 >/dev/null | sed -n 's/ at [0-9]*$//p'; }
check "calls are told of" prints "function-trace entered «string»:1:1
function-trace entered «string»:1:19
function-trace exited «string»:1:19
function-trace exited «string»:1:1" calls 'builtins.tryEval (throw "x")'
check "also when what is called is none" prints "function-trace entered «string»:1:1
function-trace exited «string»:1:1" calls '1 2'
check "once for several arguments" prints "function-trace entered «string»:1:1
function-trace exited «string»:1:1" calls '(x: y: x) 1 2'
check "each time anew" prints "$(calls '(x: x) 1')" calls '(x: x) 1'
check "not without being asked" prints "" sh -c "nix-instantiate --eval -E '(x: x) 1' 2>&1 >/dev/null"

# --- a collection that takes long keeps nobody from building
mkfifo held
waste=$(nix store add-path ./one)
_NIX_TEST_GC_SYNC_2="$PWD/held" nix-store --gc >gc.log 2>&1 &
pid=$!
until ls root/state/gc-socket/socket >/dev/null 2>&1; do sleep 0.1; done
check "a build while garbage is collected" nix-build -o built -E 'derivation { name = "b"; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "echo > $out" ]; }'
check "nothing is deleted yet" test -e "$waste"
echo >held
wait $pid
check "then it is" test ! -e "$waste"
check "what was built stays" test -e "$(readlink built)"
