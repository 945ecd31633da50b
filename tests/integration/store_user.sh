# SPDX-License-Identifier: MIT
#
# The same as an ordinary user; and on a disk that is full.  Both need root to set up.
. "$srcdir/tests/integration/lib.sh"
. "$srcdir/tests/integration/lib/store.sh"
sample_tree tree
[ "$(id -u)" = 0 ] || { echo "not root"; exit 77; }
command -v setpriv >/dev/null || { echo "no setpriv"; exit 77; }

# A copy of the program where anybody may run it.
top=$(mktemp -d /tmp/gx-user.XXXXXX) && chmod 755 "$top"
varies="s|$top|TOP|g"
trap 'chmod -R u+w "$top"; rm -rf "$top"' EXIT
cp "$gx" "$gxeval" "$top/" && cp -r tree "$top/" && mkdir "$top/home" && chown -R 65534:65534 "$top/home"
as_user() { (cd "$top/home" && setpriv --reuid 65534 --regid 65534 --clear-groups env HOME="$top/home" XDG_DATA_HOME="$top/home/data" "$@"); }
as_user true || { echo "cannot become another user"; exit 77; }

check "the per-user store is chosen" sh -c "$(printf "cd '%s/home' && setpriv --reuid 65534 --regid 65534 --clear-groups env XDG_DATA_HOME='%s/home/data' '%s/gx' store info | grep -q 'the store of this user'" "$top" "$top" "$top")"
p=$(as_user "$top/gx" store add "$top/tree")
check "a tree is added" [ -x "$top/home/data/gx/root$p/bin/hi" ]
check "its top is read-only" prints 555 stat -c %a "$top/home/data/gx/root$p"
check "and its time is 1" prints 1 stat -c %Y "$top/home/data/gx/root$p"
check "it is in order" as_user "$top/gx" store verify
check "it is deleted" as_user "$top/gx" store delete "$p"
check "the machine's store is not his" mentions "can only be read" as_user "$top/gx" store add --store local "$top/tree"
chmod 755 "$top" && q=$("$gx" store add --store "$top/roots" tree)
check "he may look into a store that is not his" prints text as_user "$top/gx" store cat --store "$top/roots" "$q/share/doc/a b"
check "and check it" as_user "$top/gx" store verify --store "$top/roots"
check "and see what is dead in it" prints "$q" as_user "$top/gx" store gc --dry-run --store "$top/roots"
check "and what is held" as_user "$top/gx" store roots --store "$top/roots"
check "but not add to it" complains "ermission denied" as_user "$top/gx" store add --store "$top/roots" "$top/tree"
check "a relocated store" as_user "$top/gx" store add --store-dir "$top/home/r/store" "$top/tree"
check "derivations are written" as_user "$top/gxeval" --drv-path -E 'derivation { name = "x"; system = "s"; builder = "/b"; }'
check "all of it is in order" as_user "$top/gx" store verify

# --- a full disk
if unshare -m true 2>/dev/null; then
	mkdir small
	head -c 6000000 /dev/urandom >large
	check "a full disk: a clear error, nothing registered, and it works when there is room" unshare -m sh -c "
		mount -t tmpfs -o size=12m none small || exit 1
		'$gx' store add --store \$PWD/small tree >/dev/null || exit 1
		cp large small/fill
		head -c 1500000 large >more
		'$gx' store add --store \$PWD/small large 2>full.log && exit 1
		grep -q 'No space left' full.log || { cat full.log; exit 1; }
		'$gx' store gc --store \$PWD/small || exit 1
		rm small/fill
		'$gx' store verify --store \$PWD/small || exit 1
		'$gx' store add --store \$PWD/small more && '$gx' store verify --store \$PWD/small"
fi
