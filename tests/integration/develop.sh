# SPDX-License-Identifier: MIT
#
# gx develop, shell and run: the user's own shell with his own files, packages before everything in PATH, variables as they are whatever
# is in them, nothing of the build, and a root that keeps it.  As root and as an ordinary user with a store of his own.
. "$srcdir/tests/integration/lib.sh"
. "$srcdir/tests/integration/lib/build.sh"
command -v python3 >/dev/null || { echo "no python3"; exit 77; }
mkdir -p home/.local/share/fish/generated_completions tmp
export HOME="$PWD/home" TMPDIR="$PWD/tmp" NO_COLOR=1
unset XDG_CONFIG_HOME XDG_STATE_HOME ZDOTDIR
# An ordinary user says nothing of a store: his own is in his folder.  Root has one here.
if [ "$(id -u)" = 0 ]; then place="--store $store"; else place=; store=$HOME/.local/share/gx/root; fi
system=$("$gx" eval --impure --raw -E builtins.currentSystem)

# Text that does harm wherever it is taken for more than text.
cat >nasty <<'END'
';touch pwned;' "$(touch pwned)" `touch pwned` $HOME ${HOME} \ \\ \n \' %s %n !! !$ * ? ~ ( ) { } < > | & # ;
(touch pwned) "; touch pwned
''${touch pwned} end
END
mkdir flake && cp nasty flake/ && cat >flake/flake.gx <<'END'
{
  outputs = _: let
    make = name: script: attrs: derivation ({ inherit name; system = "@system@"; builder = "/bin/sh"; args = [ "-c" script ]; } // attrs);
    program = name: text: make name "mkdir -p $out/bin; echo \"$text\" > $out/bin/${name}; chmod +x $out/bin/${name}" { text = "#!/bin/sh\n${text}"; };
    mytool = program "mytool" "echo my tool \"$@\"";
    ls = program "ls" "echo another ls";
  in {
    packages.@system@ = { inherit mytool ls; default = mytool; };
    apps.@system@.default = { type = "app"; program = "${mytool}/bin/mytool"; };
    devShells.@system@ = rec {
      plain = make "shell" "echo $nativeBuildInputs > $out" {
        nativeBuildInputs = [ mytool ls ];
        NASTY = builtins.readFile ./nasty;
        GREETING = "hello";
        TMPDIR = "/evil"; TMP = "/evil"; HOME = "/evil"; TERM = "evil"; SHELL = "/evil"; USER = "evil";
        "not-a-name" = "x";
      };
      default = derivation (plain.drvAttrs // { shellHook = "hooked=\"$GREETING from the hook\"; export hooked; ls >hook.ls"; });
    };
  };
}
END
sed -i "s|@system@|$system|g" flake/flake.gx
develop() { "$gx" develop $place "$@"; }
says() { # TEXT COMMAND...: succeeds, and says TEXT
	_text=$1
	shift
	"$@" 2>says.log && grep -qF -- "$_text" says.log || { cat says.log; return 1; }
}
unharmed() { [ -z "$(find . -name 'pwned*')" ] || { find . -name 'pwned*'; return 1; }; }

# --- one command
inside() { develop ./flake --command sh -c "$@"; }
check "the packages are there" prints "my tool a b" inside 'mytool a "b"'
check "before others" prints "another ls" inside ls
check "the variables are" prints hello inside 'echo $GREETING'
check "whatever is in them" sh -c "\"\$@\" >nasty.got && cmp nasty nasty.got" - "$gx" develop $place ./flake --command sh -c 'printf %s "$NASTY"'
check "the hook has run" prints "hello from the hook" inside 'echo $hooked'
check "in the environment it belongs to" prints "another ls" cat hook.ls
check "folders of the build are not" prints "$TMPDIR $HOME" inside 'echo $TMPDIR $HOME'
check "nothing of the build is" prints "" inside 'for v in builder system args NIX_BUILD_TOP NIX_STORE nativeBuildInputs TMP TEMP; do eval "echo \${$v-}"; done | tr -d "\n"'
check "outputs are folders here" prints "$PWD/outputs/out" inside 'echo $out'
check "words of the command stay words" prints "a b|c
d|" develop ./flake --command sh -c 'for w; do printf "%s|" "$w"; done' - "a b" "c
d"
check "its status counts" status 7 inside 'exit 7'
check "a program that is not there" status 127 develop ./flake --command no-such-program
check "from an empty environment" sh -c "A_SECRET=1 '$gx' develop $place -i ./flake --command /usr/bin/env >env.out && ! grep -q A_SECRET env.out && grep -q ^GREETING=hello env.out && grep -q ^HOME= env.out"
check "which has programs all the same" prints "a.b ls" develop -i ./flake --command sh -c 'echo a-b | tr - . | tr "\n" " "; basename /bin/ls'
check "and certificates" sh -c "'$gx' develop $place -i ./flake --command env | grep -q '^SSL_CERT_FILE=/' || [ ! -e /etc/ssl/certs/ca-certificates.crt ]"
check "the user's own stay" prints /my/own.crt env SSL_CERT_FILE=/my/own.crt "$gx" develop $place -i ./flake --command sh -c 'echo $SSL_CERT_FILE'
in_shell() { A_SECRET=1 "$gx" develop $place "$@" ./flake --command /usr/bin/env >env.log && grep '^A_SECRET=\|^ANOTHER=' env.log; }
check "--set-env-var sets" prints "$(printf 'A_SECRET=2\nANOTHER=x')" in_shell --set-env-var A_SECRET 2 -s ANOTHER x
check "also in an empty environment" prints ANOTHER=x in_shell --ignore-env --set-env-var ANOTHER x
check "--unset-env-var drops" must_fail in_shell --unset-env-var A_SECRET
check "not what is empty anyway" complains "does not make sense with --ignore-env" in_shell -i -u A_SECRET
check "nor is anything kept in one that is not" complains "does not make sense without --ignore-env" in_shell --keep-env-var A_SECRET
check "twice" complains "Duplicate definition of environment variable 'X'" in_shell -s X 1 -s X 2
check "set and dropped" complains "Cannot unset environment variable 'X'" in_shell -s X 1 -u X
check "dropped and set" complains "Cannot set environment variable 'X'" in_shell -u X -s X 1
check "no name" complains "is no name of a variable" in_shell -s A=B 1
check "--keep keeps" sh -c "A_SECRET=1 '$gx' develop $place -i --keep A_SECRET ./flake --command /usr/bin/env | grep -q ^A_SECRET=1"
check "no harm was done" unharmed
mkdir early && sed 's/devShells/devShell/' flake/flake.gx >early/flake.gx && cp nasty early/
check "shells under the name that one had" prints hello develop ./early --command sh -c 'echo $GREETING'
mkdir first && cp nasty first/ && sed "s/devShells/devShell/; /devShell/,\$s/^    };/    }.default;/" flake/flake.gx >first/flake.gx
check "or one" prints hello develop ./first --command sh -c 'echo $GREETING'

# --- the user's own shell
terminal() { env SHELL="$shell" PS1= python3 "$srcdir/tests/integration/lib/terminal.py" "$gx" develop $place ${1-./flake}; }
mkdir -p home/.config/fish home/zdot
echo "bashrc=read; alias mine='echo alias works'; PATH=/usr/bin:/bin; PS1='prompt> '" >home/.bashrc
echo "zshenv=read" >home/.zshenv
echo "zshrc=read; alias mine='echo alias works'; PATH=/usr/bin:/bin; PS1='prompt> '; unsetopt zle prompt_cr prompt_sp" >home/.zshrc
echo "zdot=read; PS1='prompt> '; unsetopt zle prompt_cr prompt_sp" >home/zdot/.zshrc
cat >home/.config/fish/config.fish <<'END'
set fishrc read
alias mine='echo alias works'
set -gx PATH /usr/bin /bin
function fish_prompt; echo 'prompt> '; end
END
common() { # what every shell shows
	cat <<END
= prompt>
> $1
= read read
> mine
= alias works
> mytool x
= my tool x
> ls
= another ls
> echo "[\$GREETING]" "[\$hooked]"
= [hello] [hello from the hook]
> printf %s "\$NASTY" | cmp - nasty && echo same
= same
> /bin/ls /proc/self/fd | tr '\\n' ' ' ; echo .
= 0 1 2 3 .
> echo "<\$TMPDIR>" "<\$builder\$NIX_BUILD_TOP>"
= <$TMPDIR> <>
> exit 3
exit 3
END
}
no_files_left() { [ -z "$(ls -A tmp | grep -v ^fish)" ] || { ls -lA tmp; return 1; }; ! find /tmp -maxdepth 1 -name 'gx-*' -user "$(id -u)" -newer nasty | grep -e shell -e root; }
check "first into an empty folder of temporary files" no_files_left
try_shell() { # NAME WHAT-SHOWS-THAT-ITS-FILES-WERE-READ
	shell=$(command -v "$1") || { skip "$1: the user's files, the packages, the variables, the hook" "no $1"; return; }
	common "$2" >"$1.in"
	own_shell() { terminal <"$1.in"; }
	check "$1: the user's files, the packages, the variables, the hook" own_shell "$1"
	check "$1: leaves no file" no_files_left
}
try_shell bash 'echo $bashrc read'
try_shell zsh 'echo $zshenv $zshrc'
try_shell fish 'echo $fishrc read'
if shell=$(command -v zsh); then
	zdotdir() { export ZDOTDIR="$HOME/zdot"; terminal <<'END'
= prompt>
> echo $zdot "<$zshrc>" "<${ZDOTDIR##*/}>"
= read <> <zdot>
> mytool x
= my tool x
> exit
exit 0
END
	}
	check "zsh: files that are elsewhere" zdotdir
	unset ZDOTDIR
	zshenv_says() { echo 'ZDOTDIR=$HOME/zdot' >home/.zshenv; terminal <<'END'
= prompt>
> echo $zdot "<$zshrc>" "<${ZDOTDIR##*/}>" "<$GX_ZDOTDIR$GX_SHELL_DIR>"
= read <> <zdot> <>
> mytool x
= my tool x
> exit
exit 0
END
	}
	check "zsh: files that .zshenv says are elsewhere" zshenv_says
	check "zsh: leaves no file then" no_files_left
else
	skip "zsh: files that are elsewhere" "no zsh"
fi
shell=/bin/sh
other() { terminal <<'END'
> mytool $GREETING $hooked
= my tool hello hello from the hook
> exit 4
exit 4
END
}
check "another shell: through the environment" other
check "no harm was done by any" unharmed

# --- kept, and seen by collectors
rooted() { "$gx" store gc $place >gc.log 2>&1 && [ -e "$store$(readlink home/.local/state/gx/roots/develop-*)" ]; }
rm -f home/.local/state/gx/roots/*
check "a shell" inside true
check "is kept by a root" rooted
quiet_develop() { inside true 2>again.log && [ ! -s again.log ]; }
check "so the next one builds nothing" quiet_develop

# --- where there are no namespaces: said, and nothing weaker that was not asked for
if [ "$(id -u)" = 0 ]; then
	refused=$(mktemp -d /tmp/gx-refused.XXXXXX)
	varies="s|$refused|REFUSED|g; s/-ls[.]drv/-mytool.drv/" # either may be the first
	cp -r flake "$gx" "$refused" && chown -R 65534:65534 "$refused"
	refuse() { (cd "$refused" && HOME=$refused NIX_CONFIG="substituters =" python3 "$srcdir/tests/integration/lib/no_namespaces.py" ./gx "$@"); }
	if refuse --help >/dev/null 2>&1; then
		relocated="--store-dir $refused/own/store"
		check "no namespaces: a build is refused" complains "the system refuses a new user namespace (No space left on device)" refuse build --no-link ./flake#mytool
		check "no namespaces: a shell too" complains "the system refuses a new user namespace" refuse develop ./flake --command true
		check "no namespaces: a store elsewhere does not make builders less confined" complains "the system refuses" \
			refuse develop $relocated ./flake --command true
		check "no namespaces: less confined only where the store is at its place" complains "the system refuses a new user namespace" \
			refuse develop --sandbox none ./flake --command true
		# The sandbox's shell has these programs in it, the machine's is told where they are.
		sed -i 's|"mkdir -p|"PATH=/usr/bin:/bin; mkdir -p|' "$refused/flake/flake.gx"
		check "no namespaces: with both words" prints "my tool 1" refuse shell $relocated --sandbox none ./flake#mytool --command mytool 1
		check "no namespaces: which is said" says "without the sandbox: it sees this machine" refuse develop $relocated --sandbox none ./flake --command true
	else
		skip "no namespaces: a build is refused" "no way to refuse them"
	fi
	rm -rf "$refused"
elif [ -z "${BUILD_AS-}" ]; then
	skip "no namespaces: a build is refused" "not root"
fi

# --- of any derivation: only what it needs is built
mkdir other && cat >other/default.nix <<'END'
let
  system = builtins.currentSystem;
  make = attrs: derivation ({ name = "other"; inherit system; builder = "/bin/sh"; args = [ "-c" "exit 1" ]; } // attrs);
  input = name: text: derivation { inherit name system; builder = "/bin/sh"; args = [ "-c" "mkdir -p $out/bin; echo \"echo ${text}\" > $out/bin/${name}; chmod +x $out/bin/${name}" ]; };
in {
  broken = make { OPTS = "-g"; nativeBuildInputs = [ (input "dep" "of a broken package") ]; prefix = "--prefix=${placeholder "out"}"; };
  needs-broken = make { nativeBuildInputs = [ (make { name = "broken-input"; }) ]; };
  structured = make {
    __structuredAttrs = true;
    WORD = "w x"; number = 3; yes = true; no = false; list = [ "a b" "c" ]; nested.a = 1; env.EXPORTED = "e";
    nativeBuildInputs = [ (input "dep" "of structured") ];
    outputs = [ "out" "dev" ];
    shellHook = ''echo "hook: $WORD, ''${list[0]}, ''${outputs[dev]##*/}"'';
  };
  files = make { passAsFile = [ "text" ]; text = "of a file\n"; };
  go-package = make { go = input "go" "the toolchain"; PATH = "${input "tool" "in PATH"}/bin:/path-not-set"; };
  with-go = make { buildInputs = [ (input "go" "go") ]; };
  go-of-its-own = make { buildInputs = [ (input "go" "go") ]; GOTOOLCHAIN = "auto"; };
}
END
other() { _attr=$1; shift; develop -f other/default.nix "$_attr" --command "$@"; }
check "a package that does not build" prints "of a broken package" other broken dep
check "has its variables" prints "-g --prefix=$PWD/outputs/out" other broken sh -c 'echo $OPTS $prefix'
check "an input that does not build is an error" complains "builder for" other needs-broken true
if [ -x /bin/bash ]; then
	check "structured attributes" prints "hook: w x, a b, dev
