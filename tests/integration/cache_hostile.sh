# SPDX-License-Identifier: MIT
#
# Caches that lie, break off, or never end: nothing of theirs is registered, memory stays bounded, and a build goes on without them.
. "$srcdir/tests/integration/lib.sh"
. "$srcdir/tests/integration/lib/caches.sh"
command -v python3 >/dev/null || { echo "python3 is missing"; exit 77; }
varies='s/127.0.0.1:[0-9]*/HOST/;s/after [0-9]* attempts/after N attempts/;s/nar\/[0-9a-z]*\.nar/nar\/FILE.nar/'

"$gx" copy --store "$PWD/built" --to "file://$PWD/good?compression=xz&secret-key=$PWD/secret" "$c" 2>log || cat log
digest() { basename "$1" | cut -c1-32; }
a=$("$gx" path-info -r --store "$PWD/built" "$c" | head -1)
b=$("$gx" path-info -r --store "$PWD/built" "$c" | sed -n 2p)
A=$(digest "$a").narinfo B=$(digest "$b").narinfo C=$(digest "$c").narinfo

here=$PWD n=0
# A copy of the good cache, with what SCRIPT does to it.
spoilt() { # SCRIPT
	n=$((n + 1))
	cp -r good "bad$n"
	(cd "bad$n" && eval "$1")
}
takes_nothing() { # WHAT-IT-SAYS SCRIPT
	spoilt "$2"
	NIX_CONFIG="trusted-public-keys = $public" complains "$1" "$gx" copy --store "$PWD/t$n" --from "file://$PWD/bad$n" "$c" || return 1
	! "$gx" path-info --store "$PWD/t$n" "$c" >/dev/null 2>&1 || return 1
	"$gx" store verify --store "$PWD/t$n" || return 1
	# A build goes on without.
	from "file://$PWD/bad$n" build --no-link --print-out-paths --store "$PWD/u$n" -f three.gx 2>log || { cat log && return 1; }
	"$gx" store verify --store "$PWD/u$n"
}
flip() { sed -i "$1" "$2"; } # SED-SCRIPT FILE

# --- what is signed
check "another hash" takes_nothing "no key of trusted-public-keys signed it" "flip 's/^NarHash: sha256:./NarHash: sha256:0/' $C"
check "another size" takes_nothing "no key of trusted-public-keys signed it" "flip 's/^NarSize: /NarSize: 1/' $C"
check "a reference less" takes_nothing "no key of trusted-public-keys signed it" "flip 's/^References: [^ ]*/References:/' $C"
check "a reference more" takes_nothing "no key of trusted-public-keys signed it" "flip 's/^References: /References: 00000000000000000000000000000000-x /' $C"
check "no signature" takes_nothing "no key of trusted-public-keys signed it" "flip '/^Sig/d' $C"
check "the signature of another" takes_nothing "no key of trusted-public-keys signed it" \
	"flip '/^Sig/d' $C; grep '^Sig' $A >>$C"
check "a signature by another key of the same name" takes_nothing "no key of trusted-public-keys signed it" \
	"flip '/^Sig/d' $C; $gx key generate-secret --key-name test-1 >k; rm *.narinfo; $gx copy --store $here/built --to \"file://\$PWD?secret-key=\$PWD/k\" $c 2>/dev/null"
check "what one refers to has no signature" takes_nothing "does not have" "flip '/^Sig/d' $A"
check "an address that is made up" takes_nothing "no key of trusted-public-keys signed it" \
	"flip '/^Sig/d' $C; echo 'CA: fixed:r:sha256:16bgv7k5078n3n4zg41hnybrc4fa0j6q8cyx31qc9p2qwp9xsgib' >>$C"

# --- whose answer it is
check "the answer about another" takes_nothing "was asked for" "cp $A $C"
check "what it refers to answers for another" takes_nothing "does not have" "cp $B $A"
check "one of the same digest and another name" takes_nothing "was asked for" "flip 's/^\(StorePath: .*\)-c$/\1-d/' $C"
check "a page" takes_nothing "a line has no colon" "echo '<html><body>Please log in</body></html>' >$C"
check "nothing" takes_nothing "it does not have 'StorePath'" ": >$C"
check "half of it" takes_nothing "it is cut off" "head -c 100 $C >x; mv x $C"
check "a line twice" takes_nothing "it has 'NarHash' twice" "grep '^NarHash' $A >>$C"

