# SPDX-License-Identifier: MIT
#
# What builders must not be able to do (doc/ARCHITECTURE.md, the advisories behind build/sandbox.c and build/seccomp.c).
. "$srcdir/tests/integration/lib.sh"
. "$srcdir/tests/integration/lib/build.sh"

real() { echo "$store$1"; }
log() { "$gx" log --store "$store" "$1"; }
quiet() { log "$1" >quiet.log 2>&1; ! grep EVIL quiet.log; }

# --- what it sees
script sees 'ls -A / | tr "\n" " " > $out; ls -A /dev | tr "\n" " " >> $out; ls -A /etc | tr "\n" " " >> $out; ls /nix/store | wc -l >> $out'
check "a builder sees little" build "$drv"
check "exactly this" prints "bin build dev etc nix proc tmp fd full $(for d in kvm; do [ -e /dev/$d ] && printf '%s ' $d; done)null ptmx pts random shm stderr stdin stdout tty urandom zero group hosts passwd 1" \
	cat "$(real "$out")"
script shadow 'cat /etc/shadow'
check "it cannot read /etc/shadow" status 100 build "$drv"
script secret 'ls "$PWD"/../.. /home /root /proc/1/root/home; cat '"$PWD/secret"
echo secret >secret
check "nor a file of its user" status 100 build "$drv"
script write 'touch /x; touch /etc/x; echo evil > /etc/passwd; touch /bin/x; rm -f /bin/sh; mkdir /nix/x; touch /nix/store/evil; ls / /etc /bin; echo ok > $out'
check "it cannot write outside its folders" build "$drv"
check "what it put beside its output is gone" sh -c "[ ! -e '$store/nix/store/evil' ]"
script who 'id -u; id -g; cat /proc/self/uid_map; echo ok > $out'
check "it is nobody" build "$drv"
log "$drv" >who.log
check "it is not root outside, nor as root whoever started it" sh -c \
	"set -- \$(sed -n 3p who.log); [ \$1 = 1000 ] && { [ $(id -u) != 0 ] || [ \$2 != 0 ]; }"
script net 'grep -c : /proc/net/dev; ping -c 1 -W 1 192.0.2.1; wget -T 1 -O - http://192.0.2.1/ && exit 1; nc -w 1 127.0.0.1 22; echo ok > $out'
check "it has no network" build "$drv"
check "but a loopback" prints 1 sh -c "'$gx' log --store '$store' '$drv' | head -n 1"
script input 'chmod u+w $dep; touch $dep/x; rm -rf $dep/y; mv $dep $out; ls $dep; mkdir -p $out' -e "dep=$out"
check "(an input that cannot be changed)" build "$drv"

# --- links that lead out
script link 'ln -s /etc/shadow $out'
check "a link as output stays a link" sh -c "'$gx' build --store '$store' --no-link '$drv' && [ -L '$(real "$out")' ]"
script planted 'mkdir $out; echo good > $out/x; cd /nix/store; for i in $(seq 1 50); do ln -s '"$PWD"'/canary $out.tmp$i; ln -s '"$PWD"'/canary .tmp-$i; ln -s '"$PWD"'/canary ${out##*/}-$i; done; ln -s '"$PWD"'/canary $out.lock; ln -s '"$PWD"'/canary $out.check'
echo canary >canary
check "links planted beside the output" build "$drv"
check "change nothing" prints canary cat canary
script special 'mkfifo $out'
check "a pipe is no output" status 100 build "$drv"
script unreadable 'mkdir -p $out/d/e; echo x > $out/d/f; chmod 0 $out/d/f $out/d/e $out/d $out; mkdir -p d/e; chmod 0 d/e d'
check "files without rights" build "$drv"
check "become readable" prints x cat "$(real "$out")/d/f"
script open 'echo x > $out; chmod 666 $out'
check "a world-writable output is rejected" complains "suspicious ownership or permission" build "$drv"

# Outputs are seen by others only as they stay: whoever looks all the time finds nothing that he could write or that is setuid.
cat >watch.py <<'END'
import os, sys
name, folder, bad = sys.argv[1], sys.argv[2], 0
def look(path):
    global bad
    try:
        st = os.lstat(path)
    except OSError:
        return
    if st.st_mode & 0o7022 and not os.path.islink(path):
        print("seen: %o %s" % (st.st_mode, path))
        bad = 1
    if os.path.isdir(path) and not os.path.islink(path):
        try:
            for entry in os.listdir(path):
                look(os.path.join(path, entry))
        except OSError:
            pass
open("watching", "w").close()
while not os.path.exists("seen-enough"):
    look(os.path.join(folder, name))
sys.exit(bad)
END
script seen 'umask 0; mkdir $out; for i in $(seq 1 300); do mkdir $out/d$i; echo x > $out/d$i/f; chmod 777 $out/d$i $out/d$i/f; done; chmod 755 $out'
if command -v python3 >/dev/null; then
	python3 watch.py "${out##*/}" "$store/nix/store" >watch.log 2>&1 &
	watcher=$!
	while [ ! -e watching ]; do sleep 0.05; done
	check "an output of files that all may write" build "$drv"
	: >seen-enough
	wait $watcher
	check "is never seen as such" test $? = 0
	check "(by whoever looks)" test ! -s watch.log
