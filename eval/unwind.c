/* SPDX-License-Identifier: MIT
 *
 * Raising and catching.  The only file with setjmp and longjmp, always in the shape
 * unwind_run(fn, arg), so that no caller needs volatile locals.
 *
 * An error walks the records from the top to those of the catcher: thunks and slots become what they
 * were before (so a later force evaluates again and is not mistaken for recursion), clean-ups
 * run, calls and notes are copied into the trace if the catcher wants one.
 */
#include "config.h"
#include "base/check.h"
#include "base/limits.h"
#include "eval/coerce.h"
#include "eval/state.h"
#include "eval/show.h"
#include "eval/trace.h"
#include "eval/builtin.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef __SANITIZE_ADDRESS__ /* gcc */
#define HAVE_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAVE_ASAN 1
#endif
#endif
#ifdef HAVE_ASAN
#include <sanitizer/asan_interface.h>
#endif

/* Ends of a deep trace that are kept. */
enum { TRACE_INNER = 2000, TRACE_OUTER = 2000 };

struct handler {
	jmp_buf jb;
	struct handler *up;
	struct rec *top;
	uint32_t depth;
	struct failure *f;
	int with_trace;
};

static int is_traced(const struct rec *r)
{
	switch (r->kind) {
	case REC_CALL: case REC_BUILTIN: case REC_NOTE: case REC_WHAT: case REC_MAKE: case REC_USER:
		return 1;
	case REC_THUNK: case REC_SLOT:
		return r->by && (r->by->op <= OP_WITH_VAR || r->by->op == OP_SELECT1 || r->by->op == OP_SELECT);
	default:
		return 0;
	}
}

static sym_t node_symbol(const struct node *n)
{
	if (n->op >= OP_VAR0 && n->op <= OP_VARN)
		return ((const struct n_var *)n)->sym;
	if (n->op == OP_WITH_VAR)
		return ((const struct n_with_var *)n)->sym;
	if (n->op == OP_SELECT1)
		return ((const struct n_select1 *)n)->sym;
	if (n->op == OP_SELECT) {
		const struct n_select *s = (const void *)n;
		return s->v[s->n - 1].sym;
	}
	return SYM_NONE;
}

static const char *while_evaluating(const char *what)
{
	struct buf b = BUF_GC;

	buf_addf(&b, "while evaluating %s", what);
	return buf_str(&b);
}

static void trace_fill(struct trace_frame *t, const struct rec *r)
{
	*t = (struct trace_frame){ .value = W_NULL, .pos = r->pos };
	if (r->by) {
		t->pos = r->by->pos;
		t->len = r->by->span;
	}
	switch (r->kind) {
	case REC_CALL:
		t->kind = TRACE_CALL;
		t->name = ((const struct n_lambda *)r->p)->name;
		t->at = ((const struct n_lambda *)r->p)->h.pos;
		break;
	case REC_BUILTIN:
		t->kind = TRACE_BUILTIN;
		t->text = ((const struct builtin *)r->p)->name;
		t->arg = r->arg;
		break;
	case REC_NOTE:
		t->kind = TRACE_NOTE;
		t->text = r->p;
		break;
	case REC_MAKE:
		t->kind = TRACE_NOTE;
		t->text = ((const struct note_maker *)r->p)->text(((const struct note_maker *)r->p)->arg);
		break;
	case REC_WHAT:
		t->kind = TRACE_NOTE;
		t->text = while_evaluating(r->p);
		break;
	case REC_USER:
		t->kind = TRACE_USER;
		t->value = r->data;
		break;
	default:
		t->kind = TRACE_VALUE;
		t->name = node_symbol(r->by);
	}
}

static struct trace *trace_collect(const struct rec *from, const struct rec *to)
{
	uint32_t total = 0, i = 0, k = 0;

	for (const struct rec *r = from; r != to; r = r->up)
		total += (uint32_t)is_traced(r);
	uint32_t keep = total > TRACE_INNER + TRACE_OUTER ? TRACE_INNER + TRACE_OUTER : total;
	struct trace *t = mem_new(mem_size(keep, sizeof *t->v, sizeof *t));
	t->n = keep;
	t->skipped = total - keep;
	t->skipped_after = TRACE_INNER;
	for (const struct rec *r = from; r != to; r = r->up) {
		if (!is_traced(r))
			continue;
		if (!t->skipped || i < TRACE_INNER || i >= total - TRACE_OUTER)
			trace_fill(&t->v[k++], r);
		i++;
	}
	CHECK(k == keep && i == total);
	return t;
}

