/* SPDX-License-Identifier: MIT
 *
 * Calls.  A closure called with exactly as many arguments as its chain of lambdas has parameters gets one
 * frame and runs.  Fewer make a partial application, more call the result again.  Builtins get their
 * arguments in an array on the C stack.
 *
 * Arguments that the callee forces first anyway (n_lambda.strict, the ! arguments of builtins) are
 * evaluated at once, inside the record of the call, so that errors and traces look the same.
 *
 * There are no tail calls through lambdas: unbounded recursion must end in the stack error.
 */
#include "config.h"
#include "base/check.h"
#include "eval/flame.h"
#include "eval/attrs.h"
#include "eval/builtin.h"
#include "eval/ops.h"
#include "eval/show.h"
#include "eval/state.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ARITY_MAX = 8 };

/* --- formals --- */

static const char *lambda_label(const struct n_lambda *l)
{
	struct buf b = BUF_GC;

	if (!l->name)
		return "anonymous function";
	buf_addf(&b, "function '%s'", sym_name(l->name)->b);
	return buf_str(&b);
}

static int has_formal(const struct n_lambda *l, sym_t s)
{
	uint32_t lo = 0, hi = l->n_formals;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (l->formals[mid].sym == s)
			return 1;
		if (l->formals[mid].sym < s)
			lo = mid + 1;
		else
			hi = mid;
	}
	return 0;
}

/* The first attribute of the set, by name, that is no formal; SYM_NONE when all are. */
static sym_t first_extra(const struct n_lambda *l, W set)
{
	struct attrs *a = attrs_of(set);
	const uint32_t *order = attrs_order(a);

	for (uint32_t i = 0; i < a->n; i++)
		if (!has_formal(l, a->sh->sym[order[i]]))
			return a->sh->sym[order[i]];
	return SYM_NONE;
}

static int by_place(const void *a, const void *b)
{
	uint32_t x = (*(const struct n_formal *const *)a)->pos, y = (*(const struct n_formal *const *)b)->pos;

	return x < y ? -1 : x > y;
}

/* "its arguments are a, b and c", in the order they are written. */
static void list_formals(struct buf *b, const struct n_lambda *l)
{
	enum { SHOWN = 12 };
	const struct n_formal **v = mem_new(mem_size(l->n_formals, sizeof *v, 1));

	for (uint32_t i = 0; i < l->n_formals; i++)
		v[i] = &l->formals[i];
	qsort(v, l->n_formals, sizeof *v, by_place);
	buf_adds(b, l->n_formals ? l->n_formals == 1 ? "its only argument is " : "its arguments are " : "it has no arguments");
	for (uint32_t i = 0; i < l->n_formals && i < SHOWN; i++)
		buf_addf(b, "%s%s", !i ? "" : i + 1 == l->n_formals ? " and " : ", ", sym_name(v[i]->sym)->b);
	if (l->n_formals > SHOWN)
		buf_adds(b, ", …");
}

static __attribute__((noreturn, cold)) void unexpected_argument(const struct n_lambda *l, sym_t extra,
								const struct node *by)
{
	const struct str *name = sym_name(extra);
	struct suggest near;
	struct buf hint = BUF_GC;

	suggest_init(&near, name->b, name->len);
	for (uint32_t j = 0; j < l->n_formals; j++)
		suggest_offer(&near, sym_name(l->formals[j].sym)->b, sym_name(l->formals[j].sym)->len);
	if (near.best)
		suggest_ask(&near, &hint);
	else
		list_formals(&hint, l);
	throw_hint(EK_EVAL, by ? by->pos : l->h.pos, by ? by->span : l->h.span, buf_str(&hint),
		   "%s called with unexpected argument '%s'", lambda_label(l), name->b);
}

/* An attribute of the set that is no formal and was probably meant to be s. */
static sym_t misspelt(const struct n_lambda *l, W set, sym_t s)
{
	struct attrs *a = attrs_of(set);
	struct suggest near;

	suggest_init(&near, sym_name(s)->b, sym_name(s)->len);
	for (uint32_t i = 0; i < a->n; i++) {
		const struct str *name = sym_name(a->sh->sym[i]);
		if (!has_formal(l, a->sh->sym[i]))
			suggest_offer(&near, name->b, name->len);
	}
	return near.best ? sym_intern(near.best, near.best_len) : SYM_NONE;
}

