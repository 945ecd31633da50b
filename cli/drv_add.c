/* SPDX-License-Identifier: MIT
 *
 * In two steps, so that what the first one computes can be looked at before anything is written.
 */
#include "config.h"
#include "cli/drv_add.h"
#include "format/modulo.h"
#include "format/pathset.h"
#include "store/claims.h"
#include "store/object.h"

int drv_finish_in(struct store *s, struct drv *d, struct buf *text, struct store_path *path, struct err *e)
{
	const struct drv_cache cache = { store_drv_modulo, s };

	return drv_finish(d, store_dir(s), &cache, text, path, NULL, e);
}

/* What the derivation refers to. */
static int references(struct store *s, const struct drv *d, struct path_set *refs, struct err *e)
{
	struct store_path p;
	int rc = 0;

	for (size_t i = 0; i < d->ninputs + d->nsrcs && !rc; i++) {
		rc = store_path_parse(store_dir(s), i < d->ninputs ? d->inputs[i].path : d->srcs[i - d->ninputs], &p, e);
		if (!rc)
			path_set_add(refs, &p);
	}
	return rc;
}

int drv_add(struct store *s, const struct drv *d, struct slice text, struct store_path *path, struct err *e)
{
	struct path_set refs = PATH_SET_INIT;
	struct buf name = BUF_INIT;
	int rc = references(s, d, &refs, e);

	buf_addf(&name, "%.*s.drv", (int)d->name.n, d->name.p);
	rc = rc ? rc : store_add_text(s, (struct slice){ name.p, name.len }, text, &refs, path, e);
	path_set_release(&refs);
	buf_release(&name);
	return rc;
}
