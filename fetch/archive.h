/* SPDX-License-Identifier: MIT
 *
 * Unpacking archives from elsewhere (tar, plain or compressed by gzip, xz, zstd or bzip2, and zip) into a directory
 * that nobody else sees, the quarantine.
 *
 * Nothing can get out of it, and nothing in it is anything but a regular file, a directory or a symbolic link:
 * every path is walked by descriptor, component by component, and no link is ever followed, be it in the archive or
 * made by it.  Refused (ERR_INVALID) rather than repaired: absolute paths, "..", names a file system could not hold, hard links to
 * anything that is not a regular file of the archive, devices, pipes, a member that stands where a directory is, archives
 * that are cut off or damaged.  Of a member that comes twice the later one counts.  ERR_LIMIT: more members, bytes or depth than
 * allowed.
 *
 * Symbolic links may point anywhere; whoever reads the tree must not follow them out of it.
 */
#ifndef FETCH_ARCHIVE_H
#define FETCH_ARCHIVE_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

/* A stream: fills at most n bytes, returns how many, 0 at the end, negative on failure. */
struct archive_input {
	long (*read)(void *user, void *p, size_t n, struct err *e);
	/* As lseek; NULL for a stream that only goes forward: zip files then come without modes and links, which stand at
	 * their end. */
	int64_t (*seek)(void *user, int64_t offset, int whence);
	void *user;
};

struct archive_limits {
	uint64_t size;	  /* bytes unpacked; 0: LIMIT_ARCHIVE_SIZE */
	uint64_t members; /* 0: LIMIT_ARCHIVE_ENTRIES */
};

/* What was unpacked. */
struct archive_facts {
	uint64_t members, size;
	int64_t newest; /* latest time of a member, seconds since 1970; 0 when none has one */
	char *single;	/* name of the one thing at the top, malloc'd; NULL when there are several or none */
};

void archive_facts_release(struct archive_facts *f);

/* Loads the library that unpacks, as unpacking does by itself.  ERR_IO when it is not there. */
int archive_load(struct err *e);

/* Unpacks into the empty directory dirfd: files 0644, or 0755 when the owner may execute them.  limits and facts may be NULL.
 * What a failure leaves behind is the caller's to remove, with the directory. */
int archive_unpack(const struct archive_input *in, int dirfd, const struct archive_limits *limits,
		   struct archive_facts *facts, struct err *e);

/* The same from a file; of a small file less is accepted than LIMIT_ARCHIVE_SIZE (LIMIT_ARCHIVE_RATIO). */
int archive_unpack_fd(int fd, int dirfd, const struct archive_limits *limits, struct archive_facts *facts, struct err *e);

#endif
