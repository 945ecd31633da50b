# SPDX-License-Identifier: MIT
#
# The lock files of the examples name the standard library of this tree.
hash=$("${gxeval%/*}/gx" hash path "$srcdir/stdlib") || exit 1
version=$("$gxeval" --raw -E builtins.gxVersion) || exit 1
status=0 n=0
for lock in "$srcdir"/examples/*/flake.lock; do
	grep -q '"name": "std"' "$lock" || continue
	n=$((n + 1))
	for want in "\"narHash\": \"$hash\"" "\"version\": \"$version\""; do
		grep -qF "$want" "$lock" && continue
		echo "not ok - ${lock#"$srcdir/"} locks another standard library than this tree has: run scripts/update-locks"
		status=1
		break
	done
done
[ $status -eq 0 ] && [ $n -gt 0 ] && echo "ok - $n lock files name the standard library of this tree"
exit $status
