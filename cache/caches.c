/* SPDX-License-Identifier: MIT
 *
 * Asking.  All nix-cache-info files are got at once, before the first question; a cache in a folder is read where it lies.
 *
 * 404 is an answer, and so is 403 (S3 gives it for what is not there, to those who may not list a bucket).  Everything else that
 * goes wrong (401 as well: it must not pass for "missing") leaves the cache out: what is said then names it and the reason, once.
 */
#include "config.h"
#include "cache/caches.h"
#include "base/alloc.h"
#include "base/fdio.h"
#include "base/limits.h"
#include "cache/memory.h"
#include "cache/s3.h"
#include "cache/store_cache.h"
#include "fetch/url.h"
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	USUAL_PRIORITY = 50,
	INFO_SIZE = 1 << 16,
	INFO_SECONDS = 20, /* for a file of a few lines, with its connection */
	NARINFO_SECONDS = 60,
	DEAD_SECONDS = 60, /* for so long one that did not answer is not tried again */
	CONNECTIONS = 16   /* to one host that does not speak HTTP/2 */
};

struct cache_settings cache_settings = { .substitute = 1, .require_sigs = 1, .fallback = 1, .positive_ttl = 30 * 86400,
					 .negative_ttl = 3600, .meta_ttl = 7 * 86400, .max_jobs = 16 };

static const struct slice own_key = { "-", 1 };

int store_wants_sigs(const struct store *s)
{
	return cache_settings.require_sigs && !store_place(s)->takes_unsigned;
}

/* --- the set --- */

static int add_cache(struct caches *c, struct slice word, struct err *e)
{
	char *text = xstrndup(word.p, word.n);
	struct binary_cache *k = xcalloc(1, sizeof *k);
	int rc = cache_address_parse(text, &k->at, e);

	free(text);
	if (rc) {
		free(k);
		return rc;
	}
	k->priority = k->at.priority >= 0 ? k->at.priority : USUAL_PRIORITY;
	c->v = xrealloc_array(c->v, c->n + 1, sizeof(struct binary_cache *));
	c->v[c->n++] = k;
	return 0;
}

int caches_open(struct caches *c, const char *list, struct slice store_dir, struct err *e)
{
	static const char blanks[] = " \t\n";
	int rc = 0;

	*c = (struct caches){ .store_dir = store_dir, .cancel_fd = -1 };
	for (const char *p = list; !rc && *(p += strspn(p, blanks)); p += strcspn(p, blanks))
		rc = add_cache(c, (struct slice){ p, strcspn(p, blanks) }, e);
	if (rc)
		caches_release(c);
	return rc;
}

static void cache_free(struct binary_cache *k)
{
	if (k->info_transfer)
		transfer_cancel(k->info_transfer);
	store_cache_free(k->store);
	memory_free(k->memory);
	free(k->store_dir);
	buf_release(&k->info);
	s3_credentials_free(k->s3);
	cache_address_release(&k->at);
	free(k);
}

void caches_release(struct caches *c)
{
	for (size_t i = 0; i < c->n; i++)
		cache_free(c->v[i]);
	free(c->v);
	transfer_engine_free(c->engine);
	if (c->have_set)
		transfer_settings_release(&c->set);
	*c = (struct caches){ .cancel_fd = -1 };
}

struct transfer_engine *caches_engine(struct caches *c, struct err *e)
{
	if (c->engine)
		return c->engine;
	if (!c->have_set && transfer_settings_load(&c->set, e))
		return NULL;
	c->have_set = 1;
	if (c->cancel_fd >= 0)
		c->set.cancel_fd = c->cancel_fd;
	if (c->set.per_host && c->set.per_host < CONNECTIONS)
		c->set.per_host = CONNECTIONS;
	return c->engine = transfer_engine_new(&c->set, e);
}

void cache_note(struct caches *c, struct binary_cache *b, const char *fmt, ...)
{
	struct buf text = BUF_INIT;
	va_list ap;

	if (b->told++ || !c->note)
		return;
	va_start(ap, fmt);
	buf_vaddf(&text, fmt, ap);
	va_end(ap);
	c->note(c->user, buf_str(&text));
	buf_release(&text);
}

void cache_leave_out(struct caches *c, struct binary_cache *k, struct err *why)
{
	if (k->state != CACHE_DEAD)
		cache_note(c, k, "the binary cache '%s' is left out: %s", k->at.shown, why->msg ? why->msg : "it does not answer");
	if (k->memory && why->code == ERR_NETWORK)
		memory_put(k->memory, 'D', own_key, (struct slice){ "", 0 });
	k->state = CACHE_DEAD;
	err_release(why);
}

/* --- files --- */

void cache_add_url(struct buf *b, const struct binary_cache *k, const char *name)
{
	buf_addf(b, "%s/%s", k->at.base, name);
}

