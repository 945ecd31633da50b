/* SPDX-License-Identifier: MIT
 *
 * An archive on its way into a stage: decompressed, hashed, scanned and written in one pass by a thread of its own, while the bytes
 * still come in.  No file in between; what waits is bounded.
 */
#ifndef CACHE_UNPACK_H
#define CACHE_UNPACK_H

#include "format/compress.h"
#include "store/object.h"

struct unpack_job {
	enum compression compression;
	uint64_t packed_size; /* how much has to come, 0 when nobody says */
	uint64_t packed_max;  /* more than this is not taken */
	int to;		      /* the stage */
	char name[32];	      /* of the object in it */
	int from;	      /* where to read it, owned by the unpacker from now on; -1: it is pushed */
	struct object_facts facts;
	void (*wake)(void *user); /* called by the thread when there is room again, and when it is done */
	void *user;
};

struct unpacker;

/* Starts the thread.  ERR_IO when there is none to be had. */
int unpacker_start(struct unpacker **out, const struct unpack_job *job, struct err *e);

/* 1 when bytes may be pushed: once is enough for a piece of whatever size. */
int unpacker_room(struct unpacker *u);

/* The next bytes; ERR_INVALID when it has no use for more (unpacker_join says why). */
int unpacker_push(struct unpacker *u, const void *p, size_t n, struct err *e);

/* All that was pushed is void: from the beginning. */
void unpacker_restart(struct unpacker *u);

/* No more comes: all of it did, or (failed) it did not. */
void unpacker_finish(struct unpacker *u, int failed);

int unpacker_is_done(struct unpacker *u);

/* Waits for the thread, and frees.  Returns how it went; *facts is the caller's to release in either case. */
int unpacker_join(struct unpacker *u, struct object_facts *facts, struct err *e);

#endif
