# SPDX-License-Identifier: MIT
#
# gx bench with commands that stand for a benchmark: they print numbers of a list, one a run.
. "$srcdir/tests/integration/lib.sh"
gx=$builddir/gx
command -v python3 >/dev/null 2>&1 || { echo "there is no python3"; exit 77; }
export HOME="$PWD/home"
mkdir -p home bin
varies='s/\([0-9][0-9.]* runs*.*processors: \)[0-9,]*.*/\1CPUS/'

# Prints the next of the numbers as a line of go test -bench.
cat >bin/fake <<'X2'
#!/bin/sh
n=$(cat count 2>/dev/null || echo 0)
echo $((n + 1)) >count
value=$(echo $NUMBERS | cut -d' ' -f$((n + 1)))
printf 'goos: linux\npkg: example.com/a\nBenchmarkX-1 \t 100\t %s ns/op\t 3 allocs/op\nPASS\n' "$value"
X2
chmod +x bin/fake
PATH=$PWD/bin:$PATH
fake() { # "NUMBERS" OPTION...
	rm -f count
	NUMBERS=$1
	export NUMBERS
	shift
	"$gx" bench --memory 0 --processes 0 "$@" -- fake
}
results() { # "NUMBERS" OPTION... : but the first line
	fake "$@" >all && sed 1d all
}
check "the median, the spread, without what the warm-up says" prints "example.com/a
  BenchmarkX-1  12 ns/op          ± 16.7 %  n=5
  BenchmarkX-1  3 allocs/op       ± 0.0 %  n=5" results "900 10 11 12 13 14" -n 5
check "outliers are left out, and told of" prints "example.com/a
  BenchmarkX-1  12 ns/op          ± 8.3 %  n=5, 1 outlier
  BenchmarkX-1  3 allocs/op       ± 0.0 %  n=6" results "11 11.5 12 500 12.5 13" -n 6 --warmup 0
check "how it was run" grep -q '^6 runs after 0 to warm up; processors: [0-9]*$' all

fake "9 100 101 102 103 104 105" -n 6 --save old.json >/dev/null
check "a change that tells" prints "example.com/a
  BenchmarkX-1  92.5 ns/op        ± 2.7 %  n=6  was 102.5: -9.76 % (p=0.002, n=6+6)
  BenchmarkX-1  3 allocs/op       ± 0.0 %  n=6  was 3: no difference that tells (p=1.000, n=6+6)" results "0 90 91 92 93 94 95" -n 6 --baseline old.json
check "one that does not" prints "example.com/a
  BenchmarkX-1  102 ns/op         ± 2.5 %  n=6  was 102.5: no difference that tells (p=0.699, n=6+6)
  BenchmarkX-1  3 allocs/op       ± 0.0 %  n=6  was 3: no difference that tells (p=1.000, n=6+6)" results "0 99.5 100.5 101.5 102.5 103.5 104.5" -n 6 --baseline old.json
printf 'pkg: example.com/a\nBenchmarkX-1 5 50 ns/op\nBenchmarkX-1 5 51 ns/op\nBenchmarkGone 1 2 ns/op\n' >old.txt
check "a baseline of go test" prints "example.com/a
  BenchmarkX-1  12 ns/op          ± 16.7 %  n=5  was 50.5: no difference that tells (p=0.095, n=2+5)
  BenchmarkX-1  3 allocs/op       ± 0.0 %  n=5  new
  BenchmarkGone (ns/op) is in the baseline only" results "0 10 11 12 13 14" -n 5 --baseline old.txt

json() { # FILE EXPRESSION about d
	python3 -c "import json,sys; d=json.load(open('$1')); print($2)"
}
fake "9 1 2 3 4" -n 4 --json --baseline old.json --save new.json >printed.json
check "JSON" prints "(['fake'], 4, 1, [1.0, 2.0, 3.0, 4.0], 2.5, 102.5, True, True)" json printed.json \
	"(d['command'], d['runs'], d['warmup'], (b := d['benchmarks'][0])['samples'], b['median'], b['baseline']['median'], b['baseline']['change'] < -0.9, b['baseline']['differs'])"
check "is what is saved" cmp printed.json new.json

