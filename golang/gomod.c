/* SPDX-License-Identifier: MIT
 *
 * go.mod, line by line.  The grammar is that of golang.org/x/mod/modfile in its lax form: what is read must be right,
 * what is not read may be anything, so that a module written for a newer Go can still be fetched.
 */
#include "config.h"
#include "golang/gomod.h"
#include "base/alloc.h"
#include "base/json.h"

#include <stdlib.h>
#include <string.h>

enum { WORDS_MAX = 8 }; /* "old v => new v" and room to notice more */

#define IS(s, lit) slice_eq(s, SLICE(lit))

struct reader {
	struct gomod *g;
	const char *p, *end;
	size_t line;
	struct slice verb; /* of the block we are in, empty outside */
	struct slice words[WORDS_MAX];
	size_t n;
	int indirect; /* the line's comment says so */
	struct err *e;
};

void gomod_release(struct gomod *g)
{
	free(g->requires);
	free(g->excludes);
	free(g->replaces);
	free(g->uses);
	arena_release(&g->arena);
	memset(g, 0, sizeof *g);
}

/* Makes room for one more; returns it, zeroed. */
static void *grow(void *list, size_t *n, size_t *cap, size_t size)
{
	void **v = list;

	if (*n == *cap) {
		*cap = *cap ? *cap * 2 : 16;
		*v = xrealloc_array(*v, *cap, size);
	}
	return memset((char *)*v + (*n)++ * size, 0, size);
}

#define GROW(g, list) grow(&(g)->list, &(g)->n##list, &(g)->cap##list, sizeof *(g)->list)

/* --- words --- */

/* "quoted", with Go's simple escapes. */
static int quoted(struct reader *r, struct slice *out)
{
	char quote = *r->p++, *b = arena_alloc(&r->g->arena, (size_t)(r->end - r->p) + 1);
	size_t n = 0;

	for (; r->p < r->end && *r->p != quote && *r->p != '\n'; r->p++) {
		if (quote == '"' && *r->p == '\\') {
			if (++r->p == r->end || !strchr("\"\\", *r->p))
				return err_set(r->e, ERR_INVALID, "an escape that is not understood");
		}
		b[n++] = *r->p;
	}
	if (r->p == r->end || *r->p != quote)
		return err_set(r->e, ERR_INVALID, "a string without its end");
	r->p++;
	*out = (struct slice){ b, n };
	return 0;
}

static int at_comment(const struct reader *r)
{
	return r->end - r->p >= 2 && r->p[0] == '/' && r->p[1] == '/';
}

/* Parentheses are words of their own; a comment begins at "//" in front of a word or within one. */
static int word(struct reader *r, struct slice *out)
{
	const char *start = r->p;

	if (*r->p == '"' || *r->p == '`')
		return quoted(r, out);
	if (*r->p == '(' || *r->p == ')') {
		*out = (struct slice){ r->p++, 1 };
		return 0;
	}
	while (r->p < r->end && !memchr(" \t\r\n()", *r->p, 6) && !at_comment(r))
		r->p++;
	*out = (struct slice){ start, (size_t)(r->p - start) };
	return 0;
}

static void comment(struct reader *r)
{
	const char *nl = memchr(r->p, '\n', (size_t)(r->end - r->p));
	struct slice c = { r->p + 2, (size_t)((nl ? nl : r->end) - r->p) - 2 };

	while (c.n && (*c.p == ' ' || *c.p == '\t'))
		c.p++, c.n--;
	r->indirect = slice_starts(c, SLICE("indirect")) && (c.n == 8 || strchr(" \t\r;", c.p[8]));
	r->p = nl ? nl : r->end;
}

/* The words of the next line. */
static int read_line(struct reader *r)
{
	int rc = 0;

	r->n = 0;
	r->indirect = 0;
	r->line++;
	while (!rc && r->p < r->end && *r->p != '\n') {
		struct slice w;

		if (*r->p == ' ' || *r->p == '\t' || *r->p == '\r') {
			r->p++;
		} else if (at_comment(r)) {
			comment(r);
		} else if (!(rc = word(r, &w))) {
			/* More words than any line we read may have: counted, not kept. */
			if (r->n < WORDS_MAX)
				r->words[r->n] = w;
			r->n++;
		}
	}
	r->p += r->p < r->end;
	return rc;
}

/* --- lines --- */

static int expect(struct reader *r, size_t n, size_t want, const char *form)
{
	return n == want ? 0 : err_set(r->e, ERR_INVALID, "expected '%s'", form);
}

static int once(struct reader *r, struct slice *out, struct slice w)
{
	if (out->n)
		return err_set(r->e, ERR_INVALID, "'%.*s' is there twice", (int)r->verb.n, r->verb.p);
	if (!w.n)
		return err_set(r->e, ERR_INVALID, "'%.*s' is empty", (int)r->verb.n, r->verb.p);
	*out = w;
	return 0;
}

/* Versions in a go.mod may be short or a branch only before `go mod tidy`; a build needs canonical ones. */
static int module_of(struct reader *r, struct slice path, struct slice version, struct module_version *out)
{
	*out = (struct module_version){ path, version };
	return modpath_check_module(out, r->e);
}

static int is_directory(struct slice w)
{
	return IS(w, ".") || IS(w, "..") || slice_starts(w, SLICE("./")) || slice_starts(w, SLICE("../")) ||
	       slice_starts(w, SLICE("/"));
}

