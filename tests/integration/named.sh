# SPDX-License-Identifier: MIT
#
# Verbs that look into the store take packages as well as paths; and what every verb takes, as Nix's do.
. "$srcdir/tests/integration/lib.sh"
. "$srcdir/tests/integration/lib/build.sh"
mkdir -p home flake
export HOME="$PWD/home" NO_COLOR=1
unset XDG_CONFIG_HOME XDG_STATE_HOME XDG_CACHE_HOME XDG_DATA_HOME
system=$("$gx" eval --impure --raw -E builtins.currentSystem)
hello="derivation { name = \"hello\"; system = \"$system\"; builder = \"/bin/sh\"; outputs = [ \"out\" \"dev\" ];
  args = [ \"-c\" \"echo a line of the log; mkdir \$out \$dev\" ]; }"
cat >flake/flake.gx <<END
{ outputs = _: { packages.$system = { hello = $hello; default = $hello; later = derivation { name = "later"; system = "$system"; builder = "/bin/sh"; }; }; }; }
END
in_flake() { (cd flake && "$gx" "$@" --store "$store"); }
out=$("$gx" eval --impure --store "$store" --raw -E "($hello).outPath") dev=$("$gx" eval --impure --store "$store" --raw -E "($hello).dev.outPath")
drv=$("$gx" eval --impure --store "$store" --raw -E "($hello).drvPath")

check "of what is not built there is no path" complains "path '$out' is not valid" in_flake path-info .#hello
check "nor is it built" not_valid "$out"
in_flake build .#hello 2>/dev/null
check "path-info of a package" prints "$out" in_flake path-info .#hello
check "its derivation" prints "$(in_flake eval --raw .#hello.drvPath)" in_flake path-info --derivation .#hello
check "of an output" prints "$dev" in_flake path-info '.#hello^dev'
paths_of() { in_flake path-info "$@" >sorted.out && sort sorted.out; }
check "of all" prints "$(printf '%s\n' "$out" "$dev" | sort)" paths_of '.#hello^*'
check "of a folder's default" prints "$out" in_flake path-info .
check "of a link to a result" prints "$out" in_flake path-info ./result
# As in Nix all outputs, where there is no meta.outputsToInstall; of a flake "out".
check "of an expression" prints "$(printf "%s\n" "$out" "$dev" | sort)" paths_of -E "$hello"
check "of an attribute of one" prints "$(printf "%s\n" "$out" "$dev" | sort)" paths_of -E "{ x = $hello; }" x
check "of paths and packages" prints "$out" in_flake path-info "$out" .#hello
# A package that is a string or a path names an object; what was kept of the first time says so as well.
echo data >flake/data
cat >flake/text.nix <<END
{ text = "\${./data}"; path = ./data; }
END
data=$("$gx" eval --impure --store "$store" --raw -E '"${./flake/data}"')
sleep 0.1
export GX_EVAL_CACHE=always
for time in first second; do
	check "of a string, the $time time" prints "$data" in_flake path-info -f text.nix text
	check "of a path, the $time time" prints "$data" in_flake path-info -f text.nix path
	check "a string built, the $time time" prints "$data" in_flake build --print-out-paths -f text.nix text
	check "and linked" prints "$data" readlink flake/result
	check "in a shell, the $time time" sh -c "cd flake && PATH=x '$gx' shell --store '$store' -f text.nix text --command /bin/sh -c 'echo \$PATH' | grep -q '^$data/bin:'"
	rm flake/result
done
collected() {
	set -- "$gx" build --store "$PWD/other" --print-out-paths --no-link -f flake/text.nix text
	"$@" && "$@" && "$gx" store gc --store "$PWD/other" && [ ! -e "other/$data" ] && prints "$data" "$@" && [ -e "other/$data" ]
}
check "and what is no longer there is made again" collected
remove other
unset GX_EVAL_CACHE
check "of everything" sh -c "'$gx' path-info --store '$store' --all | grep -qx '$dev'"
check "of everything and a path" complains "with --all no path is named" in_flake path-info --all "$out"
check "of nothing" complains "needs a path" in_flake path-info
check "a package that is not there" complains "Did you mean hello?" in_flake path-info .#helo
check "a log of a package" prints "a line of the log" in_flake log .#hello
check "of one that was not built" complains "later" in_flake log .#later
check "a derivation of a package" sh -c "cd flake && '$gx' derivation show --store '$store' .#hello | grep -qF '\"$drv\": {'"
check "of an object" sh -c "'$gx' derivation show --store '$store' '$out' | grep -qF '\"$drv\": {'"
in_flake derivation show -E "$hello" >shown
check "of an expression" grep -qF "\"$drv\": {" shown

# --- where an ordinary user finds it
if [ "$(id -u)" != 0 ]; then
	(cd flake && "$gx" build .#hello 2>../said)
	check "a link that leads to what is not here says so" grep -qF "it lies in '$HOME/.local/share/gx/root$out'" said
	check "which is there" [ -d "$HOME/.local/share/gx/root$out" ]
fi

# --- what every verb takes
every() { # VERB ...: with each of these options before the last words
	for option in --refresh -L -v --show-trace --accept-flake-config --no-warn-dirty "--option cores 2" "--system $system" \
		"--extra-experimental-features flakes" "--experimental-features flakes"; do
		in_flake "$@" $option >every.out 2>&1 || { cat every.out; echo "$* $option"; return 1; }
	done
}
check "gx build takes what Nix's commands do" every build --no-link .#hello
check "gx eval" every eval .#hello.name
for verb in "flake show" "flake metadata" "flake check" "flake lock" "path-info .#hello" "log .#hello" "derivation show .#hello" "print-dev-env .#hello" \
	"env .#hello"; do
	check "gx $verb" every $verb
done
