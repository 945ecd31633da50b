/* SPDX-License-Identifier: MIT
 *
 * Blobs are moved on by one loop that waits for the network; each is in one state.  A registry that says that it has a blob of
 * another length does not have this one.
 *
 * Sending is POST, for an address to send to; PATCH with the bytes; PUT with the digest, and with the bytes of what is small. After
 * a PATCH that broke off the address is asked how much there is (GET, Range), and the rest is sent; a session that is gone is begun
 * anew.  The address is the registry's to choose, and may be another host's, who is then not told who we are.
 *
 * Where blobs went before is remembered, so that another repository of the same registry can take them over.
 */
#include "config.h"
#include "image/push.h"
#include "base/alloc.h"
#include "fetch/interrupt.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { SENT_AT_ONCE = 4, ASKED_AT_ONCE = 64, TRIES = 5, SCOPES_MOST = 16 };

/* Up to this size a blob is sent with its digest in one go. */
enum { SMALL = 1 << 20 };

enum blob_state { BLOB_NEW, BLOB_ASKING, BLOB_MISSING, BLOB_MOUNTING, BLOB_READY, BLOB_BEGINNING, BLOB_SENDING, BLOB_ASKING_HOW_FAR,
		  BLOB_ENDING, BLOB_DONE };

struct blob {
	struct hash digest;
	uint64_t size;
	const struct buf *bytes; /* of a small one; NULL: */
	struct layer *layer;
	char *from; /* a repository of the same registry that has it; NULL: none is known */

	enum blob_state state;
	unsigned tries, refused;
	int fd;
	uint64_t at; /* so much of it is there */
	struct transfer *transfer;
	struct transfer_request request;
	struct transfer_upload upload;
	struct buf url, heads, title, range;
	char *location; /* where it is sent to */
};

struct push {
	struct registry *r;
	const struct image_request *q;
	struct layout *tmp;
	struct push_result *out;
	struct blob *v;
	size_t n, cap;
};

/* --- what there is to send --- */

static void add_blob(struct push *p, const struct hash *digest, uint64_t size, const struct buf *bytes, struct layer *l)
{
	for (size_t k = 0; k < p->n; k++)
		if (hash_eq(&p->v[k].digest, digest))
			return;
	ARRAY_GROW(p->v, p->n + 1, p->cap);
	p->v[p->n++] = (struct blob){ .digest = *digest, .size = size, .bytes = bytes, .layer = l, .fd = -1 };
}

static void add_blobs(struct push *p, struct image *i)
{
	for (size_t k = 0; k < i->n; k++)
		add_blob(p, &i->layers[k].digest, i->layers[k].size, NULL, &i->layers[k]);
	if (!i->nparts)
		add_blob(p, &i->config_digest, i->config.len, &i->config, NULL);
	for (size_t k = 0; k < i->nparts; k++)
		add_blobs(p, i->parts[k]);
}

static void drop_transfer(struct blob *b)
{
	if (b->transfer)
		transfer_cancel(b->transfer);
	b->transfer = NULL;
}

static void push_release(struct push *p)
{
	for (size_t k = 0; k < p->n; k++) {
		struct blob *b = &p->v[k];

		drop_transfer(b);
		if (b->fd >= 0)
			close(b->fd);
		buf_release(&b->url);
		buf_release(&b->heads);
		buf_release(&b->title);
		buf_release(&b->range);
		free(b->location);
		free(b->from);
	}
	free(p->v);
}

/* --- where blobs are --- */

static void where_key(const struct push *p, const struct blob *b, struct buf *key)
{
	buf_addf(key, "gx image blob of %s ", p->r->base);
	hash_add(key, &b->digest, HASH_BASE16, 1);
}

static void remember_where(struct push *p, const struct blob *b)
{
	struct buf key = BUF_INIT;

	if (p->q->cache) {
		where_key(p, b, &key);
		cache_put(p->q->cache, (struct slice){ key.p, key.len }, slice_of(p->r->ref.repository), NULL);
	}
	buf_release(&key);
}

