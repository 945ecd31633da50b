/* SPDX-License-Identifier: MIT
 *
 * The file (versions 2 to 4, numbers in network order):
 *
 *     "DIRC"  u32 version  u32 number of entries
 *     entry   40 bytes of a file's identity, with its mode at 24  id (20 bytes, or 32)  u16 flags  [u16 more flags]  name
 *     extensions: four letters  u32 length  bytes; one whose first letter is small must be understood
 *     a sum of all before it, as long as an id; zeros where git was told not to make one
 *
 * Up to version 3 a name is whole and entries are filled with NULs to a multiple of 8; in version 4 a name begins with how many
 * bytes of the one before it are not part of it.  Nothing says how long ids are: the length with which all entries fit is right.
 */
#include "config.h"
#include "fetch/git_index.h"
#include "base/alloc.h"
#include "base/fdio.h"
#include "fetch/pack.h"
#include "format/hash.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HEAD = 12, ENTRY_FIXED = 40, MODE_AT = 24, EXTENDED = 0x4000, STAGE = 0x3000, LENGTH = 0xfff, MODE_FOLDER = 0040000 };

static uint32_t number(const char *p)
{
	const unsigned char *b = (const unsigned char *)p;

	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

struct reader {
	const char *p, *end; /* end: before the sum */
	uint32_t version;
	size_t id;
	struct git_index *out;
	size_t *at; /* of each name in out->text */
};

/* How much of the name before stays away; -1 when it is no number. */
static int64_t take_cut(struct reader *r)
{
	uint64_t v = 0;

	for (int i = 0; i < 5 && r->p < r->end; i++) {
		unsigned char c = (unsigned char)*r->p++;
		v = (v << 7) + (c & 127);
		if (!(c & 128))
			return (int64_t)v;
		v++;
	}
	return -1;
}

/* The name of an entry, appended to the text after what the one before shares with it. */
static int take_name(struct reader *r, const char *entry, size_t before)
{
	struct buf *t = &r->out->text;
	size_t keep = 0;

	if (r->version == 4) {
		size_t last = t->len > before ? t->len - before - 1 : 0;
		int64_t cut = take_cut(r);
		if (cut < 0 || (size_t)cut > last)
			return -1;
		keep = last - (size_t)cut;
	}
	const char *nul = memchr(r->p, 0, (size_t)(r->end - r->p));
	if (!nul || (nul == r->p && !keep))
		return -1;
	/* No file is called by more; and names that share one that is very long would fill the memory. */
	if (keep + (size_t)(nul - r->p) >= PATH_MAX)
		return -1;
	buf_reserve(t, keep + (size_t)(nul - r->p) + 2);
	if (keep)
		buf_add(t, t->p + before, keep);
	buf_add(t, r->p, (size_t)(nul - r->p) + 1);
	size_t n = (size_t)(nul - entry);
	r->p = r->version == 4 ? nul + 1 : entry + ((n + 8) & ~(size_t)7);
	return r->p <= r->end ? 0 : -1;
}

static void add_sum(struct git_index *x, const char *entry, size_t id, uint16_t flags, const char *name, size_t n)
{
	uint64_t h = pack_hash(flags & STAGE, name, n);

	h = pack_hash(h, entry + MODE_AT, 4);
	h = pack_hash(h, entry + ENTRY_FIXED, id);
	x->sum[0] = pack_hash(x->sum[0] + h, &h, sizeof h);
	x->sum[1] += h;
}

static int take_entry(struct reader *r, uint32_t i, size_t *last)
{
	const char *entry = r->p;
	size_t fixed = ENTRY_FIXED + r->id + 2, before = *last;

	/* Two bytes are the shortest name of version 4, or more flags. */
	if ((size_t)(r->end - r->p) < fixed + 2 || number(entry + MODE_AT) >> 12 == MODE_FOLDER >> 12)
		return -1;
	uint16_t flags = (uint16_t)(number(entry + fixed - 2) >> 16);
	uint16_t more = flags & EXTENDED ? (uint16_t)(number(entry + fixed) >> 16) : 0;
	if ((flags & EXTENDED) && r->version < 3)
		return -1;
	r->p += fixed + (flags & EXTENDED ? 2 : 0);
	*last = r->out->text.len;
	if (take_name(r, entry, before))
		return -1;
	const char *name = r->out->text.p + *last;
	size_t n = strlen(name);
	if ((flags & LENGTH) != (n < LENGTH ? n : LENGTH) || (i && strcmp(r->out->text.p + before, name) > 0))
		return -1;
	add_sum(r->out, entry, r->id, flags | more, name, n);
	r->at[i] = *last;
	return 0;
}

/* What cannot be left aside makes the list of files incomplete. */
static int look_at_extensions(const struct reader *r)
{
	const char *p = r->p;

	while (r->end - p >= 8) {
		uint32_t n = number(p + 4);
		if (*p < 'A' || *p > 'Z' || n > (size_t)(r->end - p) - 8)
			return -1;
		p += 8 + n;
	}
	return p == r->end ? 0 : -1;
}

static int has_its_sum(struct slice b, size_t id)
{
	static const char none[HASH_SHA256_LEN];
	const char *sum = b.p + b.n - id;
	struct hash h;

	if (!memcmp(sum, none, id))
		return 1;
	hash_bytes(id == HASH_SHA256_LEN ? HASH_SHA256 : HASH_SHA1, b.p, b.n - id, &h);
	return !memcmp(sum, h.b, id);
}

static void list_names(struct git_index *x, const size_t *at, uint32_t n)
{
	x->names = xcalloc((size_t)n + 1, sizeof *x->names);
	for (uint32_t i = 0; i < n; i++) {
		struct slice s = slice_of(x->text.p + at[i]);
		/* Files in conflict have an entry for each side. */
		if (!x->n || !slice_eq(x->names[x->n - 1], s))
			x->names[x->n++] = s;
	}
}

static int parse_with(struct slice b, size_t id, struct git_index *out)
{
	struct reader r = { b.p + HEAD, b.p + b.n - id, number(b.p + 4), id, out, NULL };
	uint32_t n = number(b.p + 8);
	size_t last = 0;
	int rc = n > b.n / 8 ? -1 : 0;

	*out = (struct git_index){ .n = 0 };
	r.at = xcalloc(rc ? 1 : (size_t)n + 1, sizeof *r.at);
	for (uint32_t i = 0; i < n && !rc; i++)
		rc = take_entry(&r, i, &last);
	if (!rc && (look_at_extensions(&r) || !has_its_sum(b, id)))
		rc = -1;
	if (!rc && n)
		list_names(out, r.at, n);
	free(r.at);
	return rc;
}

int git_index_parse(struct slice b, struct git_index *out)
{
	static const size_t ids[] = { 20, 32 };
	int rc = -1;

	*out = (struct git_index){ .n = 0 };
	if (b.n < HEAD || memcmp(b.p, "DIRC", 4) || number(b.p + 4) < 2 || number(b.p + 4) > 4)
		return -1;
	for (size_t i = 0; i < sizeof ids / sizeof *ids && rc && b.n >= HEAD + ids[i]; i++) {
		git_index_release(out);
		rc = parse_with(b, ids[i], out);
	}
	return rc;
}

void git_index_release(struct git_index *x)
{
	free(x->names);
	buf_release(&x->text);
	*x = (struct git_index){ .n = 0 };
}

int git_index_has(const struct git_index *x, struct slice name)
{
	/* What lies below "a" comes somewhere after it: "a-b" is between "a" and "a/b". */
	for (size_t lo = slice_lower_bound(x->names, x->n, name); lo < x->n && slice_starts(x->names[lo], name); lo++)
		if (x->names[lo].n == name.n || x->names[lo].p[name.n] == '/')
			return 1;
	return 0;
}

/* --- where it is --- */

/* A file of one line. */
static int read_line(const char *path, struct buf *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), rc;

	if (fd < 0)
		return -1;
	rc = fd_read_all(fd, out);
	close(fd);
	while (!rc && out->len && out->p[out->len - 1] == '\n')
		buf_trim(out, out->len - 1);
	return rc;
}

/* A folder that a file names, perhaps from the folder that it lies in. */
static void add_folder(struct buf *out, const char *from, const char *name)
{
	if (*name != '/')
		buf_addf(out, "%s/", from);
	buf_adds(out, name);
}

int git_folders(const char *top, struct buf *own, struct buf *shared)
{
	struct buf dot = BUF_INIT, line = BUF_INIT;
	struct stat st;
	int rc = 0;

	buf_addf(&dot, "%s/.git", top);
	if (stat(dot.p, &st))
		rc = -1;
	else if (S_ISDIR(st.st_mode))
		buf_adds(own, dot.p);
	else if (read_line(dot.p, &line) || strncmp(buf_str(&line), "gitdir: ", 8))
		rc = -1;
	else
		add_folder(own, top, line.p + 8);
	buf_trim(&dot, 0);
	buf_trim(&line, 0);
	buf_addf(&dot, "%s/commondir", buf_str(own));
	if (!rc && !read_line(dot.p, &line) && line.len)
		add_folder(shared, own->p, line.p);
	else if (!rc)
		buf_adds(shared, own->p);
	buf_release(&dot);
	buf_release(&line);
	return rc;
}
