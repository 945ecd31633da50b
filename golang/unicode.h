/* SPDX-License-Identifier: MIT
 *
 * The three questions the rules of Go modules ask about Unicode text, answered without a locale.
 */
#ifndef GOLANG_UNICODE_H
#define GOLANG_UNICODE_H

#include "base/buf.h"

#include <stddef.h>
#include <stdint.h>

/* The code point at p (n bytes, at least one, valid UTF-8); *len receives how many bytes it takes. */
uint32_t unicode_at(const char *p, size_t n, size_t *len);

/* 1 for letters, in ASCII or not. */
int unicode_is_letter(uint32_t c);

/* Appends the text (valid UTF-8) with every letter in one chosen case: two texts that differ only in case become the same. */
void unicode_fold(struct buf *b, const char *p, size_t n);

/* 1 when two texts (valid UTF-8) differ at most in case. */
int unicode_fold_eq(const char *p, size_t n, const char *q, size_t m);

#endif
