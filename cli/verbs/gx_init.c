/* SPDX-License-Identifier: MIT
 *
 * gx init, gx flake init, gx flake new: a flake to start from, here or in a folder that is made for it.
 *
 * What is written is a template: a folder that a flake has under templates.NAME.  Those of gx:std can be used as they are; for a Go
 * module or workspace that is here already, their stand-ins are replaced by its names.  What editors and continuous integration
 * read are templates of gx:std too, several at once, beside the flake that is here.
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
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What is there for editors and continuous integration, in the order in which it is spoken of. */
enum part { DEVCONTAINER, VSCODE, DIRENV, GITHUB_ACTIONS, GITLAB_CI, PARTS };

enum { O_TEMPLATE = 1, O_FORCE, O_PART };

struct init {
	struct flake_cmd f; /* first: options get it */
	const char *name;     /* what -t says, or what fits; NULL: no flake is written */
	int parts[PARTS], any_part;
	int force;
	const char *dest;     /* the folder, NULL: here */
	int fitted;	      /* name is what fits to what is here */
	char *welcome;
	struct template files;
};

static const struct {
	const char *template, *with; /* another that it needs */
	const char *next;
} parts[PARTS] = {
	[DEVCONTAINER] = { "devcontainer", NULL,
			   "next: open the folder in a dev container; 'gx image load -f .devcontainer/image.gx' makes its image" },
	[VSCODE] = { "vscode", NULL, "next: open the folder in VS Code: it calls the shell's tools" },
	[DIRENV] = { "direnv", NULL, "next: direnv allow" },
	[GITHUB_ACTIONS] = { "github-actions", "ci",
			     "next: let the repository's variable GX_ARCHIVE say where gx is, as .ci/gx.sh tells" },
	[GITLAB_CI] = { "gitlab-ci", "ci", "next: let the project's variable GX_ARCHIVE say where gx is, as .ci/gx.sh tells" },
};

