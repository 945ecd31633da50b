# SPDX-License-Identifier: MIT
#
# Toolchains from the archives that Go's publisher offers, where no sum of a module is known: a small archive of that form, served from
# here, and what is wrong with others.
. "$srcdir/tests/integration/lib.sh"
. "$srcdir/tests/integration/lib/serving.sh"
gx=$builddir/gx
std=$srcdir/stdlib/go
varies='s/\(cannot fetch .*: \)Failed to connect.*/\1WHY/; s/take go_[0-9_]*/take GO/'

export HOME="$PWD/home" XDG_CACHE_HOME="$PWD/cache"
mkdir -p home dl

cat >make.py <<'X2'
# make.py FILE NAME...: an archive of files in dl; prints its SHA-256 sum.  Programs are the names that end in "*".
import gzip, hashlib, io, sys, tarfile
file = gzip.GzipFile("dl/" + sys.argv[1], "wb", mtime=0)
with file, tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as t:
    for name in sys.argv[2:]:
        info = tarfile.TarInfo(name.rstrip("*"))
        info.mode = 0o755 if name.endswith("*") else 0o644
        text = b"#!/bin/sh\necho go version goX\n" if info.mode == 0o755 else name.encode()
        info.size = len(text)
        t.addfile(info, io.BytesIO(text))
print(hashlib.sha256(open("dl/" + sys.argv[1], "rb").read()).hexdigest())
X2
serve_folder dl

file=go9.9.9.linux-arm64.tar.gz
set -- go/VERSION go/go.env 'go/bin/go*' 'go/pkg/tool/linux_arm64/compile*' go/src/go.mod go/src/fmt/print.go go/lib/time/zoneinfo.zip \
	go/test/fixedbugs/Þfoo.go go/api/go1.txt go/doc/README.md go/misc/x
