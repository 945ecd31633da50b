# SPDX-License-Identifier: MIT
#
# Stores of other machines over ssh: ssh-ng:// both ways between gx and Nix, through a real sshd on loopback and, as both have it for
# "localhost", without one; and Nix building on a machine of gx's.
. "$srcdir/tests/integration/lib.sh"
. "$srcdir/tests/integration/lib/store.sh"
have_nix || { echo "nix-store is missing"; exit 77; }
export HOME="$PWD/home" XDG_CACHE_HOME="$PWD/xdg" NIX_CONF_DIR="$PWD/conf" && mkdir home conf names
printf 'build-users-group =\nsubstituters =\nsandbox-paths = /bin/sh=%s\n' "$(command -v busybox)" >conf/nix.conf
nix="nix --extra-experimental-features nix-command"
"$gx" nix-names --install "$PWD/names"

cat >two.gx <<'E2'
let
  make = name: inputs: derivation {
    inherit name;
    system = builtins.currentSystem;
    builder = "/bin/sh";
    args = [ "-c" "mkdir $out && echo ${toString inputs} > $out/inputs" ];
  };
in make "b" [ (make "a" [ ./source ]) ]
E2
mkdir source && echo text >source/file
b=$("$gx" build --store "$PWD/g" --no-link --print-out-paths -f two.gx 2>log) || { cat log; exit 1; }
clean() { # FOLDER
	nix-store --store "$PWD/$1" --verify --check-contents >clean.log 2>&1 && ! grep -qi 'error\|warning\|modified\|disappeared' clean.log &&
		"$gx" store verify --store "$PWD/$1" 2>>clean.log || { cat clean.log; return 1; }
}

# The store NAME at the other end, served by gx or by Nix.
ways() { # WHAT HOST
	_of_gx="ssh-ng://$2?remote-program=$PWD/names/nix-daemon&remote-store="
	_of_nix="ssh-ng://$2?remote-program=$(command -v nix-daemon)&remote-store="
	check "$1: Nix copies to gx" $nix copy --no-check-sigs --from "$PWD/g" --to "$_of_gx$PWD/$1-1" "$b"
	check "$1: and it is whole" clean "$1-1"
	check "$1: Nix copies from gx" $nix copy --no-check-sigs --from "$_of_gx$PWD/$1-1" --to "$PWD/$1-2" "$b"
	check "$1: and that is whole" clean "$1-2"
	check "$1: gx copies to gx" "$gx" copy --no-check-sigs --store "$PWD/g" --to "$_of_gx$PWD/$1-3" "$b"
	check "$1: gx copies from gx" "$gx" copy --no-check-sigs --store "$PWD/$1-4" --from "$_of_gx$PWD/$1-3" "$b"
	check "$1: gx builds there" prints "$b" "$gx" build --no-link --print-out-paths --store "$_of_gx$PWD/$1-5" -f two.gx
	check "$1: gx has it built there" sh -c "'$gx' build --store '$PWD/$1-8' --no-link -f two.gx -j0 --builders '$_of_gx$PWD/$1-9' && '$gx' path-info --store '$PWD/$1-9' '$b' && '$gx' store verify --store '$PWD/$1-8'"
	check "$1: and all are whole" sh -c "for s in 3 4 5; do '$gx' store verify --store '$PWD/$1-'\$s || exit 1; done"
	command -v nix-daemon >/dev/null || return 0
	check "$1: gx copies to Nix" "$gx" copy --no-check-sigs --store "$PWD/g" --to "$_of_nix$PWD/$1-6" "$b"
	check "$1: and it is whole there" clean "$1-6"
	check "$1: gx copies from Nix" "$gx" copy --no-check-sigs --store "$PWD/$1-7" --from "$_of_nix$PWD/$1-6" "$b"
	check "$1: and it is whole here" clean "$1-7"
}
ways local localhost
check "ssh:// by the name of the program" sh -c "PATH=$PWD/names:\$PATH '$gx' copy --no-check-sigs --store '$PWD/g' --to 'ssh://localhost?remote-store=$PWD/old' '$b' && '$gx' store verify --store '$PWD/old'"
# The older protocol, both sides with gx and with Nix.
serves() { # WHAT CLIENT-COPIES SERVER FOLDER
	_with="ssh://localhost?remote-program=$3&remote-store=$PWD/$4"
	check "$1: there" $2 copy --no-check-sigs --from "$PWD/g" --to "$_with-1" "$b"
	check "$1: and back" $2 copy --no-check-sigs --from "$_with-1" --to "$PWD/$4-2" "$b"
	check "$1: whole" sh -c "for s in 1 2; do '$gx' store verify --store '$PWD/$4-'\$s && nix-store --store '$PWD/$4-'\$s --verify --check-contents || exit 1; done"
}
serves "serve, Nix to gx" "$nix" "$PWD/names/nix-store" old-a
of_gx="ssh://localhost?remote-program=$PWD/names/nix-store&remote-store=$PWD" of_nix="ssh://localhost?remote-program=$(command -v nix-store)&remote-store=$PWD"
for peer in gx nix; do
	[ $peer = gx ] && at=$of_gx || at=$of_nix
	check "serve, gx to $peer" "$gx" copy --no-check-sigs --store "$PWD/g" --to "$at/old-$peer" "$b"
	check "serve, gx from $peer" "$gx" copy --no-check-sigs --store "$PWD/old-$peer-2" --from "$at/old-$peer" "$b"
	check "serve, $peer: whole" sh -c "for s in '' -2; do '$gx' store verify --store '$PWD/old-$peer'\$s && nix-store --store '$PWD/old-$peer'\$s --verify --check-contents || exit 1; done"
	check "serve, $peer: asked about" prints "$b" "$gx" path-info --store "$at/old-$peer" "$b"
	check "serve, $peer: builds" prints "$b" "$gx" build --no-link --print-out-paths --store "$at/old-$peer-3" -f two.gx
	check "serve, $peer: has it built" sh -c "'$gx' build --store '$PWD/old-$peer-4' --no-link -f two.gx -j0 --builders '$at/old-$peer-5' && '$gx' path-info --store '$PWD/old-$peer-5' '$b' && '$gx' store verify --store '$PWD/old-$peer-4'"
