/* SPDX-License-Identifier: MIT
 *
 * Reading is buffered, so that a path does not cost three system calls; what is large and goes through (archives) is handed on in
 * whatever pieces it comes.
 *
 * A text is read in pieces of at most a buffer: who announces four gigabytes and sends ten bytes costs ten bytes.
 */
#include "config.h"
#include "remote/wire.h"
#include "base/alloc.h"
#include "base/fdio.h"
#include "base/limits.h"

#include <endian.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { AHEAD = 1 << 16, PATH_TEXT_MAX = 4096 };

void wire_init(struct wire *w, int in, int out, const char *peer)
{
	*w = (struct wire){ .in = in, .out = out, .peer = peer, .ahead = xmalloc(AHEAD) };
}

void wire_init_source(struct wire *w, const struct byte_source *from, const char *peer)
{
	wire_init(w, -1, -1, peer);
	w->from = from;
}

void wire_release(struct wire *w)
{
	free(w->ahead);
	buf_release(&w->later);
	*w = (struct wire){ .in = -1, .out = -1 };
}

/* --- reading --- */

static long read_some(struct wire *w, void *p, size_t n, struct err *e)
{
	ssize_t k;

	if (w->from)
		return w->from->read(w->from->user, p, n, e);
	k = fd_read(w->in, p, n);
	/* A peer that dies takes what it had not read with it. */
	if (k < 0 && errno == ECONNRESET)
		return 0;
	return k < 0 ? err_errno(e, "cannot read from %s", w->peer) : (long)k;
}

/* Has something to give: 1; 0 at the end. */
static int fill(struct wire *w, struct err *e)
{
	long n;

	if (w->at < w->end)
		return 1;
	n = read_some(w, w->ahead, AHEAD, e);
	w->at = 0;
	w->end = n > 0 ? (size_t)n : 0;
	return n > 0 ? 1 : (int)n;
}

static int cut_off(const struct wire *w, struct err *e)
{
	return err_set(e, ERR_IO, "%s closed the connection in the middle of it", w->peer);
}

static size_t take(struct wire *w, void *p, size_t n)
{
	size_t k = n < w->end - w->at ? n : w->end - w->at;

	memcpy(p, w->ahead + w->at, k);
	w->at += k;
	return k;
}

int wire_get(struct wire *w, void *p, size_t n, struct err *e)
{
	while (n) {
		int rc = fill(w, e);

		if (rc <= 0)
			return rc < 0 ? rc : cut_off(w, e);
		size_t k = take(w, p, n);
		p = (char *)p + k;
		n -= k;
	}
	return 0;
}

int wire_at_end(struct wire *w, struct err *e)
{
	int rc = fill(w, e);

	return rc < 0 ? rc : !rc;
}

int wire_has_more(const struct wire *w)
{
	struct pollfd p = { .fd = w->in, .events = POLLIN };

	return w->at < w->end || poll(&p, 1, 0) > 0;
}

int wire_get_number(struct wire *w, uint64_t *n, struct err *e)
{
	int rc = wire_get(w, n, sizeof *n, e);

	*n = rc ? 0 : le64toh(*n);
	return rc;
}

int wire_get_bounded(struct wire *w, uint64_t most, uint64_t *n, struct err *e)
{
	int rc = wire_get_number(w, n, e);

	if (!rc && *n > most)
		rc = err_set(e, ERR_LIMIT, "%s sent the number %llu where at most %llu makes sense", w->peer,
			     (unsigned long long)*n, (unsigned long long)most);
	return rc;
}

int wire_get_bool(struct wire *w, int *b, struct err *e)
{
	uint64_t n;
	int rc = wire_get_number(w, &n, e);

	*b = n != 0;
	return rc;
}

static int get_padding(struct wire *w, uint64_t n, struct err *e)
{
	unsigned char zeros[8] = { 0 };
	int rc = n % 8 ? wire_get(w, zeros, 8 - n % 8, e) : 0;

	for (int i = 0; !rc && i < 8; i++)
		if (zeros[i])
			rc = err_set(e, ERR_INVALID, "%s sent a text whose padding is not zero", w->peer);
	return rc;
}

