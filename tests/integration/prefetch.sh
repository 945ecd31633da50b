# SPDX-License-Identifier: MIT
#
# nix-prefetch-url and gx store prefetch-file: what is fetched, what it is called, its hash, and what is refused.
. "$srcdir/tests/integration/lib.sh"
. "$srcdir/tests/integration/lib/store.sh"
mkdir names tree tmp && export TMPDIR="$PWD/tmp"
"$gx" nix-names --install names || exit 77
printf 'some text\n' >text && cp text tree/text && tar -cf tree.tar tree && tar -cf both.tar text tree && : >no.tar
url=file://$PWD
p() { names/nix-prefetch-url --store "$store" "$@"; }
g() { "$gx" store prefetch-file --store "$store" "$@"; }
flat=$("$gx" hash file --base32 text 2>/dev/null || names/nix-hash --flat --type sha256 --base32 text)
check "the hash of a file" prints "$flat" p "$url/text"
check "with its path" prints "$flat
$("$gx" store add --store "$store" --mode flat text)" p --print-path "$url/text"
check "by the environment" prints "$(p --print-path "$url/text")" env PRINT_PATH=1 names/nix-prefetch-url --store "$store" "$url/text"
check "another kind of hash" prints "$(names/nix-hash --flat --type sha512 --base32 text)" p --type sha512 "$url/text"
check "under a name" sh -c 'names/nix-prefetch-url --store "$1" --print-path --name other "$2/text" | grep -q -- "-other$"' - "$store" "$url"
tree=$(names/nix-hash --type sha256 --base32 tree)
check "the one thing in an archive" prints "$tree" p --unpack "$url/tree.tar"
mkdir both && cp -r text tree both/
check "several things" prints "$(names/nix-hash --type sha256 --base32 both)" p --unpack "$url/both.tar"
cp text program && chmod 755 program
check "what may be run" prints "$(names/nix-hash --type sha256 --base32 program)" p --executable "$url/text"
check "in gx's words" prints "$("$gx" hash file text) $("$gx" store add --store "$store" --mode flat text)" g "$url/text"
check "as JSON" prints "{\"hash\":\"$("$gx" hash file text)\",\"storePath\":\"$("$gx" store add --store "$store" --mode flat text)\"}" g --json "$url/text"
check "what is there and expected is not fetched" prints "$flat" p --name text "$url/gone" "$flat"
check "likewise" g --expected-hash "$("$gx" hash file text)" --name text "$url/gone"
check "what is expected otherwise" mentions "'new' does not have the hash it should have" p --name new "$url/text" "$tree"
check "is not there" complains "is not valid" sh -c '"$1" path-info --store "$2" "$("$1" store add --store ./other --mode flat --name new text)"' - "$gx" "$store"
check "what is nowhere" mentions "gone" p "$url/gone"
check "no archive" mentions "error:" p --unpack "$url/text"
check "an empty one" mentions "the archive is empty" p --unpack "$url/no.tar"
check "a name that cannot be" mentions ".." p "$url/.."
check "no address" complains "one address is needed" p
check "no hash" mentions "error:" p "$url/text" nonsense
check "nothing is left" prints "" ls tmp
