/* SPDX-License-Identifier: MIT
 *
 * gx store export, import, optimise, path-from-hash-part.
 */
#include "config.h"
#include "cli/named.h"
#include "cli/nix/nix_store_files.h"
#include "cli/output.h"
#include "cli/report.h"
#include "cli/value_options.h"
#include "cli/verbs/gx_store.h"
#include "format/nar.h"
#include "store/export.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { O_RECURSIVE = 1 };

struct export_command {
	struct named n; /* first: options get it */
	int recursive;
};

static int on_export_option(struct named *n, int id, char **values)
{
	(void)id;
	(void)values;
	((struct export_command *)n)->recursive = 1;
	return 0;
}

static int export_objects(struct store *s, struct path_set *found, int recursive, struct err *e)
{
	const struct nar_sink sink = { output_sink, NULL };
	struct path_set all = PATH_SET_INIT;
	int rc;

	if (!recursive)
		return store_export_ordered(s, found, &sink, e);
	path_set_sort(found);
	rc = db_closure(store_db(s), found, 0, &all, e);
	rc = rc ? rc : store_export_ordered(s, &all, &sink, e);
	path_set_release(&all);
	return rc;
}

int store_export_run(int argc, char **argv)
{
	static const struct option options[] = {
		{ O_RECURSIVE, 'r', "recursive", NULL, "Also everything the objects refer to." }, { 0 }
	};
	static const struct option_group groups[] = { { "Options", options },
						      { "What to evaluate", value_option_table },
						      { "Flakes", flake_option_table },
						      { "The store", command_store_options },
						      { NULL, NULL } };
	static const struct program program = { "gx store export", "print objects as one stream",
						"gx store export [options] PATH... >FILE",
						"'gx store import' and 'nix-store --import' read it.", groups };
	struct export_command x = { .n.option = on_export_option };
	struct path_set found = PATH_SET_INIT;
	struct err e = ERR_INIT;
	int rc = named_read(&x.n, &program, argc, argv, 1, 0, "a path");

	if (rc != COMMAND_GO)
		return rc;
	if (isatty(1))
		return command_end(&x.n.c, usage_error(&program, "a stream of objects is nothing for a terminal: add >FILE"));
	rc = named_find(&x.n, 0, &found);
	if (!rc && export_objects(x.n.c.store, &found, x.recursive, &e))
		rc = command_fail(&e);
	path_set_release(&found);
	return command_end(&x.n.c, rc);
}

/* One that reads or prints nothing but lines. */
static int run_plain(const struct program *p, int argc, char **argv,
		     int (*run)(struct store *s, const struct files_request *r, struct buf *out, struct err *e))
{
	static const struct files_request nothing = { .n = 0 };
	struct command c = { .program = p };
	struct buf out = BUF_INIT;
	struct err e = ERR_INIT;
	int rc = command_read(&c, argc, argv, 0, 0, "");

	if (rc != COMMAND_GO)
		return rc;
	if (c.n)
		return command_end(&c, usage_error(p, "'%s' takes nothing, not '%s'", p->name, c.operands[0]));
	if ((rc = command_open(&c, 0)))
		return rc;
	int failed = run(c.store, &nothing, &out, &e);
	rc = command_print(&out);
	return command_end(&c, failed ? command_fail(&e) : rc);
}

static const struct option_group store_groups[] = { { "Store", command_store_options }, { 0 } };

int store_import_run(int argc, char **argv)
{
	static const struct program program = { "gx store import", "add the objects of a stream that 'gx store export' printed",
						"gx store import <FILE", "Prints their paths. Nothing but whoever gives the stream "
						"vouches for what it says.", store_groups };

	return run_plain(&program, argc, argv, files_import);
}

int store_optimise_run(int argc, char **argv)
{
	static const struct program program = { "gx store optimise", "keep equal files once, as hard links",
						"gx store optimise", NULL, store_groups };

	return run_plain(&program, argc, argv, files_optimise);
}

int store_path_from_hash_run(int argc, char **argv)
{
	static const struct program program = { "gx store path-from-hash-part", "the object whose path has these 32 digits",
						"gx store path-from-hash-part DIGITS", NULL, store_groups };
	struct command c = { .program = &program };
	struct store_path p;
	struct buf out = BUF_INIT;
	struct err e = ERR_INIT;
	int rc = command_read(&c, argc, argv, 1, 1, "the digits of one path");

	if (rc != COMMAND_GO || (rc = command_open_reading(&c)))
		return rc;
	if (strlen(c.operands[0]) != STORE_HASH_LEN)
		err_set(&e, ERR_INVALID, "'%s' is not %d digits", c.operands[0], STORE_HASH_LEN);
	if (e.code || db_find_digest(store_db(c.store), slice_of(c.operands[0]), &p, &e))
		return command_end(&c, command_fail(&e));
	store_add_path(c.store, &out, &p);
	buf_addc(&out, '\n');
	return command_end(&c, command_print(&out));
}
