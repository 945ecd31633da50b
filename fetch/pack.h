/* SPDX-License-Identifier: MIT
 *
 * Packs: what one program made of files, kept between its runs below the user's cache (fetch/cache.h), in
 * compiled/.
 *
 * A pack is one file, its name the id of who may read it: everything but the files that decides what is made of them.
 * In the byte order of the machine:
 *
 *     "gx-pack\n"  u64 id  u64 size of all  u64 number of entries  u64 sum of the entries
 *     entries      struct pack_entry, by ascending key.name
 *     bytes        of each entry
 *
 * It is replaced as a whole, so who has it open reads on in the old one.  Nothing is synced: sums say what is whole.  A pack
 * or folder that others may write to is not looked at.  Nothing here fails loudly: what cannot be read is not
 * there, and what cannot be written is not kept.
 */
#ifndef FETCH_PACK_H
#define FETCH_PACK_H

#include <stddef.h>
#include <stdint.h>

struct stat;

/* Which file, and as what it was read. */
struct pack_key {
	uint64_t name; /* of its path */
	uint64_t dev, ino, size;
	int64_t modified, changed;
	uint32_t modified_ns, changed_ns;
};

struct pack_key pack_key(const char *path, size_t n, const struct stat *st);

/* 1 when the file is so young that another change could leave its times as they are. */
int pack_is_racy(const struct stat *st);

/* Onto h, what text of an id follows. */
uint64_t pack_hash(uint64_t h, const void *p, size_t n);

struct pack;

/* The pack of an id, empty when there is none; NULL when there is no place for packs.  The caller frees it. */
struct pack *pack_open(uint64_t id);

/* 1 when it holds nothing but what was added. */
int pack_is_empty(const struct pack *p);

/* What was made of a file, in memory of the pack; NULL when it is not there. */
const void *pack_get(struct pack *p, const struct pack_key *k, size_t *n);

/* Adds what was made of a file, a copy of n bytes, in place of what was made of it before. */
void pack_add(struct pack *p, const struct pack_key *k, const void *bytes, size_t n);

/* Writes the pack if anything was added. */
void pack_save(struct pack *p);

void pack_free(struct pack *p);

#endif
