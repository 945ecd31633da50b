# SPDX-License-Identifier: MIT
#
# The programs of a C compiler for a target: one small program (cc/) by all their names.  It is static, and needs nothing of the machine that it
# runs on.
mkdir -p "$out/bin" "$out/nix-support" cache
export HOME=$PWD ZIG_GLOBAL_CACHE_DIR=$PWD/cache ZIG_LOCAL_CACHE_DIR=$PWD/cache
for part in b h o; do
	mkdir "cache/$part"
	cp -R "$host/$part/." "cache/$part"
done
chmod -R u+w cache
set --
[ -z "${loader-}" ] || set -- "-DLOADER=\"$loader\"" "-DC_LIBRARY=\"$libraries\""
"$zig/zig" cc -target "$hostTarget" -fno-sanitize=undefined -Os -Wall -Wextra "-DZIG=\"$zig\"" "-DTARGET=\"$target\"" "-DRUNTIMES=\"$runtimes\"" \
	"-DNAME=\"${out##*/}\"" "$@" "$source/cc.c" "$source/strip.c" -o "$out/bin/cc"
for name in gcc clang c++ g++ clang++ ar ranlib ld strip forget-zig; do
	ln -s cc "$out/bin/$name"
done
# The shell of a build has an ar of its own, which makes no archives, and takes that first.
cat >"$out/nix-support/setup-hook" <<X
export CC=cc CXX=c++ AR=$out/bin/ar RANLIB=ranlib STRIP=strip
X
