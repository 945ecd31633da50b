# SPDX-License-Identifier: MIT
#
# Syntax nested thousands of levels deep takes much of the stack at once, when it is read and when it is evaluated: wherever that
# happens before the end of the stack, the error is the one message.  Each case runs with several sizes of it, so that what is left at the
# deepest call differs.
. "$srcdir/tests/integration/lib.sh"
varies='/^error/!d' # how far it gets depends on how it was compiled

repeat() { # N TEXT
	yes -- "$2" | head -n "$1"
}

nested() { # N BEFORE MIDDLE AFTER
	repeat "$1" "$2" && echo "$3" && repeat "$1" "$4"
}

overflows() { # FILE
	for size in 8000000 8074000 8148000 8222000 8296000 8370000 8444000 8518000 8592000 8666000 8740000 8814000; do
		(export GX_STACK_SIZE=$size && complains 'error: stack overflow; possible infinite recursion' gxeval -f "$1") || return 1
	done
}

endless() { # N BEFORE AFTER
	{ echo 'let a = { }; f = x:' && nested "$1" "$2" 'f (x + 1)' "$3" && echo '; in f 1'; } >endless.gx
	check "endless recursion below $1 levels of $2" overflows endless.gx
}
endless 9000 '1 + (' ')'
endless 9000 '[ ] ++' ''
endless 9000 '!' ''
endless 9000 'a.${' '}'
endless 4900 '{ b =' '; }.b'
endless 9000 'if' 'then 1 else 2'
endless 4900 '"a${' '}"'

# Reading a file: the deeper it is, the more must be left for it.
reading() { # N BEFORE MIDDLE AFTER
	nested "$@" >deep.gx
	{ echo 'let f = x:' && nested 1900 '1 + (' 'if builtins.scopedImport { } ./deep.gx == 1 then 1 else f (x + 1)' ')' && echo '; in f 1'; } >reads.gx
	check "reading $1 levels of $2 at the end of the stack" overflows reads.gx
}
reading 9900 '[' '' ']'
reading 9900 '{ a =' 1 '; }'

# There is room for it otherwise.
nested 9900 '1 + (' 0 ')' >sum.gx
check "a sum of sums" prints 9900 gxeval -f sum.gx
nested 9900 '!' true '' >not.gx
check "not not" prints true gxeval -f not.gx
