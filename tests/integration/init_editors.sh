# SPDX-License-Identifier: MIT
#
# gx init --devcontainer, --vscode, --direnv, --github-actions, --gitlab-ci: what is written, that it is what its readers read, and the scripts of
# continuous integration run as a runner does it: in a fresh clone, with an empty store, and one folder that is kept.
. "$srcdir/tests/integration/lib.sh"
. "$srcdir/tests/integration/lib/serving.sh"
gx=$builddir/gx
export HOME="$PWD/home" NO_COLOR=1
unset XDG_CONFIG_HOME XDG_CACHE_HOME XDG_STATE_HOME XDG_DATA_HOME GX_ARCHIVE GX_ARCHIVE_SHA256 GX_CACHE GX_SECRET_KEY GX_PUBLIC_KEY NIX_CONFIG
mkdir -p home
git() { command git -c user.name=x -c user.email=x@example.org -c init.defaultBranch=main "$@"; }
root=$PWD
init() { "$gx" init "$@" 2>said; }
wrote() { sed -n 's/^note: wrote //p' said | tr '\n' ' '; }
is_json() { for _f in "$@"; do gxeval -E "builtins.isAttrs (builtins.fromJSON (builtins.readFile $PWD/$_f))" || return 1; done; }

# --- what is written
mkdir -p project/cmd/serve && cd project || exit 1
printf 'module example.com/My_Svc/v2\n\ngo 1.22\n' >go.mod
printf 'package main\n\nfunc main() {}\n' >cmd/serve/main.go
check "beside no flake there is one as well" init --direnv --github-actions
check "each file is told" prints "flake.gx .envrc .github/workflows/gx.yml .ci/gx.sh " wrote
check "the flake is the module's" grep -q 'pname = "My_Svc"' flake.gx
check "once more changes nothing" init --direnv --github-actions
check "and says so" prints "" wrote
check "more beside a flake" init --devcontainer --vscode --gitlab-ci
check "the script of both is there once" prints ".devcontainer/devcontainer.json .devcontainer/image.gx .vscode/extensions.json .vscode/launch.json \
.vscode/settings.json .vscode/tools/dlv .vscode/tools/go .vscode/tools/gofumpt .vscode/tools/gopls .vscode/tools/in-shell .vscode/tools/staticcheck \
.gitlab-ci.yml " wrote
echo "mine" >.envrc
check "what is here stays" complains "refusing to overwrite existing file" "$gx" init --direnv --vscode
check "as it was" prints mine cat .envrc
check "unless it is to be replaced" init --direnv --force
check "which is told" prints ".envrc " wrote
rm .envrc && ln -s ../elsewhere .envrc
check "what a link leads to is not written" init --direnv --force
check "the link is replaced" [ ! -e ../elsewhere ]
rm .envrc && mkdir .envrc
check "a folder in the way" complains "refusing to overwrite existing file" "$gx" init --direnv
check "is not removed" complains "cannot replace '.envrc'" "$gx" init --direnv --force
rmdir .envrc && init --direnv
check "without these the flake is in the way, as before" complains "there is a flake here already" "$gx" init
check "another template's flake is not replaced by chance" complains "refusing to overwrite existing file" "$gx" init -t shell --vscode
check "an option that is none" complains "unknown option '--emacs'" "$gx" init --emacs

# --- what it is
json=".devcontainer/devcontainer.json .vscode/extensions.json .vscode/launch.json .vscode/settings.json"
check "JSON is JSON" is_json $json
value() { gxeval --raw -E "(builtins.fromJSON (builtins.readFile $PWD/$1)).$2"; }
check "the container is called as the module, as images may be" prints "localhost/my-svc-devcontainer:latest" value .devcontainer/devcontainer.json image
check "and its image calls itself so" prints "localhost/my-svc-devcontainer latest" gxeval --raw -E "let d = (import $PWD/.devcontainer/image.gx { }).imageDescription;
	in d.name + \" \" + d.tag"
check "delve starts the program" prints "\${workspaceFolder}/cmd/serve" gxeval --raw -E "(builtins.elemAt (builtins.fromJSON (builtins.readFile $PWD/.vscode/launch.json)).configurations 0).program"
scripts=".ci/gx.sh .vscode/tools/in-shell"
parses() { for _f in $scripts; do bash -n "$_f" && [ -x "$_f" ] || return 1; done && bash -n .envrc; }
check "scripts are scripts, and can be run" parses
check "the tools are the shell's" prints "in-shell in-shell" sh -c 'echo $(readlink .vscode/tools/gopls) $(readlink .vscode/tools/dlv)'
if command -v shellcheck >/dev/null; then
	check "shellcheck has nothing to say" shellcheck $scripts
	check "nor of the .envrc" shellcheck -s bash .envrc
