/* SPDX-License-Identifier: MIT
 *
 * The hash of byte strings for tables in memory.  Not for anything stored.
 */
#ifndef BASE_HASHING_H
#define BASE_HASHING_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Eight bytes a step; keys are short names and paths, so the mixing is what matters. */
static inline uint32_t hash_bytes(const char *p, size_t n)
{
	uint64_t h = n * 0x9e3779b97f4a7c15u, w;

	for (; n >= 8; p += 8, n -= 8) {
		memcpy(&w, p, 8);
		h = (h ^ w) * 0xff51afd7ed558ccdu;
		h ^= h >> 32;
	}
	/* The rest without a loop: every byte counts, some twice. */
	if (n >= 4) {
		uint32_t first, last;
		memcpy(&first, p, 4);
		memcpy(&last, p + n - 4, 4);
		w = first | (uint64_t)last << 32;
	} else {
		w = n ? (unsigned char)p[0] | (uint64_t)(unsigned char)p[n / 2] << 8 | (uint64_t)(unsigned char)p[n - 1] << 16 : 0;
	}
	h = (h ^ w) * 0xff51afd7ed558ccdu;
	return (uint32_t)(h ^ (h >> 29) ^ (h >> 43));
}

#endif
