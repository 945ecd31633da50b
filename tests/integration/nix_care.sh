# SPDX-License-Identifier: MIT
#
# Settings about the care of a store that builds look after themselves, and what programs ask Nix's names about settings and files.
. "$srcdir/tests/integration/lib.sh"
gx=$builddir/gx
export HOME="$PWD/home" XDG_CACHE_HOME="$PWD/cache" NIX_CONF_DIR="$PWD/etc"
unset XDG_CONFIG_HOME XDG_CONFIG_DIRS NIX_USER_CONF_FILES NIX_CONFIG NIX_PATH
mkdir -p home etc names
"$gx" nix-names --install names
export PATH="$PWD/names:$PATH" NIX_REMOTE="local?root=$PWD/root"
drv() { # NAME COMMANDS
	printf 'derivation { name = "%s"; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "%s" ]; }' "$1" "$2"
}
count() { find "$PWD/root/nix/store" -maxdepth 1 -name "*-$1" | wc -l; }

# --- min-free
head -c 20000 /dev/zero >file
for name in waste1 waste2 waste3; do nix-store --add-fixed sha256 file >/dev/null && nix store add-path --name $name ./file >/dev/null; done
kept=$(nix store add-path --name kept ./file)
nix-store --realise --add-root "$PWD/root1" "$kept" >/dev/null
echo 5000 >free
export _NIX_TEST_FREE_SPACE_FILE="$PWD/free"
check "with room enough nothing is collected" nix-build --no-out-link --min-free 4K --min-free-check-interval 1 -E "$(drv a 'echo > $out')"
check "all are there" prints 3 count 'waste?'
check "without it a build collects beside itself" nix-build --no-out-link --min-free 64K --min-free-check-interval 1 -E "$(drv b 'sleep 2; echo > $out')"
check "what nobody holds is gone" prints 0 count 'waste?'
check "what somebody holds is not" test -e "$PWD/root$kept"
check "nor what was built meanwhile" prints 1 count b
for name in waste1 waste2 waste3; do nix store add-path --name $name ./file >/dev/null; done
check "up to max-free" nix-build --no-out-link --min-free 8K --max-free 9K --min-free-check-interval 1 -E "$(drv c 'sleep 2; echo > $out')"
check "no more than that is collected" test "$(count 'waste?')" -ge 2
unset _NIX_TEST_FREE_SPACE_FILE

# --- auto-optimise-store
one=$(nix-build --no-out-link --auto-optimise-store -E "$(drv one 'echo the same > $out')" 2>/dev/null)
two=$(nix-build --no-out-link --auto-optimise-store -E "$(drv two 'echo the same > $out')" 2>/dev/null)
three=$(nix-build --no-out-link -E "$(drv three 'echo the same > $out')" 2>/dev/null)
inode() { stat -c %i "root$1"; }
check "equal files of new objects are kept once" prints "$(inode "$one")" inode "$two"
check "not without the setting" test "$(inode "$one")" != "$(inode "$three")"
check "nix store optimize does it later" nix store optimize
check "then for all" prints "$(inode "$one")" inode "$three"
folder=$(nix-build --no-out-link -E "$(drv folder 'mkdir $out; echo the same > $out/file')" 2>/dev/null)
chmod 755 "root$folder" # as one that was killed leaves it
check "a folder that was left open" complains "is not in the form" nix-store --verify --check-contents
check "is closed by the next run" sh -c "nix-store --optimise && [ \$(stat -c %a 'root$folder') = 555 ] && [ \$(stat -c %Y 'root$folder') = 1 ]"
check "the store is whole" nix-store --verify --check-contents

# --- settings
check "a setting alone is its value" prints 65536 nix config show --min-free 64K min-free
check "with a larger unit" prints 2199023255552 nix config show --max-free 2T max-free
check "no unit" complains "a number, with K, M, G or T behind" "$gx" config show --min-free 64Q
check "a blank is no unit" complains "a number, with K, M, G or T behind" "$gx" config show --min-free "64 "
check "more than there can be" complains "a number, with K, M, G or T behind" "$gx" config show --min-free 99999999T
check "all are lines of nix.conf" env NIX_CONFIG='cores = 7' sh -c "nix config show >all && grep -qx 'warn-dirty = false' all && grep -qx 'cores = 7' all"
check "as they are set" prints 7 env NIX_CONFIG='cores = 7' nix config show cores
check "what was asked for is told in order, with what it is part of" prints "fetch-tree flakes nix-command" \
	env NIX_CONFIG='experimental-features = nix-command flakes' nix config show experimental-features
check "one more" prints "ca-derivations nix-command" \
	env NIX_CONFIG='experimental-features = nix-command' nix config show --extra-experimental-features ca-derivations experimental-features
check "a feature that became a setting is told" sh -c "nix eval --extra-experimental-features no-url-literals --expr 1 2>&1 | grep -q 'lint-url-literals = fatal'"
files() { nix-build --verbose --version | sed -n "s/^$1.*: //p"; }
check "--verbose --version tells which files are read" prints "$HOME/.config/nix/nix.conf:/etc/xdg/nix/nix.conf" files User
check "of the machine" prints "$PWD/etc/nix.conf" files "System config"
check "and where the store is" prints /nix/store files "Store"
export NIX_USER_CONF_FILES=/a:/b
check "a variable names others" prints /a:/b files User
unset NIX_USER_CONF_FILES

# --- registries, archives
check "a name is added to Nix's registry" nix registry add here "path:$PWD/home"
check "where Nix looks for it" grep -q '"here"' home/.config/nix/registry.json
check "and taken away" nix registry remove here
check "there is none any more" sh -c '! grep here home/.config/nix/registry.json'
mkdir -p tree/a && echo x >tree/a/x && nix-store --dump tree >t.nar
restore() { nix-store --restore "$1" <t.nar; }
check "an archive is restored" sh -c 'nix-store --restore new <t.nar && [ "$(cat new/a/x)" = x ]'
check "not where something is" complains "cannot restore to 'new': File exists" restore new
mkdir target && ln -s target link
check "also a link" complains "cannot restore to 'link': File exists" restore link
check "which stays" test -L link -a -d target
check "nor into what is no name" complains "'new/.' ends in '.', which is not a valid filename" restore new/.
check "or the folder above" complains "'new/..' ends in '..'" restore new/..
check "or nowhere" complains "the destination path is empty" restore ""
check "an archive is listed with its root" prints ". ./a ./a/x" sh -c 'nix nar ls -R -d t.nar "" | tr "\n" " " | sed "s/ $//"'
check "as JSON with all that is known of a file" prints '{"type":"regular","size":2,"executable":false,"narOffset":368}' nix nar ls --json t.nar a/x
check "a folder is no file" complains "NAR does not contain regular file '/a': it is a directory" "$gx" nar cat t.nar /a
check "what is not there" complains "' does not exist" nix store ls "$(nix store add-path ./tree)/b"
