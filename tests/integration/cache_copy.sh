# SPDX-License-Identifier: MIT
#
# gx copy: filling binary caches and taking objects out of them; between stores.
. "$srcdir/tests/integration/lib.sh"
. "$srcdir/tests/integration/lib/caches.sh"
command -v python3 >/dev/null || { echo "python3 is missing"; exit 77; }
varies='s/127.0.0.1:[0-9]*/HOST/'

# --- a folder
copy() { "$gx" copy --store "$PWD/built" "$@"; }
check "a closure goes to a folder" copy --to "file://$PWD/plain" "$c"
check "three objects, an archive each" [ "$(ls plain/*.narinfo | wc -l) $(ls plain/nar | wc -l)" = "3 3" ]
check "it says for which stores it is" prints "StoreDir: /nix/store" cat plain/nix-cache-info
check "nothing else is left there" [ "$(ls -A plain | grep -v narinfo | tr '\n' ' ')" = "nar nix-cache-info " ]
copy --to "file://$PWD/plain" "$c" 2>said
check "what is there is not copied again" grep -qx '0 copied, 3 there already' said
check "one alone" sh -c "'$gx' copy --store $PWD/built --no-recursive --to file://$PWD/alone '$c' && [ \$(ls alone/*.narinfo | wc -l) = 1 ]"
check "all" sh -c "'$gx' copy --store $PWD/built --all --to file://$PWD/all 2>said && grep -q '^[0-9]* copied, 0' said"

for how in none xz zstd bzip2 gzip br lzma; do
	copy --to "file://$PWD/p-$how?compression=$how&secret-key=$PWD/secret&parallel-compression=true" "$c" 2>log || cat log
	check "there and back: $how" from "file://$PWD/p-$how" build --no-link --store "$PWD/s-$how" -f three.gx
	check "out of the cache: $how" prints 3 fetched "$PWD/s-$how"
	check "as they were: $how" "$gx" store verify --store "$PWD/s-$how"
