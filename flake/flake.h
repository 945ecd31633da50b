/* SPDX-License-Identifier: MIT
 *
 * A flake as its file says it: description, inputs, outputs.  Nothing is resolved here; flake/inputs.h does that.
 */
#ifndef FLAKE_FLAKE_H
#define FLAKE_FLAKE_H

#include "flake/lockfile.h"
#include "flake/registry.h"
#include "flake/source.h"

/* In the flake arena. */
struct flake_input {
	struct slice name;
	uint32_t pos; /* where the flake names it, 0 when only its lock does */
	int is_flake;
	int has_ref, has_follows;
	struct input ref;
	struct input_path follows; /* from the root of the lock file */
	struct flake_input *overrides; /* inputs.NAME.inputs */
	size_t noverrides;
};

/* On the collected heap. */
struct flake {
	const struct flake_tree *tree;
	struct input original, resolved, locked; /* `dir` included; resolved: with an address where the first is a name */
	const char *dir;	 /* logical folder of the flake's file */
	const char *file;	 /* "flake.gx" or "flake.nix" */
	const char *description; /* NULL without */
	struct flake_input *inputs; /* in byte order of names */
	size_t ninputs;
	struct input self; /* how it wants to be fetched itself: attributes of inputs.self */
	W outputs; /* function */
	W config;  /* gxConfig or nixConfig, a set or W_NULL; never applied by itself */
};

/* The flake in a folder of a tree; follows are read as starting at `prefix`.  Throws. */
struct flake *flake_read(const struct input *ref, const struct flake_tree *tree, const char *dir,
			 const struct input_path *prefix);

/* Looks a reference up, fetches it and reads the flake in it. Throws. */
struct flake *flake_get(const struct input *ref, const struct input_path *prefix, enum registry_use use);

/* Why Nix would not take a flake.nix that is taken here, for people, collected; NULL when it would.  Throws. */
const char *flake_not_for_nix(const struct flake *f);

/* The folder that `dir` of a reference means in a tree, logical, in the flake arena.  Throws when it leads out of it. */
const char *flake_dir(const struct flake_tree *tree, const char *below, const struct input *ref);

/* The path of the flake's lock file, logical. */
W flake_lock_path(const struct flake *f);

#endif
