/* SPDX-License-Identifier: MIT
 *
 * What people write who think in another language: of the shell, of C, JavaScript or Python, or of an editor that meant
 * well.
 */
#ifndef LANG_MISTAKE_H
#define LANG_MISTAKE_H

#include "base/buf.h"
#include "lang/lexer.h"
#include "lang/symbol.h"

/* Appends a line of advice, after a line end when b holds something, or nothing. */

/* About a variable that is not there; pos: where. */
void mistake_variable(struct buf *b, sym_t name, uint32_t pos);

/* About a builtin that is not there: a fetcher, or one that pure evaluation lacks. */
void mistake_builtin(struct buf *b, const char *name);

/* About a value at pos that cannot be interpolated because it is a function. */
void mistake_function(struct buf *b, uint32_t pos);

/* About what stands in the bracket `open` when it is a `${` that the shell should see. */
void mistake_in_braces(struct buf *b, const struct source *src, const struct bracket *open);

/* Whether p begins like what the shell knows between ${ and }, and this language does not: "NAME:-", "NAME%", "#NAME". */
int mistake_is_shell(const char *p);

/* The message about a character of UTF-8 that cannot stand here: n bytes at p. */
void mistake_character(struct buf *b, const unsigned char *p, int n);

/* What to say about an ASCII character that cannot stand here; "" for nothing. */
const char *mistake_ascii(int c);

#endif
