# SPDX-License-Identifier: MIT
#
# Real modules through the user's module proxy, against what the go command says of them; and a proxy in a folder made
# from the same files, which then lies.  Skipped without go or without the network.
. "$srcdir/tests/integration/lib.sh"
gofetch=$builddir/tests/tools/gofetch

command -v go >/dev/null 2>&1 || { echo "there is no go program"; exit 77; }
export GOFLAGS=-modcacherw GOTOOLCHAIN=local GOPATH="$PWD/gopath" GOCACHE="$PWD/gocache"
unset GOMODCACHE
[ -n "${GOPROXY-}" ] || GOPROXY=$(go env GOPROXY)
export GOPROXY
if ! timeout 60 "$gofetch" rsc.io/quote v1.5.2 probe >/dev/null 2>probe.log; then
	echo "modules cannot be fetched here: $(tail -n 1 probe.log)"
	exit 77
fi

field() { sed -n "s/^[[:space:]]*\"$1\": \"\(.*\)\",*\$/\1/p" "$2"; }

same_as_go() { # MODULE VERSION
	go mod download -json "$1@$2" >go.json || return 1
	dir=tree-$(echo "$1" | tr '/' '_')
	"$gofetch" "$1" "$2" "$dir" >sums || return 1
	[ "$(sed -n 1p sums)" = "$(field Sum go.json)" ] || { cat sums go.json; return 1; }
	[ "$(sed -n 2p sums)" = "$(field Sum go.json)" ] || { cat sums go.json; return 1; }
	[ "$(sed -n 3p sums)" = "$(field GoModSum go.json)" ] || { cat sums go.json; return 1; }
	diff -r "$dir" "$(field Dir go.json)" || return 1
	[ -z "$(find "$dir" -type f ! -perm 0444)" ]
}

while read -r module version; do
	check "$module $version is what go downloads" same_as_go "$module" "$version"
done <<'EOF'
rsc.io/quote v1.5.2
rsc.io/quote/v3 v3.1.0
github.com/BurntSushi/toml v1.3.2
gopkg.in/yaml.v3 v3.0.1
github.com/Masterminds/semver v1.5.0
github.com/docker/distribution v2.8.3+incompatible
golang.org/x/exp v0.0.0-20240112132812-db7319d0e0e3
golang.org/x/text v0.14.0
EOF

# --- a proxy in a folder ---
download=$GOPATH/pkg/mod/cache/download
lie() { # COMMAND that changes module.zip
	rm -rf proxy out
	mkdir -p proxy/rsc.io/quote/@v
	cp "$download"/rsc.io/quote/@v/v1.5.2.zip module.zip
	eval "$1"
	cp module.zip proxy/rsc.io/quote/@v/v1.5.2.zip
	cp "$download"/rsc.io/quote/@v/v1.5.2.mod proxy/rsc.io/quote/@v/
	GOPROXY=file://$PWD/proxy "$gofetch" rsc.io/quote v1.5.2 out h1:w5fcysjrx7yqtD/aO+QwRjYZOKnaM9Uh2b40tElTs3Y=
}
flip() { # OFFSET
	printf '\377' | dd of=module.zip bs=1 seek="$1" conv=notrunc 2>/dev/null
}
check "a proxy in a folder" lie :
check "a flipped byte in a file" complains "Go module 'rsc.io/quote@v1.5.2'" lie 'flip 150'
check "a zip that is cut off" complains "not a valid zip file" lie 'truncate -s -100 module.zip'
check "another module's zip" complains "does not have prefix" lie 'cp "$download"/rsc.io/quote/v3/@v/v3.1.0.zip module.zip'
check "an empty file" complains "not a valid zip file" lie ': >module.zip'
check "no such module" complains "cannot fetch" env GOPROXY=file://$PWD/proxy "$gofetch" rsc.io/none v1.0.0 out2
check "GOPROXY=off" complains "disabled by GOPROXY=off" env GOPROXY=off "$gofetch" rsc.io/quote v1.5.2 out3
exit 0
