# SPDX-License-Identifier: MIT
#
# mkDerivation's phases and functions, builders of small things, and that all of them can be overridden.
. "$srcdir/tests/integration/lib.sh"
cp -r "$srcdir/stdlib" std
mkdir -p notes/sub
printf 'hello @who@ $x\nline two\n' >notes/a.txt
printf '#!/usr/bin/env tool\necho hi\n' >notes/run
chmod +x notes/run
tar cf notes.tar notes
gzip -k notes.tar
python3 -c 'import zipfile; z = zipfile.ZipFile("notes.zip", "w"); z.write("notes/a.txt")'

cat >t.gx <<'X'
let
  pkgs = import ./std { system = builtins.currentSystem; };
  inherit (pkgs) lib stdenv runCommand writeText writeShellScriptBin;
  tool = writeShellScriptBin "tool" "echo tool \"$@\"";
  unpack = src: runCommand "x" { inherit src; } "unpackPhase; cat $sourceRoot/a.txt >$out";
  fails = text: runCommand "x" { } text;
  a = stdenv.mkDerivation (final: {
    pname = "a";
    version = "1";
    src = ./notes.tar.gz;
    buildInputs = [ tool null ];
    who = "me $HOME";
    outputs = [ "out" "man" ];
    patches = [ (writeText "p" "--- a/a.txt\n+++ b/a.txt\n@@ -1,2 +1,2 @@\n hello @who@ $x\n-line two\n+line 2\n") ];
    postPatch = ''
      substituteInPlace a.txt --replace-fail '$x' 'a&b\n' --replace-warn "line" "L" --subst-var who
      echo @who@ >b.txt
      substituteAll b.txt "b c.txt"
    '';
    installPhase = ''
      runHook preInstall
      install -Dm755 run -t $out/bin
      install -D a.txt "$out/share/a b.txt" -m 644
      install -D "b c.txt" "$out/share/"
      install -d $man/share/man/man1
      echo manual >$man/share/man/man1/a.1
      runHook postInstall
    '';
    postInstall = "tool post ${final.pname}-${final.version} >$out/share/said";
    passthru.self = final.finalPackage;
    meta.description = "of ${final.pname}";
  });
