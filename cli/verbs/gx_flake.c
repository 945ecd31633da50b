/* SPDX-License-Identifier: MIT
 *
 * gx flake lock, update, metadata.  show and check have files of their own.
 */
#include "config.h"
#include "base/alloc.h"
#include "cli/flake_cmd.h"
#include "cli/output.h"
#include "cli/report.h"
#include "cli/verb.h"
#include "eval/eval.h"
#include "flake/call.h"
#include "flake/ref.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* --- lock, update --- */

enum { O_CHECK = 10, O_OF };

struct locker {
	struct flake_cmd f; /* first: options get it */
	const char *flake;  /* of update */
};

static const struct option check_options[] = {
	{ O_CHECK, 0, "check", NULL,
	  "Write nothing, fail when the lock file is not up to date. With CI=true in the environment this is so." },
	{ 0 }
};
static const struct option update_options[] = {
	{ O_OF, 0, "flake", "FLAKE", "Of this flake, not the one here." },
	{ 0 }
};
static const struct option_group lock_groups[] = { { "Options", check_options },
						   { "Flakes", flake_option_table },
						   { "The store", command_store_options },
						   { NULL, NULL } };
static const struct option_group update_groups[] = { { "Options", update_options },
						     { "Flakes", flake_option_table },
						     { "The store", command_store_options },
						     { NULL, NULL } };

static int on_option(void *arg, int id, char **values)
{
	struct locker *l = arg;

	switch (id) {
	case O_CHECK: l->f.eval.flake_options.check = 1; break;
	case O_OF: l->flake = values[0]; break;
	default: flake_options_take(&l->f.eval.flake_options, id, values);
	}
	return 0;
}

/* Writing is what both are for. */
static int locker_run(struct locker *l, void (*fn)(struct flake_cmd *f, struct buf *out))
{
	struct flake_request *r = &l->f.eval.flake_options;

	r->no_write = 0;
	r->complete = r->must_write = r->updates_meant = 1;
	return flake_cmd_run(&l->f, fn);
}

static void lock(struct flake_cmd *f, struct buf *out)
{
	const char *fragment;

	(void)out;
	flake_cmd_note(flake_options_open(&f->eval.flake_options, flake_cmd_ref(f), &fragment));
}

static int lock_run(int argc, char **argv)
{
	static const struct program program = { "gx flake lock", "complete a flake's lock file", "gx flake lock [options] [FLAKE]",
						"Inputs that are locked already stay as they are.", lock_groups };
	struct locker l = { .f.c = { .program = &program, .option = on_option, .arg = &l } };
	const char *ci = getenv("CI");
	int rc = command_read(&l.f.c, argc, argv, 0, 1, "at most one flake");

	if (rc != COMMAND_GO)
		return rc;
	l.f.eval.flake_options.check |= ci && !strcmp(ci, "true") && !l.f.eval.flake_options.output_file;
	return locker_run(&l, lock);
}

/* The words are inputs. */
static void update(struct flake_cmd *f, struct buf *out)
{
	const char *fragment;

	(void)out;
	flake_cmd_note(flake_options_open(&f->eval.flake_options, ((struct locker *)f)->flake, &fragment));
}

static int update_run(int argc, char **argv)
{
	static const struct program program = {
		"gx flake update", "lock inputs of a flake anew", "gx flake update [options] [INPUT] ...",
		"Without INPUT all of them. 'a/b' is the input b of the input a.", update_groups
	};
	struct locker l = { .f.c = { .program = &program, .option = on_option, .arg = &l }, .flake = "." };
	struct flake_request *r = &l.f.eval.flake_options;
	int rc = command_read(&l.f.c, argc, argv, 0, 0, "inputs");

	if (rc != COMMAND_GO)
		return rc;
	r->recreate |= !l.f.c.n && !r->nupdates;
	r->updates = xrealloc_array(r->updates, r->nupdates + l.f.c.n + 1, sizeof *r->updates);
	for (size_t i = 0; i < l.f.c.n; i++)
		r->updates[r->nupdates++] = l.f.c.operands[i];
	return locker_run(&l, update);
}

/* --- metadata --- */

static void add_json_input(struct buf *b, const struct input *in)
{
	buf_addc(b, '{');
	for (size_t i = 0; i < in->n; i++) {
		const struct input_attr *a = &in->a[i];
		buf_addf(b, "%s\"%.*s\":", i ? "," : "", (int)a->name.n, a->name.p);
		if (a->type == INPUT_STRING)
			output_json_string(b, a->s.p, a->s.n);
		else if (a->type == INPUT_INT)
			buf_addf(b, "%llu", (unsigned long long)a->i);
		else
			buf_adds(b, a->i ? "true" : "false");
	}
	buf_addc(b, '}');
}

static void add_json_text(struct buf *b, const char *name, const char *text)
{
	buf_addf(b, "\"%s\":", name);
	output_json_string(b, text, strlen(text));
	buf_addc(b, ',');
}

