/* SPDX-License-Identifier: MIT
 *
 * Layout of a zip file (numbers little-endian):
 *
 *     { local header, name, extra, data }  { central header, name, extra, comment }
 *     [ zip64 end (56), zip64 locator (20) ]  end (22) comment
 *
 *     local    0 "PK\3\4"   26 name length  28 extra length                                          30 bytes
 *     central  0 "PK\1\2"  4 made by  8 flags  10 method  16 crc  20 packed  24 size  28 name length
 *              30 extra length  32 comment length  34 disk  38 attributes  42 offset of local        46 bytes
 *     end      0 "PK\5\6"  4 disk  6 disk  8 entries  10 entries  12 size  16 offset  20 comment length
 *     locator  0 "PK\6\7"  8 offset of zip64 end
 *     zip64    0 "PK\6\6"  24 entries  32 entries  40 size  48 offset
 *     extra    { id 2, length 2, data }; id 1: 64-bit size, packed size, offset, each only when the 32-bit field is all ones
 *
 * Programs differ in which of the doubled fields they believe.  Here all copies must agree and the parts must
 * touch, so there is one reading.  The only includer of <zlib.h>.
 */
#include "config.h"
#include "golang/zip.h"
#include "base/alloc.h"
#include "base/fdio.h"
#include "base/limits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zlib.h>

enum { LOCAL_LEN = 30, CENTRAL_LEN = 46, END_LEN = 22, END64_LEN = 56, LOCATOR_LEN = 20, COMMENT_MAX = 0xffff };
enum { STORED = 0, DEFLATED = 8 };
enum { FLAG_ENCRYPTED = 1 };

