#!/bin/sh
# cache-folder.sh FOLDER PACKAGE...: builds packages with the help of a folder that is kept between runs. GX_SECRET_KEY_FILE names the key
# to sign with, where there is one; GX_PUBLIC_KEY is its public half.
set -eu
folder=$(mkdir -p "$1" && cd "$1" && pwd)
shift

export NIX_CONFIG="extra-substituters = file://$folder?priority=10
extra-trusted-public-keys = ${GX_PUBLIC_KEY:-}
${NIX_CONFIG:-}"
if [ -n "${GX_SECRET_KEY_FILE:-}" ]; then
	gx build --no-link --print-out-paths --push "file://$folder?compression=zstd&secret-key=$GX_SECRET_KEY_FILE" "$@"
else
	gx build --no-link --print-out-paths "$@"
fi
find "$folder" -type f ! -name nix-cache-info -atime +30 -delete