/* The repository of a base, when it is in the same registry. */
static char *base_repository(const struct push *p, const struct layer *l)
{
	struct reference ref;
	char *out = NULL;

	if (l && l->from && !reference_parse(&ref, slice_of(l->from), NULL) && !strcmp(ref.host, p->r->ref.host))
		out = xstrdup(ref.repository);
	if (l && l->from)
		reference_release(&ref);
	return out;
}

static void recall_where(struct push *p, struct blob *b)
{
	struct buf key = BUF_INIT, value = BUF_INIT;

	b->from = base_repository(p, b->layer);
	where_key(p, b, &key);
	if (!b->from && p->q->cache && cache_get(p->q->cache, (struct slice){ key.p, key.len }, 0, &value, NULL) == 1)
		b->from = xstrdup(buf_str(&value));
	if (b->from && !strcmp(b->from, p->r->ref.repository)) {
		free(b->from);
		b->from = NULL;
	}
	buf_release(&key);
	buf_release(&value);
}

/* Tokens are for repositories: those that blobs may be taken from are named as well. */
static void add_scope(struct push *p, const struct blob *b)
{
	struct buf scope = BUF_INIT;
	int there = 0;

	if (!b->from || p->r->scopes.n >= SCOPES_MOST)
		return;
	buf_addf(&scope, "repository:%s:pull", b->from);
	for (size_t k = 0; k < p->r->scopes.n; k++)
		there |= !strcmp(p->r->scopes.v[k], scope.p);
	if (!there)
		words_add(&p->r->scopes, scope.p);
	buf_release(&scope);
}

/* --- requests --- */

static int start(struct push *p, struct blob *b, enum blob_state state, struct err *e)
{
	b->request.answer = &b->heads;
	b->request.attempts = state == BLOB_SENDING || state == BLOB_ENDING ? 1 : 0;
	buf_trim(&b->heads, 0);
	registry_request(p->r, b->url.p, &b->request);
	b->state = state;
	b->transfer = transfer_start(p->r->engine, &b->request, e);
	return b->transfer ? 0 : ERR_INVALID;
}

static void set_url(struct push *p, struct blob *b, const char *before, const char *after)
{
	char name[HASH_TEXT_MAX];

	hash_print(&b->digest, HASH_BASE16, 1, name);
	buf_trim(&b->url, 0);
	registry_add_url(p->r, &b->url, "%s%s%s", before, name, after);
}

static int ask(struct push *p, struct blob *b, struct err *e)
{
	set_url(p, b, "blobs/", "");
	b->request = (struct transfer_request){ .head = 1 };
	return start(p, b, BLOB_ASKING, e);
}

static int mount(struct push *p, struct blob *b, struct err *e)
{
	set_url(p, b, "blobs/uploads/?mount=", "&from=");
	buf_adds(&b->url, b->from);
	b->request = (struct transfer_request){ .body = "", .body_type = "application/octet-stream" };
	return start(p, b, BLOB_MOUNTING, e);
}

static int begin(struct push *p, struct blob *b, struct err *e)
{
	buf_trim(&b->url, 0);
	registry_add_url(p->r, &b->url, "blobs/uploads/");
	b->request = (struct transfer_request){ .body = "", .body_type = "application/octet-stream" };
	return start(p, b, BLOB_BEGINNING, e);
}

/* From b->at on. */
static void set_upload(struct blob *b)
{
	buf_trim(&b->title, 0);
	hash_add(&b->title, &b->digest, HASH_BASE16, 1);
	b->upload = (struct transfer_upload){ b->bytes ? b->bytes->p + b->at : NULL, b->fd, b->at, b->size - b->at };
	b->request =
		(struct transfer_request){ .upload = &b->upload, .body_type = "application/octet-stream", .title = b->title.p };
}

static int send_on(struct push *p, struct blob *b, struct err *e)
{
	buf_trim(&b->url, 0);
	buf_adds(&b->url, b->location);
	set_upload(b);
	b->request.patch = 1;
	buf_trim(&b->range, 0);
	buf_addf(&b->range, "%llu-%llu", (unsigned long long)b->at, (unsigned long long)b->size - 1);
	b->request.range = b->range.p;
	return start(p, b, BLOB_SENDING, e);
}

