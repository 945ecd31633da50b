/* SPDX-License-Identifier: MIT
 *
 * Reading Nix archives (the format stands in nar_write.c).
 *
 * The reader is pushed: it takes bytes in any portions, as they come out of a decompressor or a
 * socket, and calls back.  It therefore keeps its place in the grammar in a state and an
 * explicit stack instead of recursing; memory is one fixed block whatever the input says.
 *
 * Two layers.  Below, strings: 8 bytes of length, the bytes, padding that must be zero; the length is compared
 * with the most the grammar allows here before anything is done with it, and that is at most
 * NAR_TARGET_MAX, so no hostile length is ever added to or multiplied.  Contents are not strings in this
 * sense: their 64-bit length only counts down while bytes pass through.  Above, one step of the grammar for
 * each complete string:
 *
 *   state        string                 next
 *   MAGIC        nix-archive-1          OPEN
 *   OPEN         (                      TYPE
 *   TYPE         type                   KIND
 *   KIND         regular                REGULAR
 *                symlink                TARGET_TAG
 *                directory              ENTRY, one level deeper
 *   REGULAR      executable             EXEC_VALUE
 *                contents               contents pass, then CLOSE
 *   EXEC_VALUE   (empty)                CONTENTS_TAG
 *   CONTENTS_TAG contents               contents pass, then CLOSE
 *   TARGET_TAG   target                 TARGET
 *   TARGET       the target             CLOSE
 *   CLOSE        )                      the object is complete
 *   ENTRY        entry                  ENTRY_OPEN
 *                )                      the directory is complete
 *   ENTRY_OPEN   (                      NAME_TAG
 *   NAME_TAG     name                   NAME
 *   NAME         the name               NODE
 *   NODE         node                   OPEN
 *   ENTRY_CLOSE  )                      ENTRY
 *   DONE
 *
 * An object that is complete leads to ENTRY_CLOSE inside a directory, to DONE at the root.
 *
 * Names are checked here, so that a consumer can create files by them below a directory descriptor:
 * strictly ascending order also rules out duplicates (a symlink and then a directory of
 * the same name was how archives once escaped).
 */
#include "config.h"
#include "format/nar.h"
#include "base/alloc.h"
#include "base/fdio.h"
#include "base/limits.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum state {
	MAGIC,
	OPEN,
	TYPE,
	KIND,
	REGULAR,
	EXEC_VALUE,
	CONTENTS_TAG,
	TARGET_TAG,
	TARGET,
	CLOSE,
	ENTRY,
	ENTRY_OPEN,
	NAME_TAG,
	NAME,
	NODE,
	ENTRY_CLOSE,
	DONE,
	FAILED
};

enum part { PART_LENGTH, PART_BYTES, PART_PADDING, PART_CONTENTS, PART_CONTENTS_PADDING };

/* Tags have at most 13 bytes; a little more gives better messages for short garbage. */
enum { TAG_MAX = 32 };

struct nar_reader {
	const struct nar_events *ev;
	void *user;
	enum state state;
	enum part part;
	int executable;
	int depth;	  /* directories open */
	size_t max;	  /* longest string allowed here */
	uint64_t left;	  /* bytes of this part still to come */
	uint64_t len;	  /* of this string or these contents */
	size_t have;	  /* bytes in str, or of the length */
	uint8_t length[8];
	char str[NAR_TARGET_MAX + 1];
	/* The name last seen in each open directory; one more level for the object being read. */
	struct {
		unsigned char n;
		char name[NAR_NAME_MAX + 1];
	} last[LIMIT_NAR_DEPTH + 1];
};

struct nar_reader *nar_reader_new(const struct nar_events *ev, void *user)
{
	struct nar_reader *r = xcalloc(1, sizeof *r);

	r->ev = ev;
	r->user = user;
	r->state = MAGIC;
	r->max = TAG_MAX;
	r->left = 8;
	return r;
}

void nar_reader_free(struct nar_reader *r)
{
	free(r);
}

int nar_reader_done(const struct nar_reader *r)
{
	return r->state == DONE;
}

/* --- the grammar --- */

/* The name of the object being read: empty for the root. */
static struct slice object_name(struct nar_reader *r)
{
	if (!r->depth)
		return SLICE("");
	return (struct slice){ r->last[r->depth - 1].name, r->last[r->depth - 1].n };
}

static int is(const struct nar_reader *r, const char *tag)
{
	return r->have == strlen(tag) && !memcmp(r->str, tag, r->have);
}

/* A string in a message, without bytes a terminal would act on. */
static int unexpected(struct nar_reader *r, const char *wanted, struct err *e)
{
	char shown[TAG_MAX + 1];
	size_t n = r->have < TAG_MAX ? r->have : TAG_MAX;

	for (size_t i = 0; i < n; i++)
		shown[i] = r->str[i] >= 0x20 && r->str[i] < 0x7f ? r->str[i] : '?';
	shown[n] = 0;
	return err_set(e, ERR_INVALID, "bad archive: expected %s, got '%s'", wanted, shown);
}

