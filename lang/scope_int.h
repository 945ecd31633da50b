/* SPDX-License-Identifier: MIT
 *
 * Private to scope.c, scope_ops.c, scope_vars.c and strict.c: what is known while a tree is resolved.
 */
#ifndef LANG_SCOPE_INT_H
#define LANG_SCOPE_INT_H

#include "lang/program.h"

/* A HEAP node, and what points to it. */
struct cmove {
	struct cmove *before;
	const struct node **where;
	struct n_heap *node;
};

/* A frame being laid out.  captured: something may outlive the call that made the frame and refer to it, or
 * the frame may hold marks.  head: nothing but its parameters took slots so far in a branch, so a
 * let of any size belongs to it.  moves: branches that capture and take the frame to the heap first. */
struct cframe {
	struct cframe *up;
	uint32_t depth, nslots;
	int head, captured;
	struct n_lambda *lambda; /* whose frame it is; NULL for others */
	struct cmove *moves;
};

struct cvar {
	sym_t sym;
	uint32_t slot;
	struct cframe *frame;
	struct cvar *shadowed; /* the binding of the same name outside */
	struct cvar *next;     /* in the same scope */
};

struct cscope {
	struct cvar *vars;
};

/* The slot that remembers a name found under a with. */
struct ccache {
	sym_t sym;
	uint32_t slot;
};

struct cwith {
	struct cwith *up;
	struct cframe *frame;
	uint32_t slot;
	struct ccache *caches; /* hash table by symbol, less than half full; its size less one */
	uint32_t n_caches, mask;
	const struct n_with *node;
};

struct resolver {
	struct arena *mem; /* for nodes */
	struct arena tmp;  /* dropped at the end */
	const struct scope_env *env;
	struct err *err;
	struct cframe *frame;
	struct cwith *with;
	uint32_t band; /* of levels of the tree, CHECK_LEVELS each */
};

/* The node for x. strict: it runs directly in the frame being laid out, not from a thunk. */
const struct node *resolve(struct resolver *r, const struct expr *x, int strict);

/* Resolves a branch to *where, strictly; returns whether it captures the frame. */
int resolve_branch(struct resolver *r, const struct expr *x, const struct node **where);

/* The branch at *where captures the frame, what else may run does not: it takes the frame along. */
void move_frame(struct resolver *r, const struct expr *x, const struct node **where);

/* --- scope_ops.c --- */

const struct node *resolve_binary(struct resolver *r, const struct expr *x, int strict);
const struct node *resolve_unary(struct resolver *r, const struct expr *x, int strict);

/* --- scope_vars.c --- */

/* Opens the frame f below the running one, and closes the running one. */
void scope_push(struct resolver *r, struct cframe *f);
void scope_pop(struct resolver *r);

/* A new slot of the running frame. */
uint32_t scope_slot(struct resolver *r);

/* Binds s to a slot of the running frame, for as long as sc is not unbound. */
void scope_bind(struct resolver *r, struct cscope *sc, sym_t s, uint32_t slot);
void scope_unbind(struct cscope *sc);

/* The innermost lexical binding of s, NULL for none. */
struct cvar *scope_bound(sym_t s);

/* A zeroed node of `size` bytes that stands for x. */
void *scope_node(struct resolver *r, size_t size, enum node_op op, const struct expr *x);
const struct node *scope_const(struct resolver *r, const struct expr *x, W w);

/* Reads a slot of frame f, the running one or one above; s is the variable's name. */
const struct node *scope_slot_node(struct resolver *r, const struct expr *x, sym_t s, const struct cframe *f, uint32_t slot);

/* The node for the variable s; when there is none, the error is set and the node stands for null. */
const struct node *scope_var(struct resolver *r, const struct expr *x, sym_t s);

/* Notes which parameters the body of l forces before anything else can happen. */
void strict_params(struct n_lambda *l);

#endif
