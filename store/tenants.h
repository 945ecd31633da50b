/* SPDX-License-Identifier: MIT
 *
 * Roots by tenant: what several who share a store each keep in it, as links gcroots/tenants/TENANT/OBJECT.  A tenant is allowed
 * what is in the closures of its roots, and as much of it as its quota says.
 */
#ifndef STORE_TENANTS_H
#define STORE_TENANTS_H

#include "base/words.h"
#include "format/pathset.h"
#include "store/store.h"

#include <time.h>

/* ERR_INVALID for what is no name: at most 63 lower-case letters, digits and dashes. */
int tenant_check(const char *tenant, struct err *e);

/* Keeps a valid object for a tenant; once more: its age begins anew.  ERR_LIMIT when the closures of all its roots would be more
 * than its quota. */
int store_add_tenant_root(struct store *s, const char *tenant, const struct store_path *p, struct err *e);

/* Removes roots of a tenant that were added before then; *n: how many. */
int store_drop_tenant_roots(struct store *s, const char *tenant, time_t before, size_t *n, struct err *e);

/* Adds the names of all tenants, ascending; what one has rooted; all of its closures with their size. */
int store_tenants(struct store *s, struct words *out, struct err *e);
int store_tenant_roots(struct store *s, const char *tenant, struct path_set *out, struct err *e);
int store_tenant_closure(struct store *s, const char *tenant, struct path_set *out, uint64_t *size, struct err *e);

/* What it may have, in bytes; 0: as much as it likes. */
int store_tenant_quota(struct store *s, const char *tenant, uint64_t *size, struct err *e);
int store_set_tenant_quota(struct store *s, const char *tenant, uint64_t size, struct err *e);

#endif
