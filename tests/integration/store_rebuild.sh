# SPDX-License-Identifier: MIT
#
# A database that is lost or damaged is made anew from what the store holds, and what proves nothing is named.
. "$srcdir/tests/integration/lib.sh"
. "$srcdir/tests/integration/lib/store.sh"
export HOME="$PWD"
db=$store/nix/var/nix/db

# --- a store with everything that proves itself ---

sample_tree tree
printf 'fetched\n' >served
mkdir -p src && echo one >src/one
cat >drvs.gx <<'END'
let
  text = builtins.toFile "text" "some text";
  more = builtins.toFile "more" "it names ${text}";
  d = derivation { name = "d"; system = "x"; builder = "/b"; src = ./src; inherit more; };
in [ d (derivation { name = "e"; system = "x"; builder = "/b"; inherit d; outputs = [ "out" "dev" ]; }) ]
END
gxs store add tree >paths || exit 77
gxs store add --mode flat served >>paths
gxs store add --hash-algo sha512 --name long src >>paths
gxs store add --mode flat --hash-algo sha1 --name short served >>paths
echo "a source that names $(sed -n 1p paths)" >naming
gxs store add naming >>paths
"$gxeval" --store "$store" --drv-path -f drvs.gx >>paths
mkdrv=$builddir/tests/integration/mkdrv builds=
if "$mkdrv" --probe >/dev/null 2>&1 && [ -x /bin/sh ]; then
	"$mkdrv" "$store" first -o out -o dev -- /bin/sh -c 'echo first > $out; echo "$out $dev" > $dev' >first
	"$mkdrv" "$store" fixed -f "flat:sha256:$(sha256sum <served | cut -d ' ' -f 1)" -e "url=file://$PWD/served" -- builtin:fetchurl >fixed
	"$mkdrv" "$store" second -i "$(sed -n 1p first)^dev" -e "dep=$(sed -n 3p first)" -- /bin/sh -c 'read -r x < $dep; echo $x > $out' >second
	gxs build --no-link "$(sed -n 1p second)^out" "$(sed -n 1p fixed)^out" >build.log 2>&1 && builds=yes || cat build.log
	cat first fixed second >>paths
fi

# Numbers, times, and who made it are not proved.
table() { rows "$store" | sed 's/ 1 None/ None None/'; }
table >before

# --- ways to lose it ---