# --- what nobody signs
check "a larger file" takes_nothing "was announced with" "flip 's/^FileSize: .*/FileSize: 10000/' $C"
check "a huge file" takes_nothing "it is announced with" "flip 's/^FileSize: .*/FileSize: 99999999999/' $C"
check "another compression" takes_nothing "the zstd data is damaged" "flip 's/^Compression: .*/Compression: zstd/' $C"
check "no compression" takes_nothing "bad archive" "flip 's/^Compression: .*/Compression: none/' $C"
check "a compression that is none" takes_nothing "is not known" "flip 's/^Compression: .*/Compression: lzip/' $C"
check "the archive of another" takes_nothing "was announced with" "flip \"s|^URL: .*|\$(grep ^URL $A)|\" $C"
check "the archive of another, and its size" takes_nothing "not the one that was announced" \
	"flip \"s|^URL: .*|\$(grep ^URL $A)|;/^FileSize/d\" $C"
check "an archive out of the cache" takes_nothing "leads out of the cache" "flip 's|^URL: .*|URL: ../good/nar/x|' $C"
check "an archive anywhere" takes_nothing "which is not in the cache" "flip 's|^URL: .*|URL: /etc/passwd|' $C"
check "an archive elsewhere" takes_nothing "which is not in the cache" "flip 's|^URL: .*|URL: http://127.0.0.1:1/x|' $C"
check "no archive" takes_nothing "No such file" "rm nar/*; true"
check "a folder for an archive" takes_nothing "is no file" "f=\$(sed -n 's/^URL: //p' $C); rm \$f; mkdir \$f"

# --- archives
pack() { xz -c >x && mv x "$(sed -n 's/^URL: //p' "$1")" && flip '/^FileSize/d' "$1"; } # NARINFO
check "an archive that is cut off" takes_nothing "the xz data is cut off" "f=\$(sed -n 's/^URL: //p' $C); head -c 150 \$f >x; mv x \$f; flip '/^FileSize/d' $C"
check "an archive and something else" takes_nothing "the xz data is cut off" "f=\$(sed -n 's/^URL: //p' $C); echo more >>\$f; flip '/^FileSize/d' $C"
check "an archive with another byte" takes_nothing "not the one that was announced" "xz -dc <\$(sed -n 's/^URL: //p' $C) | sed 's/zeros/zerot/' | pack $C"
check "an archive of something else" takes_nothing "bad archive" "seq 1000 | pack $C"
check "an archive that never ends" takes_nothing "more than the" "(xz -dc <\$(sed -n 's/^URL: //p' $C) | head -c 600; head -c 300000000 /dev/zero) | pack $C"

# --- those that nobody signs, from a cache that is trusted
spoilt "flip '/^Sig/d;s/^References: .*/References: /' $C; flip '/^Sig/d' $A; flip '/^Sig/d' $B"
check "a reference that is not said" complains "does not have '/nix/store" \
	sh -c "'$gx' copy --store $here/r --from 'file://$here/bad$n' $c"
spoilt "flip '/^Sig/d;s/ *$(basename "$a")//' $C; flip '/^Sig/d' $A; flip '/^Sig/d' $B"
check "one of two that is not said" complains "which the cache does not say" \
	"$gx" copy --store "$PWD/r" --from "file://$PWD/bad$n?trusted=true" "$c"

# --- memory
rss() { python3 -c 'import resource, subprocess, sys; subprocess.run(sys.argv[1:], stderr=subprocess.DEVNULL); print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)' "$@"; }
spoilt "head -c 2000000000 /dev/zero | pack $C"
used=$(NIX_CONFIG="trusted-public-keys = $public" rss "$gx" copy --store "$PWD/big" --from "file://$PWD/bad$n" "$c")
check "a bomb takes no memory" [ "$used" -lt 150000 ]
check "and leaves nothing" sh -c "[ \$(du -sm $PWD/big | cut -f1) -lt 20 ]"

# --- servers
serve "$PWD/good"
build_from() { from "$1" build --no-link --print-out-paths --store "$PWD/$2" -f three.gx; } # CACHES STORE
gets() { # HOW
	rm -rf xdg && : >requests && remove "$PWD/get-$1"
	prints "$c" build_from "$url/$1" "get-$1" && prints 3 fetched "$PWD/get-$1"
}
builds() { # HOW: the cache is of no use
	rm -rf xdg && : >requests
	prints "$c" build_from "$url/$1" "make-$1" 2>said && prints 0 fetched "$PWD/make-$1"
}
check "one that is as it should be" gets ok
check "one with etags" gets etag
check "where a connection breaks the rest is fetched" gets broken
check "and only the rest" grep -q '^GET broken nar/.* bytes=[1-9][0-9]*- ' requests
check "a page for everything" builds html
check "is said" grep -q "is left out: its nix-cache-info does not say 'StoreDir'" said
check "no cache at all" builds 404
check "is said as well" grep -q "is left out: it has no nix-cache-info" said
check "one that lets nobody in" builds 401
check "archives that are too short" builds short
check "a build says why it builds" grep -q "it is built instead" said
check "one that leads elsewhere" gets away

