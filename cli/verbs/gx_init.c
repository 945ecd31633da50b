/* SPDX-License-Identifier: MIT
 *
 * gx init, gx flake init, gx flake new: a flake to start from, here or in a folder that is made for it.
 *
 * What is written is a template: a folder that a flake has under templates.NAME.  Those of gx:std can be used as they are; for a Go
 * module or workspace that is here already, their stand-ins are replaced by its names.
 *
 * The evaluation half reads all of the template into memory; the files are made when it is over.
 */
#include "config.h"
#include "base/alloc.h"
#include "base/fdio.h"
#include "builtins/fs.h"
#include "cli/flake_cmd.h"
#include "cli/evaluation.h"
#include "cli/report.h"
#include "cli/template.h"
#include "cli/value_options.h"
#include "cli/verb.h"
#include "eval/attrs.h"
#include "eval/builtin.h"
#include "eval/coerce.h"
#include "eval/eval.h"
#include "flake/call.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { O_TEMPLATE = 1 };

struct init {
	struct flake_cmd f; /* first: options get it */
	const char *name;     /* what -t says */
	const char *dest;     /* the folder, NULL: here */
	int fitted;	      /* name is what fits to what is here */
	char *welcome;
	struct template files;
};

static const struct option own_options[] = {
	{ O_TEMPLATE, 't', "template", "TEMPLATE",
	  "go, go-workspace or shell of gx:std, or FLAKE#NAME; by default what fits to a go.work or go.mod that is here." },
	{ 0 }
};

static const struct option_group groups[] = { { "Options", own_options },
					      FLAKE_CMD_GROUPS,
					      { "The store", command_store_options },
					      { NULL, NULL } };

/* --- reading a template --- */

static const char *link_target(const char *path)
{
	const char *name = strrchr(path, '/') + 1;
	struct buf place = BUF_GC;
	char target[PATH_MAX];

	buf_addf(&place, "%s/%s", fs_tree(w_path(path, (size_t)(name - 1 - path))), name);
	ssize_t n = readlink(place.p, target, sizeof target - 1);
	if (n < 0)
		throw_error(EK_IO, "the link '%s' cannot be read: %s", path, strerror(errno));
	struct buf b = BUF_GC;
	buf_add(&b, target, (size_t)n);
	return buf_str(&b);
}

static void read_folder(struct init *in, const char *path, const char *name)
{
	W entries = call1(eval_builtin("readDir"), w_cstr(path));
	struct attrs *a = attrs_of(entries);
	const uint32_t *order = attrs_order(a);

	stack_check();
	for (uint32_t i = 0; i < a->n; i++) {
		const char *entry = sym_name(a->sh->sym[order[i]])->b, *kind = w_get_str(force_at(&a->v[order[i]]))->b;
		struct buf from = BUF_GC, to = BUF_GC;

		buf_addf(&from, "%s/%s", path, entry);
		buf_addf(&to, "%s%s%s", name, *name ? "/" : "", entry);
		if (!strcmp(kind, "directory")) {
			template_add(&in->files, to.p, NULL, 0);
			read_folder(in, from.p, to.p);
		} else if (!strcmp(kind, "regular")) {
			struct str *text = w_get_str(call1(eval_builtin("readFile"), w_cstr(from.p)));

			template_add(&in->files, to.p, text->b, text->len);
		} else if (!strcmp(kind, "symlink")) {
			template_add_link(&in->files, to.p, link_target(from.p));
		} else {
			throw_error(EK_EVAL, "'%s' of the template is neither a file nor a folder", to.p);
		}
	}
}

/* By Nix's name, as there: what the registry calls so. */
static void name_of_nix(struct init *in)
{
	if (!in->name && place_obeys_environment())
		in->name = "flake:templates";
}

/* "go" is gx:std#templates.go. */
static const char *reference(const struct init *in)
{
	struct buf b = BUF_GC;
	const char *t = in->name, *hash = strchr(t, '#');

	if (!hash && !strpbrk(t, ":/."))
		buf_addf(&b, "gx:std#templates.%s", t);
	else if (!hash || !hash[1])
		buf_addf(&b, "%.*s#templates.default", (int)strcspn(t, "#"), t);
	else
		buf_addf(&b, "%.*s#templates.%s", (int)(hash - t), t, hash + 1);
	return b.p;
}

