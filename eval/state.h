/* SPDX-License-Identifier: MIT
 *
 * Private to eval/: the state of the evaluating thread, small-object allocation, frames, and the
 * stack of records that unwinding and traces read.
 *
 * The state is thread-local: what is reached from the thread's register needs no other.  It is named to the collector as
 * a root by eval_thread, and is the same in every session; what it remembers (symbols of strings, free blocks) depends
 * on none.  That does not make two threads evaluate at a time: see eval.h.
 *
 * Records live in the C frames of the functions that push them and form a list (es.top).  A record is
 * popped on normal exit; an error walks the list instead (unwind.c).
 */
#ifndef EVAL_STATE_H
#define EVAL_STATE_H

#include "base/mem.h"
#include "eval/attrs.h"
#include "eval/error.h"
#include "eval/eval.h"
#include "eval/stats.h"
#include "eval/value.h"
#include "lang/program.h"

#include <string.h>

enum { CLASS_MAX = 16 }; /* size classes of 16 bytes: up to 256 */
enum { SYMBOL_MEMO = 64 }; /* strings whose symbol is remembered */

struct frame {
	struct frame *up;
	W s[];
};

struct closure {
	const struct n_lambda *l;
	struct frame *env;
};

enum rec_kind {
	REC_THUNK,   /* p: thunk being forced; data: its code before */
	REC_SLOT,    /* p: slot being filled in place; data: its word before */
	REC_ELEMENT, /* p: struct element being evaluated in place */
	REC_CALL,    /* p: the closure's n_lambda; by: the call node */
	REC_BUILTIN, /* p: struct builtin; by: the call node (may be NULL); arg: argument being read, from 1 */
	REC_NOTE,    /* p: text */
	REC_WHAT,    /* p: text after "while evaluating " */
	REC_MAKE,    /* p: struct note_maker, gives the text when it is wanted */
	REC_USER,    /* data: string value given to addErrorContext */
	REC_PROTECT  /* p: struct protect */
};

struct rec {
	struct rec *up;
	const void *p;
	W data;
	const struct node *by; /* the node that asked, for names and positions */
	uint16_t kind, arg;
	uint32_t pos;
};

struct protect {
	void (*fn)(void *arg);
	void *arg;
};

/* A list element to become `f arg` again, as a thunk, when its evaluation fails. */
struct element {
	W *slot;
	W f, arg;
};

struct note_maker {
	const char *(*text)(void *arg);
	void *arg;
};

struct es {
	void *free[CLASS_MAX + 1];
	void *free_bytes[CLASS_MAX + 1];
	struct rec *top;
	char *stack_limit; /* where check_stack stops; above the stack when something else is due */
	char *stack_floor; /* what it is when nothing is */
	uint64_t steps;	   /* left, 0 for no limit */
	struct handler *handler;
	uint32_t depth;
	int flame; /* calls are told to eval/flame.h */
	struct counters count;
	struct {
		W str; /* kept alive, so that the address stays its own */
		sym_t sym;
	} symbols[SYMBOL_MEMO];
};

extern _Thread_local struct es es;

/* --- value.c --- */

/* Drops the free lists of pointer-free objects, whose links the collector cannot follow. */
void alloc_forget(void);

void *alloc_refill(size_t cls, int scanned);

/* A zeroed scanned object. */
static inline void *alloc(size_t size)
{
	size_t c = (size + 15) >> 4;

	if (__builtin_expect(c > CLASS_MAX, 0))
		return mem_new(size);
	void *p = es.free[c];
	if (__builtin_expect(!p, 0))
		p = alloc_refill(c, 1);
	es.free[c] = *(void **)p;
	*(void **)p = NULL;
	return p;
}

/* A pointer-free object, not zeroed. */
static inline void *alloc_bytes(size_t size)
{
	size_t c = (size + 15) >> 4;

	if (__builtin_expect(c > CLASS_MAX, 0))
		return mem_bytes(size);
	void *p = es.free_bytes[c];
	if (__builtin_expect(!p, 0))
		p = alloc_refill(c, 0);
	es.free_bytes[c] = *(void **)p;
	return p;
}

/* Gives a scanned object of `size` bytes back: scratch that nothing refers to any more. */
static inline void release(void *p, size_t size)
{
	size_t c = (size + 15) >> 4;

	if (c > CLASS_MAX) {
		mem_free(p);
		return;
	}
	memset(p, 0, size);
	*(void **)p = es.free[c];
	es.free[c] = p;
}

static inline struct frame *frame_new(uint32_t nslots, struct frame *up)
{
	struct frame *f = alloc(sizeof *f + (size_t)nslots * sizeof(W));

	f->up = up;
	es.count.frames++;
	return f;
}

/* --- the engine --- */

typedef W (*op_eval)(const struct node *n, struct frame *f);

extern op_eval ops_eval[OP_COUNT]; /* written by eval_init alone */
extern const op_eval ops_delay[OP_COUNT];