done
check "serve: the log of what a machine built" sh -c "printf 'derivation { name = \"says\"; system = builtins.currentSystem; builder = \"/bin/sh\"; args = [ \"-c\" \"echo so; echo it is >\$out\" ]; }' >says.nix; '$gx' build --store '$PWD/said' --no-link -f says.nix -j0 --builders '$of_gx/old-said' && '$gx' log --store '$PWD/said' \$('$gx' eval --store '$PWD/said' --raw -f says.nix drvPath) | grep -x so"
check "serve: does not say whether it trusts" sh -c "'$gx' store info --json --store '$of_gx/old-gx' >info && ! grep trusted info && grep 'ssh://localhost' info"
check "serve: lists nothing" complains "does not do this" "$gx" path-info --all --store "$of_gx/old-gx"
check "Nix has it built by --serve" sh -c "nix-build --store '$PWD/old-here' --no-out-link two.gx --max-jobs 0 --builders '$of_gx/old-there x86_64-linux - 1 1' && '$gx' path-info --store '$PWD/old-there' '$b'"
printf '#!/bin/sh\nexec "%s" --serve --store "%s"\n' "$PWD/names/nix-store" "$PWD/old-gx" >reads && chmod +x reads
check "serve: who may only read" prints "$b" "$gx" path-info --store "ssh://localhost?remote-program=$PWD/reads" "$b"
check "changes nothing" mentions "closed the connection" "$gx" build --no-link --store "ssh://localhost?remote-program=$PWD/reads" -f says.nix
check "serve: a program that is something else" complains "is no 'nix-store --serve'" "$gx" path-info --store "ssh://localhost?remote-program=$srcdir/tests/integration/lib/no_daemon.sh" "$b"
# nix-copy-closure, whose machine is one of gx's.
copies() { NIX_REMOTE="local?root=$1" && export NIX_REMOTE && shift && PATH=$PWD/names:$PATH nix-copy-closure "$@"; }
check "nix-copy-closure" copies "$PWD/g" --to "localhost?remote-store=$PWD/closure" "$b"
check "and it is whole" sh -c "'$gx' path-info --store '$PWD/closure' '$b' && '$gx' store verify --store '$PWD/closure'"
check "and from there" copies "$PWD/closure-2" --from "localhost?remote-store=$PWD/closure" "$b"
check "and that is whole" sh -c "'$gx' path-info --store '$PWD/closure-2' '$b' && '$gx' store verify --store '$PWD/closure-2'"
drv=$(names/nix-instantiate --store "$PWD/g" two.gx 2>/dev/null)
check "a derivation with its outputs" copies "$PWD/g" --include-outputs "localhost?remote-store=$PWD/closure-3" "$drv"
check "which are there" "$gx" path-info --store "$PWD/closure-3" "$b" "$drv"
check "no machine" complains "no machine was named" copies "$PWD/g" --to
check "outputs of what is elsewhere" complains "--include-outputs goes with --to" copies "$PWD/g" --from --include-outputs localhost "$b"
check "a program that is no daemon" complains "is no daemon of Nix" "$gx" path-info --store "ssh-ng://localhost?remote-program=$srcdir/tests/integration/lib/no_daemon.sh" "$b"
check "no such program" complains "is not installed" "$gx" path-info --store "ssh-ng://localhost?remote-program=no-such-daemon" "$b"

