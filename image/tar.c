/* SPDX-License-Identifier: MIT
 *
 * A header is a block of 512 bytes (POSIX.1-2017, pax, "ustar Interchange Format"):
 *
 *       0  name      100      148  checksum  8      257  "ustar\0" "00"
 *     100  mode        8      156  kind      1      265  uname, gname, devices, prefix: zeros here
 *     108  uid, gid  2x8      157  link    100
 *     124  size       12
 *     136  mtime      12
 *
 * Numbers are octal digits with a NUL.  Contents are filled up to a block with zeros; two blocks of zeros are the end.  A pax
 * header is an entry of kind 'x' whose contents are records "LENGTH KEY=VALUE\n", LENGTH being that of the whole record.
 */
#include "config.h"
#include "image/tar.h"
#include "base/buf.h"

#include <stdio.h>
#include <string.h>

enum { BLOCK = 512, NAME_ROOM = 100, ROOM = 256 << 10, MTIME = 1 };

/* The first size that twelve octal digits with their NUL cannot say. */
#define SIZE_ROOM ((uint64_t)1 << 33)

void tar_init(struct tar_writer *w, const struct nar_sink *sink)
{
	*w = (struct tar_writer){ .sink = sink };
	buf_reserve(&w->room, ROOM + BLOCK);
}

void tar_release(struct tar_writer *w)
{
	buf_release(&w->room);
}

static int flush(struct tar_writer *w, struct err *e)
{
	int rc = w->room.len ? w->sink->write(w->sink->user, w->room.p, w->room.len, e) : 0;

	buf_trim(&w->room, 0);
	return rc;
}

/* What is large goes through without a copy. */
static int put(struct tar_writer *w, const void *p, size_t n, struct err *e)
{
	int rc = w->room.len + n > ROOM ? flush(w, e) : 0;

	if (rc || n >= ROOM)
		return rc ? rc : w->sink->write(w->sink->user, p, n, e);
	buf_add(&w->room, p, n);
	return 0;
}

static int put_zeros(struct tar_writer *w, size_t n, struct err *e)
{
	static const char zeros[BLOCK];
	int rc = 0;

	for (size_t k; !rc && n; n -= k) {
		k = n < BLOCK ? n : BLOCK;
		rc = put(w, zeros, k, e);
	}
	return rc;
}

static void octal(char *at, size_t room, uint64_t n)
{
	at[room - 1] = 0;
	for (size_t i = room - 1; i--; n >>= 3)
		at[i] = (char)('0' + (n & 7));
}

static int put_header(struct tar_writer *w, const struct tar_entry *t, char kind, struct err *e)
{
	char h[BLOCK] = "";
	unsigned sum = 0;
	size_t n = t->path.n < NAME_ROOM ? t->path.n : NAME_ROOM;

	memcpy(h, t->path.p, n);
	if (kind == TAR_DIRECTORY && n < NAME_ROOM)
		h[n] = '/';
	octal(h + 100, 8, t->mode);
	octal(h + 108, 8, t->uid);
	octal(h + 116, 8, t->gid);
	octal(h + 124, 12, t->size < SIZE_ROOM ? t->size : 0);
	octal(h + 136, 12, MTIME);
	memset(h + 148, ' ', 8);
	h[156] = kind;
	memcpy(h + 157, t->target.n ? t->target.p : "", t->target.n < NAME_ROOM ? t->target.n : NAME_ROOM);
	memcpy(h + 257, "ustar\00000", 8);
	for (unsigned i = 0; i < BLOCK; i++)
		sum += (unsigned char)h[i];
	octal(h + 148, 7, sum);
	return put(w, h, BLOCK, e);
}

/* --- what a header has no room for --- */

static void add_record(struct buf *b, const char *key, struct slice value, const char *end)
{
	size_t rest = strlen(key) + value.n + strlen(end) + 3, n = rest + 1;
	char digits[24];

	/* The length counts its own digits. */
	while ((size_t)snprintf(digits, sizeof digits, "%zu", n) + rest != n)
		n++;
	buf_addf(b, "%s %s=", digits, key);
	buf_add(b, value.p, value.n);
	buf_adds(b, end);
	buf_addc(b, '\n');
}

static int put_pax(struct tar_writer *w, const struct tar_entry *t, struct err *e)
{
	const int directory = t->kind == TAR_DIRECTORY;
	struct buf b = BUF_INIT;
	char digits[24];
	int rc = 0;

	if (t->path.n + (size_t)directory > NAME_ROOM)
		add_record(&b, "path", t->path, directory ? "/" : "");
	if (t->target.n > NAME_ROOM)
		add_record(&b, "linkpath", t->target, "");
	if (t->size >= SIZE_ROOM) {
		snprintf(digits, sizeof digits, "%llu", (unsigned long long)t->size);
		add_record(&b, "size", slice_of(digits), "");
	}
	if (b.len) {
		const struct tar_entry x = { .path = SLICE("././@PaxHeader"), .mode = 0644, .size = b.len };

		rc = put_header(w, &x, 'x', e);
		rc = rc ? rc : put(w, b.p, b.len, e);
		rc = rc ? rc : put_zeros(w, -b.len & (BLOCK - 1), e);
	}
	buf_release(&b);
	return rc;
}

/* --- entries --- */

int tar_add(struct tar_writer *w, const struct tar_entry *t, struct err *e)
{
	int rc = put_pax(w, t, e);

	rc = rc ? rc : put_header(w, t, (char)t->kind, e);
	w->left = t->size;
	w->pad = (unsigned)(-t->size & (BLOCK - 1));
	return rc;
}

int tar_write(struct tar_writer *w, const void *p, size_t n, struct err *e)
{
	int rc;

	if (n > w->left)
		return err_set(e, ERR_INVALID, "more bytes than the entry of the archive has");
	rc = put(w, p, n, e);
	w->left -= n;
	if (rc || w->left)
		return rc;
	rc = put_zeros(w, w->pad, e);
	w->pad = 0;
	return rc;
}

int tar_add_bytes(struct tar_writer *w, const char *path, struct slice bytes, struct err *e)
{
	const struct tar_entry t = { .kind = TAR_FILE, .path = slice_of(path), .mode = 0444, .size = bytes.n };
	int rc = tar_add(w, &t, e);

	return rc || !bytes.n ? rc : tar_write(w, bytes.p, bytes.n, e);
}

int tar_end(struct tar_writer *w, struct err *e)
{
	int rc = put_zeros(w, (size_t)2 * BLOCK, e);

	return rc ? rc : flush(w, e);
}
