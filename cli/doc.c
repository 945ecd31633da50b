/* SPDX-License-Identifier: MIT
 *
 * The comment before a binding is found in the text, from the position that sets keep of their names: so values that are no
 * functions, and functions that are made by applying others, have documentation as well.  It comes first, because it is about
 * this name; the function may have got its own under another.
 *
 * A list of names evaluates each value as far as it takes to see what it is.  One that fails is listed without.
 */
#include "config.h"
#include "cli/doc.h"
#include "base/source.h"
#include "cli/eval_cmd.h"
#include "cli/width.h"
#include "cli/world.h"
#include "eval/attrs.h"
#include "eval/builtin.h"
#include "eval/compare.h"
#include "eval/error.h"
#include "eval/eval.h"
#include "eval/show.h"
#include "flake/call.h"
#include "lang/parse.h"
#include "lang/quote.h"

#include <string.h>

/* --- names --- */

static int is_name_byte(char c, int first)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
	       (!first && c && ((c >= '0' && c <= '9') || strchr("'-", c)));
}

/* The end of the name at p, in quotes or not; NULL when there is none. */
static const char *name_end(const char *p)
{
	if (*p == '"') {
		size_t n = strcspn(p + 1, "\"\\$");
		return p[1 + n] == '"' ? p + n + 2 : NULL;
	}
	if (!is_name_byte(*p, 1))
		return NULL;
	while (is_name_byte(*p, 0))
		p++;
	return p;
}

int doc_is_path(const char *text)
{
	for (const char *p = text; (p = name_end(p)); p++)
		if (*p != '.')
			return !*p;
	return 0;
}

/* The first name of a path, without quotes; *rest is what follows its dot, NULL at the end. */
static sym_t first_name(const char *path, const char **rest)
{
	const char *end = name_end(path);
	int quoted = *path == '"';

	*rest = *end ? end + 1 : NULL;
	return sym_intern(path + quoted, (size_t)(end - path) - 2 * (size_t)quoted);
}

static const char *joined(const char *set, sym_t name)
{
	struct buf b = BUF_GC;

	if (*set)
		buf_addf(&b, "%s.", set);
	quote_name(&b, sym_name(name)->b, sym_name(name)->len);
	return b.p;
}

/* --- finding --- */

struct documented doc_builtins(void)
{
	return (struct documented){ "builtins", eval_builtins(), 0 };
}

struct documented doc_std(const struct eval_request *r)
{
	const char *fragment;
	W flake = flake_call(flake_options_open(&r->flake_options, "gx:std", &fragment)), outputs = force(flake_outputs(flake));
	W systems = force(want_attr(outputs, "legacyPackages", "gx:std")), lib = force(want_attr(outputs, "lib", "gx:std"));
	W pkgs = force(want_attr(systems, eval_settings.system, "gx:std"));
	struct attrs_builder b;

	attrs_builder_init(&b, 1);
	attrs_add_c(&b, "pkgs", pkgs);
	lib = attrs_update(lib, attrs_finish(&b));
	return (struct documented){ "std", attrs_update(pkgs, lib), 0 };
}

struct documented doc_below(struct documented d, const char *path)
{
	while (path) {
		sym_t name = first_name(path, &path);
		uint32_t pos;
		W set = want_attrs(force(d.value), *d.name ? d.name : "it"), *slot = attrs_find_pos(set, name, &pos);

		if (!slot)
			throw_error_hint(EK_EVAL, near_attr(set, sym_name(name)), "%s%shas no '%s'", d.name, *d.name ? " " : "it ",
					 sym_name(name)->b);
		d = (struct documented){ joined(d.name, name), *slot, pos };
	}
	return d;
}

static __attribute__((noreturn)) void unknown(W std, sym_t name)
{
	W all = attrs_update(std, eval_builtins());

	throw_error_hint(EK_EVAL, near_attr(all, sym_name(name)), "there is nothing named '%s'", sym_name(name)->b);
}

struct documented doc_find(const struct eval_request *r, W scope, const char *path)
{
	const char *rest;
	sym_t name = first_name(path, &rest);
	struct documented std;