# Passwords go to the host that they are for.
echo "machine 127.0.0.1 login me password secret" >home/.netrc
: >requests
check "one that wants a password" gets away
check "which goes to it" grep -q '^GET away nix-cache-info - Basic ' requests
check "and nowhere else" sh -c "! grep -q '^GET ok .* Basic' requests && grep -q '^GET ok' requests"
rm home/.netrc

# One time-out for one that does not answer, and then a line.
rm -rf xdg
began=$(date +%s)
NIX_CONFIG="stalled-download-timeout = 2
download-attempts = 1" from "$url/silent" build --no-link --store "$PWD/silent1" -f three.gx 2>said
check "one that does not answer costs a time-out" [ $(($(date +%s) - began)) -lt 45 ]
check "and a line" prints 1 grep -c "is left out" said
began=$(date +%s)
from "$url/silent" build --no-link --store "$PWD/silent2" -f three.gx 2>said
check "which is remembered" [ $(($(date +%s) - began)) -lt 5 ]
check "without a word" [ "$(grep -c 'is left out' said)" = 0 ]
from "http://127.0.0.1:1 $url/ok" build --no-link --store "$PWD/silent3" -f three.gx 2>said
check "one of two that is not there" prints 3 fetched "$PWD/silent3"
began=$(date +%s)
check "one whose archives come a byte at a time" sh -c "NIX_CONFIG='stalled-download-timeout = 2
download-attempts = 1
trusted-public-keys = $public
substituters = $url/slow' '$gx' build --no-link --store '$PWD/slow' -f three.gx 2>said; grep 'hardly anything came for 2 seconds' said"
check "costs as little" [ $(($(date +%s) - began)) -lt 45 ]
check "and is built instead" prints 0 fetched "$PWD/slow"

# --- memory of answers
rm -rf xdg
build_from "$url/ok" m1 >/dev/null 2>&1
: >requests
build_from "$url/ok" m2 >/dev/null 2>&1
check "what was answered is not asked again" [ "$(grep -c narinfo requests) $(grep -c nix-cache-info requests)" = "0 0" ]
check "what was not there is not either" sh -c "gone() { '$gx' copy --store $PWD/m3 --no-check-sigs --from $url/ok /nix/store/00000000000000000000000000000000-x 2>&1; }; gone; : >requests; gone; [ ! -s requests ]"
mv good/nar good/old && mkdir good/nar
check "what is not there any more is asked for, and built" sh -c "rm -rf m4; $(command -v env) NIX_CONFIG='trusted-public-keys = $public
substituters = $url/ok' '$gx' build --no-link --store $PWD/m4 -f three.gx"
rmdir good/nar && mv good/old good/nar
check "rubbish in what is remembered does no harm" sh -c "for f in xdg/gx/narinfo/*; do echo rubbish >>\$f; done"
check "and it goes on" gets ok

# --- refused to fall back
spoilt "rm nar/*; true"
check "fallback = false" complains "the setting 'fallback' lets it be built instead" env NIX_CONFIG="trusted-public-keys = $public
substituters = file://$PWD/bad$n
fallback = false" "$gx" build --no-link --store "$PWD/no" -f three.gx
check "substitute = false" sh -c "NIX_CONFIG='trusted-public-keys = $public
substituters = file://$PWD/good' '$gx' build --no-link --option substitute false --store $PWD/off -f three.gx && [ \$('$gx' path-info -r --sigs --store $PWD/off $c | grep -c test-1) = 0 ]"
check "--no-substitute" sh -c "NIX_CONFIG='trusted-public-keys = $public
substituters = file://$PWD/good' '$gx' build --no-link --no-substitute --store $PWD/off2 -f three.gx && [ \$('$gx' path-info -r --sigs --store $PWD/off2 $c | grep -c test-1) = 0 ]"
check "--dry-run says what would be fetched" sh -c "NIX_CONFIG='trusted-public-keys = $public
substituters = file://$PWD/good' '$gx' build --dry-run --store $PWD/dry -f three.gx 2>said && [ \$(grep -c '^  /nix/store/' said) = 3 ] && grep -q 'these 3 paths will be fetched (.* unpacked):' said"
check "a key that is none" complains "is no public key" env NIX_CONFIG="trusted-public-keys = rubbish
substituters = file://$PWD/good" "$gx" build --no-link --store "$PWD/key" -f three.gx
check "an address that is none" complains "the setting 'substituters'" env NIX_CONFIG="substituters = rubbish" "$gx" build --no-link --store "$PWD/addr" -f three.gx