static int read_replace(struct reader *r, const struct slice *w, size_t n)
{
	struct gomod_replace *p = GROW(r->g, replaces);
	size_t arrow = n > 1 && IS(w[1], "=>") ? 1 : 2;
	int rc;

	if (n < 3 || n <= arrow + 1 || n > arrow + 3 || !IS(w[arrow], "=>"))
		return err_set(r->e, ERR_INVALID, "expected 'replace PATH [VERSION] => PATH VERSION' or '=> DIRECTORY'");
	p->old = (struct module_version){ w[0], arrow == 2 ? w[1] : (struct slice){ "", 0 } };
	if ((rc = arrow == 2 ? modpath_check_module(&p->old, r->e) : modpath_check(w[0], r->e)))
		return rc;
	if (n == arrow + 3)
		return module_of(r, w[arrow + 1], w[arrow + 2], &p->new);
	if (!is_directory(w[arrow + 1]))
		return err_set(r->e, ERR_INVALID, "a replacement without a version must be a directory, ./ or ../ or /");
	p->new = (struct module_version){ w[arrow + 1], { "", 0 } };
	return 0;
}

static int read_require(struct reader *r, const struct slice *w)
{
	struct gomod_require *q = GROW(r->g, requires);

	q->indirect = r->indirect;
	return module_of(r, w[0], w[1], &q->m);
}

/* The verbs that give one value each. */
static int read_single(struct reader *r, const struct slice *w, size_t n)
{
	struct gomod *g = r->g;
	int is_module = IS(r->verb, "module"), rc;

	if (!is_module && !IS(r->verb, "go") && !IS(r->verb, "toolchain"))
		return 0;
	if ((rc = expect(r, n, 1, is_module ? "module PATH" : "go VERSION' or 'toolchain NAME")))
		return rc;
	return once(r, is_module ? &g->module : IS(r->verb, "go") ? &g->go : &g->toolchain, w[0]);
}

/* One statement: the reader's verb, and the words after it. */
static int statement(struct reader *r, const struct slice *w, size_t n)
{
	struct gomod *g = r->g;
	struct slice v = r->verb;
	int rc;

	if (IS(v, "replace"))
		return read_replace(r, w, n);
	if (g->is_work && IS(v, "use")) {
		if (!(rc = expect(r, n, 1, "use DIRECTORY")))
			*(struct slice *)GROW(g, uses) = w[0];
		return rc;
	}
	if (!g->is_work && IS(v, "require"))
		return (rc = expect(r, n, 2, "require PATH VERSION")) ? rc : read_require(r, w);
	if (!g->is_work && IS(v, "exclude")) {
		struct module_version *x;

		if ((rc = expect(r, n, 2, "exclude PATH VERSION")))
			return rc;
		x = GROW(g, excludes);
		return module_of(r, w[0], w[1], x);
	}
	return g->is_work && IS(v, "module") ? 0 : read_single(r, w, n);
}

/* A line outside of a block: a statement, or the start of a block. */
static int outer_line(struct reader *r, int *in_block)
{
	size_t n = r->n;

	r->verb = r->words[0];
	if (n == 2 && IS(r->words[1], "(")) {
		*in_block = 1;
		return 0;
	}
	if (IS(r->verb, "(") || IS(r->verb, ")"))
		return err_set(r->e, ERR_INVALID, "a parenthesis out of place");
	return statement(r, r->words + 1, n > WORDS_MAX ? 0 : n - 1);
}

static int inner_line(struct reader *r, int *in_block)
{
	if (r->n == 1 && IS(r->words[0], ")")) {
		*in_block = 0;
		return 0;
	}
	return statement(r, r->words, r->n > WORDS_MAX ? 0 : r->n);
}

int gomod_parse(struct gomod *g, struct slice text, int is_work, struct err *e)
{
	struct reader r = { .g = g, .p = text.p, .end = text.p + text.n, .e = e };
	int rc = 0, in_block = 0;

	memset(g, 0, sizeof *g);
	g->is_work = is_work;
	if (text.n && (utf8_check(text.p, text.n) || memchr(text.p, 0, text.n)))
		rc = err_set(e, ERR_INVALID, "not valid UTF-8 text");
	while (!rc && r.p < r.end) {
		rc = read_line(&r);
		if (!rc && r.n)
			rc = in_block ? inner_line(&r, &in_block) : outer_line(&r, &in_block);
	}
	if (!rc && in_block)
		rc = err_set(e, ERR_INVALID, "a block without its ')'");
	if (!rc && !is_work && !g->module.n)
		rc = err_set(e, ERR_INVALID, "no module statement");
	if (rc) {
		err_prefix(e, "malformed %s: line %zu", is_work ? "go.work" : "go.mod", r.line);
		gomod_release(g);
	}
	return rc;
}

const struct gomod_replace *gomod_replacement(const struct gomod *g, const struct module_version *m)
{
	const struct gomod_replace *any = NULL;

	for (size_t i = 0; i < g->nreplaces; i++) {
		const struct gomod_replace *p = &g->replaces[i];

		if (!slice_eq(p->old.path, m->path))
			continue;
		if (p->old.version.n && slice_eq(p->old.version, m->version))
			return p;
		if (!p->old.version.n)
			any = p;
	}
	return any;
}
