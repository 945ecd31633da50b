/* SPDX-License-Identifier: MIT
 *
 * What a derivation is told in files: structured attributes, and the graph of references of its inputs.
 *
 * Byte for byte as Nix 2.8 writes them, since they are inputs of the build:
 *   .attrs.json   the document of __json with "outputs" (name to path) and the exported graphs put in, compact, keys sorted
 *   .attrs.sh     those members that a shell can hold, as `declare` lines of bash
 *   a graph       for each object of a closure: path, deriver (always empty), number of references, references; a line each
 */
#include "config.h"

#include "build/build_int.h"

#include <math.h>
#include <stdio.h>

/* --- exported graphs --- */

struct outputs_walk {
	struct store *s;
	struct path_set *out;
};

static int add_output_closure(void *arg, struct slice name, const struct store_path *path, struct err *e)
{
	struct outputs_walk *w = arg;

	(void)name;
	return store_closure(w->s, path, 0, w->out, e);
}

/* The closures of the paths, and of the outputs of the derivations in them. */
static int exported(struct job *j, const struct export_graph *g, struct path_set *out, struct err *e)
{
	struct outputs_walk w = { j->b->s, out };
	struct path_set drvs = PATH_SET_INIT;
	struct store_path p;
	struct slice rest;
	int rc = 0;

	for (size_t i = 0; i < g->paths.n && !rc; i++) {
		struct slice text = build_rewrite(j, g->paths.v[i]);

		rc = store_path_split(store_dir(j->b->s), text, &p, &rest, e);
		if (!rc && !path_set_has(&j->inputs, &p))
			rc = err_set(e, ERR_BUILD,
				     "cannot export references of path '%.*s' because it is not in the input closure of "
				     "the derivation",
				     (int)text.n, text.p);
		rc = rc ? rc : store_closure(j->b->s, &p, 0, out, e);
	}
	for (size_t i = 0; i < out->n && !rc; i++)
		if (store_path_is_drv(&out->v[i]))
			path_set_add(&drvs, &out->v[i]);
	for (size_t i = 0; i < drvs.n && !rc; i++)
		rc = db_outputs(store_db(j->b->s), &drvs.v[i], add_output_closure, &w, e);
	path_set_release(&drvs);
	return rc;
}

int build_export_graph(struct job *j, const struct export_graph *g, struct buf *out, struct err *e)
{
	struct path_set set = PATH_SET_INIT;
	int rc = exported(j, g, &set, e);

	for (size_t i = 0; i < set.n && !rc; i++) {
		struct path_set refs = PATH_SET_INIT;

		rc = db_references(store_db(j->b->s), &set.v[i], &refs, e);
		store_add_path(j->b->s, out, &set.v[i]);
		buf_addf(out, "\n\n%zu\n", refs.n);
		for (size_t k = 0; k < refs.n; k++) {
			store_add_path(j->b->s, out, &refs.v[k]);
			buf_addc(out, '\n');
		}
		path_set_release(&refs);
	}
	path_set_release(&set);
	return rc;
}

static struct jnode *path_node(struct job *j, struct arena *a, const struct store_path *p)
{
	struct buf b = BUF_INIT;
	struct jnode *n;

	store_add_path(j->b->s, &b, p);
	n = json_string(a, (struct slice){ b.p, b.len });
	buf_release(&b);
	return n;
}

static int info_node(struct job *j, struct arena *a, const struct store_path *p, struct jnode **out, struct err *e)
{
	struct path_info info = { 0 };
	struct jnode *refs = json_node(a, JSON_ARRAY), *last = NULL;
	char hash[HASH_TEXT_MAX];
	uint64_t closure = 0;
	int rc = db_info(store_db(j->b->s), p, &info, e);

	rc = rc ? rc : store_closure_size(j->b->s, p, &closure, NULL, e);
	if (rc)
		goto out;
	*out = json_node(a, JSON_OBJECT);
	hash_print(&info.nar_hash, HASH_NIX32, 1, hash);
	for (size_t i = 0; i < info.refs.n; i++)
		json_append(refs, &last, path_node(j, a, &info.refs.v[i]));
	if (info.ca)
		json_set(*out, SLICE("ca"), json_string(a, slice_of(info.ca)));
	json_set(*out, SLICE("closureSize"), json_int(a, (int64_t)closure));
	json_set(*out, SLICE("narHash"), json_string(a, slice_of(hash)));
	json_set(*out, SLICE("narSize"), json_int(a, (int64_t)info.nar_size));
	json_set(*out, SLICE("path"), path_node(j, a, p));
	json_set(*out, SLICE("references"), refs);
out:
	path_info_release(&info);
	return rc;
}

