# SPDX-License-Identifier: MIT
#
# examples/ci: a folder that is kept between runs.
. "$srcdir/tests/integration/lib.sh"
. "$srcdir/tests/integration/lib/caches.sh"

run() { # STORE FOLDER
	GX_PUBLIC_KEY=$public sh "$srcdir/examples/ci/cache-folder.sh" "$2" --store "$PWD/$1" -f three.gx
}
export GX_SECRET_KEY_FILE="$PWD/secret"
check "the first run builds" prints "$c" run one kept
check "and keeps" [ "$(ls kept/*.narinfo | wc -l)" = 3 ]
unset GX_SECRET_KEY_FILE
check "the second fetches, without the secret" prints "$c" run two kept
check "all of it" prints 3 fetched "$PWD/two"
find kept -type f ! -name nix-cache-info -exec touch -a -d '60 days ago' {} +
NIX_CONFIG="substitute = false" sh "$srcdir/examples/ci/cache-folder.sh" kept --store "$PWD/three" -f three.gx >log 2>&1
check "what nobody asked for goes" [ "$(ls kept/*.narinfo 2>/dev/null | wc -l)" = 0 ]
