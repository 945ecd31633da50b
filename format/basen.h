/* SPDX-License-Identifier: MIT
 *
 * The three text encodings of bytes: base16 (hexadecimal), Nix's own base 32 and base64.
 *
 * Encoders write exactly *_LEN(n) characters and no NUL.  Decoders accept what Nix accepts,
 * no more and no less; they say where they do not follow an RFC.
 */
#ifndef FORMAT_BASEN_H
#define FORMAT_BASEN_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

/* Length in characters of n encoded bytes. */
#define BASE16_LEN(n) ((size_t)(n) * 2)
#define NIX32_LEN(n) ((n) ? ((size_t)(n) * 8 - 1) / 5 + 1 : (size_t)0)
#define BASE64_LEN(n) (((size_t)(n) + 2) / 3 * 4)

/* Upper bound in bytes of what n characters decode to. */
#define BASE16_MAX(n) ((size_t)(n) / 2)
#define NIX32_MAX(n) (((size_t)(n) * 5 + 7) / 8 + 1)
#define BASE64_MAX(n) (((size_t)(n) + 3) / 4 * 3)

void base16_encode(const uint8_t *in, size_t n, char *out);
void nix32_encode(const uint8_t *in, size_t n, char *out);
void base64_encode(const uint8_t *in, size_t n, char *out);

/* Decode n characters into out (room for *_MAX(n) bytes); *len receives the number of bytes.
 * ERR_INVALID on a foreign character; e may be NULL.
 * base16: either case; n must be even.
 * nix32: bits past a whole number of bytes must be 0, otherwise one more byte comes out.
 * base64: stops at the first '=', skips newlines, does not ask for padding or zero rest bits. */
int base16_decode(const char *in, size_t n, uint8_t *out, size_t *len, struct err *e);
int nix32_decode(const char *in, size_t n, uint8_t *out, size_t *len, struct err *e);
int base64_decode(const char *in, size_t n, uint8_t *out, size_t *len, struct err *e);

/* 1 when c is one of the 32 digits of nix32. */
int nix32_is_digit(char c);

#endif
