# SPDX-License-Identifier: MIT
#
# Settings out of files, and what flakes say of them.
. "$srcdir/tests/integration/lib.sh"
gx=$builddir/gx
export HOME="$PWD/home" XDG_CACHE_HOME="$PWD/cache" NIX_CONF_DIR="$PWD/etc" XDG_CONFIG_DIRS="$PWD/xdg"
unset XDG_CONFIG_HOME NIX_USER_CONF_FILES NIX_CONFIG NIX_PATH
mkdir -p etc home/.config/nix home/.config/gx xdg/nix own/nix
here=$PWD
show() { "$gx" config show "$1" | sed -n '1p;3s/.*; //p' | tr '\n' ' '; }
value() { "$gx" config show "$1" | sed -n '1s/.* = //p'; }

# --- a file of a machine with Nix
cat >etc/nix.conf <<'C'
# Generated; written for Nix.
allowed-users = *
auto-optimise-store = false
builders =
cores = 3	# of four
experimental-features = nix-command flakes ca-derivations
extra-experimental-features = recursive-nix
extra-nix-path = nixpkgs=flake:https://example.org/nixpkgs.tar.gz
extra-sandbox-paths = /usr/bin/env
extra-substituters = https://nix-community.cachix.org
extra-trusted-public-keys = a.example:AAAA b.example:BBBB
max-jobs = auto
min-free = 5368709120
netrc-file = /nix/var/determinate/netrc
bash-prompt-prefix = (nix:$name)\040
always-allow-substitutes = true
sandbox = true
ssl-cert-file = /etc/ssl/certs/ca-certificates.crt
substituters = https://cache.nixos.org/
system-features = nixos-test benchmark big-parallel kvm
extra-system-features = gccarch-x86-64-v3
trusted-public-keys = cache.nixos.org-1:6NCHdD59X431o0gWypbMrAURkbJ16ZPMQFGspcDShjY=
trusted-users = root @wheel
upgrade-nix-store-path-url = https://install.determinate.systems/nix-upgrade/stable/universal
keep-outputs = true
lazy-trees = true
!include nix.custom.conf
C
quiet() { [ -z "$("$@" 2>&1 >/dev/null)" ]; }
check "a nix.conf is read without a word" quiet "$gx" config show
check "and counts" prints "cores = 3 set by $here/etc/nix.conf:5 " show cores
check "a list grows" prints "nixos-test benchmark big-parallel kvm gccarch-x86-64-v3" value system-features
check "garbage is collected as it says" prints true value keep-outputs
check "all commands read it" prints 1 gxeval -E 1

# --- the order of files
echo 'cores = 4' >etc/nix.custom.conf
check "an include, relative to its file" prints "cores = 4 set by $here/etc/nix.custom.conf:1 " show cores
echo 'cores = 5' >etc/gx.conf
check "gx.conf after nix.conf" prints "cores = 5 set by $here/etc/gx.conf:1 " show cores
echo 'cores = 6' >xdg/nix/nix.conf
check "the user after the machine" prints 6 value cores
echo 'cores = 7' >home/.config/nix/nix.conf
check "his own folder after the others" prints 7 value cores
echo 'cores = 8' >home/.config/gx/gx.conf
check "there gx.conf is last as well" prints "cores = 8 set by $here/home/.config/gx/gx.conf:1 " show cores
echo 'cores = 9' >own/nix/nix.conf
check "XDG_CONFIG_HOME names it" prints 9 env XDG_CONFIG_HOME="$here/own" sh -c "'$gx' config show cores | sed -n '1s/.* = //p'"
echo 'cores = 10' >one.conf
echo 'cores = 11' >two.conf
check "NIX_USER_CONF_FILES instead, the first wins" prints 11 env NIX_USER_CONF_FILES="$here/two.conf:$here/one.conf" \
	sh -c "'$gx' config show cores | sed -n '1s/.* = //p'"
check "NIX_CONFIG after all files" prints "cores = 12 set by NIX_CONFIG:2 " env NIX_CONFIG='# x
cores = 12' sh -c "'$gx' config show cores | sed -n '1p;3s/.*; //p' | tr '\n' ' '"
check "the command line after that" prints "cores = 13" env NIX_CONFIG='cores = 12' \
	sh -c "'$gx' config show cores --option cores 13 | head -n 1"
check "and adds to lists" prints "a b c" env NIX_CONFIG='allowed-uris = a b' \
	sh -c "'$gx' config show allowed-uris --option extra-allowed-uris c | sed -n '1s/.* = //p'"
secret() {
	NIX_CONFIG='access-tokens = github.com=geheim' "$gx" config show >o || return 1
	grep -q 'access-tokens = (not shown)' o && ! grep geheim o
}
check "tokens are not shown" secret
rm -r home/.config xdg etc/gx.conf etc/nix.custom.conf