done
check "zeros become few" [ "$(cat p-xz/nar/* | wc -c)" -lt 2000 ]
copy --to "file://$PWD/level?compression=gzip&compression-level=1" "$c" 2>log
check "a level" [ "$(cat level/nar/* | wc -c)" -gt "$(cat p-gzip/nar/* | wc -c)" ]
copy --to "file://$PWD/signed" --sign-key secret "$c" 2>log
check "--sign-key" [ "$(grep -l '^Sig: test-1:' signed/*.narinfo | wc -l)" = 3 ]
copy --to "file://$PWD/listed?write-nar-listing=true" --no-recursive "$c" 2>log
check "a listing" grep -qx '{"version":1,"root":{"type":"directory","entries":{"inputs":{"type":"regular","size":[0-9]*,"narOffset":[0-9]*},"link":{"type":"symlink","target":"inputs"},"zeros":{"type":"regular","size":20000,"narOffset":[0-9]*}}}}' listed/*.ls

# --- taking them
taken() { NIX_CONFIG="trusted-public-keys = $public" "$gx" copy --store "$PWD/$1" --from "$2" "$c"; }
check "gx copy --from" taken f1 "file://$PWD/signed"
check "all of it" prints 3 fetched "$PWD/f1"
check "a link and a profile lead to what came" sh -c '"$@" && [ "$(readlink kept)" = "$0" ] && [ "$(readlink kept-profile-1-link)" = "$0" ]' "$c" env NIX_CONFIG="trusted-public-keys = $public" "$gx" copy --store "$PWD/f1" --from "file://$PWD/signed" --out-link "$PWD/kept" --profile "$PWD/kept-profile" "$c"
check "which the collector knows" sh -c "'$gx' store gc --store '$PWD/f1' && '$gx' path-info --store '$PWD/f1' '$c'"
check "links are for what comes here" complains "with --from" copy --to "file://$PWD/plain" --out-link kept "$c"
check "without a signature nothing is taken" complains "not in a way that is trusted here" taken f2 "file://$PWD/plain"
check "nor registered" nothing_in "$PWD/f2"
check "unless that is asked for" "$gx" copy --store "$PWD/f2" --no-check-sigs --from "file://$PWD/plain" "$c"
check "or the cache is trusted" "$gx" copy --store "$PWD/f3" --from "file://$PWD/plain?trusted=true" "$c"
check "what is not there" complains "does not have" "$gx" copy --store "$PWD/f4" --from "file://$PWD/plain" /nix/store/00000000000000000000000000000000-x
check "a source needs no signature" sh -c "echo hello >hello && p=\$('$gx' store add --store $PWD/built hello) && '$gx' copy --store $PWD/built --to file://$PWD/plain \$p && '$gx' copy --store $PWD/f5 --from file://$PWD/plain \$p"

# --- by their paths
named() { NIX_CONFIG="trusted-public-keys = $public
substituters = file://$PWD/signed" "$gx" "$@"; }
check "an object that is named is fetched" prints "$c" named build --store "$PWD/f6" --no-link --print-out-paths "$c"
check "with all it refers to" prints 3 fetched "$PWD/f6"
check "and is whole" "$gx" store verify --store "$PWD/f6"
check "so is one that an expression names" prints inputs named eval --store "$PWD/f7" --impure --raw --expr "builtins.head (builtins.filter (n: n == \"inputs\") (builtins.attrNames (builtins.readDir (builtins.storePath \"$c\"))))"
check "one that nobody has" complains "does not have" named build --store "$PWD/f8" --no-link /nix/store/00000000000000000000000000000000-x
check "without caches" complains "is not valid" "$gx" build --store "$PWD/f8" --substituters '' --no-link /nix/store/00000000000000000000000000000000-x
check "a store that takes what nobody signed" copy --to "$PWD/f9?require-sigs=false" "$c"

# --- between stores
check "to another store" complains "lacks a signature by a trusted key" copy --to "$PWD/other" "$c"
check "not signed, not taken" nothing_in "$PWD/other"
check "taken all the same" copy --no-check-sigs --to "$PWD/other" "$c"
check "whole" "$gx" store verify --store "$PWD/other"
check "with a signature" env NIX_CONFIG="trusted-public-keys = $public" "$gx" copy --store "$PWD/f1" --to "$PWD/another" "$c"
check "from another store" "$gx" copy --store "$PWD/third" --no-check-sigs --from "$PWD/other" "$c"
check "which has them then" "$gx" path-info --store "$PWD/third" "$c"

# --- over HTTP
mkdir served
serve "$PWD/served"
check "a closure goes to a server" copy --to "$url/ok?secret-key=$PWD/secret&compression=zstd" "$c"
check "with what it is for" prints "StoreDir: /nix/store" cat served/nix-cache-info
check "archives before what names them" sh -c "grep '^PUT' requests | awk '/narinfo/ { seen = 1; n++ } /nar\// { m++ } END { exit n != 3 || m != 3 }'"
check "what others refer to first" sh -c "grep '^PUT.*narinfo' requests | tail -1 | grep -q \$(basename '$c' | cut -c1-32)"
: >requests
copy --to "$url/ok?secret-key=$PWD/secret" "$c" 2>said
check "what is there is not sent again" prints 0 asked_for PUT .
check "from a server" taken h1 "$url/ok"
check "all of that" prints 3 fetched "$PWD/h1"
check "a server that takes nothing" complains "the server says 500" copy --to "$url/500" "$c"
check "nor wants to be asked" complains "the server says 401" copy --to "$url/401" "$c"

# --- a store in a folder, as if it were a cache
from_store() { # STORE PARAMETERS: builds nothing, takes what the store has
	NIX_CONFIG="trusted-public-keys = $public
substituters = $PWD/signed-store$2" "$gx" build --no-link --store "$PWD/$1" -f three.gx -j0
}
"$gx" copy --store "$PWD/signed-store" --no-check-sigs --from "file://$PWD/signed" "$c" 2>log
check "objects come out of another store" from_store fs1 ""
check "all of them" prints 3 fetched "$PWD/fs1"
check "as they were" "$gx" store verify --store "$PWD/fs1"
check "with a priority" from_store fs2 "?priority=7&state=$PWD/signed-store/nix/var/nix"
unsigned_store() { NIX_CONFIG="substituters = $PWD/built$1" "$gx" build --no-link --store "$PWD/fs3" -f three.gx -j0; }
check "what nobody signed is not used" complains "is not used where no key" unsigned_store ""
check "but where it is trusted" unsigned_store "?trusted=true"
chmod -R u+w "$PWD/signed-store/nix/store/"*-c && echo more >"$PWD/signed-store/nix/store/${c##*/}/inputs"
check "nor what was changed there" mentions "is not used" from_store fs4 ""
check "and is not registered" sh -c "! '$gx' path-info --store '$PWD/fs4' '$c'"
check "a store that is not there" mentions "is left out" env NIX_CONFIG="substituters = $PWD/no-store" "$gx" build --no-link --store "$PWD/fs5" -f three.gx -j0
check "no store is pushed to as a cache" complains "'gx copy --to' fills it" "$gx" build --no-link --store "$PWD/built" --push "$PWD/pushed-store" -f three.gx
check "a store gets the rest by itself" env NIX_CONFIG="require-sigs = false
substituters = file://$PWD/signed" "$gx" copy --store "$PWD/built" --substitute-on-destination --to "$PWD/by-itself" "$c"
check "with its signatures" prints 3 fetched "$PWD/by-itself"

