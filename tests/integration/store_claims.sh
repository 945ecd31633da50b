# SPDX-License-Identifier: MIT
#
# Nobody gets a store path but who makes it.  A forged derivation that lists another's path as its output is refused by every
# way into the store; and in a store where a program without these checks let it in, it is found and nothing of it is used.
. "$srcdir/tests/integration/lib.sh"
. "$srcdir/tests/integration/lib/store.sh"
command -v python3 >/dev/null 2>&1 || { echo "there is no python3"; exit 77; }
"$builddir/tests/integration/mkdrv" --probe >/dev/null 2>&1 || { echo "builds cannot be confined here"; exit 77; }
[ -x /bin/busybox ] || [ -x /usr/bin/busybox ] || { echo "no static busybox"; exit 77; }
export HOME="$PWD/home" && mkdir home src
poison() { python3 "$srcdir/tests/integration/lib/poison.py" "$store" "$@"; }
system=$(gxeval --raw -E builtins.currentSystem)

# --- the victims: an output, one fixed by its hash, a source, a Go module, a text
echo good >src/file
cat >honest.gx <<END
let make = a: derivation ({ name = "victim"; system = "$system"; builder = "/bin/sh"; args = [ "-c" "echo good > \$out" ]; } // a); in {
  input = make { };
  fixed = make { outputHashAlgo = "sha256"; outputHash = builtins.hashString "sha256" "good\n"; };
  source = builtins.path { path = ./src/file; name = "victim"; };
  text = builtins.toFile "victim" "good\n";
  module = derivation {
    name = "victim"; system = "builtin"; builder = "builtin:go-module"; module = "example.com/a"; version = "v1.0.0"; GOPROXY = "off";
    outputHashMode = "go-h1"; outputHash = "h1:w5fcysjrx7yqtD/aO+QwRjYZOKnaM9Uh2b40tElTs3Y=";
  };
}
END
path_of() { gxeval --read-only --store "$store" --raw -f honest.gx -A "$1"; }
make() { gxeval --store "$store" --realise -f honest.gx -A "$1"; }
# A source and a text are realised by being written, for something that needs them.
use() { gxeval --store "$store" --realise -E "let h = import ./honest.gx; in derivation { name = \"use\"; system = \"$system\"; builder = \"/bin/sh\"; args = [ \"-c\" \"cat \${h.$1} > \$out\" ]; }"; }
is_good() { [ "$(cat "$store$1")" = good ] || { cat "$store$1"; return 1; }; }
forge() { # VICTIM
	printf 'Derive([("out","%s","","")],[],[],"%s","/bin/sh",["-c","echo EVIL > $out"],[("name","victim"),("out","%s")])' \
		"$1" "$system" "$1" >victim.drv
}

