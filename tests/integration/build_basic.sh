# SPDX-License-Identifier: MIT
#
# Builds that succeed: inputs first, several outputs, references, fixed outputs, environment, links, logs.
. "$srcdir/tests/integration/lib.sh"
. "$srcdir/tests/integration/lib/build.sh"

real() { echo "$store$1"; }
contains() { grep -qF -- "$2" "$1" || { cat "$1" && return 1; }; }
refs() { "$gx" path-info --store "$store" --json "$1"; }

# --- two derivations, one the input of the other; two outputs
script dep 'mkdir $out; echo from dep > $out/text; echo dep was built'
dep=$drv depout=$out
script top 'mkdir -p $out/sub; cp $dep/text $out/text; echo $dep $out > $out/refs; ln -s $doc $out/doc; echo doc > $doc
	chmod 755 $out/text; chmod 600 $doc; touch -d 2001-01-01 $out/refs' -i "$dep" -e "dep=$depout" -o doc -o out
top=$drv doc=$(sed -n 2p drv.log) topout=$(sed -n 3p drv.log)
check "an input is built before what needs it" build "$top"
check "the output of the input is copied" prints "from dep" cat "$(real "$topout")/text"
check "files have canonical modes" sh -c "[ \$(stat -c %a%Y '$(real "$topout")/text') = 5551 ] && [ \$(stat -c %a%Y '$(real "$doc")') = 4441 ]"
refs "$topout" >refs.log
check "references to an input are found" contains refs.log "$depout"
check "references to itself are found" contains refs.log "$topout"
check "references by a link to another output are found" contains refs.log "$doc"
check "what is built is not built again" sh -c "'$gx' build --store '$store' --no-link '$top' 2>again.log && [ ! -s again.log ]"
check "the log is there" prints "dep was built" "$gx" log --store "$store" "$dep"
check "the log is found from the output" prints "dep was built" "$gx" log --store "$store" "$depout"
echo source >source
check "what was not built has none" complains "source' is not available" "$gx" log --store "$store" "$("$gx" store add --store "$store" source)"
script ignored 'while read -r k v; do [ "$k" != SigIgn: ] || echo $v >$out; done </proc/self/status'
check "a builder that looks which signals it ignores" build "$drv"
check "ignores no SIGPIPE, as we do" grep -q '0...$' "$(real "$(sed -n 2p drv.log)")" # the shell itself may mind SIGQUIT
check "no folder of a build is left" no_leftovers
check "the store is in order" "$gx" store verify --store "$store" --check-contents

# --- a process has not many descriptors, and a build leaves none behind
cat >many.gx <<'END'
builtins.genList (i: derivation {
  name = "many-${toString i}"; system = builtins.currentSystem; builder = "/bin/sh"; args = [ "-c" "echo ${toString i} >$out" ];
}) 40
END
check "forty builds" sh -c "ulimit -n 100; '$gx' eval --store '$store' --realise -f many.gx | wc -l | grep -qx 40"