in
rec {
  inherit a;
  all = runCommand "all" { nativeBuildInputs = [ tool ]; } ''
    { tool one; cat ${a}/share/said "${a}/share/a b.txt" "${a}/share/b c.txt" ${a}/bin/run; ls ${a.man}/share/man/man1; } >$out
  '';
  zip = unpack ./notes.zip;
  tar = unpack ./notes.tar;
  folder = unpack ./notes;
  structured = stdenv.mkDerivation {
    name = "s";
    __structuredAttrs = true;
    x = [ "p q" "it's" ];
    y = "multi\nline 'q'";
    n = 5;
    t = true;
    f = false;
    none = [ ];
    outputs = [ "out" "dev" ];
    env.FOO = "b ar";
    buildCommand = ''
      echo "$x|$y|$n|$t|$f|$none|$FOO" >$out
      env | grep FOO >>$out
      ! env | grep -q '^x=' || exit 1
      echo >$dev
    '';
  };
  closure = pkgs.closureInfo { rootPaths = [ all ]; };
  closed = pkgs.writeClosure [ all ];
  joined = pkgs.symlinkJoin { name = "j"; paths = [ a tool ]; postBuild = "cd $out && find . ! -type d | sort >/build/list && cp /build/list $out"; };
  bin = pkgs.buildEnv { name = "e"; paths = [ a tool ]; pathsToLink = [ "/bin" ]; };
  # No output of it, as headers of Debian's packages are.
  further = pkgs.buildEnv {
    name = "f";
    paths = [ (derivation { name = "bare"; inherit (stdenv) system; builder = "/bin/sh"; args = [ "-c" "mkdir -p $out/bin; echo >$out/bin/bare" ]; } // { dev = a; }) ];
    extraOutputsToInstall = [ "dev" "lib" ];
  };
  text = pkgs.concatText "c" [ (writeText "a" "a\n") (writeText "b" "b\n") ];
  app = pkgs.writeShellApplication {
    name = "app";
    text = "echo \"$X\"\ntool \"$@\"";
    runtimeInputs = [ tool ];
    inheritPath = false;
    runtimeEnv.X = "a 'b";
    bashOptions = [ "errexit" "pipefail" ];
    excludeShellChecks = [ "SC2086" ];
    meta.description = "an app";
    derivationArgs.mark = "m";
  };
  hook = pkgs.runCommand "hook" { } ''
    mkdir -p $out/nix-support
    echo 'greet() { echo "greeted $1"; }; seen() { echo "$1" >>$NIX_BUILD_TOP/seen; }; addEnvHooks "$hostOffset" seen' >$out/nix-support/setup-hook
    echo ${tool} >$out/nix-support/propagated-native-build-inputs
  '';
  hooked = runCommand "hooked" { nativeBuildInputs = [ hook ]; } "greet you >$out; tool >>$out; grep -c . seen >>$out";
  # Names that the builders' shell has in itself: as a program, as a command that stays its own.
  preferred = runCommand "preferred" { nativeBuildInputs = map (n: writeShellScriptBin n "echo own ${n} $*") [ "awk" "wc" "echo" "od-d" ]; } ''
    { awk a; x() { wc; }; x; echo b; echo c | (wc -l); } >$out
    printf '#!/usr/bin/awk -f\n' >script
    chmod +x script
    patchShebangs --build script
    grep -o '/awk -f' script >>$out
    grep -c "$NIX_STORE" script >>$out
  '';
  phases = stdenv.mkDerivation {
    name = "phases";
    phases = [ "one" "two" ];
    one = "x=1";
    two = "echo $x >$out";
  };
  refused = pkgs.writeTextFile { name = "r"; text = "x"; checkPhase = "grep y $target"; };
  changed = lib.mapAttrs (_: drv: drv.drvPath) {
    a = a.overrideAttrs { version = "2"; };
    final = a.overrideAttrs (final: before: { version = "2"; postInstall = before.postInstall + "; echo ${final.version}"; });
    text = (writeText "t" "x").overrideAttrs (o: { name = "u"; });
    shell = (pkgs.mkShell { A = "1"; }).overrideAttrs (o: { A = o.A + "2"; });
    joined = joined.overrideAttrs (o: { name = "k"; });
    env = bin.overrideAttrs { name = "k"; };
    farm = (pkgs.linkFarm "f" { a = tool; }).overrideAttrs { name = "k"; };
  };
  bash = fails "a=(1 2)";
  badPhase = stdenv.mkDerivation { name = "x"; dontUnpack = true; installPhase = "a=(1 2)"; };
  notThere = fails "substitute ${writeText "a" "x"} $out --replace-fail no yes";
  noInstall = stdenv.mkDerivation { name = "n"; src = ./notes; };
  noSource = stdenv.mkDerivation { name = "n"; };
  noName = stdenv.mkDerivation { pname = "n"; };
  several = runCommand "x" { srcs = [ ./notes ./std ]; } "unpackPhase";
  unknown = runCommand "x" { src = ./t.gx; } "unpackPhase";
  noMake = runCommand "x" { } "touch Makefile; buildPhase";
}
X

real() { # ATTRIBUTE
	gxeval --store ./s --realise -f t.gx --attr "$1" >path || return 1
	printf '%s' "./s$(head -n 1 path)"
}
shows() { # TEXT ATTRIBUTE [FILE]
	_f=$(real "$2") || return 1
	prints "$1" cat "$_f${3-}"
}
tool=$(gxeval --raw -f t.gx --apply 'x: (builtins.head x.a.buildInputs).outPath')
check "phases, substitution, outputs, interpreters, manual pages" shows "tool one
tool post a-1
hello me \$HOME a&b\\n
L 2
me \$HOME
#!$tool/bin/tool
echo hi
a.1.gz" all
check "attributes of the result" prints 'a 1 of a a-1' gxeval --raw -f t.gx --apply 'x: "${x.a.pname} ${x.a.version} ${x.a.meta.description} ${x.a.self.name}"'
for kind in zip tar folder; do
	check "a source that is a $kind" shows 'hello @who@ $x
line two' $kind
done
check "attributes in files" shows "p q it's|multi
line 'q'|5|1|||b ar
FOO=b ar" structured
closed() {
	_f=$(real closed) && [ "$(wc -l <"$_f")" = 2 ]
}
check "a closure" closed
registered() {
	_f=$(real closure) && [ "$(wc -l <"$_f/store-paths")" = 2 ] && [ "$(grep -c '^sha256:' "$_f/registration")" = 2 ] &&
		[ "$(cat "$_f/total-nar-size")" -gt 500 ]
}
check "a closure's registration has sums and sizes" registered
check "links to files of several packages" shows './bin/run
./bin/tool
./share/a b.txt
./share/b c.txt
./share/said' joined /list
some() {
	_f=$(real bin) && ls "$_f" "$_f/bin" | grep -v ':$'
}
check "a folder of several packages" prints 'bin

run
tool' some
further() {
	_f=$(real further) && ls "$_f/bin"
}
check "what a package names beside itself" prints 'bare
run' further
check "texts one behind the other" shows "a
b" text
check "an application" shows "#!/bin/sh
set -o errexit
if (set -o pipefail) 2>/dev/null; then set -o pipefail; fi
X='a '\\''b'
export X
export PATH=\"$tool/bin\"

echo \"\$X\"
tool \"\$@\"" app /bin/app
check "its attributes" prints "app an app m" gxeval --raw -f t.gx --apply 'x: "${x.app.meta.mainProgram} ${x.app.meta.description} ${x.app.mark}"'
check "setup hooks, and what a package propagates" shows "greeted you
tool
2" hooked
check "programs of inputs come before those of the shell" shows "own awk a
own wc
b
own wc -l
/awk -f
1" preferred
check "phases by their names" shows 1 phases
check "every change is another derivation" prints 7 gxeval --store ./s -f t.gx --apply 'x: let v = builtins.attrValues x.changed; in
	builtins.length (builtins.attrNames (builtins.listToAttrs (map (name: { name = builtins.unsafeDiscardStringContext name; value = 1; }) v)))'
check "without a phase to install there is an empty folder" [ -d "$(real noInstall)" ]

varies='s|\.attr-[a-z0-9]*|.attr-X|; s/\.gx:[0-9]*:[0-9]*/.gx:L:C/; s/^  [0-9]* |/  N |/'
check "text that only bash reads" complains "which is not bash" gxeval --store ./s --realise -f t.gx --attr bash
check "a phase that only bash reads" complains "cannot read installPhase" gxeval --store ./s --realise -f t.gx --attr badPhase
check "a text that is not there" complains "'no' is not in '/nix/store/" gxeval --store ./s --realise -f t.gx --attr notThere
check "a check that refuses" complains "failed with exit code 1" gxeval --store ./s --realise -f t.gx --attr refused
check "no source" complains "there is no src to unpack" gxeval --store ./s --realise -f t.gx --attr noSource
check "no version" complains "'version' missing" gxeval -f t.gx --attr noName.drvPath
check "two sources" complains "unpacking made several folders" gxeval --store ./s --realise -f t.gx --attr several
check "a source of a kind that is not known" complains "it is not known how to unpack" gxeval --store ./s --realise -f t.gx --attr unknown
check "no make" complains "there is no 'make' among the inputs" gxeval --store ./s --realise -f t.gx --attr noMake
