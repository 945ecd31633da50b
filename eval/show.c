/* SPDX-License-Identifier: MIT
 *
 * Printing values.  One walk serves three readers: people (language syntax, derivations short,
 * perhaps indented and coloured), scripts that compare with nix-instantiate --eval (SHOW_STRICT), and error
 * messages (show_brief: never forces, stops after some 60 columns).
 *
 * A set or list met a second time prints as «repeated», as in Nix: that ends cycles, and keeps values with much
 * sharing from growing exponentially.  Empty ones are exempt, since they are all the same object.
 * nix-instantiate knows a list by the cell that holds it, and evaluating an expression copies that: see opens_again.
 *
 * The buffer is on the collected heap or the caller's; a throw half way leaves what was printed so far in it.
 */
#include "config.h"
#include "eval/show.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/source.h"
#include "eval/attrs.h"
#include "eval/builtin.h"
#include "eval/coerce.h"
#include "eval/compare.h"
#include "eval/error.h"
#include "eval/eval.h"
#include "eval/list.h"
#include "lang/quote.h"

#include <limits.h>
#include <string.h>

#define RED "\033[31;1m"
#define GREEN "\033[32;1m"
#define BLUE "\033[34;1m"
#define MAGENTA "\033[35;1m"
#define CYAN "\033[36;1m"
#define FAINT "\033[2m"
#define NORMAL "\033[0m"

enum { BRIEF_LEN = 60, BRIEF_STRING = 40, BRIEF_DEPTH = 3, INDENT = 2 };

/* With SHOW_FOLD: about what can be looked over on a screen. */
enum { FOLD_STRING = 800, FOLD_ITEMS = 40 };

/* A list whose elements are being printed, on the C stack. */
struct open_list {
	struct open_list *up;
	const void *list;
	int copied; /* Nix would have reached a copy of it */
};

struct printer {
	struct buf *b;
	unsigned flags;
	unsigned depth;	  /* how many levels may still be opened */
	unsigned level;	  /* how many are open */
	unsigned indent;
	size_t stop;	  /* show_brief: no new item once the buffer is this long */
	const void **seen; /* open addressing, cap_seen a power of two */
	size_t n_seen, cap_seen;
	struct open_list *open;
	const W *slot; /* where what is printed next is held, NULL for the whole */
	int copied;    /* it was only now evaluated */
	int new_cell;  /* and is not what a variable stands for */
	int folded;    /* something was left out */
};

static void print(struct printer *p, W w);

/* --- text --- */

static void colour(struct printer *p, const char *code)
{
	if (p->flags & SHOW_COLOUR)
		buf_adds(p->b, code);
}

static void coloured(struct printer *p, const char *code, const char *text)
{
	colour(p, code);
	buf_adds(p->b, text);
	colour(p, NORMAL);
}

/* How many of n bytes to show when at most max may be: whole characters only. */
static size_t cut(const char *s, size_t n, size_t max)
{
	if (n <= max)
		return n;
	while (max && ((unsigned char)s[max] & 0xc0) == 0x80)
		max--;
	return max;
}

/* In the words that Nix has for it. */
static void print_rest(struct printer *p, size_t n, const char *what)
{
	p->folded = 1;
	colour(p, FAINT);
	buf_addf(p->b, "«%zu %s%s elided»", n, what, n == 1 ? "" : "s");
	colour(p, NORMAL);
}

static void print_string(struct printer *p, const struct str *s)
{
	int brief = p->stop != SIZE_MAX;
	size_t n = cut(s->b, s->len, brief ? BRIEF_STRING : p->flags & SHOW_FOLD ? FOLD_STRING : SIZE_MAX);

	colour(p, MAGENTA);
	quote_string(p->b, s->b, n);
	if (n < s->len && brief)
		buf_adds(p->b, "...");
	colour(p, NORMAL);
	if (n < s->len && !brief)
		print_rest(p, s->len - n, "byte");
}

/* --- sets and lists met before --- */

static int seen_insert(const void **v, size_t cap, const void *x)
{
	size_t i = (size_t)(((uintptr_t)x >> 4) * 0x9e3779b97f4a7c15u >> 20) & (cap - 1);

	for (; v[i]; i = (i + 1) & (cap - 1))
		if (v[i] == x)
			return 0;
	v[i] = x;
	return 1;
}

