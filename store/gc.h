/* SPDX-License-Identifier: MIT
 *
 * Collecting garbage: deleting what no root reaches.
 */
#ifndef STORE_GC_H
#define STORE_GC_H

#include "store/store.h"

/* Settings of nix.conf; who fills gc_options obeys them. */
struct gc_settings {
	int keep_outputs, keep_derivations;
};
extern struct gc_settings gc_settings;

enum gc_action {
	GC_DELETE_DEAD,	   /* all that no root reaches */
	GC_DELETE_PATHS,   /* exactly these, which must be dead */
	GC_LIST_DEAD,	   /* only say what would be deleted */
	GC_LIST_LIVE
};

struct gc_options {
	enum gc_action action;
	const struct path_set *paths; /* GC_DELETE_PATHS */
	int ignore_liveness;	      /* GC_DELETE_PATHS: also when a root reaches them (but not when another object does) */
	int skip_alive;		      /* GC_DELETE_PATHS: leave alone what may not be deleted, instead of failing */
	uint64_t max_freed;	      /* stop after so many bytes, 0: no limit */
	int keep_outputs;	      /* a live derivation keeps its outputs */
	int drop_derivations;	      /* a live output does not keep its derivation (Nix's keep-derivations = false) */
	/* Told of each object (or leftover, by file name) as it goes, or as it is listed. May be NULL. */
	void (*each)(void *arg, const char *base);
	void *arg;
};

struct gc_result {
	uint64_t freed; /* bytes on disk */
	size_t n;	/* objects and leftovers deleted or listed */
};

/* Runs it; a store that was opened for reading can be listed.  Other processes go on meanwhile: new temporary roots are taken over
 * a socket, as Nix does.  ERR_INVALID when one of `paths` is alive. */
int store_gc(struct store *s, const struct gc_options *o, struct gc_result *out, struct err *e);

#endif
