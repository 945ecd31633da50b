# SPDX-License-Identifier: MIT
#
# gx develop --fhs: a tree of the store is /usr for programs that expect one, all else is the machine's; the user stays who he is.  As root and
# as an ordinary user.  The tree is a folder of the test's own here; that of gx:std is made of Debian's packages (debian_real.sh).
. "$srcdir/tests/integration/lib.sh"
. "$srcdir/tests/integration/lib/build.sh"
mkdir -p home tmp
export HOME="$PWD/home" TMPDIR="$PWD/tmp" NO_COLOR=1
unset XDG_CONFIG_HOME XDG_STATE_HOME
unshare -m true 2>/dev/null || unshare -Urm true 2>/dev/null || { echo "no namespaces here"; exit 77; }

# A program that the machine has made for its loader and its C library, away from /usr; these two are in the tree.
cp -L "$(command -v env)" foreign
mkdir -p tree/bin tree/etc tree/share
ldd ./foreign | sed -n 's,^[^/]*\(/[^ ]*\) .*,\1,p' >libraries
while read -r file; do
	in_tree=tree${file#/usr}
	mkdir -p "${in_tree%/*}" && cp -L "$file" "$in_tree"
done <libraries
busybox=/bin/busybox
[ -x $busybox ] || busybox=/usr/bin/busybox
cp $busybox tree/bin/
for name in sh env id ls cat sleep touch; do ln -s busybox tree/bin/$name; done
printf '#!/bin/sh\necho "a shell, $SHELL, $0"\n' >tree/bin/bash
chmod +x tree/bin/bash
echo from a package >tree/etc/gx-greeting
echo from a package >tree/etc/passwd
cat >shell.gx <<'END'
{
  shell = derivation { name = "shell"; system = builtins.currentSystem; builder = "/bin/sh"; fhs = ./tree; GREETING = "hello"; };
  hooked = derivation { name = "hooked"; system = builtins.currentSystem; builder = "/bin/sh"; fhs = ./tree; shellHook = "exit 3"; };
  without = derivation { name = "without"; system = builtins.currentSystem; builder = "/bin/sh"; };
  machine = derivation { name = "machine"; system = builtins.currentSystem; builder = "/bin/sh"; fhs = "/usr"; };
  file = derivation { name = "file"; system = builtins.currentSystem; builder = "/bin/sh"; fhs = ./foreign; };
}
END
open_shell() { "$gx" develop --store "$store" --impure -f shell.gx "$@"; }
fhs() { open_shell shell --fhs --command "$@"; }
inside() { fhs sh -c "$@"; }

# --- programs
check "a program that names the usual loader" prints "A=1" fhs ./foreign -i A=1
printf '#!/usr/bin/env sh\necho "a script: $*"\n' >script
chmod +x script
check "a script that names /usr/bin/env" prints "a script: a b|c" fhs ./script "a b|c"
check "the tree is /usr" prints "$(ls tree)" inside 'ls /usr'
check "/bin leads into it" prints "$(ls tree/bin)" inside 'ls /bin'
check "its programs come first, by these names" prints /usr/bin inside 'echo "${PATH%%:*}"'
check "the shell's variables are there" prints hello inside 'echo $GREETING'
check "objects are where their paths say" prints "from a package" inside 'cat $fhs/etc/gx-greeting'
check "a shell is the tree's" prints "a shell, /bin/bash, /bin/bash" open_shell shell --fhs
check "nobody writes into it" must_fail inside 'touch /usr/a || touch /usr/bin/a'
check "without --fhs /usr is the machine's" prints "$(ls /usr)" open_shell shell --command ls /usr

# --- the rest is the machine's
check "the user is the same" prints "$(id -u) $(id -g)" inside 'echo $(id -u) $(id -g)'
check "so are his folder and his files" sh -c "'$gx' develop --store '$store' --impure -f shell.gx shell --fhs --command sh -c 'echo \$PWD >a.file' && [ \"\$(cat a.file)\" = '$PWD' ]"
check "which are his afterwards" prints "$(id -u)" stat -c %u a.file
check "who is who is the machine's" prints "$(cat /etc/passwd)" inside 'cat /etc/passwd'
check "other files of /etc are packages'" prints "from a package" inside 'cat /etc/gx-greeting'
check "and of nobody else" must_fail inside 'ls /etc/ld.so.cache'
check "nothing is left behind" sh -c '! ls -d /tmp/gx-root-?????? tmp/gx-root-* 2>/dev/null | grep -q .'

check "a store whose paths say where it lies" prints "A=1 from a package" "$gx" develop --store-dir "$PWD/own/store" --impure -f shell.gx shell --fhs \
	--command sh -c 'echo "$(./foreign -i A=1) $(cat $fhs/etc/gx-greeting)"'

# --- the end of a program
check "its status counts" status 7 inside 'exit 7'
check "its death by a signal does" status 137 inside 'kill -9 $$'
# Folders that he may not look into would say something else.
check "a program that is not there" status 127 env PATH=/usr/bin:/bin "$gx" develop --store "$store" --impure -f shell.gx shell --fhs --command no-such-program
check "the hook runs in the tree's shell" prints "a shell, /bin/bash, /bin/bash" open_shell hooked --fhs --command sh -c 'echo not reached'
inside 'trap "exit 5" TERM; touch ready; while :; do sleep 0.1; done' &
pid=$!
tries=0
until [ -e ready ] || [ $((tries += 1)) -gt 300 ]; do sleep 0.1; done
# The function runs in a process of its own, gx below it.
kill -TERM "$(ps -o pid= --ppid $pid | head -n 1 | tr -d ' ')" 2>/dev/null || kill -TERM $pid
check "a signal is passed on" status 5 wait $pid

# --- what cannot be
check "a shell without a tree" complains "'without' has no merged tree" open_shell without --fhs --command true
check "a tree that is not in the store" complains "is no folder of the store" open_shell machine --fhs --command true
check "nor a folder" complains "is no folder of the store" open_shell file --fhs --command true
no_namespaces() { # COMMAND...
	unshare -Ur sh -c 'echo 0 >/proc/sys/user/max_user_namespaces && echo 0 >/proc/sys/user/max_mnt_namespaces && exec "$@"' - "$@"
}
if no_namespaces true 2>/dev/null; then
	check "where there are no namespaces" complains "allows no user namespaces" no_namespaces \
		"$gx" develop --store "$store" --impure -f shell.gx shell --fhs --command true
else
	skip "where there are no namespaces" "they cannot be limited here"
fi
remove "$store" own
