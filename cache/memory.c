/* SPDX-License-Identifier: MIT
 *
 * The whole file is read at once: a closure of a thousand paths is half a megabyte, and asking it is what is to be fast.
 */
#include "config.h"
#include "cache/memory.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "base/fdio.h"
#include "base/flock.h"
#include "base/limits.h"
#include "fetch/cache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
	KEY_MAX = 64,
	MEMORY_SIZE = 32 << 20,  /* of a file; a larger one is written anew ... */
	MEMORY_KEEP = 16 << 20,	 /* ... with the newest records up to this */
	MEMORY_DAYS = 30
};

struct record {
	char kind;
	unsigned char nkey;
	char key[KEY_MAX];
	int64_t when;
	char *text;
	size_t n;
	int fresh; /* not in the file yet */
};

struct memory {
	char *path; /* NULL: nowhere */
	struct record *v;
	size_t n, cap;
	size_t *table, table_cap; /* numbers of records, one more than they are; 0 is empty */
	size_t bytes;		  /* of the file */
	int rewrite;
};

/* --- records --- */

static size_t slot(const struct memory *m, struct slice key)
{
	size_t h = 1469598103934665603u;

	for (size_t i = 0; i < key.n; i++)
		h = (h ^ (unsigned char)key.p[i]) * 1099511628211u;
	h &= m->table_cap - 1;
	while (m->table[h]) {
		const struct record *r = &m->v[m->table[h] - 1];

		if (slice_eq((struct slice){ r->key, r->nkey }, key))
			break;
		h = (h + 1) & (m->table_cap - 1);
	}
	return h;
}

static void grow(struct memory *m)
{
	free(m->table);
	m->table_cap = m->table_cap ? m->table_cap * 2 : 256;
	m->table = xcalloc(m->table_cap, sizeof *m->table);
	for (size_t i = 0; i < m->n; i++)
		m->table[slot(m, (struct slice){ m->v[i].key, m->v[i].nkey })] = i + 1;
}

static struct record *put(struct memory *m, char kind, struct slice key, struct slice text, int64_t when)
{
	if ((m->n + 1) * 2 > m->table_cap)
		grow(m);
	size_t at = slot(m, key);

	if (!m->table[at]) {
		ARRAY_GROW(m->v, m->n + 1, m->cap);
		m->v[m->n] = (struct record){ .nkey = (unsigned char)key.n };
		memcpy(m->v[m->n].key, key.p, key.n);
		m->table[at] = ++m->n;
	}
	struct record *r = &m->v[m->table[at] - 1];

	free(r->text);
	r->kind = kind;
	r->when = when;
	r->text = text.n ? xstrndup(text.p, text.n) : NULL;
	r->n = text.n;
	r->fresh = 0;
	return r;
}

static void add_record(struct buf *b, const struct record *r)
{
	buf_addf(b, "%c %lld %.*s %zu\n", r->kind, (long long)r->when, r->nkey, r->key, r->n);
	buf_add(b, r->text, r->n);
	buf_addc(b, '\n');
}

/* --- the file --- */

/* One record from the front of the text; 0 when that is none. */
static int read_record(struct memory *m, struct slice *t)
{
	const char *eol = memchr(t->p, '\n', t->n < 160 ? t->n : 160);
	char head[160], key[KEY_MAX + 1], kind;
	long long when;
	size_t n, used;

	if (!eol)
		return 0;
	used = (size_t)(eol - t->p) + 1;
	memcpy(head, t->p, used - 1);
	head[used - 1] = 0;
	if (sscanf(head, "%c %lld %64s %zu", &kind, &when, key, &n) != 4 || n > LIMIT_NARINFO || used + n + 1 > t->n ||
	    t->p[used + n] != '\n')
		return 0;
	put(m, kind, slice_of(key), (struct slice){ t->p + used, n }, when);
	t->p += used + n + 1;
	t->n -= used + n + 1;
	return 1;
}

static void load(struct memory *m)
{
	int fd = open(m->path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct buf b = BUF_INIT;
	struct stat st;

	if (fd < 0)
		return;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size > 4 * (off_t)MEMORY_SIZE || fd_read_all(fd, &b)) {
		m->rewrite = 1;
	} else {
		struct slice rest = { buf_str(&b), b.len };

		while (rest.n && read_record(m, &rest))
			;
		m->bytes = b.len;
		m->rewrite = rest.n > 0;
	}
	buf_release(&b);
	close(fd);
}

/* What is worth keeping, the newest first where it is too much. */
static void write_anew(struct memory *m)
{
	struct buf b = BUF_INIT;
	int64_t oldest = (int64_t)time(NULL) - MEMORY_DAYS * 86400LL;

	for (size_t i = m->n; i-- > 0 && b.len < MEMORY_KEEP;)
		if (m->v[i].kind && m->v[i].when >= oldest)
			add_record(&b, &m->v[i]);
	file_replace(m->path, buf_str(&b), b.len, 0600);
	buf_release(&b);
}

static void append(struct memory *m)
{
	struct buf b = BUF_INIT;
	int fd;

	for (size_t i = 0; i < m->n; i++)
		if (m->v[i].fresh)
			add_record(&b, &m->v[i]);
	if (b.len && (fd = open(m->path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600)) >= 0) {
		/* One call and one lock: records of others do not come in between. */
		if (!lock_fd(fd, LOCK_EX, NULL) && fd_write_all(fd, b.p, b.len))
			unlink(m->path); /* half a record at the end would hide what follows */
		close(fd);
	}
	buf_release(&b);
}

struct memory *memory_open(const char *base, struct slice store_dir)
{
	struct memory *m = xcalloc(1, sizeof *m);
	char name[CACHE_NAME_LEN + 1];
	struct buf key = BUF_INIT, path = BUF_INIT;

	grow(m);
	buf_addf(&key, "%s\n%.*s", base, (int)store_dir.n, store_dir.p);
	cache_name((struct slice){ key.p, key.len }, name);
	if (!cache_folder("narinfo", &path, NULL)) {
		buf_addf(&path, "/%s", name);
		m->path = buf_detach(&path, NULL);
		load(m);
	}
	buf_release(&key);
	buf_release(&path);
	return m;
}

void memory_free(struct memory *m)
{
	if (!m)
		return;
	if (m->path && (m->rewrite || m->bytes > MEMORY_SIZE))
		write_anew(m);
	else if (m->path)
		append(m);
	for (size_t i = 0; i < m->n; i++)
		free(m->v[i].text);
	free(m->v);
	free(m->table);
	free(m->path);
	free(m);
}

/* --- asking --- */

char memory_get(const struct memory *m, struct slice key, int64_t *age, struct slice *text)
{
	size_t i = m->table[slot(m, key)];
	const struct record *r = i ? &m->v[i - 1] : NULL;

	if (!r || !r->kind)
		return 0;
	*age = (int64_t)time(NULL) - r->when;
	*text = (struct slice){ r->text, r->n };
	/* A clock that went back: what was asked in the future is not known. */
	return *age < 0 ? 0 : r->kind;
}

void memory_put(struct memory *m, char kind, struct slice key, struct slice text)
{
	if (key.n && key.n <= KEY_MAX && text.n <= LIMIT_NARINFO)
		put(m, kind, key, text, (int64_t)time(NULL))->fresh = 1;
}

void memory_forget(struct memory *m, struct slice key)
{
	size_t i = m->table[slot(m, key)];

	if (i) {
		m->v[i - 1].kind = 0;
		m->v[i - 1].fresh = 0;
		m->rewrite = 1;
	}
}
