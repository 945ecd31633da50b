/* SPDX-License-Identifier: MIT
 *
 * Between lines of .drv paths and the builder.
 */
#include "config.h"
#include "cli/realise.h"
#include "base/alloc.h"
#include "format/pathset.h"
#include "store/roots.h"

#include <stdlib.h>
#include <string.h>

struct targets {
	struct build_target *v;
	struct slice *outputs; /* of all of them */
	size_t n, noutputs;
};

static size_t count_lines(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += *text == '\n' || *text == ',';
	return n;
}

/* "out,dev"; "*" is all. */
static void read_outputs(struct slice names, struct targets *t, struct build_target *b)
{
	if (slice_eq(names, SLICE("*")))
		return;
	b->outputs = t->outputs + t->noutputs;
	while (names.n) {
		const char *comma = memchr(names.p, ',', names.n);
		size_t n = comma ? (size_t)(comma - names.p) : names.n;

		t->outputs[t->noutputs++] = (struct slice){ names.p, n };
		b->noutputs++;
		n += comma != NULL;
		names = (struct slice){ names.p + n, names.n - n };
	}
}

static int read_line(struct store *s, const char *line, size_t len, struct targets *t, struct err *e)
{
	const char *bang = memchr(line, '!', len);
	struct slice drv = { line, bang ? (size_t)(bang - line) : len };
	struct build_target *b = &t->v[t->n];
	int rc = store_path_parse(store_dir(s), drv, &b->drv, e);

	if (rc)
		return rc;
	read_outputs(bang ? (struct slice){ bang + 1, (size_t)(line + len - bang - 1) } : SLICE("out"), t, b);
	t->n++;
	return store_add_temp_root(s, &b->drv, e);
}

int realise_lines(struct store *s, struct build_options *o, const char *text, struct build_result *result,
		  struct err *e)
{
	size_t n = count_lines(text);
	struct targets t = { xcalloc(n + 1, sizeof *t.v), xcalloc(n + 1, sizeof *t.outputs), 0, 0 };
	struct build_progress progress;
	int rc = 0;

	for (const char *p = text, *end; !rc && (end = strchr(p, '\n')); p = end + 1)
		rc = read_line(s, p, (size_t)(end - p), &t, e);
	if (!rc) {
		build_progress_init(&progress, store_dir(s));
		build_options_apply(o, &progress);
		rc = build_realise(s, &o->settings, t.v, t.n, result, e);
		build_progress_end(&progress);
	}
	free(t.v);
	free(t.outputs);
	return rc;
}
