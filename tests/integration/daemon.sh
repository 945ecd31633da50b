# SPDX-License-Identifier: MIT
#
# Nix's daemon protocol both ways: Nix as a client of gx's daemon, gx as one of Nix's, and copies between the two.
. "$srcdir/tests/integration/lib.sh"
. "$srcdir/tests/integration/lib/store.sh"
have_nix || { echo "nix-store is missing"; exit 77; }
export HOME="$PWD/home" XDG_CACHE_HOME="$PWD/xdg" NIX_CONF_DIR="$PWD/conf" && mkdir home conf
printf 'build-users-group =\nsubstituters =\n' >conf/nix.conf
nix="nix --extra-experimental-features nix-command"

cat >three.gx <<'E2'
let
  make = name: inputs: derivation {
    inherit name;
    system = builtins.currentSystem;
    builder = "/bin/sh";
    args = [ "-c" "echo this is ${name}; mkdir $out && echo ${toString inputs} > $out/inputs && ln -s inputs $out/link" ];
  };
  a = make "a" [ ./source ];
  b = make "b" [ a ];
in make "c" [ a b ]
E2
mkdir source && echo text >source/file && ln -s file source/link && printf '#!/bin/sh\n' >source/run && chmod +x source/run
cat >fails.nix <<'E2'
derivation { name = "fails"; system = builtins.currentSystem; builder = "/bin/sh"; args = [ "-c" "echo so it goes; exit 3" ]; }
E2

# A daemon of gx for the store ./g, reached at ./g.socket; of Nix for ./n at ./n.socket.
daemons=
start() { # NAME COMMAND...
	_name=$1
	shift
	"$@" >"$_name.log" 2>&1 &
	daemons="$daemons $!"
	until [ -S "$_name.socket" ]; do kill -0 $! 2>/dev/null || { cat "$_name.log"; exit 1; }; sleep 0.05; done
}
trap 'kill $daemons 2>/dev/null' EXIT
start g "$gx" daemon --store "$PWD/g" --socket "$PWD/g.socket"
g="unix://$PWD/g.socket?root=$PWD/g" n="unix://$PWD/n.socket?root=$PWD/n"
if nix-daemon --version >/dev/null 2>&1; then
	start n env NIX_DAEMON_SOCKET_PATH="$PWD/n.socket" NIX_CONFIG="sandbox-paths = /bin/sh=$(command -v busybox)" nix-daemon --store "$PWD/n"
fi
clean() { # FOLDER: both programs find the store in it whole
	nix-store --store "$PWD/$1" --verify --check-contents >clean.log 2>&1 && ! grep -qi 'error\|warning\|modified\|disappeared' clean.log &&
		"$gx" store verify --store "$PWD/$1" 2>>clean.log || { cat clean.log; return 1; }
}

# --- Nix as a client of gx ---
check "Nix asks who it is" sh -c "$nix store ping --store '$g' 2>&1 | grep '^Version: '"
check "Nix builds through gx" sh -c "$nix build --store '$g' --no-link --json -f three.gx >built.json 2>log"
c=$(sed 's/.*"out":"\([^"]*\)".*/\1/' built.json)
check "with what builders print" sh -c "$nix build --store '$g' -L --no-link -f three.gx --rebuild 2>&1 | grep 'c> this is c'"
check "and it is there" "$gx" path-info --store "$PWD/g" "$c"
check "nix-build as well" prints "$c" nix-build --store "$g" --no-out-link three.gx
check "a build that fails is said to have" sh -c "! $nix build --store '$g' --no-link -f fails.nix 2>fail.log && grep 'exit code 3' fail.log && grep 'so it goes' fail.log"
check "it says what it would build" sh -c "$nix build --store '$g' --dry-run -f fails.nix 2>&1 | grep 'fails.drv'"
check "queries" same_output "nix-store --store '$g' -qR $c | sort" "nix-store --store '$PWD/g' -qR $c | sort"
check "referrers" same_output "nix-store --store '$g' -q --referrers-closure \$(nix-store --store '$g' -qR $c | grep -e -source)" \
	"nix-store --store '$PWD/g' -q --referrers-closure \$(nix-store --store '$PWD/g' -qR $c | grep -e -source)"