	if (attrs_find(scope, name))
		return doc_below((struct documented){ "", scope, 0 }, path);
	if (name == sym_c("builtins"))
		return doc_below(doc_builtins(), rest);
	if (attrs_find(eval_builtins(), name))
		return doc_below(doc_builtins(), path);
	std = doc_std(r);
	if (name == sym_c("std"))
		return doc_below(std, rest);
	if (!attrs_find(std.value, name))
		unknown(std.value, name);
	return doc_below(std, path);
}

/* --- what is known --- */

struct knowledge {
	const struct builtin *builtin;
	const char *text; /* of a comment, as shown */
	W value, function; /* function: what is called, W_NULL for none */
	uint32_t pos;
	int is_package;
	int is_set; /* whose names are listed */
};

/* The comment that ends right before a position; NULL for none. */
static const char *comment_before(uint32_t pos, size_t *n)
{
	const struct source *src = pos ? source_of(pos) : NULL;
	const char *text = src ? source_load(src) : NULL, *end, *p;

	if (!text)
		return NULL;
	for (end = text + (pos - src->start); end > text && strchr(" \t\r\n", end[-1]);)
		end--;
	if (end - text < 5 || end[-1] != '/' || end[-2] != '*')
		return NULL;
	end -= 2;
	for (p = end - 3; memcmp(p, "/**", 3); p--)
		if (p == text || (p[0] == '*' && p[1] == '/'))
			return NULL;
	*n = (size_t)(end - (p + 3));
	return p + 3;
}

static const char *shown_text(const char *p, size_t n)
{
	struct buf b = BUF_GC;

	doc_text(&b, p, n);
	char *text = (char *)buf_str(&b);
	size_t len = b.len;
	while (len && strchr(" \t\r\n", text[len - 1]))
		text[--len] = 0;
	/* Without lines before the first that says something. */
	for (const char *nl; (nl = strchr(text, '\n')) && text + strspn(text, " \t\r") == nl;)
		text = (char *)nl + 1;
	return text;
}

static const struct builtin *registered(const char *name)
{
	for (const struct builtin *const *const *list = world_builtins; *list; list++)
		for (const struct builtin *const *b = *list; *b; b++)
			if (!strcmp((*b)->name, name))
				return *b;
	return NULL;
}

/* What is called; *bare: it was not made by giving another function its first arguments, but for the set it is called by. */
static W function_of(W v, int *bare)
{
	W *functor = W_TAG(v) == TAG_ATTRS ? attrs_find(v, SYM_FUNCTOR) : NULL;

	if (functor)
		v = force(call1(*functor, v));
	if (!w_is_function(v))
		return W_NULL;
	*bare = function_given(v) <= (functor != NULL);
	return v;
}

static void learn(struct knowledge *k, const struct documented *d)
{
	int bare = 0;
	uint32_t own = 0;
	const char *p;
	size_t n;

	*k = (struct knowledge){ .value = force(d->value), .pos = d->pos };
	k->is_package = W_TAG(k->value) == TAG_ATTRS && value_is_derivation(k->value);
	k->function = k->is_package ? W_NULL : function_of(k->value, &bare);
	k->is_set = W_TAG(k->value) == TAG_ATTRS && k->function == W_NULL && !k->is_package;
	if (k->function != W_NULL)
		function_name(k->function, &own);
	k->pos = k->pos ? k->pos : own;
	p = comment_before(d->pos, &n);
	if (!p && !strncmp(d->name, "builtins.", 9))
		k->builtin = registered(d->name + 9);
	else if (!p && bare)
		k->builtin = function_builtin(k->function);
	if (!p && !k->builtin && bare) {
		/* Where it is written, and not where another set takes it over. */
		p = function_doc(k->function, &n);
		k->pos = p && own ? own : k->pos;
	}
	if (p)
		k->text = shown_text(p, n);
}

/* A string of a package's meta, NULL without. */
static const char *meta(W package, const char *name)
{
	W *slot = attrs_find_c(package, "meta"), set = slot ? force_at(slot) : W_NULL;

	slot = W_TAG(set) == TAG_ATTRS ? attrs_find_c(set, name) : NULL;
	W v = slot ? force_at(slot) : W_NULL;
	return w_is_str(v) ? w_get_str(v)->b : NULL;
}

/* --- the head --- */

/* In place of a blank where no line is to end. */
#define GLUE '\x1f'

