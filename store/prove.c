/* SPDX-License-Identifier: MIT
 *
 * Proofs.  A store path is a hash of what it promises, so much can be said of an object without anybody's word for it:
 *
 *     derivation         the path is that of its text with the references that the text names, and its outputs are those
 *                        that follow from it and its inputs
 *     source, text,      the path follows from the contents, hashed by one of the methods, with the references found in
 *     fixed output       them or with none
 *     any other output   a proved derivation lists it; what a fixed one lists is hashed as it says.  Contents of the rest
 *                        are what is there: half of an output cannot be, for outputs get their names whole and in
 *                        canonical form.
 *
 * and nothing is proved before all that it refers to is.  References are found by scanning for the digests of all objects;
 * where the old row had fewer (an object that happens to name another) the new one keeps more alive than it must.
 *
 * Reading is done on all cores.  Deciding begins with what refers to nothing and goes on to what refers to that; a
 * derivation is decided after its inputs, and hands its outputs on.
 */
#include "config.h"
#include "store/prove.h"
#include "base/alloc.h"
#include "base/dir.h"
#include "base/fdio.h"
#include "base/limits.h"
#include "base/parallel.h"
#include "format/goh1.h"
#include "format/modulo.h"
#include "format/nar.h"
#include "format/refscan.h"
#include "store/store_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct prover {
	struct proof *v;
	size_t n;
	struct path_set all;
	int dirfd;
	struct slice dir;
	const struct rebuild_options *o;
	struct refscan *scans[PARALLEL_MAX];
	struct drv_memo memo;
	size_t *todo, ntodo, captodo; /* indices to look at again */
};

static void speak_against(struct proof *p, struct err *why)
{
	free(p->why);
	p->why = why->msg;
	*why = (struct err)ERR_INIT;
}

/* --- reading --- */

struct tee {
	struct hash_ctx hash;
	struct refscan *scan;
	uint64_t size;
};

static int on_bytes(void *user, const void *p, size_t n, struct err *e)
{
	struct tee *t = user;

	hash_update(&t->hash, p, n);
	refscan_feed(t->scan, p, n);
	t->size += n;
	(void)e;
	return 0;
}

static int is_plain_file(const struct prover *v, const struct proof *p)
{
	struct stat st;

	return !fstatat(v->dirfd, p->info.path.base, &st, AT_SYMLINK_NOFOLLOW) && S_ISREG(st.st_mode) &&
	       !(st.st_mode & 0111);
}

/* The path that these contents have with these references, or with none, is p's. */
static int follows(const struct prover *v, const struct path_info *i, enum ca_method m, const struct hash *h, int with_refs)
{
	size_t n = with_refs ? i->refs.n : 0;
	struct slice *refs = xcalloc(n + 1, sizeof *refs), name = store_path_name(&i->path);
	struct buf text = BUF_INIT;
	struct store_path want;
	int rc;

	buf_reserve(&text, (n + 1) * (v->dir.n + STORE_BASE_MAX + 2));
	for (size_t k = 0; k < n; k++) {
		size_t at = text.len;
		store_path_add(&text, v->dir, &i->refs.v[k]);
		refs[k] = (struct slice){ text.p + at, text.len - at };
	}
	rc = m == CA_TEXT ? store_path_make_text(v->dir, name, h, refs, n, &want, NULL) :
			    store_path_make_fixed(v->dir, name, m, h, refs, n, 0, &want, NULL);
	free(refs);
	buf_release(&text);
	return !rc && !store_path_cmp(&want, &i->path);
}

/* Takes the content address if it is the one; the references as well, for with none it has none. */
static int take_address(const struct prover *v, struct path_info *i, enum ca_method m, const struct hash *h)
{
	struct buf ca = BUF_INIT;
	int bare = follows(v, i, m, h, 0);

	if (!bare && !(i->refs.n && follows(v, i, m, h, 1)))
		return 0;
	if (bare)
		path_set_release(&i->refs);
	ca_add(&ca, m, h);
	i->ca = buf_detach(&ca, NULL);
	return 1;
}

