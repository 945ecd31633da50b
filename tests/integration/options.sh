# SPDX-License-Identifier: MIT
#
# gxeval's command line: each option, and each way to get it wrong.
. "$srcdir/tests/integration/lib.sh"

echo '{ a = 1; b.c = [ 2 ]; f = { x ? 3, y ? 4 }: x + y; }' >set.gx
echo '{ x, y ? 4 }: { sum = x + y; }' >fun.gx
echo '[ 1 2' >broken.gx
mkdir dir
echo '"default.gx"' >dir/default.gx
echo '"default.nix"' >dir/default.nix

check "an expression" prints 3 gxeval -E '1 + 2'
check "an expression has no position" prints '[ null null ]' gxeval -E '[ __curPos (builtins.unsafeGetAttrPos "a" { a = 1; }) ]'
check "--expr=EXPR" prints 3 gxeval --expr='1 + 2'
check "a letter with its value attached" prints 3 gxeval -E'1 + 2'
check "--debug is Nix's word for -v" sh -c 'gxeval --debug -E "builtins.traceVerbose \"said\" 1" 2>&1 | grep -q said'
check "-f FILE" prints '{ a = 1; b = { c = [ 2 ]; }; f = «lambda f @ set.gx:1:27»; }' gxeval -f set.gx
check "FILE as an operand" prints 1 gxeval set.gx -A a
check "-- ends the options" prints 1 gxeval -A a -- set.gx
check "-A with a path" prints 2 gxeval -f set.gx -A b.c.0
check "words beside -f are attributes" prints "1
[ 2 ]" gxeval -f set.gx a b.c
check "-A twice prints both" prints "1
[ 2 ]" gxeval -f set.gx -A a -A b.c
check "standard input" prints 7 sh -c 'echo "3 + 4" | gxeval -'
check "a folder means its default.gx" prints '"default.gx"' gxeval dir
check "--arg and --argstr" prints 5 gxeval -f fun.gx --arg x 1 -A sum
check "a default may be overridden" prints 9 gxeval -f fun.gx --arg x 1 --arg y 8 -A sum
check "--argstr" prints '"ab"' gxeval -E '{ x }: x + "b"' --argstr x a
check "functions on the way are called" prints 7 gxeval -f set.gx -A f
check "a functor is given itself, then called" prints 6 gxeval -A s.m -E '{ s.__functor = self: { n ? 6 }: { m = n; }; }'
check "a name is missing in the path" complains "a name is missing" gxeval -A . -E '{ "" = 1; }'
check "a missing argument is named" complains "'x'" gxeval -f fun.gx
check "--apply" prints '[ "a" "b" "f" ]' gxeval -f set.gx --apply builtins.attrNames
check "--lazy" prints '{ a = «thunk»; }' gxeval --lazy -E '{ a = throw "not forced"; }'
check "--json" prints '{"a":[1,2.5,null,true,"x"]}' gxeval --json -E '{ a = [ 1 2.5 null true "x" ]; }'
check "--raw" prints 'a"b' gxeval --raw -E '"a\"b"'
check "--raw of what is no string" must_fail gxeval --raw -E '[ ]'
check "--xml --no-location" prints "<?xml version='1.0' encoding='utf-8'?>
<expr>
  <int value=\"1\" />
