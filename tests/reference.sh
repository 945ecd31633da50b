#!/bin/sh
# SPDX-License-Identifier: MIT
#
# tests/reference.sh DIR [GXEVAL]: runs the language tests of a NixOS/nix checkout at DIR
# (tests/functional/lang) with gxeval, as its lang.sh runs them with nix-instantiate, and prints a table and
# the names of those that differ.  Nothing of that checkout is changed or kept.
#
# Compared are what lang.sh compares on standard output, and the status: refusals must end with status 1.
# Messages are not compared: gx words its errors its own way.  VERBOSE=1 shows how each one differs.
set -u
[ $# -ge 1 ] || { echo "usage: tests/reference.sh DIR [GXEVAL]" >&2; exit 2; }
dir=$(cd "$1/tests/functional" && pwd) || exit 2
gx=${2:-${gxeval:-$(pwd)/gxeval}}
gx=$(cd "$(dirname "$gx")" && pwd)/${gx##*/}
[ -x "$gx" ] || { echo "no program at $gx" >&2; exit 2; }
tmp=$(mktemp -d "${TMPDIR:-/tmp}/gx-reference.XXXXXX") || exit 2
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT
cd "$dir" || exit 2
# nix-instantiate's output names this folder; lang.sh says /pwd for it.
here=$dir

unset NIX_PATH XDG_CONFIG_HOME XDG_DATA_HOME XDG_CACHE_HOME NO_COLOR
export TEST_VAR=foo NIX_STORE_DIR=/nix/store HOME=$tmp LC_ALL=C TZ=UTC

total=0 good=0 bad_names=
group() {
	group=$1 total=0 good=0 bad_names=
}
pass() {
	total=$((total + 1)) good=$((good + 1))
}
fail() { # NAME WHY
	total=$((total + 1)) bad_names="$bad_names
    $1: $2"
}
all_bad=0
report() {
	printf '%-12s %4d of %4d\n' "$group" "$good" "$total"
	[ -n "$bad_names" ] && echo "${bad_names#?}"
	all_bad=$((all_bad + total - good))
}

# The words of a .flags file as gxeval has them: --eval is what it does anyway.
translate() {
	flags=
	for w; do
		case $w in --eval) ;; *) flags="$flags $w" ;; esac
	done
}

run() {
	rc=0
	timeout 60 "$@" >"$tmp/out" 2>"$tmp/err" || rc=$?
}
show() {
	[ -n "${VERBOSE-}" ] || return 0
	echo "--- $1"
	head -n "${VERBOSE_LINES:-12}" "$2"
}
postprocess() { # NAME
	[ -e "lang/$1.postprocess" ] || return 0
	cp "$tmp/out" "$tmp/$1.out" && cp "$tmp/err" "$tmp/$1.err"
	bash "lang/$1.postprocess" "$tmp/$1" >/dev/null 2>&1
	cp "$tmp/$1.out" "$tmp/out"
}
refused() { # NAME
	if [ $rc -eq 1 ]; then
		pass
		[ -n "${VERBOSE_ERRORS-}" ] && { echo "--- $1"; cat "$tmp/err"; }
	else
		fail "$1" "status $rc"
		show "$1" "$tmp/out"
	fi
	return 0
}
matches() { # NAME EXPECTED
	if [ $rc -ne 0 ]; then
		fail "$1" "status $rc: $(head -n 1 "$tmp/err")"
		show "$1" "$tmp/err"
		return
	fi
	sed "s!$here!/pwd!g" "$tmp/out" >"$tmp/out2" && mv "$tmp/out2" "$tmp/out"
	postprocess "$1"
	if cmp -s "$tmp/out" "$2"; then
		pass
	else
		fail "$1" "prints something else"
		diff "$2" "$tmp/out" >"$tmp/diff"
		show "$1" "$tmp/diff"
	fi
}

group parse-fail
for f in lang/parse-fail-*.nix; do
	i=${f##*/} i=${i%.nix}
	run "$gx" --parse - <"$f"
	refused "$i"
done
report

group parse-okay
for f in lang/parse-okay-*.nix; do
	i=${f##*/} i=${i%.nix}
	run "$gx" --parse - <"$f"
	matches "$i" "lang/$i.exp"
done
report

group eval-fail
for f in lang/eval-fail-*.nix; do
	i=${f##*/} i=${i%.nix}
	if [ -e "lang/$i.flags" ]; then
		translate $(sed 's/#.*//' "lang/$i.flags")
	else
		flags='--strict --show-trace'
	fi
	run "$gx" $flags "$f"
	refused "$i"
done
report

group eval-okay
for f in lang/eval-okay-*.nix; do
	i=${f##*/} i=${i%.nix}
	if [ -e "lang/$i.exp.xml" ]; then
		run "$gx" --xml --no-location --strict "$f"
		matches "$i" "lang/$i.exp.xml"
	elif [ ! -e "lang/$i.exp-disabled" ]; then
		flags=
		if [ -e "lang/$i.flags" ]; then
			read -r line <"lang/$i.flags"
			translate $line
		fi
		run env NIX_PATH=lang/dir3:lang/dir4 HOME=/fake-home "$gx" $flags --strict "$f"
		matches "$i" "lang/$i.exp"
	fi
done
report
[ $all_bad -eq 0 ]
