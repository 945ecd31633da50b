# SPDX-License-Identifier: MIT
#
# What should take time in proportion to the input does: each case takes well below a second of CPU when
# it does and minutes when it grows with the square.  Where a size is too small for that, two are compared.
. "$srcdir/tests/integration/lib.sh"

# For each number below N, a line made from the text by putting the number for every %d.
words() { # N TEXT
	seq 0 $(($1 - 1)) | sed "s|.*|$(printf %s "$2" | sed 's/%d/\&/g')|"
}

# Succeeds when the file evaluates to TEXT within 20 s of CPU.
quickly() { # TEXT FILE
	(ulimit -t 20 && prints "$1" gxeval -f "$2")
}

{ echo 'builtins.length (builtins.attrNames {' && words 400000 '${"a%d"} = 1;' && echo '})'; } >dynamic.gx
check "many dynamic attributes" quickly 400000 dynamic.gx

{ echo 'builtins.length (builtins.attrNames (rec { b = 1;' && words 400000 '${"a%d"} = b;' && echo '}))'; } >rec.gx
check "many dynamic attributes of a recursive set" quickly 400001 rec.gx

{ echo '{' && words 400000 '${"a%d"} = 1;' && echo '${"a7"} = 1; }'; } >twice.gx
check "one of many dynamic attributes twice" complains "attribute 'a7' already defined" gxeval -f twice.gx

{ echo 'with { a = 1;' && words 200000 'a%d = %d;' && echo '}; builtins.length [' && words 200000 'a%d' && echo ']'; } >with.gx
check "many names below one with" quickly 200000 with.gx

{ echo 'builtins.length (builtins.attrNames (builtins.functionArgs ({' && words 300000 'a%d,' && echo '...}: 1)))'; } >formals.gx
check "many formals" quickly 300000 formals.gx

{ echo '({' && words 200000 'a%d ? 1,' && echo '}: 1) {' && words 200000 'a%d = 1;' && echo 'b = 1; }'; } >extra.gx
check "an argument beside many formals" complains "unexpected argument 'b'" gxeval -f extra.gx

cat >tail.gx <<'X'
let drop = l: builtins.foldl' (l: _: builtins.tail l) l (builtins.genList (x: x) 299990);
in builtins.head (drop (builtins.genList (x: x) 300000)) + builtins.head (drop (map (x: x) (builtins.genList (x: x) 300000)))
X
check "a long list walked by tail" quickly 599980 tail.gx

# The CPU seconds of FILE with N for every %n.
seconds() { # FILE N
	sed "s/%n/$2/g" "$1" >sized.gx && gxeval --strict --stats -f sized.gx 2>&1 >sized.out | sed -n 's/.*"cpuTime":\([0-9.]*\).*/\1/p'
}

# Succeeds when FILE takes in proportion for four times N: with the square it would be sixteen times as long.
in_proportion() { # N FILE
	_once=$(seconds "$2" "$1") _four=$(seconds "$2" "$((4 * $1))")
	awk -v a="$_once" -v b="$_four" 'BEGIN { exit !(a > 0 && b < 8 * a + 0.1) }' || { echo "$_once s, for four times as many $_four s" >&2; return 1; }
}

echo "builtins.length (builtins.attrNames (builtins.foldl' (a: i: a // { \"n\${toString i}\" = i; }) { } (builtins.genList (i: i) %n)))" >grows.gx
check "a set that grows by one with each //" in_proportion 60000 grows.gx

cat >behind.gx <<'X'
let grown = n: if n == 0 then { } else { "n${toString n}" = n; } // grown (n - 1); in
builtins.length (builtins.attrNames (builtins.foldl' (a: i: { "n${toString i}" = i; "m${toString i}" = i; } // a) (grown 1000) (builtins.genList (i: i) %n)))
X
check "a set that grows from the left" in_proportion 30000 behind.gx

cat >looked.gx <<'X'
builtins.length (builtins.attrNames (builtins.foldl' (a: i: if a ? "n${toString (i / 2)}" && i / 2 * 2 == i then a else a // { "n${toString i}" = i; })
  { } (builtins.genList (i: i) %n)))
X
check "a set that grows and is looked into" in_proportion 60000 looked.gx

echo "builtins.length (builtins.concatMap (i: [ i (i + 1) ]) (builtins.genList (i: i) %n))" >joined.gx
check "many short lists joined by concatMap" in_proportion 150000 joined.gx

echo "builtins.length (builtins.foldl' (a: i: a ++ [ i ]) [ ] (builtins.genList (i: i) %n))" >longer.gx
check "a list that grows by one with each ++" in_proportion 100000 longer.gx

echo "builtins.length (builtins.attrNames (builtins.listToAttrs (builtins.genList (i: { name = toString i; value = i; }) %n)))" >named.gx
check "listToAttrs" in_proportion 100000 named.gx
