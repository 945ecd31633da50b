/* SPDX-License-Identifier: MIT
 *
 * A strict reader of zip archives, for Go modules: exactly what the central directory lists, no guessing.
 *
 * Other archives go through fetch/archive.h.  Module zips have a reader of their own because the rules about them (see
 * golang/gomodule.h) are about names and sizes as they are written, which a general library interprets
 * and repairs; and because members can be read from several threads at once.
 */
#ifndef GOLANG_ZIP_H
#define GOLANG_ZIP_H

#include "base/err.h"
#include "base/slice.h"

#include <stddef.h>
#include <stdint.h>

struct zip_entry {
	struct slice name;    /* bytes as written; a trailing slash means directory */
	uint64_t size;	      /* as declared */
	uint64_t packed_size; /* in the file */
	uint64_t offset;      /* of the local header */
	uint32_t crc;
	uint16_t method;
	unsigned type; /* S_IFREG, S_IFLNK… as of stat, when a Unix program wrote it; else 0 */
};

/* Read entries and n freely. */
struct zip {
	struct zip_entry *entries;
	size_t n;
	int fd;
	uint64_t directory_at;
	char *directory; /* bytes of the central directory, where names point */
};

/* Reads the central directory of a regular file; fd is borrowed for as long.  ERR_INVALID for anything that is not a whole, plain
 * zip file (no encryption, no second disk, nothing before or after it). */
int zip_open(struct zip *z, int fd, struct err *e);
void zip_close(struct zip *z);

/* Gives the contents of an entry to write(), in pieces.  Checks the declared size, before more than that is handed out, and
 * the checksum.  May be called from several threads. */
int zip_read(const struct zip *z, const struct zip_entry *f,
	     int (*write)(void *user, const void *p, size_t n, struct err *e), void *user, struct err *e);

#endif
