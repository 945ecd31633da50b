# SPDX-License-Identifier: MIT
#
# What somebody new to gx types: in a folder without a flake, with Nix's options, with files of expressions instead of flakes.
. "$srcdir/tests/integration/lib.sh"
. "$srcdir/tests/integration/lib/build.sh"
mkdir -p home state
export HOME="$PWD/home" XDG_STATE_HOME="$PWD/state" NO_COLOR=1
unset XDG_CONFIG_HOME XDG_CACHE_HOME NIX_PATH
place="--store $store"
varies='s/ kvm}/}/' # what this machine can
says() { # TEXT COMMAND...: succeeds, and says TEXT
	_text=$1
	shift
	"$@" 2>says.log && grep -qF -- "$_text" says.log || { cat says.log; return 1; }
}
build() { "$gx" build $place --no-link --print-out-paths "$@"; }
develop() { "$gx" develop $place "$@"; }
reads() { # TEXT COMMAND...: the command prints one path of the store; the file there holds TEXT
	_want=$1
	shift
	_out=$("$@" 2>reads.log) && [ "$(cat "$store$_out")" = "$_want" ] || { cat reads.log; echo "$_out"; return 1; }
}

# --- files of expressions
mkdir project && cd project
cat >default.nix <<'END'
{ v ? "default", system ? builtins.currentSystem }: rec {
  a = derivation { name = "a"; inherit system; builder = "/bin/sh"; args = [ "-c" "echo ${v} > $out" ]; VALUE = v; };
  b = derivation { name = "b"; inherit system; outputs = [ "out" "dev" "doc" ]; builder = "/bin/sh";
    args = [ "-c" "echo out > $out; mkdir -p $dev/bin; echo doc > $doc; echo 'echo of dev' > $dev/bin/tool; chmod +x $dev/bin/tool" ]; };
  none = { x = 1; };
  env = builtins.getEnv "HOME";
}
END
cat >shell.nix <<'END'
{ word ? "from shell.nix" }: derivation { name = "sh"; system = builtins.currentSystem; builder = "/bin/sh"; args = [ "-c" "exit 1" ]; WORD = word; }
END
check "an attribute of a file" reads default build -f default.nix a
check "--argstr" reads given build -f default.nix --argstr v given a
check "--arg" reads 12 build -f default.nix --arg v 'toString (3 * 4)' a
check "an expression" reads given build --expr 'import ./default.nix { v = "given"; }' a
check "the search path" reads default build -I "it=$PWD/default.nix" -E '(import <it> { }).a'
check "a file as an operand" reads default build ./default.nix#a
check "a folder with one" reads default sh -c "cd .. && exec '$gx' build $place --no-link --print-out-paths ./project#a"
check "the file here, where there is no flake" reads default build .#a
check "all it offers" [ "$(build 2>/dev/null | grep -c -e "-[ab]$")" = 2 ]
check "one output" reads doc build 'b^doc' -f default.nix
check "several" [ "$(build -f default.nix 'b^dev,doc' 2>/dev/null | wc -l)" = 2 ]
check "all outputs" [ "$(build -f default.nix 'b^*' 2>/dev/null | wc -l)" = 3 ]
check "of a file or folder as an operand" reads doc build './default.nix#b^doc'
check "and of a file alone" sh -c "[ \"\$('$gx' build $place --no-link --print-out-paths './shell.nix^out' --dry-run 2>/dev/null)\" ]"
check "an output that is not there" complains "does not have wanted output 'nope'" build -f default.nix 'b^nope'
check "no output" complains "names no output" build -f default.nix 'b^'
check "gx shell has the output that was named" prints "of dev" "$gx" shell $place -f default.nix 'b^dev' --command tool
check "--system is the system of the file" complains "riscv64-linux" build --system riscv64-linux -f default.nix a
check "what is missing is named" complains "'nope'" build -f default.nix nope
check "a file that is missing" complains "cannot open 'nope.nix'" build -f nope.nix
check "two things to evaluate" status 2 build -f default.nix -E 1
check "gx develop takes shell.nix" prints "from shell.nix" develop --command sh -c 'echo $WORD'
check "with arguments" prints "x y" develop --argstr word "x y" -f shell.nix --command sh -c 'echo $WORD'
check "or what -f names" prints default develop -f default.nix a --command sh -c 'echo $VALUE'
check "what is no derivation is named" complains "expected a derivation but found a set" develop -f default.nix none
mkdir -p sub && cd sub
check "a file above counts in its repository only" complains "there is no flake.gx or flake.nix" develop --command true
mkdir ../.git
check "and counts there" prints "from shell.nix" develop --command sh -c 'echo $WORD'
cd .. && rm -rf .git