sum=$(python3 make.py $file "$@")
realise() { # [SUM [OPTION...]]
	_sum=${1-$sum}
	[ $# -eq 0 ] || shift
	gxeval --store "$PWD/s" --option go-archives "http://127.0.0.1:$port" "$@" --realise -E "(import $std/toolchain.gx).fromArchive \"9.9.9\" { GOOS = \"linux\"; GOARCH = \"arm64\"; } \"$_sum\""
}
if ! realise >probe.log 2>&1 && grep -q "namespace" probe.log; then
	head -n 1 probe.log
	exit 77
fi
check "an archive becomes a toolchain" realise
out=s$(realise)
listing() { # with modes
	(cd "$out" && find . ! -type d -printf '%P %m %l\n' | sort | sed 's/ $//')
}
check "which has the form of one that was a module" prints "VERSION 444
bin/go 555
go.env 444
lib/time/zoneinfo.zip 444
pkg/tool/linux_arm64/compile 555
share/go 777 ..
src/fmt/print.go 444
src/go.mod 444" listing
check "what it refers to" prints "$("$gx" path-info --store "$PWD/s" "${out#s}")" "$gx" path-info --store "$PWD/s" -r "${out#s}"
check "its program runs" prints "go version goX" "$out/share/go/bin/go"
check "again nothing is fetched" prints "${out#s}" realise "$sum" --option go-archives http://127.0.0.1:9

bad=0000000000000000000000000000000000000000000000000000000000000000
check "another sum" complains "hash mismatch" realise $bad
made=$(python3 make.py $file go/VERSION 'bin/go*')
check "an archive of something else" complains "is no archive of a Go release: not all in it is below 'go/'" realise "$made"
made=$(python3 make.py $file go/VERSION go/bin/gofmt)
check "one without the program" complains "is no archive of a Go release: bin/go" realise "$made"
head -c 100 dl/$file >torn && mv torn dl/$file
check "one that is cut off" complains "the archive cannot be read" realise "$(sha256sum dl/$file | cut -d' ' -f1)"
rm dl/$file
check "one that is not there" complains "404" realise $bad
check "nobody there" complains "cannot fetch 'http://127.0.0.1:9/go9.9.9.linux-arm64.tar.gz'" realise $bad --option go-archives http://127.0.0.1:9/ --option download-attempts 1
check "from a folder" realise "$(python3 make.py $file "$@")" --option go-archives "file://$PWD/dl" --store "$PWD/s2"

# The names are the same everywhere; the sum of a module comes first.
of() { # SYSTEM EXPRESSION about p
	gxeval --read-only --json -E "let p = import $srcdir/stdlib { system = \"$1\"; }; in $2"
}
for system in x86_64-linux aarch64-linux x86_64-darwin aarch64-darwin; do
	check "each release is there for $system" prints "[]" of $system "builtins.filter (n: builtins.match \"go_1_[0-9_]*\" n != null && p.\${n}.outPath == \"\") (builtins.attrNames p)"
	check "each series for $system" prints '["1.19.13","1.20.14","1.21.13","1.22.6","1.23.12","1.24.13","1.25.14"]' of $system "map (n: p.\"go_1_\${n}\".version) [ \"19\" \"20\" \"21\" \"22\" \"23\" \"24\" \"25\" ]"
done
check "one that is not static has a C library" prints '["/bin/sh","builtin:go-module"]' of x86_64-linux "[ p.go_1_20.builder p.go_1_21.builder ]"
check "but not for darwin" prints '["builtin:go-unpack"]' of aarch64-darwin "[ p.go_1_20.builder ]"
mkdir -p old/bin old/src library/lib/cpu
printf '#!/bin/sh\necho "$GOROOT $*"\n' >library/lib/cpu/ld-linux-cpu.so.2
chmod +x library/lib/cpu/ld-linux-cpu.so.2
check "its go command is one" env out="$PWD/with" go="$PWD/old" glibc="$PWD/library" sh -e "$srcdir/stdlib/go/with-library.sh"
check "which runs with it" prints "$PWD/old --library-path $PWD/library/lib/cpu $PWD/old/bin/go list all" with/bin/go list all
check "and is for the same files" prints "$PWD/old/src" readlink with/src
check "a module where there is one" prints '["builtin:go-module","builtin:go-unpack"]' of aarch64-darwin "[ p.go_1_26.builder p.go_1_22.builder ]"
check "one that nobody knows" complains "the sum of Go 1.26.99 for aarch64-darwin is not known; take go_1_" \
	gxeval --read-only --raw -E "((import $std/toolchain.gx).toolchain \"1.26.99\" \"aarch64-darwin\").outPath"
own="builtins.toFile \"go.tar.gz\" \"\""
check "another release by overrideAttrs" prints '["go-1.26.99","1.26.99",true,true]' of x86_64-linux \
	"let go = p.go_1_26.overrideAttrs (old: { version = \"1.26.99\"; src = $own; }); in [ go.name go.version (go.src == $own) (p.go.overrideAttrs { meta = 1; } == p.go) ]"

# The example asks for one release everywhere, in each of its shells and for its package.
cp -r "$srcdir/examples/go-service" service
chmod -R u+w service
for system in x86_64-linux aarch64-linux x86_64-darwin aarch64-darwin; do
	check "the example for $system" prints '[["1.22.6"],["1.22.6"],["1.22.6"],"1.22.6"]' gxeval --read-only --json -E "let o = builtins.getFlake \"path:$PWD/service\";
		shells = o.devShells.$system; package = o.packages.$system.default; at = builtins.concatMap (p: if p.pname or \"\" == \"go\" then [ p.version ] else [ ]);
		in builtins.seq package.drvPath (builtins.deepSeq (map (s: s.drvPath) (builtins.attrValues shells))
			(map (n: at shells.\${n}.nativeBuildInputs) [ \"default\" \"ci\" \"devpod\" ] ++ [ package.go.version ]))"
done
