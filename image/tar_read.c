/* SPDX-License-Identifier: MIT
 *
 * Not by fetch/archive.c, which unpacks all of an archive into a folder: of an image two or three small files are wanted, found
 * each by passing over layers of any size without reading them, and nothing is written.
 *
 * What is looked for has short names, so that records of pax and GNU, which give others longer ones, are passed over.
 */
#include "config.h"
#include "image/tar_read.h"

#include <string.h>
#include <unistd.h>

enum { BLOCK = 512, NAME_ROOM = 100, SIZE_AT = 124, SUM_AT = 148, KIND_AT = 156, PREFIX_AT = 345, PREFIX_ROOM = 155 };

/* Octal digits, or as GNU has it for what is large, the bytes of the number behind a first one of 0x80. */
static int number(const unsigned char *p, size_t n, uint64_t *out)
{
	size_t i = 0;

	*out = 0;
	if (p[0] == 0x80) {
		for (i = 1; i < n; i++)
			*out = *out << 8 | p[i];
		return *out >> 48 ? -1 : 0;
	}
	while (i < n && p[i] == ' ')
		i++;
	for (; i < n && p[i] >= '0' && p[i] <= '7'; i++)
		*out = *out << 3 | (uint64_t)(p[i] - '0');
	return i < n && p[i] && p[i] != ' ' ? -1 : 0;
}

static int is_header(const unsigned char *h)
{
	uint64_t said, sum = 0;

	for (size_t i = 0; i < BLOCK; i++)
		sum += i >= SUM_AT && i < SUM_AT + 8 ? ' ' : h[i];
	return !number(h + SUM_AT, 8, &said) && said == sum;
}

static int is_called(const unsigned char *h, const char *name)
{
	struct buf full = BUF_INIT;
	const char *p = (const char *)h;
	int same;

	if (!memcmp(p + 257, "ustar", 5) && p[PREFIX_AT])
		buf_addf(&full, "%.*s/", PREFIX_ROOM, p + PREFIX_AT);
	buf_addf(&full, "%.*s", NAME_ROOM, p);
	p = buf_str(&full);
	p += strncmp(p, "./", 2) ? 0 : 2;
	same = !strcmp(p, name);
	buf_release(&full);
	return same;
}

static int take(int fd, uint64_t at, uint64_t size, struct buf *out)
{
	size_t before = out->len;

	buf_reserve(out, size + 1);
	buf_extend(out, 0);
	while (out->len - before < size) {
		ssize_t n = pread(fd, out->p + out->len, size - (out->len - before), (off_t)(at + out->len - before));

		if (n <= 0)
			return -1;
		buf_extend(out, (size_t)n);
	}
	return 0;
}

int tar_get(int fd, const char *name, uint64_t max, struct buf *out, struct err *e)
{
	static const unsigned char zeros[BLOCK];
	unsigned char h[BLOCK];
	uint64_t at = 0, size;

	while (pread(fd, h, BLOCK, (off_t)at) == BLOCK && memcmp(h, zeros, BLOCK)) {
		if (!is_header(h) || number(h + SIZE_AT, 12, &size))
			return err_set(e, ERR_INVALID, at ? "it is damaged" : "it is no tar archive");
		at += BLOCK;
		if ((h[KIND_AT] == '0' || !h[KIND_AT]) && is_called(h, name)) {
			if (size > max)
				return err_set(e, ERR_LIMIT, "'%s' in it is too large", name);
			return take(fd, at, size, out) ? err_set(e, ERR_INVALID, "'%s' in it is cut off", name) : 0;
		}
		at += (size + BLOCK - 1) / BLOCK * BLOCK;
	}
	return err_set(e, at ? ERR_NOTFOUND : ERR_INVALID, at ? "there is no '%s' in it" : "it is no tar archive", name);
}
