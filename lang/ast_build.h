/* SPDX-License-Identifier: MIT
 *
 * What the grammar's actions call: one function for each form, each taking what was read and
 * returning the node.  Private to lang/.
 *
 * Nodes live in ps->mem and are only as large as their kind needs, so a struct expr is never
 * copied by value.  No constructor fails towards its caller: on an error it sets ps->err and returns
 * a node that is safe to build on; the lexer then ends the parse at the next token.
 */
#ifndef LANG_AST_BUILD_H
#define LANG_AST_BUILD_H

#include "lang/ast.h"
#include "lang/lexer.h"
#include "lang/parse.h"

/* The value of a grammar symbol: 8 bytes. */
union sem {
	struct expr *e;
	struct formals *formals;
	sym_t sym;
	uint32_t mark; /* height of a stack, see lang/stack.h */
	enum ind_piece piece;
	int64_t i;
	double d;
};

struct piece {
	struct expr *e; /* interpolated; NULL for text */
	enum ind_piece kind;
	struct span at;
};

struct parse {
	struct lexer lx;
	const struct source *src;
	const struct parse_options *opt;
	struct arena *mem;
	struct err *err;
	struct expr *result;
	struct stack exprs;   /* struct expr *: elements of lists, parts of strings */
	struct stack names;   /* struct attr_name */
	struct stack formals; /* struct formal */
	struct stack pieces;  /* struct piece: parts of indented strings */
};

/* ast.c */
struct expr *ast_node(struct parse *ps, enum expr_kind kind, size_t payload, struct span at);
void ast_set_depth(struct parse *ps, struct expr *e, uint32_t below);
void ast_push(struct parse *ps, struct expr *e);
struct expr *ast_int(struct parse *ps, int64_t i, struct span at);
struct expr *ast_float(struct parse *ps, double d, struct span at);
struct expr *ast_str(struct parse *ps, const char *p, size_t n, struct span at);
struct expr *ast_var(struct parse *ps, sym_t sym, struct span at);
struct expr *ast_name_or_cur_pos(struct parse *ps, sym_t sym, struct span at);
struct expr *ast_paren(struct expr *e);
struct expr *ast_list(struct parse *ps, uint32_t mark, struct span at);
struct expr *ast_concat(struct parse *ps, int is_string, struct expr *first, uint32_t mark, struct span at);
struct expr *ast_unary(struct parse *ps, enum expr_kind kind, struct expr *e, struct span at);
struct expr *ast_binary(struct parse *ps, enum binary_op op, struct expr *l, struct expr *r, struct span at);
struct expr *ast_select(struct parse *ps, struct expr *e, uint32_t mark, struct expr *def, struct span at);
struct expr *ast_has_attr(struct parse *ps, struct expr *e, uint32_t mark, struct span at);
struct expr *ast_if(struct parse *ps, struct expr *cond, struct expr *then, struct expr *else_, struct span at);
struct expr *ast_with(struct parse *ps, enum expr_kind kind, struct expr *env, struct expr *body, struct span at);
struct expr *ast_let(struct parse *ps, struct expr *set, struct expr *body, struct span at);
struct expr *ast_legacy_let(struct parse *ps, struct expr *set, struct span at);
struct expr *ast_lambda(struct parse *ps, sym_t arg, struct formals *f, struct expr *body, struct span at);

/* f applied to one more argument: joins the spine when f is a call already, in parentheses or not. */
struct expr *ast_call(struct parse *ps, struct expr *fn, struct expr *arg, struct span at);

/* `arg |> fn`: the same call. */
struct expr *ast_pipe(struct parse *ps, struct expr *fn, struct expr *arg, struct span at);

/* `f or` where or is read as a variable.  It is marked, so that the places where a future `or`
 * would bind differently can warn (ast_warn_or) and the harmless ones can clear the mark (ast_plain_or). */
struct expr *ast_call_or(struct parse *ps, struct expr *fn, struct span or_at, struct span at);
struct expr *ast_plain_or(struct expr *e);
struct expr *ast_warn_or(struct parse *ps, struct expr *e);

/* One step of an attribute path on ps->names: static when name is a plain string. */
void ast_name(struct parse *ps, sym_t sym, struct span at);
void ast_name_expr(struct parse *ps, struct expr *name, struct span at);

/* Gives a function, and the functions it directly returns, a name or a doc comment. */
void ast_set_name(struct expr *e, sym_t name);
void ast_set_doc(struct parse *ps, struct expr *e, uint32_t token_pos);

/* Sets ps->err to the nesting limit. */
void ast_too_deep(struct parse *ps, uint32_t pos, uint32_t len);

/* literal.c: what literals of the source mean. */
const char *literal_text(struct parse *ps, struct span at);
size_t literal_unescape(char *out, const char *p, size_t n);
struct expr *literal_string(struct parse *ps, struct span text, struct span at);
struct expr *literal_path(struct parse *ps, struct span at);
struct expr *literal_home_path(struct parse *ps, struct span at);
struct expr *literal_search_path(struct parse *ps, struct span at);
struct expr *literal_url(struct parse *ps, struct span at);

/* bindings.c: a set under construction is an E_ATTRS; NULL starts one. */
struct expr *set_new(struct parse *ps, struct span at);
struct expr *set_done(struct expr *set, int rec, struct span at);
struct expr *set_add(struct parse *ps, struct expr *set, uint32_t mark, struct span path, struct expr *value);
struct expr *set_inherit(struct parse *ps, struct expr *set, uint32_t mark);
struct expr *set_inherit_from(struct parse *ps, struct expr *set, struct expr *from, uint32_t mark);
void formal_add(struct parse *ps, sym_t sym, struct expr *def, struct span at);
struct formals *formals_done(struct parse *ps, uint32_t mark, int ellipsis);
struct formals *formals_with_arg(struct parse *ps, struct formals *f, sym_t arg, struct span at);

/* indent.c: '' strings. */
void indent_text(struct parse *ps, enum ind_piece kind, struct span at);
void indent_expr(struct parse *ps, struct expr *e);
struct expr *indent_done(struct parse *ps, uint32_t mark, struct span at);

/* print_ast.c: a name as an attribute, quoted where it must be. */
struct buf;
void print_name(struct buf *b, sym_t name);

/* syntax_error.c: "file:line:col" of a position. */
void show_position(struct buf *b, uint32_t pos);

/* syntax_error.c: one message for a token the grammar does not allow.  Names are the grammar's own. */
void syntax_error(struct parse *ps, const char *unexpected, struct span at, const char *const *expected, int n);

/* The scanner and the generated parser; 0 on success. */
int lang_lex(union sem *v, struct span *at, struct parse *ps);
int lang_parse(struct parse *ps);

#endif