w x,3,1,,e,
of structured" other structured sh -c 'echo "$WORD,$number,$yes,$no,$EXPORTED,$nested"; dep'
	check "as files too" prints "hook: w x, a b, dev
\"a b\"" other structured sh -c 'grep -o "\"a b\"" "$NIX_ATTRS_JSON_FILE"'
fi
check "passAsFile is a file" prints "of a file" other files sh -c 'cat "$textPath"; echo $text'
unset GOTOOLCHAIN
check "what a package's build has in PATH" prints "in PATH" other go-package tool
check "and its Go" prints "the toolchain
local" other go-package sh -c 'go; echo $GOTOOLCHAIN'
check "a Go stays the one of the shell" prints local other with-go sh -c 'echo $GOTOOLCHAIN'
check "unless the user says otherwise" prints path env GOTOOLCHAIN=path "$gx" develop $place -f other/default.nix with-go --command sh -c 'echo $GOTOOLCHAIN'
check "or the shell" prints auto other go-of-its-own sh -c 'echo $GOTOOLCHAIN'
check "other shells say nothing of Go" prints "" inside 'echo $GOTOOLCHAIN'
check "what is inside says so" prints shell inside 'echo $GX_SHELL'
if shell=$(command -v bash); then
	note() { env SHELL="$shell" PS1= python3 "$srcdir/tests/integration/lib/terminal.py" "$gx" develop $place "$@" ./flake; }
	entered() { note <<'END'
= note: you are in the shell 'shell'; 'exit' leaves it
> exit
exit 0
END
	}
	check "and a line, on a terminal" entered
	silent() { note --option shell-note false <<'END' >note.out; ! grep -q 'you are in' note.out; }
