/* SPDX-License-Identifier: MIT
 *
 * Operations of nix-store that no verb of gx has.  They append what is to be printed to out and return 0, 1 for an answer that is
 * no, negative for an error.
 */
#ifndef CLI_NIX_NIX_STORE_FILES_H
#define CLI_NIX_NIX_STORE_FILES_H

#include "base/buf.h"
#include "base/err.h"
#include "store/store.h"

struct files_request {
	char *const *operands;
	size_t n;
	int recursive, print_invalid, hash_given;
};

int files_export(struct store *s, const struct files_request *r, struct buf *out, struct err *e);
int files_import(struct store *s, const struct files_request *r, struct buf *out, struct err *e);
int files_print_env(struct store *s, const struct files_request *r, struct buf *out, struct err *e);
int files_dump_db(struct store *s, const struct files_request *r, struct buf *out, struct err *e);
int files_register(struct store *s, const struct files_request *r, struct buf *out, struct err *e);
int files_check_validity(struct store *s, const struct files_request *r, struct buf *out, struct err *e);
int files_print_fixed_path(struct store *s, const struct files_request *r, struct buf *out, struct err *e);
int files_optimise(struct store *s, const struct files_request *r, struct buf *out, struct err *e);
int files_init(struct store *s, const struct files_request *r, struct buf *out, struct err *e);

/* Unpacks the archive on standard input as `path`, with the modes that this user gives to new files.  An exit status. */
int files_restore(const char *path);

#endif
