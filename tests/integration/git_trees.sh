# SPDX-License-Identifier: MIT
#
# Git work trees: nothing that a repository configures runs when they are evaluated, and what counts as changed is
# what Nix takes for changed.
. "$srcdir/tests/integration/lib.sh"
. "$srcdir/tests/integration/lib/flakes.sh"

top=$PWD
mark="touch $top/ran"

# A flake whose configuration tries to run something in every way git has.
git_init evil
echo '* filter=e diff=e merge=e' >evil/.gitattributes
echo "{ outputs = { self }: { x = 1; r = builtins.readFile \"\${self}/a\"; }; }" >evil/flake.nix
echo hi >evil/a
git_commit evil one
git_init part
echo in >part/f
git_commit part one
git -C evil -c protocol.file.allow=always submodule --quiet add "$top/part" sub
git_commit evil two
rev=$(git -C evil rev-parse HEAD)
hash=$(gxeval --impure --raw -E "(builtins.fetchGit \"$top/evil\").narHash")
for where in evil/.git evil/.git/modules/sub; do
	mkdir -p $where/hooks
	for h in pre-auto-gc post-index-change post-checkout reference-transaction fsmonitor-watchman pre-commit; do
		printf '#!/bin/sh\n%s-hook\n' "$mark" >$where/hooks/$h
		chmod +x $where/hooks/$h
	done
done
cat >evil.config <<X2
[filter "e"]
	clean = $mark-clean; cat
	smudge = $mark-smudge; cat
	process = $mark-process
	required = true
[filter "E.x y"]
	clean = $mark-clean2; cat
[diff]
	external = $mark-external
[diff "e"]
	textconv = $mark-textconv; cat
	command = $mark-command
[merge "e"]
	driver = $mark-driver
[core]
	fsmonitor = $mark-fsmonitor
	hooksPath = $top/evil/.git/hooks
	sshCommand = $mark-ssh
	gitProxy = $mark-proxy
	pager = $mark-pager
	editor = $mark-editor
	askPass = $mark-askpass
	alternateRefsCommand = $mark-alternates
[pager]
	status = $mark-pager2
	log = $mark-pager2
[credential]
	helper = !$mark-credential
[credential "http://127.0.0.1:1"]
	helper = !$mark-credential2
[alias]
	status = !$mark-alias
	ls-files = !$mark-alias
[gpg]
	program = $mark-gpg
[log]
	showSignature = true
[uploadpack]
	packObjectsHook = $mark-pack
[remote "origin"]
	url = ext::$mark-ext
	uploadpack = $mark-upload
	promisor = true
[remote "git://127.0.0.1:1/x"]
	uploadpack = $mark-upload2
[remote "file://$top/part"]
	uploadpack = $mark-upload3
	vcs = ext
[url "ext::$mark-url "]
	insteadOf = file://$top/other
X2
cat >>evil/.git/config <<X2
[include]
	path = $top/evil.config
X2
cp evil.config evil/.git/modules/sub/more
git -C evil/sub config include.path more
sleep 1.1

# As a fresh checkout is: no time in the index says that a file is what it was.
touch_all() { find evil -name .git -prune -o -type f -exec touch {} +; }
runs_nothing() { # COMMAND...; its status does not matter
	touch_all
	rm -f ran*
	"$@" >out.log 2>&1
	set -- ran*
	[ ! -e "$1" ] || { echo "ran: $*" && cat out.log && return 1; }
}
route() { # DESCRIPTION COMMAND...
	_route=$1
	shift
	check "nothing runs: $_route" runs_nothing "$@"
	check "and it works: $_route" [ -z "$(grep error: out.log)" ]
}
touch_all
check "git itself would run them" sh -c "git -C evil status >/dev/null 2>&1; ls ran-clean || ls ran-process"
cd evil || exit
in_evil() { (cd evil && "$@"); }
cd "$top" || exit
route "an attribute of a flake in a work tree" in_evil gx eval .#x
route "a flake elsewhere" gx eval ./evil#x
route "self" gx eval --raw ./evil#r
route "metadata" gx flake metadata ./evil
route "show" gx flake show ./evil
route "lock" in_evil gx flake lock
route "git+file:" gxeval --raw "git+file://$top/evil" --attr r
route "fetchGit of a path" gxeval --impure --json -E "builtins.fetchGit $top/evil"
route "fetchGit of a string" gxeval --impure --json -E "builtins.fetchGit \"$top/evil\""
route "fetchTree" gxeval --impure --json -E "builtins.fetchTree { type = \"git\"; url = \"file://$top/evil\"; }"
route "a commit of it" gxeval --json -E "builtins.fetchGit { url = \"file://$top/evil\"; rev = \"$rev\"; }"
route "getFlake" gxeval --impure --json -E "(builtins.getFlake \"git+file://$top/evil\").x"
mkdir user
echo "{ inputs.e.url = \"git+file://$top/evil\"; inputs.c.url = \"git+file://$top/evil?ref=master\"; outputs = { self, e, c }: { x = e.x + c.x; }; }" >user/flake.nix
route "an input" gxeval ./user --attr x
route "another repository, asked from inside" in_evil gxeval --impure --json -E "builtins.fetchGit { url = \"file://$top/part\"; ref = \"master\"; }"
check "nothing runs: a host that answers nothing, asked from inside" runs_nothing in_evil gxeval --impure --json -E 'builtins.fetchGit { url = "git://127.0.0.1:1/x"; ref = "master"; }'
check "nothing runs: a password, asked from inside" runs_nothing in_evil gxeval --impure --json -E 'builtins.fetchGit { url = "http://127.0.0.1:1/x"; ref = "master"; }'
echo '{ inputs.std.url = "gx:std"; outputs = { self, std }: { x = 1; }; }' >evil/flake.nix
check "nothing runs: a lock file that is added" runs_nothing in_evil gx flake lock
check "it was added" [ -n "$(git -C evil -c core.fsmonitor=false ls-files flake.lock)" ]
git -C evil -c core.fsmonitor=false -c core.hooksPath=/dev/null -c filter.e.process= -c filter.e.required=false -c filter.e.clean= \
	-c filter.e.smudge= worktree add -q "$top/linked" -b linked "$rev" 2>/dev/null
