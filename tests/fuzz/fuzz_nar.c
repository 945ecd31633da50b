/* SPDX-License-Identifier: MIT
 *
 * Any bytes as an archive.  What is accepted must be exactly what a writer would have written: the
 * events are written down as an archive again and compared.  The portions in which bytes
 * arrive must not matter.
 */
#include "config.h"
#include "base/buf.h"
#include "base/limits.h"
#include "format/nar.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct log {
	struct buf b;
	int depth;
	uint64_t size, seen;
};

static void word(struct log *l, const char *p, size_t n)
{
	unsigned char len[8];

	for (int i = 0; i < 8; i++)
		len[i] = (unsigned char)((uint64_t)n >> 8 * i);
	buf_add(&l->b, len, 8);
	buf_add(&l->b, p, n);
	buf_add(&l->b, "\0\0\0\0\0\0\0", -n & 7);
}

static void words(struct log *l, const char *text)
{
	while (*text) {
		size_t n = strcspn(text, " ");

		word(l, text, n);
		text += n + (text[n] == ' ');
	}
}

static void open_object(struct log *l, struct slice name)
{
	if (l->depth) {
		if (!name.n || memchr(name.p, '/', name.n) || strlen(name.p) != name.n || !strcmp(name.p, ".") ||
		    !strcmp(name.p, ".."))
			abort();
		words(l, "entry ( name");
		word(l, name.p, name.n);
		words(l, "node");
	} else if (name.n) {
		abort();
	}
	words(l, "( type");
}

static void close_object(struct log *l)
{
	words(l, l->depth ? ") )" : ")");
}

static int directory(void *user, struct slice name, struct err *e)
{
	struct log *l = user;

	(void)e;
	open_object(l, name);
	words(l, "directory");
	if (++l->depth > LIMIT_NAR_DEPTH)
		abort();
	return 0;
}

static int directory_end(void *user, struct err *e)
{
	struct log *l = user;

	(void)e;
	l->depth--;
	close_object(l);
	return 0;
}

static int regular(void *user, struct slice name, int executable, uint64_t size, struct err *e)
{
	struct log *l = user;
	unsigned char len[8];

	(void)e;
	open_object(l, name);
	words(l, "regular");
	if (executable) {
		words(l, "executable");
		word(l, "", 0);
	}
	words(l, "contents");
	for (int i = 0; i < 8; i++)
		len[i] = (unsigned char)(size >> 8 * i);
	buf_add(&l->b, len, 8);
	l->size = size;
	l->seen = 0;
	return 0;
}

static int contents(void *user, const void *p, size_t n, struct err *e)
{
	struct log *l = user;

	(void)e;
	buf_add(&l->b, p, n);
	l->seen += n;
	return 0;
}

static int regular_end(void *user, struct err *e)
{
	struct log *l = user;

	(void)e;
	if (l->seen != l->size)
		abort();
	buf_add(&l->b, "\0\0\0\0\0\0\0", -l->size & 7);
	close_object(l);
	return 0;
}

static int symlink_(void *user, struct slice name, struct slice target, struct err *e)
{
	struct log *l = user;

	(void)e;
	open_object(l, name);
	words(l, "symlink target");
	if (!target.n || strlen(target.p) != target.n)
		abort();
	word(l, target.p, target.n);
	close_object(l);
	return 0;
}

static const struct nar_events events = { directory, directory_end, regular, contents, regular_end, symlink_ };

/* Feeds in pieces of 1, 2, 3, … bytes; returns whether the archive was good and nothing followed. */
static int in_pieces(const uint8_t *data, size_t size, struct log *l)
{
	struct nar_reader *r = nar_reader_new(&events, l);
	size_t used, at = 0, piece = 1;
	int rc = 0;

	words(l, "nix-archive-1");
	while (at < size && !nar_reader_done(r) && !rc) {
		size_t n = piece < size - at ? piece : size - at;

		rc = nar_reader_feed(r, data + at, n, &used, NULL);
		at += used;
		piece = piece % 37 + 1;
	}
	rc = !rc && nar_reader_done(r) && at == size;
	nar_reader_free(r);
	return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct log whole = { .depth = 0 }, pieces = { .depth = 0 };
	struct err e = ERR_INIT;

	words(&whole, "nix-archive-1");
	int good = !nar_read_bytes((struct slice){ (const char *)data, size }, &events, &whole, &e);

	if (good != in_pieces(data, size, &pieces))
		abort();
	if (good && (whole.b.len != size || memcmp(whole.b.p, data, size)))
		abort();
	if (good && (pieces.b.len != size || memcmp(pieces.b.p, data, size)))
		abort();
	if (!good && !e.msg)
		abort();
	err_release(&e);
	buf_release(&whole.b);
	buf_release(&pieces.b);
	return 0;
}
