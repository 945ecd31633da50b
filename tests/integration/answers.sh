# SPDX-License-Identifier: MIT
#
# What commands evaluate to, kept for the next run (fetch/answers.h, fetch/trail.h): each thing that was read is changed in turn, with
# its times put back, and what is said then is what a fresh evaluation says; what is damaged or written by others is not believed.
. "$srcdir/tests/integration/lib.sh"
export HOME="$PWD/home" XDG_CACHE_HOME="$PWD/cache" NO_COLOR=1
answers=$XDG_CACHE_HOME/gx/answers
unset GX_EVAL_CACHE
mkdir home

git() { command git -c user.name=x -c user.email=x@example.org -c init.defaultBranch=main "$@"; }

# What a command says and leaves: output, errors, status.
said() { # COMMAND...
	_said=0 && "$@" >said.out 2>said.err || _said=$?
	cat said.out said.err && echo "status $_said"
}
# When each answer was made: what was only brought up to date keeps that.
kept() {
	for _answer in "$answers"/*; do
		echo "${_answer##*/}" && od -An -tx1 -j56 -N8 "$_answer" 2>/dev/null
	done
}
# The same as without, whatever was kept; evaluated anew, or not.
is_right() { # COMMAND...
	_now=$(said "$@")
	_fresh=$(export GX_EVAL_CACHE=0; said "$@")
	[ "$_now" = "$_fresh" ] || { printf 'kept:  %s\nfresh: %s\n' "$_now" "$_fresh" && return 1; }
}
anew() { # COMMAND...
	_before=$(kept)
	is_right "$@" && [ "$_before" != "$(kept)" ] || { echo "taken from the cache, or wrong: $*" && return 1; }
}
again() { # COMMAND...
	_before=$(kept)
	is_right "$@" && [ "$_before" = "$(kept)" ] || { echo "evaluated anew, or wrong: $*" && return 1; }
}

# --- a flake that reads one of each ---

mkdir -p work/sub/deep work/list work/to-dir work/unread && cd work
cat >flake.gx <<'EOF'
{
  outputs = { self }:
    let kind = f: if builtins.pathExists f then builtins.readFileType f else "none"; in {
      all = builtins.trace "reading" {
        file = builtins.readFile ./file;
        program = import ./program.nix;
        list = builtins.readDir ./list;
        kinds = map kind [ ./absent ./exists ./link ./below-link/x ];
        tree = "${./sub}";
        through = builtins.readFile ./link;
      };
      fails = import ./bad.nix;
      warns = builtins.warn "careful" 1;
      env = builtins.getEnv "TEST_ANSWER";
      time = builtins.currentTime;
      revision = self.rev or self.dirtyRev or "none";
      hash = self.narHash;
      package = derivation { name = "p"; system = "x86_64-linux"; builder = "/bin/sh"; src = ./sub; };
    } // builtins.mapAttrs (_: x: { x86_64-linux = x; }) (let
      hash = builtins.hashString "sha256" (builtins.toJSON self.all);
      simple = name: drv: derivation { inherit name drv; system = "x86_64-linux"; builder = "/bin/sh"; };
      package = simple hash "none";
    in {
      packages.default = package;
      checks.default = simple "check" package;
      devShells.default = simple "shell" package;
      apps.default = { type = "app"; program = "${package}/run"; };
    });
}
EOF
echo one >file
echo '{ a = 1; }' >program.nix
touch list/a list/b exists to-dir/x unread/u
echo '1 + "x"' >bad.nix
ln -s file link
ln -s to-dir below-link
echo 1 >sub/deep/f
ln -s f sub/deep/l
cd ..
cp -a work plain
(cd work && git init -q . && git add . && git commit -qm one && echo changed >unread/u)
cp -a work clean && (cd clean && git commit -qam two)
sleep 1