= prompt>
> exit
exit 0
END
	check "which a setting turns off" silent
fi

# --- printed
if [ -x /bin/bash ]; then
	evaluated() { "$gx" "$@" >env.sh && /bin/bash -euc '. ./env.sh; printf %s "$NASTY" | cmp - nasty; echo "$GREETING, $hooked"; [ "${PATH%%/bin*}" != /usr ]'; }
	for verb in print-dev-env env; do
		check "gx $verb as a script" prints "hello, hello from the hook" evaluated $verb $place ./flake
	done
	"$gx" env --direnv >direnv.sh
	uses() { prints "hello from the hook" /bin/bash -euc 'PATH='"${gx%/*}"':$PATH; watch_file() { echo "$@" >>watched; }; . ./direnv.sh; use_gx '"$place"' ./flake; echo $hooked' && grep -qx ./flake/flake.lock watched; }
	check "direnv's function" uses
	check "which fails where there is no environment" must_fail /bin/bash -euc 'PATH='"${gx%/*}"':$PATH; watch_file() { :; }; . ./direnv.sh; use_gx '"$place"' ./flake#nope; echo went on'
fi
check "as JSON" prints hello sh -c "'$gx' print-dev-env $place --json ./flake >env.json && '$gx' eval --impure --raw -E '(builtins.fromJSON (builtins.readFile ./env.json)).variables.GREETING.value'"
check "no harm was done by these" unharmed

