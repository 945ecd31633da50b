/* SPDX-License-Identifier: MIT
 *
 * Doubling buffers.  The collected kind grows by copying into a new block, since the collector
 * has no cheap realloc for pointer-free blocks.
 */
#include "config.h"
#include "base/buf.h"
#include "base/alloc.h"
#include "base/check.h"
#include "base/mem.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buf_release(struct buf *b)
{
	if (!b->gc)
		free(b->p);
	b->p = NULL;
	b->len = b->cap = 0;
}

void buf_wipe(struct buf *b)
{
	if (b->p)
		explicit_bzero(b->p, b->cap);
	buf_release(b);
}

void buf_reserve(struct buf *b, size_t n)
{
	CHECK(b->len <= b->cap && (b->p || !b->cap));
	if (b->cap - b->len > n)
		return;
	size_t need = mem_size(1, n, b->len + 1);
	size_t cap = b->cap ? b->cap : 64;
	while (cap < need)
		cap = cap > SIZE_MAX / 2 ? need : cap * 2;
	char *p;
	if (b->gc) {
		p = mem_bytes(cap);
		if (b->len)
			memcpy(p, b->p, b->len);
	} else {
		p = xrealloc_array(b->p, cap, 1);
	}
	p[b->len] = 0;
	b->p = p;
	b->cap = cap;
	CHECK(b->cap - b->len > n);
}

void buf_vaddf(struct buf *b, const char *fmt, va_list ap)
{
	va_list again;

	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, ap);
	if (n > 0) {
		buf_reserve(b, (size_t)n + 1);
		vsnprintf(b->p + b->len, (size_t)n + 1, fmt, again);
		b->len += (size_t)n;
		CHECK(b->len < b->cap && !b->p[b->len]);
	}
	va_end(again);
}

void buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vaddf(b, fmt, ap);
	va_end(ap);
}

void buf_trim(struct buf *b, size_t n)
{
	CHECK(n <= b->len);
	if (n < b->len) {
		b->len = n;
		b->p[n] = 0;
	}
}

/* By hand: this is how names and versions are computed, and printf costs ten times as much. */
size_t int_to_string(int64_t i, char out[INT_STRING_MAX])
{
	char digits[INT_STRING_MAX], *p = digits + sizeof digits;
	uint64_t u = i < 0 ? 0 - (uint64_t)i : (uint64_t)i;

	do
		*--p = (char)('0' + u % 10);
	while (u /= 10);
	if (i < 0)
		*--p = '-';
	size_t n = (size_t)(digits + sizeof digits - p);
	memcpy(out, p, n);
	out[n] = 0;
	return n;
}

void buf_addi(struct buf *b, int64_t i)
{
	char text[INT_STRING_MAX];

	buf_add(b, text, int_to_string(i, text));
}

void buf_add_size(struct buf *b, uint64_t bytes)
{
	static const char *const units[] = { "bytes", "KiB", "MiB", "GiB", "TiB" };
	double size = (double)bytes;
	int i = 0;

	for (; size >= 1024 && i < 4; i++)
		size /= 1024;
	buf_addf(b, i ? "%.1f %s" : "%.0f %s", size, units[i]);
}

const char *buf_str(const struct buf *b)
{
	CHECK(b->p ? b->len < b->cap && !b->p[b->len] : !b->len);
	return b->p ? b->p : "";
}

char *buf_detach(struct buf *b, size_t *len)
{
	CHECK(!b->gc);
	if (!b->p)
		buf_reserve(b, 1);
	char *p = b->p;
	CHECK(!p[b->len]);
	if (len)
		*len = b->len;
	b->p = NULL;
	b->len = b->cap = 0;
	return p;
}