else
	skip "shellcheck" "it is not installed"
fi
python=
for p in python3 /usr/bin/python3; do "$p" -c 'import yaml' 2>/dev/null && python=$p; done

# --- the editor's tools: those of the shell
cd "$root" && mkdir -p tools/.vscode bin && cp -R project/.vscode/tools tools/.vscode/
printf '#!/bin/sh\n[ "$1 $3" = "develop --command" ] || exit 9\n[ -f "$2/flake.gx" ] || exit 8\nshift 3\nPATH=%s/inside:$PATH exec "$@"\n' "$PWD" >bin/gx
mkdir inside && printf '#!/bin/sh\nprintf "gopls of the shell:"\nprintf " <%%s>" "$@"\n' >inside/gopls
chmod +x bin/gx inside/gopls
touch tools/flake.gx
check "gopls is called in the shell" prints "gopls of the shell: <a b> <*>" env PATH="$PWD/bin:$PATH" tools/.vscode/tools/gopls 'a b' '*'
check "in a container without gx it is the one that is there" prints "gopls of the shell: <x>" env PATH="$PWD/inside:/usr/bin:/bin" tools/.vscode/tools/gopls x

# --- continuous integration, as a runner has it
if [ -z "$python" ]; then
	skip "the scripts of continuous integration" "python3 has no yaml"
	exit 0
fi
command -v curl >/dev/null || { skip "the scripts of continuous integration" "there is no curl"; exit 0; }

# gx as an archive; its store is the run's own.
mkdir -p packed/gx-1/bin site
cat >packed/gx-1/bin/gx <<END
#!/bin/sh
set -- "\$@"
[ "\$1" != nix-names ] || {
	"$gx" "\$@" && mv "\$3/nix-store" "\$3/real" && mkdir "\$3/r" && mv "\$3/real" "\$3/r/nix-store" &&
		printf '#!/bin/sh\nexec %s/r/nix-store --store "%s" "\$@"\n' "\$3" "\$RUN_STORE" >"\$3/nix-store" && chmod +x "\$3/nix-store"
	exit
}
[ "\$1" = --version ] || set -- "\$@" --store "\$RUN_STORE"
exec "$gx" "\$@"
END
chmod +x packed/gx-1/bin/gx
tar czf site/gx.tar.gz -C packed gx-1
sum=$(sha256sum site/gx.tar.gz | cut -d ' ' -f 1)
serve_folder site

# A flake of two steps: what the package is made of is another object, that it does not need later.
rm project/flake.gx
system=$("$gx" eval --impure --raw -E builtins.currentSystem)
cat >project/flake.gx <<END
{
  outputs = { self }: let
    step = derivation { name = "step"; system = "$system"; builder = "/bin/sh"; args = [ "-c" "echo step >\$out" ]; };
  in {
    packages.$system.default = derivation {
      name = "thing"; system = "$system"; builder = "/bin/sh"; inherit step;
      args = [ "-c" "read x <\$step; echo \$x of one >\$out" ];
    };
    checks.$system.default = self.packages.$system.default;
  };
}
END
cd project && "$gx" flake lock 2>/dev/null
git init -q . && git add -A && git commit -qm one && cd ..

cat >steps.py <<'END'
# steps.py FILE: the scripts of a workflow or a job, each behind a line with its mark, in the order in which they are run.
import sys, yaml
d = yaml.safe_load(open(sys.argv[1]))
if "jobs" in d:
    steps = d["jobs"]["build"]["steps"]
    assert any(s.get("uses", "").startswith("actions/cache/restore@") and s["with"]["path"] == "~/.cache/gx-ci" for s in steps)
    assert "${{" not in "".join(s.get("run", "") for s in steps), "what others write must not become a part of a script"
    print("\n".join("# step\n" + s["run"] for s in steps if "run" in s))
else:
    assert d["build"]["cache"]["paths"] == [".gx-cache/"]
    print("# step\n" + "\n".join(d["build"]["script"]))
