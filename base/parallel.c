/* SPDX-License-Identifier: MIT
 *
 * The caller works as well, so that on one core, or where no thread can be started, nothing is different.  Indices are
 * given out one at a time: sizes of what lies behind them differ by orders of magnitude.
 */
#include "config.h"
#include "base/parallel.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

struct work {
	size_t n;
	atomic_size_t next;
	atomic_uint workers;
	void (*each)(void *arg, unsigned worker, size_t i);
	void *arg;
};

unsigned parallel_workers(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n < 1 ? 1 : n > PARALLEL_MAX ? PARALLEL_MAX : (unsigned)n;
}

static void *worker(void *arg)
{
	struct work *w = arg;
	unsigned me = atomic_fetch_add(&w->workers, 1);

	for (size_t i; (i = atomic_fetch_add(&w->next, 1)) < w->n;)
		w->each(w->arg, me, i);
	return NULL;
}

void parallel_each(size_t n, void (*each)(void *arg, unsigned worker, size_t i), void *arg)
{
	struct work w = { .n = n, .each = each, .arg = arg };
	pthread_t threads[PARALLEL_MAX];
	unsigned started = 0, want = parallel_workers();

	while (started + 1 < want && started + 1 < n && !pthread_create(&threads[started], NULL, worker, &w))
		started++;
	worker(&w);
	while (started)
		pthread_join(threads[--started], NULL);
}