/* Is x here for the first time? */
static int fresh(struct printer *p, const void *x)
{
	if (p->n_seen * 2 >= p->cap_seen) {
		size_t cap = p->cap_seen ? p->cap_seen * 2 : 32;
		const void **v = mem_new(mem_size(cap, sizeof *v, 0));
		for (size_t i = 0; i < p->cap_seen; i++)
			if (p->seen[i])
				seen_insert(v, cap, p->seen[i]);
		p->seen = v;
		p->cap_seen = cap;
	}
	if (!seen_insert(p->seen, p->cap_seen, x))
		return 0;
	p->n_seen++;
	return 1;
}

/* --- functions and thunks --- */

static void print_builtin(struct printer *p, W w, const struct builtin *b)
{
	int part = w_is_box(w, BOX_PAP);

	if (p->flags & SHOW_STRICT) {
		buf_adds(p->b, part ? "<PRIMOP-APP>" : "<PRIMOP>");
		return;
	}
	colour(p, BLUE);
	buf_addf(p->b, "«%sprimop %s»", part ? "partially applied " : "", b->name);
	colour(p, NORMAL);
}

static void print_closure(struct printer *p, W w)
{
	struct source_loc at;
	uint32_t pos;
	sym_t name = function_name(w, &pos);

	if (p->flags & SHOW_STRICT) {
		buf_adds(p->b, "<LAMBDA>");
		return;
	}
	colour(p, BLUE);
	buf_adds(p->b, "«lambda");
	if (name)
		buf_addf(p->b, " %s", sym_name(name)->b);
	if (!source_locate(pos, &at))
		buf_addf(p->b, " @ %s:%u:%u", p->stop ? source_shown_name(at.src) : at.src->name, at.line,
			 at.column);
	buf_adds(p->b, "»");
	colour(p, NORMAL);
}

static void print_function(struct printer *p, W w)
{
	const struct builtin *b = function_builtin(w);

	if (b)
		print_builtin(p, w, b);
	else
		print_closure(p, w);
}

static void print_thunk(struct printer *p)
{
	if (p->flags & SHOW_STRICT)
		buf_adds(p->b, "<CODE>");
	else
		coloured(p, MAGENTA, "«thunk»");
}

/* --- sets and lists --- */

static void force_slot(void *slot)
{
	force_at(slot);
}

/* With SHOW_PRETTY: on several lines unless it is empty or holds one plain value.  Forcing that one
 * is harmless, as it is printed next; should it fail, printing it says so. */
static int is_tall(struct printer *p, uint32_t n, W *first)
{
	struct failure f;

	if (!(p->flags & SHOW_PRETTY) || n == 0)
		return 0;
	if (n > 1)
		return 1;
	if (p->flags & SHOW_FORCE && !unwind_run(force_slot, first, &f, 0)) {
		/* Printing it would not say this: the request is met now. */
		if (f.kind == EK_INTERRUPT)
			unwind_rethrow(&f);
		return 0;
	}
	enum vtype t = w_type(w_peek(*first));
	return t == V_LIST || t == V_ATTRS || t == V_THUNK;
}

static void space(struct printer *p, int tall)
{
	if (!tall) {
		buf_addc(p->b, ' ');
		return;
	}
	buf_addc(p->b, '\n');
	for (unsigned i = 0; i < p->indent; i++)
		buf_addc(p->b, ' ');
}

/* Opens a level; 0 when there are to be no more. */
static int descend(struct printer *p)
{
	if (!p->depth)
		return 0;
	p->depth--;
	p->indent += INDENT;
	return 1;
}

static void ascend(struct printer *p)
{
	p->depth++;
	p->indent -= INDENT;
}

/* How many of n items to print. */
static uint32_t shown_items(const struct printer *p, uint32_t n)
{
	return p->flags & SHOW_FOLD && n > FOLD_ITEMS ? FOLD_ITEMS : n;
}

static int is_full(struct printer *p)
{
	if (p->b->len < p->stop)
		return 0;
	buf_adds(p->b, "...");
	return 1;
}