# Other commands: time and memory.
timed() {
	"$gx" bench --memory 0 --processes 0 -n 3 -- sleep 0.05 >timed && sed 1d timed | awk '$1 == "sleep" { print $3, ($2 > 0 && ($3 != "s" || $2 >= 0.05)) }' >rows && cat rows
}
check "time and memory of another command" prints "s 1
s-cpu 1
MiB 1" timed
check "one processor" prints 1 sh -c '"$1" bench --memory 0 --processes 0 -n 1 --warmup 0 -- sh -c "nproc >cpus" >/dev/null && cat cpus' - "$gx"
check "profiles of each run" sh -c '"$1" bench --memory 0 --processes 0 -n 2 --profiles kept -- sh -c "echo \$GX_BENCH_PROFILES >\$GX_BENCH_PROFILES/p" >/dev/null &&
	[ "$(cat kept/run-2/p)" = "$PWD/kept/run-2" ] && [ -e kept/run-1/p ] && [ -e kept/warmup-1/p ]' - "$gx"
printf '#!/bin/sh\necho "$@" >words\n' >bin/go && chmod +x bin/go
check "go test is told where" sh -c '"$1" bench --memory 0 --processes 0 -n 1 --warmup 0 --profiles kept -- go test -bench . >/dev/null && cat words' - "$gx"
check "by these words" prints "test -outputdir=$PWD/kept/run-1 -cpuprofile=cpu.pprof -memprofile=mem.pprof -bench ." cat words
limited() { # memory and processes hold, or it is said that they do not
	"$gx" bench --json -n 1 --warmup 0 -- sh -c 'cat /proc/self/cgroup >group' >held.json || return 1
	json held.json "all(d[k]['holds'] or d[k]['by'] for k in ('memory', 'processes'))" | grep -qx True || { cat held.json; return 1; }
	grep -q '"holds":true,"by":"a control group' held.json || return 0
	_group=$(grep -o '/[^:]*gx-bench-[0-9]*$' group | head -n 1) && [ -n "$_group" ] && [ -z "$(find /sys/fs/cgroup -path "*$_group" 2>/dev/null)" ]
}
check "memory and processes, where control groups can be made" limited

if grep -q '"memory":{[^}]*"holds":true' held.json; then
	check "more memory than it is given" complains "'python3' was killed in run-1; --memory gives it more than it had" \
		"$gx" bench -n 2 --memory 20M --warmup 0 -- python3 -c 'x = bytearray(100 << 20)'
else
	skip "more memory than it is given" "no control group can be made"
fi

check "a command that fails" complains "'false' ended with status 1 in warmup-1" "$gx" bench --memory 0 --processes 0 -- false
check "in a later run, and what it said" complains "ended with status 3 in run-2" "$gx" bench --memory 0 --processes 0 --warmup 0 -- sh -c 'echo run >>runs; [ "$(wc -l <runs)" -lt 2 ] || { echo no more; exit 3; }'
check "a command that is ended" complains "'sh' was ended by signal 15 in run-1" "$gx" bench --memory 0 --processes 0 --warmup 0 -- sh -c 'kill $$'
check "one that is not there" complains "cannot run 'nowhere'" "$gx" bench --memory 0 --processes 0 -- nowhere
check "a baseline without results" complains "has no results of benchmarks" fake "1 1" -n 1 --baseline bin/fake
check "one that is not there" complains "cannot read 'nowhere'" fake "1 1" -n 1 --baseline nowhere
check "one that is no JSON" complains "'bad.json'" sh -c 'echo "{ no" >bad.json; exec "$@"' - "$gx" bench --baseline bad.json -- true
usage() { # TEXT WORD...
	_text=$1
	shift
	status 2 "$gx" bench "$@" 2>said && grep -qF -- "$_text" said || { cat said; return 1; }
}
check "no command" usage "the program to run follows --" -n 3
check "no runs" usage "--runs takes at least 1" -n 0 -- true
check "no number" usage "--runs takes a number up to 100000, not 'x'" -n x -- true
check "no size" usage "--memory takes a size such as 512M, not '2Q'" --memory 2Q -- true
check "two flakes" usage "at most one flake" a b -- true
check "interrupted" status 130 sh -c '"$1" bench --memory 0 --processes 0 -- sh -c "kill \$PPID; sleep 5"' - "$gx"

# In the shell of a flake: gx develop's words lead back here.
mkdir shell
echo '{ outputs = _: { devShells.x86_64-linux.default = derivation { name = "shell"; system = "x86_64-linux"; builder = "/bin/sh"; IN_IT = "yes"; }; }; }' >shell/flake.gx
check "in a flake's shell" sh -c '"$1" bench --store "$PWD/s" --memory 0 --processes 0 -n 2 --warmup 0 ./shell -- sh -c "echo \$IN_IT \$IN_NIX_SHELL >in" >out 2>log || { cat log; exit 1; }; cat in; grep -q "^2 runs" out' - "$gx"
check "which it saw" prints "yes impure" cat in
