/* SPDX-License-Identifier: MIT
 *
 * The plan: which objects, out of which cache, and whether what it says may be used.  Fetching them is in substitute_fetch.c.
 */
#include "config.h"
#include "cache/substitute_int.h"
#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

/* --- items --- */

static size_t slot(const struct substituter *u, const struct store_path *p)
{
	size_t i = 0;

	for (size_t k = 0; k < 8; k++)
		i = i * 37 + (unsigned char)p->base[k];
	i &= u->table_cap - 1;
	while (u->table[i] && store_path_cmp(&u->table[i]->q.path, p))
		i = (i + 1) & (u->table_cap - 1);
	return i;
}

static void grow(struct substituter *u)
{
	free(u->table);
	u->table_cap = u->table_cap ? u->table_cap * 2 : 128;
	u->table = xcalloc(u->table_cap, sizeof *u->table);
	for (size_t i = 0; i < u->n; i++)
		u->table[slot(u, &u->v[i]->q.path)] = u->v[i];
}

struct item *substitute_find(const struct substituter *u, const struct store_path *p)
{
	return u->table_cap ? u->table[slot(u, p)] : NULL;
}

static int accept(void *user, struct question *q);

static struct item *item_of(struct substituter *u, const struct store_path *p)
{
	struct item *i;
	size_t at;

	if ((u->n + 1) * 2 > u->table_cap)
		grow(u);
	at = slot(u, p);
	if (u->table[at])
		return u->table[at];
	i = xcalloc(1, sizeof *i);
	i->q.path = i->known.path = *p;
	i->q.accept = accept;
	i->q.user = i;
	i->u = u;
	ARRAY_GROW(u->v, u->n + 1, u->cap);
	u->v[u->n++] = u->table[at] = i;
	return i;
}

void substituter_want(struct substituter *u, const struct wanted_path *w)
{
	struct item *i = item_of(u, &w->path);

	/* What is known of it decides what may be used: an answer without counts no more. */
	if ((w->is_fixed || w->foreign) && !i->known.is_fixed && !i->known.foreign && i->state == ITEM_MISSING) {
		question_release(&i->q);
		i->q = (struct question){ .path = w->path, .accept = accept, .user = i };
		i->state = ITEM_NEW;
	}
	i->known = *w;
	i->q.is_fixed = w->is_fixed && !w->foreign && w->method != CA_GIT;
	i->q.method = w->method;
	i->q.hash = w->hash;
	i->has = HAS_UNKNOWN;
}

/* --- what may be used --- */

int trusted_keys(struct slice store_dir, struct public_keys *out, struct err *e)
{
	const char *list = cache_settings.trusted_keys ? cache_settings.trusted_keys :
			   slice_eq(store_dir, store_dir_default) ? USUAL_KEYS : "";

	*out = (struct public_keys){ 0 };
	int rc = public_keys_parse(slice_of(list), out, e);

	if (rc) {
		err_prefix(e, "the setting 'trusted-public-keys'");
		public_keys_release(out);
	}
	return rc;
}

static int is_signed(const struct public_keys *keys, struct slice data, const char *sigs, struct err *e)
{
	int rc = 0;

	for (const char *s = sigs ? sigs : ""; !rc && *(s += strspn(s, " ")); s += strcspn(s, " "))
		rc = signature_check(keys, (struct slice){ s, strcspn(s, " ") }, data, e);
	return rc;
}

int path_is_signed(const struct public_keys *keys, struct slice store_dir, const struct path_info *i, struct err *e)
{
	struct buf b = BUF_INIT;
	int rc;

	fingerprint_add(&b, store_dir, &i->path, &i->nar_hash, i->nar_size, &i->refs);
	rc = is_signed(keys, (struct slice){ b.p, b.len }, i->sigs, e);
	buf_release(&b);
	return rc;
}

/* 1 when a signature before `end` is of the same key. */
static int is_again(const char *sigs, const char *end)
{
	size_t key = strcspn(end, ": ");

	for (const char *s = sigs; (s += strspn(s, " ")) < end; s += strcspn(s, " "))
		if (strcspn(s, ": ") == key && !memcmp(s, end, key))
			return 1;
	return 0;
}

int path_count_sigs(const struct public_keys *keys, struct slice store_dir, const struct path_info *i, size_t *n, struct err *e)
{
	const char *sigs = i->sigs ? i->sigs : "";
	struct buf b = BUF_INIT;
	int rc = 0;

	*n = 0;
	fingerprint_add(&b, store_dir, &i->path, &i->nar_hash, i->nar_size, &i->refs);
	for (const char *s = sigs; rc >= 0 && *(s += strspn(s, " ")); s += strcspn(s, " ")) {
		if (is_again(sigs, s))
			continue;
		rc = signature_check(keys, (struct slice){ s, strcspn(s, " ") }, (struct slice){ b.p, b.len }, e);
		*n += rc == 1;
	}
	buf_release(&b);
	return rc < 0 ? rc : 0;
}