/* With SHOW_STRICT, is a list that was met before to be opened once more?  Nix knows a list by its cell, and evaluating an
 * expression copies that.  So a place that was only now evaluated holds another one.  And where evaluating an expression led
 * to a list that is open, what it holds of itself is the cell that was copied, until that was met. */
static int opens_again(struct printer *p, W w, int new_place)
{
	if (!(p->flags & SHOW_STRICT) || !new_place)
		return 0;
	if (p->new_cell)
		return 1;
	for (struct open_list *o = p->open; o; o = o->up)
		if (o->list == W_PTR(w) && o->copied) {
			o->copied = 0;
			return 1;
		}
	return 0;
}

/* Forces the slot when everything is to be forced, and notes whether that was still to do. */
static void print_slot(struct printer *p, W *slot)
{
	p->slot = slot;
	p->copied = W_TAG(w_peek(*slot)) == TAG_THUNK;
	p->new_cell = p->copied && !w_is_variable(*slot);
	if (p->flags & SHOW_FORCE && !(p->flags & SHOW_ERRORS))
		force_at(slot);
	print(p, *slot);
}

static void print_elements(struct printer *p, W w, int copied)
{
	struct open_list here = { p->open, W_PTR(w), copied };
	struct list *l = list_of(w);
	uint32_t most = shown_items(p, l->n);
	int tall = is_tall(p, l->n, l->e);

	p->open = &here;
	buf_addc(p->b, '[');
	for (uint32_t i = 0; i < most; i++) {
		space(p, tall);
		if (is_full(p))
			break;
		print_slot(p, &l->e[i]);
	}
	if (most < l->n) {
		space(p, tall);
		print_rest(p, l->n - most, "item");
	}
	p->open = here.up;
	ascend(p);
	space(p, tall);
	buf_addc(p->b, ']');
}

static void print_list(struct printer *p, W w)
{
	if (!list_len(w)) {
		buf_adds(p->b, "[ ]");
		return;
	}
	int first = fresh(p, W_PTR(w)), new_place = !p->slot || fresh(p, p->slot);
	if (!first && !opens_again(p, w, new_place)) {
		coloured(p, MAGENTA, "«repeated»");
		return;
	}
	if (!descend(p)) {
		buf_adds(p->b, "[ ... ]");
		return;
	}
	print_elements(p, w, first && p->copied);
}

static void print_attrs(struct printer *p, W w)
{
	if (!descend(p)) {
		buf_adds(p->b, "{ ... }");
		return;
	}
	struct attrs *a = attrs_of(w);
	const uint32_t *order = attrs_order(a);
	uint32_t most = shown_items(p, a->n);
	int tall = is_tall(p, a->n, a->v);
	buf_addc(p->b, '{');
	for (uint32_t i = 0; i < most; i++) {
		const struct str *name = sym_name(a->sh->sym[order[i]]);
		W *v = &a->v[order[i]];
		space(p, tall);
		if (is_full(p))
			break;
		quote_name(p->b, name->b, name->len);
		buf_adds(p->b, " = ");
		print_slot(p, v);
		buf_addc(p->b, ';');
	}
	if (most < a->n) {
		space(p, tall);
		print_rest(p, a->n - most, "attribute");
	}
	ascend(p);
	space(p, tall);
	buf_addc(p->b, '}');
}

static void print_derivation(struct printer *p, W w)
{
	W *drv = attrs_find(w, SYM_DRV_PATH);
	W path = drv ? coerce_string(*drv, 0) : W_NULL;

	colour(p, GREEN);
	buf_adds(p->b, "«derivation");
	if (drv) {
		buf_addc(p->b, ' ');
		buf_add(p->b, w_get_str(path)->b, w_get_str(path)->len);
	}
	buf_adds(p->b, "»");
	colour(p, NORMAL);
}

static void print_set(struct printer *p, W w)
{
	if (!attrs_count(w))
		buf_adds(p->b, "{ }");
	else if (!fresh(p, W_PTR(w)))
		coloured(p, MAGENTA, "«repeated»");
	else if (p->flags & SHOW_FORCE && !(p->flags & (SHOW_DRV_INSIDE | SHOW_STRICT)) && value_is_derivation(w))
		print_derivation(p, w);
	else
		print_attrs(p, w);
}

