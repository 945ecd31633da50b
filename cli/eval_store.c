/* SPDX-License-Identifier: MIT
 *
 * A run has a store when it was given an open one, asked to put something there (--drv-path, --realise, the REPL), or told
 * which one (--store, --store-dir).
 * Otherwise there is none: the paths in what is printed come out right without, and a look at a value leaves no
 * trace on the disk, unless it needs something built: then the run gets one after all.
 */
#include "config.h"
#include "cli/eval_store.h"
#include "builtins/drvs.h"
#include "builtins/fs.h"
#include "builtins/store_ops.h"
#include "builtins/store_real.h"
#include "cache/copy.h"
#include "cli/eval_cmd.h"
#include "cli/options.h"
#include "cli/realise.h"
#include "cli/report.h"
#include "cli/view.h"
#include "eval/eval.h"
#include "store/claims.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct place place;
static const struct place *in_use;
static struct store_real *real;
static struct store *viewed; /* for `real`, of a store behind an address */
static int late; /* there is no store, and one may come; then 2: it has */
static int looking; /* that one is only to be read */
static int chosen; /* `place` says where that would be */
static struct build_options *build_options;

/* With --eval-store: where that is, and where builds are done when no store was open for them. */
const char *eval_store_address;
static struct place join_place, build_place_of_run;
static struct place_request build_request;
static struct store *build_store;

static void notice(void *user, const char *text)
{
	(void)user;
	if (!report_settings.quiet)
		report_line("note: %s", text);
}

static int fail(struct err *e)
{
	report_err(e);
	err_release(e);
	return EXIT_FAILED;
}

/* --- builds in the evaluation --- */

/* The store to build in for an evaluation in s: 1 when it is another. */
static int open_build_store(struct store *s, struct err *e)
{
	int rc;

	if (!eval_store_address || build_store)
		return build_store != NULL;
	rc = place_choose(&build_place_of_run, &build_request, e);
	rc = rc ? rc : view_open(&build_store, &build_place_of_run, 0, e);
	if (rc)
		return rc;
	store_set_notice(build_store, notice, NULL);
	store_set_eval_store(build_store, s);
	return 1;
}

/* What was built is read where the evaluation reads. */
static int bring_back(struct store *s, const struct build_result *result, struct err *e)
{
	struct path_set paths = PATH_SET_INIT;
	struct copy_result copied;
	int rc = 0;

	for (size_t i = 0; !rc && i < result->n; i++)
		rc = store_closure(build_store, &result->v[i].path, 0, &paths, e);
	rc = rc ? rc : copy_objects(build_store, s, &paths, 0, &copied, e);
	path_set_release(&paths);
	return rc;
}

/* Builds for an evaluation that goes on afterwards. */
static int build(void *user, struct store *s, const struct build_target *v, size_t n, struct err *e)
{
	struct build_targets targets = { NULL, 0, 0 };
	struct build_result result = { NULL, 0, 0 };
	struct build_options o;
	int rc = open_build_store(s, e), elsewhere = rc == 1;

	(void)user;
	if (rc < 0)
		return rc;
	if (build_options)
		o = *build_options;
	else
		build_options_init(&o);
	o.settings.plan = NULL; /* with --dry-run as well: what is asked about is not known before */
	o.settings.check = o.settings.repair = 0;
	for (size_t i = 0; i < n; i++)
		build_targets_add(&targets, &v[i].drv, v[i].outputs, v[i].noutputs);
	rc = realise(elsewhere ? build_store : s, &o, &targets, &result, e);
	rc = rc || !elsewhere ? rc : bring_back(s, &result, e);
	/* What was built elsewhere is read here. */
	for (size_t i = 0; !rc && i < result.n; i++)
		rc = store_have_files(s, &result.v[i].path, e);
	build_targets_release(&targets);
	build_result_release(&result);
	return rc;
}

static void use(const struct place *p, struct store_real *opened)
{
	eval_settings.store_dir = p->store_dir;
	in_use = p;
	real = opened;
	store_real_set_builder(opened, build, NULL);
}

/* The store at `place`: of a folder it is opened when it is needed. */
static int use_place(enum store_flags flags, struct err *e)
{
	if (place.mode == PLACE_VIEW) {
		int rc = view_open(&viewed, &place, 0, e);

		if (!rc)
			use(&place, store_real_on(viewed));
		return rc;
	}
	use(&place, store_real_new(&place, flags));
	store_real_set_notice(real, notice, NULL);
	return 0;
}

static int choose(const struct place_request *request, struct err *e)
{
	int rc = chosen ? 0 : place_choose(&place, request, e);

	chosen = !rc;
	return rc;
}

/* Something is to be built after all. */
static int open_late(struct err *e)
{
	const struct place_request request = { NULL, NULL };
	int rc = choose(&request, e);

	rc = rc ? rc : use_place(0, e);
	if (rc)
		return rc;
	eval_settings.read_only = 0;
	late = 2;
	eval_store_attach();
	return 0;
}

