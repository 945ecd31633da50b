/* SPDX-License-Identifier: MIT
 *
 * Closures of all tenants together are read anew when somebody asks and they are old: a few milliseconds for thousands of objects.
 */
#include "config.h"
#include "cache/readers.h"
#include "base/alloc.h"

#include <stdlib.h>

enum { LASTS_S = 2 };

void readers_release(struct readers *r)
{
	for (size_t i = 0; i < r->tenants.n; i++)
		path_set_release(&r->closures[i]);
	free(r->closures);
	words_release(&r->tenants);
	*r = (struct readers){ .at = 0 };
}

static time_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + 1;
}

static int read_all(struct readers *r, struct store *s, struct err *e)
{
	int rc = store_tenants(s, &r->tenants, e);
	uint64_t size;

	r->closures = xcalloc(r->tenants.n + 1, sizeof *r->closures);
	for (size_t i = 0; i < r->tenants.n && !rc; i++)
		rc = store_tenant_closure(s, r->tenants.v[i], &r->closures[i], &size, e);
	return rc;
}

int readers_find(struct readers *r, struct store *s, const struct store_path *p, struct words *out, struct err *e)
{
	int rc = 0;

	if (!r->at || now() - r->at > LASTS_S) {
		readers_release(r);
		rc = read_all(r, s, e);
		r->at = rc ? 0 : now();
	}
	for (size_t i = 0; i < r->tenants.n && !rc; i++)
		if (path_set_has(&r->closures[i], p))
			words_add(out, r->tenants.v[i]);
	return rc;
}