</expr>" gxeval --xml --no-location -E 1
check "--parse" prints '(1 + 2)' gxeval --parse -E '1+2'
check "--system" prints '"riscv64-linux"' gxeval --system riscv64-linux -E builtins.currentSystem
check "--option" prints '"a"' gxeval --option eval-system a -E builtins.currentSystem
check "a setting by its own name" prints '"a"' gxeval --eval-system a -E builtins.currentSystem
check "-I NAME=PATH" prints '"default.gx"' gxeval -I "x=$PWD/dir" -E 'import <x>'
check "-I FOLDER" prints '"default.gx"' gxeval -I . -E 'import <dir>'
check "NIX_PATH" prints '"default.gx"' env NIX_PATH="x=$PWD/dir" gxeval -E 'import <x>'
check "empty parts of NIX_PATH are none" prints 1 env NIX_PATH="::x=$PWD/dir:" gxeval -E 'builtins.length builtins.nixPath'
check "-f '<x>'" prints '"default.gx"' gxeval -I x=./dir -f '<x>'
check "--pure-eval has no environment" prints '""' gxeval --pure-eval -E 'builtins.getEnv "HOME"'
check "--pure-eval reads no other file" must_fail gxeval --pure-eval -E "import $PWD/dir"
check "--pure-eval reads what was named" prints 1 gxeval --pure-eval set.gx -A a
check "--impure" prints "\"$HOME\"" gxeval --pure-eval --impure -E 'builtins.getEnv "HOME"'
check "--version" prints "gx $(gxeval --raw -E builtins.gxVersion)
language: Nix $(gxeval --raw -E builtins.nixVersion) (langVersion $(gxeval -E builtins.langVersion))
gx:std: $(gxeval --raw -E builtins.gxVersion) in $(cd "$srcdir/stdlib" && pwd -P)" gxeval --version
check "--help" sh -c 'gxeval --help | grep -q -- --show-trace'
check "--stats is JSON on standard error" sh -c 'gxeval --stats -E 1 2>s >o && [ "$(cat o)" = 1 ] && gxeval -E "(builtins.fromJSON (builtins.readFile ./s)).cpuTime >= 0" | grep -q true'

check "nothing to evaluate" status 2 gxeval
check "two things to evaluate" status 2 gxeval set.gx -E 1
check "an unknown option" status 2 gxeval --jsn -E 1
check "an unknown option is corrected" complains "did you mean '--json'?" gxeval --jsn -E 1
check "an unknown letter" status 2 gxeval -Z
check "a missing value" status 2 gxeval -E
check "a missing second value" status 2 gxeval --arg x
check "a value too many" status 2 gxeval --json=1 -E 1
check "forms exclude each other" status 2 gxeval --json --raw -E 1
check "--strict and --lazy exclude each other" status 2 gxeval --strict --lazy -E 1
check "a setting of nix.conf that is true or false" complains "true or false, not 'maybe'" gxeval --option keep-going maybe -E 1
check "an unknown setting" status 2 gxeval --option no-such-setting 1 -E 1
check "a bad value of a setting" complains "ignore, warn or fatal" gxeval --lint-url-literals maybe -E 1
check "settings of builds are accepted" sh -c '[ "$(gxeval --option cores 4 --max-jobs auto --no-keep-going -E 1 2>&1)" = 1 ]'
check "and must be right" complains "error: setting 'max-jobs' is auto or from 0 to 4096, not '5000'" gxeval --option max-jobs 5000 -E 1
check "settings of nix.conf that do not matter here are accepted" prints 1 gxeval --option http2 true -E 1
check "and it is said that they do not" sh -c '[ "$(gxeval --option http2 true -E 1 2>&1 >/dev/null)" = "note: setting '"'http2'"' has no effect here: HTTP/2 is spoken where the server does" ]'

check "a missing file" status 1 gxeval no-such-file.gx
check "an expression taken for a file" complains "an expression is given with -E" gxeval '1 + 1'
check "a missing file is named" complains "'no-such-file.gx'" gxeval no-such-file.gx
check "a syntax error" status 1 gxeval broken.gx
check "a failed evaluation" status 1 gxeval -E 'throw "x"'
check "nothing on standard output when it fails" sh -c 'gxeval -E "[ 1 (throw \"x\") ]" >o 2>/dev/null; [ ! -s o ]'
check "results before a failing --attr are printed" sh -c 'gxeval set.gx -A a -A nope >o 2>/dev/null; [ "$(cat o)" = 1 ]'
