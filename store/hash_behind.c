/* SPDX-License-Identifier: MIT
 *
 * Of adding a large file more than half is hashing, and the rest reading and writing.  So what is to be hashed is put down in
 * pieces for another thread: copying them takes a tenth of what hashing takes.  Most objects are small, and never see that
 * thread.
 */
#include "config.h"
#include "store/hash_behind.h"
#include "base/alloc.h"
#include "base/thread.h"

#include <stdlib.h>
#include <string.h>

enum {
	MUCH = 4 << 20, /* hashed without a thread */
	PIECE = 256 << 10
};

static char *piece(const struct hash_behind *h, size_t i)
{
	return h->bytes + i % HASH_BEHIND_PIECES * PIECE;
}

static void *work(void *arg)
{
	struct hash_behind *h = arg;

	pthread_mutex_lock(&h->lock);
	for (;;) {
		while (h->taken == h->put && !h->closed)
			pthread_cond_wait(&h->change, &h->lock);
		if (h->taken == h->put)
			break;
		pthread_mutex_unlock(&h->lock);
		hash_update(&h->ctx, piece(h, h->taken), h->len[h->taken % HASH_BEHIND_PIECES]);
		pthread_mutex_lock(&h->lock);
		h->taken++;
		pthread_cond_signal(&h->change);
	}
	pthread_mutex_unlock(&h->lock);
	return NULL;
}

void hash_behind_init(struct hash_behind *h, enum hash_algo algo)
{
	*h = (struct hash_behind){ .lock = PTHREAD_MUTEX_INITIALIZER, .change = PTHREAD_COND_INITIALIZER };
	hash_init(&h->ctx, algo);
}

static void start(struct hash_behind *h)
{
	h->bytes = xmalloc(HASH_BEHIND_PIECES * PIECE);
	h->threaded = !thread_start(&h->thread, work, h);
	h->alone = !h->threaded;
}

/* The piece that is being filled is for the thread from now on; waits until the next is free. */
static void hand_over(struct hash_behind *h)
{
	h->len[h->put % HASH_BEHIND_PIECES] = h->filling;
	h->filling = 0;
	pthread_mutex_lock(&h->lock);
	h->put++;
	pthread_cond_signal(&h->change);
	while (h->put - h->taken == HASH_BEHIND_PIECES)
		pthread_cond_wait(&h->change, &h->lock);
	pthread_mutex_unlock(&h->lock);
}

void hash_behind_feed(struct hash_behind *h, const void *p, size_t n)
{
	const char *from = p;

	h->seen += n;
	if (!h->threaded && !h->alone && h->seen > MUCH)
		start(h);
	if (!h->threaded) {
		hash_update(&h->ctx, p, n);
		return;
	}
	while (n) {
		size_t room = PIECE - h->filling, k = n < room ? n : room;

		memcpy(piece(h, h->put) + h->filling, from, k);
		h->filling += k;
		from += k;
		n -= k;
		if (h->filling == PIECE)
			hand_over(h);
	}
}

void hash_behind_final(struct hash_behind *h, struct hash *out)
{
	if (h->threaded) {
		if (h->filling)
			hand_over(h);
		pthread_mutex_lock(&h->lock);
		h->closed = 1;
		pthread_cond_signal(&h->change);
		pthread_mutex_unlock(&h->lock);
		pthread_join(h->thread, NULL);
	}
	free(h->bytes);
	pthread_cond_destroy(&h->change);
	pthread_mutex_destroy(&h->lock);
	hash_final(&h->ctx, out);
}
