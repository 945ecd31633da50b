# SPDX-License-Identifier: MIT
#
# Profiles: packages put in and taken out by nix-env, generations, going back, and what keeps them from the collector.
. "$srcdir/tests/integration/lib.sh"
. "$srcdir/tests/integration/lib/store.sh"
mkdir names home && export HOME="$PWD/home" NIX_CONF_DIR="$PWD"
printf 'build-users-group =\nsubstituters =\n' >nix.conf
unset NIX_PATH NIX_PROFILE XDG_STATE_HOME
"$gx" nix-names --install names || exit 77
PATH=$PWD/names:$PATH
export NIX_STORE_DIR="$PWD/r/store" NIX_STATE_DIR="$PWD/r/var/nix" NIX_LOG_DIR="$PWD/r/log"
cat >pkgs.nix <<'END_NIX'
{ word ? "" }:
let
  mk = name: prog: more: derivation {
    inherit name; system = "x86_64-linux"; builder = "/bin/sh";
    args = [ "-c" "mkdir -p $out/bin && echo ${name}${word} >$out/bin/${prog}" ];
  } // { meta = { description = "what \"${name}\" \${is}"; } // more; };
in rec {
  one = mk "one-1.0" "one" { };
  one2 = mk "one-2.0" "one" { };
  pre = mk "one-2.0pre1" "one" { };
  low = mk "low-0.1" "one" { priority = 10; };
  two = mk "two-0.1" "two" { };
  fails = throw "not to be evaluated";
  notName = assert false; mk "never-1" "never" { };
  function = { recurse ? true }: { inside = mk "deep-1" "deep" { }; recurseForDerivations = recurse; };
}
END_NIX
profile=$PWD/p/profile
env() { nix-env -f pkgs.nix -p "$profile" "$@"; }
quiet() { env "$@" 2>quiet.log || { cat quiet.log && return 1; }; }
check "an empty profile" prints "" env -q
check "what there is" prints "deep-1
low-0.1
one-1.0
one-2.0
one-2.0pre1
two-0.1" env -qa
check "by name" prints "one-1.0
one-2.0
one-2.0pre1" env -qa one
check "by name and version" prints "one-2.0" env -qa one-2.0
check "by a pattern, with where it stands" prints "low  low-0.1
two  two-0.1" env -qaP '(two|low)'
check "what is said of it" prints 'two-0.1  what "two-0.1" ${is}' env -qa two --description
check "a name nobody has" complains "selector 'three' matched no derivations" env -i three
check "install the newest" quiet -i one
check "is in the profile" prints "one-2.0" env -q
check "its generation is the first" sh -c "[ \"\$(nix-env -p '$profile' --list-generations | wc -l)\" = 1 ]"
cat >manifest.wanted <<'END_NIX'
[ { meta = { description = "what \"one-2.0\" \${is}"; }; name = "one-2.0"; out = { outPath = "O"; }; outPath = "O"; outputs = [ "out" ]; system = "x86_64-linux"; type = "derivation"; } ]
END_NIX
check "the manifest is one of Nix" sh -c 'sed "s,$NIX_STORE_DIR/[^\"]*,O,g; s/ *$//" p/profile/manifest.nix >manifest && echo >>manifest && diff manifest manifest.wanted'
check "the same again is no new generation" quiet -i one
check "there is one" sh -c "[ \"\$(nix-env -p '$profile' --list-generations | wc -l)\" = 1 ]"
check "another version takes its place" quiet -i one-1.0
check "there is one of that name" prints "one-1.0" env -q
check "compared with what there is" prints "one-1.0  < 2.0" env -qc one
check "and the other way" prints "one-1.0      = 1.0
one-2.0      > 1.0
one-2.0pre1  > 1.0" env -qac one
check "upgrade" quiet -u
check "to the newest" prints "one-2.0" env -q
check "an attribute path" quiet -iA two
check "both are in it" prints "one-2.0
two-0.1" env -q
check "as JSON" prints '{"0":{"name":"two-0.1","outputName":"","outputs":{"out":null},"pname":"two","system":"x86_64-linux","version":"0.1"},"1":{"name":"one-2.0","outputName":"","outputs":{"out":null},"pname":"one","system":"x86_64-linux","version":"2.0"}}' env -q --json
check "as XML" sh -c "nix-env -f pkgs.nix -qa two --xml --meta | grep -q '<meta name=\"description\" type=\"string\" value=\"what &quot;two-0.1&quot; \${is}\" />'"
check "two of the same file" mentions "same priority" env -i low-0.1 two one-1.0 --preserve-installed
check "change nothing" prints "one-2.0
two-0.1" env -q
check "one of less priority goes beside it" quiet -i low
check "the other one's file is there" prints "one-2.0" cat p/profile/bin/one
check "until it is given more" quiet --set-flag priority 1 low
check "then its file is" prints "low-0.1" cat p/profile/bin/one
check "one that is not active has none" quiet --set-flag active false low
check "again the other's" prints "one-2.0" cat p/profile/bin/one
check "uninstall" quiet -e low two
check "leaves the rest" prints "one-2.0" env -q
check "uninstall what is not there" sh -c "nix-env -p '$profile' -e nothing 2>&1 | grep -q \"'nothing' matched no installed\""
check "back" quiet --rollback
check "is what was" prints "low-0.1
one-2.0
two-0.1" env -q
check "to a generation" quiet --switch-generation 1
check "is that" prints "one-2.0" env -q
check "before the first there is none" complains "no generation before 1" env --rollback
check "nor one of that number" complains "has no generation 99" env --switch-generation 99
check "a store path" quiet -i "$(nix-build --no-out-link pkgs.nix -A two 2>/dev/null)"
check "is a package" prints "one-2.0
two-0.1" env -q
check "and goes as one" quiet -e "$(nix-build --no-out-link pkgs.nix -A two 2>/dev/null)"
check "it is gone" prints "one-2.0" env -q
check "the profile is one package" quiet --set "$(nix-build --no-out-link pkgs.nix -A two 2>/dev/null)"
check "it leads there" prints "$(nix-build --no-out-link pkgs.nix -A two 2>/dev/null)" readlink "p/$(readlink p/profile)"
check "going back from it" quiet --rollback
check "a dry run" quiet --dry-run -i two
check "changes nothing" prints "one-2.0" env -q

