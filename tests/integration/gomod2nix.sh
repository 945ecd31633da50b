# SPDX-License-Identifier: MIT
#
# A flake that was made for gomod2nix, with gx:std in the place of all its inputs.
. "$srcdir/tests/integration/lib.sh"
. "$srcdir/tests/integration/lib/flakes.sh"

mkdir -p app/cmd/app
cat >app/flake.nix <<'X'
{
  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";
  inputs.flake-utils.url = "github:numtide/flake-utils";
  inputs.gomod2nix.url = "github:nix-community/gomod2nix";
  inputs.gomod2nix.inputs.nixpkgs.follows = "nixpkgs";
  outputs = { self, nixpkgs, flake-utils, gomod2nix }:
    flake-utils.lib.eachDefaultSystem (system:
      let
        pkgs = import nixpkgs { inherit system; overlays = [ gomod2nix.overlays.default ]; };
        inherit (gomod2nix.legacyPackages.${system}) mkGoEnv buildGoApplication;
      in {
        packages.default = pkgs.callPackage ./default.nix { };
        packages.bare = buildGoApplication { src = ./.; modules = ./gomod2nix.toml; };
        packages.series = pkgs.buildGo126Application { src = ./.; };
        packages.pwd = buildGoApplication { pname = "x"; version = "2"; pwd = ./.; };
        devShells.default = pkgs.mkShell {
          packages = [ (mkGoEnv { pwd = ./.; }) pkgs.gomod2nix gomod2nix.packages.${system}.default ];
        };
        tools = (mkGoEnv { pwd = ./.; toolsGo = ./other.go; }).tools.packages;
      });
}
X
cat >app/default.nix <<'X'
{ pkgs ? import (builtins.fetchTree "github:NixOS/nixpkgs") { }, buildGoApplication ? pkgs.buildGoApplication }:
buildGoApplication { pname = "app"; version = "1"; src = ./.; pwd = ./.; modules = ./gomod2nix.toml; subPackages = [ "cmd/app" ]; }
X
printf 'module example.org/app\n\ngo 1.24\n' >app/go.mod
printf 'package main\n\nfunc main() {}\n' >app/cmd/app/main.go
printf '//go:build tools\n\npackage tools\n\nimport (\n\t_ "example.org/app/cmd/app"\n)\n' >app/other.go
std="--override-input nixpkgs gx:std --override-input flake-utils gx:std --override-input gomod2nix gx:std"

# shellcheck disable=SC2086
it() { # ATTRIBUTE [OPTION...]
	gxeval --raw $std ./app --attr "$@" 2>it.log || { cat it.log; return 1; }
}
check "a package without gomod2nix.toml" prints app-1 it packages.x86_64-linux.default.name
check "is that of buildGoModule" prints cmd/app it packages.x86_64-linux.default.subPackages
check "it can be overridden" prints app-2 sh -c 'gxeval --raw '"$std"' ./app --attr packages.x86_64-linux.default --apply "p: (p.overrideAttrs { version = \"2\"; }).name" 2>it.log'
check "its name is the module's" prints app it packages.x86_64-linux.bare.pname
check "the folder is the source" prints x-2 it packages.x86_64-linux.pwd.name
check "by a Go that is named" prints 1.26 it packages.x86_64-linux.series.go.version --apply 'v: builtins.substring 0 4 v'
check "a shell" it devShells.x86_64-linux.default.drvPath
check "the tools of tools.go" prints example.org/app/cmd/app it tools.x86_64-linux
