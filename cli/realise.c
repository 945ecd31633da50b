/* SPDX-License-Identifier: MIT
 *
 * The names of a target's outputs stand in one block, behind the slices that say where.
 */
#include "config.h"
#include "cli/realise.h"
#include "base/alloc.h"
#include "cli/view.h"
#include "store/claims.h"
#include "store/roots.h"

#include <stdlib.h>
#include <string.h>

static const struct slice *copy_names(const struct slice *v, size_t n)
{
	size_t bytes = 0;

	for (size_t i = 0; i < n; i++)
		bytes += v[i].n + 1;
	struct slice *names = xmalloc(n * sizeof *names + bytes);
	char *to = (char *)(names + n);
	for (size_t i = 0; i < n; i++) {
		names[i] = (struct slice){ memcpy(to, v[i].p, v[i].n), v[i].n };
		to[v[i].n] = 0;
		to += v[i].n + 1;
	}
	return names;
}

void build_targets_add(struct build_targets *t, const struct store_path *drv, const struct slice *outputs, size_t n)
{
	ARRAY_GROW(t->v, t->n + 1, t->cap);
	t->v[t->n++] = (struct build_target){ .drv = *drv, .outputs = n ? copy_names(outputs, n) : NULL, .noutputs = n };
}

/* What stands between commas; returns how much.  v has room for it. */
static size_t split(const char *text, struct slice *v)
{
	size_t n = 0;

	for (const char *p = text; *p; p += *p == ',') {
		size_t len = strcspn(p, ",");
		if (len)
			v[n++] = (struct slice){ p, len };
		p += len;
	}
	return n;
}

int build_targets_name(struct build_targets *t, size_t first, const char *text)
{
	int all = !strcmp(text, "*");
	struct slice *v = xcalloc(strlen(text) + 1, sizeof *v);
	size_t n = all ? 0 : split(text, v);

	for (size_t i = first; i < t->n && (n || all); i++) {
		free((void *)t->v[i].outputs);
		t->v[i].outputs = n ? copy_names(v, n) : NULL;
		t->v[i].noutputs = n;
	}
	free(v);
	return n || all ? 0 : -1;
}

/* One that is not there comes out of a cache. */
static int check_object(struct store *s, const struct store_path *p, struct err *e)
{
	int rc = store_add_temp_root(s, p, e), valid = rc ? rc : store_is_made(s, p, NULL, e);

	return valid == 1 ? 0 : valid < 0 ? valid : build_fetch(s, p, e);
}

int build_targets_read(struct build_targets *t, struct store *s, char *word, struct store_path *object, struct err *e)
{
	char *hat = strrchr(word, '^');
	struct store_path p;
	int rc;

	*object = (struct store_path){ .len = 0 };
	if (hat)
		*hat++ = 0;
	rc = store_resolve(s, word, &p, NULL, e);
	if (rc)
		return rc;
	if (store_path_is_drv(&p)) {
		build_targets_add(t, &p, NULL, 0);
		if (hat && build_targets_name(t, t->n - 1, hat))
			return err_set(e, ERR_INVALID, "'%s^' names no output", word);
		return 0;
	}
	if (hat)
		return err_set(e, ERR_INVALID, "'%s' is not a derivation: it has no outputs", word);
	*object = p;
	return check_object(s, &p, e);
}

void build_targets_release(struct build_targets *t)
{
	for (size_t i = 0; i < t->n; i++)
		free((void *)t->v[i].outputs);
	free(t->v);
	*t = (struct build_targets){ NULL, 0, 0 };
}

int realise(struct store *s, struct build_options *o, const struct build_targets *t, struct build_result *result,
	    struct err *e)
{
	int rc = 0;

	for (size_t i = 0; i < t->n && !rc; i++)
		rc = store_add_temp_root(s, &t->v[i].drv, e);
	if (rc)
		return rc;
	build_options_apply(o, s);
	if (view_is_cache(s)) {
		o->settings.max_jobs = 0;
		o->settings.not_here = "cannot build for a binary cache, which is no local store";
	}
	rc = view_remote(s) ? view_realise(s, o, t, result, e) : build_realise(s, &o->settings, t->v, t->n, result, e);
	if (!rc && view_is_cache(s) && !o->settings.plan)
		rc = view_send_all(s, e);
	build_options_end();
	return rc;
}
