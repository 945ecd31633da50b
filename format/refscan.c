/* SPDX-License-Identifier: MIT
 *
 * An object refers to another when the other's digest occurs in its bytes: 32 digits of an alphabet of 32.
 *
 * The scan looks at the last byte a digest could have, then backwards: one byte that is no digit rules out every
 * position up to it, so most input costs one look for 32 bytes.  Within a run of digits it goes forward byte by byte,
 * and each window of 32 is looked up in a hash table, so that the number of candidates does not matter.
 *
 * Input comes in pieces.  The last 31 bytes of what came before are kept and scanned once more together with
 * the first 31 of the next piece; a digest that lies within a piece is found there.
 */
#include "config.h"
#include "format/refscan.h"
#include "base/alloc.h"
#include "format/basen.h"

#include <stdlib.h>
#include <string.h>

enum { DIGEST = STORE_HASH_LEN, TAIL = DIGEST - 1 };

struct refscan {
	const struct path_set *candidates;
	unsigned char *seen; /* a flag for each */
	uint32_t *slots;     /* index + 1 of the first candidate with a digest */
	size_t mask;
	size_t ntail;
	char tail[TAIL];
	unsigned char digit[256];
};

/* Digests are uniformly distributed but for bad luck or malice; the low 8 digits carry 40 bits. */
static size_t slot_of(const struct refscan *r, const char *digest)
{
	uint64_t w;

	memcpy(&w, digest, sizeof w);
	return (size_t)((w * 0x9e3779b97f4a7c15u) >> 32) & r->mask;
}

static uint32_t *find(const struct refscan *r, const char *digest)
{
	size_t i = slot_of(r, digest);

	while (r->slots[i] && memcmp(r->candidates->v[r->slots[i] - 1].base, digest, DIGEST))
		i = (i + 1) & r->mask;
	return &r->slots[i];
}

struct refscan *refscan_new(const struct path_set *candidates)
{
	struct refscan *r = xcalloc(1, sizeof *r);
	size_t n = 16;

	while (n < candidates->n * 2)
		n *= 2;
	r->slots = xcalloc(n, sizeof *r->slots);
	r->seen = xcalloc(candidates->n + 1, 1);
	r->mask = n - 1;
	r->candidates = candidates;
	for (int c = 0; c < 256; c++)
		r->digit[c] = (unsigned char)nix32_is_digit((char)c);
	for (size_t i = 0; i < candidates->n; i++) {
		uint32_t *slot = find(r, candidates->v[i].base);
		if (!*slot)
			*slot = (uint32_t)i + 1;
	}
	return r;
}

void refscan_free(struct refscan *r)
{
	if (!r)
		return;
	free(r->seen);
	free(r->slots);
	free(r);
}

void refscan_clear(struct refscan *r)
{
	memset(r->seen, 0, r->candidates->n);
	r->ntail = 0;
}

static void scan(struct refscan *r, const char *p, size_t n)
{
	const unsigned char *digit = r->digit;
	size_t i = 0;

	while (i + DIGEST <= n) {
		size_t j = DIGEST;

		while (j && digit[(unsigned char)p[i + j - 1]])
			j--;
		if (j) {
			i += j;
			continue;
		}
		for (j = i + DIGEST;; j++) {
			uint32_t slot = *find(r, p + j - DIGEST);
			if (slot)
				r->seen[slot - 1] = 1;
			if (j >= n || !digit[(unsigned char)p[j]])
				break;
		}
		i = j + 1;
	}
}

void refscan_feed(struct refscan *r, const void *data, size_t n)
{
	const char *p = data;
	char seam[2 * TAIL];
	size_t head = n < TAIL ? n : TAIL, keep;

	if (!r->candidates->n || !n)
		return;
	if (r->ntail) {
		memcpy(seam, r->tail, r->ntail);
		memcpy(seam + r->ntail, p, head);
		scan(r, seam, r->ntail + head);
	}
	scan(r, p, n);
	if (n >= TAIL) {
		memcpy(r->tail, p + n - TAIL, TAIL);
		r->ntail = TAIL;
		return;
	}
	keep = r->ntail + n > TAIL ? TAIL - n : r->ntail;
	memmove(r->tail, r->tail + r->ntail - keep, keep);
	memcpy(r->tail + keep, p, n);
	r->ntail = keep + n;
}

/* Candidates that differ only in their names share a digest, and are seen together. */
static int seen(const struct refscan *r, const struct store_path *p)
{
	uint32_t slot = *find(r, p->base);

	return slot && r->seen[slot - 1];
}

int refscan_has(const struct refscan *r, const struct store_path *p)
{
	return seen(r, p);
}

void refscan_found(const struct refscan *r, struct path_set *out)
{
	for (size_t i = 0; i < r->candidates->n; i++)
		if (seen(r, &r->candidates->v[i]))
			path_set_add(out, &r->candidates->v[i]);
}
