# SPDX-License-Identifier: MIT
#
# A tree that is large is told of when it is copied, with the folders that make it so (fetch/large_tree.h); what was fetched is not.
. "$srcdir/tests/integration/lib.sh"
. "$srcdir/tests/integration/lib/flakes.sh"
export NO_COLOR=1 GX_EVAL_CACHE=always

# --- folders of some MB, and a threshold below that

file() { mkdir -p "$(dirname "$1")" && head -c "$2" /dev/zero >"$1"; }
file tree/web/node_modules/a/1 5000000
file tree/web/node_modules/b/1 1000000
file tree/target/debug/deps/1 5000000
file tree/pictures/2020/summer/1 4000000
file tree/small/1 50000
file tree/1 1000
cat >tree/flake.nix <<'EOF_'
{ outputs = { self }: {
  whole = "${./.}"; itself = "${self}"; hash = self.narHash; web = "${./web}"; small = "${./small}"; none = builtins.readDir ./web;
}; }
EOF_
# Sizes of folders are as exact as the buffer that a tree is read through.
rounded() { sed 's/ ([0-9.]* [KM]iB)//g' "$1"; }
# What is told while an attribute is evaluated, and is not told when it was kept.
tells() { # TEXT WORD...
	_text=$1
	shift
	for _time in first second; do
		gxeval --option warn-large-path-threshold 1000000 "$@" >told.out 2>told || return 1
		[ "$(rounded told)" = "$_text" ] || { cat told && echo "expected, the $_time time: $_text" && return 1; }
		_text=
		sleep 0.1
	done
}
only=", most of it in the folder "
many=", most of it in the folders "
here="of '$PWD/tree' are copied"
git="; of a git repository only what it tracks would be"
touch -d '1 hour ago' tree/flake.nix
sleep 0.1
parts="'web/node_modules', 'target', 'pictures/2020/summer'"
check "a path that is the whole tree" tells "note: 14.4 MiB $here$many$parts$git" "path:$PWD/tree#whole"
check "what was hashed is not read again for another question" tells "" "path:$PWD/tree#itself"
changed() { touch tree/1 && sleep 0.1; }
changed
check "a flake's own" tells "note: 14.4 MiB $here$many$parts$git" "path:$PWD/tree#itself"
changed
check "its hash" tells "note: 14.4 MiB $here$many$parts$git" "path:$PWD/tree#hash"
hash_of() { GX_EVAL_CACHE=0 gxeval "path:$PWD/tree#hash" 2>/dev/null; }
before=$(hash_of)
touch -r tree/1 then && printf x | dd of=tree/1 conv=notrunc 2>/dev/null && touch -r then tree/1 && sleep 0.1
check "what was changed is another, also with its times put back" sh -c "[ '$before' != '$(hash_of)' ]"
check "a folder in it" tells "note: 5.7 MiB of '$PWD/tree/web' are copied$only'node_modules'$git" "path:$PWD/tree#web"
check "one that is filtered" tells "note: 9.6 MiB $here$many'web/node_modules', 'pictures/2020/summer'" \
	-E '"${builtins.path { path = ./tree; name = "some"; filter = p: t: baseNameOf p != "target"; }}"'
check "a small one" tells "" "path:$PWD/tree#small"
check "one that is not copied" tells "" "path:$PWD/tree#none"
check "when it is not wanted" tells "" "path:$PWD/tree#whole" --option warn-large-path-threshold 0
# Beside lines about what takes long.
noted() { gxeval "$@" >told.out 2>told && sed -n '/^note: /p' told; }
check "by itself only 100 MiB are large" prints "" noted "path:$PWD/tree#whole"
truncate -s 101M tree/huge
check "and they are" prints "note: 115.4 MiB $here$git" noted "path:$PWD/tree#whole"
check "also without a flake" prints "note: 101.0 MiB of '$PWD/tree/huge' are copied$git" noted -E '"${./tree/huge}"'
rm tree/huge

# --- what was hashed is remembered, whoever asks

file once/large 600000
file once/dir/1 600000
file once/dir/opened 1
sleep 0.1
path() { GX_EVAL_CACHE=0 gxeval --raw -E "$1" 2>/dev/null; }
# As a run that remembers nothing, and the second time without opening FILE.
remembered() { # FILE EXPRESSION
	prints "$(XDG_CACHE_HOME=$PWD/other path "$2")" path "$2" && prints "$(path "$2")" path "$2" || return 1
	rm -rf other
	command -v strace >/dev/null || return 0
	GX_EVAL_CACHE=0 strace -f -e trace=openat -o opened.log gxeval -E "$2" >/dev/null 2>&1 && ! grep -q "\"$1\"" opened.log
}
file='builtins.path { path = ./once/large; recursive = false; }'
folder='builtins.path { path = ./once/dir; name = "other"; }'
check "a file" remembered "$PWD/once/large" "$file"
check "as an archive it is another object" sh -c "[ '$(path "$file")' != '$(path '"${./once/large}"')' ]"
check "a folder" remembered opened "$folder"
before=$(path "$file") && touch -r once/large then && printf x | dd of=once/large conv=notrunc 2>/dev/null && touch -r then once/large && sleep 0.1
check "what was changed is read" sh -c "[ '$before' != '$(path "$file")' ]"
echo y >once/dir/opened && sleep 0.1
check "and remembered anew" remembered opened "$folder"
filtered() { path "builtins.path { path = ./once/dir; filter = p: t: $1; }"; }
check "a filter is asked" sh -c "[ '$(filtered true)' != '$(filtered 'baseNameOf p != "1"')' ]"

# --- repositories: what is tracked counts

git_init tree
printf 'target\nnode_modules\n' >tree/.gitignore
git_commit tree one
check "a repository has what it tracks" tells "note: 3.9 MiB of '$PWD/tree' are copied$only'pictures/2020/summer'" "./tree#whole"
tar -C tree -czf tree.tar.gz . && mkdir user
echo "{ inputs.t.url = \"file://$PWD/tree.tar.gz\"; outputs = { t, ... }: { v = \"\${t}\"; w = t.whole; }; }" >user/flake.nix
for attr in v w; do
	check "what was fetched is not told of ($attr)" tells "" "path:./user#$attr" --quiet
done
