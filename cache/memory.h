/* SPDX-License-Identifier: MIT
 *
 * What a binary cache answered, remembered on disk: one file a cache in the user's cache, narinfo/<sha256 of its address and the
 * store directory>.
 *
 *   file    = record*
 *   record  = kind SP seconds-since-1970 SP key SP length LF bytes LF
 *   kind    = "I" nix-cache-info | "P" a .narinfo | "N" it has no such object | "D" it did not answer
 *   key     = 32 digits of a store path; "-" for I and D
 *
 * The last record of a key counts.  Records are appended whole, by as many processes as like to; a file that has grown, or has
 * something else in it, is written anew without what is old.  Nothing is believed because it stands here: signatures are checked
 * and archives hashed as if the cache had said it now.
 */
#ifndef CACHE_MEMORY_H
#define CACHE_MEMORY_H

#include "base/slice.h"

#include <stdint.h>

struct memory;

/* Of the cache at this address, for stores with this directory.  Never fails: without a place for it, it forgets. */
struct memory *memory_open(const char *base, struct slice store_dir);

/* Writes down what is new, and frees. */
void memory_free(struct memory *m);

/* Kind and age in seconds of what is known of a key; 0 for nothing.  *text is borrowed until the next call that changes something.
 */
char memory_get(const struct memory *m, struct slice key, int64_t *age, struct slice *text);

void memory_put(struct memory *m, char kind, struct slice key, struct slice text);

/* What is known of it is wrong. */
void memory_forget(struct memory *m, struct slice key);

#endif