# --- which outputs a package stands for: as Nix 2.34 has it, but that x.dev is dev also for what is no package of nixpkgs
mkdir outputs
cat >outputs/flake.gx <<'END'
{
  outputs = { self }: {
    packages.x86_64-linux = rec {
      plain = derivation { name = "o"; system = "x86_64-linux"; outputs = [ "out" "dev" "doc" ]; builder = "/bin/sh";
        args = [ "-c" "for o in $out $dev $doc; do mkdir -p $o/bin; echo \"echo $o\" > $o/bin/hello; chmod +x $o/bin/hello; done" ]; };
      some = plain // { meta = { outputsToInstall = [ "dev" "doc" ]; mainProgram = "hello"; }; };
      none = plain // { meta.outputsToInstall = [ ]; };
      one = plain.dev;
      chosen = plain // { outputSpecified = true; meta.outputsToInstall = [ "dev" ]; };
    };
  };
}
END
echo '((import ./flake.gx).outputs { self = { }; }).packages.x86_64-linux' >outputs/default.nix
outputs() { # WANTED WORD...
	_wanted=$1
	shift
	build "$@" --dry-run --json >outputs.log 2>/dev/null || return 1
	_names=$(sed 's/.*"outputs"://' outputs.log | grep -o '"[a-z]*":' | tr -d '":\n' | sed 's/out/ out/; s/doc/ doc/; s/dev/ dev/')
	[ "$_names" = "$_wanted" ] || { echo "has$_names, expected$_wanted"; return 1; }
}
while read -r attr flake file; do
	flake=" $(echo "$flake" | tr + ' ')" file=" $(echo "$file" | tr + ' ')"
	check "of a flake: $attr" outputs "$flake" --system x86_64-linux "./outputs#$attr"
	check "of a file: $attr" outputs "$file" -f outputs/default.nix "$attr"
done <<'END'
plain out dev+doc+out
some dev+doc dev+doc
none out out
one dev dev
chosen out out
plain^* dev+doc+out dev+doc+out
some^out out out
END
if [ "$(uname -m)" = x86_64 ]; then
	check "gx run runs the one that the package is" sh -c "'$gx' run $place ./outputs#some | grep -q -- '-o$'"
	check "gx shell has those to install" sh -c "'$gx' shell $place ./outputs#some --command hello | grep -q -- '-o-dev$'"
	check "--realise builds what the value is" sh -c "gxeval $place --realise ./outputs#some | grep -q -- '-o$'"
fi

# --- where a store path is wanted, a package is one
listed() { "$gx" path-info $place "$@"; }
out=$(build -f default.nix --argstr v listed a)
check "gx path-info of an attribute" prints "$out" listed -f default.nix --argstr v listed a
check "of an expression" prints "$out" listed -E '(import ./default.nix { v = "listed"; }).a'
ln -s "$store$out" link
check "of a link" prints "$out" listed ./link
check "of a path" prints "$out" listed "$out"
check "one that is not built is not" complains "is not valid" listed -f default.nix --argstr v never a
check "gx log of an attribute" status 0 "$gx" log $place -f default.nix --argstr v listed a
check "gx derivation show of an attribute" sh -c "'$gx' derivation show $place -f default.nix --argstr v listed a | grep -q '\"VALUE\": \"listed\"'"
mkdir -p listed && cat >listed/flake.gx <<'END'
{ outputs = { self }: { packages.x86_64-linux.default = (import ../default.nix { v = "listed"; system = "x86_64-linux"; }).a; }; }
END
sed 's|import ../default.nix|import ./it.nix|' -i listed/flake.gx && cp default.nix listed/it.nix
if [ "$(uname -m)" = x86_64 ]; then
	check "gx path-info of a flake" prints "$out" listed ./listed
	check "of a flake's package" prints "$out" listed './listed#default^out'
	check "of the flake here" prints "$out" sh -c "cd listed && exec '$gx' path-info $place ."
	check "gx log of a flake" status 0 "$gx" log $place ./listed
	check "gx derivation show of a flake" sh -c "'$gx' derivation show $place ./listed#default | grep -q '\"VALUE\": \"listed\"'"
