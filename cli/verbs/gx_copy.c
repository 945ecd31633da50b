/* SPDX-License-Identifier: MIT
 *
 * gx copy: objects with all they refer to, from this store to a binary cache or another store, or the other way.
 */
#include "config.h"
#include "base/alloc.h"
#include "cache/copy.h"
#include "cache/fill.h"
#include "cache/substitute.h"
#include "cli/named.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "cli/value_options.h"
#include "cli/view.h"
#include "cli/verb.h"
#include "fetch/interrupt.h"
#include "remote/remote.h"
#include "store/profile.h"
#include "store/roots.h"

#include <stdlib.h>
#include <string.h>

enum { O_TO = 1, O_FROM, O_NO_CHECK, O_NO_RECURSIVE, O_ALL, O_KEY, O_DRVS, O_SUBSTITUTE, O_OUT_LINK, O_PROFILE, O_NOTHING };

struct copy_command {
	struct named n; /* first: options get it */
	const char *to, *from;
	const char *link, *profile; /* what leads to them afterwards */
	int no_check, alone, all, drvs, substitute;
	struct secret_keys keys;
};

static const struct option options[] = {
	{ O_TO, 0, "to", "URL",
	  "Where to: a binary cache (file://, http://, https://, s3://), a daemon (daemon, unix://PATH, ssh-ng://HOST), or the "
	  "folder of another store." },
	{ O_FROM, 0, "from", "URL", "Where from, likewise." },
	{ O_ALL, 0, "all", NULL, "All objects of the store." },
	{ O_NO_RECURSIVE, 0, "no-recursive", NULL, "Not what they refer to." },
	{ O_OUT_LINK, 0, "out-link", "NAME", "With --from: links to what was copied, which keep it." },
	{ O_PROFILE, 0, "profile", "PATH", "With --from: what was copied becomes the newest generation of a profile." },
	{ O_NOTHING, 'r', "recursive", NULL, NULL },
	{ O_DRVS, 0, "derivation", NULL, "Of packages their derivations, not their outputs." },
	{ O_NO_CHECK, 0, "no-check-sigs", NULL, "Take what no trusted key signed." },
	{ O_KEY, 0, "sign-key", "FILE", "Sign what is copied to a binary cache with the key in FILE. May be given several times." },
	{ O_SUBSTITUTE, 's', "substitute-on-destination", NULL,
	  "What the other store's own caches have comes from there; only the rest is sent." },
	{ 0 }
};

static int on_option(struct named *n, int id, char **values)
{
	struct copy_command *c = (struct copy_command *)n;
	struct err e = ERR_INIT;

	switch (id) {
	case O_TO: c->to = values[0]; break;
	case O_FROM: c->from = values[0]; break;
	case O_ALL: c->all = 1; break;
	case O_NO_RECURSIVE: c->alone = 1; break;
	case O_DRVS: c->drvs = 1; break;
	case O_NO_CHECK: c->no_check = 1; break;
	case O_SUBSTITUTE: c->substitute = 1; break;
	case O_OUT_LINK: c->link = values[0]; break;
	case O_PROFILE: c->profile = values[0]; break;
	case O_KEY:
		if (secret_keys_read(&c->keys, values[0], &e)) {
			command_fail(&e);
			return EXIT_FAILED;
		}
	}
	return 0;
}

static void note(void *user, const char *text)
{
	(void)user;
	report_line("note: %s", text);
}

static void say(size_t copied, size_t present)
{
	if (!progress_settings.quiet)
		report_line("%zu copied, %zu there already", copied, present);
}

/* Gets what the settings' caches have of them, for a store whose own they are; what they have not is copied. */
static int substitute(const struct copy_command *c, struct store *to, const struct path_set *paths, struct err *e)
{
	struct err why = ERR_INIT;

	if (!c->substitute || !ensure_objects(to, paths, note, NULL, &why))
		return 0;
	if (why.code != ERR_INTERRUPT) {
		err_release(&why);
		return 0;
	}
	*e = why;
	return why.code;
}

