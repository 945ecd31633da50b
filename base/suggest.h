/* SPDX-License-Identifier: MIT
 *
 * "Did you mean": the closest of some names to a mistyped one.
 */
#ifndef BASE_SUGGEST_H
#define BASE_SUGGEST_H

#include "base/buf.h"

enum { SUGGEST_MAX = 5 };

struct suggest {
	const char *word;
	size_t len;
	const char *best; /* NULL when nothing came close; borrowed from suggest_offer's caller */
	size_t best_len;
	int best_distance;

	/* private */
	struct suggest_near {
		const char *p;
		size_t n;
		int distance;
	} near[SUGGEST_MAX]; /* the nearest first */
	int n_near, limit;
};

/* Starts a search for names near word (borrowed). */
void suggest_init(struct suggest *s, const char *word, size_t len);

/* Offers a candidate; kept when it is closer than those before and close enough to be a slip. */
void suggest_offer(struct suggest *s, const char *p, size_t n);

/* Appends "Did you mean foo?", or "Did you mean one of foo, fo or bar?" where others are hardly farther away than the nearest;
 * nothing when there is none. */
void suggest_ask(const struct suggest *s, struct buf *b);

#endif
