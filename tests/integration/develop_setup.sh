# SPDX-License-Identifier: MIT
#
# gx develop and print-dev-env of derivations whose stdenv has a setup: what that computes in bash is there.
. "$srcdir/tests/integration/lib.sh"
. "$srcdir/tests/integration/lib/store.sh"
command -v bash >/dev/null || { echo "bash is missing"; exit 77; }
command -v jq >/dev/null || { echo "jq is missing"; exit 77; }
export HOME="$PWD/home" NIX_PATH= LANG=C.UTF-8 SHELL=/bin/bash
mkdir home
# The machine's bash, with its libraries.
bash=$(readlink -f "$(command -v bash)")
paths="/bin/bash=$bash"
for lib in $(ldd "$bash" | sed -n 's/.*[[:blank:]]\(\/[^ ]*\) (0x.*/\1/p'); do paths="$paths $lib"; done
cat >shell.nix <<'END_NIX'
let
  mk = name: attrs: derivation ({ inherit name; system = builtins.currentSystem; } // attrs);
  setup = builtins.toFile "setup" ''
    set -eu
    export FROM_SETUP="it's here" PATH=/from/setup HOME=/homeless
    plain=$'two\nlines'
    declare -a list=(1 "2 3" $'x\ny' "")
    declare -A table=([one]=1 ["two words"]="'")
    greet() { echo "{ $1 }"; }
    trap 'echo left >&2' EXIT
  '';
  stdenv = mk "stdenv" { builder = "/bin/sh"; args = [ "-c" "mkdir $out; cat ${setup} > $out/setup" ]; };
  base = {
    builder = "/bin/bash"; args = [ "/does/not/exist" ]; inherit stdenv; outputs = [ "dev" "out" ];
    VAR = "v"; buildInputs = [ "a" "b" ];
  };
in {
  shell = mk "shell" (base // { shellHook = ''hooked=$(greet "''${list[1]}"); export hooked''; allowedReferences = [ ]; });
  fixed = mk "fixed" (base // {
    outputs = [ "out" ]; outputHashMode = "recursive"; outputHash = "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
  });
  structured = mk "structured" (base // { __structuredAttrs = true; outputChecks.out.maxSize = 0; words = [ "w" "x y" ]; });
  other = mk "other" (base // { builder = "/bin/sh"; });
  broken = mk "broken" (base // { stdenv = mk "bad" { builder = "/bin/sh"; args = [ "-c" "mkdir $out; echo false > $out/setup" ]; }; });
}
END_NIX
set -- --store "$store" --option sandbox-paths "$paths" -f shell.nix
dev() { _attr=$1; shift; "$gx" develop --store "$store" --option sandbox-paths "$paths" -f shell.nix "$_attr" -c "$@"; }
check "what it exports" prints "it's here" dev shell sh -c 'echo "$FROM_SETUP"'
check "the hook has its functions and arrays" prints "{ 2 3 }" dev shell sh -c 'echo "$hooked"'
check "its PATH comes first" prints /from/setup dev shell /bin/sh -c 'echo "${PATH%%:*}"'
check "the person's HOME stays" prints "$HOME" dev shell sh -c 'echo "$HOME"'
check "attributes" prints "v a b" dev shell sh -c 'echo "$VAR" $buildInputs'
check "outputs are folders here" prints "$PWD/outputs/out $PWD/outputs/dev" dev shell sh -c 'echo "$out $dev"'
check "bash as the shell has all of it" sh -c 'printf "%s\n" "greet \"\${#list[@]} \$plain\"" | "$@" 2>shell.log | grep -A1 -F "{ 4 two"' - \
	"$gx" develop --store "$store" --option sandbox-paths "$paths" -f shell.nix shell
check "of a fixed output" prints "it's here" dev fixed sh -c 'echo "$FROM_SETUP"'
check "of structured attributes" prints "it's here $PWD/outputs/out" dev structured sh -c 'echo "$FROM_SETUP $out"'
check "their files" prints "x y" dev structured sh -c 'jq -r ".words[1]" "$NIX_ATTRS_JSON_FILE"'
check "without bash as its builder nothing runs" prints "[] v" dev other sh -c 'echo "[$FROM_SETUP] $VAR"'
check "one that fails says so" complains "broken-env" dev broken true
# --- as text
"$gx" print-dev-env "$@" shell >env.sh && "$gx" print-dev-env "$@" --json shell >env.json
json() { jq -r "$1" env.json; }
check "arrays in JSON" prints "2 3" json '.variables.list.value[1]'
check "associative ones" prints "'" json '.variables.table.value["two words"]'
check "their kinds" prints "array associative var exported" json '.variables | [.list, .table, .plain, .VAR] | map(.type) | join(" ")'
check "functions" prints ' echo "{ $1 }" ' json '.bashFunctions.greet | gsub("\\s+"; " ")'
check "nothing of the build" prints "[]" json '.variables | keys | map(select(test("^(gx_|BASH|NIX_BUILD_TOP|TMPDIR|_$)"))) | tostring'
check "a script for bash" prints "it's here|{ z }|4|x
y|'|/from/setup:/bin" env PATH=/bin bash -c 'load() { . ./env.sh; }; load
echo "$FROM_SETUP|$(greet z)|${#list[@]}|${list[2]}|${table[two words]}|$PATH"'
drv=$("$gx" eval --raw --store "$store" -f shell.nix shell.drvPath)
"$gx" print-dev-env --store "$store" --option sandbox-paths "$paths" "$drv" >again.sh
check "of the derivation in the store" cmp env.sh again.sh
