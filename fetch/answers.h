/* SPDX-License-Identifier: MIT
 *
 * Answers: what evaluations came to, kept in the user's cache (fetch/cache.h) with the trail (fetch/trail.h) that tells whether
 * they still would.
 *
 * Each is a file in answers/, named by the hash of the question, in the byte order of the machine:
 *
 *     "gx-answ\n"  u64 size of all  u64 sum of what follows
 *     u64 lengths of question, answer, reason, trail  i64 when it was made, in nanoseconds since 1970
 *     question  answer  reason  trail     each filled to a multiple of 8
 *
 * The reason is why the answer before it did not hold any more.  An answer is replaced as a whole, and who keeps one later wins.
 * Nothing is synced: the sum says what is whole.  Nothing here fails loudly: what cannot be read is not there, and
 * what cannot be written is not kept.
 */
#ifndef FETCH_ANSWERS_H
#define FETCH_ANSWERS_H

#include "base/slice.h"

#include <stdint.h>

#define ANSWER_SECOND 1000000000

/* In memory of its own, to be released. */
struct answer {
	struct slice question, answer, reason;
	char *trail; /* aligned for fetch/trail.h, which may bring it up to date */
	size_t trail_len;
	int64_t at;

	char *memory; /* private */
};

/* The answer to a question.  Returns 1, or 0 when there is none. */
int answer_get(struct slice question, struct answer *out);
void answer_release(struct answer *a);

/* Keeps one; at 0: it was made now. */
void answer_put(const struct answer *a);

/* Forgets it. */
void answer_drop(struct slice question);

/* Calls fn with each answer there is, in no order; it may not keep it. */
void answer_each(void (*fn)(void *user, struct answer *a), void *user);

#endif
