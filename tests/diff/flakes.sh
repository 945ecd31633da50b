# SPDX-License-Identifier: MIT
#
# Differential test: graphs of inputs, locked by gx and by Nix, must give the same lock files byte for byte, and the same metadata,
# store paths and refusals.  Skipped (77) where Nix is not installed; TEST_NIX=DIR names the programs of another, newer Nix, which
# is asked as well.  ONLY=NAME takes one graph.
#
# flake-graphs describes them.  A graph begins with "= NAME [new|all [unread]]", new: Nix 2.8 does not know what is in it, or takes it
# for something else; unread: Nix cannot evaluate it afterwards, or only with what it kept.  Then
#
#     FOLDER KIND [INPUTS]    a flake; the first is the one that is locked
#     + NAME REF              what a name means: an entry of the registry
#     > COMMAND [WORDS]       what is done, in order, after it was locked for the first time
#
# KIND is path (a folder), git (a repository, committed), tar (a folder and FOLDER.tar.gz), plain (a folder without a flake), in (part
# of a folder that is named later).  "@" stands for the folder of the graph, "REV:FOLDER" for the commit of a repository.
# COMMAND: write FOLDER [INPUTS]; change FOLDER (another commit, another file); lock [OPTIONS]; update [OPTIONS]; gxlock FOLDER (its
# own lock file); oldlock (all go on from what Nix 2.8 wrote); lose FOLDER (it is gone); refused [OPTIONS] (locking it fails, in all of them).
. "$srcdir/tests/integration/lib.sh"
. "$srcdir/tests/integration/lib/flakes.sh"
have_nix || { echo "nix is not installed"; exit 77; }
table=$srcdir/tests/diff/flake-graphs
export GIT_AUTHOR_DATE='1600000000 +0000' GIT_COMMITTER_DATE='1600000000 +0000' GIT_CONFIG_GLOBAL="$PWD/gitconfig" XDG_CONFIG_HOME="$PWD/config"
printf '[user]\nname = t\nemail = t@example.org\n[protocol "file"]\nallow = always\n' >gitconfig
top=$PWD
newest=${TEST_NIX:+$TEST_NIX/nix}
# Nix 2.8 names a branch by its last part, and a folder twice.
registry=
old_form='s,"refs/heads/,",; s,?dir=[^"]*,,'

nix_new() {
	"$newest" --extra-experimental-features 'nix-command flakes' --store "$top/new-root" --flake-registry "$registry" "$@"
}

nix_old() {
	nix --extra-experimental-features 'nix-command flakes' --store "$top/nix-root" --flake-registry "$registry" "$@"
}

run_gx() { # LIKE nix
	gx "$1" "$2" --flake-registry "$registry" --store "$top/gx-store" $(printf '%s ' "$@" | cut -d' ' -f3-)
}

# Text of the table with what it stands for.
filled() { # TEXT
	_filled=$(printf '%s' "$1" | sed "s,@,$PWD,g")
	while _repo=$(printf '%s' "$_filled" | sed -n 's/.*REV:\([a-z0-9]*\).*/\1/p') && [ -n "$_repo" ]; do
		_filled=$(printf '%s' "$_filled" | sed "s/REV:$_repo/$(git -C "$_repo" rev-parse HEAD)/")
	done
	printf '%s' "$_filled"
}

write_flake() { # FOLDER [INPUTS]
	mkdir -p "$1"
	printf '{ inputs = { %s }; outputs = i: { paths = builtins.mapAttrs (_: x: x.outPath) (builtins.removeAttrs i [ "self" ]); }; }\n' \
		"$(filled "${2-}")" >"$1/flake.nix"
}

save() { # FOLDER KIND
	case $2 in
	git)
		[ -d "$1/.git" ] || git_init "$1"
		git -C "$1" add . && git -C "$1" commit -qm change
		;;
	tar) tar --sort=name --mtime=@1600000000 -czf "$1.tar.gz" "$1" ;;
	esac
}

make_one() { # FOLDER KIND [INPUTS]
	case $2 in
	plain) mkdir -p "$1" && echo "$1" >"$1/file" ;;
	*) write_flake "$1" "${3-}" ;;
	esac
	echo "$1 $2" >>.kinds
}

# Parts of folders, then the last first, so that a reference to a commit finds it.
make_all() {
	while read -r _folder _kind _inputs; do
		case $_kind in in | plain) make_one "$_folder" "$_kind" "$_inputs" ;; esac
	done <.flakes
	sed -n '1!G;h;$p' .flakes >.reversed
	while read -r _folder _kind _inputs; do
		case $_kind in
		in | plain) ;;
		*) root=$_folder && make_one "$_folder" "$_kind" "$_inputs" && save "$_folder" "$_kind" ;;
		esac
	done <.reversed
}

kind_of() { sed -n "s,^$1 ,,p" .kinds; }

