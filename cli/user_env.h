/* SPDX-License-Identifier: MIT
 *
 * Environments of several packages, as profiles hold them: one tree of links to what is in them, and a list of what that is.
 */
#ifndef CLI_USER_ENV_H
#define CLI_USER_ENV_H

#include "cli/build_options.h"
#include "base/json_tree.h"
#include "store/store.h"

/* Packages in an order that counts where two of one priority have the same file: then the environment fails. */
struct user_env {
	const char *name;     /* of the object: "user-environment" */
	const char *manifest; /* what the list is called in the tree: "manifest.nix" */
	struct buf list;      /* its text */
	struct buf packages;  /* for builtin:buildenv; see user_env_add */
	struct path_set refs; /* all that the two name */
};

/* Adds a package; paths[0..n) are its outputs, which are valid. */
void user_env_add(struct user_env *env, const struct store *s, int active, int64_t priority, const struct store_path *paths,
		  size_t n);

/* Makes it; o says how it is built. */
int user_env_make(struct user_env *env, struct store *s, struct build_options *o, struct store_path *out, struct err *e);
void user_env_release(struct user_env *env);

/* Appends data as text of the language: sets, lists, strings, numbers, true, false, null. */
void nix_text_add(struct buf *b, const struct jnode *n);

/* Reads such a text: nothing else of the language.  The tree is in the arena.  ERR_INVALID. */
int nix_text_parse(struct arena *a, struct slice text, struct jnode **out, struct err *e);

#endif