static void read_template(struct flake_cmd *f, struct buf *out)
{
	struct init *in = (struct init *)f;
	const char *ref = reference(in), *fragment;
	struct attr_place found;
	struct locked_flake *lf = flake_options_open(&f->eval.flake_options, ref, &fragment);
	W outputs = flake_outputs(flake_call(lf));
	struct buf exact = BUF_GC;

	(void)out;
	buf_addf(&exact, ".%s", fragment);
	W t = want_attrs(flake_select(outputs, exact.p, FLAKE_WANT_PACKAGE, ref, &found), "a template");
	W *welcome = attrs_find_c(t, "welcomeText");
	struct str *path = w_get_str(coerce_string(want_attr(t, "path", "a template"), 0));

	if (welcome)
		in->welcome = xstrdup(want_string(*welcome, "the welcomeText of a template")->b);
	read_folder(in, path->b, "");
}

/* The flake of a folder inside a module has nothing of it. */
static void say_module_above(void)
{
	char dir[PATH_MAX], file[PATH_MAX + 8], *slash;

	if (!getcwd(dir, sizeof dir))
		return;
	while ((slash = strrchr(dir, '/'))) {
		*slash = 0;
		snprintf(file, sizeof file, "%s/go.mod", dir);
		if (!access(file, F_OK)) {
			report_line("note: this folder is in the Go module of '%s': 'gx init' there writes a flake for it", dir);
			return;
		}
	}
}

static void say_next(const struct init *in)
{
	int go = !strncmp(in->name, "go", 2);

	for (size_t i = 0; i < in->files.n; i++)
		if (in->files.v[i].text && !in->files.v[i].is_here)
			report_line("note: wrote %s", in->files.v[i].name);
	if (in->welcome) {
		report_line("%s", in->welcome);
		return;
	}
	report_line("next: gx develop      %s", go ? "a shell with the Go that is asked for" : "the development shell");
	report_line("      gx build        builds the default package");
	report_line("      gx flake show   what there is");
}

static int on_option(void *arg, int id, char **values)
{
	struct init *in = arg;

	if (id == O_TEMPLATE)
		in->name = values[0];
	else
		flake_options_take(&in->f.eval.flake_options, id, values);
	return 0;
}

/* Goes to the folder, which is made. */
static int enter(const char *dest)
{
	if (!dest)
		return 0;
	if (make_folders(dest, 0777) || chdir(dest)) {
		report_error("cannot make the folder '%s': %s", dest, strerror(errno));
		return EXIT_FAILED;
	}
	return 0;
}

static const char *fitting(void)
{
	return template_exists("go.work") ? "go-workspace" : template_exists("go.mod") ? "go" : "shell";
}

static int make(struct init *in)
{
	int rc = flake_cmd_run(&in->f, read_template);

	if (!rc)
		rc = enter(in->dest);
	if (!rc) {
		template_put_names(&in->files, in->name);
		rc = template_write(&in->files);
	}
	if (!rc && in->fitted && !strcmp(in->name, "shell"))
		say_module_above();
	if (!rc)
		say_next(in);
	template_release(&in->files);
	free(in->welcome);
	return rc;
}

int init_run(int argc, char **argv)
{
	static const struct program program = { "gx init", "write a flake to start from", "gx init [-t TEMPLATE]",
						"Without TEMPLATE: go-workspace where there is a go.work, go where there is a "
						"go.mod, else shell. Nothing that is here is "
						"changed; in a git repository the new files are made known to git.",
						groups };
	struct init in = { .f.c = { .program = &program, .option = on_option, .arg = &in } };
	int rc = command_read(&in.f.c, argc, argv, 0, 0, "nothing");

	if (rc != COMMAND_GO)
		return rc;
	if (in.f.c.n)
		return command_end(&in.f.c, usage_error(&program, "'gx init' takes nothing, not '%s'", in.f.c.operands[0]));
	name_of_nix(&in);
	if (!in.name && (template_exists("flake.nix") || template_exists("flake.gx"))) {
		report_error("there is a flake here already");
		return command_end(&in.f.c, EXIT_FAILED);
	}
	in.fitted = !in.name;
	in.name = in.name ? in.name : fitting();
	return make(&in);
}

int flake_new_run(int argc, char **argv)
{
	static const struct program program = { "gx flake new", "write a flake to start from in a new folder",
						"gx flake new [-t TEMPLATE] FOLDER",
						"Without TEMPLATE: shell. What the folder has already has to be the same.",
						groups };
	struct init in = { .f.c = { .program = &program, .option = on_option, .arg = &in } };
	int rc = command_read(&in.f.c, argc, argv, 1, 1, "a folder");

	if (rc != COMMAND_GO)
		return rc;
	in.dest = in.f.c.operands[0];
	name_of_nix(&in);
	in.name = in.name ? in.name : "shell";
	return make(&in);
}
