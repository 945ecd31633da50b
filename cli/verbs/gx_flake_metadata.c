/* SPDX-License-Identifier: MIT
 *
 * gx flake metadata: what a flake is and what its inputs are locked to.
 *
 * The JSON is Nix's.  Its fingerprint names all that an evaluation of the flake depends on: the source, the folder in it, the lock
 * file, its times.
 */
#include "config.h"
#include "base/json_tree.h"
#include "cli/flake_cmd.h"
#include "cli/flake_json.h"
#include "cli/verb.h"
#include "eval/error.h"
#include "flake/ref.h"
#include "format/hash.h"

#include <string.h>
#include <time.h>

static const char *lock_text(const struct locked_flake *lf)
{
	struct buf b = BUF_GC;
	struct err e = ERR_INIT;

	if (lockfile_add(&lf->lock, &b, &e))
		throw_err(&e);
	return b.p;
}

static void add_lock(struct buf *b, const struct locked_flake *lf)
{
	const char *text = lock_text(lf);
	struct err e = ERR_INIT;
	struct jnode *doc;

	if (json_tree_parse(flake_arena(), slice_of(text), &doc, &e))
		throw_err(&e);
	buf_adds(b, "\"locks\":");
	json_tree_write(b, doc);
	buf_addc(b, ',');
}

struct unlocked {
	int found;
};

static void look(void *arg, const struct input_path *p, const struct lock_edge *edge)
{
	struct unlocked *u = arg;

	(void)p;
	u->found |= edge->node && !input_is_locked(&edge->node->locked);
}

/* What names the source alone; NULL where nothing does. */
static const char *source_name(const struct input *locked)
{
	const char *rev = source_get(locked, "rev"), *hash = source_get(locked, "narHash");
	const char *type = source_get(locked, "type");
	struct buf b = BUF_GC;

	/* A revision says all of a repository, and of an archive only where it came from. */
	if (rev && type && !slice_in_words(slice_of(type), "tarball file path"))
		return rev;
	if (!hash)
		return NULL;
	buf_addf(&b, "%s%s", type && !strcmp(type, "path") ? "path:" : "", hash);
	return b.p;
}

/* In hexadecimal; NULL where the flake's state has no name. */
static const char *fingerprint(const struct locked_flake *lf)
{
	const struct flake *f = lf->flake;
	const struct input_attr *at = input_get(&f->locked, "lastModified"), *count = input_get(&f->locked, "revCount");
	const char *name = source_name(&f->locked), *dir = source_get(&f->locked, "dir");
	struct unlocked u = { 0 };
	char text[HASH_TEXT_MAX];
	struct buf b = BUF_GC;
	struct hash h;

	lockfile_each(&lf->lock, look, &u);
	if (!name || u.found)
		return NULL;
	buf_addf(&b, "%s;%s;%s", name, dir ? dir : "", lock_text(lf));
	if (count)
		buf_addf(&b, ";revCount=%llu", (unsigned long long)count->i);
	if (at)
		buf_addf(&b, ";lastModified=%llu", (unsigned long long)at->i);
	hash_bytes(HASH_SHA256, b.p, b.len, &h);
	hash_print(&h, HASH_BASE16, 0, text);
	return arena_dup(flake_arena(), text, strlen(text));
}

static void add_json(struct buf *b, const struct locked_flake *lf)
{
	const struct flake *f = lf->flake;
	const struct input_attr *at = input_get(&f->locked, "lastModified"), *count = input_get(&f->locked, "revCount");
	struct input locked = { 0 };

	input_set_all(&locked, &f->locked, flake_arena());
	input_set(&locked, &(struct input_attr){ SLICE("__final"), INPUT_BOOL, { "", 0 }, 1 }, flake_arena());
	buf_addc(b, '{');
	flake_json_text(b, "description", f->description);
	flake_json_text(b, "dirtyRevision", source_get(&f->locked, "dirtyRev"));
	flake_json_text(b, "fingerprint", fingerprint(lf));
	if (at)
		flake_json_number(b, "lastModified", at->i);
	buf_adds(b, "\"locked\":");
	flake_json_input(b, &locked);
	buf_addc(b, ',');
	add_lock(b, lf);
	buf_adds(b, "\"original\":");
	flake_json_input(b, &f->original);
	buf_addc(b, ',');
	flake_json_text(b, "originalUrl", flake_ref_text(&f->original));
	flake_json_text(b, "path", f->tree->store_path);
	buf_adds(b, "\"resolved\":");
	flake_json_input(b, &f->resolved);
	buf_addc(b, ',');
	flake_json_text(b, "resolvedUrl", flake_ref_text(&f->resolved));
	if (count)
		flake_json_number(b, "revCount", count->i);
	flake_json_text(b, "revision", source_get(&f->locked, "rev"));
	flake_json_text(b, "url", flake_ref_text(&f->locked));
	flake_json_end(b);
	buf_addc(b, '\n');
}