int cache_is_here(const struct binary_cache *k)
{
	return k->at.kind == CACHE_FILE || k->at.kind == CACHE_STORE;
}

static int read_of_store(struct binary_cache *k, const char *name, struct buf *out, struct err *e)
{
	int rc = k->store ? 0 : store_cache_open(&k->store, k->at.base, e);

	return rc ? rc : store_cache_read(k->store, name, out, e);
}

int cache_read_file(struct binary_cache *k, const char *name, size_t max, struct buf *out, struct err *e)
{
	struct buf path = BUF_INIT;
	struct stat st;
	int fd, rc = 0;

	if (k->at.kind == CACHE_STORE)
		return read_of_store(k, name, out, e);
	cache_add_url(&path, k, name);
	/* Not to hang on a pipe before fstat tells what it is. */
	fd = open(path.p, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st))
		rc = errno == ENOTDIR ? err_set(e, ERR_NOTFOUND, "'%s' is not there", path.p)
				      : err_errno(e, "cannot open '%s'", path.p);
	else if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size > max)
		rc = err_set(e, ERR_INVALID, "'%s' is no file of a binary cache", path.p);
	else if (fd_read_all(fd, out))
		rc = err_errno(e, "cannot read '%s'", path.p);
	if (fd >= 0)
		close(fd);
	buf_release(&path);
	return rc;
}

int cache_request(struct caches *c, struct binary_cache *k, const char *name, struct buf *url, struct transfer_request *r,
		  struct err *e)
{
	(void)c;
	buf_trim(url, 0);
	cache_add_url(url, k, name);
	r->url = buf_str(url);
	return k->at.kind == CACHE_S3 ? s3_sign(k, r, e) : 0;
}

/* --- what they say of themselves --- */

/* The value of a line of nix-cache-info. */
static int info_value(struct slice text, const char *name, struct slice *out)
{
	size_t n = strlen(name);

	for (const char *p = text.p, *end = text.p + text.n; p < end;) {
		const char *eol = memchr(p, '\n', (size_t)(end - p));
		size_t len = (size_t)((eol ? eol : end) - p);

		if (len > n && !memcmp(p, name, n) && p[n] == ':') {
			for (p += n + 1, len -= n + 1; len && *p == ' '; p++)
				len--;
			*out = (struct slice){ p, len };
			return 1;
		}
		p = eol ? eol + 1 : end;
	}
	return 0;
}

int cache_take_info(struct caches *c, struct binary_cache *k, struct slice text, struct err *e)
{
	struct slice v;

	if (!info_value(text, "StoreDir", &v))
		return err_set(e, ERR_INVALID, "its nix-cache-info does not say 'StoreDir'");
	if (!slice_eq(v, c->store_dir) && c->may_be_elsewhere && v.n > 1 && v.n < 200 && *v.p == '/')
		k->store_dir = xstrndup(v.p, v.n);
	else if (!slice_eq(v, c->store_dir))
		return err_set(e, ERR_INVALID, "it is for stores in '%.*s', not '%.*s'", (int)(v.n < 200 ? v.n : 200), v.p,
			       (int)c->store_dir.n, c->store_dir.p);
	if (k->at.priority < 0 && info_value(text, "Priority", &v) && v.n && v.n < 7 && *v.p >= '0' && *v.p <= '9')
		k->priority = (int)strtoul(v.p, NULL, 10);
	k->state = CACHE_READY;
	return 0;
}

/* From a folder, or from memory: 1 when nothing is to be asked. */
static int info_here(struct caches *c, struct binary_cache *k)
{
	struct err e = ERR_INIT;
	struct buf b = BUF_INIT;
	struct slice text;
	int64_t age;
	char kind;
	int rc;

	if (cache_is_here(k)) {
		rc = cache_read_file(k, "nix-cache-info", INFO_SIZE, &b, &e);
		rc = rc ? rc : cache_take_info(c, k, (struct slice){ buf_str(&b), b.len }, &e);
		buf_release(&b);
		if (rc == ERR_NOTFOUND && c->may_be_new) {
			k->state = CACHE_DEAD;
			err_release(&e);
		} else if (rc) {
			cache_leave_out(c, k, &e);
		}
		return 1;
	}
	k->memory = memory_open(k->at.base, c->store_dir);
	kind = memory_get(k->memory, own_key, &age, &text);
	if (kind == 'D' && age < DEAD_SECONDS && !c->insist) {
		k->state = CACHE_DEAD;
		return 1;
	}
	return kind == 'I' && age < cache_settings.meta_ttl && !cache_take_info(c, k, text, NULL);
}