static void add_formal(void *arg, sym_t name, uint32_t pos, int has_default)
{
	struct buf *b = arg;

	(void)pos;
	buf_addf(b, "%s%s", b->p[b->len - 1] == '{' ? " " : ", ", sym_name(name)->b);
	if (has_default)
		buf_addf(b, "%c?%c…", GLUE, GLUE);
}

static void unglue(char *text)
{
	while ((text = strchr(text, GLUE)))
		*text = ' ';
}

/* Those that a builtin still takes. */
static void add_builtin_args(struct buf *b, const struct builtin *d, unsigned given)
{
	for (const char *p = d->args; *p;) {
		/* The mark of an argument that is forced is for the evaluator. */
		p += *p == '!';
		size_t n = strcspn(p, " ");
		if (given)
			given--;
		else
			buf_addf(b, " %.*s", (int)n, p);
		p += n;
		p += strspn(p, " ");
	}
}

static void add_args(struct buf *b, W f)
{
	const struct builtin *d = function_builtin(f);
	struct buf formals = BUF_GC;
	int ellipsis = 0, is_set;

	if (d) {
		add_builtin_args(b, d, function_given(f));
		return;
	}
	for (uint32_t i = 0; i < function_takes(f); i++) {
		sym_t name = function_param(f, i, &is_set);
		if (!is_set) {
			buf_addf(b, " %s", name ? sym_name(name)->b : "_");
			continue;
		}
		buf_adds(&formals, "{");
		function_last_formals(f, add_formal, &formals, &ellipsis);
		buf_addf(b, " %s%s }", formals.p, !ellipsis ? "" : formals.len > 1 ? ", ..." : " ...");
	}
}

static void add_head(struct buf *b, const struct documented *d, const struct knowledge *k, unsigned columns)
{
	uint32_t pos;
	sym_t name = k->function == W_NULL ? 0 : function_name(k->function, &pos);
	struct buf head = BUF_GC;

	if (!*d->name && k->builtin)
		buf_addf(&head, "builtins.%s", k->builtin->name);
	else
		buf_adds(&head, *d->name ? d->name : name ? sym_name(name)->b : "function");
	if (k->function != W_NULL)
		add_args(&head, k->function);
	else if (!k->is_set)
		buf_addf(&head, " = %s", show_brief(k->value));
	size_t start = b->len;
	width_wrap(b, head.p, 4, columns);
	unglue(b->p + start);
}

static void add_place(struct buf *b, uint32_t pos)
{
	struct source_loc at;

	if (pos && !source_locate(pos, &at))
		buf_addf(b, "%s:%u:%u", source_shown_name(at.src), at.line, at.column);
}

/* --- lists --- */

/* Up to the end of the first sentence, in one line. */
static const char *first_sentence(const char *text)
{
	struct buf b = BUF_GC;

	for (const char *p = text; *p && !(p[0] == '\n' && p[1] == '\n'); p++) {
		if (*p != '\n')
			buf_addc(&b, *p);
		else if (b.len && b.p[b.len - 1] != ' ')
			buf_addc(&b, ' ');
		if (*p == '.' && (p[1] == ' ' || p[1] == '\n' || !p[1]))
			break;
	}
	return buf_str(&b);
}

static const char *summary(const struct knowledge *k)
{
	const char *text = k->builtin ? k->builtin->doc : k->is_package ? meta(k->value, "description") : k->text;

	if (text || k->is_package)
		return text ? first_sentence(text) : "a package";
	if (k->function != W_NULL)
		return "(no doc comment)";
	struct buf b = BUF_GC;
	buf_addf(&b, "= %s", show_brief(k->value));
	return k->is_set ? "a set" : b.p;
}

struct line {
	struct documented d;
	const char *left, *right;
};

static void make_line(void *arg)
{
	struct line *l = arg;
	struct knowledge k;
	struct buf left = BUF_GC;

	learn(&k, &l->d);
	l->right = summary(&k);
	buf_adds(&left, l->left);
	if (k.function != W_NULL)
		add_args(&left, k.function);
	unglue(left.p);
	l->left = left.p;
}

