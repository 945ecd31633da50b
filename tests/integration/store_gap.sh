# SPDX-License-Identifier: MIT
#
# Collectors that run at the worst moments: between evaluating and building, between building and the link, between the link and
# the end.  What a process has made or found stays until it is done with it, and what it left a link to stays.
. "$srcdir/tests/integration/lib.sh"
. "$srcdir/tests/integration/lib/build.sh"

for shim in hold_at kill_at; do
	${CC:-cc} -shared -fPIC -O1 -o $shim.so "$srcdir/tests/integration/lib/$shim.c" -ldl 2>cc.log || { echo "no shared library can be made"; exit 77; }
done
ldd "$gx" 2>/dev/null | grep -q asan && { echo "the address sanitizer wants to be first"; exit 77; }
export HOME="$PWD"

mkdir flake && cat >flake/flake.gx <<'END'
{
  outputs = _: let
    make = name: script: attrs: derivation ({ inherit name; system = "@system@"; builder = "/bin/sh"; args = [ "-c" script ]; } // attrs);
    dep = make "dep" "echo dep > $out" { src = ./src; };
    top = make "top" "read -r x < $dep; mkdir -p $out/bin; echo \"echo $x $dep\" > $out/bin/top; chmod +x $out/bin/top" {
      inherit dep;
      text = builtins.toFile "t" "text";
    };
  in {
    packages.@system@.default = top;
    devShells.@system@.default = make "shell" "echo $packages > $out" { packages = [ top ]; };
  };
}
END
system=$("$gx" eval --impure --raw -E builtins.currentSystem)
sed -i "s|@system@|$system|" flake/flake.gx
mkdir flake/src && echo src >flake/src/file

collect_gx() { "$gx" store gc --store "$store"; }
# Nix gives up when a process ends that it is just looking at; other tests run beside this one.
collect_nix() { _n=0; until nix-store --store "$store" --option substituters '' --gc || [ $_n -ge 20 ]; do _n=$((_n + 1)); sleep 0.1; done; [ $_n -lt 20 ]; }
collectors=collect_gx
if command -v nix-store >/dev/null 2>&1; then
	collectors="$collectors collect_nix"
else
	skip "the same with Nix as the collector" "no nix-store"
fi

wait_for() { # FILE: at most 20 s
	_n=0
	while [ ! -e "$1" ] && [ $_n -lt 400 ]; do sleep 0.05; _n=$((_n + 1)); done
	[ -e "$1" ] || { echo "$1 did not come"; return 1; }
}
fresh() { remove "$store"; rm -rf result* held.* link.*; "$gx" store info --store "$store" >/dev/null; }

# Runs COMMAND up to a moment, then a collector, then the rest.
gap() { # COLLECTOR CALL:TEXT COMMAND...
	_collector=$1 _moment=$2
	shift 2
	fresh
	env LD_PRELOAD="$PWD/hold_at.so" HOLD="$PWD/held" HOLD_AT="$_moment" "$@" >gap.log 2>&1 &
	_pid=$!
	wait_for held.at || { wait $_pid; cat gap.log; return 1; }
	$_collector >gc.log 2>&1 || { cat gc.log; : >held.go; wait $_pid; return 1; }
	: >held.go
	wait $_pid || { cat gap.log; return 1; }
}
built() { [ -x "$store$(readlink "${1:-result}")/bin/top" ] && "$gx" store verify --store "$store" --check-contents; }

for c in $collectors; do
	who=${c#collect_}
	check "$who: when a build gives up its temporary roots" gap $c unlink:temproots/ "$gx" build --store "$store" ./flake
	check "$who: the result is there" built
	check "$who: just before the first link" gap $c symlink:result "$gx" build --store "$store" ./flake
	check "$who: the result is there then" built
	check "$who: before a shell's link" gap $c symlink:develop "$gx" develop --store "$store" ./flake --command true
	check "$who: just before a program is run" gap $c exec:bin/top "$gx" run --store "$store" ./flake
done

# A collector that has looked at the links already: one is made, and who made it ends, before it looks at temporary roots.
late_link() { # COLLECTOR HOW-OFTEN-IT-OPENS-THEM-BEFORE
	fresh
	env LD_PRELOAD="$PWD/hold_at.so" HOLD="$PWD/held.a" HOLD_AT=symlink:link.a "$gx" store add --store "$store" --out-link link.a flake/src >add.log 2>&1 &
	_adder=$!
	wait_for held.a.at || return 1
	(export LD_PRELOAD="$PWD/hold_at.so" HOLD="$PWD/held.c" HOLD_AT=open:temproots HOLD_SKIP=$2; $1 >gc.log 2>&1) &
	_gc=$!
	wait_for held.c.at || return 1
	: >held.a.go
	_n=0
	while kill -0 $_adder 2>/dev/null && [ $_n -lt 20 ]; do sleep 0.05; _n=$((_n + 1)); done
	: >held.c.go
	wait $_adder || { cat add.log; return 1; }
	wait $_gc || { cat gc.log; return 1; }
	[ -e "$store$(readlink link.a)/file" ] || { echo "collected although a link holds it"; return 1; }
	$1 >gc.log 2>&1 && [ -e "$store$(readlink link.a)/file" ]
}
check "gx: a link made behind the collector's back" late_link collect_gx 1
[ "$collectors" = collect_gx ] || check "nix: a link made behind the collector's back" late_link collect_nix 0

# A collector started before the n-th call that changes a file, for every third n; it runs while the build goes on.
anywhere() { # COLLECTOR COMMAND
	fresh && rm -f calls
	env LD_PRELOAD="$PWD/kill_at.so" OUTSIDE=1 CALL_LOG="$PWD/calls" "$gx" build --store "$store" ./flake >gap.log 2>&1 || { cat gap.log; return 1; }
	total=$(wc -l <calls) n=1 step=${GAP_STEP:-$((total / 12 + 1))}
	while [ $n -le $total ]; do
		fresh
		env LD_PRELOAD="$PWD/kill_at.so" OUTSIDE=1 RUN_AT=$n RUN="$1 >gc.log 2>&1; echo \$? >gc.status" "$gx" build --store "$store" ./flake >gap.log 2>&1 || { echo "at $n of $total:"; cat gap.log gc.log; return 1; }
		wait_for gc.status && [ "$(cat gc.status)" = 0 ] || { echo "the collector at $n:"; cat gc.log; return 1; }
		rm gc.status
		built || { echo "at $n of $total the result was collected"; cat gc.log; return 1; }
		n=$((n + step))
	done
}
# A process that ends while the collector looks at what it has open.
ended() {
	fresh
	sleep 60 &
	_sleep=$!
	env LD_PRELOAD="$PWD/hold_at.so" HOLD="$PWD/held" HOLD_AT=list:/proc/$_sleep/fd "$gx" store gc --store "$store" >gc.log 2>&1 &
	_gc=$!
	wait_for held.at || return 1
	kill $_sleep
	wait $_sleep
	: >held.go
	wait $_gc || { cat gc.log; return 1; }
}
check "gx: a process that ends meanwhile uses nothing" ended

# A root told while the database does not answer what it reaches: nothing more is deleted.
told_in_vain() {
	fresh
	"$gx" store add --store "$store" flake/src >add.log || return 1
	for left in a b c d; do : >"$store/nix/store/left-$left"; done
	env LD_PRELOAD="$PWD/hold_at.so" HOLD="$PWD/held" HOLD_AT=unlink:left- "$gx" store gc --store "$store" --max 1T >gc.log 2>&1 &
	_gc=$!
	wait_for held.at || return 1
	python3 - "$store/nix/var/nix" "$(cat add.log)" <<'END' || return 1
import socket, sqlite3, sys
db = sqlite3.connect(sys.argv[1] + "/db/db.sqlite")
db.execute("alter table Refs rename to Away")
db.commit()
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1] + "/gc-socket/socket")
s.send(sys.argv[2].encode() + b"\n")
open("told", "w")
END
	: >held.go
	status 1 wait $_gc || { cat gc.log; return 1; }
	grep -qF 'no such table: main.Refs' gc.log || grep -qF 'no such table: Refs' gc.log || { cat gc.log; return 1; }
	set -- "$store"/nix/store/left-*
	[ $# -eq 3 ]
}
check "gx: a root that cannot be followed ends the collection" told_in_vain

check "gx: at any moment of a build" anywhere "'$gx' store gc --store '$store'"
[ "$collectors" = collect_gx ] || check "nix: at any moment of a build" anywhere "nix-store --store '$store' --option substituters '' --gc"
exit 0
