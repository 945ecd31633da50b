/* SPDX-License-Identifier: MIT
 *
 * Collection, while others go on adding, building and evaluating.
 *
 *     1. gc.lock exclusively; from here on new temporary roots come over the socket (gc_server.c)
 *     2. roots: temporary ones told before, links, running processes; in this order, for a process first tells, then makes a
 *        link or runs a program, and then ends
 *     3. live = all that the roots reach by references, and by default the derivations that made them
 *     4. delete the others, each after those that refer to it: first the rows of some, then, when the disk has these,
 *        their files
 *     5. delete what lies in the store without a row, unless it is a temporary root or locked
 *
 * A root told during 4 keeps what it reaches of what is still there; that is always complete, because nothing
 * is deleted before what refers to it.  One whose row is gone and whose files are not yet stays on the disk: who told it
 * finds it invalid, and makes it again.  An object registered meanwhile may refer to one that looked dead: the
 * database refuses to forget that one, and it stays.
 *
 * A crash after the row and before the files leaves files without a row, which step 5 of the next collection removes.
 */
#include "config.h"
#include "store/gc.h"
#include "base/dir.h"
#include "base/flock.h"
#include "store/gc_remove.h"
#include "store/gc_server.h"
#include "store/roots.h"
#include "store/store_int.h"
#include "store/tree.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Objects whose rows go at once: one wait for the disk for each so many, and none but readers of the database get on meanwhile,
 * about a tenth of a second. */
enum { BATCH_MAX = 4096, BATCH_GROWS = 4 };

struct gc_settings gc_settings = { .keep_derivations = 1 };

struct gc {
	struct store *s;
	const struct gc_options *o;
	struct gc_result *r;
	struct err *e;
	struct gc_server *server;
	struct path_set roots; /* lasting ones and running processes' */
	struct path_set temp;  /* temporary, valid or not; also told during the run */
	struct path_set live;
	struct path_set dead;
	const struct store_path *deleting;
	struct gc_removal *removing;
	enum db_closure edges;
	int failed; /* asking what a root told meanwhile reaches */
};

static void add_root(void *arg, const char *from, const struct store_path *p)
{
	struct gc *g = arg;

	path_set_push(&g->roots, p);
	(void)from;
}

static void add_temp(void *arg, const char *from, const struct store_path *p)
{
	struct gc *g = arg;

	path_set_push(&g->temp, p);
	(void)from;
}

/* A root that comes while we work. */
static int told(void *arg, const struct store_path *p)
{
	struct path_set one = { (struct store_path *)p, 1, 1 };
	struct gc *g = arg;

	path_set_add(&g->temp, p);
	if (!g->failed)
		g->failed = db_closure(g->s->db, &one, 0, &g->live, g->e);
	if (g->removing)
		return gc_removal_spare(g->removing, p);
	return g->deleting && !memcmp(g->deleting->base, p->base, STORE_HASH_LEN);
}

/* Not what such a root reaches is known when asking the database failed: then nothing more may be deleted. */
static int poll_server(struct gc *g)
{
	if (g->server)
		gc_server_poll(g->server);
	return g->failed;
}

static int pause_step(void *arg)
{
	return poll_server(arg);
}

/* --- what lives --- */

static int find_roots(struct gc *g)
{
	int rc = store_each_root(g->s, ROOTS_TEMP, add_temp, g, g->e);

	if (!rc && !g->o->ignore_liveness)
		rc = store_each_root(g->s, ROOTS_LINKS | ROOTS_RUNTIME, add_root, g, g->e);
	path_set_sort(&g->roots);
	path_set_sort(&g->temp);
	return rc;
}

static int find_live(struct gc *g)
{
	int rc = db_closure(g->s->db, &g->roots, g->edges, &g->live, g->e);

	if (!rc && !(g->o->action == GC_DELETE_PATHS && g->o->ignore_liveness))
		rc = db_closure(g->s->db, &g->temp, g->edges, &g->live, g->e);
	return rc;
}

/* Both sets are in order, and may hold a million: one walk over both, and no third set. */
static int find_dead(struct gc *g)
{
	struct path_set *dead = &g->dead;
	size_t n = 0, l = 0;
	int rc = db_all(g->s->db, dead, g->e);

	for (size_t i = 0; i < dead->n; i++) {
		int c = 1;
		while (l < g->live.n && (c = store_path_cmp(&g->live.v[l], &dead->v[i])) < 0)
			l++;
		if (l == g->live.n || c)
			dead->v[n++] = dead->v[i];
	}
	dead->n = n;
	return rc;
}

/* --- deleting --- */

static void say(struct gc *g, const char *base)
{
	g->r->n++;
	if (g->o->each)
		g->o->each(g->o->arg, base);
}