# --- the ways into the store; each must fail, and say why
incorrect="has incorrect output"
by_adding() { _drv=$("$gx" store add --store "$store" victim.drv) && "$gx" build --no-link --store "$store" "$_drv"; }
by_adding_flat() { _drv=$("$gx" store add --mode flat --store "$store" victim.drv) && "$gx" build --no-link --store "$store" "$_drv"; }
by_import() { gxeval --store "$store" --realise -E 'import (builtins.path { path = ./victim.drv; recursive = false; })'; }
by_import_recursive() { gxeval --store "$store" --realise -E 'import (builtins.path { path = ./victim.drv; })'; }
by_text() { gxeval --store "$store" --realise -E 'import (builtins.toFile "victim.drv" (builtins.readFile ./victim.drv))'; }
by_context() {
	gxeval --store "$store" --realise -E "let drv = builtins.path { path = ./victim.drv; };
	  in derivation { name = \"x\"; system = \"$system\"; builder = \"/bin/sh\"; args = [ \"-c\" \"echo > \$out\" ];
	    dep = builtins.appendContext \"$1\" { \${builtins.unsafeDiscardStringContext drv} = { outputs = [ \"out\" ]; }; }; }"
}
by_builder() {
	_made=$(gxeval --store "$store" --realise -E "let text = builtins.readFile ./victim.drv; in derivation {
	    name = \"victim.drv\"; system = \"$system\"; builder = \"/bin/sh\"; inherit text; args = [ \"-c\" ''printf %s \"\$text\" > \$out'' ];
	    outputHashMode = \"text\"; outputHashAlgo = \"sha256\"; outputHash = builtins.hashString \"sha256\" text; }") || return 1
	"$gx" build --no-link --store "$store" "$_made"
}
is_free() { [ ! -e "$store$1" ] || { cat "$store$1"; return 1; }; }
attack() { # WHAT VICTIM ROUTE MESSAGE
	forge "$2"
	check "$1 is not claimed $3" complains "$4" "by_$3" "$2"
	check "and its path is free" is_free "$2"
}
for what in input fixed source module; do
	victim=$(path_of $what)
	for route in adding adding_flat import import_recursive text context builder; do
		attack "$what" "$victim" $route "$incorrect '$victim'"
	done
done
check "nothing of it is left" same_output "'$gx' store verify --store $store" true

# --- what is honest goes the same ways
forge "$(path_of input)"
right=$(by_adding 2>&1 | sed -n "s/.*should be '\(.*\)'/\1/p")
forge "$right"
for route in adding adding_flat import import_recursive context builder; do
	check "an honest derivation may come by $route" "by_$route" "$right"
done
for what in input fixed; do
	check "the honest $what is built" make $what
	check "and is good" is_good "$(path_of $what)"
done
check "the honest source is used" use source
check "the honest text is used" use text

# --- other things a derivation may not say of itself
forge "$right"
mkdir honest
mv victim.drv honest
wrong() { # DESCRIPTION MESSAGE SED
	sed "$3" honest/victim.drv >victim.drv
	check "$1" complains "$2" "$gx" store add --store "$store" victim.drv
}
wrong "no variable for its output" "$incorrect" 's|,("out","[^"]*")\])|])|'
bare=$("$gx" store add --store "$store" victim.drv 2>&1 | sed -n "s/.*should be '\(.*\)'/\1/p")
wrong "also not with the path that it has then" "has no environment variable 'out'" 's|,("out","[^"]*")\])|])|; s|"out","[^"]*"|"out","'"$bare"'"|'
wrong "a fixed output elsewhere" "but its hash makes it" 's/"",""/"sha256","0000000000000000000000000000000000000000000000000000000000000000"/'
wrong "an input that is not there" "is not in the store" 's|\[\]|[("/nix/store/00000000000000000000000000000000-a.drv",["out"])]|'
wrong "no derivation" "is no derivation" 's/Derive/derive/'
mkdir dir.drv
check "a folder" complains "is not a file" "$gx" store add --store "$store" dir.drv
wrong "a variable that is not its output" "has incorrect environment variable 'out'" 's|("out","[^"]*")\])|("out","/nix/store/00000000000000000000000000000000-x")])|'
if have_nix; then
	export NIX_CONF_DIR="$PWD" && echo "build-users-group =" >nix.conf
	check "Nix refuses the same text" mentions "incorrect environment variable" nix-store --store "$PWD/n" --add victim.drv
	forge "$(path_of input)"
	check "and the same path" mentions "$incorrect '$(path_of input)'" nix-store --store "$PWD/n" --add victim.drv
	check "Nix takes an honest file that gx takes" same_output "nix-store --store $PWD/n --add honest/victim.drv" "'$gx' store add --store $store honest/victim.drv"
	check "Nix accepts the store" sh -c "nix-store --store $store --verify --check-contents >nix.log 2>&1 && ! grep -i 'error\|warning' nix.log"
else
	echo "ok - Nix refuses the same text # SKIP no nix-store"
fi

# --- a store that was poisoned before
store=$PWD/p
"$gx" store add --store "$store" src/file >/dev/null
promise="is not what its path promises"
for what in input fixed source text module; do
	victim=$(path_of $what)
	drv=$(poison "$victim" "$what" "$system")
	case $what in source | text) using="use $what" ;; *) using="make $what" ;; esac
	check "a poisoned $what is not used" complains "'$victim' is in the store, but $promise" $using
	check "nor is what poisoned it" complains "$incorrect '$victim'" "$gx" build --no-link --store "$store" "$drv"
	check "nor imported" complains "$incorrect" gxeval --store "$store" --realise -E "import $drv"
	check "it is found" complains "'$victim' is in the store, but $promise" "$gx" store verify --store "$store"
	check "and who did it" complains "derivation '$drv' $incorrect '$victim'" "$gx" store verify --store "$store"
	check "it can be deleted" "$gx" store delete --store "$store" "$victim" "$drv"
	[ $what = module ] || check "and then the honest $what is made" $using
done
check "nothing is left of it" "$gx" store verify --store "$store"

# --- its maker was collected: only what is fixed can still be told
store=$PWD/q
"$gx" store add --store "$store" src/file >/dev/null
for what in fixed source text; do
	victim=$(path_of $what)
	drv=$(poison "$victim" "$what" "$system")
	"$gx" store delete --store "$store" "$drv" >/dev/null 2>&1
	case $what in source | text) using="use $what" ;; *) using="make $what" ;; esac
	check "a poisoned $what whose maker is gone is not used" complains "'$victim' is in the store, but $promise" $using
done
check "verify finds the one a derivation pins" complains "'$(path_of fixed)' is in the store, but $promise" "$gx" store verify --store "$store"

# --- a source that is only read when something is built of it
store=$PWD/r
drv=$(gxeval --store "$store" --drv-path -E "let h = import ./honest.gx; in derivation { name = \"use\"; system = \"$system\"; builder = \"/bin/sh\"; args = [ \"-c\" \"cat \${h.source} > \$out\" ]; }")
victim=$(path_of source)
poison --sql "update ValidPaths set ca = null, deriver = '$(poison "$(path_of input)" input "$system")' where path = '$victim'"
check "a source that something else made is no input of a build" complains "'$victim' is in the store, but $promise" "$gx" build --no-link --store "$store" "$drv"

# --- rows of old programs say nothing, and are right
store=$PWD/o
make fixed >/dev/null 2>&1
use source >/dev/null 2>&1
use text >/dev/null 2>&1
addresses() { rows "$store" | sed -n 's/.* \(fixed:[^ ]*\|text:[^ ]*\)$/\1/p' | sort >"$1"; }
addresses before
poison --sql "update ValidPaths set ca = null, deriver = null"
addresses none
check "a fixed output of an old program is used" make fixed
check "and a source" use source
check "and a text" use text
check "verify finds nothing" "$gx" store verify --store "$store"
addresses after
check "there was nothing in the rows" [ ! -s none ]
check "what was relied on says what it is now" sh -c 'grep -v "^text" before >b; grep -v "^text" after >a; [ -s b ] && diff b a'
poison --sql "update ValidPaths set ca = replace(ca, 'fixed:r', 'fixed') where ca like 'fixed:r:%'"
check "an address that does not make the path is found" complains "claims the content address" "$gx" store verify --store "$store"
poison --sql "update ValidPaths set hash = 'sha256:zz' where path like '%.drv'"
check "a row that cannot be read ends it" complains "the database of the store has no good hash for" "$gx" store verify --store "$store"
