# SPDX-License-Identifier: MIT
#
# Killed, or out of space, at calls that change files: after each, the store is in order, nothing that is
# valid is incomplete, and the next try succeeds.
. "$srcdir/tests/integration/lib.sh"
. "$srcdir/tests/integration/lib/store.sh"

${CC:-cc} -shared -fPIC -O1 -o kill_at.so "$srcdir/tests/integration/lib/kill_at.c" -ldl 2>cc.log || { echo "no shared library can be made"; exit 77; }
shim=$PWD/kill_at.so
ldd "$gx" 2>/dev/null | grep -q asan && { echo "the address sanitizer wants to be first"; exit 77; }
sample_tree tree
mkdir src && echo one >src/one && echo two >src/two
cat >drvs.gx <<'END'
let d = derivation { name = "d"; system = "x"; builder = "/b"; src = ./src; text = builtins.toFile "t" "text"; };
in [ d (derivation { name = "e"; system = "x"; builder = "/b"; inherit d; }) ]
END

fresh() {
	remove "$store"
	[ ! -d seed ] || cp -a seed "$store"
}

command -v nix-store >/dev/null || skip "Nix looks at the store after each failure" "no nix-store"

# Runs COMMAND with the shim for n = 1, 1 + STEP, ... (CRASH_ALL=1: every n) up to the number of calls it makes; after each
# looks at the store, and tries again without.
each_point() { # VARIABLE STEP COMMAND...
	var=$1 step=$2
	shift 2
	[ -z "${CRASH_ALL-}" ] || step=1
	fresh && rm -f calls
	env LD_PRELOAD="$shim" CALL_LOG="$PWD/calls" "$@" >run.log 2>&1 || { cat run.log; return 1; }
	total=$(wc -l <calls) failures=0 n=1
	while [ $n -le $total ]; do
		fresh
		# What may fail without harm does: then the command succeeds.
		env LD_PRELOAD="$shim" $var=$n "$@" >run.log 2>&1 || failures=$((failures + 1))
		"$gx" store verify --store "$store" >verify.log 2>&1 || { echo "$var=$n: after the failure:"; cat run.log verify.log; return 1; }
		! command -v nix-store >/dev/null || [ ! -d "$store/nix/var/nix/db" ] ||
			HOME=$PWD nix-store --store "$store" --option substituters '' --verify --check-contents >verify.log 2>&1 || { echo "$var=$n: Nix after the failure:"; cat run.log verify.log; return 1; }
		"$@" >again.log 2>&1 || { echo "$var=$n: the next try:"; cat run.log again.log; return 1; }
		"$gx" store verify --store "$store" >verify.log 2>&1 || { echo "$var=$n: after the next try:"; cat verify.log; return 1; }
		"$gx" store gc --store "$store" >gc.log 2>&1 || { echo "$var=$n: collecting:"; cat gc.log; return 1; }
		if [ -n "$(ls "$store/nix/store/00000000000000000000000000000000-gx-staging")" ]; then
			echo "$var=$n: something is left in staging"; return 1
		fi
		n=$((n + step))
	done
	echo "$failures failures in $total calls"
	[ $failures -gt $((total / step / 3)) ]
}

# The order that makes it safe: contents and names on the disk (a folder with two files, and the store's own), then the row.
in_order() {
	remove "$store" calls && gxs store info >/dev/null
	env LD_PRELOAD="$shim" CALL_LOG="$PWD/calls" "$gx" store add --store "$store" src || return 1
	awk '/^write$/ && !renamed { wrote = NR }
		/^renameat$/ { renamed = NR }
		/^(fchmod|futimens|utimensat)$/ && !row { changed = NR }
		/^fsync$/ && renamed && !row { if (!synced) synced = NR; n++ }
		/^pwrite/ && n == 4 { row = NR }
		END { exit !(wrote && wrote < renamed && renamed < synced && changed < synced && synced < row) }' calls || { cat calls; return 1; }
}

check "contents and names are synced before the row" in_order

