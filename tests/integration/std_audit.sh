# SPDX-License-Identifier: MIT
#
# gx std audit: what is pinned of Debian beside what apt knows.  apt is a script here.
. "$srcdir/tests/integration/lib.sh"
case $(uname -m) in
x86_64 | aarch64) ;;
*) echo "Debian's packages are not here for $(uname -m)"; exit 77 ;;
esac
export HOME="$PWD"
mkdir bin
cat >bin/apt-cache <<'X'
#!/bin/sh
echo "$*" >asked
cat answer
X
chmod 755 bin/apt-cache
PATH=$PWD/bin:$PATH

pinned=$(gxeval --raw --impure -E '(builtins.getFlake "gx:std").legacyPackages.${builtins.currentSystem}.debianVersions')
jq=$(printf '%s\n' "$pinned" | sed -n 's/^jq //p')
git=$(printf '%s\n' "$pinned" | sed -n 's/^git //p')
check "versions are known" [ -n "$jq" ] && [ -n "$git" ]
line() { # NAME VERSION SUITE
	printf '%10s | %s | http://mirror.example/debian %s/main amd64 Packages\n' "$1" "$2" "$3"
}
line jq "$jq" bookworm >answer
check "nothing is behind" prints "1 packages compared, 0 behind, 0 of them security updates" gx std audit
check "apt was asked for all" sh -c 'grep -q "^madison .* jq " asked && [ "$(wc -w <asked)" -gt 300 ]'
{
	line jq "9:$jq" bookworm-security
	line jq "$jq" bookworm
	line git "0~$git" bookworm
	line git "$git+new1" bookworm-updates
	line git "99:$git" trixie
	line unheard 1 bookworm
} >answer
check "what is behind is named" sh -c 'gx std audit >out; [ $? -eq 1 ]'
check "with what there is, and security updates as such" prints "git $git: there is $git+new1
jq $jq: there is 9:$jq, a security update
2 packages compared, 2 behind, 1 of them security updates" cat out
check "as JSON" sh -c 'gx std audit --json >out; [ $? -eq 1 ]'
check "which has the same" prints "{\"behind\":[{\"name\":\"git\",\"pinned\":\"$git\",\"security\":false,\"version\":\"$git+new1\"},{\"name\":\"jq\",\"pinned\":\"$jq\",\"security\":true,\"version\":\"9:$jq\"}],\"compared\":2}" cat out
line jq "$jq" trixie >answer
check "apt of another release" complains "apt knows nothing of Debian 12" gx std audit
printf '#!/bin/sh\necho "E: no lists" >&2\nexit 100\n' >bin/apt-cache
check "apt that fails" complains "apt cannot be asked" gx std audit
check "an operand" status 2 gx std audit git