# --- generations and the collector
check "the one in use stays" mentions "is in use" env --delete-generations "$(readlink p/profile | tr -dc 0-9)"
check "deleting one" quiet --delete-generations 2
check "it is not listed" sh -c "! nix-env -p '$profile' --list-generations | grep -q '^ *2 '"
check "deleting what is no number" complains "names no generations" env --delete-generations some
check "what a generation holds stays" sh -c "nix-store --gc >/dev/null 2>&1; ls $NIX_STORE_DIR | grep -q low-0.1"
check "deleting the old ones" quiet --delete-generations old
check "there is one" sh -c "[ \"\$(nix-env -p '$profile' --list-generations | wc -l)\" = 1 ]"
check "what they held goes" sh -c "nix-store --gc >/dev/null 2>&1; ! ls $NIX_STORE_DIR | grep -q low-0.1"
check "nobody holds a lock" sh -c '! ls p/*.lock 2>/dev/null'

# --- the usual profile
ln -s "$PWD/pkgs.nix" home/.nix-defexpr
check "the usual one" nix-env -i one-1.0
check "is where ~/.nix-profile leads" sh -c '[ -L home/.nix-profile ] && [ -L "$(readlink home/.nix-profile)" ]'
rm home/.nix-defexpr && mkdir -p home/.nix-defexpr/channels && ln -s "$PWD/pkgs.nix" home/.nix-defexpr/channels/mine
check "packages of a channel" prints "mine.two  two-0.1" nix-env -qaP two
check "of two generations" nix-env -i two
check "nix-collect-garbage -d" nix-collect-garbage -d
check "leaves one" sh -c '[ "$(nix-env --list-generations | wc -l)" = 1 ]'
check "gx store gc --older-than some" complains "is no period" "$gx" store gc --older-than some
check "an XDG folder" sh -c 'NIX_CONFIG="use-xdg-base-directories = true" nix-env -f pkgs.nix -i two && [ -L home/.local/state/nix/profile ]'

# A profile is whole at every moment.
switching() {
	for i in 1 2 3 4 5 6 7 8; do env --switch-generation "$1" && env --switch-generation "$2" || return 1; done
}
a=$(readlink p/profile | tr -dc 0-9)
quiet -i two
b=$(readlink p/profile | tr -dc 0-9)
switching "$a" "$b" >switching.log 2>&1 &
pid=$!
bad=0
while kill -0 $pid 2>/dev/null; do [ -e p/profile/manifest.nix ] || bad=1; done
wait $pid || bad=2
check "whoever looks sees the one or the other" test $bad = 0

# The same profile for Nix.
theirs() { PATH=$(echo "$PATH" | sed 's,^[^:]*:,,') nix-env -p "$profile" "$@"; }
if (PATH=$(echo "$PATH" | sed 's,^[^:]*:,,') && have_nix); then
	check "Nix finds the same packages in it" prints "$(env -q)" theirs -q
	check "and the same generations" prints "$(env --list-generations | tr -s ' ' | cut -d' ' -f2,5)" sh -c "PATH=\${PATH#*:} nix-env -p '$profile' --list-generations | tr -s ' ' | cut -d' ' -f2,5"
	check "it goes back in it" sh -c "PATH=\${PATH#*:} nix-env -p '$profile' --rollback"
	check "which is what gx sees" prints "$(theirs -q)" env -q
else
	skip "the same profile for Nix" "nix-bin is missing"
fi

# A store below another root has its paths there only.
export NIX_REMOTE="local?root=$PWD/below" HOME="$PWD/home2"
unset NIX_STORE_DIR NIX_STATE_DIR NIX_LOG_DIR
mkdir home2
check "a profile of a store below another root" nix-env -f pkgs.nix -p "$PWD/q/profile" -i one
check "what is in it" prints "one-2.0" nix-env -p "$PWD/q/profile" -q
check "is replaced" nix-env -f pkgs.nix -p "$PWD/q/profile" -i one-1.0
check "by what was asked for" prints "one-1.0" nix-env -p "$PWD/q/profile" -q
exit 0
