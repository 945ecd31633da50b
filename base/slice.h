/* SPDX-License-Identifier: MIT
 *
 * A borrowed run of bytes: not NUL-terminated, may hold NULs, owned by somebody else.
 */
#ifndef BASE_SLICE_H
#define BASE_SLICE_H

#include <stddef.h>
#include <string.h>

struct slice {
	const char *p;
	size_t n;
};

/* A string literal as a slice. */
#define SLICE(lit) ((struct slice){ "" lit, sizeof lit - 1 })

static inline struct slice slice_of(const char *s)
{
	return (struct slice){ s, strlen(s) };
}

/* Byte order, as std::string compares: a proper prefix comes first. */
static inline int slice_cmp(struct slice a, struct slice b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n ? memcmp(a.p, b.p, n) : 0;

	return c ? c : (a.n > b.n) - (a.n < b.n);
}

/* Of n that ascend, how many come before s. */
static inline size_t slice_lower_bound(const struct slice *v, size_t n, struct slice s)
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (slice_cmp(v[mid], s) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static inline int slice_eq(struct slice a, struct slice b)
{
	return a.n == b.n && (!a.n || !memcmp(a.p, b.p, a.n));
}

static inline int slice_starts(struct slice a, struct slice prefix)
{
	return a.n >= prefix.n && (!prefix.n || !memcmp(a.p, prefix.p, prefix.n));
}

static inline int slice_ends(struct slice a, struct slice suffix)
{
	return a.n >= suffix.n && (!suffix.n || !memcmp(a.p + a.n - suffix.n, suffix.p, suffix.n));
}

/* Cuts off what comes before the first such byte, which goes with it; all where there is none. */
static inline struct slice slice_cut(struct slice *s, char end)
{
	const char *p = s->n ? memchr(s->p, end, s->n) : NULL;
	struct slice first = { s->p, p ? (size_t)(p - s->p) : s->n };

	s->p += first.n + (p != NULL);
	s->n -= first.n + (p != NULL);
	return first;
}

/* Cuts the first word off, with the blanks before it; of length 0 when there is none left. */
static inline struct slice slice_word(struct slice *s, const char *blanks)
{
	struct slice word;

	while (s->n && *s->p && strchr(blanks, *s->p))
		s->p++, s->n--;
	word = (struct slice){ s->p, 0 };
	while (word.n < s->n && !(word.p[word.n] && strchr(blanks, word.p[word.n])))
		word.n++;
	s->p += word.n;
	s->n -= word.n;
	return word;
}

/* Without blanks and line ends around it. */
static inline struct slice slice_trim(struct slice s)
{
	while (s.n && memchr(" \t\r\n", *s.p, 4))
		s.p++, s.n--;
	while (s.n && memchr(" \t\r\n", s.p[s.n - 1], 4))
		s.n--;
	return s;
}

/* Is it one of these words, which have a space between them? */
static inline int slice_in_words(struct slice s, const char *words)
{
	for (const char *p = words; *p;) {
		size_t n = strcspn(p, " ");

		if (n && slice_eq(s, (struct slice){ p, n }))
			return 1;
		p += n + strspn(p + n, " ");
	}
	return 0;
}

#endif