else
	skip "an output of files that all may write is never seen as such" "no python3"
fi

# --- a program of our own
${CC:-cc} -static -O1 -o evil "$srcdir/tests/integration/lib/evil.c" 2>cc.log || {
	skip "builders that are programs of our own, and who else is on this machine" "no static C library"
	exit 0
}
evil=$("$gx" store add --store "$store" evil) || exit 1
own() { _n=$1; shift; "$mkdrv" "$store" "$_n" -s "$evil" "$@" -- "$evil" "$_n" $$ >drv.log || exit 1; drv=$(sed -n 1p drv.log); out=$(sed -n 2p drv.log); }

own setuid
check "no call makes a setuid file" build "$drv"
check "(by its own account)" quiet "$drv"
own hold
check "a builder that leaves a process behind" build "$drv"
check "is cleaned up" stays_dead "$evil hold $$"
check "what it wrote stays" prints good cat "$(real "$out")"
hash=$(printf 'good\n' | sha256sum | cut -d ' ' -f 1)
own hold -e x=1 -f "flat:sha256:$hash"
check "the same with a fixed output" sh -c "'$gx' build --store '$store' --no-link '$drv' || [ \$? = 100 ]"
check "no process is left" stays_dead "$evil hold $$"
check "if it is valid, it is what it must be" sh -c "! '$gx' path-info --store '$store' '$out' || { sleep 0.2; [ \"\$(cat '$(real "$out")')\" = good ]; }"
hash=$(printf 'net\n' | sha256sum | cut -d ' ' -f 1)
own server -f "flat:sha256:$hash"
server=$drv
own client -f "flat:sha256:$hash"
check "two networked builders at an abstract socket" build -j 2 "$server" "$drv"
check "do not meet (one)" prints alone log "$server"
check "do not meet (two)" prints alone log "$drv"
out=$PWD/o1 "$mkdrv" --filtered "$PWD/evil" server >server.log &
check "where the kernel has no scopes, the call filter keeps them apart" prints alone env out="$PWD/o2" "$mkdrv" --filtered "$PWD/evil" client
wait
check "(the other one)" prints alone cat server.log
# Outside of every sandbox somebody listens whom a builder would hand its output to.
rm -f outside.log
out=$PWD/o3 ./evil server >outside.log &
outside=$!
drv outsider -s "$evil" -f "flat:sha256:$hash" -- "$evil" client
check "a networked builder and a process of this machine" build "$drv"
check "do not meet either" prints alone log "$drv"
wait $outside
check "(by the other's account)" prints alone cat outside.log
own bomb
check "a fork bomb is bounded" build "$drv"
check "(by its own account)" quiet "$drv"
check "and gone" stays_dead "$evil bomb $$"

# --- others on this machine
script slow 'chmod 777 /build /tmp $NIX_BUILD_TOP; mkfifo /build/pipe; chmod 666 /build/pipe; sleep 2; echo ok > $out'
build "$drv" >slow.log 2>&1 &
sleep 1
check "nobody else can enter the folders of builds" prints 700 stat -c %a "$store/nix/var/nix/builds"
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	# Not by name, and not through a folder that somebody stands in already.
	mkdir -m 755 reach && cp -r "$store/nix/var/nix/builds"/*/build reach/copy 2>/dev/null
	others() { setpriv --reuid=65533 --regid=65533 --clear-groups "$@"; }
	here=$(ls -d "$store"/nix/var/nix/builds/*/build)
	check "(tried)" sh -c 'cd / && for d; do [ ! -e "$d" ] || exit 1; done' - $(others ls -d "$here" "$here/pipe" 2>/dev/null)
	check "(nor written to)" must_fail others sh -c "echo evil >$here/pipe"
elif [ -n "${BUILD_AS-}" ]; then
	: # root tried
elif [ "$(id -u)" != 0 ]; then
	skip "nor does somebody else, by name or otherwise" "not root"
else
	skip "nor does somebody else, by name or otherwise" "no setpriv"
fi
wait
script haslinked 'mkdir $out; echo dep > $out/x'
check "(an input)" build "$drv"
linked=$out
script linkfails 'mkdir k; ln $dep/x k/hard; ln /etc/passwd k/passwd; ln /bin/sh k/sh; chmod 0666 k/*; exit 1' -i "$drv" -e "dep=$linked"
before=$(stat -c '%a %u %h' "$(real "$linked")/x" /bin/busybox)
check "hard links in the folder of a failed build" complains "keeping build directory" build --keep-failed "$drv"
check "are none to what it was given" prints "$before" stat -c '%a %u %h' "$(real "$linked")/x" /bin/busybox
rm -rf "$store/nix/var/nix/builds/kept-linkfails-0"
script keep 'mkdir k; ln -s '"$PWD"'/canary k/link; echo kept > k/file; exit 1'
chmod 600 canary
check "a failed build's folder is kept when asked for" complains "keeping build directory" build --keep-failed "$drv"
check "with what was in it" prints kept cat "$store"/nix/var/nix/builds/kept-keep-0/build/k/file
check "what it links to is as it was" prints "600 $(id -u)" stat -c "%a %u" canary
check "the store is in order" "$gx" store verify --store "$store" --check-contents
exit 0
