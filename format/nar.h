/* SPDX-License-Identifier: MIT
 *
 * Nix archives: writing one from a tree on disk, reading one as a stream of events.
 *
 * Both directions stream: memory use does not depend on the size of the archive.  Neither
 * side follows a symlink.  The format stands in nar_write.c.
 */
#ifndef FORMAT_NAR_H
#define FORMAT_NAR_H

#include "base/err.h"
#include "format/hash.h"
#include "base/slice.h"

#include <stddef.h>
#include <stdint.h>

enum {
	NAR_NAME_MAX = 255,   /* longest file name, as in Nix's reader */
	NAR_TARGET_MAX = 4095 /* longest symlink target, as in Nix's reader */
};

/* --- writing --- */

/* Where the bytes go.  Returns 0, or a negative code (error set) to stop. */
struct nar_sink {
	int (*write)(void *user, const void *p, size_t n, struct err *e);
	void *user;
};

enum nar_type { NAR_REGULAR, NAR_DIRECTORY, NAR_SYMLINK, NAR_UNKNOWN };

/* Asked for everything below the root, not for the root: path is root path + "/" + names (NUL-terminated),
 * type what is there.  Returns 1 to include it, 0 to leave it out, or a negative code to stop.  It must return:
 * leaving by a longjmp would leak the descriptors held. */
struct nar_filter {
	int (*include)(void *user, const char *path, size_t n, enum nar_type type, struct err *e);
	void *user;
};

/* "regular", "directory", "symlink", "unknown": the words filterSource passes. */
const char *nar_type_name(enum nar_type t);

/* Writes the archive of the object called name in dirfd (as in openat; a full path with AT_FDCWD).  path is what
 * the filter and messages call it; NULL for name.  filter may be NULL.  ERR_IO and ERR_NOTFOUND from the system,
 * ERR_INVALID for an object that is no file, directory or link, ERR_LIMIT for a tree deeper than LIMIT_NAR_DEPTH, and
 * whatever filter and sink return. */
int nar_write(int dirfd, const char *name, const char *path, const struct nar_filter *filter,
	      const struct nar_sink *sink, struct err *e);

/* Writes the archive of one regular file that holds these bytes. */
int nar_write_bytes(struct slice bytes, int executable, const struct nar_sink *sink, struct err *e);

/* The hash of that archive; *size, when not NULL, is its length in bytes, and grows while it is read. */
int nar_hash(enum hash_algo a, int dirfd, const char *name, const char *path, const struct nar_filter *filter,
	     struct hash *out, uint64_t *size, struct err *e);
void nar_hash_bytes(enum hash_algo a, struct slice bytes, int executable, struct hash *out, uint64_t *size);

/* The hash of a regular file's bytes, for flat objects; ERR_INVALID when name is no regular file. */
int nar_hash_file_flat(enum hash_algo a, int dirfd, const char *name, struct hash *out, uint64_t *size,
		       struct err *e);

/* --- reading --- */

/* What is in the archive, in its order.  A member may be NULL.  Each returns 0 or a negative code to stop.
 * name is a file name that is safe to create in the directory last entered (never empty, ".", "..", or with '/' or
 * NUL in it, NUL-terminated); for the root it is empty.  Slices live until the callback returns. */
struct nar_events {
	int (*directory)(void *user, struct slice name, struct err *e);
	int (*directory_end)(void *user, struct err *e);
	int (*regular)(void *user, struct slice name, int executable, uint64_t size, struct err *e);
	int (*contents)(void *user, const void *p, size_t n, struct err *e); /* size bytes in all */
	int (*regular_end)(void *user, struct err *e);
	int (*symlink)(void *user, struct slice name, struct slice target, struct err *e); /* target NUL-terminated */
};

struct nar_reader;

/* A reader; ev and user must outlive it.  Freed with nar_reader_free. */
struct nar_reader *nar_reader_new(const struct nar_events *ev, void *user);
void nar_reader_free(struct nar_reader *r);

/* Takes the next n bytes in any portions.  *used receives how many belonged to the archive: fewer than n
 * only when it ended (or on error).  After an error the reader refuses more.  ERR_INVALID for anything that is not
 * exactly what a writer writes, ERR_LIMIT for depth. */
int nar_reader_feed(struct nar_reader *r, const void *p, size_t n, size_t *used, struct err *e);

/* 1 once the archive is complete. */
int nar_reader_done(const struct nar_reader *r);

/* Reads one archive from bytes; ERR_INVALID when it is cut off or something follows. */
int nar_read_bytes(struct slice bytes, const struct nar_events *ev, void *user, struct err *e);

/* The same from a descriptor to its end. */
int nar_read_fd(int fd, const struct nar_events *ev, void *user, struct err *e);

#endif