# --- links
check "links are made" "$gx" build --store "$store" "$top^*" -o link
check "link to out" prints "$topout" readlink link
check "link to another output" prints "$doc" readlink link-doc
check "the outputs stay when garbage is collected" sh -c "'$gx' store gc --store '$store' && [ -e '$(real "$topout")/text' ]"
check "paths are printed" prints "$doc" build --print-out-paths "$top^doc"
check "an output that is not there is an error" complains "does not have wanted output 'nope'" build "$top^nope"
check "no output is an error" complains "error: '$top^' names no output" build "$top^"
check "nor are none between commas" complains "error: '$top^' names no output" build "$top^,,"
check "operands give links in their order" sh -c "'$gx' build --store '$store' '$top^doc' '$dep' '$topout' '$top^out,doc' -o row &&
	[ \"\$(readlink row-doc row-1 row-2 row-3 row-3-doc | tr '\n' ' ')\" = '$doc $depout $topout $topout $doc ' ]"
rm -f row*

# --- what is evaluated and built in one go: derivations in the order of the list, outputs by name
cat >several.gx <<'END'
let
  make = name: derivation {
    inherit name; system = builtins.currentSystem; builder = "/bin/sh"; outputs = [ "out" "dev" ];
    args = [ "-c" "echo ${name} >$out; echo dev of ${name} >$dev" ];
  };
in [ (make "second").dev (make "first") (make "second") { again = make "first"; other = (make "third").dev; } ]
END
realised() { "$gx" eval --store "$store" --realise "$@" -f several.gx | while read -r path; do cat "$(real "$path")"; done | tr '\n' ' '; }
check "what is evaluated is built in its order" prints "dev of second first second first dev of third " realised
told() { realised --stats --profile profile 2>realise.log >/dev/null; grep -q '^{"cpuTime":' realise.log && [ -f profile ]; }
check "what it took is told then as well" told
check "what to build comes from standard input" sh -c '[ "$("$@" | wc -l)" = 3 ]' - sh -c "printf '0\n1\n' | '$gx' build --store '$store' -q --no-link --stdin --print-out-paths -f several.gx"
check "nothing is no default" prints '[]' sh -c "'$gx' build --store '$store' --stdin --json </dev/null"
check "--realise and --read-only exclude each other" complains "--read-only forbids" "$gx" eval --store "$store" --realise --read-only -f several.gx

# --- a file of the user among the inputs
echo plain >plain
cat >uses.gx <<'END'
derivation { name = "uses"; system = builtins.currentSystem; builder = "/bin/sh"; args = [ "-c" "read -r x <${./plain}; echo $x >$out" ]; }
END
used() { _used=$("$gx" eval --store "$store" --realise -f uses.gx) && [ "$(cat "$(real "$_used")")" = plain ]; }
check "a file that is not in the store is put there" used
"$gx" store delete --store "$store" "$_used" >/dev/null
check "one that is there is used" used
"$gx" store delete --store "$store" "$_used" >/dev/null
drv=$("$gx" eval --store "$store" --drv-path -f uses.gx)
chmod u+w "$store/nix/store"
plain=$(echo "$store"/nix/store/*-plain)
mv "$plain" away
check "one whose file is gone is missed before anything is built" complains "is not in the store" build "$drv"
mv away "$plain"

# --- environment
cat >want <<END
HOME=/homeless-shelter
NIX_BUILD_CORES=3
NIX_BUILD_TOP=/build
NIX_LOG_FD=2
NIX_STORE=/nix/store
PATH=/path-not-set
PWD=/build
SHLVL=1
TEMP=/build
TEMPDIR=/build
TERM=xterm-256color
TMP=/build
TMPDIR=/build
name=env
out=OUT
passAsFile=text
textPath=/build/.attr-X
root:x:0:0:Nix build user:/build:/noshell
nixbld:x:1000:100:Nix build user:/build:/noshell
nobody:x:65534:65534:Nobody:/:/noshell
root:x:0:
nixbld:!:100:
nogroup:x:65534:
/build
1000
some text0022
END
script env 'env | sort > $out; cat /etc/passwd /etc/group >> $out; pwd >> $out; id -u >> $out; cat $textPath >> $out; umask >> $out' \
	-e passAsFile=text -e "text=some text" -e name=env
check "the environment is built" build --cores 3 "$drv"
sed "s|^out=.*|out=OUT|; s|^\(textPath=/build/.attr-\).*|\1X|" "$(real "$out")" >got
check "the environment is Nix's" diff want got

script stdin 'readlink /proc/self/fd/0 > $out; cat /proc/self/fd/0 /dev/stdin - >> $out; grep "Max processes" /proc/self/limits | tr -s " " >> $out'
check "standard input" build --build-processes 3000 "$drv"
check "is /dev/null, and processes are as many as was said" prints "/dev/null
Max processes 3000 3000 processes " cat "$(real "$out")"
script limit 'sed -n "s/^Max processes *\([0-9]*\) .*/\1/p" /proc/self/limits > $out'
check "a builder's limit on processes" build "$drv"
fits() {
	n=$(nproc) max=$(sed -n 's/^Max processes *[^ ]* *\([^ ]*\) .*/\1/p' /proc/self/limits)
	n=$((2 * n * (n + 16)))
	[ $n -gt 4096 ] || n=4096
	[ "$max" = unlimited ] || [ "$max" -gt $n ] || n=$max
	prints $n cat "$(real "$out")"
}
check "is by default what fits the cores of the machine" fits

# --- structured attributes
script structured 'out=$(sed -n "s/.*\"out\":\"\([^\"]*\)\".*/\1/p" .attrs.json); cat .attrs.sh > $out' \
	-e '__json={"b":[1,"x y"],"name":"structured","s":{"k":"v"},"t":true,"z":null}'
check "structured attributes" build "$drv"
cat >want <<END
declare -a b=(1 'x y' )
declare name='structured'
declare -A outputs=(['out']='$out' )
declare -A s=(['k']='v' )
declare t=1
declare z=''
END
check "the shell gets them as bash declarations" diff want "$(real "$out")"

# --- fixed outputs
hello=2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824
asks='echo "[$http_proxy][$GOPROXY][$NIX_MIRRORS_gnu][$SECRET][${UNSET-unset}]"; echo -n hello > $out'
named='impureEnvVars=http_proxy GOPROXY NIX_MIRRORS_gnu SECRET UNSET'
with() { env http_proxy=p GOPROXY=g NIX_MIRRORS_gnu=m SECRET=hush OTHER=other "$gx" build --store "$store" --no-link "$@" 2>with.log; }
script fixed "$asks" -f "flat:sha256:$hello" -e "$named"
check "a fixed output with the right hash" with "$drv"
check "it gets variables about proxies and mirrors that it names, and of others nothing" prints '[p][g][m][][]' "$gx" log --store "$store" "$drv"
check "it is said which it does not get, and what would let it" contains with.log \
	"note: the builder of '$drv' asks for the variable 'SECRET' of your environment and does not get it: it could send it away (--allowed-impure-env-vars 'SECRET' lets it)"
check "of a variable that is not set nothing is said" prints 1 grep -c note: with.log
script fixed_twice "$asks; echo >> /dev/null" -f "flat:sha256:$hello" -e "$named"
twice=$drv
script fixed_thrice "$asks; : again" -f "flat:sha256:$hello" -e "$named"
check "others in the same run" with "$twice" "$drv"
check "a variable is named once" prints 1 grep -c note: with.log
script fixed_allowed "$asks; : allowed" -f "flat:sha256:$hello" -e "$named"
check "a fixed output whose variables are allowed" with --allowed-impure-env-vars "OTHER SECRET" "$drv"
check "gets them" prints '[p][g][m][hush][]' "$gx" log --store "$store" "$drv"
check "and nothing is said" sh -c '! grep note: with.log'
script fixed_setting "$asks; : setting" -f "flat:sha256:$hello" -e "$named"
check "the same as a setting" with --option allowed-impure-env-vars SECRET "$drv"
check "gets them too" prints '[p][g][m][hush][]' "$gx" log --store "$store" "$drv"
script wrong 'echo -n hallo > $out' -f "flat:sha256:$hello"
check "a wrong hash has a status of its own" status 102 build "$drv"
check "it says the hash it got" complains "got:    sha256-" build "$drv"
check "nothing is registered" not_valid "$out"
script executable 'echo -n hello > $out; chmod +x $out' -f "flat:sha256:$hello"
check "a flat output must not be executable" complains \
	"error: output path '$out' should be a non-executable regular file since recursive hashing is not enabled (outputHashMode=flat)" build "$drv"

# --- outputs whose files somebody removed
lose() { chmod u+w "$store/nix/store" && rm "$(real "$1")"; }
script lost 'echo back > $out'
lost=$drv lostout=$out
check "what will be lost is built" build "$lost"
lose "$lostout"
build "$lost" 2>lost.log
check "what is registered without files is built again, and it is said why" contains lost.log "note: '$lostout' is registered as valid, but its files are gone"
check "its files are back" prints back cat "$(real "$lostout")"
script finder 'cat $lost > $out' -i "$lost" -e "lost=$lostout"
lose "$lostout"
check "an input without files is built again first" build "$drv"
check "what needs it finds it" prints back cat "$(real "$out")"
lose "$lostout"
check "nothing is compared with what is gone" build --rebuild "$lost"
check "what is gone is back after --rebuild" prints back cat "$(real "$lostout")"
check "the store is in order when all is back" "$gx" store verify --store "$store" --check-contents

# --- what outputs may be
script allowed 'echo $dep > $out' -i "$dep" -e "dep=$depout" -e allowedReferences=
check "allowedReferences" complains "is not allowed to refer to the following paths:" build "$drv"
script disallowed 'echo $dep > $out' -i "$dep" -e "dep=$depout" -e "disallowedRequisites=$depout"
check "disallowedRequisites" complains "is not allowed to refer to the following paths:" build "$drv"
script misnamed 'echo > $out' -e "allowedReferences=${depout%/*}/short"
check "a reference that cannot be is told" complains "is too short" build "$drv"
script self 'echo $out > $out' -e allowedReferences=out
check "an output may be named" build "$drv"
script large 'out=$(sed -n "s/.*\"out\":\"\([^\"]*\)\".*/\1/p" .attrs.json); echo 1234567890 > $out' \
	-e '__json={"name":"large","outputChecks":{"out":{"maxSize":100}}}'
check "maxSize" complains "is too large at" build "$drv"
script graph 'cp graph $out' -i "$dep" -e "dep=$depout" -e "exportReferencesGraph=graph $depout"
check "exportReferencesGraph" build "$drv"
check "the graph is Nix's" sh -c "printf '%s\n\n0\n' '$depout' | cmp - '$(real "$out")'"

# --- builtin:buildenv
script one 'mkdir -p $out/bin $out/share; echo 1 > $out/bin/one; echo 1 > $out/share/doc'
one=$drv oneout=$out
script two 'mkdir -p $out/bin $out/lib; echo 2 > $out/bin/two; echo 2 > $out/lib/two'
two=$drv twoout=$out
drv union -i "$one" -i "$two" -e "derivations=true 5 1 $oneout true 5 1 $twoout" -e "manifest=$oneout" -- builtin:buildenv
check "builtin:buildenv" build "$drv"
check "folders of two packages are merged" prints "$oneout/bin/one $twoout/bin/two" \
	sh -c "echo \$(readlink '$(real "$out")/bin/one' '$(real "$out")/bin/two')"
check "a folder of one package is a link" prints "$twoout/lib" readlink "$(real "$out")/lib"
drv clash -i "$one" -i "$two" -e "derivations=true 5 1 $oneout true 5 1 $oneout true 4 1 $oneout/bin true 4 1 $oneout/share/../bin" \
	-e "manifest=$oneout" -- builtin:buildenv
check "two files of one name and priority collide" complains "have the same priority" build "$drv"
check "the store is in order at the end" "$gx" store verify --store "$store" --check-contents
exit 0
