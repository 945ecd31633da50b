# SPDX-License-Identifier: MIT
#
# What tests of building share; read after lib.sh.  Started as root, a test runs once more as an ordinary user:
# builders are confined differently then.  Each run has a store of its own in $PWD/s, and $drv puts derivations into it.
gx=$builddir/gx
mkdrv=$builddir/tests/integration/mkdrv
[ -x "$gx" ] && [ -x "$mkdrv" ] || { echo "gx is not built" && exit 77; }
if ! why=$("$mkdrv" --probe); then
	echo "$why" | head -n 1
	exit 77
fi
# A builder needs a shell.
sh -c 'for f in /bin/busybox /usr/bin/busybox; do [ -x $f ] && exit 0; done; exit 1' || { echo "no static busybox" && exit 77; }

# As root: everything once more as nobody, from a folder that nobody can reach.
if [ "$(id -u)" != 0 ] || [ -n "${BUILD_AS-}" ] || [ -n "${accept-}" ]; then
	: # as this one user
elif ! command -v setpriv >/dev/null; then
	skip "all of it as an ordinary user" "no setpriv"
else
	again=$(mktemp -d /tmp/gx-nobody.XXXXXX) || exit 1
	mkdir -p "$again/src/tests" "$again/bin/tests/integration" "$again/cwd"
	cp -r "$srcdir/tests/integration" "$again/src/tests/"
	cp "$gx" "$again/bin/"
	cp "$mkdrv" "$again/bin/tests/integration/"
	chmod -R a+rX "$again"
	chown 65534:65534 "$again/cwd"
	(cd "$again/cwd" && env BUILD_AS=nobody HOME="$again/cwd" srcdir="$again/src" builddir="$again/bin" gxeval="$again/bin/gx" \
		setpriv --reuid=65534 --regid=65534 --clear-groups sh "$again/src/tests/integration/${0##*/}") >nobody.log 2>&1
	rc=$?
	sed 's/^ok - /ok - nobody: /; s/^not ok - /not ok - nobody: /' nobody.log
	[ $rc -ne 77 ] || skip "all of it as an ordinary user" "$(tail -n 1 nobody.log)"
	[ $rc -eq 0 ] || [ $rc -eq 77 ] || grep -q '^not ok' nobody.log || echo "not ok - nobody: status $rc"
	chmod -R u+rwX "$again" 2>/dev/null
	rm -rf "$again"
fi

store=$PWD/s
# Puts a derivation into the store; $drv and $out are its path and its first output's.
drv() { # NAME [option of mkdrv]... -- BUILDER ARG...
	"$mkdrv" "$store" "$@" >drv.log || exit 1
	drv=$(sed -n 1p drv.log)
	out=$(sed -n 2p drv.log)
}
# Numbers from 4710 to 4729 stand for numbers of this run: its processes are told from another's by them.
ours() { printf '%s' "$1" | sed "s/47[12][0-9]/&$$/g"; }
# The same for a script run by the sandbox's shell; options of mkdrv between.
script() { # NAME TEXT [OPTION]...
	_name=$1
	_text=$(ours "$2")
	shift 2
	drv "$_name" "$@" -- /bin/sh -c "$_text"
}
build() { "$gx" build --store "$store" --no-link "$@"; }
valid() { "$gx" path-info --store "$store" "$@"; }
not_valid() { ! "$gx" path-info --store "$store" "$@"; }
no_leftovers() { [ -z "$(ls "$store/nix/var/nix/builds")" ] || { ls -l "$store/nix/var/nix/builds"; return 1; }; }
# Processes whose command line holds TEXT.
running() { # TEXT
	_ours=$(ours "$1")
	for _p in /proc/[0-9]*; do
		case $({ tr '\0' ' ' <"$_p/cmdline"; } 2>/dev/null) in *"$_ours"*) [ "$_p" = /proc/$$ ] || return 0 ;; esac
	done
	return 1
}
stays_dead() { sleep 0.3; ! running "$1"; }
