/* SPDX-License-Identifier: MIT
 *
 * Between the builders that fetch.  Settings are those that fetch_builders_prepare read.
 */
#ifndef BUILD_BUILDER_FETCH_INT_H
#define BUILD_BUILDER_FETCH_INT_H

#include "base/words.h"
#include "build/builtin_builders.h"
#include "format/hash.h"

/* A variable of the derivation, or something else where it is missing or empty. */
struct slice fetch_attr(const struct drv *d, const char *name, struct slice otherwise);

/* Cuts the next word off a list with blanks between; 0 when there is none. */
int fetch_next_word(struct slice *list, struct slice *word);

/* Adds where the hashed-mirrors have a file, by its hash; nothing for NULL. */
void fetch_add_mirrors(struct words *w, const struct hash *h);

/* A file without a name, on the file system of a folder; negative on failure. */
int fetch_scratch(const char *dir, struct err *e);

/* Makes it empty again. */
int fetch_restart(void *fd, struct err *e);

/* Fetches what is at an address to fd, no more than the derivation says (size).  want: what it has to be; NULL: nobody looks here.
 */
int fetch_file(const struct drv *d, const char *url, const struct hash *want, int fd, struct err *e);

/* Appends the address of a file, "NAME/-/FILE", of the user's registry of npm packages (fetch/npm.h). */
int fetch_find_npm(struct slice file, struct buf *url, struct err *e);

/* Appends the address of a file, "PROJECT/FILE", of the user's index of Python packages (fetch/pyindex.h). */
int fetch_find_python(struct slice file, struct buf *url, struct err *e);

/* --- builder_release.c --- */
int build_release(const struct builtin_call *c, struct err *e);

/* Tells of each address of a release that may be that of a file here. */
void release_addresses(const struct drv *d, void (*tell)(struct slice address, void *arg), void *arg);

#endif
