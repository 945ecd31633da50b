# SPDX-License-Identifier: MIT
#
# The fetchers of gx:std: files, archives and repositories by the hashes that they have in nixpkgs.
. "$srcdir/tests/integration/lib.sh"
. "$srcdir/tests/integration/lib/flakes.sh"
. "$srcdir/tests/integration/lib/serving.sh"
cp -r "$srcdir/stdlib" std

mkdir -p notes-1/bin two
echo text >notes-1/a
printf '#!/bin/sh\necho run\n' >notes-1/bin/run
chmod 755 notes-1/bin/run
ln -s a notes-1/link
tar czf body notes-1
tree=$(gx hash path notes-1)
file=$(gx hash file body)
cp body notes-1.tar.gz
cp -r notes-1 two
echo more >two/b
tar cJf two.tar.xz -C two .
both=$(gx hash path two)
echo alone >alone
tar cf alone.tar alone
python3 -c 'import zipfile; z = zipfile.ZipFile("notes.zip", "w"); z.writestr("notes-1/a", "text\n")'
mkdir zipped
echo text >zipped/a
git_init repo
cp -r notes-1/. repo
git_commit repo one
git -C repo tag v1
rev=$(git -C repo rev-parse HEAD)

serve_body

fetch() { # EXPRESSION
	gxeval --store "$PWD/s" --realise --impure -E "with import ./std { system = builtins.currentSystem; }; $1" >path || return 1
	printf '%s' "./s$(cat path)"
}
has() { # HASH EXPRESSION
	_f=$(fetch "$2") && prints "$1" gx hash path "$_f"
}
check "a file" sh -c 'cmp body '"$(fetch "fetchurl { url = \"http://127.0.0.1:$port/notes-1.tar.gz\"; hash = \"$file\"; }")"
check "is called as its address ends" sh -c 'case $(cat path) in */nix/store/*-notes-1.tar.gz) ;; *) cat path && exit 1 ;; esac'
check "from the second address" sh -c 'cmp body '"$(fetch "fetchurl { urls = [ \"file://$PWD/none\" \"file://$PWD/body\" ]; name = \"second\"; hash = \"$file\"; curlOpts = \"-4\"; }")"
cat >passwd.gx <<'X'
import <nix/fetchurl.nix> { url = "file:///etc/passwd"; sha256 = builtins.hashString "sha256" ""; }
X
check "a file that builders have as well" sh -c 'gx build --no-link -f passwd.gx 2>&1 | grep "^error: hash mismatch in fixed-output derivation"'
check "a program" sh -c '[ -x '"$(fetch "fetchurl { url = \"file://$PWD/notes-1/bin/run\"; executable = true; hash = \"$(gx hash path notes-1/bin/run)\"; }")"' ]'
check "an archive is the tree in it" has "$tree" "fetchzip { url = \"http://127.0.0.1:$port/x\"; hash = \"$tree\"; }"
check "also a zip file" has "$(gx hash path zipped)" "fetchzip { url = \"file://$PWD/notes.zip\"; hash = \"$(gx hash path zipped)\"; }"
check "all of an archive" has "$both" "fetchzip { url = \"file://$PWD/two.tar.xz\"; stripRoot = false; hash = \"$both\"; }"
mkdir folder
cp alone folder
check "a folder with the one file of an archive" has "$(gx hash path folder)" "fetchzip { url = \"file://$PWD/alone.tar\"; hash = \"$(gx hash path folder)\"; }"
check "a commit" has "$tree" "runCommand \"x\" { src = fetchgit { url = \"file://$PWD/repo\"; rev = \"$rev\"; hash = \"$tree\"; }; } \"cp -R \$src \$out\""
check "a tag" has "$tree" "runCommand \"x\" { src = fetchgit { url = \"file://$PWD/repo\"; tag = \"v1\"; hash = \"$tree\"; }; } \"cp -R \$src \$out\""

check "what says no hash is refused" mentions "'builtin:fetchurl' must be a fixed-output" gxeval --store "$PWD/s" --realise --impure -E \
	"derivation { name = \"x\"; system = builtins.currentSystem; builder = \"builtin:fetchurl\"; url = \"file://$PWD/body\"; outputHashMode = \"flat\"; }"

# What a shell makes of it; the hash is that of what it leaves.
mkdir changed
cp -R notes-1/. changed
rm changed/link
echo more >>changed/a
changed=$(gx hash path changed)
printf 'TEXT\n' >upper
upper=$(gx hash file upper)
check "postFetch of an archive" has "$changed" "fetchzip { url = \"file://$PWD/notes-1.tar.gz\"; hash = \"$changed\"; postFetch = \"rm \$out/link; echo more >>\$out/a\"; }"
check "of a file" has "$(gx hash path upper)" "fetchurl { url = \"file://$PWD/notes-1/a\"; hash = \"$upper\"; postFetch = \"tr a-z A-Z <\$downloadedFile >x; mv x \$out\"; }"
check "from the second address, whatever the first has" has "$(gx hash path upper)" \
	"fetchurl { urls = [ \"file://$PWD/none\" \"file://$PWD/notes-1/a\" ]; name = \"up\"; hash = \"$upper\"; postFetch = \"tr a-z A-Z <\$out >x; mv x \$out\"; }"
check "a folder made of a file that lies elsewhere" has "$(gx hash path folder)" "fetchurl { url = \"file://$PWD/alone\"; downloadToTemp = true;
	recursiveHash = true; hash = \"$(gx hash path folder)\"; postFetch = \"mkdir \$out; mv \$downloadedFile \$out\"; }"
check "with a program it needs" has "$(gx hash path upper)" "fetchurl { url = \"file://$PWD/notes-1/a\"; hash = \"$upper\"; postFetch = \"shout\";
	nativeBuildInputs = [ (writeShellScriptBin \"shout\" \"echo TEXT >\\\$out\") ]; }"
check "of a commit" has "$changed" "fetchgit { url = \"file://$PWD/repo\"; rev = \"$rev\"; hash = \"$changed\"; postFetch = \"rm \$out/link; echo more >>\$out/a\"; }"
check "a folder of a commit" has "$(gx hash path notes-1/bin)" "fetchgit { url = \"file://$PWD/repo\"; rev = \"$rev\"; rootDir = \"bin\"; hash = \"$(gx hash path notes-1/bin)\"; }"

# --- patches ---

cat >commit.patch <<'X'
From 0123456789abcdef Mon Sep 17 00:00:00 2001
Subject: [PATCH] one

---
 2 files changed
diff --git a/src/z.c b/src/z.c
index 1234567..89abcde 100644
--- a/src/z.c
+++ b/src/z.c
@@ -1,2 +1,1 @@ int main(void)
 a
--- b
diff --git a/doc/a.md b/doc/a.md
new file mode 100644
index 0000000..89abcde
--- /dev/null
+++ b/doc/a.md
@@ -0,0 +1 @@
+text
\ No newline at end of file
-- 
2.47.0
X
z='--- a/src/z.c
+++ b/src/z.c
@@ -1,2 +1 @@ int main(void)
 a
--- b'
doc='--- /dev/null
+++ b/doc/a.md
@@ -0,0 +1 @@
+text
\ No newline at end of file'
patched() { # TEXT ARGUMENTS
	printf '%s\n' "$1" >patch.exp
	_f=$(fetch "fetchpatch { url = \"file://$PWD/commit.patch\"; hash = \"$(gx hash file patch.exp)\"; $2 }") && cmp "$_f" patch.exp
}
check "a patch has its hunks only, by the names of the files" patched "$z
$doc" ""
check "what version control says does not count" patched "$z
$doc" 'decode = "sed s/1234567/76543210/";'
check "some of its files" patched "$z" 'excludes = [ "doc/*" ];'
check "those that are named" patched "$doc" 'includes = [ "*.md" ];'
check "in other folders" patched "$(echo "$z" | sed 's,src/z,lib/z,')" 'stripLen = 2; extraPrefix = "lib/"; includes = [ "lib/*.c" ];'
check "of one folder" patched "$(echo "$z" | sed 's,src/,,')" 'relative = "src";'
check "and postFetch" patched "$(echo "$z" | tr a-z A-Z)" 'excludes = [ "doc/*" ]; postFetch = "tr a-z A-Z <$out >x; mv x $out";'

same() {
	a=$(gxeval --impure --raw -E "with import ./std { system = \"x86_64-linux\"; }; (fetchFromGitHub { owner = \"o\"; repo = \"r\"; rev = \"v1\"; hash = \"$tree\"; }).outPath") || return 1
	prints "$a" gxeval --impure --raw -E "builtins.path { path = ./notes-1; name = \"source\"; }"
}
check "the object of a forge is that of the tree, whatever fetches it" same
check "where forges have archives" prints 'https://github.com/o/r/archive/v1.tar.gz
https://github.com/o/r/archive/refs/tags/v1.tar.gz
https://gitlab.com/api/v4/projects/g%2Fo%2Fr/repository/archive.tar.gz?sha=refs%2Ftags%2Fv1
https://try.gitea.io/o/r/archive/v1.tar.gz
https://codeberg.org/o/r/archive/v1.tar.gz
https://git.sr.ht/~o/r/archive/v1.tar.gz
https://bitbucket.org/o/r/get/v1.tar.gz' gxeval --impure --raw -E 'with import ./std { system = "x86_64-linux"; };
	let o = { owner = "o"; repo = "r"; hash = ""; }; t = o // { tag = "v1"; }; in lib.concatMapStringsSep "\n" (s: s.url) [
	(fetchFromGitHub (o // { rev = "v1"; })) (fetchFromGitHub t) (fetchFromGitLab (t // { group = "g"; })) (fetchFromGitea (t // { domain = "try.gitea.io"; }))
	(fetchFromCodeberg t) (fetchFromSourcehut (t // { owner = "~o"; })) (fetchFromBitbucket t) ]'
check "what is told of it" prints 'o r v1 https://github.com/o/r source' gxeval --impure --raw -E 'with import ./std { system = "x86_64-linux"; };
	let s = fetchFromGitHub { owner = "o"; repo = "r"; rev = "v1"; sha256 = lib.fakeSha256 or ""; }; in "${s.owner} ${s.repo} ${s.rev} ${s.meta.homepage} ${s.name}"'
check "another revision" prints 'v2' gxeval --impure --raw -E 'with import ./std { system = "x86_64-linux"; };
	((fetchFromGitHub { owner = "o"; repo = "r"; rev = "v1"; hash = ""; }).overrideAttrs { rev = "v2"; }).rev'

varies='s/in [0-9.]* s$/in TIME/; s/:[0-9]*\/x/:PORT\/x/; s/got: .*/got: SUM/; s/\.gx:[0-9]*:[0-9]*/.gx:L:C/; s/^  [0-9]* |/  N |/'
check "another hash" complains "got:" gxeval --store "$PWD/s" --realise --impure -E 'with import ./std { system = builtins.currentSystem; }; fetchzip { url = "file://'"$PWD"'/notes-1.tar.gz"; hash = ""; }'
check "no hash" complains "'hash' missing" gxeval --impure -E 'with import ./std { system = builtins.currentSystem; }; (fetchurl { url = "http://x/y"; }).drvPath'
check "no address" complains "'url' missing" gxeval --impure -E 'with import ./std { system = builtins.currentSystem; }; (fetchurl { hash = ""; name = "x"; }).drvPath'
check "a mirror" complains "write the address of one" gxeval --impure -E 'with import ./std { system = builtins.currentSystem; }; (fetchurl { url = "mirror://gnu/x"; hash = ""; }).drvPath'
check "a rev and a tag" complains "one of them is meant" gxeval --impure -E 'with import ./std { system = builtins.currentSystem; }; (fetchFromGitHub { owner = "o"; repo = "r"; rev = "a"; tag = "b"; hash = ""; }).drvPath'
check "a postFetch that fails" complains "cannot be changed" gxeval --store "$PWD/s" --realise --impure -E 'with import ./std { system = builtins.currentSystem; }; fetchurl { url = "file://'"$PWD"'/alone"; name = "fails"; hash = ""; postFetch = "echo cannot be changed; exit 3"; }'
check "a patch of which nothing is left" complains "nothing is left of the patch" gxeval --store "$PWD/s" --realise --impure -E 'with import ./std { system = builtins.currentSystem; }; fetchpatch { url = "file://'"$PWD"'/commit.patch"; hash = ""; includes = [ "x" ]; }'
check "a patch taken back" complains "'revert' is not here" gxeval --impure -E 'with import ./std { system = builtins.currentSystem; }; (fetchpatch { url = "http://x/y"; hash = ""; revert = true; }).drvPath'
check "with git's headers" complains "fetchpatch2 is not here" gxeval --impure -E 'with import ./std { system = builtins.currentSystem; }; fetchpatch2 { }'
check "what git alone knows" complains "'leaveDotGit' is not here" gxeval --impure -E 'with import ./std { system = builtins.currentSystem; }; (fetchgit { url = "http://x/y"; rev = "a"; hash = ""; leaveDotGit = true; }).outPath'
check "several folders" complains "with stripRoot = false all of it is taken" gxeval --store "$PWD/s" --realise --impure -E 'with import ./std { system = builtins.currentSystem; }; fetchzip { url = "file://'"$PWD"'/two.tar.xz"; hash = ""; }'
check "no archive" complains "cannot" gxeval --store "$PWD/s" --realise --impure -E 'with import ./std { system = builtins.currentSystem; }; fetchzip { url = "file://'"$PWD"'/alone"; hash = ""; }'
check "a file that a person fetches" complains "gx store add --mode flat notes" gxeval --store "$PWD/s" --realise --impure -E 'with import ./std { system = builtins.currentSystem; }; requireFile { name = "notes"; hash = "'"$file"'"; }'
cp body notes
check "is there once it was added" sh -c 'gx store add --store ./s --mode flat notes >added &&
	gxeval --store ./s --realise --impure -E "with import ./std { system = builtins.currentSystem; }; requireFile { name = \"notes\"; hash = \"'"$file"'\"; }" >path && cmp added path'

# --- several at once: one of them asks, the others wait for what it gets
at_once() { # WORD BUILTIN [OPTION...]
	_word=$1 _expr="builtins.$2 \"http://127.0.0.1:$port/$1/late\""
	shift 2
	for i in 1 2 3; do
		gxeval --impure --raw "$@" -E "\"\${$_expr}\"" >"once$i" 2>"once$i.err" &
		eval "_pid$i=$!"
	done
	wait "$_pid1" && wait "$_pid2" && wait "$_pid3" && cmp once1 once2 && cmp once2 once3 &&
		prints 1 grep -c "/$_word/late " requests && return
	cat once?.err requests
	return 1
}
check "a file is fetched once" at_once f fetchurl
check "an archive too" at_once t fetchTarball
check "also where what came before will not do" at_once r fetchTarball --refresh
again() { : >requests && gxeval --impure --refresh -E "\"\${builtins.fetchTarball \"http://127.0.0.1:$port/r/late\"}\"" && grep -q /r/late requests; }
check "the next one asks by itself" again
