# SPDX-License-Identifier: MIT
#
# Setup hooks: wrappers, completions and manual pages, and what else nativeBuildInputs may name.
. "$srcdir/tests/integration/lib.sh"
cp -r "$srcdir/stdlib" std
cat >t.gx <<'X'
let
  pkgs = import ./std { system = builtins.currentSystem; };
  inherit (pkgs) lib stdenv runCommand writeShellScriptBin;
  tool = writeShellScriptBin "tool" ''
    echo "A=''${A-none} B=''${B-none} C=$C D=''${D-none} in ''${PWD##*/}:"
    for a; do echo "<$a>"; done
  '';
  broken = text: runCommand "x" { nativeBuildInputs = [ pkgs.makeWrapper pkgs.installShellFiles ]; } text;
in
rec {
  wrapped = runCommand "wrapped" { nativeBuildInputs = [ pkgs.makeWrapper ]; } ''
    mkdir -p $out/bin
    cp ${tool}/bin/tool $out/bin
    wrapProgram $out/bin/tool --set A "it's 1" --set-default B b --prefix C : /first --suffix C : /last --unset D \
      --chdir / --run 'echo "running"' --add-flags "-x -y" --add-flag "one word" --append-flags -z
    makeWrapper ${tool}/bin/tool $out/other/run
  '';
  joined = pkgs.symlinkJoin {
    name = "joined";
    paths = [ tool ];
    nativeBuildInputs = [ pkgs.makeBinaryWrapper ];
    postBuild = "wrapProgram $out/bin/tool --set A joined";
  };
  run = runCommand "run" { } "${joined}/bin/tool >$out";
  files = stdenv.mkDerivation {
    pname = "files";
    version = "1";
    dontUnpack = true;
    nativeBuildInputs = [ pkgs.installShellFiles tool ];
    outputs = [ "out" "man" ];
    installPhase = ''
      echo page >tool.1
      echo page >x.conf.5
      installManPage tool.1 x.conf.5
      echo complete >given.fish
      installShellCompletion --cmd tool --bash <(tool bash) --zsh <(tool zsh) --fish <(tool fish)
      installShellCompletion given.fish --name other.bash --bash <(tool bash)
      installBin ${tool}/bin/tool
    '';
  };
  home = runCommand "home" { nativeBuildInputs = [ pkgs.writableTmpDirAsHomeHook ]; } "echo x >$HOME/x && cp $HOME/x $out";
  checked = stdenv.mkDerivation {
    pname = "checked";
    version = "1.2.3";
    dontUnpack = true;
    nativeInstallCheckInputs = [ pkgs.versionCheckHook ];
    doInstallCheck = true;
    installPhase = "install -Dm755 ${writeShellScriptBin "x" "echo version 1.2.3"}/bin/x $out/bin/checked";
  };
  lying = stdenv.mkDerivation {
    pname = "lying";
    version = "1.2.3";
    dontUnpack = true;
    nativeInstallCheckInputs = [ pkgs.versionCheckHook ];
    doInstallCheck = true;
    installPhase = "install -Dm755 ${writeShellScriptBin "x" "echo version 1.2.4"}/bin/x $out/bin/lying";
  };
  noProgram = broken "wrapProgram $out/bin/none";
  noOption = broken "makeWrapper ${tool}/bin/tool $out --sett A b";
  noSection = broken "touch page && installManPage page";
  noShell = broken "touch page && installShellCompletion page";
  empty = broken "installShellCompletion --cmd x --bash <(true)";
}
X
real() { # ATTRIBUTE
	gxeval --store ./s --realise -f t.gx --attr "$1" >path || return 1
	printf '%s' "./s$(head -n 1 path)"
}
# What is in the store under its own name runs here with that name in front of it.
run() { # ATTRIBUTE PROGRAM ARGUMENT...
	_f=$(real "$1") || return 1
	_p=$2
	shift 2
	sed "s|/nix/store|$PWD/s/nix/store|g" "$_f/bin/$_p" >run.sh
	sh run.sh "$@"
}
wrapped() {
	export C=/usr D=d
	run wrapped tool "a b"
}
check "a wrapper" prints "running
A=it's 1 B=b C=/first:/usr:/last D=none in :
<-x>
<-y>
<one word>
<a b>
<-z>" wrapped
again() {
	export C=/last:/first
	run wrapped tool | sed -n 2p
}
check "what is in a list already is not put there again" prints "A=it's 1 B=b C=/last:/first D=none in :" again
check "a wrapper in a tree of links" prints "A=joined B=none C= D=none in build:" cat "$(real run)"
files() {
	_f=$(real files) && (cd "$_f" && find . -type f | sort) && _f=$(real files.man) && (cd "$_f" && find . -type f | sort)
}
check "completions and manual pages" prints './bin/tool
./share/bash-completion/completions/other.bash
./share/bash-completion/completions/tool.bash
./share/fish/vendor_completions.d/given.fish
./share/fish/vendor_completions.d/tool.fish
./share/zsh/site-functions/_tool
./share/man/man1/tool.1.gz
./share/man/man5/x.conf.5.gz' files
check "a home" prints x cat "$(real home)"
check "a version that is said" [ -x "$(real checked)/bin/checked" ]

check "a version that is not" complains "does not say its version, 1.2.3" gxeval --store ./s --realise -f t.gx --attr lying
check "no program to wrap" complains "is no program" gxeval --store ./s --realise -f t.gx --attr noProgram
check "an option that is none" complains "there is no option '--sett'" gxeval --store ./s --realise -f t.gx --attr noOption
check "no section" complains "does not say which section" gxeval --store ./s --realise -f t.gx --attr noSection
check "no shell" complains "it is not known for which shell" gxeval --store ./s --realise -f t.gx --attr noShell
check "nothing that completes" complains "is empty" gxeval --store ./s --realise -f t.gx --attr empty
