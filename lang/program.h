/* SPDX-License-Identifier: MIT
 *
 * The checked program: what scope.c makes of a syntax tree and eval/ runs.
 *
 * A program is a tree of nodes in an arena that is never freed.  Every variable is resolved to
 * (level, slot): how many frames up, which slot there.  One frame serves a whole lambda `x: y: { a }:` with
 * the lets and withs at the head of its body.  Everything in a lambda's body runs at most once for each
 * frame of it, so a slot is also the memo of the expression that fills it.
 *
 * Nodes are read-only but for `hint`, where a look-up found its attribute last time; a race on it is
 * harmless.  No node points into the collected heap.
 */
#ifndef LANG_PROGRAM_H
#define LANG_PROGRAM_H

#include "base/arena.h"
#include "lang/ast.h"
#include "lang/word.h"

/* Each kind of node: its name, its evaluation (ev_X in eval/ops.c) and how it is put off (dl_X). */
#define NODE_OPS(X) \
	X(CONST, constant, constant) X(VAR0, var0, var) X(VAR1, var1, var) X(VAR2, var2, var) \
	X(VARN, varn, var) X(WITH_VAR, with_var, with_var) X(CURPOS, curpos, thunk) \
	X(SELECT1, select1, select1) X(SELECT, select, thunk) X(HASATTR, hasattr, thunk) \
	X(ATTRS, attrs, attrs) X(REC, rec, thunk) X(LIST, list, list) X(LAMBDA, lambda, lambda) \
	X(CALL, call, thunk) X(LET, let, thunk) X(FRAME, frame, thunk) X(WITH, with, thunk) \
	X(IF, if, thunk) X(ASSERT, assert, thunk) X(NOT, not, thunk) X(NEG, neg, thunk) \
	X(ADD, add, thunk) X(SUB, sub, thunk) X(MUL, mul, thunk) X(DIV, div, thunk) X(EQ, eq, thunk) \
	X(NE, ne, thunk) X(LT, lt, thunk) X(LE, le, thunk) X(GT, gt, thunk) X(GE, ge, thunk) \
	X(AND, and, thunk) X(OR, or, thunk) X(IMPL, impl, thunk) X(UPDATE, update, thunk) \
	X(CONCAT, concat, thunk) X(INTERP, interp, thunk) X(PATH, path, thunk) X(HEAP, heap, thunk) \
	X(CHAIN, chain, thunk) X(CHECK, check, thunk) X(UNREAD, unread, unread)

enum node_op {
#define X(id, ev, dl) OP_##id,
	NODE_OPS(X)
#undef X
	OP_COUNT
};

/* Literals up to this size are built at once where a thunk would do. */
enum { EAGER_MAX = 8 };

/* Every node starts so.  span: length in bytes of the text at pos, at most 65535.  flags: of UNREAD only. */
struct node {
	uint8_t op;
	uint8_t flags;
	uint16_t span;
	uint32_t pos;
};

struct shape;

struct n_const { struct node h; W w; };
struct n_var { struct node h; uint32_t level, slot; sym_t sym; };
struct n_curpos { struct node h; };

/* A name looked up in the sets of the enclosing withs, innermost first; slot (0 until known) remembers
 * the word found. */
struct n_with_var {
	struct node h;
	sym_t sym;
	uint32_t level, slot;
	uint32_t n;
	struct { uint32_t level, slot; const struct n_with *with; } env[];
};

/* One step of an attribute path: a name, or an expression that gives it. */
struct n_step {
	sym_t sym;
	uint32_t hint;
	const struct node *name;
	uint32_t pos, span;
};

struct n_select1 {
	struct node h;
	sym_t sym;
	uint32_t hint;
	const struct node *e;
	uint32_t sym_pos, sym_span;
};

struct n_select {
	struct node h;
	uint32_t n;
	const struct node *e, *def; /* def may be NULL; unused by HASATTR */
	struct n_step v[];
};

/* A slot of the running frame and the node that fills it when read. */
struct n_slot {
	uint32_t slot;
	const struct node *v;
};

struct n_dyn {
	const struct node *name, *v;
	uint32_t pos, span;
};

/* Attribute set literal.  tmpl[i] is the word that stands for attribute i of the shape at first:
 * a constant's value, else W_LAZY of its node.  For REC (nslots is the size of its own
 * frame) the nodes of tmpl read the frame's slots, and `slots` says what fills these. */