static int narinfo_is_signed(const struct substituter *u, const struct narinfo *n)
{
	struct buf b = BUF_INIT;
	int rc;

	fingerprint_add(&b, store_dir(u->s), &n->path, &n->nar_hash, n->nar_size, &n->refs);
	rc = is_signed(&u->keys, (struct slice){ b.p, b.len }, n->sigs, NULL);
	buf_release(&b);
	return rc == 1;
}

/* The path is one that follows from the address that the cache says: the contents are compared with it later. */
static int has_address(const struct substituter *u, const struct narinfo *n)
{
	struct path_info i = { .path = n->path, .ca = n->ca, .refs = n->refs };

	return n->ca && !store_check_address(u->s, &i, NULL);
}

static int is_fixed(const struct item *i)
{
	return i->known.foreign || (i->known.is_fixed && i->known.method != CA_GIT);
}

/* For questions. */
static int accept(void *user, struct question *q)
{
	struct item *i = user;
	struct substituter *u = i->u;

	i->vouched = 1;
	if (is_fixed(i) && !q->info.refs.n)
		return 1;
	if (narinfo_is_signed(u, &q->info) || has_address(u, &q->info))
		return 1;
	i->vouched = 0;
	if (!u->check_sigs || q->from->at.trusted)
		return 1;
	cache_note(&u->caches, q->from,
		   "what the binary cache '%s' has is not used where no key of trusted-public-keys signed it, as '%s'",
		   q->from->at.shown, q->path.base);
	return 0;
}

/* --- asking --- */

static int add_references(struct substituter *u, const struct item *i, struct err *e)
{
	int rc = 0;

	for (size_t k = 0; rc >= 0 && k < i->q.info.refs.n; k++) {
		const struct store_path *p = &i->q.info.refs.v[k];

		if (!store_path_cmp(p, &i->q.path) || substitute_find(u, p))
			continue;
		rc = store_is_there(u->s, p, NULL, e);
		if (!rc)
			item_of(u, p);
	}
	return rc < 0 ? rc : 0;
}

/* Starts and ends questions; *waiting: how many are under way.  An answer may bring more. */
static int move_all(struct substituter *u, size_t *waiting, struct err *e)
{
	int rc = 0;

	*waiting = 0;
	for (size_t k = u->settled; rc >= 0 && k < u->n && *waiting < QUESTIONS; k++) {
		struct item *i = u->v[k];

		if (i->state != ITEM_NEW)
			continue;
		rc = question_move(&u->caches, &i->q, e);
		if (rc == 0)
			++*waiting;
		if (rc <= 0)
			continue;
		i->state = i->q.from ? ITEM_FOUND : ITEM_MISSING;
		if (i->q.from)
			rc = add_references(u, i, e);
	}
	while (u->settled < u->n && u->v[u->settled]->state != ITEM_NEW)
		u->settled++;
	return rc < 0 ? rc : 0;
}

int substituter_ask(struct substituter *u, struct err *e)
{
	size_t waiting = 0;
	int rc = 0;

	u->settled = 0;
	while (!rc && (rc = move_all(u, &waiting, e)) == 0 && u->settled < u->n)
		if (waiting)
			rc = caches_turn(&u->caches, 1000, e);
	for (size_t k = 0; k < u->n; k++)
		u->v[k]->has = HAS_UNKNOWN;
	return rc;
}

/* --- what can be had --- */

/* Whether a reference is to be had, when what it is itself need not be decided first. */
static enum has has_reference(struct substituter *u, const struct item *i, const struct store_path *p, struct item **todo)
{
	struct item *r = substitute_find(u, p);

	if (!store_path_cmp(p, &i->q.path))
		return HAS_ALL;
	if (!r) /* it was valid when it was asked for */
		return HAS_ALL;
	*todo = r;
	return r->has;
}

/* Decides about one as far as its references are decided; *todo is one that has to be first. */
static enum has decide(struct substituter *u, struct item *i, struct item **todo)
{
	if (i->state == ITEM_VALID)
		return HAS_ALL;
	if (i->state != ITEM_FOUND)
		return HAS_NOT;
	for (size_t k = 0; k < i->q.info.refs.n; k++) {
		enum has h = has_reference(u, i, &i->q.info.refs.v[k], todo);

		if (h != HAS_ALL)
			return h == HAS_ASKING ? HAS_NOT : h; /* they refer to one another */
	}
	return HAS_ALL;
}

