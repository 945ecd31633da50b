# SPDX-License-Identifier: MIT
#
# gx verify-tools: programs of an environment by their hashes, and two environments compared.
. "$srcdir/tests/integration/lib.sh"
gx=$builddir/gx
export HOME="$PWD/home"
object=$PWD/store/0123456789abcdfghijklmnpqrsvwxyz-go-1.0
mkdir -p home "$object/bin" bin
printf '#!/bin/sh\n' >"$object/bin/go"
printf 'other\n' >bin/gofmt
chmod +x "$object/bin/go" bin/gofmt
ln -s "$object/bin/go" bin/go
tools() { # WORD... with these programs only
	env PATH="$PWD/bin" "$gx" verify-tools "$@"
}
json="{\"system\":\"$(uname -m)-linux\",\"tools\":[{\"name\":\"go\",\"path\":\"$object/bin/go\",\"object\":\"$object\",\"narHash\":\"$("$gx" hash path "$object")\",\"sha256\":\"$(sha256sum "$object/bin/go" | cut -d' ' -f1)\"},{\"name\":\"gofmt\",\"path\":\"$PWD/bin/gofmt\",\"object\":null,\"narHash\":\"$("$gx" hash path bin/gofmt)\",\"sha256\":\"$(sha256sum bin/gofmt | cut -d' ' -f1)\"}]}"
check "the usual programs" prints "$json" tools --json
check "those that are named" prints "go  $object/bin/go
  object:  $("$gx" hash path "$object")
  sha256 of the program: $(sha256sum "$object/bin/go" | cut -d' ' -f1)" tools go
tools --json >here.json
check "an environment with the same" tools --json --against here.json
echo more >"$object/note"
check "an object of which something else is another" complains "'go' differs: here sha256-" tools --against here.json
rm "$object/note"
echo >>bin/gofmt
check "a program that is another" complains "'gofmt' differs" tools --against here.json
rm bin/gofmt
check "one that is there only" complains "'gofmt' is there only" tools --against here.json
printf 'x' >bin/gopls && chmod +x bin/gopls
check "one that is here only" complains "'gopls' is here only" tools --against here.json
check "one that is nowhere" complains "there is no program 'gofmt' in PATH" tools gofmt
rm bin/*
check "none at all" complains "none of the usual programs" tools
check "no table" complains "'x.json': it is not what gx verify-tools --json prints" sh -c 'echo "{}" >x.json; ln -s /bin/sh bin/go; PATH=$PWD/bin exec "$0" verify-tools --against x.json' "$gx"
check "no file" complains "'nowhere': cannot read" tools --against nowhere