same() { table >after && diff before after; }
in_order() { gxs store verify && { ! have_nix || nix_store --verify --check-contents; }; }
nothing_to_do() {
	[ -z "$builds" ] || { gxs build --no-link "$(sed -n 1p second)^out" "$(sed -n 1p fixed)^out" 2>build.log && ! grep -q building build.log; } ||
		{ cat build.log; return 1; }
}
rebuilt() { # HOW, HINT WHEN OPENED
	rm -f "$db"/*damaged* "$db"/*before*
	eval "$1"
	complains "'gx store rebuild' makes the database anew from what the store holds" "$gx" store info --store "$store" || return 1
	gxs store rebuild 2>rebuild.log || { cat rebuild.log; return 1; }
	grep -q "^$(wc -l <have) proved, 0 left out" rebuild.log && same && in_order && nothing_to_do || { cat rebuild.log; return 1; }
}
python3 -c 'import sqlite3, sys
for row in sqlite3.connect(sys.argv[1]).execute("select path from ValidPaths"): print(*row)' "$db/db.sqlite" >have

check "the database is gone" rebuilt 'rm "$db"/db.sqlite*'
check "it is cut short" rebuilt 'truncate -s 6000 "$db/db.sqlite"'
kept() { ls "$db"/db.sqlite.damaged-* && grep -q "is kept as 'db.sqlite.damaged-" rebuild.log && [ "$(wc -c <"$(ls "$db"/db.sqlite.damaged-*)")" = 6000 ]; }
check "the damaged one is kept, and that is said" kept
check "it is something else" rebuilt 'echo rubbish >"$db/db.sqlite"'
check "it is empty" rebuilt ': >"$db/db.sqlite"'
check "the schema file is damaged" rebuilt 'echo ten >"$db/schema"; rm "$db/db.sqlite"'

# Made again by somebody who did not know: what it has is kept.
made_again() {
	rm -r "$db" && gxs store add tree >/dev/null && gxs store rebuild 2>rebuild.log || { cat rebuild.log; return 1; }
	grep -q "^1 kept, $(($(wc -l <have) - 1)) proved, 0 left out" rebuild.log && same && in_order || { cat rebuild.log; return 1; }
}
check "the whole folder is gone, and there is a new one" made_again
nothing_new() { gxs store rebuild 2>rebuild.log && grep -q "^$(wc -l <have) kept, 0 proved, 0 left out" rebuild.log && same || { cat rebuild.log; return 1; }; }
check "nothing is lost when nothing was" nothing_new

# A Go module has no content address in the database: what proves it is a derivation that asks for its sum.
sum=$(python3 -c 'import base64, hashlib
line = lambda name, text: "%s  example.com/a@v1.0.0/%s\n" % (hashlib.sha256(text).hexdigest(), name)
lines = line("a.go", b"package a\n") + line("go.mod", b"module example.com/a\n")
print("h1:" + base64.b64encode(hashlib.sha256(lines.encode()).digest()).decode())')
cat >module.gx <<END
derivation {
  name = "a"; system = "builtin"; builder = "builtin:go-module"; module = "example.com/a"; version = "v1.0.0";
  outputHashMode = "go-h1"; outputHash = "$sum";
}
END
put_module() { # FILE TEXT: into the store, in the form of an object, with that file as well
	[ ! -e "$store$module" ] || remove "$store$module"
	mkdir "$store$module" && echo "module example.com/a" >"$store$module/go.mod" && echo "package a" >"$store$module/a.go" &&
		echo "$2" >"$store$module/$1" && chmod 444 "$store$module"/* && chmod 555 "$store$module" &&
		touch -d @1 "$store$module"/* "$store$module"
}
module_is_proved() {
	module_drv=$("$gxeval" --store "$store" --drv-path -f module.gx) &&
		module=$("$gxeval" --read-only --store "$store" --raw -f module.gx -A outPath) && put_module a.go "package a" || return 1
	rm "$db/db.sqlite" && gxs store rebuild 2>rebuild.log || { cat rebuild.log; return 1; }
	grep -q "^$(($(wc -l <have) + 2)) proved, 0 left out" rebuild.log || { cat rebuild.log; return 1; }
	rows "$store" | grep "^$module sha256:[0-9a-f]* $module_drv [0-9]* None None None\$" || { rows "$store"; return 1; }
	in_order
}
check "a Go module is proved by its sum" module_is_proved

# --- what is no proof ---

left_out() { # PATH WHY
	rm -f "$db/db.sqlite"
	gxs store rebuild 2>rebuild.log || { cat rebuild.log; return 1; }
	grep -qF "left out: '$1': $2" rebuild.log || { cat rebuild.log; return 1; }
	must_fail gxs path-info "$1" 2>/dev/null && in_order
}
put() { # PATH TEXT: into the store, in the form of an object
	printf '%s' "$2" >"$store$1" && chmod 444 "$store$1" && touch -d @1 "$store$1"
}
stray=/nix/store/11111111111111111111111111111111-stray
put $stray 'anything'
check "what nothing makes" left_out $stray "its path does not follow from its contents, and no derivation that is there makes it"
tree=$(sed -n 1p paths)
changed() {
	chmod u+w "$store$tree/big" && echo changed >"$store$tree/big" && chmod 444 "$store$tree/big" && touch -d @1 "$store$tree/big" || return 1
	left_out "$tree" "its path does not follow from its contents, and no derivation that is there makes it" || return 1
	grep -qF -- "-naming': it refers to" rebuild.log && { cat rebuild.log; return 1; }
	true
}
check "a source that was changed" changed
wrong_module() { # FILE TEXT
	put_module "$1" "$2" && left_out "$module" "its contents do not have the hash that its derivation asks for"
}
check "a Go module that was changed" wrong_module a.go "package b"
check "one with a file more" wrong_module b.go "package a"
in_another_form() { # The sum says nothing of modes.
	put_module a.go "package a" && chmod 555 "$store$module/a.go" && left_out "$module" "the tree of Go module 'example.com/a@v1.0.0': 'a.go' is executable"
}
check "one in another form" in_another_form
remove "$store$module"
victim=/nix/store/22222222222222222222222222222222-victim
forged="Derive([(\"out\",\"$victim\",\"\",\"\")],[],[],\"x\",\"/b\",[],[(\"name\",\"victim\"),(\"out\",\"$victim\")])"
forge() { # A derivation that lists what it does not make, under the name that its text has.
	printf '%s' "$forged" >victim.drv
	_forged=$("$gxeval" --read-only --store "$store" --raw -E 'builtins.unsafeDiscardStringContext (builtins.toFile "victim.drv" (builtins.readFile ./victim.drv))') || return 1
	put "$_forged" "$forged" && put $victim evil || return 1
	left_out "$_forged" "derivation '$_forged' has incorrect output '$victim', should be" && grep -qF "left out: '$victim'" rebuild.log || { cat rebuild.log; return 1; }
}
check "a derivation that lists what it does not make, and that" forge
trusted() {
	rm -f "$db/db.sqlite"
	gxs store rebuild --trust-contents 2>rebuild.log || { cat rebuild.log; return 1; }
	grep -qF "warning: '$stray' is taken for what its name says; nothing proves it" rebuild.log || { cat rebuild.log; return 1; }
	gxs path-info $stray && ! gxs path-info "$_forged" 2>/dev/null && in_order
}
check "it is taken when that is asked for" trusted

# --- others ---

waits() {
	flock -s "$db/big-lock" sh -c ': >held; while [ ! -e go ]; do sleep 0.05; done' &
	while [ ! -e held ]; do sleep 0.05; done
	gxs store rebuild 2>waits.log &
	_rebuild=$!
	while ! grep -q "waiting for other programs to leave the store" waits.log; do sleep 0.05; kill -0 $_rebuild || return 1; done
	kill -0 $_rebuild || return 1
	: >go
	wait $_rebuild
}
! command -v flock >/dev/null || check "it waits until nobody has the store open" waits
check "no path is asked for" complains "'gx store rebuild' takes no path" "$gx" store rebuild --store "$store" $stray
check "there must be a store" complains "there is no store: cannot open" "$gx" store rebuild --store "$PWD/nowhere"
exit 0
