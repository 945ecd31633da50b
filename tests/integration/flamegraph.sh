# SPDX-License-Identifier: MIT
#
# eval-profiler = flamegraph: which calls were open, by their places, as Nix writes it.
. "$srcdir/tests/integration/lib.sh"
export HOME=$PWD
flame() { # EXPR: each call is a sample
	gxeval --eval-profiler flamegraph --eval-profiler-frequency 0 --eval-profile-file profile -E "$1" >out 2>err
	cat profile
}
check "a function has the name of its variable" prints '«string»:1:22:f 1' flame 'let f = arg: arg; in f 1'
check "or none" prints '«string»:1:1 1' flame '(arg: arg) 1'
check "a builtin, what it calls inside of it" prints '«string»:1:9:primop all 1
«string»:1:47:primop all 1
«string»:1:47:primop all;«string»:1:31:f 2' flame 'let a = builtins.all (let f = x: x; in f); in a [true true]'
check "in stacks" prints '«string»:1:40:g 1
«string»:1:40:g;«string»:1:27:f 1' flame 'let f = x: x + 1; g = y: (f y) * 2; in g 3'
check "a functor" prints '«string»:1:1:functor 1
«string»:1:1:functor;«string»:1:2 1' flame '{__functor = x: arg: arg;} 1'
check "what fails is over, and what was asked for first is around it" prints '«string»:1:65:f 1
«string»:1:65:f;«string»:1:10:primop tryEval 1
«string»:1:65:f;«string»:1:10:primop tryEval;«string»:1:28:primop throw 1
«string»:1:71:f 1' flame 'let a = (builtins.tryEval (throw "x")).success; f = x: a; in [ (f 1) (f 2) ]'
check "builtins that a builtin calls, one after the other" prints '«string»:1:1:primop foldl'"'"' 1
«string»:1:1:primop foldl'"'"';«string»:1:28:add 2' flame "builtins.foldl' (let add = a: x: a + x; in add) 0 [1 2]"
check "what is no function" prints '«string»:1:1 1' flame '1 2'
check "the name of a derivation" prints '«string»:1:1:primop derivationStrict:some 1' flame 'builtins.derivationStrict { name = "some"; }'
flame 'throw "late"' >late
check "also of an evaluation that fails" grep -qx '«string»:1:1:primop throw 1' late
# --- with a frequency
cat >busy.nix <<'X'
let loop = n: if n == 0 then 0 else loop (n - 1); in builtins.foldl' (a: x: a + loop 200) 0 (builtins.genList (x: x) 20000)
X
gxeval --option eval-profiler flamegraph --option eval-profile-file busy --option eval-profiler-frequency 1000 -f busy.nix >out
check "samples are fewer than calls" sh -c '[ -s busy ] && [ "$(awk "{ n += \$NF } END { print n }" busy)" -lt 20000 ]'
check "nix.profile is the file without a name" sh -c 'mkdir d && cd d && "$@" >out && [ -e nix.profile ]' - \
	"$(command -v gxeval)" --eval-profiler flamegraph --eval-profiler-frequency 0 -E '(x: x) 1'
check "a file that cannot be written" complains "cannot write 'no/such'" gxeval --eval-profiler flamegraph --eval-profile-file no/such -E 1
check "another profiler" complains "disabled or flamegraph" gxeval --eval-profiler other -E 1
check "off it writes nothing" sh -c 'mkdir e && cd e && "$@" >out && [ "$(ls)" = out ]' - "$(command -v gxeval)" -E '(x: x) 1'
