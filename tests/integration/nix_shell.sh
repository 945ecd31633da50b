# SPDX-License-Identifier: MIT
#
# nix-shell: environments for commands and scripts, with $stdenv/setup read as there.
. "$srcdir/tests/integration/lib.sh"
. "$srcdir/tests/integration/lib/store.sh"
command -v bash >/dev/null || { echo "bash is missing"; exit 77; }
mkdir names home tmp && "$gx" nix-names --install names
export HOME="$PWD/home" TMPDIR="$PWD/tmp" PATH="$PWD/names:$PATH" NIX_REMOTE="local?root=$PWD/root" NIX_PATH=
export LANG=C.UTF-8
cat >shell.nix <<'END_NIX'
{ n ? "x" }:
let
  mk = name: text: derivation { inherit name; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" text ]; };
  setup = builtins.toFile "setup" "export FROM_SETUP=s; for p in $buildInputs; do PATH=$PATH:$p/bin; done\n";
in {
  a = derivation {
    name = "shell"; system = "x86_64-linux"; builder = "/bin/sh"; VAR = "it's"; shellHook = "echo hook";
    stdenv = mk "stdenv" "mkdir $out; cat ${setup} > $out/setup";
    buildInputs = [ (mk "tool" "mkdir -p $out/bin; printf '#!/bin/sh\necho tool ${n}\n' > $out/bin/tool; chmod +x $out/bin/tool") ];
  };
}
END_NIX
# What is built first is said on standard error.
check "a program of its inputs" prints "hook
tool x" nix-shell shell.nix -A a --run tool
check "shell.nix is what a folder has" prints "hook
it's s impure" nix-shell -A a --run 'echo "$VAR" $FROM_SETUP $IN_NIX_SHELL'
check "arguments" prints "hook
tool y" nix-shell -A a --argstr n y --run tool
check "its exit status" status 3 nix-shell -A a --run 'exit 3'
export OUTSIDE=1 KEPT=2
check "--pure" prints "hook
[] [] pure" nix-shell --pure -A a --run 'echo "[$OUTSIDE] [$KEPT] $IN_NIX_SHELL"'
check "--pure --keep" prints "hook
[] [2]" nix-shell --pure --keep KEPT -A a --run 'echo "[$OUTSIDE] [$KEPT]"'
echo '{ inNixShell ? false }: (import ./shell.nix { }).a // (import ./shell.nix { n = if inNixShell then "here" else "there"; }).a' >asks.nix
check "a function may ask whether it is for a shell" prints "hook
tool here" nix-shell asks.nix --run tool
drv=$(nix-instantiate shell.nix -A a)
check "of a derivation" prints "hook
tool x" nix-shell "$drv" --run tool
nix-instantiate shell.nix -A a --add-root link >/dev/null
check "of a link to one" prints "hook
tool x" nix-shell ./link --run tool
check "packages" prints hi nix-shell -p 'writeShellScriptBin "hi" "echo hi"' --run hi
echo '_: { one = derivation { name = "one"; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "mkdir -p $out/bin; echo echo one >$out/bin/one; chmod +x $out/bin/one" ]; };
  runCommand = name: env: text: derivation (env // { inherit name; system = "x86_64-linux"; builder = "/bin/sh"; }); }' >packages.nix
check "packages of another set" prints one nix-shell -I nixpkgs="$PWD/packages.nix" -p one --run one
check "no such package" mentions "undefined variable 'nothing'" nix-shell -p nothing --run true
check "two files" complains "takes one file" nix-shell shell.nix shell.nix

# --- folders
mkdir both none && cp shell.nix both && echo 'abort "default.nix"' >both/default.nix
check "shell.nix of a folder that is named" prints "hook
tool x" nix-shell both -A a --run tool
check "in the search path as well" prints "hook
tool x" nix-shell -I "here=$PWD" '<here/both>' -A a --run tool
check "unless it is not wanted" mentions "Skipping '$PWD/both/shell.nix'" nix-shell both -A a --option nix-shell-always-looks-for-shell-nix false
check "a folder with neither" complains "neither 'shell.nix' nor 'default.nix' found in" nix-shell none
check "nothing here" complains "no 'shell.nix' or 'default.nix' file found" sh -c 'cd none && exec nix-shell'
check "nix develop of a derivation" prints "hook
it's" nix develop "$drv" -c sh -c 'echo "$VAR"'
check "of what is none" must_fail nix develop "$(nix-store --add shell.nix)" -c true
check "nix env shell" prints one nix env shell --impure --expr '(import ./packages.nix { }).one' -c one
check "what a program gets is as it was" prints "" nix env shell --impure --expr '(import ./packages.nix { }).one' -c sh -c 'echo "${GX_SHELL_PATH-}"'
echo 'derivation { name = "out"; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "ln -s /tmp/x $out" ]; }' >outside.nix
nix-build --no-out-link outside.nix >/dev/null 2>&1
check "a link out of the store" complains "which is not in the Nix store" nix shell -f outside.nix -c true

# --- scripts
mkdir "a folder"
cp shell.nix "a folder"
cat >"a folder/it's.sh" <<'END_SH'
#! /usr/bin/env nix-shell
#! nix-shell -i bash --pure
#! nix-shell shell.nix -A "a"
echo "$# $1 $VAR"; tool; exit 4
END_SH
chmod +x "a folder/it's.sh"
script() { (cd / && "$OLDPWD/a folder/it's.sh" "$@") >script.out 2>script.err; }
check "a script's status" status 4 script "b c" d
check "its words, and what is beside it" prints "hook
2 b c it's
tool x" cat script.out
check "no folder is left" test -z "$(ls tmp)"
cat >"a folder/expression.sh" <<'END_SH'
#! /usr/bin/env nix-shell
#! nix-shell -i bash --expr "(import ./shell.nix { n = builtins.baseNameOf ./.; }).a"
tool
END_SH
cat >"a folder/only.nix" <<'END_NIX'
#! /usr/bin/env nix-shell
#! nix-shell ./shell.nix -A a --run tool
no expression
END_NIX
cat >"a folder/load" <<'END_SH'
#! /usr/bin/env nix-shell
#! nix-shell -i "echo ruby" shell.nix -A a
END_SH
chmod +x "a folder"/*
check "paths in its expressions are relative to it" prints "hook
tool a folder" "a folder/expression.sh"
check "unless they are not to be" prints "hook
tool ${PWD##*/}" env NIX_CONFIG='nix-shell-shebang-arguments-relative-to-script = false' "$PWD/a folder/expression.sh"
check "a script without an interpreter is not run" prints "hook
tool x" "a folder/only.nix"
check "ruby is told to load it" prints "hook
ruby -e load(ARGV.shift) -- $PWD/a folder/load x" "$PWD/a folder/load" x
echo '{ ... }@args: assert !(args ? inNixShell); (import ./shell.nix { }).a' >any.nix
check "a function that takes anything is not told what it does not name" prints "hook
tool x" nix-shell any.nix --run tool
echo '{ inNixShell ? false, ... }: assert inNixShell; (import ./shell.nix { }).a' >named.nix
check "one that names it is" prints "hook
tool x" nix-shell named.nix --run tool