/* By the method and algorithm that nearly everything has. */
static void find_address(const struct prover *v, struct proof *p)
{
	struct hash flat;

	if (take_address(v, &p->info, CA_NAR, &p->info.nar_hash) || !is_plain_file(v, p) ||
	    nar_hash_file_flat(HASH_SHA256, v->dirfd, p->info.path.base, &flat, NULL, NULL))
		return;
	if (!take_address(v, &p->info, CA_TEXT, &flat))
		take_address(v, &p->info, CA_FLAT, &flat);
}

/* By the others. */
static void find_rare_address(void *arg, unsigned worker, size_t i)
{
	static const enum hash_algo algos[] = { HASH_SHA512, HASH_SHA1, HASH_MD5 };
	const struct prover *v = arg;
	struct proof *p = &v->v[i];
	struct hash h;

	if (p->state || p->info.ca || store_path_is_drv(&p->info.path))
		return;
	for (size_t k = 0; k < sizeof algos / sizeof *algos && !p->info.ca; k++) {
		if (!nar_hash(algos[k], v->dirfd, p->info.path.base, p->info.path.base, NULL, &h, NULL, NULL))
			take_address(v, &p->info, CA_NAR, &h);
		if (!p->info.ca && is_plain_file(v, p) &&
		    !nar_hash_file_flat(algos[k], v->dirfd, p->info.path.base, &h, NULL, NULL))
			take_address(v, &p->info, CA_FLAT, &h);
	}
	(void)worker;
}

/* --- derivations --- */

int proofs_read_drv(int dirfd, struct slice dir, const struct store_path *p, struct buf *text, struct drv *d, struct err *e)
{
	struct slice name = store_path_name(p);
	struct stat st;
	int fd = openat(dirfd, p->base, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), rc = 0;

	if (fd < 0 || fstat(fd, &st) < 0)
		rc = err_errno(e, "it cannot be opened");
	else if (!S_ISREG(st.st_mode) || (size_t)st.st_size > LIMIT_DRV_TEXT)
		rc = err_set(e, ERR_INVALID, "it is no derivation");
	else if (fd_read_all(fd, text))
		rc = err_errno(e, "it cannot be read");
	if (fd >= 0)
		close(fd);
	name.n -= 4;
	return rc ? rc : drv_parse(d, dir, name, (struct slice){ buf_str(text), text->len }, e);
}

static int read_drv(const struct prover *v, const struct store_path *p, struct buf *text, struct drv *d, struct err *e)
{
	return proofs_read_drv(v->dirfd, v->dir, p, text, d, e);
}

/* What a derivation refers to is what it says, not what else its text may hold. */
static int take_inputs(const struct prover *v, struct path_info *i, const struct drv *d, struct err *e)
{
	struct store_path p;
	int rc = 0;

	path_set_release(&i->refs);
	for (size_t k = 0; !rc && k < d->ninputs + d->nsrcs; k++) {
		rc = store_path_parse(v->dir, k < d->ninputs ? d->inputs[k].path : d->srcs[k - d->ninputs], &p, e);
		if (!rc)
			path_set_push(&i->refs, &p);
	}
	path_set_sort(&i->refs);
	return rc;
}

static void find_text_of_drv(const struct prover *v, struct proof *p)
{
	struct err why = ERR_INIT;
	struct buf text = BUF_INIT, ca = BUF_INIT;
	struct store_path want;
	struct hash h;
	struct drv d;

	if (!read_drv(v, &p->info.path, &text, &d, &why)) {
		if (!take_inputs(v, &p->info, &d, &why) &&
		    !drv_path(&d, v->dir, (struct slice){ buf_str(&text), text.len }, &want, &why) &&
		    store_path_cmp(&want, &p->info.path))
			err_set(&why, ERR_INVALID, "its text is that of '%s'", want.base);
		drv_release(&d);
	}
	if (why.code) {
		speak_against(p, &why);
	} else {
		hash_bytes(HASH_SHA256, text.p, text.len, &h);
		ca_add(&ca, CA_TEXT, &h);
		p->info.ca = buf_detach(&ca, NULL);
	}
	buf_release(&text);
}