static int graph_node(struct job *j, const struct export_graph *g, struct jnode **out, struct err *e)
{
	struct path_set set = PATH_SET_INIT;
	struct jnode *last = NULL, *n = NULL;
	int rc = exported(j, g, &set, e);

	*out = json_node(&j->opt.arena, JSON_ARRAY);
	for (size_t i = 0; i < set.n && !rc; i++) {
		rc = info_node(j, &j->opt.arena, &set.v[i], &n, e);
		if (!rc)
			json_append(*out, &last, n);
	}
	path_set_release(&set);
	return rc;
}

/* --- .attrs.sh --- */

static void add_quoted(struct buf *b, struct slice s)
{
	buf_addc(b, '\'');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\'')
			buf_adds(b, "'\\''");
		else
			buf_addc(b, s.p[i]);
	}
	buf_addc(b, '\'');
}

/* A value that fits in one word; 0 when it does not.  Numbers are cut to int, as Nix does. */
static int add_simple(struct buf *b, const struct jnode *n)
{
	double d;

	switch (n->kind) {
	case JSON_STRING: add_quoted(b, n->str); return 1;
	case JSON_NULL: buf_adds(b, "''"); return 1;
	case JSON_TRUE: buf_addc(b, '1'); return 1;
	case JSON_FALSE: return 1;
	case JSON_INT: buf_addf(b, "%d", (int)n->i); return 1;
	case JSON_UINT: buf_addf(b, "%d", (int)n->u); return 1;
	case JSON_FLOAT:
		d = (double)(float)n->d;
		if (ceil(d) != d || d < -9e18 || d > 9e18)
			return 0;
		buf_addf(b, "%d", (int)(int64_t)n->d);
		return 1;
	default: return 0;
	}
}

static int is_variable(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (i && c >= '0' && c <= '9')))
			return 0;
	}
	return s.n > 0;
}

/* The elements of a list or set, each followed by a blank; 0 when one is not simple. */
static int add_elements(struct buf *b, const struct jnode *n)
{
	for (const struct jnode *m = n->first; m; m = m->next) {
		if (n->kind == JSON_OBJECT) {
			buf_addc(b, '[');
			add_quoted(b, m->key);
			buf_adds(b, "]=");
		}
		if (!add_simple(b, m))
			return 0;
		buf_addc(b, ' ');
	}
	return 1;
}

static void write_shell(struct buf *b, const struct jnode *json)
{
	for (const struct jnode *m = json->first; m; m = m->next) {
		size_t at = b->len;
		int good;

		if (!is_variable(m->key))
			continue;
		buf_addf(b, "declare %s%.*s=", m->kind == JSON_ARRAY ? "-a " : m->kind == JSON_OBJECT ? "-A " : "",
			 (int)m->key.n, m->key.p);
		if (m->kind == JSON_ARRAY || m->kind == JSON_OBJECT) {
			buf_addc(b, '(');
			good = add_elements(b, m);
			buf_addc(b, ')');
		} else {
			good = add_simple(b, m);
		}
		if (good)
			buf_addc(b, '\n');
		else
			buf_trim(b, at);
	}
}

int build_structured(struct job *j, struct buf *json, struct buf *sh, struct err *e)
{
	struct jnode *outputs = json_node(&j->opt.arena, JSON_OBJECT), *n = NULL;
	const struct node *node = j->node;
	int rc = 0;

	for (size_t i = 0; i < node->drv.noutputs; i++)
		json_set(outputs, node->drv.outputs[i].name, path_node(j, &j->opt.arena, &node->paths[i]));
	json_set(j->opt.json, SLICE("outputs"), outputs);
	for (size_t i = 0; i < j->opt.nexports && !rc; i++) {
		rc = graph_node(j, &j->opt.exports[i], &n, e);
		if (!rc)
			json_set(j->opt.json, j->opt.exports[i].name, n);
	}
	if (rc)
		return rc;
	json_tree_write(json, j->opt.json);
	write_shell(sh, j->opt.json);
	return 0;
}
