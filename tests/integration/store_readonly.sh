# SPDX-License-Identifier: MIT
#
# A store on a file system that can only be read: whatever only looks works, whatever writes says why it cannot.
. "$srcdir/tests/integration/lib.sh"
. "$srcdir/tests/integration/lib/store.sh"
if [ -z "${READONLY_INSIDE-}" ]; then
	READONLY_INSIDE=1 && export READONLY_INSIDE
	if [ "$(id -u)" = 0 ]; then set -- unshare -m; else set -- unshare -rm; fi
	"$@" true 2>/dev/null || { echo "no mount namespaces"; exit 77; }
	exec "$@" sh "$0"
fi
sample_tree tree
p=$(gxs store add --out-link held tree) && echo dead >dead && dead=$(gxs store add dead) || exit 1
drv=$("$gxeval" --store "$store" --drv-path -E 'derivation { name = "x"; system = "s"; builder = "/b"; }')
ln -s "$PWD/gone" "$store/nix/var/nix/gcroots/auto/stale"
# Temporary roots of a process that lives, and of one that does not.
printf '%s\0' "$p" >"$store/nix/var/nix/temproots/1" && printf '%s\0' "$dead" >"$store/nix/var/nix/temproots/2"
(flock -x 9 && exec sleep 300) 9<"$store/nix/var/nix/temproots/1" &
sleeper=$!
while flock -n "$store/nix/var/nix/temproots/1" true; do sleep 0.02; done
find s | sort >before
mount --bind s s && mount -o remount,ro,bind s || { echo "nothing can be mounted"; exit 77; }
! touch s/x 2>/dev/null || { echo "it can be written to all the same"; exit 77; }

check "what holds objects" sh -c "'$gx' store roots --store '$store' >roots && grep -qF '$PWD/held -> $p' roots && grep -qF '{temp:1} -> $p' roots && ! grep -qF '{temp:2}' roots"
check "what would be deleted" sh -c "'$gx' store gc --dry-run --store '$store' >would && grep -qxF '$dead' would && ! grep -qxF '$p' would"
check "what would be kept" prints "$p" gxs store gc --print-live
check "every object is in order" gxs store verify
check "this one is" gxs store verify "$p"
check "its row" prints "$p" "$gx" path-info --store "$store" "$p"
check "its files" sh -c "'$gx' store ls --store '$store' '$p' | grep -q bin"
check "what is in one" prints text gxs store cat "$p/share/doc/a b"
check "a derivation" sh -c "'$gx' derivation show --store '$store' '$drv' | grep -q '\"x\"'"
check "which store it is" gxs store info
why="the store in '$store/nix/store' can only be read: Read-only file system"
check "nothing is added" complains "$why" gxs store add dead
check "nor collected" complains "$why" gxs store gc
check "nor deleted" complains "$why" gxs store delete "$dead"
check "nor built" complains "$why" "$gx" build --store "$store" --no-link "$drv"
check "nor instantiated" complains "$why" "$gxeval" --store "$store" --drv-path -E 'derivation { name = "y"; system = "s"; builder = "/b"; }'
check "nor rebuilt" complains "Read-only file system" gxs store rebuild
check "and nothing was" sh -c 'find s | sort >after && diff before after'
kill $sleeper
exit 0
