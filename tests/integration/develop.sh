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
check "nothing of the build is" prints "" inside 'for v in out builder system args outputs NIX_BUILD_TOP NIX_STORE nativeBuildInputs TMP TEMP; do eval "echo \${$v-}"; done | tr -d "\n"'
check "words of the command stay words" prints "a b|c
d|" develop ./flake --command sh -c 'for w; do printf "%s|" "$w"; done' - "a b" "c
d"
check "its status counts" status 7 inside 'exit 7'
check "a program that is not there" status 127 develop ./flake --command no-such-program
check "from an empty environment" sh -c "A_SECRET=1 '$gx' develop $place -i ./flake --command /usr/bin/env >env.out && ! grep -q A_SECRET env.out && grep -q ^GREETING=hello env.out && grep -q ^HOME= env.out"
check "--keep keeps" sh -c "A_SECRET=1 '$gx' develop $place -i --keep A_SECRET ./flake --command /usr/bin/env | grep -q ^A_SECRET=1"
check "no harm was done" unharmed

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
> echo "<\$TMPDIR>" "<\$out\$builder\$NIX_BUILD_TOP>"
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
	cp -r flake "$gx" "$refused" && chown -R 65534:65534 "$refused"
	refuse() { (cd "$refused" && HOME=$refused python3 "$srcdir/tests/integration/lib/no_namespaces.py" ./gx "$@"); }
	if refuse --help >/dev/null 2>&1; then
		relocated="--store-dir $refused/own/store"
		check "no namespaces: a build is refused" complains "the system refuses a new user namespace" refuse build --no-link ./flake#mytool
		check "no namespaces: a shell too" complains "the system refuses a new user namespace" refuse develop ./flake --command true
		check "no namespaces: a store elsewhere does not make builders less confined" complains "the system refuses" \
			refuse develop $relocated ./flake --command true
		check "no namespaces: less confined only where the store is at its place" complains "only a sandbox can show it" \
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

# --- gx shell, gx run
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
