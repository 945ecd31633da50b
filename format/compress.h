/* SPDX-License-Identifier: MIT
 *
 * The compressions of binary caches, as streams that are pushed: bytes in, bytes to a sink, in pieces of any size.
 *
 * What is decompressed is hostile: memory is bounded whatever the input says, an end that does not come is an error, and so is what
 * follows the end.  How much comes out is the sink's to bound.  A stream is used by one thread.
 */
#ifndef FORMAT_COMPRESS_H
#define FORMAT_COMPRESS_H

#include "base/err.h"
#include "base/slice.h"
#include "format/nar.h"

enum compression { COMPRESS_NONE, COMPRESS_XZ, COMPRESS_ZSTD, COMPRESS_BZIP2, COMPRESS_GZIP, COMPRESS_BR, COMPRESS_LZMA };

/* By its word in .narinfo files: none, xz, zstd, bzip2, gzip, br, lzma.  ERR_INVALID. */
int compression_parse(struct slice word, enum compression *out, struct err *e);
const char *compression_name(enum compression c);

/* What file names end with, ".xz"; "" for none, and for lzma, as Nix has it. */
const char *compression_suffix(enum compression c);

/* Which version of its library compresses: another one may come to other bytes. */
const char *compression_version(enum compression c);

struct codec;

/* Streams into the sink, which is borrowed.  level: of the library, negative for its usual one; parallel: on all cores, where it
 * can be (xz and zstd).  ERR_IO when the library is not there. */
int compress_open(struct codec **out, enum compression c, int level, int parallel, const struct nar_sink *sink, struct err *e);
int decompress_open(struct codec **out, enum compression c, const struct nar_sink *sink, struct err *e);

/* Loads the library that decompresses, for who will not be able to any more.  ERR_IO when it is not there. */
int decompress_load(enum compression c, struct err *e);

/* The next bytes; negative: the sink's error, or ERR_INVALID. */
int codec_feed(struct codec *c, const void *p, size_t n, struct err *e);

/* There are no more: writes what is left, or says that something is missing. */
int codec_end(struct codec *c, struct err *e);

void codec_free(struct codec *c);

#endif
