/* SPDX-License-Identifier: MIT
 *
 * --parse refuses undefined variables too, as nix-instantiate does: it says whether a text is a program.  The
 * program itself is thrown away, so globals need no values and shapes no owner.
 */
#include "config.h"
#include "cli/parse_cmd.h"
#include "base/mem.h"
#include "cli/world.h"
#include "eval/attrs.h"
#include "eval/builtin.h"
#include "eval/error.h"
#include "eval/eval.h"
#include "lang/parse.h"
#include "lang/program.h"

#include <stdio.h>
#include <string.h>

/* Which symbols are globals. */
struct globals {
	uint8_t *is;
	uint32_t n;
};

static sym_t global_name(const struct builtin *d)
{
	char text[128];

	if (d->flags & (BI_GLOBAL | BI_HIDDEN))
		return sym_c(d->name);
	int n = snprintf(text, sizeof text, "__%s", d->name);
	return sym_intern(text, (size_t)n);
}

static void globals_init(struct globals *g)
{
	for (size_t i = 0; world_builtins[i]; i++)
		for (size_t j = 0; world_builtins[i][j]; j++)
			global_name(world_builtins[i][j]);
	g->n = sym_count();
	g->is = mem_bytes(g->n);
	memset(g->is, 0, g->n);
	for (size_t i = 0; world_builtins[i]; i++)
		for (size_t j = 0; world_builtins[i][j]; j++)
			g->is[global_name(world_builtins[i][j])] = 1;
	g->is[SYM_BUILTINS] = 1;
}

static W global(void *arg, sym_t s)
{
	const struct globals *g = arg;

	return s < g->n && g->is[s] ? W_NULL : W_ABSENT;
}

static W no_builtin(void *arg, sym_t s)
{
	(void)arg;
	(void)s;
	return W_ABSENT;
}

static struct shape *any_shape(void *arg, const sym_t *sym, const uint32_t *pos, uint32_t n)
{
	struct shape *sh = mem_new(sizeof *sh);

	(void)arg;
	sh->n = n;
	sh->sym = sym;
	sh->pos = pos;
	return sh;
}

void parse_cmd(struct buf *b, const struct source *src)
{
	struct arena tree = ARENA_INIT, program = ARENA_INIT;
	struct err e = ERR_INIT;
	struct globals g;
	uint32_t nslots;
	struct scope_env env = {
		.global = global, .builtin = no_builtin, .shape = any_shape, .empty_list = W_NULL, .empty_set = W_NULL, .arg = &g
	};

	globals_init(&g);
	struct expr *x = parse_source(src, &eval_settings.parse, &tree, &e);
	int ok = x && scope_resolve(x, &env, &program, &nslots, &e);
	if (ok) {
		print_ast(b, x);
		buf_addc(b, '\n');
	}
	arena_release(&program);
	arena_release(&tree);
	if (!ok)
		throw_err(&e);
}
