/* SPDX-License-Identifier: MIT
 *
 * flake.lock: the graph of a flake's inputs, each pinned.
 *
 * A graph of nodes; an edge has the input's name and leads to a node or, for `follows`, is a path of names from the
 * root.  Everything lives in the arena it was made with and holds nothing of the collected heap.
 */
#ifndef FLAKE_LOCKFILE_H
#define FLAKE_LOCKFILE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "fetch/input.h"

/* Names of inputs from the root on: "nixops/nixpkgs".  Empty is the root. */
struct input_path {
	struct slice *v;
	size_t n;
};

struct lock_node;

struct lock_edge {
	struct slice name;
	struct lock_node *node;	   /* NULL: follows */
	struct input_path follows;
};

struct lock_node {
	struct lock_edge *edges; /* in byte order of names */
	size_t n, cap;
	/* Of the root these are empty. */
	struct input locked, original;
	int is_flake;
	int has_parent; /* a relative path, below the tree of this input */
	struct input_path parent;
	/* Set by lockfile_add: its name in the file. */
	struct slice key;
	const void *tree; /* for flake/: the fetched tree, NULL when that was not needed */
	int mark;	  /* private */
};

struct lockfile {
	struct arena *mem;
	struct lock_node *root;
};

/* A graph without inputs. */
void lockfile_init(struct lockfile *l, struct arena *mem);

/* Reads versions 5 to 7; name stands in messages.  ERR_INVALID, ERR_LIMIT. */
int lockfile_parse(struct lockfile *l, struct arena *mem, struct slice text, const char *name, struct err *e);

/* Appends the file as Nix writes it, without the last line end, and names the nodes. */
int lockfile_add(const struct lockfile *l, struct buf *b, struct err *e);

struct lock_node *lock_node_new(struct arena *mem);

/* The edge with a name, NULL without; and setting one. */
struct lock_edge *lock_edge_get(const struct lock_node *n, struct slice name);
struct lock_edge *lock_edge_set(struct lock_node *n, struct slice name, struct arena *mem);

/* The node a path leads to, NULL with e empty when there is none, with e set for follows that go round. */
struct lock_node *lockfile_find(const struct lockfile *l, const struct input_path *p, struct err *e);

/* Every `follows` leads somewhere.  ERR_INVALID, with *bad the path of the first that does not, in the lock's arena. */
int lockfile_check(const struct lockfile *l, struct input_path *bad, struct err *e);

/* Calls each() for every input, in the order of their paths as written ("a", "a/b", "b"); nodes with several paths occur once. */
void lockfile_each(const struct lockfile *l,
		   void (*each)(void *arg, const struct input_path *p, const struct lock_edge *edge), void *arg);

/* Appends what changed, one input after the other; nothing when nothing did. */
void lockfile_diff(const struct lockfile *before, const struct lockfile *after, struct buf *b);

/* --- paths of inputs --- */

/* "a/b"; each element must be an identifier.  ERR_INVALID. */
int input_path_parse(struct slice text, struct arena *mem, struct input_path *out, struct err *e);
void input_path_add(struct buf *b, const struct input_path *p);
struct input_path input_path_join(const struct input_path *p, struct slice name, struct arena *mem);
struct input_path input_path_concat(const struct input_path *p, const struct input_path *q, struct arena *mem);
int input_path_cmp(const struct input_path *a, const struct input_path *b);

#endif
