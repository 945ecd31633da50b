/* SPDX-License-Identifier: MIT
 *
 * The tokens of a text once more, for messages: an error may have begun far before the token that does not fit.
 */
#ifndef LANG_REREAD_H
#define LANG_REREAD_H

#include "lang/ast_build.h"

struct reread {
	int token;
	struct span at;
};

/* A stack of struct reread: the tokens of src that begin at `from` or later and before `to`; from is outside of strings.  It ends
 * early where the scanner fails.  The caller releases it. */
struct stack reread(const struct source *src, uint32_t from, uint32_t to);

/* Where a ';' should have been that is missed at the token at.begin; 0 when it was something else. */
uint32_t reread_missing_semicolon(const struct source *src, struct span at);

/* The '=' of the last binding before at.begin in the bracket around it; an empty span without one. */
struct span reread_last_equals(const struct source *src, struct span at);

/* Whether a '?' stands before at.begin in the same binding and bracket. */
int reread_has_question(const struct source *src, struct span at);

/* Whether the braces around the token at.begin, which is not in a string, are closed before a ':' or '@'. */
int reread_in_arguments(const struct source *src, struct span at);

/* The opening quote of a string that has line ends in it and looks as if it should not; an empty span for none. */
struct span reread_long_string(const struct source *src, uint32_t to);

/* An opening bracket, and the one that closes it but stands under the beginning of another's line; 0 without. */
int reread_odd_bracket(const struct source *src, struct span *opened, struct span *closed);

#endif
