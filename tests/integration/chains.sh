# SPDX-License-Identifier: MIT
#
# Expressions of 200,000 operators: those that associate to the left mean what they mean when short, take no stack and time in
# proportion to their length; of those that associate to the right 200,000 are refused with one message and some thousands are not.
. "$srcdir/tests/integration/lib.sh"

# A file: FIRST, then N times TEXT, a line each, then LAST.
chain() { # N FIRST TEXT LAST FILE
	{ echo "$2" && yes -- "$3" | head -n "$1" && echo "$4"; } >"$5"
}

# Succeeds when the file evaluates to TEXT within 20 s of CPU.
quickly() { # TEXT FILE
	(ulimit -t 20 && prints "$1" gxeval -f "$2")
}

# The same with little stack.
stackless() { # TEXT FILE
	(ulimit -t 20 && export GX_STACK_SIZE=4194304 && prints "$1" gxeval -f "$2")
}

n=200000
long() { # WHAT VALUE FIRST TEXT [LAST]
	chain $n "$3" "$4" "${5:-}" long.gx
	check "$1" stackless "$2" long.gx
}
long "a sum" 200001 1 '+ 1'
long "a difference" -200000 0 '- 1'
long "a product" 1 1 '* 1'
long "a quotient" 7 7 '/ 1'
long "a sum of floats" 100001 1.0 '+ 0.5'
long "a conjunction" true true '&& true'
long "a disjunction" false false '|| false'
long "what decides a conjunction first" false false '&& throw "not asked"'
long "different operators" 200001 1 '+ 1 * 2 - 3 / 3'
long "a sum in a function that is called often" 600003 'let f = x: x' '+ 1' '; in f 1 + f 1 + f 1'
long "a sum of lambdas' results" 400001 '1' '+ (let y = 1; in (x: x + y) 1)'
long "a string" 400001 'builtins.stringLength ("a"' '+ "bc"' ')'
long "a string's context" 1 'let p = builtins.toFile "a" "b"; in builtins.length (builtins.attrNames (builtins.getContext ("a"' '+ "${p}"' ')))'

# A pipe is calls in calls, which takes stack.
chain $n 'let f = x: x + 1; in 0' '|> f' '' pipe.gx
check "a pipe" quickly 200000 pipe.gx
chain $n 'let f = x: 7; in throw "not asked"' '|> f' '' pipe.gx
check "a pipe that ignores where it begins" quickly 7 pipe.gx
chain $n 'let __sub = a: b: a + b; in 0' '- 1' '+ 1' rebound.gx
check "an operator that is rebound" quickly 200001 rebound.gx

# An error in the middle names its place once.
broken() { # WHAT LINE MESSAGE FIRST TEXT BAD
	{ echo "$4" && yes -- "$5" | head -n 100000 && echo "$6" && yes -- "$5" | head -n 100000; } >broken.gx
	check "$1" complains "$3" gxeval -f broken.gx
	check "$1, at its place" prints "  at broken.gx:100002:$2" sed -n 2p complains.log
	check "$1, in few words" test "$(grep -c . complains.log)" -le 5
}
broken "a string among numbers" 1 'cannot add a string to an integer' 1 '+ 1' '+ "x"'
broken "division by zero" 1 'division by zero' 1 '/ 1' '/ 0'
broken "no Boolean among Booleans" 4 "expected a Boolean right of '&&' but found an integer: 1" true '&& true' '&& 1'
broken "a throw among strings" 4 'boom' '"a"' '+ "b"' '+ (throw "boom")'
broken "a number among strings" 1 'cannot coerce an integer to a string: 1' '"a"' '+ "b"' '+ 1'
broken "an undefined variable" 4 "undefined variable 'y'" true '&& true' '&& y'
broken "a syntax error" 3 "unexpected '+'" 1 '+ 1' '+ + 1'

# To the right: more than Nix takes (5,000), and a message where it is too many.
right() { # OPERATOR OPERAND VALUE
	chain 9900 "$2" "$1 $2" '' right.gx
	check "9,900 times $1" prints "$3" gxeval -f right.gx
	chain $n "$2" "$1 $2" '' right.gx
	check "200,000 times $1" complains 'nested too deeply: more than 10000 levels' gxeval -f right.gx
}
right '++' '[ ]' '[ ]'
right '//' '{ }' '{ }'
right '->' false true
right '<|' '(x: x)' '«lambda @ right.gx:9901:5»'

# The tree is printed whole.
chain $n 1 '+ 1' '' long.gx
gxeval --parse -f long.gx >printed
check "printing the tree" test "$(wc -c <printed)" -eq $((6 * n + 2))
chain $n 1 '|> f' '' pipe.gx
sed -i '1s/.*/f: 1/' pipe.gx
gxeval --parse -f pipe.gx >printed
check "printing a pipe" test "$(wc -c <printed)" -eq $((4 * n + 2 + 5))
