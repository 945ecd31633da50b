/* SPDX-License-Identifier: MIT
 *
 * A timer signal sets the evaluating thread's stack limit to the top of memory, so the next check_stack
 * takes its slow path, which takes the sample: evaluation pays nothing for the profiler when it is off and
 * the signal handler touches nothing else.
 *
 * A stack is kept as the text it is written as; equal ones are counted together.
 */
#include "config.h"
#include "base/buf.h"
#include "base/source.h"
#include "base/strmap.h"
#include "eval/builtin.h"
#include "eval/profile.h"
#include "eval/state.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

enum { SAMPLE_DEPTH = 1000 };

static char *volatile *limit;
static char *real_limit;
static struct strmap *samples;

static void on_timer(int sig)
{
	(void)sig;
	*limit = (char *)UINTPTR_MAX;
}

static void frame_name(struct buf *b, const struct rec *r)
{
	struct source_loc at;

	if (r->kind == REC_BUILTIN) {
		buf_addf(b, "builtins.%s", ((const struct builtin *)r->p)->name);
		return;
	}
	const struct n_lambda *l = r->p;
	buf_adds(b, l->name ? sym_name(l->name)->b : "(anonymous)");
	if (!source_locate(l->h.pos, &at))
		buf_addf(b, " %s:%u:%u", source_shown_name(at.src), at.line, at.column);
}

static void take_sample(void)
{
	const struct rec *v[SAMPLE_DEPTH];
	struct buf b = BUF_GC;
	uint32_t n = 0;

	for (const struct rec *r = es.top; r && n < SAMPLE_DEPTH; r = r->up)
		if (r->kind == REC_CALL || r->kind == REC_BUILTIN)
			v[n++] = r;
	while (n-- > 0) {
		if (b.len)
			buf_addc(&b, ';');
		frame_name(&b, v[n]);
	}
	if (b.len)
		++*strmap_put(samples, b.p, b.len, NULL);
}

int profile_event(void)
{
	if (!samples || es.stack_limit == real_limit)
		return 0;
	es.stack_limit = real_limit;
	if ((char *)__builtin_frame_address(0) < real_limit)
		return 0;
	take_sample();
	return 1;
}

void profile_start(unsigned interval_us)
{
	struct sigaction sa = { .sa_handler = on_timer, .sa_flags = SA_RESTART };
	struct itimerval t = { .it_interval = { 0, (suseconds_t)interval_us }, .it_value = { 0, (suseconds_t)interval_us } };

	samples = mem_root(sizeof *samples);
	limit = (char *volatile *)&es.stack_limit;
	real_limit = es.stack_limit;
	sigaction(SIGPROF, &sa, NULL);
	setitimer(ITIMER_PROF, &t, NULL);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void profile_stop(FILE *out)
{
	struct itimerval off = { 0 };

	setitimer(ITIMER_PROF, &off, NULL);
	es.stack_limit = real_limit;
	char **lines = mem_new(mem_size(samples->n + 1, sizeof *lines, 0));
	size_t n = 0;
	const char *key;
	size_t len;
	uint64_t *count;
	for (size_t i = 0; strmap_next(samples, &i, &key, &len, &count);) {
		struct buf b = BUF_GC;
		buf_add(&b, key, len);
		buf_addf(&b, " %llu\n", (unsigned long long)*count);
		lines[n++] = b.p;
	}
	qsort(lines, n, sizeof *lines, by_text);
	for (size_t i = 0; i < n; i++)
		fputs(lines[i], out);
}
