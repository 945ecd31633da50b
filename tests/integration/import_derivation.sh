# SPDX-License-Identifier: MIT
#
# Import from derivation: what an evaluation reads out of a derivation is built for it.
. "$srcdir/tests/integration/lib.sh"
. "$srcdir/tests/integration/lib/build.sh"
export HOME="$PWD" XDG_DATA_HOME="$PWD/data" XDG_CACHE_HOME="$PWD/cache"
unset NIX_PATH XDG_CONFIG_HOME
here=$PWD
mkdir tree
echo yes >tree/yes
echo no >tree/no
cat >d.nix <<'N'
rec {
  make = name: script: derivation {
    inherit name; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" script ];
  };
  bar = make "bar" "echo 'builtins.add 123 456' > $out";
  value = assert builtins.pathExists bar; import bar;
  result = make "foo" "printf %s FOO${toString value} > $out";
  addPath = make "add-path" "printf %s BLA$(cat ${builtins.filterSource (p: t: true) result}) > $out";
  step1 = make "step1" "mkdir $out; echo foo > $out/bla";
  addPathExpr = make "add-path" ''mkdir $out
    echo 'builtins.path { path = "${step1}"; sha256 = "sha256-7ptL+pnrZXnSa5hwwB+2SXTLkcSb5264WGGokN8OXto="; }' > $out/default.nix'';
  importAddPathExpr = import addPathExpr;
  symlink = make "symlink" "mkdir $out; echo hello > $out/text; ln -s $out/text $out/symlink; ln -s ${step1} $out/symlink2";
  copy = builtins.path { name = "copied"; path = "${symlink}/"; };
  copyOfFile = builtins.path { name = "copied"; path = "${symlink}/text"; };
  json = (builtins.fromJSON (builtins.readFile (make "j" "echo '{\"a\":6}' > $out"))).a + 1;
  dir = builtins.readDir symlink;
  type = builtins.readFileType "${symlink}/symlink";
  hash = builtins.hashFile "sha256" (make "empty" ": > $out");
  found = builtins.findFile [ { path = step1; } { prefix = "x"; path = make "other" "mkdir $out"; } ] "bla";
  scoped = builtins.scopedImport { n = 4; } (make "scope" "echo n + 1 > $out");
  twice = make "again" "cat ${make "one" "echo ${builtins.readFile (make "two" "printf two > $out")} > $out"} > $out";
  nested = builtins.readFile twice;
  pair = builtins.pathExists "${make "pl" "echo > $out; echo left begins >&2; sleep 0.4; echo left ends >&2"}/../${
    make "pr" "echo > $out; echo right begins >&2; sleep 0.4; echo right ends >&2"}";
  paired = make "paired" "echo ${toString pair} > $out";
  bad = import (make "bad" "echo a last word; exit 3");
  refers = builtins.readFile (make "refers" "echo ${./tree} ${builtins.toFile "text" "text"} > $out");
  filtered = builtins.readFile (make "filtered" "ls ${builtins.filterSource (p: t: baseNameOf p != "no") ./tree} > $out");
  plain = 1;
  string = "${result}";
  path = ./tree;
  inside = "${./tree}/yes";
  drvAlone = builtins.unsafeDiscardOutputDependency bar.drvPath;
  drvDeep = bar.drvPath;
  nothing = builtins.unsafeDiscardStringContext result.outPath;
  mixed = "${result}${./tree}";
}
N
value() { "$gx" eval --store "$store" -q -f d.nix "$@" --json; }

# --- what NixOS/nix's own test says of it
check "nothing is built in read-only mode" complains "in read-only mode what is imported must exist already" \
	"$gx" eval --store "$store" --read-only -f d.nix value
check "an expression that a derivation makes is imported" prints 579 value value
foo() { path=$(build -q --print-out-paths -f d.nix result) && [ "$(cat "$store$path")" = FOO579 ]; }
check "and a derivation made of it" foo
check "in restricted evaluation the closure of an output may be read" build --restrict-eval -I src=. \
	-f d.nix importAddPathExpr
bla() { path=$(build -q --print-out-paths -f d.nix addPath) && [ "$(cat "$store$path")" = BLAFOO579 ]; }
check "filterSource copies an output" bla
refers() { # ATTR
	path=$("$gx" eval --store "$store" -q --raw -f d.nix "$1") || return 1
	refs=$("$gx" path-info --store "$store" --json "$path") || return 1
	case $refs in *-step1*-symlink*) ;; *) echo "$refs" && return 1 ;; esac
}
check "path keeps what an output refers to" refers copy
check "also of one file of it" refers copyOfFile

hello() {
	"$gx" eval --store "$store" -q --raw --restrict-eval -I . -E \
		"builtins.readFile \"\${(import ./d.nix).make \"hello\" \"mkdir \$out; echo Hello World! > \$out/hello\"}/hello\""
}
check "in restricted evaluation a file of an output is read" prints "Hello World!" hello

# --- strings and paths are built as well
string() { # TEXT ATTR
	path=$(build -q --print-out-paths -f d.nix "$2") && [ "$(cat "$store$path"$3)" = "$1" ]
}
check "a string that is an output" string FOO579 string ""
check "a path, which is copied" string yes path /yes
check "not one with more in it" complains "has a context with the different path" build -f d.nix inside
check "one that is the derivation" build -f d.nix drvAlone
check "not one that is all it is made of" complains "has a context which refers to a complete source and binary closure" build -f d.nix drvDeep
check "nor one of none" complains "has 0 entries in its context. It should only have exactly one entry" build -f d.nix nothing
check "nor one of two" complains "has 2 entries in its context" build -f d.nix mixed

