# SPDX-License-Identifier: MIT
#
# How gx comes to the user's Go settings, and what it knows of a folder with Go in it, without a network: a module proxy in a folder,
# a toolchain made here, and a go command that only answers questions.
. "$srcdir/tests/integration/lib.sh"
gx=$builddir/gx
command -v python3 >/dev/null 2>&1 || { echo "there is no python3"; exit 77; }
mkdir -p home bin
export HOME="$PWD/home" XDG_CACHE_HOME="$PWD/cache" XDG_STATE_HOME="$PWD/state" NO_COLOR=1
unset GOENV GOPROXY GOPRIVATE GONOPROXY GOTOOLCHAIN XDG_CONFIG_HOME

# --- the proxy that the machine's go command knows
. "$srcdir/tests/integration/lib/one_module.sh"
realise() { remove s; gxeval --store "$PWD/s" --realise -E "$fetch"; }
# An environment in which the only go is the one in ./bin.
tools=$PWD/tools
mkdir -p tools && for t in sh cat rm chmod env grep sed awk; do ln -s "$(command -v $t)" tools/$t; done
only() { PATH="$PWD/bin:${gxeval%/*}:$tools" "$@"; }
go_says() { # a go command that answers these lines to `go env GOPROXY GONOPROXY GOPRIVATE GOAUTH`
	printf '#!/bin/sh\n[ "$*" != "-C %s mod download example.com/a@v1.0.0" ] || { echo "no such repository" >&2; exit 1; }\n[ "$*" = "env GOPROXY GONOPROXY GOPRIVATE GOAUTH" ] && [ "$GOTOOLCHAIN" = local ] || exit 9\necho asked >>%s/asked\ncat <<END\n%s\nEND\n' "$PWD/cache/gx/modules" "$PWD" "$1" >bin/go
	chmod +x bin/go
}
check "nothing says which proxy: what was tried, and what to set" only complains "neither the environment, nor 'go env -w', nor a go command in PATH says which module proxy to use: set GOPROXY" realise
go_says "file://$PWD/proxy

"
check "the machine's go knows one" only realise
once() { # two modules in one run
	remove s asked
	gxeval --store "$PWD/s" --realise -E "[ ($fetch) ($(echo "$fetch" | sed 's/name = "a"/name = "b"/')) ]" && [ "$(cat asked)" = asked ]
}
check "and is asked once" only once
go_says "file://$PWD/proxy

example.com/*"
check "and which modules are private: it is to bring them" only complains "no such repository" realise
go_says "file://$PWD/nowhere

"
: >asked
check "the environment comes first" only env GOPROXY="file://$PWD/proxy" GOPRIVATE=example.org GOAUTH=netrc "$gxeval" --store "$PWD/s1" --realise -E "$fetch"
mkdir -p home/.config/go && echo "GOPROXY=file://$PWD/proxy" >home/.config/go/env
check "and is enough" [ ! -s asked ]
check "then the file of go env -w" only realise
rm home/.config/go/env
printf '#!/bin/sh\nexit 1\n' >bin/go
check "one that fails knows nothing" only complains "set GOPROXY" realise
check "nor is it asked when nothing is to be fetched" only sh -c "rm -f asked; printf '#!/bin/sh\necho asked >$PWD/asked' >bin/go; '$gxeval' --store '$PWD/s1' --realise -E '$(echo "$fetch" | tr '\n' ' ')' && [ ! -e asked ]"

# --- a folder with Go in it
mkdir -p module/cmd/service workspace/app workspace/tool/cmd/tool workspace/lib
printf 'module example.com/x/service/v2\n\ngo 1.26.11\n' >module/go.mod
printf 'package main\n\nfunc main() {}\n' >module/cmd/service/main.go
printf 'go 1.26.11\n\nuse ./app\nuse (\n\t"./tool" // it\n\t./lib\n)\n' >workspace/go.work
for i in app tool lib; do printf 'module example.com/%s\n\ngo 1.26.11\n' $i >workspace/$i/go.mod; done
printf 'package main\n\nfunc main() {}\n' | tee workspace/app/main.go >workspace/tool/cmd/tool/main.go
printf 'package lib\n' >workspace/lib/lib.go
says() { # TEXT COMMAND...: succeeds, and says TEXT
	_text=$1
	shift
	"$@" 2>says.log && grep -qF -- "$_text" says.log || { cat says.log; return 1; }
}
in_folder() { # FOLDER COMMAND...
	_dir=$1
	shift
	(cd "$_dir" && "$@")
}
for dir in module module/cmd/service workspace workspace/lib; do
	check "gx develop in $dir opens a shell with the Go of go.mod" says "-go-1.26.11.drv" in_folder $dir "$gx" develop --store "$PWD/d" --dry-run
done
printf 'module example.com/old\n\ngo 1.24\ntoolchain go1.27rc1\n' >module/go.mod
check "its toolchain line counts" says "-go-1.27." in_folder module "$gx" develop --store "$PWD/d" --dry-run
printf 'module example.com/x/service/v2\n\ngo 1.26.11\n' >module/go.mod
check "it makes no file" [ ! -e module/flake.gx ]
check "an attribute needs a flake" complains "'gx init' writes a flake" in_folder module "$gx" develop --store "$PWD/d" --dry-run .#x
check "so does a build" complains "'gx init' writes one" in_folder module "$gx" build --store "$PWD/d"

git init -q module
check "gx init says what comes next" says "next: gx develop" in_folder module "$gx" init
check "and knows the module's name" prints '"service-0"' in_folder module "$gx" eval .#packages.x86_64-linux.default.name
check "git knows the file" [ "$(git -C module ls-files)" = "flake.gx
flake.lock
go.mod" ]
check "its shell has the Go of go.mod" says "-go-1.26.11.drv" in_folder module "$gx" develop --store "$PWD/d" --dry-run
check "not twice" complains "there is a flake here already" in_folder module "$gx" flake init
check "a workspace" says "wrote flake.gx" in_folder workspace "$gx" init
check "its modules that have programs" prints '[ "app" "default" "tool" ]' in_folder workspace "$gx" eval .#packages.x86_64-linux --apply builtins.attrNames
check "its shell" says "-go-1.26.11.drv" in_folder workspace "$gx" develop --store "$PWD/d" --dry-run
mkdir shell none own
mkdir -p above/cmd/y && echo "module example.com/above" >above/go.mod
check "a folder inside a module: where its flake would be" says "in the Go module of '$PWD/above': 'gx init' there" in_folder above/cmd/y "$gx" init
check "another folder" says "wrote flake.gx" in_folder shell "$gx" init
check "a template by its name" says "wrote flake.gx" in_folder none "$gx" flake init -t go-workspace
check "which is a flake as it is" prints '[ "default" "hello" ]' in_folder none "$gx" eval .#packages.x86_64-linux --apply builtins.attrNames
rm none/*
check "a template that is not there" complains "templates.nope" in_folder none "$gx" init -t nope
mkdir -p own/t/sub && echo '{ outputs = _: { }; }' >own/t/flake.nix && echo text >own/t/sub/file
echo '{ outputs = _: { templates.mine = { path = ./t; description = "d"; welcomeText = "Welcome."; }; }; }' >own/flake.gx
check "a template of another flake" says "Welcome." in_folder none "$gx" init -t ../own#mine
check "with its folders" [ "$(cat none/sub/file)" = text ]
rm none/flake.nix && echo other >none/sub/file
check "what is here stays" complains "refusing to overwrite existing file" in_folder none "$gx" init -t ../own#mine
check "all of it" [ ! -e none/flake.nix ]
