/* SPDX-License-Identifier: MIT
 *
 * The store of an evaluation, and getting one late.
 *
 * An evaluation that nobody gave a store leaves no trace on the disk, up to the moment at which something has to be built.  Then
 * the store is opened, and everything that would be there, had it been open from the start, is put into it: texts of
 * derivations are kept for that by drvs.c; who would have copied a tree leaves a call behind that copies it.
 */
#include "config.h"
#include "builtins/store_ops.h"

#include "base/mem.h"
#include "eval/error.h"
#include "eval/eval.h"

#include <string.h>

const struct store_ops *store_ops;
int (*store_ops_open)(struct err *e);
int (*store_ops_look)(struct err *e);

struct put {
	void (*fn)(void *arg);
	void *arg;
};

/* A root block. */
static struct {
	struct put *v;
	size_t n, cap;
} *later;

static void end(void)
{
	mem_free(later);
}

const struct session_part store_ops_session[] = {
	{ &store_ops, sizeof store_ops, NULL },
	{ &store_ops_open, sizeof store_ops_open, NULL },
	{ &store_ops_look, sizeof store_ops_look, NULL },
	{ &later, sizeof later, end },
	{ 0 }
};

const struct store_ops *store_ops_writing(void)
{
	return eval_settings.read_only ? NULL : store_ops;
}

int store_ops_may_come(void)
{
	return store_ops_open && !store_ops_writing();
}

void store_ops_later(void (*fn)(void *arg), void *arg)
{
	if (!store_ops_may_come())
		return;
	if (!later)
		later = mem_root(sizeof *later);
	if (later->n == later->cap) {
		size_t cap = later->cap ? 2 * later->cap : 16;
		struct put *v = mem_new(mem_size(cap, sizeof *v, 0));
		if (later->n)
			memcpy(v, later->v, later->n * sizeof *v);
		later->v = v;
		later->cap = cap;
	}
	later->v[later->n++] = (struct put){ fn, arg };
}

const struct store_ops *store_ops_begin(void)
{
	struct err e = ERR_INIT;

	if (store_ops_look && !store_ops && store_ops_look(&e))
		throw_err(&e);
	if (!store_ops_may_come())
		return store_ops_writing();
	if (store_ops_open(&e))
		throw_err(&e);
	for (size_t i = 0; later && i < later->n; i++)
		later->v[i].fn(later->v[i].arg);
	if (later)
		later->n = 0;
	return store_ops_writing();
}