check "all of an object" same_output "$nix path-info --store '$g' --json -r $c" "$nix path-info --store '$PWD/g' --json -r $c"
check "derivers" same_output "nix-store --store '$g' -q --deriver $c" "nix-store --store '$PWD/g' -q --deriver $c"
check "an archive" sh -c "$nix store dump-path --store '$g' $c >one.nar && nix-store --store '$PWD/g' --dump $PWD/g$c >two.nar && cmp one.nar two.nar"
check "adding a folder" prints "$(nix-store --store "$PWD/other" --add source)" nix-store --store "$g" --add source
check "adding flat files" prints "$(nix-store --store "$PWD/other" --add-fixed sha1 source/file)" nix-store --store "$g" --add-fixed sha1 source/file
check "a link is a root" sh -c "nix-build --store '$g' -o result three.gx && nix-store --store '$g' --gc --print-roots | grep $PWD/result"
check "what is held stays, what is not goes" sh -c "nix-store --store '$g' --delete \$(nix-store --store '$g' --add source/file) && ! nix-store --store '$g' --delete $c 2>&1"
check "dead ones are listed" sh -c "p=\$(nix-store --store '$g' --add three.gx) && nix-store --store '$g' --gc --print-dead | grep \$p && nix-store --store '$g' --gc && ! nix-store --store '$g' --check-validity \$p"
check "optimising" nix-store --store "$g" --optimise
check "verifying" nix-store --store "$g" --verify --check-contents
check "signing" sh -c "$nix key generate-secret --key-name k-1 >secret && $nix store sign --store '$g' -k secret $c && $nix path-info --store '$PWD/g' --sigs $c | grep k-1:"
check "a wrong request is an error" sh -c "! nix-store --store '$g' -r /nix/store/00000000000000000000000000000000-x 2>log && grep 'is not valid' log"
check "all of it is whole" clean g

# --- copies ---
d=$(nix-instantiate --store "$PWD/b" fails.nix 2>log)
check "Nix copies to gx" sh -c "$nix copy --no-check-sigs --from '$PWD/b' --to '$g' --derivation $d && nix-store --store '$g' --check-validity $d"
check "Nix copies from gx" $nix copy --no-check-sigs --from "$g" --to "$PWD/b2" "$c"
check "and it is whole" clean b2
check "gx copies to gx" sh -c "p=\$('$gx' store add --store $PWD/b2 three.gx) && '$gx' copy --no-check-sigs --store $PWD/b2 --to unix://$PWD/g.socket \$p $c"
check "gx copies from gx" "$gx" copy --no-check-sigs --store "$PWD/b3" --from "unix://$PWD/g.socket" "$c"
check "and that is whole" clean b3
check "what nobody signed does not come in" complains "lacks a signature by a trusted key" "$gx" copy --store "$PWD/b4" --from "unix://$PWD/g.socket" "$c"

# --- who may ---
start u "$gx" daemon --store "$PWD/u" --socket "$PWD/u.socket" --force-untrusted
u="unix://$PWD/u.socket?root=$PWD/u"
check "who is not trusted adds nothing unsigned" sh -c "! $nix copy --no-check-sigs --from '$PWD/b2' --to '$u' $c 2>log && grep 'lacks a signature by a trusted key' log"
check "but builds" $nix build --store "$u" --no-link -f three.gx
check "and repairs nothing" sh -c "! nix-store --store '$u' --verify --repair 2>log && grep -i 'not repaired\|not privileged' log"
check "that store is whole" clean u