static __attribute__((noreturn, cold)) void missing_argument(const struct n_lambda *l, const struct n_formal *fm, W set,
							     const struct node *by)
{
	sym_t instead = misspelt(l, set, fm->sym);
	struct buf hint = BUF_GC;
	struct source_loc at;

	if (instead && !l->ellipsis)
		unexpected_argument(l, instead, by);
	if (instead)
		buf_addf(&hint, "it was given '%s' instead", sym_name(instead)->b);
	else if (by && !source_locate(fm->pos, &at))
		buf_addf(&hint, "it is declared at %s:%u:%u", source_shown_name(at.src), at.line, at.column);
	throw_hint(EK_EVAL, by ? by->pos : fm->pos, by ? by->span : fm->span, hint.len ? buf_str(&hint) : NULL,
		   "%s called without required argument '%s'", lambda_label(l), sym_name(fm->sym)->b);
}

/* Both in order of symbols: one walk when the sizes are close, else a search for each formal. */
static void bind_formals(const struct n_lambda *l, struct frame *nf, const struct node *by)
{
	W *slot = &nf->s[l->arity - 1];
	W set = read_slot(slot, nf, by);
	uint32_t found = 0;

	if (W_TAG(set) != TAG_ATTRS)
		throw_hint(EK_EVAL, by ? by->pos : l->h.pos, by ? by->span : l->h.span, NULL,
			   "%s expects a set but was called with %s: %s", lambda_label(l), show_type(set),
			   show_brief(set));
	for (uint32_t i = 0; i < l->n_formals; i++) {
		struct n_formal *fm = &l->formals[i];
		W *p = attrs_find_hint(set, fm->sym, &fm->hint);
		if (p) {
			nf->s[fm->slot] = *p;
			found++;
		} else if (fm->def) {
			nf->s[fm->slot] = fm->def->op == OP_CONST ? delay(fm->def, nf) : W_LAZY(fm->def);
		} else {
			missing_argument(l, fm, set, by);
		}
	}
	if (!l->ellipsis && attrs_count(set) != found)
		unexpected_argument(l, first_extra(l, set), by);
}

/* --- closures --- */

/* Runs the body in a frame whose parameters are filled.  es.top must be the record of this call. */
static inline W run_body(const struct n_lambda *l, struct frame *nf, const struct node *by)
{
	if (l->has_formals)
		bind_formals(l, nf, by);
	return ev(l->body, nf);
}

#define TOO_DEEP "stack overflow; max-call-depth exceeded (more than %u calls deep)"

static __attribute__((noreturn, cold)) void too_deep(const struct node *by)
{
	throw_hint(EK_STACK, by ? by->pos : 0, by ? by->span : 0, NULL, TOO_DEEP, eval_settings.max_call_depth);
}

/* While the profiler is on, stack_limit brings every call here; those that stand in a file it knows already (call_node_flamed). */
static __attribute__((noinline, cold)) void call_event(const struct rec *r)
{
	stack_event();
	if (es.flame && !r->by)
		flame_enter_inside(r);
}

static inline void check_call(const struct rec *r)
{
	if (__builtin_expect((char *)__builtin_frame_address(0) < es.stack_limit, 0))
		call_event(r);
}

static inline void enter(struct rec *r, const struct node *by)
{
	check_call(r);
	if (__builtin_expect(++es.depth > eval_settings.max_call_depth, 0))
		too_deep(by);
	es.top = r;
	es.count.calls++;
}

static inline W leave(struct rec *r, W v)
{
	CHECK(es.top == r && es.depth > 0);
	es.top = r->up;
	es.depth--;
	return v;
}

W call_closure(const struct n_lambda *l, struct frame *nf, const struct node *by)
{
	struct rec r = { es.top, l, 0, by, REC_CALL, 0, 0 };

	enter(&r, by);
	return leave(&r, run_body(l, nf, by));
}

void depth_enter(void)
{
	check_stack();
	if (++es.depth > eval_settings.max_call_depth)
		throw_error(EK_STACK, TOO_DEEP, eval_settings.max_call_depth);
}

void depth_leave(void)
{
	es.depth--;
}

/* --- builtins --- */

static W call_builtin(const struct builtin *b, W *args, const struct node *by)
{
	struct rec r = { es.top, b, 0, by, REC_BUILTIN, 0, 0 };

	check_call(&r);
	es.top = &r;
	es.count.builtin_calls++;
	W v = force(b->fn(args));
	es.top = r.up;
	return v;
}

/* --- any number of words --- */

static W pap_new(W fn, unsigned n, const W *args)
{
	const struct box_pap *old = w_is_box(fn, BOX_PAP) ? W_PTR(fn) : NULL;
	unsigned have = old ? old->h.n : 0;
	struct box_pap *p = alloc(sizeof *p + (have + n) * sizeof(W));

	p->h = (struct box){ BOX_PAP, have + n };
	p->fn = old ? old->fn : fn;
	if (old)
		memcpy(p->args, old->args, have * sizeof(W));
	memcpy(p->args + have, args, n * sizeof(W));
	return w_tag(p, TAG_BOX);
}