static const struct option part_options[] = {
	{ O_PART + DEVCONTAINER, 0, "devcontainer", NULL,
	  "A dev container: an image of the shell, with gopls attached and delve's launch configuration." },
	{ O_PART + VSCODE, 0, "vscode", NULL, "VS Code with the shell's tools, and delve's launch configuration." },
	{ O_PART + DIRENV, 0, "direnv", NULL, "An .envrc that enters the shell." },
	{ O_PART + GITHUB_ACTIONS, 0, "github-actions", NULL, "A workflow that checks and builds, and keeps what was built." },
	{ O_PART + GITLAB_CI, 0, "gitlab-ci", NULL, "The same for GitLab." },
	{ O_FORCE, 0, "force", NULL, "Replace files that are here." },
	{ 0 }
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

static const struct option_group init_groups[] = { { "Options", own_options },
						   { "For editors and continuous integration", part_options },
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

static int may_be_run(const char *path)
{
	struct stat st;

	return !stat(fs_tree(w_path(path, strlen(path))), &st) && (st.st_mode & S_IXUSR);
}

static int has_file(const struct template *t, const char *name)
{
	for (size_t i = 0; i < t->n; i++)
		if (!strcmp(t->v[i].name, name))
			return 1;
	return 0;
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
		if (strcmp(kind, "directory") && has_file(&in->files, to.p))
			continue; /* of two templates that need the same one */
		if (!strcmp(kind, "directory")) {
			template_add(&in->files, to.p, NULL, 0);
			read_folder(in, from.p, to.p);
		} else if (!strcmp(kind, "regular")) {
			struct str *text = w_get_str(call1(eval_builtin("readFile"), w_cstr(from.p)));

			template_add(&in->files, to.p, text->b, text->len);
			if (may_be_run(from.p))
				template_set_program(&in->files);
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
static const char *reference(const char *t)
{
	struct buf b = BUF_GC;
	const char *hash = strchr(t, '#');

	if (!hash && !strpbrk(t, ":/."))
		buf_addf(&b, "gx:std#templates.%s", t);
	else if (!hash || !hash[1])
		buf_addf(&b, "%.*s#templates.default", (int)strcspn(t, "#"), t);
	else
		buf_addf(&b, "%.*s#templates.%s", (int)(hash - t), t, hash + 1);
	return b.p;
}

static void read_template(struct init *in, const char *name)
{
	const char *ref = reference(name), *fragment;
	struct attr_place found;
	struct locked_flake *lf = flake_options_open(&in->f.eval.flake_options, ref, &fragment);
	W outputs = flake_outputs(flake_call(lf));
	struct buf exact = BUF_GC;

	buf_addf(&exact, ".%s", fragment);
	W t = want_attrs(flake_select(outputs, exact.p, FLAKE_WANT_PACKAGE, ref, &found), "a template");
	W *welcome = attrs_find_c(t, "welcomeText");
	struct str *path = w_get_str(coerce_string(want_attr(t, "path", "a template"), 0));

	if (welcome)
		in->welcome = xstrdup(want_string(*welcome, "the welcomeText of a template")->b);
	read_folder(in, path->b, "");
}

static void read_templates(struct flake_cmd *f, struct buf *out)
{
	struct init *in = (struct init *)f;

	(void)out;
	if (in->name)
		read_template(in, in->name);
	for (int k = 0; k < PARTS; k++)
		if (in->parts[k]) {
			read_template(in, parts[k].template);
			if (parts[k].with)
				read_template(in, parts[k].with);
		}
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

static void say_flake(const struct init *in)
{
	int go = !strncmp(in->name, "go", 2);

	if (in->welcome) {
		report_line("%s", in->welcome);
		return;
	}
	report_line("next: gx develop      %s", go ? "a shell with the Go that is asked for" : "the development shell");
	report_line("      gx build        builds the default package");
	report_line("      gx flake show   what there is");
}

static void say_next(const struct init *in)
{
	for (size_t i = 0; i < in->files.n; i++)
		if (in->files.v[i].text && !in->files.v[i].is_here)
			report_line("note: wrote %s", in->files.v[i].name);
	if (in->name)
		say_flake(in);
	for (int k = 0; k < PARTS; k++)
		if (in->parts[k])
			report_line("%s", parts[k].next);
	if ((in->parts[GITHUB_ACTIONS] || in->parts[GITLAB_CI]) && !template_exists("flake.lock"))
		report_line("      gx flake lock    writes flake.lock, which belongs into the repository");
}

static int on_option(void *arg, int id, char **values)
{
	struct init *in = arg;

	if (id == O_TEMPLATE)
		in->name = values[0];
	else if (id == O_FORCE)
		in->force = 1;
	else if (id >= O_PART && id < O_PART + PARTS)
		in->parts[id - O_PART] = in->any_part = 1;
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
	int rc = flake_cmd_run(&in->f, read_templates);

	if (!rc)
		rc = enter(in->dest);
	if (!rc) {
		if (in->name)
			template_put_names(&in->files, in->name);
		if (in->any_part)
			template_put_project(&in->files);
		rc = template_write(&in->files, in->force);
	}
	if (!rc && in->fitted && in->name && !strcmp(in->name, "shell"))
		say_module_above();
	if (!rc)
		say_next(in);
	template_release(&in->files);
	free(in->welcome);
	return rc;
}

int init_run(int argc, char **argv)
{
	static const struct program program = {
		"gx init", "write a flake to start from, and what editors and CI read",
		"gx init [-t TEMPLATE] [--devcontainer] [--vscode] [--direnv] [--github-actions] [--gitlab-ci]",
		"Without TEMPLATE: go-workspace where there is a go.work, go where there is a go.mod, else shell; beside a flake "
		"that is here only what editors and continuous integration read. Nothing that is here is changed, unless --force "
		"says so; in a git repository the new files are made known to git.",
		init_groups
	};
	struct init in = { .f.c = { .program = &program, .option = on_option, .arg = &in } };
	int rc = command_read(&in.f.c, argc, argv, 0, 0, "nothing");

	if (rc != COMMAND_GO)
		return rc;
	if (in.f.c.n)
		return command_end(&in.f.c, usage_error(&program, "'gx init' takes nothing, not '%s'", in.f.c.operands[0]));
	int has_flake = template_exists("flake.nix") || template_exists("flake.gx");

	if (!in.any_part)
		name_of_nix(&in);
	if (!in.name && !in.any_part && has_flake) {
		report_error("there is a flake here already");
		return command_end(&in.f.c, EXIT_FAILED);
	}
	in.fitted = !in.name && !has_flake;
	if (in.fitted)
		in.name = fitting();
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