static int enough(const struct gc *g)
{
	return g->o->max_freed && g->r->freed >= g->o->max_freed;
}

static int remove_files(struct gc *g, const char *base, const struct store_path *p)
{
	const struct tree_pause pause = { pause_step, g };
	int rc;

	g->deleting = p;
	rc = tree_remove(g->s->fd, base, &g->r->freed, &pause, g->e);
	g->deleting = NULL;
	gc_server_release_waiting(g->server);
	return rc;
}

/* 1 when its row is gone, 0 when it stays. */
static int forget(struct gc *g, const struct store_path *p)
{
	struct err why = ERR_INIT;
	int rc;

	if (g->o->action == GC_DELETE_DEAD && (path_set_has(&g->live, p) || path_set_has_digest(&g->temp, p->base)))
		return 0;
	rc = db_forget(g->s->db, p, &why);
	if (rc == ERR_INVALID && g->o->action == GC_DELETE_DEAD) {
		store_notice(g->s, "keeping '%s': something new refers to it", p->base);
		err_release(&why);
		return 0;
	}
	if (rc)
		err_set(g->e, rc, "%s", why.msg);
	err_release(&why);
	return rc ? rc : 1;
}

/* The rows of a batch go in one transaction, in which nobody is listened to: who asks meanwhile is answered when the
 * database says for everybody what is valid. *gone: those that went. */
static int forget_batch(struct gc *g, const struct store_path *v, const size_t *order, size_t n, struct path_set *gone)
{
	int rc = db_begin(g->s->db, g->e);

	if (rc)
		return rc;
	while (rc >= 0 && n-- > 0)
		if ((rc = forget(g, &v[order[n]])) > 0)
			path_set_push(gone, &v[order[n]]);
	if (rc >= 0)
		rc = db_commit(g->s->db, g->e);
	else
		db_rollback(g->s->db);
	/* Or a power cut could bring back rows of files that are gone. */
	return rc ? rc : db_sync(g->s->db, g->e);
}

static void release_waiting(void *arg)
{
	struct gc *g = arg;

	gc_server_release_waiting(g->server);
}

static int delete_batch(struct gc *g, const struct store_path *v, const size_t *order, size_t n)
{
	const struct gc_meanwhile meanwhile = { pause_step, release_waiting, g };
	struct path_set gone = PATH_SET_INIT;
	size_t k = 0;
	int rc = poll_server(g);

	if (!rc)
		rc = forget_batch(g, v, order, n, &gone);
	for (size_t i = 0; !rc && i < gone.n; i++)
		say(g, gone.v[i].base);
	rc = rc ? rc : poll_server(g);
	/* From here on told() finds what is in the batch. */
	for (size_t i = 0; !rc && i < gone.n; i++)
		if (!path_set_has_digest(&g->temp, gone.v[i].base))
			gone.v[k++] = gone.v[i];
	gone.n = k;
	if (!rc)
		rc = gc_remove_all(g->s, &gone, &meanwhile, &g->removing, &g->r->freed, g->e);
	path_set_release(&gone);
	return rc;
}

/* How many of the n to delete next: few at first, so that a root told early saves much, and never far beyond what is to be
 * freed. */
static int batch_size(struct gc *g, const struct store_path *v, const size_t *order, size_t n, size_t *size)
{
	uint64_t freed = g->r->freed;
	size_t most = *size < BATCH_MAX ? BATCH_GROWS * *size : BATCH_MAX;
	int rc = 0;

	if (most == 0)
		most = 1;
	*size = 0;
	while (!rc && *size < most && *size < n && !(*size && g->o->max_freed && freed >= g->o->max_freed)) {
		struct path_info info = { 0 };
		if (g->o->max_freed)
			rc = db_info(g->s->db, &v[order[n - 1 - *size]], &info, g->e);
		freed += info.nar_size;
		path_info_release(&info);
		++*size;
	}
	return rc;
}

/* Those that refer to others first. */
static int delete_objects(struct gc *g, const struct path_set *dead)
{
	size_t *order, n = dead->n, size = 0;
	int rc = store_order(g->s, dead->v, dead->n, &order, g->e);

	while (!rc && n && !enough(g) && !(rc = batch_size(g, dead->v, order, n, &size))) {
		n -= size;
		rc = delete_batch(g, dead->v, order + n, size);
	}
	free(order);
	return rc;
}

/* --- what has no row --- */

/* 1 when a process is working on it: a lock that is held, or Nix's own staging directory. */
static int is_locked(struct gc *g, const char *name)
{
	int fd = openat(g->s->fd, name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC), taken;

	if (fd < 0)
		return 0;
	taken = lock_fd(fd, LOCK_EX | LOCK_NB, NULL) == 1;
	close(fd);
	return taken;
}