/* In read-only mode something that was built before is to be read.  Where there is no store, nothing was. */
static int look_late(struct err *e)
{
	const struct place_request request = { NULL, NULL };
	int rc = choose(&request, e);

	if (rc || (place.mode != PLACE_VIEW && access(place.state_dir, F_OK)))
		return rc;
	rc = use_place(STORE_READONLY, e);
	if (!rc)
		eval_store_attach();
	return rc;
}

void eval_store_attach(void)
{
	if (late == 1 && looking)
		store_ops_look = look_late;
	else if (late == 1)
		store_ops_open = open_late;
	if (!real)
		return;
	if (place_is_mapped(in_use) || in_use->mode == PLACE_VIEW)
		fs_mount(in_use->store_dir, in_use->real_store);
	store_ops = store_real_ops(real);
}

/* --- a store that builds are done in has another for evaluations --- */

/* What keeps nothing at all can be evaluated in, but derivations for a build have to be somewhere. */
static int check_keeps(const struct place *p, struct err *e)
{
	return p->mode == PLACE_VIEW && place_keeps_nothing(p) ?
	       err_set(e, ERR_INVALID, "'%s' keeps no derivations; 'dummy://?read-only=false' does, until the end of this command",
		       p->address) : 0;
}

int eval_store_join(struct store *s, const char *dir, struct err *e)
{
	const struct place_request request = { eval_store_address, dir };
	struct store *from;
	int rc;

	if (!eval_store_address)
		return 0;
	place_release(&join_place);
	rc = place_choose(&join_place, &request, e);
	rc = rc ? rc : check_keeps(&join_place, e);
	if (rc || !strcmp(join_place.real_store, store_place(s)->real_store))
		return rc;
	if (!slice_eq(slice_of(join_place.store_dir), store_dir(s)))
		return err_set(e, ERR_INVALID, "the eval store has the directory '%s', and the store that is built in '%s'",
			       join_place.store_dir, store_place(s)->store_dir);
	rc = view_open(&from, &join_place, 0, e);
	if (rc)
		return rc;
	store_set_notice(from, notice, NULL);
	store_set_eval_store(s, from);
	return 0;
}

/* --- the run --- */

static void use_open(struct store *s)
{
	struct store *from = store_eval_store(s);

	use(store_place(from), store_real_on(from));
	if (from != s) {
		store_set_known_drvs(s, drvs_known, NULL);
		build_store = s;
	}
}

int eval_store_start(const struct eval_request *r)
{
	const struct place_request request = { eval_store_address ? eval_store_address : r->store, r->store_dir };
	struct err e = ERR_INIT;
	int named = request.store || r->store_dir;
	char *store_dir;

	build_options = r->build;
	if (!r->open_store && place_is_nowhere(&request, &store_dir)) {
		eval_settings.store_dir = store_dir; /* for good, as settings are */
		eval_settings.read_only = 1;
		return 0;
	}
	if (r->open_store) {
		use_open(r->open_store);
		return 0;
	}
	build_request = (struct place_request){ r->store, r->store_dir };
	if (!named && (eval_settings.read_only || !r->want_store)) {
		late = 1;
		looking = eval_settings.read_only;
		eval_settings.read_only = 1;
		/* Where Nix's variables count, paths begin as they say. */
		if (place_obeys_environment() && choose(&request, &e))
			return fail(&e);
		if (chosen)
			eval_settings.store_dir = place.store_dir;
		return 0;
	}
	if (choose(&request, &e) || use_place(eval_settings.read_only ? STORE_READONLY : 0, &e))
		return fail(&e);
	return 0;
}

struct store_real *eval_store(void)
{
	return real;
}

int eval_store_write(void)
{
	struct err e = ERR_INIT;
	int rc = 0;

	if (!real || eval_settings.read_only)
		return 0;
	/* One that came late has what was built; nobody asked for more. */
	for (uint32_t id = 0; late != 2 && !rc && id < drvs_count(); id++)
		if (drvs_object(id)->unwritten)
			rc = drvs_write(drvs_object(id)->path, &e);
	if (!rc)
		rc = store_real_flush(real, &e);
	if (!rc && in_use->mode == PLACE_VIEW)
		rc = view_send_all(store_real_store(real, &e), &e);
	return rc ? fail(&e) : 0;
}

void eval_store_end(void)
{
	if (build_place_of_run.root) {
		store_set_eval_store(build_store, NULL);
		store_free(build_store);
		place_release(&build_place_of_run);
	}
	build_store = NULL;
	store_real_free(real);
	real = NULL;
	store_free(viewed);
	viewed = NULL;
	store_ops = NULL;
	/* The place stays: its store directory is named in eval_settings, and what was read keeps its mount. */
}