/* What is named in this store, with all it refers to unless it is to go alone. */
static int choose(struct copy_command *c, struct store *s, const struct path_set *named, struct path_set *out, struct err *e)
{
	int rc = c->all ? db_all(store_db(s), out, e) : 0;

	for (size_t k = 0; !rc && k < named->n; k++) {
		int valid = store_is_valid(s, &named->v[k], e);

		if (!valid)
			rc = err_set(e, ERR_NOTFOUND, "'%s/%s' is not in the store: 'gx build' makes it", store_place(s)->store_dir,
				     named->v[k].base);
		else if (valid < 0)
			rc = valid;
		else if (c->alone)
			path_set_add(out, &named->v[k]);
		else
			rc = store_closure(s, &named->v[k], 0, out, e);
	}
	return rc;
}

/* --- to and from another store --- */

static int open_other(struct place *p, struct store **s, const char *where, int reading, struct err *e)
{
	const struct place_request r = { .store = where };
	int rc = place_choose(p, &r, e);

	return rc ? rc : view_open(s, p, reading ? STORE_READONLY : 0, e);
}

static int copy_to_store(struct copy_command *c, const struct path_set *named, struct err *e)
{
	struct path_set paths = PATH_SET_INIT;
	struct copy_result r = { 0, 0 };
	struct place place = { 0 };
	struct store *to = NULL;
	int rc = open_other(&place, &to, c->to, 0, e);

	rc = rc ? rc : choose(c, c->n.c.store, named, &paths, e);
	rc = rc ? rc : substitute(c, to, &paths, e);
	rc = rc ? rc : copy_objects(c->n.c.store, to, &paths, !c->no_check, &r, e);
	if (!rc)
		say(r.copied, r.present);
	store_free(to);
	place_release(&place);
	path_set_release(&paths);
	return rc;
}

static int copy_from_store(struct copy_command *c, const struct path_set *named, struct err *e)
{
	struct path_set paths = PATH_SET_INIT;
	struct copy_result r = { 0, 0 };
	struct place place = { 0 };
	struct store *from = NULL;
	int rc = open_other(&place, &from, c->from, 1, e);

	rc = rc ? rc : choose(c, from, named, &paths, e);
	rc = rc ? rc : copy_objects(from, c->n.c.store, &paths, !c->no_check, &r, e);
	if (!rc)
		say(r.copied, r.present);
	store_free(from);
	place_release(&place);
	path_set_release(&paths);
	return rc;
}

/* --- to and from the store of a daemon --- */

static int open_daemon(struct remote **r, struct store *s, const char *where, struct err *e)
{
	const struct remote_hooks hooks = { .note = note };
	struct remote_address a;
	int rc = remote_address_parse(where, &a, e);

	if (rc)
		return rc;
	rc = remote_open(r, &a, store_dir(s), &hooks, e);
	remote_address_release(&a);
	return rc;
}

static int copy_to_daemon(struct copy_command *c, const struct path_set *named, struct err *e)
{
	struct path_set paths = PATH_SET_INIT;
	struct remote *r = NULL;
	size_t copied = 0;
	int rc = choose(c, c->n.c.store, named, &paths, e);

	rc = rc ? rc : open_daemon(&r, c->n.c.store, c->to, e);
	rc = rc ? rc : c->substitute ? remote_substitute(r, &paths, e) : 0;
	rc = rc ? rc : remote_add(r, c->n.c.store, &paths, !c->no_check, &copied, e);
	if (!rc)
		say(copied, paths.n - copied);
	remote_free(r);
	path_set_release(&paths);
	return rc;
}

static int copy_from_daemon(struct copy_command *c, const struct path_set *named, struct err *e)
{
	struct copy_result result = { 0, 0 };
	struct remote *r = NULL;
	int rc = open_daemon(&r, c->n.c.store, c->from, e);

	rc = rc ? rc : remote_copy_from(r, c->n.c.store, named, c->alone, !c->no_check, &result, e);
	if (!rc)
		say(result.copied, result.present);
	remote_free(r);
	return rc;
}

/* --- to and from a binary cache --- */