# --- gx bundle
mkdir bundler && cat >bundler/flake.gx <<END
{
  outputs = _: {
    bundlers.$system = rec {
      default = x: derivation {
        name = "bundle"; system = "$system"; builder = "/bin/sh"; outputs = [ "out" "more" ];
        args = [ "-c" "echo > \$more; echo \${x.type} \${x.name or ""} > \$out" ];
      };
      same = x: x;
      none = x: 1;
    };
  };
}
END
bundle() { "$gx" bundle $place --bundler "$@"; }
bundled() { cat "$store$(readlink "$1")"; }
check "gx bundle" bundle ./bundler ./flake#mytool
check "makes what the bundler makes of a package" prints "derivation mytool" bundled bundle
check "and keeps it" sh -c "'$gx' store gc $place >/dev/null 2>&1; test -e '$store$(readlink bundle)'"
check "of an app" bundle ./bundler ./flake -o of-app
check "under the name that is said" prints app bundled of-app
echo '{ x ? "f" }: { type = "function"; name = x; }' >function.nix
check "of what a file has" sh -c "'$gx' bundle $place --bundler ./bundler -f function.nix --argstr x given -o of-file"
check "called with its arguments" prints "function given" bundled of-file
check "a bundler by its name" bundle ./bundler#same ./flake#mytool
check "(it is the package)" test -x "$store$(readlink mytool)/bin/mytool"
check "another bundler is another question" sh -c "'$gx' bundle $place --bundler ./bundler ./flake#mytool -o again && [ \"\$(readlink again)\" = \"\$(readlink bundle)\" ]"
check "the bundler's flake gets no lock file" [ ! -e bundler/flake.lock ]
check "one that makes no derivation" complains "the bundler './bundler#none' does not make a derivation" bundle ./bundler#none ./flake#mytool
check "one that is not there" complains "does not provide attribute 'bundlers.x86_64-linux.nonexistent'" bundle ./bundler#nonexistent ./flake#mytool
check "it bundles one thing" status 2 bundle ./bundler ./flake ./flake

