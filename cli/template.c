/* SPDX-License-Identifier: MIT
 *
 * The stand-ins are texts that are right by themselves ("hello"), so that the templates are flakes like any other.
 */
#include "config.h"
#include "cli/template.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "base/dir.h"
#include "base/fdio.h"
#include "base/slice.h"
#include "cli/report.h"
#include "fetch/program.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int template_exists(const char *name)
{
	struct stat st;

	return !lstat(name, &st);
}

void template_add(struct template *t, const char *name, const char *text, size_t len)
{
	ARRAY_GROW(t->v, t->n + 1, t->cap);
	t->v[t->n++] = (struct template_file){ xstrdup(name), text ? xstrndup(text, len) : NULL, len, 0, 0, 0 };
}

void template_set_program(struct template *t)
{
	t->v[t->n - 1].is_program = 1;
}

void template_add_link(struct template *t, const char *name, const char *target)
{
	template_add(t, name, target, strlen(target));
	t->v[t->n - 1].is_link = 1;
}

void template_release(struct template *t)
{
	for (size_t i = 0; i < t->n; i++) {
		free(t->v[i].name);
		free(t->v[i].text);
	}
	free(t->v);
	*t = (struct template){ NULL, 0, 0 };
}

static void say_conflict(const char *name)
{
	char *here = getcwd(NULL, 0);

	report_error("refusing to overwrite existing file \"%s%s%s\"\nthe template has another one: nothing was written",
		     here ? here : "", here ? "/" : "", name);
	free(here);
}

/* --- names of what is here --- */

/* Reads a file; one that cannot be read is empty. */
static void read_text(const char *name, struct buf *text)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd >= 0 && fd_read_all(fd, text))
		buf_trim(text, 0);
	if (fd >= 0)
		close(fd);
	buf_str(text);
}

/* Cuts the next word off a line; NULL at its end or at a comment. */
static char *next_word(char **line)
{
	char *word;

	while ((word = strsep(line, " \t\"`")) && !*word)
		;
	return word && strncmp(word, "//", 2) ? word : NULL;
}

/* "service" of "example.com/service/v2".  The text is cut. */
static char *base_of_path(char *path)
{
	char *slash = strrchr(path, '/');

	if (slash && slash[1] == 'v' && slash[2] && !slash[2 + strspn(slash + 2, "0123456789")]) {
		*slash = 0;
		slash = strrchr(path, '/');
	}
	return slash ? slash + 1 : path;
}

/* What the module here is called, malloc'd; NULL when go.mod does not say. */
static char *module_name(void)
{
	struct buf text = BUF_INIT;
	char *name = NULL, *line;

	read_text("go.mod", &text);
	for (char *p = text.p; !name && (line = strsep(&p, "\r\n"));) {
		char *verb = next_word(&line), *path = verb && !strcmp(verb, "module") ? next_word(&line) : NULL;

		if (path)
			name = xstrdup(base_of_path(path));
	}
	buf_release(&text);
	return name;
}

static int says_main(const char *file)
{
	struct slice name = slice_of(file);
	struct buf text = BUF_INIT;
	int found;

	if (!slice_ends(name, SLICE(".go")) || slice_ends(name, SLICE("_test.go")))
		return 0;
	read_text(file, &text);
	found = !strncmp(text.p, "package main\n", 13) || strstr(text.p, "\npackage main\n");
	buf_release(&text);
	return found;
}

/* Is there a program in the folder, or at most so many steps below it? */
static int has_program(const char *folder, int depth)
{
	struct err e = ERR_INIT;
	struct dir d;
	int found = 0;

	for (dir_open(&d, AT_FDCWD, folder, &e); !found && !e.code && dir_next(&d, &e) > 0;) {
		struct buf below = BUF_INIT;

		buf_addf(&below, "%s/%s", folder, d.name);
		found = says_main(below.p) || (depth && d.name[0] != '.' && has_program(below.p, depth - 1));
		buf_release(&below);
	}
	dir_close(&d);
	err_release(&e);
	return found;
}

/* Calls fn with each folder of go.work. */
static void each_use(void (*fn)(void *arg, const char *folder), void *arg)
{
	struct buf text = BUF_INIT;
	int block = 0;
	char *line;

	read_text("go.work", &text);
	for (char *p = text.p; (line = strsep(&p, "\r\n"));) {
		char *word = next_word(&line);

		if (word && !block && !strcmp(word, "use")) {
			word = next_word(&line);
			block = word && *word == '(';
			if (word && !block)
				fn(arg, word);
		} else if (word && block) {
			block = *word != ')';
			if (block)
				fn(arg, word);
		}
	}
	buf_release(&text);
}

