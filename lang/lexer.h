/* SPDX-License-Identifier: MIT
 *
 * Text to tokens.  The parser's generated lang/parser.h numbers the tokens; lexer.re has the rules.
 *
 * Tokens are spans of the source and carry no text: an identifier is interned on the spot,
 * numbers are converted, everything else is read from the source by the constructor that
 * needs it (lang/literal.c).
 */
#ifndef LANG_LEXER_H
#define LANG_LEXER_H

#include "base/err.h"
#include "base/source.h"
#include "lang/stack.h"

/* Positions (base/source.h) of the first byte and of the one after the last. */
struct span {
	uint32_t begin, end;
};

/* A bracket that is open: ( [ {, $ for ${, " and ' for '' strings. */
struct bracket {
	uint32_t pos;
	char kind;
	uint8_t cond; /* what the lexer returns to behind the closing one */
};

/* A doc comment and the token it stands before. */
struct doc_comment {
	uint32_t token; /* position */
	uint32_t off, len; /* of the text between its marks, in the source */
};

/* What the piece of an indented string says, beside its span. */
enum ind_piece {
	IND_TEXT,   /* literally, and counts for the indentation */
	IND_DOLLAR, /* $ */
	IND_QUOTE,  /* ' */
	IND_QUOTES, /* ''' for '' */
	IND_ESCAPE  /* ''\x for what \x means */
};

struct lexer {
	const struct source *src;
	struct err *err;
	const unsigned char *text, *lim; /* lim points at the NUL behind the text */
	const unsigned char *cur, *tok;
	uint8_t cond;
	int start_token; /* handed out before the first token, 0 for none */

	/* The run of path characters last looked at, see looks_like_path. */
	const unsigned char *run_end, *url_from;

	struct stack brackets; /* struct bracket */
	struct stack docs;     /* struct doc_comment, ascending */
	struct doc_comment doc; /* read and not yet followed by a token; len 0: none */

	/* The two latest tokens, for error messages; last is the one the parser looks at. */
	struct { int token; struct span at; } last, prev;
};

/* Starts on a source.  `start_token` is for grammars with more than one start. */
void lexer_init(struct lexer *lx, const struct source *src, int start_token, struct err *err);
void lexer_release(struct lexer *lx);

/* The doc comment directly before the token at pos, NULL without one. */
const struct doc_comment *lexer_doc(const struct lexer *lx, uint32_t pos);

#endif
