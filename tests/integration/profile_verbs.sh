# SPDX-License-Identifier: MIT
#
# gx profile: packages of flakes and of the store added, upgraded and removed, versions looked at, gone back to and forgotten.
. "$srcdir/tests/integration/lib.sh"
. "$srcdir/tests/integration/lib/store.sh"
mkdir names home flake other && export HOME="$PWD/home" NIX_CONF_DIR="$PWD"
printf 'build-users-group =\nsubstituters =\nexperimental-features = nix-command flakes\n' >nix.conf
unset NIX_PATH NIX_PROFILE XDG_STATE_HOME
"$gx" nix-names --install names || exit 77
PATH=$PWD/names:$PATH
export NIX_STORE_DIR="$PWD/r/store" NIX_STATE_DIR="$PWD/r/var/nix" NIX_LOG_DIR="$PWD/r/log"
profile=$PWD/p/profile
cat >flake/flake.nix <<'END_NIX'
{
  outputs = { self }: let
    version = builtins.readFile ./version;
    mk = name: prog: more: derivation {
      name = "${name}-${version}"; system = "x86_64-linux"; builder = "/bin/sh"; outputs = [ "out" "man" "dev" ];
      args = [ "-c" "mkdir -p $out/bin $man/man $dev/include && echo ${name} ${version} >$out/bin/${prog}" ];
    } // { meta = { outputsToInstall = [ "out" "man" ]; } // more; };
  in { packages.x86_64-linux = { default = mk "hello" "hello" { }; tool = mk "tool" "tool" { };
       rude = mk "rude" "hello" { }; meek = mk "meek" "hello" { priority = 9; }; }; };
}
END_NIX
printf 1.0 >flake/version
printf 'derivation { name = "plain-0.1"; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "mkdir $out && echo plain >$out/plain" ]; }' >plain.nix
p() { _verb=$1 && shift && nix profile "$_verb" --profile "$profile" "$@"; }
quiet() { p "$@" 2>quiet.log || { cat quiet.log && return 1; }; }
tells() { _tells=$1 && shift && quiet "$@" >out.log && grep -qF -- "$_tells" quiet.log out.log || { cat quiet.log out.log && return 1; }; }
versions() { ls p | grep -c -- '-link$'; }
check "an empty profile" prints "" p list
check "add the default package of a flake" quiet add ./flake
check "its program is there" prints "hello 1.0" cat p/profile/bin/hello
check "with the outputs it installs" test -e p/profile/man
check "and no others" test ! -e p/profile/include
check "its name is the folder's" tells "Name:               flake" list
check "what it was is written down" sh -c 'grep -q "^Locked flake URL:   path:.*narHash=" out.log && grep -q "^Flake attribute:    packages.x86_64-linux.default$" out.log'
sed "s,$PWD,P,g; s,store/[a-z0-9]*-,store/-,g; s,\"path:P/flake?[^\"]*\",LOCKED,g; s,\(\"[^\"]*-man\"\)\,\(\"[^\"]*\"\),\2\,\1,g" p/profile/manifest.json >manifest
check "the list is Nix's" prints '{"elements":{"flake":{"active":true,"attrPath":"packages.x86_64-linux.default","originalUrl":"path:P/flake","outputs":null,"priority":5,"storePaths":["P/r/store/-hello-1.0","P/r/store/-hello-1.0-man"],"url":LOCKED}},"version":3}' cat manifest
check "as JSON too" sh -c 'nix profile list --profile "$1" --json | cmp - "$1/manifest.json" 2>&1 | grep -q "EOF on .*manifest.json"' - "$profile"
check "the same again" tells "'flake' is already added" add ./flake
check "by an attribute, with one output" quiet add './flake#tool^dev'
check "is that output" sh -c 'test -e p/profile/include && test ! -e p/profile/bin/tool'
check "what is in the store" quiet add "$(nix-build --no-out-link plain.nix 2>/dev/null)"
check "and of a file, under another name" quiet add -f plain.nix ''
check "all are there" prints "flake plain plain-1 tool" sh -c 'nix profile list --profile "$1" | sed -n "s/^Name: *//p" | xargs' - "$profile"
check "the collector leaves them alone" sh -c 'nix-store --gc >/dev/null 2>&1 && cat "$1/bin/hello" "$1/plain" >/dev/null' - "$profile"
before=$(readlink p/profile)
check "another one of the same file" mentions "same priority" p add './flake#rude'
check "changes nothing" prints "$before" readlink p/profile
check "one that says it is less goes beside it" quiet add './flake#meek'
check "the first one's file stays" prints "hello 1.0" cat p/profile/bin/hello
check "one that is said to be more wins" quiet add './flake#rude' --priority 1
check "its file is there" prints "rude 1.0" cat p/profile/bin/hello
check "removed by names, and by a path all that are it" tells "removed 4 packages, kept 2 packages" remove rude meek "$(dirname "$(readlink -f p/profile/plain)")"
check "and not there any more" test ! -e p/profile/plain
check "one that is not there" tells "package name 'nobody' does not match any packages" remove nobody
check "nothing to do is no failure" grep -q "no packages to remove" quiet.log
check "a priority beyond all numbers" complains "is no priority" p add --priority 9223372036854775808 ./flake
check "no package at all" complains "no packages were named" p remove
check "all and one" complains "--all cannot be used with" p upgrade --all flake
check "a regular expression that is none" complains "is no regular expression" p remove --regex '('
n=$(versions)
check "nothing is newer" quiet upgrade --all
check "so nothing changes" prints "$n" versions
sed -n 's/.*"\(path:[^"]*narHash[^"]*\)".*/\1/p' p/profile/manifest.json >before
echo text >flake/unread
check "with a file that nobody reads it is another source" tells "upgrading 'packages.x86_64-linux.default' from flake" upgrade --all
check "and that is written down" sh -c 'test -s before && ! grep -qF "$(cat before)" p/profile/manifest.json'
printf 2.0 >flake/version
check "upgrade" tells "upgrading 'packages.x86_64-linux.default' from flake" upgrade flake
check "is what the flake has now" prints "hello 2.0" cat p/profile/bin/hello
check "the others stay" sh -c 'nix profile list --profile "$1" | grep -q "tool-1.0-dev$"' - "$profile"
check "by a regular expression" quiet upgrade --regex 'TO.*'
check "with the outputs it had" sh -c 'nix profile list --profile "$1" | grep -q "tool-2.0-dev$"' - "$profile"
check "history tells of both" sh -c 'nix profile history --profile "$1" >history && grep -q "^  path:.*flake#packages.x86_64-linux.default: 1.0, 1.0-man -> 2.0, 2.0-man$" history && grep -q "^  plain: ∅ -> 0.1$" history' - "$profile"
check "diff-closures too" sh -c 'nix profile diff-closures --profile "$1" >diff && grep -q "^  hello: 1.0 → 2.0" diff && grep -q "^Version 1 -> 2:" diff' - "$profile"
check "rollback" tells "switching profile to version" rollback
check "to what was" sh -c 'nix profile list --profile "$1" | grep -q "tool-1.0-dev$"' - "$profile"
check "to a version" quiet rollback --to 1
check "which had one package" prints "flake" sh -c 'nix profile list --profile "$1" | sed -n "s/^Name: *//p"' - "$profile"
check "to one that never was" complains "99" p rollback --to 99
check "to what is no number" complains "no number of a version" p rollback --to x
check "wipe-history says what would go" tells "would remove profile version 2" wipe-history --dry-run
check "and does not" test -e p/profile-2-link
check "wipe-history" quiet wipe-history
check "one version is left" prints 1 versions
check "an operand too many" complains "takes nothing, not 'x'" p history x
check "what is no flake and not in the store" mentions "is not" p add ./nothing
check "a package that cannot be built" mentions "nowhere" p add --impure --expr 'derivation { name = "n"; system = "x86_64-linux"; builder = "/nowhere"; }'
check "leaves the profile alone" prints "flake" sh -c 'nix profile list --profile "$1" | sed -n "s/^Name: *//p"' - "$profile"

