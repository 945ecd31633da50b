# SPDX-License-Identifier: MIT
#
# Programs of files kept from one run to the next (fetch/pack.h): a warm run says what a cold one says, and what was
# changed, damaged or written by others is not believed.
. "$srcdir/tests/integration/lib.sh"
export HOME="$PWD" XDG_CACHE_HOME="$PWD/cache" NO_COLOR=1
packs=$XDG_CACHE_HOME/gx/compiled
unset GX_COMPILE_CACHE

# --- a program of several files, large enough to be kept ---

mkdir -p src/dir && : >src/a
awk 'BEGIN { print "{"; for (i = 0; i < 200; i++) printf "  a%d = x: y: if x then [ y \"text %d\" ./a ] else { b = x; c.d = y; };\n", i, i; print "}" }' >src/big.nix
cat >src/lib.nix <<'END'
{ n ? 3, ... }@args:
let
  inherit (builtins) map elemAt;
  outer = 7;
in
rec {
  /** Adds
      two numbers. */
  add = a: b: a + b;
  /** Not used. */
  formals = { zeta, alpha ? 1, mid ? zeta, ... }@all: with all; [ zeta alpha mid ];
  fold = op: z: l: let go = i: if i == builtins.length l then z else op (elemAt l i) (go (i + 1)); in go 0;
  numbers = [ 1 (-1) 1.5 1.0e300 4611686018427387904 (-9223372036854775807) 1152921504606846976 ];
  paths = [ ./a ../b /etc/x ~/y ./dir/${"z"} ];
  strings = "a\nb${toString outer}\${x}" + ''
    text
      ${toString n} more
  '';
  withs = with { p = 1; q = 2; }; with { q = 3; r = outer; }; [ p q r (let s = q; in s) (rec { t = r; u = t; }).u ];
  dynamic = { ${"k" + "1"} = 1; "k 2" = 2; ${null} = 3; inherit outer; inherit (args) m; };
  "quoted name" = { a.b.c = 1; a.b.d = 2; };
  ops = [ (1 < 2) (2 <= 1) (1 > 2) (2 >= 1) (!true) (true -> false) (false || true) (null == null) ([ 1 ] ++ [ ] != [ ]) ({ a = 1; } // { b = 2; }) ];
  selects = [ (args.m or 5) (args.zz.y or "none") (args ? m) (args ? m.x) (args ? ${"m"}) ];
  builtin = [ (builtins.typeOf builtins.true) builtins.langVersion (map (builtins.add 1) [ 1 ]) __nixVersion ];
  here = __curPos;
  positions = builtins.unsafeGetAttrPos "numbers" (import ./positions.nix);
  asserted = x: assert x > 0; x;
  failing = x: add x { };
  deep = x: if x == 0 then throw "at the bottom" else 1 + deep (x - 1);
  traced = builtins.trace "seen" 1;
  loop = loop2; loop2 = loop;
  missing = x: x.nmae;
  drv = derivation { name = "d"; system = "s"; builder = ./dir/builder; args = [ ./big.nix ]; };
}
END
printf '{\n\n  numbers = 1; }\n' >src/positions.nix
echo build >src/dir/builder
cat >src/main.nix <<'END'
let big = import ./big.nix; lib = import ./lib.nix { m = 4; }; in
lib // { everything = removeAttrs lib [ "loop" "loop2" "drv" "deep" "missing" "failing" ]; inherit big; used = big.a7 true 1; }
END
sleep 3 # a file this young is not kept

# The counter `name` of --stats.
count() { # NAME COMMAND...
	_name=$1
	shift
	"$@" --stats 2>&1 >/dev/null | sed -n "s/.*\"$_name\":\([0-9]*\).*/\1/p"
}
kept() { count programsKept gxeval "$@"; }
main() { gxeval -f src/main.nix "$@"; }
fill() { rm -rf "$packs" && main -A used >/dev/null; }

check "nothing is kept when nothing is imported" sh -c "gxeval -E 1 && [ ! -e '$packs' ]"
check "the first run parses" [ "$(kept -f src/main.nix -A used)" = 0 ]
check "and leaves one pack, for its user alone" prints "700
600" stat -c %a "$packs" "$packs"/*
check "the second does not" [ "$(kept -f src/main.nix -A used)" = 3 ]
check "nor one that asks for something else" [ "$(kept -f src/main.nix -A ops)" = 2 ]
check "what that one has to parse is added" prints "2 3" echo "$(kept -f src/main.nix -A positions --strict)" "$(kept -f src/main.nix -A positions --strict)"

# --- the same in every way ---

# Without, cold, and warm: results, messages and status.
same() { # ARGUMENTS...
	rm -rf "$packs"
	_rc=0 && GX_COMPILE_CACHE=0 gxeval "$@" >out.off 2>err.off || _rc=$?
	[ ! -e "$packs" ] || { echo "switched off, but there is $packs" && return 1; }
	main -A used >/dev/null
	for _run in warm warmer; do
		_rc2=0 && gxeval "$@" >out.on 2>err.on || _rc2=$?
		cmp out.off out.on && cmp err.off err.on && [ $_rc = $_rc2 ] || { echo "$_run, status $_rc2 after $_rc: $*" && diff out.off out.on; diff err.off err.on; return 1; }
	done
}
check "values" same --strict -f src/main.nix -A everything
check "as JSON" same --json -f src/main.nix -A withs -A paths -A strings -A here -A positions -A dynamic -A builtin
check "as XML, with places" same --xml -f src/main.nix -A everything
check "without forcing" same -f src/main.nix
check "arguments of functions" same --strict -E '(import ./src/main.nix) // { a = builtins.functionArgs (import ./src/main.nix).formals; b = builtins.unsafeGetAttrPos "ops" (import ./src/main.nix); }' -A a -A b
check "calls" same --strict -E 'let m = import ./src/main.nix; in [ (m.formals { zeta = 9; }) (m.fold (a: b: a + b) 0 [ 1 2 3 ]) (m.big.a199 true 1) (m.big.a0 false 2) ]'
check "derivations" same --drv-path --read-only -f src/main.nix -A drv
check "an error with its place" same -f src/main.nix -E '(import ./src/main.nix).missing { name = 1; }'
check "and its trace" same --show-trace -E '(import ./src/main.nix).failing 1'
check "an error from below" same --show-trace -E '(import ./src/main.nix).deep 20'
check "a failed assertion" same -E '(import ./src/main.nix).asserted 0'
check "an argument that is missing" same -E '(import ./src/main.nix).formals { }'
check "a name that is nearly right" same -f src/main.nix -A numbrs
check "an infinite recursion" same -f src/main.nix -A loop
check "a stack overflow" same -E '(import ./src/main.nix).deep 100000000'
check "traces" same -f src/main.nix -A traced
docs() {
	printf ':l src/main.nix\n:doc add\n:doc formals\nadd 1 2\n' >repl.in
	fill
	GX_COMPILE_CACHE=0 gxeval --repl <repl.in >repl.off 2>&1
	gxeval --repl <repl.in >repl.on 2>&1
	grep -q 'two numbers' repl.on && cmp repl.off repl.on
}
check "documentation" docs

# --- what changed ---

changed() { # what main prints now is what it prints without
	[ "$(main -A used --strict)" = "$(GX_COMPILE_CACHE=0 main -A used --strict)" ]
}
edit() {
	fill
	sed -i 's/text 7 /text 8 /; s/text 7"/TEXT 7"/' src/big.nix
	changed && main -A used --strict | grep -q 'TEXT 7'
}
check "a file that changed" edit
# Of the same size, with the time put back: the time of the change of the inode tells.
same_times() {
	sleep 3
	fill && [ "$(kept -f src/main.nix -A used)" = 3 ]
	touch -r src/big.nix stamp
	printf 'text' | dd of=src/big.nix conv=notrunc bs=1 seek="$(grep -bo 'TEXT 7' src/big.nix | cut -d: -f1)" 2>/dev/null
	touch -r stamp src/big.nix
	changed && main -A used --strict | grep -q 'text 7'
}
check "with its time put back" same_times
replaced() {
	sleep 3
	fill && [ "$(kept -f src/main.nix -A used)" = 3 ]
	sed 's/text 7/tEXt 7/' src/big.nix >src/new && touch -r src/big.nix src/new && mv src/new src/big.nix
	changed && main -A used --strict | grep -q 'tEXt 7'
}
check "another in its place" replaced
young() {
	sleep 3 && touch src/lib.nix
	fill
	[ "$(kept -f src/main.nix -A used)" = 2 ]
}
check "a file of this moment is not kept" young
gone() {
	sleep 3
	fill
	mv src/positions.nix src/moved && complains "does not exist" gxeval --strict -f src/main.nix -A positions && mv src/moved src/positions.nix
}
check "a file that went away" gone
# An error in a file that is changed while the program runs has no place to show; nothing else happens.
while_running() {
	mkdir -p running && cp src/big.nix running/ && echo 'x: x.nmae' >running/f.nix && touch -d '1 hour ago' running/f.nix
	sleep 3
	cat >running/main.nix <<'END'
[ (import ./big.nix) (import ./f.nix) (builtins.exec or null) ]
END
	gxeval -f running/main.nix >/dev/null
	must_fail gxeval -E 'let l = import ./running/main.nix; f = builtins.elemAt l 1; in builtins.seq f (f { name = 1; })' 2>e && grep -q 'running/f.nix:1:6' e
}
check "places come from the file" while_running

# --- what is not kept ---

warned() {
	echo 'http://example.org/x' >src/lint.nix && echo '[ (import ./lint.nix) (import ./big.nix).a1 ]' >src/linted.nix
	sleep 3
	for i in 1 2 3; do
		gxeval --strict --lint-url-literals warn -f src/linted.nix >o 2>e || return 1
		grep -q 'URL' e || { cat e && return 1; }
	done
	gxeval --strict -f src/linted.nix >o 2>e && [ ! -s e ]
	must_fail gxeval --strict --lint-url-literals fatal -f src/linted.nix
}
check "what was warned about is warned about again" warned
pure() {
	cp src/main.nix src/pure.nix && echo '[ (import ./big.nix).a1 ./x ~/y ]' >src/tilde.nix
	sleep 3
	gxeval --strict -f src/tilde.nix >o && grep -q "$HOME/y" o && gxeval --strict -f src/tilde.nix >o && HOME=/elsewhere gxeval --strict -f src/tilde.nix >o && grep -q /elsewhere/y o &&
		must_fail gxeval --pure-eval --strict -f src/tilde.nix
}
check "settings of the parser tell programs apart" pure
scoped() {
	echo '{ a = x; b = import ./big.nix; }' >src/scoped.nix
	sleep 3
	for x in 1 2; do prints $x gxeval -E "(scopedImport { x = $x; } ./src/scoped.nix).a" || return 1; done
	must_fail gxeval -E '(import ./src/scoped.nix).a'
}
check "scopedImport" scoped
overrides() {
	echo '{ o = rec { zz = 1; aa = zz; __overrides = { zz = 2; }; }; b = import ./big.nix; }' >src/overrides.nix
	sleep 3
	for i in 1 2; do prints 2 gxeval -f src/overrides.nix -A o.aa || return 1; done
}
check "__overrides" overrides

# --- damage ---

fill && cp -r "$packs" good
# No damage may show: the same value, nothing said.
harmless() {
	[ "$(main --strict -A used 2>e)" = "$want" ] && [ ! -s e ] || { cat e && return 1; }
}
want=$(GX_COMPILE_CACHE=0 main --strict -A used)
each_pack() { # COMMAND, with the pack's name behind
	for _i in $places; do
		rm -rf "$packs" && cp -r good "$packs" || return 1
		"$@" "$packs"/* "$_i" && harmless || { echo "at $_i" && return 1; }
	done
}
size=$(stat -c %s good/*)
flip() { # FILE PLACE: another byte there
	_b=$(dd if="$1" bs=1 skip="$2" count=1 2>/dev/null | od -An -tu1 | tr -d ' ')
	printf "\\$(printf %03o $(((_b + 1) % 256)))" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}
cut() { truncate -s "$2" "$1"; }
places=$(awk "BEGIN { for (i = 0; i < 320; i += 9) print i; for (i = 320; i < $size; i += int($size / 60)) print i; print $size - 1 }")
check "a changed byte anywhere" each_pack flip
places="0 1 39 40 41 200 $((size / 2)) $((size - 1))"
check "a pack that was cut off" each_pack cut
foreign() { rm -rf "$packs" && mkdir -p "$packs" && chmod 700 "$packs" && head -c 100000 /dev/urandom >"$packs/$(ls good)" && harmless; }
check "a pack of something else" foreign
other_program() {
	rm -rf "$packs" && cp -r good "$packs"
	cp "$gxeval" ./other && "$PWD/other" -f src/main.nix --strict -A used >o && [ "$(cat o)" = "$want" ] && [ "$(ls "$packs" | wc -l)" = 2 ]
}
check "another build has a pack of its own" other_program
link_instead() {
	rm -rf "$packs" && mkdir -p "$packs" && chmod 700 "$packs" && cp good/* elsewhere && ln -s "$PWD/elsewhere" "$packs/$(ls good)"
	[ "$(kept -f src/main.nix -A used)" = 0 ] && [ ! -L "$packs/$(ls good)" ] && cmp elsewhere good/*
}
check "a link is not followed" link_instead
writable() {
	rm -rf "$packs" && cp -r good "$packs" && chmod 666 "$packs"/* && [ "$(kept -f src/main.nix -A used)" = 0 ] &&
		rm -rf "$packs" && cp -r good "$packs" && chmod 777 "$packs" && [ "$(kept -f src/main.nix -A used)" = 0 ] && chmod 700 "$packs"
}
check "nor what others may write to" writable
check "no folder for it" sh -c "XDG_CACHE_HOME=/dev/null/x gxeval -f src/main.nix -A used 2>e && [ ! -s e ]"
check "no home" sh -c "unset HOME XDG_CACHE_HOME; gxeval -f src/main.nix -A big 2>e; cat e; ! grep -i cache e"
full() {
	rm -rf "$packs" && (ulimit -f 1; trap '' XFSZ; main -A used) >/dev/null 2>e && [ ! -s e ] && [ -z "$(ls "$packs")" ]
}
check "a full disk" full

# --- switched off, two at once, other users ---

off() {
	rm -rf "$packs"
	gxeval --no-compile-cache -f src/main.nix -A used && gxeval --option compile-cache false -f src/main.nix -A used &&
		GX_COMPILE_CACHE=0 gxeval -f src/main.nix -A used && [ ! -e "$packs" ] &&
		GX_COMPILE_CACHE=0 gxeval --compile-cache -f src/main.nix -A used && [ -e "$packs" ]
}
check "the switch" off
at_once() {
	for i in 1 2 3 4 5; do
		rm -rf "$packs"
		main --strict -A used >o1 2>e1 & _a=$!
		main --strict -A used >o2 2>e2 & _b=$!
		wait $_a && wait $_b && [ "$(cat o1)" = "$want" ] && [ "$(cat o2)" = "$want" ] && [ ! -s e1 ] && [ ! -s e2 ] || return 1
		[ "$(kept -f src/main.nix -A used)" = 3 ] && ! ls "$packs" | grep -q tmp || return 1
	done
}
check "two at once" at_once

[ "$(id -u)" = 0 ] || { skip "an ordinary user and root do not take each other's" "not root"; exit 0; }
command -v setpriv >/dev/null || { skip "an ordinary user and root do not take each other's" "no setpriv"; exit 0; }
top=$(mktemp -d /tmp/gx-warm.XXXXXX) && chmod 755 "$top"
trap 'rm -rf "$top"' EXIT
cp "$gxeval" "$top/" && cp -r src "$top/" && mkdir "$top/home" && chown 65534:65534 "$top/home" && sleep 3
as_user() { (cd "$top" && setpriv --reuid 65534 --regid 65534 --clear-groups env XDG_CACHE_HOME="$top/home" "$@"); }
as_user "$top/gxeval" -E 1 >/dev/null 2>&1 || { skip "an ordinary user and root do not take each other's" "cannot become another user"; exit 0; }
user_kept() { count programsKept as_user "$top/gxeval" -f "$top/src/main.nix" -A used; }
check "an ordinary user" [ "$(user_kept; user_kept)" = "0
3" ]
check "root does not take his" [ "$(XDG_CACHE_HOME=$top/home count programsKept "$top/gxeval" -f "$top/src/main.nix" -A used)" = 0 ]
check "nor leaves something there" [ -z "$(find "$top/home" -user 0 -type f)" ]
check "nor does he take root's" [ "$(chown -R 0 "$top/home/gx/compiled" && chmod -R a+rX "$top/home/gx"; user_kept)" = 0 ]
