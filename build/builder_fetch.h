/* SPDX-License-Identifier: MIT
 *
 * Builtin builders that fetch, for build_hooks (build/build.h):
 *
 *     builtin:go-module   a Go module, its go.mod, or a toolchain, known by its h1 sum
 *         module, version   of the module
 *         outputHash        its sum ("h1:…"), with outputHashMode = "go-h1" (format/goh1.h)
 *         kind              "zip" (or not set): the unpacked module; "mod": only its go.mod, whose sum is the one that go.sum
 *                           lists under VERSION/go.mod
 *         goEnv             a toolchain's go.env, a file in the store: where modules come from when the user chose nothing
 *     builtin:fetchurl    a file, or with unpack the contents of an archive in Nix's format, known by any hash
 *         url, executable, unpack
 *                           apt://debian/PATH and apt://debian-security/PATH are those of apt's mirrors here, crates://NAME/VERSION
 *                           that of a crate in the user's registry (fetch/crates.h), npm://NAME/-/FILE in that of npm packages
 *         urls              several addresses, separated by blanks: the first that has it
 *         archive           the tree in a tar or zip file instead; stripRoot: the one folder in it
 *     builtin:go-archive  a Go release as its publisher offers it, known by any hash; the setting go-archives says where
 *         file              its name there
 *     builtin:release     a part of the first of several archives that can be had (builder_release.c), known by any hash
 *         sources           groups of three words: an address, the SHA-256 sum of what is there, a folder in it.  The address
 *                           npm:NAME/-/FILE is that of a file in the user's registry of npm packages (fetch/npm.h),
 *                           pypi:PROJECT/FILE is that of a file in the user's index of Python packages (fetch/pyindex.h)
 *         keep, drop        files and folders below that folder that become the output; files in these that do not
 *
 * They run confined, where the user's settings are not to be seen: fetch_builders_prepare reads these before.
 */
#ifndef BUILD_BUILDER_FETCH_H
#define BUILD_BUILDER_FETCH_H

#include "base/err.h"
#include "build/builtin_builders.h"
#include "format/hash.h"
#include "store/store.h"

/* For build_hooks.builtins. */
extern const struct builtin_builder fetch_builders[];

/* For build_hooks.content_hash (user is not used): the address of outputs of the go-h1 method. */
int fetch_content_hash(void *user, const struct drv *d, struct slice mode, int dirfd, const char *name,
		       struct hash *out, struct err *e);

/* For build_hooks.paths: the folders and files that file: addresses of the user's proxies, and of a fetchurl, name.
 * Loads the libraries that a builder of the program needs. */
int fetch_builder_paths(void *user, const struct store *s, const struct drv *d, void (*show)(void *arg, const char *path),
			void *arg, struct err *e);

/* For build_hooks.input: where a builder that asks module proxies asks for credentials and repositories (build/builder_ask.h). */
int fetch_builder_input(void *user, const struct drv *d);

/* Reads what the builders need of the machine: GOPROXY and its kin, netrc, certificates.  Once, before the first build;
 * later calls do nothing. */
int fetch_builders_prepare(struct err *e);

#endif
