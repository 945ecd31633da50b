/* SPDX-License-Identifier: MIT
 *
 * Listings of trees, of a store object or an archive alike, in the forms `nix store ls` and `nix nar ls` print.
 */
#ifndef CLI_LISTING_H
#define CLI_LISTING_H

#include "base/buf.h"
#include "base/err.h"
#include "cli/options.h"
#include "format/nar.h"

/* A file, directory or link; malloc'd with all below it. */
struct node {
	char *name; /* "" for the root */
	enum nar_type type;
	int executable;
	uint64_t size;	     /* of a file */
	uint64_t nar_offset; /* of its contents in the archive, 0: not known */
	char *target;	     /* of a link */
	struct node **entries;
	size_t n;
	struct node *up;
};

struct node *node_new(struct node *up, const char *name, enum nar_type type);
void node_free(struct node *n);

/* Below n along a path ("a/b", slashes as they come); NULL with e set when it is not there.  Follows no links. */
struct node *node_find(struct node *n, const char *path, struct err *e);

struct listing_options {
	int json, recursive, details, directory; /* --json -R -l -d */
};

/* The options of a verb that lists, and the handler of them (struct command.option), whose arg is the struct. */
extern const struct option listing_option_table[];
int listing_option(void *arg, int id, char **values);

/* Appends the listing of n; name: what a file alone is called. */
void listing_add(struct buf *b, const struct node *n, const char *name, const struct listing_options *o);

#endif