/* Folders as a list of the language. */
struct lists {
	struct buf all, programs;
};

static void add_folder(void *arg, const char *folder)
{
	struct lists *l = arg;

	if (strpbrk(folder, "$\\"))
		return;
	folder += strncmp(folder, "./", 2) ? 0 : 2;
	buf_addf(&l->all, "\"%s\" ", folder);
	if (has_program(folder, 2))
		buf_addf(&l->programs, "\"%s\" ", folder);
}

/* The folders of go.work with programs, all when none has one; malloc'd, NULL when there are none. */
static char *workspace_list(void)
{
	struct lists l = { BUF_INIT, BUF_INIT };
	struct buf out = BUF_INIT;

	each_use(add_folder, &l);
	buf_addf(&out, "[ %s]", buf_str(l.programs.len ? &l.programs : &l.all));
	if (!l.all.len)
		buf_release(&out);
	buf_release(&l.all);
	buf_release(&l.programs);
	return out.len ? buf_detach(&out, NULL) : NULL;
}

static void replace(struct template_file *f, const char *from, const char *to)
{
	const char *p = f->text, *hit;
	struct buf b = BUF_INIT;

	if (!strstr(p, from))
		return;
	for (; (hit = strstr(p, from)); p = hit + strlen(from)) {
		buf_add(&b, p, (size_t)(hit - p));
		buf_adds(&b, to);
	}
	buf_adds(&b, p);
	free(f->text);
	f->len = b.len;
	f->text = buf_detach(&b, NULL);
}

/* The stand-ins of the templates of gx:std. */
void template_put_names(struct template *t, const char *kind)
{
	int module = !strcmp(kind, "go"), work = !strcmp(kind, "go-workspace");
	char *name = module ? module_name() : NULL, *list = work ? workspace_list() : NULL;
	struct buf quoted = BUF_INIT;

	buf_addf(&quoted, "\"%s\"", name ? name : "hello");
	for (size_t i = 0; i < t->n; i++) {
		if (t->v[i].text && name && !strpbrk(name, "\"$\\"))
			replace(&t->v[i], "\"hello\"", quoted.p);
		if (t->v[i].text && list)
			replace(&t->v[i], "[ \"hello\" ]", list);
	}
	buf_release(&quoted);
	free(name);
	free(list);
}

/* --- what editors want to know --- */

/* The first folder, by name, with a program of its own: this one, or at most so many steps below; malloc'd, NULL for none. */
static char *first_program(const char *folder, int depth)
{
	char *first = has_program(folder, 0) ? xstrdup(folder) : NULL;
	struct err e = ERR_INIT;
	struct dir d;

	if (first || !depth)
		return first;
	for (dir_open(&d, AT_FDCWD, folder, &e); !e.code && dir_next(&d, &e) > 0;) {
		struct buf below = BUF_INIT;

		buf_addf(&below, "%s/%s", folder, d.name);
		char *found = d.name[0] == '.' ? NULL : first_program(below.p, depth - 1);

		if (found && (!first || strcmp(found, first) < 0)) {
			free(first);
			first = found;
		} else {
			free(found);
		}
		buf_release(&below);
	}
	dir_close(&d);
	err_release(&e);
	return first;
}

/* What the module, or else the folder, is called, as images are: lower-case letters, digits, and dashes between; malloc'd. */
static char *project_name(void)
{
	char *module = module_name(), here[PATH_MAX];
	const char *name = module ? module : getcwd(here, sizeof here) ? base_of_path(here) : "";
	struct buf b = BUF_INIT;

	for (; *name; name++)
		if ((*name >= 'a' && *name <= 'z') || (*name >= '0' && *name <= '9'))
			buf_addc(&b, *name);
		else if (*name >= 'A' && *name <= 'Z')
			buf_addc(&b, (char)(*name - 'A' + 'a'));
		else if (b.len && b.p[b.len - 1] != '-')
			buf_addc(&b, '-');
	while (b.len && b.p[b.len - 1] == '-')
		buf_trim(&b, b.len - 1);
	free(module);
	if (!b.len)
		buf_adds(&b, "project");
	return buf_detach(&b, NULL);
}

