# SPDX-License-Identifier: MIT
#
# gxeval --repl and gx repl, driven through standard input: what an input is, bindings, commands, loading, completion
# (through :complete, which prints what Tab offers), errors and interrupts.
. "$srcdir/tests/integration/lib.sh"
export HOME=$PWD XDG_STATE_HOME=$PWD/state

# Feeds lines to a REPL; prints what it says on standard output.
repl() { # OPTIONS... -- LINE...
	set -- "$@" --
	_args=
	while [ "$1" != -- ]; do
		_args="$_args $1"
		shift
	done
	shift
	: >typed
	while [ $# -gt 1 ]; do
		printf '%s\n' "$1" >>typed
		shift
	done
	timeout 60 gxeval --repl --read-only $_args <typed 2>repl.err
}
says() { # TEXT ARGUMENTS-OF-repl...
	_say=$1
	shift
	repl "$@" >repl.out || return 1
	grep -qF -- "$_say" repl.err || { cat repl.err && echo "does not say: $_say" && return 1; }
}

check "an expression" prints 3 repl -- '1 + 2'
check "nothing but results on standard output" prints 3 repl -- '' '# nothing' '1 + 2' '   '
check "a binding" prints 10 repl -- 'x = 5' 'x * 2'
check "several bindings" prints '[ 1 2 ]' repl -- 'a = 1; b = 2;' '[ a b ]'
check "the last semicolon may be missing" prints '[ 1 2 ]' repl -- 'a = 1; b = 2' '[ a b ]'
check "inherit is a binding" prints 7 repl -- 's = { v = 7; }' 'inherit (s) v;' v
check "a binding with a comment behind it" prints 1 repl -- 'x = 1 # one' x
check "redefining a variable by itself" prints 6 repl -- 'x = 5' 'x = x + 1' x
check "what was bound before keeps its meaning" prints 1 repl -- 'x = 1' 'y = x' 'x = 2' y
check "bindings are lazy" prints 1 repl -- 'x = throw "never"' 1
check "sets inside are not opened" prints '{ a = { ... }; b = 1; }' repl -- '{ a.x = 1; b = 1; }'
check "the last value is 'it'" prints '3
6
12' repl -- '1 + 2' 'it * 2' 'it + it'
check "an error leaves it as it was" prints '3
3' repl -- '1 + 2' 'throw "x"' it
check "who calls a variable so keeps it" prints '5
7
5' repl -- 'it = 5' it 7 it
check "there is none before the first" says "undefined variable 'it'" -- it
check "'exit' leaves" prints 1 repl -- 1 'exit ' 2
check "'quit' leaves" prints 1 repl -- 1 quit 2
check "'help' helps" sh -c 'echo help | gxeval --repl >o && grep -q ":lf FLAKE" o'
check "a variable of that name is one" prints '3
4' repl -- 'help = 3; exit = 4' help exit
check ":p prints a string as it is" prints 'a
b	"c' repl -- ':p "a\nb\t\"c"'
check ":p quotes those inside" prints '[ "a\nb" ]' repl -- ':p [ "a\nb" ]'
check "long values are whole where no person reads" prints 5002 sh -c 'echo "builtins.concatStringsSep \"\" (builtins.genList (_: \"a\") 5000)" | gxeval --repl >o; tr -d "\n" <o | wc -c'
check ":p opens all" prints '{ a = { x = 1; }; b = 1; }' repl -- ':p { a.x = 1; b = 1; }'
check "an error inside does not hide the rest" prints '{ a = «error: no»; b = 1; }' repl -- '{ a = throw "no"; b = 1; }'
check "after an error it goes on" prints 2 repl -- 'throw "x"' 2
check "errors show their place" says '«repl»:1:1' -- 'throw "x"'
check "an undefined variable" says "undefined variable 'nope'" -- nope
check "a syntax error" says "syntax error" -- '1 + )'

check "an expression on several lines" prints 3 repl -- 'let' '  y = 2;' 'in' 'y + 1'
check "a string on several lines" prints '"a\nb"' repl -- '"a' 'b"'
check "an indented string" prints '"a\nb\n"' repl -- "''" ' a' ' b' "''"
check "a comment on several lines" prints 1 repl -- '/* a' 'b */ 1'
check "a binding on several lines" prints 3 repl -- 'x =' '3' x
check "a set on several lines, behind a command" prints 'a set' repl -- ':t {' 'a = 1;' '}'
check "an empty line does not end it" prints 3 repl -- '1 +' '' 2
check "an input that the end cuts off" says "unexpected end of file" -- '1 +'

check ":t" prints 'an integer' repl -- ':t 1'
check ":t of a derivation" prints 'a set: a derivation' repl -- ':t derivation { name = "x"; system = "s"; builder = "b"; }'
check ":type" prints "the built-in function 'map'" repl -- ':type builtins.map'
check ":doc of a builtin" sh -c 'echo ":doc builtins.map" | gxeval --repl >o && grep -q "^builtins.map f list$" o && grep -q Example o'
check ":doc of a builtin of flakes" sh -c 'echo ":doc builtins.getFlake" | gxeval --repl >o && grep -q "^builtins.getFlake ref$" o && grep -q Example o'
check ":doc of a builtin that is a global" sh -c 'echo ":doc fetchTree" | gxeval --repl >o && grep -q "^builtins.fetchTree source$" o'
check ":doc of a function" sh -c 'printf "f = /** says it */ { a, b ? 1 }: a\n:doc f\n" | gxeval --repl >o && grep -q "^says it" o && grep -q "^f { a, b" o'
check ":doc of what has none" says "only functions and names with a doc comment have documentation, and this is an integer" -- ':doc 1'
check ":env" prints 'a = 1
b = «thunk»' repl -- 'a = 1; b = throw "never";' ':env'
check ":a" prints 1 repl -- ':a { x = 1; }' x
check ":q" prints 1 repl -- 1 ':q' 2
check ":?" sh -c 'echo ":?" | gxeval --repl >o && grep -q ":lf FLAKE" o && grep -q ":doc EXPR" o'
check "an unknown command is corrected" says "did you mean ':load'?" -- ':laod x'
check "a command without its argument" says "':t' needs an expression" -- ':t'
check "a command with one too many" says "':env' takes no argument" -- ':env 1'
# A trace of more lines than are shown by themselves.
cat >deep.gx <<'END'
let
  a = x: 1 + b x;
  b = x: 1 + c x;
  c = x: 1 + d x;
  d = x: 1 + e x;
  e = x: 1 + f x;
  f = x: 1 + g x;
  g = x: 1 + h x;
  h = x: 1 + i x;
  i = x: 1 + j x;
  j = x: 1 + k x;
  k = x: throw "deep";
in { inherit a; }
END
check "a short trace says what shows the rest" says "more; ':st' shows all)" deep.gx -- 'a 1'
check ":st does" sh -c 'printf "a 1\n:st\n" | gxeval --repl deep.gx >o 2>e; [ "$(grep -c "while calling .a." e)" = 1 ] && [ "$(grep -c "error: deep" e)" = 2 ]'
check ":st knows nothing of what was before :r" says "no error yet" deep.gx -- 'a 1' ':r' ':st'
check ":st without an error" says "no error yet" -- ':st'
check ":te shows them whole" says "while calling 'a'" deep.gx -- ':te' 'a 1'
check ":te false no longer" sh -c 'printf ":te\n:te false\na 1\n" | gxeval --repl deep.gx >o 2>e; ! grep "while calling .a." e'
check ":te of something else" says "':te' takes true or false" -- ':te 1'
check ":i says that it cannot" says "no profiles" -- ':i 1'
check ":b says why it cannot" says "no store to write to" -- ':b derivation { name = "x"; system = "s"; builder = "b"; }'

echo '{ a = 1; f = { x ? 2 }: x; }' >set.gx
echo '{ n ? 3 }: { m = n; }' >fun.gx
check ":l" prints 1 repl -- ':l set.gx' a
check ":l calls a function" prints 3 repl -- ':l ./fun.gx' m
check "a FILE operand" prints 1 repl set.gx -- a
check "--argstr" prints '"q"' repl --argstr n q fun.gx -- m
check "-E" prints 1 repl -E '{a=1;}' -- a
check ":l says what it added" sh -c 'echo ":l set.gx" | gxeval --repl >o 2>e; [ "$(cat e)" = "added 2 variables:
  a, f" ]'
check "many names are folded" says "… and 928 more; ':ll' lists all" -- ':a builtins.listToAttrs (builtins.genList (i: { name = "a" + toString i; value = i; }) 968)'
check ":ll lists all" sh -c 'echo ":a builtins.listToAttrs (builtins.genList (i: { name = \"a\${toString i}\"; value = i; }) 968)
:ll" | gxeval --repl >o 2>e; [ "$(grep -o "a[0-9]*" o | wc -l)" = 968 ]'
check ":ll before anything was loaded" says "nothing has been loaded" -- ':ll'
check ":l of a missing file" says "'missing.gx'" -- ':l missing.gx'
check ":r reads changed files again" sh -c '{ echo ":l new.gx"; echo v; sleep 1; echo "{ v = 2; }" >new.gx; echo ":r"; echo v; } | { echo "{ v = 1; }" >new.gx; gxeval --repl --read-only 2>e; } >o; [ "$(cat o)" = "1
2" ]'
check ":e opens the editor where a value is written" sh -c 'printf ":l set.gx\n:e f\n" | EDITOR="echo edit" gxeval --repl >o 2>e; grep -q "edit .*/set.gx" o'
check ":e says when it cannot" says "not known where" -- ':e 1'

mkdir flake
echo '{ outputs = _: { answer = 42; packages.x86_64-linux.default = derivation { name = "p"; system = "x86_64-linux"; builder = "/bin/sh"; }; broken = throw "no"; }; }' >flake/flake.gx
check ":lf" prints 42 repl -- ':lf ./flake' answer
check ":lf with an attribute" prints '"p"' repl -- ':lf ./flake#packages.x86_64-linux.default' name
check "a FLAKE operand" prints 42 repl ./flake -- answer
check "a derivation is shown by its path" sh -c 'printf ":lf ./flake\npackages.x86_64-linux.default\n" | gxeval --repl --read-only >o 2>e && grep -q "«derivation /nix/store/.*-p.drv»" o'

check "completion of a variable" prints 'xylophone' repl -- 'xylophone = 1' ':complete xyl'
check "completion of a builtin" prints '1 + builtins.typeOf' repl -- ':complete 1 + builtins.typ'
check "completion of a global" prints fetchTree repl -- ':complete fetchTr'
check "completion below a path" prints 's.a.one
s.a.other' repl -- 's.a = { one = 1; other = 2; z = 3; }' ':complete s.a.o'
check "completion puts quotes where they are needed" prints 's."a b"' repl -- 's = { "a b" = 1; }' ':complete s.a'
check "completion within quotes" prints 's."a b"' repl -- 's = { "a b" = 1; }' ':complete s."a'
check "completion behind quotes" prints 's."a b".c' repl -- 's = { "a b".c = 1; }' ':complete s."a b".'
check "completion evaluates the way only" prints 's.a' repl -- 's = { a = throw "never"; }' ':complete s.'
check "completion is silent about errors" sh -c 'printf "s.a = throw \"never\"\n:complete s.a.\n" | gxeval --repl >o 2>&1; [ ! -s o ]'
check "completion instantiates nothing" sh -c 'printf "s = { drvPath = throw \"x\" { }; }\n:complete s.drvPath.\n" | gxeval --repl >o 2>&1; [ ! -s o ]'
check "completion of commands" prints ':last-loaded
:lf 
:ll
:load 
:load-flake 
:log ' sh -c 'printf ":complete :l\n" | gxeval --repl >o; tail -n +2 o'
check "completion of files" prints 'import ./set.gx' repl -- ':complete import ./se'
check "completion of folders" prints './flake/' repl -- ':complete ./fl'
check "completion of what 'with' brings in" prints 'with s; [ mag.nolia' repl -- 's = { mag.nolia = 1; inner = { one = 1; }; }' ':complete with s; [ mag.n'
check "completion of variables there as well" prints 'with s; sum' repl -- 's = { magnolia = 1; }; sum = 1' ':complete with s; su'
check "completion behind one 'with' in another" prints 'with s; with inner; only' repl -- 's = { inner = { only = 1; }; }' ':complete with s; with inner; onl'
check "completion of what is inherited" prints '{ inherit (s) magnolia' repl -- 's = { magnolia = 1; }' ':complete { inherit (s) mag'
check "completion of a 'with' that is none" sh -c 'printf "s.magnolia = 1\n:complete swith s; mag\n:complete with s mag\n:complete with t; mag\n" | gxeval --repl >o 2>&1; [ ! -s o ]'
check "completion of an argument of :l" prints ':l set.gx' repl -- ':complete :l se'

check "completion of a flake that comes with gx" prints ':lf gx:std' repl -- ':complete :lf gx:'
check "completion of names of registries" prints ':lf nixpkgs' repl -- ':complete :lf nixpk'
check "with their scheme" prints ':lf flake:nixpkgs' repl -- ':complete :lf flake:nixpk'
check "completion of folders of flakes" prints ':lf ./flake/' repl -- ':complete :lf ./fl'
check "which are no files" sh -c 'echo ":complete :lf set" | gxeval --repl >o 2>&1; [ ! -s o ]'
mkdir other
echo "{ outputs = _: { outside = 1; overlays.one = 2; packages.$(gxeval --raw -E builtins.currentSystem) = { default = 1; }; defect = throw \"no\"; }; }" >other/flake.gx
check "completion of a flake's packages and outputs" prints ':lf ./other#default
:lf ./other#outside
:lf ./other#overlays' sh -c 'printf ":complete :lf ./other#o\n:complete :lf ./other#defa\n" | gxeval --repl >o 2>e; sort o'
check "and below them" prints ':lf ./other#overlays.one' repl -- ':complete :lf ./other#overlays.'
check "what cannot be evaluated offers nothing" sh -c 'printf ":complete :lf ./other#defect.\n:complete :lf ./none#\n" | gxeval --repl >o 2>&1; [ ! -s o ]'
cat >flake.lock <<'END'
{ "nodes": { "root": { "inputs": { "pkgs": "pkgs" } }, "pkgs": { "locked": { "type": "github", "owner": "o", "repo": "pkgs",
"rev": "0123456789012345678901234567890123456789", "narHash": "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "lastModified": 1 },
"original": { "type": "github", "owner": "o", "repo": "pkgs", "ref": "stable" } } }, "root": "root", "version": 7 }
END
check "completion of inputs of the flake here" sh -c 'echo ":complete :lf github:o/pkgs/s" | gxeval --repl >o 2>e; grep -qx ":lf github:o/pkgs/stable" o'
check "as they are locked, too" sh -c 'echo ":complete :lf github:o/pkgs/0" | gxeval --repl >o 2>e; grep -q "^:lf github:o/pkgs/0123456789" o'
rm flake.lock
check "completing writes no lock file" [ ! -e other/flake.lock ]

# Ctrl-C: as often as it takes.  The REPL says where it is by its results.
cat >loop.gx <<'END'
let loop = f: builtins.foldl' (a: b: a + f b) 0 (builtins.genList (x: x) 1000000); in { forever = loop (x: loop (y: y)); }
END
interrupts() {
	mkfifo pipe
	gxeval --repl --read-only -f loop.gx <pipe >o 2>e &
	_pid=$!
	exec 9>pipe
	for _i in 1 2 3; do
		echo forever >&9
		sleep 1
		kill -INT $_pid
		sleep 0.3
		echo "$_i" >&9
	done
	exec 9>&-
	wait $_pid || return 1
	[ "$(cat o)" = "1
2
3" ] && [ "$(grep -c '^error: interrupted' e)" = 3 ]
}
check "an interrupt ends the evaluation, every time" interrupts

# Building, where builders can be confined.
if "$builddir/tests/integration/mkdrv" --probe >/dev/null 2>&1 && [ -x /bin/busybox -o -x /usr/bin/busybox ]; then
	cat >build.in <<'END'
d = name: script: derivation { inherit name; system = builtins.currentSystem; builder = "/bin/sh"; args = [ "-c" script ]; }
:b d "bad" "echo why; exit 3"
:b d "good" "echo made; echo 1 > $out"
:log d "good" "echo made; echo 1 > $out"
END
	check ":b and :log" sh -c 'gxeval --repl --store "$PWD/s" <build.in >o 2>e && grep -q "^out -> /nix/store/.*-good$" o && tail -n 1 o | grep -qx made'
	check "a build that fails is told" grep -q "bad.drv' failed with exit code 3" e
	cat >link.in <<'END'
:bl derivation { name = "two"; outputs = [ "out" "dev" ]; system = builtins.currentSystem; builder = "/bin/sh"; args = [ "-c" "echo 1 > $out; echo 2 > $dev" ]; }
:log derivation { name = "two"; outputs = [ "out" "dev" ]; system = builtins.currentSystem; builder = "/bin/sh"; args = [ "-c" "echo 1 > $out; echo 2 > $dev" ]; }
END
	links() {
		gxeval --repl --store "$PWD/s" <link.in >o 2>e || return 1
		grep -q '^repl-result-out -> /nix/store/.*-two$' o && grep -q '^repl-result-dev -> ' o || return 1
		[ "$(readlink repl-result-dev)" = "$(sed -n 's/^repl-result-dev -> //p' o)" ]
	}
	check ":bl leaves links" links
	check "which are roots" sh -c 'gx store gc --store "$PWD/s" >/dev/null 2>&1; [ -e "s$(readlink repl-result-out)" ] && [ -e "s$(readlink repl-result-dev)" ]'
	check ":log of a build that printed nothing says so" grep -qx 'its build printed nothing' e
	cat >shell.in <<'END'
dep = derivation { name = "dep"; system = builtins.currentSystem; builder = "/bin/sh"; args = [ "-c" "mkdir -p $out/bin; echo 'echo from dep' > $out/bin/dep-says; chmod +x $out/bin/dep-says" ]; }
:sh derivation { name = "broken"; inherit dep; COLOUR = "green"; nativeBuildInputs = [ dep ]; system = builtins.currentSystem; builder = "/bin/sh"; args = [ "-c" "exit 1" ]; }
"after"
END
	cat >sh <<'END'
#!/bin/sh
echo "COLOUR is $COLOUR"
sh -c dep-says
END
	chmod +x sh
	check ":sh opens the environment of a derivation, whose build may fail" sh -c 'SHELL=$PWD/sh gxeval --repl --store "$PWD/s" <shell.in >o 2>e; cat o e; [ "$(cat o)" = "COLOUR is green
from dep
\"after\"" ]'
	chmod -R u+rwX s
else
	skip ":b, :bl, :sh and :log" "builders cannot be confined here, or there is no static busybox"
fi

check "gx repl" prints 3 sh -c 'echo "1 + 2" | gx repl'
check "gx repl FLAKE" prints 42 sh -c 'echo answer | gx repl --read-only ./flake'
check "no history without a terminal" [ ! -e state ]
check "--repl with an option about one result" status 2 gxeval --repl --json
