/* SPDX-License-Identifier: MIT
 *
 * A program has, at an address that 16 divides, since Go 1.18:
 *
 *      0  "\xff Go buildinf:"   14     the mark
 *     14  pointer size           1
 *     15  flags                  1     2: strings follow here
 *     32  varint and bytes: the version of Go
 *      .  varint and bytes: 16 bytes, lines, 16 bytes
 *
 * Lines: "mod\tPATH\tVERSION\tSUM", "dep\tPATH\tVERSION\tSUM", and behind one "=>\tPATH\tVERSION\tSUM" for what replaced it.
 *
 * Programs are looked through as their object's archive passes; what follows a mark is kept until it can be read.
 */
#include "config.h"
#include "image/gobuild.h"
#include "base/alloc.h"
#include "format/nar.h"

#include <stdlib.h>
#include <string.h>

#define MARK "\xff Go buildinf:"
enum { MARK_LEN = sizeof MARK - 1, HEAD = 32, GUARD = 16, LIMIT_INFO = 1 << 20 };

struct search {
	struct nar_reader *reader;
	struct buf *out;
	struct buf tail; /* since the mark; before it was found, what may be its beginning */
	int found, looks;
	uint64_t at; /* of tail's beginning, in the file */
};

/* --- what follows the mark --- */

/* A varint and as many bytes. */
static int take_string(struct slice *s, struct slice *out)
{
	uint64_t n = 0;
	unsigned shift = 0;

	do {
		if (!s->n || shift > 28)
			return -1;
		n |= (uint64_t)(*s->p & 0x7f) << shift;
		shift += 7;
		s->n--;
	} while (*s->p++ & 0x80);
	if (n > s->n)
		return -1;
	*out = (struct slice){ s->p, (size_t)n };
	s->p += n;
	s->n -= (size_t)n;
	return 0;
}

/* What goes into a line of ours is plain. */
static int is_plain(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] <= 32 || (unsigned char)s.p[i] >= 127)
			return 0;
	return s.n && s.n < 1000;
}

int gobuild_add_line(struct buf *lines, struct slice line)
{
	const char *p = buf_str(lines), *end = p + lines->len;

	/* Not in the middle of one: "app (devel) -" is also how "example.org/app (devel) -" ends. */
	for (; (p = memmem(p, (size_t)(end - p), line.p, line.n)); p++)
		if (p == lines->p || p[-1] == '\n')
			return 0;
	buf_add(lines, line.p, line.n);
	return 1;
}

static void add_module(struct buf *out, struct slice path, struct slice version, struct slice sum)
{
	struct buf line = BUF_INIT;

	if (!is_plain(path) || !is_plain(version))
		return;
	buf_addf(&line, "%.*s %.*s %.*s\n", (int)path.n, path.p, (int)version.n, version.p, is_plain(sum) ? (int)sum.n : 1,
		 is_plain(sum) ? sum.p : "-");
	gobuild_add_line(out, (struct slice){ line.p, line.len });
	buf_release(&line);
}

/* The n-th of a line's fields. */
static struct slice field(struct slice line, unsigned n)
{
	const char *p = line.p, *end = line.p + line.n, *tab;

	for (; n; n--) {
		tab = memchr(p, '\t', (size_t)(end - p));
		if (!tab)
			return (struct slice){ "", 0 };
		p = tab + 1;
	}
	tab = memchr(p, '\t', (size_t)(end - p));
	return (struct slice){ p, (size_t)((tab ? tab : end) - p) };
}

static void read_lines(struct slice text, struct buf *out)
{
	struct slice held = { "", 0 };

	while (text.n) {
		struct slice line = slice_cut(&text, '\n'), kind = field(line, 0);

		/* A module that was replaced is not in the program. */
		if (held.n && !slice_eq(kind, SLICE("=>")))
			add_module(out, field(held, 1), field(held, 2), field(held, 3));
		held = (struct slice){ "", 0 };
		if (slice_eq(kind, SLICE("=>")))
			add_module(out, field(line, 1), field(line, 2), field(line, 3));
		else if (slice_eq(kind, SLICE("mod")) || slice_eq(kind, SLICE("dep")))
			held = line;
	}
	if (held.n)
		add_module(out, field(held, 1), field(held, 2), field(held, 3));
}

/* 1 when all of it was there. */
static int read_info(struct slice bytes, struct buf *out)
{
	struct slice go, lines;

	if (bytes.n < HEAD || !(bytes.p[MARK_LEN + 1] & 2))
		return bytes.n >= HEAD;
	bytes.p += HEAD;
	bytes.n -= HEAD;
	if (take_string(&bytes, &go) || take_string(&bytes, &lines))
		return 0;
	if (slice_starts(go, SLICE("go"))) {
		go.p += 2;
		go.n -= 2;
		/* "1.26.1 X:none" says how it was built as well. */
		const char *blank = memchr(go.p, ' ', go.n);

		go.n = blank ? (size_t)(blank - go.p) : go.n;
		add_module(out, SLICE("go"), go, (struct slice){ "-", 1 });
	}
	if (lines.n > 2 * GUARD)
		read_lines((struct slice){ lines.p + GUARD, lines.n - (size_t)2 * GUARD }, out);
	return 1;
}

void gobuild_read(struct slice bytes, struct buf *out)
{
	read_info(bytes, out);
}

/* --- looking --- */

static int on_regular(void *user, struct slice name, int executable, uint64_t size, struct err *e)
{
	struct search *s = user;

	(void)name;
	(void)size;
	(void)e;
	s->looks = executable;
	s->found = 0;
	s->at = 0;
	buf_trim(&s->tail, 0);
	return 0;
}

static void drop(struct search *s, size_t n)
{
	memmove(s->tail.p, s->tail.p + n, s->tail.len - n);
	s->at += n;
	buf_trim(&s->tail, s->tail.len - n);
}

static int on_contents(void *user, const void *p, size_t n, struct err *e)
{
	struct search *s = user;
	const char *mark;

	(void)e;
	if (!s->looks)
		return 0;
	/* The rest of a program that is none. */
	if (!s->at && !s->tail.len && n >= 4 && memcmp(p, "\177ELF", 4) && memcmp(p, "\xcf\xfa\xed\xfe", 4) && memcmp(p, "MZ", 2)) {
		s->looks = 0;
		return 0;
	}
	buf_add(&s->tail, p, n);
	while (!s->found && (mark = memmem(buf_str(&s->tail), s->tail.len, MARK, MARK_LEN))) {
		size_t before = (size_t)(mark - s->tail.p);

		s->found = (s->at + before) % 16 == 0;
		drop(s, s->found ? before : before + 1);
	}
	if (s->found)
		s->looks = !read_info((struct slice){ s->tail.p, s->tail.len }, s->out) && s->tail.len < LIMIT_INFO;
	else if (s->tail.len > MARK_LEN)
		drop(s, s->tail.len - MARK_LEN);
	return 0;
}

static const struct nar_events events = { NULL, NULL, on_regular, on_contents, NULL, NULL };

static int take_nar(void *user, const void *p, size_t n, struct err *e)
{
	struct search *s = user;
	size_t used;

	return nar_reader_feed(s->reader, p, n, &used, e);
}

int gobuild_modules(struct store *s, const struct store_path *p, struct buf *out, struct err *e)
{
	struct search search = { .out = out };
	const struct nar_sink sink = { take_nar, &search };
	int rc;

	search.reader = nar_reader_new(&events, &search);
	rc = nar_write(store_fd(s), p->base, p->base, NULL, &sink, e);
	nar_reader_free(search.reader);
	buf_release(&search.tail);
	return rc;
}
