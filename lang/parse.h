/* SPDX-License-Identifier: MIT
 *
 * Text to syntax tree.
 */
#ifndef LANG_PARSE_H
#define LANG_PARSE_H

#include "lang/ast.h"

enum lint_level { LINT_IGNORE, LINT_WARN, LINT_FATAL };

struct parse_options {
	enum lint_level url_literals, absolute_paths, short_paths;
	int pure;	  /* refuse ~/ paths */
	const char *home; /* what ~ stands for; NULL: refuse */
	/* Receives lint warnings and the "cursed or" warning; NULL drops them. */
	void (*warn)(void *arg, uint32_t pos, uint32_t len, const char *msg);
	void *warn_arg;
};

/* Parses src into a tree in `mem`, which must outlive the tree.  Returns NULL with *e set (code
 * ERR_INVALID or ERR_LIMIT, position and span) on the first error.  Literal text of the tree may point into
 * src->text, which must be there, or mem. */
struct expr *parse_source(const struct source *src, const struct parse_options *opt, struct arena *mem,
			  struct err *e);

/* The same for what a REPL reads as bindings: `a = 1; b.c = 2;`.  The result is an E_ATTRS. */
struct expr *parse_bindings(const struct source *src, const struct parse_options *opt, struct arena *mem,
			    struct err *e);

/* From the keyword of an `assert` at pos that was parsed: where its condition stands.  Returns 0 when the text is not there any
 * more (base/source.h). */
uint32_t assert_condition(uint32_t pos, uint32_t *len);

/* Prints the tree in the reference's normal form (--parse), onto b. */
struct buf;
void print_ast(struct buf *b, const struct expr *e);

/* Appends a doc comment (expr->lambda.doc_pos) as it is shown: without the indentation common to its lines, every
 * line ended by a newline. */
void doc_text(struct buf *b, const char *p, size_t n);

#endif
