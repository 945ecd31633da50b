# SPDX-License-Identifier: MIT
#
# What people see while something takes time: in a terminal lines that move, above them what stays; elsewhere lines or objects.
. "$srcdir/tests/integration/lib.sh"
command -v python3 >/dev/null || { echo "no python3"; exit 77; }
. "$srcdir/tests/integration/lib/build.sh"
export HOME="$PWD" XDG_CACHE_HOME="$PWD/cache" no_proxy='*'
unset NO_COLOR GOPROXY
watch() { python3 "$srcdir/tests/integration/lib/watch.py" "$@"; }
script slow-1.0 'echo one; sleep 1.6; echo two; sleep 0.9; echo > $out'
slow=$drv
moves() { watch 80 24 moves shows 'build slow-1.0: one ' shows '0 of 1 built' shows 'slow-1.0: two' never 'building' -- "$gx" build --store "$store" --no-link "$slow"; }
check "a line moves while a builder sleeps" moves
script slow-1.0 'echo again; sleep 1.5; echo > $out'
usual() { watch 80 24 moves shows ', last time 2.' shows 'gx: 1 built, in ' -- "$gx" build --store "$store" --no-link "$drv"; }
check "the next says how long it took last time; a line says what was done" usual
script quick 'echo > $out'
quick() { watch 80 24 never quick never built ends "" -- "$gx" build --store "$store" --no-link "$drv"; }
check "nothing is shown of what is quick" quick

script counted "echo '@nix {\"action\":\"setPhase\",\"phase\":\"compile\",\"lines\":4}'; for i in a b c; do echo pkg/\$i; echo a note; sleep 0.4; done; sleep 0.5; echo > \$out"
counted() { watch 80 24 shows '3 of 4' -- "$gx" build --store "$store" --no-link "$drv"; }
check "lines that a builder says are parts of the work are counted" counted

script plain-colour 'sleep 1.2; echo > $out'
no_colour() { NO_COLOR=1 watch 80 24 moves shows 'build plain-colour' -- "$gx" build --store "$store" --no-link "$drv"; }
check "NO_COLOR takes the colour, not the lines" no_colour

script a-name-of-some-length-for-a-narrow-window-1.0 'sleep 1.2; echo > $out'
narrow() { watch 40 24 moves shows '  build a-name-of-s…w-window-1.0  ' -- "$gx" build --store "$store" --no-link "$drv"; }
check "a window of 40 columns" narrow
script b-name-of-some-length-for-a-narrow-window-1.0 'sleep 0.8; echo > $out'
tiny() { watch 12 3 moves shows '  build b-…' shows ' 0 of 1 b…' -- "$gx" build --store "$store" --no-link "$drv"; }
check "and one of 12" tiny
script c-name-of-some-length-for-a-narrow-window-1.0 'sleep 2.5; echo > $out'
resized() { watch 100 24 moves shows 'build c-name-of-some-length-for-a-narrow-window-1.0' resize 50 shows 'build c-name-of-some-l…narrow-window-1.0  ' -- "$gx" build --store "$store" --no-link "$drv"; }
check "a window that becomes narrower" resized

script long 'echo begun; sleep 4722; echo > $out'
interrupted() { watch 80 24 stop 1.5 shows 'build long: begun' ends 'error: interrupted' status 130 -- "$gx" build --store "$store" --no-link "$drv"; }
check "Ctrl-C leaves a clean window" interrupted
no_end='builtins.foldl'"'"' (a: b: a + b) 0 (builtins.genList (x: builtins.foldl'"'"' (c: d: c + d) x (builtins.genList (y: y) 100000)) 10000000)'
evaluation() { watch 80 24 moves stop 2 shows 'evaluating, 1.' ends 'error: interrupted' status 130 -- "$gx" eval --impure --raw -E "$no_end"; }
check "an evaluation shows that it goes on, and goes away" evaluation

