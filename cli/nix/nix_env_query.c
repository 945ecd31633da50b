/* SPDX-License-Identifier: MIT
 *
 * What nix-env --query prints: a table, JSON or XML of the records that nix_env_expr.c answers with.
 */
#include "config.h"
#include "base/alloc.h"
#include "cli/nix/nix_env.h"
#include "cli/output.h"

#include <stdlib.h>
#include <string.h>

static struct slice member(const struct jnode *o, const char *name)
{
	const struct jnode *n = json_member(o, slice_of(name));

	return n && n->kind == JSON_STRING ? n->str : SLICE("");
}

static int by_name(const void *a, const void *b)
{
	struct slice x = member(*(const struct jnode *const *)a, "name"), y = member(*(const struct jnode *const *)b, "name");
	size_t n = x.n < y.n ? x.n : y.n;
	int c = strncasecmp(x.p, y.p, n);

	return c ? c : (x.n > y.n) - (x.n < y.n);
}

/* --- what the store says --- */

static const struct jnode *first_output(const struct jnode *r)
{
	const struct jnode *outputs = json_member(r, SLICE("outputs"));

	return outputs ? outputs->first : NULL;
}

static int is_present(struct store *s, const struct jnode *r)
{
	const struct jnode *o = first_output(r);
	struct store_path p;

	return o && !store_path_parse(store_dir(s), member(o, "path"), &p, NULL) && store_is_valid(s, &p, NULL) == 1;
}

static int is_among(const struct jnode *r, const struct jnode *others)
{
	const struct jnode *mine = first_output(r);

	for (const struct jnode *o = others ? others->first : NULL; o && mine; o = o->next) {
		const struct jnode *its = first_output(o);

		if (its && slice_eq(member(its, "path"), member(mine, "path")))
			return 1;
	}
	return 0;
}

/* --- columns --- */

static void add_outputs(struct buf *b, const struct jnode *r)
{
	for (const struct jnode *o = first_output(r); o; o = o->next) {
		struct slice name = member(o, "name"), path = member(o, "path");

		if (o != first_output(r))
			buf_addc(b, ';');
		if (!slice_eq(name, SLICE("out")))
			buf_addf(b, "%.*s=", (int)name.n, name.p);
		buf_add(b, path.p, path.n);
	}
}

static void add_text(struct buf *b, struct slice s)
{
	buf_add(b, s.p, s.n);
}

enum { COLUMNS = 8 };

/* The columns of one record, each a text; those not asked for stay empty. */
static void fill_row(struct store *s, const struct env_columns *c, const struct jnode *r, const struct jnode *others,
		     struct buf *row)
{
	if (c->status)
		buf_addf(&row[0], "%c%c-", is_among(r, others) || !c->available ? 'I' : '-', is_present(s, r) ? 'P' : '-');
	if (c->attr_path)
		add_text(&row[1], member(r, "attrPath"));
	if (!c->no_name)
		add_text(&row[2], member(r, "name"));
	if (c->compare)
		add_text(&row[3], member(r, "compared"));
	if (c->system)
		add_text(&row[4], member(r, "system"));
	if (c->drv_path)
		add_text(&row[5], member(r, "drvPath"));
	if (c->out_path)
		add_outputs(&row[6], r);
	if (c->description)
		add_text(&row[7], member(json_member(r, SLICE("meta")), "description"));
}

static void add_table(struct store *s, const struct env_columns *c, const struct jnode *const *v, size_t n,
		      const struct jnode *others, struct buf *out)
{
	struct buf *cells = xcalloc(n * COLUMNS + 1, sizeof *cells);
	size_t widths[COLUMNS] = { 0 };

	for (size_t i = 0; i < n; i++) {
		fill_row(s, c, v[i], others, &cells[i * COLUMNS]);
		for (size_t k = 0; k < COLUMNS; k++)
			if (cells[i * COLUMNS + k].len > widths[k])
				widths[k] = cells[i * COLUMNS + k].len;
	}
	for (size_t i = 0; i < n; i++) {
		size_t begin = out->len;

		for (size_t k = 0; k < COLUMNS; k++)
			if (widths[k])
				buf_addf(out, "%s%-*s", out->len > begin ? "  " : "", (int)widths[k],
					 buf_str(&cells[i * COLUMNS + k]));
		while (out->len > begin && out->p[out->len - 1] == ' ')
			buf_trim(out, out->len - 1);
		buf_addc(out, '\n');
	}
	for (size_t i = 0; i < n * COLUMNS; i++)
		buf_release(&cells[i]);
	free(cells);
}

/* --- JSON --- */

static struct jnode *json_outputs(struct arena *a, const struct jnode *r, int paths)
{
	struct jnode *n = json_node(a, JSON_OBJECT);
	const struct jnode *names = json_member(r, SLICE("outputNames"));

	for (const struct jnode *o = names ? names->first : NULL; o && !paths; o = o->next)
		json_set(n, o->str, json_node(a, JSON_NULL));
	for (const struct jnode *o = first_output(r); o && paths; o = o->next)
		json_set(n, member(o, "name"), json_string(a, member(o, "path")));
	return n;
}

