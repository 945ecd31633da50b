# SPDX-License-Identifier: MIT
#
# What tests of flakes share: repositories, and Nix as an oracle in a store of its own.
export HOME="$PWD/home" XDG_CACHE_HOME="$PWD/cache"
mkdir -p home cache
gx=${gxeval%/*}/gx

git_init() { # DIR
	git init -q -b master "$1"
}

git_commit() { # DIR MESSAGE
	git -C "$1" add . && git -C "$1" -c user.name=t -c user.email=t@t commit -qm "$2"
}

have_nix() {
	command -v nix >/dev/null 2>&1 && nix --version >/dev/null 2>&1
}

# Nix with a store in a chroot below here; its paths are those of /nix/store.
nix_() {
	nix --extra-experimental-features 'nix-command flakes' --store "$PWD/nix-root" "$@"
}

# Succeeds when the command succeeds and says nothing on standard error.
quiet() { # COMMAND...
	"$@" 2>quiet.log || return 1
	[ ! -s quiet.log ] || { cat quiet.log && return 1; }
}

# Succeeds when the command succeeds and says TEXT on standard error.
warns() { # TEXT COMMAND...
	_text=$1
	shift
	"$@" 2>warns.log || return 1
	grep -qF -- "$_text" warns.log || { cat warns.log && echo "does not say: $_text" && return 1; }
}

# A flake of TEXT with another in a folder, an executable and a link.
leaf() { # DIR TEXT
	mkdir -p "$1/sub"
	echo "{ outputs = { self }: { v = \"$2\"; }; }" >"$1/flake.nix"
	cp "$1/flake.nix" "$1/sub/flake.nix"
	printf '#!/bin/sh\n' >"$1/run" && chmod +x "$1/run"
	ln -s run "$1/link"
}
