# SPDX-License-Identifier: MIT
#
# builtin:release: a part of a release, from a publisher's archive, from a wheel that an index of Python packages has, or from a registry of npm: one
# address from each.
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

# A registry of npm, which has the archive as well; of folders a file can be all that is kept.
mkdir -p dl/npm/tool/-
cp dl/a/tool-1.tar.gz dl/npm/tool/-/tool-1.tgz
registry() { # VARIABLE=VALUE...
	remove s
	env -u NPM_CONFIG_REGISTRY -u npm_config_registry -u NPM_CONFIG_USERCONFIG "$@" gxeval --store "$PWD/s" --option download-attempts 1 --realise -E "derivation {
		name = \"tool\"; system = \"builtin\"; builder = \"builtin:release\"; sources = [ \"npm:tool/-/tool-1.tgz\" \"$tar\" \"tool-x-1\" ];
		keep = [ \"tool\" \"lib/a.h\" \"lib/sub\" ]; outputHashMode = \"recursive\"; outputHash = \"$hash\"; }"
}
check "a registry of npm, by the environment" prints "$path" registry NPM_CONFIG_REGISTRY="$at/npm/"
check "in lower case as well" prints "$path" registry npm_config_registry="$at/npm"
echo "registry = $at/npm/" >home/.npmrc
check "the registry of the user's file" prints "$path" registry
check "another file of the user's" prints "$path" registry NPM_CONFIG_USERCONFIG="$PWD/home/.npmrc" HOME=/nowhere
check "the environment counts more than that" complains "cannot fetch 'http://127.0.0.1:9/tool/-/tool-1.tgz'" registry NPM_CONFIG_REGISTRY=http://127.0.0.1:9
rm home/.npmrc
printf '#!/bin/sh\n[ "$*" = "--prefix / config get registry" ] && echo %s\n' "$at/npm/" >pip/npm
chmod +x pip/npm
check "the registry that npm would ask" prints "$path" registry PATH="$PWD/pip:$PATH"
check "the same file, by a fetchurl and any hash" prints "$tar" sh -c 'PATH="$PWD/pip:$PATH" gxeval --store "$PWD/s" --realise -E "derivation { name = \"tool.tgz\"; system = \"builtin\";
	builder = \"builtin:fetchurl\"; url = \"npm://tool/-/tool-1.tgz\"; outputHash = \"sha512-$(openssl dgst -sha512 -binary dl/a/tool-1.tar.gz | base64 -w 0)\"; outputHashAlgo = null; __ignoreNulls = true; }" >file && sha256sum <"s$(cat file)" | cut -d " " -f 1'
check "no registry, no npm" complains "no registry of npm packages is known here" registry PATH="$PWD/none:${GX_BIN:-$(dirname "$(command -v gxeval)")}"

check "an index without the project" complains "404" realise "\"pypi:other/tool-1-py3.whl\" \"$wheel\" \"pytool\""
check "a project without the file" complains "has no 'tool-2-py3.whl'" realise "\"pypi:tool/tool-2-py3.whl\" \"$wheel\" \"pytool\""
check "a wheel that is another" complains "is not what is wanted" realise "\"pypi:tool/tool-1-py3.whl\" \"$bad\" \"pytool\""
check "a file of no project" complains "must have a project and a file" realise "\"pypi:tool-1-py3.whl\" \"$wheel\" \"pytool\""
check "nothing of what is kept" complains "the archive has no 'tool'" realise "\"$at/a/tool-1.tar.gz\" \"$tar\" \"tool-x-2\""
check "no sources" complains "attribute 'sources' missing" realise ""
check "half a source" complains "must be groups of three" realise "\"$at/a/tool-1.tar.gz\" \"$tar\""
check "a sum that is none" complains "hash" realise "\"$at/a/tool-1.tar.gz\" \"x\" \"y\""

# Programs of gx:std that are published so: one that a wheel has whole, and one in Python with what it imports.
mkdir -p dl/simple/my-tool
printf '<a href="../../files/my_tool-1-py3-none-any.whl">my_tool-1-py3-none-any.whl</a>\n' >dl/simple/my-tool/index.html
my_sum=$(python3 -c '
import hashlib, stat, zipfile
name = "dl/files/my_tool-1-py3-none-any.whl"
with zipfile.ZipFile(name, "w") as z:
    for file, mode, text in ("my_tool-1.data/scripts/my-tool", 0o755, "#!/bin/sh\necho whole\n"), ("my_tool.py", 0o644, "x"), ("my_tool-1.dist-info/METADATA", 0o644, "y"):
        info = zipfile.ZipInfo(file)
        info.external_attr = (stat.S_IFREG | mode) << 16
        z.writestr(info, text)
print(hashlib.sha256(open(name, "rb").read()).hexdigest())')
cat >programs.gx <<'X2'
let
  inherit (import ./given.gx) std sum whole module;
  lib = import (std + "/lib");
  system = builtins.currentSystem;
  # Of Python what the builder asks of it, and a program that tells what it was given.
  python3 = derivation {
    name = "python";
    inherit system;
    text = ''
      #!/bin/sh
      [ "$2" = venv ] || { echo "$(ls ''${0%/bin/*}/lib/python3/site-packages | tr '\n' ' ')$(tail -n 1 "$1")"; exit; }
      mkdir -p "$4/lib/python3/site-packages" "$4/bin"
      cp "$0" "$4/bin"
    '';
    builder = "/bin/sh";
    args = [ "-ec" "mkdir -p $out/bin; printf %s \"$text\" >$out/bin/python3; chmod 755 $out/bin/python3" ];
  };
  of = { description = "a tool"; homepage = "https://example.org"; license = "MIT"; version = "1"; };
in
{
  whole = (import (std + "/pkgs/wheels.gx") {
    inherit lib system;
    table.my-tool = of // { project = "my-tool"; programs = [ "my-tool" ]; systems.${system} = { tag = "any"; sha256 = sum; outputHash = whole; }; };
  }).my-tool;
  python = (import (std + "/pkgs/python-programs.gx") {
    inherit lib system python3;
    table.my-tool = of // {
      entry = "my_tool:main";
      wheels = [ { file = "my_tool-1-py3-none-any.whl"; sha256 = sum; module = "my_tool.py"; outputHash = module; } ];
    };
  }).my-tool;
}
X2
export NIX_CONFIG="download-attempts = 1
python-index = $at/simple/"
given() { # HASH HASH : of the wheel's scripts, and of the module
	echo "{ std = $srcdir/stdlib; sum = \"$my_sum\"; whole = \"$1\"; module = \"$2\"; }" >given.gx
}
realise_program() { gxeval --impure --store "$PWD/s" --realise -f programs.gx -A "$1"; }
right() { # ATTRIBUTE : the hash that a wrong one makes it say
	realise_program "$1" 2>&1 | sed -n 's/ *got: *//p'
}
runs() { gx shell --impure --store "$PWD/s" -f programs.gx "$1" --command my-tool; }
given $hash $hash
given "$(right whole)" "$(right python)"
check "a program of a wheel" prints whole runs whole
check "a program in Python has its modules" prints "my_tool-1.dist-info my_tool.py sys.exit(main())" runs python
path=$(realise_program python)
check "it is run by its own" prints "#!$path/libexec/bin/python3" head -n 1 "s$path/bin/my-tool"