static void add_line(struct buf *b, struct line *l, unsigned columns)
{
	const size_t indent = columns < 70 ? 6 : 30;
	struct failure f;

	if (!unwind_run(make_line, l, &f, TRACE_NONE)) {
		if (f.kind == EK_INTERRUPT)
			unwind_rethrow(&f);
		l->right = "(it cannot be evaluated)";
	}
	struct slice left = { l->left, strlen(l->left) };
	size_t n = width_of(left) + 2;
	buf_adds(b, "  ");
	width_cut_end(b, left, columns - 2);
	if (n + 2 > indent)
		buf_addf(b, "\n%*s", (int)indent, "");
	else
		buf_addf(b, "%*s", (int)(indent - n), "");
	width_wrap(b, l->right, indent, columns);
}

static void add_members(struct buf *b, const char *name, W set, unsigned columns)
{
	struct attrs *a = attrs_of(set);
	const uint32_t *order = attrs_order(a);

	for (uint32_t i = 0; i < a->n; i++) {
		sym_t member = a->sh->sym[order[i]];
		struct line l = { { joined(name, member), a->v[order[i]], shape_pos(a->sh, order[i]) }, joined("", member), "" };
		add_line(b, &l, columns);
	}
}

/* --- text --- */

/* Where further lines of a line that is too long begin: below its text, and in a table below the second column. */
static size_t text_begins(const char *line, size_t n, unsigned columns)
{
	size_t at = 0, gap;

	while (at < n && line[at] == ' ')
		at++;
	for (size_t i = at; i < n && i < columns / 2; i += gap + 1) {
		for (gap = 0; i + gap < n && line[i + gap] == ' ';)
			gap++;
		if (gap > 2)
			return i + gap;
	}
	return at;
}

/* Appends lines, those that are too long in several. */
static void add_text(struct buf *b, const char *text, unsigned columns)
{
	for (size_t n; *text; text += n + (text[n] == '\n')) {
		n = strcspn(text, "\n");
		if (width_of((struct slice){ text, n }) <= columns) {
			buf_add(b, text, n);
			buf_addc(b, '\n');
			continue;
		}
		size_t indent = text_begins(text, n, columns);
		struct buf rest = BUF_GC;
		buf_add(b, text, indent);
		buf_add(&rest, text + indent, n - indent);
		width_wrap(b, buf_str(&rest), indent, columns);
	}
}

/* --- one value --- */

static void add_package(struct buf *b, const struct documented *d, const struct knowledge *k, unsigned columns)
{
	static const char *const names[] = { "description", "homepage", "mainProgram" };
	W *name = attrs_find_c(k->value, "name"), v = name ? force_at(name) : W_NULL;

	buf_addf(b, "%s: the package %s\n", *d->name ? d->name : "it", w_is_str(v) ? w_get_str(v)->b : "without a name");
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		const char *text = meta(k->value, names[i]);
		if (text)
			buf_addf(b, "%s%s%s\n", i ? "" : "\n", i == 2 ? "Its program is " : "", text);
	}
	if (k->text) {
		buf_addc(b, '\n');
		add_text(b, k->text, columns);
	}
}

static void add_builtin(struct buf *b, const struct builtin *d, unsigned columns)
{
	buf_addc(b, '\n');
	add_text(b, d->doc, columns);
	if (*d->example)
		buf_addf(b, "\nExample: %s\nResult:  %s\n", d->example, d->result);
}

/* What has neither documentation nor anything to list. */
static void add_nothing(struct buf *b, const struct knowledge *k)
{
	if (k->function == W_NULL)
		throw_error(EK_EVAL, "only functions and names with a doc comment have documentation, and this is %s",
			    show_type(k->value));
	buf_adds(b, "\nIt is written at ");
	add_place(b, k->pos);
	buf_adds(b, " and has no doc comment ('/** ... */' before it).\n");
}

void doc_add(struct buf *b, const struct documented *d, unsigned columns)
{
	struct knowledge k;

	learn(&k, d);
	if (k.is_package) {
		add_package(b, d, &k, columns);
		return;
	}
	if (!k.is_set || k.text)
		add_head(b, d, &k, columns);
	if (k.builtin) {
		add_builtin(b, k.builtin, columns);
	} else if (k.text) {
		buf_adds(b, "  at ");
		add_place(b, k.pos);
		buf_adds(b, "\n\n");
		add_text(b, k.text, columns);
		buf_adds(b, k.is_set ? "\n" : "");
	} else if (!k.is_set) {
		add_nothing(b, &k);
	}
	if (k.is_set)
		add_members(b, d->name, k.value, columns);
}
