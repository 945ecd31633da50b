/* SPDX-License-Identifier: MIT
 *
 * Collecting garbage while builds run.
 *
 * The collector has a thread and a store handle of its own, so that it is to the builds what another process's would be: temporary
 * roots keep from it what they use.  When a collection did not help, the next is not tried before things got worse.  That it fails
 * is no failure of a build, which may well find room.
 */
#include "config.h"
#include "build/build_space.h"
#include "base/alloc.h"
#include "base/thread.h"
#include "store/gc.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>

struct space_settings space_settings = { .max_free = UINT64_MAX, .interval = 5 };

struct space {
	const struct place *place;
	double next;	 /* when to look again */
	uint64_t left;	 /* what was free after the last collection */
	uint64_t wanted; /* bytes to free, of the one that runs */
	pthread_t thread;
	int running, done; /* done is set by the thread, under the lock */
	pthread_mutex_t lock;
};

struct space *space_begin(struct store *s)
{
	struct space *sp;

	if (!space_settings.min_free || store_place(s)->mode == PLACE_VIEW)
		return NULL;
	sp = xcalloc(1, sizeof *sp);
	sp->place = store_place(s);
	sp->left = UINT64_MAX;
	pthread_mutex_init(&sp->lock, NULL);
	return sp;
}

/* A test says in a file how much is free, since no test can fill a disk. */
static int free_by_file(uint64_t *out)
{
	const char *path = getenv("_NIX_TEST_FREE_SPACE_FILE");
	FILE *f = path ? fopen(path, "re") : NULL;
	unsigned long long n;
	int known = f && fscanf(f, "%llu", &n) == 1;

	if (f)
		fclose(f);
	if (known)
		*out = n;
	return known;
}

/* Bytes; as many as there can be where nobody says. */
static uint64_t free_now(const struct space *sp)
{
	struct statvfs st;
	uint64_t n;

	if (free_by_file(&n))
		return n;
	return statvfs(sp->place->real_store, &st) ? UINT64_MAX : (uint64_t)st.f_bavail * st.f_frsize;
}

static void *collect(void *arg)
{
	struct space *sp = arg;
	struct gc_options o = { .action = GC_DELETE_DEAD, .max_freed = sp->wanted, .keep_outputs = gc_settings.keep_outputs,
				.drop_derivations = !gc_settings.keep_derivations };
	struct gc_result r;
	struct store *s = NULL;
	struct err e = ERR_INIT;

	if (!store_open(&s, sp->place, 0, &e))
		store_gc(s, &o, &r, &e);
	store_free(s);
	err_release(&e);
	pthread_mutex_lock(&sp->lock);
	sp->done = 1;
	pthread_mutex_unlock(&sp->lock);
	return NULL;
}

static void start(struct space *sp, uint64_t wanted)
{
	sp->wanted = wanted;
	sp->done = 0;
	sp->running = !thread_start(&sp->thread, collect, sp);
}

/* 1 when it is over. */
static int is_over(struct space *sp)
{
	int done;

	pthread_mutex_lock(&sp->lock);
	done = sp->done;
	pthread_mutex_unlock(&sp->lock);
	if (!done)
		return 0;
	pthread_join(sp->thread, NULL);
	sp->running = 0;
	sp->left = free_now(sp);
	return 1;
}

double space_look(struct space *sp, double now)
{
	uint64_t n;

	if (now < sp->next)
		return sp->next;
	sp->next = now + (space_settings.interval ? space_settings.interval : 1);
	if (sp->running && !is_over(sp))
		return sp->next;
	n = free_now(sp);
	if (n < space_settings.min_free && n < space_settings.max_free && (double)n <= (double)sp->left * 0.97)
		start(sp, space_settings.max_free - n);
	return sp->next;
}

void space_end(struct space *sp)
{
	if (!sp)
		return;
	if (sp->running)
		pthread_join(sp->thread, NULL);
	pthread_mutex_destroy(&sp->lock);
	free(sp);
}
