# SPDX-License-Identifier: MIT
#
# What the tests of binary caches share: a small closure, a key, and a server.
export HOME="$PWD/home" XDG_CACHE_HOME="$PWD/xdg" NIX_CONF_DIR="$PWD/conf" && mkdir home conf
printf 'build-users-group =\nsubstituters =\n' >conf/nix.conf
gx=$builddir/gx

# c, which refers to b and a; b refers to a.  "a" has something that can be compressed.
cat >three.gx <<'E2'
let
  make = name: inputs: derivation {
    inherit name;
    system = builtins.currentSystem;
    builder = "/bin/sh";
    args = [ "-c" "mkdir $out && echo ${toString inputs} > $out/inputs && ln -s inputs $out/link && head -c 20000 /dev/zero > $out/zeros" ];
  };
  a = make "a" [ ];
  b = make "b" [ a ];
in make "c" [ a b ]
E2
c=$("$gx" build --no-link --print-out-paths --store "$PWD/built" -f three.gx 2>log) || { cat log; exit 1; }
"$gx" key generate-secret --key-name test-1 >secret
public=$("$gx" key convert-secret-to-public <secret)

# With a binary cache that is trusted by its key, in a store that does not exist yet.
from() { # CACHES VERB...
	_caches=$1
	shift
	NIX_CONFIG="trusted-public-keys = $public
substituters = $_caches" "$gx" "$@"
}
fetched() { # STORE: how many objects of the closure of c came out of a cache
	"$gx" path-info -r --sigs --store "$1" "$c" | grep -c 'test-1:' || :
}
nothing_in() { # STORE
	[ -z "$("$gx" path-info --all --store "$1")" ]
}

# Serves FOLDER at $url/HOW; see cache_server.py.
serve() { # FOLDER
	python3 "$srcdir/tests/integration/lib/cache_server.py" "$1" &
	server=$!
	trap 'touch stop; wait $server' EXIT
	until [ -s port ]; do sleep 0.05; done
	url=http://127.0.0.1:$(cat port)
}
asked_for() { # METHOD FILE: how many requests there were since the last time
	grep -c "^$1 [^ ]* $2" requests
	: >requests
}
