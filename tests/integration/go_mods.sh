# SPDX-License-Identifier: MIT
#
# What go.mod says of other modules, built: replacements by a folder, a version and another module, pseudo-versions, +incompatible, what is
# excluded and retracted; from a proxy that is made here, and with the modules in the source (vendor).  Needs a toolchain: skipped without
# a network, or with TEST_REAL=no.  TEST_STORE=FOLDER is a store to keep between runs, as for go_real.sh.
. "$srcdir/tests/integration/lib.sh"
command -v python3 >/dev/null 2>&1 || { echo "there is no python3"; exit 77; }
gx=$builddir/gx
. "$srcdir/tests/integration/lib/toolchain.sh"
go=$store$(gxeval --raw -E "($std).go_1_26.outPath")/bin/go

cat >publish.py <<'X2'
# publish.py MODULE VERSION [nomod]: a module whose only function says what it is, in the folder proxy.
import os, sys, zipfile
module, version = sys.argv[1:3]
name = module.split("/")[-1]
folder = "proxy/%s/@v" % module
os.makedirs(folder, exist_ok=True)
mod = "module %s\n" % module
with zipfile.ZipFile("%s/%s.zip" % (folder, version), "w") as z:
    top = "%s@%s/" % (module, version)
    z.writestr(top + "%s.go" % name, 'package %s\n\nfunc Name() string { return "%s %s" }\n' % (name, module, version))
    if len(sys.argv) == 3:
        z.writestr(top + "go.mod", mod)
open("%s/%s.mod" % (folder, version), "w").write(mod)
open("%s/%s.info" % (folder, version), "w").write('{"Version":"%s","Time":"2024-01-01T00:00:00Z"}' % version)
open("%s/list" % folder, "a").write(version + "\n" if "-" not in version else "")
X2
pseudo=v0.0.0-20240101000000-abcdefabcdef
while read -r words; do
	# shellcheck disable=SC2086
	python3 publish.py $words
done <<X2
example.com/b v1.1.0
example.org/c v1.0.0
example.com/d $pseudo
example.com/e v2.0.0+incompatible nomod
example.com/f v1.0.0
example.com/f v1.1.0
example.com/f v1.2.0
X2
mkdir -p app/a
cat >app/go.mod <<X2
module example.com/app

go 1.24

require (
	example.com/a v1.0.0
	example.com/b v1.0.0
	example.com/c v1.0.0
	example.com/d $pseudo
	example.com/e v2.0.0+incompatible
	example.com/f v1.0.0
	example.com/f v1.1.0
)

exclude example.com/f v1.1.0

replace (
	example.com/a => ./a
	example.com/b => example.com/b v1.1.0
	example.com/c v1.0.0 => example.org/c v1.0.0
)

retract [v0.1.0, v0.9.9] // none of them worked
X2
printf 'module example.com/a\n' >app/a/go.mod
printf 'package a\n\nfunc Name() string { return "a folder" }\n' >app/a/a.go
{
	printf 'package main\n\nimport (\n\t"fmt"\n'
	for i in a b c d e f; do printf '\t"example.com/%s"\n' $i; done
	printf ')\n\nfunc main() {\n'
	for i in a b c d e f; do printf '\tfmt.Println(%s.Name())\n' $i; done
	printf '}\n'
} >app/main.go
printf 'package main\n\nimport "testing"\n\nfunc TestMain(t *testing.T) { main() }\n' >app/main_test.go

# go.sum, and later the folder vendor, are the go command's.
modules() { # WORDS: of go mod
	env -C app GOPROXY="file://$PWD/proxy" GOSUMDB=off GOTOOLCHAIN=local GOFLAGS=-modcacherw GOCACHE="$PWD/home/cache" GOPATH="$PWD/home/go" "$go" mod "$@"
}
build() {
	_out=$(GOPROXY="file://$PWD/proxy" gxeval --store "$store" --realise -E "let p = $std; in p.buildGoModule { pname = \"app\"; src = ./app; go = p.go_1_26; }") && echo "$store$_out"
}
said="a folder
example.com/b v1.1.0
example.org/c v1.0.0
example.com/d $pseudo
example.com/e v2.0.0+incompatible
example.com/f v1.0.0"
runs() {
	_path=$(build) && prints "$said" "$_path/bin/app"
}
check "go.sum of the go command" modules download all
check "a program of modules of every kind" runs
check "the requirement of what is excluded stays in go.mod" grep -q 'f v1.1.0' app/go.mod
check "the modules as a folder" modules vendor
check "built from there" runs
check "which fetches nothing" sh -c 'GOPROXY=off gxeval --store "$1" --json -E "let p = $2; in (p.buildGoModule { pname = \"app\"; src = ./app; go = p.go_1_26; }).goModules" | grep -qx null' - "$store" "$std"
same_vendor() {
	_made=$(GOPROXY="file://$PWD/proxy" gxeval --store "$store" --realise -E "($std).goVendor { src = ./app; }") && diff -r app/vendor "$store$_made"
}
check "goVendor makes that folder" same_vendor
printf 'go 1.24\n\nuse (\n\t./one\n\t./two\n)\n' >work.txt
mkdir -p work/one work/two && cp work.txt work/go.work
printf 'module example.com/one\n\ngo 1.24\n\nrequire example.com/f v1.0.0\n' >work/one/go.mod
printf 'module example.com/two\n\ngo 1.24\n' >work/two/go.mod
printf 'package one\n\nimport _ "example.com/f"\n' >work/one/one.go
printf 'package two\n' >work/two/two.go
grep 'com/f v1.0.0' app/go.sum >work/one/go.sum
of_workspace() {
	_made=$(GOPROXY="file://$PWD/proxy" gxeval --store "$store" --realise -E "($std).goVendor { src = ./work; modRoot = \"two\"; }") &&
		prints "## workspace
# example.com/f v1.0.0
## explicit
example.com/f" cat "$store$_made/modules.txt"
}
check "of a workspace, also from a folder in it" of_workspace

# The modules as a proxy of files, which has a checksum database too.
proxy() {
	GOPROXY="file://$PWD/proxy" gxeval --store "$store" --realise -E "($std).goModProxy { src = ./app; }"
}
check "goModProxy" proxy
made=$store$(proxy)
sed "s|file:///nix|file://$store/nix|" "$made/env" >env
offline() { # WORDS: of go mod, with nothing but that proxy and an empty cache
	(. ./env && rm -rf fresh && env -C app -u GOFLAGS GOTOOLCHAIN=local GOCACHE="$PWD/home/cache" GOPATH="$PWD/fresh" GOFLAGS="-mod=mod -modcacherw" "$go" mod "$@")
}
check "all of them come from there" offline download all
rm -rf app/vendor
cp app/go.sum sums
rm app/go.sum
check "the database proves what go.sum does not know yet" offline tidy
check "go.sum is as it was" cmp app/go.sum sums
lying() { # a database whose signed tree does not have what it says
	cp -r "$made" lies && chmod -R u+w lies && sed -i 's|\(v1.0.0 h1:\)....|\1AAAA|' "lies/sumdb/$(ls lies/sumdb)/lookup/example.com/f@v1.0.0"
	cp env honest && sed -i "s|file://$made|file://$PWD/lies|" env && rm app/go.sum
	mentions "cannot authenticate record data" offline tidy
	_rc=$?
	cp honest env && cp sums app/go.sum
	return $_rc
}
check "a database that lies is found out" lying
unproved() {
	sed -i 's|^\(example.com/f v1.0.0 h1:\)....|\1AAAA|' app/go.sum
	mentions "checksum mismatch" offline download example.com/f
}
check "a line that is another is seen" unproved