/* n bytes of a text, to out or to nobody. */
static int get_bytes(struct wire *w, uint64_t n, struct buf *out, struct err *e)
{
	for (uint64_t left = n; left;) {
		int rc = fill(w, e);
		size_t k = w->end - w->at < left ? w->end - w->at : (size_t)left;

		if (rc <= 0)
			return rc < 0 ? rc : cut_off(w, e);
		if (out)
			buf_add(out, w->ahead + w->at, k);
		w->at += k;
		left -= k;
	}
	return get_padding(w, n, e);
}

int wire_get_text(struct wire *w, size_t most, struct buf *out, struct err *e)
{
	uint64_t n;
	int rc = wire_get_number(w, &n, e);

	if (!rc && n > most)
		rc = err_set(e, ERR_LIMIT, "%s sent a text of %llu bytes where at most %zu make sense", w->peer,
			     (unsigned long long)n, most);
	return rc ? rc : get_bytes(w, n, out, e);
}

int wire_skip_text(struct wire *w, struct err *e)
{
	uint64_t n;
	int rc = wire_get_bounded(w, LIMIT_WIRE_TEXT, &n, e);

	return rc ? rc : get_bytes(w, n, NULL, e);
}

int wire_get_path(struct wire *w, struct slice dir, int none_too, struct store_path *out, struct err *e)
{
	struct buf b = BUF_INIT;
	int rc = wire_get_text(w, PATH_TEXT_MAX, &b, e);

	out->len = 0;
	if (!rc && (b.len || !none_too))
		rc = store_path_parse(dir, (struct slice){ buf_str(&b), b.len }, out, e);
	buf_release(&b);
	return rc;
}

int wire_get_paths(struct wire *w, struct slice dir, struct path_set *out, struct err *e)
{
	struct store_path p;
	uint64_t n;
	int rc = wire_get_bounded(w, LIMIT_WIRE_LIST, &n, e);

	for (; !rc && n; n--)
		if (!(rc = wire_get_path(w, dir, 0, &p, e)))
			path_set_push(out, &p);
	path_set_sort(out);
	return rc;
}

int wire_get_words(struct wire *w, struct buf *out, struct err *e)
{
	uint64_t n;
	int rc = wire_get_bounded(w, LIMIT_WIRE_LIST, &n, e);

	for (; !rc && n; n--) {
		size_t at = out->len + (out->len > 0);

		if (out->len)
			buf_addc(out, ' ');
		rc = wire_get_text(w, PATH_TEXT_MAX, out, e);
		if (!rc && (out->len == at || memchr(out->p + at, ' ', out->len - at)))
			rc = err_set(e, ERR_INVALID, "%s sent '%s' where a word is wanted", w->peer, out->len ? out->p + at : "");
	}
	return rc;
}

/* --- writing --- */

static void write_out(struct wire *w)
{
	if (!w->broken && w->later.len && fd_write_all(w->out, w->later.p, w->later.len))
		w->broken = errno;
	buf_trim(&w->later, 0);
}

void wire_put(struct wire *w, const void *p, size_t n)
{
	buf_add(&w->later, p, n);
	if (w->later.len >= AHEAD && w->out >= 0)
		write_out(w);
}

void wire_put_number(struct wire *w, uint64_t n)
{
	n = htole64(n);
	wire_put(w, &n, sizeof n);
}

void wire_put_text(struct wire *w, struct slice text)
{
	static const char zeros[8];

	wire_put_number(w, text.n);
	wire_put(w, text.p, text.n);
	if (text.n % 8)
		wire_put(w, zeros, 8 - text.n % 8);
}

void wire_put_string(struct wire *w, const char *text)
{
	wire_put_text(w, slice_of(text ? text : ""));
}

void wire_put_path(struct wire *w, struct slice dir, const struct store_path *p)
{
	struct buf b = BUF_INIT;

	if (p && p->len)
		store_path_add(&b, dir, p);
	wire_put_text(w, (struct slice){ buf_str(&b), b.len });
	buf_release(&b);
}

void wire_put_paths(struct wire *w, struct slice dir, const struct path_set *paths)
{
	wire_put_number(w, paths->n);
	for (size_t i = 0; i < paths->n; i++)
		wire_put_path(w, dir, &paths->v[i]);
}

/* The next word of a text; its length, 0 behind the last. */
static size_t next_word(const char **at)
{
	*at += strspn(*at, " ");
	return strcspn(*at, " ");
}