static int how_far(struct push *p, struct blob *b, struct err *e)
{
	buf_trim(&b->url, 0);
	buf_adds(&b->url, b->location);
	b->request = (struct transfer_request){ .max_size = 1 << 16 };
	return start(p, b, BLOB_ASKING_HOW_FAR, e);
}

static int finish(struct push *p, struct blob *b, struct err *e)
{
	buf_trim(&b->url, 0);
	buf_addf(&b->url, "%s%cdigest=", b->location, strchr(b->location, '?') ? '&' : '?');
	hash_add(&b->url, &b->digest, HASH_BASE16, 1);
	set_upload(b);
	return start(p, b, BLOB_ENDING, e);
}

static int send_all(struct push *p, struct blob *b, struct err *e)
{
	return b->size <= SMALL ? finish(p, b, e) : send_on(p, b, e);
}

/* --- answers --- */

/* What an answer names; one that says nothing new leaves it as it was. */
static int take_location(struct push *p, struct blob *b, struct err *e)
{
	struct buf url = BUF_INIT;

	if (b->location && !head_value(&b->heads, "Location").n)
		return 0;
	int rc = registry_location(p->r, &b->heads, &url, e);

	if (rc) {
		buf_release(&url);
		return rc;
	}
	free(b->location);
	b->location = buf_detach(&url, NULL);
	return 0;
}

static void done(struct push *p, struct blob *b)
{
	remember_where(p, b);
	if (b->fd >= 0)
		close(b->fd);
	b->fd = -1;
	b->state = BLOB_DONE;
}

static int asked(struct push *p, struct blob *b, int rc, struct err *why, struct err *e)
{
	struct slice length = head_value(&b->heads, "Content-Length");
	char *end;

	if (rc && rc != ERR_NOTFOUND)
		return err_set(e, rc, "%s", why->msg);
	if (!rc && (!length.n || strtoull(length.p, &end, 10) == b->size)) {
		p->out->there++;
		done(p, b);
	} else {
		b->state = BLOB_MISSING;
	}
	return 0;
}

/* 201: it is there. 202: it is to be sent, and here is where to. */
static int mounted(struct push *p, struct blob *b, int rc, struct err *e)
{
	if (!rc && head_status(&b->heads) == 201) {
		p->out->mounted++;
		done(p, b);
		return 0;
	}
	b->state = BLOB_READY;
	return rc ? 0 : take_location(p, b, e);
}

/* It broke off: from where it stopped, a few times. */
static int again(struct push *p, struct blob *b, int rc, struct err *why, struct err *e)
{
	if (++b->tries >= TRIES || rc == ERR_INTERRUPT || rc == ERR_IO || rc == ERR_LIMIT)
		return err_set(e, rc, "%s", why->msg);
	return how_far(p, b, e);
}

static int begin_anew(struct push *p, struct blob *b, int rc, struct err *why, struct err *e)
{
	if (++b->tries >= TRIES)
		return err_set(e, rc, "%s", why->msg);
	free(b->location);
	b->location = NULL;
	b->at = 0;
	return begin(p, b, e);
}

/* "Range: 0-99": a hundred bytes are there. */
static int is_so_far(struct push *p, struct blob *b, int rc, struct err *why, struct err *e)
{
	struct slice v = head_value(&b->heads, "Range");
	const char *dash = v.n ? memchr(v.p, '-', v.n) : NULL;
	char *end;

	if (rc)
		return rc == ERR_INTERRUPT ? err_set(e, rc, "%s", why->msg) : begin_anew(p, b, rc, why, e);
	b->at = dash ? strtoull(dash + 1, &end, 10) + 1 : 0;
	/* "0-0" is also what is said of nothing at all. */
	if (b->at <= 1)
		b->at = 0;
	if (b->at > b->size)
		return begin_anew(p, b, ERR_NETWORK, &(struct err){ .msg = (char *)"the server has more of it than there is" }, e);
	rc = take_location(p, b, e);
	return rc ? rc : b->at == b->size ? finish(p, b, e) : send_on(p, b, e);
}