# --- machines that a client names ---
printf 'x: derivation { name = "elsewhere-${x}"; system = builtins.currentSystem; builder = "/bin/sh"; args = [ "-c" "echo ${x} >$out" ]; }\n' >elsewhere.nix
with_builders() { # STORE MARK COMMAND...: what is built at the machine m is in its store
	$3 build --store "$1" --no-link --max-jobs 0 --builders "$PWD/m - - 1 1" --impure --expr "import $PWD/elsewhere.nix \"$2\"" 2>"$2.log"
}
at_machine() { "$gx" path-info --all --store "$PWD/m" | grep -q "elsewhere-$1\$"; }
check "a trusted client of Nix names machines" with_builders "$g" nix "$nix"
check "which build" at_machine nix
check "so does one of gx" with_builders "unix://$PWD/g.socket" gx "$gx"
check "at the same machine" at_machine gx
check "who is not trusted names none" sh -c "! $nix build --store '$u' --no-link --max-jobs 0 --builders '$PWD/m - - 1 1' --impure --expr 'import $PWD/elsewhere.nix \"not\"' 2>not.log"
check "and is told so" grep "ignoring the client-specified setting 'builders', because it is a restricted setting and you are not a trusted user" not.log
check "nothing was built there" sh -c "! '$gx' path-info --all --store '$PWD/m' | grep elsewhere-not"

# --- evaluating through one ---
check "nix-instantiate through gx" sh -c "d=\$(NIX_REMOTE='$g' nix-instantiate -E 'import ./elsewhere.nix \"inst\"' 2>/dev/null) && '$gx' path-info --store '$PWD/g' \$d && [ \$(NIX_REMOTE='$g' nix-store -r \$d) = \$('$gx' build --store '$PWD/g' --no-link --print-out-paths \$d) ]"