/* --- any value --- */

static void print_contents(struct printer *p, W w)
{
	stack_check();
	if (p->flags & SHOW_FORCE)
		w = force(w);
	else
		w = w_peek(w);
	switch (w_type(w)) {
	case V_INT:
		colour(p, CYAN);
		buf_addf(p->b, "%lld", (long long)w_get_int(w));
		colour(p, NORMAL);
		break;
	case V_FLOAT:
		colour(p, CYAN);
		buf_addf(p->b, "%g", w_get_float(w));
		colour(p, NORMAL);
		break;
	case V_BOOL:
		coloured(p, CYAN, w == W_TRUE ? "true" : "false");
		break;
	case V_NULL:
		coloured(p, CYAN, "null");
		break;
	case V_STRING:
		print_string(p, w_get_str(w));
		break;
	case V_PATH:
		colour(p, GREEN);
		buf_add(p->b, w_path_text(w)->b, w_get_path(w)->h.n);
		colour(p, NORMAL);
		break;
	case V_ATTRS:
		print_set(p, w);
		break;
	case V_LIST:
		print_list(p, w);
		break;
	case V_FUNCTION:
		print_function(p, w);
		break;
	case V_THUNK:
		print_thunk(p);
		break;
	}
}

/* Data that never ends is told from a runaway recursion, and sooner. */
static void print_value(struct printer *p, W w)
{
	if (++p->level > eval_settings.max_call_depth && LIMIT_PRINT_DEPTH > eval_settings.max_call_depth)
		throw_error(EK_STACK, "stack overflow; max-call-depth exceeded: the value is nested too deeply to be printed "
				      "(more than %u levels)", eval_settings.max_call_depth);
	if (p->level > LIMIT_PRINT_DEPTH)
		throw_error(EK_STACK, "the value is nested too deeply to be printed: more than %d levels", LIMIT_PRINT_DEPTH);
	print_contents(p, w);
	p->level--;
}

struct guarded {
	struct printer *p;
	W w;
};

static void print_guarded(void *arg)
{
	struct guarded *g = arg;

	print_value(g->p, g->w);
}

/* With SHOW_ERRORS an error takes the place of the value it happened in.  Running out of stack
 * and interrupts are not values' errors. */
static void print(struct printer *p, W w)
{
	struct guarded g = { p, w };
	struct failure f;
	unsigned depth = p->depth, level = p->level, indent = p->indent;
	struct open_list *open = p->open;

	if (!(p->flags & SHOW_ERRORS)) {
		print_value(p, w);
		return;
	}
	if (unwind_run(print_guarded, &g, &f, 0))
		return;
	if (f.kind == EK_STACK || f.kind == EK_INTERRUPT || f.kind == EK_QUIT)
		unwind_rethrow(&f);
	p->depth = depth;
	p->level = level;
	p->indent = indent;
	p->open = open;
	colour(p, RED);
	buf_addf(p->b, "«error: %s»", w_get_str(f.msg)->b);
	colour(p, NORMAL);
}

int show_value(struct buf *b, W w, unsigned flags, unsigned depth)
{
	struct printer p = { .b = b, .flags = flags, .depth = depth, .stop = SIZE_MAX, .copied = 1 };

	print(&p, w);
	return p.folded;
}

const char *show_brief(W w)
{
	struct buf b = BUF_GC;
	struct printer p = { .b = &b, .depth = BRIEF_DEPTH, .stop = BRIEF_LEN };

	print_value(&p, w);
	return buf_str(&b);
}

const char *show_type(W w)
{
	struct buf b = BUF_GC;
	const struct builtin *def;

	w = w_peek(w);
	def = function_builtin(w);
	if (def) {
		buf_addf(&b, "the %sbuilt-in function '%s'", w_is_box(w, BOX_PAP) ? "partially applied " : "",
			 def->name);
		return buf_str(&b);
	}
	if (w_is_str(w) && w_get_str(w)->ctx)
		return "a string with context";
	return vtype_name(w_type(w));
}