static inline uint32_t arity_of(W fn)
{
	if (W_TAG(fn) == TAG_CLOSURE)
		return ((struct closure *)W_PTR(fn))->l->arity;
	return ((struct box *)W_PTR(fn))->n;
}

/* fn is a closure or builtin, n its arity. */
static W call_exact(W fn, const W *given, uint32_t n_given, const W *args, const struct node *by)
{
	if (W_TAG(fn) == TAG_CLOSURE) {
		struct closure *c = W_PTR(fn);
		struct frame *nf = frame_new(c->l->nslots, c->env);
		memcpy(nf->s, given, n_given * sizeof(W));
		memcpy(nf->s + n_given, args, (c->l->arity - n_given) * sizeof(W));
		return call_closure(c->l, nf, by);
	}
	const struct box_builtin *b = W_PTR(fn);
	W all[ARITY_MAX];
	memcpy(all, given, n_given * sizeof(W));
	memcpy(all + n_given, args, (b->h.n - n_given) * sizeof(W));
	return call_builtin(b->def, all, by);
}

static W functor_call(W set, unsigned n, const W *args, const struct node *by)
{
	W *p = attrs_find(set, SYM_FUNCTOR), with_self[ARITY_MAX + 1];

	if (!p)
		throw_hint(EK_EVAL, by ? by->pos : call_pos(), by ? by->span : 0, NULL,
			   "attempt to call something which is not a function but a set: %s", show_brief(set));
	W fn = force_at(p);
	unsigned now = n < ARITY_MAX ? n : ARITY_MAX;
	int flamed = es.flame;
	check_stack();
	with_self[0] = set;
	memcpy(with_self + 1, args, now * sizeof(W));
	if (flamed)
		flame_enter_place(set);
	W v = call_words(fn, now + 1, with_self, by);
	if (flamed)
		protect_pop(1);
	return now < n ? call_words(v, n - now, args + now, by) : v;
}

W call_words(W fn, unsigned n, const W *args, const struct node *by)
{
	while (n) {
		if (W_TAG(fn) == TAG_ATTRS)
			return functor_call(fn, n, args, by);
		if (!w_is_function(fn))
			throw_hint(EK_EVAL, by ? by->pos : call_pos(), by ? by->span : 0, NULL,
				   "attempt to call something which is not a function but %s: %s", show_type(fn),
				   show_brief(fn));
		const struct box_pap *p = w_is_box(fn, BOX_PAP) ? W_PTR(fn) : NULL;
		uint32_t given = p ? p->h.n : 0, need;
		W target = p ? force(p->fn) : fn;
		if (__builtin_expect(!w_is_function(target) || w_is_box(target, BOX_PAP), 0)) {
			/* A pending call of something not known when it was made: unfold it. */
			fn = call_words(target, given, p->args, by);
			continue;
		}
		need = arity_of(target) - given;
		if (n < need)
			return pap_new(fn, n, args);
		fn = call_exact(target, p ? p->args : args, given, args, by);
		args += need;
		n -= need;
	}
	return fn;
}

/* A frame that nothing captures. */
struct stack_frame {
	struct frame *up;
	W s[STACK_FRAME_SLOTS];
};

/* What builtins call is mostly a closure that takes just these arguments. */
static inline W call_known(W fn, unsigned n, const W *args)
{
	if (W_TAG(fn) == TAG_CLOSURE) {
		const struct closure *c = W_PTR(fn);
		if (c->l->arity == n && c->l->on_stack) {
			struct rec r = { es.top, c->l, 0, NULL, REC_CALL, 0, 0 };
			struct stack_frame sf;
			sf.up = c->env;
			for (unsigned i = 0; i < n; i++)
				sf.s[i] = args[i];
			enter(&r, NULL);
			return leave(&r, run_body(c->l, (struct frame *)&sf, NULL));
		}
		if (c->l->arity == n) {
			struct frame *nf = frame_new(c->l->nslots, c->env);
			for (unsigned i = 0; i < n; i++)
				nf->s[i] = args[i];
			return call_closure(c->l, nf, NULL);
		}
	}
	return call_words(fn, n, args, NULL);
}

W call1(W f, W a)
{
	return call_known(force(f), 1, &a);
}

W call2(W f, W a, W b)
{
	W args[2] = { a, b };

	return call_known(force(f), 2, args);
}