static int is_leftover(struct gc *g, const char *name)
{
	struct store_path p;
	size_t n = strlen(name);

	if (!strcmp(name, ".links") || !strcmp(name, stage_common) || !strcmp(name, "lost+found"))
		return 0;
	if (!strncmp(name, "tmp-", 4) || (n > 5 && !strcmp(name + n - 5, ".lock")))
		if (is_locked(g, name))
			return 0;
	if (store_path_parse_base(slice_of(name), &p, NULL))
		return 1;
	/* Most files are of objects that are known: not a question to the database for each. */
	if (path_set_has(&g->live, &p) || (g->o->action == GC_LIST_DEAD && path_set_has(&g->dead, &p)))
		return 0;
	return !path_set_has_digest(&g->temp, name) && db_is_valid(g->s->db, &p, NULL) == 0;
}

static int delete_leftovers(struct gc *g)
{
	struct dir d;
	unsigned seen = 0;
	int list = g->o->action == GC_LIST_DEAD, rc = dir_open(&d, g->s->fd, ".", g->e);

	while (!rc && !enough(g) && (rc = dir_next(&d, g->e)) > 0) {
		struct store_path p;
		/* Whoever speaks up is safe until he is answered; this is only to answer soon. */
		rc = seen++ % 64 ? 0 : poll_server(g);
		if (rc || !is_leftover(g, d.name))
			continue;
		int is_object = !store_path_parse_base(slice_of(d.name), &p, NULL);
		if (list && !is_object)
			continue;
		say(g, d.name);
		if (!list)
			rc = remove_files(g, d.name, is_object ? &p : NULL);
	}
	dir_close(&d);
	if (rc || list)
		return rc;
	rc = stage_sweep(g->s, &g->r->freed, g->e);
	stage_remove_common(g->s);
	return rc;
}

/* Links of an optimised store that no object shares any more. */
static void delete_unused_links(struct gc *g)
{
	struct stat st;
	struct dir d;
	int rc = dir_open(&d, g->s->fd, ".links", NULL);

	while (!rc && dir_next(&d, NULL) > 0) {
		gc_server_poll(g->server); /* nothing that is told now is in danger */
		if (d.name[0] == '.' || fstatat(d.fd, d.name, &st, AT_SYMLINK_NOFOLLOW) < 0 || st.st_nlink != 1)
			continue;
		if (unlinkat(d.fd, d.name, 0) == 0)
			g->r->freed += (uint64_t)st.st_blocks * 512;
	}
	dir_close(&d);
}

/* --- the actions --- */

static int alive(struct gc *g, const struct store_path *p, const char *why)
{
	return err_set(g->e, ERR_INVALID, "cannot delete '%s/%s': %s", g->s->place->store_dir, p->base, why);
}

static int check_deletable(struct gc *g, const struct store_path *p)
{
	struct path_set referrers = PATH_SET_INIT;
	int valid = db_is_valid(g->s->db, p, g->e), rc = valid < 0 ? valid : 0;

	if (valid <= 0)
		return rc;
	if (path_set_has(&g->live, p))
		return alive(g, p, "it is still alive; to see what holds it: gx store roots");
	rc = db_referrers(g->s->db, p, &referrers, g->e);
	for (size_t i = 0; !rc && i < referrers.n; i++)
		if (store_path_cmp(&referrers.v[i], p) && !path_set_has(g->o->paths, &referrers.v[i]))
			rc = err_set(g->e, ERR_INVALID, "cannot delete '%s/%s': '%s' refers to it", g->s->place->store_dir, p->base,
				     referrers.v[i].base);
	path_set_release(&referrers);
	return rc;
}

/* 1 when something outside of the set refers to p. */
static int held_from_outside(struct gc *g, const struct path_set *set, const struct store_path *p)
{
	struct path_set referrers = PATH_SET_INIT;
	int rc = db_referrers(g->s->db, p, &referrers, g->e);

	for (size_t i = 0; !rc && i < referrers.n; i++)
		rc = !path_set_has(set, &referrers.v[i]);
	path_set_release(&referrers);
	return rc;
}

/* What may be deleted of the paths: each that stays may hold others, until none is left that does. */
static int delete_deletable(struct gc *g)
{
	struct path_set set = PATH_SET_INIT;
	size_t before = SIZE_MAX;
	int rc = 0;

	for (size_t i = 0; !rc && i < g->o->paths->n; i++) {
		const struct store_path *p = &g->o->paths->v[i];
		int valid = db_is_valid(g->s->db, p, g->e);

		rc = valid < 0 ? valid : 0;
		if (valid == 1 && !path_set_has(&g->live, p))
			path_set_add(&set, p);
	}
	while (!rc && set.n < before) {
		before = set.n;
		for (size_t i = set.n; !rc && i-- > 0;) {
			int held = held_from_outside(g, &set, &set.v[i]);

			rc = held < 0 ? held : 0;
			if (held == 1)
				path_set_remove(&set, &set.v[i]);
		}
	}
	rc = rc ? rc : delete_objects(g, &set);
	path_set_release(&set);
	return rc;
}

