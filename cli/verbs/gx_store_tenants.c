/* SPDX-License-Identifier: MIT
 *
 * gx store add-root, tenants, drop-roots, quota: what several who share a store keep in it.
 */
#include "config.h"
#include "base/alloc.h"
#include "cli/command.h"
#include "cli/verb.h"
#include "cli/verbs/gx_store.h"
#include "store/tenants.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { O_TENANT = 1, O_OLDER };

struct tenant_command {
	struct command c;
	const char *tenant;
	unsigned long days;
};

static int on_option(void *arg, int id, char **values)
{
	struct tenant_command *t = arg;
	struct err e = ERR_INIT;
	char *end;

	if (id == O_TENANT) {
		t->tenant = values[0];
		if (!tenant_check(t->tenant, &e))
			return 0;
		usage_error(t->c.program, "%s", e.msg);
		err_release(&e);
		return EXIT_USAGE;
	}
	t->days = strtoul(values[0], &end, 10);
	return *values[0] >= '0' && *values[0] <= '9' && !*end && t->days < 100000 ?
		       0 :
		       usage_error(t->c.program, "--older-than takes days, not '%s'", values[0]);
}

#define OPTION_TENANT { O_TENANT, 0, "tenant", "NAME", "Whose roots." }

/* Reads the words and opens the store: 0, or an exit status. */
static int begin(struct tenant_command *t, const struct program *p, int argc, char **argv, size_t min, size_t max, const char *what)
{
	int rc;

	t->c = (struct command){ .program = p, .option = on_option, .arg = t };
	rc = command_read(&t->c, argc, argv, min, max, what);
	if (rc != COMMAND_GO)
		return rc;
	if (!t->tenant)
		return command_end(&t->c, usage_error(p, "--tenant says whose roots"));
	return command_open(&t->c, 0);
}

int store_add_root_run(int argc, char **argv)
{
	static const struct option options[] = { OPTION_TENANT, { 0 } };
	static const struct option_group groups[] = { { "Options", options }, { "Store", command_store_options }, { 0 } };
	static const struct program program = {
		"gx store add-root", "keep objects for a tenant", "gx store add-root [options] --tenant NAME PATH...",
		"The closures of a tenant's roots are what it may read from gx cache serve --tenants.", groups
	};
	struct tenant_command t = { .tenant = NULL };
	struct err e = ERR_INIT;
	int rc = begin(&t, &program, argc, argv, 1, 0, "an object");

	if (rc || !t.c.store)
		return rc;
	for (size_t i = 0; i < t.c.n && !rc; i++) {
		struct store_path p;

		rc = store_resolve(t.c.store, t.c.operands[i], &p, NULL, &e);
		rc = rc ? rc : store_add_tenant_root(t.c.store, t.tenant, &p, &e);
	}
	return command_end(&t.c, rc ? command_fail(&e) : EXIT_DONE);
}

int store_drop_roots_run(int argc, char **argv)
{
	static const struct option options[] = {
		OPTION_TENANT,
		{ O_OLDER, 0, "older-than", "DAYS", "Only those that were added so many days ago or longer (0: all)." },
		{ 0 }
	};
	static const struct option_group groups[] = { { "Options", options }, { "Store", command_store_options }, { 0 } };
	static const struct program program = {
		"gx store drop-roots", "keep objects for a tenant no longer", "gx store drop-roots [options] --tenant NAME",
		"What nothing else keeps goes with the next gx store gc. Prints how many there were.", groups
	};
	struct tenant_command t = { .tenant = NULL };
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;
	size_t n = 0;
	int rc = begin(&t, &program, argc, argv, 0, COMMAND_NOTHING, "");

	if (rc || !t.c.store)
		return rc;
	if (store_drop_tenant_roots(t.c.store, t.tenant, time(NULL) + 1 - (time_t)t.days * 86400, &n, &e))
		return command_end(&t.c, command_fail(&e));
	buf_addf(&b, "%zu\n", n);
	return command_end(&t.c, command_print(&b));
}

/* "10G", in bytes; 0: it is none. */
static uint64_t read_size(const char *text)
{
	static const char units[] = "KMGT";
	char *end;
	unsigned long long n = strtoull(text, &end, 10);
	const char *unit = *end ? strchr(units, *end) : NULL;
	unsigned shift = unit ? (unsigned)(unit - units + 1) * 10 : 0;

	if (*text < '0' || *text > '9' || (*end && (!unit || end[1])) || n > UINT64_MAX >> shift)
		return 0;
	return (uint64_t)n << shift;
}

int store_quota_run(int argc, char **argv)
{
	static const struct option options[] = { OPTION_TENANT, { 0 } };
	static const struct option_group groups[] = { { "Options", options }, { "Store", command_store_options }, { 0 } };
	static const struct program program = {
		"gx store quota", "how much a tenant may keep", "gx store quota [options] --tenant NAME SIZE | none",
		"SIZE is in bytes, or with K, M, G or T behind it; of the closures of all its roots together.", groups
	};
	struct tenant_command t = { .tenant = NULL };
	struct err e = ERR_INIT;
	uint64_t size = 0;
	int rc = begin(&t, &program, argc, argv, 1, 1, "a size");

	if (rc || !t.c.store)
		return rc;
	if (strcmp(t.c.operands[0], "none") && !(size = read_size(t.c.operands[0])))
		rc = err_set(&e, ERR_INVALID, "'%s' is no size", t.c.operands[0]);
	rc = rc ? rc : store_set_tenant_quota(t.c.store, t.tenant, size, &e);
	return command_end(&t.c, rc ? command_fail(&e) : EXIT_DONE);
}

static int add_line(struct store *s, const char *tenant, struct buf *b, struct err *e)
{
	struct path_set roots = { 0 }, all = { 0 };
	uint64_t size = 0, may = 0;
	int rc = store_tenant_roots(s, tenant, &roots, e);

	rc = rc ? rc : store_tenant_closure(s, tenant, &all, &size, e);
	rc = rc ? rc : store_tenant_quota(s, tenant, &may, e);
	buf_addf(b, "%s: %zu roots, %zu objects, ", tenant, roots.n, all.n);
	buf_add_size(b, size);
	if (may) {
		buf_adds(b, " of ");
		buf_add_size(b, may);
	}
	buf_addc(b, '\n');
	path_set_release(&roots);
	path_set_release(&all);
	return rc;
}

int store_tenants_run(int argc, char **argv)
{
	static const struct option_group groups[] = { { "Store", command_store_options }, { 0 } };
	static const struct program program = { "gx store tenants", "what tenants keep in the store", "gx store tenants [options]",
						"A line for each: its roots, the objects of their closures, their size, its quota.",
						groups };
	struct command c = { .program = &program };
	struct words all = { 0 };
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;
	int rc = command_read(&c, argc, argv, 0, COMMAND_NOTHING, "");

	if (rc != COMMAND_GO || (rc = command_open_reading(&c)))
		return rc;
	rc = store_tenants(c.store, &all, &e);
	for (size_t i = 0; i < all.n && !rc; i++)
		rc = add_line(c.store, all.v[i], &b, &e);
	words_release(&all);
	if (rc) {
		buf_release(&b);
		return command_end(&c, command_fail(&e));
	}
	return command_end(&c, command_print(&b));
}
