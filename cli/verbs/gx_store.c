/* SPDX-License-Identifier: MIT
 *
 * gx store: adding, deleting, collecting.  Looking at files is in gx_store_files.c.
 */
#include "config.h"
#include "builtins/constants.h"
#include "cli/command.h"
#include "cli/verbs/gx_store.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "cli/verb.h"
#include "cli/view.h"
#include "remote/remote.h"
#include "store/gc.h"
#include "store/object.h"
#include "store/profile.h"
#include "store/roots.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

/* --- add --- */

enum { O_NAME = 1, O_MODE, O_ALGO, O_ROOT };

struct add_command {
	struct command c;
	const char *name, *root;
	struct source_object object;
};

static int on_add_option(void *arg, int id, char **values)
{
	struct add_command *a = arg;
	struct err e = ERR_INIT;
	int rc = 0;

	switch (id) {
	case O_NAME: a->name = values[0]; break;
	case O_ROOT: a->root = values[0]; break;
	case O_MODE:
		rc = ca_method_parse(slice_of(values[0]), &a->object.method, &e);
		if (!rc && a->object.method == CA_GIT)
			rc = err_set(&e, ERR_INVALID, "the mode '%s' is none of 'nar', 'flat' and 'text'", values[0]);
		break;
	case O_ALGO: rc = hash_algo_parse(values[0], strlen(values[0]), &a->object.algo, &e); break;
	}
	if (rc) {
		rc = usage_error(a->c.program, "%s", e.msg);
		err_release(&e);
	}
	return rc;
}

static const struct option add_options[] = {
	{ O_NAME, 'n', "name", "NAME", "Call the object NAME; otherwise it is called as the file is." },
	{ O_MODE, 0, "mode", "MODE", "How its path is computed: nar (the default), or flat or text for the bytes of a file." },
	{ O_ALGO, 0, "hash-algo", "ALGO", "md5, sha1, sha256 (the default) or sha512." },
	{ O_ROOT, 'o', "out-link", "LINK", "Make LINK a link to the object, which keeps it from being collected." },
	{ 0 }
};

static struct slice base_name(const char *path)
{
	size_t n = strlen(path);

	while (n > 1 && path[n - 1] == '/')
		n--;
	struct slice s = { path, n };
	for (size_t i = 0; i + 1 < n; i++)
		if (path[i] == '/')
			s = (struct slice){ path + i + 1, n - i - 1 };
	return s;
}

static int add_run(int argc, char **argv)
{
	static const struct option_group groups[] = { { "Options", add_options }, { "Store", command_store_options }, { 0 } };
	static const struct program program = { "gx store add", "copy files and folders to the store",
						"gx store add [options] PATH...", NULL, groups };
	struct add_command a = { .object = { .method = CA_NAR } };
	struct err e = ERR_INIT;
	struct buf b = BUF_INIT;
	int rc;

	a.c = (struct command){ .program = &program, .option = on_add_option, .arg = &a };
	rc = command_read(&a.c, argc, argv, 1, a.name || a.root ? 1 : 0, "a path");
	if (rc != COMMAND_GO)
		return rc;
	if (a.c.n > 1 && (a.name || a.root))
		return command_end(&a.c, usage_error(&program, "--name and --out-link go with one path"));
	if ((rc = command_open(&a.c, 0)))
		return rc;
	progress_begin();
	for (size_t i = 0; i < a.c.n && !e.code; i++) {
		struct store_path p;
		a.object.name = a.name ? slice_of(a.name) : base_name(a.c.operands[i]);
		if (store_add_tree(a.c.store, AT_FDCWD, a.c.operands[i], &a.object, &p, &e) ||
		    view_send(a.c.store, &p, &e) || (a.root && store_add_root_link(a.c.store, a.root, &p, &e)))
			break;
		store_add_path(a.c.store, &b, &p);
		buf_addc(&b, '\n');
	}
	progress_finish();
	rc = command_print(&b);
	return command_end(&a.c, e.code ? command_fail(&e) : rc);
}

/* --- gc --- */


enum { O_DRY = 1, O_LIVE, O_DEAD, O_MAX, O_KEEP_OUTPUTS, O_NO_KEEP_DRVS, O_OLD, O_OLDER };

struct gc_command {
	struct command c;
	struct gc_options o;
	struct generation_filter old; /* of profiles, which are looked at first */
	int profiles;
	struct buf list;
	int print;
};

