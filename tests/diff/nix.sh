#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Differential test: the same expressions in gxeval and in nix-instantiate must give the same text or both be refused.
# Skipped (77) where nix-instantiate is not installed.
#
# Expressions are EXPRESSIONS generated ones (SEED), each line of cases/*.lines and each cases/*.gx.  Each is
# evaluated strictly, and lazily (only to its type).  nix-instantiate takes 40 ms to start but evaluates many files
# in one go up to the first it refuses: what gxeval accepts is given to it in one go, the rest one by one.
#
# known-differences lists what newer Nix changed on purpose: lines of "side<TAB>fixed string<TAB>reason".
# side is what is searched for the string: expr (the expression), gx or nix (what that program said); or "drop": where the
# expression or an output holds the string, the third field is a sed script after which both outputs must agree; or "with":
# where the expression holds the string, the third field is put in front of it for Nix, which must agree then.
set -u
command -v nix-instantiate >/dev/null 2>&1 || { echo "nix-instantiate is not installed"; exit 77; }
here=$srcdir/tests/diff
: "${EXPRESSIONS:=2000}" "${SEED:=1}"
gen=$builddir/tests/diff/gen
[ -x "$gen" ] || { echo "the generator is not built"; exit 77; }
work=$PWD/work
mkdir -p "$work/state" "$work/etc" "$work/x"
cd "$work/x" || exit 1

# The oracle sees nothing of this machine and changes nothing on it.
export NIX_REMOTE=dummy:// NIX_STATE_DIR="$work/state" NIX_CONF_DIR="$work/etc" NIX_STORE_DIR=/nix/store
export NIX_LOG_DIR="$work/state" NIX_LOCALSTATE_DIR="$work/state"
unset NIX_PATH

# What cases/files.lines reads.
mkdir -p tree/sub tree/imp tree/none
echo '{ a = 1; b = ./b.nix; }' >tree/imp/default.nix
echo '"b"' >tree/imp/b.nix
echo 'x: x + y' >tree/scoped.nix
echo '[ __curPos.file ./. ./x ]' >tree/place.nix
echo '{' >tree/syntax.nix
echo hello >tree/file
printf 'a\0b' >tree/nul
: >tree/empty
ln -s file tree/link
ln -s sub tree/dlink
ln -s nowhere tree/dangling
ln -s loop tree/loop
ln -s imp tree/implink
ln -s ../imp tree/sub/up

