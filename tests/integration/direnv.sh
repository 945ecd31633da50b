# SPDX-License-Identifier: MIT
#
# `use gx` in direnv itself: what it sets, when it is asked again, and when it is not.  As root and as an ordinary user, whose shells
# outside of gx do not see a /nix/store.
. "$srcdir/tests/integration/lib.sh"
. "$srcdir/tests/integration/lib/build.sh"
for t in direnv bash; do command -v $t >/dev/null 2>&1 || { echo "there is no $t"; exit 77; }; done
mkdir -p home/.config/direnv/lib bin project
export HOME="$PWD/home" NO_COLOR=1
unset XDG_CONFIG_HOME XDG_STATE_HOME XDG_DATA_HOME XDG_CACHE_HOME DIRENV_DIFF DIRENV_DIR DIRENV_WATCHES DIRENV_FILE
if [ "$(id -u)" = 0 ]; then place="--store $store"; else place=; fi

# A gx that counts.
printf '#!/bin/sh\necho "$*" >>%s/asked\nexec "%s" "$@"\n' "$PWD" "$gx" >bin/gx && chmod +x bin/gx
PATH=$PWD/bin:$PATH
export LOG="$PWD/direnv.log"
system=$("$gx" eval --impure --raw -E builtins.currentSystem)
flake() { # GREETING
	cat >project/flake.gx <<END
{
  outputs = _: let
    tool = derivation { name = "mytool"; system = "$system"; builder = "/bin/sh";
      args = [ "-c" "mkdir -p \$out/bin; echo '#!/bin/sh' >\$out/bin/mytool; echo 'echo my tool' >>\$out/bin/mytool; chmod +x \$out/bin/mytool" ]; };
  in {
    devShells.$system.default = derivation {
      name = "shell"; system = "$system"; builder = "/bin/sh"; args = [ "-c" "echo >\$out" ];
      nativeBuildInputs = [ tool ]; GREETING = "$1"; MOD = builtins.readFile ./go.mod; shellHook = "export HOOKED=yes";
    };
  };
}
END
}
flake hello
printf 'module example.com/x\n\ngo 1.26.11\n' >project/go.mod
"$gx" env --direnv >home/.config/direnv/lib/gx.sh
echo "use gx $place" >project/.envrc

# What a shell with direnv's hook does before each prompt, once for each line of standard input, which runs after it.
prompts() {
	bash -c 'cd project; while IFS= read -r line; do out=$(direnv export bash 2>>"$LOG"); eval "$out"; eval "$line"; done'
}
was_asked() { prints "$1" sh -c 'cat asked 2>/dev/null | grep -c "^env"'; } # N: so often gx was asked since
refused() { prints "none" prompts <<'END' && grep -q 'is blocked' direnv.log
printf "%s" "${GREETING-none}"
END
}
check "an .envrc that nobody allowed" refused
direnv allow project >allow.log 2>&1 || cat allow.log
enters() { prints "hello yes shell my tool" prompts <<'END'
printf "%s %s %s %s" "$GREETING" "$HOOKED" "$GX_SHELL" "$(mytool)"
END
}
check "the shell of the flake" enters
check "asked once" was_asked 1
stays() {
	rm -f asked
	prints "hello hello hello" prompts <<'END'
printf "%s " "$GREETING"
echo "package x" >x.go; sleep 1.1; printf "%s " "$GREETING"
printf "%s" "$GREETING"
END
}
check "it stays while nothing of it changes" stays
check "without asking again" was_asked 1
reloads() {
	rm -f asked
	flake hello
	prints "hello, good bye, good bye" prompts <<'END'
printf "%s, " "$GREETING"; sleep 1.1; sed -i 's/GREETING = "hello"/GREETING = "good bye"/' flake.gx
printf "%s, " "$GREETING"
printf "%s" "$GREETING"
END
}
check "another flake.gx is another shell" reloads
check "asked twice" was_asked 2
reloads_mod() {
	rm -f asked
	prints "1.26.11; 1.26.12" prompts <<'END'
printf "%s; " "${MOD##* }"; sleep 1.1; printf 'module example.com/x\n\ngo 1.26.12' >go.mod
printf "%s" "${MOD##* }"
END
}
printf 'module example.com/x\n\ngo 1.26.11' >project/go.mod
check "so is another go.mod" reloads_mod
check "asked twice" was_asked 2
leaves() { prints "good bye, none; /bin" prompts <<'END'
printf "%s, " "$GREETING"; before=$PATH; cd /
printf "%s; " "${GREETING-none}"; case $PATH in *mytool*) ;; *) printf /bin ;; esac
END
}
check "nothing of it is left outside" leaves

# Somewhere else than the .envrc, and what is wrong.
mkdir project/inner && mv project/flake.gx project/go.mod project/inner/
echo "use gx $place ./inner" >project/.envrc
direnv allow project >allow.log 2>&1
below() {
	prints "good bye, hello" prompts <<'END'
printf "%s, " "$GREETING"; sleep 1.1; sed -i 's/good bye/hello/' inner/flake.gx
printf "%s" "$GREETING"
END
}
check "a flake in another folder, and its change" below
broken() {
	: >direnv.log
	prints "none, hello" prompts <<'END' && grep -q "error: syntax error" direnv.log
printf "%s, " "${GREETING-none}"; sleep 1.1; sed -i 's/= = "hello"/= "hello"/' inner/flake.gx
printf "%s" "$GREETING"
END
}
sed -i 's/= "hello"/= = "hello"/' project/inner/flake.gx
check "one that is wrong says so, and is looked at again when it changes" broken
