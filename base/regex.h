/* SPDX-License-Identifier: MIT
 *
 * POSIX extended regular expressions, for builtins.match and builtins.split.
 *
 * Written here and not taken from a library, because what a match captures is part of the language
 * and must be what Nix's std::regex ("extended") captures: alternatives compete for the longest
 * match, repetition is greedy and stops at its first success, a group keeps the text of the last iteration that
 * went through it.  regcomp differs in the captures, RE2 and PCRE in the syntax; std::regex itself
 * recurses once a character and can take exponential time.  Here time is bounded by states x
 * bytes x a constant (per start for a search), and nothing recurses on the C stack.
 *
 * Text is bytes; classes are those of the C locale; ranges compare bytes as signed, as on x86-64.
 */
#ifndef BASE_REGEX_H
#define BASE_REGEX_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

/* A compiled expression: immutable, in malloc memory that is kept for the process. */
struct regex;

/* Bytes [start, end) of the text; start is REGEX_UNSET for a group that took no part. */
struct regex_span {
	uint32_t start, end;
};
#define REGEX_UNSET UINT32_MAX

/* The compiled form of a pattern, remembered by its text.  NULL with *e set: ERR_INVALID (not a regular
 * expression) or ERR_LIMIT (LIMIT_REGEX_STATES). */
const struct regex *regex_get(const char *pattern, size_t n, struct err *e);

/* How many groups it has (parentheses). */
uint32_t regex_groups(const struct regex *re);

/* Does the whole text match?  If so fills groups[0 .. regex_groups).  The text may be at most
 * UINT32_MAX - 1 bytes long. */
int regex_match(const struct regex *re, const char *text, size_t n, struct regex_span *groups);

/* Successive matches from left to right, not overlapping.  An empty match is never taken twice at one place. */
struct regex_iter;

/* Borrows re and text.  On the collected heap. */
struct regex_iter *regex_iter_new(const struct regex *re, const char *text, size_t n);

/* The next match into *whole and its groups; 0 when there is none. */
int regex_iter_next(struct regex_iter *it, struct regex_span *whole, struct regex_span *groups);

#endif
