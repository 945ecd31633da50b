# SPDX-License-Identifier: MIT
#
# A store that tenants share: their roots, counted, dropped by age, bounded by quotas; and who reads what of it over gx cache serve --tenants, which asks
# a cluster (lib/cluster.py).
. "$srcdir/tests/integration/lib.sh"
. "$srcdir/tests/integration/lib/cluster.sh"
cat >t.nix <<'X'
let
  make = name: text: derivation { inherit name text; system = builtins.currentSystem; builder = "/bin/sh"; args = [ "-c" "echo $text >$out" ]; };
  shared = make "shared" "shared";
in
{
  a = make "a" "a ${shared}";
  b = make "b" "b ${shared}";
  nobody = make "nobody" "nobody";
  inherit shared;
}
X
build() { "$gx" build --store "$PWD/s" -f t.nix "$1" --no-link --print-out-paths 2>>build.log; }
a=$(build a) b=$(build b) nobody=$(build nobody) shared=$(build shared)
store() { # VERB ARGUMENTS...
	_verb=$1
	shift
	"$gx" store "$_verb" --store "$PWD/s" "$@"
}

# --- roots ---

check "roots" store add-root --tenant team-a "$a"
check "of another" store add-root --tenant team-b "$b"
check "again" store add-root --tenant team-a "$a"
check "what they keep" prints "team-a: 1 roots, 2 objects, 288 bytes
team-b: 1 roots, 2 objects, 288 bytes" store tenants
check "among the roots" sh -c "'$gx' store roots --store s | grep -q 'gcroots/tenants/team-a/.* -> $a\$'"
check "the collector keeps them" store gc
check "all of their closures" test -e "s$shared"
check "and nothing else" test ! -e "s$nobody"
nobody=$(build nobody)
check "a tenant of no name" complains "is no name of a tenant" store add-root --tenant ../x "$a"
check "one that nobody names" complains "--tenant says whose" store add-root "$a"
check "what is not there" complains "is not in the store" store add-root --tenant team-a /nix/store/00000000000000000000000000000000-x
check "a quota" store quota --tenant team-a 300
check "is shown" prints "team-a: 1 roots, 2 objects, 288 bytes of 300 bytes" sh -c "'$gx' store tenants --store s | head -n 1"
check "and kept" complains "may have 300" store add-root --tenant team-a "$b"
check "nothing went in" prints "team-a: 1 roots, 2 objects, 288 bytes of 300 bytes" sh -c "'$gx' store tenants --store s | head -n 1"
check "no size" complains "is no size" store quota --tenant team-a much
check "none" store quota --tenant team-a none
rm s/nix/var/nix/gcroots/tenants/team-a/quota
mkdir s/nix/var/nix/gcroots/tenants/team-a/quota
check "one that cannot be read is not none" complains "cannot read the quota" store add-root --tenant team-a "$a"
rmdir s/nix/var/nix/gcroots/tenants/team-a/quota
check "young ones stay" prints 0 store drop-roots --tenant team-a --older-than 30
touch -h -d '40 days ago' s/nix/var/nix/gcroots/tenants/team-b/*
check "old ones go" prints 1 store drop-roots --tenant team-b --older-than 30
store gc >/dev/null 2>&1
check "with what they kept" test ! -e "s$b"
b=$(build b) nobody=$(build nobody)
store add-root --tenant team-b "$b"

# --- who reads what ---

"$gx" cache serve --tenants --context controller --store "$PWD/s" --port 0 >at 2>said &
serving=$!
trap 'kill $server $serving 2>/dev/null' EXIT
within 20 test -s at
read -r at <at
ask() { # TOKEN OBJECT [SUFFIX]: the status
	python3 - "$at" "$@" <<'P'
import sys, urllib.request
at, token, path = sys.argv[1:4]
digest = path.split("/")[-1][:32]
url = "%s/%s.narinfo" % (at, digest) if len(sys.argv) < 5 else "%s/nar/%s.nar" % (at, digest)
r = urllib.request.Request(url, headers={"Authorization": "Bearer " + token} if token else {})
try:
    print(urllib.request.urlopen(r).status)
except urllib.error.HTTPError as x:
    print(x.code)
P
}
mode
check "its own" prints 200 ask pod-a "$a"
check "what that needs" prints 200 ask pod-a "$shared"
check "its bytes" prints 200 ask pod-a "$a" nar
check "another's" prints 403 ask pod-a "$b"
check "another's bytes" prints 403 ask pod-a "$b" nar
check "the other way round" prints "200 403 200" sh -c "echo $(ask pod-b "$b") $(ask pod-b "$a") $(ask pod-b "$shared")"
check "nobody's" prints 403 ask pod-a "$nobody"
check "what is not there" prints 404 ask pod-a /nix/store/00000000000000000000000000000000-x
check "without a token" prints 401 ask "" "$a"
check "also of what is not there" prints 401 ask "" /nix/store/00000000000000000000000000000000-x
check "with another's" prints 401 ask good "$a"
check "with nonsense" prints 401 ask "$(printf '%01000d' 7)" "$a"
check "the cluster was asked once for each" prints 4 grep -c tokenreviews requests
check "each refusal is told" grep -q "refused (403): '${b#/nix/store/}' to system:serviceaccount:team-a:a" said
check "no token is" sh -c '! grep -q "pod-a\|pod-b" said'
printf 'machine 127.0.0.1 login token password pod-a\n' >netrc
copy() { # OBJECT
	"$gx" copy --store "$PWD/copy" --from "$at" "$1" --option netrc-file "$PWD/netrc" --no-check-sigs
}
check "gx copies with it as a password" copy "$a"
check "all of the closure" test -e "copy$shared"
check "and not another's" mentions "does not have" copy "$b"
store add-root --tenant team-a "$b"
check "what it keeps too is its own" within 5 prints 200 ask pod-a "$b"
mode away
sleep 10
check "a cluster that is away" prints 503 ask pod-a "$a"
mode
check "and is there again" within 15 prints 200 ask pod-a "$a"