/* An error raised again has the inner part of its trace already. */
static struct trace *trace_join(const struct trace *inner, struct trace *outer)
{
	if (!inner)
		return outer;
	struct trace *t = mem_new(mem_size((size_t)inner->n + outer->n, sizeof *t->v, sizeof *t));
	t->n = inner->n + outer->n;
	/* Of two gaps the larger is told. */
	int use_outer = outer->skipped > inner->skipped;
	t->skipped = use_outer ? outer->skipped : inner->skipped;
	t->skipped_after = use_outer ? inner->n + outer->skipped_after : inner->skipped_after;
	memcpy(t->v, inner->v, inner->n * sizeof *t->v);
	memcpy(t->v + inner->n, outer->v, outer->n * sizeof *t->v);
	return t;
}

static void restore(const struct rec *r)
{
	if (r->kind == REC_THUNK) {
		struct thunk *t = (struct thunk *)r->p;
		CHECK((t->code & 3) == 3 && ((r->data & 3) == 0 || (r->data & 3) == 2)); /* being evaluated; was not */
		t->code = r->data;
	} else if (r->kind == REC_SLOT) {
		CHECK(*(const W *)r->p == W_HOLE && W_IS_LAZY(r->data));
		*(W *)r->p = r->data;
	} else if (r->kind == REC_ELEMENT) {
		const struct element *e = r->p;
		*e->slot = lazy_call1(e->f, e->arg);
	} else if (r->kind == REC_PROTECT) {
		const struct protect *p = r->p;
		p->fn(p->arg);
	}
}

/* tryEval lets other errors pass as if it were not there: handed on from one to the next, an error from the depth of many would be
 * traced once for each. */
static int lets_pass(const struct handler *h, enum error_kind k)
{
	return h->with_trace == TRACE_THROWN && k != EK_THROW && k != EK_ASSERT;
}

/* The sanitizer forgets the variables of frames that longjmp leaves, but not on a stack as large as ours. */
static void forget_frames(const struct handler *h)
{
#ifdef HAVE_ASAN
	char *here = __builtin_frame_address(0);

	__asan_unpoison_memory_region(here, (size_t)((char *)h - here));
#else
	(void)h;
#endif
}

static __attribute__((noreturn)) void raise_failure(const struct failure *f)
{
	struct handler *h = es.handler;

	while (h && lets_pass(h, f->kind))
		es.handler = h = h->up;

	if (!h) {
		fprintf(stderr, "error: %s\n", w_get_str(f->msg)->b);
		exit(1);
	}
	if (h->f) {
		*h->f = *f;
		if (h->with_trace == TRACE_ALL)
			h->f->trace = trace_join(f->trace, trace_collect(es.top, h->top));
	}
	while (es.top != h->top) {
		const struct rec *r = es.top;
		CHECK(r);
		es.top = r->up;
		restore(r);
	}
	CHECK(es.depth >= h->depth);
	es.depth = h->depth;
	forget_frames(h);
	longjmp(h->jb, 1);
}

int unwind_run(void (*fn)(void *arg), void *arg, struct failure *f, int with_trace)
{
	struct handler h = { .up = es.handler, .top = es.top, .depth = es.depth, .f = f, .with_trace = with_trace };

	es.handler = &h;
	if (setjmp(h.jb)) {
		/* h is unchanged since setjmp, so reading it here is defined. */
		CHECK(es.handler == &h && es.top == h.top && es.depth == h.depth);
		es.handler = es.handler->up;
		return 0;
	}
	fn(arg);
	CHECK(es.handler == &h && es.top == h.top && es.depth == h.depth); /* no record is open, nothing pretends to be */
	es.handler = h.up;
	return 1;
}

int unwind_is_told(void)
{
	return !es.handler || es.handler->f;
}

struct note {
	W value, text;
};

static void note_coerce(void *arg)
{
	struct note *n = arg;

	n->text = coerce_string(n->value, 0);
}

