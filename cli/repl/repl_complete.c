/* SPDX-License-Identifier: MIT
 *
 * What Tab offers: commands after a colon, files after "./" and the like, flakes after ":lf", and otherwise names: of
 * variables, below an attribute path, and of the sets that stand before: "with lib; str".
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

void completions_add(struct completions *c, const char *p, size_t n)
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
				completions_add(c, b.p, b.len);
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

static void offer_files(struct completions *c, const char *typed, size_t n, int only_folders)
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
		else if (only_folders)
			continue;
		completions_add(c, b.p, b.len);
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

/* The sets that 'with' and 'inherit (…)' bring in before the cursor: where they are written as names, and not computed. */
struct scopes {
	W v[16]; /* the innermost last */
	size_t n;
};

struct lookup {
	struct repl *r;
	const struct scopes *scopes;
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

static W variable(const struct lookup *l, const struct buf *name)
{
	W *p = attrs_find_name(l->r->scope, buf_str(name), name->len);

	if (!p && !strcmp(buf_str(name), "builtins"))
		return eval_builtins();
	for (size_t i = l->scopes->n; i-- > 0 && !p;)
		p = attrs_find_name(l->scopes->v[i], buf_str(name), name->len);
	return p ? force_at(p) : W_NULL;
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
	W w = variable(l, &first);

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
		completions_add(c, b.p, b.len);
	}
}

static void offer_globals(struct completions *c, const char *typed, size_t n)
{
	static const char *const words[] = { "assert", "builtins", "else", "if", "in", "inherit", "let", "rec", "then", "with" };

	for (const struct builtin *const *const *list = world_builtins; *list; list++)
		for (const struct builtin *const *b = *list; *b; b++)
			if ((*b)->flags & BI_GLOBAL && !strncmp((*b)->name, typed, n))
				completions_add(c, (*b)->name, strlen((*b)->name));
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (!strncmp(words[i], typed, n))
			completions_add(c, words[i], strlen(words[i]));
}

/* The set that a path of n bytes means, W_NULL when it is none. */
static W set_at(struct repl *r, const struct scopes *s, const char *path, size_t n)
{
	struct lookup l = { r, s, path, n, W_NULL };

	eval_interrupt_clear();
	return unwind_run(look_up, &l, NULL, TRACE_NONE) ? l.set : W_NULL;
}

/* Where the path that follows "with" or "inherit (" at p begins; NULL when neither is there. */
static const char *scope_begins(const char *text, const char *p)
{
	static const char *const words[] = { "with", "inherit" };

	if (p > text && (is_name_byte(p[-1]) || p[-1] == '.'))
		return NULL;
	for (size_t i = 0; i < 2; i++) {
		size_t n = strlen(words[i]);
		if (strncmp(p, words[i], n) || is_name_byte(p[n]))
			continue;
		p += n + strspn(p + n, " \t\n");
		if (i == 0)
			return p;
		return *p == '(' ? p + 1 + strspn(p + 1, " \t\n") : NULL;
	}
	return NULL;
}

/* What stands in strings and comments is taken for code: at worst too much is offered. */
static void find_scopes(struct repl *r, const char *text, struct scopes *s)
{
	for (const char *p = text; *p && s->n < sizeof s->v / sizeof *s->v; p++) {
		const char *path = scope_begins(text, p), *end = path;
		while (end && (is_name_byte(*end) || *end == '.'))
			end++;
		if (!path || end == path || !strchr(";)", end[strspn(end, " \t\n")]) || !end[strspn(end, " \t\n")])
			continue;
		W set = set_at(r, s, path, (size_t)(end - path));
		if (set != W_NULL)
			s->v[s->n++] = set;
	}
}

static void offer_path(struct repl *r, struct completions *c, const char *line, const char *typed, size_t n)
{
	size_t dot = last_dot(typed, n);
	struct scopes scopes = { .n = 0 };
	struct buf before = BUF_GC;

	buf_adds(&before, r->typed);
	buf_add(&before, line, (size_t)(typed - line));
	find_scopes(r, buf_str(&before), &scopes);
	if (dot == SIZE_MAX) {
		offer_names(c, r->scope, "", 0, typed, n);
		offer_globals(c, typed, n);
		for (size_t i = 0; i < scopes.n; i++)
			offer_names(c, scopes.v[i], "", 0, typed, n);
		return;
	}
	W set = set_at(r, &scopes, typed, dot);
	if (set != W_NULL)
		offer_names(c, set, typed, dot + 1, typed + dot + 1, n - dot - 1);
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

/* What the command of a line takes: "FILE", "FLAKE", …; "" where there is none. */
static const char *wanted(const char *line)
{
	const char *arg = *line == ':' ? command_arg(line) : NULL;

	return arg ? arg : "";
}

/* The end of an input of words, which may stand behind others: that of a reference is behind the command. */
static size_t ref_start(const char *line, size_t cursor)
{
	while (cursor && !strchr(" \t", line[cursor - 1]))
		cursor--;
	return cursor;
}

void repl_complete(void *repl, const char *line, size_t cursor, struct completions *c)
{
	size_t word = word_start(line, cursor);

	if (*line == ':' && !memchr(line, ' ', cursor)) {
		c->start = 0;
		offer_commands(c, line, cursor);
	} else if (!strcmp(wanted(line), "FLAKE")) {
		c->start = ref_start(line, cursor);
		complete_flake_ref(repl, c, line + c->start, cursor - c->start);
		if (!memchr(line + c->start, '#', cursor - c->start))
			offer_files(c, line + c->start, cursor - c->start, 1);
	} else if (begins_path(line + word, cursor - word) || !strcmp(wanted(line), "FILE")) {
		c->start = word;
		offer_files(c, line + word, cursor - word, 0);
	} else {
		c->start = path_start(line, cursor);
		offer_path(repl, c, line, line + c->start, cursor - c->start);
	}
	sort(c);
}
