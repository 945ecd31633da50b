# SPDX-License-Identifier: MIT
#
# builtin:release: a part of a release, from a publisher's archive or from a wheel that an index of Python packages has: one address from either.
# Small archives of both forms, served from here.
. "$srcdir/tests/integration/lib.sh"
. "$srcdir/tests/integration/lib/serving.sh"
varies='s/\(cannot fetch .*: \)Failed to connect.*/\1WHY/'

export HOME="$PWD/home" XDG_CACHE_HOME="$PWD/cache"
unset PIP_INDEX_URL PIP_CONFIG_FILE XDG_CONFIG_HOME VIRTUAL_ENV
mkdir -p home dl/a dl/simple/tool dl/files dl/mirror/sha256

cat >make.py <<'X2'
# Two packings of one release, with other things around it; prints the SHA-256 sum of each.
import gzip, hashlib, io, stat, tarfile, zipfile
files = {"tool": b"#!/bin/sh\necho tool\n", "lib/a.h": b"a", "lib/sub/b.h": b"b"}
more = {"lib/c.h": b"c", "doc/d.html": b"d"}
mode = lambda n: 0o755 if n == "tool" else 0o644
with gzip.GzipFile("dl/a/tool-1.tar.gz", "wb", mtime=0) as f, tarfile.open(fileobj=f, mode="w") as t:
    for name, text in {**files, **more}.items():
        info = tarfile.TarInfo("tool-x-1/" + name)
        info.mode, info.size = mode(name), len(text)
        t.addfile(info, io.BytesIO(text))
with zipfile.ZipFile("dl/files/tool-1-py3.whl", "w") as z:
    for name, text in {**files, "__init__.py": b"import this"}.items():
        info = zipfile.ZipInfo("pytool/" + name)
        info.external_attr = (stat.S_IFREG | mode(name)) << 16
        z.writestr(info, text)
    z.writestr("tool-1.dist-info/RECORD", "")
for name in "dl/a/tool-1.tar.gz", "dl/files/tool-1-py3.whl":
    print(hashlib.sha256(open(name, "rb").read()).hexdigest())
X2
serve_folder dl
at=http://127.0.0.1:$port

# shellcheck disable=SC2046
set -- $(python3 make.py)
tar=$1 wheel=$2 bad=0000000000000000000000000000000000000000000000000000000000000000
cat >dl/simple/tool/index.html <<'X2'
<!DOCTYPE html><html><body>
<a class="old" href="../../files/tool-0-py3.whl#sha256=00">tool-0-py3.whl</a><br/>
<a href="../../files/tool-1-py3.whl#sha256=00" data-requires-python="&gt;=3">tool-1-py3.whl</a>
</body></html>
X2
archive="\"$at/a/tool-1.tar.gz\" \"$tar\" \"tool-x-1\""
python="\"pypi:tool/tool-1-py3.whl\" \"$wheel\" \"pytool\""
hash=sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=

realise() { # SOURCES [OPTION...] : in an empty store
	_sources=$1
	shift
	remove s
	gxeval --store "$PWD/s" --option download-attempts 1 --option python-index "$at/simple/" "$@" --realise -E "derivation { name = \"tool\"; system = \"builtin\";
		builder = \"builtin:release\"; sources = [ $_sources ]; keep = [ \"tool\" \"lib\" ]; drop = [ \"lib/c.h\" ]; outputHashMode = \"recursive\"; outputHash = \"$hash\"; }"
}
if ! realise "$archive" >probe.log 2>&1 && grep -q "namespace" probe.log; then
	head -n 1 probe.log
	exit 77
fi
hash=$(sed -n 's/ *got: *//p' probe.log)

path=$(realise "$archive")
check "from the archive" test -n "$path"
check "what it has" prints "lib/a.h 444
lib/sub/b.h 444
tool 555" sh -c "cd s$path && find . ! -type d -printf '%P %m\n' | sort"
check "nothing lies beside it" prints "${path##*/}" sh -c 'ls s/nix/store | grep -v -e "[.]drv$" -e "^[.]links$" -e "-gx-staging$"'
check "from the wheel, the same" prints "$path" realise "$python"
check "from the wheel, where the archive cannot be had" prints "$path" realise "\"http://127.0.0.1:9/x.tar.gz\" \"$tar\" \"tool-x-1\" $python"
check "from the wheel, where what the archive has lies" prints "$path" realise "\"$at/a/tool-1.tar.gz\" \"$bad\" \"tool-x-1\" $python"
cp dl/a/tool-1.tar.gz "dl/mirror/sha256/$tar"
check "from a mirror by its hash" prints "$path" realise "\"http://127.0.0.1:9/x.tar.gz\" \"$tar\" \"tool-x-1\"" --option hashed-mirrors "$at/mirror"
echo lies >"dl/mirror/sha256/$tar"
check "not from a mirror that lies" prints "$path" realise "$archive" --option hashed-mirrors "$at/mirror"
check "from a file" prints "$path" realise "\"file://$PWD/dl/a/tool-1.tar.gz\" \"$tar\" \"tool-x-1\""

# Whose index it is.
index() { # VARIABLE=VALUE... : without the setting
	remove s
	env "$@" gxeval --store "$PWD/s" --option download-attempts 1 --realise -E "derivation { name = \"tool\"; system = \"builtin\"; builder = \"builtin:release\";
		sources = [ $python ]; keep = [ \"tool\" \"lib\" ]; outputHashMode = \"recursive\"; outputHash = \"$hash\"; }"
}
check "the index of the environment" prints "$path" index PIP_INDEX_URL="$at/simple"
mkdir -p home/.config/pip
printf '[global]\ntimeout = 9\nindex-url = %s\n' "$at/simple" >home/.config/pip/pip.conf
check "the index of a pip.conf" prints "$path" index
rm home/.config/pip/pip.conf
mkdir pip none
printf '#!/bin/sh\n[ "$1" = -I ] && echo %s\n' "$at/simple" >pip/python3
chmod +x pip/python3
check "the index that pip would ask" prints "$path" index PATH="$PWD/pip:$PATH"
check "no index, no pip" complains "no index of Python packages is known here" index PATH="$PWD/none:${GX_BIN:-$(dirname "$(command -v gxeval)")}"
printf '[global]\nindex-url = %s\n' "$at/simple" >home/.config/pip/pip.conf
check "the environment counts more" complains "cannot fetch 'http://127.0.0.1:9/tool/'" index PIP_INDEX_URL=http://127.0.0.1:9

check "an index without the project" complains "404" realise "\"pypi:other/tool-1-py3.whl\" \"$wheel\" \"pytool\""
check "a project without the file" complains "has no 'tool-2-py3.whl'" realise "\"pypi:tool/tool-2-py3.whl\" \"$wheel\" \"pytool\""
check "a wheel that is another" complains "is not what is wanted" realise "\"pypi:tool/tool-1-py3.whl\" \"$bad\" \"pytool\""
check "a file of no project" complains "must have a project and a file" realise "\"pypi:tool-1-py3.whl\" \"$wheel\" \"pytool\""
check "nothing of what is kept" complains "the archive has no 'tool'" realise "\"$at/a/tool-1.tar.gz\" \"$tar\" \"tool-x-2\""
check "no sources" complains "attribute 'sources' missing" realise ""
check "half a source" complains "must be groups of three" realise "\"$at/a/tool-1.tar.gz\" \"$tar\""
check "a sum that is none" complains "hash" realise "\"$at/a/tool-1.tar.gz\" \"x\" \"y\""
