/* SPDX-License-Identifier: MIT
 *
 * The tables behind golang/unicode.h, sorted.
 */
#ifndef GOLANG_UNICODE_INT_H
#define GOLANG_UNICODE_INT_H

#include <stddef.h>
#include <stdint.h>

struct unicode_range {
	uint32_t lo, hi;
};

/* Every stride-th code point of lo..hi has its least form at a distance of delta. */
struct unicode_folding {
	uint32_t lo, hi, stride;
	int32_t delta;
};

extern const struct unicode_range unicode_letters[];
extern const size_t unicode_nletters;
extern const struct unicode_folding unicode_foldings[];
extern const size_t unicode_nfoldings;

#endif
