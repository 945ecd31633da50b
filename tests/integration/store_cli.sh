# SPDX-License-Identifier: MIT
#
# The verbs of gx that look at and look after the store: what they print, what they refuse.
. "$srcdir/tests/integration/lib.sh"
. "$srcdir/tests/integration/lib/store.sh"
export ASAN_OPTIONS="$leaks"
sample_tree tree

check "help lists the verbs" sh -c "'$gx' --help | grep -q '^  store ' && '$gx' store --help | grep -q '^  verify '"
check "a mistyped verb is told" complains "did you mean 'store'?" "$gx" stoer
check "and ends as a usage error" status 2 "$gx" stoer
check "version" prints "$("$gxeval" --version)" "$gx" --version
check "an unknown option is told" complains "did you mean '--json'?" "$gx" store ls --jsn x
check "no operand is told" status 2 "$gx" store add --store "$store"

p=$(gxs store add tree)
check "a file is printed" prints "text" gxs store cat "$p/share/doc/a b"
check "a folder is not" complains "is a directory, not a file" gxs store cat "$p/share"
check "no link is followed" complains "no directory" gxs store cat "$p/bin/link/doc/a b"
check "nor .." complains "not followed" gxs store cat "$p/bin/../big"
check "what is not valid is told" complains "is not valid" gxs store ls /nix/store/00000000000000000000000000000000-x
check "what is not in the store is told" complains "is not in the store" gxs store ls /etc/passwd
check "a physical path is understood" prints "$p" "$gx" path-info --store "$store" "$store$p"
check "the name can be chosen" sh -c "'$gx' store add --store '$store' --name other tree | grep -q -- '-other\$'"
check "bad names are refused" complains "illegal character" gxs store add --name "a b" tree

check "a link keeps an object" sh -c "
	'$gx' store add --store '$store' --out-link keep tree >/dev/null && '$gx' store gc --store '$store' >/dev/null 2>&1 && [ -e '$store$p' ]"
check "the link is a root" sh -c "'$gx' store roots --store '$store' | grep -qF \"$PWD/keep -> $p\""
check "a held object is not deleted" complains "still alive" gxs store delete "$p"
check "but for --ignore-liveness" gxs store delete --ignore-liveness "$p"
check "then it is gone" status 1 gxs store ls "$p"
check "a link to it is no root any more" gxs store gc

p=$(gxs store add tree)
check "in order" gxs store verify
chmod 644 "$store$p/big"
check "a changed mode is found" complains "mode 0644" gxs store verify
printf x | dd of="$store$p/big" conv=notrunc 2>/dev/null; touch -d @1 "$store$p/big"; chmod 444 "$store$p/big"
check "a changed byte is found" complains "was changed" gxs store verify
check "as JSON as well" complains '{"level":"error","message":"'"'$p' was changed" gxs store verify --log-format json
check "without contents it is not looked for" gxs store verify --no-contents
printf intact >intact
i=$(gxs store add intact)
check "objects that are named are checked, and no others" gxs store verify "$i"
check "all that are named" complains "error: '$p' was changed: its hash is now sha256-" gxs store verify "$i" "$p"
check "named by a file in it" complains "error: '$p' was changed" gxs store verify "$p/share/doc"
check "named by its base name" complains "error: '$p' was changed" gxs store verify "${p##*/}"
check "named by where it lies" complains "error: '$p' was changed" gxs store verify "$store$p"
check "what is named must be there" complains "path '/nix/store/11111111111111111111111111111111-x' is not valid" gxs store verify "$i" /nix/store/11111111111111111111111111111111-x
check "and in the store" complains "'/etc/passwd' is not in the store" gxs store verify /etc/passwd
chmod -R u+w "$store$p" && rm -rf "$store$p"
check "a missing object is forgotten" gxs store verify
check "and added again" gxs store add tree

check "hashes are converted" prints "sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=" "$gx" hash convert --hash-algo sha256 ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad
check "and back" prints "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" "$gx" hash convert --to base16 sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=
printf abc >abc
check "a file is hashed" prints "sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=" "$gx" hash file abc
"$gx" nar pack tree >t.nar
check "a file out of an archive" prints "text" "$gx" nar cat t.nar "share/doc/a b"
head -c 1000 t.nar >cut.nar
check "a cut archive is told" must_fail "$gx" nar ls cut.nar
check "a path that is not in it is told" complains "does not contain" "$gx" nar cat t.nar nope

check "the mode is told" sh -c "'$gx' store info --store '$store' | grep -q 'mount namespace' && '$gx' store info --store-dir '$PWD/r/store' | grep -q relocated"
check "a store over a link is refused" sh -c "mkdir -p l/nix && ln -s /tmp l/nix/store && ! '$gx' store info --store '$PWD/l' 2>l.log && grep -q symlink l.log"
check "a name that would mean something in an address is only a name" "$gx" store add --store "$PWD/100%23 #?x" intact
check "a file where a store's folder belongs is told" sh -c "mkdir f && : >f/nix && ! '$gx' store add --store '$PWD/f' intact 2>f.log && grep -q 'cannot make the store directory .*/f/nix/store' f.log"
check "a newer schema is refused" sh -c "'$gx' store info --store '$PWD/v' >/dev/null && printf 99 >v/nix/var/nix/db/schema && ! '$gx' store info --store '$PWD/v' 2>v.log && grep -q 'schema 99' v.log"
check "a damaged database is told" sh -c "'$gx' store info --store '$PWD/w' >/dev/null && printf rubbish >w/nix/var/nix/db/db.sqlite && ! '$gx' store info --store '$PWD/w' 2>w.log && grep -q damaged w.log"
