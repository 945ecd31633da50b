/* SPDX-License-Identifier: MIT
 *
 * Archives as layers of images have them: POSIX tar whose bytes follow from what is put in and from nothing else.
 *
 * Times are 1, and no names of users are told.  What a header has no room for (names over 100 bytes, files of 8 GiB) is said in a
 * pax header in front of it.
 */
#ifndef IMAGE_TAR_H
#define IMAGE_TAR_H

#include "base/slice.h"
#include "format/nar.h"

enum tar_kind { TAR_FILE = '0', TAR_LINK = '2', TAR_DIRECTORY = '5' };

struct tar_entry {
	enum tar_kind kind;
	struct slice path;   /* without slashes at the ends; never empty */
	struct slice target; /* of a link */
	unsigned mode;
	uint32_t uid, gid;
	uint64_t size; /* of a file */
};

struct tar_writer {
	const struct nar_sink *sink;
	uint64_t left; /* of the file that was begun */
	unsigned pad;  /* zeros that follow it */
	struct buf room; /* private: what waits */
};

/* Begins; the sink is borrowed. */
void tar_init(struct tar_writer *w, const struct nar_sink *sink);
void tar_release(struct tar_writer *w);

/* The next entry; a file's bytes follow, as many as it said.  Negative: the sink's. */
int tar_add(struct tar_writer *w, const struct tar_entry *t, struct err *e);
int tar_write(struct tar_writer *w, const void *p, size_t n, struct err *e);

/* All of a small file at once. */
int tar_add_bytes(struct tar_writer *w, const char *path, struct slice bytes, struct err *e);

/* The end of the archive. */
int tar_end(struct tar_writer *w, struct err *e);

#endif