fi

# --- Nix's options
for verb in "flake show" "flake metadata" "flake lock" "flake check --no-build" "flake archive" "flake audit"; do
	check "gx $verb has those of all that evaluates" sh -c "cd listed && '$gx' $verb $place --arg x 1 --argstr y z -I a=/nope --system x86_64-linux"
done
would() { says "will be built:" "$@" && ! grep -q '^built' says.log; }
check "--dry-run says what would be built" would build --dry-run -f default.nix --argstr v dry a
check "and builds nothing" would build --dry-run -f default.nix --argstr v dry a
check "nor does a shell" would "$gx" shell $place --dry-run -f default.nix --argstr v dry a
check "words of other commands that mean nothing here" reads default build -f default.nix a --extra-experimental-features "nix-command flakes" \
	--accept-flake-config --refresh --no-warn-dirty --no-eval-cache --option warn-dirty false
for verb in "flake show" "hash path" "store gc" "path-info"; do
	check "gx $verb takes them too" sh -c "'$gx' $verb --help --extra-experimental-features flakes | grep -q -e --option"
done
check "a setting that is an option as well" complains "setting 'max-jobs' is a number, not 'some'" build --option max-jobs some -f default.nix a
check "an unknown setting" complains "unknown setting 'no-such'" build --option no-such 1 -f default.nix a
check "-v shows whole traces" sh -c "! '$gx' build $place -v -E 'let f = x: throw \"deep\"; in f 1' 2>&1 | grep -q 'show-trace'"
cd ..

# --- nothing to start from
mkdir empty && cd empty
for verb in build develop run shell; do
	check "gx $verb says how to begin" complains "'gx init' writes one" "$gx" $verb $place
done
cd ..
# --- gx flake check
mkdir checked && cat >checked/flake.gx <<'END'
{
  outputs = { self }: let
    check = name: script: derivation { inherit name; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" script ]; };
  in {
    checks.x86_64-linux = { good = check "good" "echo > $out"; bad = check "bad" "exit 1"; worse = check "worse" "exit 2"; };
    packages.x86_64-linux.default = check "package" "exit 3";
    packages.riscv64-linux = throw "of another system";
  };
}
END
flake_check() { "$gx" flake check $place "$@"; }
if [ "$(uname -m)" = x86_64 ]; then
	check "a check that fails to build" status 100 flake_check ./checked
	each() { must_fail flake_check ./checked 2>each.log && grep -q -- '-bad.drv. failed with exit code 1' each.log && grep -q -- '-worse.drv. failed with exit code 2' each.log && ! grep -q -- '-package.drv' each.log; }
	check "each failure is told of, and packages are not built" each
	check "one of them" says "1 check was built" sh -c "cd checked && exec '$gx' flake check $place good"
	check "by its reference" status 100 flake_check ./checked#bad
	check "one that is not there" complains "has no check 'nope' for x86_64-linux; it has 'bad', 'good', 'worse'" flake_check ./checked#nope
	check "--no-build builds none" says "4 outputs evaluate, 0 do not; nothing was built" flake_check --no-build ./checked
	check "--all-systems looks at the others" complains "of another system" flake_check --all-systems --no-build ./checked
	check "which hides nothing" sh -c "'$gx' flake show $place --all-systems ./checked >show.log; grep -q \"worse: derivation\" show.log && grep -q 'riscv64-linux: error: of another system' show.log"
	check "nor is it looked at otherwise" sh -c "'$gx' flake show $place ./checked >show.log && grep -q 'riscv64-linux: omitted' show.log"
	several() { must_fail "$gx" build $place --no-link -k ./checked#checks.x86_64-linux.bad ./checked#checks.x86_64-linux.worse 2>each.log && grep -q -- '-bad.drv. failed' each.log && grep -q -- '-worse.drv. failed' each.log; }
	check "gx build --keep-going tells of each failure too" several
fi
exit 0
