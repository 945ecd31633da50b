/* SPDX-License-Identifier: MIT
 *
 * The question stands in the file because two could have one hash, and so that one can be looked for by what it says.
 */
#include "config.h"
#include "fetch/answers.h"
#include "base/alloc.h"
#include "base/dir.h"
#include "base/fdio.h"
#include "base/limits.h"
#include "fetch/cache.h"
#include "fetch/mine.h"
#include "fetch/pack.h"
#include "format/basen.h"
#include "format/hash.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char magic[8] = "gx-answ\n";

struct head {
	char magic[8];
	uint64_t size, sum, len[4];
	int64_t at;
};

static int open_folder(int make)
{
	struct err e = ERR_INIT;
	struct buf dir = BUF_INIT;
	int fd = -1;

	if (!(make ? cache_folder("answers", &dir, &e) : cache_user_dir(&dir, &e))) {
		buf_adds(&dir, make ? "" : "/answers");
		fd = mine_open(dir.p, 0);
	}
	err_release(&e);
	buf_release(&dir);
	return fd;
}

static uint64_t filled(uint64_t n)
{
	return (n + 7) & ~(uint64_t)7;
}

/* The sum of all behind the two first fields. */
static uint64_t sum_of(const struct head *h, const void *rest, size_t n)
{
	return pack_hash(pack_hash(h->size, h->len, sizeof h->len + sizeof h->at), rest, n);
}

/* Takes apart a file of n bytes. */
static int take(struct answer *a, char *bytes, size_t n)
{
	struct slice *part[3] = { &a->question, &a->answer, &a->reason };
	const struct head *h = (const void *)bytes;
	uint64_t at = sizeof *h;

	if (n < sizeof *h || memcmp(h->magic, magic, sizeof magic) || h->size != n || sum_of(h, h + 1, n - sizeof *h) != h->sum)
		return -1;
	for (unsigned i = 0; i < 4; i++) {
		if (h->len[i] > n || filled(h->len[i]) > n - at)
			return -1;
		if (i < 3)
			*part[i] = (struct slice){ bytes + at, (size_t)h->len[i] };
		else
			a->trail = bytes + at;
		at += filled(h->len[i]);
	}
	a->trail_len = (size_t)h->len[3];
	a->at = h->at;
	return at == n ? 0 : -1;
}

static int read_answer(int dir, const char *name, struct answer *out)
{
	struct stat st;
	int fd = mine_open_file(dir, name, &st), rc = -1;

	*out = (struct answer){ .at = 0 };
	if (fd < 0)
		return -1;
	if ((uint64_t)st.st_size <= LIMIT_ANSWER) {
		out->memory = xmalloc((size_t)st.st_size + 1);
		if (fd_read_full(fd, out->memory, (size_t)st.st_size) == st.st_size)
			rc = take(out, out->memory, (size_t)st.st_size);
	}
	close(fd);
	if (rc)
		answer_release(out);
	return rc;
}

int answer_get(struct slice question, struct answer *out)
{
	char name[CACHE_NAME_LEN + 1];
	int dir = open_folder(0), rc;

	*out = (struct answer){ .at = 0 };
	if (dir < 0)
		return 0;
	cache_name(question, name);
	rc = read_answer(dir, name, out);
	close(dir);
	if (!rc && !slice_eq(out->question, question)) {
		answer_release(out);
		rc = -1;
	}
	return !rc;
}

void answer_release(struct answer *a)
{
	free(a->memory);
	*a = (struct answer){ .at = 0 };
}

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * ANSWER_SECOND + t.tv_nsec;
}

static void add(struct buf *b, const void *p, size_t n)
{
	static const char zeros[8];

	buf_add(b, p, n);
	buf_add(b, zeros, filled(n) - n);
}

void answer_put(const struct answer *a)
{
	struct head h = { .len = { a->question.n, a->answer.n, a->reason.n, a->trail_len }, .at = a->at ? a->at : now() };
	struct buf b = BUF_INIT;
	char name[CACHE_NAME_LEN + 1];

	memcpy(h.magic, magic, sizeof magic);
	add(&b, a->question.p, a->question.n);
	add(&b, a->answer.p, a->answer.n);
	add(&b, a->reason.p, a->reason.n);
	add(&b, a->trail, a->trail_len);
	h.size = sizeof h + b.len;
	h.sum = sum_of(&h, b.p, b.len);
	cache_name(a->question, name);
	const struct slice pieces[] = { { (const char *)&h, sizeof h }, { b.p, b.len } };
	int dir = h.size <= LIMIT_ANSWER ? open_folder(1) : -1;
	if (dir >= 0) {
		/* To look at all of them each time would cost more than to write one. */
		if (mine_put(dir, name, pieces, 2) > 0 && *name == '0')
			mine_tidy(dir, LIMIT_ANSWERS, LIMIT_ANSWERS_SIZE);
		close(dir);
	}
	buf_release(&b);
}

void answer_drop(struct slice question)
{
	char name[CACHE_NAME_LEN + 1];
	int dir = open_folder(0);

	if (dir < 0)
		return;
	cache_name(question, name);
	unlinkat(dir, name, 0);
	close(dir);
}

void answer_each(void (*fn)(void *user, struct answer *a), void *user)
{
	int dir = open_folder(0), rc = -1;
	struct answer a;
	struct dir d;

	if (dir < 0)
		return;
	rc = dir_open(&d, dir, ".", NULL);
	while (!rc && dir_next(&d, NULL) > 0)
		if (strlen(d.name) == CACHE_NAME_LEN && !read_answer(dir, d.name, &a)) {
			fn(user, &a);
			answer_release(&a);
		}
	dir_close(&d);
	close(dir);
}