# --- what is wrong
wrong() { # TEXT SAYS
	printf '%s\n' "$1" >etc/nix.conf
	gxeval -E 1 >o 2>e || return 1
	[ "$(cat o)" = 1 ] && grep -qF -- "$2" e || { cat e && return 1; }
}
at="warning: $here/etc/nix.conf"
check "an unknown setting has a suggestion" wrong 'max-job = 3' "$at:1: unknown setting 'max-job'; did you mean 'max-jobs'?"
check "a value that cannot be" wrong '
cores = many' "$at:2: setting 'cores' is a number, not 'many'; the line is ignored"
check "true or false" wrong 'restrict-eval = perhaps' "$at:1: setting 'restrict-eval' is true or false, not 'perhaps'"
check "the sandbox" wrong 'sandbox = sometimes' "setting 'sandbox' is required, relaxed or none, not 'sometimes'"
check "no sign" wrong 'cores 3' "$at:1: expected 'name = value' or 'include FILE'"
check "an include that is not there" wrong 'include none.conf' "$at:1: cannot read '$here/etc/none.conf'"
check "one that need not be" sh -c "echo '!include none.conf' >etc/nix.conf && [ -z \"\$(gxeval -E 1 2>&1 >/dev/null)\" ]"
check "one that includes itself" wrong 'include nix.conf' "includes are nested more than 16 deep"
mkdir etc/folder
check "a folder" wrong 'include folder' "cannot read '$here/etc/folder'"
printf 'cores = 1\0\nmax-jobs = 3\n' >etc/nix.conf
nul() { "$gx" config show max-jobs 2>e | grep -q '^max-jobs = 3' && grep -q "setting 'cores' is a number" e; }
check "a NUL hides nothing that follows" nul
printf 'cores = 3\r\nmax-jobs = 2' >etc/nix.conf
check "lines of Windows, and no line ending" prints "max-jobs = 2 cores = 3 " sh -c "'$gx' config show cores max-jobs | grep = | tr '\n' ' '"
rm etc/nix.conf

# --- settings act
printf 'restrict-eval = true\n' >etc/nix.conf
check "restrict-eval in a file" complains "forbidden in restricted mode" gxeval -E 'builtins.readFile /etc/passwd'
printf 'show-trace = true\nmax-call-depth = 50\n' >etc/nix.conf
check "max-call-depth" complains "50" gxeval -E 'let f = n: 1 + f (n + 1); in f 0'
rm etc/nix.conf
noted() { gxeval --option pre-build-hook x -E 1 2>&1 >/dev/null | grep -qx "note: setting 'pre-build-hook' has no effect here: gx runs no hooks"; }
check "what changes nothing is said on a command line" noted
check "also where it adds" sh -c "gxeval --option extra-ignored-acls x -E 1 2>&1 | grep -q 'no effect here: objects of the store have no attributes'"

shown() { complains "setting 'pre-build-hook' has no effect: gx runs no hooks" "$gx" config show pre-build-hook; }
check "and by gx config show" shown
check "what is added to nix-path is shown with it" prints "nix-path = a=/b c=/d" env NIX_CONFIG='nix-path = a=/b
extra-nix-path = c=/d' sh -c "'$gx' config show nix-path | head -n 1"

# --- of flakes
mkdir flake
cat >flake/flake.nix <<'N'
{
  nixConfig = {
    extra-substituters = [ "https://a.example" "https://b.example" ];
    extra-trusted-public-keys = "k";
    max-call-depth = 40;
    post-build-hook = ./hook;
    sandbox = false;
  };
  outputs = { self }: { deep = let f = n: if n == 0 then 0 else 1 + f (n - 1); in f 60; };
}
N
: >flake/hook
unobeyed() {
	[ "$("$gx" eval ./flake#deep 2>e)" = 60 ] || return 1
	cat e
	grep -qx 'note: settings of the flake are not obeyed without --accept-flake-config: max-call-depth' e
}
check "settings of a flake are not obeyed unasked" unobeyed
check "but when accepted" complains "max-call-depth exceeded (more than 40 calls deep)" "$gx" eval --accept-flake-config ./flake#deep
check "never those that run code or say whom to trust" grep -qx \
	'note: settings that are never taken from a flake: extra-substituters, extra-trusted-public-keys, post-build-hook, sandbox' complains.log
check "what the command line says stays" prints 60 "$gx" eval --accept-flake-config --max-call-depth 1000 ./flake#deep
check "accepted in a file" complains "max-call-depth exceeded (more than 40 calls deep)" env NIX_CONFIG='accept-flake-config = true' "$gx" eval ./flake#deep