static int start_info(struct caches *c, struct binary_cache *k, struct buf *url, struct err *e)
{
	struct transfer_request r = { .title = "",
				      .max_size = INFO_SIZE,
				      .timeout_s = INFO_SECONDS,
				      .attempts = 2,
				      .write = transfer_write_buf,
				      .restart = transfer_restart_buf,
				      .user = &k->info };
	int rc = cache_request(c, k, "nix-cache-info", url, &r, e);

	if (!rc && !(k->info_transfer = transfer_start(c->engine, &r, e)))
		rc = ERR_INVALID;
	return rc;
}

static int end_info(struct caches *c, struct binary_cache *k, struct err *e)
{
	struct slice text;
	int rc = transfer_wait(k->info_transfer, NULL, e);

	k->info_transfer = NULL;
	text = (struct slice){ buf_str(&k->info), k->info.len };
	if (rc == ERR_NOTFOUND) {
		err_release(e);
		rc = err_set(e, ERR_INVALID, "it has no nix-cache-info");
	}
	rc = rc ? rc : cache_take_info(c, k, text, e);
	if (!rc)
		memory_put(k->memory, 'I', own_key, text);
	return rc;
}

static void sort(struct caches *c)
{
	for (size_t i = 1; i < c->n; i++)
		for (size_t k = i; k && c->v[k - 1]->priority > c->v[k]->priority; k--) {
			struct binary_cache *t = c->v[k];

			c->v[k] = c->v[k - 1];
			c->v[k - 1] = t;
		}
}

/* All of them are ready, or left out. */
static int get_ready(struct caches *c, struct err *e)
{
	struct buf *urls = xcalloc(c->n + 1, sizeof *urls);
	int rc = 0;

	for (size_t i = 0; !rc && i < c->n; i++) {
		struct err why = ERR_INIT;

		if (c->v[i]->state != CACHE_NEW || info_here(c, c->v[i]))
			continue;
		rc = caches_engine(c, e) ? 0 : ERR_IO;
		if (!rc && start_info(c, c->v[i], &urls[i], &why))
			cache_leave_out(c, c->v[i], &why);
	}
	for (size_t i = 0; i < c->n; i++) {
		struct err why = ERR_INIT;

		if (!c->v[i]->info_transfer)
			continue;
		if (rc) {
			transfer_cancel(c->v[i]->info_transfer);
			c->v[i]->info_transfer = NULL;
		} else if (end_info(c, c->v[i], &why) == ERR_INTERRUPT) {
			rc = err_set(e, ERR_INTERRUPT, "interrupted");
			err_release(&why);
		} else if (why.code) {
			cache_leave_out(c, c->v[i], &why);
		}
	}
	for (size_t i = 0; i < c->n; i++)
		buf_release(&urls[i]);
	free(urls);
	sort(c);
	c->ready = !rc;
	return rc;
}

/* --- questions --- */

void question_release(struct question *q)
{
	if (q->transfer)
		transfer_cancel(q->transfer);
	if (q->from)
		narinfo_release(&q->info);
	buf_release(&q->url);
	buf_release(&q->body);
	buf_release(&q->refusal);
	memset(q, 0, sizeof *q);
}

void question_again(struct question *q, int fresh)
{
	if (q->from)
		narinfo_release(&q->info);
	q->from = NULL;
	q->fresh = fresh;
	q->at += !fresh;
}

static struct slice digest(const struct question *q)
{
	return store_path_hash(&q->path);
}

/* What the path is called in the cache that is asked: 1, or 0 where it cannot be known. */
static int name_there(struct caches *c, struct question *q)
{
	const struct binary_cache *k = c->v[q->at];

	q->asked = q->path;
	if (!k->store_dir)
		return 1;
	return q->is_fixed && !store_path_make_fixed(slice_of(k->store_dir), store_path_name(&q->path), q->method, &q->hash, NULL,
						     0, 0, &q->asked, NULL);
}

/* What is elsewhere becomes what was asked about: signatures and makers are of the other path. */
static int bring_home(struct question *q)
{
	if (q->info.refs.n)
		return 0;
	q->info.path = q->path;
	q->info.deriver = (struct store_path){ .len = 0 };
	free(q->info.sigs);
	q->info.sigs = NULL;
	return 1;
}

/* Takes a text as the answer; 1 when it counts.  One that cannot be read, or is about something else, is none. */
static int take_answer(struct caches *c, struct question *q, struct slice text, int remembered)
{
	struct binary_cache *k = c->v[q->at];
	struct err e = ERR_INIT;

	if (narinfo_parse(k->store_dir ? slice_of(k->store_dir) : c->store_dir, text, &q->info, &e)) {
		cache_note(c, k, "the binary cache '%s' answers with nonsense about '%s': %s", k->at.shown, q->path.base, e.msg);
		err_release(&e);
		return 0;
	}
	q->from = k;
	q->remembered = remembered;
	if (store_path_cmp(&q->info.path, &q->asked)) {
		cache_note(c, k, "the binary cache '%s' was asked for '%s' and answers with '%s'", k->at.shown, q->path.base,
			   q->info.path.base);
	} else if ((!k->store_dir || bring_home(q)) && (!q->accept || q->accept(q->user, q))) {
		return 1;
	}
	narinfo_release(&q->info);
	q->from = NULL;
	return 0;
}

