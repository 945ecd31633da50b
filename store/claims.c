/* SPDX-License-Identifier: MIT
 *
 * Who may be believed about an object; the rules stand in the header.
 *
 * What is remembered of a derivation is remembered under its path, so its text has to be bound to that path for good: by the
 * content address in its row, or, for rows of old programs, by being the text object that its path names.  Nix binds them no
 * further than by asking whether the outputs are right.
 *
 * Reading inputs asks the evaluator of this process first (store_set_known_drvs): it has computed most of them a moment
 * ago, and to read a graph of ten thousand back would take longer than to evaluate it.
 */
#include "config.h"
#include "store/claims.h"
#include "base/limits.h"
#include "format/drv_load.h"
#include "format/goh1.h"
#include "format/nar.h"
#include "store/store_int.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

/* --- derivations --- */

/* For a row without a content address. */
static int check_bound(struct store *s, const struct store_path *p, struct slice text, struct err *e)
{
	struct slice name = store_path_name(p);
	struct store_path want;
	struct drv d;
	int rc = drv_parse(&d, store_dir(s), (struct slice){ name.p, name.n - 4 }, text, e);

	if (rc)
		return rc;
	rc = drv_path(&d, store_dir(s), text, &want, e);
	drv_release(&d);
	if (!rc && store_path_cmp(&want, p))
		rc = err_set(e, ERR_INVALID, "its path does not follow from its text");
	return rc;
}

static int read_text(struct store *s, const struct store_path *p, const char *ca, struct buf *text, struct err *e)
{
	size_t at = text->len;
	int rc = store_path_is_drv(p) ? 0 : err_set(e, ERR_INVALID, "'%s' is not a derivation", p->base);

	rc = rc ? rc : store_read(s, p, LIMIT_DRV_TEXT, text, e);
	if (!rc && !ca && (rc = check_bound(s, p, (struct slice){ buf_str(text) + at, text->len - at }, e)))
		err_prefix(e, "'%s' is no derivation", p->base);
	return rc;
}

int store_read_drv_text(struct store *s, const struct store_path *p, struct buf *text, struct err *e)
{
	struct store_path deriver;
	char *ca;
	int rc = db_origin(s->db, p, &ca, &deriver, e);

	if (rc == 0)
		rc = s->eval_store ? store_read_drv_text(s->eval_store, p, text, e) :
		     err_set(e, ERR_NOTFOUND, "derivation '%s/%s' is not in the store", s->place->store_dir, p->base);
	else if (rc > 0)
		rc = read_text(s, p, ca, text, e);
	free(ca);
	return rc;
}

static int parse(struct store *s, const struct store_path *p, const struct buf *text, struct drv *d, struct err *e)
{
	struct slice name = store_path_name(p);
	int rc = drv_parse(d, store_dir(s), (struct slice){ name.p, name.n - 4 }, (struct slice){ buf_str(text), text->len }, e);

	if (rc)
		err_prefix(e, "'%s' is no derivation", p->base);
	return rc;
}

int store_read_drv(struct store *s, const struct store_path *p, struct drv *d, struct err *e)
{
	struct buf text = BUF_INIT;
	int rc = store_read_drv_text(s, p, &text, e);

	rc = rc ? rc : parse(s, p, &text, d, e);
	buf_release(&text);
	return rc;
}

int store_read_new_drv(struct store *s, const struct path_info *i, struct drv *d, struct err *e)
{
	struct buf text = BUF_INIT;
	int rc = read_text(s, &i->path, i->ca, &text, e);

	rc = rc ? rc : parse(s, &i->path, &text, d, e);
	buf_release(&text);
	return rc;
}

static int known(void *user, struct slice path, struct drv_modulo *out, struct err *e)
{
	struct store *s = user;
	const struct drv_modulo *m = drv_memo_get(&s->drvs, path);

	(void)e;
	if (!m)
		return s->known_drv ? s->known_drv(s->known_user, path, out) : 0;
	*out = *m;
	return 1;
}

static int read_one(void *user, struct slice path, struct drv *d, struct err *e)
{
	struct store *s = user;
	struct store_path p;
	int rc = store_path_parse(store_dir(s), path, &p, e);

	return rc ? rc : store_read_drv(s, &p, d, e);
}

