/* SPDX-License-Identifier: MIT
 *
 * gx flake prefetch, archive, clone: the sources of flakes in a store, or where people work on them.
 *
 * A clone is git's own, with its configuration and credentials, since what comes of it is the user's; of what is no repository it
 * is a copy that may be written to.
 */
#include "config.h"
#include "base/alloc.h"
#include "cli/clone.h"
#include "cli/flake_cmd.h"
#include "cli/flake_json.h"
#include "cli/report.h"
#include "cli/verb.h"
#include "eval/eval.h"
#include "flake/ref.h"
#include "store/roots.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { O_LINK = 10, O_TO, O_DRY_RUN, O_DEST };

struct fetch {
	struct flake_cmd f; /* first: options get it */
	const char *link, *dest;
	int dry_run;
	char *path; /* what was prefetched, malloc'd */
};

static int on_option(void *arg, int id, char **values)
{
	struct fetch *p = arg;

	switch (id) {
	case O_LINK: p->link = values[0]; break;
	case O_TO: p->f.c.request.store = values[0]; break;
	case O_DRY_RUN: p->dry_run = 1; break;
	case O_DEST: p->dest = values[0]; break;
	default: return flake_cmd_option(&p->f, id, values);
	}
	return 0;
}

/* The reference of the command line, looked up, without its fragment. */
static struct input meant(struct flake_cmd *f)
{
	struct input in;
	const char *fragment;

	flake_ref_parse(flake_cmd_ref(f), &in, &fragment);
	return registry_resolve(&in, REGISTRY_ALL);
}

static const char *sri(const struct hash *h)
{
	char text[HASH_TEXT_MAX];
	size_t n = hash_print(h, HASH_SRI, 1, text);

	return arena_dup(flake_arena(), text, n);
}

/* --- prefetch --- */

static void add_prefetched(struct buf *b, const struct input *in, const struct flake_tree *t)
{
	struct input locked = { 0 };

	input_set_all(&locked, &t->locked, flake_arena());
	/* Where the hash is no pin, Nix does not name it twice. */
	if (slice_in_words(slice_of(source_get(in, "type")), "git path") && !source_get(in, "narHash"))
		source_unset(&locked, "narHash");
	buf_addc(b, '{');
	flake_json_text(b, "hash", sri(&t->hash));
	buf_adds(b, "\"locked\":");
	flake_json_input(b, &locked);
	buf_adds(b, ",\"original\":");
	flake_json_input(b, in);
	buf_addc(b, ',');
	flake_json_text(b, "storePath", t->store_path);
	flake_json_end(b);
	buf_addc(b, '\n');
}

static void prefetch(struct flake_cmd *f, struct buf *b)
{
	struct fetch *p = (struct fetch *)f;
	const struct input in = meant(f);
	const struct flake_tree *t = source_fetch(&in);

	source_out_path(t);
	p->path = xstrdup(t->store_path);
	if (f->c.json)
		add_prefetched(b, &in, t);
	else
		report_line("Downloaded '%s' to '%s' (hash '%s').", flake_ref_text(&t->locked), t->store_path, sri(&t->hash));
}

static int add_link(struct fetch *p)
{
	struct command *c = &p->f.c;
	struct store_path path;
	struct err e = ERR_INIT;

	if (!p->link)
		return 0;
	if (store_path_parse(store_dir(c->store), slice_of(p->path), &path, &e) ||
	    store_add_root_link(c->store, p->link, &path, &e))
		return command_fail(&e);
	return 0;
}

int flake_prefetch_run(int argc, char **argv)
{
	static const struct option options[] = {
		OPTION_JSON, { O_LINK, 'o', "out-link", "PATH", "Make a link to it, which keeps it from being collected." }, { 0 }
	};
	static const struct option_group groups[] = { { "Options", options },
						      FLAKE_CMD_GROUPS,
						      { "The store", command_store_options },
						      { NULL, NULL } };
	static const struct program program = { "gx flake prefetch", "bring the source of a flake into the store",
						"gx flake prefetch [options] [FLAKE]", "What is fetched need not be a flake.",
						groups };
	struct fetch p = { .f.c = { .program = &program, .option = on_option, .arg = &p } };
	int rc = command_read(&p.f.c, argc, argv, 0, 1, "at most one flake");

	if (rc != COMMAND_GO)
		return rc;
	if ((rc = command_open(&p.f.c, 0)))
		return rc;
	p.f.eval.open_store = p.f.c.store;
	rc = flake_cmd_evaluate(&p.f, prefetch);
	if (!rc)
		rc = add_link(&p);
	free(p.path);
	return command_end(&p.f.c, rc);
}

/* --- archive --- */

/* The path of a locked tree: computed where its hash is known and nothing is to be written. */
static const char *archived(const struct fetch *p, const struct input *locked, const struct flake_tree *t)
{
	if (!t)
		t = source_fetch(locked);
	if (!p->dry_run)
		source_out_path(t);
	return t->store_path;
}