/* 1 there is an answer, 0 there is none here, -1 it is to be asked for. */
static int from_memory(struct caches *c, struct question *q)
{
	struct binary_cache *k = c->v[q->at];
	struct slice text;
	int64_t age;
	char kind = q->fresh ? 0 : memory_get(k->memory, digest(q), &age, &text);

	if (kind == 'N' && age < cache_settings.negative_ttl)
		return 0;
	if (kind == 'P' && age < cache_settings.positive_ttl && take_answer(c, q, text, 1))
		return 1;
	return -1;
}

static void narinfo_name(const struct question *q, char out[STORE_HASH_LEN + 10])
{
	snprintf(out, STORE_HASH_LEN + 10, "%.*s.narinfo", STORE_HASH_LEN, q->asked.base);
}

static int from_folder(struct caches *c, struct question *q)
{
	char name[STORE_HASH_LEN + 10];
	struct err e = ERR_INIT;
	int rc;

	narinfo_name(q, name);
	buf_trim(&q->body, 0);
	rc = cache_read_file(c->v[q->at], name, LIMIT_NARINFO, &q->body, &e);
	if (!rc)
		return take_answer(c, q, (struct slice){ buf_str(&q->body), q->body.len }, 0);
	if (rc != ERR_NOTFOUND)
		cache_leave_out(c, c->v[q->at], &e);
	err_release(&e);
	return 0;
}

static int ask(struct caches *c, struct question *q, struct err *e)
{
	char name[STORE_HASH_LEN + 10];
	int rc;

	narinfo_name(q, name);
	buf_trim(&q->body, 0);
	buf_trim(&q->refusal, 0);
	q->request = (struct transfer_request){ .title = "",
						.max_size = LIMIT_NARINFO,
						.timeout_s = NARINFO_SECONDS,
						.refusal = &q->refusal,
						.write = transfer_write_buf,
						.restart = transfer_restart_buf,
						.user = &q->body };
	rc = caches_engine(c, e) ? cache_request(c, c->v[q->at], name, &q->url, &q->request, e) : ERR_IO;
	if (!rc && !(q->transfer = transfer_start(c->engine, &q->request, e)))
		rc = ERR_INVALID;
	return rc;
}

int cache_is_forbidden(const struct buf *refusal)
{
	const char *blank = strchr(buf_str(refusal), ' ');

	return blank && !strncmp(blank, " 403", 4);
}

/* A transfer is over: 1 when it brought an answer, 0 when the next cache is to be asked, or negative. */
static int answered(struct caches *c, struct question *q, struct err *e)
{
	struct binary_cache *k = c->v[q->at];
	struct err why = ERR_INIT;
	struct slice text;
	int rc = transfer_wait(q->transfer, NULL, &why);

	q->transfer = NULL;
	q->fresh = 0;
	text = (struct slice){ buf_str(&q->body), q->body.len };
	if (!rc) {
		rc = take_answer(c, q, text, 0);
		if (rc)
			memory_put(k->memory, 'P', digest(q), text);
		return rc;
	}
	if (rc == ERR_INTERRUPT)
		return err_set(e, ERR_INTERRUPT, "interrupted");
	if (rc == ERR_NOTFOUND || (rc == ERR_DENIED && cache_is_forbidden(&q->refusal)))
		memory_put(k->memory, 'N', digest(q), (struct slice){ "", 0 });
	else
		cache_leave_out(c, k, &why);
	err_release(&why);
	return 0;
}

int question_move(struct caches *c, struct question *q, struct err *e)
{
	int rc = c->ready ? 0 : get_ready(c, e);

	if (rc || q->from)
		return rc ? rc : 1;
	if (q->transfer) {
		if (!transfer_is_done(q->transfer))
			return 0;
		rc = answered(c, q, e);
		if (rc)
			return rc;
		q->at++;
	}
	for (; q->at < c->n; q->at++) {
		struct binary_cache *k = c->v[q->at];

		if (k->state != CACHE_READY || !name_there(c, q))
			continue;
		rc = cache_is_here(k) ? from_folder(c, q) : from_memory(c, q);
		if (rc > 0)
			return 1;
		if (rc < 0)
			return ask(c, q, e);
	}
	return 1;
}

int caches_turn(struct caches *c, unsigned ms, struct err *e)
{
	struct transfer_engine *g = caches_engine(c, e);

	if (!g)
		return ERR_IO;
	return transfer_turn(g, ms) ? err_set(e, ERR_INTERRUPT, "interrupted") : 0;
}
