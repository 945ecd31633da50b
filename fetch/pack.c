/* SPDX-License-Identifier: MIT
 *
 * A pack that grew by large evaluations costs a small one its table only: beyond some size entries are read one by one as
 * they are asked for.
 *
 * Sums are 64 bits of multiplications, four chains of them at a time: what they guard against is a disk, not a
 * person, since whoever can write to the pack can do as its owner pleases.
 */
#include "config.h"
#include "fetch/pack.h"
#include "base/alloc.h"
#include "fetch/cache.h"
#include "fetch/mine.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/fdio.h"
#include "base/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char magic[8] = "gx-pack\n";

struct pack_head {
	char magic[8];
	uint64_t id, size, n, sum;
};

struct pack_entry {
	struct pack_key key;
	uint64_t sum, at;
	uint32_t len;
	uint32_t unused; /* how often the pack was written since it was read */
};

/* Up to here a pack is read as a whole. */
enum { READ_WHOLE = 2 << 20 };

/* What is added to one is likely less than. */
enum { ADD_ROOM = 1 << 20 };

struct pack {
	uint64_t id;
	int fd; /* -1: a new one */
	char *all; /* of a pack that was read as a whole */
	struct pack_entry *v; /* in `all`, or memory of its own */
	uint32_t n;
	const void **loaded; /* bytes of v[i], NULL for not read */
	struct pack_entry *add; /* at: in bytes */
	uint32_t n_add, cap_add;
	struct buf bytes; /* of what is added, one after the other */
	struct buf dir;
	struct arena read; /* what was read one by one */
};

/* --- sums --- */

#define FACTOR 0xff51afd7ed558ccdu

static inline uint64_t mix(uint64_t h, uint64_t w)
{
	h = (h ^ w) * FACTOR;
	return h ^ h >> 32;
}

uint64_t pack_hash(uint64_t h, const void *bytes, size_t n)
{
	const char *p = bytes;
	uint64_t w, lane[4] = { h, h + 1, h + 2, h + 3 };

	h = mix(h, n);
	for (; n >= 32; p += 32, n -= 32)
		for (unsigned i = 0; i < 4; i++) {
			memcpy(&w, p + 8 * i, 8);
			lane[i] = mix(lane[i], w);
		}
	for (unsigned i = 0; i < 4; i++)
		h = mix(h, lane[i]);
	for (; n; p += 8) {
		size_t k = n < 8 ? n : 8;
		w = 0;
		memcpy(&w, p, k);
		h = mix(h, w);
		n -= k;
	}
	return h;
}

/* --- keys --- */

struct pack_key pack_key(const char *path, size_t n, const struct stat *st)
{
	return (struct pack_key){
		.name = pack_hash(0, path, n), .dev = st->st_dev, .ino = st->st_ino, .size = (uint64_t)st->st_size,
		.modified = st->st_mtim.tv_sec, .modified_ns = (uint32_t)st->st_mtim.tv_nsec,
		.changed = st->st_ctim.tv_sec, .changed_ns = (uint32_t)st->st_ctim.tv_nsec,
	};
}

int pack_is_racy(const struct stat *st)
{
	/* Clocks of file systems go by ticks, or by seconds. */
	time_t young = time(NULL) - 2;

	return st->st_mtim.tv_sec >= young || st->st_ctim.tv_sec >= young;
}

/* --- reading --- */

static int read_at(int fd, void *p, size_t n, uint64_t at)
{
	return fd_read_at(fd, p, n, at) == (ssize_t)n ? 0 : -1;
}

static void name_of(uint64_t id, char out[17])
{
	snprintf(out, 17, "%016llx", (unsigned long long)id);
}

static int entries_are_sound(const struct pack *p, const struct pack_head *h)
{
	uint64_t begin = sizeof *h + p->n * sizeof *p->v;

	if (pack_hash(h->id, p->v, p->n * sizeof *p->v) != h->sum)
		return 0;
	for (uint32_t i = 0; i < p->n; i++)
		if (p->v[i].at < begin || p->v[i].at > h->size || p->v[i].len > h->size - p->v[i].at ||
		    (i && p->v[i - 1].key.name >= p->v[i].key.name))
			return 0;
	return 1;
}

