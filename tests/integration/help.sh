# SPDX-License-Identifier: MIT
#
# gx help, the manual pages and completion: that each verb has them, that man shows them without complaint, that bash, zsh and
# fish offer what the tables say.
. "$srcdir/tests/integration/lib.sh"
gx=${gxeval%gxeval}gx
mkdir -p home tmp
export HOME="$PWD/home" TMPDIR="$PWD/tmp" LC_ALL=C.UTF-8
unset XDG_CONFIG_HOME XDG_CACHE_HOME XDG_DATA_HOME XDG_STATE_HOME MAKEFLAGS MAKELEVEL MFLAGS

# --- help
"$gx" >alone 2>alone.err
check "gx alone is its help" prints "$(cat alone)" "$gx" --help
check "and no error" test ! -s alone.err
check "it lists the verbs" grep -q '^  build  *build packages' alone
check "not what only completion calls" sh -c '! grep __complete alone'
check "a group alone is its help" prints "$("$gx" store --help)" "$gx" store
for words in build 'store gc' 'flake show' eval; do
	want=$("$gx" $words --help)
	check "gx help $words" prints "$want" "$gx" help $words
	check "gx --help $words" prints "$want" "$gx" --help $words
	check "it says so" grep -q "^gx $words: " <<END
$want
END
done
check "gx store --help gc" prints "$("$gx" store gc --help)" "$gx" store --help gc
check "an unknown verb" complains "'gx' has no verb 'biuld'; did you mean 'build'?" "$gx" help biuld
check "an unknown one below another" complains "'gx store' has no verb 'cg'; did you mean 'gc'?" "$gx" help store cg
check "an unknown verb is an error of usage" status 2 "$gx" help frobnicate
check "gx version" prints "$("$gxeval" --version)" "$gx" version
check "gx build --version" prints "$("$gxeval" --version)" "$gx" build --version
check "gx store gc --version" prints "$("$gxeval" --version)" "$gx" store gc --version
check "gx version takes nothing" complains "takes nothing, not 'x'" "$gx" version x
check "nor do verbs that read standard input" complains "takes nothing, not 'x.json'" "$gx" derivation add x.json

