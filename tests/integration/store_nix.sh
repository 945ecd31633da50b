# SPDX-License-Identifier: MIT
#
# One store, two programs: what gx makes Nix accepts, what Nix makes gx accepts, and they say the same of it.
. "$srcdir/tests/integration/lib.sh"
. "$srcdir/tests/integration/lib/store.sh"
have_nix && command -v python3 >/dev/null || { echo "nix-store or python3 is missing"; exit 77; }
export HOME="$PWD/home" NIX_CONF_DIR="$PWD" && mkdir home
echo "build-users-group =" >nix.conf # of a machine where Nix was never set up
nix="nix --extra-experimental-features nix-command --offline --store"
sample_tree tree
echo flat >flat
cat >drvs.gx <<'END'
let
  a = derivation { name = "a"; system = "x86_64-linux"; builder = "/bin/sh"; outputs = [ "out" "dev" ]; src = ./tree; };
  f = derivation { name = "f"; system = "x86_64-linux"; builder = "/bin/sh"; outputHashMode = "flat"; outputHashAlgo = "sha256"; outputHash = "0000000000000000000000000000000000000000000000000000"; };
in derivation { name = "b"; system = "x86_64-linux"; builder = "/bin/sh"; inherit (a) dev; inherit f; text = builtins.toFile "t" "see ${./flat}"; }
END
nix_clean() { # STORE
	nix-store --store "$1" --verify --check-contents >nix.log 2>&1 && ! grep -qi 'error\|warning\|modified\|disappeared' nix.log || { cat nix.log; return 1; }
}

# --- adding
check "the same path for a tree" same_output "'$gx' store add --store $PWD/g tree" "nix-store --store $PWD/n --add tree"
check "the same path for a flat file" same_output "'$gx' store add --mode flat --store $PWD/g flat" "nix-store --store $PWD/n --add-fixed sha256 flat"
check "the same path with sha1" same_output "'$gx' store add --hash-algo sha1 --store $PWD/g tree" "nix-store --store $PWD/n --add-fixed --recursive sha1 tree"
check "the same derivation" same_output "'$gxeval' --drv-path --store $PWD/g -f drvs.gx" "nix-instantiate --store $PWD/n drvs.gx 2>/dev/null"
rows g >g.rows && rows n >n.rows
check "the same rows in the database" diff g.rows n.rows
check "the same files, modes and times" same_output "cd g/nix/store && find . -name '*-*' ! -name '*gx-staging' -printf '%P %y %m %s %l ' \\( ! -type l -printf '%T@' -o -true \\) -printf '\\n' | sort" \
	"cd n/nix/store && find . -name '*-*' -printf '%P %y %m %s %l ' \\( ! -type l -printf '%T@' -o -true \\) -printf '\\n' | sort"
check "Nix accepts the store gx made" nix_clean "$PWD/g"
check "gx accepts the store Nix made" "$gx" store verify --store "$PWD/n"
check "gx adds to the store Nix made" "$gx" store add --store "$PWD/n" drvs.gx
check "Nix adds to the store gx made" nix-store --store "$PWD/g" --add drvs.gx
check "Nix accepts what both made" nix_clean "$PWD/n"
check "gx accepts what both made" "$gx" store verify --store "$PWD/g"

# --- asking
drv=$("$gxeval" --read-only --drv-path -f drvs.gx)
tree=$("$gx" store add --store "$PWD/g" tree)
# Newer ones, as gx, also say what is not executable.
as_older() { # COMMAND
	echo "{ $1; } | sed 's/,\"executable\":false//g'"
}
for words in "path-info --json" "path-info -sS" "path-info --sigs" "store ls -lR" "store ls --json -R" "store ls -d"; do
	check "the same: $words" same_output "$(as_older "'$gx' $words --store $PWD/g $tree")" "$nix $PWD/g $words $tree; case '$words' in *json*) echo;; esac"
done
check "the same: derivation show -r" same_output "'$gx' derivation show -r --store $PWD/g $drv" "$nix $PWD/g show-derivation -r $drv"
check "the same: hash path" same_output "'$gx' hash path tree; '$gx' hash path --base32 tree; '$gx' hash path --type sha512 --base16 tree" \
	"nix --extra-experimental-features nix-command hash path tree; nix --extra-experimental-features nix-command hash path --base32 tree; nix --extra-experimental-features nix-command hash path --type sha512 --base16 tree"
check "the same archive" same_output "'$gx' nar pack tree" "nix-store --dump tree"
nix-store --dump tree >tree.nar
check "the same: nar ls" same_output "$(as_older "'$gx' nar ls -lR tree.nar; '$gx' nar ls --json -R tree.nar")" "nix --extra-experimental-features nix-command nar ls -lR tree.nar /; nix --extra-experimental-features nix-command nar ls --json -R tree.nar /; echo"
check "the same referrers" same_output "nix-store --store $PWD/g -q --referrers-closure $tree | sort" "nix-store --store $PWD/n -q --referrers-closure $tree | sort"

# --- collecting
# Nix gives up when a process ends that it is just looking at; other tests run beside this one.
nix_gc() { # STORE OPTION...
	_store=$1 _n=0
	shift
	until nix-store --store "$_store" --gc "$@" >nix.gc 2>nix.err || [ $_n -ge 20 ]; do _n=$((_n + 1)); sleep 0.1; done
	[ $_n -lt 20 ] || cat nix.err
}
same_as_nix() { # STORE OPTION-OF-GX OPTION-OF-NIX
	"$gx" store gc "$2" --store "$1" | sort >gx.gc
	nix_gc "$1" "$3" && grep -v gx-staging nix.gc | sort | diff gx.gc -
}
ln -s "$drv" g/nix/var/nix/gcroots/kept && ln -s "$drv" n/nix/var/nix/gcroots/kept
check "both find the same dead" same_as_nix "$PWD/g" --dry-run --print-dead
check "both find the same alive" same_as_nix "$PWD/g" --print-live --print-live
"$gx" store gc --store "$PWD/g" >/dev/null 2>&1
nix_gc "$PWD/n"
rows g >g.rows && rows n >n.rows
check "both leave the same" diff g.rows n.rows
check "Nix accepts what gx left" nix_clean "$PWD/g"
rm g/nix/var/nix/gcroots/kept
check "all goes when no root is left" sh -c "'$gx' store gc --store $PWD/g >/dev/null 2>&1; [ \"\$(ls g/nix/store | grep -v gx-staging)\" = '' ]"

# --- temporary roots, across programs: gx keeps what a running Nix holds, and the other way round
echo other >other
other=$(nix-store --store "$PWD/n" --add other)
python3 "$srcdir/tests/integration/lib/hold.py" "$PWD/n/nix/var/nix/temproots/999999" "$other" &
while [ ! -e ready ]; do sleep 0.1; done
"$gx" store gc --store "$PWD/n" >gc.log 2>&1
check "gx keeps Nix's temporary roots" [ -e "n$other" ]
: >hold
wait
"$gx" store gc --store "$PWD/n" >gc.log 2>&1
check "but not those of a dead process" [ ! -e "n$other" ]
check "whose file is removed" [ ! -e n/nix/var/nix/temproots/999999 ]

# --- relocated
export NIX_STORE_DIR="$PWD/r/store" NIX_STATE_DIR="$PWD/r/var/nix" NIX_LOG_DIR="$PWD/r/var/log/nix"
check "the same derivation in a relocated store" same_output "'$gxeval' --store-dir $PWD/r/store --drv-path -f drvs.gx" "nix-instantiate drvs.gx 2>/dev/null"
check "Nix accepts the relocated store" sh -c "nix-store --verify --check-contents"