# Everything that was read, changed one after the other; the folder is not ours, whose files are written all the time.
replace() { # FILE TEXT: of the same size, with its times put back
	touch -r "$1" "$_top/stamp" && printf %s "$2" | dd of="$1" conv=notrunc 2>/dev/null && touch -r "$_top/stamp" "$1"
}
track() { [ ! -d .git ] || git add -A .; }
in_tree() { (cd "$_tree" && eval "$1" && track); }
# Runs a function for each command.
for_each() { # FUNCTION COMMAND...
	_fn=$1
	shift
	for _each in "$@"; do $_fn $_each || return 1; done
}
edits() { # TREE COMMAND...
	_tree=$1 _top=$PWD
	shift
	for_each again "$@" && in_tree 'touch -d @1000000000 file && touch -h -d @1000000000 link' || return 1
	sleep 0.1
	for_each is_right "$@" && for_each again "$@" || return 1
	for _edit in 'replace file two' 'replace program.nix "{ a = 2"' 'touch -r list "$_top/stamp" && touch list/c && touch -r "$_top/stamp" list' 'rm list/a' 'mv list/b list/d' 'touch absent' \
		'mkdir exists.d && rm exists && mv exists.d exists' 'ln -sfn program.nix link' 'ln -sfn list below-link' 'rm -r to-dir' \
		'replace sub/deep/f 2' 'chmod +x sub/deep/f' 'ln -sfn g sub/deep/l' 'touch sub/new' 'mkdir sub/empty' 'rm file'; do
		in_tree "$_edit" || { echo "cannot: $_edit" && return 1; }
		for_each is_right "$@" || { echo "after: $_edit" && return 1; }
		for_each said "$@" >/dev/null # what was changed at this moment is not kept the first time
		sleep 0.1
		for_each said "$@" >/dev/null
		for_each again "$@" || { echo "twice after: $_edit" && return 1; }
	done
}

# What was not read may be what it likes.
unread() { # TREE COMMAND...
	_tree=$1 _top=$PWD
	shift
	again "$@" || return 1
	for _edit in 'echo more >>unread/u' 'rm unread/u' 'touch unread/new' 'touch new' 'git add -N new' 'rm new' 'mkdir unread/dir' \
		'echo x >bad.nix' 'touch list/passing && rm list/passing' 'touch list/untracked' 'rm list/untracked' 'git update-index --refresh'; do
		case $_edit in *git*) [ -d "$_tree/.git" ] || continue ;; *untracked) [ -d "$_tree/.git" ] || continue ;; esac
		(cd "$_tree" && eval "$_edit") >/dev/null 2>&1
		is_right "$@" || { echo "after: $_edit" && return 1; }
		[ "$(reason)" = "$_reason" ] || { echo "evaluated anew after: $_edit" && reason && return 1; }
	done
}
# Why what is kept was evaluated.
reason() { gx why-reload "$_ref" | sed 1d; }

for tree in work clean plain; do
	look() { gxeval --json ./$tree#all; }
	check "$tree: the first run evaluates" anew look
	check "$tree: the second does not" again look
	check "$tree: what was told is told again" sh -c "gxeval --json ./$tree#all 2>&1 >/dev/null | grep -qx 'trace: reading'"
	cp -a $tree $tree.edited
	look_edited() { gxeval --json ./$tree.edited#all; }
	sleep 0.1
	look_edited >/dev/null 2>&1
	check "$tree: every edit is seen" edits $tree.edited look_edited
	cp -a $tree $tree.unread
	[ ! -d $tree/.git ] || touch $tree.unread/list/before
	_ref=./$tree.unread#all _reason=
	look_unread() { gxeval --json ./$tree.unread#all; }
	sleep 0.1
	look_unread >/dev/null 2>&1
	check "$tree: what was not read does not matter" unread $tree.unread look_unread
done
# Every command that evaluates.
store=$PWD/store
cp -a work all.edited
asked() { "$@" --store "$store" --system x86_64-linux ./all.edited; }
ask_drv() { asked gxeval --drv-path; }
ask_build() { asked gx build --dry-run; }
ask_show_derivation() { asked gx derivation show; }
ask_path() { asked gx path-info --json; }
ask_shell() { asked gx shell --dry-run; }
ask_develop() { asked gx develop --dry-run; }
ask_run() { asked gx run --dry-run; }
ask_check() { asked gx flake check --dry-run; }
ask_check_only() { gx flake check --no-build --system x86_64-linux ./all.edited; }
ask_show() { gx flake show --system x86_64-linux ./all.edited; }
ask_eval() { gx eval --system x86_64-linux ./all.edited; }
every="ask_drv ask_build ask_show_derivation ask_path ask_shell ask_develop ask_run ask_check ask_check_only ask_show ask_eval"
sleep 0.1
check "every command is asked" for_each is_right $every
for_each said $every >/dev/null
check "every edit is seen by every command" edits all.edited $every
tracked() {
	look_list() { gxeval --json ./work.unread#all.list; }
	look_list >/dev/null 2>&1
	again look_list && touch work.unread/list/later && is_right look_list && git -C work.unread add -N list/later && anew look_list || return 1
	sleep 0.1
	again look_list && git -C work.unread rm -q --cached list/later && anew look_list
}
check "a file counts from the moment on that git tracks it" tracked
revision() {
	look_rev() { gxeval ./rev#revision; }
	cp -a clean rev && sleep 0.1 && look_rev >/dev/null && again look_rev && echo x >>rev/unread/u || return 1
	sleep 0.1
	anew look_rev && again look_rev && echo y >>rev/unread/u && again look_rev || return 1
	echo z >>rev/list/a && sleep 0.1 && again look_rev || return 1
	(cd rev && git checkout -q unread/u) && sleep 0.1 && is_right look_rev && (cd rev && git checkout -q .) || return 1
	sleep 0.1
	anew look_rev && again look_rev && (cd rev && git commit -q --allow-empty -m three) && anew look_rev && again look_rev
}
check "a revision is what it is" revision
# However git keeps its index: what it tracks is read without it, or compared as a whole where that is not understood.
index_form() { # FOLDER
	_tree=$1
	look_form() { gxeval --json "./$_tree#all.list"; }
	look_form >/dev/null 2>&1
	again look_form && touch "$_tree/list/later" && is_right look_form && git -C "$_tree" add list/later && sleep 0.1 || return 1
	anew look_form && again look_form && echo more >>"$_tree/unread/u" && again look_form || return 1
	git -C "$_tree" rm -qf --cached list/later && anew look_form
}
for form in 2 3 4 split worktree sha256; do
	case $form in
	worktree) git -C clean worktree add -q "$PWD/index.$form" && mkdir -p "index.$form/unread" ;;
	sha256)
		mkdir "index.$form" && cp -r plain/. "index.$form" &&
			(cd "index.$form" && git init -q --object-format=sha256 . && git add . && git commit -qm one) ;;
	*) cp -a clean "index.$form" ;;
	esac
	case $form in
	split) git -C index.split update-index --split-index ;;
	[234]) git -C "index.$form" update-index --index-version "$form" ;;
	esac
	sleep 0.1
	check "an index of the form $form" index_form "index.$form"
