/* SPDX-License-Identifier: MIT
 *
 * A derivation that is valid has all it needs beside it, so it alone is looked for.  Its hash is kept as well: whoever evaluated
 * made the derivation or checked it, and its text cannot be another one under the same path.  Without the hash all that it needs
 * would be read and checked once more, a thousand files to learn that nothing is to be built.
 */
#include "config.h"
#include "cli/kept_drvs.h"
#include "base/alloc.h"
#include "builtins/drvs.h"
#include "cli/eval_cache.h"
#include "store/claims.h"
#include "store/roots.h"

#include <stdlib.h>
#include <string.h>

void kept_path_add(struct buf *b, const struct store_path *p, struct slice dir)
{
	struct buf path = BUF_INIT;

	if (p->len)
		store_path_add(&path, dir, p);
	answer_add(b, buf_str(&path), path.len);
	buf_release(&path);
}

/* An empty field when the evaluator knows it not. */
static void add_modulo(struct buf *b, const struct store_path *drv, struct slice dir)
{
	struct buf path = BUF_INIT;
	struct drv_modulo m;
	int known;

	store_path_add(&path, dir, drv);
	known = drvs_known(NULL, (struct slice){ path.p, path.len }, &m);
	answer_add(b, &m, known ? sizeof m : 0);
	buf_release(&path);
}

void kept_drvs_add(struct buf *b, const struct build_targets *t, struct slice dir)
{
	answer_add(b, &t->n, sizeof t->n);
	for (size_t i = 0; i < t->n; i++) {
		kept_path_add(b, &t->v[i].drv, dir);
		add_modulo(b, &t->v[i].drv, dir);
		answer_add(b, &t->v[i].noutputs, sizeof t->v[i].noutputs);
		for (size_t o = 0; o < t->v[i].noutputs; o++)
			answer_add(b, t->v[i].outputs[o].p, t->v[i].outputs[o].n);
	}
}

static int take_size(struct slice *rest, size_t *n)
{
	struct slice s;

	if (answer_take(rest, &s) || s.n != sizeof *n)
		return -1;
	memcpy(n, s.p, sizeof *n);
	return 0;
}

/* 1 when it is there, and stays. */
static int keep(struct store *s, const struct store_path *p, struct err *e)
{
	int rc = store_add_temp_root(s, p, e);

	return rc ? rc : store_is_there(s, p, NULL, e);
}

int kept_path_take(struct slice *rest, struct store *s, struct store_path *out)
{
	struct err e = ERR_INIT;
	struct slice path;
	int rc;

	if (answer_take(rest, &path))
		return -1;
	if (!path.n)
		return 0;
	rc = store_path_parse(store_dir(s), path, out, &e) ||
	     (keep(s, out, &e) != 1 && (store_eval_store(s) == s || keep(store_eval_store(s), out, &e) != 1));
	err_release(&e);
	return rc ? -1 : 0;
}

static int take_modulo(struct slice *rest, struct store *s, const struct store_path *drv)
{
	struct drv_modulo m;
	struct slice field;

	if (answer_take(rest, &field) || (field.n && field.n != sizeof m))
		return -1;
	if (field.n) {
		memcpy(&m, field.p, sizeof m);
		store_know_drv(s, drv, &m);
	}
	return 0;
}

static int take_drv(struct slice *rest, struct store *s, struct build_targets *out)
{
	struct store_path drv = { .len = 0 };
	struct slice *outputs;
	size_t n, i = 0;

	if (kept_path_take(rest, s, &drv) || !drv.len || take_modulo(rest, s, &drv) || take_size(rest, &n) || n > rest->n)
		return -1;
	outputs = xcalloc(n + 1, sizeof *outputs);
	while (i < n && !answer_take(rest, &outputs[i]))
		i++;
	if (i == n)
		build_targets_add(out, &drv, outputs, n);
	free(outputs);
	return i == n ? 0 : -1;
}

int kept_drvs_take(struct slice *rest, struct store *s, struct build_targets *out)
{
	size_t n;

	if (take_size(rest, &n))
		return -1;
	for (size_t i = 0; i < n; i++)
		if (take_drv(rest, s, out))
			return -1;
	return 0;
}
