# SPDX-License-Identifier: MIT
#
# Differential test: gx:std's lib against nixpkgs' lib. Every name of two levels is there, or in the list below with its reason; and
# nixpkgs' own tests pass with ours in place of theirs.
# Skipped where TEST_LIB does not name a checkout of nixpkgs, or of nix-community/nixpkgs.lib.
. "$srcdir/tests/integration/lib.sh"
[ -n "${TEST_LIB-}" ] || { skip "nixpkgs' lib" "TEST_LIB names none"; exit 0; }
[ -e "$TEST_LIB/lib/default.nix" ] || { echo "not ok - $TEST_LIB has no lib/default.nix"; exit 1; }

# Names that are not here. So far there are none.
cat >missing <<'END'
END

cat >names.gx <<'END'
let
  theirs = import (builtins.getEnv "TEST_LIB" + "/lib");
  ours = import (builtins.getEnv "srcdir" + "/stdlib/lib");
  # Not in a checkout of lib alone.
  elsewhere = [ "maintainers" "teams" ];
  isSet = x: let r = builtins.tryEval (builtins.isAttrs x && x.type or null != "derivation"); in r.success && r.value;
  below = prefix: a: b: map (n: prefix + n) (builtins.filter (n: !(b ? ${n})) (builtins.attrNames a));
  inner = n: if isSet theirs.${n} && isSet (ours.${n} or null) then below "${n}." theirs.${n} ours.${n} else [ ];
in
builtins.concatStringsSep "" (
  map (n: n + "\n") (
    below "" theirs ours
    ++ builtins.concatMap inner (builtins.filter (n: !builtins.elem n elsewhere) (builtins.attrNames theirs))
  )
)
END
gxeval --raw --impure -f names.gx >got 2>err || cat err
check "all names are there" cmp missing got

# Their tests, beside a default.nix that is ours.
mkdir -p work/lib bin
for f in tests path fileset; do
	[ ! -e "$TEST_LIB/lib/$f" ] || cp -R "$TEST_LIB/lib/$f" work/lib/
done
echo "import $srcdir/stdlib/lib" >work/lib/default.nix
passes() { # FILE OPTIONS...
	_f=$1
	shift
	gxeval --strict --impure "$@" -f "work/lib/$_f" >got 2>err || { cat err && return 1; }
	grep -qx -e '\[ \]' -e null got || { cat got && return 1; }
}
check "tests/misc.nix" passes tests/misc.nix
check "tests/systems.nix" passes tests/systems.nix
check "tests/fetchers.nix" passes tests/fetchers.nix
check "path/tests/unit.nix" passes path/tests/unit.nix --arg libpath "$PWD/work/lib"

# Their script asks nix-instantiate.
cat >bin/nix-instantiate <<'END'
#!/bin/sh
for a; do
	shift
	case $a in
	--timeout) drop=1 ;;
	--eval-only | --read-write-mode) ;;
	*) [ -n "$drop" ] || set -- "$@" "$a"; drop= ;;
	esac
done
exec gxeval "$@"
END
chmod +x bin/nix-instantiate
modules() {
	(export PATH="$PWD/bin:$PATH" && cd work/lib && bash tests/modules.sh) >modules.log 2>&1 || { tail -n 40 modules.log && return 1; }
}
check "tests/modules.sh" modules
echo "# $(grep ' Pass' modules.log)"