static void keep(void *user, struct slice path, const struct drv *d, const struct drv_modulo *m)
{
	(void)d;
	drv_memo_put(&((struct store *)user)->drvs, path, m);
}

int store_check_drv(struct store *s, const struct store_path *p, const struct drv *d, struct err *e)
{
	const struct drv_reader reader = { known, read_one, keep, s };
	struct buf path = BUF_INIT;
	struct drv_modulo m;
	int rc = 0;

	store_add_path(s, &path, p);
	if (!known(s, (struct slice){ path.p, path.len }, &m, NULL))
		rc = drv_load_parsed(&reader, store_dir(s), (struct slice){ path.p, path.len }, d, e);
	buf_release(&path);
	return rc;
}

void store_know_drv(struct store *s, const struct store_path *p, const struct drv_modulo *m)
{
	struct buf path = BUF_INIT;

	store_add_path(s, &path, p);
	drv_memo_put(&s->drvs, (struct slice){ path.p, path.len }, m);
	buf_release(&path);
}

int store_drv_modulo(void *user, struct slice path, struct drv_modulo *out, struct err *e)
{
	const struct drv_reader reader = { known, read_one, keep, user };
	int rc = known(user, path, out, NULL);

	if (rc)
		return rc < 0 ? rc : 0;
	rc = drv_load(&reader, store_dir(user), path, e);
	return rc				   ? rc
	       : known(user, path, out, NULL) == 1 ? 0
						   : err_set(e, ERR_NOTFOUND, "'%.*s' is not known", (int)path.n, path.p);
}

void store_set_known_drvs(struct store *s, int (*known_drv)(void *user, struct slice path, struct drv_modulo *out),
			  void *user)
{
	s->known_drv = known_drv;
	s->known_user = user;
}

/* --- objects --- */

/* The error for what has somebody else's place; why may be NULL. */
static int usurped(struct store *s, const struct store_path *p, const struct store_path *deriver, const char *why,
		   struct err *e)
{
	struct buf b = BUF_INIT;

	buf_adds(&b, "'");
	store_add_path(s, &b, p);
	buf_adds(&b, "' is in the store, but is not what its path promises");
	if (deriver->len) {
		buf_adds(&b, ": it was made by '");
		store_add_path(s, &b, deriver);
		buf_adds(&b, "'");
	}
	if (why)
		buf_addf(&b, " (%s)", why);
	buf_adds(&b, "\nit is not used; 'gx store delete ");
	store_add_path(s, &b, p);
	buf_adds(&b, "' makes room for the right one");
	err_set(e, ERR_INVALID, "%s", b.p);
	buf_release(&b);
	return ERR_INVALID;
}

int store_hash_contents(struct store *s, const struct store_path *p, enum ca_method m, enum hash_algo a, struct hash *h,
			struct err *e)
{
	struct stat st;

