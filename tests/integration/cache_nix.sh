# SPDX-License-Identifier: MIT
#
# Binary caches that gx and Nix share, both ways, with every compression.
. "$srcdir/tests/integration/lib.sh"
. "$srcdir/tests/integration/lib/store.sh"
have_nix || { echo "nix-store is missing"; exit 77; }
export HOME="$PWD/home" XDG_CACHE_HOME="$PWD/xdg" NIX_CONF_DIR="$PWD/conf" && mkdir home conf
printf 'build-users-group =\nsubstituters =\n' >conf/nix.conf # of a machine where Nix was never set up
nix="nix --extra-experimental-features nix-command"

cat >three.gx <<'E2'
let
  make = name: inputs: derivation {
    inherit name;
    system = builtins.currentSystem;
    builder = "/bin/sh";
    args = [ "-c" "mkdir $out && echo ${toString inputs} > $out/inputs && ln -s inputs $out/link" ];
  };
  a = make "a" [ ];
  b = make "b" [ a ];
in make "c" [ a b ]
E2
nix_clean() { # STORE
	nix-store --store "$1" --verify --check-contents >nix.log 2>&1 && ! grep -qi 'error\|warning\|modified\|disappeared' nix.log || { cat nix.log; return 1; }
}
signed_rows() { # STORE KEY-NAME: how many objects of the closure of c have its signature
	"$gx" path-info -r --sigs --store "$1" "$c" | grep -c "$2:"
}
build() { # STORE CACHE
	NIX_CONFIG="trusted-public-keys = $public
substituters = $2" "$gx" build --no-link --print-out-paths --store "$PWD/$1" -f three.gx
}
c=$("$gx" build --no-link --print-out-paths --store "$PWD/built" -f three.gx 2>log) || { cat log; exit 1; }
$nix key generate-secret --key-name nix-1 >secret
public=$($nix key convert-secret-to-public <secret)

for how in none xz zstd bzip2 gzip br; do
	$nix copy --no-check-sigs --store "$PWD/built" --to "file://$PWD/n-$how?compression=$how&secret-key=$PWD/secret" "$c" 2>log || cat log
	check "gx takes what Nix packed: $how" prints "$c" build "from-n-$how" "file://$PWD/n-$how"
	check "all of it was fetched: $how" prints 3 signed_rows "$PWD/from-n-$how" nix-1
	check "and is as Nix wants it: $how" nix_clean "$PWD/from-n-$how"
done

"$gx" key generate-secret --key-name gx-1 >own
own=$($nix key convert-secret-to-public <own)
for how in none xz zstd bzip2 gzip br; do
	"$gx" copy --store "$PWD/built" --to "file://$PWD/g-$how?compression=$how&secret-key=$PWD/own&write-nar-listing=true" "$c" 2>log || cat log
	check "Nix takes what gx packed: $how" $nix copy --from "file://$PWD/g-$how" --to "$PWD/nix-$how" --option trusted-public-keys "$own" "$c"
	check "and finds it whole: $how" nix_clean "$PWD/nix-$how"
done
check "Nix lists what gx packed" $nix store ls --store "file://$PWD/g-xz" -lR "$c"
$nix copy --no-check-sigs --store "$PWD/built" --to "file://$PWD/listed?write-nar-listing=true" "$c" 2>log
check "the same listings" sh -c 'for f in listed/*.ls; do cmp "$f" "g-xz/${f##*/}" || exit 1; done'
check "Nix adds to a cache gx made" sh -c "echo more >more && p=\$(nix-store --store $PWD/built --add more) && $nix copy --store $PWD/built --to file://$PWD/g-xz \$p && '$gx' copy --store $PWD/both --from file://$PWD/g-xz \$p"
check "gx takes its own" env NIX_CONFIG="trusted-public-keys = $own $public" "$gx" copy --store "$PWD/two" --from "file://$PWD/g-none" "$c"
