# SPDX-License-Identifier: MIT
#
# Binary caches in buckets of S3: requests are signed, with credentials of the environment or of a file.
. "$srcdir/tests/integration/lib.sh"
. "$srcdir/tests/integration/lib/caches.sh"
command -v python3 >/dev/null || { echo "python3 is missing"; exit 77; }
varies='s/127.0.0.1:[0-9]*/HOST/'
unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_PROFILE AWS_SHARED_CREDENTIALS_FILE 2>/dev/null

mkdir s3
python3 "$srcdir/tests/integration/lib/s3_server.py" s3 AKIDEXAMPLE wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY "the token" eu-north-1 &
server=$!
trap 'touch stop; wait $server' EXIT
until [ -s s3-port ]; do sleep 0.05; done
bucket="s3://team/cache?region=eu-north-1&scheme=http&endpoint=127.0.0.1:$(cat s3-port)"

copy() { "$gx" copy --store "$PWD/built" --to "$bucket&secret-key=$PWD/secret" "$c"; }
with_env() { AWS_ACCESS_KEY_ID=AKIDEXAMPLE AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY AWS_SESSION_TOKEN="the token" "$@"; }
check "without credentials nothing is taken" complains "the server says 403" copy
check "with those of the environment it is" with_env copy
check "where the address says" [ -f s3/team/cache/nix-cache-info ]
check "all of it" [ "$(ls s3/team/cache/*.narinfo | wc -l) $(ls s3/team/cache/nar | wc -l)" = "3 3" ]
check "a wrong secret is none" complains "the server says 403" env AWS_ACCESS_KEY_ID=AKIDEXAMPLE AWS_SECRET_ACCESS_KEY=x AWS_SESSION_TOKEN="the token" \
	"$gx" copy --store "$PWD/built" --to "$bucket" "$c"

mkdir home/.aws
printf '# mine\n[default]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = wrong\n\n[team]\naws_access_key_id=AKIDEXAMPLE\naws_secret_access_key = wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY\naws_session_token = the token\n' >home/.aws/credentials
check "a profile of the file" from "$bucket&profile=team" build --no-link --store "$PWD/n1" -f three.gx
check "all of that" prints 3 fetched "$PWD/n1"
rm -rf xdg
check "a profile of the environment" env AWS_PROFILE=team NIX_CONFIG="trusted-public-keys = $public
substituters = $bucket" "$gx" build --no-link --store "$PWD/n2" -f three.gx
check "that as well" prints 3 fetched "$PWD/n2"
check "a profile that is none" complains "there is no profile 'nobody'" "$gx" copy --store "$PWD/built" --to "$bucket&profile=nobody" "$c"
rm -rf xdg
NIX_CONFIG="trusted-public-keys = $public
substituters = $bucket" "$gx" build --no-link --store "$PWD/n3" -f three.gx 2>said
check "the wrong profile is of no use, and the build goes on" prints 0 fetched "$PWD/n3"
check "which is said" grep -q "is left out" said
check "secrets are in no message" sh -c "! grep -rq 'EXAMPLEKEY' said complains.log"
check "no bucket" complains "needs the name of a bucket" "$gx" copy --store "$PWD/built" --to "s3://" "$c"
check "a scheme that is none" complains "is https or http" "$gx" copy --store "$PWD/built" --to "s3://b?scheme=ftp" "$c"
