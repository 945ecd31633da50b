/* SPDX-License-Identifier: MIT
 *
 * A file system with a journal lets whoever removes a file wait, now and then for the disk: one after the other, ten thousand
 * small files took 22 s on a busy disk, and eight at a time 6 s, for the same work of the processor.  So there are more threads
 * than cores, and what they wait for they wait for together.
 *
 * Only the caller's thread speaks with other processes.  What it knows and what the threads do meets in the states below, under
 * the lock.
 */
#include "config.h"
#include "store/gc_remove.h"
#include "base/alloc.h"
#include "base/thread.h"
#include "store/store_int.h"
#include "store/tree.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { THREADS = 8, LISTEN_NS = 2000000 };

enum removal_state { QUEUED, BUSY, AWAITED /* busy, and somebody waits for the end */, DONE };

struct gc_removal {
	struct store *s;
	const struct path_set *v;
	atomic_int stop;

	pthread_mutex_t lock;
	pthread_cond_t change;
	unsigned char *state; /* of each */
	size_t next, awaited;
	unsigned running; /* threads */
	uint64_t freed;
	int rc;
	struct err err; /* of the first that failed */
};

static int stopped(void *user)
{
	struct gc_removal *r = user;

	return atomic_load(&r->stop);
}

/* The next that nobody needs; with the lock. */
static int take(struct gc_removal *r, size_t *i)
{
	while (r->next < r->v->n && r->state[r->next] != QUEUED)
		r->next++;
	*i = r->next;
	return !r->rc && !atomic_load(&r->stop) && r->next < r->v->n;
}

static void finished(struct gc_removal *r, size_t i, uint64_t freed, int rc, struct err *e)
{
	r->awaited -= r->state[i] == AWAITED;
	r->state[i] = DONE;
	r->freed += freed;
	if (rc && !r->rc) {
		r->rc = rc;
		r->err = *e;
	} else {
		err_release(e);
	}
}

static void *work(void *arg)
{
	struct gc_removal *r = arg;
	const struct tree_pause pause = { stopped, r };
	size_t i;

	pthread_mutex_lock(&r->lock);
	while (take(r, &i)) {
		struct err e = ERR_INIT;
		uint64_t freed = 0;

		r->state[i] = BUSY;
		pthread_mutex_unlock(&r->lock);
		int rc = tree_remove(r->s->fd, r->v->v[i].base, &freed, &pause, &e);
		pthread_mutex_lock(&r->lock);
		finished(r, i, freed, rc, &e);
	}
	r->running--;
	pthread_cond_signal(&r->change);
	pthread_mutex_unlock(&r->lock);
	return NULL;
}

int gc_removal_spare(struct gc_removal *r, const struct store_path *p)
{
	int wait = 0;

	pthread_mutex_lock(&r->lock);
	for (size_t i = 0; i < r->v->n; i++) {
		if (memcmp(r->v->v[i].base, p->base, STORE_HASH_LEN))
			continue;
		if (r->state[i] == QUEUED)
			r->state[i] = DONE;
		else if (r->state[i] == BUSY)
			r->awaited++, r->state[i] = AWAITED;
		wait |= r->state[i] == AWAITED;
	}
	pthread_mutex_unlock(&r->lock);
	return wait;
}

/* Called with the lock, which is not held while others are listened to. */
static void listen_once(struct gc_removal *r, const struct gc_meanwhile *m)
{
	int awaited = r->awaited > 0, rc;

	pthread_mutex_unlock(&r->lock);
	if (!awaited)
		m->answer(m->arg);
	rc = m->listen(m->arg);
	if (rc)
		atomic_store(&r->stop, rc);
	pthread_mutex_lock(&r->lock);
}

/* Until the threads have ended. */
static void listen_meanwhile(struct gc_removal *r, const struct gc_meanwhile *m)
{
	struct timespec until;

	pthread_mutex_lock(&r->lock);
	while (r->running) {
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += LISTEN_NS;
		if (until.tv_nsec >= 1000000000) {
			until.tv_sec++;
			until.tv_nsec -= 1000000000;
		}
		pthread_cond_timedwait(&r->change, &r->lock, &until);
		listen_once(r, m);
	}
	pthread_mutex_unlock(&r->lock);
}

int gc_remove_all(struct store *s, const struct path_set *v, const struct gc_meanwhile *m, struct gc_removal **running,
		  uint64_t *freed, struct err *e)
{
	struct gc_removal r = { .s = s, .v = v, .lock = PTHREAD_MUTEX_INITIALIZER, .change = PTHREAD_COND_INITIALIZER };
	pthread_t threads[THREADS];
	size_t started = 0, most = v->n < THREADS ? v->n : THREADS;

	r.err = (struct err)ERR_INIT;
	r.state = xcalloc(v->n + 1, 1);
	*running = &r;
	pthread_mutex_lock(&r.lock);
	while (started < most && !thread_start(&threads[started], work, &r))
		r.running = (unsigned)++started;
	pthread_mutex_unlock(&r.lock);
	if (!started && v->n) {
		/* Who speaks up meanwhile is answered afterwards. */
		r.running = 1;
		work(&r);
	}
	listen_meanwhile(&r, m);
	while (started)
		pthread_join(threads[--started], NULL);
	*running = NULL;
	m->answer(m->arg);
	*freed += r.freed;
	free(r.state);
	if (atomic_load(&r.stop) || !r.rc || !e) {
		err_release(&r.err);
		return atomic_load(&r.stop) ? atomic_load(&r.stop) : r.rc;
	}
	*e = r.err;
	return r.rc;
}
