/* SPDX-License-Identifier: MIT
 *
 * Go modules as trees: from the zip that a module proxy serves to the directory that becomes a store object, and back from the
 * directory to the sum.
 *
 * A zip is unpacked only if it follows every rule of the format (golang.org/x/mod/zip):
 *   - the version is canonical and agrees with the path's major version;
 *   - every name begins with "module@version/";
 *   - what follows is a clean, valid file path (golang/modpath.h: no "..", nothing that Windows could not store);
 *   - no two names are equal, or equal but for case, and none is both file and directory;
 *   - go.mod only at the top, and in lower case;
 *   - at most 500 MiB as a zip and unpacked, 16 MiB for go.mod and LICENSE;
 *   - sizes and checksums are as declared; no links or devices; permissions and entries for directories do not count.
 *
 * Layout of the tree, version 1 (format/goh1.h): the files under their paths, mode 0444, directories 0555.
 *
 * Layout of a toolchain (a module called golang.org/toolchain), version 2: what the go command does to it at its first use is done
 * too: files below bin and pkg/tool, and those called go_*_*_exec below lib, are executable, and beside each "_go.mod" lies a
 * copy of it called "go.mod".  So the tree is a GOROOT.  A symbolic link share/go leads to the tree itself, because
 * share/go is where packages of nixpkgs have their GOROOT; version 1 did not have it.
 */
#ifndef GOLANG_GOMODULE_H
#define GOLANG_GOMODULE_H

#include "golang/modpath.h"
#include "golang/zip.h"
#include "format/hash.h"

/* The rules that can be checked by the list of members. */
int go_module_check_zip(const struct zip *z, const struct module_version *m, struct err *e);

/* Unpacks the zip (a regular file; where it stands does not matter) into the empty directory dirfd.  want: the sum it must have, or
 * NULL; *h1, when not NULL, receives the sum it has.  ERR_INVALID: a rule is broken; ERR_HASH: another sum.  On failure what was
 * written so far stays, for the caller to remove with the directory. */
int go_module_unpack(int zip_fd, const struct module_version *m, const struct hash *want, int dirfd, struct hash *h1,
		     struct err *e);

/* Makes the link share/go in the tree of a toolchain, which has nothing called share yet. */
int go_toolchain_link_share(int dirfd, struct err *e);

/* The sum of an unpacked tree, dirfd and name as in openat, after checking that its layout is the one above: so that it does
 * not matter who unpacked it. */
int go_module_tree_h1(int dirfd, const char *name, const struct module_version *m, struct hash *h1, struct err *e);

#endif
