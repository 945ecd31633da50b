/* SPDX-License-Identifier: MIT
 *
 * The two descriptors of a connection, and the words that Nix's protocols are made of:
 *
 *     number    64 bits, little endian
 *     text      its length as a number, its bytes, zeros up to a multiple of 8
 *     path      the text of a full store path, "" where there may be none
 *     list      how many, and each
 *     frames    { length bytes } 0: a stream of unknown length; bytes are not padded
 *
 * What comes in is somebody else's: memory grows only with the bytes that really arrive, and only up to limits.  What goes out is
 * collected until wire_flush; a failure to write is told there, and by everything read afterwards.
 */
#ifndef REMOTE_WIRE_H
#define REMOTE_WIRE_H

#include "base/buf.h"
#include "base/err.h"
#include "format/nar.h"
#include "format/pathset.h"
#include "store/object.h"

struct wire {
	int in, out;	  /* borrowed; -1: none, and what is written is only collected */
	const struct byte_source *from; /* where it is read instead of `in`, or NULL */
	const char *peer; /* who is at the other end, for messages: "the daemon" */
	unsigned char *ahead; /* read and not yet asked for */
	size_t at, end;
	struct buf later; /* to be written */
	int broken;	  /* errno of the first write that failed */
};

void wire_init(struct wire *w, int in, int out, const char *peer);

/* Words out of a stream (borrowed), for what stands within frames. */
void wire_init_source(struct wire *w, const struct byte_source *from, const char *peer);
void wire_release(struct wire *w);

/* --- reading: 0, or negative --- */

/* Exactly n bytes; ERR_IO when they do not come. */
int wire_get(struct wire *w, void *p, size_t n, struct err *e);

/* 1 when the other side has closed, and nothing is left; 0 when there is something to read. Waits for either. */
int wire_at_end(struct wire *w, struct err *e);

/* 1 when something can be read without waiting. */
int wire_has_more(const struct wire *w);

int wire_get_number(struct wire *w, uint64_t *n, struct err *e);

/* A number that must not be larger than `most`. */
int wire_get_bounded(struct wire *w, uint64_t most, uint64_t *n, struct err *e);
int wire_get_bool(struct wire *w, int *b, struct err *e);

/* Appends a text; ERR_LIMIT when it is longer than `most`. */
int wire_get_text(struct wire *w, size_t most, struct buf *out, struct err *e);
int wire_skip_text(struct wire *w, struct err *e);

/* A path in the store directory; with none_too "" is len 0. */
int wire_get_path(struct wire *w, struct slice dir, int none_too, struct store_path *out, struct err *e);

/* Adds the paths of a list. */
int wire_get_paths(struct wire *w, struct slice dir, struct path_set *out, struct err *e);

/* Appends the texts of a list of words, with blanks between; ERR_INVALID when one has a blank in it. */
int wire_get_words(struct wire *w, struct buf *out, struct err *e);

/* --- writing --- */

void wire_put(struct wire *w, const void *p, size_t n);
void wire_put_number(struct wire *w, uint64_t n);
void wire_put_text(struct wire *w, struct slice text);
void wire_put_string(struct wire *w, const char *text); /* NULL: "" */
void wire_put_path(struct wire *w, struct slice dir, const struct store_path *p); /* len 0 or NULL: "" */
void wire_put_paths(struct wire *w, struct slice dir, const struct path_set *paths);
void wire_put_words(struct wire *w, const char *words); /* with blanks between; NULL: none */
int wire_flush(struct wire *w, struct err *e);

/* A place for an archive to go to. */
struct nar_sink wire_sink(struct wire *w);

/* --- streams --- */

/* Frames that are read; source.read gives the bytes. */
struct wire_frames {
	struct wire *w;
	uint64_t left;
	int ended;
	struct byte_source source;
};

void wire_frames_begin(struct wire_frames *f, struct wire *w);

/* Reads what is left of them, so that the next word is the one behind. */
int wire_frames_end(struct wire_frames *f, struct err *e);

/* The next n bytes of another source, then its end. */
struct wire_part {
	const struct byte_source *from;
	uint64_t left;
	struct byte_source source;
};

void wire_part_begin(struct wire_part *p, const struct byte_source *from, uint64_t n);
int wire_part_end(struct wire_part *p, struct err *e);

/* An archive that stands in the stream with nothing to tell its length: the bytes up to its end. */
struct wire_archive {
	struct wire *w;
	struct nar_reader *reader;
	struct byte_source source;
};

void wire_archive_begin(struct wire_archive *a, struct wire *w);
int wire_archive_end(struct wire_archive *a, struct err *e); /* reads what is left */

/* What comes next, as bytes without an end of their own. */
struct byte_source wire_bytes(struct wire *w);

#endif
