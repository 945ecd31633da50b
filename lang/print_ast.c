/* SPDX-License-Identifier: MIT
 *
 * The tree in the reference's normal form: every operator in parentheses, names in order, what is
 * sugar there desugared (1 - 2 is (__sub 1 2), <x> is a call of __findFile).
 *
 * In the reference the desugared forms are calls, and a call of a call is one call, so
 * `(1 - 2) 3` prints as (__sub 1 2 3).  print_spine therefore prints a call without its parentheses.
 *
 * Recursion is bounded by the height of the tree (lang/ast.c); chains are followed in loops.
 */
#include "config.h"
#include "base/alloc.h"
#include "lang/parse.h"
#include "lang/ast_build.h"
#include "lang/quote.h"
#include "base/buf.h"

#include <string.h>

void print_name(struct buf *b, sym_t name)
{
	const struct str *s = sym_name(name);

	quote_name(b, s->b, s->len);
}

static void print_dynamic(struct buf *b, const struct expr *e)
{
	buf_adds(b, "\"${");
	print_ast(b, e);
	buf_adds(b, "}\"");
}

static void print_path(struct buf *b, const struct attr_path *path)
{
	for (uint32_t i = 0; i < path->n; i++) {
		if (i)
			buf_addc(b, '.');
		if (path->v[i].expr)
			print_dynamic(b, path->v[i].expr);
		else
			print_name(b, path->v[i].sym);
	}
}

/* Where a binding is printed: plain inherits, then those from each expression in turn, then the rest. */
static uint64_t group(const struct binding *b)
{
	return b->kind == BIND_INHERIT ? 0 : b->kind == BIND_INHERIT_FROM ? 1 + (uint64_t)b->from_index : UINT64_MAX;
}

static int by_group_and_name(const void *a, const void *b)
{
	const struct binding *x = *(const struct binding *const *)a, *y = *(const struct binding *const *)b;
	uint64_t gx = group(x), gy = group(y);

	return gx != gy ? (gx < gy ? -1 : 1) : sym_cmp(x->sym, y->sym);
}

/* The names of the group that begins at v[0] of n bindings; returns how many those are. */
static uint32_t print_inherits(struct buf *b, const struct binding *const *v, uint32_t n, const struct expr *from)
{
	uint32_t i;

	buf_adds(b, "inherit");
	if (from) {
		buf_adds(b, " (");
		print_ast(b, from);
		buf_addc(b, ')');
	}
	for (i = 0; i < n && group(v[i]) == group(v[0]); i++) {
		buf_addc(b, ' ');
		print_name(b, v[i]->sym);
	}
	buf_adds(b, "; ");
	return i;
}

static void print_bindings(struct buf *b, const struct bindings *bs)
{
	const struct binding **v = xmalloc((bs->n + 1) * sizeof *v);
	uint32_t i = 0;

	for (uint32_t k = 0; k < bs->n; k++)
		v[k] = &bs->v[k];
	qsort(v, bs->n, sizeof *v, by_group_and_name);
	while (i < bs->n && v[i]->kind != BIND_PLAIN)
		i += print_inherits(b, v + i, bs->n - i, v[i]->kind == BIND_INHERIT ? NULL : bs->from[v[i]->from_index]);
	for (; i < bs->n; i++) {
		print_name(b, v[i]->sym);
		buf_adds(b, " = ");
		print_ast(b, v[i]->value);
		buf_adds(b, "; ");
	}
	for (i = 0; i < bs->n_dyn; i++) {
		print_dynamic(b, bs->dyn[i].name);
		buf_adds(b, " = ");
		print_ast(b, bs->dyn[i].value);
		buf_adds(b, "; ");
	}
	free(v);
}

static int by_formal_name(const void *a, const void *b)
{
	return sym_cmp(((const struct formal *)a)->sym, ((const struct formal *)b)->sym);
}

static void print_formals(struct buf *b, const struct formals *f)
{
	struct formal *v = xmalloc((f->n + 1) * sizeof *v);

	if (f->n)
		memcpy(v, f->v, f->n * sizeof *v);
	qsort(v, f->n, sizeof *v, by_formal_name);
	buf_adds(b, "{ ");
	for (uint32_t i = 0; i < f->n; i++) {
		buf_adds(b, i ? ", " : "");
		print_name(b, v[i].sym);
		if (v[i].def) {
			buf_adds(b, " ? ");
			print_ast(b, v[i].def);
		}
	}
	if (f->ellipsis)
		buf_adds(b, f->n ? ", ..." : "...");
	buf_adds(b, " }");
	free(v);
}