# --- manual pages
mkdir man
check "the pages are written" prints "" sh -c '"$1" man --all man 2>&1' sh "$gx"
each_verb() { # COMMAND: called with the words of each verb and group
	for v in $("$gx" help | sed -n '/^Verbs/,/^$/s/^  \([a-z-]*\) .*/\1/p'); do
		"$1" "$v"
		"$gx" help "$v" | grep -q '^Verbs' || continue
		for w in $("$gx" help "$v" | sed -n '/^Verbs/,/^$/s/^  \([a-z-]*\) .*/\1/p'); do
			"$1" "$v" "$w"
		done
	done
}
has_page() {
	page=man/gx-$(echo "$*" | tr ' ' -).1
	"$gx" help "$@" | head -n 1 | grep -q '^gx .*: ' && grep -q '^\.SH SYNOPSIS' "$page" &&
		[ "$("$gx" man "$@")" = "$(cat "$page")" ] ||
		echo "gx $*"
	count=$((count + 1))
}
count=0
each_verb has_page >without
check "each verb and group has help and a page" sh -c "cat without; [ ! -s without ] && [ $count -gt 30 ]"
check "gx and gxeval have one" test -s man/gx.1 -a -s man/gxeval.1
check "there is none for what is hidden" sh -c '! ls man | grep __'
check "a folder that is not there" complains "cannot write 'none/gx.1': No such file or directory" "$gx" man --all none
check "a page of no verb" complains "'gx' has no verb 'frob'" "$gx" man frob
if man -l man/gx.1 >/dev/null 2>&1; then
	shows() { # PAGE TEXT
		MANWIDTH=100 man -l "$1" | col -b | grep -qF -- "$2" || { man -l "$1"; return 1; }
	}
	for page in man/*; do # with gx-settings.7
		man --warnings -E UTF-8 -l -Tutf8 -Z "$page" 2>&1 >/dev/null
	done >warnings
	check "man has nothing to warn of" sh -c 'cat warnings; [ ! -s warnings ]'
	check "a page shows options" shows man/gx-build.1 "-o, --out-link NAME"
	check "dashes and quotes as they are typed" shows man/gx-build.1 "'-' is standard input, '<name>' is looked up"
	check "a line that begins with a dot" shows man/gx-eval.1 "gx eval -E 'map (x: x * x) [ 1 2 3 ]'"
	check "a group lists its verbs" shows man/gx-store.1 "gx-store-gc(1)"
else
	skip "man shows the pages" "no man"
fi

# --- completion
mkdir work && cd work
cat >flake.nix <<'END'
{ outputs = _: { greeting = "hello"; packages.x86_64-linux = { tool = 1; other = 2; }; packages.aarch64-linux.foreign = 1;
                 devShells.x86_64-linux.toolbox = 1; slow = let f = n: if n == 0 then 0 else f (n + 1); in f 1; }; }
END
echo contents >a-file
mkdir a-folder
check "verbs" prints "store	look into the store, add to it, check and clean it" "$gx" __complete -- stor
check "verbs of a group" prints "verify	check that every object is there and unchanged" "$gx" __complete -- store ver
check "options" prints "--no-link	Make no links: nothing keeps the outputs afterwards" "$gx" __complete -- build --no-l
check "a value" prints "bar
bar-with-logs" "$gx" __complete -- build --log-format b
check "a setting" prints "max-jobs" "$gx" __complete -- build --option max-j
check "what it may be" prints "true" "$gx" __complete -- build --option keep-going t
check "attributes" prints ".#tool	packages" "$gx" __complete -- build --system x86_64-linux '.#t'
check "those of shells first" prints ".#toolbox	devShells
.#tool	packages" "$gx" __complete -- develop '.#tool'
check "a whole path" prints ".#packages.aarch64-linux.foreign" "$gx" __complete -- build '.#packages.aarch64-linux.f'
check "the flake here without being named" prints ".#toolbox	devShells
.#other	packages
.#tool	packages
@dirs" "$gx" __complete -- develop ''
check "of the standard library" prints "gx:std#gofumpt	packages" "$gx" __complete -- build gx:std#gofu
check "what takes long is given up" prints "" timeout 20 "$gx" __complete -- build '.#slow.x'
check "a program" prints "@commands" "$gx" __complete -- develop -c ''
check "its words" prints "@files" "$gx" __complete -- develop -c ls ''
check "nothing after what is no verb" prints "" "$gx" __complete -- nonsense ''
echo '{ welcome = "come in"; inner = { }: { one = 1; other = 2; }; throws = throw "no"; }' >values.nix
check "attributes of a file" prints "welcome" "$gx" __complete -- eval -f values.nix wel
check "below a function" prints "inner.one
inner.other" "$gx" __complete -- build --file=values.nix inner.o
check "of gxeval" prints "throws" gxeval __complete -- -f values.nix --attr th
check "of the flake here" prints "packages" gxeval __complete -- -A pack
check "options of gxeval" prints "--realise	Build the derivation, or those in a set or list, and print the paths of their outputs" gxeval __complete -- --real
check "--name=value" prints "--log-format=json" "$gx" __complete -- build --log-format=j
check "a folder after it" prints "@dirs" "$gx" __complete -- build --store=wo
check "nothing of what cannot be evaluated" prints "" gxeval __complete -- -f nosuch.nix x
mkdir inputs
echo '{ inputs = { neighbour.url = "path:./x"; near.url = "path:./y"; }; outputs = { self, neighbour, near, named }: { }; }' >inputs/flake.nix
cat >inputs/flake.lock <<'END'
{ "nodes": { "near": { "inputs": { "deep": "deep" }, "locked": { "path": "./y", "type": "path" }, "original": { "path": "./y", "type": "path" }, "parent": [ ] },
  "deep": { "flake": false, "locked": { "path": "./z", "type": "path" }, "original": { "path": "./z", "type": "path" }, "parent": [ "near" ] },
  "root": { "inputs": { "near": "near" } } }, "root": "root", "version": 7 }
END
cd inputs
check "inputs to update" prints "named
near
neighbour
near/deep" "$gx" __complete -- flake update n
check "to override" prints "near/deep" "$gx" __complete -- build --override-input near/
check "by what" prints "@dirs" "$gx" __complete -- build --override-input near ''
cd ..
check "an unknown shell" complains "there is completion for bash, zsh and fish, not for 'csh'" "$gx" completion csh

# Each is typed, completed and run: what it prints shows what was completed.
talk() { # ends with status 0 when the words were completed
	cat <<'END'
tab gx completi
> csh
= not for 'csh'
tab gx help store ver
>
= gx store verify: check that every
tab gx eval --raw .#greet
>
= hello
tab gx hash file --form
> base16 /dev/null
= e3b0c44298fc1c14
tab gx hash file a-fi
>
= sha256-
tab gx eval -E 1 --option trace-v
> false
= 1
tab gx build --dry-r
> ./nothing
= nothing
tab gxeval --raw -f values.nix wel
>
= come in
tab gxeval --raw --file=values.nix --attr wel
>
= come in
tab gx eval --expr "1 + 1" --log-format=pla
>
= 2
> cd inputs
tab gx flake update neigh
>
= path:./x
> exit 0
exit 0
END
}
complete_in() { # SHELL PROGRAM ARGUMENT...: standard input comes before the talk
	_shell=$1
	shift
	if command -v "$_shell" >/dev/null; then
		{ cat; talk; } >../talk
		check "$_shell completes" python3 "$srcdir/tests/integration/lib/terminal.py" "$@" <../talk
	else
		skip "$_shell completes" "no $_shell"
	fi
}
complete_in bash bash --norc --noprofile -i <<'END'
> eval "$(gx completion bash)"; bind 'set enable-bracketed-paste off'
END
complete_in zsh zsh -f -i <<'END'
> autoload -U compinit; compinit -u -D; eval "$(gx completion zsh)"; echo read'y'
= ready
END
complete_in fish fish --no-config -i <<'END'
> gx completion fish | source; echo read'y'
= ready
END
cd ..

# --- make install
if [ -f "$builddir/Makefile" ]; then
	check "make install" make -s -C "$builddir" install DESTDIR="$PWD/dest" prefix=/usr
	for file in bin/gx bin/gxeval share/man/man1/gx-store-gc.1 share/man/man7/gx-settings.7 share/bash-completion/completions/gx \
		share/zsh/site-functions/_gx share/fish/vendor_completions.d/gx.fish; do
		check "it puts $file there" test -s "dest/usr/$file"
	done
	check "the installed one finds its library" sh -c 'dest/usr/bin/gx --version | grep "in $PWD/dest/usr/share/gx/stdlib$"'
	check "make uninstall" make -s -C "$builddir" uninstall DESTDIR="$PWD/dest" prefix=/usr
	check "leaves nothing" sh -c 'find dest -type f; [ -z "$(find dest -type f)" ]'
fi

check "scripts/quickstart refuses what it does not know" status 2 sh "$srcdir/scripts/quickstart" --frob
check "a store without a folder" status 2 sh "$srcdir/scripts/quickstart" --store
