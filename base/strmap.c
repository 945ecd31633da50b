/* SPDX-License-Identifier: MIT
 *
 * Open addressing, at most half full.  Each entry keeps the hash, so that growing touches no key and a
 * miss rarely does.
 */
#include "config.h"
#include "base/strmap.h"
#include "base/check.h"
#include "base/hashing.h"
#include "base/mem.h"

#include <string.h>

struct strmap_entry {
	const char *key; /* NULL: empty */
	uint32_t len, hash;
	uint64_t value;
};

static struct strmap_entry *find(const struct strmap *m, const char *key, size_t n, uint32_t hash)
{
	size_t i = hash & (m->cap - 1);

	CHECK(m->cap && !(m->cap & (m->cap - 1)) && m->n < m->cap);
	for (; m->e[i].key; i = (i + 1) & (m->cap - 1))
		if (m->e[i].hash == hash && m->e[i].len == n && !memcmp(m->e[i].key, key, n))
			break;
	return &m->e[i];
}

static void grow(struct strmap *m)
{
	struct strmap old = *m;

	m->cap = old.cap ? old.cap * 2 : 32;
	m->e = mem_new(mem_size(m->cap, sizeof *m->e, 0));
	for (size_t i = 0; i < old.cap; i++)
		if (old.e[i].key)
			*find(m, old.e[i].key, old.e[i].len, old.e[i].hash) = old.e[i];
}

uint64_t *strmap_get(const struct strmap *m, const char *key, size_t n)
{
	if (!m->n)
		return NULL;
	struct strmap_entry *e = find(m, key, n, hash_bytes(key, n));
	return e->key ? &e->value : NULL;
}

uint64_t *strmap_put(struct strmap *m, const char *key, size_t n, int *is_new)
{
	uint32_t hash = hash_bytes(key, n);

	if (m->n * 2 >= m->cap)
		grow(m);
	struct strmap_entry *e = find(m, key, n, hash);
	if (is_new)
		*is_new = !e->key;
	if (!e->key) {
		char *copy = mem_bytes(mem_size(1, n, 1));
		memcpy(copy, key, n);
		copy[n] = 0;
		*e = (struct strmap_entry){ copy, (uint32_t)n, hash, 0 };
		m->n++;
	}
	CHECK(m->n * 2 <= m->cap);
	return &e->value;
}

int strmap_next(const struct strmap *m, size_t *at, const char **key, size_t *n, uint64_t **value)
{
	while (*at < m->cap && !m->e[*at].key)
		++*at;
	if (*at >= m->cap)
		return 0;
	struct strmap_entry *e = &m->e[(*at)++];
	*key = e->key;
	*n = e->len;
	*value = &e->value;
	return 1;
}