/* The value of a node in a frame. Throws. */
static inline W ev(const struct node *n, struct frame *f)
{
	return ops_eval[n->op](n, f);
}

/* A word that stands for a node in a frame: its value when that costs nothing, else a thunk. Never throws
 * and never evaluates. */
static inline W delay(const struct node *n, struct frame *f)
{
	return ops_delay[n->op](n, f);
}

/* --- force.c --- */
W thunk_new(const struct node *n, struct frame *f);

/* delay where it may lead to itself again, from one variable or member to the next: near the end of the stack a
 * thunk always does. */
static inline W delay_checked(const struct node *n, struct frame *f)
{
	return __builtin_expect((char *)__builtin_frame_address(0) < es.stack_floor, 0) ? thunk_new(n, f) : delay(n, f);
}

/* As force, naming the node that asked. */
W force_by(W w, const struct node *by);

/* The value of a slot, filling it. */
W read_slot(W *slot, struct frame *f, const struct node *by);

/* The word of a slot for keeping elsewhere: not a mark, save W_HOLE while the slot is being filled. */
W share_slot(W *slot, struct frame *f);

/* --- ops.c --- */

/* What the native thunk of a variable runs that was asked for while it was being evaluated: its frame and node. */
W read_variable(W g, W var);

/* The symbol of a string value; remembers the last strings asked about. */
sym_t word_symbol_slow(W str);

static inline unsigned symbol_memo(W str)
{
	return (unsigned)(str >> 4) % SYMBOL_MEMO;
}

static inline sym_t word_symbol(W str)
{
	unsigned i = symbol_memo(str);

	return es.symbols[i].str == str ? es.symbols[i].sym : word_symbol_slow(str);
}

/* --- call.c --- */

/* Applies a closure or builtin to exactly its arity / calls anything. node may be NULL. */
W call_words(W fn, unsigned n, const W *args, const struct node *by);
W call_closure(const struct n_lambda *l, struct frame *nf, const struct node *by);
W call_node(const struct node *n, struct frame *f);
W call_node_told(const struct node *n, struct frame *f); /* telling when it begins and ends */
W call_node_flamed(const struct node *n, struct frame *f); /* telling the profiler */

/* --- unwind.c, interrupt.c, profile.c --- */

/* The stack limit was passed: a sample is due, or the stack is used up (then throws). */
__attribute__((cold)) void stack_event(void);
/* Raises EK_INTERRUPT when somebody asked for it. */
void interrupt_event(void);
/* Takes a sample if one is due; returns whether. */
int profile_event(void);
__attribute__((noreturn, cold)) void infinite_recursion(const void *p, const struct node *by);

static inline void check_stack(void)
{
	if (__builtin_expect((char *)__builtin_frame_address(0) < es.stack_limit, 0))
		stack_event();
}

/* Errors at a node. */
void throw_node(enum error_kind k, const struct node *n, const char *fmt, ...)
	__attribute__((noreturn, cold, format(printf, 3, 4)));
void throw_node_type(const struct node *n, const char *wanted, W got) __attribute__((noreturn, cold));

/* --- sets, private part --- */

enum { SET_FLAT, SET_LAZY, SET_MERGE };

/* --- attrs.c --- */

/* A set literal's object for n attributes, with room for the frame of members not made yet. */
struct attrs *attrs_alloc(struct shape *sh, uint32_t n);
struct attrs *attrs_alloc_lazy(struct shape *sh, uint32_t n, struct frame *f);

/* The slot of an attribute with a hint of where it was found last time, kept up to date. */
W *attrs_find_hint_slow(W set, sym_t s, uint32_t *hint);

static inline W *attrs_find_hint(W set, sym_t s, uint32_t *hint)
{
	struct attrs *a = W_PTR(set);
	uint32_t i = *hint;

	if (__builtin_expect(a->kind != SET_MERGE && i < a->n && a->sh->sym[i] == s && !W_IS_LAZY(a->v[i]), 1)) {
		es.count.lookups++;
		return &a->v[i];
	}
	return attrs_find_hint_slow(set, s, hint);
}

/* Whether there is an attribute. */
int attrs_has(W set, sym_t s, uint32_t *hint);
/* For delay, which may run while a member of an operand of `set` is being made: flattening now would copy the hole in
 * its place.  The slot may hold W_HOLE. */
W *attrs_peek_hint(W set, sym_t s, uint32_t *hint);

struct shape *shape_new(const sym_t *sym, const uint32_t *pos, uint32_t n);

/* --- fail.c --- */

/* "attribute 'x' missing" with the nearest name, at pos. */
void throw_missing_attr(W set, sym_t s, uint32_t pos, uint32_t len) __attribute__((noreturn, cold));
/* The same for a step of an attribute path given on the command line. */
void throw_missing_step(W set, sym_t s, const char *path) __attribute__((noreturn, cold));

#endif
