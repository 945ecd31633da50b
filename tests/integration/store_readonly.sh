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
command -v python3 >/dev/null 2>&1 || { echo "there is no python3"; exit 77; }
sample_tree tree
p=$(gxs store add --out-link held tree) && echo dead >dead && dead=$(gxs store add dead) || exit 1
drv=$("$gxeval" --store "$store" --drv-path -E 'derivation { name = "x"; system = "s"; builder = "/b"; }')
ln -s "$PWD/gone" "$store/nix/var/nix/gcroots/auto/stale"
# Temporary roots of a process that lives, and of one that does not.
printf '%s\0' "$p" >"$store/nix/var/nix/temproots/1" && printf '%s\0' "$dead" >"$store/nix/var/nix/temproots/2"
(flock -x 9 && exec sleep 300) 9<"$store/nix/var/nix/temproots/1" &
sleeper=$!
while flock -n "$store/nix/var/nix/temproots/1" true; do sleep 0.02; done
# The same store as a writer left it that was killed: what was written last is in the log of the database alone.  And as a copy
# may be, without the index of that log.
killed='import os, signal, sqlite3, subprocess, sys
db = sqlite3.connect(sys.argv[1])
db.execute("select count(*) from ValidPaths").fetchall()
subprocess.run(sys.argv[2:], check=True)
os.kill(os.getpid(), signal.SIGKILL)'
cp -a s logged && echo later >later
(python3 -c "$killed" logged/nix/var/nix/db/db.sqlite "$gx" store add --store "$PWD/logged" later >later.path; true) 2>/dev/null
later=$(cat later.path) && [ -s logged/nix/var/nix/db/db.sqlite-wal ] && [ -s logged/nix/var/nix/db/db.sqlite-shm ] || exit 1
cp -a logged bare && rm bare/nix/var/nix/db/db.sqlite-shm
state() { find "$1" -type f -exec sha256sum {} + | sort -k 2; }
state logged >logged.before
state bare >bare.before
find s | sort >before
for tree in s logged bare; do
	mount --bind $tree $tree && mount -o remount,ro,bind $tree || { echo "nothing can be mounted"; exit 77; }
done
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

# --- what is in the log counts ---

logged() { _verb=$1 && shift && "$gx" store "$_verb" --store "$PWD/logged" "$@"; }
check "a log: what it holds is valid" prints "$later" "$gx" path-info --store "$PWD/logged" "$later"
check "a log: so is what was before" prints "$p" "$gx" path-info --store "$PWD/logged" "$p"
check "a log: every object is in order" logged verify
check "a log: what would be deleted" sh -c "'$gx' store gc --dry-run --store '$PWD/logged' >would && grep -qxF '$later' would"
check "a log: nothing is added" complains "can only be read" logged add dead
check "a log: nor deleted" complains "can only be read" logged delete "$later"
check "a log: nor collected" complains "can only be read" logged gc
check "a log: nor rebuilt" complains "Read-only file system" logged rebuild
without="its index, 'db.sqlite-shm', is not there and cannot be made in a folder that can only be read"
check "no index of it: nothing is said to be there or not" complains "$without" "$gx" path-info --store "$PWD/bare" "$later"
check "no index of it: nor in order" complains "$without" "$gx" store verify --store "$PWD/bare"
check "no index of it: nor to delete" complains "$without" "$gx" store gc --dry-run --store "$PWD/bare"
unchanged() { state "$1" >after && diff "$1.before" after; }
where_written() { # STORE: what the log holds is not lost
	unchanged "$1" && cp -a "$1" "$1.copy" && prints "$later" "$gx" path-info --store "$PWD/$1.copy" "$later" &&
		"$gx" store verify --store "$PWD/$1.copy" && prints "$later" "$gx" store add --store "$PWD/$1.copy" later
}
check "a log: it is whole where it can be written" where_written logged
check "no index of it: it is whole where it can be written" where_written bare
kill $sleeper
exit 0