	if (m == CA_NAR)
		return nar_hash(a, s->fd, p->base, p->base, NULL, h, NULL, e);
	if (fstatat(s->fd, p->base, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_errno(e, "cannot look at the store object '%s'", p->base);
	if (m == CA_GIT || !S_ISREG(st.st_mode) || st.st_mode & 0111)
		return err_set(e, ERR_INVALID, "it cannot be hashed as '%s'", ca_method_name(m));
	return nar_hash_file_flat(a, s->fd, p->base, h, NULL, e);
}

/* Compares the contents of an object whose row says nothing, and lets it say something. */
static int compare_contents(struct store *s, const struct store_path *p, enum ca_method m, const struct hash *h,
			    const struct store_path *deriver, struct err *e)
{
	struct err why = ERR_INIT;
	struct buf ca = BUF_INIT;
	struct hash got;
	int rc;

	if (store_hash_contents(s, p, m, h->algo, &got, &why) || !hash_eq(h, &got)) {
		rc = usurped(s, p, deriver, why.msg, e);
		err_release(&why);
		return rc;
	}
	ca_add(&ca, m, h);
	rc = store_is_readonly(s) ? 0 : db_set_origin(s->db, p, ca.p, NULL, e);
	buf_release(&ca);
	return rc ? rc : 1;
}

int store_is_valid_as(struct store *s, const struct store_path *p, enum ca_method m, const struct hash *h, struct err *e)
{
	struct store_path deriver;
	char *ca;
	int rc = db_origin(s->db, p, &ca, &deriver, e);

	if (rc > 0 && !ca) {
		rc = compare_contents(s, p, m, h, &deriver, e);
	} else if (rc > 0) {
		enum ca_method said;
		struct hash hash;
		if (ca_parse(slice_of(ca), &said, &hash, NULL) || said != m || !hash_eq(&hash, h))
			rc = usurped(s, p, &deriver, ca, e);
	}
	free(ca);
	return rc;
}

/* 1 when the derivation recorded as a maker is not there any more: it tells nothing.  One that is there has all it needs. */
static int check_maker(struct store *s, const struct store_path *deriver, struct err *e)
{
	struct buf path = BUF_INIT;
	struct drv_modulo m;
	struct drv d;
	int rc = store_is_valid(s, deriver, e);

	if (rc <= 0)
		return rc < 0 ? rc : 1;
	store_add_path(s, &path, deriver);
	rc = known(s, (struct slice){ path.p, path.len }, &m, NULL);
	buf_release(&path);
	if (rc || (rc = store_read_drv(s, deriver, &d, e)))
		return rc;
	rc = store_check_drv(s, deriver, &d, e);
	drv_release(&d);
	return rc;
}

int store_is_text(struct store *s, const struct store_path *p, struct slice text, struct err *e)
{
	struct store_path deriver;
	struct hash h;
	char *ca;
	int rc = db_origin(s->db, p, &ca, &deriver, e);

	if (rc > 0 && !(ca && slice_starts(slice_of(ca), SLICE("text:")))) {
		hash_bytes(HASH_SHA256, text.p, text.n, &h);
		rc = store_is_valid_as(s, p, CA_TEXT, &h, e);
	}
	free(ca);
	return rc;
}

int store_is_made(struct store *s, const struct store_path *p, const struct store_path *drv, struct err *e)
{
	struct store_path deriver;
	struct err why = ERR_INIT;
	char *ca;
	int rc = db_origin(s->db, p, &ca, &deriver, e);
	int plain = ca || !deriver.len || (drv && !store_path_cmp(&deriver, drv));

	free(ca);
	if (rc <= 0 || plain)
		return rc;
	if (check_maker(s, &deriver, &why) < 0)
		rc = usurped(s, p, &deriver, why.msg, e);
	err_release(&why);
	return rc;
}

/* That the recorded maker has p as an output fixed by the sum of a Go module.  What it built was compared with that. */
static int is_go_module_of(struct store *s, const struct store_path *p, const struct store_path *deriver)
{
	const struct slice *mode;
	struct store_path out;
	struct drv d;
	int yes;

	if (!deriver->len || store_read_drv(s, deriver, &d, NULL))
		return 0;
	mode = drv_env(&d, SLICE("outputHashMode"));
	yes = mode && slice_eq(*mode, SLICE(GO_H1_MODE)) && d.outputs[0].kind == DRV_FIXED &&
	      !store_check_drv(s, deriver, &d, NULL) && !store_path_parse(store_dir(s), d.outputs[0].path, &out, NULL) &&
	      !store_path_cmp(&out, p);
	drv_release(&d);
	return yes;
}

int store_is_fixed(struct store *s, const struct store_path *p, const struct fixed_output *f, struct err *e)
{
	struct store_path deriver;
	struct err why = ERR_INIT;
	struct hash got;
	char *ca;
	int rc = db_origin(s->db, p, &ca, &deriver, e);

	free(ca);
	if (rc <= 0 || (deriver.len && !store_path_cmp(&deriver, f->drv)) || is_go_module_of(s, p, &deriver))
		return rc;
	if (f->contents(f->user, s->fd, p->base, &got, &why) || !hash_eq(&got, f->hash))
		rc = usurped(s, p, &deriver, why.msg, e);
	else if (!store_is_readonly(s) && (rc = db_set_origin(s->db, p, NULL, f->drv, e)) == 0)
		rc = 1;
	err_release(&why);
	return rc;
}
