# SPDX-License-Identifier: MIT
#
# gx flake check: what each kind of output has to be, and what is built.
. "$srcdir/tests/integration/lib.sh"
. "$srcdir/tests/integration/lib/flakes.sh"
mkdir f
outputs() { # NIX
	echo "{ outputs = { self }: let d = name: { type = \"derivation\"; inherit name; drvPath = \"/x\"; outPath = \"/y\"; }; in { $1; }; }" >f/flake.nix
}
good() { # OUTPUTS
	outputs "$1"
	check "good: $1" gx flake check --no-build --all-systems ./f
}
bad() { # MESSAGE OUTPUTS
	outputs "$2"
	check "bad: $2" complains "$1" gx flake check --no-build --all-systems ./f
}

good 'overlay = final: prev: { }'
good 'overlays.default = _final: _: { }'
bad "an overlay takes the arguments 'final' and 'prev'" 'overlay = finalll: prev: { }'
bad "an overlay takes the arguments" 'overlays.a = { final, prev }: { }'
bad "overlay is not a function, but a set instead" 'overlays.x86_64-linux.foo = final: prev: { }'
good 'nixosModules.foo = { a.b.c = 123; }; nixosModule = { config, ... }: { }'
bad "assertion" 'nixosModules.foo = assert false; { }'
good 'apps.system-1.a = { type = "app"; program = "foo"; meta.description = "d"; }'
bad "an app has no attribute 'unknown-attr'" 'apps.system-1.a = { type = "app"; program = "foo"; unknown-attr = 1; }'
bad "attribute 'program' missing" 'apps.system-1.a = { type = "app"; }'
bad "an app needs type" 'apps.system-1.a = { program = "foo"; }'
bad "the program of an app" 'apps.system-1.a = { type = "app"; program = 1; }'
good 'templates.a = { path = ./.; description = "d"; }'
bad "attribute 'description' missing" 'templates.a = { path = ./.; }'
bad "is not there" 'templates.a = { path = ./nope; description = "d"; }'
bad "a template has no attribute 'x'" 'templates.a = { path = ./.; description = "d"; x = 1; }'
good 'nixosConfigurations.h.config.system.build.toplevel = d "h"'
bad "attribute 'config' missing" 'nixosConfigurations.h = { }'
bad "toplevel is not a derivation" 'nixosConfigurations.h.config.system.build.toplevel = 1'
bad "it is not a derivation" 'formatter.system-1 = "foo"'
bad "it is not a derivation" 'packages.system-1.a = "foo"'
bad "'x y' is not a system" 'packages."x y".a = 1'
good 'anything = 1; lib.x = throw "not looked at"'
bad "attribute 'drvPath' missing" 'checks.system-1.a = { name = "a"; type = "derivation"; }'

outputs 'packages.system-1.default = "foo"; packages.system-2.default = "bar"'
check "other systems are not looked at" gx flake check --no-build ./f
check "but when asked for, all of them" complains "packages.system-2.default" gx flake check --no-build --all-systems ./f
check "all of them" grep -qF "packages.system-1.default" complains.log

# Building them.
system=$(gxeval --impure --raw -E builtins.currentSystem)
cat >f/flake.nix <<X
{ outputs = { self }: { checks.$system = {
  a = derivation { name = "a"; system = "$system"; builder = "/bin/sh"; args = [ "-c" "echo a >\$out" ]; };
  b = derivation { name = "b"; system = "$system"; builder = "/bin/sh"; args = [ "-c" "echo b >\$out" ]; };
}; }; }
X
if gx build --store ./store --no-link ./f#checks.$system.a 2>build.log; then
	path() { gxeval --raw "./f#checks.$system.$1.outPath"; }
	check "--print-out-paths" prints "$(path a; echo; path b)" gx flake check --store ./store --print-out-paths ./f
	check "leaves no link" [ ! -e result ]
	check "--out-link" gx flake check --store ./store --out-link res ./f
	check "a link for each" prints "$(path a; echo; path b)" readlink res res-1
	check "how many there are is said" warns "running 2 flake checks" gx flake check --store ./store ./f
	sed -i 's/echo b >/false >/' f/flake.nix
	check "one that fails goes by its name" mentions "error: the check 'checks.$system.b' failed" gx flake check --store ./store ./f
	check "not the one that does not" sh -c "! grep \"check 'checks.$system.a'\" complains.log"
	check "also when nothing is evaluated anew" mentions "error: the check 'checks.$system.b' failed" gx flake check --store ./store ./f
else
	skip "checks are built" "$(tail -1 build.log)"
fi