static int copy_to_cache(struct copy_command *c, const struct path_set *named, struct err *e)
{
	const struct fill_options o = { .keys = &c->keys, .cancel_fd = fetch_interrupt_fd, .note = note };
	struct path_set paths = PATH_SET_INIT;
	struct fill_result r = { 0 };
	int rc = choose(c, c->n.c.store, named, &paths, e);

	rc = rc ? rc : cache_fill(c->n.c.store, c->to, &paths, &o, &r, e);
	if (!rc)
		say(r.copied, r.present);
	path_set_release(&paths);
	return rc;
}

static int take_from_cache(struct copy_command *c, const struct path_set *named, struct err *e)
{
	const struct cache_source from = { c->from, !c->no_check, note, NULL };
	struct copy_result r;
	int rc = copy_from_cache(&from, c->n.c.store, named, &r, e);

	if (!rc)
		say(r.copied, r.present);
	return rc;
}

/* Links are called as those of gx build. */
static int keep(struct copy_command *c, const struct path_set *named, struct err *e)
{
	int rc = 0;

	if (c->profile && named->n != 1)
		rc = err_set(e, ERR_INVALID, "a profile leads to one object, and %zu were named", named->n);
	else if (c->profile)
		rc = profile_install(c->n.c.store, c->profile, &named->v[0], e);
	for (size_t i = 0; !rc && c->link && i < named->n; i++) {
		struct buf name = BUF_INIT;

		buf_adds(&name, c->link);
		if (i)
			buf_addf(&name, "-%zu", i);
		rc = store_add_root_link(c->n.c.store, buf_str(&name), &named->v[i], e);
		buf_release(&name);
	}
	return rc;
}

static int copy(struct copy_command *c, const struct path_set *named)
{
	struct err e = ERR_INIT;
	int rc;

	progress_begin();
	if (c->to)
		rc = cache_address_is(c->to)  ? copy_to_cache(c, named, &e) :
		     remote_address_is(c->to) ? copy_to_daemon(c, named, &e) : copy_to_store(c, named, &e);
	else
		rc = cache_address_is(c->from)	? take_from_cache(c, named, &e) :
		     remote_address_is(c->from) ? copy_from_daemon(c, named, &e) : copy_from_store(c, named, &e);
	rc = rc ? rc : keep(c, named, &e);
	progress_finish();
	return rc ? command_fail(&e) : EXIT_DONE;
}

int copy_run(int argc, char **argv)
{
	static const struct option_group groups[] = { { "Options", options },
						      { "What to evaluate", value_option_table },
						      { "Flakes", flake_option_table },
						      { "The store", command_store_options },
						      { 0 } };
	static const struct program program = {
		"gx copy", "copy objects to and from binary caches and other stores",
		"gx copy [options] --to URL PATH | FLAKE#ATTR[^OUTPUT,...] ...\n"
		"gx copy [options] --from URL PATH...\n"
		"gx copy [options] --from URL --to URL PATH...",
		"All that the objects refer to goes with them, and what is there already stays as it is.\n"
		"Behind a '?' a binary cache takes compression=xz|zstd|bzip2|gzip|br|lzma|none, compression-level=N,\n"
		"parallel-compression=true, secret-key=FILE and write-nar-listing=true.\n",
		groups
	};
	struct copy_command c = { .n.option = on_option, .n.writes = 1 };
	struct path_set named = PATH_SET_INIT;
	int rc = named_read(&c.n, &program, argc, argv, 0, 0, "a path");

	if (rc != COMMAND_GO)
		return rc;
	/* Between two others: the one is seen as the store at hand. */
	if (c.to && c.from && !c.n.c.request.store) {
		c.n.c.request.store = c.from;
		c.from = NULL;
	}
	if (!c.to == !c.from)
		rc = usage_error(&program, "'gx copy' needs --to or --from, or both and no --store");
	else if (c.to && (c.link || c.profile))
		rc = usage_error(&program, "--out-link and --profile are for what is copied here, with --from");
	else if (c.all ? c.from || c.n.c.n : !c.n.c.n && !value_options_given(&c.n.eval))
		rc = usage_error(&program,
				 c.all ? "with --all no path is named, and --to says where to" : "'gx copy' needs a path");
	else
		rc = named_find(&c.n, c.drvs, &named);
	rc = rc ? rc : copy(&c, &named);
	path_set_release(&named);
	secret_keys_release(&c.keys);
	return command_end(&c.n.c, rc);
}
