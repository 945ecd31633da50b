/* SPDX-License-Identifier: MIT
 *
 * What Tab offers: commands after a colon, files after "./" and the like, and otherwise names, of variables or
 * below an attribute path.
 *
 * Completion must not surprise: the sets on the way are evaluated to their names and no further, a derivation is never
 * instantiated for it, and an error on the way means that there is nothing to offer.
 */
#include "config.h"
#include "cli/repl/repl_int.h"
#include "base/dir.h"
#include "base/mem.h"
#include "cli/world.h"
#include "eval/attrs.h"
#include "eval/builtin.h"
#include "eval/eval.h"
#include "eval/show.h"
#include "lang/quote.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void offer(struct completions *c, const char *p, size_t n)
{
	if (c->n == c->cap) {
		size_t cap = c->cap ? 2 * c->cap : 64;
		char **v = mem_new(mem_size(cap, sizeof *v, 0));
		if (c->n)
			memcpy(v, c->v, c->n * sizeof *v);
		c->v = v;
		c->cap = cap;
	}
	char *s = mem_bytes(n + 1);
	memcpy(s, p, n);
	s[n] = 0;
	c->v[c->n++] = s;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void sort(struct completions *c)
{
	size_t n = 0;

	if (c->n)
		qsort(c->v, c->n, sizeof *c->v, by_text);
	for (size_t i = 0; i < c->n; i++)
		if (!n || strcmp(c->v[i], c->v[n - 1]))
			c->v[n++] = c->v[i];
	c->n = n;
}

/* --- commands --- */

static void offer_commands(struct completions *c, const char *typed, size_t n)
{
	for (const struct repl_command *k = repl_commands; k->names; k++) {
		for (const char *p = k->names; *p; p += strspn(p, " ")) {
			size_t len = strcspn(p, " ");
			struct buf b = BUF_GC;
			buf_addf(&b, ":%.*s%s", (int)len, p, k->arg ? " " : "");
			if (!strncmp(b.p, typed, n))
				offer(c, b.p, b.len);
			p += len;
		}
	}
}

/* --- files --- */

static int is_folder(const char *folder, const char *name)
{
	struct buf b = BUF_GC;
	struct stat st;

	buf_addf(&b, "%s/%s", folder, name);
	return !stat(b.p, &st) && S_ISDIR(st.st_mode);
}

static void offer_files(struct completions *c, const char *typed, size_t n)
{
	const char *home = getenv("HOME");
	struct buf folder = BUF_GC;
	size_t cut = n;
	struct dir d;
	int rc;

	while (cut && typed[cut - 1] != '/')
		cut--;
	if (cut && *typed == '~' && home)
		buf_addf(&folder, "%s%.*s", home, (int)cut - 1, typed + 1);
	else
		buf_addf(&folder, "%.*s", (int)cut, cut ? typed : "");
	rc = dir_take(&d, open(folder.len ? folder.p : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), "", NULL);
	while (!rc && dir_next(&d, NULL) > 0) {
		struct buf b = BUF_GC;
		/* Hidden ones only when that was begun to be typed. */
		if ((*d.name == '.' && cut == n) || strncmp(d.name, typed + cut, n - cut))
			continue;
		buf_add(&b, typed, cut);
		buf_adds(&b, d.name);
		if (is_folder(folder.len ? folder.p : ".", d.name))
			buf_addc(&b, '/');
		offer(c, b.p, b.len);
	}
	dir_close(&d);
}

/* --- names --- */

static int is_name_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("_'-", c));
}

/* Where the attribute path that ends at the cursor begins: names, quoted names and dots, from the right. */
static size_t path_start(const char *line, size_t cursor)
{
	size_t at = cursor;
	int quotes = 0;

	/* The last name may be in quotes that are not closed yet. */
	for (size_t i = 0; i < cursor; i++)
		quotes += line[i] == '"' && (!i || line[i - 1] != '\\');
	if (quotes % 2)
		while (at && line[--at] != '"')
			;
	while (at) {
		if (line[at - 1] == '"') {
			size_t open = at - 1;
			while (open && line[open - 1] != '"')
				open--;
			if (!open)
				break;
			at = open - 1;
		} else if (is_name_byte(line[at - 1]) || line[at - 1] == '.') {
			at--;
		} else {
			break;
		}
	}
	return at;
}

/* The bytes of the last name: behind the last dot that stands in no quotes.  SIZE_MAX when there is no dot. */
static size_t last_dot(const char *p, size_t n)
{
	size_t dot = SIZE_MAX;
	int quoted = 0;

	for (size_t i = 0; i < n; i++) {
		quoted ^= p[i] == '"';
		if (p[i] == '.' && !quoted)
			dot = i;
	}
	return dot;
}

struct lookup {
	struct repl *r;
	const char *path; /* up to the last dot */
	size_t n;
	W set; /* found, or W_NULL */
};