check "nothing runs: a linked working tree" runs_nothing gx eval --raw ./linked#r
check "and it works: a linked working tree" [ "$(cat out.log)" = hi ]
check "nothing runs: a flake that is a submodule" runs_nothing gxeval --json --impure -E "builtins.readDir (builtins.fetchGit \"$top/evil/sub\").outPath"
check "and it works: a flake that is a submodule" [ "$(cat out.log)" = '{"f":"regular"}' ]
printf '[filter "a=b"]\n\tclean = %s-named\n' "$mark" >>evil/.git/config
check "a filter that cannot be switched off is refused" complains "cannot be switched off because of its name" gxeval ./evil --attr x
check "and does not run" [ ! -e ran-named ]

# Nor does it lead elsewhere.
mkdir secret
echo secret >secret/a
git_init astray
echo a >astray/a
echo '{ outputs = { self }: { x = builtins.readFile "${self}/a"; }; }' >astray/flake.nix
git_commit astray one
cp astray/flake.nix secret
git -C astray config core.worktree "$top/secret"
check "a working tree elsewhere" complains "has its working tree elsewhere: '$top/secret'" gxeval ./astray --attr x
git_init secret
check "nor one of another repository" complains "has its working tree elsewhere: '$top/secret'" gxeval ./astray --attr x

# What counts as changed.
info() { gxeval --impure --json -E "let t = builtins.fetchGit \"$top/$1\"; in [ (t ? dirtyRev) (builtins.attrNames (builtins.readDir t.outPath)) ]"; }
same() { # DIR: the work tree is its commit
	_of="builtins.fetchGit { url = \"file://$top/$1\"; rev = \"$(git -C "$1" rev-parse HEAD)\"; }"
	prints true gxeval --impure -E "(builtins.fetchGit \"$top/$1\").narHash == ($_of).narHash"
}
new() { # DIR; a commit of what is in it
	[ -d "$1/.git" ] || git_init "$1"
	git_commit "$1" one 2>/dev/null
}
mkdir crlf ident auto ita sparse unchanged skip mode link
printf 'a text eol=crlf\n' >crlf/.gitattributes
printf 'x\ny\n' >crlf/a
new crlf
rm crlf/a
git -C crlf checkout -q a
check "line ends on disk are not those of the commit" grep -q "$(printf '\r')" crlf/a
check "clean with eol=crlf" prints '[false,[".gitattributes","a"]]' info crlf
check "it is its commit" same crlf
touch crlf/a
check "also when times changed" prints '[false,[".gitattributes","a"]]' info crlf
printf 'z\r\n' >>crlf/a
check "a change is one" prints '[true,[".gitattributes","a"]]' info crlf
check "and is seen as it is on disk" [ "$(gxeval --impure --json -E "builtins.readFile \"\${builtins.fetchGit \"$top/crlf\"}/a\"")" = '"x\r\ny\r\nz\r\n"' ]
printf 'a ident\n' >ident/.gitattributes
printf '$Id$\n' >ident/a
new ident
rm ident/a
git -C ident checkout -q a
check "clean with ident" same ident
printf 'x\n' >auto/a
new auto
git -C auto config core.autocrlf true
rm auto/a
git -C auto checkout -q a
check "clean with core.autocrlf" same auto
echo 1 >ita/a
new ita
echo 2 >ita/b
git -C ita add -N b
check "intended to be added" prints '[true,["a","b"]]' info ita
mkdir sparse/d sparse/e
echo 1 >sparse/d/a
echo 2 >sparse/e/a
new sparse
git -C sparse sparse-checkout set d
check "a sparse checkout lacks files" prints '[true,["d"]]' info sparse
for d in unchanged skip; do
	echo 1 >$d/a
	new $d
