/* SPDX-License-Identifier: MIT
 *
 * gx store make-content-addressed: closures under paths that follow from what they hold.
 */
#include "config.h"
#include "cache/address.h"
#include "cache/readdress.h"
#include "cli/named.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "cli/value_options.h"
#include "cli/verbs/gx_store.h"

#include <stdlib.h>

enum { O_FROM = 1, O_TO, O_JSON };

struct readdress_command {
	struct named n; /* first: options get it */
	const char *from, *to;
	int json;
};

static int on_option(struct named *n, int id, char **values)
{
	struct readdress_command *c = (struct readdress_command *)n;

	switch (id) {
	case O_FROM: c->from = values[0]; break;
	case O_TO: c->to = values[0]; break;
	case O_JSON: c->json = 1; break;
	}
	return 0;
}

static void note(void *user, const char *text)
{
	(void)user;
	report_line("note: %s", text);
}

/* A store that an option names, or this one; *opened is the caller's to close. */
static int choose(struct store *here, const char *where, enum store_flags flags, struct place *p, struct store **opened,
		  struct store **out, struct err *e)
{
	const struct place_request r = { .store = where };
	int rc;

	*out = here;
	if (!where)
		return 0;
	rc = place_choose(p, &r, e);
	rc = rc ? rc : store_open(opened, p, flags, e);
	*out = *opened;
	return rc;
}

static int readdress_named(struct readdress_command *c, const struct path_set *named, struct readdressed *out, struct err *e)
{
	const int is_cache = c->from && cache_address_is(c->from);
	struct place places[2] = { { 0 }, { 0 } };
	struct store *opened[2] = { NULL, NULL }, *from, *to;
	int rc = choose(c->n.c.store, c->to, 0, &places[0], &opened[0], &to, e);

	if (!rc && is_cache) {
		rc = readdress_from_cache(&(struct cache_source){ c->from, 1, note, NULL }, to, named, out, e);
	} else if (!rc) {
		rc = choose(c->n.c.store, c->from, STORE_READONLY, &places[1], &opened[1], &from, e);
		rc = rc ? rc : readdress(from, to, named, out, e);
	}
	for (size_t k = 0; k < 2; k++) {
		store_free(opened[k]);
		place_release(&places[k]);
	}
	return rc;
}

static void add_path(struct readdress_command *c, struct buf *b, const struct store_path *p)
{
	buf_adds(b, c->json ? "\"" : "'");
	store_add_path(c->n.c.store, b, p);
	buf_adds(b, c->json ? "\"" : "'");
}

static int tell(struct readdress_command *c, const struct path_set *named, const struct readdressed *r)
{
	struct buf b = BUF_INIT;

	for (size_t k = 0; k < named->n; k++) {
		buf_adds(&b, !c->json ? "rewrote " : k ? "," : "{\"rewrites\":{");
		add_path(c, &b, &named->v[k]);
		buf_adds(&b, c->json ? ":" : " to ");
		add_path(c, &b, readdressed_path(r, &named->v[k]));
		buf_adds(&b, c->json ? "" : "\n");
	}
	buf_adds(&b, c->json ? "}}\n" : "");
	return command_print(&b);
}

int store_readdress_run(int argc, char **argv)
{
	static const struct option options[] = {
		{ O_FROM, 0, "from", "URL", "Where the objects are: a binary cache, or the folder of another store." },
		{ O_TO, 0, "to", "DIR", "Put what comes out into the store in DIR." },
		{ O_JSON, 0, "json", NULL, "Print what became of what as JSON." },
		{ 0 }
	};
	static const struct option_group groups[] = { { "Options", options },
						      { "What to evaluate", value_option_table },
						      { "Flakes", flake_option_table },
						      { "The store", command_store_options },
						      { 0 } };
	static const struct program program = {
		"gx store make-content-addressed", "copy a closure to paths that follow from its contents",
		"gx store make-content-addressed [options] PATH | FLAKE#ATTR[^OUTPUT,...] ...",
		"All that the objects refer to is rewritten with them, and needs no signature from then on.\n"
		"What comes out is what 'toPath' of fetchClosure takes.\n",
		groups
	};
	struct readdress_command c = { .n.option = on_option, .n.writes = 1 };
	struct path_set named = PATH_SET_INIT;
	struct readdressed r = { 0 };
	struct err e = ERR_INIT;
	int rc = named_read(&c.n, &program, argc, argv, 1, 0, "a path");

	if (rc != COMMAND_GO)
		return rc;
	rc = named_find(&c.n, 0, &named);
	if (!rc) {
		progress_begin();
		path_set_sort(&named);
		rc = readdress_named(&c, &named, &r, &e);
		progress_finish();
		rc = rc ? command_fail(&e) : tell(&c, &named, &r);
	}
	readdressed_release(&r);
	path_set_release(&named);
	return command_end(&c.n.c, rc);
}
