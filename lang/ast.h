/* SPDX-License-Identifier: MIT
 *
 * The syntax tree: what parser.y builds and scope.c turns into a program.
 * Lives in an arena of its own, dropped once the program is made.
 *
 * Every expression carries its span: pos (base/source.h) and len in bytes.  pos is the position
 * errors name, as in Nix: the operator for binary operators, the first byte otherwise.
 *
 * Sugar that means the same as something else is still distinct here where --parse prints
 * it the same (`-x` is E_NEG, printed `(__sub 0 x)`).
 */
#ifndef LANG_AST_H
#define LANG_AST_H

#include "base/arena.h"
#include "base/err.h"
#include "base/source.h"
#include "lang/symbol.h"

enum expr_kind {
	E_INT,
	E_FLOAT,
	E_STR,	   /* string literal, no interpolation; also URL literals */
	E_PATH,	   /* path literal, already absolute and normalised */
	E_SPATH,   /* <x>: (__findFile __nixPath "x") */
	E_VAR,
	E_CURPOS,  /* __curPos */
	E_SELECT,  /* e.path, e.path or def */
	E_HASATTR, /* e ? path */
	E_ATTRS,   /* { } and rec { } */
	E_LIST,
	E_LAMBDA,
	E_CALL,	   /* f a b c: one node for the whole spine */
	E_LET,
	E_WITH,
	E_IF,
	E_ASSERT,
	E_NOT,
	E_NEG,
	E_BINARY,
	E_CONCAT   /* "a${b}c" and paths with interpolation; a + b is E_BINARY */
};

enum binary_op {
	BIN_ADD, BIN_SUB, BIN_MUL, BIN_DIV,
	BIN_EQ, BIN_NE, BIN_LT, BIN_LE, BIN_GT, BIN_GE,
	BIN_AND, BIN_OR, BIN_IMPL, BIN_UPDATE, BIN_CONCAT
};

/* One step of an attribute path: a static name, or an expression for it. */
struct attr_name {
	sym_t sym;	   /* SYM_NONE when dynamic */
	struct expr *expr; /* NULL when static */
	uint32_t pos, len;
};

struct attr_path {
	uint32_t n;
	struct attr_name v[];
};

enum binding_kind {
	BIND_PLAIN,	  /* name = value */
	BIND_INHERIT,	  /* inherit name; value is an E_VAR looked up outside a rec or let */
	BIND_INHERIT_FROM /* inherit (from[from_index]) name; value is NULL */
};

struct binding {
	sym_t sym;
	uint32_t pos, len;  /* of the name, as unsafeGetAttrPos reports it */
	enum binding_kind kind;
	uint32_t from_index;
	struct expr *value;
};

struct dyn_binding {
	struct expr *name, *value;
	uint32_t pos, len;
};

/* The bindings of an attribute set or let after nested paths were merged and duplicates
 * refused.  static_ is in order of first appearance. */
struct bindings {
	uint32_t n, n_dyn, n_from;
	struct binding *v;
	struct dyn_binding *dyn;
	struct expr **from; /* the expressions of inherit (e) ..., in order */
};

struct formal {
	sym_t sym;
	uint32_t pos, len;
	struct expr *def; /* NULL: required */
};

struct formals {
	uint32_t n;
	int ellipsis;
	struct formal *v; /* in the order written */
};

/* Nodes are allocated only as large as their kind needs: never copy a struct expr by value. */
struct expr {
	uint8_t kind;
	uint8_t op;	 /* E_BINARY: enum binary_op */
	uint8_t rec;	 /* E_ATTRS: rec.  E_CONCAT: 1 for a string (parts coerced), 0 for a path */
	uint8_t paren;	 /* was written in parentheses */
	uint32_t pos, len;
	uint32_t depth;	 /* height of the tree below, not counting the links of chains; at most LIMIT_PARSE_DEPTH, so
			    passes may recurse */
	union {
		int64_t i;
		double d;
		struct { const char *p; size_t n; } str; /* E_STR, E_PATH, E_SPATH; bytes as they mean */
		struct { sym_t sym; } var;
		struct { struct expr *e; struct attr_path *path; struct expr *def; } select; /* def may be NULL */
		struct { struct bindings *b; } attrs;
		struct { uint32_t n; struct expr **v; } list;
		struct {
			sym_t arg;		 /* x: or the name beside @; SYM_NONE without */
			struct formals *formals; /* NULL for x: */
			struct expr *body;
			sym_t name;		 /* the attribute it is bound to, for traces; set by the parser */
			uint32_t doc_pos, doc_len; /* its doc comment between the marks, as written (doc_text
						      strips it); 0 without */
		} lambda;
		struct { struct expr *fn; uint32_t n; struct expr **v; } call;
		struct { struct bindings *b; struct expr *body; } let;
		struct { struct expr *env, *body; } with;   /* also E_ASSERT: env is the condition */
		struct { struct expr *cond, *then, *else_; } if_;
		struct { struct expr *l, *r; } bin;	    /* E_NOT and E_NEG use l */
		struct { uint32_t n; struct expr **v; } concat;
	};
};

/* Chains may be of any length, so passes follow them in a loop.  There are two: operators that associate to the left, down their
 * left operands, and calls (of `x |> f |> g`), down their last arguments. */
static inline int expr_is_link(const struct expr *e)
{
	return e->kind == E_BINARY && (e->op <= BIN_DIV || e->op == BIN_AND || e->op == BIN_OR);
}

/* How many links there are from e, which is one, to the innermost. */
static inline uint32_t expr_chain_length(const struct expr *e)
{
	uint32_t n = 1;

	while (expr_is_link(e = e->bin.l))
		n++;
	return n;
}

#endif