static int read_table(struct pack *p, uint64_t size)
{
	size_t table = p->n * sizeof *p->v;

	if (size <= READ_WHOLE) {
		p->all = xmalloc((size_t)size);
		p->v = (void *)(p->all + sizeof(struct pack_head));
		return read_at(p->fd, p->all, (size_t)size, 0);
	}
	p->v = xmalloc(table);
	return read_at(p->fd, p->v, table, sizeof(struct pack_head));
}

static int read_entries(struct pack *p)
{
	struct pack_head h;
	struct stat st;

	if (fstat(p->fd, &st) || read_at(p->fd, &h, sizeof h, 0) ||
	    memcmp(h.magic, magic, sizeof magic) || h.id != p->id || h.size != (uint64_t)st.st_size ||
	    h.size > LIMIT_PACK || h.n > (h.size - sizeof h) / sizeof *p->v)
		return -1;
	p->n = (uint32_t)h.n;
	p->loaded = xcalloc(p->n + 1, sizeof *p->loaded);
	return read_table(p, h.size) || !entries_are_sound(p, &h) ? -1 : 0;
}

static void forget(struct pack *p)
{
	free(p->all ? p->all : (char *)p->v);
	free(p->loaded);
	if (p->fd >= 0)
		close(p->fd);
	p->v = NULL;
	p->all = NULL;
	p->loaded = NULL;
	p->n = 0;
	p->fd = -1;
}

struct pack *pack_open(uint64_t id)
{
	struct pack *p = xcalloc(1, sizeof *p);
	struct err e = ERR_INIT;
	struct stat st;
	char name[17];

	p->id = id;
	p->fd = -1;
	if (cache_user_dir(&p->dir, &e)) {
		err_release(&e);
		pack_free(p);
		return NULL;
	}
	buf_adds(&p->dir, "/compiled");
	name_of(id, name);
	int dir = mine_open(p->dir.p, 0);
	if (dir < 0)
		return p;
	p->fd = mine_open_file(dir, name, &st);
	close(dir);
	if (p->fd >= 0 && read_entries(p))
		forget(p);
	return p;
}

int pack_is_empty(const struct pack *p)
{
	return !p->n;
}