/* For parallel_each. */
static void look_at(void *arg, unsigned worker, size_t i)
{
	struct prover *v = arg;
	struct proof *p = &v->v[i];
	struct tee t = { .scan = v->scans[worker] };
	const struct nar_sink sink = { on_bytes, &t };
	struct err why = ERR_INIT;

	if (p->state)
		return;
	refscan_clear(t.scan);
	hash_init(&t.hash, HASH_SHA256);
	if (nar_write(v->dirfd, p->info.path.base, p->info.path.base, NULL, &sink, &why)) {
		speak_against(p, &why);
		return;
	}
	hash_final(&t.hash, &p->info.nar_hash);
	p->info.nar_size = t.size;
	refscan_found(t.scan, &p->info.refs);
	if (store_path_is_drv(&p->info.path))
		find_text_of_drv(v, p);
	else
		find_address(v, p);
}

/* --- deciding --- */

/* Index, or n. */
static size_t index_of(const struct prover *v, const struct store_path *p)
{
	size_t lo = 0, hi = v->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = store_path_cmp(&v->v[mid].info.path, p);
		if (!c)
			return mid;
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return v->n;
}

static void again(struct prover *v, size_t i)
{
	ARRAY_GROW(v->todo, v->ntodo + 1, v->captodo);
	v->todo[v->ntodo++] = i;
}

static void connect(struct prover *v, size_t i)
{
	struct proof *p = &v->v[i];

	for (size_t k = 0; k < p->info.refs.n; k++) {
		size_t to = index_of(v, &p->info.refs.v[k]);
		if (to == i)
			continue;
		p->waiting++;
		if (to == v->n)
			continue; /* for ever */
		ARRAY_GROW(v->v[to].referrers, v->v[to].nreferrers + 1, v->v[to].capreferrers);
		v->v[to].referrers[v->v[to].nreferrers++] = i;
	}
}

static int get_modulo(void *user, struct slice path, struct drv_modulo *out, struct err *e)
{
	struct prover *v = user;
	const struct drv_modulo *m = drv_memo_get(&v->memo, path);

	if (!m)
		return err_set(e, ERR_NOTFOUND, "it needs '%s', which is not proved", path.p);
	*out = *m;
	return 0;
}

static void hand_on(struct prover *v, size_t i, const struct drv *d)
{
	for (size_t k = 0; k < d->noutputs; k++) {
		struct store_path p;
		size_t to;
		if (!d->outputs[k].path.n || store_path_parse(v->dir, d->outputs[k].path, &p, NULL))
			continue;
		to = index_of(v, &p);
		if (to == v->n || v->v[to].maker)
			continue;
		v->v[to].maker = i + 1;
		again(v, to);
	}
}

/* A derivation whose inputs are proved: 1 when its outputs are what follows from it. */
static int check_drv(struct prover *v, size_t i)
{
	const struct drv_cache cache = { get_modulo, v };
	struct proof *p = &v->v[i];
	struct buf text = BUF_INIT, path = BUF_INIT;
	struct err why = ERR_INIT;
	struct drv_modulo m;
	struct drv d;

	if (!read_drv(v, &p->info.path, &text, &d, &why)) {
		store_path_add(&path, v->dir, &p->info.path);
		if (!drv_check(&d, v->dir, (struct slice){ path.p, path.len }, &cache, &m, &why)) {
			drv_memo_put(&v->memo, (struct slice){ path.p, path.len }, &m);
			hand_on(v, i, &d);
		}
		drv_release(&d);
	}
	buf_release(&text);
	buf_release(&path);
	if (!why.code)
		return 1;
	speak_against(p, &why);
	return 0;
}

