/* SPDX-License-Identifier: MIT
 *
 * gx store sign, gx store copy-sigs: who vouches for objects that are here.
 */
#include "config.h"
#include "base/alloc.h"
#include "cache/fill.h"
#include "cache/substitute.h"
#include "cli/command.h"
#include "cli/report.h"
#include "cli/verbs/gx_store.h"

#include <stdlib.h>
#include <string.h>

enum { O_KEY = 1, O_RECURSIVE, O_ALL, O_FROM };

struct sign_command {
	struct command c;
	struct secret_keys keys;
	char *from; /* addresses with a blank between */
	int recursive, all;
	size_t added;
};

static int on_option(void *arg, int id, char **values)
{
	struct sign_command *s = arg;
	struct err e = ERR_INIT;
	struct buf b = BUF_INIT;

	switch (id) {
	case O_RECURSIVE: s->recursive = 1; break;
	case O_ALL: s->all = 1; break;
	case O_KEY:
		if (secret_keys_read(&s->keys, values[0], &e))
			return command_fail(&e);
		break;
	case O_FROM:
		buf_addf(&b, "%s%s%s", s->from ? s->from : "", s->from ? " " : "", values[0]);
		free(s->from);
		s->from = buf_detach(&b, NULL);
	}
	return 0;
}

static int choose(struct sign_command *s, struct path_set *out, struct err *e)
{
	int rc = s->all ? db_all(store_db(s->c.store), out, e) : 0;

	for (size_t i = 0; !rc && i < s->c.n; i++) {
		struct store_path p;

		rc = store_resolve(s->c.store, s->c.operands[i], &p, NULL, e);
		if (!rc && s->recursive)
			rc = store_closure(s->c.store, &p, 0, out, e);
		else if (!rc)
			path_set_add(out, &p);
	}
	return rc;
}

/* COMMAND_GO, or an exit status. */
static int read_and_open(struct sign_command *s, const struct program *p, int argc, char **argv)
{
	s->c = (struct command){ .program = p, .option = on_option, .arg = s };
	int rc = command_read(&s->c, argc, argv, 0, 0, "a path");

	if (rc != COMMAND_GO)
		return rc;
	if (s->all == (s->c.n > 0))
		return command_end(&s->c, usage_error(p, s->all ? "with --all no path is named" : "'%s' needs a path", p->name));
	rc = command_open(&s->c, 0);
	if (!rc && s->c.place.mode == PLACE_VIEW) {
		report_error("'%s' is a store of others: what is there is signed where it lies", s->c.place.address);
		rc = command_end(&s->c, EXIT_FAILED);
	}
	return rc ? rc : COMMAND_GO;
}

static int end(struct sign_command *s, int rc, struct err *e)
{
	if (!rc)
		report_line("%zu signatures added", s->added);
	secret_keys_release(&s->keys);
	free(s->from);
	return command_end(&s->c, rc ? command_fail(e) : EXIT_DONE);
}

int store_sign_run(int argc, char **argv)
{
	static const struct option options[] = {
		{ O_KEY, 'k', "key-file", "FILE", "The file with the secret key. May be given several times." },
		{ O_RECURSIVE, 'r', "recursive", NULL, "Also everything the objects refer to." },
		{ O_ALL, 0, "all", NULL, "All objects of the store." },
		{ 0 }
	};
	static const struct option_group groups[] = { { "Options", options }, { "Store", command_store_options }, { 0 } };
	static const struct program program = { "gx store sign", "sign objects of the store",
						"gx store sign [options] -k FILE PATH...", NULL, groups };
	struct sign_command s = { 0 };
	struct path_set paths = PATH_SET_INIT;
	struct err e = ERR_INIT;
	int rc = read_and_open(&s, &program, argc, argv);

	if (rc != COMMAND_GO)
		return rc;
	rc = s.keys.n ? choose(&s, &paths, &e) : err_set(&e, ERR_INVALID, "nothing to sign with: -k names the file with the key");
	for (size_t i = 0; !rc && i < paths.n; i++) {
		struct path_info info;
		size_t before = s.added;

		rc = db_info(store_db(s.c.store), &paths.v[i], &info, &e);
		if (rc)
			break;
		rc = path_info_sign(&s.keys, store_dir(s.c.store), &info, &s.added, &e);
		if (!rc && s.added != before)
			rc = db_update(store_db(s.c.store), &info, &e);
		path_info_release(&info);
	}
	path_set_release(&paths);
	return end(&s, rc, &e);
}

/* --- copy-sigs --- */

/* Only of what is the same there: a signature of something else is none. */
static int take(struct sign_command *s, struct question *q, struct err *e)
{
	struct path_info info;
	int rc = q->from ? db_info(store_db(s->c.store), &q->path, &info, e) : 0;
	size_t added = 0;

	if (rc || !q->from)
		return rc;
	if (hash_eq(&info.nar_hash, &q->info.nar_hash))
		added = path_info_add_sigs(&info, q->info.sigs);
	rc = added ? db_update(store_db(s->c.store), &info, e) : 0;
	s->added += added;
	path_info_release(&info);
	return rc;
}

static int copy_sigs(struct sign_command *s, const struct path_set *paths, struct err *e)
{
	struct caches caches;
	struct question *q = xcalloc(paths->n + 1, sizeof *q);
	int rc = caches_open(&caches, s->from, store_dir(s->c.store), e);
	size_t left = paths->n;

	for (size_t i = 0; i < paths->n; i++)
		q[i].path = paths->v[i];
	while (!rc && left) {
		left = 0;
		for (size_t i = 0; rc >= 0 && i < paths->n; i++) {
			rc = question_move(&caches, &q[i], e);
			left += rc == 0;
		}
		rc = rc < 0 ? rc : left ? caches_turn(&caches, 1000, e) : 0;
	}
	for (size_t i = 0; i < paths->n; i++) {
		rc = rc ? rc : take(s, &q[i], e);
		question_release(&q[i]);
	}
	free(q);
	caches_release(&caches);
	return rc;
}

int store_copy_sigs_run(int argc, char **argv)
{
	static const struct option options[] = {
		{ O_FROM, 's', "substituter", "URL", "A binary cache that has the signatures. May be given several times." },
		{ O_RECURSIVE, 'r', "recursive", NULL, "Also of everything the objects refer to." },
		{ O_ALL, 0, "all", NULL, "Of all objects of the store." },
		{ 0 }
	};
	static const struct option_group groups[] = { { "Options", options }, { "Store", command_store_options }, { 0 } };
	static const struct program program = { "gx store copy-sigs", "take signatures from a binary cache",
						"gx store copy-sigs [options] -s URL PATH...", NULL, groups };
	struct sign_command s = { 0 };
	struct path_set paths = PATH_SET_INIT;
	struct err e = ERR_INIT;
	int rc = read_and_open(&s, &program, argc, argv);

	if (rc != COMMAND_GO)
		return rc;
	rc = s.from ? choose(&s, &paths, &e) : err_set(&e, ERR_INVALID, "no signatures to take: -s names a binary cache");
	rc = rc ? rc : copy_sigs(&s, &paths, &e);
	path_set_release(&paths);
	return end(&s, rc, &e);
}
