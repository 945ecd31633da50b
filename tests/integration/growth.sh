# SPDX-License-Identifier: MIT
#
# What should take time in proportion to the input does: each case takes well below a second of CPU when
# it does and minutes when it grows with the square.
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
