/* SPDX-License-Identifier: MIT
 *
 * Store paths: what they may look like, and how they are computed from what they hold.
 *
 * A struct store_path is a value (no ownership): the base name, checked.  The store
 * directory is a parameter everywhere, since it is part of what is hashed.  Texts of
 * store paths elsewhere (drv.h) are full paths, "/nix/store/…".
 */
#ifndef FORMAT_PATH_H
#define FORMAT_PATH_H

#include "base/buf.h"
#include "base/err.h"
#include "format/hash.h"
#include "base/slice.h"

#include <stddef.h>
#include <stdint.h>

enum {
	STORE_HASH_BYTES = 20,	 /* the digest in a store path */
	STORE_HASH_LEN = 32,	 /* the same in nix32 digits */
	STORE_NAME_MAX = 211,	 /* Nix: 255 bytes of file name, less the digest, '-', ".drv" and ".lock" and room */
	STORE_BASE_MAX = STORE_HASH_LEN + 1 + STORE_NAME_MAX
};

/* base: "<32 digits>-<name>", NUL-terminated; len without the NUL. */
struct store_path {
	unsigned char len;
	char base[STORE_BASE_MAX + 1];
};

/* "/nix/store": absolute, no trailing slash.  Borrowed. */
extern const struct slice store_dir_default;

/* How the contents of a content-addressed object are reduced to bytes before hashing. */
enum ca_method {
	CA_FLAT, /* the bytes of the one file */
	CA_NAR,	 /* the NAR of the tree ("recursive") */
	CA_TEXT, /* as flat, but may have references; derivations, toFile */
	CA_GIT	 /* git's blob or tree id */
};

/* --- names --- */

/* 0 when the name may stand in a store path, else ERR_INVALID and a message that says why. */
int store_name_check(struct slice name, struct err *e);

/* --- text --- */

/* A base name, "<digest>-<name>". */
int store_path_parse_base(struct slice base, struct store_path *out, struct err *e);

/* A full path directly below the store directory, written canonically (as .drv files do). */
int store_path_parse(struct slice dir, struct slice text, struct store_path *out, struct err *e);

/* The same for a path a person may have typed: repeated slashes, "." and ".." are resolved first, by text. */
int store_path_parse_lax(struct slice dir, struct slice text, struct store_path *out, struct err *e);

/* 1 when text lies below the store directory (by text, one component at least). */
int store_path_is_inside(struct slice dir, struct slice text);

/* Splits "/nix/store/<base>/rest" into the store path and "/rest" (empty when there is none; not
 * normalised; points into text). */
int store_path_split(struct slice dir, struct slice text, struct store_path *out, struct slice *rest, struct err *e);

/* Appends the full path. */
void store_path_add(struct buf *b, struct slice dir, const struct store_path *p);

/* The parts: 32 digits, and the name.  Borrowed from p. */
struct slice store_path_hash(const struct store_path *p);
struct slice store_path_name(const struct store_path *p);
struct slice store_path_base(const struct store_path *p);

/* Where the name of a package ends and "-" with its version begins: the first dash that no letter follows; name.n without one. */
size_t drv_name_cut(struct slice name);

/* 1 when the name ends in ".drv". */
int store_path_is_drv(const struct store_path *p);

/* Byte order of base names: the order of Nix's path sets. */
int store_path_cmp(const struct store_path *a, const struct store_path *b);

/* --- computing --- */

/* The path for a fingerprint type (e.g. "source", "output:out"), the hash of the contents and a name.
 * ERR_INVALID for a bad name (all functions of this section). */
int store_path_make(struct slice dir, struct slice type, const struct hash *h, struct slice name,
		    struct store_path *out, struct err *e);

/* A text object: h is the SHA-256 of its bytes; refs are full paths in byte order without repeats. */
int store_path_make_text(struct slice dir, struct slice name, const struct hash *h, const struct slice *refs,
			 size_t nrefs, struct store_path *out, struct err *e);

/* A content-addressed object of any method: source trees, fixed outputs.  References (as above; self: the
 * object refers to itself) are possible for CA_NAR with SHA-256 and, but for self, CA_TEXT; otherwise they
 * must be absent.  CA_GIT takes SHA-1 or SHA-256. */
int store_path_make_fixed(struct slice dir, struct slice name, enum ca_method m, const struct hash *h,
			  const struct slice *refs, size_t nrefs, int self, struct store_path *out, struct err *e);

/* An input-addressed output of a derivation: name is the derivation's, h its masked hash modulo. */
int store_path_make_output(struct slice dir, struct slice name, struct slice output, const struct hash *h,
			   struct store_path *out, struct err *e);

/* The name of an output's store path: the derivation's name, and "-<output>" unless that is "out".  Written to
 * buf (cut off past STORE_NAME_MAX + 1 bytes, too long to pass store_name_check). */
struct slice store_output_name(struct slice name, struct slice output, char buf[STORE_NAME_MAX + 1]);

/* --- content addresses --- */

/* "flat", "recursive" and "nar", "text", "git" (the words of outputHashMode). */
int ca_method_parse(struct slice word, enum ca_method *out, struct err *e);

/* "", "r:", "text:", "git:": how an algorithm is prefixed in .drv files. */
struct slice ca_method_prefix(enum ca_method m);

/* "flat", "nar", "text", "git". */
const char *ca_method_name(enum ca_method m);

/* Splits "r:sha256" and the like as it stands in a .drv. */
int ca_method_parse_algo(struct slice text, enum ca_method *m, enum hash_algo *a, struct err *e);

/* "fixed:r:sha256:<nix32>", "text:sha256:…": the CA field of narinfo files and the database. */
void ca_add(struct buf *b, enum ca_method m, const struct hash *h);
int ca_parse(struct slice text, enum ca_method *m, struct hash *h, struct err *e);

#endif