static int delete_paths(struct gc *g)
{
	struct path_set valid = PATH_SET_INIT;
	int rc = 0;

	if (g->o->skip_alive)
		return delete_deletable(g);

	for (size_t i = 0; !rc && i < g->o->paths->n; i++) {
		const struct store_path *p = &g->o->paths->v[i];
		rc = check_deletable(g, p);
		if (!rc && db_is_valid(g->s->db, p, NULL) == 1) {
			path_set_push(&valid, p);
		} else if (!rc && !path_set_has_digest(&g->temp, p->base)) {
			say(g, p->base);
			rc = remove_files(g, p->base, p);
		}
	}
	if (!rc)
		rc = delete_objects(g, &valid);
	path_set_release(&valid);
	return rc;
}

static int act(struct gc *g)
{
	int rc = 0;

	switch (g->o->action) {
	case GC_LIST_LIVE:
		for (size_t i = 0; i < g->live.n; i++)
			say(g, g->live.v[i].base);
		return 0;
	case GC_DELETE_PATHS:
		rc = delete_paths(g);
		break;
	case GC_LIST_DEAD:
		rc = find_dead(g);
		for (size_t i = 0; !rc && i < g->dead.n; i++)
			say(g, g->dead.v[i].base);
		return rc ? rc : delete_leftovers(g);
	case GC_DELETE_DEAD:
		rc = find_dead(g);
		if (!rc)
			rc = delete_objects(g, &g->dead);
		if (!rc && !enough(g))
			rc = delete_leftovers(g);
		break;
	}
	if (!rc)
		delete_unused_links(g);
	return rc;
}

static int lock_out_others(struct gc *g, int *lock)
{
	int rc;

	*lock = store_open_gc_lock(g->s, g->e);
	if (*lock < 0)
		return *lock;
	rc = lock_fd(*lock, LOCK_EX | LOCK_NB, g->e);
	if (rc == 1) {
		store_notice(g->s, "waiting for another garbage collector");
		rc = lock_fd(*lock, LOCK_EX, g->e);
	}
	return rc;
}

/* Tests hold a collection here: the variable names a pipe, and it goes on when somebody has written into that.  Others are served
 * meanwhile. */
static void pause_for_test(const struct gc *g, const char *variable)
{
	const struct timespec moment = { .tv_nsec = 10000000 };
	const char *path = getenv(variable);
	int fd = path ? open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC) : -1;
	char byte;

	if (fd < 0)
		return;
	while (read(fd, &byte, 1) <= 0) {
		if (g->server)
			gc_server_poll(g->server);
		nanosleep(&moment, NULL);
	}
	close(fd);
}

int store_gc(struct store *s, const struct gc_options *o, struct gc_result *out, struct err *e)
{
	struct gc g = { .s = s, .o = o, .r = out, .e = e };
	int deletes = o->action == GC_DELETE_DEAD || o->action == GC_DELETE_PATHS;
	int lock = -1, rc = deletes ? store_want_writable(s, e) : 0;

	*out = (struct gc_result){ 0 };
	if (s->source)
		return s->source->gc(s->source->user, o, out, e);
	if (rc)
		return rc;
	if (o->action != GC_DELETE_PATHS)
		g.edges = (o->keep_outputs ? DB_CLOSURE_OUTPUTS : 0) | (o->drop_derivations ? 0 : DB_CLOSURE_DERIVERS);
	/* The room kept for this moment (store.c), if it was not taken on opening. */
	if (deletes)
		unlinkat(s->state_fd, "db/reserved", 0);
	/* In a store that can only be read there is no lock to take; what is listed is as of now, like any list. */
	if (!store_is_readonly(s))
		rc = lock_out_others(&g, &lock);
	if (!rc && deletes)
		pause_for_test(&g, "_NIX_TEST_GC_SYNC_1");
	if (!rc && !store_is_readonly(s))
		rc = gc_server_open(&g.server, s, told, &g, e);
	if (!rc)
		rc = find_roots(&g);
	if (!rc && deletes)
		pause_for_test(&g, "_NIX_TEST_GC_SYNC_2");
	if (!rc)
		rc = find_live(&g);
	if (!rc)
		rc = act(&g);
	gc_server_free(g.server);
	if (lock >= 0)
		close(lock);
	path_set_release(&g.roots);
	path_set_release(&g.temp);
	path_set_release(&g.live);
	path_set_release(&g.dead);
	return rc;
}
