# SPDX-License-Identifier: MIT
#
# What was damaged is made again: built beside the damaged one, and swapped for it.
. "$srcdir/tests/integration/lib.sh"
. "$srcdir/tests/integration/lib/store.sh"
mkdrv=$builddir/tests/integration/mkdrv
why=$("$mkdrv" --probe) || { echo "$why" | head -n 1; exit 77; }

"$mkdrv" "$store" first -o out -o dev -- /bin/sh -c 'mkdir $out; echo first > $out/file; echo "$out" > $dev' >first || exit 1
drv=$(sed -n 1p first) dev=$(sed -n 2p first) out=$(sed -n 3p first)
case $dev in *-dev) ;; *) out=$(sed -n 2p first) dev=$(sed -n 3p first) ;; esac
"$mkdrv" "$store" second -i "$drv^out" -e "dep=$out" -- /bin/sh -c 'read -r x < $dep/file; echo "$x $dep" > $out' >second || exit 1
drv2=$(sed -n 1p second) out2=$(sed -n 2p second)
gxs build --no-link "$drv" "$drv2" 2>build.log || { cat build.log; exit 1; }
echo source >source && source=$(gxs store add source)
rows "$store" >before

damage() { # PATH TEXT
	chmod u+w "$store$1" && echo "$2" >"$store$1" && chmod 444 "$store$1"
}
whole() { gxs store verify && rows "$store" >after && diff before after && [ "$(cat "$store$out/file")" = first ] && [ -z "$(ls "$store/nix/store/00000000000000000000000000000000-gx-staging")" ]; }
repaired() { gxs store verify --repair "$@" 2>repair.log && whole || { cat repair.log; return 1; }; }

damage "$out/file" evil
check "damage is found" complains "'$out' was changed" gxs store verify
inode=$(stat -c %i "$store$dev")
check "what was changed is built again" repaired
check "what was not is left alone" [ "$inode" = "$(stat -c %i "$store$dev")" ]
damage "$out/file" evil && damage "$out2" evil
check "both ends of a reference" repaired "$out" "$out2"
chmod 644 "$store$out2"
check "what has another mode" repaired "$out2"
chmod -R u+w "$store$out" && rm -r "$store$out"
check "what is missing" repaired "$out"
rm -f "$store$out2"
check "what is missing and nothing refers to" repaired
damage "$out2" evil
check "by gx build" sh -c "'$gx' build --repair --no-link --store '$store' '$drv2' 2>repair.log"
check "which is said" grep -qF "'${out2##*/}' was damaged, and is replaced" repair.log
check "it is whole then" whole
damage "$source" evil && damage "$out2" evil
check "a source has nothing to be made from" complains "error: '$source' was changed" gxs store verify --repair
check "it stays as it is" prints evil cat "$store$source"
check "and the rest is repaired all the same" gxs store verify "$out2"
damage "$source" source && touch -d @1 "$store$source"
check "nothing is left over" whole
damage "$out/file" evil
"$mkdrv" "$store" fails -- /bin/sh -c 'exit 1' >fails
python3 - "$store/nix/var/nix/db/db.sqlite" "$out" "$(sed -n 1p fails)" <<'END'
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.execute("update ValidPaths set deriver = ? where path = ?", (sys.argv[3], sys.argv[2]))
db.commit()
END
check "what cannot be built again is named" complains "error: '$out' was changed" gxs store verify --repair "$out"
check "and no worse than before" prints evil cat "$store$out/file"
check "without asking for it nothing is repaired" status 1 gxs store verify "$out"
exit 0