W trace_text(W value)
{
	struct note n = { value, W_NULL };

	return unwind_run(note_coerce, &n, NULL, TRACE_NONE) ? n.text : W_NULL;
}

void unwind_rethrow(struct failure *f)
{
	raise_failure(f);
}

/* The text is made first, so that va_end comes before the jump. */
static __attribute__((format(printf, 1, 0))) W format_message(const char *fmt, va_list ap)
{
	struct buf b = BUF_GC;

	buf_vaddf(&b, fmt, ap);
	return w_str(buf_str(&b), b.len, 0);
}

static __attribute__((noreturn)) void throw_message(enum error_kind k, uint32_t pos, uint32_t len, const char *hint, W msg)
{
	struct failure f = { .kind = k, .msg = msg, .pos = pos, .len = len, .hint = hint ? w_cstr(hint) : W_NULL };

	raise_failure(&f);
}

/* The innermost operation with a position: builtins called by builtins have none. */
static const struct node *builtin_site(void)
{
	for (const struct rec *r = es.top; r; r = r->up)
		if ((r->kind == REC_BUILTIN || r->kind == REC_CALL || r->kind == REC_NOTE) && r->by)
			return r->by;
	return NULL;
}

uint32_t call_pos(void)
{
	const struct node *n = builtin_site();

	return n ? n->pos : 0;
}

void throw_error(enum error_kind k, const char *fmt, ...)
{
	const struct node *n = builtin_site();
	va_list ap;

	va_start(ap, fmt);
	W msg = format_message(fmt, ap);
	va_end(ap);
	throw_message(k, n ? n->pos : 0, n ? n->span : 0, NULL, msg);
}

void throw_error_hint(enum error_kind k, const char *hint, const char *fmt, ...)
{
	const struct node *n = builtin_site();
	va_list ap;

	va_start(ap, fmt);
	W msg = format_message(fmt, ap);
	va_end(ap);
	throw_message(k, n ? n->pos : 0, n ? n->span : 0, hint, msg);
}

void throw_at(enum error_kind k, uint32_t pos, uint32_t len, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	W msg = format_message(fmt, ap);
	va_end(ap);
	throw_message(k, pos, len, NULL, msg);
}

void throw_hint(enum error_kind k, uint32_t pos, uint32_t len, const char *hint, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	W msg = format_message(fmt, ap);
	va_end(ap);
	throw_message(k, pos, len, hint, msg);
}

void throw_node(enum error_kind k, const struct node *n, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	W msg = format_message(fmt, ap);
	va_end(ap);
	throw_message(k, n->pos, n->span, NULL, msg);
}

void throw_node_type(const struct node *n, const char *wanted, W got)
{
	throw_node(EK_EVAL, n, "expected %s but found %s: %s", wanted, show_type(got), show_brief(got));
}

void throw_type(const char *wanted, W got)
{
	throw_error(EK_EVAL, "expected %s but found %s: %s", wanted, show_type(got), show_brief(got));
}

static enum error_kind kind_of_code(const struct err *e)
{
	switch (e->code) {
	case ERR_IO: case ERR_NOTFOUND: case ERR_NETWORK: return EK_IO;
	case ERR_DENIED: return EK_DENIED;
	case ERR_BUILD: case ERR_TIMEOUT: case ERR_DIFFERS: case ERR_REJECTED: return EK_BUILD;
	case ERR_INTERRUPT: return EK_INTERRUPT;
	default: return e->pos ? EK_SYNTAX : EK_EVAL;
	}
}

void throw_err(struct err *e)
{
	const struct node *site = e->pos ? NULL : builtin_site();
	const char *text = e->msg ? e->msg : "unknown error", *nl = strchr(text, '\n');
	struct failure f = { .kind = kind_of_code(e), .hint = W_NULL, .pos = e->pos, .len = e->len };

	/* A second line of the message is the hint. */
	size_t n = nl ? (size_t)(nl - text) : strlen(text);
	f.msg = w_str(text, n - (nl && n && text[n - 1] == ';'), 0);
	if (nl)
		f.hint = w_cstr(nl + 1);
	if (site) {
		f.pos = site->pos;
		f.len = site->span;
	}
	err_release(e);
	raise_failure(&f);
}