# --- everything that reads
check "readFile and fromJSON" prints 7 value json
check "readDir" prints '{"symlink":"symlink","symlink2":"symlink","text":"regular"}' value dir
check "readFileType" prints '"symlink"' value type
check "hashFile" prints '"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"' value hash
check "findFile" sh -c 'case $("$0" eval --store "$1" -q --raw -f d.nix --apply toString found) in */[a-z0-9]*-step1/bla) ;; *) exit 1; esac' \
	"$gx" "$store"
check "scopedImport" prints 5 value scoped
check "an import that needs another first" prints '"two\n"' value nested
check "pure evaluation reads what it had built" prints 7 "$gx" eval --store "$store" -q --pure-eval -f d.nix json

# --- together, and how it is told
together() {
	"$gx" build --store "$store" --no-link -L -j 2 -f d.nix paired 2>log || { cat log && return 1; }
	grep -n 'begins\|ends' log
	[ "$(grep 'begins\|ends' log | sed 's/.* //' | tr '\n' ' ')" = "begins begins ends ends " ]
}
check "outputs of one string are built together" together
check "gx eval shows what builders print" complains "a last word" "$gx" eval --store "$store" -L -j 1 -f d.nix bad
check "a build that fails is an error at the import" complains "  at d.nix:27:9" "$gx" eval --store "$store" -f d.nix bad
check "with the end of its log" grep -q '> a last word' complains.log
check "and status 1" status 1 "$gx" eval --store "$store" -f d.nix bad
check "also of gx build" status 1 "$gx" build --no-link --store "$store" -f d.nix bad
check "the trace says what was imported" complains "while importing from derivation '/nix/store/" \
	"$gx" eval --store "$store" --show-trace -f d.nix bad
told() {
	"$gx" eval --store "$store" --option trace-import-from-derivation true -f d.nix json 2>log || return 1
	grep 'warning: built ./nix/store/[0-9a-z]*-j.drv^out. during evaluation due to an import from derivation at d.nix:16:30' log
}
check "trace-import-from-derivation says what and where, also of what was there" told
no="cannot build '/nix/store/"
check "allow-import-from-derivation forbids it" complains "$no" "$gx" eval --store "$store" -f d.nix json \
	--option allow-import-from-derivation false
check "and names itself" grep -q "because the option 'allow-import-from-derivation' is disabled" complains.log
check "as an option of its own as well" complains "$no" "$gx" eval --store "$store" -f d.nix json --no-allow-import-from-derivation
check "what imports nothing is not concerned" prints 1 value plain --no-allow-import-from-derivation

# --- a store that comes late
late() { "$gx" eval -q --json -f "$here/d.nix" "$@"; }
if [ "$(id -u)" != 0 ] && [ ! -O /nix ]; then
	check "a value leaves no trace" prints 1 late plain
	check "on the disk" [ ! -e data/gx ]
	check "without a store named, what has to be built is" prints 7 late json
	check "with what it refers to" late refers
	check "filtered trees too" prints '"yes\n"' late filtered
	kept() { ls data/gx/root/nix/store | sed -n 's/^[0-9a-z]\{32\}-//p' | sort | tr '\n' ' '; }
	check "and nothing else is written" prints "filtered filtered.drv gx-staging j j.drv refers refers.drv text tree tree " kept
fi

# --- flakes
mkdir flake
cat >flake/flake.nix <<'N'
{
  outputs = { self }: let system = "x86_64-linux";
    make = name: script: derivation { inherit name system; builder = "/bin/sh"; args = [ "-c" script ]; };
    ifd = make "n${builtins.readFile (make "name" "printf 7 > $out")}" "echo > $out";
  in { packages.${system} = { default = ifd; plain = make "plain" "echo > $out"; }; hydraJobs.ifd = ifd; };
}
N
flake() { "$gx" flake "$1" --store "$store" "$2" --system x86_64-linux 2>log; }
omitted() {
	"$gx" flake show --store "$store" ./flake >shown || return 1
	cat shown
	grep -q 'default: omitted due to use of import from derivation' shown && grep -q "plain: package 'plain'" shown
}
check "flake show omits what it would have to build" omitted
json() {
	"$gx" flake show --store "$store" --json ./flake >shown 2>log || return 1
	grep -q '"default":{}' shown && grep -q 'warning: packages.x86_64-linux.default omitted due to use of import' log
}
check "in JSON it is empty, and a warning says why" json
all() { "$gx" flake show --store "$store" --allow-import-from-derivation ./flake 2>&1 | grep "default: package 'n7'"; }
check "and builds it when it may" all
check "flake check builds it" complains "outputs evaluate, 1 does not" "$gx" flake check --store "$store" ./flake
check "but not for jobs of Hydra" grep -q "checking 'hydraJobs.ifd'" complains.log
check "nor with --no-build" complains "1 output evaluates, 2 do not" "$gx" flake check --store "$store" --no-build ./flake

# --- the REPL builds as well
printf 'f = (import ./d.nix).json\nf\n' >typed
repl() { "$gx" repl --store "$store" <typed 2>log; }
check "in the REPL" prints 7 repl

# --- a file that takes the confinement away is named when something is built
unconfined() { # SAYS [OPTION]...
	_says=$1
	shift
	NIX_CONFIG='sandbox = false' "$gx" build --no-link --store-dir "$here/free/store" "$@" -E 'derivation {
		name = "free"; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "echo '"$*"' >$out" ]; }' \
		2>log || { cat log && return 1; }
	[ "$(grep -c "note: builders are not confined: NIX_CONFIG:1 sets 'sandbox'" log)" = "$_says" ] || { cat log && return 1; }
}
check "builders that a file lets go unconfined are told of" unconfined 1
check "not where the command line says so" unconfined 0 --no-sandbox