# Locks the root with each of them, from what each had.
lock_all() { # VERB [OPTIONS]
	_verb=$1
	_options=$(filled "${2-}")
	for who in $whos; do
		rm -f "$root/flake.lock"
		[ ! -f "lock.$who" ] || cp "lock.$who" "$root/flake.lock"
		_status=0
		case $_verb in
		update) set -- $_options ;;
		*) set -- "./$root" $_options ;;
		esac
		case $who in
		gx) if [ "$_verb" = update ]; then run_gx flake update --flake "./$root" "$@"; else run_gx flake lock "$@"; fi ;;
		new) if [ "$_verb" = update ]; then nix_new flake update --flake "./$root" "$@"; else nix_new flake lock "$@"; fi ;;
		old) if [ "$_verb" = update ]; then nix_old flake lock "./$root" $(printf ' --update-input %s' "$@"); else nix_old flake lock "$@"; fi ;;
		esac >"log.$who" 2>&1 || _status=$?
		echo "$_status" >"status.$who"
		rm -f "lock.$who"
		[ ! -f "$root/flake.lock" ] || cp "$root/flake.lock" "lock.$who"
	done
}

same_locks() {
	for who in $whos; do
		[ "$(cat status.gx)" -eq 0 ] && [ "$(cat "status.$who")" -eq 0 ] || { cat log.gx "log.$who"; return 1; }
		if [ ! -f "lock.$who" ] && [ ! -f lock.gx ]; then continue; fi
		case $who in
		old) sed "$old_form" "lock.$who" >lock.1 && sed "$old_form" lock.gx >lock.2 && diff -u lock.1 lock.2 || return 1 ;;
		*) diff -u "lock.$who" lock.gx || return 1 ;;
		esac
	done
}

all_refuse() {
	for who in $whos; do
		[ "$(cat "status.$who")" -ne 0 ] || { echo "$who does not refuse"; cat "log.$who"; return 1; }
	done
}

step() { # LINE
	_command=${1%% *}
	_rest=${1#"$_command"}
	_rest=${_rest# }
	case $_command in
	write) write_flake "${_rest%% *}" "$(case $_rest in *' '*) echo "${_rest#* }" ;; esac)" && save "${_rest%% *}" "$(kind_of "${_rest%% *}")" ;;
	change) echo more >>"$_rest/more" && save "$_rest" "$(kind_of "$_rest")" ;;
	oldlock) cp lock.old lock.gx && if [ -n "$newest" ]; then cp lock.old lock.new; fi ;;
	lose) rm -rf "$_rest" "$_rest.tar.gz" ;;
	gxlock) gx flake lock --store "$top/gx-store" --flake-registry "$registry" "./$_rest" >log.gxlock 2>&1 && save "$_rest" "$(kind_of "$_rest")" ;;
	refused) lock_all lock "$_rest" ; check "$name: refused" all_refuse ;;
	*) lock_all "$_command" "$_rest" ; check "$name: $1" same_locks ;;
	esac
}

# What is in the lock file now, looked at by both.
compare_rest() {
	[ -n "$newest" ] && [ "$(cat status.gx)" -eq 0 ] || return 0
	[ ! -f lock.gx ] || cp lock.gx "$root/flake.lock"
	nix_new flake metadata --json "./$root" >meta.new 2>log.new || { cat log.new; return 1; }
	run_gx flake metadata --json "./$root" >meta.gx 2>log.gx || { cat log.gx; return 1; }
	# The name of a dirty tree's state is each program's own.
	if grep -q dirtyRevision meta.gx; then sed -i 's/"fingerprint":"[0-9a-f]*",//' meta.new meta.gx; fi
	cmp meta.new meta.gx || { cat meta.new meta.gx; return 1; }
	nix_new eval --json "./$root#paths" >paths.new 2>log.new || { cat log.new; return 1; }
	gxeval --flake-registry "$registry" --json "./$root#paths" >paths.gx 2>log.gx || { cat log.gx; return 1; }
	[ "$(cat paths.new)" = "$(cat paths.gx)" ] || { cat paths.new paths.gx; return 1; }
}

graph() { # in its folder; lines of it in .graph
	grep -v '^[>+]' .graph >.flakes
	make_all
	registry=
	sed -n 's/^+ //p' .graph >.names
	while read -r _name _ref; do
		registry=$PWD/registry.json
		gx registry add --registry "$registry" "$_name" "$(filled "$_ref")" || return
	done <.names
	grep -q -e '^> gxlock' -e '^> refused' .graph || step lock
	sed -n 's/^> //p' .graph >.steps
	while read -r line; do step "$line"; done <.steps
	[ -n "$unread" ] || grep -q '^> refused' .graph || check "$name: metadata and paths" compare_rest
}

awk '/^= /{ n++; file = "graph-" n; print substr($0, 3) > (file ".name"); next } /^#/ || !NF { next } { print > file }' "$table"
left=0
for i in $(ls graph-*.name | sed 's/[^0-9]//g' | sort -n); do
	read -r name flag unread <"graph-$i.name"
	[ -z "${ONLY-}" ] || [ "$ONLY" = "$name" ] || continue
	whos=gx
	[ -z "$newest" ] || whos="gx new"
	[ "$flag" = new ] || whos="$whos old"
	[ "$whos" != gx ] || { left=$((left + 1)); continue; }
	mkdir "$top/$name"
	mv "graph-$i" "$top/$name/.graph"
	cd "$top/$name" || exit 1
	graph
	cd "$top" || exit 1
done
[ $left -eq 0 ] || skip "graphs that only a newer Nix knows" "TEST_NIX names none: $left of them"