done
hash() {
	look_hash() { gxeval ./hashed#hash; }
	cp -a work hashed && sleep 0.1 && look_hash >/dev/null && again look_hash && echo x >>hashed/unread/u && sleep 0.1 || return 1
	anew look_hash && again look_hash
}
check "and a hash" hash

# --- a tree that is not hashed until somebody asks: everything comes out as if it had been ---

mkdir -p lazy/d
echo hi >lazy/d/f && touch lazy/e
cat >lazy/flake.nix <<'EOF'
{ outputs = { self }: rec {
  a = toString ./.; b = "${./.}"; c = "${self}"; d = self.outPath; e = ./d/f; f = baseNameOf ./.; g = ./. + "/d"; h = toString (./d + ./d);
  i = ./. == /. + (toString ./.); j = ./d == ./d; k = ./d < ./e; l = toString (dirOf ./.); m = __curPos; n = builtins.unsafeGetAttrPos "a" { a = 1; };
  o = self.narHash; p = self.lastModified; q = self.sourceInfo; r = "${builtins.filterSource (p: t: builtins.trace p true) ./d}";
  s = builtins.path { path = ./.; name = "x"; }; t = builtins.path { path = ./d; filter = p: t: builtins.trace p true; };
  u = builtins.readFile (toString ./. + "/d/f"); v = import (self + "/v.nix"); w = builtins.toJSON { p = ./d; }; x = builtins.toXML [ ./d (y: y) ];
  y = builtins.trace ./d 1; z = builtins.toPath ./d; A = builtins.readDir ./.; B = builtins.pathExists (self.outPath + "/d");
  C = builtins.attrNames self; D = builtins.hashFile "sha256" ./d/f; E = ./${"d"}/f; F = "${toString ./.}/${baseNameOf ./d}";
  G = builtins.genericClosure { startSet = [ { key = ./d; } ]; operator = x: [ { key = ./e; } { key = /. + toString ./d; } ]; };
  H = builtins.elem ./d [ (/. + (toString ./d)) ]; I = (derivation { name = "x"; builder = ./d/f; system = "x"; args = [ ./. ./d ]; src = self; }).drvPath;
  J = builtins.split "/" (toString ./d); K = map toString (builtins.sort builtins.lessThan [ ./e ./d /a ]); L = builtins.findFile [ { path = ./.; prefix = "q"; } ] "q/d";
  M = scopedImport { zz = 1; } ./v.nix; N = self.lastModifiedDate; O = [ ./. "${./d/f}" ]; none = import ./none;
  P = "${builtins.path { path = ./.; filter = p: t: baseNameOf p != "d"; }}";
}; }
EOF
echo '{ p = ./d; q = __curPos; }' >lazy/v.nix
as_hashed() { # REF FLAGS...
	_ref=$1
	shift
	for _attr in a b c d e f g h i j k l m n o p q r s t u v w x y z A B C D E F G H I J K L M N O P; do
		gxeval --impure "$@" -E "(builtins.getFlake \"$_ref\").$_attr" >hashed.out 2>hashed.err && gxeval --impure "$@" "$_ref#$_attr" >lazy.out 2>lazy.err &&
			cmp hashed.out lazy.out && cmp hashed.err lazy.err || { echo "$_attr $*" && cat hashed.err lazy.err && return 1; }
	done
}
for form in --json --strict --xml; do
	check "a folder, as if it were hashed: $form" as_hashed "path:$PWD/lazy" $form
done
(cd lazy && git init -q . && git add . && git commit -qm one && echo >>d/f)
check "a work tree, as if it were hashed" as_hashed "git+file://$PWD/lazy" --json
check "messages name the place" complains "Path 'none' does not exist in Git repository \"$PWD/lazy\"" gxeval ./lazy#none

# --- what is kept ---

ask() { gxeval "./plain#$1"; }
check "an error" anew ask fails
check "is said again" again ask fails
check "and a warning" sh -c 'gxeval ./plain#warns >/dev/null 2>&1; gxeval ./plain#warns 2>&1 >/dev/null | grep -q careful'
variable() {
	export TEST_ANSWER=1
	said gxeval --impure ./plain#env >/dev/null && again gxeval --impure ./plain#env || return 1
	TEST_ANSWER=2
	anew gxeval --impure ./plain#env && again gxeval --impure ./plain#env || return 1
	unset TEST_ANSWER
	anew gxeval --impure ./plain#env && again gxeval --impure ./plain#env
}
check "a variable" variable
time_goes_on() {
	_one=$(gxeval --impure ./plain#time) && sleep 1.1 && [ "$_one" != "$(gxeval --impure ./plain#time)" ]
}
check "the time is not kept" time_goes_on
settings() {
	ask package.outPath >one && gxeval --store-dir "$PWD/s/store" ./plain#package.outPath >two && ! cmp -s one two &&
		anew gxeval --max-call-depth 77 ./plain#package.name && again gxeval --max-call-depth 77 ./plain#package.name &&
		anew ask package.name
}
check "another setting is another result" settings
off() {
	rm -rf "$answers" && gxeval --no-eval-cache ./plain#package.name && (export GX_EVAL_CACHE=0; ask package.name) &&
		gxeval --option eval-cache false ./plain#package.name && [ ! -e "$answers" ]
}
check "--no-eval-cache, GX_EVAL_CACHE=0 and the setting keep nothing" off

shown() {
	anew gx flake show ./plain && again gx flake show ./plain && anew gx flake show --json ./clean && again gx flake show --json ./clean &&
		echo >>clean/flake.gx && anew gx flake show --json ./clean && ! gx flake show --json ./clean | grep nix/store/u0
}
check "what a flake shows" shown
check "and why-reload sees it as it was asked" sh -c 'gx flake show ./plain >/dev/null 2>&1; gx why-reload ./plain >why && grep -q "^gx flake show .*: nothing changed" why || { cat why && exit 1; }'

# --- derivations in a store ---

built() { gx build --store "$store" --dry-run ./plain#package; }
collected() {
	said built >/dev/null && again built || return 1
	gx store gc --store "$store" >/dev/null 2>&1
	[ -z "$(ls "$store"/nix/store/*.drv 2>/dev/null)" ] || { ls "$store/nix/store" && return 1; }
	built >/dev/null 2>&1
	[ -n "$(ls "$store"/nix/store/*.drv)" ]
}
check "a derivation that was collected is made again" collected
check "and that is told" sh -c 'gx why-reload ./plain#package | grep -q "no longer in the store"'

# To learn that nothing is to be built what a derivation needs is not read again: one input's file is away meanwhile.
cat >deep.nix <<'EOF'
let make = name: needs: derivation {
  inherit name needs; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "echo $needs > $out" ];
};
in make "above" (make "below" 1)
EOF
built_deep() { gx build --no-link --print-out-paths --store "$store" -f deep.nix; }
alone() {
	export GX_EVAL_CACHE=always
	_above=$(built_deep) && mv "$store"/nix/store/*-below.drv . && _again=$(built_deep)
	unset GX_EVAL_CACHE
	mv ./*-below.drv "$store/nix/store" && [ -n "$_above" ] && [ "$_again" = "$_above" ]
}
check "what is built is known without its inputs" alone

# --- why ---

why() {
	rm -rf "$answers" && gxeval ./plain#package.name >/dev/null && gx why-reload | grep -q 'nothing changed' || return 1
	echo '# more' >>plain/flake.gx && sleep 0.1
	gx why-reload >why && grep -q "the file '.*/flake.gx' changed" why || { cat why && return 1; }
	ask package.name >/dev/null
	gx why-reload >why && grep -q 'nothing changed' why && grep -q "the file '.*/flake.gx' changed" why || { cat why && return 1; }
}
check "gx why-reload says what changed" why
# Of files that lie in one folder each counts for itself.
why_files() {
	mkdir -p many/in && for f in a b c d; do echo $f >many/$f && echo $f >many/in/$f; done
	echo '{ outputs = { self }: { path = "${./in}"; }; }' >many/flake.gx
	sleep 0.1
	rm -rf "$answers" && gxeval ./many#path >/dev/null || return 1
	for f in b d; do cp -p many/in/$f kept && echo y >many/in/$f && touch -r kept many/in/$f; done
	rm many/in/c && gx why-reload >why
	for f in b d; do grep -q "the file '.*/in/$f' changed" why || { cat why && return 1; }; done
	grep -q "the file '.*/in/c' is gone" why && ! grep -q "in/a'" why || { cat why && return 1; }
}
check "and which files of a folder" why_files
check "and when there is nothing" sh -c 'mkdir -p none && cd none && gx why-reload | grep -q "nothing that was evaluated here is kept"'

# --- damage, others, many at once ---

answer() { ls "$answers"/* | head -n 1; }
fill() { rm -rf "$answers" && gxeval ./plain#package.name >/dev/null; }
modes() {
	(umask 0 && rm -rf "$XDG_CACHE_HOME" && gxeval ./plain#package.name >/dev/null)
	[ "$(stat -c %a "$XDG_CACHE_HOME/gx" "$answers" "$(answer)" | tr '\n' ' ')" = '700 700 600 ' ]
}
check "for its user alone, whatever the umask" modes
damaged() {
	for _at in 0 9 17 30 60 100 200 $(($(stat -c %s "$(fill && answer)") / 2)) $(($(stat -c %s "$(answer)") - 9)); do
		fill && printf '\377\376' | dd of="$(answer)" conv=notrunc bs=1 seek="$_at" 2>/dev/null
		is_right ask package.name || return 1
	done
	for _n in 0 7 40 100 500; do
		fill && truncate -s "$_n" "$(answer)" && is_right ask package.name || return 1
	done
	fill && rm "$(answer)" && mkdir "$answers/x" && is_right ask package.name
}
check "damaged ones are evaluated anew" damaged
writable() {
	fill && chmod 666 "$(answer)" && anew ask package.name && fill && chmod 777 "$answers" && is_right ask package.name
	chmod 700 "$answers"
}
check "what others may write to is not believed" writable
linked() {
	fill && mv "$(answer)" aside && ln -s "$PWD/aside" "$answers/$(basename "$(ls aside)")" && is_right ask package.name
	rm -rf "$answers" && ln -s "$PWD" "$answers" && is_right ask package.name && rm "$answers"
}
check "nor links" linked
at_once() {
	rm -rf "$answers"
	for _i in 1 2 3 4 5 6 7 8; do gxeval ./plain#package.name >out.$_i & done
	wait
	[ "$(cat out.? | sort -u)" = '"p"' ] && [ "$(ls "$answers" | wc -l)" = 1 ] && again ask package.name
}
check "many at once" at_once
read_only() {
	rm -rf "$answers" && : >"$answers" && is_right ask package.name && rm "$answers"
}
check "a place that cannot be written to" read_only
bounded() {
	fill
	_one=$(answer)
	for _i in $(seq 1100); do ln "$_one" "$answers/$(printf %064x "$_i")"; done
	for _i in $(seq 60); do gxeval ./plain#package --apply "x: $_i" >/dev/null; done
	[ "$(ls "$answers" | wc -l)" -lt 1100 ]
}
check "there are not ever more" bounded