"$gen" "$SEED" "$EXPRESSIONS" . || exit 1
for f in "$here"/cases/*.lines; do
	[ -f "$f" ] || continue
	base=${f##*/}
	awk -v base="${base%.lines}" '
		/^[ \t]*(#.*)?$/ { next }
		{ name = sprintf("%s-%03d.gx", base, NR); print > name; close(name) }' "$f"
done
for f in "$here"/cases/*.gx; do
	[ -f "$f" ] && cp "$f" .
done
# The lazy form asks only for the type: what is inside must not be touched.
for f in *.gx; do
	printf 'builtins.typeOf (\n' >"lazy-$f"
	cat "$f" >>"lazy-$f"
	printf ')\n' >>"lazy-$f"
done

cat >../gx.sh <<'SH'
for f; do
	timeout 60 "$gxeval" --strict "$f" >"$f.gx-out" 2>"$f.gx-err" </dev/null
	echo $? >"$f.gx-status"
done
SH
ls | grep '\.gx$' | xargs -P "${jobs:-2}" -n 50 sh ../gx.sh

# nix-instantiate builds the members of a set in the order in which it first met their names, in whichever file, and a member that
# is a variable built before it is the same list when printed.  So each run begins with the names in order.
for c in a b c d e f g h i j k l m n o p q r s t u v w x y z; do
	echo "$c = 0;"
done | { echo '{'; cat; echo '}'; } >../names.gx

# nix FILE...: answers in FILE.nix-out, or FILE.nix-err when it is refused.
cat >../nix.sh <<'SH'
while [ $# -gt 0 ]; do
	timeout 120 nix-instantiate --eval --strict --readonly-mode ../names.gx "$@" >nix.$$.all 2>nix.$$.err </dev/null
	rc=$?
	tail -n +2 nix.$$.all >nix.$$.out
	while IFS= read -r line; do
		printf '%s\n' "$line" >"$1.nix-out"
		shift
	done <nix.$$.out
	[ $rc -eq 0 ] && continue
	[ $# -gt 0 ] || break
	grep '^error' nix.$$.err | tail -n 1 >"$1.nix-err"
	[ -s "$1.nix-err" ] || echo "status $rc" >"$1.nix-err"
	shift
done
rm -f nix.$$.all nix.$$.out nix.$$.err
SH
grep -lx 0 *.gx-status | sed 's/\.gx-status$//' | xargs -P "${jobs:-2}" -n 100 sh ../nix.sh
grep -Lx 0 *.gx-status | sed 's/\.gx-status$//' | xargs -P "${jobs:-2}" -n 20 sh ../nix.sh

# Does Nix agree about FILE with this in front of it?
agrees_with() { # FILE TEXT
	{ echo "$2"; cat "$1"; } >with.nix
	if nix-instantiate --eval --strict --readonly-mode with.nix >with.out 2>/dev/null </dev/null; then
		[ "$(cat "$1.gx-status")" = 0 ] && cmp -s with.out "$1.gx-out"
	else
		[ "$(cat "$1.gx-status")" = 1 ]
	fi
}

# Prints the reason why a difference is known, or nothing.
reason() { # FILE
	while IFS="$(printf '\t')" read -r side text why more; do
		case $side in
		drop)
			grep -qsF -- "$text" "$1" "$1.gx-out" "$1.nix-out" && [ "$(sed "$why" "$1.gx-out")" = "$(sed "$why" "$1.nix-out" 2>/dev/null)" ] &&
				echo "$more" && return
			;;
		with) grep -qF -- "$text" "$1" && agrees_with "$1" "$why" && echo "$more" && return ;;
		expr) grep -qF -- "$text" "$1" && echo "$why" && return ;;
		gx) grep -qsF -- "$text" "$1.gx-err" "$1.gx-out" && echo "$why" && return ;;
		nix) grep -qsF -- "$text" "$1.nix-err" "$1.nix-out" && echo "$why" && return ;;
		esac
	done <"$here/known-differences"
}

agree=0 refused=0 known=0 differ=0
for f in *.gx; do
	read -r rc <"$f.gx-status"
	if [ "$rc" -gt 1 ]; then
		why="gxeval ends with status $rc"
	elif [ -f "$f.nix-err" ] && [ "$rc" -eq 1 ]; then
		refused=$((refused + 1))
		continue
	elif [ -f "$f.nix-out" ] && [ "$rc" -eq 0 ] && cmp -s "$f.gx-out" "$f.nix-out"; then
		agree=$((agree + 1))
		continue
	elif [ -n "$(reason "$f")" ]; then
		known=$((known + 1))
		continue
	else
		why=differs
	fi
	differ=$((differ + 1))
	if [ $differ -le "${SHOW:-25}" ]; then
		echo "not ok - $f: $why"
		sed -n '1,12s/^/#   /p' "$f"
		echo "#   gx:  $(head -c 300 "$f.gx-out" | head -n 3; grep -A 2 '^error' "$f.gx-err" | head -n 3)"
		echo "#   nix: $(cat "$f.nix-out" "$f.nix-err" 2>/dev/null | head -c 300 | head -n 3)"
	fi
done
[ $differ -gt "${SHOW:-25}" ] && echo "not ok - $((differ - ${SHOW:-25})) more differ"
[ -n "${KEEP-}" ] && mkdir -p "$KEEP" && cp -r . "$KEEP"
echo "ok - $agree values and $refused refusals agree with $(nix-instantiate --version); $known known differences"
[ $differ -eq 0 ]