static int parse_size(const char *text, uint64_t *out)
{
	char *end;
	unsigned long long n = strtoull(text, &end, 10);
	int shift = !*end ? 0 : *end == 'K' ? 10 : *end == 'M' ? 20 : *end == 'G' ? 30 : *end == 'T' ? 40 : -1;

	if (end == text || *text == '-' || shift < 0 || (*end && end[1]) || n > UINT64_MAX >> shift)
		return -1;
	*out = n << shift;
	return 0;
}

static int on_gc_option(void *arg, int id, char **values)
{
	struct gc_command *g = arg;
	struct err e = ERR_INIT;

	switch (id) {
	case O_OLD: g->profiles = g->old.old = 1; break;
	case O_OLDER:
		g->profiles = 1;
		if (profile_period(values[0], &g->old.before, &e)) {
			int rc = usage_error(g->c.program, "%s", e.msg);

			err_release(&e);
			return rc;
		}
		break;
	case O_DRY:
	case O_DEAD: g->o.action = GC_LIST_DEAD; break;
	case O_LIVE: g->o.action = GC_LIST_LIVE; break;
	case O_KEEP_OUTPUTS: g->o.keep_outputs = 1; break;
	case O_NO_KEEP_DRVS: g->o.drop_derivations = 1; break;
	case O_MAX:
		if (parse_size(values[0], &g->o.max_freed))
			return usage_error(g->c.program, "'%s' is no size; write bytes, or a number with K, M, G or T", values[0]);
	}
	return 0;
}

static void on_gc_object(void *arg, const char *base)
{
	struct gc_command *g = arg;

	buf_addf(&g->list, "%s/%s\n", g->c.place.store_dir, base);
}

static void on_generation(void *arg, const struct generation *g)
{
	(void)arg;
	report_line("deleting '%s'", g->link);
}

static const struct option gc_options[] = {
	{ O_DRY, 0, "dry-run", NULL, "Only print what would be deleted." },
	{ O_OLD, 'd', "delete-old", NULL, "First delete all generations of profiles that are not in use." },
	{ O_OLDER, 0, "older-than", "PERIOD", "First delete those that were last in use so long ago, such as 30d." },
	{ O_DEAD, 0, "print-dead", NULL, NULL },
	{ O_LIVE, 0, "print-live", NULL, "Only print what would be kept." },
	{ O_MAX, 0, "max", "BYTES", "Stop when so much was freed; K, M, G and T are understood." },
	{ O_KEEP_OUTPUTS, 0, "keep-outputs", NULL, "What was built from a derivation that is kept is kept as well." },
	{ O_NO_KEEP_DRVS, 0, "no-keep-derivations", NULL, "Do not keep the derivations of objects that are kept." },
	{ 0 }
};

static void say_freed(const struct gc_result *r)
{
	struct buf b = BUF_INIT;

	buf_addf(&b, "%zu deleted, ", r->n);
	buf_add_size(&b, r->freed);
	report_line("%s freed", b.p);
	buf_release(&b);
}

static int gc_run(int argc, char **argv)
{
	static const struct option_group groups[] = { { "Options", gc_options }, { "Store", command_store_options }, { 0 } };
	static const struct program program = {
		"gx store gc", "delete what nothing needs", "gx store gc [options]",
		"What is linked from a place that gx or Nix knows as a root is kept, with all it refers to, "
		"and what running processes use.\n",
		groups
	};
	struct gc_command g = { .list = BUF_INIT };
	struct gc_result result = { 0 };
	struct err e = ERR_INIT;
	int rc;

	g.c = (struct command){ .program = &program, .option = on_gc_option, .arg = &g };
	rc = command_read(&g.c, argc, argv, 0, 0, "");
	if (rc != COMMAND_GO)
		return rc;
	g.o.keep_outputs |= gc_settings.keep_outputs;
	g.o.drop_derivations |= !gc_settings.keep_derivations;
	if (g.c.n)
		return command_end(&g.c, usage_error(&program, "'gx store gc' takes no path; see 'gx store delete'"));
	rc = g.o.action == GC_DELETE_DEAD ? command_open(&g.c, STORE_NEED_ROOM) : command_open_reading(&g.c);
	if (rc)
		return rc;
	g.o.each = on_gc_object;
	g.o.arg = &g;
	g.old.each = on_generation;
	g.old.dry = g.o.action != GC_DELETE_DEAD;
	if (!g.profiles || !profile_delete_all(&g.c.place, &g.old, &e))
		store_gc(g.c.store, &g.o, &result, &e);
	rc = command_print(&g.list);
	if (g.o.action == GC_DELETE_DEAD)
		say_freed(&result);
	return command_end(&g.c, e.code ? command_fail(&e) : rc);
}

