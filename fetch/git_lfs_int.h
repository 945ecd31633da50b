/* SPDX-License-Identifier: MIT
 *
 * Between git_lfs.c (files and objects) and git_lfs_server.c (who has them).
 */
#ifndef FETCH_GIT_LFS_INT_H
#define FETCH_GIT_LFS_INT_H

#include "fetch/git_lfs.h"
#include "format/basen.h"
#include "format/hash.h"

#include <stdint.h>

/* At most so many objects in one question, as other clients have it. */
enum { LFS_ASKED_AT_ONCE = 100 };

struct lfs_pointer {
	const char *name; /* the file */
	char oid[BASE16_LEN(HASH_SHA256_LEN) + 1];
	uint64_t size;
};

/* Where an object is to be had; malloc'd. */
struct lfs_link {
	char *url;
	char *headers; /* each with its line end; NULL: none */
};

struct lfs_server {
	struct buf url, headers; /* of its interface */
};

/* Finds the server of the repository at an address, which over ssh means to ask it. */
int lfs_server_find(struct lfs_server *s, const char *url, struct err *e);
void lfs_server_release(struct lfs_server *s);

/* Asks for n objects; links has room for as many, zeroed, to be released in either case. */
struct transfer_engine;
int lfs_server_ask(const struct lfs_server *s, struct transfer_engine *g, const struct lfs_pointer *const *asked, size_t n,
		   struct lfs_link *links, struct err *e);
void lfs_links_release(struct lfs_link *links, size_t n);

#endif
