# SPDX-License-Identifier: MIT
#
# gx edit: which editor is opened, at which file and line.
. "$srcdir/tests/integration/lib.sh"
. "$srcdir/tests/integration/lib/flakes.sh"
export NO_COLOR=1
unset VISUAL EDITOR
mkdir bin flake dep
for name in vim plain; do
	printf '#!/bin/sh\necho %s "$#" "$@"\n' $name >bin/$name && chmod +x bin/$name
done
PATH=$PWD/bin:$PATH
system=$(gxeval --impure --raw -E builtins.currentSystem)
cat >dep/flake.nix <<'EOF_'
{ outputs = { self }: {
  package = { type = "derivation"; name = "d";
    meta.position = "${self}/sub/package.nix:7"; };
}; }
EOF_
cat >flake/flake.nix <<EOF_
{ inputs.dep.url = "path:$PWD/dep";
  outputs = { self, dep }: {
    packages.$system = {
      default = { type = "derivation"; name = "p"; meta.position = toString ./package.nix + ":12"; };
      plain = { type = "derivation";
        name = "plain"; };
      function = { a }:
        a;
      path = ./package.nix;
      dep = dep.package;
      number = 1;
      wrong = { meta.position = "package.nix"; };
      line = { meta.position = "package.nix:12x"; };
    };
  };
}
EOF_
echo '{ x = { type = "derivation"; name = "x"; }; }' >file.nix
edit() { (EDITOR=$1 && export EDITOR && shift && gx edit "$@"); }

here=$PWD/flake
check "a package, where meta.position says" prints "vim 2 +12 $here/package.nix" edit vim ./flake
check "by name" prints "vim 2 +6 $here/flake.nix" edit vim ./flake#plain
check "a function" prints "vim 2 +7 $here/flake.nix" edit vim ./flake#function
check "a path" prints "vim 2 +1 $here/package.nix" edit vim ./flake#path
check "an editor that knows no lines" prints "plain 1 $here/package.nix" edit plain ./flake
check "one with options, by its path" prints "vim 3 -R +12 $here/package.nix" edit "$PWD/bin/vim -R" ./flake
check "VISUAL comes first" prints "plain 1 $here/package.nix" env VISUAL=plain EDITOR=vim gx edit ./flake
check "of a file" prints "vim 2 +1 $PWD/file.nix" edit vim -f file.nix x
of_input() { edit vim ./flake#dep >edited && grep -q '^vim 2 +7 /.*/sub/package.nix$' edited || { cat edited && return 1; }; }
check "of an input" of_input
mkdir 'a b' && cp file.nix 'a b/$x.nix'
check "a name with blanks is one word" prints "vim 2 +1 $PWD/a b/\$x.nix" edit vim -f 'a b/$x.nix' x
check "what has no place" complains "it is not known where an integer is written" edit vim ./flake#number
check "a position without a line" complains "the attribute 'meta.position' is no 'FILE:LINE', but 'package.nix'" edit vim ./flake#wrong
check "or with more than that" complains "is no 'FILE:LINE'" edit vim ./flake#line
check "what is not there" complains "'plane'" edit vim ./flake#plane
check "the editor's status is that of gx" status 3 env EDITOR='sh -c "exit 3"' gx edit ./flake
printf ':lf ./flake\n:e packages.%s.default\n' "$system" >repl.in
in_repl() { EDITOR=vim gxeval --repl <repl.in >repl.out 2>&1; grep -q "^vim 2 +12 $here/package.nix" repl.out || { cat repl.out && return 1; }; }
check "the REPL opens packages there, too" in_repl
