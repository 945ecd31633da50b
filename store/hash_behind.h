/* SPDX-License-Identifier: MIT
 *
 * A hash of what passes by, computed on a core of its own when that is much.
 */
#ifndef STORE_HASH_BEHIND_H
#define STORE_HASH_BEHIND_H

#include "format/hash.h"

#include <pthread.h>

enum { HASH_BEHIND_PIECES = 4 };

struct hash_behind {
	/* private */
	struct hash_ctx ctx;
	uint64_t seen;
	int threaded, alone; /* alone: no thread could be had */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t change;
	char *bytes;				 /* of all pieces */
	size_t len[HASH_BEHIND_PIECES], filling; /* filling: bytes in the next piece */
	size_t put, taken;			 /* pieces so far; under the lock, as is closed */
	int closed;
};

void hash_behind_init(struct hash_behind *h, enum hash_algo algo);
void hash_behind_feed(struct hash_behind *h, const void *p, size_t n);

/* Waits for the rest, and releases h. */
void hash_behind_final(struct hash_behind *h, struct hash *out);

#endif
