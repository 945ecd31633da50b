/* SPDX-License-Identifier: MIT
 *
 * Outputs of several builds are put into the store together.
 *
 * Waiting for the disk takes longer than many builds do.  So a thread waits, for all that was made until then, while other builders
 * run; what is made meanwhile is put into the store next.  That begins at once when a builder could run and none does, since it may
 * be one that waits for these outputs; otherwise a little later, for more to come together.
 *
 * A job that waits holds the locks of its outputs; nobody is told of the build before they are valid.
 */
#include "config.h"
#include "base/alloc.h"
#include "base/thread.h"
#include "build/build_int.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

static const double linger = 0.1; /* seconds */

struct placing {
	struct job **jobs;
	struct commit **commits;
	size_t n;
	pthread_t thread;
	int threaded;
	int fd; /* readable once all are in place */
};

static void *place(void *arg)
{
	const struct placing *p = arg;

	commit_place(p->commits, p->n);
	if (p->fd >= 0)
		eventfd_write(p->fd, 1);
	return NULL;
}

void commit_add(struct build *b, struct job *j)
{
	for (size_t i = 0; i < b->njobs; i++)
		if (b->jobs[i] == j) {
			b->jobs[i] = b->jobs[--b->njobs];
			break;
		}
	job_rest(j);
	if (!b->nmade)
		b->made_since = build_now();
	b->made[b->nmade++] = j;
}

int commit_has_room(const struct build *b)
{
	return b->nmade < BUILD_WAITING;
}

double commit_time(const struct build *b)
{
	return b->nmade && !b->placing ? b->made_since + linger : build_now() + 3600;
}

int commit_fd(const struct build *b)
{
	return b->placing ? b->placing->fd : -1;
}

int commit_start(struct build *b, int idle)
{
	struct placing *p;

	if (b->placing || !b->nmade || !(idle || !commit_has_room(b) || build_now() >= b->made_since + linger))
		return 0;
	p = xcalloc(1, sizeof *p);
	p->jobs = xcalloc(b->nmade, sizeof(struct job *));
	p->commits = xcalloc(b->nmade, sizeof(struct commit *));
	for (size_t i = 0; i < b->nmade; i++) {
		p->jobs[i] = b->made[i];
		p->commits[i] = b->made[i]->made.commit;
	}
	p->n = b->nmade;
	b->nmade = 0;
	b->placing = p;
	p->fd = eventfd(0, EFD_CLOEXEC);
	p->threaded = p->fd >= 0 && !thread_start(&p->thread, place, p);
	if (p->threaded)
		return 0;
	place(p);
	commit_done(b);
	return 1;
}

void commit_done(struct build *b)
{
	struct placing *p = b->placing;

	if (p->threaded)
		pthread_join(p->thread, NULL);
	b->placing = NULL;
	for (size_t i = 0; i < p->n; i++) {
		struct err e = ERR_INIT;
		int rc = build_outputs_end(p->jobs[i], &e);

		build_node_ended(b, p->jobs[i]->node, rc, &e);
	}
	if (p->fd >= 0)
		close(p->fd);
	free(p->jobs);
	free(p->commits);
	free(p);
}

void commit_all(struct build *b)
{
	while (b->placing || b->nmade) {
		if (b->placing)
			commit_done(b);
		commit_start(b, 1);
	}
}