/* That the contents are what a fixed output of d must be. */
static int check_fixed(struct prover *v, struct proof *p, const struct drv *d, struct err *e)
{
	const struct slice *mode = drv_env(d, SLICE("outputHashMode"));
	const struct drv_output *o = &d->outputs[0];
	struct buf ca = BUF_INIT;
	struct hash got;
	int go = mode && slice_eq(*mode, SLICE(GO_H1_MODE)), rc;

	if (go && v->o->content_hash)
		rc = v->o->content_hash(NULL, d, *mode, v->dirfd, p->info.path.base, &got, e);
	else if (o->method == CA_NAR)
		rc = nar_hash(o->hash.algo, v->dirfd, p->info.path.base, p->info.path.base, NULL, &got, NULL, e);
	else
		rc = nar_hash_file_flat(o->hash.algo, v->dirfd, p->info.path.base, &got, NULL, e);
	if (!rc && !hash_eq(&got, &o->hash))
		rc = err_set(e, ERR_HASH, "its contents do not have the hash that its derivation asks for");
	if (!rc && !go) {
		ca_add(&ca, o->method, &o->hash);
		p->info.ca = buf_detach(&ca, NULL);
	}
	return rc;
}

static int check_output(struct prover *v, struct proof *p)
{
	const struct store_path *maker = &v->v[p->maker - 1].info.path;
	struct buf text = BUF_INIT, odd = BUF_INIT;
	struct err why = ERR_INIT;
	struct drv d;

	if (!read_drv(v, maker, &text, &d, &why)) {
		if (d.outputs[0].kind == DRV_FIXED)
			check_fixed(v, p, &d, &why);
		else if (verify_form(v->dirfd, p->info.path.base, &odd))
			err_set(&why, ERR_INVALID, "it is not in the form of a store object: %s", odd.p);
		drv_release(&d);
	}
	buf_release(&text);
	buf_release(&odd);
	if (why.code) {
		speak_against(p, &why);
		return 0;
	}
	return 1;
}

static void accept(struct prover *v, size_t i, enum proof_state state)
{
	struct proof *p = &v->v[i];

	p->state = state;
	p->accepted = 1;
	for (size_t k = 0; k < p->nreferrers; k++)
		if (!--v->v[p->referrers[k]].waiting)
			again(v, p->referrers[k]);
}

static void decide(struct prover *v)
{
	while (v->ntodo) {
		size_t i = v->todo[--v->ntodo];
		struct proof *p = &v->v[i];
		int is_drv = store_path_is_drv(&p->info.path);
		if (p->accepted || p->waiting || p->why)
			continue;
		if (p->state == PROOF_GIVEN) {
			if (is_drv)
				check_drv(v, i); /* for what it makes; whether it may is verify's question */
			accept(v, i, PROOF_GIVEN);
		} else if (is_drv ? check_drv(v, i) : p->info.ca || (p->maker && check_output(v, p))) {
			accept(v, i, PROOF_GOOD);
		}
	}
}

/* What no proof was found for, beginning with what refers to nothing of that kind. */
static void trust(struct prover *v)
{
	for (size_t i = 0; i < v->n; i++)
		again(v, i);
	while (v->ntodo) {
		size_t i = v->todo[--v->ntodo];
		struct proof *p = &v->v[i];
		/* A derivation that is none would be no better for being trusted, and what cannot be read has no hash. */
		if (!p->state && !p->waiting && p->info.nar_size && !store_path_is_drv(&p->info.path))
			accept(v, i, PROOF_TRUSTED);
	}
}

/* A reason for what has none. */
static void explain(struct prover *v, struct proof *p)
{
	struct err why = ERR_INIT;

	if (p->state || p->why)
		return;
	for (size_t k = 0; k < p->info.refs.n && p->waiting; k++) {
		size_t to = index_of(v, &p->info.refs.v[k]);
		if (to == v->n || (!v->v[to].state && &v->v[to] != p))
			err_set(&why, ERR_INVALID, "it refers to '%s', which is %s", p->info.refs.v[k].base,
				to == v->n ? "not there" : "left out");
	}
	if (!why.code)
		err_set(&why, ERR_INVALID, "its path does not follow from its contents, and no derivation that is there "
			"makes it");
	speak_against(p, &why);
}