static void metadata_json(const struct locked_flake *lf, struct buf *b)
{
	const struct flake *f = lf->flake;
	const struct input_attr *at = input_get(&f->locked, "lastModified"), *count = input_get(&f->locked, "revCount");
	const char *rev = source_get(&f->locked, "rev"), *dirty = source_get(&f->locked, "dirtyRev");
	struct err e = ERR_INIT;

	buf_addc(b, '{');
	if (f->description)
		add_json_text(b, "description", f->description);
	if (dirty)
		add_json_text(b, "dirtyRevision", dirty);
	if (at)
		buf_addf(b, "\"lastModified\":%llu,", (unsigned long long)at->i);
	buf_adds(b, "\"locked\":");
	add_json_input(b, &f->locked);
	buf_adds(b, ",\"locks\":");
	if (lockfile_add(&lf->lock, b, &e))
		throw_err(&e);
	buf_adds(b, ",\"original\":");
	add_json_input(b, &f->original);
	buf_addc(b, ',');
	add_json_text(b, "originalUrl", flake_ref_text(&f->original));
	add_json_text(b, "path", f->tree->store_path);
	buf_adds(b, "\"resolved\":");
	add_json_input(b, &f->resolved);
	buf_addc(b, ',');
	add_json_text(b, "resolvedUrl", flake_ref_text(&f->resolved));
	if (count)
		buf_addf(b, "\"revCount\":%llu,", (unsigned long long)count->i);
	if (rev)
		add_json_text(b, "revision", rev);
	add_json_text(b, "url", flake_ref_text(&f->locked));
	buf_trim(b, b->len - 1);
	buf_adds(b, "}\n");
}

/* Draws the inputs of a node; one that was drawn before is not opened again. */
static void draw_inputs(struct buf *b, struct lock_node *n, const char *indent)
{
	for (size_t i = 0; i < n->n; i++) {
		const struct lock_edge *edge = &n->edges[i];
		int last = i + 1 == n->n;
		buf_addf(b, "%s%s%.*s", indent, last ? "└───" : "├───", (int)edge->name.n, edge->name.p);
		if (!edge->node) {
			buf_adds(b, " follows input '");
			input_path_add(b, &edge->follows);
			buf_adds(b, "'\n");
			continue;
		}
		buf_addf(b, ": %s\n", flake_ref_text(&edge->node->locked));
		struct buf below = BUF_GC;
		buf_addf(&below, "%s%s", indent, last ? "    " : "│   ");
		draw_inputs(b, edge->node, below.p);
	}
}

static void metadata(struct flake_cmd *cmd, struct buf *b)
{
	const char *fragment;
	const struct locked_flake *lf = flake_options_open(&cmd->eval.flake_options, flake_cmd_ref(cmd), &fragment);
	const struct flake *f = lf->flake;
	const struct input_attr *at = input_get(&f->locked, "lastModified"), *count = input_get(&f->locked, "revCount");
	const char *rev = source_get(&f->locked, "rev"), *dirty = source_get(&f->locked, "dirtyRev");

	flake_cmd_note(lf);
	if (cmd->c.json) {
		metadata_json(lf, b);
		return;
	}
	buf_addf(b, "Resolved URL:  %s\n", flake_ref_text(&f->resolved));
	buf_addf(b, "Locked URL:    %s\n", flake_ref_text(&f->locked));
	if (f->description)
		buf_addf(b, "Description:   %s\n", f->description);
	buf_addf(b, "Path:          %s\n", f->tree->store_path);
	if (rev || dirty)
		buf_addf(b, "Revision:      %s\n", rev ? rev : dirty);
	if (count)
		buf_addf(b, "Revisions:     %llu\n", (unsigned long long)count->i);
	if (at) {
		time_t t = (time_t)at->i;
		struct tm tm;
		char text[32] = "";
		if (localtime_r(&t, &tm))
			strftime(text, sizeof text, "%F %T", &tm);
		buf_addf(b, "Last modified: %s\n", text);
	}
	if (lf->lock.root->n)
		buf_adds(b, "Inputs:\n");
	draw_inputs(b, lf->lock.root, "");
}

static int metadata_run(int argc, char **argv)
{
	static const struct option options[] = { OPTION_JSON, { 0 } };
	static const struct option_group groups[] = { { "Options", options },
						      { "Flakes", flake_option_table },
						      { "The store", command_store_options },
						      { NULL, NULL } };
	static const struct program program = { "gx flake metadata", "what a flake is and what it is locked to",
						"gx flake metadata [options] [FLAKE]", NULL, groups };
	struct flake_cmd f = { .failed = 0 };
	int rc = flake_cmd_read(&f, &program, argc, argv, 1, "at most one flake");

	return rc != COMMAND_GO ? rc : flake_cmd_run(&f, metadata);
}

const struct verb flake_verbs[] = {
	{ "show", "what a flake provides", flake_show_run, NULL },
	{ "metadata", "what a flake is and what it is locked to", metadata_run, NULL },
	{ "lock", "complete the lock file", lock_run, NULL },
	{ "update", "lock inputs anew", update_run, NULL },
	{ "check", "evaluate what a flake provides, build its checks", flake_check_run, NULL },
	{ "init", "write a flake.gx to start from", init_run, NULL },
	{ 0 }
};