static uint16_t u16(const unsigned char *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static uint32_t u32(const unsigned char *p)
{
	return (uint32_t)u16(p) | (uint32_t)u16(p + 2) << 16;
}

static uint64_t u64(const unsigned char *p)
{
	return (uint64_t)u32(p) | (uint64_t)u32(p + 4) << 32;
}

static int bad(struct err *e, const char *what)
{
	return err_set(e, ERR_INVALID, "not a valid zip file: %s", what);
}

static int read_at(int fd, void *p, size_t n, uint64_t at, struct err *e)
{
	ssize_t k = fd_read_at(fd, p, n, at);

	if (k < 0)
		return err_errno(e, "cannot read the zip file");
	return (size_t)k < n ? bad(e, "it is cut off") : 0;
}

/* Where the central directory is. */
struct where {
	uint64_t at, size, entries;
};

static int read_end64(int fd, uint64_t end_at, struct where *w, struct err *e)
{
	unsigned char loc[LOCATOR_LEN], end[END64_LEN];
	int rc;

	if (end_at < LOCATOR_LEN + END64_LEN)
		return bad(e, "its 64-bit end is missing");
	if ((rc = read_at(fd, loc, sizeof loc, end_at - LOCATOR_LEN, e)))
		return rc;
	if (memcmp(loc, "PK\6\7", 4) || u64(loc + 8) != end_at - LOCATOR_LEN - END64_LEN)
		return bad(e, "its 64-bit end is not where it should be");
	if ((rc = read_at(fd, end, sizeof end, u64(loc + 8), e)))
		return rc;
	if (memcmp(end, "PK\6\6", 4) || u32(end + 16) || u32(end + 20) || u64(end + 24) != u64(end + 32))
		return bad(e, "its 64-bit end is malformed");
	*w = (struct where){ u64(end + 48), u64(end + 40), u64(end + 32) };
	if (w->at > u64(loc + 8) || w->size != u64(loc + 8) - w->at)
		return bad(e, "its directory is not where it should be");
	return 0;
}

/* The end record is the last thing in the file, but for a comment of unknown length: look backwards. */
static int find_end(int fd, uint64_t file_size, struct where *w, struct err *e)
{
	size_t n = file_size < END_LEN + COMMENT_MAX ? (size_t)file_size : END_LEN + COMMENT_MAX, i;
	unsigned char *tail = xmalloc(n + 1), *p = NULL;
	uint64_t at;
	int rc;

	if ((rc = read_at(fd, tail, n, file_size - n, e)))
		goto out;
	for (i = n + 1; !p && i-- > 0;)
		if (n - i >= END_LEN && !memcmp(tail + i, "PK\5\6", 4) && u16(tail + i + 20) == n - i - END_LEN)
			p = tail + i;
	if (!p) {
		rc = bad(e, "it has no end record");
		goto out;
	}
	at = file_size - n + (uint64_t)(p - tail);
	*w = (struct where){ u32(p + 16), u32(p + 12), u16(p + 10) };
	if (u16(p + 4) || u16(p + 6) || u16(p + 8) != u16(p + 10))
		rc = bad(e, "it has several parts");
	else if (w->entries == 0xffff || w->size == UINT32_MAX || w->at == UINT32_MAX)
		rc = read_end64(fd, at, w, e);
	else if (w->at > at || w->size != at - w->at)
		rc = bad(e, "its directory is not where it should be");
out:
	free(tail);
	return rc;
}

/* Replaces 32-bit fields that are all ones by those of the 64-bit extra field. */
static int widen(struct zip_entry *f, const unsigned char *p, size_t n, struct err *e)
{
	uint64_t *fields[] = { &f->size, &f->packed_size, &f->offset };
	int need = f->size == UINT32_MAX || f->packed_size == UINT32_MAX || f->offset == UINT32_MAX;

	while (n >= 4) {
		size_t len = u16(p + 2), used = 0;
		int id = u16(p);

		p += 4;
		n -= 4;
		if (len > n)
			return need ? bad(e, "an extra field is cut off") : 0;
		for (int i = 0; id == 1 && need && i < 3; i++) {
			if (*fields[i] != UINT32_MAX)
				continue;
			if (len - used < 8)
				return bad(e, "a 64-bit field is missing");
			*fields[i] = u64(p + used);
			used += 8;
		}
		if (id == 1)
			return 0;
		p += len;
		n -= len;
	}
	return need ? bad(e, "a 64-bit field is missing") : 0;
}

static int read_entry(struct zip *z, struct zip_entry *f, const unsigned char *p, size_t n, size_t *used, struct err *e)
{
	if (n < CENTRAL_LEN || memcmp(p, "PK\1\2", 4))
		return bad(e, "its directory is malformed");
	size_t name = u16(p + 28), extra = u16(p + 30), comment = u16(p + 32);

	*used = CENTRAL_LEN + name + extra + comment;
	if (*used > n)
		return bad(e, "its directory is cut off");
	*f = (struct zip_entry){ .name = { (const char *)p + CENTRAL_LEN, name }, .size = u32(p + 24),
				 .packed_size = u32(p + 20), .offset = u32(p + 42), .crc = u32(p + 16),
				 .method = u16(p + 10) };
	int rc = widen(f, p + CENTRAL_LEN + name, extra, e);

	if (rc)
		return rc;
	if (u16(p + 8) & FLAG_ENCRYPTED)
		return bad(e, "a member is encrypted");
	if (u16(p + 34))
		return bad(e, "it has several parts");
	if (f->method != STORED && f->method != DEFLATED)
		return err_set(e, ERR_INVALID, "not a valid zip file: member '%.*s' is compressed by method %d", (int)name,
			       f->name.p, f->method);
	if (f->offset > z->directory_at || f->packed_size > z->directory_at - f->offset ||
	    LOCAL_LEN > z->directory_at - f->offset - f->packed_size)
		return bad(e, "a member lies outside of it");
	/* "Made by" Unix or Darwin: the mode is in the upper half of the attributes. */
	if (p[5] == 3 || p[5] == 19)
		f->type = (u32(p + 38) >> 16) & S_IFMT;
	return 0;
}

static int read_directory(struct zip *z, const struct where *w, struct err *e)
{
	const unsigned char *p;
	size_t left = (size_t)w->size, used = 0;
	int rc;

	if (w->entries > LIMIT_ZIP_ENTRIES || w->size > LIMIT_ZIP_DIRECTORY)
		return err_set(e, ERR_LIMIT, "the zip file has too many members (%llu)", (unsigned long long)w->entries);
	if (w->entries > w->size / CENTRAL_LEN)
		return bad(e, "its directory is cut off");
	z->directory_at = w->at;
	z->directory = xmalloc(left + 1);
	z->entries = xcalloc((size_t)w->entries + 1, sizeof *z->entries);
	if ((rc = read_at(z->fd, z->directory, left, w->at, e)))
		return rc;
	for (p = (const unsigned char *)z->directory; z->n < w->entries; z->n++, p += used, left -= used)
		if ((rc = read_entry(z, &z->entries[z->n], p, left, &used, e)))
			return rc;
	return left ? bad(e, "its directory holds more than it should") : 0;
}

int zip_open(struct zip *z, int fd, struct err *e)
{
	struct where w = { 0 };
	struct stat st;
	int rc;

	memset(z, 0, sizeof *z);
	z->fd = fd;
	if (fstat(fd, &st) < 0)
		return err_errno(e, "cannot read the zip file");
	if (!S_ISREG(st.st_mode))
		return bad(e, "it is no regular file");
	rc = find_end(fd, (uint64_t)st.st_size, &w, e);
	if (!rc)
		rc = read_directory(z, &w, e);
	if (rc)
		zip_close(z);
	return rc;
}

void zip_close(struct zip *z)
{
	free(z->entries);
	free(z->directory);
	memset(z, 0, sizeof *z);
	z->fd = -1;
}

/* --- members --- */

struct member {
	const struct zip *z;
	const struct zip_entry *f;
	uint64_t at, left; /* of the packed data */
	uint64_t out;	   /* bytes handed out */
	uLong crc;
	int (*write)(void *user, const void *p, size_t n, struct err *e);
	void *user;
};

static int member_bad(const struct member *m, struct err *e, const char *what)
{
	return err_set(e, ERR_INVALID, "member '%.*s' of the zip file %s", (int)m->f->name.n, m->f->name.p, what);
}

static int hand_out(struct member *m, const unsigned char *p, size_t n, struct err *e)
{
	if (n > m->f->size - m->out)
		return member_bad(m, e, "is larger than declared");
	m->out += n;
	m->crc = crc32(m->crc, p, (uInt)n);
	return n ? m->write(m->user, p, n, e) : 0;
}

static int next_input(struct member *m, unsigned char *in, size_t cap, size_t *n, struct err *e)
{
	*n = m->left < cap ? (size_t)m->left : cap;
	int rc = read_at(m->z->fd, in, *n, m->at, e);

	m->at += *n;
	m->left -= *n;
	return rc;
}

static int copy_stored(struct member *m, unsigned char *in, size_t cap, struct err *e)
{
	size_t n;
	int rc = 0;

	while (m->left && !rc) {
		rc = next_input(m, in, cap, &n, e);
		if (!rc)
			rc = hand_out(m, in, n, e);
	}
	return rc;
}

static int inflate_member(struct member *m, unsigned char *in, unsigned char *out, size_t cap, struct err *e)
{
	z_stream s = { .next_in = in };
	int rc = 0, zrc = Z_OK;
	size_t n;

	if (inflateInit2(&s, -MAX_WBITS) != Z_OK)
		out_of_memory();
	while (!rc && zrc == Z_OK) {
		if (!s.avail_in && m->left) {
			if ((rc = next_input(m, in, cap, &n, e)))
				break;
			s.next_in = in;
			s.avail_in = (uInt)n;
		}
		s.next_out = out;
		s.avail_out = (uInt)cap;
		zrc = inflate(&s, Z_NO_FLUSH);
		if (zrc == Z_OK || zrc == Z_STREAM_END)
			rc = hand_out(m, out, cap - s.avail_out, e);
	}
	if (!rc && (zrc != Z_STREAM_END || s.avail_in || m->left))
		rc = member_bad(m, e, "is damaged");
	inflateEnd(&s);
	return rc;
}

/* Leaves m at the data; the local header must be about the same member. */
static int find_data(struct member *m, struct err *e)
{
	unsigned char h[LOCAL_LEN];
	size_t name, extra;
	char *own;
	int rc = read_at(m->z->fd, h, sizeof h, m->f->offset, e);

	if (rc)
		return rc;
	name = u16(h + 26);
	extra = u16(h + 28);
	m->at = m->f->offset + LOCAL_LEN + name + extra;
	m->left = m->f->packed_size;
	if (memcmp(h, "PK\3\4", 4) || name != m->f->name.n || m->at > m->z->directory_at ||
	    m->left > m->z->directory_at - m->at)
		return member_bad(m, e, "is not where it should be");
	own = xmalloc(name + 1);
	rc = read_at(m->z->fd, own, name, m->f->offset + LOCAL_LEN, e);
	if (!rc && memcmp(own, m->f->name.p, name))
		rc = member_bad(m, e, "is called differently in the directory");
	free(own);
	return rc;
}

int zip_read(const struct zip *z, const struct zip_entry *f,
	     int (*write)(void *user, const void *p, size_t n, struct err *e), void *user, struct err *e)
{
	enum { PIECE = 65536 };
	struct member m = { .z = z, .f = f, .write = write, .user = user, .crc = crc32(0, NULL, 0) };
	int rc = find_data(&m, e);

	if (rc)
		return rc;
	unsigned char *in = xmalloc(2 * PIECE);

	rc = f->method == STORED ? copy_stored(&m, in, PIECE, e) : inflate_member(&m, in, in + PIECE, PIECE, e);
	free(in);
	if (!rc && m.out != f->size)
		rc = member_bad(&m, e, "is smaller than declared");
	if (!rc && m.crc != f->crc)
		rc = member_bad(&m, e, "does not have its checksum");
	return rc;
}
