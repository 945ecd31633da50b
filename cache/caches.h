/* SPDX-License-Identifier: MIT
 *
 * Binary caches, and asking them for objects.
 *
 * A question is about one path.  It goes to the caches in the order of their priorities until one has an answer that the asker
 * accepts; what was answered before is remembered on disk (cache/memory.h).  Any number of questions are under way at once, over
 * shared connections.  A cache that does not answer is left out from then on, which is said once; the next minute it is not even
 * tried.
 *
 * Nothing here vouches for anything: an answer is what somebody says.
 *
 * One set of caches is used by one thread.
 */
#ifndef CACHE_CACHES_H
#define CACHE_CACHES_H

#include "cache/address.h"
#include "cache/cache_settings.h"
#include "fetch/transfer.h"
#include "format/narinfo.h"

enum cache_state { CACHE_NEW, CACHE_READY, CACHE_DEAD };

struct binary_cache {
	struct cache_address at;
	enum cache_state state;
	int priority;
	int told; /* that something of it is not used, and why */
	char *store_dir; /* of a cache for stores elsewhere; NULL: the asker's */
	struct memory *memory;
	struct transfer *info_transfer;
	struct buf info;
	struct store_cache *store; /* of a CACHE_STORE, once it is asked */
	struct s3_credentials *s3; /* NULL: none yet, or none needed */
};

struct caches {
	struct binary_cache **v; /* in the order in which they are asked, once they are ready */
	size_t n;
	struct slice store_dir;
	void (*note)(void *user, const char *text); /* may be NULL */
	void *user;
	int may_be_elsewhere; /* a cache for another store directory is asked for what is known to follow from its contents */
	int insist; /* they were named for this alone: one that did not answer a moment ago is asked all the same */
	int may_be_new; /* a folder in which there is nothing yet is an empty cache, and no failure */
	int cancel_fd; /* readable when all should stop; negative: as for other transfers */

	struct transfer_settings set; /* private, as is what follows */
	struct transfer_engine *engine;
	int ready, have_set;
};

/* Whether what comes into a store has to be signed by somebody who is trusted, as settings and its address say. */
struct store;
int store_wants_sigs(const struct store *s);

/* Those of a list with blanks between; what is no address fails (ERR_INVALID).  store_dir is borrowed. */
int caches_open(struct caches *c, const char *list, struct slice store_dir, struct err *e);
void caches_release(struct caches *c);

/* The engine that transfers go through, started when it is first asked for; NULL with *e set. */
struct transfer_engine *caches_engine(struct caches *c, struct err *e);

/* Says something, once for each cache; a format as of printf. */
void cache_note(struct caches *c, struct binary_cache *b, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* From now on a cache is not asked, because of *why, which is released. */
void cache_leave_out(struct caches *c, struct binary_cache *b, struct err *why);

/* Takes what nix-cache-info says: it is ready.  ERR_INVALID when that is something else, or of another store. */
int cache_take_info(struct caches *c, struct binary_cache *k, struct slice text, struct err *e);

/* --- files of a cache --- */

/* Appends the address of a file of it: "abc.narinfo", "nar/x.nar.xz". */
void cache_add_url(struct buf *b, const struct binary_cache *k, const char *name);

/* 1 for one in a folder, a store too: nothing has to be asked. */
int cache_is_here(const struct binary_cache *k);

/* Reads a small file of such a cache; ERR_NOTFOUND. */
int cache_read_file(struct binary_cache *k, const char *name, size_t max, struct buf *out, struct err *e);

/* A request for a file of a cache, with what it takes to be let in.  `url` is kept for it, and must stay as long. */
int cache_request(struct caches *c, struct binary_cache *k, const char *name, struct buf *url, struct transfer_request *r,
		  struct err *e);

/* 1 for a refusal (struct transfer_request) with 403, which S3 says of what is not there. */
int cache_is_forbidden(const struct buf *refusal);

/* --- questions --- */

struct question {
	struct store_path path;
	/* Whether what the cache says may be used; otherwise the next one is asked.  NULL: anything. */
	int (*accept)(void *user, struct question *q);
	void *user;

	/* When it is known what the path follows from, it refers to nothing, and the object has another path in another store
	 * directory. */
	int is_fixed;
	enum ca_method method;
	struct hash hash;

	struct narinfo info; /* the answer, when `from` is set */
	struct binary_cache *from;
	int remembered; /* it was not asked for now */

	size_t at; /* private: which cache is asked, */
	struct store_path asked; /* and for what, */
	struct transfer *transfer;
	struct transfer_request request;
	struct buf url, body, refusal;
	int fresh; /* ask, whatever is remembered */
};

void question_release(struct question *q);

/* Moves a question on.  1: it is settled, by an answer or by there being none; 0: it waits, see caches_turn; negative: no more is
 * to be asked (ERR_INTERRUPT), or the caches cannot be asked at all. */
int question_move(struct caches *c, struct question *q, struct err *e);

/* The cache that answered is asked no more about it, but those after it; fresh: the same one once more, and really. */
void question_again(struct question *q, int fresh);

/* Waits until something happened to a transfer, or for so long. */
int caches_turn(struct caches *c, unsigned ms, struct err *e);

#endif