static void archive_inputs(const struct fetch *p, const struct lock_node *n, struct buf *b)
{
	stack_check();
	buf_addc(b, '{');
	for (size_t i = 0; i < n->n; i++) {
		const struct lock_node *child = n->edges[i].node;
		if (!child)
			continue;
		buf_addf(b, "\"%.*s\":{\"inputs\":", (int)n->edges[i].name.n, n->edges[i].name.p);
		archive_inputs(p, child, b);
		buf_addc(b, ',');
		if (!input_is_relative(&child->locked))
			flake_json_text(b, "path", archived(p, &child->locked, child->tree));
		flake_json_end(b);
		buf_addc(b, ',');
	}
	flake_json_end(b);
}

static void archive(struct flake_cmd *f, struct buf *out)
{
	const struct fetch *p = (struct fetch *)f;
	const char *fragment;
	const struct locked_flake *lf = flake_options_open(&f->eval.flake_options, flake_cmd_ref(f), &fragment);
	struct buf b = BUF_GC;

	buf_adds(&b, "{\"inputs\":");
	archive_inputs(p, lf->lock.root, &b);
	buf_addc(&b, ',');
	flake_json_text(&b, "path", archived(p, &lf->flake->locked, lf->flake->tree));
	flake_json_end(&b);
	if (f->c.json)
		buf_addf(out, "%s\n", b.p);
}

int flake_archive_run(int argc, char **argv)
{
	static const struct option options[] = { OPTION_JSON,
						 { O_TO, 0, "to", "STORE", "Into this store." },
						 { O_DRY_RUN, 0, "dry-run", NULL, "Write nothing to a store." },
						 { 0 } };
	static const struct option_group groups[] = { { "Options", options },
						      FLAKE_CMD_GROUPS,
						      { "The store", command_store_options },
						      { NULL, NULL } };
	static const struct program program = { "gx flake archive", "bring a flake and all its inputs into a store",
						"gx flake archive [options] [FLAKE]",
						"So that it can be evaluated and built without the places they came from.",
						groups };
	struct fetch p = { .f.c = { .program = &program, .option = on_option, .arg = &p } };
	int rc = command_read(&p.f.c, argc, argv, 0, 1, "at most one flake");

	if (rc != COMMAND_GO)
		return rc;
	if (!p.dry_run && (rc = command_open(&p.f.c, 0)))
		return rc;
	p.f.eval.open_store = p.f.c.store;
	return command_end(&p.f.c, flake_cmd_evaluate(&p.f, archive));
}

/* --- clone --- */

/* Where git clones from; NULL for what is no repository. */
static const char *clone_url(const struct input *in)
{
	const char *type = source_get(in, "type"), *host = source_get(in, "host"), *url = source_get(in, "url");
	struct buf b = BUF_GC;

	if (!strcmp(type, "git"))
		return url;
	if (!host)
		host = !strcmp(type, "github") ? "github.com" : !strcmp(type, "gitlab") ? "gitlab.com" : "git.sr.ht";
	if (!slice_in_words(slice_of(type), "github gitlab sourcehut"))
		return NULL;
	buf_addf(&b, "https://%s/%s/%s%s", host, source_get(in, "owner"), source_get(in, "repo"),
		 strcmp(type, "sourcehut") ? ".git" : "");
	return b.p;
}

static void clone(struct flake_cmd *f, struct buf *out)
{
	const struct fetch *p = (struct fetch *)f;
	const struct input in = meant(f);
	const char *url = clone_url(&in);
	struct err e = ERR_INIT;
	struct stat st;

	(void)out;
	if (!lstat(p->dest, &st))
		throw_error(EK_IO, "cannot clone into existing path '%s'", p->dest);
	if (url && source_get(&in, "rev"))
		throw_error(EK_EVAL, "'%s' names a revision, and a clone is of a branch or tag", flake_ref_text(&in));
	if (url ? clone_git(url, source_get(&in, "ref"), p->dest, &e) : clone_tree(source_fetch(&in)->place, p->dest, &e))
		throw_err(&e);
}

int flake_clone_run(int argc, char **argv)
{
	static const struct option options[] = { { O_DEST, 'f', "dest", "PATH", "Where to." }, { 0 } };
	static const struct option_group groups[] = { { "Options", options },
						      FLAKE_CMD_GROUPS,
						      { "The store", command_store_options },
						      { NULL, NULL } };
	static const struct program program = { "gx flake clone", "copy the repository of a flake to work on it",
						"gx flake clone [options] FLAKE --dest PATH", NULL, groups };
	struct fetch p = { .f.c = { .program = &program, .option = on_option, .arg = &p } };
	int rc = command_read(&p.f.c, argc, argv, 0, 1, "at most one flake");

	if (rc != COMMAND_GO)
		return rc;
	if (!p.dest)
		return command_end(&p.f.c, usage_error(&program, "--dest says where to, and is missing"));
	return flake_cmd_run(&p.f, clone);
}