void eval_limit_steps(uint64_t n)
{
	es.steps = n;
	es.stack_limit = n ? (char *)UINTPTR_MAX : es.stack_floor;
}

/* Steps are counted where the stack is checked, which a limit on them makes come here each time, as the profiler of calls does. */
static int step_event(void)
{
	if ((!es.steps && !es.flame) || (char *)__builtin_frame_address(0) < es.stack_floor)
		return 0;
	if (!es.steps)
		return 1;
	if (es.steps == 1)
		throw_error(EK_STACK, "evaluation takes more steps than it may");
	es.steps--;
	return 1;
}

void stack_event(void)
{
	interrupt_event();
	if (step_event() || profile_event())
		return;
	/* Room for raising: what runs from here is bounded. */
	es.stack_limit -= LIMIT_EVAL_STACK_RESERVE / 2;
	const struct node *n = builtin_site();
	struct failure f = { .kind = EK_STACK, .msg = w_cstr("stack overflow; possible infinite recursion"),
			     .hint = W_NULL, .pos = n ? n->pos : 0, .len = n ? n->span : 0 };
	es.stack_limit += LIMIT_EVAL_STACK_RESERVE / 2;
	raise_failure(&f);
}

/* The names on the way from the second time something is asked for back to the first: a -> b -> a. */
static void describe_loop(struct buf *b, const void *p, const struct node *by)
{
	enum { SHOWN = 8 };
	sym_t names[SHOWN];
	unsigned n = 0, more = 0;

	for (const struct rec *r = es.top; r; r = r->up) {
		sym_t s = (r->kind == REC_THUNK || r->kind == REC_SLOT) && r->by ? node_symbol(r->by) : SYM_NONE;
		if (s && n < SHOWN)
			names[n++] = s;
		else if (s)
			more++;
		if (r->p == p)
			break;
	}
	sym_t last = by ? node_symbol(by) : SYM_NONE;
	if (!n || !last)
		return;
	for (unsigned i = n; i-- > 0;)
		buf_addf(b, "%s -> ", sym_name(names[i])->b);
	if (more)
		buf_adds(b, "… -> ");
	buf_adds(b, sym_name(last)->b);
}

void infinite_recursion(const void *p, const struct node *by)
{
	const struct node *n = by ? by : builtin_site();
	struct buf b = BUF_GC;

	describe_loop(&b, p, by);
	throw_hint(EK_RECURSION, n ? n->pos : 0, n ? n->span : 0, NULL, "infinite recursion encountered%s%s",
		   b.len ? ": " : "", buf_str(&b));
}

/* Records pushed by functions that return; given back when popped in order, left to the collector by errors. */
static void rec_push(enum rec_kind k, const void *p, W data, uint32_t pos)
{
	struct rec *r = alloc(sizeof *r);

	*r = (struct rec){ .up = es.top, .p = p, .data = data, .kind = k, .pos = pos };
	es.top = r;
}

static void rec_pop(void)
{
	struct rec *r = es.top;

	es.top = r->up;
	release(r, sizeof *r);
}

void note_push(const char *text, uint32_t pos)
{
	rec_push(REC_NOTE, text, W_NULL, pos);
}

void note_push_value(W str, uint32_t pos)
{
	rec_push(REC_USER, NULL, str, pos);
}

void note_push_made(const char *(*text)(void *arg), void *arg, uint32_t pos)
{
	struct note_maker *m = alloc(sizeof *m);

	*m = (struct note_maker){ text, arg };
	rec_push(REC_MAKE, m, W_NULL, pos);
}

void note_pop(void)
{
	struct rec *r = es.top;

	if (r->kind == REC_MAKE)
		release((void *)r->p, sizeof(struct note_maker));
	rec_pop();
}

void protect_push(void (*fn)(void *arg), void *arg)
{
	struct protect *p = alloc(sizeof *p);

	*p = (struct protect){ fn, arg };
	rec_push(REC_PROTECT, p, W_NULL, 0);
}

void protect_pop(int run)
{
	const struct protect p = *(const struct protect *)es.top->p;

	release((void *)es.top->p, sizeof p);
	rec_pop();
	if (run)
		p.fn(p.arg);
}
