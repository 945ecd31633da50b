/* SPDX-License-Identifier: MIT
 *
 * The user's cache, $XDG_CACHE_HOME/gx (or ~/.cache/gx): what was fetched and may be wanted again.
 *
 *     files/<sha256 of the key>     a file, with a header that repeats the key
 *     git/<sha256 of the address>   a bare repository
 *     locks/<the same>
 *     lfs/<sha256>                  a large file of a repository (fetch/git_lfs.h)
 *     modules/                      GOMODCACHE of the go command that fetches from repositories (build/builder_repository.h)
 *     trees/<hash of its archive>   what was unpacked or taken from a repository (flake/kept.h)
 *     compiled/<id>                 programs of files (fetch/pack.h)
 *     answers/<sha256 of the question>   what evaluations came to (fetch/answers.h)
 *
 * Anybody may remove any of it at any time.  It is for its user alone, whatever the umask, and keys are hashed, so that no key can
 * name a place outside.  Nothing is believed because it lies there, for a crash or a disk may have changed it:
 *
 *     files      the header has the sum of the contents, and the key; what does not fit is missing
 *     git        git checks what it receives and syncs it before it names it; what can no longer be read is fetched again, and
 *                a tree made of it counts as any other tree
 *     lfs        hashed each time one is copied into a tree
 *     modules    compared with go.sum by whoever gets it
 *     trees      hashed each time one is taken; what does not have the hash it is named by is removed, and fetched again.
 *                Which tree a commit has is a file in files/, and so is the hash that a tree has in a state (fetch/tree_hash.h)
 *     compiled   sums, and device, inode, size and times of the file that each entry was made of
 *     answers    sums, and everything that the evaluation looked at (fetch/trail.h)
 */
#ifndef FETCH_CACHE_H
#define FETCH_CACHE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"
#include "format/basen.h"
#include "format/hash.h"

#include <stdint.h>

/* Appends where it is.  Returns 0, or ERR_NOTFOUND when the environment does not say. */
int cache_user_dir(struct buf *out, struct err *e);

/* Makes a directory with its parents, for this user alone.  path is changed on the way and put back. */
int cache_make_dirs(const char *path, struct err *e);

/* Appends the path of a folder of the user's cache, which is made for him alone; one that others may write to is his alone from
 * now on.  Returns 0 or negative. */
int cache_folder(const char *name, struct buf *out, struct err *e);

struct cache;

/* Opens the cache at dir, or for NULL the user's; makes what is missing. */
int cache_open(struct cache **out, const char *dir, struct err *e);
void cache_free(struct cache *c);

/* --- small files --- */

/* Appends what is cached under the key; 1 found and not older than max_age seconds (0: any age), 0 not, negative on failure. */
int cache_get(struct cache *c, struct slice key, unsigned max_age, struct buf *out, struct err *e);

/* Keeps it. */
int cache_put(struct cache *c, struct slice key, struct slice value, struct err *e);

/* --- repositories --- */

/* A lock on what belongs to a key, between processes; waits, which *waited (may be NULL) then says.  Returns a descriptor to close,
 * or negative. */
int cache_lock(struct cache *c, struct slice key, int *waited, struct err *e);

/* Locks what belongs to an address in the user's cache, and appends the path of its repository, which may not be there yet.
 * Returns a descriptor to close, or negative. */
int cache_repository(struct slice url, struct buf *path, struct err *e);

/* --- names --- */

enum { CACHE_NAME_LEN = BASE16_LEN(HASH_SHA256_LEN) };

/* What something with this key is called: its SHA-256 in base 16, NUL-terminated. */
void cache_name(struct slice key, char out[CACHE_NAME_LEN + 1]);

#endif
