#!/bin/sh
# What continuous integration does with gx, whosever machine it is:
#
#     .ci/gx.sh install           puts gx where the other two find it, unless it is there
#     .ci/gx.sh check             the flake's checks, with what was built before
#     .ci/gx.sh build [FLAKE#ATTR...]
#
# What was built is kept in one folder, a binary cache, which whoever runs this keeps between runs as one piece.
#
#     GX_ARCHIVE         where gx is: the address of gx-VERSION-linux-CPU.tar.gz; GX_ARCHIVE_SHA256, its sum, is asked for when it is given
#     GX_CACHE           the folder (~/.cache/gx-ci); "none" where the store itself stays
#     GX_CACHE_MOST      a folder of more MiB is begun anew (4096)
#     GX_SECRET_KEY      signs what is kept (gx key generate-secret --key-name ci.example.org-1), and GX_PUBLIC_KEY is what it is known by. Without these,
#                        what is in the folder is taken as it is: then nobody else may write to it
set -eu

home=${GX_HOME:-$HOME/.local/gx}
PATH=$home/bin:$PATH
cache=${GX_CACHE:-$HOME/.cache/gx-ci}
temp=

say() { echo "gx.sh: $*" >&2; }
fail() {
	say "$@"
	exit 1
}
trap '[ -z "$temp" ] || rm -rf "$temp"' EXIT
temporary() {
	[ -n "$temp" ] || temp=$(mktemp -d)
}

# --- gx itself

install_gx() {
	if ! command -v gx >/dev/null 2>&1; then
		[ -n "${GX_ARCHIVE-}" ] || fail "there is no gx: GX_ARCHIVE has to be the address of gx-VERSION-linux-CPU.tar.gz"
		temporary
		curl -fsSL --retry 3 -o "$temp/gx.tar.gz" "$GX_ARCHIVE" || fail "'$GX_ARCHIVE' cannot be fetched"
		sum=$(sha256sum "$temp/gx.tar.gz")
		sum=${sum%% *}
		[ "${GX_ARCHIVE_SHA256:-$sum}" = "$sum" ] || fail "'$GX_ARCHIVE' has the sum $sum, and GX_ARCHIVE_SHA256 is $GX_ARCHIVE_SHA256"
		mkdir -p "$home"
		tar xzf "$temp/gx.tar.gz" -C "$home" --strip-components 1 || fail "'$GX_ARCHIVE' is no archive of gx"
	fi
	gx --version
	[ -z "${GITHUB_PATH-}" ] || echo "$home/bin" >>"$GITHUB_PATH"
}

# --- what was built before

# Builders see nothing of the machine, for which there have to be namespaces: Ubuntu forbids them to users, most containers to all.
namespaces() {
	unshare --mount true 2>/dev/null || unshare --user --map-root-user --mount true 2>/dev/null
}
configure() {
	conf="
extra-trusted-public-keys = ${GX_PUBLIC_KEY-}"
	if [ "$cache" != none ]; then
		mkdir -p "$cache"
		cache=$(cd "$cache" && pwd)
		trusted=
		[ -n "${GX_PUBLIC_KEY-}" ] || trusted='&trusted=true'
		[ ! -f "$cache/nix-cache-info" ] || conf="$conf
extra-substituters = file://$cache?priority=10$trusted"
	fi
	if ! namespaces && ! { sudo -n sysctl -q -w kernel.apparmor_restrict_unprivileged_userns=0 && namespaces; } 2>/dev/null; then
		say "there are no namespaces here: builders see this machine"
		conf="$conf
sandbox = false"
	fi
	export NIX_CONFIG="${NIX_CONFIG-}$conf"
}

# Everything that is built on the way to these, as far as it is here: what made it, not only what it needs to run.
keep() { # FLAKE#ATTR...
	[ "$cache" != none ] || return 0
	temporary
	mkdir -p "$temp/nix"
	gx nix-names --install "$temp/nix" >/dev/null
	drvs=$(gx path-info --derivation "$@")
	# shellcheck disable=SC2086
	"$temp/nix/nix-store" --query --requisites --include-outputs $drvs >"$temp/all"
	objects=$(sed -e '/\.drv$/d' -e '/-source$/d' "$temp/all")
	[ -n "$objects" ] || return 0
	sign=
	if [ -n "${GX_SECRET_KEY-}" ]; then
		(umask 077 && printf '%s' "$GX_SECRET_KEY" >"$temp/key")
		sign="--sign-key $temp/key"
	fi
	if [ "$(du -sm "$cache" | cut -f 1)" -gt "${GX_CACHE_MOST:-4096}" ]; then
		say "'$cache' has become large, and is begun anew"
		rm -rf "$cache"
		mkdir -p "$cache"
	fi
	# shellcheck disable=SC2086
	gx copy $sign --no-recursive --no-check-sigs --to "file://$cache?compression=zstd" $objects
	# Whoever keeps the folder need not do so again while this stays.
	state=$(cd "$cache" && echo ./*.narinfo | sha256sum | cut -c 1-32)
	[ -z "${GITHUB_OUTPUT-}" ] || echo "cache=$state" >>"$GITHUB_OUTPUT"
}

case ${1-} in
install) install_gx ;;
check)
	configure
	gx flake check --no-update-lock-file
	;;
build)
	shift
	[ $# -gt 0 ] || set -- .
	configure
	gx build --no-link --print-out-paths --no-update-lock-file "$@"
	keep "$@"
	;;
*) fail "it takes install, check or build" ;;
esac