static void print_lambda(struct buf *b, const struct expr *e)
{
	buf_addc(b, '(');
	if (e->lambda.formals)
		print_formals(b, e->lambda.formals);
	if (e->lambda.formals && e->lambda.arg)
		buf_adds(b, " @ ");
	if (e->lambda.arg)
		print_name(b, e->lambda.arg);
	buf_adds(b, ": ");
	print_ast(b, e->lambda.body);
	buf_addc(b, ')');
}

/* "word l op r" or "word l", in parentheses. */
static void print_op(struct buf *b, const char *word, const struct expr *l, const char *op, const struct expr *r)
{
	buf_addc(b, '(');
	buf_adds(b, word);
	print_ast(b, l);
	if (r) {
		buf_adds(b, op);
		print_ast(b, r);
	}
	buf_addc(b, ')');
}

/* The function a binary operator stands for, NULL if it is an operator in the reference too. */
static const char *op_function(const struct expr *e)
{
	switch (e->op) {
	case BIN_SUB:
		return "__sub ";
	case BIN_MUL:
		return "__mul ";
	case BIN_DIV:
		return "__div ";
	case BIN_LT:
	case BIN_LE:
	case BIN_GT:
	case BIN_GE:
		return "__lessThan ";
	default:
		return NULL;
	}
}

static const char *op_text(enum binary_op op)
{
	switch (op) {
	case BIN_ADD:
		return " + ";
	case BIN_EQ:
		return " == ";
	case BIN_NE:
		return " != ";
	case BIN_AND:
		return " && ";
	case BIN_OR:
		return " || ";
	case BIN_IMPL:
		return " -> ";
	case BIN_UPDATE:
		return " // ";
	case BIN_CONCAT:
		return " ++ ";
	default:
		return "";
	}
}

/* `a <= b` is `! (b < a)`, so it is the reference's call with a `!` around it. */
static int is_negated(const struct expr *e)
{
	return e->kind == E_BINARY && (e->op == BIN_LE || e->op == BIN_GE);
}

/* Whether e is a call in the reference. */
static int is_call(const struct expr *e)
{
	return e->kind == E_CALL || e->kind == E_SPATH || e->kind == E_NEG ||
	       (e->kind == E_BINARY && op_function(e) && !is_negated(e));
}

static void print_op_spine(struct buf *b, const struct expr *e)
{
	int swap = e->op == BIN_GT || e->op == BIN_LE;

	buf_adds(b, op_function(e));
	print_ast(b, swap ? e->bin.r : e->bin.l);
	buf_addc(b, ' ');
	print_ast(b, swap ? e->bin.l : e->bin.r);
}

static void print_spine(struct buf *b, const struct expr *e);

/* A call as it is written, and the calls that are its last argument and the last argument of that. */
static void print_calls(struct buf *b, const struct expr *e)
{
	uint32_t open = 0;

	for (;; open++) {
		if (is_call(e->call.fn))
			print_spine(b, e->call.fn);
		else
			print_ast(b, e->call.fn);
		for (uint32_t i = 0; i + 1 < e->call.n; i++) {
			buf_addc(b, ' ');
			print_ast(b, e->call.v[i]);
		}
		buf_addc(b, ' ');
		e = e->call.v[e->call.n - 1];
		if (e->kind != E_CALL)
			break;
		buf_addc(b, '(');
	}
	print_ast(b, e);
	while (open--)
		buf_addc(b, ')');
}

/* A call without its parentheses. */
static void print_spine(struct buf *b, const struct expr *e)
{
	if (e->kind == E_SPATH) {
		buf_adds(b, "__findFile __nixPath ");
		quote_string(b, e->str.p, e->str.n);
	} else if (e->kind == E_NEG) {
		buf_adds(b, "__sub 0 ");
		print_ast(b, e->bin.l);
	} else if (e->kind == E_BINARY) {
		print_op_spine(b, e);
	} else {
		print_calls(b, e);
	}
}