struct n_attrs {
	struct node h;
	uint32_t n, n_lazy, n_dyn, n_slots, nslots;
	int32_t overrides; /* REC: index of __overrides in the shape, -1 without */
	struct shape *sh;
	W *tmpl;
	struct n_slot *slots; /* inherit (e): the slot that holds e; REC: also the members */
	struct n_dyn *dyn;
};

struct n_list { struct node h; uint32_t n; const struct node *v[]; };

struct n_formal {
	sym_t sym;
	uint32_t slot, pos, span, hint;
	const struct node *def; /* NULL: required */
};

/* Slots of a frame that may live on the C stack. */
enum { STACK_FRAME_SLOTS = 8 };

/* A chain of lambdas taken together: arity - 1 plain parameters and a last one, plain or with
 * formals.  Parameters are slots 0 .. arity-1 of its frame. */
struct n_lambda {
	struct node h;
	uint32_t arity, nparams, nslots; /* parameters and formals come first in the frame */
	uint32_t n_formals;
	uint8_t has_formals, ellipsis;
	uint8_t on_stack;	  /* nothing captures its frame, save below a HEAP: it may live on the C stack */
	uint8_t n_strict;	  /* the body forces these parameters first, in this order */
	uint8_t strict[5];
	struct n_formal *formals; /* by ascending symbol */
	const struct node *body;
	sym_t name;		  /* what it is bound to, for traces */
	sym_t *params;		  /* arity names; SYM_NONE for formals without @ */
	uint32_t *param_pos;	  /* where each lambda of the chain begins */
	uint32_t doc_pos, doc_len; /* doc comment in the source; 0: none */
};

struct n_call { struct node h; uint32_t n; const struct node *fn; const struct node *args[]; };

/* Fills slots of the running frame, then goes on with body. */
struct n_let { struct node h; uint32_t n; const struct node *body; struct n_slot v[]; };

/* Runs body in a fresh frame below the running one. */
struct n_frame { struct node h; uint32_t nslots; const struct node *body; };

/* Runs e, which captures the running frame, in a copy of it on the heap: the frame of l is on the C stack. */
struct n_heap { struct node h; const struct n_lambda *l; const struct node *e; };

/* Stands for a node that is still bytes of its file's unit (lang/unit.h).  flags of h: its op.  real: the node, once it
 * was read. */
struct n_unread { struct node h; const struct node *real; };

struct n_with { struct node h; uint32_t slot; const struct node *env, *body; };
struct n_if { struct node h; const struct node *cond, *then, *else_; };
struct n_assert { struct node h; const struct node *cond, *body; };
/* NOT and NEG.  CHECK: e, after a look at how much stack is left; stands every so many levels in a high tree. */
struct n_unary { struct node h; const struct node *e; };
struct n_binary { struct node h; const struct node *l, *r; };

/* A long chain of operators: v[0] has `first` on its left and each other the one before it, so v[n - 1] alone would mean the same.
 */
struct n_chain { struct node h; uint32_t n; const struct node *first; const struct n_binary *v[]; };

struct n_interp { struct node h; uint32_t n; const struct node *v[]; };

/* What a program is resolved against. */
struct scope_env {
	/* The value of a global name, or W_ABSENT. */
	W (*global)(void *arg, sym_t s);
	/* The value of builtins.NAME for a name that is surely there, or W_ABSENT. */
	W (*builtin)(void *arg, sym_t s);
	/* A shape for n ascending symbols; kept for the life of the process. */
	struct shape *(*shape)(void *arg, const sym_t *sym, const uint32_t *pos, uint32_t n);
	/* For units (lang/unit.h), else NULL: the name under which `global` has a word, SYM_NONE for none; and the names
	 * and positions of a shape. */
	sym_t (*name_of)(void *arg, W w);
	void (*shape_names)(void *arg, const struct shape *sh, const sym_t **sym, const uint32_t **pos);
	void *arg;
	/* The values `[ ]` and `{ }`. */
	W empty_list, empty_set;
	/* Names in scope in front of the globals, in slots 0..n-1 of a frame the caller makes. */
	const sym_t *names;
	uint32_t n_names;
};

/* The program of a tree.  Its body runs in a frame of *nslots slots, whose `up` is the frame of
 * env->names.  Returns NULL with *e set for an undefined variable.  Candidates for "did you mean"
 * are in the message. */
const struct node *scope_resolve(const struct expr *x, const struct scope_env *env, struct arena *mem,
				 uint32_t *nslots, struct err *e);

#endif
