/* SPDX-License-Identifier: MIT
 *
 * gx verify-tools: which programs an environment has, by what they are made of, so that a shell, a job and an image can be
 * compared.
 *
 * It looks at files only, through PATH as a person does, and asks neither an evaluation nor a store's database: in an image there
 * is neither.  A program of the store is known by the hash of its object, as `gx hash path` prints it, and by its own bytes.
 */
#include "config.h"
#include "base/alloc.h"
#include "base/fdio.h"
#include "base/json_tree.h"
#include "build/build.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/report.h"
#include "cli/verb.h"
#include "format/basen.h"
#include "format/hash.h"
#include "format/nar.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { O_AGAINST = 1 };

/* Those of a Go developer; which of them are there is looked at. */
static const char *const usual[] = { "go", "gofmt", "gopls", "gofumpt", "staticcheck", "golangci-lint", "dlv", "govulncheck" };

struct tool {
	const char *name;
	char *path;   /* without links */
	char *object; /* of the store, NULL when it is of the machine */
	struct buf nar, sha256;
};

struct verify {
	struct command c;
	const char *against;
	struct tool *v;
	size_t n;
	size_t differ;
	struct buf out;
};

static const struct option options[] = {
	{ O_AGAINST, 0, "against", "FILE", "Compare with what --json printed elsewhere; status 1 when something differs." },
	OPTION_JSON,
	OPTIONS_OF_ALL,
	{ 0 }
};

static const struct option_group groups[] = { { "Options", options }, { NULL, NULL } };

static const struct program program = {
	"gx verify-tools", "which programs are here, by their hashes", "gx verify-tools [options] [PROGRAM ...]",
	"Programs are looked up in PATH; without any those that a Go developer has. Run it in a shell ('gx develop --command gx "
	"verify-tools --json'), in a job and in an image: what they print is the same when they have the same tools.",
	groups
};

/* --- looking --- */

/* The first in PATH that can be executed, its links followed; NULL when there is none. */
static char *look_up(const char *name)
{
	struct buf path = BUF_INIT;
	char real[PATH_MAX];
	int found = 0;

	for (const char *p = getenv("PATH"); p && !found; p = p[strcspn(p, ":")] ? p + strcspn(p, ":") + 1 : NULL) {
		struct stat st;

		buf_trim(&path, 0);
		buf_add(&path, p, strcspn(p, ":"));
		buf_addf(&path, "%s%s", path.len ? "/" : "", name);
		found = !access(path.p, X_OK) && !stat(path.p, &st) && S_ISREG(st.st_mode) && realpath(path.p, real);
	}
	buf_release(&path);
	return found ? xstrdup(real) : NULL;
}

/* The beginning of a path up to a name as objects of a store have it: 32 digits, a dash and more. */
static char *object_of(const char *path)
{
	for (const char *p = path; (p = strchr(p, '/')); p++) {
		size_t n = strcspn(p + 1, "/");

		if (n > 33 && p[33] == '-' && strspn(p + 1, "0123456789abcdfghijklmnpqrsvwxyz") >= 32)
			return xstrndup(path, (size_t)(p - path) + 1 + n);
	}
	return NULL;
}

static int measure(struct tool *t, struct err *e)
{
	struct hash nar, sha256;
	int rc = hash_file(HASH_SHA256, AT_FDCWD, t->path, &sha256, NULL, e);

	rc = rc ? rc : nar_hash(HASH_SHA256, AT_FDCWD, t->object ? t->object : t->path, NULL, NULL, &nar, NULL, e);
	if (rc)
		return rc;
	hash_add(&t->nar, &nar, HASH_SRI, 1);
	hash_add(&t->sha256, &sha256, HASH_BASE16, 0);
	return 0;
}

/* Adds a program; one that is not there is a mistake when it was asked for. */
static int add_tool(struct verify *v, const char *name, int asked, struct err *e)
{
	char *path = strchr(name, '/') ? NULL : look_up(name);

	if (!path && !asked)
		return 0;
	if (!path)
		return err_set(e, ERR_NOTFOUND, "there is no program '%s' in PATH", name);
	struct tool *t = &v->v[v->n++];

	*t = (struct tool){ .name = name, .path = path, .object = object_of(path) };
	return measure(t, e);
}

static int look(struct verify *v, struct err *e)
{
	size_t known = sizeof usual / sizeof *usual;
	int rc = 0;

	v->v = xcalloc(v->c.n + known, sizeof *v->v);
	for (size_t i = 0; i < v->c.n && !rc; i++)
		rc = add_tool(v, v->c.operands[i], 1, e);
	for (size_t i = 0; i < known && !v->c.n && !rc; i++)
		rc = add_tool(v, usual[i], 0, e);
	if (!rc && !v->n)
		rc = err_set(e, ERR_NOTFOUND, "there is none of the usual programs of Go in PATH; name some");
	return rc;
}

/* --- telling --- */

