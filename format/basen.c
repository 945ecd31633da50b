/* SPDX-License-Identifier: MIT
 *
 * Text encodings of bytes.
 *
 *   base16   two digits a byte, high nibble first, "0123456789abcdef"; read in either case.
 *   nix32    digits "0123456789abcdfghijklmnpqrsvwxyz" (no e, o, u, t, so that no word one would not want to
 *            see turns up).  The bytes are one little-endian number; the text is that number in
 *            base 32, most significant digit first, with as many digits as the bytes need.  So
 *            the text runs backwards: its last digit is the low 5 bits of the first byte.
 *   base64   RFC 4648 with padding.
 *
 * Defined in the Nix manual, protocols/nix32, and by what `nix-hash` prints and takes.
 *
 * The decoders' leniencies are Nix's: hashes that people wrote rely on them, and each caller
 * checks the decoded length, which is what makes them harmless.
 */
#include "config.h"
#include "format/basen.h"

#include <string.h>

static const char nix32_digits[] = "0123456789abcdfghijklmnpqrsvwxyz";
static const char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* A foreign byte in a message: itself when printable, else its number. */
static int bad_digit(struct err *e, const char *base, char c)
{
	if (c >= 0x20 && c < 0x7f)
		return err_set(e, ERR_INVALID, "invalid character in %s string: '%c'", base, c);
	return err_set(e, ERR_INVALID, "invalid character in %s string: byte 0x%02x", base, (unsigned char)c);
}

/* The two digits of each byte, one after the other: hashes are written by the hundred thousand. */
#define ROW(h) \
	h "0" h "1" h "2" h "3" h "4" h "5" h "6" h "7" h "8" h "9" h "a" h "b" h "c" h "d" h "e" h "f"
static const char base16_pairs[] = ROW("0") ROW("1") ROW("2") ROW("3") ROW("4") ROW("5") ROW("6") ROW("7")
	ROW("8") ROW("9") ROW("a") ROW("b") ROW("c") ROW("d") ROW("e") ROW("f");
#undef ROW

void base16_encode(const uint8_t *in, size_t n, char *out)
{
	for (size_t i = 0; i < n; i++)
		memcpy(out + 2 * i, base16_pairs + 2 * in[i], 2);
}

static int base16_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int base16_decode(const char *in, size_t n, uint8_t *out, size_t *len, struct err *e)
{
	if (n % 2)
		return err_set(e, ERR_INVALID, "base16 string of odd length %zu", n);
	for (size_t i = 0; i < n; i += 2) {
		int hi = base16_value(in[i]), lo = base16_value(in[i + 1]);

		if (hi < 0 || lo < 0)
			return bad_digit(e, "base16", hi < 0 ? in[i] : in[i + 1]);
		out[i / 2] = (uint8_t)(hi << 4 | lo);
	}
	*len = n / 2;
	return 0;
}

void nix32_encode(const uint8_t *in, size_t n, char *out)
{
	for (size_t k = NIX32_LEN(n); k-- > 0;) {
		size_t bit = k * 5, i = bit / 8;
		unsigned shift = bit % 8, pair = in[i];

		if (i + 1 < n)
			pair |= (unsigned)in[i + 1] << 8;
		*out++ = nix32_digits[pair >> shift & 31];
	}
}

/* The value of each digit plus 1, 0 for bytes that are none. */
static const uint8_t nix32_values[256] = {
	['0'] = 1,  ['1'] = 2,	['2'] = 3,  ['3'] = 4,	['4'] = 5,  ['5'] = 6,	['6'] = 7,  ['7'] = 8,
	['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['f'] = 15, ['g'] = 16,
	['h'] = 17, ['i'] = 18, ['j'] = 19, ['k'] = 20, ['l'] = 21, ['m'] = 22, ['n'] = 23, ['p'] = 24,
	['q'] = 25, ['r'] = 26, ['s'] = 27, ['v'] = 28, ['w'] = 29, ['x'] = 30, ['y'] = 31, ['z'] = 32,
};

int nix32_is_digit(char c)
{
	return nix32_values[(unsigned char)c] != 0;
}

int nix32_decode(const char *in, size_t n, uint8_t *out, size_t *len, struct err *e)
{
	size_t used = 0;

	memset(out, 0, NIX32_MAX(n));
	for (size_t k = 0; k < n; k++) {
		char c = in[n - k - 1];
		unsigned digit = nix32_values[(unsigned char)c];
		size_t bit = k * 5, i = bit / 8;

		if (!digit--)
			return bad_digit(e, "nix32", c);
		digit <<= bit % 8;
		out[i] |= (uint8_t)digit;
		used = i + 1;
		if (digit >> 8) {
			out[i + 1] |= (uint8_t)(digit >> 8);
			used = i + 2;
		}
	}
	*len = used;
	return 0;
}

void base64_encode(const uint8_t *in, size_t n, char *out)
{
	for (; n >= 3; n -= 3, in += 3) {
		unsigned v = (unsigned)in[0] << 16 | (unsigned)in[1] << 8 | in[2];

		*out++ = base64_digits[v >> 18];
		*out++ = base64_digits[v >> 12 & 63];
		*out++ = base64_digits[v >> 6 & 63];
		*out++ = base64_digits[v & 63];
	}
	if (n) {
		unsigned v = (unsigned)in[0] << 16 | (n > 1 ? (unsigned)in[1] << 8 : 0);

		*out++ = base64_digits[v >> 18];
		*out++ = base64_digits[v >> 12 & 63];
		*out++ = n > 1 ? base64_digits[v >> 6 & 63] : '=';
		*out++ = '=';
	}
}

static int base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

int base64_decode(const char *in, size_t n, uint8_t *out, size_t *len, struct err *e)
{
	unsigned acc = 0, bits = 0;
	size_t used = 0;

	for (size_t i = 0; i < n && in[i] != '='; i++) {
		if (in[i] == '\n')
			continue;
		int v = base64_value(in[i]);

		if (v < 0)
			return bad_digit(e, "base64", in[i]);
		acc = (acc << 6 | (unsigned)v) & 0xffff;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			out[used++] = (uint8_t)(acc >> bits);
		}
	}
	*len = used;
	return 0;
}