/* --- call nodes --- */

static W call_many(const struct n_call *c, W fn, struct frame *f)
{
	W few[ARITY_MAX], *args = c->n <= ARITY_MAX ? few : mem_new(mem_size(c->n, sizeof(W), 0));

	for (uint32_t i = 0; i < c->n; i++)
		args[i] = delay(c->args[i], f);
	return call_words(fn, c->n, args, &c->h);
}

/* nf: a frame of l whose parameters are 0. */
static inline W call_in(const struct n_call *c, const struct n_lambda *l, struct frame *nf, struct frame *f)
{
	struct rec r = { es.top, l, 0, &c->h, REC_CALL, 0, 0 };

	enter(&r, &c->h);
	for (unsigned i = 0; i < l->n_strict; i++)
		nf->s[l->strict[i]] = ev(c->args[l->strict[i]], f);
	for (uint32_t i = 0; i < c->n; i++)
		if (!nf->s[i])
			nf->s[i] = delay(c->args[i], f);
	return leave(&r, run_body(l, nf, &c->h));
}

/* Apart from the other so that only calls that use it pay for the room. */
static __attribute__((noinline)) W call_on_stack(const struct n_call *c, struct closure *k, struct frame *f)
{
	struct stack_frame sf = { .up = k->env };

	return call_in(c, k->l, (struct frame *)&sf, f);
}

static W call_exact_closure(const struct n_call *c, struct closure *k, struct frame *f)
{
	if (k->l->on_stack)
		return call_on_stack(c, k, f);
	return call_in(c, k->l, frame_new(k->l->nslots, k->env), f);
}

static W call_exact_builtin(const struct n_call *c, const struct box_builtin *b, struct frame *f)
{
	W args[ARITY_MAX];
	struct rec r = { es.top, b->def, 0, &c->h, REC_BUILTIN, 0, 0 };
	uint32_t strict = (uint32_t)b->strict;

	check_stack();
	es.top = &r;
	es.count.builtin_calls++;
	for (uint32_t i = 0; i < c->n; i++)
		if (!(strict >> i & 1))
			args[i] = delay(c->args[i], f);
	for (uint32_t i = 0; i < c->n; i++)
		if (strict >> i & 1) {
			r.arg = (uint16_t)(i + 1);
			args[i] = ev(c->args[i], f);
		}
	r.arg = 0;
	W v = force(b->def->fn(args));
	es.top = r.up;
	return v;
}

static inline W call_value(const struct n_call *c, W fn, struct frame *f)
{
	if (W_TAG(fn) == TAG_CLOSURE && ((struct closure *)W_PTR(fn))->l->arity == c->n)
		return call_exact_closure(c, W_PTR(fn), f);
	if (w_is_box(fn, BOX_BUILTIN) && ((struct box *)W_PTR(fn))->n == c->n)
		return call_exact_builtin(c, W_PTR(fn), f);
	return call_many(c, fn, f);
}

W call_node(const struct node *n, struct frame *f)
{
	const struct n_call *c = (const void *)n;

	return call_value(c, ev(c->fn, f), f);
}

/* --- told to the profiler (the setting eval-profiler) --- */

W call_node_flamed(const struct node *n, struct frame *f)
{
	const struct n_call *c = (const void *)n;
	W fn = ev(c->fn, f), v;

	if (!es.flame)
		return call_value(c, fn, f);
	flame_enter(fn, c->h.pos, flame_wants_name(fn) ? delay(c->args[0], f) : 0);
	v = call_value(c, fn, f);
	protect_pop(1);
	return v;
}

/* --- told of (the setting trace-function-calls) --- */

static void tell_call(const struct n_call *c, const char *what)
{
	struct buf b = BUF_GC;
	struct source_loc at;
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	buf_addf(&b, "function-trace %s ", what);
	if (source_locate(c->h.pos, &at))
		buf_adds(&b, "undefined position");
	else
		buf_addf(&b, "%s:%u:%u", source_shown_name(at.src), at.line, at.column);
	buf_addf(&b, " at %lld%09ld", (long long)t.tv_sec, t.tv_nsec);
	eval_world()->message(buf_str(&b), b.len);
}

static void tell_end(void *call)
{
	tell_call(call, "exited");
}

W call_node_told(const struct node *n, struct frame *f)
{
	const struct n_call *c = (const void *)n;
	W fn = ev(c->fn, f), v;

	tell_call(c, "entered");
	protect_push(tell_end, (void *)c);
	v = call_value(c, fn, f);
	protect_pop(1);
	return v;
}
