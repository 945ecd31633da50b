# SPDX-License-Identifier: MIT
#
# GOAUTH: a module proxy on this machine that wants to know who asks.  Who may be told is told, in the form that Go documents; what was
# told is in no message, no log and no file.
. "$srcdir/tests/integration/lib.sh"
gx=$builddir/gx
for t in python3 openssl git; do command -v $t >/dev/null 2>&1 || { echo "there is no $t"; exit 77; }; done
mkdir -p home repo
export HOME="$PWD/home" XDG_CACHE_HOME="$PWD/cache" NO_COLOR=1 GOENV=off GOPRIVATE=example.org no_proxy='*' GIT_CONFIG_GLOBAL=/dev/null
unset GOAUTH GONOPROXY NETRC http_proxy https_proxy all_proxy HTTPS_PROXY ALL_PROXY

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout localhost.key -out localhost.pem -days 2 \
	-subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 >openssl.log 2>&1 || { cat openssl.log; echo "openssl makes no certificates"; exit 77; }
export SSL_CERT_FILE="$PWD/localhost.pem"
. "$srcdir/tests/integration/lib/one_module.sh"
: >requests
python3 "$srcdir/tests/integration/lib/auth.py" >server.log 2>&1 &
server=$!
trap ': >stop; wait $server 2>/dev/null' EXIT
for i in $(seq 1 100); do [ -e ports ] && break; sleep 0.1; done
[ -e ports ] || { cat server.log; exit 1; }
at() { echo "https://localhost:$(sed -n "s/^proxy //p" ports)/$1"; }

realise() { # GOAUTH PROXY
	: >requests
	[ ! -e s ] || { chmod -R u+w s; rm -rf s; }
	GOAUTH=$1 GOPROXY=$2 "$gxeval" --store "$PWD/s" --realise -E "$fetch" >realise.log 2>&1
	_rc=$?
	cat realise.log realise.log >>all.log
	cat realise.log >&2
	return $_rc
}
asked() { cut -d ' ' -f 1,3- requests; }
basic="Basic am9lOnNlY3JldA=="

if ! realise off "$(at open)" 2>probe.log && grep -q namespace probe.log; then
	head -n 1 probe.log
	exit 77
fi
check "nobody asks, nobody is told" prints "proxy none none" asked
check "who is not known" complains "the server says 401" realise off "$(at basic)"
printf 'machine localhost login joe password secret\n' >home/.netrc
check "off means the netrc too" complains "the server says 401" realise off "$(at basic)"
check "it was told nothing" prints "proxy none none" asked
check "what is not set is netrc" realise "" "$(at basic)"
check "so is netrc" realise netrc "$(at basic)"
check "at once" prints "proxy $basic none" asked
check "not where nothing is encrypted" realise netrc "http://localhost:$(sed -n 's/^plain //p' ports)/open"
check "as Go has it" prints "plain none none" asked
check "what is in the address is told all the same" realise off "$(at basic | sed 's|//|//joe:secret@|')"

# --- programs
program() { # NAME: its text is read from standard input
	{ echo '#!/bin/sh'; cat; } >"$1"
	chmod +x "$1"
}
program known <<Y
echo >>"$PWD/known.runs"
printf '$(at token)\n\nPrivate-Token: s3cr3t\n\n'
Y
check "a program that knows" realise "$PWD/known" "$(at token)"
check "is asked before" prints "proxy none s3cr3t" asked
two() {
	rm -rf known.runs s
	GOAUTH=$PWD/known GOPROXY=$(at token) "$gxeval" --store "$PWD/s" --realise -E "[ ($fetch) ($(echo "$fetch" | sed 's/name = "a"/name = "b"/')) ]" &&
		[ "$(wc -l <known.runs)" = 1 ]
}
check "and once" two
program later <<Y
[ -n "\$1" ] || exit 0
cat >"$PWD/refusal"
echo "\$*" >"$PWD/address"
printf 'https://elsewhere.example\n$(at token)/example.com/\n\nPrivate-Token: s3cr3t\n\n'
Y
check "one that wants to know the address" realise "$PWD/later" "$(at token)"
check "is told it when the server refused" grep -qx "$(at token)/example.com/a/@v/v1.0.0.zip" address
check "and what the server said" sh -c 'head -n 1 refusal | grep -q "^HTTP/1.1 401 Unauthorized" && grep -q "^Realm: here" refusal && [ -z "$(tail -n 1 refusal | tr -d "\r")" ]'
check "then it works" prints "proxy none none
proxy none s3cr3t" asked
program nothing <<Y
exit 0
Y
check "one that knows nothing" complains "the server says 401" realise "$PWD/nothing" "$(at token)"
program elsewhere <<Y
printf '$(at toke)\n\nPrivate-Token: s3cr3t\n\n'
Y
check "one that knows of another place" complains "the server says 401" realise "$PWD/elsewhere" "$(at token)"
check "what is for another place goes nowhere" prints "proxy none none" asked
program wrong <<Y
printf '$(at token)\n\nPrivate-Token: n0ns3ns3\n\n'
Y
check "of two that know the first counts" realise "$PWD/known; $PWD/wrong" "$(at token)"
check "it was not told" prints "proxy none s3cr3t" asked
check "nor the other way" complains "the server says 401" realise "$PWD/wrong;$PWD/known" "$(at token)"
program quoted <<Y
[ "\$1" = "a  b" ] || exit 1
exec "$PWD/known"
Y
check "arguments in quotes" realise "$PWD/quoted 'a  b'" "$(at token)"

# --- where it is led
program known-led <<Y
printf '$(at led)\n\nPrivate-Token: s3cr3t\nAuthorization: Bearer s3cr3t\n\n'
Y
check "somebody who leads on is followed" realise "$PWD/known-led" "$(at led)"
check "without what was for him" prints "proxy Bearer s3cr3t s3cr3t
other none none" asked
program known-down <<Y
printf '$(at down)\n\nPrivate-Token: s3cr3t\n\n'
Y
check "not to where nothing is encrypted" complains "leads from https to an address that is not https" realise "$PWD/known-down" "$(at down)"

# --- git
git init -q repo
program helper <<Y
cat >"$PWD/helper.\$1"
[ "\$1" != get ] || printf 'username=joe\npassword=secret\n'
Y
git -C repo config credential.helper "$PWD/helper"
check "git knows" realise "git $PWD/repo" "$(at basic)"
check "it is asked when the server refused" prints "proxy none none
proxy $basic none" asked
check "and told that it was right" grep -qx password=secret helper.store
git -C repo config --replace-all credential.helper "$PWD/stranger"
sed 's/password=secret/password=n0ns3ns3/' helper >stranger && chmod +x stranger
check "or not" complains "the server says 401" realise "git $PWD/repo" "$(at basic)"
check "so that it forgets" grep -qx password=n0ns3ns3 helper.erase
git -C repo config --unset-all credential.helper
check "where it knows nothing" complains "(of GOAUTH, 'git' failed)" realise "git $PWD/repo" "$(at basic)"
check "then the next is heard" realise "git $PWD/repo; netrc" "$(at basic)"

# --- what is wrong
program broken <<Y
echo "cannot log in with s3cr3t" >&2
printf 'https://localhost/\n\nPrivate-Token: s3cr3t\n'
exit 3
Y
check "a program that fails" complains "(of GOAUTH, '$PWD/broken' failed)" realise "$PWD/broken --password s3cr3t" "$(at token)"
program babble <<Y
printf '$(at token)\n\nPrivate-Token: s3cr3t\n\nhttps://x.example\nfoo\n'
Y
check "one that says something else" complains "'$PWD/babble' failed" realise "$PWD/babble" "$(at token)"
check "of which nothing is taken" prints "proxy none none" asked
check "one that is not there" complains "'/no/such/program' failed" realise /no/such/program "$(at token)"
check "an empty command" complains "GOAUTH names an empty command" realise "netrc;;x" "$(at open)"
check "off and others" complains "'off' in GOAUTH cannot be combined" realise "off;netrc" "$(at open)"
check "a relative folder" complains "wants the absolute path of a folder" realise "git repo" "$(at open)"
check "an open quote" complains "a quote without its end" realise "x 'y" "$(at open)"

# --- gx doctor
check "gx doctor names the methods" sh -c "GOAUTH='netrc;$PWD/known --password s3cr3t' '$gx' doctor --store '$PWD/s' | tee -a all.log | grep -q 'GOAUTH .*netrc, $PWD/known'"
check "gx doctor knows a list that is wrong" sh -c "GOAUTH='off;netrc' '$gx' doctor --store '$PWD/s' | grep -A 1 'warn  *GOAUTH' | grep -q 'cannot be combined'"

realise "$PWD/known" "$(at token)"
check "what was told is in no message" sh -c "! grep -E 's3cr3t|n0ns3ns3|am9l|joe:secret' all.log"
check "and no file" sh -c "! grep -rlE 's3cr3t|n0ns3ns3|am9lOnNl' s cache home/.cache home/.local 2>/dev/null"
