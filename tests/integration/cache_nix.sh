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
	"${store_command:-nix-store}" --store "$1" --verify --check-contents >nix.log 2>&1 && ! grep -qi 'error\|warning\|modified\|disappeared' nix.log || { cat nix.log; return 1; }
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

"$gx" key generate-secret --key-name gx-1 >own
own=$($nix key convert-secret-to-public <own)
both_ways() { # WHICH NIX: every compression there and back
	for how in none xz zstd bzip2 gzip br lzma; do
		$2 copy --no-check-sigs --store "$PWD/built" --to "file://$PWD/$1-n-$how?compression=$how&secret-key=$PWD/secret" "$c" 2>log || cat log
		check "$1: gx takes what Nix packed: $how" prints "$c" build "$1-from-n-$how" "file://$PWD/$1-n-$how"
		check "$1: all of it was fetched: $how" prints 3 signed_rows "$PWD/$1-from-n-$how" nix-1
		check "$1: and is as Nix wants it: $how" nix_clean "$PWD/$1-from-n-$how"
		"$gx" copy --store "$PWD/built" --to "file://$PWD/$1-g-$how?compression=$how&secret-key=$PWD/own&write-nar-listing=true" "$c" 2>log || cat log
		# Nix 2.8 dies of several paths by lzma, also of those it packed itself.
		[ $1 = new ] || [ $how != lzma ] || continue
		check "$1: Nix takes what gx packed: $how" $2 copy --from "file://$PWD/$1-g-$how" --to "$PWD/$1-nix-$how" --option trusted-public-keys "$own" "$c"
		check "$1: and finds it whole: $how" nix_clean "$PWD/$1-nix-$how"
		check "$1: so does gx: $how" "$gx" store verify --store "$PWD/$1-nix-$how"
	done
	check "$1: the same archive by lzma" sh -c "for f in $1-n-lzma/nar/*; do cmp \$f $1-g-lzma/nar/\${f##*/} || exit 1; done"
}
both_ways old "$nix"
if [ -n "${TEST_NIX-}" ]; then
	store_command=$TEST_NIX/nix-store
	both_ways new "$TEST_NIX/nix --extra-experimental-features nix-command"
	store_command=
else
	skip "a newer Nix" "TEST_NIX names none"
fi
check "Nix lists what gx packed" $nix store ls --store "file://$PWD/old-g-xz" -lR "$c"
$nix copy --no-check-sigs --store "$PWD/built" --to "file://$PWD/listed?write-nar-listing=true" "$c" 2>log
check "the same listings" sh -c 'for f in listed/*.ls; do cmp "$f" "old-g-xz/${f##*/}" || exit 1; done'
check "Nix adds to a cache gx made" sh -c "echo more >more && p=\$(nix-store --store $PWD/built --add more) && $nix copy --store $PWD/built --to file://$PWD/old-g-xz \$p && '$gx' copy --store $PWD/both --from file://$PWD/old-g-xz \$p"
check "gx takes its own" env NIX_CONFIG="trusted-public-keys = $own $public" "$gx" copy --store "$PWD/two" --from "file://$PWD/old-g-none" "$c"
