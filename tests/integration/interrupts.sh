# SPDX-License-Identifier: MIT
#
# Ctrl-C and a closed terminal, in a terminal: in the REPL whatever it waits for is given up, as often as it takes, and it goes on; gx
# build ends, with its builders, and leaves nothing.
. "$srcdir/tests/integration/lib.sh"
command -v python3 >/dev/null || { echo "no python3"; exit 77; }
. "$srcdir/tests/integration/lib/build.sh"
export HOME="$PWD" XDG_CACHE_HOME="$PWD/cache" NO_COLOR=1
export no_proxy='*'
pty() { python3 "$srcdir/tests/integration/lib/terminal.py" "$@"; }

cat >stall.py <<'END'
# A server that answers with the beginning of something; ends when there is a file named stop, or after two minutes.
import os, socket, threading, time
s = socket.socket()
s.bind(("127.0.0.1", 0))
s.listen(8)
def serve():
    kept = []
    while True:
        c, _ = s.accept()
        kept.append(c)
        open("asked", "w").close()
        c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nabc")
threading.Thread(target=serve, daemon=True).start()
with open("port.new", "w") as f:
    f.write(str(s.getsockname()[1]))
os.rename("port.new", "port")
end = time.time() + 120
while time.time() < end and not os.path.exists("stop"):
    time.sleep(0.05)
END
python3 stall.py &
server=$!
trap ': >stop; wait $server 2>/dev/null' EXIT
for i in $(seq 1 100); do [ -e port ] && break; sleep 0.1; done
url=http://127.0.0.1:$(cat port)

cat >repl.gx <<'END'
rec {
  forever = builtins.foldl' (a: b: a + builtins.foldl' (c: d: c + d) 0 (builtins.genList (x: x) 100000)) 0 (builtins.genList (x: x) 100000000);
  build = name: script: derivation { inherit name; system = "@system@"; builder = "/bin/sh"; args = [ "-c" script ]; };
  slow = build "slow" "sleep 4721; echo > $out";
  good = build "good" "echo > $out";
  fetched = import <nix/fetchurl.nix> { url = "@url@/file"; sha256 = builtins.hashString "sha256" "x"; };
  tree = n: builtins.fetchTree { type = "tarball"; url = "@url@/${n}.tar"; };
}
END
system=$("$gx" eval --impure --raw -E builtins.currentSystem)
sed -i "s|@url@|$url|; s|@system@|$system|; s|4721|$(ours 4721)|" repl.gx
repl() { pty "$gx" repl --store "$store" -f repl.gx; }

evaluations() { repl <<'END'
= added
> forever
sleep 1
^C
= error: interrupted
> 10 + 1
= 11
> forever
sleep 0.5
^C
= error: interrupted
> forever
sleep 0.5
^C
= error: interrupted
> 10 + 2
= 12
> :q
exit 0
END
}
transfers() { rm -f asked; repl <<'END'
= added
> (tree "a").outPath
file asked
sleep 0.3
^C
= error: interrupted
> 20 + 1
= 21
> (tree "b").outPath
sleep 0.7
^C
= error: interrupted
> (tree "c").outPath
sleep 0.7
^C
= error: interrupted
> 20 + 2
= 22
> :q
exit 0
END
}
builds() { repl <<'END'
= added
> :b slow
= building
sleep 0.7
^C
- slow.drv' failed
= interrupted
> 30 + 1
= 31
> :b good
= out -> /nix/store
> :b slow
= building
sleep 0.7
^C
= interrupted
> :b slow
= building
sleep 0.7
^C
= interrupted
> forever
sleep 0.5
^C
= error: interrupted
> 30 + 2
= 32
> :q
exit 0
END
}
fetches() { rm -f asked; repl <<'END'
= added
> :b fetched
file asked
sleep 0.3
^C
= interrupted
> 40 + 1
= 41
> :b fetched
= fetching
sleep 0.7
^C
= interrupted
> 40 + 2
= 42
> :q
exit 0
END
}
check "Ctrl-C ends an evaluation, every time" evaluations
check "a transfer" transfers
check "a build" builds
check "no builder is left" stays_dead "sleep 4721"
check "no folder of one either" no_leftovers
check "a build that fetches" fetches
check "nothing of that is left" no_leftovers

# --- gx build
script two 'sleep 4722 & sleep 4722; echo > $out'
interrupted_build() { pty "$gx" build --store "$store" --no-link "$drv" <<'END'
= building
sleep 0.5
^C
= interrupted
exit 130
END
}
hung_up_build() { pty "$gx" build --store "$store" --no-link "$drv" <<'END'
= building
sleep 0.5
hangup
exit 130
END
}
check "Ctrl-C ends gx build" interrupted_build
check "and all that the builder started" stays_dead "sleep 4722"
check "leaving no folder" no_leftovers
check "a terminal that is closed does too" hung_up_build
check "with all that was started" stays_dead "sleep 4722"
check "leaving no folder either" no_leftovers
mkdir flake && echo '{ outputs = _: { packages.'$system'.default = (import ./loop.gx).forever; }; }' >flake/flake.gx && cp repl.gx flake/loop.gx
interrupted_evaluation() { pty "$gx" build --store "$store" ./flake <<'END'
sleep 1.5
^C
= interrupted
exit 130
END
}
check "Ctrl-C while a flake is evaluated" interrupted_evaluation
interrupted_develop() { pty "$gx" develop --store "$store" ./shell --command sh -c 'trap "echo caught; exit 7" INT; echo ready; while :; do sleep 0.1; done' <<'END'
= ready
^C
= caught
exit 7
END
}
mkdir shell && echo '{ outputs = _: { devShells.'$system'.default = (import ./all.gx).good; }; }' >shell/flake.gx && cp repl.gx shell/all.gx
check "Ctrl-C in a shell is the program's, and its status counts" interrupted_develop
check "the store is in order" "$gx" store verify --store "$store" --check-contents
exit 0
