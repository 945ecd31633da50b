# SPDX-License-Identifier: MIT
#
# Crates of Rust: where they lie is what cargo is told, and a Cargo.lock is all that is needed for the folder of them.  A registry is served from
# here, and a program stands for cargo.
. "$srcdir/tests/integration/lib.sh"
. "$srcdir/tests/integration/lib/serving.sh"
varies='s/\(cannot fetch .*: \)Failed to connect.*/\1WHY/'

export HOME="$PWD/home" XDG_CACHE_HOME="$PWD/cache"
unset CARGO_HOME
mkdir -p home/.cargo tool-1.2.3/src none bin dl/crates/tool/1.2.3 dl/flat
printf '[package]\nname = "tool"\n' >tool-1.2.3/Cargo.toml
echo 'fn main() {}' >tool-1.2.3/src/main.rs
tar -cf tool.tar tool-1.2.3
gzip -nc tool.tar >dl/flat/tool-1.2.3.crate
cp dl/flat/tool-1.2.3.crate dl/crates/tool/1.2.3/download
serve_folder dl
at=http://127.0.0.1:$port
sum=$(sha256sum dl/flat/tool-1.2.3.crate | cut -d ' ' -f 1)
own=${GX_BIN:-$(dirname "$(command -v gxeval)")}

# It says what the index of a registry says, as cargo does, in the folder that it is told; which registry, the user's settings say.
cat >bin/cargo <<X
#!/bin/sh
[ "\$*" = "generate-lockfile --quiet" ] && grep -q cfg-if Cargo.toml && [ -f src/lib.rs ] || exit 1
mkdir -p "\$CARGO_HOME/registry/index/here"
echo "{\"dl\":\"\$(cat "\$CARGO_HOME/config.toml")\"}" >"\$CARGO_HOME/registry/index/here/config.json"
X
chmod +x bin/cargo

fetch() { # URL [OPTION...] : in an empty store
	_url=$1
	shift
	remove s
	env PATH="${programs:-$PATH}" gxeval --store "$PWD/s" --option download-attempts 1 "$@" --realise -E "derivation { name = \"tool-1.2.3.crate\"; system = \"builtin\";
		builder = \"builtin:fetchurl\"; url = \"$_url\"; outputHash = \"$sum\"; outputHashAlgo = \"sha256\"; }"
}
by_cargo() {
	programs="$PWD/bin:$PATH" fetch crates://tool/1.2.3
}
if ! fetch "$at/flat/tool-1.2.3.crate" >probe.log 2>&1 && grep -q "namespace" probe.log; then
	head -n 1 probe.log
	exit 77
fi
path=$(fetch "$at/flat/tool-1.2.3.crate")
check "the same by an address" test -n "$path"
check "from the registry of the setting" prints "$path" fetch crates://tool/1.2.3 --option crates-registry "$at/crates"
check "where names are put as it says" prints "$path" fetch crates://tool/1.2.3 --option crates-registry "$at/flat/{crate}-{version}.crate"
printf %s "$at/crates" >home/.cargo/config.toml
check "from where cargo is told" prints "$path" by_cargo
mkdir other
printf %s "$at/flat/{crate}-{version}.crate" >other/config.toml
export CARGO_HOME="$PWD/other"
check "with the settings of another folder" prints "$path" by_cargo
check "in which nothing is left" prints config.toml ls other
unset CARGO_HOME
check "the setting counts more" complains "cannot fetch 'http://127.0.0.1:9/tool/1.2.3/download'" fetch crates://tool/1.2.3 --option crates-registry http://127.0.0.1:9
none() {
	programs="$PWD/none:$own" fetch crates://tool/1.2.3
}
check "no cargo" complains "no registry of crates is known here" none
check "no version" complains "must have a name and a version" fetch crates://tool --option crates-registry "$at/crates"

# A Cargo.lock.
cat >Cargo.lock <<X
version = 4

[[package]]
name = "mine"
version = "1.0.0"
dependencies = [ "tool" ]

[[package]]
name = "tool"
version = "1.2.3"
source = "registry+https://example.com/index"
checksum = "$sum"
X
std="(import $srcdir/stdlib { system = builtins.currentSystem; })"
vendor() { # LOCK
	gxeval --impure --store "$PWD/s" --option crates-registry "$at/crates" --realise -E "$std.rustPlatform.importCargoLock { lockFile = ./$1; }"
}
check "the crates of a lock" vendor Cargo.lock
folder=s$(vendor Cargo.lock)
check "are where cargo looks for them" prints "$(printf '%s\n' .cargo-checksum.json Cargo.toml src)" ls -A "$folder/tool-1.2.3"
check "with their sums" prints "{\"files\":{},\"package\":\"$sum\"}" cat "$folder/tool-1.2.3/.cargo-checksum.json"
check "and no others" prints tool-1.2.3 ls "$folder"
{ sed /checksum/d Cargo.lock && printf '\n[metadata]\n"checksum tool 1.2.3 (registry+https://example.com/index)" = "%s"\n' "$sum"; } >old.lock
check "an old lock" prints "${folder#s}" vendor old.lock
sed /checksum/d Cargo.lock >none.lock
check "one without a sum" complains "'tool 1.2.3' has no checksum" vendor none.lock
sed 's/registry+/git+/; /checksum/d' Cargo.lock >git.lock
check "one from a repository" complains "is from a git repository, of which it has no checksum" vendor git.lock
check "no lock" complains "'cargoLock.lockFile' missing" gxeval --impure -E "let std = $std; in
(std.buildRustPackage { pname = \"x\"; version = \"1\"; src = ./bin; }).drvPath"
