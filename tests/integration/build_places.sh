# SPDX-License-Identifier: MIT
#
# Building in stores at other places, and without the sandbox.
. "$srcdir/tests/integration/lib.sh"
. "$srcdir/tests/integration/lib/build.sh"

# --- a store of one's own, below /tmp as it happens, which builders have as well
dir=$PWD/own/store
store=dir:$dir
build() { "$gx" build --store-dir "$dir" --no-link "$@"; }
script dep 'mkdir $out; echo dep > $out/x'
dep=$drv depout=$out
script top 'pwd; cp $dep/x $out; echo x > /tmp/gx-built-here' -i "$dep" -e "dep=$depout"
check "a relocated store" build "$drv"
check "has its own paths" prints "$dir" dirname "$out"
check "with contents" prints dep cat "$out"
check "what was put into /tmp is gone" sh -c '[ ! -e /tmp/gx-built-here ]'

# --- without the sandbox: the machine's own shell
path='PATH=/usr/bin:/bin; '
script bare "$path"'pwd; echo "$NIX_BUILD_TOP"; echo ok > $out; sleep 4713 & (setsid sleep 4713 >/dev/null 2>&1 &); exit 0'
build -L --sandbox none "$drv" >bare.log 2>&1
rc=$?
check "a build without the sandbox" prints 0 echo $rc
check "says that it is one" grep -q "without the sandbox" bare.log
check "it works in a folder of its own" grep -q "^bare> .*/builds/.*/build$" bare.log
check "its output is there" prints ok cat "$out"
check "what it left running is killed" stays_dead "sleep 4713"
script barefail 'echo x > $out; exit 4'
check "a failing one" complains "failed with exit code 4" build --sandbox none "$drv"
check "leaves no output" sh -c "[ ! -e '$out' ]"
script two "$path"'mkdir $out; echo $out $xdev > $out/names; echo d > $xdev' -o out -o xdev
check "without the sandbox, of two outputs" build --sandbox none "$drv"
"$gx" store delete --store-dir "$dir" "$out" >delete.log 2>&1
check "one that is gone is made beside the other" build --sandbox none "$drv"
"$gx" path-info --store-dir "$dir" --json "$out" | grep -o "$dir/[^\"]*-two-xdev" | sort -u >refs
check "both are called by their own names" prints "$out $(sed -n 3p drv.log)" cat "$out/names"
check "and found to be referred to" grep -qx "$(sed -n 3p drv.log)" refs
check "built once more it is the same" build --sandbox none --rebuild "$drv"
check "nothing is left under other names" prints 2 sh -c "ls -d '$dir'/*-two '$dir'/*-two-xdev | wc -l"
script changing "$path"'date +%N > $out'
build --sandbox none "$drv" >changing.log 2>&1
check "without the sandbox, built once more it differs" mentions "may not be deterministic" build --sandbox none --rebuild "$drv"
check "what was valid stays" "$gx" store verify --store-dir "$dir" "$out"
check "nothing is left of the other" prints 1 sh -c "ls -d '$dir'/*-changing | wc -l"
script bareslow "$path"'trap "" TERM; sleep 4714 & sleep 4714'
check "one that hangs is killed whole" complains "timed out" build --sandbox none --timeout 1 "$drv"
check "with all its processes" stays_dead "sleep 4714"
"$gx" build --store-dir "$dir" --no-link --sandbox none "$drv" >slow.log 2>&1 &
pid=$!
for i in $(seq 1 50); do running "sleep 4714" && break; sleep 0.1; done
kill -9 $pid
wait $pid 2>/dev/null
check "and when gx is killed" stays_dead "sleep 4714"
script suid "$path"'cp $0 $out 2>/dev/null || echo x > $out; chmod 4755 $out; echo "status $?"'
check "the call filter stays" sh -c "'$gx' build --store-dir '$dir' --no-link --sandbox none '$drv' -L 2>&1 | grep -q 'status 1'"

# --- where builders work
mkdir elsewhere elsewhere/nix-mine
script kept "$path"'echo $NIX_BUILD_TOP; echo left > left; exit 1'
check "a failed one in a folder that was named" must_fail build --sandbox none -K --option build-dir "$PWD/elsewhere" "$drv"
check "is kept there" prints left sh -c 'cat elsewhere/nix-*/build/left'
check "also when another has begun" sh -c "! '$gx' build --store-dir '$dir' --no-link --sandbox none --option build-dir '$PWD/elsewhere' '$drv' && cat elsewhere/nix-*/build/left"
check "of others nothing is removed" test -d elsewhere/nix-mine
check "what did not ask to be kept is gone" prints 2 sh -c 'ls -d elsewhere/nix-* | wc -l'
check "a folder that is not there" complains "cannot open the folder of builds" build --option build-dir "$PWD/nowhere" "$drv"
check "without the sandbox one is kept where its builder saw it" sh -c "'$gx' build --store-dir '$dir' --no-link --sandbox none -K -L '$drv' 2>keep.log
	grep left \"\$(sed -n 's/^kept> //p' keep.log)/left\""

# --- what builders see besides
echo seen >seen
script sees 'cat /seen /deep/er/seen >$out; (echo x >/seen) || :'
see="$PWD/seen"
check "what sandbox-paths names is seen" build --sandbox-paths "/seen=$see /deep/er/seen=$see?" "$drv"
check "as it is" prints "seen seen" sh -c "tr '\n' ' ' <'$out' | sed 's/ \$//'"
check "and not written to" prints seen cat seen
check "what is not there" complains "sandbox-paths" build --rebuild --sandbox-paths "/seen=$PWD/unseen" "$drv"
script missing '[ ! -e /seen ] && echo > $out'
check "unless it need not be" build --sandbox-paths "/seen=$PWD/unseen?" "$drv"
check "what is no path" complains "neither PATH nor PATH=SOURCE" build --rebuild --sandbox-paths seen "$drv"
script shell 'echo "$0" > $out; [ -e /bin/ls ] || exit 3'
check "a /bin of the machine has its own shell" build --sandbox-paths "/bin /usr /lib? /lib64?" "$drv"

script relaxed 'echo ok > $out' -e __noChroot=1
check "a relaxed sandbox lets those out that ask" build --sandbox relaxed "$drv"
check "the store is in order" "$gx" store verify --store-dir "$dir" --check-contents

# --- where nothing is said: the user's own root, as /nix belongs to somebody else
if [ "$(id -u)" != 0 ]; then
	export XDG_DATA_HOME="$PWD/data"
	store=auto
	script default 'echo $out > $out'
	check "the user's own root" "$gx" build -o link "$drv"
	check "is seen as /nix/store" prints "$out" cat "$PWD/data/gx/root$out"
	check "the link leads there" prints "$out" readlink link
fi
exit 0