static void add_member(struct buf *b, const char *name, const char *text)
{
	buf_addf(b, "%s\"%s\":", b->p[b->len - 1] == '{' ? "" : ",", name);
	if (text)
		output_json_string(b, text, strlen(text));
	else
		buf_adds(b, "null");
}

static void add_json(struct verify *v)
{
	struct buf *b = &v->out;

	buf_addc(b, '{');
	add_member(b, "system", build_system());
	buf_adds(b, ",\"tools\":[");
	for (size_t i = 0; i < v->n; i++) {
		const struct tool *t = &v->v[i];

		buf_adds(b, i ? ",{" : "{");
		add_member(b, "name", t->name);
		add_member(b, "path", t->path);
		add_member(b, "object", t->object);
		add_member(b, "narHash", t->nar.p);
		add_member(b, "sha256", t->sha256.p);
		buf_addc(b, '}');
	}
	buf_adds(b, "]}\n");
}

static void add_text(struct verify *v)
{
	for (size_t i = 0; i < v->n; i++) {
		const struct tool *t = &v->v[i];

		buf_addf(&v->out, "%s  %s\n  %s  %s\n  sha256 of the program: %s\n", t->name, t->path,
			 t->object ? "object:" : "not of a store:", t->nar.p, t->sha256.p);
	}
}

/* --- comparing --- */

static struct slice text_of(const struct jnode *o, const char *key)
{
	const struct jnode *m = json_member(o, slice_of(key));

	return m && m->kind == JSON_STRING ? m->str : SLICE("");
}

static void difference(struct verify *v, const struct jnode *there)
{
	struct slice name = text_of(there, "name"), nar = text_of(there, "narHash"), sha256 = text_of(there, "sha256");
	const struct tool *t = NULL;

	for (size_t i = 0; i < v->n && !t; i++)
		t = slice_eq(slice_of(v->v[i].name), name) ? &v->v[i] : NULL;
	if (t && slice_eq(slice_of(t->nar.p), nar) && slice_eq(slice_of(t->sha256.p), sha256))
		return;
	v->differ++;
	if (t)
		report_line("'%.*s' differs: here %s, there %.*s", (int)name.n, name.p, t->nar.p, (int)nar.n, nar.p);
	else
		report_line("'%.*s' is there only: %.*s", (int)name.n, name.p, (int)nar.n, nar.p);
}

static int is_there(const struct jnode *tools, const char *name)
{
	for (const struct jnode *o = tools ? tools->first : NULL; o; o = o->next)
		if (slice_eq(text_of(o, "name"), slice_of(name)))
			return 1;
	return 0;
}

static int compare(struct verify *v, struct err *e)
{
	struct buf text = BUF_INIT;
	struct arena a = ARENA_INIT;
	struct jnode *root = NULL;
	const struct jnode *tools = NULL;
	int fd = open(v->against, O_RDONLY | O_CLOEXEC),
	    rc = fd < 0 || fd_read_all(fd, &text) < 0 ? err_errno(e, "cannot read") : 0;

	if (fd >= 0)
		close(fd);
	rc = rc ? rc : json_tree_parse(&a, (struct slice){ buf_str(&text), text.len }, &root, e);
	if (!rc && !(tools = json_member(root, SLICE("tools"))))
		rc = err_set(e, ERR_INVALID, "it is not what gx verify-tools --json prints");
	for (const struct jnode *o = rc ? NULL : tools->first; o; o = o->next)
		difference(v, o);
	for (size_t i = 0; i < v->n && !rc; i++)
		if (!is_there(tools, v->v[i].name)) {
			v->differ++;
			report_line("'%s' is here only: %s", v->v[i].name, v->v[i].nar.p);
		}
	if (rc)
		err_prefix(e, "'%s'", v->against);
	arena_release(&a);
	buf_release(&text);
	return rc;
}

/* --- the verb --- */

static int on_option(void *arg, int id, char **values)
{
	if (id == O_AGAINST)
		((struct verify *)arg)->against = values[0];
	return 0;
}

static int end(struct verify *v, int rc)
{
	for (size_t i = 0; i < v->n; i++) {
		free(v->v[i].path);
		free(v->v[i].object);
		buf_release(&v->v[i].nar);
		buf_release(&v->v[i].sha256);
	}
	free(v->v);
	return command_end(&v->c, rc);
}

int verify_tools_run(int argc, char **argv)
{
	struct verify v = { .c = { .program = &program, .option = on_option, .arg = &v } };
	struct err e = ERR_INIT;
	int rc = command_read(&v.c, argc, argv, 0, 0, NULL);

	if (rc != COMMAND_GO)
		return end(&v, rc);
	if (look(&v, &e) || (v.against && compare(&v, &e)))
		return end(&v, command_fail(&e));
	if (v.c.json)
		add_json(&v);
	else
		add_text(&v);
	rc = command_print(&v.out);
	return end(&v, rc ? rc : v.differ ? EXIT_FAILED : EXIT_DONE);
}
