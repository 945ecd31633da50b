# SPDX-License-Identifier: MIT
#
# --eval-store: derivations in one store, builds in another.
. "$srcdir/tests/integration/lib.sh"
. "$srcdir/tests/integration/lib/build.sh"
export HOME="$PWD" XDG_DATA_HOME="$PWD/data" XDG_CACHE_HOME="$PWD/cache"
unset NIX_PATH XDG_CONFIG_HOME
here=$PWD
mkdir tree && echo text >tree/file
cat >d.nix <<'N'
rec {
  make = name: script: derivation {
    inherit name; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" script ];
  };
  one = make "one" "echo ${./tree} > $out";
  two = make "two" "cat ${one} ${builtins.toFile "note" "a note"} > $out";
  read = import (make "expr" "echo '\"${two}\"' > $out");
  quiet = builtins.readFile (make "hi" "printf hi > $out; : ${two}");
}
N
# What lies in a store, by its end: "drv", or the name.
has() { ls "$1/nix/store" | grep -q -- "-$2\$"; }
fresh() { remove "$here/s" "$here/e"; }

built() { # OPTION...
	fresh
	path=$("$gx" build --store "$store" --eval-store "$here/e" -q --no-link --print-out-paths -f d.nix two "$@") &&
		grep -q 'a note' "$store$path" && has e two.drv && has e one.drv && ! has s two.drv && ! has s one.drv &&
		has s tree && has s note && ! has e two
}
check "derivations lie in one store, what is built in the other" built
twice() { before=$(ls s/nix/store e/nix/store) && built_again && [ "$before" = "$(ls s/nix/store e/nix/store)" ]; }
built_again() { "$gx" build --store "$store" --eval-store "$here/e" -q --no-link -f d.nix two; }
check "and there it is the second time" twice
drv=$(cd e/nix/store && ls -d *-two.drv)
by_name() { remove s && "$gx" build --store "$store" --eval-store "$here/e" -q --no-link "/nix/store/$drv" && has s two; }
check "a derivation of that store can be named" by_name
check "which the other does not have" complains "is not in the store" \
	"$gx" build --store "$store" --no-link "/nix/store/$drv"
check "the store that was built in is sound" "$gx" store verify --store "$store" --check-contents

ifd() {
	fresh
	prints '"hi"' "$gx" eval --store "$store" --eval-store "$here/e" --impure -f d.nix quiet --json && has s two && has s hi &&
		has e hi && ! has e two && ! has s hi.drv
}
check "what an evaluation reads is built where builds are done" ifd
nested() { fresh; "$gx" build --store "$store" --eval-store "$here/e" -q --no-link -f d.nix one && "$gx" eval --store "$store" \
	--eval-store "$here/e" --impure -f d.nix read && has s expr && has e expr && has e two; }
check "and comes back with all it refers to" nested

mkdir bin && ln -s "$gx" bin/nix-instantiate && ln -s "$gx" bin/nix-build
nix_names() { # COMMAND...
	fresh
	NIX_STORE_DIR="$here/r/store" NIX_STATE_DIR="$here/r/var" NIX_LOG_DIR="$here/r/log" "bin/$@"
}
instantiate() { remove r; nix_names nix-instantiate d.nix -A two --eval-store "$here/e" &&
	! ls r/store/*.drv && ls e/nix/store/*-two.drv; }
check "nix-instantiate writes there" instantiate
classic() { remove r; nix_names nix-build d.nix -A two --eval-store "$here/e" --no-out-link &&
	! ls r/store/*.drv && ls e/nix/store/*-two.drv r/store/*-two; }
check "and nix-build" classic
check "dummy:// keeps no derivations" complains "keeps no derivations" nix_names nix-instantiate d.nix -A two --eval-store dummy://
check "unless it may be written to" nix_names nix-instantiate d.nix -A two --eval-store 'dummy://?read-only=false'
dummy() {
	fresh
	"$gx" build --store "$store" --eval-store 'dummy://?read-only=false' -q --no-link -f d.nix two && has s two && ! has s two.drv
}
check "which is enough to build" dummy
look() { fresh; prints '"two"' "$gx" eval --eval-store dummy:// -f d.nix two.name --json && [ ! -e s ]; }
check "and to look at values it need not be" look
check "both have the same store directory" complains "the eval store has the directory '/other/store'" \
	"$gx" build --store "$store" --eval-store "$here/e?store=/other/store" --no-link -f d.nix two
