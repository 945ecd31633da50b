/* SPDX-License-Identifier: MIT
 *
 * Locking: from a flake to the graph of everything it depends on.
 */
#ifndef FLAKE_INPUTS_H
#define FLAKE_INPUTS_H

#include "eval/error.h"
#include "flake/flake.h"

struct lock_override {
	struct input_path path;
	struct input ref;
};

/* What the command line says about locking.  Arrays are malloc'd or static. */
struct lock_options {
	struct lock_override *overrides;
	size_t noverrides;
	struct input_path *updates;
	size_t nupdates;
	int recreate;  /* as if there were no lock file */
	int complete;  /* what an older lock file leaves open is settled */
	int no_update; /* changes to the lock file are an error */
	int no_write;  /* the new graph is used but not written */
	int check;     /* a change is an error and nothing is written: to see whether the lock file is up to date */
	int in_ci;     /* changes are an error, since nobody would commit them */
	int must_write; /* an input that nothing pins is an error, not a warning */
	int allow_dirty_locks; /* a hash is pin enough */
	int commit;
	const char *summary; /* of the commit; NULL or "": what fits */
	const char *reference_file, *output_file; /* lock files in place of the flake's own; NULL */
	int only_locked; /* nothing may be fetched that is not pinned: pure evaluation */
	int by_expression; /* restricted evaluation holds for the inputs: an expression asks for the flake */
	void (*message)(const char *text); /* notices and warnings for people; NULL drops them */
};

/* On the collected heap. */
struct locked_flake {
	struct flake *flake;
	struct lockfile lock;
	int changed; /* the graph is not what the flake's lock file says, and that was not written */
};

/* Reads the flake's lock file, completes it, and writes it when it changed.  Throws. */
struct locked_flake *flake_lock(const struct input *ref, const struct lock_options *o);

/* Raises what kept an input from being fetched, with what can be done about it. */
void input_advise(const struct input *ref, const char *name, struct failure *f) __attribute__((noreturn));

/* The flake's lock file as it is; without inputs when there is none.  Throws. */
struct lockfile flake_lock_file(const struct flake *f);

/* The same without fetching the flake, for one in a folder of a tree. */
struct locked_flake *flake_lock_read(struct flake *f, const struct lock_options *o);

#endif
