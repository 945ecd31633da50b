# SPDX-License-Identifier: MIT
#
# What a closure has and why: why-depends, diff-closures; objects as a stream; an object by its digits.
. "$srcdir/tests/integration/lib.sh"
. "$srcdir/tests/integration/lib/store.sh"
export HOME="$PWD"
cat >t.gx <<'END_GX'
{ of ? 1 }:
let
  mk = name: deps: derivation { inherit name; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "echo ${toString deps} > $out" ]; };
  libc = mk "libc-2.${toString of}" [ ];
  data = mk "data" [ libc ];
  tool = mk "tool-1.0-bin" [ data libc ];
  extra = derivation { name = "extra-0.1"; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "head -c 20480 /dev/zero > $out" ]; };
in {
  inherit libc data tool;
  app = mk "app" ([ tool data ] ++ (if of == 1 then [ ] else [ extra ]));
}
END_GX
store="$PWD/root"
build() { "$gx" build --store "$store" --no-link --print-out-paths -f t.gx "$@" 2>/dev/null; }
app=$(build app) tool=$(build tool) data=$(build data) libc=$(build libc)
later=$(build app --arg of 2)
asked() { "$gx" "$@" --store "$store"; }

check "the shortest way" prints "$app
└───$data
    └───$libc" asked why-depends "$app" "$libc"
# Lines are in the order of the paths.
asked why-depends --all "$app" "$libc" >all.out 2>&1
check "every way begins at the package" test "$(head -1 all.out)" = "$app"
check "every way is there once" test "$(grep -c "$libc" all.out)" = 2
check "what was shown is not shown again" test "$(wc -l <all.out)" = 6
check "it is itself" prints "$app" asked why-depends "$app" "$app"
check "no way" prints "'${libc#/nix/store/}' does not depend on '${app#/nix/store/}'" asked why-depends "$libc" "$app"
check "packages are evaluated" prints "$app
└───$data" asked why-depends -f t.gx app data
check "derivations" sh -c "'$gx' why-depends --store '$store' --derivation -f t.gx app libc | tail -1 | grep 'libc-2.1.drv$'"
check "what is not there" complains "is not valid" asked why-depends "$app" /nix/store/00000000000000000000000000000000-x
check "one alone" complains "needs a package and what it may depend on" asked why-depends "$app"

check "what changed" prints "extra: ∅ → 0.1, +20.1 KiB
libc: 2.1 → 2.2" asked store diff-closures "$app" "$later"
check "and back" prints "extra: 0.1 → ∅, -20.1 KiB
libc: 2.2 → 2.1" asked store diff-closures "$later" "$app"
check "nothing changed" prints "" asked store diff-closures "$app" "$app"

digits=${app#/nix/store/}
check "an object by its digits" prints "$app" asked store path-from-hash-part "${digits%%-*}"
check "digits of none" complains "no valid" asked store path-from-hash-part 00000000000000000000000000000000
check "too few digits" complains "32 digits" asked store path-from-hash-part 0000

check "a closure as a stream" sh -c "'$gx' store export -r --store '$store' '$app' >app.export"
check "is read where nothing was" sh -c "'$gx' store import --store '$PWD/other' <app.export | tail -1 | grep -xF '$app'"
check "and is right there" "$gx" store verify --store "$PWD/other"
check "again is no harm" sh -c "'$gx' store import --store '$PWD/other' <app.export"
check "without what it refers to" sh -c "'$gx' store export --store '$store' '$app' >alone.export"
check "it is not taken" complains "" sh -c "exec '$gx' store import --store '$PWD/third' <alone.export"
check "nothing of it stays" test -z "$(ls third/nix/store 2>/dev/null | grep app)"
size=$(wc -c <app.export)
for cut in 4 8 100 $((size / 2)) $((size - 8)); do
	head -c "$cut" app.export >cut.export
	check "cut off at $cut of the stream" complains "cut off" sh -c "exec '$gx' store import --store '$PWD/fourth' <cut.export"
done
check "what was whole before the cut is right" "$gx" store verify --store "$PWD/fourth"
chmod -R u+w "other$app" && echo changed >"other$app"
check "a damaged object is not exported" complains "is damaged" sh -c "exec '$gx' store export --store '$PWD/other' '$app' >damaged.export"