END
# A run: a fresh clone, a fresh home and store, and the kept folder as the archive that a cache of CI has of it.
runs() { # NAME FILE KEPT [VARIABLE=VALUE...]
	_name=$1 _file=$2 _kept=$3
	shift 3
	remove "run-$_name" && mkdir -p "run-$_name/home" && git clone -q project "run-$_name/work" || return 1
	_cache=$root/run-$_name/home/.cache/gx-ci
	[ "$_file" != .gitlab-ci.yml ] || _cache=$root/run-$_name/work/.gx-cache
	mkdir -p "$_cache"
	[ ! -f "$_kept" ] || tar xf "$_kept" -C "$_cache"
	"$python" steps.py "project/$_file" >"run-$_name/steps" || return 1
	csplit -s -z -f "run-$_name/step-" "run-$_name/steps" '/^# step$/' '{*}'
	: >"run-$_name/output"
	for _s in "run-$_name"/step-*; do
		(cd "run-$_name/work" && env HOME="$root/run-$_name/home" RUN_STORE="$root/run-$_name/store" GITHUB_OUTPUT="$root/run-$_name/output" \
			GITHUB_PATH="$root/run-$_name/path" GX_CACHE="$(case $_file in .gitlab*) echo "$_cache" ;; esac)" \
			GX_ARCHIVE="http://127.0.0.1:$port/gx.tar.gz" NIX_CONFIG="substituters =" PATH="/usr/local/bin:/usr/bin:/bin" "$@" bash -e "$root/$_s") >>"run-$_name/log" 2>&1 || {
			cat "run-$_name/log"
			return 1
		}
	done
	[ "$_kept" = none ] || tar cf "$_kept" -C "$_cache" .
}
built() { grep -c "^built '.*drv'" "run-$1/log" || :; } # NAME: how much was built in that run
for file in .github/workflows/gx.yml .gitlab-ci.yml; do
	name=$(basename "$file" .yml | tr -d .)
	check "$file: the first run builds" runs "$name-1" $file "$name.tar"
	check "$file: both steps" prints 2 built "$name-1"
	check "$file: the next, elsewhere, has what was kept" runs "$name-2" $file "$name.tar"
	check "$file: nothing is built" prints 0 built "$name-2"
	sed -i 's/ of [a-z]* >/ of two >/' project/flake.gx && git -C project commit -qam two
	check "$file: a change" runs "$name-3" $file "$name.tar"
	check "$file: is all that is built" prints 1 built "$name-3"
	sed -i 's/ of [a-z]* >/ of one >/' project/flake.gx && git -C project commit -qam one
done
same() { [ -s run-gx-1/output ] && cmp run-gx-1/output run-gx-2/output; }
check "what is the same need not be kept again" same
differs() { ! cmp -s run-gx-2/output run-gx-3/output; }
check "what changed has another key" differs

# With a key: what it did not sign is not taken.
"$gx" key generate-secret --key-name ci-1 >secret
secret=$(cat secret)
public=$("$gx" key convert-secret-to-public <secret)
check "signed" runs signed-1 .gitlab-ci.yml signed.tar GX_SECRET_KEY="$secret" GX_PUBLIC_KEY="$public"
check "a request of somebody else has no secret, and what was kept" runs signed-2 .gitlab-ci.yml signed.tar GX_PUBLIC_KEY="$public"
check "it builds nothing" prints 0 built signed-2
check "a folder that somebody else filled" runs signed-3 .gitlab-ci.yml gitlab-ci.tar GX_PUBLIC_KEY="$public"
check "is not believed" prints 2 built signed-3
no_secret() { ! grep -rqF "${secret#*:}" run-signed-1/log run-signed-1/work run-signed-1/home run-signed-1/store/nix/store; }
check "the secret is nowhere" no_secret
check "a folder that became large is begun anew" runs large .gitlab-ci.yml gitlab-ci.tar GX_CACHE_MOST=0
check "which is told" grep -q "has become large" run-large/log
check "a runner that keeps its store keeps no folder" runs none .gitlab-ci.yml none GX_CACHE=none
check "none at all" [ ! -e run-none/work/none ]

# What is wrong.
ci() { (cd run-gx-1/work && env HOME="$root/empty" RUN_STORE="$root/run-gx-1/store" PATH=/usr/bin:/bin "$@"); }
mkdir empty
check "no archive is named" mentions "GX_ARCHIVE has to be the address" ci .ci/gx.sh install
check "one that is not there" mentions "cannot be fetched" ci GX_ARCHIVE="http://127.0.0.1:$port/nope" .ci/gx.sh install
check "another than was meant" mentions "has the sum $sum" ci GX_ARCHIVE="http://127.0.0.1:$port/gx.tar.gz" GX_ARCHIVE_SHA256=0 .ci/gx.sh install
check "is not unpacked" [ ! -e empty/.local ]
check "the one that was meant" ci GX_ARCHIVE="http://127.0.0.1:$port/gx.tar.gz" GX_ARCHIVE_SHA256=$sum .ci/gx.sh install
check "it takes three words" mentions "it takes install, check or build" ci .ci/gx.sh deploy
remove run-*