# --- read by an evaluation
echo 'builtins.readFile "${import ./three.gx}/inputs"' >read.gx
inputs=$(cat "$PWD/built/nix/store/${c##*/}/inputs")
check "an evaluation reads what a cache has" prints "$inputs" from "file://$PWD/signed" eval --raw --store "$PWD/ifd" --option max-jobs 0 -f read.gx
check "it came from there" prints 3 fetched "$PWD/ifd"
check "what no cache has is built for it" prints "$inputs" "$gx" eval --raw --store "$PWD/ifd2" -f read.gx
check "what nobody signed is built as well" prints "$inputs" from "file://$PWD/plain" eval --raw --store "$PWD/ifd3" -f read.gx
check "by this machine" prints 0 fetched "$PWD/ifd3"

# --- a cache as the store
check "derivations go there" sh -c "'$gx' eval --store 'file://$PWD/as-store' --drv-path -f three.gx && ls as-store/*.narinfo"
check "nothing is built in one" complains "is no local store" "$gx" build --no-link --store "file://$PWD/as-store" -f three.gx
check "but elsewhere" prints "$c" "$gx" build --no-link --print-out-paths --store "file://$PWD/as-store" --builders "$PWD/as-machine - - 1 1" -f three.gx
check "what was built is in it" sh -c "'$gx' copy --no-check-sigs --store '$PWD/of-cache' --from 'file://$PWD/as-store' '$c' && '$gx' store verify --store '$PWD/of-cache'"
check "then there is nothing to do" prints "$c" "$gx" build --no-link --print-out-paths --store "file://$PWD/as-store" -f three.gx
echo text >added
check "files are added to it" sh -c "p=\$('$gx' store add --store 'file://$PWD/as-store' added) && '$gx' store cat --store 'file://$PWD/as-store' \$p | grep -qx text"

# --- what is built
check "gx build --push" "$gx" build --no-link --store "$PWD/built" --push "file://$PWD/pushed?secret-key=$PWD/secret" -f three.gx
check "signed, with all it refers to" [ "$(grep -l '^Sig: test-1:' pushed/*.narinfo | wc -l)" = 3 ]

# --- mistakes
check "neither --to nor --from" complains "needs --to or --from" "$gx" copy "$c"
check "both, and a store besides" complains "needs --to or --from" "$gx" copy --store c --to a --from b "$c"
check "a place for what is built that is none" complains "is no address" "$gx" build --no-link --store "$PWD/built" --push nowhere -f three.gx
check "no path" complains "needs a path" "$gx" copy --to "file://$PWD/plain"
check "a parameter that is none" complains "there is no parameter 'colour'" copy --to "file://$PWD/plain?colour=red" "$c"
check "a compression that is none" complains "cannot initialize compression: the compression 'lz4' is not known" copy --to "file://$PWD/plain?compression=lz4" "$c"
check "a relative folder" complains "needs an absolute path" copy --to "file://plain" "$c"
check "a key that is none" complains "this is no secret key" copy --to "file://$PWD/plain" --sign-key three.gx "$c"
check "a folder that cannot be made" mentions "cannot make the folder" copy --to "file:///proc/nowhere" "$c"
mkdir theirs && echo "StoreDir: /other/store" >theirs/nix-cache-info
check "a cache of other stores" complains "it is for stores in '/other/store'" copy --to "file://$PWD/theirs" "$c"