void template_put_project(struct template *t)
{
	char *name = project_name(), *program = first_program(".", 2);
	/* Names that would have to be written otherwise in JSON are nobody's. */
	const char *below = program && !strpbrk(program, "\"\\$") ? program + 1 : "";
	struct buf quoted = BUF_INIT, image = BUF_INIT, folder = BUF_INIT;

	buf_addf(&quoted, "\"name\": \"%s\"", name);
	buf_addf(&image, "localhost/%s-devcontainer", name);
	buf_addf(&folder, "\"${workspaceFolder}%s\"", below);
	for (size_t i = 0; i < t->n; i++)
		if (t->v[i].text) {
			replace(&t->v[i], "\"name\": \"hello\"", quoted.p);
			replace(&t->v[i], "localhost/hello-devcontainer", image.p);
			replace(&t->v[i], "\"${workspaceFolder}\"", folder.p);
		}
	buf_release(&quoted);
	buf_release(&image);
	buf_release(&folder);
	free(name);
	free(program);
}

/* --- writing it --- */

static int write_file(const struct template_file *f)
{
	if (f->is_link)
		return symlink(f->text, f->name);
	int fd = open(f->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, f->is_program ? 0777 : 0666);
	int bad = fd < 0 || fd_write_all(fd, f->text, f->len);

	if (fd >= 0 && close(fd))
		bad = 1;
	return bad;
}

/* A flake in a repository is what git knows of. */
static void tell_git(const struct template *t)
{
	static const char *const others[] = { "go.mod", "go.sum", "go.work", "go.work.sum" };
	struct words argv = { NULL, 0, 0 };
	struct err e = ERR_INIT;

	words_add(&argv, "git");
	words_add(&argv, "add");
	words_add(&argv, "--intent-to-add");
	words_add(&argv, "--");
	for (size_t i = 0; i < t->n; i++)
		if (t->v[i].text && !t->v[i].is_here)
			words_add(&argv, t->v[i].name);
	/* Without these it would be of no use. */
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		if (template_exists(others[i]))
			words_add(&argv, others[i]);
	/* Where there is no repository, or no git, there is nothing to tell. */
	program_run(&argv, NULL, NULL, NULL, &e);
	err_release(&e);
	words_release(&argv);
}

/* Is what is here under its name what the template has? */
static int is_same(const struct template_file *f)
{
	struct buf text = BUF_INIT;
	char target[PATH_MAX];
	struct stat st;
	int same;

	if (lstat(f->name, &st))
		return 0;
	if (f->is_link) {
		ssize_t n = readlink(f->name, target, sizeof target);
		return n == (ssize_t)f->len && !memcmp(target, f->text, f->len);
	}
	if (!S_ISREG(st.st_mode) || st.st_size != (off_t)f->len)
		return 0;
	read_text(f->name, &text);
	same = text.len == f->len && !memcmp(text.p, f->text, f->len);
	buf_release(&text);
	return same;
}

static const struct template_file *find_file(const struct template *t, const char *name)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->v[i].text && !strcmp(t->v[i].name, name))
			return &t->v[i];
	return NULL;
}

/* A second flake would take the place of the one that is here. */
static int brings_another_flake(const struct template *t)
{
	const struct template_file *gx = find_file(t, "flake.gx"), *nix = find_file(t, "flake.nix");

	return (gx || nix) && ((!gx && template_exists("flake.gx")) || (!nix && template_exists("flake.nix")));
}

/* What stands in the way; 0 when nothing does. */
static int find_conflicts(struct template *t, int force)
{
	int bad = 0;

	if (brings_another_flake(t)) {
		report_error("there is a flake here already");
		return 1;
	}
	for (size_t i = 0; i < t->n; i++) {
		struct template_file *f = &t->v[i];

		if (!f->text || !template_exists(f->name))
			continue;
		f->is_here = is_same(f);
		if (!f->is_here && !force)
			say_conflict(f->name);
		bad |= !f->is_here && !force;
	}
	return bad;
}

int template_write(struct template *t, int force)
{
	if (find_conflicts(t, force))
		return 1;
	for (size_t i = 0; i < t->n; i++) {
		const struct template_file *f = &t->v[i];

		if (f->is_here)
			continue;
		if (f->text && force && unlink(f->name) && errno != ENOENT) {
			report_error("cannot replace '%s': %s", f->name, strerror(errno));
			return 1;
		}
		if (f->text ? write_file(f) : make_folders(f->name, 0777)) {
			report_error("cannot write '%s': %s", f->name, strerror(errno));
			return 1;
		}
	}
	tell_git(t);
	return 0;
}
