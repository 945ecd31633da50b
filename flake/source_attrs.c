/* SPDX-License-Identifier: MIT
 *
 * The attributes of references, in the flake arena.
 */
#include "config.h"
#include "flake/source_int.h"
#include "base/mem.h"
#include "eval/error.h"

#include <string.h>

void source_set(struct input *in, const char *name, const char *value)
{
	struct arena *mem = flake_arena();
	size_t n = strlen(value);
	struct input_attr a = { .name = slice_of(name), .type = INPUT_STRING, .s = { arena_dup(mem, value, n), n } };

	input_set(in, &a, mem);
}

void source_set_int(struct input *in, const char *name, uint64_t value)
{
	struct input_attr a = { .name = slice_of(name), .type = INPUT_INT, .s = { "", 0 }, .i = value };

	input_set(in, &a, flake_arena());
}

const char *source_get(const struct input *in, const char *name)
{
	const struct input_attr *a = input_get(in, name);

	return a && a->type == INPUT_STRING ? arena_dup(flake_arena(), a->s.p, a->s.n) : NULL;
}

int source_is_set(const struct input *in, const char *name)
{
	const struct input_attr *a = input_get(in, name);

	return a && a->i;
}

const char *source_need(const struct input *in, const char *name)
{
	const char *s = source_get(in, name);

	if (!s)
		throw_error(EK_EVAL, "the input lacks '%s'", name);
	return s;
}

const char *source_text(const struct input *in)
{
	struct arena *mem = flake_arena();
	struct buf b = BUF_GC;
	struct err e = ERR_INIT;

	if (input_print(in, mem, &b, &e))
		throw_err(&e);
	return b.p;
}

void source_unset(struct input *in, const char *name)
{
	for (size_t i = 0; i < in->n; i++)
		if (slice_eq(in->a[i].name, slice_of(name))) {
			memmove(in->a + i, in->a + i + 1, (in->n - i - 1) * sizeof *in->a);
			in->n--;
			return;
		}
}
