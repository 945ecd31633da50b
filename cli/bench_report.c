/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "cli/bench_report.h"
#include "base/json.h"
#include "cli/command.h"
#include "cli/width.h"

#include <math.h>
#include <string.h>

/* --- for people --- */

/* Four digits that count. */
static void add_number(struct buf *b, double d)
{
	buf_addf(b, fabs(d) >= 10000 ? "%.0f" : "%.4g", d);
}

static void add_limit(struct buf *b, const char *name, int asked, int holds, const struct buf *said)
{
	if (asked)
		buf_addf(b, "; %s: %s%s", name, holds ? "" : "not limited, ", buf_str(said));
}

static void add_head(struct buf *b, const struct bench_report *r)
{
	const struct bench_limits *l = r->limits;

	buf_addf(b, "%u run%s after %u to warm up; processors: %s", r->runs, r->runs == 1 ? "" : "s", r->warmup,
		 buf_str(&l->said_cpus));
	add_limit(b, "memory", l->memory != 0, l->has_memory, &l->said_memory);
	add_limit(b, "processes", l->processes != 0, l->has_processes, &l->said_processes);
	buf_addc(b, '\n');
}

static void pad(struct buf *b, size_t from, size_t width)
{
	size_t used = width_of((struct slice){ b->p + from, b->len - from });

	for (; used < width; used++)
		buf_addc(b, ' ');
}

static size_t widest_name(const struct bench_samples *s)
{
	size_t w = 0;

	for (size_t i = 0; i < s->n; i++) {
		size_t n = width_of(slice_of(s->v[i].name));
		w = n > w ? n : w;
	}
	return w;
}

static void add_change(struct buf *b, const struct bench_series *now, const struct bench_series *then)
{
	double p = bench_compare(now->v, now->s.kept, then->v, then->s.kept);

	buf_adds(b, "  was ");
	add_number(b, then->s.median);
	if (p >= BENCH_ALPHA)
		buf_adds(b, ": no difference that tells");
	else if (then->s.median != 0)
		buf_addf(b, ": %+.2f %%", (now->s.median / then->s.median - 1) * 100);
	buf_addf(b, " (p=%.3f, n=%zu+%zu)", p, then->s.kept, now->s.kept);
}

static void add_line(struct buf *b, const struct bench_report *r, const struct bench_series *s, size_t width)
{
	const struct bench_series *then = r->baseline ? bench_find(r->baseline, s) : NULL;
	size_t from = b->len;

	buf_addf(b, "  %s", s->name);
	pad(b, from, width + 4);
	from = b->len;
	add_number(b, s->s.median);
	buf_addf(b, " %s", s->unit);
	pad(b, from, 18);
	buf_addf(b, "± %.1f %%  n=%zu", s->s.spread * 100, s->s.kept);
	if (s->s.kept < s->s.n)
		buf_addf(b, ", %zu outlier%s", s->s.n - s->s.kept, s->s.n - s->s.kept == 1 ? "" : "s");
	if (then)
		add_change(b, s, then);
	else if (r->baseline)
		buf_adds(b, "  new");
	buf_addc(b, '\n');
}

void bench_add_text(struct buf *b, const struct bench_report *r)
{
	size_t width = widest_name(r->samples);
	const char *package = "";

	add_head(b, r);
	for (size_t i = 0; i < r->samples->n; i++) {
		const struct bench_series *s = &r->samples->v[i];

		if (strcmp(s->package, package))
			buf_addf(b, "%s\n", package = s->package);
		add_line(b, r, s, width);
	}
	for (size_t i = 0; r->baseline && i < r->baseline->n; i++)
		if (!bench_find(r->samples, &r->baseline->v[i]))
			buf_addf(b, "  %s (%s) is in the baseline only\n", r->baseline->v[i].name, r->baseline->v[i].unit);
	if (r->profiles)
		buf_addf(b, "profiles are in %s\n", r->profiles);
}

/* --- JSON --- */

static void add_key(struct buf *b, const char *key)
{
	buf_addf(b, "%s\"%s\":", b->p[b->len - 1] == '{' ? "" : ",", key);
}

/* Bytes that are no UTF-8 are not shown. */
static void add_string(struct buf *b, const char *s)
{
	size_t at = b->len;

	if (json_add_string(b, s, strlen(s))) {
		buf_trim(b, at);
		buf_adds(b, "null");
	}
}

static void add_held(struct buf *b, const char *key, uint64_t limit, int holds, const struct buf *said)
{
	add_key(b, key);
	buf_addf(b, "{\"limit\":%llu,\"holds\":%s,\"by\":", (unsigned long long)limit, holds ? "true" : "false");
	add_string(b, buf_str(said));
	buf_addc(b, '}');
}

static void add_double(struct buf *b, const char *key, double d)
{
	add_key(b, key);
	json_add_double(b, d);
}

static void add_baseline(struct buf *b, const struct bench_series *now, const struct bench_series *then)
{
	double p = bench_compare(now->v, now->s.kept, then->v, then->s.kept);

	add_key(b, "baseline");
	buf_addc(b, '{');
	add_double(b, "median", then->s.median);
	add_double(b, "change", now->s.median / then->s.median - 1);
	add_double(b, "p", p);
	add_key(b, "differs");
	buf_addf(b, "%s}", p < BENCH_ALPHA ? "true" : "false");
}

static void add_series(struct buf *b, const struct bench_report *r, const struct bench_series *s)
{
	const struct bench_series *then = r->baseline ? bench_find(r->baseline, s) : NULL;

	buf_addc(b, '{');
	add_key(b, "package");
	add_string(b, s->package);
	add_key(b, "name");
	add_string(b, s->name);
	add_key(b, "unit");
	add_string(b, s->unit);
	add_double(b, "median", s->s.median);
	add_double(b, "spread", s->s.spread);
	add_key(b, "outliers");
	buf_addf(b, "%zu", s->s.n - s->s.kept);
	add_key(b, "samples");
	for (size_t i = 0; i < s->n; i++) {
		buf_addc(b, i ? ',' : '[');
		json_add_double(b, s->v[i]);
	}
	buf_addc(b, ']');
	if (then)
		add_baseline(b, s, then);
	buf_addc(b, '}');
}

void bench_add_json(struct buf *b, const struct bench_report *r)
{
	buf_adds(b, "{\"command\":");
	for (size_t i = 0; r->command[i]; i++) {
		buf_addc(b, i ? ',' : '[');
		add_string(b, r->command[i]);
	}
	buf_addf(b, "],\"runs\":%u,\"warmup\":%u", r->runs, r->warmup);
	add_held(b, "processors", r->limits->cpus, r->limits->has_cpus, &r->limits->said_cpus);
	add_held(b, "memory", r->limits->memory, r->limits->has_memory, &r->limits->said_memory);
	add_held(b, "processes", r->limits->processes, r->limits->has_processes, &r->limits->said_processes);
	add_key(b, "profiles");
	if (r->profiles)
		add_string(b, r->profiles);
	else
		buf_adds(b, "null");
	add_key(b, "benchmarks");
	for (size_t i = 0; i < r->samples->n; i++) {
		buf_addc(b, i ? ',' : '[');
		add_series(b, r, &r->samples->v[i]);
	}
	buf_adds(b, "]}\n");
}
