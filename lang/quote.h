/* SPDX-License-Identifier: MIT
 *
 * Strings and names as the language writes them.
 */
#ifndef LANG_QUOTE_H
#define LANG_QUOTE_H

#include <stddef.h>

struct buf;

/* Appends a string literal of n bytes that means the n bytes at p. */
void quote_string(struct buf *b, const char *p, size_t n);

/* Appends an attribute name, in quotes where it is no identifier. */
void quote_name(struct buf *b, const char *p, size_t n);

#endif