# --- gx as a client, of gx and of Nix ---
cat >reads.nix <<'E2'
builtins.readFile (derivation { name = "read"; system = builtins.currentSystem; builder = "/bin/sh"; args = [ "-c" "echo built to be read >$out" ]; })
E2
mkdir names && "$gx" nix-names --install "$PWD/names"
client() { # NAME: of the daemon at NAME.socket, whose store is NAME
	_s="unix://$PWD/$1.socket"
	check "gx builds through $1" prints "$c" "$gx" build --store "$_s" -f three.gx --print-out-paths -o "to-$1"
	check "what is built already as well: $1" sh -c "'$gx' build --store '$_s' -f three.gx --no-link -L --rebuild 2>&1 | grep 'c> this is c'"
	check "a link is a root: $1" sh -c "nix-store --store '$PWD/$1' --gc --print-roots | grep '$PWD/to-$1'"
	check "a build that fails: $1" sh -c "! '$gx' build --store '$_s' --no-link -f fails.nix 2>log && grep 'exit code 3' log"
	check "what would be built: $1" sh -c "'$gx' build --store '$_s' --no-link --dry-run -f fails.nix 2>&1 | grep fails.drv"
	check "built to be read: $1" prints '"built to be read\n"' "$gx" eval --store "$_s" --impure -f reads.nix
	_d=$(names/nix-instantiate --store "$_s" -E 'derivation { name = "kept"; system = "x"; builder = "/bin/sh"; file = ./reads.nix; }')
	check "a derivation that is only made is there: $1" "$gx" path-info -r --store "$PWD/$1" "$_d"
	check "so is a text: $1" sh -c "p=\$(names/nix eval --store '$_s' --raw --expr 'builtins.toFile \"kept\" \"in $1\"') && '$gx' path-info --store '$PWD/$1' \$p"
	check "built to be read, by NIX_REMOTE: $1" prints '"built to be read\n"' env NIX_REMOTE="$_s" names/nix-instantiate --eval reads.nix
	check "what is known of objects: $1" same_output "'$gx' path-info -r -s --json --store '$_s' $c" "'$gx' path-info -r -s --json --store '$PWD/$1' $c"
	check "of all: $1" same_output "'$gx' path-info --all --store '$_s'" "'$gx' path-info --all --store '$PWD/$1'"
	check "files: $1" same_output "'$gx' store cat --store '$_s' $c/inputs && '$gx' store ls -lR --store '$_s' $c" \
		"'$gx' store cat --store '$PWD/$1' $c/inputs && '$gx' store ls -lR --store '$PWD/$1' $c"
	check "why it is needed: $1" same_output "'$gx' why-depends --store '$_s' $c $(sed 's/ .*//' "$PWD/$1$c/inputs")" \
		"'$gx' why-depends --store '$PWD/$1' $c $(sed 's/ .*//' "$PWD/$1$c/inputs")"
	check "copied out: $1" "$gx" copy --no-check-sigs --store "$PWD/from-$1" --from "$_s" "$c"
	check "and back: $1" sh -c "p=\$('$gx' store add --store '$PWD/from-$1' fails.nix) && '$gx' copy --no-check-sigs --store '$PWD/from-$1' --to '$_s' \$p $c"
	check "both are whole: $1" sh -c "nix-store --store '$PWD/$1' --verify --check-contents 2>&1 && '$gx' store verify --store '$PWD/from-$1'"
	check "nothing is left of what was seen: $1" sh -c "! ls \${TMPDIR:-/tmp} | grep '^gx-view-$$'"
}
client g
_s="unix://$PWD/g.socket"
check "adding there" sh -c "p=\$('$gx' store add --store '$_s' reads.nix) && '$gx' path-info --store '$PWD/g' \$p"
printf 'for a daemon\n' >brought && brought=$("$gx" store add --store "$PWD/x" brought)
check "a stream of objects goes there" sh -c "'$gx' store export --store '$PWD/x' $brought >stream && '$gx' store import --store '$_s' <stream | grep -x $brought && '$gx' path-info --store '$PWD/g' $brought"
printf 'derivation { name = "brought"; system = builtins.currentSystem; builder = "/bin/sh"; }' >brought.nix
drv=$("$gx" build --store "$PWD/x" --no-link --json -f brought.nix --dry-run 2>/dev/null | sed 's/.*"drvPath":"\([^"]*\)".*/\1/')
check "so does a derivation" sh -c "'$gx' derivation show --json-format 4 --store '$PWD/x' $drv >shown.json && python3 -c 'import json; print(json.dumps(list(json.load(open(\"shown.json\"))[\"derivations\"].values())[0]))' >drv.json && '$gx' derivation add --store '$_s' <drv.json | grep -x $drv && '$gx' path-info --store '$PWD/g' $drv"
check "a binary cache takes a stream" sh -c "p=\$('$gx' store import --store 'file://$PWD/cache' <stream) && '$gx' path-info --store 'file://$PWD/cache' \$p"
check "what is dead there" same_output "'$gx' store gc --dead --store '$_s' 2>/dev/null | sort" "'$gx' store gc --dead --store '$PWD/g' 2>/dev/null | sort"
check "collecting there" sh -c "'$gx' store gc --store '$_s' && ! '$gx' path-info --store '$PWD/g' \$('$gx' store add --store '$PWD/x' reads.nix) 2>log && grep 'not valid' log"
check "checking there" "$gx" store verify --store "$_s"
check "optimising there" "$gx" store optimise --store "$_s"
check "whom it is" sh -c "'$gx' store info --json --store '$_s' | grep '\"url\":\"$_s\".*\"trusted\":true'"
check "signing is done elsewhere" complains "a store of others" "$gx" store sign --store "$_s" -k secret "$c"
check "Nix's names find it by NIX_REMOTE" sh -c "NIX_DAEMON_SOCKET_PATH=$PWD/g.socket NIX_REMOTE=daemon names/nix-build --no-out-link three.gx | grep -x $c"
check "and by an address" sh -c "NIX_REMOTE=unix://$PWD/g.socket names/nix-store -qR $c | grep -x $c"
profile_there() { NIX_REMOTE="$_s" sh -c "names/nix-env -p '$PWD/profile' -f three.gx -i c && names/nix-env -p '$PWD/profile' -q"; }
check "a profile of what lies there" prints c profile_there
[ ! -S n.socket ] || client n
check "no daemon there" complains "cannot connect" "$gx" path-info --store "unix://$PWD/none.socket" "$c"
check "no host" complains "names no host" "$gx" path-info --store ssh-ng:// "$c"
check "a host that would be an option" complains "begins with '-'" "$gx" path-info --store ssh-ng://-oProxyCommand=true "$c"
check "a store of others is handed on to" prints "$c" "$gx" build --no-link --print-out-paths --store "ssh-ng://localhost?remote-program=$gx%20daemon&remote-store=unix://$PWD/g.socket" -f three.gx
echo mine >file
check "a file is not taken for a socket" complains "cannot listen at" "$gx" daemon --store "$PWD/g" --socket "$PWD/file"
check "and stays" prints mine cat file