done
git -C unchanged update-index --assume-unchanged a
git -C skip update-index --skip-worktree a
echo 22 >unchanged/a
echo 22 >skip/a
check "assumed to be unchanged" prints '[false,["a"]]' info unchanged
check "left out, and there" prints '[false,["a"]]' info skip
echo 1 >mode/a
new mode
check "clean" same mode
chmod +x mode/a
check "an executable bit is a change" prints '[true,["a"]]' info mode
git -C mode config core.fileMode false
check "unless modes do not count" prints '[false,["a"]]' info mode
ln -s x link/a
new link
check "links" same link
ln -sf y link/a
check "a link that leads elsewhere" prints '[true,["a"]]' info link
git_init super
git -C super -c protocol.file.allow=always submodule --quiet add "$top/part" sub
new super
check "a submodule is an empty folder" same super
git -C super/sub -c user.name=t -c user.email=t@t commit -q --allow-empty -m two
check "one that moved is no change" prints '[false,[".gitmodules","sub"]]' info super
check "nothing was lost: the hash before all this" prints "$hash" gxeval --raw -E "(builtins.fetchGit { url = \"file://$top/evil\"; rev = \"$rev\"; }).narHash"

# --- the hash of a tree without changes is remembered, as long as git would see a change
git_init kept
echo '{ outputs = { self }: { h = self.narHash; n = self.revCount; t = self.lastModified; }; }' >kept/flake.nix
echo one >kept/f
touch -d 2020-01-01 kept/f # or git itself reads what may have changed since the index was written
git_commit kept one
kept() { GX_EVAL_CACHE=0 gx eval --json "./kept#$1"; }
afresh() { prints "$(XDG_CACHE_HOME=$PWD/other kept h; rm -rf other)" kept h; } # as a run that remembers nothing
check "the hash of a clean tree" afresh
if command -v strace >/dev/null; then
	reads() { strace -f -e trace=openat -o reads.log env GX_EVAL_CACHE=0 gx eval "./kept#h" >/dev/null 2>&1; ! grep -q '"f"' reads.log; }
	check "is remembered: nothing is read again" reads
fi
echo two >kept/f
check "not of one with changes" afresh
git_commit kept two
check "of another commit it is another" afresh
check "its commits are counted" prints 2 kept n
git -C kept update-index --assume-unchanged f
echo three >kept/f
check "not where git was told not to look" afresh
git -C kept update-index --no-assume-unchanged f
git -C kept checkout -q f
git -C kept config core.fileMode false
chmod +x kept/f
check "nor where modes do not count" afresh
git -C kept config core.fileMode true
check "nor once they do again" afresh
chmod -x kept/f
check "then it is that of the commit" afresh
check "and the same as that of the commit itself" prints "$(kept h)" gx eval --json "git+file://$PWD/kept?rev=$(git -C kept rev-parse HEAD)#h"

# --- a clone without all of its history
git clone -q --depth 1 "file://$PWD/kept" cut
check "its tree can be had" prints '"one"' gxeval --impure --json -E "builtins.seq (builtins.fetchGit $PWD/cut).narHash \"one\""
check "its commits cannot be counted" complains "is a shallow repository: its commits cannot be counted" \
	gxeval --impure --json -E "(builtins.fetchGit $PWD/cut).revCount"
check "nor in a work tree of it" sh -c "git -C cut worktree add -q ../cut2 2>/dev/null && ! gxeval --impure -E '(builtins.fetchGit $PWD/cut2).revCount' 2>err && grep -q 'cannot be counted' err"
check "as a reference" complains "is a shallow repository: its commits cannot be counted" gx eval --json "git+file://$PWD/cut#n"
check "of a commit it is the same" prints "\"$(git -C cut rev-parse HEAD)\"" \
	gxeval --impure --json -E "(builtins.fetchGit { url = \"file://$PWD/cut\"; ref = \"master\"; }).rev"
check "which has no count either" complains "is a shallow repository: its commits cannot be counted" \
	gxeval --impure -E "(builtins.fetchGit { url = \"file://$PWD/cut\"; ref = \"master\"; }).revCount"
mkdir -p user
echo "{ inputs.cut.url = \"git+file://$PWD/cut\"; outputs = { cut, ... }: { r = cut.rev; }; }" >user/flake.nix
check "a lock would have to say it" complains "is a shallow repository: its commits cannot be counted" gx eval --raw ./user#r
echo "{ inputs.cut.url = \"git+file://$PWD/cut?shallow=1\"; outputs = { cut, ... }: { r = cut.rev; }; }" >user/flake.nix
check "not of one that may be shallow" prints "$(git -C cut rev-parse HEAD)" gx eval --raw ./user#r
git -C cut fetch -q --unshallow
check "with all of it they are all counted" prints 2 gxeval --impure --json -E "(builtins.fetchGit $PWD/cut).revCount"