/* --- for people --- */

static void add_time(struct buf *b, const struct input *in, int local, const char *before, const char *behind)
{
	const struct input_attr *at = input_get(in, "lastModified");
	time_t t = at ? (time_t)at->i : 0;
	char text[32];
	struct tm tm;

	if (at && (local ? localtime_r(&t, &tm) : gmtime_r(&t, &tm)) && strftime(text, sizeof text, "%F %T", &tm))
		buf_addf(b, "%s%s%s", before, text, behind);
}

/* Nodes that were drawn are not opened again. */
struct drawing {
	struct buf *b;
	const struct drawing *up;
	const struct lock_node *node;
};

static int is_open(const struct drawing *d, const struct lock_node *n)
{
	for (; d; d = d->up)
		if (d->node == n)
			return 1;
	return 0;
}

static void draw_inputs(const struct drawing *d, const char *indent)
{
	struct lock_node *n = (struct lock_node *)(uintptr_t)d->node;

	for (size_t i = 0; i < n->n; i++) {
		const struct lock_edge *edge = &n->edges[i];
		int last = i + 1 == n->n;
		buf_addf(d->b, "%s%s%.*s", indent, last ? "└───" : "├───", (int)edge->name.n, edge->name.p);
		if (!edge->node) {
			buf_adds(d->b, " follows input '");
			input_path_add(d->b, &edge->follows);
			buf_adds(d->b, "'\n");
			continue;
		}
		buf_addf(d->b, ": %s", flake_ref_text(&edge->node->locked));
		add_time(d->b, &edge->node->locked, 0, " (", ")");
		buf_addc(d->b, '\n');
		struct buf below = BUF_GC;
		buf_addf(&below, "%s%s", indent, last ? "    " : "│   ");
		const struct drawing here = { d->b, d, edge->node };
		if (!is_open(d, edge->node))
			draw_inputs(&here, below.p);
	}
}

static void add_line(struct buf *b, const char *name, const char *text)
{
	if (text)
		buf_addf(b, "%-14s %s\n", name, text);
}

static void add_text(struct buf *b, const struct locked_flake *lf)
{
	const struct flake *f = lf->flake;
	const struct input_attr *count = input_get(&f->locked, "revCount");
	const char *rev = source_get(&f->locked, "rev"), *dirty = source_get(&f->locked, "dirtyRev");
	const struct drawing top = { b, NULL, lf->lock.root };

	add_line(b, "Resolved URL:", flake_ref_text(&f->resolved));
	add_line(b, "Locked URL:", flake_ref_text(&f->locked));
	add_line(b, "Description:", f->description);
	add_line(b, "Path:", f->tree->store_path);
	add_line(b, "Revision:", rev ? rev : dirty);
	if (count)
		buf_addf(b, "%-14s %llu\n", "Revisions:", (unsigned long long)count->i);
	add_time(b, &f->locked, 1, "Last modified: ", "\n");
	add_line(b, "Fingerprint:", fingerprint(lf));
	if (lf->lock.root->n)
		buf_adds(b, "Inputs:\n");
	draw_inputs(&top, "");
}

static void metadata(struct flake_cmd *cmd, struct buf *b)
{
	const char *fragment;
	const struct locked_flake *lf = flake_options_open(&cmd->eval.flake_options, flake_cmd_ref(cmd), &fragment);

	flake_cmd_note(lf);
	if (cmd->c.json)
		add_json(b, lf);
	else
		add_text(b, lf);
}

int flake_metadata_run(int argc, char **argv)
{
	static const struct option options[] = { OPTION_JSON, { 0 } };
	static const struct option_group groups[] = { { "Options", options },
						      FLAKE_CMD_GROUPS,
						      { "The store", command_store_options },
						      { NULL, NULL } };
	static const struct program program = { "gx flake metadata", "what a flake is and what it is locked to",
						"gx flake metadata [options] [FLAKE]", NULL, groups };
	struct flake_cmd f = { .failed = 0 };
	int rc = flake_cmd_read(&f, &program, argc, argv, 1, "at most one flake");

	return rc != COMMAND_GO ? rc : flake_cmd_run(&f, metadata);
}