# nix-env's profiles go on, older lists too, and what nobody wrote is refused.
check "nix-env's" nix-env -f plain.nix -p "$PWD/p/env" -i plain
check "is read" prints plain sh -c 'nix profile list --profile p/env | sed -n "s/^Name: *//p"'
check "and gone on with" nix profile add --profile p/env ./flake
check "nothing is lost" sh -c 'cat p/env/plain p/env/bin/hello && test ! -e p/env/manifest.nix'
out=$(nix build --no-link --print-out-paths "./flake^out")
old() { # MANIFEST
	rm -rf old && mkdir old && printf '%s' "$1" >old/manifest.json
	ln -sfn "$(nix store add old)" p/old
}
old '{"version":2,"elements":[{"active":true,"attrPath":"legacyPackages.x86_64-linux.hello","originalUrl":"flake:nixpkgs","outputs":null,"priority":5,"storePaths":["'"$out"'"],"url":"github:NixOS/nixpkgs/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}]}'
check "a list of version 2" sh -c 'nix profile list --profile p/old | grep -q "^Name: *hello$"'
plain=$(readlink -f p/env/plain) locked=$(nix profile list --profile p/env | sed -n 's/^Locked flake URL: *//p')
element() { printf '"%s":{"attrPath":"packages.x86_64-linux.%s","originalUrl":"path:%s/flake","outputs":null,"storePaths":["%s"],"url":"%s"}' "$1" "$1" "$PWD" "${plain%/*}" "$2"; }
old "{\"version\":3,\"elements\":{$(element meek "path:$PWD/flake?lastModified=1"),$(element tool "$locked")}}"
check "of two the newer one is upgraded" nix profile upgrade --profile p/old --all
check "and the other is left alone" prints "meek tool plain-0.1" sh -c 'python3 -c "
import json
m = json.load(open(\"p/old/manifest.json\"))[\"elements\"]
print(*m, m[\"tool\"][\"storePaths\"][0].rsplit(\"/\", 1)[1].split(\"-\", 1)[1])"'
old '{"version":4,"elements":{}}'
check "of a version to come" complains "version 4, which is not known" nix profile list --profile p/old
old '{"version":3,"elements":{"a":{"storePaths":["/etc/passwd"]}}}'
check "with a path that is none" mentions "/etc/passwd" nix profile list --profile p/old
old '{"version":3}'
check "without packages" complains "has no packages" nix profile list --profile p/old
old '{"version":3,"elements":[]}'
check "in the form of another version" complains "has no packages" nix profile list --profile p/old
old '{"version":3,"elements":{"a":{"active":true}}}'
check "of a package that is nowhere" complains "does not say where it is" nix profile list --profile p/old
old_nix() { # MANIFEST
	rm -rf old && mkdir old && printf '%s' "$1" >old/manifest.nix
	ln -sfn "$(nix store add old)" p/old
}
old_nix '{ }'
check "nix-env's that is no list" complains "is no list" nix profile list --profile p/old
old_nix '[ { name = "a"; } ]'
check "and of a package that is nowhere" complains "which outputs" nix profile list --profile p/old
old '{"version":3,'
check "cut off" mentions "error:" nix profile list --profile p/old
