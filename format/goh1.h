/* SPDX-License-Identifier: MIT
 *
 * The fixed-output method outputHashMode = "go-h1": outputs known by the sum that go.sum has for a Go module.
 *
 * "h1:" and 44 digits of base64: the SHA-256 of the lines "<hex SHA-256 of a file>  <module>@<version>/<path>\n" of all files
 * of the module, sorted.  Names and contents are all it covers; how they are laid out as a store object, with fixed modes
 * and, for toolchains, what the go command does to them after unpacking, is a pure function of them (golang/gomodule.h),
 * whose version is part of the store path.  Toolchains and all other modules have layouts, and so versions, of their own.
 *
 * In derivations and databases nothing occurs that Nix could not read.  The h1 value is turned into another SHA-256,
 * the address, and the output is, as far as the text of the derivation goes, a fixed output of the recursive method with
 * that hash:
 *
 *     address = sha256("go-h1:" layout ":" "h1:" base64)            layout: "2" of golang.org/toolchain, else "1"
 *     .drv      ("out", path, "r:sha256", base16(address)), outputHashMode=go-h1 and outputHash=h1:… in the environment
 *     path    = that of a tree whose archive has the hash `address`, so it is known before anything is fetched,
 *               and Nix computes the same one from the .drv: for it, for what depends on it, and for hashes modulo
 *     database: no content address at all; hash of the archive, signatures and the rest as for any build.  That it is the
 *               module follows from the deriver, a derivation of that very module, or from its sum (store/claims.h)
 *
 * No archive has the hash `address` but by breaking SHA-256, so such paths collide with no other.  What checks an output is
 * not its archive's hash but its h1, recomputed from the tree and turned into an address (struct build_hooks.content_hash).
 */
#ifndef FORMAT_GOH1_H
#define FORMAT_GOH1_H

#include "format/path.h"

/* The word of outputHashMode. */
#define GO_H1_MODE "go-h1"

enum { GO_H1_LEN = 47 }; /* characters of "h1:…" */

/* "h1:" and base64 in its one canonical form, as a SHA-256 hash.  ERR_INVALID. */
int go_h1_parse(struct slice text, struct hash *out, struct err *e);

/* Writes it back, with a NUL. */
void go_h1_print(const struct hash *h1, char out[GO_H1_LEN + 1]);

/* 1 for golang.org/toolchain. */
int go_module_is_toolchain(struct slice module);

/* The address of what has this sum, a file or tree of this module: what stands in derivations, and goes into the store path
 * with CA_NAR. */
void go_h1_address(struct slice module, const struct hash *h1, struct hash *address);

/* The path of the module (or toolchain) with this sum.  ERR_INVALID for a bad name. */
int go_h1_store_path(struct slice dir, struct slice name, struct slice module, const struct hash *h1, struct store_path *out,
		     struct err *e);

#endif
