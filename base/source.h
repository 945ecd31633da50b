/* SPDX-License-Identifier: MIT
 *
 * Source texts and positions.  Every text that is parsed gets a range of one
 * 32-bit number line, so that a position in any file is a single uint32_t;
 * line and column are computed only when an error is printed.  0 is no position.
 */
#ifndef BASE_SOURCE_H
#define BASE_SOURCE_H

#include "base/session.h"

#include <stddef.h>
#include <stdint.h>

struct source {
	const char *name; /* what errors show: a path, "«string»", "«stdin»" */
	const char *path; /* absolute path of the file, NULL when there is none */
	const char *base; /* directory that relative path literals start from */
	const char *text; /* NUL after the last byte; may hold NULs itself; NULL: see source_load */
	size_t len;
	uint32_t start; /* position of text[0]; 1 or more */
	struct source_file *file;   /* private to source.c: where to read text again, NULL: nowhere */
	struct source_lines *lines; /* private to source.c: where lines begin, once asked */
};

/* Registers a text.  name, path and base are copied; text must stay as it is for the life
 * of the session.  Returns NULL when the 4 GiB of positions are used up. */
const struct source *source_add(const char *name, const char *path, const char *base, const char *text, size_t len);

/* The same for a file whose text can be read again.  text comes from malloc, is owned from here on and ends with
 * the NUL that is not of it; or it is NULL, to be read when it is asked for.  file: the path to open, copied;
 * st: what the open file is, size included. */
struct stat;
const struct source *source_add_file(const char *name, const char *path, const char *base, char *text,
				     const char *file, const struct stat *st);

/* The text, read again where it was let go.  NULL when the file is not what it was. */
const char *source_load(const struct source *s);

/* Says that nothing points into the text any more: a file's is freed. */
void source_let_go(const struct source *s);

/* The source that holds pos, NULL for 0 or an unknown one. */
const struct source *source_of(uint32_t pos);

/* The name as messages show it: below the directory of source_show_from, the rest of the path after it. */
const char *source_shown_name(const struct source *s);

/* Names below this directory (absolute, no trailing slash, borrowed for good) are shown relative to it. */
void source_show_from(const char *dir);

struct source_loc {
	const struct source *src;
	uint32_t line, column;	   /* from 1; columns count bytes, as in Nix; 0 when the file is not what it was */
	const char *line_text;	   /* start of the line in src->text; NULL likewise */
	uint32_t line_len;	   /* without the line ending */
};

/* The texts of a session; positions begin anew in each. */
extern const struct session_part source_session[];

/* Where pos is.  Returns 0, or -1 when pos is in no source. Lines end at \n, \r\n or \r. */
int source_locate(uint32_t pos, struct source_loc *out);

#endif