static int was_sent(struct push *p, struct blob *b, int rc, struct err *why, struct err *e)
{
	if (rc == ERR_NOTFOUND)
		return begin_anew(p, b, rc, why, e);
	if (rc)
		return again(p, b, rc, why, e);
	b->at = b->size;
	p->out->bytes += b->upload.size;
	rc = take_location(p, b, e);
	return rc ? rc : finish(p, b, e);
}

static int ended(struct push *p, struct blob *b, int rc, struct err *why, struct err *e)
{
	struct slice digest = head_value(&b->heads, "Docker-Content-Digest");
	char name[HASH_TEXT_MAX];

	if (rc == ERR_INTERRUPT)
		return err_set(e, rc, "%s", why->msg);
	if (rc)
		return begin_anew(p, b, rc, why, e);
	hash_print(&b->digest, HASH_BASE16, 1, name);
	if (digest.n && !slice_eq(digest, slice_of(name)))
		return err_set(e, ERR_HASH, "the registry says that it has '%.*s' now", (int)(digest.n < 100 ? digest.n : 100),
			       digest.p);
	p->out->sent++;
	p->out->bytes += b->upload.size;
	done(p, b);
	return 0;
}

/* Refused: whoever we are is told once more, and the same is asked again. */
static int let_in(struct push *p, struct blob *b, struct err *e)
{
	int rc = b->refused++ < 2 ? registry_authorise(p->r, &b->heads, e)
				  : err_set(e, ERR_DENIED, "'%s' does not let you use '%s'", p->r->ref.host, p->r->ref.repository);

	return rc ? rc : start(p, b, b->state, e);
}

static int answered(struct push *p, struct blob *b, struct err *e)
{
	struct err why = ERR_INIT;
	int rc = transfer_wait(b->transfer, NULL, &why), out;

	b->transfer = NULL;
	/* That one may not take it from there is no reason not to send it. */
	if (rc == ERR_DENIED && head_status(&b->heads) != 429 && b->state != BLOB_MOUNTING) {
		err_release(&why);
		return let_in(p, b, e);
	}
	switch (b->state) {
	case BLOB_ASKING: out = asked(p, b, rc, &why, e); break;
	case BLOB_MOUNTING: out = mounted(p, b, rc, e); break;
	case BLOB_BEGINNING:
		out = rc ? err_set(e, rc, "%s", why.msg) : take_location(p, b, e);
		out = out ? out : send_all(p, b, e);
		break;
	case BLOB_SENDING: out = was_sent(p, b, rc, &why, e); break;
	case BLOB_ASKING_HOW_FAR: out = is_so_far(p, b, rc, &why, e); break;
	default: out = ended(p, b, rc, &why, e);
	}
	err_release(&why);
	return out;
}

/* --- the loop --- */

static int open_bytes(struct push *p, struct blob *b, struct err *e)
{
	uint64_t size;

	if (b->bytes || b->fd >= 0)
		return 0;
	b->fd = layout_open_blob(p->tmp, &b->digest, &size, e);
	if (b->fd < 0)
		return b->fd;
	return size == b->size ? 0 : err_set(e, ERR_HASH, "a layer came out otherwise than before");
}

/* What a blob does next when nothing is under way; 1: nothing. */
static int begin_next(struct push *p, struct blob *b, enum blob_state upto, size_t busy, struct err *e)
{
	int rc;

	if (b->state == BLOB_NEW && busy < ASKED_AT_ONCE)
		return ask(p, b, e);
	if (b->state == BLOB_MISSING && b->from && busy < ASKED_AT_ONCE)
		return mount(p, b, e);
	if (b->state == BLOB_MISSING) {
		b->state = BLOB_READY;
		return 0;
	}
	if (b->state != BLOB_READY || upto == BLOB_READY || busy >= SENT_AT_ONCE)
		return 1;
	rc = open_bytes(p, b, e);
	return rc ? rc : b->location ? send_all(p, b, e) : begin(p, b, e);
}

