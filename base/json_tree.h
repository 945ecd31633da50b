/* SPDX-License-Identifier: MIT
 *
 * JSON documents as trees, for the few places of the store that must change one and write it back.
 *
 * Everything lives in the arena it was made with; strings are slices and may hold NULs.  Objects are kept in
 * byte order of their keys without repeats (the last of equal keys counts), which is how Nix writes them.
 */
#ifndef BASE_JSON_TREE_H
#define BASE_JSON_TREE_H

#include "base/arena.h"
#include "base/json.h"
#include "base/slice.h"

struct jnode {
	enum json_event kind; /* JSON_NULL … JSON_OBJECT */
	struct slice key;     /* of a member of an object */
	struct slice str;     /* JSON_STRING */
	int64_t i;
	uint64_t u;
	double d;
	struct jnode *first; /* of JSON_ARRAY and JSON_OBJECT */
	struct jnode *next;
	struct jnode *parent;
};

/* Reads one document; ERR_INVALID, ERR_LIMIT. */
int json_tree_parse(struct arena *a, struct slice text, struct jnode **out, struct err *e);

/* A new node without a place. */
struct jnode *json_node(struct arena *a, enum json_event kind);
struct jnode *json_string(struct arena *a, struct slice s);
struct jnode *json_int(struct arena *a, int64_t i);

/* The member of an object, NULL when there is none or o is NULL or no object. */
struct jnode *json_member(const struct jnode *o, struct slice key);

/* Puts a member in its place, replacing the one that was there; the key is not copied. */
void json_set(struct jnode *o, struct slice key, struct jnode *v);

/* Adds to the end of an array, *last is the last element so far (NULL at first). */
void json_append(struct jnode *array, struct jnode **last, struct jnode *v);

/* Appends the compact text. */
void json_tree_write(struct buf *b, const struct jnode *n);

#endif
