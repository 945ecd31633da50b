/* SPDX-License-Identifier: MIT
 *
 * What trail.c (recording) and trail_check.c (looking again) share: how a trail lies in memory and in the cache, one entry after
 * the other, in the byte order of the machine.
 */
#ifndef FETCH_TRAIL_INT_H
#define FETCH_TRAIL_INT_H

#include "fetch/pack.h"
#include "fetch/trail.h"
#include "format/hash.h"

enum trail_kind {
	TRAIL_LSTAT = 1,
	TRAIL_STAT,
	TRAIL_LINK,
	TRAIL_REAL,
	TRAIL_FILE,
	TRAIL_MEMBER,
	TRAIL_DIR,
	TRAIL_INDEX,	   /* names; "TOP\0FILE" */
	TRAIL_INDEX_WHOLE, /* modes and contents too */
	TRAIL_TRACKS,	   /* whether git tracks a file; what: 1 if so */
	TRAIL_DIFFERS,	   /* a file that is not the blob in the sum, of id.size bytes */
	TRAIL_ENV,
	TRAIL_SAID,
	TRAIL_MEMBERS /* several TRAIL_MEMBER of one folder, when recording has ended: see trail_pack */
};

enum trail_flags {
	TRAIL_HAS_SUM = 1,
	TRAIL_YOUNG = 2,   /* the identity proves nothing */
	TRAIL_TRACKED = 4  /* of a folder: names in the index only */
};

/* Which file, and in which state. */
struct trail_id {
	uint64_t dev, ino, size;
	int64_t modified, changed;
	uint32_t modified_ns, changed_ns, mode, unused;
};

struct trail_entry {
	uint8_t kind, flags;
	uint16_t what; /* of TRAIL_LSTAT and TRAIL_STAT: enum trail_what */
	uint32_t len;  /* of the name that follows, without its NUL; the next entry begins at a multiple of 8 */
	struct trail_id id;
	uint8_t sum[HASH_SHA256_LEN];
};

/* Of TRAIL_MEMBERS id.size bytes follow the name: for each file the hash of its identity, and what it is called in the folder, with
 * a NUL. */
typedef uint64_t trail_member_id;

static inline trail_member_id trail_hash_id(const struct trail_id *id)
{
	return pack_hash(TRAIL_MEMBER, id, sizeof *id);
}

/* What may be at a path. */
enum trail_what { TRAIL_MISSING, TRAIL_REGULAR, TRAIL_DIRECTORY, TRAIL_SYMLINK, TRAIL_OTHER, TRAIL_FAILED };

static inline size_t trail_size(size_t len)
{
	return sizeof(struct trail_entry) + ((len + 8) & ~(size_t)7);
}

/* Where the next entry begins, counted from this one. */
static inline size_t trail_whole_size(const struct trail_entry *e)
{
	return trail_size(e->len) + (e->kind == TRAIL_MEMBERS ? (size_t)((e->id.size + 7) & ~(uint64_t)7) : 0);
}

static inline const char *trail_name(const struct trail_entry *e)
{
	return (const char *)(e + 1);
}

struct trail_id trail_id_of(const struct stat *st);
int trail_is_young(const struct trail_id *id);

/* What lies at a path now; follow: behind a link. */
enum trail_what trail_look(const char *path, int follow);

/* Lists the folder at path. tracked: the names of it that count (git_index_has), NULL for all.  Returns 0, or -1. */
struct git_index;
int trail_list_now(const char *path, const struct git_index *tracked, const char *below, struct trail_listing *l, struct stat *st);

/* The sum of an index, from its file; -1 when it cannot be read.  *index, unless NULL, receives it, when it could be understood. */
int trail_index_sum(const char *file, int whole, struct git_index *index, struct stat *st, uint8_t sum[HASH_SHA256_LEN]);

/* Appends a trail of n bytes, in less space: the folder of files that were noted one after the other is named once. */
void trail_pack(const char *bytes, size_t n, struct buf *out);

void trail_sum(const void *p, size_t n, uint8_t sum[HASH_SHA256_LEN]);

#endif