/* --- delete --- */

enum { O_IGNORE = 1, O_SKIP, O_RECURSIVE, O_REFERRERS };

struct delete_command {
	struct gc_options o;
	int recursive, referrers;
};

static int on_delete_option(void *arg, int id, char **values)
{
	struct delete_command *d = arg;

	(void)values;
	d->o.ignore_liveness |= id == O_IGNORE;
	d->o.skip_alive |= id == O_SKIP;
	d->recursive |= id == O_RECURSIVE;
	d->referrers |= id == O_REFERRERS;
	return 0;
}

/* What one word names, with what belongs to it. */
static int add_to_delete(struct command *c, const struct delete_command *d, const char *word, struct path_set *paths, struct err *e)
{
	struct store_path p;
	struct path_set all = PATH_SET_INIT;
	int rc = store_resolve(c->store, word, &p, NULL, e);

	if (rc)
		return rc;
	if (!d->recursive || !store_is_valid(c->store, &p, NULL))
		path_set_add(&all, &p);
	else
		rc = store_closure(c->store, &p, 0, &all, e);
	path_set_add_all(paths, &all);
	if (!rc && d->referrers)
		rc = db_closure(store_db(c->store), &all, DB_CLOSURE_REFERRERS, paths, e);
	path_set_release(&all);
	return rc;
}

static int delete_run(int argc, char **argv)
{
	static const struct option options[] = {
		{ O_IGNORE, 0, "ignore-liveness", NULL, "Also when a root or a running process holds it." },
		{ O_SKIP, 0, "skip-alive", NULL, "Leave alone what something needs, and delete the others." },
		{ O_RECURSIVE, 'r', "recursive", NULL, "Also everything the objects refer to." },
		{ O_REFERRERS, 0, "also-referrers", NULL, "Also everything that refers to one of them." },
		{ 0 }
	};
	static const struct option_group groups[] = { { "Options", options }, { "Store", command_store_options }, { 0 } };
	static const struct program program = { "gx store delete", "delete objects that nothing needs",
						"gx store delete [options] PATH...", NULL, groups };
	struct path_set paths = PATH_SET_INIT;
	struct delete_command d = { .o = { .action = GC_DELETE_PATHS, .paths = &paths } };
	struct command c = { .program = &program, .option = on_delete_option, .arg = &d };
	struct gc_result result = { 0 };
	struct err e = ERR_INIT;
	int rc = command_read(&c, argc, argv, 1, 0, "a path");

	if (rc != COMMAND_GO || (rc = command_open(&c, STORE_NEED_ROOM)))
		return rc;
	for (size_t i = 0; i < c.n && !e.code; i++)
		add_to_delete(&c, &d, c.operands[i], &paths, &e);
	path_set_sort(&paths);
	if (!e.code && !store_gc(c.store, &d.o, &result, &e))
		say_freed(&result);
	path_set_release(&paths);
	return command_end(&c, e.code ? command_fail(&e) : EXIT_DONE);
}

/* --- info, roots --- */

/* How many objects there are; -1 where nobody can tell. */
static int count_objects(struct command *c, long *n, struct err *e)
{
	const struct remote *r = view_remote(c->store);
	struct path_set all = PATH_SET_INIT;
	int rc = 0;

	*n = -1;
	if (!c->place.address || (r && remote_lists(r))) {
		rc = db_all(store_db(c->store), &all, e);
		*n = (long)all.n;
	}
	path_set_release(&all);
	return rc;
}

static void add_json_member(struct buf *b, const char *name, const char *text)
{
	buf_addf(b, ",\"%s\":", name);
	output_json_string(b, text, strlen(text));
}

/* Who does not say whether it trusts this user has no such member. */
static void add_info_json(struct command *c, const char *url, long n, struct buf *b)
{
	static const char *const modes[] = { "system", "root", "user", "relocated", "view" };
	const struct remote *r = view_remote(c->store);
	int trust = r ? remote_trust(r) : c->place.address ? -1 : 1;

	buf_addf(b, "{\"mode\":\"%s\"", modes[c->place.mode]);
	add_json_member(b, "url", url);
	if (r ? *remote_version(r) : !c->place.address)
		add_json_member(b, "version", r ? remote_version(r) : NIX_VERSION);
	if (trust >= 0)
		buf_addf(b, ",\"trusted\":%s", trust ? "true" : "false");
	add_json_member(b, "storeDir", c->place.store_dir);
	add_json_member(b, "realStoreDir", c->place.real_store);
	add_json_member(b, "stateDir", c->place.state_dir);
	if (n >= 0)
		buf_addf(b, ",\"objects\":%ld", n);
	buf_adds(b, "}\n");
}