static void add_json(const struct env_columns *c, const struct jnode *const *v, size_t n, struct buf *out)
{
	static const char *const texts[] = { "name", "pname", "version", "system", "outputName", "drvPath" };
	struct arena a = ARENA_INIT;
	struct jnode *all = json_node(&a, JSON_OBJECT);

	for (size_t i = 0; i < n; i++) {
		struct jnode *r = json_node(&a, JSON_OBJECT), *meta = json_member(v[i], SLICE("meta"));

		for (size_t k = 0; k < sizeof texts / sizeof *texts; k++)
			if (k < 5 || (c->drv_path && member(v[i], texts[k]).n))
				json_set(r, slice_of(texts[k]), json_string(&a, member(v[i], texts[k])));
		json_set(r, SLICE("outputs"), json_outputs(&a, v[i], c->out_path));
		if (c->meta && meta)
			json_set(r, SLICE("meta"), meta);
		json_set(all, member(v[i], "attrPath"), r);
	}
	json_tree_write(out, all);
	buf_addc(out, '\n');
	arena_release(&a);
}

/* --- XML --- */

static void add_attribute(struct buf *b, const char *name, struct slice value)
{
	buf_addf(b, " %s=\"", name);
	for (size_t i = 0; i < value.n; i++)
		switch (value.p[i]) {
		case '"': buf_adds(b, "&quot;"); break;
		case '&': buf_adds(b, "&amp;"); break;
		case '<': buf_adds(b, "&lt;"); break;
		case '>': buf_adds(b, "&gt;"); break;
		case '\n': buf_adds(b, "&#xA;"); break;
		default: buf_addc(b, value.p[i]);
		}
	buf_addc(b, '"');
}

static void add_meta(struct buf *b, const struct jnode *m)
{
	struct buf text = BUF_INIT;

	buf_adds(b, "    <meta");
	add_attribute(b, "name", m->key);
	if (m->kind == JSON_ARRAY) {
		buf_adds(b, " type=\"strings\">\n");
		for (const struct jnode *o = m->first; o; o = o->next)
			if (o->kind == JSON_STRING) {
				buf_adds(b, "      <string");
				add_attribute(b, "value", o->str);
				buf_adds(b, " />\n");
			}
		buf_adds(b, "    </meta>\n");
		return;
	}
	if (m->kind != JSON_STRING)
		json_tree_write(&text, m);
	add_attribute(b, "type",
		      m->kind == JSON_STRING   ? SLICE("string")
		      : m->kind == JSON_INT    ? SLICE("int")
		      : m->kind == JSON_FLOAT  ? SLICE("float")
		      : m->kind == JSON_OBJECT ? SLICE("strings")
					       : SLICE("bool"));
	add_attribute(b, "value", m->kind == JSON_STRING ? m->str : (struct slice){ buf_str(&text), text.len });
	buf_adds(b, " />\n");
	buf_release(&text);
}

static void add_item(const struct env_columns *c, const struct jnode *r, struct buf *b)
{
	static const char *const texts[] = { "attrPath", "name", "outputName", "pname", "system", "version" };
	const struct jnode *meta = json_member(r, SLICE("meta"));

	buf_adds(b, "  <item");
	for (size_t k = 0; k < sizeof texts / sizeof *texts; k++)
		add_attribute(b, texts[k], member(r, texts[k]));
	if (c->drv_path)
		add_attribute(b, "drvPath", member(r, "drvPath"));
	buf_adds(b, ">\n");
	for (const struct jnode *o = c->out_path ? first_output(r) : NULL; o; o = o->next) {
		buf_adds(b, "    <output");
		add_attribute(b, "name", member(o, "name"));
		add_attribute(b, "path", member(o, "path"));
		buf_adds(b, " />\n");
	}
	for (const struct jnode *m = c->meta && meta ? meta->first : NULL; m; m = m->next)
		add_meta(b, m);
	buf_adds(b, "  </item>\n");
}

/* --- all of them --- */

int env_query_print(struct store *s, const struct env_columns *c, const struct jnode *shown, const struct jnode *others)
{
	const struct jnode **v = NULL;
	size_t n = 0, cap = 0;
	struct buf out = BUF_INIT;

	for (const struct jnode *r = shown->first; r; r = r->next) {
		if (c->prebuilt && !is_present(s, r))
			continue;
		ARRAY_GROW(v, n + 1, cap);
		v[n++] = r;
	}
	if (n)
		qsort(v, n, sizeof *v, by_name);
	if (c->json) {
		add_json(c, v, n, &out);
	} else if (c->xml) {
		buf_adds(&out, "<?xml version='1.0' encoding='utf-8'?>\n<items>\n");
		for (size_t i = 0; i < n; i++)
			add_item(c, v[i], &out);
		buf_adds(&out, "</items>\n");
	} else {
		add_table(s, c, v, n, others, &out);
	}
	free(v);
	return command_print(&out);
}
