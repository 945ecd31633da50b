/* SPDX-License-Identifier: MIT
 *
 * The outputs of a flake, one by one: what stands where.
 */
#ifndef CLI_OUTPUTS_H
#define CLI_OUTPUTS_H

#include "eval/value.h"

#include <stddef.h>

enum { DEPTH_MAX = 32 };

/* A place in the outputs. */
struct spot {
	const char *name[DEPTH_MAX];
	size_t n;
	W value;
};

enum what { IS_SET, IS_LEAF, IS_OMITTED };

/* What one spot turned out to be: a text for people, a type and perhaps name and description for programs. */
struct found {
	enum what what;
	const char *text, *type;
	const char *name, *description;
};

struct look {
	struct spot *s;
	W *slot; /* where its value is; NULL: in s */
	int legacy, all_systems;
	int lenient; /* what is no derivation where one should be is no error, but left out */
	struct found f;
};

/* Is the first name of the spot one of these words? */
int output_is(const struct spot *s, const char *words);

/* Is it all that is there for a system that is not this one? */
int output_of_another_system(const struct spot *s);

/* Calls fn with each member of the set at s, s naming the member and slot its value; last: no other follows.  Throws. */
void outputs_walk(struct spot *s, void (*fn)(void *user, struct spot *s, W *slot, int last), void *user);

/* Evaluates it as far as it must be and fills l->f.  Throws. */
void output_look(struct look *l);

#endif