void wire_put_words(struct wire *w, const char *words)
{
	uint64_t n = 0;
	size_t k;

	for (const char *p = words ? words : ""; (k = next_word(&p)); p += k)
		n++;
	wire_put_number(w, n);
	for (const char *p = words ? words : ""; (k = next_word(&p)); p += k)
		wire_put_text(w, (struct slice){ p, k });
}

int wire_flush(struct wire *w, struct err *e)
{
	write_out(w);
	if (!w->broken)
		return 0;
	errno = w->broken;
	return errno == EPIPE || errno == ECONNRESET ? cut_off(w, e) : err_errno(e, "cannot write to %s", w->peer);
}

static int sink_write(void *user, const void *p, size_t n, struct err *e)
{
	struct wire *w = user;

	wire_put(w, p, n);
	return w->broken ? wire_flush(w, e) : 0;
}

struct nar_sink wire_sink(struct wire *w)
{
	return (struct nar_sink){ sink_write, w };
}

/* --- streams --- */

static long read_bytes(void *user, void *p, size_t n, struct err *e)
{
	struct wire *w = user;
	int rc;

	if (w->at == w->end && n >= AHEAD)
		return read_some(w, p, n, e);
	rc = fill(w, e);
	return rc > 0 ? (long)take(w, p, n) : rc;
}

struct byte_source wire_bytes(struct wire *w)
{
	return (struct byte_source){ read_bytes, w };
}

static long read_frames(void *user, void *p, size_t n, struct err *e)
{
	struct wire_frames *f = user;
	long k;
	int rc;

	if (!f->left && !f->ended) {
		rc = wire_get_number(f->w, &f->left, e);
		if (rc)
			return rc;
		f->ended = !f->left;
	}
	if (f->ended || !n)
		return 0;
	k = read_bytes(f->w, p, n < f->left ? n : (size_t)f->left, e);
	if (k == 0)
		return cut_off(f->w, e);
	f->left -= k > 0 ? (uint64_t)k : 0;
	return k;
}

void wire_frames_begin(struct wire_frames *f, struct wire *w)
{
	*f = (struct wire_frames){ .w = w, .source = { read_frames, f } };
}

/* Reads a source to its end. */
static int drain(const struct byte_source *s, struct err *e)
{
	char *bytes = xmalloc(AHEAD);
	long n;

	while ((n = s->read(s->user, bytes, AHEAD, e)) > 0)
		;
	free(bytes);
	return (int)n;
}

int wire_frames_end(struct wire_frames *f, struct err *e)
{
	return drain(&f->source, e);
}

static long read_part(void *user, void *p, size_t n, struct err *e)
{
	struct wire_part *part = user;
	long k;

	if (!part->left || !n)
		return 0;
	k = part->from->read(part->from->user, p, n < part->left ? n : (size_t)part->left, e);
	if (k == 0)
		return err_set(e, ERR_INVALID, "the archive is cut off");
	part->left -= k > 0 ? (uint64_t)k : 0;
	return k;
}

void wire_part_begin(struct wire_part *p, const struct byte_source *from, uint64_t n)
{
	*p = (struct wire_part){ .from = from, .left = n, .source = { read_part, p } };
}

int wire_part_end(struct wire_part *p, struct err *e)
{
	return drain(&p->source, e);
}

static long read_archive(void *user, void *p, size_t n, struct err *e)
{
	struct wire_archive *a = user;
	size_t used = 0;
	int rc;

	if (nar_reader_done(a->reader) || !n)
		return 0;
	rc = fill(a->w, e);
	if (rc <= 0)
		return rc < 0 ? rc : cut_off(a->w, e);
	if (n > a->w->end - a->w->at)
		n = a->w->end - a->w->at;
	rc = nar_reader_feed(a->reader, a->w->ahead + a->w->at, n, &used, e);
	if (rc)
		return rc;
	return (long)take(a->w, p, used);
}

void wire_archive_begin(struct wire_archive *a, struct wire *w)
{
	static const struct nar_events nothing = { .directory = NULL };

	*a = (struct wire_archive){ .w = w, .reader = nar_reader_new(&nothing, NULL), .source = { read_archive, a } };
}

int wire_archive_end(struct wire_archive *a, struct err *e)
{
	int rc = drain(&a->source, e);

	nar_reader_free(a->reader);
	return rc;
}
