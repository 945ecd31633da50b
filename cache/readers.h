/* SPDX-License-Identifier: MIT
 *
 * Which tenants have an object in their closures (store/tenants.h), for a server that asks often.
 */
#ifndef CACHE_READERS_H
#define CACHE_READERS_H

#include "store/tenants.h"

/* Zeroed knows nothing yet. */
struct readers {
	struct words tenants;
	struct path_set *closures; /* one for each */
	time_t at;
};

/* Adds the tenants that have the object, as it was at most two seconds ago. */
int readers_find(struct readers *r, struct store *s, const struct store_path *p, struct words *out, struct err *e);
void readers_release(struct readers *r);

#endif
