# SPDX-License-Identifier: MIT
#
# Machines that builds are given to: which takes what, what is sent and fetched, logs, failures, machines that do not answer or do not
# trust this user, seats that others hold; machines of Nix's too.
. "$srcdir/tests/integration/lib.sh"
. "$srcdir/tests/integration/lib/store.sh"
export HOME="$PWD/home" XDG_CACHE_HOME="$PWD/xdg" NIX_CONF_DIR="$PWD/conf" && mkdir home conf names source
printf 'substituters =\n' >conf/nix.conf
"$gx" nix-names --install "$PWD/names"
echo text >source/file

cat >some.nix <<'E2'
let
  system = "x86_64-linux";
  make = name: features: inputs: derivation {
    inherit name;
    system = builtins.currentSystem;
    builder = "/bin/sh";
    requiredSystemFeatures = features;
    args = [ "-c" "echo this is ${name}; mkdir $out; echo ${toString inputs} > $out/inputs; read x < ${./source}/file; echo $x > $out/text" ];
  };
  sh = name: more: derivation ({ inherit name; system = builtins.currentSystem; builder = "/bin/sh"; } // more);
in rec {
  a = make "a" [ "foo" ] [ ];
  b = make "b" [ "bar" ] [ a ];
  c = make "c" [ ] [ a b ];
  plain = make "plain" [ ] [ ];
  near = sh "near" { preferLocalBuild = true; args = [ "-c" "echo near > $out" ]; };
  fails = sh "fails" { args = [ "-c" "echo one; echo two; exit 3" ]; };
  sleeps = sh "sleeps" { args = [ "-c" "while :; do :; done" ]; };
  fixed = sh "fixed" { args = [ "-c" "echo fixed > $out" ]; outputHash = builtins.hashString "sha256" "fixed\n"; outputHashAlgo = "sha256"; };
  wrong = sh "wrong" { args = [ "-c" "echo other > $out" ]; outputHash = builtins.hashString "sha256" "fixed\n"; outputHashAlgo = "sha256"; };
  two = sh "two" { outputs = [ "out" "dev" ]; args = [ "-c" "echo $dev > $out; echo dev > $dev" ]; };
  elsewhere = derivation { name = "elsewhere"; system = "x68_46-xunil"; builder = "/bin/sh"; args = [ ]; };
  phases = sh "phases" { args = [ "-c" "echo 'a line'; echo done > $out" ]; };
}
E2
ng() { echo "ssh-ng://localhost?remote-program=$PWD/names/nix-daemon&remote-store=$PWD/$1"; }
build() { # STORE MACHINES OPTION...
	_store=$1 _machines=$2
	shift 2
	"$gx" build --store "$PWD/$_store" --no-link -f some.nix --builders "$_machines" "$@"
}
has() { "$gx" path-info --store "$PWD/$1" "$2"; }
lacks() { must_fail "$gx" path-info --store "$PWD/$1" "$2"; }
out() { "$gx" eval --store "$PWD/s" --raw -f some.nix "$1"; }
drv() { "$gx" eval --store "$PWD/s" --raw -f some.nix "$1.drvPath"; }
a=$(out a) b=$(out b) c=$(out c)

# --- by what is asked for ---
two="$PWD/m1 - - 1 1 foo; $(ng m2)%3Fsystem-features=bar - - 1 1 bar"
check "a graph over two machines" prints "$c" build s "$two" -j0 --print-out-paths c
check "with what each needs" sh -c "cat '$PWD/s$c/text' '$PWD/s$c/inputs' | tr '\n' ' ' | grep -x 'text $a $b '"
check "one of them has what the other made, and no more" has m2 "$a"
check "what the first took" has m1 "$a"
check "nothing was built here" lacks s "$(out plain)"
check "what the second took" sh -c "'$gx' build --store '$PWD/s0' --no-link -f some.nix -j0 b --builders '$two' 2>log; grep -- \"-a.drv' on '$PWD/m1'\" log && grep -- \"-b.drv' on 'ssh-ng://localhost'\" log"
check "all are whole" sh -c "for s in s m1 m2; do '$gx' store verify --store '$PWD/'\$s || exit 1; done"
check "the log is here" prints "this is b" "$gx" log --store "$PWD/s" "$(drv b)"
check "several outputs" sh -c "build() { '$gx' build --store '$PWD/two' --no-link -f some.nix --builders '$PWD/m1' -j0 --print-out-paths 'two^*'; }; build | wc -l | grep -x 2 && '$gx' store verify --store '$PWD/two'"
check "a fixed output" build s "$PWD/m1" -j0 fixed
check "which is addressed by its contents" sh -c "'$gx' path-info --json --store '$PWD/s' '$(out fixed)' | grep fixed:sha256:"
check "another feature" complains "needs a machine" build s "$two" -j0 --system-features '' elsewhere
check "another system" build s2 "$PWD/m1 x68_46-xunil" -j1 plain
check "which was built here" sh -c "! '$gx' path-info --store '$PWD/m1' '$(out plain)'"
check "a machine that only wants what asks for it" sh -c "'$gx' build --store '$PWD/s3' --no-link -f some.nix --builders '$PWD/m5 - - 1 1 - foo' a plain && '$gx' path-info --store '$PWD/m5' '$a' && ! '$gx' path-info --store '$PWD/m5' '$(out plain)'"
check "what prefers to be built here" sh -c "'$gx' build --store '$PWD/s3' --no-link -f some.nix --builders '$PWD/m5' near 2>log && ! grep \" on '\" log"
check "unless that cannot be" sh -c "'$gx' build --store '$PWD/s4' --no-link -f some.nix --builders '$PWD/m5' -j0 near 2>log && grep \" on '$PWD/m5'\" log"
check "what is built once more, here" sh -c "'$gx' build --store '$PWD/s4' --no-link -f some.nix --builders '$PWD/m5' --rebuild near 2>log && ! grep \" on '\" log"
check "which -j0 forbids" complains "is to be built once more" build s4 "$PWD/m5" -j0 --rebuild near
check "nobody" complains "builds nothing, because of --max-jobs 0" build s "" -j0 sleeps

# --- which of several ---
fast="$PWD/slow - - 1 1; $PWD/fast - - 1 4"
check "the faster" sh -c "'$gx' build --store '$PWD/s5' --no-link -f some.nix --builders '$fast' -j0 plain 2>log && grep 'on .*/fast' log"
flock s5/nix/var/nix/current-load/*fast-0 sleep 30 &
holder=$!
trap 'kill $holder 2>/dev/null' EXIT
sleep 0.2
check "where others sit it is the slower" sh -c "'$gx' build --store '$PWD/s5' --no-link -f some.nix --builders '$fast' -j0 phases 2>log && grep 'on .*/slow' log"
check "or this one" sh -c "'$gx' build --store '$PWD/s5' --no-link -f some.nix --builders '$PWD/fast' fixed 2>log && ! grep ' on ' log"
"$gx" build --store "$PWD/s5" --no-link -f some.nix --builders "$PWD/fast" -j0 near 2>waits.log &
waits=$!
sleep 0.5
check "or it waits" kill -0 $waits
kill $holder
check "until there is a seat" wait $waits
check "machines in a file" sh -c "echo '$PWD/m6 - - 1 # one' >conf/machines && '$gx' build --store '$PWD/s6' --no-link -f some.nix -j0 plain && '$gx' path-info --store '$PWD/m6' '$(out plain)'"
rm conf/machines
check "jobs that are none" mentions "from 0 to 4096, not 'many'" build s "$PWD/m1 - - many" -j0 sleeps
check "a speed that is none" mentions "a number above 0, not '-1'" build s "$PWD/m1 - - 1 -1" -j0 sleeps
check "too many words" mentions "more than 8 words" build s "$PWD/m1 - - 1 1 - - - nine" -j0 sleeps
check "files that name one another" sh -c "echo '@$PWD/circle' >circle; '$gx' build --store '$PWD/s' --no-link -f some.nix -j0 --builders '@$PWD/circle' sleeps 2>&1 | grep 'name one another'"

# --- what goes wrong ---
check "a build that fails there" complains "failed with exit code 3" build s "$PWD/m1" -j0 fails
check "its log is here" same_output "'$gx' log --store '$PWD/s' '$(drv fails)'" "printf 'one\ntwo\n'"
check "its status" status 100 build s "$PWD/m1" -j0 fails
check "another hash" complains "hash mismatch" build s "$PWD/m1" -j0 wrong
check "its status as well" status 102 build s "$PWD/m1" -j0 wrong
check "one that takes too long" status 101 build s "$PWD/m1" -j0 --timeout 1 sleeps
check "folders of failed builds stay there" sh -c "must() { '$gx' build --store '$PWD/s' --no-link -f some.nix --builders '$PWD/m7' -j0 --keep-failed fails 2>log; [ \$? = 100 ]; }; must && grep 'keeping build directory' log && grep 'kept on the remote builder' log"
dead="ssh-ng://localhost?remote-program=$PWD/no-such-program - - 1 9; $PWD/m1"
check "a machine that is not there is left out" build s7 "$dead" -j0 c --system-features "foo bar" -j1
check "with one line" sh -c "'$gx' build --store '$PWD/s8' --no-link -f some.nix --builders '$dead' -j0 plain near fixed 2>log && [ \$(grep -c 'is left out' log) = 1 ]"
check "one that ends in the middle" complains "on 'ssh-ng://localhost'" build s9 "ssh-ng://localhost?remote-program=$srcdir/tests/integration/lib/half_daemon.sh" -j0 plain
check "one that is no daemon" sh -c "'$gx' build --store '$PWD/s9' --no-link -f some.nix --builders 'ssh-ng://localhost?remote-program=$srcdir/tests/integration/lib/no_daemon.sh' plain 2>log && grep 'is left out.*is no daemon of Nix' log"

# --- a machine that does not trust this user ---
printf '#!/bin/sh\nexec "%s" daemon --force-untrusted "$@"\n' "$gx" >untrusting && chmod +x untrusting
untrusting="ssh-ng://localhost?remote-program=$PWD/untrusting&remote-store=$PWD/u%3Fsystem-features=foo%2520bar - - 1 1 foo,bar"
check "builds what it is given the derivation of" prints "$c" build s10 "$untrusting" -j0 --print-out-paths c
check "and has it" has u "$(drv c)"
check "and builds fixed outputs" build s10 "$untrusting" -j0 fixed
check "what was built here it does not take" sh -c "'$gx' build --store '$PWD/s11' --no-link -f some.nix --system-features foo a"
remove u
check "for nobody signed it" complains "lacks a signature by a trusted key" build s11 "$untrusting" -j0 c

# --- a daemon gives builds away too ---
printf '#!/bin/sh\nexec "%s" "$@" --option builders "%s" --option max-jobs 0\n' "$PWD/names/nix-daemon" "$PWD/m12" >gives && chmod +x gives
at_daemon() { # ATTRIBUTE OPTION...
	"$gx" build --store "ssh-ng://localhost?remote-program=$PWD/gives&remote-store=$PWD/s12" --no-link -f some.nix "$@"
}
check "a daemon with machines" at_daemon plain
check "has it built there" has m12 "$(out plain)"
check "unless a client that it trusts" at_daemon two --builders ""
check "wants none" lacks m12 "$(out two)"

# --- Nix's ---
have_nix || { skip "a machine of Nix's" "nix-store is missing"; exit 0; }
command -v nix-daemon >/dev/null || { skip "a machine of Nix's" "nix-daemon is missing"; exit 0; }
export NIX_CONFIG="sandbox-paths = /bin/sh=$(command -v busybox)
build-users-group ="
nix="ssh-ng://localhost?remote-program=$(command -v nix-daemon)&remote-store=$PWD/n%3Fsystem-features=foo%2520bar"
check "a machine of Nix's" prints "$c" build s13 "$nix - - 1 1 foo,bar" -j0 --print-out-paths c
check "the log is here too" prints "this is c" "$gx" log --store "$PWD/s13" "$(drv c)"
check "Nix finds both whole" sh -c "for s in n s13; do nix-store --store '$PWD/'\$s --verify --check-contents || exit 1; done"
check "a failure there" mentions "exit code 3" build s13 "$nix" -j0 fails
check "with its log here" same_output "'$gx' log --store '$PWD/s13' '$(drv fails)'" "printf 'one\ntwo\n'"
mkdir own
check "auto is what Nix's variables say" env PATH="$PWD/names:$PATH" NIX_REMOTE= NIX_STORE_DIR="$PWD/own/store" NIX_STATE_DIR="$PWD/own/var/nix" NIX_LOG_DIR="$PWD/own/log" nix-build --no-out-link \
	--store "file://$PWD/own-cache" --builders 'auto - - 1 1' -j0 --option sandbox false some.nix -A plain
check "and what it built is in the cache" sh -c 'grep -l "^StorePath: $0/own/store/.*-plain\$" own-cache/*.narinfo && ls own/store/*-plain' "$PWD"
