# SPDX-License-Identifier: MIT
#
# Files and folders made from others: nix-gitignore, formats, replaceVars, applyPatches, testers.
. "$srcdir/tests/integration/lib.sh"
cp -r "$srcdir/stdlib" std
mkdir -p tree/build tree/src/build tree/doc/deep tree/.git
for f in a.md b.log keep.log build/x src/build/y src/a.go src/gen.go doc/deep/z.tmp doc/a.txt .git/config top src/top; do
	echo "$f" >"tree/$f"
done
printf '# comment\n*.log\n!keep.log\nbuild/\n/top\ndoc/**/*.tmp\n' >tree/.gitignore
printf 'gen.*\n' >tree/src/.gitignore
printf '#!@shell@\necho @version@ @kept@\n' >run.sh
printf 'one\n' >tree/one
cat >t.gx <<'X'
let
  pkgs = import ./std { system = builtins.currentSystem; };
  inherit (pkgs) lib formats nix-gitignore writeText;
  files = src: lib.concatStringsSep " " (map (f: lib.removePrefix "${toString src}/" (toString f)) (lib.filesystem.listFilesRecursive src));
  value = {
    title = "a \"b\"";
    n = 1;
    list = [ 1 2 ];
    none = null;
    "a b".c = true;
    servers = [ { name = "x"; tags = [ "p" ]; } { name = "y"; at = { z = 1.5; }; } ];
  };
in
rec {
  git = files (nix-gitignore.gitignoreSource "*.md" ./tree);
  pure = files (nix-gitignore.gitignoreSourcePure [ "*" "!*.md" ] ./tree);
  recursive = files (nix-gitignore.gitignoreRecursiveSource [ ] ./tree);
  toml = (formats.toml { }).generate "a.toml" value;
  round = builtins.fromTOML (builtins.readFile toml) == removeAttrs value [ "none" ];
  json = (formats.json { }).generate "a.json" value;
  ini = (formats.ini { }).generate "a.ini" { s.k = "v"; };
  lines = (formats.keyValue { }).generate "a" { k = "v"; b = true; };
  replaced = pkgs.replaceVars ./run.sh { shell = "/bin/sh"; version = "1.2"; kept = null; };
  script = pkgs.replaceVarsWith { src = ./run.sh; replacements = { shell = "/bin/sh"; version = 1; kept = "k"; }; dir = "bin"; isExecutable = true; };
  left = pkgs.replaceVars ./run.sh { shell = "/bin/sh"; version = "1"; };
  old = pkgs.substituteAll { src = ./run.sh; shell = "sh"; version = "3"; kept = "&"; };
  patched = pkgs.applyPatches { src = ./tree; patches = [ (writeText "p" "--- a/one\n+++ b/one\n@@ -1 +1 @@\n-one\n+two\n") ]; };
  desktop = pkgs.makeDesktopItem { name = "app"; desktopName = "App"; exec = "app %U"; categories = [ "Utility" "Network" ]; terminal = false; };
  says = pkgs.testers.testVersion { package = pkgs.writeShellScriptBin "x" "echo x 1.2" // { version = "1.2"; }; };
  saysNot = pkgs.testers.testVersion { package = pkgs.writeShellScriptBin "x" "echo x 1.2"; version = "1.3"; };
  same = pkgs.testers.testEqualContents { assertion = "they are one"; expected = ./tree; actual = ./tree; };
  differ = pkgs.testers.testEqualContents { assertion = "they are one"; expected = ./tree/a.md; actual = ./tree/one; };
}
X
is() { # TEXT ATTRIBUTE
	prints "$1" gxeval --raw --impure -f t.gx --attr "$2"
}
shows() { # TEXT ATTRIBUTE [FILE]
	gxeval --store ./s --realise -f t.gx --attr "$2" >path || return 1
	prints "$1" cat "./s$(cat path)${3-}"
}
check "what .gitignore leaves, and patterns" is ".gitignore doc/a.txt keep.log one src/.gitignore src/a.go src/gen.go src/top" git
check "patterns alone" is "a.md" pure
check "all .gitignore files" is ".gitignore a.md doc/a.txt keep.log one src/.gitignore src/a.go src/top" recursive
check "TOML" shows 'list = [1, 2]
n = 1
title = "a \"b\""

["a b"]
c = true

[[servers]]
name = "x"
tags = ["p"]

[[servers]]
name = "y"

[servers.at]
z = 1.5' toml
check "says what it was made from" prints true gxeval --store ./s --impure -f t.gx --attr round
check "JSON" prints true gxeval --store ./s --impure -f t.gx --apply 'x: builtins.fromJSON (builtins.readFile x.json) ? servers'
check "INI" shows '[s]
k=v' ini
check "lines" shows 'b=true
k=v' lines
check "names replaced" shows '#!/bin/sh
echo 1.2 @kept@' replaced
check "in a program" shows '#!/bin/sh
echo 1 k' script /bin/run.sh
check "by attributes" shows '#!sh
echo 3 &' old
check "a patched source" shows two patched /one
check "a desktop entry" shows '[Desktop Entry]
Categories=Utility;Network;
Exec=app %U
Name=App
Terminal=false
Type=Application
Version=1.5' desktop /share/applications/app.desktop
check "a version that is said" shows "x 1.2" says
check "two trees that are one" shows "they are one" same

varies='s/in [0-9.]* s$/in TIME/; s/\.gx:[0-9]*:[0-9]*/.gx:L:C/; s/^  [0-9]* |/  N |/'
check "a name that is left" complains "'@kept@' is still in the file" gxeval --store ./s --realise -f t.gx --attr left
check "another version" complains "version 1.3 is not in what it says" gxeval --store ./s --realise -f t.gx --attr saysNot
check "two files that differ" complains "they are one: they differ" gxeval --store ./s --realise -f t.gx --attr differ
