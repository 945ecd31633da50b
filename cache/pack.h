/* SPDX-License-Identifier: MIT
 *
 * An object made an archive as binary caches have it: compressed, hashed and listed in one pass, by a thread of its own.
 */
#ifndef CACHE_PACK_H
#define CACHE_PACK_H

#include "base/buf.h"
#include "format/compress.h"
#include "format/hash.h"

struct pack_job {
	int dirfd;	  /* the store */
	const char *name; /* the object in it; borrowed */
	enum compression compression;
	int level, parallel;
	int listing; /* make one */
	int to;	     /* a file, empty; the caller's */
	int sync;    /* the file is on the disk when it is done */
	void (*wake)(void *user); /* called by the thread when it is done */
	void *user;
};

struct packed {
	struct hash nar_hash, file_hash;
	uint64_t nar_size, file_size;
	struct buf listing; /* JSON as Nix's .ls files, with its line end */
};

void packed_release(struct packed *p);

struct packer;

/* Starts the thread.  ERR_IO when there is none to be had. */
int packer_start(struct packer **out, const struct pack_job *job, struct err *e);
int packer_is_done(const struct packer *p);

/* Waits for the thread, and frees.  Returns how it went; *out is the caller's to release in either case. */
int packer_join(struct packer *p, struct packed *out, struct err *e);

#endif
