# SPDX-License-Identifier: MIT
#
# Builds that fail, hang, are stopped, or meet another: one clear error each, nothing registered, nothing left running, and the next
# try succeeds.
. "$srcdir/tests/integration/lib.sh"
. "$srcdir/tests/integration/lib/build.sh"

real() { echo "$store$1"; }
varies='s/ kvm}/}/; s/> 0[0-9]*$/> 0123…/' # what this machine can, and how much was read in one go

# --- failing
script fails 'for i in $(seq 1 40); do echo line $i; done; exit 3'
fails=$drv
check "a failing builder" status 100 build "$drv"
check "says how it ended" complains "builder for '$drv' failed with exit code 3" build "$drv"
check "shows the end of the log" complains "> line 40" build "$drv"
check "as many lines as asked for" sh -c "'$gx' build --store '$store' --no-link --log-lines 2 '$drv' 2>l.log; grep -q 'last 2 log lines' l.log && ! grep -q 'line 38' l.log"
check "says how to see all of it" complains "run 'gx log --store $store $drv'" build "$drv"
script silent 'exit 4'
check "but where it said nothing" sh -c "! '$gx' build --store '$store' --no-link '$drv' 2>l.log && grep -q 'exit code 4' l.log && ! grep -q 'gx log' l.log"
drv=$fails
log=$(ls "$store"/nix/var/log/nix/drvs/*/*-fails.drv.bz2)
cp "$log" log.bz2
head -c 60 log.bz2 >"$log"
check "a log cut short is told" complains "it is damaged" "$gx" log --store "$store" "$drv"
tr '\101-\132' '\102-\133' <log.bz2 >"$log"
check "and a damaged one" complains "it is damaged" "$gx" log --store "$store" "$drv"
cp log.bz2 "$log"
check "the whole log is there" prints 40 sh -c "'$gx' log --store '$store' '$drv' | wc -l"
echo half >"${log%/*}/.gx-1-0"
touch "${log%/*}/.gx-1-1"
check "what a killed process left of one is removed, what another is writing is not" sh -c "flock '${log%/*}/.gx-1-1' '$gx' build --store '$store' --no-link '$drv'; [ \"\$(ls -A '${log%/*}' | grep '^\.gx-')\" = .gx-1-1 ]"
rm "${log%/*}/.gx-1-1"
check "it is the same each time" sh -c "'$gx' build --store '$store' --no-link '$drv' 2>1.log; '$gx' build --store '$store' --no-link '$drv' 2>2.log; cmp 1.log 2.log"
check "no folder is left" no_leftovers
script needs 'echo ok > $out' -i "$drv"
check "what needs it is not built" complains "builder for '$fails' failed" build "$drv"
check "and is not valid" not_valid "$out"
# Outputs wait for the disk together, but those of a build that ended are not lost with one that fails then.
before=
for i in 1 2 3 4 5; do
	script "early$i" 'echo ok > $out'
	before="$before $drv $out"
done
set -- $before
check "what was built before a failure is kept" sh -c "! '$gx' build --store '$store' --no-link -j 1 $1 $3 $5 $7 $9 '$fails' && '$gx' path-info --store '$store' $2 $4 $6 $8 ${10}"
script other 'echo ok > $out'
check "--keep-going builds the rest" sh -c "'$gx' build --store '$store' --no-link -k '$fails' '$drv'; [ \$? = 100 ] && '$gx' path-info --store '$store' '$out'"
script noout 'echo nothing'
check "no output is an error" complains "failed to produce output path for output 'out'" build "$drv"
script signal 'sh -c "kill -9 \$PPID"; kill -SEGV $$; exit 7'
check "a builder that tries to kill itself" status 100 build "$drv"
drv nobuilder -- /bin/nope
check "a builder that is not there" complains "error: builder for '$drv' failed with exit code 1: executing '/bin/nope': No such file or directory" build "$drv"
check "is a failed build" status 100 build "$drv"
drv unknown -- builtin:nope
check "a builtin builder that is not there" complains "there is no builder 'builtin:nope'" build "$drv"
script feature 'echo ok > $out' -e requiredSystemFeatures=dreams
check "a feature this machine lacks" complains "is required to build" build "$drv"
script chroot 'echo ok > $out' -e __noChroot=1
check "__noChroot needs a relaxed sandbox" complains "has '__noChroot' set" build "$drv"
cat >floating.gx <<'END'
derivation {
  name = "floating"; system = builtins.currentSystem; builder = "/bin/sh";
  __contentAddressed = true; outputHashMode = "recursive"; outputHashAlgo = "sha256";
}
END
check "a content-addressed derivation is named once" complains "-floating.drv': content-addressed derivations, whose paths are known only after the build, cannot be built" \
	"$gx" eval --store "$store" --realise -f floating.gx
check "a derivation that is not there" status 1 build /nix/store/00000000000000000000000000000000-x.drv

# --- what each status says
hello=2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824
script late 'sleep 4720'
late=$drv
script badhash 'echo hallo > $out' -f "flat:sha256:$hello"
badhash=$drv
script differs 'date +%s%N > $out'
differs=$drv
build "$differs" >/dev/null 2>&1
check "a failure" status 100 build "$fails"
check "a build that takes too long" status 101 build --timeout 1 "$late"
check "one that is silent too long" status 101 build --max-silent-time 1 "$late"
check "a wrong hash" status 102 build "$badhash"
check "a build that is not deterministic" status 104 build --rebuild "$differs"
check "a wrong hash and a time-out" status 103 build -k --timeout 1 "$late" "$badhash"
script fails_too 'exit 1'
check "a failure and a wrong hash" status 102 build -k "$drv" "$badhash"
cat >late.gx <<'END'
derivation { name = "late"; system = builtins.currentSystem; builder = "/bin/sh"; args = [ "-c" "sleep 4721" ]; }
END
check "gxeval --realise has the same" status 101 "$gx" eval --store "$store" --realise --option timeout 1 --file late.gx

# --- limits
script hangs 'echo about to hang; trap "" TERM INT HUP; sleep 4711 & sleep 4711; echo > $out'
check "a build that takes too long" complains "timed out after 1 seconds" build --timeout 1 "$drv"
check "is stopped, with all it started" stays_dead "sleep 4711"
check "a build that says nothing" complains "timed out after 1 seconds of silence" build --max-silent-time 1 "$drv"
script prints 'while :; do echo 0123456789012345678901234567890123456789; done'
check "a build that prints too much" complains "killed after writing more than 100000 bytes" build --max-build-log-size 100000 "$drv"
script longline 'head -c 3000000 /dev/zero | tr "\0" x; echo; echo ok > $out'
check "a very long line" build -L "$drv"
# A line without an end: neither the log nor what shows it keeps it in memory.
script endless 'head -c 60000000 /dev/zero | tr "\0" x; echo; echo ok > $out'
bounded() { python3 -c '
import resource, subprocess, sys
rc = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
print("status", rc, "peak", peak, "MB")
sys.exit(rc != 0 or peak > 40)' "$@"; }
asan() { ldd "$gx" 2>/dev/null | grep -q asan; } # which takes memory and descriptors of its own
if asan; then
	skip "a line of 60 MB takes no memory" "the address sanitizer takes some"
elif ! command -v python3 >/dev/null; then
	skip "a line of 60 MB takes no memory" "no python3"
else
	check "a line of 60 MB takes no memory" bounded "$gx" build --store "$store" --no-link "$drv"
	check "nor shown" bounded "$gx" build --store "$store" --no-link --rebuild -L "$drv"
	check "nor read again" bounded "$gx" log --store "$store" "$drv"
fi
long=$(printf '%0255d' 7)
script names 'mkdir $out; echo long > $out/'"$long"
check "names of 255 bytes" build "$drv"
check "(there)" prints long cat "$(real "$out")/$long"
deep='mkdir -p $p; cd $p; i=0; while [ $i -lt 3000 ]; do mkdir d; cd d; i=$((i + 1)); done; '
script deepbuild "p=/build/x; $deep"'echo ok > $out'
check "a very deep folder beside the output" build "$drv"
check "goes away" no_leftovers
script deepout 'p=$out; '"$deep"
check "one in the output is refused" complains "deep" build "$drv"
check "and goes away too" no_leftovers
script many 'mkdir $out; cd $out; for i in 0 1 2 3 4 5 6 7 8 9; do mkdir $i; for j in $(seq 1 1000); do : > $i/$j; done; done'
check "ten thousand files" build "$drv"
script closes 'exec >&- 2>&-; sleep 1; mkdir $out; echo late > $out/x'
check "a builder that closes its output is not over" build "$drv"
check "what it did afterwards counts" prints late cat "$(real "$out")/x"

# --- what is printed before the builder runs
if ${CC:-cc} -shared -fPIC -O1 -o noisy_child.so "$srcdir/tests/integration/lib/noisy_child.c" -ldl 2>cc.log && ! ldd "$gx" | grep -q asan; then
	script after_noise 'echo ok > $out'
	check "a child that prints more than a terminal holds before it becomes the builder" \
		timeout 60 env LD_PRELOAD="$PWD/noisy_child.so" "$gx" build --store "$store" --no-link "$drv"
	check "(all of it is in the log)" prints 300000 sh -c "'$gx' log --store '$store' '$drv' | wc -c"
fi

# --- interrupted
script slow 'echo begun; sleep 4712; echo ok > $out'
"$gx" build --store "$store" --no-link "$drv" >slow.log 2>&1 &
pid=$!
for i in $(seq 1 50); do running "sleep 4712" && break; sleep 0.1; done
kill -TERM $pid # a shell makes its background processes deaf to SIGINT
wait $pid
rc=$?
check "an interrupt" prints 130 echo $rc
check "stops the builder" stays_dead "sleep 4712"
check "says so" grep -q interrupted slow.log
check "and leaves nothing" no_leftovers

script much 'echo begun; yes 4722 0123456789012345678901234567890123456789'
"$gx" build --store "$store" --no-link "$drv" >much.log 2>&1 &
pid=$!
sleep 3
kill -TERM $pid
before=$(date +%s)
wait $pid
took=$(($(date +%s) - before))
check "one that prints faster than its log is compressed ends at once as well" [ $took -lt 8 ]
check "with the beginning of its log" sh -c "'$gx' log --store '$store' '$drv' >much.out && head -n 1 much.out | grep -qx begun"

# --- killed
script again ': 4716; mkdir -p $out/d; for i in $(seq 1 200); do echo $i > $out/d/$i; done; [ -e /tmp/never ] || sleep ${pause:-0}; sleep 0.5; echo done > $out/done'
for moment in 0.02 0.1 0.3 0.5 0.52 0.55 0.6; do
	"$gx" build --store "$store" --no-link "$drv" >kill.log 2>&1 &
	pid=$!
	sleep $moment
	kill -9 $pid 2>/dev/null
	wait $pid 2>/dev/null
	stays_dead ": 4716" || echo "not ok - the builder outlives gx"
	"$gx" store verify --store "$store" --check-contents >verify.log 2>&1 || { echo "not ok - the store after kill -9 at $moment"; sed 's/^/# /' verify.log; }
done
check "after kill -9 at any moment the build succeeds" build "$drv"
check "whole" prints done cat "$(real "$out")/done"
# The next build removes them, once the builders of the killed have died too.
eventually_clean() {
	for n in 1 2 3 4 5; do
		no_leftovers >/dev/null && return
		sleep 1
		"$gx" build --store "$store" --no-link --rebuild "$drv" >/dev/null 2>&1
	done
	no_leftovers
}
check "the folders of the dead are gone" eventually_clean

# --- two at once
script shared 'echo x >> $out; date +%s%N >> $out; sleep 1'
build "$drv" >first.log 2>&1 &
sleep 0.4
build "$drv" >second.log 2>&1
rc=$?
wait
check "a second process waits for the first" prints 0 echo $rc
check "only one of them builds" prints 1 sh -c "cat first.log second.log | grep -c ^built"
check "the other says who does" sh -c "cat first.log second.log | grep \"waiting for '$drv': process [0-9]* (gx) is building it\""
# One process finds what the other built, and goes on with what needs it.
script base 'sleep 0.7; echo ok > $out'
base=$drv
script above 'sleep 0.2; echo ok > $out' -i "$base"
build "$drv" >first.log 2>&1 &
sleep 0.2
timeout 30 "$gx" build --store "$store" --no-link "$drv" >second.log 2>&1
rc=$?
wait
check "what waited for an input goes on when the other process has built it" prints 0 echo $rc
check "each is built once" prints 2 sh -c "cat first.log second.log | grep -c ^built"
for i in 1 2 3 4; do
	script "many$i" 'sleep 0.3; echo $name > $out' -e "name=many$i"
	all="${all-} $drv"
done
check "several at once" sh -c "'$gx' build --store '$store' --no-link -j 4 $all 2>many.log; [ \$(grep -c ^built many.log) = 4 ]"

# --- out of descriptors
script fds 'echo ok > $out'
few() { # at each number an orderly end: an error, or a build
	for n in 8 12 16 20 24 28 32 40; do
		rc=0
		(ulimit -n $n && exec "$gx" build --store "$store" --no-link --rebuild "$drv") >few.log 2>&1 || rc=$?
		[ $rc -lt 126 ] && { [ $rc = 0 ] || grep -q '^error: ' few.log; } || { echo "$n: status $rc"; cat few.log; return 1; }
		"$gx" store verify --store "$store" >few.log 2>&1 || { echo "$n:"; cat few.log; return 1; }
	done
}
check "few descriptors" build "$drv"
asan || check "are an orderly error" few
check "and the next build cleans up" sh -c "'$gx' build --store '$store' --no-link --rebuild '$drv'"
check "(it does)" no_leftovers

# --- without the sandbox
script bare 'test "$NIX_BUILD_TOP" = /build && echo ok > $out'
check "the sandbox stays where the store is elsewhere" build --sandbox none "$drv"
script kept 'test "$NIX_BUILD_TOP" = /build && echo ok > $out' -e __noChroot=1
check "so it does whatever a file says and a derivation asks for" sh -c "NIX_CONFIG='sandbox = false' '$gx' build --store '$store' --no-link '$drv' 2>kept.log"
check "and nobody says that it is gone" must_fail grep "not confined" kept.log
script bare 'echo other > $out'
check "no shell for builders is said" complains "there is no shell for builders" build --sandbox-shell /nope "$drv"
check "the store is in order at the end" "$gx" store verify --store "$store" --check-contents
exit 0
