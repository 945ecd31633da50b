# SPDX-License-Identifier: MIT
#
# Several processes on one store: adding the same things, and collecting meanwhile.
. "$srcdir/tests/integration/lib.sh"
. "$srcdir/tests/integration/lib/store.sh"
sample_tree tree
for i in 1 2 3 4 5 6 7 8; do mkdir d$i && sample_tree d$i/t && echo $i >d$i/n; done

together() { # N COMMAND...: all must succeed
	_n=$1 pids=
	shift
	while [ $_n -gt 0 ]; do
		"$@" >together.$_n 2>together.err & pids="$pids $!"
		_n=$((_n - 1))
	done
	_rc=0
	for p in $pids; do wait $p || _rc=1; done
	[ $_rc -eq 0 ] || { cat together.err; return 1; }
}

check "a new store is opened by several at once" together 6 "$gx" store info --store "$store"
check "the same tree is added by several at once" together 6 "$gx" store add --store "$store" tree d1 d2
check "they print the same paths" cmp together.1 together.6
check "no lock file is left" sh -c "! ls '$store/nix/store' | grep -q lock"
check "the store is in order" gxs store verify

collector() { # collects until told to stop
	while [ ! -e stop ]; do "$gx" store gc --store "$store" >/dev/null 2>gc.log || { cat gc.log; return 1; }; done
}
adder() { # keeps adding; what is held by a link must be there each time
	for round in 1 2 3 4 5 6; do
		for i in 1 2 3 4 5 6 7 8; do
			# A name of its own each time: a collector that just saw the last link gone removes what registers that
			# name (Nix looks and removes in two steps), which would take a new link of the same name along.
			link=$1-$round-$i
			p=$("$gx" store add --store "$store" --out-link $link d$i 2>add.log) || { cat add.log; return 1; }
			[ -e "$store$p/t/bin/hi" ] || { echo "$p was collected under our hands"; return 1; }
			rm $link
		done
	done
}
against_collector() {
	rm -f stop
	collector & c=$!
	adder a & a=$!
	adder b & b=$!
	rc=0
	wait $a || rc=1
	wait $b || rc=1
	: >stop
	wait $c || rc=1
	return $rc
}
check "objects are added while garbage is collected" against_collector
check "the store is in order then" gxs store verify
# Only objects without references: Nix 2.8 may delete what its collector was told of after it had looked at what refers to
# it, when that is deleted as well; later versions look twice.
if have_nix; then
	export HOME="$PWD"
	nix_collector() { while [ ! -e stop ]; do nix_store --gc >/dev/null 2>&1; done; }
	against_nix() {
		rm -f stop
		nix_collector & c=$!
		adder n; rc=$?
		: >stop
		wait $c
		return $rc
	}
	check "objects are added while Nix collects garbage" against_nix
	check "the store is in order after that" gxs store verify
	check "Nix finds it so too" nix_store --verify --check-contents
else
	skip "objects are added while Nix collects garbage" "no nix-store"
fi