/* --- all of it --- */

/* Lock files are named like objects. */
static int is_lock(const struct prover *v, const char *name)
{
	size_t n = strlen(name);
	struct stat st;

	return n > 5 && !strcmp(name + n - 5, ".lock") && !fstatat(v->dirfd, name, &st, AT_SYMLINK_NOFOLLOW) &&
	       S_ISREG(st.st_mode) && st.st_size <= 1;
}

static int list(struct prover *v, struct err *e)
{
	struct store_path p;
	struct dir d;
	int rc = dir_open(&d, v->dirfd, ".", e);

	while (!rc && (rc = dir_next(&d, e)) > 0) {
		rc = 0;
		if (strcmp(d.name, stage_common) && !store_path_parse_base(slice_of(d.name), &p, NULL) &&
		    !is_lock(v, d.name))
			path_set_push(&v->all, &p);
	}
	dir_close(&d);
	path_set_sort(&v->all);
	v->n = v->all.n;
	v->v = xcalloc(v->n + 1, sizeof *v->v);
	for (size_t i = 0; i < v->n; i++)
		v->v[i].info.path = v->all.v[i];
	return rc;
}

static int take_known(struct prover *v, struct db *known, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; known && !rc && i < v->n; i++) {
		struct path_info info;
		rc = db_is_valid(known, &v->v[i].info.path, e);
		if (rc > 0 && !(rc = db_info(known, &v->v[i].info.path, &info, e))) {
			v->v[i].info = info;
			v->v[i].state = PROOF_GIVEN;
		}
	}
	return rc;
}

static void read_all(struct prover *v)
{
	unsigned n = parallel_workers();

	for (unsigned k = 0; k < n; k++)
		v->scans[k] = refscan_new(&v->all);
	parallel_each(v->n, look_at, v);
	for (unsigned k = 0; k < n; k++)
		refscan_free(v->scans[k]);
}

static void decide_all(struct prover *v)
{
	for (size_t i = 0; i < v->n; i++)
		connect(v, i);
	for (size_t i = 0; i < v->n; i++)
		again(v, i);
	decide(v);
	/* Of what it refers to something is gone. */
	for (size_t i = 0; i < v->n; i++)
		if (!v->v[i].accepted)
			v->v[i].state = PROOF_NONE;
	parallel_each(v->n, find_rare_address, v);
	for (size_t i = 0; i < v->n; i++)
		again(v, i);
	decide(v);
	if (v->o->trust_contents)
		trust(v);
	for (size_t i = 0; i < v->n; i++) {
		struct proof *p = &v->v[i];
		explain(v, p);
		/* What proves itself may have been accepted before its maker was. */
		if (p->state == PROOF_GOOD && p->maker)
			p->info.deriver = v->v[p->maker - 1].info.path;
	}
}

int proofs_make(struct proofs *out, int dirfd, struct slice store_dir, struct db *known, const struct rebuild_options *o,
		struct err *e)
{
	struct prover v = { .dirfd = dirfd, .dir = store_dir, .o = o };
	int rc = list(&v, e);

	if (!rc)
		rc = take_known(&v, known, e);
	if (!rc) {
		read_all(&v);
		decide_all(&v);
	}
	*out = (struct proofs){ v.v, v.n };
	path_set_release(&v.all);
	drv_memo_release(&v.memo);
	free(v.todo);
	if (rc)
		proofs_release(out);
	return rc;
}

void proofs_release(struct proofs *p)
{
	for (size_t i = 0; i < p->n; i++) {
		path_info_release(&p->v[i].info);
		free(p->v[i].why);
		free(p->v[i].referrers);
	}
	free(p->v);
	*p = (struct proofs){ 0 };
}
