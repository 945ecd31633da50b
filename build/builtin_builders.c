/* SPDX-License-Identifier: MIT
 *
 * Finding and running the builders that are part of this program.
 *
 * This runs inside the sandbox, in a copy of the process that builds: nothing of that process's state may be used
 * (its descriptors are closed, its store and database belong to it), only the call and the arguments in it.
 */
#include "config.h"
#include "build/builtin_builders.h"

#include "base/activity.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { TELL_MS = 100 }; /* not oftener: what is shown is drawn as often */

static const struct builtin_builder own[] = {
	{ "buildenv", builtin_buildenv, 0, 0 },
	{ "go-unpack", builtin_go_unpack, 0, 0 },
	{ "unpack-channel", builtin_unpack_channel, 0, 0 },
	{ "unpack-deb", builtin_unpack_deb, 0, 0 },
	{ NULL, NULL, 0, 0 },
};

static const struct builtin_builder *find(const struct builtin_builder *v, struct slice name)
{
	for (; v && v->name; v++)
		if (slice_eq(slice_of(v->name), name))
			return v;
	return NULL;
}

const struct builtin_builder *builtin_find(struct slice builder, const struct builtin_builder *more)
{
	struct slice prefix = SLICE("builtin:"), name;
	const struct builtin_builder *b;

	if (!slice_starts(builder, prefix))
		return NULL;
	name = (struct slice){ builder.p + prefix.n, builder.n - prefix.n };
	b = find(more, name);
	return b ? b : find(own, name);
}

/* --- how far it is --- */

/* Of the one transfer that builders here have at a time. */
static struct {
	uint64_t now, all;
	struct timespec told;
} transfer;

static void tell(void)
{
	dprintf(2, "@nix {\"action\":\"result\",\"type\":%d,\"fields\":[%llu,%llu]}\n", BUILTIN_PROGRESS,
		(unsigned long long)transfer.now, (unsigned long long)transfer.all);
}

static void transfer_begins(unsigned id, enum activity_kind kind, const char *what)
{
	(void)id;
	(void)kind;
	(void)what;
	transfer.now = transfer.all = 0;
}

static void transfer_moves(unsigned id, uint64_t now, uint64_t all)
{
	struct timespec t;

	(void)id;
	transfer.now = now;
	transfer.all = all;
	clock_gettime(CLOCK_MONOTONIC, &t);
	if ((t.tv_sec - transfer.told.tv_sec) * 1000 + (t.tv_nsec - transfer.told.tv_nsec) / 1000000 < TELL_MS)
		return;
	transfer.told = t;
	tell();
}

static void transfer_ends(unsigned id, int rc)
{
	(void)id;
	if (!rc && transfer.now)
		tell();
}

static const struct activity_watcher to_parent = { transfer_begins, transfer_moves, transfer_ends };

int builtin_is_fixed(const struct drv *d)
{
	enum drv_output_kind kind;

	return !drv_kind(d, &kind, NULL) && kind == DRV_FIXED;
}

int builtin_run(void *call)
{
	const struct builtin_call *c = call;
	struct err e = ERR_INIT;
	int rc = 0;

	activity_watch(&to_parent);
	/* Of the questions that a hundred builders ask a name server at once some get lost, and glibc would ask again after five
	 * seconds: all the time there is to connect. */
	setenv("RES_OPTIONS", "timeout:1 attempts:4", 0);
	if (c->builtin->fixed && !builtin_is_fixed(c->drv))
		rc = err_set(&e, ERR_INVALID, "'builtin:%s' must be a fixed-output or impure derivation", c->builtin->name);
	rc = rc ? rc : c->builtin->run(c, &e);

	if (!rc && c->then) {
		execve(c->then[0], c->then, c->envp);
		rc = err_errno(&e, "executing '%s'", c->then[0]);
	}
	if (rc)
		dprintf(2, "error: %s\n", e.msg ? e.msg : "the builder failed");
	return rc ? 1 : 0;
}

int builtin_attr(const struct builtin_call *c, const char *name, struct slice *out, struct err *e)
{
	const struct slice *s = drv_env(c->drv, slice_of(name));

	if (!s)
		return err_set(e, ERR_INVALID, "attribute '%s' missing", name);
	*out = *s;
	return 0;
}

int builtin_output(const struct builtin_call *c, struct slice name, struct buf *out, struct err *e)
{
	for (size_t i = 0; i < c->drv->noutputs; i++)
		if (slice_eq(c->drv->outputs[i].name, name)) {
			store_path_add(out, c->store_dir, &c->outputs[i]);
			return 0;
		}
	return err_set(e, ERR_INVALID, "the derivation has no output '%.*s'", (int)name.n, name.p);
}