# What is printed survives a power cut: rows that were written are synced before the first byte.  Somebody else has the
# database open all the time, or closing it would do that.
printed_last() { # COMMAND...: leaves what it called in the file calls
	remove "$store" calls && gxs store info >/dev/null
	python3 -c 'import sqlite3, sys
db = sqlite3.connect(sys.argv[1] + "/nix/var/nix/db/db.sqlite")
db.execute("select count(*) from ValidPaths").fetchall()
open("holding", "w")
sys.stdin.read()' "$store" <fifo &
	_holder=$!
	exec 9>fifo
	while [ ! -e holding ]; do kill -0 $_holder || return 1; sleep 0.02; done
	rm holding
	env LD_PRELOAD="$shim" CALL_LOG="$PWD/calls" LOG_PRINTS=1 "$@" 9>&-
	_rc=$?
	exec 9>&-
	wait $_holder
	[ $_rc = 0 ] || return 1
	awk '/^pwrite/ { rows++; dirty = 1 }
		/^fdatasync$/ { dirty = 0 }
		/^print$/ { prints++; early += dirty }
		END { exit !(rows && prints == '${PRINTS-1}' && !early && !dirty) }' calls || { cat calls; return 1; }
}
# Files that are waited for one right after the other are one wait: the first is one for all.
waits() { awk '/sync/ { n += !on; on = 1; next } { on = 0 } END { print n + 0 }' calls; }
many() { # N: so many derivations
	echo "builtins.genList (i: derivation { name = \"d\${toString i}\"; system = \"x\"; builder = \"/b\"; }) $1"
}
as_often() { # one wait for the disk however many there are
	printed_last "$gxeval" --store "$store" --drv-path -E "$(many 2)" && few=$(waits) &&
		printed_last "$gxeval" --store "$store" --drv-path -E "$(many 150)" && prints "$few" waits
}
mkfifo fifo
check "an added path is printed when it will last" printed_last "$gx" store add --store "$store" src
check "paths of derivations are printed when they will last" printed_last "$gxeval" --store "$store" --drv-path -f drvs.gx
check "so that they may be read by a program as well" printed_last "$gx" eval --impure --store "$store" --json -f drvs.gx
check "one wait for the disk, however many" as_often
check "killed while a tree is added to a new store" each_point KILL_AT 5 "$gx" store add --store "$store" tree
check "no space at some point of that" each_point FAIL_AT 7 "$gx" store add --store "$store" tree
"$gx" store add --store "$PWD/seed" src >/dev/null
check "killed while a tree is added" each_point KILL_AT 2 "$gx" store add --store "$store" tree
check "no space while a tree is added" each_point FAIL_AT 3 "$gx" store add --store "$store" tree
check "killed while derivations are written" each_point KILL_AT 5 "$gxeval" --store "$store" --drv-path -f drvs.gx
check "no space while derivations are written" each_point FAIL_AT 7 "$gxeval" --store "$store" --drv-path -f drvs.gx
mkdrv=$builddir/tests/integration/mkdrv
if [ -x "$mkdrv" ] && "$mkdrv" --probe >/dev/null 2>&1 && [ -x /bin/busybox -o -x /usr/bin/busybox ]; then
	remove "$store" seed
	"$mkdrv" "$store" built -- /bin/sh -c 'mkdir $out; echo one > $out/one; echo two > $out/two; ln -s one $out/three' >drv.log
	"$mkdrv" "$store" fetched -f "flat:sha256:$(printf 'fetched\n' | sha256sum | cut -d ' ' -f 1)" -e "url=file://$PWD/served" \
		-- builtin:fetchurl >fetch.log
	printf 'fetched\n' >served
	mv "$store" seed
	remove "$store"
	system=$("$gx" eval --impure --raw -E builtins.currentSystem)
	mkdir flake && cat >flake/flake.gx <<END
{ outputs = _: { packages.$system.default = derivation { name = "l"; system = "$system"; builder = "/bin/sh"; args = [ "-c" "echo l > \$out" ]; }; }; }
END
	PRINTS=0 check "what was built lasts when the program ends" printed_last "$gx" build --store "$store" --no-link ./flake
	check "what was built is printed when it will last" printed_last "$gx" build --store "$store" --no-link --print-out-paths ./flake
	for what in drv fetch; do
		set -- "$gx" build --store "$store" --no-link "$(sed -n 1p $what.log)"
		check "killed during a build ($what)" each_point KILL_AT 5 "$@"
		check "no space during a build ($what)" each_point FAIL_AT 7 "$@"
	done
	remove seed
	"$gx" store add --store "$PWD/seed" src >/dev/null
else
	skip "killed during a build" "builders cannot be confined here, or there is no static busybox"
fi
"$gx" store add --store "$PWD/seed" tree >/dev/null
# Files go when the disk knows that they are not valid any more.
rows_first() {
	fresh && rm -f calls
	env LD_PRELOAD="$shim" CALL_LOG="$PWD/calls" "$gx" store gc --store "$store" || return 1
	awk '/^pwrite/ { rows++; dirty = 1 }
		/^fdatasync$/ { dirty = 0; synced = rows }
		/^unlinkat$/ { files += !!synced; early += dirty && synced }
		END { exit !(rows && files && !early) }' calls || { cat calls; return 1; }
}
check "rows are gone from the disk before files are" rows_first
check "killed while garbage is collected" each_point KILL_AT 2 "$gx" store gc --store "$store"
