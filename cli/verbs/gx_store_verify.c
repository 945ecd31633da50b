/* SPDX-License-Identifier: MIT
 *
 * gx store verify: what is wrong is told, and with --repair made again.
 *
 * Whatever has a derivation that is there is built once more, all in one graph, so that what was damaged on both ends of
 * a reference is made in the right order; the store swaps what differs (store_replace).  A source or a text has
 * nothing to be made from: it is named, and left as it is.
 *
 * Whether somebody who is trusted stands for the objects is another question, asked with --sigs-needed, and always by 'nix store
 * verify'.
 */
#include "config.h"
#include "build/builder_fetch.h"
#include "cache/substitute.h"
#include "cli/build_options.h"
#include "cli/command.h"
#include "cli/realise.h"
#include "cli/report.h"
#include "cli/verbs/gx_store.h"
#include "store/verify.h"

#include <stdlib.h>

enum { O_NO_CONTENTS = BUILD_OPTION_LAST, O_CONTENTS, O_SIGS, O_NO_TRUST, O_RECURSIVE, O_ALL };

int verify_found_untrusted;

enum { EXIT_UNTRUSTED = 2 }; /* as Nix has it; beside 1 */

struct verification {
	struct command c;
	struct verify_options o;
	struct build_options build;
	struct path_set paths; /* that are named */
	struct path_set bad;   /* to be repaired */
	const char *sigs;      /* how many are needed, NULL: as many as it takes */
	int no_trust, closure, all;
};

static int on_option(void *arg, int id, char **values)
{
	struct verification *v = arg;

	switch (id) {
	case O_NO_CONTENTS: v->o.check_contents = 0; return 0;
	case O_CONTENTS: v->o.check_contents = 1; return 0;
	case O_SIGS: v->sigs = values[0]; return 0;
	case O_NO_TRUST: v->no_trust = 1; return 0;
	case O_RECURSIVE: v->closure = 1; return 0;
	case O_ALL: v->all = 1; return 0;
	}
	return build_options_take(&v->build, id, values);
}

/* --- telling --- */

static int on_problem(void *arg, enum verify_problem what, const struct store_path *p, const char *detail)
{
	const struct verification *v = arg;
	const struct command *c = &v->c;

	switch (what) {
	case VERIFY_MISSING: return 0; /* the store tells of it when it is forgotten */
	case VERIFY_DANGLING:
		report_error("'%s/%s' is gone, and other objects refer to it", c->place.store_dir, p->base);
		break;
	case VERIFY_CONTENTS:
		report_error("'%s/%s' was changed: its hash is now %s", c->place.store_dir, p->base, detail);
		break;
	case VERIFY_FORM:
		report_error("'%s/%s' is not in the form of a store object: %s", c->place.store_dir, p->base, detail);
		break;
	case VERIFY_CLAIM: report_error("%s", detail); break;
	case VERIFY_UNREADABLE:
		report_error("'%s/%s' cannot be read: %s", c->place.store_dir, p->base, detail);
		break;
	}
	return 0;
}

/* An object, or a file in one, as a person names it: also by its base name alone. */
static int add_object(struct command *c, const char *text, int all, struct path_set *out, struct err *e)
{
	struct store_path p;
	char *rest = NULL;
	int rc = !store_path_parse_base(slice_of(text), &p, NULL) ? 0 : store_resolve(c->store, text, &p, &rest, e);

	free(rest);
	if (!rc && (rc = store_is_valid(c->store, &p, e)) == 0)
		return err_set(e, ERR_NOTFOUND, "path '%s/%s' is not valid", c->place.store_dir, p.base);
	if (rc < 0)
		return rc;
	if (all)
		return store_closure(c->store, &p, 0, out, e);
	path_set_add(out, &p);
	return 0;
}

/* --- trust --- */

/* 1 when it was made here, follows from its contents, or enough keys signed it. */
static int is_trusted(const struct verification *v, const struct public_keys *keys, const struct path_info *i, size_t needed,
		      struct err *e)
{
	size_t n = 0;
	int rc;

	if ((!needed && i->ultimate) || (i->ca && !store_check_address(v->c.store, i, NULL)))
		return 1;
	rc = path_count_sigs(keys, store_dir(v->c.store), i, &n, e);
	return rc ? rc : n >= (needed ? needed : 1);
}

static int check_trust(struct verification *v, size_t needed, size_t *untrusted, struct err *e)
{
	struct path_set all = PATH_SET_INIT;
	const struct path_set *paths = v->o.paths ? v->o.paths : &all;
	struct public_keys keys = { 0 };
	int rc = trusted_keys(store_dir(v->c.store), &keys, e);

	rc = rc || v->o.paths ? rc : db_all(store_db(v->c.store), &all, e);
	for (size_t k = 0; rc >= 0 && k < paths->n; k++) {
		struct path_info i;

		rc = db_info(store_db(v->c.store), &paths->v[k], &i, e);
		rc = rc ? rc : is_trusted(v, &keys, &i, needed, e);
		if (!rc) {
			report_error("path '%s/%s' is untrusted", v->c.place.store_dir, paths->v[k].base);
			++*untrusted;
		}
		path_info_release(&i);
	}
	public_keys_release(&keys);
	path_set_release(&all);
	return rc < 0 ? rc : 0;
}

/* Reads how many signatures are needed; 0 when nobody asked. */
static int wants_trust(const struct verification *v, size_t *needed, struct err *e)
{
	char *end = NULL;
	unsigned long n = v->sigs ? strtoul(v->sigs, &end, 10) : 0;

	if (v->sigs && (*end || *v->sigs < '0' || *v->sigs > '9'))
		return err_set(e, ERR_INVALID, "--sigs-needed is a number, not '%s'", v->sigs);
	*needed = n;
	return !v->no_trust && (v->sigs || place_obeys_environment());
}

