# SPDX-License-Identifier: MIT
#
# Go modules straight from their repositories: what GOPRIVATE names, and GOPROXY=direct.  The repository lies here, under another address
# that the user's git knows it by, as a company's may.
. "$srcdir/tests/integration/lib.sh"
for t in go git; do command -v $t >/dev/null 2>&1 || { echo "there is no $t"; exit 77; }; done
mkdir -p home bin repos
export HOME="$PWD/home" XDG_CACHE_HOME="$PWD/cache" NO_COLOR=1 GOENV=off GOFLAGS= GOTOOLCHAIN=local no_proxy='*'
unset GOAUTH GONOPROXY GOPRIVATE GOPROXY GIT_CONFIG_GLOBAL XDG_CONFIG_HOME GOMODCACHE GOPATH
git config --global "url.file://$PWD/repos/.insteadOf" https://git.example.com/
git config --global user.name x
git config --global user.email x@example.org
git config --global init.defaultBranch main

# A repository with a module, another in a folder of it, and things that are in no module.
repo=repos/team/lib.git
git init -q $repo
mkdir -p $repo/inner $repo/vendor/example.com/v $repo/data
echo 'module git.example.com/team/lib.git' >$repo/go.mod
echo 'module git.example.com/team/lib.git/inner' >$repo/inner/go.mod
for i in . inner; do printf 'package lib\n\nconst Secret = 1\n' >$repo/$i/lib.go; done
echo MIT >$repo/LICENSE
echo 'package v' >$repo/vendor/example.com/v/v.go
printf 'data/* export-ignore\nlib.go export-subst\n' >$repo/.gitattributes
echo 1 >$repo/data/d
ln -s lib.go $repo/link.go
# shellcheck disable=SC2016
printf '// $Format:%%H$\n' >>$repo/lib.go
(cd $repo && git add -A && git commit -qm one && git tag v1.0.0 && git tag inner/v0.2.0 && echo '// later' >>lib.go && git commit -qam two)
# As a bare one has no tree that was checked out.
git clone -q --bare $repo repos/bare.git && rm -rf $repo && mv repos/bare.git $repo

# What the go command says the sums are.
lib=git.example.com/team/lib.git
sums() { # VERSION QUERY [FOLDER]
	(cd home && GOPRIVATE=git.example.com GOMODCACHE="$PWD/modules" go mod download -json "$lib${3-}@$2") >json || return 1
	sed -n 's/^.*"Version": "\(.*\)".*/\1/p; s/^.*"Sum": "\(.*\)".*/\1/p; s/^.*"GoModSum": "\(.*\)".*/\1/p' json >"$1"
}
sums one v1.0.0 && sums later main && sums inner v0.2.0 /inner || { cat json; echo "go does not fetch it itself"; exit 1; }
chmod -R u+w home/modules && rm -rf home/modules
module() { # FILE LINE KIND [FOLDER]
	echo "derivation { name = \"m\"; system = \"builtin\"; builder = \"builtin:go-module\"; module = \"$lib${4-}\"; version = \"$(sed -n 1p "$1")\";
		kind = \"$3\"; outputHashMode = \"go-h1\"; outputHash = \"$(sed -n "$2p" "$1")\"; }"
}
realise() { # EXPRESSION [VARIABLE=VALUE]...
	_expr=$1
	shift
	[ ! -e s ] || remove s
	env GOPROXY="file://$PWD/nowhere" "$@" "$gxeval" --store "$PWD/s" --realise -E "$_expr" >path
}
private="GOPRIVATE=git.example.com"

if ! realise "$(module one 2 zip)" $private 2>probe.log && grep -q namespace probe.log; then
	head -n 1 probe.log
	exit 77
fi
check "a tag of a private repository" realise "$(module one 2 zip)" $private
check "is what a module has" prints "LICENSE
data
data/d
go.mod
lib.go" sh -c 'cd "s$(cat path)" && find . -mindepth 1 | sed "s,^./,," | grep -v "^\.gitattributes$" | sort'
check "as it is committed" grep -q 'Format:%H' "s$(cat path)/lib.go"
check "the sum is that of the go command, or it is refused" complains "checksum mismatch" realise "$(module one 2 zip | sed 's/outputHash = "h1:./outputHash = "h1:A/')" $private
check "its go.mod alone" realise "$(module one 3 mod)" $private
check "a commit without a tag" realise "$(module later 2 zip)" $private
check "which is named by it" sh -c 'case $(sed -n 1p later) in v1.0.1-0.*) ;; *) cat later && exit 1 ;; esac'
check "a module in a folder of the repository" realise "$(module inner 2 zip /inner)" $private
check "has the licence of all" [ -e "s$(cat path)/LICENSE" ]
check "GONOPROXY" realise "$(module one 2 zip)" GONOPROXY='git.example.com/*'
check "direct" realise "$(module one 2 zip)" GOPROXY=direct GONOSUMDB=git.example.com
check "direct, after a proxy that has it not" realise "$(module one 2 zip)" GOPROXY="file://$PWD/nowhere,direct"
check "off is off" complains "module lookup disabled by GOPROXY=off" realise "$(module one 2 zip)" GOPROXY=off
check "nobody else's modules are looked for there" complains "nowhere" realise "$(module one 2 zip)" GOPRIVATE=git.example.org

# --- what goes wrong
remove cache
mv repos away
check "a repository that is not there" mentions "repository" realise "$(module one 2 zip)" $private
mv away repos
check "a version that is not there" complains "unknown revision v1.9.9" realise "$(module one 2 zip | sed 's/v1.0.0/v1.9.9/')" $private
remove cache
check "no go command" complains "there is no go command to fetch it from its repository with" realise "$(module one 2 zip)" $private PATH="$PWD/bin"
check "VCS that the user does not allow" mentions "GOVCS disallows" realise "$(module one 2 zip)" $private GOVCS='*:off'
check "it is the cache of the user" realise "$(module one 2 zip)" $private
mv repos away
check "where it is found again" realise "$(module one 2 zip)" $private
printf 'PK' >cache/gx/modules/cache/download/$lib/@v/v1.0.0.zip
check "and not believed" must_fail realise "$(module one 2 zip)" $private