# --- what follows from its contents is the same in a cache for another store directory
printf 'the same everywhere\n' >same
elsewhere="file://$PWD/elsewhere?store=/other/store"
check "an object is put there" "$gx" store add --store "$elsewhere" --mode flat same
check "which says whose it is" prints "StoreDir: /other/store" grep StoreDir elsewhere/nix-cache-info
cat >same.gx <<X
builtins.mapAttrs (mode: hash: derivation {
  name = "same"; system = builtins.currentSystem; builder = "builtin:fetchurl"; url = "file:///nowhere/same";
  outputHashMode = mode; outputHashAlgo = "sha256"; outputHash = hash;
}) { flat = "$("$gx" hash file same)"; recursive = "$("$gx" hash path same)"; }
X
same() { # STORE ATTR
	out=$(NIX_CONFIG="substituters = $elsewhere" "$gx" build -q --no-link --print-out-paths --store "$PWD/$1" -f same.gx "$2") &&
		cmp same "$1$out" && "$gx" store verify --store "$PWD/$1" --check-contents
}
check "a fixed output comes from there" same e1 flat
check "under its path here" [ -e "e1$(gxeval --raw --impure -f same.gx -A flat.outPath)" ]
check "not one by another method, which is another object" must_fail same e2 recursive
check "what it has is not what it says" sh -c 'f=$(echo elsewhere/nar/*) && g=${f##*/} && chmod u+w "$f" && rm "$f" && printf broken >"$f"'
check "and is not used" must_fail same e3 flat
check "what is not valid" complains "is not in the store" copy --to "file://$PWD/plain" /nix/store/00000000000000000000000000000000-x

# --- who stands for what is there
trusted() { # KEYS WORDS...: of the objects that came out of the signed cache
	_keys=$1
	shift
	"$gx" store verify --store "$PWD/f1" -r --option trusted-public-keys "$_keys" "$@" "$c"
}
"$gx" key generate-secret --key-name test-2 >secret2
check "one signature" trusted "$public" --sigs-needed 1
check "of a key that is not trusted" complains "is untrusted" trusted "$("$gx" key convert-secret-to-public <secret2)" --sigs-needed 1
check "with a status of its own" status 2 trusted "" --sigs-needed 1
check "two are not there" status 2 trusted "$public" --sigs-needed 2
check "the same key twice is one" sh -c "'$gx' store sign --store '$PWD/f1' -r -k secret '$c' && '$gx' store verify --store '$PWD/f1' -r --option trusted-public-keys '$public' --sigs-needed 2 '$c' 2>/dev/null; [ \$? = 2 ]"
"$gx" store sign --store "$PWD/f1" -r -k secret2 "$c"
check "two are" trusted "$public $("$gx" key convert-secret-to-public <secret2)" --sigs-needed 2
check "nobody is asked" trusted "" --sigs-needed 2 --no-trust
check "what was built here is trusted by that" "$gx" store verify --store "$PWD/built" --sigs-needed 0
check "but not where signatures are wanted" status 2 "$gx" store verify --store "$PWD/built" --all --sigs-needed 1
added=$("$gx" store add --store "$PWD/f1" three.gx)
check "what follows from its contents needs none" "$gx" store verify --store "$PWD/f1" --sigs-needed 1000 "$added"
check "a number" complains "is a number" "$gx" store verify --store "$PWD/f1" --sigs-needed many
check "nix store verify asks always" status 2 sh -c "mkdir -p nn && '$gx' nix-names --install '$PWD/nn' >/dev/null && nn/nix store verify --store '$PWD/f1' --option trusted-public-keys '' $c"
check "nix-store never" nn/nix-store --store "$PWD/f1" --option trusted-public-keys '' --verify-path "$c"
