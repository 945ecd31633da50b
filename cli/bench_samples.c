/* SPDX-License-Identifier: MIT
 *
 * The format is Go's benchmark data format: lines "BenchmarkName ITERATIONS VALUE UNIT [VALUE UNIT]...", and "key: value" lines, of
 * which "pkg" says to whom the names after it belong.
 */
#include "config.h"
#include "cli/bench_samples.h"
#include "base/alloc.h"
#include "base/fdio.h"
#include "base/json_tree.h"

#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

void bench_samples_release(struct bench_samples *s)
{
	for (size_t i = 0; i < s->n; i++) {
		free(s->v[i].package);
		free(s->v[i].name);
		free(s->v[i].unit);
		free(s->v[i].v);
	}
	free(s->v);
	*s = (struct bench_samples){ 0 };
}

static int is(const char *have, struct slice want)
{
	return slice_eq(slice_of(have), want);
}

void bench_add(struct bench_samples *s, struct slice package, struct slice name, struct slice unit, double value)
{
	size_t i = 0;

	while (i < s->n && !(is(s->v[i].name, name) && is(s->v[i].unit, unit) && is(s->v[i].package, package)))
		i++;
	if (i == s->n) {
		ARRAY_GROW(s->v, s->n + 1, s->cap);
		s->v[s->n++] = (struct bench_series){ .package = xstrndup(package.p, package.n), .name = xstrndup(name.p, name.n),
						      .unit = xstrndup(unit.p, unit.n) };
	}
	struct bench_series *series = &s->v[i];

	ARRAY_GROW(series->v, series->n + 1, series->cap);
	series->v[series->n++] = value;
}

const struct bench_series *bench_find(const struct bench_samples *s, const struct bench_series *like)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct bench_series *b = &s->v[i];

		if (is(b->name, slice_of(like->name)) && is(b->unit, slice_of(like->unit)) &&
		    (!*b->package || !*like->package || is(b->package, slice_of(like->package))))
			return b;
	}
	return NULL;
}

/* --- lines --- */

static struct slice next_word(struct slice *s)
{
	return slice_word(s, " \t\r");
}

/* A number, and nothing else. */
static int read_number(struct slice w, double *out)
{
	char text[64], *end;

	if (!w.n || w.n >= sizeof text)
		return -1;
	memcpy(text, w.p, w.n);
	text[w.n] = 0;
	*out = strtod(text, &end);
	return *end || !isfinite(*out) ? -1 : 0;
}

static int read_line(struct bench_samples *s, struct slice package, struct slice line)
{
	struct slice name = next_word(&line), word;
	double count, value;
	int any = 0;

	if (!slice_starts(name, SLICE("Benchmark")) || name.n == 9 || read_number(next_word(&line), &count))
		return 0;
	while ((word = next_word(&line)).n && !read_number(word, &value)) {
		struct slice unit = next_word(&line);

		if (!unit.n)
			break;
		bench_add(s, package, name, unit, value);
		any = 1;
	}
	return any;
}

size_t bench_read_lines(struct bench_samples *s, struct slice text)
{
	struct slice package = SLICE(""), prefix = SLICE("pkg:");
	size_t found = 0;

	while (text.n) {
		struct slice line = slice_cut(&text, '\n'), rest = { line.p + prefix.n, line.n - prefix.n };

		if (slice_starts(line, prefix))
			package = next_word(&rest);
		else
			found += (size_t)read_line(s, package, line);
	}
	return found;
}

/* --- files --- */

static struct slice text_of(const struct jnode *o, const char *key)
{
	const struct jnode *m = json_member(o, slice_of(key));

	return m && m->kind == JSON_STRING ? m->str : SLICE("");
}

static void read_series(struct bench_samples *s, const struct jnode *o)
{
	const struct jnode *samples = json_member(o, SLICE("samples"));

	for (const struct jnode *v = samples ? samples->first : NULL; v; v = v->next)
		if (v->kind == JSON_INT || v->kind == JSON_FLOAT)
			bench_add(s, text_of(o, "package"), text_of(o, "name"), text_of(o, "unit"),
				  v->kind == JSON_INT ? (double)v->i : v->d);
}

static int read_json(struct bench_samples *s, struct slice text, struct err *e)
{
	struct arena a = ARENA_INIT;
	struct jnode *root = NULL;
	const struct jnode *all;
	int rc = json_tree_parse(&a, text, &root, e);

	if (!rc && (all = json_member(root, SLICE("benchmarks"))))
		for (const struct jnode *o = all->first; o; o = o->next)
			read_series(s, o);
	arena_release(&a);
	return rc;
}

int bench_read_file(struct bench_samples *s, const char *path, struct err *e)
{
	struct buf text = BUF_INIT;
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc = 0;

	if (fd < 0)
		return err_errno(e, "cannot read '%s'", path);
	if (fd_read_all(fd, &text) < 0)
		rc = err_errno(e, "cannot read");
	close(fd);
	if (!rc) {
		struct slice t = { buf_str(&text), text.len }, first = t;
		struct slice word = next_word(&first);

		if (word.n && *word.p == '{')
			rc = read_json(s, t, e);
		else
			bench_read_lines(s, t);
	}
	if (rc)
		err_prefix(e, "'%s'", path);
	else if (!s->n)
		rc = err_set(e, ERR_INVALID, "'%s' has no results of benchmarks", path);
	buf_release(&text);
	return rc;
}

void bench_finish(struct bench_samples *s)
{
	for (size_t i = 0; i < s->n; i++)
		s->v[i].s = bench_summarize(s->v[i].v, s->v[i].n);
}
