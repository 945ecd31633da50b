# SPDX-License-Identifier: MIT
#
# A disk that is really full: stores on small file systems, seen by this test alone.  Each time one clear error, a store in order, a
# collection that makes room, and a next run that succeeds.
. "$srcdir/tests/integration/lib.sh"
if [ -z "${FULL_INSIDE-}" ]; then
	FULL_INSIDE=1 && export FULL_INSIDE
	if [ "$(id -u)" = 0 ]; then set -- unshare -m; else set -- unshare -rm; fi
	"$@" true 2>/dev/null || { echo "no mount namespaces"; exit 77; }
	exec "$@" sh "$0"
fi
gx=$builddir/gx
mkdrv=$builddir/tests/integration/mkdrv
why=$("$mkdrv" --probe) || { echo "$why" | head -n 1; exit 77; }
[ -x /bin/busybox -o -x /usr/bin/busybox ] || { echo "no static busybox"; exit 77; }
store=$PWD/s
mkdir s
full() { # OPTIONS-OF-TMPFS: a new small file system for the store
	umount s 2>/dev/null
	mount -t tmpfs -o "$1" gx s
}
full size=24m || { echo "no file systems in memory"; exit 77; }
small=$("$mkdrv" "$store" small -- /bin/sh -c 'echo small > $out' | head -n 1)
drv() { "$mkdrv" "$store" "$@" | head -n 1; }
build() { "$gx" build --store "$store" --no-link "$@"; }
in_order() { "$gx" store verify --store "$store" --check-contents && [ -z "$(ls s/nix/store/00000000000000000000000000000000-gx-staging 2>/dev/null)" ] && [ -z "$(ls s/nix/var/nix/builds 2>/dev/null)" ]; }

big=$(drv big -- /bin/sh -c 'head -c 30000000 /dev/zero > $out && echo done')
check "a builder that fills the disk" status 100 build "$big"
check "says so" complains "lack of free disk space" build "$big"
check "leaves a store in order" in_order
copied=$(drv copied -- /bin/sh -c 'head -c 9000000 /dev/zero > $out')
check "no room for the copy of an output" complains "No space left on device" build "$copied"
check "leaves a store in order as well" in_order
head -c 20000000 /dev/urandom >file
check "no room for a file that is added" complains "No space left on device" "$gx" store add --store "$store" file
check "a store in order" in_order
big() { "$builddir/gxeval" --store "$store" --drv-path -E 'derivation { name = "long"; system = "s"; builder = builtins.concatStringsSep "" (builtins.genList (_: "0123456789abcdef") 2000000); }'; }
check "no room for a derivation" complains "No space left on device" big
check "a run that could not write keeps nothing from the collector" [ -z "$(ls s/nix/var/nix/temproots)" ]
check "what fits is built" build "$small"
# Everything that is left, down to the last byte, and then a collection.
head -c 2000000 /dev/urandom >garbage
for i in 1 2 3 4 5 6; do "$gx" store add --store "$store" --name g$i garbage >/dev/null 2>&1; done
cat /dev/zero >s/filler 2>/dev/null
check "on a disk without a free byte" must_fail build "$(drv another -- /bin/sh -c 'echo > $out' 2>/dev/null)"
check "garbage is collected" "$gx" store gc --store "$store"
rm s/filler
check "and the store is in order" in_order
again=$(drv again -- /bin/sh -c 'echo again > $out')
check "then the next build succeeds" build "$again"

full size=64m,nr_inodes=300
many=$(drv many -- /bin/sh -c 'mkdir $out; for i in $(seq 1 400); do : > $out/$i || exit 1; done')
check "a builder that takes all inodes" status 100 build "$many"
check "leaves a store in order too" in_order
some=$(drv some -- /bin/sh -c 'mkdir $out; for i in $(seq 1 145); do : > $out/$i || exit 1; done')
check "no inodes for the copy" must_fail build "$some"
check "a store in order again" in_order
check "what needs few is built" build "$(drv few -- /bin/sh -c 'echo > $out')"
umount s
exit 0
