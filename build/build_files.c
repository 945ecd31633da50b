/* SPDX-License-Identifier: MIT
 *
 * What a derivation is told in files: structured attributes, and the graph of references of its inputs.
 *
 * Byte for byte as Nix 2.8 writes them, since they are inputs of the build:
 *   .attrs.json   the document of __json with "outputs" (name to path) and the exported graphs put in, compact, keys sorted
 *   .attrs.sh     those members that a shell can hold (format/attrs_sh.h)
 *   a graph       for each object of a closure: path, deriver (always empty), number of references, references; a line each
 */
#include "config.h"
#include "build/build_int.h"
#include "format/attrs_sh.h"

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
	attrs_sh_write(sh, j->opt.json);
	return 0;
}
