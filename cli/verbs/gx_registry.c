/* SPDX-License-Identifier: MIT
 *
 * gx registry: what the names of flakes mean (flake/registry.h).
 *
 * Changes go to the user's registry of gx, or to the file that --registry names; Nix's own files are read and left alone.
 */
#include "config.h"
#include "cli/flake_cmd.h"
#include "cli/report.h"
#include "cli/verb.h"
#include "eval/error.h"
#include "flake/ref.h"
#include "flake/registry.h"
#include "flake/source.h"

#include <string.h>

enum { O_FILE = 1 };

struct change {
	struct flake_cmd f; /* first: options get it */
	const char *file;   /* NULL: the user's */
};

static const struct option own_options[] = {
	{ O_FILE, 0, "registry", "FILE", "Change this registry and not the user's." },
	{ 0 }
};

static const struct option_group change_groups[] = { { "Options", own_options },
						     { "Flakes", flake_option_table },
						     { "The store", command_store_options },
						     { NULL, NULL } };
static const struct option_group look_groups[] = { { "Flakes", flake_option_table },
						   { "The store", command_store_options },
						   { NULL, NULL } };

static int on_option(void *arg, int id, char **values)
{
	struct change *c = arg;

	if (id == O_FILE)
		c->file = values[0];
	else
		flake_options_take(&c->f.eval.flake_options, id, values);
	return 0;
}

static int change_run(const struct program *p, int argc, char **argv, size_t min, size_t max, const char *what,
		      void (*fn)(struct flake_cmd *f, struct buf *out))
{
	struct change c = { .f.c = { .program = p, .option = on_option, .arg = &c } };
	int rc = command_read(&c.f.c, argc, argv, min, max, what);

	return rc != COMMAND_GO ? rc : flake_cmd_run(&c.f, fn);
}

static const char *file_of(const struct change *c)
{
	return c->file ? c->file : registry_user_file();
}

static void parse(const char *text, struct input *out)
{
	const char *fragment;

	flake_ref_parse(text, out, &fragment);
	if (*fragment)
		throw_error(EK_EVAL, "the flake reference '%s' must not have a fragment ('#…')", text);
}

/* --- list --- */

static void add_list(struct buf *b, enum registry_kind kind, const char *title)
{
	const struct registry_list *r = registry_of(kind);

	for (size_t i = 0; i < r->n; i++)
		buf_addf(b, "%s %s %s\n", title, flake_ref_text(&r->v[i].from), flake_ref_text(&r->v[i].to));
}

static void list(struct flake_cmd *f, struct buf *out)
{
	(void)f;
	add_list(out, REGISTRY_FLAGS, "flags ");
	add_list(out, REGISTRY_USER, "user  ");
	add_list(out, REGISTRY_SYSTEM, "system");
	add_list(out, REGISTRY_GLOBAL, "global");
}

static int list_run(int argc, char **argv)
{
	static const struct program program = {
		"gx registry list", "what names of flakes mean", "gx registry list [options]",
		"One line for each: the registry it stands in, the name, what it means. The first that knows a name decides.",
		look_groups
	};

	return change_run(&program, argc, argv, 0, 0, "nothing", list);
}

/* --- add, remove, pin --- */

static void add(struct flake_cmd *f, struct buf *out)
{
	const char *file = file_of((struct change *)f);
	struct registry_entry e = { .exact = 0 };
	struct registry_list r = { 0 };

	(void)out;
	parse(f->c.operands[0], &e.from);
	parse(f->c.operands[1], &e.to);
	registry_read(file, &r);
	registry_remove(&r, &e.from);
	registry_add(&r, &e);
	registry_write(file, &r);
}

static int add_run(int argc, char **argv)
{
	static const struct program program = { "gx registry add", "give a flake a name", "gx registry add [options] NAME FLAKE",
						"A name that the registry has already gets another meaning.", change_groups };

	return change_run(&program, argc, argv, 2, 2, "a name and a flake", add);
}

static void remove_name(struct flake_cmd *f, struct buf *out)
{
	const char *file = file_of((struct change *)f);
	struct registry_list r = { 0 };
	struct input from;

	(void)out;
	parse(f->c.operands[0], &from);
	registry_read(file, &r);
	if (!registry_remove(&r, &from))
		report_warning(0, 0, "the registry of the user has no such name");
	registry_write(file, &r);
}

static int remove_run(int argc, char **argv)
{
	static const struct program program = { "gx registry remove", "take a name away", "gx registry remove [options] NAME",
						"Only from the user's registry, or that of --registry.", change_groups };

	return change_run(&program, argc, argv, 1, 1, "a name", remove_name);
}

static void pin(struct flake_cmd *f, struct buf *out)
{
	const char *file = file_of((struct change *)f), *what = f->c.operands[f->c.n - 1], *dir;
	struct registry_entry e = { .exact = 0 };
	struct registry_list r = { 0 };
	struct input given, meant;

	(void)out;
	parse(f->c.operands[0], &e.from);
	parse(what, &given);
	meant = registry_resolve(&given, REGISTRY_ALL);
	dir = source_get(&meant, "dir");
	const struct flake_tree *t = source_fetch(&meant);
	for (size_t i = 0; i < t->locked.n; i++)
		input_set(&e.to, &t->locked.a[i], flake_arena());
	if (dir)
		source_set(&e.to, "dir", dir);
	if (!input_is_locked(&e.to))
		report_warning(0, 0, "what it means is not locked: nothing names its state");
	registry_read(file, &r);
	registry_remove(&r, &e.from);
	registry_add(&r, &e);
	registry_write(file, &r);
}

static int pin_run(int argc, char **argv)
{
	static const struct program program = { "gx registry pin", "let a name mean what a flake is now",
						"gx registry pin [options] NAME [FLAKE]",
						"Without FLAKE, what the name means now.", change_groups };

	return change_run(&program, argc, argv, 1, 2, "a name and perhaps a flake", pin);
}

/* --- resolve --- */

static void resolve(struct flake_cmd *f, struct buf *out)
{
	for (size_t i = 0; i < f->c.n; i++) {
		struct input in, to;
		parse(f->c.operands[i], &in);
		to = registry_resolve(&in, REGISTRY_ALL);
		buf_addf(out, "%s\n", flake_ref_text(&to));
	}
}

static int resolve_run(int argc, char **argv)
{
	static const struct program program = { "gx registry resolve", "print what names mean",
						"gx registry resolve [options] NAME ...", NULL, look_groups };

	return change_run(&program, argc, argv, 1, 0, "names", resolve);
}

const struct verb registry_verbs[] = {
	{ "list", "what names of flakes mean", list_run, NULL },
	{ "add", "give a flake a name", add_run, NULL },
	{ "remove", "take a name away", remove_run, NULL },
	{ "pin", "let a name mean what a flake is now", pin_run, NULL },
	{ "resolve", "print what names mean", resolve_run, NULL },
	{ 0 }
};
