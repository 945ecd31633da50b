/* SPDX-License-Identifier: MIT
 *
 * What is compressed is written out first, to a file without a name beside the output: what reads an archive asks for bytes, and
 * what decompresses hands them over.
 */
#include "config.h"
#include "build/builder_nar.h"
#include "base/fdio.h"
#include "base/limits.h"
#include "build/builder_fetch_int.h"
#include "format/compress.h"
#include "store/object.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static long read_fd(void *user, void *p, size_t n, struct err *e)
{
	ssize_t k = fd_read(*(int *)user, p, n);

	return k < 0 ? err_errno(e, "cannot read what was fetched") : k;
}

struct unpacked {
	int fd;
	uint64_t size;
};

static int write_unpacked(void *user, const void *p, size_t n, struct err *e)
{
	struct unpacked *u = user;

	u->size += n;
	if (u->size > LIMIT_ARCHIVE_SIZE)
		return err_set(e, ERR_LIMIT, "the archive is larger than %llu bytes", (unsigned long long)LIMIT_ARCHIVE_SIZE);
	return fd_write_all(u->fd, p, n) ? err_errno(e, "cannot keep what was unpacked") : 0;
}

static int feed(struct codec *codec, int fd, struct err *e)
{
	static char piece[1 << 16];
	long n;
	int rc = 0;

	while (!rc && (n = read_fd(&fd, piece, sizeof piece, e)) != 0)
		rc = n < 0 ? (int)n : codec_feed(codec, piece, (size_t)n, e);
	return rc ? rc : codec_end(codec, e);
}

static int decompress(int from, int to, struct err *e)
{
	struct unpacked u = { to, 0 };
	const struct nar_sink sink = { write_unpacked, &u };
	struct codec *codec;
	int rc = decompress_open(&codec, COMPRESS_XZ, &sink, e);

	if (rc)
		return rc;
	rc = feed(codec, from, e);
	codec_free(codec);
	return rc;
}

static int restore(int fd, const char *out, struct err *e)
{
	struct byte_source nar = { read_fd, &fd };
	struct object_facts facts = { 0 };
	int rc = lseek(fd, 0, SEEK_SET) < 0 ? err_errno(e, "cannot read what was fetched") : 0;

	rc = rc ? rc : object_restore(&nar, AT_FDCWD, out, &facts, e);
	object_facts_release(&facts);
	return rc;
}

int nar_place(const struct builtin_call *c, int fd, int is_xz, const char *out, struct err *e)
{
	if (!is_xz)
		return restore(fd, out, e);
	int plain = fetch_scratch(c->top, e), rc = plain < 0 ? ERR_IO : 0;

	if (!rc && lseek(fd, 0, SEEK_SET) < 0)
		rc = err_errno(e, "cannot read what was fetched");
	rc = rc ? rc : decompress(fd, plain, e);
	rc = rc ? rc : restore(plain, out, e);
	if (plain >= 0)
		close(plain);
	return rc;
}
