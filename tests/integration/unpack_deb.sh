# SPDX-License-Identifier: MIT
#
# builtin:unpack-deb: packages made here, of files, links, scripts and programs as Debian has them, become objects whose programs run from the
# store; and packages that are not what they should be.
. "$srcdir/tests/integration/lib.sh"
gx=$builddir/gx

command -v python3 >/dev/null 2>&1 || { echo "there is no python3"; exit 77; }
case $(uname -m) in
x86_64) triplet=x86_64-linux-gnu ;;
aarch64) triplet=aarch64-linux-gnu ;;
*) echo "no Debian packages of this architecture are unpacked"; exit 77 ;;
esac
export HOME="$PWD/home" XDG_CACHE_HOME="$PWD/cache"
mkdir -p home debs tree

cat >deb.py <<'X'
# deb.py FILE TREE [gz|xz|zst|plain]: a package of the files in TREE/data and the scripts in TREE/control.
import gzip, io, lzma, os, subprocess, sys, tarfile
out, tree = sys.argv[1:3]
how = sys.argv[3] if len(sys.argv) > 3 else "xz"
def packed(part):
    raw = io.BytesIO()
    def plain(i):
        i.uid = i.gid = i.mtime = 0
        i.uname = i.gname = "root"
        return i
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.GNU_FORMAT) as t:
        if os.path.isdir(f"{tree}/{part}"):
            t.add(f"{tree}/{part}", ".", filter=plain)
    b = raw.getvalue()
    zstd = lambda: subprocess.run(["zstd", "-q"], input=b, stdout=subprocess.PIPE, check=True).stdout
    return {"gz": lambda: gzip.compress(b, mtime=0), "xz": lambda: lzma.compress(b), "zst": zstd, "plain": lambda: b}[how]()
end = "" if how == "plain" else "." + how
with open(out, "wb") as f:
    f.write(b"!<arch>\n")
    for name, b in ("debian-binary", b"2.0\n"), ("control.tar" + end, packed("control")), ("data.tar" + end, packed("data")):
        f.write(f"{name:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(b):<10}`\n".encode() + b + b"\n" * (len(b) % 2))
X
cat >make.gx <<X
{
  unpack = name: debs: deps: more: derivation ({
    inherit name deps;
    system = "builtin";
    builder = "builtin:unpack-deb";
    debs = map (d: builtins.path { path = $PWD/debs + "/\${d}.deb"; name = "\${d}.deb"; }) debs;
  } // more);
}
X
unpack() { # NAME DEBS DEPS [MORE]: the last three in the language
	gxeval --store-dir "$PWD/store" --realise -E "let inherit (import $PWD/make.gx) unpack; in unpack \"$1\" [ $2 ] [ $3 ] { ${4-} }"
}
package() { # NAME [HOW]: of what is below tree
	python3 deb.py "debs/$1.deb" tree "${2-xz}"
	remove tree
	mkdir tree
}
script() { # FILE LINE...
	mkdir -p "${1%/*}"
	_file=$1
	shift
	printf '%s\n' "$@" >"$_file"
	chmod 755 "$_file"
}
listing() { # FOLDER: with modes and targets
	(cd "$1" && find . ! -type d -printf '%P %m %l\n' | LC_ALL=C sort | sed 's/ $//')
}
log_of() { # NAME
	"$gx" log --store-dir "$PWD/store" "$(ls -d "$PWD"/store/*-"$1".drv)"
}

# --- files ---
mkdir -p tree/data/bin tree/data/usr/bin tree/data/usr/lib tree/data/usr/share/doc/a tree/data/usr/share/a tree/data/var/lib/a tree/data/lib
echo one >tree/data/bin/one
echo two >tree/data/usr/bin/two
chmod 4755 tree/data/bin/one
chmod 2711 tree/data/usr/bin/two
echo doc >tree/data/usr/share/doc/a/copyright
echo lib >tree/data/lib/both
echo lib >tree/data/usr/lib/both
package a
if ! unpack a '"a"' '' >probe.log 2>&1 && grep -q "namespace" probe.log; then
	head -n 1 probe.log
	exit 77
fi
out=$(unpack a '"a"' '' 'prune = [ "share/doc" "var/l?b" ];')
check "below /usr or not is one, and nobody's rights are taken" prints "bin/one 555
bin/two 555
lib/both 444" listing "$out"
check "an empty folder is kept, one of what is left out is not" prints "bin
lib
share
share/a" sh -c 'cd "$1" && find . -mindepth 1 -type d -printf "%P\n" | LC_ALL=C sort' sh "$out"
for how in gz plain $(command -v zstd >/dev/null 2>&1 && echo zst); do
	mkdir -p tree/data/usr/bin
	echo $how >tree/data/usr/bin/x
	package $how $how
	check "a member that is packed otherwise: $how" prints $how cat "$(unpack $how "\"$how\"" '')/bin/x"
