/* SPDX-License-Identifier: MIT
 *
 * Rows that cannot be right, whoever wrote them.
 *
 * Using an object asks only what its user knows (store/claims.h).  Here everything that the store itself can tell is put
 * together: every derivation is checked; every fixed output of one that is right must be that; what has no content
 * address must not have been made by a derivation that is wrong; and what has one must be what it says.
 *
 * What a program without these checks let in and whose maker was collected since, an input-addressed output or a source
 * that nothing pins, cannot be told from an honest one by looking; a source is found out as soon as somebody has the
 * right one.
 */
#include "config.h"
#include "format/goh1.h"
#include "format/nar.h"
#include "format/rewrite.h"
#include "store/claims.h"
#include "store/object.h"
#include "store/store_int.h"
#include "store/verify.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

struct audit {
	struct store *s;
	const struct verify_options *o;
	void (*bad)(void *arg, const struct store_path *p, const char *why);
	void *arg;
	struct path_set told;
};

/* Tells of an error about p, once; what is no statement about the store ends the audit. */
static int tell(struct audit *a, const struct store_path *p, int rc, struct err *why, struct err *e)
{
	int fatal = rc == ERR_IO || rc == ERR_INTERRUPT;

	if (rc < 0 && fatal)
		err_set(e, rc, "%s", why->msg);
	else if (rc < 0 && !path_set_has(&a->told, p)) {
		path_set_add(&a->told, p);
		a->bad(a->arg, p, why->msg);
	}
	err_release(why);
	return rc < 0 && fatal ? rc : 0;
}

static int is_there(const struct audit *a, const struct store_path *p)
{
	struct stat st;

	return fstatat(a->s->fd, p->base, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* --- derivations and what they fix --- */

struct content_check {
	const struct verify_options *o;
	const struct drv *d;
};

/* For struct fixed_output. */
static int contents(void *user, int dirfd, const char *name, struct hash *out, struct err *e)
{
	const struct content_check *c = user;

	return c->o->content_hash(NULL, c->d, SLICE(GO_H1_MODE), dirfd, name, out, e);
}

static int check_fixed(struct audit *a, const struct store_path *drv, const struct drv *d, struct err *e)
{
	const struct slice *mode = drv_env(d, SLICE("outputHashMode"));
	const struct drv_output *o = &d->outputs[0];
	struct content_check c = { a->o, d };
	struct err why = ERR_INIT;
	struct store_path p;
	int rc = store_path_parse(store_dir(a->s), o->path, &p, e);

	if (rc || !is_there(a, &p))
		return rc;
	if (!mode || !slice_eq(*mode, SLICE(GO_H1_MODE)))
		rc = store_is_valid_as(a->s, &p, o->method, &o->hash, &why);
	else if (a->o->content_hash)
		rc = store_is_fixed(a->s, &p, &(struct fixed_output){ drv, &o->hash, contents, &c }, &why);
	return tell(a, &p, rc, &why, e);
}

static int check_drv(struct audit *a, const struct store_path *p, struct err *e)
{
	struct err why = ERR_INIT;
	struct drv d;
	int rc = store_read_drv(a->s, p, &d, &why);

	if (rc)
		return rc == ERR_NOTFOUND ? (err_release(&why), 0) : tell(a, p, rc, &why, e);
	rc = store_check_drv(a->s, p, &d, &why);
	if (rc)
		rc = tell(a, p, rc, &why, e);
	else if (d.outputs[0].kind == DRV_FIXED)
		rc = check_fixed(a, p, &d, e);
	drv_release(&d);
	return rc;
}

/* --- content addresses --- */

/* Contents that are not even those of the row: of that is told elsewhere. */
static int was_changed(struct audit *a, const struct path_info *i)
{
	struct hash h;

	return nar_hash(i->nar_hash.algo, a->s->fd, i->path.base, i->path.base, NULL, &h, NULL, NULL) ||
	       !hash_eq(&h, &i->nar_hash);
}

static int on_bytes(void *user, const void *p, size_t n, struct err *e)
{
	(void)e;
	self_hash_feed(user, p, n);
	return 0;
}

/* Of an object that refers to itself; only archives by SHA-256 may do that. */
static int hash_but_self(struct store *s, const struct path_info *i, struct hash *out, struct err *e)
{
	struct self_hash *h = self_hash_new(i->path.base);
	int rc = nar_write(s->fd, i->path.base, i->path.base, NULL, &(struct nar_sink){ on_bytes, h }, e);

	self_hash_end(h, out);
	return rc;
}

static int check_address(struct audit *a, const struct path_info *i, struct err *why)
{
	enum ca_method m;
	struct hash want, got;
	int rc = store_check_address(a->s, i, why);

	if (rc || !a->o->check_contents || (rc = ca_parse(slice_of(i->ca), &m, &want, why)))
		return rc;
	if (path_set_has(&i->refs, &i->path))
		rc = hash_but_self(a->s, i, &got, why);
	else if (m == CA_NAR && want.algo == i->nar_hash.algo)
		got = i->nar_hash;
	else if (m == CA_GIT)
		return 0;
	else
		rc = store_hash_contents(a->s, &i->path, m, want.algo, &got, why);
	if (!rc && !hash_eq(&got, &want) && !was_changed(a, i))
		rc = err_set(why, ERR_INVALID, "'%s/%s' does not have the content address '%s' that it was registered with",
			     a->s->place->store_dir, i->path.base, i->ca);
	return rc;
}

static int check_row(struct audit *a, const struct store_path *p, struct err *e)
{
	struct err why = ERR_INIT;
	struct path_info info;
	int rc = db_info(a->s->db, p, &info, &why);

	if (!rc)
		rc = info.ca ? check_address(a, &info, &why) : store_is_made(a->s, p, NULL, &why);
	path_info_release(&info);
	return rc == ERR_NOTFOUND ? (err_release(&why), 0) : tell(a, p, rc, &why, e);
}

int claims_verify(struct store *s, const struct path_set *all, const struct verify_options *o,
		  void (*bad)(void *arg, const struct store_path *p, const char *why), void *arg, struct err *e)
{
	struct audit a = { s, o, bad, arg, PATH_SET_INIT };
	int rc = 0;

	for (size_t i = 0; !rc && i < all->n; i++)
		if (store_path_is_drv(&all->v[i]) && is_there(&a, &all->v[i]))
			rc = check_drv(&a, &all->v[i], e);
	for (size_t i = 0; !rc && i < all->n; i++)
		if (is_there(&a, &all->v[i]))
			rc = check_row(&a, &all->v[i], e);
	path_set_release(&a.told);
	return rc;
}