# --- scripts that hold their call
mkdir scripts here
script() { # NAME LINE...: the lines follow the one that names the program
	_script=scripts/$1
	shift
	{
		echo "#!$gx"
		printf '%s\n' "$@"
	} >"$_script"
	chmod +x "$_script"
}
script tool.sh "# a comment" "" "not read: #! gx"
check "a script that says nothing of gx" complains "scripts/tool.sh" scripts/tool.sh
script tool.sh "// a comment of any language" "-- or another" "#! gx shell $place" "#!gx ../flake#mytool" "#! gx  --command sh" 'mytool "$@"; pwd -P'
check "a script that says what it is run by" prints "my tool 1 2 3
$(pwd -P)/here" sh -c 'cd here && ../scripts/tool.sh 1 "2 3"'
script words.sh "#! gx eval --json --impure --expr \`\`" "#! gx   { x = \"a \`\`\` b\"; f = import ./f.nix; script = \"\$x * (y)\"; }" '#! gx ``' '#! gx  ``--apply``  `` s: s.x + s.f + "#" `` --argstr name'
echo '"f"' >scripts/f.nix
check "words between backticks" prints '"a `` bf#"' sh -c 'cd here && ../scripts/words.sh'
for bad in '*' '$x' '(' '\' '"x"' '#x' '`x'; do
	script bad.sh "#! gx eval $bad"
	check "what needs them: $bad" complains "unsupported unquoted character in nix shebang" scripts/bad.sh
