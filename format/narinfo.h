/* SPDX-License-Identifier: MIT
 *
 * What a binary cache says of an object: the .narinfo file.
 *
 *   narinfo     = line*
 *   line        = key ": " value "\n"           "References:" may end at the colon
 *   StorePath   full path              required
 *   URL         where the archive is   required; relative to the cache
 *   Compression none, xz, bzip2, …     bzip2 where it is missing, as in the first caches
 *   FileHash, FileSize                 of the archive as it is served; nobody signs them
 *   NarHash     SHA-256, NarSize       of the archive itself; required
 *   References  base names with a blank between
 *   Deriver     base name, or unknown-deriver
 *   Sig         name ":" base64        any number of them
 *   CA          content address
 *
 * Other keys are for others.  What is signed is the fingerprint, "1;PATH;NARHASH;NARSIZE;REF,REF": the address, the file and
 * the deriver are not, and nothing may follow from them that the archive's hash does not prove.
 */
#ifndef FORMAT_NARINFO_H
#define FORMAT_NARINFO_H

#include "base/buf.h"
#include "format/compress.h"
#include "format/hash.h"
#include "format/pathset.h"

/* Strings are malloc'd; released by narinfo_release. */
struct narinfo {
	struct store_path path;
	char *url;
	enum compression compression;
	struct hash file_hash; /* algo HASH_ANY: not said */
	uint64_t file_size;    /* 0: not said */
	struct hash nar_hash;
	uint64_t nar_size;
	struct path_set refs;
	struct store_path deriver; /* len 0: none */
	char *sigs;		   /* with a blank between, NULL: none */
	char *ca;		   /* NULL: none */
};

/* Reads one of a store with this directory.  ERR_INVALID for whatever is not as above, ERR_LIMIT beyond LIMIT_NARINFO; nothing to
 * release then. */
int narinfo_parse(struct slice dir, struct slice text, struct narinfo *out, struct err *e);
void narinfo_release(struct narinfo *n);

/* Appends its text. */
void narinfo_add(struct buf *b, struct slice dir, const struct narinfo *n);

/* Appends what is signed. */
void fingerprint_add(struct buf *b, struct slice dir, const struct store_path *p, const struct hash *nar_hash, uint64_t nar_size,
		     const struct path_set *refs);

#endif