/* Where an entry of this name is, or would be. */
static uint32_t place_of(const struct pack *p, uint64_t name)
{
	uint32_t lo = 0, hi = p->n;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (p->v[mid].key.name < name)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static const void *load(struct pack *p, uint32_t i)
{
	struct pack_entry *e = &p->v[i];
	char *bytes = p->all ? p->all + e->at : arena_alloc(&p->read, e->len);

	if ((!p->all && read_at(p->fd, bytes, e->len, e->at)) || pack_hash(e->key.name, bytes, e->len) != e->sum)
		return NULL;
	e->unused = 0;
	return p->loaded[i] = bytes;
}

const void *pack_get(struct pack *p, const struct pack_key *k, size_t *n)
{
	uint32_t i = place_of(p, k->name);

	if (i == p->n || memcmp(&p->v[i].key, k, sizeof *k))
		return NULL;
	*n = p->v[i].len;
	return p->loaded[i] ? p->loaded[i] : load(p, i);
}

/* --- writing --- */

void pack_add(struct pack *p, const struct pack_key *k, const void *bytes, size_t n)
{
	if (n > LIMIT_PACK || p->bytes.len > LIMIT_PACK)
		return;
	if (p->n_add == p->cap_add) {
		ARRAY_GROW(p->add, p->n_add + 1, p->cap_add);
		buf_reserve(&p->bytes, ADD_ROOM); /* pages that are touched only if needed, and moved without copying */
	}
	p->add[p->n_add++] = (struct pack_entry){ .key = *k, .sum = pack_hash(k->name, bytes, n), .at = p->bytes.len,
						  .len = (uint32_t)n };
	buf_add(&p->bytes, bytes, n);
}

/* An entry to write.  from: where its bytes are in the old pack, 0 for one that is added. */
struct kept {
	struct pack_entry e;
	uint64_t from;
};

/* By name; of one name what was added last is first. */
static int by_name(const void *a, const void *b)
{
	const struct pack_entry *x = a, *y = b;

	if (x->key.name != y->key.name)
		return x->key.name < y->key.name ? -1 : 1;
	return x->at > y->at ? -1 : x->at < y->at;
}

/* What was added; and of what was there what nothing new takes the place of and is still of use.  Returns how many. */
static uint32_t choose(const struct pack *p, struct kept *v)
{
	uint32_t n = 0, m;

	for (uint32_t i = 0; i < p->n_add; i++)
		v[i].e = p->add[i];
	qsort(v, p->n_add, sizeof *v, by_name);
	for (uint32_t i = 0; i < p->n_add; i++)
		if (!n || v[n - 1].e.key.name != v[i].e.key.name)
			v[n++] = v[i];
	m = n;
	for (uint32_t i = 0, j = 0; i < p->n; i++) {
		uint32_t unused = p->loaded[i] ? 0 : p->v[i].unused + 1;
		while (j < n && v[j].e.key.name < p->v[i].key.name)
			j++;
		if (unused > LIMIT_PACK_UNUSED || (j < n && v[j].e.key.name == p->v[i].key.name))
			continue;
		v[m] = (struct kept){ p->v[i], p->v[i].at };
		v[m++].e.unused = unused;
	}
	return m;
}

/* Says where the bytes of each will be: all that was added, then the old.  Returns the size of the pack. */
static uint64_t lay_out(const struct pack *p, struct kept *v, uint32_t n)
{
	uint64_t added = sizeof(struct pack_head) + n * sizeof(struct pack_entry), old = added + p->bytes.len;

	for (uint32_t i = 0; i < n; i++) {
		v[i].e.at = v[i].from ? old : added + v[i].e.at;
		old += v[i].from ? v[i].e.len : 0;
	}
	return old;
}

static void add_table(const struct pack *p, struct buf *out, const struct kept *v, uint32_t n, uint64_t size)
{
	struct pack_head h = { .id = p->id, .size = size, .n = n };
	struct pack_entry *e = xcalloc(n, sizeof *e);

	memcpy(h.magic, magic, sizeof magic);
	for (uint32_t i = 0; i < n; i++)
		e[i] = v[i].e;
	qsort(e, n, sizeof *e, by_name);
	h.sum = pack_hash(h.id, e, n * sizeof *e);
	buf_add(out, &h, sizeof h);
	buf_add(out, e, n * sizeof *e);
	free(e);
}

static int add_old(const struct pack *p, struct buf *out, const struct kept *v, uint32_t n)
{
	int rc = 0;

	for (uint32_t i = 0; i < n && !rc; i++)
		if (v[i].from) {
			buf_reserve(out, v[i].e.len + 1);
			rc = read_at(p->fd, out->p + out->len, v[i].e.len, v[i].from);
			buf_extend(out, v[i].e.len);
		}
	return rc;
}

static void replace(const struct pack *p, int dir, const struct kept *v, uint32_t n, uint64_t size)
{
	struct buf table = BUF_INIT, old = BUF_INIT;
	char name[17];

	name_of(p->id, name);
	add_table(p, &table, v, n, size);
	if (!add_old(p, &old, v, n)) {
		const struct slice pieces[] = { { table.p, table.len }, { buf_str(&p->bytes), p->bytes.len },
						{ buf_str(&old), old.len } };
		if (mine_put(dir, name, pieces, sizeof pieces / sizeof *pieces) > 0)
			mine_tidy(dir, LIMIT_PACKS, LIMIT_PACKS_SIZE);
	}
	buf_release(&table);
	buf_release(&old);
}

void pack_save(struct pack *p)
{
	if (!p->n_add)
		return;
	struct kept *v = xcalloc(p->n + p->n_add, sizeof *v);
	uint32_t n = choose(p, v);
	uint64_t size = lay_out(p, v, n);
	int dir = size <= LIMIT_PACK ? mine_open(p->dir.p, 1) : -1;
	if (dir >= 0) {
		replace(p, dir, v, n, size);
		close(dir);
	}
	free(v);
}

void pack_free(struct pack *p)
{
	if (!p)
		return;
	forget(p);
	arena_release(&p->read);
	free(p->add);
	buf_release(&p->bytes);
	buf_release(&p->dir);
	free(p);
}