script fails 'echo a last word; sleep 1; exit 3'
failure() { watch 200 24 moves shows 'build fails: a last word' shows '> a last word' shows 'failed with exit code 3' status 100 -- "$gx" build --store "$store" --no-link "$drv"; }
check "a build that fails" failure
script shared 'sleep 6.131; echo > $out'
"$gx" build --store "$store" --no-link "$drv" 2>/dev/null &
first=$!
for i in $(seq 1 100); do running "sleep 6.131" && break; sleep 0.05; done
two() { watch 200 24 moves shows '  wait shared: process' shows "gx: 1 built by another process, in " never 'is building it' -- "$gx" build --store "$store" --no-link "$drv"; }
check "waiting for another process, and for which" two
wait $first
system=$("$gx" eval --impure --raw -E builtins.currentSystem)
inner="derivation { name = \"needed\"; system = \"$system\"; builder = \"/bin/sh\"; args = [ \"-c\" \"sleep 1.2; mkdir \$out\" ]; }"
outer="derivation { name = \"shell\"; system = \"$system\"; builder = \"/bin/sh\"; nativeBuildInputs = [ ($inner) ]; }"
opened() { watch 80 24 shows " s
note: you are in the shell 'shell'" -- env SHELL=/bin/true "$gx" develop --store "$store" -E "$outer"; }
check "a shell begins after what was done for it" opened

inner=$(echo "$inner" | sed 's/needed/before/')
module="derivation { name = \"example.com-a-v1.0.0\"; system = \"builtin\"; builder = \"builtin:go-module\"; module = \"example.com/a\"; version = \"v1.0.0\";
	goEnv = $inner; outputHashMode = \"go-h1\"; outputHash = \"h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\"; }"
next() { watch 100 24 shows 'next: example.com/a v1.0.0' status 100 -- env GOPROXY=off "$gx" build --store "$store" --no-link -E "$module"; }
check "a module that is next has its own name" next

# --- what is fetched
cat >drip.py <<'END'
# Serves 400 KB in ten pieces with pauses, or without; ends when there is a file named stop, or after two minutes.
import http.server, os, threading, time
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "409600")
        self.end_headers()
        for i in range(10):
            self.wfile.write(b"x" * 40960)
            self.wfile.flush()
            time.sleep(0.25 if "slow" in self.path else 0)
    def log_message(self, *a):
        pass
s = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
s.daemon_threads = True
threading.Thread(target=s.serve_forever, daemon=True).start()
with open("port.new", "w") as f:
    f.write(str(s.server_address[1]))
os.rename("port.new", "port")
end = time.time() + 120
while time.time() < end and not os.path.exists("stop"):
    time.sleep(0.05)
END
python3 drip.py &
server=$!
trap ': >stop; wait $server 2>/dev/null' EXIT
for i in $(seq 1 100); do [ -e port ] && break; sleep 0.1; done
url=http://127.0.0.1:$(cat port)
sum=$(head -c 409600 /dev/zero | tr '\0' x | sha256sum | cut -d' ' -f1)
cat >fetch.gx <<END
let f = n: import <nix/fetchurl.nix> { name = n; url = "$url/\${n}"; sha256 = "$sum"; };
in { one = f "slow-one"; many = map (i: f "slow-\${toString i}") [ 1 2 3 4 5 6 ]; quick = f "quick"; log = f "slow-log"; }
END
realise() { gxeval --store "$store" -f fetch.gx --realise --attr "$@"; }
fetched() { watch 80 24 moves shows 'fetch slow-one ' shows ' of 400.0 KiB, ' shows 'KiB/s' shows '1 fetched (400.0 KiB), in ' -- "$gx" eval --store "$store" -f fetch.gx --realise --attr one; }
check "a fetch shows its bytes and its rate" fetched
together() { watch 80 24 moves shows '0 of 6 fetched' shows "fetch slow-1 " shows '  fetch slow-6 ' shows '6 fetched (2.3 MiB), in ' -- "$gx" eval --store "$store" -f fetch.gx --realise --attr many; }
check "several at once" together
check "how far it is does not go to the log" prints "" "$gx" log --store "$store" "$("$gx" eval --store "$store" --impure -f fetch.gx --drv-path --attr one)"

in_repl() { watch 300 24 moves shows '  fetch http://127.0.0.1:' shows ' evaluating, ' shows 'error: ' -- sh -c "echo '(builtins.fetchTree { type = \"tarball\"; url = \"$url/slow-repl.tar\"; }).nothing' | '$gx' repl --store '$store'"; }
check "in the REPL too" in_repl

# --- what is copied and hashed, and who holds what is wanted
mkdir big
for i in 1 2 3; do truncate -s 400M big/$i; done
hashed() { watch 80 24 moves shows '  hash big ' -- "$gx" hash path big; }
check "hashing" hashed
copied() { watch 80 24 moves shows '  copy big ' -- "$gx" store add --store "$store" big; }
check "copying" copied
rm -rf big

