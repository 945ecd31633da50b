/* SPDX-License-Identifier: MIT
 *
 * gx flake lock and update, and the table of all verbs of flakes.
 */
#include "config.h"
#include "base/alloc.h"
#include "cli/flake_cmd.h"
#include "cli/report.h"
#include "cli/verb.h"
#include "eval/eval.h"

#include <stdlib.h>
#include <string.h>

/* --- lock, update --- */

enum { O_CHECK = FLAKE_CMD_LEGACY + 1, O_OF };

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
						   FLAKE_CMD_GROUPS,
						   { "The store", command_store_options },
						   { NULL, NULL } };
static const struct option_group update_groups[] = { { "Options", update_options },
						     FLAKE_CMD_GROUPS,
						     { "The store", command_store_options },
						     { NULL, NULL } };

static int on_option(void *arg, int id, char **values)
{
	struct locker *l = arg;

	switch (id) {
	case O_CHECK: l->f.eval.flake_options.check = 1; break;
	case O_OF: l->flake = values[0]; break;
	default: return flake_cmd_option(&l->f, id, values);
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
	/* What was asked a while ago is not what is meant. */
	eval_settings.tarball_ttl = 0;
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
	for (size_t i = 0; i < l.f.c.n; i++) {
		if (!*l.f.c.operands[i]) {
			report_error("input path to be updated cannot be zero-length; it would refer to the flake itself, "
				     "not an input");
			return command_end(&l.f.c, EXIT_FAILED);
		}
		r->updates[r->nupdates++] = l.f.c.operands[i];
	}
	return locker_run(&l, update);
}

const struct verb flake_verbs[] = {
	{ "show", "what a flake provides", flake_show_run, NULL },
	{ "metadata", "what a flake is and what it is locked to", flake_metadata_run, NULL },
	{ "lock", "complete the lock file", lock_run, NULL },
	{ "update", "lock inputs anew", update_run, NULL },
	{ "check", "evaluate what a flake provides, build its checks", flake_check_run, NULL },
	{ "init", "write a flake.gx to start from", init_run, NULL },
	{ "new", "the same in a new folder", flake_new_run, NULL },
	{ "audit", "look at all that a flake depends on", flake_audit_run, NULL },
	{ "prefetch", "bring the source of a flake into the store", flake_prefetch_run, NULL },
	{ "archive", "bring a flake and all its inputs into a store", flake_archive_run, NULL },
	{ "clone", "copy the repository of a flake to work on it", flake_clone_run, NULL },
	{ 0 }
};