# --- Nix builds on a machine of gx's ---
printf 'derivation { name = "there"; system = builtins.currentSystem; builder = "/bin/sh"; args = [ "-c" "read x <${./source/file}; echo $x there >$out" ]; }' >there.nix
check "Nix builds there" sh -c "nix-build --store '$PWD/here' --no-out-link there.nix --max-jobs 0 --builders 'ssh-ng://localhost?remote-program=$PWD/names/nix-daemon&remote-store=$PWD/machine x86_64-linux - 1 1' >there.out 2>there.log && cat $PWD/here\$(cat there.out) | grep -x 'text there'"
check "it was built there" sh -c "'$gx' path-info --store '$PWD/machine' \$(cat there.out)"
check "both are whole" sh -c "nix-store --store '$PWD/here' --verify --check-contents && nix-store --store '$PWD/machine' --verify --check-contents && '$gx' store verify --store '$PWD/machine'"

# --- with a real sshd ---
sshd=$(PATH=$PATH:/usr/sbin command -v sshd) || { skip "a real sshd" "sshd is not installed"; exit 0; }

printf '#!/bin/sh\nexec "%s/names/nix-daemon" --force-untrusted "$@"\n' "$PWD" >distrusting && chmod +x distrusting
mentions_ok() { # TEXT COMMAND...: it says that, whatever else is missing on this machine
	_told=$1
	shift
	"$@" >told 2>&1 || :
	grep -qF -- "$_told" told || { cat told; return 1; }
}
# Handed on, by the programs of gx at each end of each connection.
on() { PATH="$PWD/names:$PATH" "$gx" "$@"; }
relayed="ssh://localhost?remote-store=ssh://localhost?remote-store=$PWD/relay-1"
check "ssh:// behind ssh://" on copy --no-check-sigs --store "$PWD/g" --to "$relayed" "$b"
check "it is where it was to go" clean relay-1
check "and comes back" on copy --no-check-sigs --store "$PWD/relay-2" --from "$relayed" "$b"
relayed="ssh-ng://localhost?remote-store=ssh-ng://localhost?remote-store=$PWD/relay-3"
check "ssh-ng:// behind ssh-ng://" prints "$b" on build --no-link --print-out-paths --store "$relayed" -f two.gx
check "what was built is there" clean relay-3
check "one protocol is not the other" mentions "hands on to ssh://" on path-info --store "ssh://localhost?remote-store=ssh-ng://localhost" "$b"
check "nor a daemon a cache" mentions "cannot be served from here" on path-info --store "ssh-ng://localhost?remote-store=file:///none" "$b"
check "nix-store reads alone" mentions "cannot be served from here" env PATH="$PWD/names:$PATH" nix-store --store ssh://localhost --serve </dev/null

