/* SPDX-License-Identifier: MIT
 *
 * Errors the engine raises about nodes, and what they suggest.
 */
#include "config.h"
#include "eval/attrs.h"
#include "eval/ops.h"
#include "eval/show.h"
#include "lang/mistake.h"
#include "lang/parse.h"
#include "lang/quote.h"

#include <string.h>

static const char *quoted(sym_t s)
{
	struct buf b = BUF_GC;

	quote_name(&b, sym_name(s)->b, sym_name(s)->len);
	return buf_str(&b);
}

const char *near_attr(W set, const struct str *name)
{
	struct attrs *a = attrs_of(set);
	struct suggest near;
	struct buf hint = BUF_GC;

	suggest_init(&near, name->b, name->len);
	for (uint32_t i = 0; i < a->n; i++)
		suggest_offer(&near, sym_name(a->sh->sym[i])->b, sym_name(a->sh->sym[i])->len);
	mistake_builtin(&hint, name->b);
	if (hint.len && attrs_find_c(set, "fetchTree"))
		return buf_str(&hint);
	buf_trim(&hint, 0);
	if (near.best)
		suggest_ask(&near, &hint);
	else if (attrs_find_c(set, "legacyPackages") && attrs_find_c(set, "sourceInfo"))
		buf_addf(&hint, "the packages of a flake are in legacyPackages.%s and packages.%s", eval_settings.system,
			 eval_settings.system);
	else if (attrs_find_c(set, eval_settings.system))
		buf_addf(&hint, "its names are systems, as in %s.%s", eval_settings.system, name->b);
	else if (!a->n)
		buf_adds(&hint, "the set is empty");
	return hint.len ? buf_str(&hint) : NULL;
}

void throw_missing_attr(W set, sym_t s, uint32_t pos, uint32_t len)
{
	throw_hint(EK_EVAL, pos, len, near_attr(set, sym_name(s)), "attribute '%s' missing", quoted(s));
}

void throw_missing_step(W set, sym_t s, const char *path)
{
	throw_hint(EK_EVAL, 0, 0, near_attr(set, sym_name(s)), "attribute '%s' in selection path '%s' not found", quoted(s), path);
}

void throw_not_a_set(W w, sym_t s, const struct node *n, const struct node *e)
{
	const struct node *at = e ? e : n;

	throw_node(EK_EVAL, at, "expected a set with an attribute '%s' but found %s: %s", quoted(s), show_type(w),
		   show_brief(w));
}

void throw_not_boolean(const struct node *n, const char *where, W got)
{
	throw_node(EK_EVAL, n, "expected a Boolean %s but found %s: %s", where, show_type(got), show_brief(got));
}

void throw_duplicate_attr(sym_t s, uint32_t pos, uint32_t len, uint32_t first)
{
	struct source_loc at;

	if (source_locate(first, &at))
		throw_at(EK_EVAL, pos, len, "dynamic attribute '%s' is already defined", quoted(s));
	throw_at(EK_EVAL, pos, len, "dynamic attribute '%s' is already defined at %s:%u:%u", quoted(s), source_shown_name(at.src),
		 at.line, at.column);
}

/* --- assertions --- */

static int is_name(const struct node *n)
{
	return (n->op >= OP_VAR0 && n->op <= OP_WITH_VAR) || n->op == OP_SELECT1 || n->op == OP_SELECT;
}

static int is_leaf(const struct node *n)
{
	return is_name(n) || n->op == OP_CONST;
}

static int has_two_sides(const struct node *n)
{
	return (n->op >= OP_ADD && n->op <= OP_IMPL) || n->op == OP_UPDATE || n->op == OP_CONCAT;
}

/* What the variables of a condition are: those whose value is known, each once. */
struct names {
	struct frame *f;
	struct { const char *p; size_t n; } v[4];
	size_t n;
	struct buf b;
};

static int is_known(const struct names *s, const char *p, size_t n)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i].n == n && !memcmp(s->v[i].p, p, n))
			return 1;
	return 0;
}

static void describe_name(struct names *s, const struct node *n)
{
	struct source_loc at;
	W w = peek_value(n, s->f);

	if (w == W_ABSENT || s->n == sizeof s->v / sizeof *s->v || source_locate(n->pos, &at) || !at.line_text)
		return;
	const char *p = at.line_text + at.column - 1;
	if (at.column - 1 + n->span > at.line_len || is_known(s, p, n->span))
		return;
	s->v[s->n].p = p;
	s->v[s->n].n = n->span;
	buf_addf(&s->b, "%s%.*s is %s", s->n++ ? ", " : "", (int)n->span, p, show_brief(w));
}

static void describe(struct names *s, const struct node *n)
{
	if (is_name(n)) {
		describe_name(s, n);
	} else if (has_two_sides(n)) {
		describe(s, ((const struct n_binary *)n)->l);
		describe(s, ((const struct n_binary *)n)->r);
	} else if (n->op == OP_NOT || n->op == OP_CHECK) {
		describe(s, ((const struct n_unary *)n)->e);
	}
}

/* For `assert a == b`, what the two sides were: evaluating them again gives the same values. */
static void describe_sides(struct buf *b, const struct node *cond, struct frame *f)
{
	const struct n_binary *x = (const void *)cond;

	if (cond->op == OP_EQ && !(is_leaf(x->l) && is_leaf(x->r)))
		buf_addf(b, "the left side is %s, the right side %s", show_brief(ev(x->l, f)), show_brief(ev(x->r, f)));
}

/* Text of the source on one line: ": a -> b". */
static void add_condition(struct buf *b, uint32_t pos, uint32_t len)
{
	enum { SHOWN = 100 };
	const struct source *src = source_of(pos);
	const char *p = src->text + (pos - src->start), *end = p + len;

	if (memchr(p, '#', len) || len > 4 * SHOWN)
		return;
	buf_adds(b, ": ");
	for (size_t start = b->len; p < end && b->len - start < SHOWN; p++) {
		int blank = *p == ' ' || *p == '\t' || *p == '\n' || *p == '\r';
		if (!blank)
			buf_addc(b, *p);
		else if (b->p[b->len - 1] != ' ')
			buf_addc(b, ' ');
	}
	if (p < end)
		buf_adds(b, "…");
}

void throw_assertion(const struct node *n, const struct node *cond, struct frame *f)
{
	struct names known = { .f = f, .b = BUF_GC };
	struct buf text = BUF_GC;
	uint32_t len = n->span, pos;

	if (!unwind_is_told())
		throw_at(EK_ASSERT, n->pos, len, "assertion failed");
	describe_sides(&known.b, cond, f);
	if (!known.b.len)
		describe(&known, cond);
	pos = assert_condition(n->pos, &len);
	if (pos)
		add_condition(&text, pos, len);
        throw_hint(EK_ASSERT, pos ? pos : n->pos, len,
                   known.b.len ? buf_str(&known.b) : NULL, "assertion failed%s",
                   buf_str(&text));
}