static int add_info(struct command *c, struct buf *b, struct err *e)
{
	const char *url = c->place.address ? c->place.address : "local";
	char *mode = place_describe(&c->place);
	long n;
	int rc = count_objects(c, &n, e);

	if (!rc && c->json) {
		add_info_json(c, url, n, b);
	} else if (!rc) {
		buf_addf(b, "Store URL: %s\n%s\nstore directory: %s\nobjects lie in:  %s\nstate:           %s\n", url, mode,
			 c->place.store_dir, c->place.real_store, c->place.state_dir);
		if (n >= 0)
			buf_addf(b, "valid objects:   %ld\n", n);
	}
	free(mode);
	return rc;
}

static int info_run(int argc, char **argv)
{
	static const struct option options[] = { OPTION_JSON, { 0 } };
	static const struct option_group groups[] = { { "Options", options }, { "Store", command_store_options }, { 0 } };
	static const struct program program = { "gx store info", "which store is used, and why", "gx store info [options]", NULL,
						groups };
	struct command c = { .program = &program };
	struct err e = ERR_INIT;
	struct buf b = BUF_INIT;
	int rc = command_read(&c, argc, argv, 0, 0, "");

	if (rc != COMMAND_GO || (rc = command_open_reading(&c)))
		return rc;
	if (add_info(&c, &b, &e)) {
		buf_release(&b);
		return command_end(&c, command_fail(&e));
	}
	return command_end(&c, command_print(&b));
}

struct roots_listing {
	struct command *c;
	struct buf b;
};

static void on_root(void *arg, const char *from, const struct store_path *p)
{
	struct roots_listing *r = arg;

	buf_addf(&r->b, "%s -> %s/%s\n", from, r->c->place.store_dir, p->base);
}

static int roots_run(int argc, char **argv)
{
	static const struct option_group groups[] = { { "Store", command_store_options }, { 0 } };
	static const struct program program = { "gx store roots", "what keeps objects from being collected",
						"gx store roots [options]", NULL, groups };
	struct command c = { .program = &program };
	struct roots_listing r = { &c, BUF_INIT };
	struct err e = ERR_INIT;
	int rc = command_read(&c, argc, argv, 0, 0, "");

	if (rc != COMMAND_GO || (rc = command_open_reading(&c)))
		return rc;
	if (store_each_root(c.store, ROOTS_ALL, on_root, &r, &e)) {
		buf_release(&r.b);
		return command_end(&c, command_fail(&e));
	}
	return command_end(&c, command_print(&r.b));
}

const struct verb store_verbs[] = {
	{ "add", "copy files and folders to the store", add_run, NULL },
	{ "prefetch-file", "fetch a file into the store and print its hash", store_prefetch_run, NULL },
	{ "cat", "print a file of the store", store_cat_run, NULL },
	{ "ls", "list what is in a store object", store_ls_run, NULL },
	{ "gc", "delete what nothing needs", gc_run, NULL },
	{ "delete", "delete objects that nothing needs", delete_run, NULL },
	{ "sign", "sign objects of the store", store_sign_run, NULL },
	{ "copy-sigs", "take signatures from a binary cache", store_copy_sigs_run, NULL },
	{ "verify", "check that every object is there and unchanged", store_verify_run, NULL },
	{ "optimise", "keep equal files once, as hard links", store_optimise_run, NULL },
	{ "optimize", NULL, store_optimise_run, NULL },
	{ "export", "print objects as one stream", store_export_run, NULL },
	{ "import", "add the objects of such a stream", store_import_run, NULL },
	{ "diff-closures", "what another version of a closure has more and less", store_diff_closures_run, NULL },
	{ "path-from-hash-part", "the object whose path has these 32 digits", store_path_from_hash_run, NULL },
	{ "make-content-addressed", "copy a closure to paths that follow from its contents", store_readdress_run, NULL },
	{ "rebuild", "make a lost or damaged database anew", store_rebuild_run, NULL },
	{ "roots", "what keeps objects from being collected", roots_run, NULL },
	{ "tenants", "what tenants keep in the store", store_tenants_run, NULL },
	{ "add-root", "keep objects for a tenant", store_add_root_run, NULL },
	{ "drop-roots", "keep objects for a tenant no longer", store_drop_roots_run, NULL },
	{ "quota", "how much a tenant may keep", store_quota_run, NULL },
	{ "info", "which store is used, and why", info_run, NULL },
	{ 0 }
};