# From one other store to another.
check "between two others" on copy --no-check-sigs --from "ssh-ng://localhost?remote-store=$PWD/relay-1" --to "ssh://localhost?remote-store=$PWD/between" "$b"
check "is a copy" clean between

# Mounted: the other end's store in a folder here.
"$gx" copy --no-check-sigs --store "$PWD/g" --to "$PWD/m" "$b"
mounted="mounted-ssh-ng://localhost?remote-store=$PWD/m&real=$PWD/m/nix/store"
check "mounted-ssh-ng:// reads what is mounted" prints " " sh -c "PATH=$PWD/names:\$PATH '$gx' store cat --store '$mounted' '$b/inputs' | cut -c1-0; echo ' '"
check "and builds there" prints "$b" on build --out-link mounted-result --print-out-paths --store "$mounted" -f two.gx
check "with a link" prints "$b" readlink mounted-result
check "a folder that is not mounted" mentions "is not mounted at '/none'" on store cat --store "mounted-ssh-ng://localhost?remote-store=$PWD/m&real=/none" "$b/inputs"
mv "$PWD/m/nix/store/${b##*/}" kept-b && chmod u+w kept-b && mkdir "$PWD/m/nix/store/${b##*/}"
check "or holds something else" mentions "is not what" on store cat --store "$mounted" "$b/inputs"

# Whether they do what one says.
check "trust" mentions_ok "You are trusted by 'ssh-ng://localhost" on doctor --store "ssh-ng://localhost?remote-store=$PWD/relay-1"
check "no trust" mentions_ok "You are not trusted by" on doctor --store "ssh-ng://localhost?remote-program=$PWD/distrusting&remote-store=$PWD/relay-1"
check "neither" mentions_ok "doesn't have a notion of trusted user" on doctor --store "ssh://localhost?remote-store=$PWD/relay-1"

command -v ssh-keygen >/dev/null || { skip "a real sshd" "ssh-keygen is not installed"; exit 0; }
[ "$(id -u)" != 0 ] || [ -d /run/sshd ] || { skip "a real sshd" "this machine has no /run/sshd"; exit 0; }
ssh-keygen -q -t ed25519 -N '' -f host && ssh-keygen -q -t ed25519 -N '' -f key && cp key.pub allowed && chmod 600 allowed
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])') || { skip "a real sshd" "python3 is missing"; exit 0; }
cat >sshd.conf <<E2
Port $port
ListenAddress 127.0.0.1
HostKey $PWD/host
AuthorizedKeysFile $PWD/allowed
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
PermitUserEnvironment no
SetEnv HOME=$HOME XDG_CACHE_HOME=$XDG_CACHE_HOME NIX_CONF_DIR=$NIX_CONF_DIR
E2
"$sshd" -D -e -f "$PWD/sshd.conf" 2>sshd.log &
pid=$!
trap 'kill $pid 2>/dev/null' EXIT
export NIX_SSHOPTS="-p $port -i $PWD/key -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o BatchMode=yes -o LogLevel=ERROR"
n=0
until ssh $NIX_SSHOPTS 127.0.0.1 true 2>ssh.log; do
	n=$((n + 1))
	[ $n -lt 50 ] && kill -0 $pid 2>/dev/null || { skip "a real sshd" "nobody can log in: $(tail -n 1 sshd.log)"; exit 0; }
	sleep 0.1
done
ways sshd 127.0.0.1
check "sshd: nobody may log in so" mentions "Permission denied" "$gx" path-info --store "ssh-ng://nobody-here@127.0.0.1" "$b"
