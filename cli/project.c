/* SPDX-License-Identifier: MIT
 *
 * An expression is a program: one that anybody could have put into a folder above, such as /tmp, is not run because somebody works
 * below. Of go.mod only the version is read, so it is looked for as the go command does.
 */
#include "config.h"
#include "cli/project.h"
#include "base/alloc.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const flake_files[] = { "flake.gx", "flake.nix", NULL };
static const char *const shell_files[] = { "shell.gx", "shell.nix", "default.gx", "default.nix", NULL };
static const char *const package_files[] = { "default.gx", "default.nix", NULL };
static const char *const go_files[] = { "go.work", "go.mod", NULL };

/* The first of the names that is a file in the folder; NULL when none is. */
static const char *first_of(const char *dir, const char *const *names)
{
	char path[PATH_MAX + 16];
	struct stat st;

	for (; *names; names++)
		if ((size_t)snprintf(path, sizeof path, "%s/%s", dir, *names) < sizeof path && !stat(path, &st) &&
		    S_ISREG(st.st_mode))
			return *names;
	return NULL;
}

static int has_git(const char *dir)
{
	char path[PATH_MAX + 16];
	struct stat st;

	return (size_t)snprintf(path, sizeof path, "%s/.git", dir) < sizeof path && !lstat(path, &st);
}

static int in_git(const char *start)
{
	char dir[PATH_MAX];

	for (snprintf(dir, sizeof dir, "%s", start); !has_git(dir); *strrchr(dir, '/') = 0)
		if (!*dir)
			return 0;
	return 1;
}

/* The nearest of the names in the folder or above it, up to the root of its repository; *dir is where.  NULL when there is none. */
static const char *nearest(const char *start, const char *const *names, int up, char dir[PATH_MAX])
{
	const char *found;

	snprintf(dir, PATH_MAX, "%s", start);
	while (!(found = first_of(*dir ? dir : "/", names))) {
		if (!up || !*dir || has_git(dir))
			return NULL;
		*strrchr(dir, '/') = 0;
	}
	return found;
}

static void set(struct project *p, enum project_kind kind, const char *dir, const char *file)
{
	struct buf b = BUF_INIT;

	buf_adds(&b, dir);
	if (file)
		buf_addf(&b, "/%s", file);
	else if (!*dir)
		buf_adds(&b, "/");
	p->kind = kind;
	p->path = buf_detach(&b, NULL);
}

static void look(const char *start, int shell, struct project *p)
{
	const char *name;
	char dir[PATH_MAX];

	if (!strcmp(start, "/"))
		start = "";
	if (nearest(start, flake_files, 1, dir))
		return;
	name = nearest(start, shell ? shell_files : package_files, in_git(start), dir);
	if (name)
		set(p, PROJECT_FILE, dir, name);
	else if (shell && nearest(start, go_files, 1, dir))
		set(p, PROJECT_GO, dir, NULL);
}

int project_flake_folder(struct buf *out)
{
	char here[PATH_MAX], dir[PATH_MAX];

	if (!getcwd(here, sizeof here) || !nearest(strcmp(here, "/") ? here : "", flake_files, 1, dir))
		return -1;
	buf_adds(out, *dir ? dir : "/");
	return 0;
}

static int is_expression(const char *name)
{
	size_t n = strlen(name);

	return (n > 4 && !strcmp(name + n - 4, ".nix")) || (n > 3 && !strcmp(name + n - 3, ".gx"));
}

void project_find(const char *word, int shell, struct project *out)
{
	size_t n = strcspn(word, "#");
	char *name = xstrndup(n ? word : ".", n ? n : 1), real[PATH_MAX];
	struct stat st;

	*out = (struct project){ PROJECT_FLAKE, NULL, xstrdup(word[n] ? word + n + 1 : "") };
	if (realpath(name, real) && !stat(real, &st)) {
		if (S_ISDIR(st.st_mode))
			look(real, shell, out);
		else if (S_ISREG(st.st_mode) && is_expression(name))
			set(out, PROJECT_FILE, real, NULL);
	}
	free(name);
}

void project_release(struct project *p)
{
	free(p->path);
	free(p->fragment);
	*p = (struct project){ PROJECT_FLAKE, NULL, NULL };
}

int project_is_file(const char *word)
{
	struct project p;

	project_find(word, 0, &p);
	int file = p.kind == PROJECT_FILE;
	project_release(&p);
	return file;
}
