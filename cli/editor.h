/* SPDX-License-Identifier: MIT
 *
 * The person's editor, and where values are written that it may open.
 */
#ifndef CLI_EDITOR_H
#define CLI_EDITOR_H

#include "eval/value.h"

struct editor_place {
	const char *file; /* collected or the source's; NULL: not known */
	uint32_t line;
};

/* Where a value is written, as far as it remembers: a package where its meta.position says, a path or a string the file of that
 * name.  Throws. */
struct editor_place editor_place_of(W v);

/* The words that open the editor there ($VISUAL, $EDITOR, else vi), to be run by name.  They live as long as the process. */
char **editor_words(const struct editor_place *at);

#endif
