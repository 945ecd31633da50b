/* SPDX-License-Identifier: MIT
 *
 * Values: making them, telling them apart, forcing them.  See lang/word.h for the word.
 *
 * Everything here lives on the collected heap and is never freed.  A W may be held in C
 * locals, collected blocks and roots, never in malloc memory.  Functions marked "Throws." may leave
 * by eval/error.h's throw; do not hold malloc memory or descriptors across them without an
 * unwind record.
 */
#ifndef EVAL_VALUE_H
#define EVAL_VALUE_H

#include "base/buf.h"
#include "lang/symbol.h"
#include "lang/word.h"

enum vtype {
	V_INT,
	V_FLOAT,
	V_BOOL,
	V_STRING,
	V_PATH,
	V_NULL,
	V_ATTRS,
	V_LIST,
	V_FUNCTION, /* closure, builtin or partial application of either */
	V_THUNK	    /* not a value yet */
};

/* The type of a word; V_THUNK when it needs forcing. */
enum vtype w_type(W w);

/* With article, for messages: "an integer", "a set", "the partially applied built-in function 'map'" is not
 * among them: see show.h. */
const char *vtype_name(enum vtype t);

/* --- thunks --- */

/* code, low two bits: 0 suspended (code = node, val = frame); 1 done (val = value);
 * 2 native (val and the words after it are the arguments and entry of a C function);
 * 3 being evaluated.  Only eval/force.c changes it. */
struct thunk {
	uintptr_t code;
	W val;
};

W force_thunk(W w);

/* The value of w in weak head normal form.  Throws. */
static inline W force(W w)
{
	return __builtin_expect(W_TAG(w) == TAG_THUNK, 0) ? force_thunk(w) : w;
}

/* Forces the word at *p and stores the value there.  Throws. */
static inline W force_at(W *p)
{
	W w = *p;

	return W_TAG(w) == TAG_THUNK ? (*p = force_thunk(w)) : w;
}

/* w if it is a value or a thunk that is done (then its value), else w itself: never evaluates. */
W w_peek(W w);

/* 1 when w is a thunk for something that has to be computed: neither a literal nor a variable. */
int w_is_computed(W w);

/* 1 when w is a thunk, not done yet, that only reads a variable. */
int w_is_variable(W w);

/* Forces w and everything inside it: attributes, list elements. Throws. */
void force_deep(W w);

/* A thunk that will call fn(a, b) when forced; a and b are kept alive. */
W lazy_native(W (*fn)(W a, W b), W a, W b);

/* Thunks for f a and f a b (f may itself be a thunk). */
W lazy_call1(W f, W a);
W lazy_call2(W f, W a, W b);

/* --- numbers --- */

W w_int_slow(int64_t i);

static inline W w_int(int64_t i)
{
	return int_fits(i) ? w_small(i) : w_int_slow(i);
}

static inline int w_is_int(W w)
{
	return W_TAG(w) == TAG_INT || (W_TAG(w) == TAG_BOX && ((struct box *)W_PTR(w))->kind == BOX_INT);
}

/* Of a word for which w_is_int holds. */
static inline int64_t w_get_int(W w)
{
	return W_TAG(w) == TAG_INT ? (int64_t)w >> 3 : ((struct box_int *)W_PTR(w))->i;
}

W w_float(double d);

static inline int w_is_box(W w, enum box_kind k)
{
	return W_TAG(w) == TAG_BOX && ((struct box *)W_PTR(w))->kind == (uint32_t)k;
}

static inline int w_is_float(W w)
{
	return w_is_box(w, BOX_FLOAT);
}

static inline double w_get_float(W w)
{
	return ((struct box_float *)W_PTR(w))->d;
}

static inline int w_is_bool(W w)
{
	return w == W_TRUE || w == W_FALSE;
}

/* --- strings and paths --- */

/* A string of n bytes copied from p, with context ctx (0: none).  Throws past LIMIT_STRING_LENGTH. */
W w_str(const char *p, size_t n, uint32_t ctx);
W w_cstr(const char *s);

/* A string of n bytes to be filled in by the caller at once (b[n] is already NUL). Throws as w_str. */
struct str *str_alloc(size_t n, uint32_t ctx);

/* A string put together in a collected buffer (BUF_GC): str_begin with about how many bytes it will have, then add them, then
 * str_end, which takes over the buffer or copies it, whichever is less.  str_length: how many there are so far.  Throws as w_str.
 */
void str_begin(struct buf *b, size_t about);
W str_end(struct buf *b, uint32_t ctx);

static inline size_t str_length(const struct buf *b)
{
	return b->len - sizeof(struct str);
}

static inline int w_is_str(W w)
{
	return W_TAG(w) == TAG_STR;
}

static inline struct str *w_get_str(W w)
{
	return W_PTR(w);
}

/* The same string with another context. */
W str_with_context(W s, uint32_t ctx);

/* A path value of the n bytes at p, which must be absolute and normalised. */
W w_path(const char *p, size_t n);

static inline int w_is_path(W w)
{
	return w_is_box(w, BOX_PATH);
}

static inline struct box_path *w_get_path(W w)
{
	return W_PTR(w);
}

/* A tree whose store path nobody asked for yet has a place of its own in the store directory, which no store path can be: this
 * letter begins its name, and hashes of the store do not have it. */
#define LAZY_TREE_MARK 'u'
enum { LAZY_TREE_NAME = 32 }; /* as long as those hashes */

/* Whether a path lies in such a tree.  Then its text must not be seen: w_path_text. */
int w_path_is_lazy(W w);

/* The path as text that may be seen: its tree's store path is computed when need be.  Throws. */
struct box_path *w_path_text(W w);

/* --- functions --- */

static inline int w_is_function(W w)
{
	return W_TAG(w) == TAG_CLOSURE || w_is_box(w, BOX_BUILTIN) || w_is_box(w, BOX_PAP);
}

/* Calls f, forcing it first; f may be a set with __functor.  Arguments may be thunks; the result is a
 * value.  Throws. */
W call1(W f, W a);
W call2(W f, W a, W b);

/* Does calling f with just `arity` arguments force argument `arg` before anything but the arguments before it can fail? Then
 * forcing it early cannot be told from forcing it late. */
int function_forces(W f, unsigned arity, unsigned arg);

/* For a closure (or a partial application of one) whose next parameter is a set of formals: its
 * formals, in name order, through the callback; returns 1 and sets *ellipsis.  Else returns 0. */
int function_formals(W f, void (*each)(void *arg, sym_t name, uint32_t pos, int has_default), void *arg,
		     int *ellipsis);

/* How many arguments a function has already; how many a closure, or a partial application of one, still takes, 0 for builtins. */
unsigned function_given(W f);
unsigned function_takes(W f);

/* The name of the i-th parameter that it still takes (SYM_NONE for a set of formals alone); *is_set: it is a set of formals. */
sym_t function_param(W f, unsigned i, int *is_set);

/* As function_formals, for the last parameter, also when others come before it. */
int function_last_formals(W f, void (*each)(void *arg, sym_t name, uint32_t pos, int has_default), void *arg, int *ellipsis);

/* The name of a function's next plain parameter or the name beside @ (SYM_NONE without), and where it was
 * written (0 for builtins). */
sym_t function_arg(W f, uint32_t *pos);

/* The name a closure was bound to (SYM_NONE without) and where it is written. */
sym_t function_name(W f, uint32_t *pos);

/* The builtin behind a word that is one or a partial application of one; else NULL. */
const struct builtin *function_builtin(W f);

/* The doc comment of a closure, or NULL; *len its length.  Points into the source. */
const char *function_doc(W f, size_t *len);

#endif