done

# --- links ---
mkdir -p tree/data/usr/lib/b tree/data/lib tree/data/bin tree/data/usr/bin tree/data/etc
echo real >tree/data/lib/libb.so.1
ln -s /lib/libb.so.1 tree/data/usr/lib/libb.so
ln -s ../../../lib/libb.so.1 tree/data/usr/lib/b/up
ln -s libb.so.1 tree/data/lib/beside
ln -s /usr/bin/two tree/data/usr/bin/second
ln -s ../usr/lib/both tree/data/etc/both
ln -s /usr/lib/b tree/data/etc/folder
ln -s /etc/folder/up tree/data/usr/bin/through
ln -s /etc/localtime tree/data/usr/lib/time
ln -s ../../../etc/none tree/data/usr/lib/b/none
ln -s nowhere tree/data/usr/lib/b/lost
ln -s . tree/data/usr/bin/X11
ln -s /usr/bin/self tree/data/bin/self
package b
first=$out
out=$(unpack b '"b"' "(unpack \"a\" [ \"a\" ] [ ] { prune = [ \"share/doc\" \"var/l?b\" ]; })")
check "links lead to where things are" prints "bin/X11 777 .
bin/second 777 $first/bin/two
bin/through 777 ../etc/folder/up
etc/both 777 $first/lib/both
etc/folder 777 ../lib/b
lib/b/lost 777 nowhere
lib/b/none 777 /etc/none
lib/b/up 777 ../libb.so.1
lib/beside 777 libb.so.1
lib/libb.so 777 libb.so.1
lib/libb.so.1 444
lib/time 777 /etc/localtime" listing "$out"
check "what leads nowhere is told" prints "'lib/b/lost' leads nowhere: 'nowhere'
'lib/b/none' leads nowhere: '/etc/none'
'lib/time' leads nowhere: '/etc/localtime'" sh -c '"$@" | grep nowhere: | LC_ALL=C sort' sh "$gx" log --store-dir "$PWD/store" "$(ls -d "$PWD"/store/*-b.drv)"
check "what it refers to" prints "$first
$out" "$gx" path-info --store-dir "$PWD/store" -r "$out"

# --- scripts and other text ---
script tree/data/usr/bin/interp '#!/bin/sh' 'exec /bin/sh "$@"'
package interp
interp=$(unpack interp '"interp"' '')
deps='(unpack "interp" [ "interp" ] [ ] { })'
script tree/data/usr/bin/full '#!/usr/bin/interp -x' 'echo $0'
script tree/data/usr/bin/spaces '#! /bin/interp' 'body'
script tree/data/usr/bin/byenv '#!/usr/bin/env interp' 'body'
script tree/data/usr/bin/bywords '#!/usr/bin/env -S interp -a  b' 'body'
script tree/data/usr/bin/own '#!/usr/bin/full' 'body'
script tree/data/usr/bin/lost '#!/usr/bin/ruby' 'body'
script tree/data/usr/bin/short '#!/bin/interp'
printf '#!/bin/interp' >tree/data/usr/bin/short
script tree/data/usr/share/text '#!/usr/bin/interp' 'no program'
chmod 644 tree/data/usr/share/text
mkdir -p tree/data/usr/lib/$triplet/pkgconfig tree/data/usr/include/c
echo archive >tree/data/usr/lib/$triplet/libc_nonshared.a
printf '%s\n' '/* GNU ld script' '   of /usr/bin/interp */' "GROUP ( /usr/lib/$triplet/libc_nonshared.a  AS_NEEDED ( /bin/interp /lib/none ) )" >tree/data/usr/lib/$triplet/libc.so
printf '%s\n' 'prefix=/usr' "libdir=\${prefix}/lib/$triplet" 'Cflags: -I/usr/include/c -I/usr/include/none -I/usr/local/x -I${prefix}/usr/x' 'interp=/usr/bin/interp' 'data=/etc/x' >tree/data/usr/lib/$triplet/pkgconfig/c.pc
package c
out=$(unpack c '"c"' "$deps")
heads() {
	(cd "$out/bin" && for f in *; do head -n 1 "$f"; [ "$f" != short ] || echo; done)
}
check "scripts start interpreters that are here" prints "#!$interp/bin/interp
#!$interp/bin/interp -a  b
#!$interp/bin/interp -x
#!/usr/bin/ruby
#!$out/bin/full
#!$interp/bin/interp
#!$interp/bin/interp" heads
check "the rest of one stays" prints "#!$interp/bin/interp -x
echo \$0" cat "$out/bin/full"
check "what is no program stays" prints "#!/usr/bin/interp
no program" cat "$out/share/text"
check "linker scripts name what is here" prints "/* GNU ld script
   of $interp/bin/interp */
GROUP ( $out/lib/$triplet/libc_nonshared.a  AS_NEEDED ( $interp/bin/interp /lib/none ) )" cat "$out/lib/$triplet/libc.so"
check "what pkg-config reads is below the object" prints "prefix=$out
libdir=\${prefix}/lib/$triplet
Cflags: -I$out/include/c -I$out/include/none -I/usr/local/x -I\${prefix}/usr/x
interp=$interp/bin/interp
data=/etc/x" cat "$out/lib/$triplet/pkgconfig/c.pc"
check "an interpreter that is not here is told" prints "no interpreter for 'bin/lost': '/usr/bin/ruby'
11 files, 0 links: 0 into other packages, 0 lead nowhere
6 scripts, 1 more without an interpreter; 2 files of paths" sh -c '"$@" | head -n 3' sh "$gx" log --store-dir "$PWD/store" "$(ls -d "$PWD"/store/*-c.drv)"

# --- programs: the loader and C library are the machine's own, as if they were in a package ---
cc=${CC-cc}
cat >answer.c <<'X'
int answer(void) { return 42; }
X
cat >main.c <<'X'
#include <stdio.h>
int answer(void), secret(void);
int main(void) { printf("%d %d\n", answer(), secret()); return 0; }
X
cat >secret.c <<'X'
int secret(void) { return 7; }
X
make_programs() {
	mkdir -p tree/data/usr/lib/$triplet/private tree/data/usr/bin &&
		$cc -shared -fPIC -Wl,-soname,libanswer.so.1 -o libanswer.so.1 answer.c &&
		$cc -shared -fPIC -Wl,-soname,libsecret.so -o tree/data/usr/lib/$triplet/private/libsecret.so secret.c &&
		$cc -o tree/data/usr/bin/main main.c libanswer.so.1 -Ltree/data/usr/lib/$triplet/private -lsecret -Wl,-rpath,/usr/lib/$triplet/private &&
		cp tree/data/usr/bin/main tree/data/usr/bin/two && ln tree/data/usr/bin/two tree/data/usr/bin/three
}
loader=$(make_programs >cc.log 2>&1 && python3 -c '
import re, sys
print(re.search(rb"/lib[0-9a-z/_-]*/ld-linux-[a-z0-9_-]+\.so\.[0-9]", open("tree/data/usr/bin/main", "rb").read()).group().decode())' 2>/dev/null)
if ! [ -e "$loader" ] || ! [ -e "$($cc -print-file-name=libc.so.6)" ]; then
	skip "programs" "nothing here makes a program of glibc"
	exit
fi
package programs
mkdir -p tree/data/lib/$triplet "tree/data${loader%/*}"
cp "$loader" "tree/data$loader"
cp "$($cc -print-file-name=libc.so.6)" tree/data/lib/$triplet
package libc
mkdir -p tree/data/usr/lib/$triplet
mv libanswer.so.1 tree/data/usr/lib/$triplet
package answer
libc='(unpack "libc" [ "libc" ] [ ] { })'
answer="(unpack \"answer\" [ \"answer\" ] [ $libc ] { })"
out=$(unpack programs '"programs"' "$libc $answer")
check "a program runs with the loader and libraries of its packages" prints "42 7" "$out/bin/main"
loads_only_here() { # PROGRAM: every library it loads comes from the store
	env LD_TRACE_LOADED_OBJECTS=1 "$1" >loads.log && grep -q libanswer loads.log && grep -q libsecret loads.log && grep -q libc.so.6 loads.log &&
		! grep -v "linux-vdso\|$PWD/store/" loads.log
}
check "and with no others" loads_only_here "$out/bin/main"
check "of one file by two names there is one" prints "42 7" "$out/bin/three"
check "which is the same as a copy" cmp "$out/bin/two" "$out/bin/main"
alone=$(unpack programs '"programs"' "$libc")
check "a library that is not here is told" prints "'bin/main' needs 'libanswer.so.1', which is not here
'bin/three' needs 'libanswer.so.1', which is not here" sh -c '"$@" | grep needs' sh "$gx" log --store-dir "$PWD/store" "$(ls -d "$PWD"/store/*-programs.drv | grep -v "$(basename "$("$gx" path-info --store-dir "$PWD/store" --json "$out" | sed 's/.*"deriver":"\([^"]*\)".*/\1/')")")"
check "nor is it looked for elsewhere" sh -c 'LD_TRACE_LOADED_OBJECTS=1 "$1" | grep "libanswer.so.1 => not found"' sh "$alone/bin/main"
strips() {
	cp "$out/bin/main" stripped && chmod u+w stripped && strip stripped && [ "$(./stripped)" = "42 7" ]
}
if command -v strip >/dev/null 2>&1; then
	check "strip leaves a program that runs" strips
fi

# --- strings that are built in ---
cat >built.c <<'X'
#include <stdio.h>
#include <string.h>
static const char list[] = "/usr/share/built\0in";
const char *const table[] = { "/usr/share/data", "data", "/usr/share/data/more" };
const char *ends(int i);
int main(int argc, char **argv)
{
	puts("/usr/share/data");
	puts(table[argc > 1 ? 2 : 0]);
	puts(table[argc > 1 ? 0 : 1]);
	puts("share/data");
	printf("%s %s\n", argv[0] + strlen(argv[0]), "/usr/share/data/more");
	for (int i = 0; i < 2; i++)
		puts(ends(i));
	return 0;
}
const char *ends(int i)
{
	return i ? list : "/usr/share/built";
}
X
mkdir -p tree/data/usr/bin
$cc -O2 -o tree/data/usr/bin/built built.c && cp tree/data/usr/bin/built fixed.bin
$cc -O2 -fno-pie -no-pie -o tree/data/usr/bin/fixed built.c || rm -f tree/data/usr/bin/fixed
cp tree/data/usr/bin/built tree/data/usr/bin/built2
script tree/data/usr/bin/says '#!/bin/sh' 'echo /usr/share/data /usr/share/data/more'
package built
built() { # FILE [STRING [TO]]
	unpack built '"built"' "$libc" "repoint = [ \"$1\" \"${2-/usr/share/data}\" \"${3-\${builtins.placeholder \"out\"\}/share/a/longer/name}\" ];"
}
out=$(built bin/built)
said() { # OUT: what it prints then
	printf '%s\n' "$1" "$1" data share/data " /usr/share/data/more" /usr/share/built /usr/share/built
}
check "a string that is built in becomes another" prints "$(said "$out/share/a/longer/name")" "$out/bin/built"
check "  others that end with it or begin with it stay, and other files" prints "$(said /usr/share/data)" "$out/bin/built2"
check "  and what code has in a table" prints "$(printf '%s\n' "$out/share/a/longer/name" /usr/share/data/more "$out/share/a/longer/name" share/data " /usr/share/data/more" /usr/share/built /usr/share/built)" "$out/bin/built" more
if [ -x "$out/bin/fixed" ]; then
	check "a program with a fixed place" prints "$(said /x)" "$(built bin/fixed /usr/share/data /x)/bin/fixed"
fi
out=$(built 'bin/b*')
check "all files of a pattern" prints "$(said "$out/share/a/longer/name")" "$out/bin/built2"
out=$(built bin/says)
check "text" prints "$out/share/a/longer/name $out/share/a/longer/name/more" sh "$out/bin/says"
check "a string that nothing refers to" complains "nothing in it refers to the string '/data/more'" built bin/built /data/more
check "a string that is not there" complains "nothing in it refers to the string '/nowhere'" built bin/built /nowhere
check "  in text" complains "the string '/nowhere' does not stand in it" built bin/says /nowhere
check "  in files of a pattern" complains "no file 'bin/b*' with the string '/nowhere'" built 'bin/b*' /nowhere
check "a file that is not there" complains "no file 'bin/none' with the string '/usr/share/data'" built bin/none
check "words that are no triples" complains "attribute 'repoint' has 2 words" unpack built '"built"' "$libc" 'repoint = [ "a" "b" ];'

# What a library exports is reached by its symbol; a length stands beside the string.
cat >exports.c <<'X'
const char exported[] = "/usr/share/exported";
const char *own(void) { return exported; }
X
cat >lengths.c <<'X'
#include <stdio.h>
const char *own(void);
__attribute__((noinline)) void put(FILE *f, const char *s, size_t n) { fwrite(s, 1, n, f); putc('\n', f); }
int main(void)
{
	puts(own());
	put(stdout, "/usr/share/data", 15);
	return 0;
}
X
mkdir -p tree/data/usr/lib/$triplet tree/data/usr/bin
$cc -O2 -shared -fPIC -o tree/data/usr/lib/$triplet/libexports.so exports.c -Wl,-soname,libexports.so
$cc -O2 -o tree/data/usr/bin/lengths lengths.c tree/data/usr/lib/$triplet/libexports.so
package lengths
lengths() {
	_out=$(unpack lengths '"lengths"' "$libc" "repoint = [ \"bin/lengths\" \"/usr/share/data\" \"/a/much/longer/name/of/data\"
		\"lib/$triplet/libexports.so\" \"/usr/share/exported\" \"/another/longer/name\" ]; sized = [ \"/usr/share/data\" ];") && LD_LIBRARY_PATH="$_out/lib/$triplet" "$_out/bin/lengths"
}
check "what a library exports, and a string whose length code knows" prints "/another/longer/name
/a/much/longer/name/of/data" lengths

# --- links that packages ask for ---
mkdir -p tree/data/usr/bin tree/control tree/data/bin tree/data/usr/share/man/man1
for f in usr/bin/gawk bin/nano usr/bin/pico usr/share/man/man1/gawk.1 usr/bin/loser; do
	echo $f >tree/data/$f
done
cat >tree/control/postinst <<'X'
#!/bin/sh
touch ran
update-alternatives --quiet --install /usr/bin/awk awk /usr/bin/gawk 10 \
  --slave /usr/share/man/man1/awk.1 awk.1 /usr/share/man/man1/gawk.1 \
  --slave "/usr/bin/nawk" nawk '/usr/bin/gawk'
update-alternatives --install /usr/bin/editor editor \
	/bin/nano 40 # --slave /usr/bin/no no /bin/nano
if true; then update-alternatives --install /usr/bin/pico pico /bin/nano 10; fi
update-alternatives --install /usr/bin/$x x /usr/bin/gawk 10
update-alternatives --install /usr/bin/lost lost /usr/bin/none 10
update-alternatives --remove gone /usr/bin/gawk
update-alternatives --install /usr/bin/short
X
package asks
mkdir -p tree/data/usr/bin tree/control
echo mawk >tree/data/usr/bin/mawk
echo 'update-alternatives --install /usr/bin/awk awk /usr/bin/mawk 5 --slave /usr/bin/only only /usr/bin/mawk --slave /usr/bin/nawk nawk /usr/bin/mawk' >tree/control/postinst
echo 'update-alternatives --install /usr/bin/editor editor /usr/bin/mawk -100' >>tree/control/postinst
package asks2
out=$(unpack asks '"asks2" "asks"' '' 'alternatives = true; prune = [ "share/man" ];')
check "links that packages ask for" prints "bin/awk 777 gawk
bin/editor 777 nano
bin/gawk 444
bin/loser 444
bin/mawk 444
bin/nano 444
bin/nawk 777 gawk
bin/only 777 mawk
bin/pico 444" listing "$out"
check "  only when they are asked for" prints "" sh -c 'find "$1" -type l' sh "$(unpack asks '"asks2" "asks"' '')"

# --- glibc's character sets: the cache names the folder of its modules ---
cat >gconv.py <<'X'
# gconv.py make FILE FOLDER: a cache with two sets and a shortcut.  gconv.py show FILE: the folders and modules in one.
import struct, sys
if sys.argv[1] == "make":
    strings, at = b"\0", {}
    for s in "", sys.argv[3], "A//", "A.so", "B//", "=b", "C.so":
        at[s] = len(strings) if s else 0
        strings += s.encode() + b"\0" if s else b""
    sets = struct.pack("<12H", at["A//"], at[sys.argv[3]], at["A.so"], at[sys.argv[3]], at["A.so"], 1, at["B//"], 0, at["=b"], 0, at["=b"], 0)
    more = struct.pack("<5H", 1, 1, at[sys.argv[3]], at["C.so"], 0)
    table = b"\0" * 16
    head = 16
    b = struct.pack("<I6H", 0x20010324, head, head + len(strings), 4, head + len(strings) + 16, head + len(strings) + 16 + len(sets), 0)
    open(sys.argv[2], "wb").write(b + strings + table + sets + more)
else:
    b = open(sys.argv[2], "rb").read()
    _, strings, _, _, sets, more = struct.unpack_from("<I5H", b)
    name = lambda o: b[strings + o:b.index(b"\0", strings + o)].decode()
    for i in range(sets, more, 12):
        print(*map(name, struct.unpack_from("<5H", b, i)))
    print(*map(name, struct.unpack_from("<2H", b, more + 4)))
X
mkdir -p tree/data/usr/lib/$triplet/gconv
python3 gconv.py make tree/data/usr/lib/$triplet/gconv/gconv-modules.cache /usr/lib/$triplet/gconv/
package gconv
out=$(unpack gconv '"gconv"' '')
check "character sets are looked for where they are" prints "A// $out/lib/$triplet/gconv/ A.so $out/lib/$triplet/gconv/ A.so
B//  =b  =b
$out/lib/$triplet/gconv/ C.so" python3 gconv.py show "$out/lib/$triplet/gconv/gconv-modules.cache"
for size in 10 60 120; do
	mkdir -p tree/data/gconv
	head -c $size "$out/lib/$triplet/gconv/gconv-modules.cache" >tree/data/gconv/gconv-modules.cache
	package cut$size
	check "a cache of these that is cut off: $size" complains "'gconv/gconv-modules.cache': a cache of character sets that is damaged" unpack "cut$size" "\"cut$size\"" ''
done

# --- what is not as it should be ---
bad() { # NAME: a package
	unpack bad "\"$1\"" ''
}
mkdir -p tree/data/usr/lib tree/data/lib
echo 1 >tree/data/lib/clash
echo 2 >tree/data/usr/lib/clash
package clash
check "two files at one place" complains "there is another 'lib/clash' already" bad clash
mkdir -p tree/data/usr/lib tree/data/lib
echo 1 >tree/data/lib/clash
ln -s x tree/data/usr/lib/clash
package link
check "a file and a link" complains "there is another 'lib/clash' already" bad link
mkdir -p tree/data/usr/bin
ln -s /etc tree/data/usr/lib
package folder-link
check "a folder of one is a link of another" complains "'lib'" unpack bad '"a" "folder-link"' ''
cat >hostile.py <<'X'
# hostile.py NAME: a package whose data.tar has one member that nobody should have.
import io, sys, tarfile
b = io.BytesIO()
with tarfile.open(fileobj=b, mode="w", format=tarfile.GNU_FORMAT) as t:
    def add(name, kind=tarfile.REGTYPE, link="", data=b"x"):
        i = tarfile.TarInfo(name)
        i.type, i.linkname, i.mode = kind, link, 0o644
        i.size = len(data) if kind == tarfile.REGTYPE else 0
        t.addfile(i, io.BytesIO(data))
    what = sys.argv[1]
    if what == "absolute": add("/etc/passwd")
    if what == "up": add("./../../up")
    if what == "device": add("./dev", tarfile.CHRTYPE)
    if what == "pipe": add("./pipe", tarfile.FIFOTYPE)
    if what == "through":
        add("./usr", tarfile.SYMTYPE, "/tmp")
        add("./usr/x")
    if what == "hard": add("./passwd", tarfile.LNKTYPE, "/etc/passwd")
data = b.getvalue()
members = [("debian-binary", b"2.0\n"), ("control.tar", data), ("data.tar", data)]
if what == "nodata": members = members[:2]
out = b"!<arch>\n"
for name, d in members:
    out += f"{name:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(d):<10}`\n".encode() + d + b"\n" * (len(d) % 2)
if what == "short": out = out[:-600]
if what == "size": out = out.replace(b"4         `", b"9999999999`", 1)
if what == "noar": out = b"PK" + out
open(f"debs/{what}.deb", "wb").write(out)
X
for what in absolute up device pipe through hard nodata short size noar; do
	python3 hostile.py $what
	check "a package that is hostile: $what" complains "$what.deb'" bad $what
done
truncated() { # NAME FILE: a program that is cut off or overwritten
	mkdir -p tree/data/usr/bin
	mv "$2" tree/data/usr/bin/prog
	package "$1"
	unpack "$1" "\"$1\"" "$libc"
}
head -c 900 fixed.bin >cut
check "a program that is cut off" complains "'bin/prog': damaged ELF file: its section headers do not lie in it" truncated cut cut
head -c 40 fixed.bin >tiny
check "  after its first bytes is none" truncated tiny tiny

# --- what recipes add ---
mkdir -p tree/data/usr/bin tree/data/usr/share/certs tree/data/usr/lib/own
script tree/data/usr/bin/say '#!/bin/sh' 'echo "$0 $A $B $1"'
script tree/data/usr/lib/own/x '#!/bin/sh' 'echo x'
script tree/data/usr/lib/own/y '#!/bin/sh' 'echo y'
echo two >tree/data/usr/share/certs/b.crt
echo one >tree/data/usr/share/certs/a.crt
echo no >tree/data/usr/share/certs/c.txt
package more
text='add = [ "etc/own.conf" (builtins.toFile "own.conf" "root = ${builtins.placeholder "out"}\n") "bin/added" (builtins.toFile "added" "#!/bin/sh\necho added\n") ];'
more=$(unpack more '"more"' "$libc" "
	concat = [ \"share/all.crt\" \"share/certs/*.crt\" ]; $text
	link = [ \"bin/\" \"lib/own/*\" \"bin/z\" \"lib/own/x\" ];
	wrap = [ \"bin/say\" \"A=one\" \"B+=\${builtins.placeholder \"out\"}/b\" ];" 2>more.log) || cat more.log
check "files are put together in their order" prints "one
two" cat "$more/share/all.crt"
check "a file that is added knows where the output is" prints "root = $more" cat "$more/etc/own.conf"
check "  a script among them can be run" prints added "$more/bin/added"
check "links are added, by name and by pattern" prints "../lib/own/x ../lib/own/y ../lib/own/x" sh -c "cd $more/bin && echo \$(readlink x y z)"
mkdir -p parts/bin parts/lib
printf '#!/usr/bin/env say\n' >parts/bin/cli.js
echo text >parts/lib/a
own="debs = [ (builtins.path { path = $PWD/debs/more.deb; name = \"more.deb\"; })
	\"lib/node/own=\${builtins.path { path = $PWD/parts; name = \"parts\"; }}\" ];"
parts=$(unpack parts '' "$libc" "$own link = [ \"bin/own\" \"lib/node/own/bin/cli.js\" ];" 2>parts.log) || cat parts.log
check "a folder is copied to its place; what bin/ leads to is a program" prints "text
../lib/node/own/bin/cli.js
#!$parts/bin/say" sh -c 'cat "$1/lib/node/own/lib/a"; readlink "$1/bin/own"; cat "$1/bin/own"' sh "$parts"
check "  and stays as it was" prints "#!/usr/bin/env say" cat parts/bin/cli.js
check "a program is wrapped: variables that are not set, and lists" prints "$more/bin/.say-wrapped one $more/b word" env -u A -u B "$more/bin/say" word
check "  those that are set stay, and lists grow at their end" prints "$more/bin/.say-wrapped mine before:$more/b word" env A=mine B=before "$more/bin/say" word
mkdir -p tree/data/usr/include/x/one tree/data/usr/include/one
for f in include/one/a.h include/x/one/a.h include/x/one/b.h include/x/c.h; do echo $f >tree/data/usr/$f; done
package headers
headers=$(unpack headers '"headers"' "" 'merge = [ "include/x" "include" "include/none" "include" ];')
check "headers for one architecture are in the folder of all, but for those that are there" prints "include/c.h 777 x/c.h
include/one/a.h 444
include/one/b.h 777 ../x/one/b.h
include/x/c.h 444
include/x/one/a.h 444
include/x/one/b.h 444" listing "$headers"
refused() { unpack more '"more"' "" "$1"; }
check "an odd number of words" complains "has an odd number of words" refused 'link = [ "a" ];'
check "a pattern that names nothing" complains "no file 'share/*.none'" refused 'concat = [ "a" "share/*.none" ];'
check "a program that is not there" complains "no file 'bin/none'" refused 'wrap = [ "bin/none" "A=b" ];'
check "a value that a script would read otherwise" complains 'cannot stand in a script' refused "wrap = [ \"bin/say\" \"A=\\\$(reboot)\" ];"
check "a file that is there already" complains "cannot make 'bin/say'" refused 'add = [ "bin/say" (builtins.toFile "x" "y") ];'

# --- an archive of a publisher's ---
mkdir -p upstream-1/bin upstream-1/lib
script upstream-1/lib/tool.sh '#!/usr/bin/env tool' 'x'
script upstream-1/bin/tool '#!/bin/sh' 'echo tool'
ln -s ../lib/tool.sh upstream-1/bin/alias
tar cJf debs/upstream.deb upstream-1
out=$(unpack upstream '"upstream"' "$libc")
check "what is no package is an archive with one folder, which is /usr" prints "bin/alias 777 ../lib/tool.sh
bin/tool 555
lib/tool.sh 555" listing "$out"
check "its interpreters are found as well" prints "#!$out/bin/tool" head -n 1 "$out/lib/tool.sh"
mkdir two
echo text >debs/notes.deb
touch two/a two/b
tar cf debs/two.deb -C two .
check "an archive with more than a folder" complains "one folder" unpack two '"two"' ""
check "what is no archive either" complains "not a Debian package" unpack notes '"notes"' ""

# --- once more ---
again() { # in another root: the store has the same name there, so the bytes are the same as well
	gxeval --store "$1" --realise -E "let inherit (import $PWD/make.gx) unpack; in unpack \"programs\" [ \"programs\" ] [ $libc $answer ] { }" >again.path &&
		"$gx" store verify --store "$1" >/dev/null && "$gx" hash path "$1$(cat again.path)" >>again.hash
}
twice() {
	again "$PWD/r1" && again "$PWD/r2" && [ "$(sort -u again.hash | wc -l)" = 1 ] && [ "$(wc -l <again.hash)" = 2 ]
}
check "made twice, in two roots, it is the same" twice

# --- packages of Debian, where apt has them: run in a root with nothing but the store ---
real() { # FILE... : .deb files of these names from apt's mirrors
	command -v apt-get >/dev/null 2>&1 || return
	(cd debs && timeout 120 apt-get download "$@" >../apt.log 2>&1) || return
	for _name; do
		mv "$(ls debs/"$_name"_*.deb | head -n 1)" "debs/$_name.deb" || return
	done
}
if ! real libc6 libgcc-s1 dash jq libjq1 libonig5 coreutils libselinux1 libpcre2-8-0 libacl1 libattr1 libgmp10 libc-bin; then
	skip "packages of Debian" "apt has none"
	exit
fi
cat >real.gx <<X
let
  inherit (import $PWD/make.gx) unpack;
  out = builtins.placeholder "out";
  prune = [ "share/doc" "share/man" "share/locale" "share/lintian" ];
  libc = "lib/$triplet/libc.so.6";
  glibc = unpack "glibc" [ "libc6" "libgcc-s1" "dash" "libc-bin" ] [ ] {
    inherit prune;
    repoint = [ libc "/bin/sh" "\${out}/bin/sh" ] ++ moved libc [ "lib/locale" "lib/locale/locale-archive" "share/locale" "share/zoneinfo"
      "lib/$triplet/gconv/gconv-modules.cache" ];
    sized = [ "/usr/lib/locale" ];
  };
  moved = file: builtins.concatMap (p: [ file "/usr/\${p}" "\${out}/\${p}" ]);
  with' = name: debs: deps: more: unpack name debs (deps ++ [ glibc ]) ({ inherit prune; } // more);
  onig = with' "onig" [ "libonig5" ] [ ] { };
  pcre = with' "pcre" [ "libpcre2-8-0" ] [ ] { };
  acl = with' "acl" [ "libacl1" "libattr1" ] [ ] { };
in
{
  inherit glibc;
  jq = with' "jq" [ "jq" "libjq1" ] [ onig ] { };
  coreutils = with' "coreutils" [ "coreutils" ] [ acl (with' "gmp" [ "libgmp10" ] [ ] { }) (with' "selinux" [ "libselinux1" ] [ pcre ] { }) ] {
    repoint = moved "bin/*" [ "share/locale" ];
  };
}
X
one() { # NAME: its path in the store of the root "empty"
	gxeval --store "$PWD/empty" --realise -E "(import $PWD/real.gx).$1"
}
glibc=$(one glibc) jq=$(one jq) coreutils=$(one coreutils)
inside() { # PROGRAM...: where there is nothing else
	LC_ALL=C.UTF-8 unshare -r chroot empty "$@"
}
check "Debian's packages are unpacked" [ -n "$glibc" -a -n "$jq" -a -n "$coreutils" ]
if ! unshare -r chroot empty "$glibc/bin/sh" -c : 2>probe.log; then
	skip "programs of Debian in an empty root" "$(head -n 1 probe.log)"
	exit
fi
check "a program of Debian in an empty root" prints '[2,3]' inside "$jq/bin/jq" -nc '[1,2]|map(.+1)'
check "  the shell" prints "hello" inside "$glibc/bin/sh" -c 'echo hello'
check "  a locale" prints "$(printf '\303\244')" inside "$coreutils/bin/printf" '\u00e4'
check "  a character set" prints "e900" inside "$glibc/bin/sh" -c "printf '\\303\\251' | $glibc/bin/iconv -t UTF-16LE | $coreutils/bin/od -An -tx1 | $coreutils/bin/tr -d ' \\n'"
no_host_path() { # PROGRAM...: it opens nothing outside of the store
	command -v strace >/dev/null 2>&1 || return 0
	LC_ALL=C.UTF-8 unshare -r strace -f -e trace=%file -o trace chroot empty "$@" >/dev/null || return
	! sed -n '/execve("\/nix\/store/,$p' trace | grep -o '"/[^"]*"' | grep '^"/\(usr\|lib\|bin\)'
}
check "  looks for nothing in /usr, /lib or /bin" no_host_path "$coreutils/bin/ls" -l /