/* Operators that associate to the left, those on the left of e included. */
static void print_chain(struct buf *b, const struct expr *e)
{
	uint32_t n = expr_chain_length(e), i;
	const struct expr **v = xmalloc(n * sizeof *v);

	for (i = n; i-- > 0; e = e->bin.l) {
		v[i] = e;
		buf_addc(b, '(');
		buf_adds(b, op_function(e) ? op_function(e) : "");
	}
	print_ast(b, e);
	for (i = 0; i < n; i++) {
		buf_adds(b, op_function(v[i]) ? " " : op_text(v[i]->op));
		print_ast(b, v[i]->bin.r);
		buf_addc(b, ')');
	}
	free(v);
}

static void print_binary(struct buf *b, const struct expr *e)
{
	if (expr_is_link(e)) {
		print_chain(b, e);
		return;
	}
	if (!op_function(e)) {
		print_op(b, "", e->bin.l, op_text(e->op), e->bin.r);
		return;
	}
	buf_adds(b, is_negated(e) ? "(! (" : "(");
	print_op_spine(b, e);
	buf_adds(b, is_negated(e) ? "))" : ")");
}

static void print_select(struct buf *b, const struct expr *e)
{
	buf_addc(b, '(');
	print_ast(b, e->select.e);
	buf_adds(b, ").");
	print_path(b, e->select.path);
	if (e->select.def) {
		buf_adds(b, " or (");
		print_ast(b, e->select.def);
		buf_addc(b, ')');
	}
}

static void print_has_attr(struct buf *b, const struct expr *e)
{
	buf_adds(b, "((");
	print_ast(b, e->select.e);
	buf_adds(b, ") ? ");
	print_path(b, e->select.path);
	buf_addc(b, ')');
}

static void print_list(struct buf *b, const struct expr *e)
{
	buf_adds(b, "[ ");
	for (uint32_t i = 0; i < e->list.n; i++) {
		buf_addc(b, '(');
		print_ast(b, e->list.v[i]);
		buf_adds(b, ") ");
	}
	buf_addc(b, ']');
}

static void print_concat(struct buf *b, const struct expr *e)
{
	for (uint32_t i = 0; i < e->concat.n; i++) {
		buf_adds(b, i ? " + " : "(");
		print_ast(b, e->concat.v[i]);
	}
	buf_addc(b, ')');
}

static void print_let(struct buf *b, const struct expr *e)
{
	buf_adds(b, "(let ");
	print_bindings(b, e->let.b);
	buf_adds(b, "in ");
	print_ast(b, e->let.body);
	buf_addc(b, ')');
}

static void print_if(struct buf *b, const struct expr *e)
{
	buf_adds(b, "(if ");
	print_ast(b, e->if_.cond);
	buf_adds(b, " then ");
	print_ast(b, e->if_.then);
	buf_adds(b, " else ");
	print_ast(b, e->if_.else_);
	buf_addc(b, ')');
}

void print_ast(struct buf *b, const struct expr *e)
{
	switch ((enum expr_kind)e->kind) {
	case E_INT:
		buf_addi(b, e->i);
		break;
	case E_FLOAT:
		buf_addf(b, "%g", e->d);
		break;
	case E_STR:
		quote_string(b, e->str.p, e->str.n);
		break;
	case E_PATH:
		buf_add(b, e->str.p, e->str.n);
		break;
	case E_VAR:
		print_name(b, e->var.sym);
		break;
	case E_CURPOS:
		buf_adds(b, "__curPos");
		break;
	case E_SELECT:
		print_select(b, e);
		break;
	case E_HASATTR:
		print_has_attr(b, e);
		break;
	case E_ATTRS:
		buf_adds(b, e->rec ? "rec { " : "{ ");
		print_bindings(b, e->attrs.b);
		buf_addc(b, '}');
		break;
	case E_LIST:
		print_list(b, e);
		break;
	case E_LAMBDA:
		print_lambda(b, e);
		break;
	case E_SPATH:
	case E_NEG:
	case E_CALL:
		buf_addc(b, '(');
		print_spine(b, e);
		buf_addc(b, ')');
		break;
	case E_LET:
		print_let(b, e);
		break;
	case E_WITH:
		print_op(b, "with ", e->with.env, "; ", e->with.body);
		break;
	case E_IF:
		print_if(b, e);
		break;
	case E_ASSERT:
		buf_adds(b, "assert ");
		print_ast(b, e->with.env);
		buf_adds(b, "; ");
		print_ast(b, e->with.body);
		break;
	case E_NOT:
		print_op(b, "! ", e->bin.l, "", NULL);
		break;
	case E_BINARY:
		print_binary(b, e);
		break;
	case E_CONCAT:
		print_concat(b, e);
		break;
	}
}
