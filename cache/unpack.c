/* SPDX-License-Identifier: MIT
 *
 * The bytes between the thread of transfers and this one lie in a buffer that one appends to and the other takes as a whole: there
 * is room as long as it is not full, and it is never more than full and a piece.
 */
#include "config.h"
#include "cache/unpack.h"
#include "base/alloc.h"
#include "base/fdio.h"
#include "base/thread.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FULL = 1 << 20, PIECE = 1 << 17 };

struct unpacker {
	struct unpack_job job;
	pthread_t thread;
	struct err err;
	int rc;

	pthread_mutex_t lock; /* for what follows */
	pthread_cond_t more;
	struct buf waiting;
	uint64_t pushed;
	int restart, finished, failed, done;
	int asked; /* somebody waits for room */
};

/* --- the thread --- */

enum { AGAIN = 1 };

/* The next bytes, in place of *b's: 0, AGAIN for from the beginning, or how it went.  *last: none follow. */
static int take(struct unpacker *u, struct buf *b, int *last)
{
	int rc = 0, wake = 0;

	buf_trim(b, 0);
	pthread_mutex_lock(&u->lock);
	while (!u->waiting.len && !u->finished && !u->restart)
		pthread_cond_wait(&u->more, &u->lock);
	if (u->restart) {
		u->restart = 0;
		rc = AGAIN;
	} else if (u->failed) {
		rc = err_set(&u->err, ERR_NETWORK, "it did not come whole");
	} else {
		struct buf t = *b;

		*b = u->waiting;
		u->waiting = t;
		*last = u->finished;
	}
	wake = u->asked;
	u->asked = 0;
	pthread_mutex_unlock(&u->lock);
	if (wake && u->job.wake)
		u->job.wake(u->job.user);
	return rc;
}

static int from_queue(struct unpacker *u, struct codec *c)
{
	struct buf b = BUF_INIT;
	int rc = 0;

	for (int last = 0; !rc && !last;) {
		rc = take(u, &b, &last);
		if (!rc && b.len)
			rc = codec_feed(c, b.p, b.len, &u->err);
	}
	buf_release(&b);
	return rc;
}

static int from_file(struct unpacker *u, struct codec *c)
{
	char *piece = xmalloc(PIECE);
	ssize_t n = 1;
	int rc = 0;

	while (!rc && (n = fd_read(u->job.from, piece, PIECE)) > 0) {
		u->pushed += (uint64_t)n;
		if (u->pushed > u->job.packed_max)
			rc = err_set(&u->err, ERR_LIMIT, "the file is larger than its archive can be");
		else
			rc = codec_feed(c, piece, (size_t)n, &u->err);
	}
	if (!rc && n < 0)
		rc = err_errno(&u->err, "cannot read it");
	free(piece);
	return rc;
}

static int feed_object(void *user, const void *p, size_t n, struct err *e)
{
	return object_feed(user, p, n, e);
}

static int check_size(struct unpacker *u)
{
	if (!u->job.packed_size || u->pushed == u->job.packed_size)
		return 0;
	return err_set(&u->err, ERR_INVALID, "it has %llu bytes, and was announced with %llu", (unsigned long long)u->pushed,
		       (unsigned long long)u->job.packed_size);
}

/* AGAIN: what came was void. */
static int unpack_once(struct unpacker *u)
{
	struct object_writer *w = NULL;
	struct codec *c = NULL;
	struct nar_sink sink = { feed_object, NULL };
	int rc = object_begin(&w, u->job.to, u->job.name, &u->job.facts, &u->err);

	sink.user = w;
	rc = rc ? rc : decompress_open(&c, u->job.compression, &sink, &u->err);
	if (!rc)
		rc = u->job.from >= 0 ? from_file(u, c) : from_queue(u, c);
	rc = rc ? rc : codec_end(c, &u->err);
	rc = rc ? rc : check_size(u);
	codec_free(c);
	if (!w)
		return rc;
	/* What is void is removed as a failure is. */
	int ended = object_end(w, rc == AGAIN ? ERR_NETWORK : rc, rc == AGAIN ? NULL : &u->err);

	return rc ? rc : ended;
}

static void *run(void *arg)
{
	struct unpacker *u = arg;
	int rc;

	while ((rc = unpack_once(u)) == AGAIN)
		object_facts_release(&u->job.facts);
	u->rc = rc;
	pthread_mutex_lock(&u->lock);
	u->done = 1;
	pthread_mutex_unlock(&u->lock);
	if (u->job.wake)
		u->job.wake(u->job.user);
	return NULL;
}

/* --- the other side --- */

int unpacker_start(struct unpacker **out, const struct unpack_job *job, struct err *e)
{
	struct unpacker *u = xcalloc(1, sizeof *u);
	int code;

	u->job = *job;
	pthread_mutex_init(&u->lock, NULL);
	pthread_cond_init(&u->more, NULL);
	code = thread_start(&u->thread, run, u);
	*out = code ? NULL : u;
	if (!code)
		return 0;
	if (job->from >= 0)
		close(job->from);
	free(u);
	return err_set(e, ERR_IO, "cannot start a thread: %s", strerror(code));
}

int unpacker_room(struct unpacker *u)
{
	pthread_mutex_lock(&u->lock);
	int room = u->waiting.len < FULL || u->done;

	u->asked |= !room;
	pthread_mutex_unlock(&u->lock);
	return room;
}

int unpacker_push(struct unpacker *u, const void *p, size_t n, struct err *e)
{
	int rc = 0;

	pthread_mutex_lock(&u->lock);
	u->pushed += n;
	if (u->done)
		rc = err_set(e, ERR_INVALID, "it cannot be unpacked");
	else
		buf_add(&u->waiting, p, n);
	pthread_cond_signal(&u->more);
	pthread_mutex_unlock(&u->lock);
	return rc;
}

void unpacker_restart(struct unpacker *u)
{
	pthread_mutex_lock(&u->lock);
	buf_trim(&u->waiting, 0);
	u->pushed = 0;
	u->restart = 1;
	pthread_cond_signal(&u->more);
	pthread_mutex_unlock(&u->lock);
}

void unpacker_finish(struct unpacker *u, int failed)
{
	pthread_mutex_lock(&u->lock);
	u->finished = 1;
	u->failed |= failed;
	pthread_cond_signal(&u->more);
	pthread_mutex_unlock(&u->lock);
}

int unpacker_is_done(struct unpacker *u)
{
	pthread_mutex_lock(&u->lock);
	int done = u->done;

	pthread_mutex_unlock(&u->lock);
	return done;
}

int unpacker_join(struct unpacker *u, struct object_facts *facts, struct err *e)
{
	int rc;

	pthread_join(u->thread, NULL);
	rc = u->rc;
	*facts = u->job.facts;
	if (rc)
		err_set(e, rc, "%s", u->err.msg ? u->err.msg : "it cannot be unpacked");
	err_release(&u->err);
	if (u->job.from >= 0)
		close(u->job.from);
	pthread_mutex_destroy(&u->lock);
	pthread_cond_destroy(&u->more);
	buf_release(&u->waiting);
	free(u);
	return rc;
}