done
script bad.sh '#! gx eval ``open'
check "backticks that are not closed" complains "double backticks in 'scripts/bad.sh' are not closed" scripts/bad.sh
script nix.sh "#! nix eval --raw --file ./f.nix --argstr name"
sed -i "1s,.*,#!$PWD/as/nix," scripts/nix.sh
mkdir as && ln -s "$gx" as/nix
check "also by Nix's name" prints f scripts/nix.sh
sed -i "1s,.*,#!$gx," scripts/nix.sh
check "lines that name Nix" prints f scripts/nix.sh
script nix.sh "#! gx eval --raw --file ./f.nix"
check "not the other way" complains "no line '#! nix" as/nix scripts/nix.sh

# --- gx shell, gx run
check "gx shell --run" prints "my tool 1 2" "$gx" shell $place ./flake#mytool --run 'mytool 1 2'
[ ! -e "$srcdir/stdlib/flake.gx" ] || check "gx shell -p names packages of gx:std" complains "no-such-package" "$gx" shell $place -p no-such-package
check "gx shell -p needs one" status 2 "$gx" shell $place -p
check "gx shell" prints "my tool 1" "$gx" shell $place ./flake#mytool --command mytool 1
check "with several packages" prints "another ls
my tool" "$gx" shell $place ./flake#mytool ./flake#ls --command sh -c 'ls; mytool'
check "a collector leaves alone what runs" sh -c "'$gx' shell $place ./flake#mytool --command sh -c '\"$gx\" store gc $place >/dev/null 2>&1; mytool 2' | grep -qx 'my tool 2'"
# Without --store, gx takes /nix inside: that must be this store with its database, or all of it would count as garbage.
check "a collector started inside knows the same store" sh -c "'$gx' shell $place ./flake#mytool --command sh -c '\"$gx\" store gc >/dev/null 2>&1; mytool 3' | grep -qx 'my tool 3'"
check "gx run" prints "my tool x  y" "$gx" run $place ./flake -- x " y"
check "a package" prints "another ls" "$gx" run $place ./flake#ls
if shell=$(command -v bash); then
	gx_shell() { env SHELL="$shell" python3 "$srcdir/tests/integration/lib/terminal.py" "$gx" shell $place ./flake <<'END'
= prompt>
> mine; mytool 3
= alias works
= my tool 3
> exit
exit 0
END
	}
	check "gx shell in the user's shell" gx_shell
else
	skip "gx shell in the user's shell" "no bash"
fi
exit 0
