/* SPDX-License-Identifier: MIT
 *
 * "Did you mean": the closest of some names to a mistyped one.
 */
#ifndef BASE_SUGGEST_H
#define BASE_SUGGEST_H

#include <stddef.h>

struct suggest {
	const char *word;
	size_t len;
	const char *best; /* NULL when nothing came close; borrowed from suggest_offer's caller */
	size_t best_len;
	int best_distance;
};

/* Starts a search for names near word (borrowed). */
void suggest_init(struct suggest *s, const char *word, size_t len);

/* Offers a candidate; kept when it is closer than those before and close enough to be a slip. */
void suggest_offer(struct suggest *s, const char *p, size_t n);

#endif