/* Until each is done, or (upto BLOB_READY) to be sent. */
static int run(struct push *p, enum blob_state upto, struct err *e)
{
	int rc = 0, left = 1;

	while (!rc && left) {
		size_t busy = 0;
		int moved = 0;

		left = 0;
		for (size_t k = 0; k < p->n; k++)
			busy += p->v[k].transfer != NULL;
		for (size_t k = 0; !rc && k < p->n; k++) {
			struct blob *b = &p->v[k];

			if (b->transfer && transfer_is_done(b->transfer))
				rc = answered(p, b, e), moved = 1;
			else if (!b->transfer && b->state != BLOB_DONE && (rc = begin_next(p, b, upto, busy, e)) != 1)
				busy++, moved = 1;
			else if (rc == 1)
				rc = 0;
			if (rc)
				err_prefix(e, "a blob for '%s/%s'", p->r->ref.host, p->r->ref.repository);
			left |= b->state != BLOB_DONE && b->state != upto;
		}
		if (!rc && left && !moved && transfer_turn(p->r->engine, 1000) == ERR_INTERRUPT)
			rc = err_set(e, ERR_INTERRUPT, "interrupted");
	}
	return rc;
}

/* --- manifests --- */

static int put_manifest(struct push *p, const struct image *i, const char *name, struct err *e)
{
	return registry_put_manifest(p->r, &i->manifest, &i->digest, image_media_type(i), name, NULL, e);
}

/* Does the name mean this image already? */
static int is_there(struct push *p, const struct image *i, const char *name, struct err *e)
{
	struct buf url = BUF_INIT, heads = BUF_INIT;
	struct transfer_request q = { .head = 1, .accept = image_media_type(i) };
	char own[HASH_TEXT_MAX];
	int rc;

	hash_print(&i->digest, HASH_BASE16, 1, own);
	registry_add_url(p->r, &url, "manifests/%s", name);
	q.url = url.p;
	struct err why = ERR_INIT;

	rc = registry_ask(p->r, &q, &heads, NULL, &why);
	if (!rc)
		rc = slice_eq(head_value(&heads, "Docker-Content-Digest"), slice_of(own));
	else if (rc == ERR_NOTFOUND)
		rc = 0;
	else
		err_set(e, rc, "'%s/%s': %s", p->r->ref.host, p->r->ref.repository, why.msg);
	err_release(&why);
	buf_release(&url);
	buf_release(&heads);
	return rc;
}

static void want_layers(struct push *p)
{
	for (size_t k = 0; k < p->n; k++)
		if (p->v[k].layer)
			p->v[k].layer->wanted = p->v[k].state != BLOB_DONE;
}

static int push_all(struct push *p, struct image *i, const char *name, struct err *e)
{
	int rc = run(p, BLOB_READY, e);

	want_layers(p);
	rc = rc ? rc : image_make(i, p->q, p->tmp->blobs, MAKE_WANTED, &p->out->made, e);
	rc = rc ? rc : run(p, BLOB_DONE, e);
	for (size_t k = 0; !rc && k < i->nparts; k++)
		rc = put_manifest(p, i->parts[k], NULL, e);
	return rc ? rc : put_manifest(p, i, name, e);
}

int image_push(struct registry *r, struct image *i, const struct image_request *q, struct layout *tmp, struct push_result *out,
	       struct err *e)
{
	struct push p = { .r = r, .q = q, .tmp = tmp, .out = out };
	struct buf name = BUF_INIT;
	int rc;

	*out = (struct push_result){ 0 };
	rc = image_make(i, q, tmp->blobs, MAKE_UNKNOWN, &out->made, e);
	rc = rc ? rc : image_finish(i, q, e);
	if (!rc) {
		add_blobs(&p, i);
		for (size_t k = 0; k < p.n; k++) {
			recall_where(&p, &p.v[k]);
			add_scope(&p, &p.v[k]);
		}
		reference_add_name(&name, &r->ref);
		rc = is_there(&p, i, name.p, e);
		out->unchanged = rc == 1;
		rc = rc < 0 ? rc : rc ? 0 : push_all(&p, i, name.p, e);
	}
	buf_release(&name);
	push_release(&p);
	return rc;
}
