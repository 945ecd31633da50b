/* SPDX-License-Identifier: MIT
 *
 * Objects of the file system as store objects: what store path a file or tree gets, and with a store
 * to write to, putting it there.
 */
#ifndef BUILTINS_ADDPATH_H
#define BUILTINS_ADDPATH_H

#include "eval/value.h"
#include "format/hash.h"
#include "format/path.h"
#include "base/session.h"
#include "base/slice.h"

struct add_path {
	W path;	 /* a path value */
	W given; /* what it was before links were followed */
	struct slice name; /* points into a value that something else keeps alive, given for instance */
	enum ca_method method;	     /* CA_NAR or CA_FLAT */
	W filter;		     /* function of path and type, W_NULL for none */
	const struct hash *expected; /* what the hash must be, NULL when anything will do */
	const struct slice *refs;    /* objects it refers to, in byte order */
	size_t nrefs;
};

/* The store path as a string with context.  Throws. */
W add_path(const struct add_path *p);

/* eval_io.path_to_store: a path value's object under its own name.  Hashed once an evaluation. */
W path_to_store(W path);

/* Forgets the store paths of what may have changed since. */
extern const struct session_part addpath_session[];

/* Ends it (fetch/large_tree.h) and says when the tree was large; some: only some of what lies there counts. */
struct large_tree;
void tree_tell_large(struct large_tree *l, const char *place, int some);

/* A full store path as a string whose context is that object. */
W store_path_string(const struct store_path *p);

/* The last component, "source" for the root. */
struct slice path_base_name(W path);

#endif
