# SPDX-License-Identifier: MIT
#
# gx doctor and gx config: what is found and what is missing, without a change to anything.
. "$srcdir/tests/integration/lib.sh"
gx=${gxeval%gxeval}gx
mkdir -p home
export HOME="$PWD/home" NO_COLOR=1
unset XDG_CONFIG_HOME XDG_CACHE_HOME XDG_DATA_HOME XDG_STATE_HOME NIX_PATH NIX_SSL_CERT_FILE SSL_CERT_FILE GX_COMPILE_CACHE
unset http_proxy https_proxy all_proxy HTTPS_PROXY ALL_PROXY GOPROXY GOENV
echo certificate >ca.pem

finds() { # TEXT COMMAND...: a line of what the command prints begins so, whatever its status
	_text=$1
	shift
	"$@" >found 2>&1
	awk -v text="$_text" 'substr($0, 1, length(text)) == text { n++ } END { exit n != 1 }' found || { cat found; return 1; }
}
check "a store that is named" finds "ok    store         a store below '$PWD/root'" "$gx" doctor --store ./root
check "nothing is written" test ! -e root
check "the library" finds "ok    gx:std        $(cd "$srcdir/stdlib" && pwd -P)" "$gx" doctor
check "certificates that are named" finds "ok    certificates  $PWD/ca.pem" env NIX_SSL_CERT_FILE="$PWD/ca.pem" "$gx" doctor
check "and are not there" finds "warn  certificates  cannot read the certificates '/none' named by SSL_CERT_FILE" \
	env SSL_CERT_FILE=/none "$gx" doctor
check "below it stands what to do" grep -q '^ \{20\}export NIX_SSL_CERT_FILE=FILE' found
check "something missing is status 1" status 1 env SSL_CERT_FILE=/none "$gx" doctor
check "no proxy" finds "ok    proxy         none" "$gx" doctor
check "a proxy, without its password" finds "ok    proxy         http://proxy:3128/, of https_proxy" \
	env https_proxy=http://me:secret@proxy:3128/ "$gx" doctor
check "module proxies, without theirs" finds "ok    GOPROXY       https://a.example/x@y,direct, of the environment" \
	env GOPROXY=https://me:secret@a.example/x@y,direct "$gx" doctor
mkdir beside && cp "$gx" beside/gx && ln -s "$srcdir/stdlib" beside/stdlib && ln "beside/gx" beside/busybox-static
check "a shell for builders beside the program" finds "ok    builders' sh  $PWD/beside/busybox-static" "$PWD/beside/gx" doctor
check "is the setting" prints "sandbox-shell = $PWD/beside/busybox-static" sh -c "'$PWD/beside/gx' config show sandbox-shell | head -n 1"
rm -r beside
check "no git" finds "warn  git           not in PATH" env PATH="$PWD/home" "$gx" doctor
if python3 "$srcdir/tests/integration/lib/no_namespaces.py" true 2>/dev/null; then
	check "no namespaces" finds "warn  sandbox       builds cannot be confined here" \
		python3 "$srcdir/tests/integration/lib/no_namespaces.py" "$gx" doctor
fi
env SSL_CERT_FILE=/none "$gx" doctor --json >found.json
check "as JSON" prints "[ \"certificates\" ]" gxeval --impure -E "map (f: f.what) (builtins.filter (f: !f.ok && f.what == \"certificates\" && f ? mend)
	(builtins.fromJSON (builtins.readFile $PWD/found.json)))"
check "it takes nothing" complains "takes nothing, not 'x'" "$gx" doctor x

# --- settings
check "each has a value and a sentence" sh -c "'$gx' config show | awk 'NR % 3 == 1 && !/^[a-z-]+ = ?/ || NR % 3 == 2 && !/^    .+\\./ { bad = 1 }
	END { exit bad || NR < 60 || NR % 3 }'"
check "what nothing sets" prints "max-call-depth = 10000
    How deep calls may be nested.
    a number; default" "$gx" config show max-call-depth
check "what the command line sets" prints "max-call-depth = 7
    How deep calls may be nested.
    a number; set by the command line" "$gx" config show max-call-depth --option max-call-depth 7
check "what the environment sets" prints "nix-path = a=/b" sh -c "NIX_PATH=a=/b '$gx' config show nix-path | head -n 1"
check "gx help settings is the same" prints "$("$gx" config show)" "$gx" help settings
"$gx" config show --json --option cores 3 >settings.json
check "settings as JSON" prints '[ "3" "0" "the command line" ]' gxeval --impure -E "let s = (builtins.fromJSON (builtins.readFile
	$PWD/settings.json)).cores; in [ s.value s.default s.from ]"
check "no such setting" complains "there is no setting 'max-jbos'" "$gx" config show max-jbos
mkdir man
"$gx" man --all man
check "there is a page of them" grep -q 'max\\-call\\-depth' man/gx-settings.7