int substituter_has(struct substituter *u, const struct store_path *p)
{
	struct item *i = substitute_find(u, p), *todo, **stack = NULL;
	size_t n = 0, cap = 0;

	if (!i)
		return 0;
	for (struct item *at = i; at;) {
		enum has h = at->has == HAS_ALL || at->has == HAS_NOT ? at->has : decide(u, at, &todo);

		if (h == HAS_UNKNOWN) {
			at->has = HAS_ASKING;
			ARRAY_GROW(stack, n + 1, cap);
			stack[n++] = at;
			at = todo;
			continue;
		}
		at->has = h;
		at = n ? stack[--n] : NULL;
		if (at)
			at->has = HAS_UNKNOWN;
	}
	free(stack);
	return i->has == HAS_ALL;
}

void substitute_closure(struct substituter *u, const struct path_set *paths, struct path_set *out)
{
	struct item **todo = xcalloc(u->n + paths->n + 1, sizeof *todo);
	size_t n = 0;

	for (size_t k = 0; k < paths->n; k++) {
		struct item *i = substitute_find(u, &paths->v[k]);

		if (i && i->state == ITEM_FOUND && path_set_add(out, &i->q.path))
			todo[n++] = i;
	}
	while (n) {
		struct item *i = todo[--n];

		for (size_t k = 0; k < i->q.info.refs.n; k++) {
			struct item *r = substitute_find(u, &i->q.info.refs.v[k]);

			if (r && r->state == ITEM_FOUND && path_set_add(out, &r->q.path))
				todo[n++] = r;
		}
	}
	free(todo);
}

const struct narinfo *substituter_info(struct substituter *u, const struct store_path *p)
{
	const struct item *i = substitute_find(u, p);

	return i && i->state == ITEM_FOUND ? &i->q.info : NULL;
}

void substituter_plan(struct substituter *u, const struct path_set *paths, struct path_set *out, uint64_t *packed,
		      uint64_t *unpacked)
{
	struct path_set all = PATH_SET_INIT;

	substitute_closure(u, paths, &all);
	for (size_t k = 0; k < all.n; k++) {
		const struct narinfo *n = &substitute_find(u, &all.v[k])->q.info;

		*packed += n->file_size ? n->file_size : n->nar_size;
		*unpacked += n->nar_size;
	}
	path_set_add_all(out, &all);
	path_set_release(&all);
}

const char *substituter_reason(struct substituter *u, const struct store_path *p)
{
	struct item *i = substitute_find(u, p);

	return i && i->state == ITEM_FAILED ? i->err.msg : NULL;
}

size_t substituter_count(const struct substituter *u)
{
	return u->made;
}

/* --- making one --- */

static int make(struct substituter **out, struct store *s, const char *list, int check_sigs,
		void (*note)(void *user, const char *text), void *user, struct err *e)
{
	struct substituter *u = xcalloc(1, sizeof *u);
	int rc = caches_open(&u->caches, list, store_dir(s), e);

	if (rc && list == cache_settings.substituters)
		err_prefix(e, "the setting 'substituters'");
	u->s = s;
	u->check_sigs = check_sigs;
	rc = rc ? rc : trusted_keys(store_dir(s), &u->keys, e);
	u->caches.note = note;
	u->caches.user = user;
	u->caches.may_be_elsewhere = 1;
	if (rc)
		substituter_free(u);
	*out = rc ? NULL : u;
	return rc;
}

int substituter_new(struct substituter **out, struct store *s, void (*note)(void *user, const char *text), void *user,
		    struct err *e)
{
	const char *list = !cache_settings.substitute ? "" : cache_settings.substituters ? cache_settings.substituters :
			   slice_eq(store_dir(s), store_dir_default) ? USUAL_SUBSTITUTERS : "";

	return make(out, s, list, store_wants_sigs(s), note, user, e);
}

int substituter_new_from(struct substituter **out, struct store *s, const char *address, int check_sigs,
			 void (*note)(void *user, const char *text), void *user, struct err *e)
{
	int rc = make(out, s, address, check_sigs && store_wants_sigs(s), note, user, e);

	if (!rc)
		(*out)->caches.insist = 1;
	return rc;
}

void substituter_cancel_by(struct substituter *u, int fd)
{
	u->caches.cancel_fd = fd;
}

int substituter_any(const struct substituter *u)
{
	return u->caches.n > 0;
}

void substituter_free(struct substituter *u)
{
	if (!u)
		return;
	for (size_t k = 0; k < u->n; k++) {
		question_release(&u->v[k]->q);
		err_release(&u->v[k]->err);
		free(u->v[k]);
	}
	free(u->v);
	free(u->table);
	public_keys_release(&u->keys);
	caches_release(&u->caches);
	free(u);
}