static int expect(struct nar_reader *r, const char *tag, enum state next, struct err *e)
{
	char wanted[TAG_MAX + 8];

	if (is(r, tag)) {
		r->state = next;
		return 0;
	}
	snprintf(wanted, sizeof wanted, "tag '%s'", tag);
	return unexpected(r, wanted, e);
}

static int complete(struct nar_reader *r)
{
	r->executable = 0;
	r->state = r->depth ? ENTRY_CLOSE : DONE;
	return 0;
}

static int kind(struct nar_reader *r, struct err *e)
{
	if (is(r, "regular")) {
		r->state = REGULAR;
		return 0;
	}
	if (is(r, "symlink")) {
		r->state = TARGET_TAG;
		return 0;
	}
	if (!is(r, "directory"))
		return unexpected(r, "a file type", e);
	int rc = r->ev->directory ? r->ev->directory(r->user, object_name(r), e) : 0;

	if (rc)
		return rc;
	r->last[r->depth++].n = 0;
	r->state = ENTRY;
	return 0;
}

static int directory_end(struct nar_reader *r, struct err *e)
{
	int rc = r->ev->directory_end ? r->ev->directory_end(r->user, e) : 0;

	r->depth--;
	return rc ? rc : complete(r);
}

static int symlink_target(struct nar_reader *r, struct err *e)
{
	if (!r->have || memchr(r->str, 0, r->have))
		return err_set(e, ERR_INVALID, "bad archive: invalid symlink target");
	r->str[r->have] = 0;
	r->state = CLOSE;
	return r->ev->symlink ? r->ev->symlink(r->user, object_name(r), (struct slice){ r->str, r->have }, e) : 0;
}

static int entry_name(struct nar_reader *r, struct err *e)
{
	struct slice name = { r->str, r->have }, last = object_name(r);

	if (!name.n || slice_eq(name, SLICE(".")) || slice_eq(name, SLICE("..")) || memchr(name.p, '/', name.n) ||
	    memchr(name.p, 0, name.n))
		return err_set(e, ERR_INVALID, "bad archive: invalid file name");
	if (last.n && slice_cmp(last, name) >= 0)
		return err_set(e, ERR_INVALID, "bad archive: directory is not sorted");
	memcpy(r->last[r->depth - 1].name, name.p, name.n);
	r->last[r->depth - 1].name[name.n] = 0;
	r->last[r->depth - 1].n = (unsigned char)name.n;
	r->state = NODE;
	return 0;
}

static int open_object(struct nar_reader *r, struct err *e)
{
	if (r->depth >= LIMIT_NAR_DEPTH)
		return err_set(e, ERR_LIMIT, "bad archive: directories nest deeper than %d", LIMIT_NAR_DEPTH);
	return expect(r, "(", TYPE, e);
}

/* From here on bytes are contents: their length comes next, without a bound. */
static int contents_tag(struct nar_reader *r, struct err *e)
{
	int rc = expect(r, "contents", CLOSE, e);

	if (!rc)
		r->part = PART_CONTENTS;
	return rc;
}

static int regular(struct nar_reader *r, struct err *e)
{
	if (!is(r, "executable"))
		return contents_tag(r, e);
	r->executable = 1;
	r->state = EXEC_VALUE;
	return 0;
}

/* What a complete string means; see the table above. */
static int step(struct nar_reader *r, struct err *e)
{
	switch (r->state) {
	case MAGIC:
		if (!is(r, "nix-archive-1"))
			return err_set(e, ERR_INVALID, "bad archive: input doesn't look like a Nix archive");
		r->state = OPEN;
		return 0;
	case OPEN:
		return open_object(r, e);
	case TYPE:
		return expect(r, "type", KIND, e);
	case KIND:
		return kind(r, e);
	case REGULAR:
		return regular(r, e);
	case EXEC_VALUE:
		r->state = CONTENTS_TAG; /* its length was bounded by 0 */
		return 0;
	case CONTENTS_TAG:
		return contents_tag(r, e);
	case TARGET_TAG:
		return expect(r, "target", TARGET, e);
	case TARGET:
		return symlink_target(r, e);
	case CLOSE:
		return is(r, ")") ? complete(r) : unexpected(r, "tag ')'", e);
	case ENTRY:
		return is(r, ")") ? directory_end(r, e) : expect(r, "entry", ENTRY_OPEN, e);
	case ENTRY_OPEN:
		return expect(r, "(", NAME_TAG, e);
	case NAME_TAG:
		return expect(r, "name", NAME, e);
	case NAME:
		return entry_name(r, e);
	case NODE:
		return expect(r, "node", OPEN, e);
	case ENTRY_CLOSE:
		return expect(r, ")", ENTRY, e);
	case DONE:
	case FAILED:
		break;
	}
	return ERR_INVALID;
}

/* --- strings --- */

/* Ready for the length of whatever comes next. */
static void next_string(struct nar_reader *r)
{
	r->max = r->state == NAME	  ? NAR_NAME_MAX
		 : r->state == TARGET	  ? NAR_TARGET_MAX
		 : r->state == EXEC_VALUE ? 0
					  : TAG_MAX;
	r->have = 0;
	r->left = 8;
	if (r->part != PART_CONTENTS)
		r->part = PART_LENGTH;
}

