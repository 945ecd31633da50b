/* SPDX-License-Identifier: MIT
 *
 * Verbs of `gx store` that have a file of their own.
 */
#ifndef CLI_VERBS_GX_STORE_H
#define CLI_VERBS_GX_STORE_H

#include "store/store.h"

int store_add_root_run(int argc, char **argv);
int store_drop_roots_run(int argc, char **argv);
int store_quota_run(int argc, char **argv);
int store_tenants_run(int argc, char **argv);
int store_sign_run(int argc, char **argv);
int store_copy_sigs_run(int argc, char **argv);
int store_cat_run(int argc, char **argv);
int store_diff_closures_run(int argc, char **argv);
int store_export_run(int argc, char **argv);
int store_import_run(int argc, char **argv);
int store_ls_run(int argc, char **argv);
int store_optimise_run(int argc, char **argv);
int store_path_from_hash_run(int argc, char **argv);
int store_prefetch_run(int argc, char **argv); /* cli/nix/nix_prefetch_url.c */
int store_readdress_run(int argc, char **argv);
int store_rebuild_run(int argc, char **argv);
int store_verify_run(int argc, char **argv);

/* gx_closures.c: appends what the closure of one object has more and less than that of another, a line for each name. */
int closures_compare(struct store *s, const struct store_path *before, const struct store_path *after, const char *indent,
		     struct buf *out, struct err *e);

/* gx_why_precise.c: each place of object p where the digest of another stands: "FILE: …TEXT…" or "LINK -> TARGET". */
int why_precisely(struct store *s, const struct store_path *p, const struct store_path *dependency,
		  void (*each)(void *arg, const char *line), void *arg, struct err *e);

#endif
