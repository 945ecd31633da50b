# SPDX-License-Identifier: MIT
#
# Kept answers (fetch/answers.h) when the worst happens: their writer is killed at any call, there is no space, many write while what was
# read changes, there are too many, another user has them.  tests/faults has the power cut.
. "$srcdir/tests/integration/lib.sh"
export HOME="$PWD/home" XDG_CACHE_HOME="$PWD/cache" NO_COLOR=1
answers=$XDG_CACHE_HOME/gx/answers
store=$PWD/store
unset GX_EVAL_CACHE
mkdir home flake
cat >flake/flake.gx <<'EOF_'
{
  outputs = { self }:
    let package = derivation { name = "p"; system = "x86_64-linux"; builder = "/bin/sh"; n = builtins.readFile ./n; }; in {
      n = builtins.trace "reading" (builtins.fromJSON (builtins.readFile ./n));
      packages.x86_64-linux.default = package;
      checks.x86_64-linux.default = package;
    };
}
EOF_
echo 1 >flake/n
sleep 0.1
value() { gxeval --json ./flake#n; }
build() { gx build --store "$store" --system x86_64-linux --dry-run ./flake; }
derivation() { gxeval --store "$store" --system x86_64-linux --drv-path ./flake; }
checked() { gx flake check --store "$store" --system x86_64-linux --dry-run ./flake; }
said() { # COMMAND...
	_said=0 && "$@" >said.out 2>said.err || _said=$?
	cat said.out said.err && echo "status $_said"
}
is_right() { # COMMAND...
	_now=$(said "$@")
	_fresh=$(export GX_EVAL_CACHE=0; said "$@")
	[ "$_now" = "$_fresh" ] || { printf 'kept:  %s\nfresh: %s\n' "$_now" "$_fresh" && return 1; }
}

# --- the writer ---

${CC:-cc} -shared -fPIC -O1 -o kill_at.so "$srcdir/tests/integration/lib/kill_at.c" -ldl 2>cc.log &&
	! ldd "$gxeval" 2>/dev/null | grep -q asan && shim=$PWD/kill_at.so || shim=
prepare() { # none | old
	rm -rf "$XDG_CACHE_HOME" calls
	[ "$1" = none ] || { "$_look" && echo $_n >flake/n && sleep 0.02; } >/dev/null 2>&1
}
# With VARIABLE at each call of a run of COMMAND that finds no answer, or one that does not hold: whatever is left, the next runs are right.
each_call() { # VARIABLE COMMAND
	_look=$2
	for _before in none old; do
		_n=1
		prepare $_before
		(export LD_PRELOAD="$shim" CALL_LOG="$PWD/calls" && $_look) >/dev/null 2>&1
		_calls=$(wc -l <calls)
		[ "$_calls" -ge 4 ] || { echo "$_calls calls" && return 1; }
		while [ $_n -le "$_calls" ]; do
			prepare $_before
			(export LD_PRELOAD="$shim" "$1=$_n" && $_look) >run.log 2>&1
			is_right $_look && sleep 0.02 && is_right $_look && is_right $_look || { echo "$1=$_n, $_before" && return 1; }
			_n=$((_n + 1))
		done
	done
}
# A call that fails takes nothing from who looks at a value.
harmless() {
	_n=1
	while [ $_n -le 8 ]; do
		rm -rf "$XDG_CACHE_HOME"
		prints "$(cat flake/n)" env LD_PRELOAD="$shim" FAIL_AT=$_n gxeval --json ./flake#n 2>run.log &&
			[ "$(cat run.log)" = 'trace: reading' ] || { echo "FAIL_AT=$_n" && cat run.log && return 1; }
		_n=$((_n + 1))
	done
}
if [ -n "$shim" ]; then
	for look in value build derivation checked; do
		check "$look: killed at any call" each_call KILL_AT $look
		check "$look: no space at any call" each_call FAIL_AT $look
	done
	check "what cannot be kept is told all the same" harmless
else
	skip "killed at any call" "no library can be preloaded"
fi
no_space() {
	rm -rf "$XDG_CACHE_HOME" && prints "trace: reading
$(cat flake/n)" sh -c 'ulimit -f 0; trap "" XFSZ; exec gxeval --json ./flake#n 2>&1' && [ -z "$(ls "$answers")" ]
}
check "a full disk" no_space

# --- many at once ---

# What is read changes all the time: nobody gets what it was before he asked, or will be.
one_of_many() { # NAME
	_i=0
	while [ $_i -lt 40 ]; do
		_before=$(cat flake/n)
		_got=$(value 2>/dev/null) && _after=$(cat flake/n) && [ "$_before" -le "$_got" ] && [ "$_got" -le "$_after" ] ||
			{ echo "$_before, then $_got, then $_after" >>bad && return; }
		_i=$((_i + 1))
	done
	: >"done.$1"
}
many() {
	rm -f bad done.*
	for _name in 1 2 3 4 5 6; do one_of_many $_name & done
	_i=100
	while [ "$(ls done.* bad 2>/dev/null | wc -l)" -lt 6 ] && [ ! -e bad ]; do
		_i=$((_i + 1))
		echo $_i >flake/n.new && mv flake/n.new flake/n
		sleep 0.01
	done
	wait
	[ ! -e bad ] || { cat bad && return 1; }
	! ls "$answers" | grep -q tmp && is_right value && sleep 0.02 && is_right value && is_right value
}
check "many at once, while what they read changes" many

# --- how many there are ---

file_of() { printf "$answers/%064x" "$1"; }
fill() { # NUMBER SIZE
	rm -rf "$answers" && mkdir -m 700 "$answers"
	for _i in $(seq "$1"); do
		truncate -s "$2" "$(file_of "$_i")" && touch -d "@$((1600000000 + _i))" "$(file_of "$_i")"
	done
	chmod 600 "$answers"/*
}
# Asks for something new until what is kept is tidied, which not each of them does.
ask_much() {
	_i=0
	while [ -e "$(file_of 1)" ] && [ $_i -lt 400 ]; do
		gxeval ./flake#n --apply "x: $_i" >/dev/null 2>&1
		_i=$((_i + 1))
	done
}
# The first are gone, as many as have to go; the others and what was asked for are there.
tidied() { # HOW-MANY-AT-LEAST HOW-MANY-AT-MOST
	_there=$(ls "$answers" | wc -l)
	[ "$_there" -ge "$1" ] && [ "$_there" -le "$2" ] && [ ! -e "$(file_of 1)" ] || { echo "$_there are there" && return 1; }
}
number() { fill 1040 0 && ask_much && tidied 1000 1024 && [ -e "$(file_of 1040)" ]; }
check "no more than 1024 of them, the oldest go" number
size() { fill 30 9M && touch "$(file_of 30)" && ask_much && tidied 20 440 && [ ! -e "$(file_of 2)" ] && [ -e "$(file_of 30)" ]; }
check "nor of more than 256 MiB" size
left_behind() {
	fill 1040 0 && : >"$answers/tmp-1-1" && : >"$answers/tmp-1-2" && touch -d '2 hours ago' "$answers/tmp-1-1" && ask_much &&
		[ ! -e "$answers/tmp-1-1" ] && [ -e "$answers/tmp-1-2" ]
}
check "what dead writers left goes as well" left_behind

# --- others ---

[ "$(id -u)" = 0 ] || { skip "an ordinary user and root do not take each other's" "not root"; exit 0; }
command -v setpriv >/dev/null || { skip "an ordinary user and root do not take each other's" "no setpriv"; exit 0; }
top=$(mktemp -d /tmp/gx-answers.XXXXXX) && chmod 755 "$top"
trap 'rm -rf "$top"' EXIT
cp "$gxeval" "$top/gxeval" && cp -R flake "$top/" && mkdir "$top/home" && chown 65534:65534 "$top/home"
sleep 0.1
his=$top/home/gx/answers
as_user() { (cd "$top" && XDG_CACHE_HOME=$top/home setpriv --reuid 65534 --regid 65534 --clear-groups "$@"); }
as_root() { (cd "$top" && XDG_CACHE_HOME=$top/home "$@"); }
ask() { # AS
	"$1" ./gxeval --json path:./flake#n 2>/dev/null
}
as_user ./gxeval -E 1 >/dev/null 2>&1 || { skip "an ordinary user and root do not take each other's" "cannot become another user"; exit 0; }
state() { stat -c '%n %u %i %z' "$his"/*; }
user() { ask as_user && _state=$(state) && ask as_user && [ "$(state)" = "$_state" ] && [ "$(find "$his" -user 65534 -type f | wc -l)" = 1 ]; }
check "an ordinary user has his" user
root() { ask as_root && [ "$(state)" = "$_state" ] && [ -z "$(find "$top/home" -user 0)" ]; }
check "root neither takes them nor leaves any there" root
forged() { # what root owns is not what he wrote
	ask as_user && chown 0 "$his"/* && chmod 644 "$his"/* && chmod a+rx "$his" && chown 0 "$his" && [ "$(ask as_user)" = "$(cat flake/n)" ] &&
		[ -z "$(find "$his" -user 65534)" ]
}
check "nor does he take root's" forged
