/* SPDX-License-Identifier: MIT
 *
 * Entry points: a source in, a tree or one error out.
 */
#include "config.h"
#include "lang/parse.h"
#include "lang/parser.h"
#include "base/buf.h"

#include <string.h>

static void release(struct parse *ps)
{
	lexer_release(&ps->lx);
	stack_release(&ps->exprs);
	stack_release(&ps->names);
	stack_release(&ps->formals);
	stack_release(&ps->pieces);
}

static struct expr *parse(const struct source *src, const struct parse_options *opt, struct arena *mem,
			  struct err *e, int start_token)
{
	struct err own = ERR_INIT;
	struct parse ps = {
		.src = src,
		.opt = opt,
		.mem = mem,
		.err = e ? e : &own,
		.exprs = STACK_INIT(struct expr *),
		.names = STACK_INIT(struct attr_name),
		.formals = STACK_INIT(struct formal),
		.pieces = STACK_INIT(struct piece),
	};

	lexer_init(&ps.lx, src, start_token, ps.err);
	if (lang_parse(&ps) || ps.err->code)
		ps.result = NULL;
	release(&ps);
	err_release(&own);
	return ps.result;
}

struct expr *parse_source(const struct source *src, const struct parse_options *opt, struct arena *mem,
			  struct err *e)
{
	return parse(src, opt, mem, e, 0);
}

struct expr *parse_bindings(const struct source *src, const struct parse_options *opt, struct arena *mem,
			    struct err *e)
{
	return parse(src, opt, mem, e, START_BINDINGS);
}