/* --- repairing --- */

/* Notes what can be made again, in silence; what is missing is not to be forgotten yet. */
static int on_repairable(void *arg, enum verify_problem what, const struct store_path *p, const char *detail)
{
	struct verification *v = arg;

	(void)detail;
	if (what != VERIFY_CLAIM)
		path_set_add(&v->bad, p);
	return what == VERIFY_MISSING;
}

/* The derivation that made p, or one that makes it; 0 when there is none. */
static int find_maker(struct store *s, const struct store_path *p, struct store_path *drv, struct err *e)
{
	struct path_set makers = PATH_SET_INIT;
	struct path_info info;
	int rc = db_info(store_db(s), p, &info, e), found = 0;

	if (!rc && info.deriver.len && (found = store_is_there(s, &info.deriver, NULL, e)) == 1)
		*drv = info.deriver;
	if (!rc && !found)
		rc = db_derivers(store_db(s), p, &makers, e);
	if (!rc && makers.n) {
		*drv = makers.v[0];
		found = 1;
	}
	path_set_release(&makers);
	path_info_release(&info);
	return rc ? rc : found;
}

static int repair(struct verification *v, struct err *e)
{
	struct build_targets targets = { 0 };
	struct build_result result = { 0 };
	struct err why = ERR_INIT;
	struct store_path drv;
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < v->bad.n; i++)
		if ((rc = find_maker(v->c.store, &v->bad.v[i], &drv, e)) > 0)
			build_targets_add(&targets, &drv, NULL, 0);
	v->build.settings.keep_going = 1;
	/* What fails to build is still damaged, and will be told of as such. */
	if (rc >= 0 && targets.n && realise(v->c.store, &v->build, &targets, &result, &why)) {
		if (why.code == ERR_INTERRUPT)
			rc = err_set(e, why.code, "%s", why.msg);
		else
			report_err(&why);
		err_release(&why);
	}
	build_result_release(&result);
	build_targets_release(&targets);
	return rc < 0 ? rc : 0;
}

/* Looks twice: what is to be made again, and what is left then. */
static int check_and_mend(struct verification *v, size_t *bad, struct err *e)
{
	const struct path_set *asked = v->o.paths;
	int rc = 0;

	if (v->build.settings.repair) {
		v->o.problem = on_repairable;
		rc = store_verify(v->c.store, &v->o, bad, e);
		if (!rc && v->bad.n)
			rc = repair(v, e);
		v->o.paths = asked;
	}
	v->o.problem = on_problem;
	return rc ? rc : store_verify(v->c.store, &v->o, bad, e);
}

int store_verify_run(int argc, char **argv)
{
	static const struct option options[] = {
		{ O_NO_CONTENTS, 0, "no-contents", NULL, "Only look whether objects are there." },
		{ O_CONTENTS, 0, "check-contents", NULL, NULL },
		{ O_RECURSIVE, 'r', "recursive", NULL, "Also what the objects refer to." },
		{ O_ALL, 0, "all", NULL, "Every object, as without paths." },
		{ O_SIGS, 'n', "sigs-needed", "N",
		  "N trusted keys have to have signed each object that does not follow from its contents." },
		{ O_NO_TRUST, 0, "no-trust", NULL, "Do not ask who signed them." },
		{ 0 }
	};
	static const struct option_group groups[] = { { "Options", options },
						      { "Building, with --repair", build_option_table },
						      { "Store", command_store_options },
						      { 0 } };
	static const struct program program = { "gx store verify", "check that every object is there and unchanged",
						"gx store verify [options] [PATH...]",
						"Without paths, every object is checked. Exit status 1: something is wrong, and "
						"was not repaired; 2: it is not trusted; 3: both.\n", groups };
	struct verification v = { .o = { .check_contents = 1, .content_hash = fetch_content_hash } };
	struct err e = ERR_INIT;
	size_t bad = 0, untrusted = 0, needed = 0;
	int rc;

	v.c = (struct command){ .program = &program, .option = on_option, .arg = &v };
	v.o.arg = &v;
	build_options_init(&v.build);
	rc = command_read(&v.c, argc, argv, 0, 0, "");
	if (rc != COMMAND_GO)
		return rc;
	rc = v.build.settings.repair ? command_open(&v.c, 0) : command_open_reading(&v.c);
	if (rc)
		return rc;
	for (size_t i = 0; i < v.c.n && !e.code; i++)
		add_object(&v.c, v.c.operands[i], v.closure, &v.paths, &e);
	if (v.c.n && !v.all)
		v.o.paths = &v.paths;
	if (!e.code)
		check_and_mend(&v, &bad, &e);
	if (!e.code && wants_trust(&v, &needed, &e) > 0)
		check_trust(&v, needed, &untrusted, &e);
	path_set_release(&v.paths);
	path_set_release(&v.bad);
	if (e.code)
		return command_end(&v.c, command_fail(&e));
	if (bad)
		report_line("%zu %s damaged", bad, bad == 1 ? "object is" : "objects are");
	verify_found_untrusted = untrusted != 0;
	if (untrusted)
		report_line("%zu %s not trusted", untrusted, untrusted == 1 ? "object is" : "objects are");
	return command_end(&v.c, (bad ? EXIT_FAILED : EXIT_DONE) | (untrusted ? EXIT_UNTRUSTED : 0));
}