/* One name of a path, quotes removed; returns where the next begins. */
static size_t next_name(const char *p, size_t n, size_t at, struct buf *name)
{
	int quoted = 0;

	for (; at < n && (quoted || p[at] != '.'); at++) {
		if (p[at] == '"')
			quoted = !quoted;
		else
			buf_addc(name, p[at]);
	}
	return at + 1;
}

static W variable(struct repl *r, const struct buf *name)
{
	W *p = attrs_find_name(r->scope, buf_str(name), name->len);

	if (p)
		return force_at(p);
	if (!strcmp(buf_str(name), "builtins"))
		return eval_builtins();
	return W_NULL;
}

static int instantiates(const char *name)
{
	return !strcmp(name, "drvPath") || !strcmp(name, "outPath");
}

static void look_up(void *arg)
{
	struct lookup *l = arg;
	struct buf first = BUF_GC;
	size_t at = next_name(l->path, l->n, 0, &first);
	W w = variable(l->r, &first);

	while (at <= l->n && W_TAG(w) == TAG_ATTRS) {
		struct buf name = BUF_GC;
		at = next_name(l->path, l->n, at, &name);
		W *p = instantiates(buf_str(&name)) ? NULL : attrs_find_name(w, buf_str(&name), name.len);
		w = p ? force_at(p) : W_NULL;
	}
	l->set = W_TAG(w) == TAG_ATTRS ? w : W_NULL;
}

/* Offers prefix.NAME for the names that begin with what was typed. */
static void offer_names(struct completions *c, W set, const char *prefix, size_t n, const char *typed, size_t len)
{
	struct attrs *a = attrs_of(set);

	if (len && *typed == '"') {
		typed++;
		len--;
	}
	for (uint32_t i = 0; i < a->n; i++) {
		const struct str *name = sym_name(a->sh->sym[i]);
		struct buf b = BUF_GC;
		if (name->len < len || memcmp(name->b, typed, len))
			continue;
		buf_add(&b, prefix, n);
		quote_name(&b, name->b, name->len);
		offer(c, b.p, b.len);
	}
}

static void offer_globals(struct completions *c, const char *typed, size_t n)
{
	static const char *const words[] = { "assert", "builtins", "else", "if", "in", "inherit", "let", "rec", "then", "with" };

	for (const struct builtin *const *const *list = world_builtins; *list; list++)
		for (const struct builtin *const *b = *list; *b; b++)
			if ((*b)->flags & BI_GLOBAL && !strncmp((*b)->name, typed, n))
				offer(c, (*b)->name, strlen((*b)->name));
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (!strncmp(words[i], typed, n))
			offer(c, words[i], strlen(words[i]));
}

static void offer_path(struct repl *r, struct completions *c, const char *typed, size_t n)
{
	size_t dot = last_dot(typed, n);
	struct lookup l = { r, typed, dot, W_NULL };

	if (dot == SIZE_MAX) {
		offer_names(c, r->scope, "", 0, typed, n);
		offer_globals(c, typed, n);
		return;
	}
	eval_interrupt_clear();
	if (unwind_run(look_up, &l, NULL, TRACE_NONE) && l.set != W_NULL)
		offer_names(c, l.set, typed, dot + 1, typed + dot + 1, n - dot - 1);
}

/* --- what is being typed --- */

static size_t word_start(const char *line, size_t cursor)
{
	while (cursor && !strchr(" \t\n()[]{};=,\"<>", line[cursor - 1]))
		cursor--;
	return cursor;
}

static int begins_path(const char *p, size_t n)
{
	return (n >= 2 && !memcmp(p, "./", 2)) || (n >= 3 && !memcmp(p, "../", 3)) || (n >= 2 && !memcmp(p, "~/", 2)) ||
	       (n >= 1 && *p == '/');
}

/* Whether the word is the argument of a command that takes a file. */
static int wants_file(const char *line, size_t word)
{
	static const char *const names[] = { ":l ", ":load ", ":lf ", ":load-flake ", NULL };

	for (size_t i = 0; names[i]; i++)
		if (!strncmp(line, names[i], strlen(names[i])) && word >= strlen(names[i]))
			return 1;
	return 0;
}

void repl_complete(void *repl, const char *line, size_t cursor, struct completions *c)
{
	size_t word = word_start(line, cursor);

	if (*line == ':' && !memchr(line, ' ', cursor)) {
		c->start = 0;
		offer_commands(c, line, cursor);
	} else if (begins_path(line + word, cursor - word) || wants_file(line, word)) {
		c->start = word;
		offer_files(c, line + word, cursor - word);
	} else {
		c->start = path_start(line, cursor);
		offer_path(repl, c, line + c->start, cursor - c->start);
	}
	sort(c);
}