# --- elsewhere
script piped 'echo a word; sleep 1.1; echo > $out'
piped() {
	build "$drv" 2>log || return 1
	[ "$(sed 's/ [0-9.]* s$/ N s/' log)" = "building '$drv'...
built '$drv' in N s
gx: 1 built, in N s" ] || { cat log && return 1; }
}
check "without a terminal a line at the start and the end" piped
check "nothing when there is nothing to do" prints "" build "$drv"
piped_fetch() {
	realise quick >/dev/null 2>log || return 1
	# (Where it takes long it is summed up as well.)
	[ "$(sed '/^gxeval: 1 fetched/d; s/ [0-9.]* s$/ N s/' log)" = "fetching 'quick'...
fetched 'quick' (400.0 KiB) in N s" ] || { cat log && return 1; }
}
check "and how much was fetched" piped_fetch
script object 'echo a "\"word\""; exit 1'
json() {
	! build --log-format json "$drv" 2>log || return 1
	python3 - "$drv" <<'END' || { cat log; return 1; }
import json, sys
v = [json.loads(l) for l in open("log")]
build = [(o["event"], o.get("text")) for o in v if o.get("action") == "build" and o["drv"] == sys.argv[1]]
assert build == [("start", None), ("line", 'a "word"'), ("failed", None)], build
assert v[-1]["level"] == "error" and v[-1]["message"].startswith("builder for '%s' failed" % sys.argv[1]), v[-1]
END
}
check "--log-format json: objects" json
nix() {
	! build --log-format internal-json "$drv" 2>log || return 1
	python3 - "$drv" <<'END' || { cat log; return 1; }
import json, sys
lines = open("log").read().splitlines()
assert all(l.startswith("@nix {") for l in lines)
v = [json.loads(l[5:]) for l in lines]
start = [o for o in v if o["action"] == "start" and o["type"] == 105]
assert len(start) == 1 and start[0]["fields"] == [sys.argv[1], "", 1, 1]
mine = [(o["action"], o.get("type"), o.get("fields")) for o in v if o.get("id") == start[0]["id"]]
assert mine[1:] == [("result", 101, ['a "word"']), ("stop", None, None)], mine
assert {o["id"] for o in v if o["action"] == "start"} == {o["id"] for o in v if o["action"] == "stop"}
assert v[-1]["action"] == "msg" and v[-1]["level"] == 0 and "failed" in v[-1]["msg"], v[-1]
END
}
check "--log-format internal-json: Nix's" nix
raw() {
	! build --log-format raw-with-logs "$drv" 2>log || return 1
	[ "$(head -n 2 log)" = "building '$drv'...
a \"word\"" ] || { cat log && return 1; }
}
check "--log-format raw-with-logs: what builders print, as it comes" raw
check "a format that does not exist" complains "--log-format is bar, bar-with-logs, plain, raw, raw-with-logs, json or internal-json, not 'x'" build --log-format x "$drv"
script logged 'echo a word; echo > $out'
log_file() {
	build --option json-log-path "$PWD/file.json" "$drv" 2>log && grep -q "^building '$drv'" log || { cat log; return 1; }
	python3 - "$drv" <<'END' || { cat file.json; return 1; }
import json, sys
v = [json.loads(l) for l in open("file.json")]
start = [o for o in v if o["action"] == "start" and o["type"] == 105]
assert len(start) == 1 and start[0]["fields"] == [sys.argv[1], "", 1, 1] and start[0]["parent"] == 0, start
assert [o["msg"] for o in v if o["action"] == "msg"] == ["executing builder of '%s'" % sys.argv[1]]
assert {o["id"] for o in v if o["action"] == "start"} == {o["id"] for o in v if o["action"] == "stop"}
END
}
check "json-log-path: a file of it beside what is shown" log_file
log_unwritable() {
	script unlogged 'echo > $out'
	build --option json-log-path "$PWD/no/such" "$drv" 2>log && grep -qF "warning: cannot write the log '$PWD/no/such': No such file" log
}
check "one that cannot be written stops nothing" log_unwritable
script unusual "for m in 1 '{}' '{\\"action\\":null}' ']['; do echo \"@nix \$m\"; done; echo > \$out"
unusual() {
	build "$drv" 2>log && [ "$(grep -c "^warning: Unable to handle a JSON message from the derivation builder: what 'unusual'" log)" = 1 ] || { cat log; return 1; }
}
check "what a builder tells the program and is not to be understood is warned of, once" unusual
script quiet 'sleep 1.1; echo > $out'
quiet() { watch 80 24 ends "" -- "$gx" build --quiet --store "$store" --no-link "$drv"; }
check "--quiet says nothing" quiet
exit 0
