/* SPDX-License-Identifier: MIT
 *
 * Building what an evaluation named.  The two share nothing but what is in the store and this list, so that an evaluation
 * may be over when the building begins.
 */
#ifndef CLI_REALISE_H
#define CLI_REALISE_H

#include "build/build.h"
#include "cli/build_options.h"
#include "store/store.h"

/* What is to be built, in the order it was named in.  Malloc'd; zeroed is empty. */
struct build_targets {
	struct build_target *v;
	size_t n, cap;
};

/* Adds outputs of a derivation, their names copied; n 0 for all of them. */
void build_targets_add(struct build_targets *t, const struct store_path *drv, const struct slice *outputs, size_t n);

/* Has the targets from `first` on mean the outputs that a text names: "out,dev"; "*" is all.  Returns -1 when it names
 * none. */
int build_targets_name(struct build_targets *t, size_t first, const char *text);

/* Reads an operand that names what is in the store, "DRV^out,dev" or "PATH": outputs of a derivation are added, and object->len is
 * 0 then; any other object is made valid, out of a cache if need be, and is kept from the collector.  Cuts the word at '^'. */
int build_targets_read(struct build_targets *t, struct store *s, char *word, struct store_path *object, struct err *e);

void build_targets_release(struct build_targets *t);

/* Builds them; result says of each output which target it is of.  Errors as of build_realise. */
int realise(struct store *s, struct build_options *o, const struct build_targets *t, struct build_result *result,
	    struct err *e);

#endif
