/* SPDX-License-Identifier: MIT
 *
 * What a person typed: an expression, bindings, or the beginning of either.
 *
 * The parser decides.  A text that is neither goes on in the next line exactly when an error of one of the two readings is
 * that the text ends: at its end, or in a string or comment that began earlier.  The last binding's semicolon may be
 * left out.
 */
#include "config.h"
#include "cli/repl/repl_int.h"
#include "base/mem.h"
#include "eval/eval.h"

#include <string.h>

struct reading {
	const struct source *src;
	struct err e;
	int ok;
};

typedef struct expr *parser(const struct source *src, const struct parse_options *opt, struct arena *mem, struct err *e);

static void read_as(struct reading *r, parser *parse, const struct source *src)
{
	/* Warnings come when it is evaluated. */
	struct parse_options opt = eval_settings.parse;
	struct arena mem = ARENA_INIT;

	opt.warn = NULL;
	*r = (struct reading){ .src = src };
	r->ok = parse(src, &opt, &mem, &r->e) != NULL;
	arena_release(&mem);
}

/* Sources stay for good, since values point into them, and so does their text. */
static const struct source *add_source(struct repl *r, const char *text, const char *tail)
{
	size_t n = strlen(text), m = strlen(tail);
	char *copy = mem_root(n + m + 1);

	memcpy(copy, text, n);
	memcpy(copy + n, tail, m + 1);
	const struct source *src = source_add("«repl»", NULL, r->cwd, copy, n + m);
	if (!src)
		throw_error(EK_EVAL, "more than 4 GiB of source text");
	return src;
}

static int ends_early(const struct reading *r)
{
	return r->e.code && (r->e.pos >= r->src->start + r->src->len || !strncmp(r->e.msg, "unterminated", 12));
}

/* Of two errors the one that came later in the text is about what was meant. */
static void keep_later(struct reading *a, struct reading *b, struct err *e)
{
	struct reading *later = b->e.pos > a->e.pos ? b : a;

	*e = later->e;
	later->e = (struct err)ERR_INIT;
}

enum input_kind input_classify(struct repl *r, const char *text, int final, const struct source **src, struct err *e)
{
	struct reading expr, plain, closed = { .ok = 0 };
	enum input_kind kind = INPUT_BAD;

	*src = add_source(r, text, "");
	read_as(&expr, parse_source, *src);
	read_as(&plain, parse_bindings, *src);
	if (!expr.ok && !plain.ok)
		read_as(&closed, parse_bindings, add_source(r, text, "\n;"));
	if (expr.ok) {
		kind = INPUT_EXPR;
	} else if (plain.ok) {
		kind = INPUT_BINDINGS;
	} else if (closed.ok) {
		kind = INPUT_BINDINGS;
		*src = closed.src;
	} else if (!final && (ends_early(&expr) || ends_early(&plain))) {
		kind = INPUT_MORE;
	} else {
		keep_later(&expr, &plain, e);
	}
	err_release(&expr.e);
	err_release(&plain.e);
	err_release(&closed.e);
	return kind;
}