static int string_end(struct nar_reader *r, struct err *e)
{
	int rc = step(r, e);

	if (!rc)
		next_string(r);
	return rc;
}

static int contents_end(struct nar_reader *r, struct err *e)
{
	int rc = r->ev->regular_end ? r->ev->regular_end(r->user, e) : 0;

	r->part = PART_LENGTH;
	next_string(r);
	return rc;
}

static uint64_t padding(uint64_t len)
{
	return -len & 7;
}

/* The eight bytes of a length are there. */
static int length_end(struct nar_reader *r, struct err *e)
{
	r->len = 0;
	for (int i = 7; i >= 0; i--)
		r->len = r->len << 8 | r->length[i];
	r->left = r->len;
	r->have = 0;
	if (r->part == PART_LENGTH) {
		if (r->len > r->max)
			return r->state == MAGIC
				       ? err_set(e, ERR_INVALID, "bad archive: input doesn't look like a Nix archive")
				       : err_set(e, ERR_INVALID, "bad archive: string is too long");
		r->part = PART_BYTES;
		return 0;
	}
	int rc = r->ev->regular ? r->ev->regular(r->user, object_name(r), r->executable, r->len, e) : 0;

	r->have = 1; /* the length is known: what follows is bytes */
	return rc;
}

/* A part has all its bytes (perhaps none): go on to the next until one needs input. */
static int part_end(struct nar_reader *r, struct err *e)
{
	switch (r->part) {
	case PART_LENGTH:
		return length_end(r, e);
	case PART_BYTES:
		r->part = PART_PADDING;
		r->left = padding(r->len);
		return 0;
	case PART_PADDING:
		return string_end(r, e);
	case PART_CONTENTS:
		if (!r->have)
			return length_end(r, e);
		r->part = PART_CONTENTS_PADDING;
		r->left = padding(r->len);
		return 0;
	case PART_CONTENTS_PADDING:
		return contents_end(r, e);
	}
	return ERR_INVALID;
}

static int take(struct nar_reader *r, const uint8_t *p, size_t n, struct err *e)
{
	switch (r->part) {
	case PART_BYTES:
		memcpy(r->str + r->have, p, n);
		r->have += n;
		return 0;
	case PART_PADDING:
	case PART_CONTENTS_PADDING:
		for (size_t i = 0; i < n; i++)
			if (p[i])
				return err_set(e, ERR_INVALID, "bad archive: non-zero padding");
		return 0;
	case PART_CONTENTS:
		if (r->have)
			return r->ev->contents ? r->ev->contents(r->user, p, n, e) : 0;
		break;
	case PART_LENGTH:
		break;
	}
	memcpy(r->length + (8 - r->left), p, n);
	return 0;
}

int nar_reader_feed(struct nar_reader *r, const void *data, size_t n, size_t *used, struct err *e)
{
	const uint8_t *p = data;
	size_t at = 0;
	int rc = r->state == FAILED ? err_set(e, ERR_INVALID, "bad archive: reading on after an error") : 0;

	while (!rc && r->state != DONE) {
		size_t k = n - at < r->left ? n - at : (size_t)r->left;

		if (!k && r->left)
			break;
		if (k) {
			rc = take(r, p + at, k, e);
			at += k;
			r->left -= k;
		}
		if (!rc && !r->left)
			rc = part_end(r, e);
	}
	if (rc)
		r->state = FAILED;
	*used = at;
	return rc;
}

/* --- whole archives --- */

static int finished(struct nar_reader *r, size_t rest, struct err *e)
{
	if (!nar_reader_done(r))
		return err_set(e, ERR_INVALID, "bad archive: it ends too early");
	return rest ? err_set(e, ERR_INVALID, "bad archive: something follows its end") : 0;
}

int nar_read_bytes(struct slice bytes, const struct nar_events *ev, void *user, struct err *e)
{
	struct nar_reader *r = nar_reader_new(ev, user);
	size_t used;
	int rc = nar_reader_feed(r, bytes.p, bytes.n, &used, e);

	if (!rc)
		rc = finished(r, bytes.n - used, e);
	nar_reader_free(r);
	return rc;
}

int nar_read_fd(int fd, const struct nar_events *ev, void *user, struct err *e)
{
	enum { SIZE = 1 << 17 };
	struct nar_reader *r = nar_reader_new(ev, user);
	char *buf = xmalloc(SIZE);
	size_t used = 0, rest = 0;
	int rc = 0;

	while (!rc && !rest) {
		ssize_t got = fd_read(fd, buf, SIZE);

		if (got < 0)
			rc = err_errno(e, "cannot read the archive");
		if (got <= 0)
			break;
		rc = nar_reader_feed(r, buf, (size_t)got, &used, e);
		rest = (size_t)got - used;
	}
	if (!rc)
		rc = finished(r, rest, e);
	free(buf);
	nar_reader_free(r);
	return rc;
}
