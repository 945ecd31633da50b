/* SPDX-License-Identifier: MIT
 *
 * Sets of objects are printed in an order in which Nix prints them too: what refers to another comes behind it.
 */
#include "config.h"
#include "cli/nix/nix_store_query.h"
#include "cli/dev_env.h"
#include "store/roots.h"

#include <stdlib.h>
#include <string.h>

struct asking {
	struct store *s;
	const struct query *q;
	struct buf *out;
	struct err *e;
};

static void print(struct asking *a, const struct store_path *p)
{
	store_add_path(a->s, a->out, p);
	buf_addc(a->out, '\n');
}

/* Each before those that refer to it. */
static int print_ordered(struct asking *a, const struct path_set *set)
{
	size_t *order;
	int rc = store_order(a->s, set->v, set->n, &order, a->e);

	if (rc)
		return rc;
	for (size_t i = 0; i < set->n; i++)
		print(a, &set->v[order[i]]);
	free(order);
	return 0;
}

static int print_sorted(struct asking *a, struct path_set *set)
{
	path_set_sort(set);
	for (size_t i = 0; i < set->n; i++)
		print(a, &set->v[i]);
	return 0;
}

/* --- derivations --- */

static int read_drv(struct asking *a, const struct store_path *p, struct buf *text, struct drv *d)
{
	if (!store_path_is_drv(p))
		return err_set(a->e, ERR_INVALID, "'%s' is not a derivation", p->base);
	return dev_env_read(a->s, p, text, d, a->e);
}

/* Adds the outputs of a derivation: in the text, so that one that is nowhere valid has them too. */
static int add_outputs(struct asking *a, const struct store_path *drv, struct path_set *out)
{
	struct buf text = BUF_INIT;
	struct store_path p;
	struct drv d;
	int rc = read_drv(a, drv, &text, &d);

	if (!rc) {
		for (size_t i = 0; !rc && i < d.noutputs; i++)
			if (d.outputs[i].path.n && !(rc = store_path_parse(store_dir(a->s), d.outputs[i].path, &p, a->e)))
				path_set_push(out, &p);
		drv_release(&d);
	}
	buf_release(&text);
	return rc;
}

static int print_binding(struct asking *a, const struct store_path *p)
{
	struct path_set makers = PATH_SET_INIT;
	struct buf text = BUF_INIT;
	const struct slice *value;
	struct drv d;
	int rc = 0;

	if (!store_path_is_drv(p) && !(rc = db_derivers(store_db(a->s), p, &makers, a->e)) && makers.n)
		p = &makers.v[0];
	rc = rc ? rc : read_drv(a, p, &text, &d);
	if (!rc) {
		value = drv_env(&d, slice_of(a->q->binding));
		if (value)
			buf_addf(a->out, "%.*s\n", (int)value->n, value->p);
		else
			rc = err_set(a->e, ERR_NOTFOUND, "derivation '%s' has no environment binding named '%s'", p->base,
				     a->q->binding);
		drv_release(&d);
	}
	path_set_release(&makers);
	buf_release(&text);
	return rc;
}

/* --- rows --- */

static int print_row(struct asking *a, const struct store_path *p)
{
	struct path_info info = { 0 };
	int rc = db_info(store_db(a->s), p, &info, a->e);

	if (!rc && a->q->kind == QUERY_SIZE) {
		buf_addf(a->out, "%llu\n", (unsigned long long)info.nar_size);
	} else if (!rc && a->q->kind == QUERY_HASH) {
		hash_add(a->out, &info.nar_hash, HASH_NIX32, 1);
		buf_addc(a->out, '\n');
	} else if (!rc && info.deriver.len) {
		print(a, &info.deriver);
	} else if (!rc) {
		buf_adds(a->out, "unknown-deriver\n");
	}
	path_info_release(&info);
	return rc;
}

/* --- graphs --- */

static int references(struct asking *a, const struct store_path *p, struct path_set *refs)
{
	int rc = db_references(store_db(a->s), p, refs, a->e);

	path_set_sort(refs);
	return rc;
}

static int print_tree(struct asking *a, const struct store_path *p, const char *first, const char *rest, struct path_set *seen)
{
	struct path_set refs = PATH_SET_INIT;
	struct buf head = BUF_INIT, tail = BUF_INIT;
	int again = path_set_has(seen, p), rc = 0;
	size_t *order = NULL;

	buf_adds(a->out, first);
	store_add_path(a->s, a->out, p);
	buf_adds(a->out, again ? " [...]\n" : "\n");
	if (!again) {
		path_set_add(seen, p);
		rc = references(a, p, &refs);
		path_set_remove(&refs, p);
		/* What others of them need first: it stands where it is seen best. */
		rc = rc ? rc : store_order(a->s, refs.v, refs.n, &order, a->e);
	}
	for (size_t i = 0; !rc && i < refs.n; i++) {
		int last = i + 1 == refs.n;

		buf_trim(&head, 0);
		buf_trim(&tail, 0);
		buf_addf(&head, "%s%s", rest, last ? "└───" : "├───");
		buf_addf(&tail, "%s%s", rest, last ? "    " : "│   ");
		rc = print_tree(a, &refs.v[order[i]], buf_str(&head), buf_str(&tail), seen);
	}
	buf_release(&head);
	buf_release(&tail);
	path_set_release(&refs);
	free(order);
	return rc;
}

static void print_node(struct asking *a, const struct store_path *p)
{
	struct path_info info = { 0 };

	if (a->q->kind == QUERY_GRAPH) {
		const char *name = p->base + STORE_HASH_LEN + 1;

		buf_addf(a->out, "\"%s\" [label = \"%s\", shape = box, style = filled, fillcolor = \"#ff0000\"];\n", p->base, name);
		return;
	}
	if (db_info(store_db(a->s), p, &info, a->e))
		return;
	buf_addf(a->out, "  <node id=\"%s\">\n    <data key=\"narSize\">%llu</data>\n    <data key=\"name\">%s</data>\n"
			 "    <data key=\"type\">%s</data>\n  </node>\n",
		 p->base, (unsigned long long)info.nar_size, p->base + STORE_HASH_LEN + 1,
		 store_path_is_drv(p) ? "derivation" : "output-path");
	path_info_release(&info);
}

static void print_edge(struct asking *a, const struct store_path *from, const struct store_path *to, size_t i)
{
	static const char *const colours[] = { "black", "red", "green", "blue", "magenta", "burlywood" };

	if (a->q->kind == QUERY_GRAPH)
		buf_addf(a->out, "\"%s\" -> \"%s\" [color = \"%s\"];\n", to->base, from->base,
			 colours[i % (sizeof colours / sizeof *colours)]);
	else
		buf_addf(a->out, "  <edge source=\"%s\" target=\"%s\"/>\n", from->base, to->base);
}

static int print_graph(struct asking *a, const struct path_set *roots)
{
	static const char graphml[] =
		"<?xml version='1.0' encoding='utf-8'?>\n<graphml xmlns='http://graphml.graphdrawing.org/xmlns'\n"
		"    xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'\n"
		"    xsi:schemaLocation='http://graphml.graphdrawing.org/xmlns/1.0/graphml.xsd'>\n"
		"<key id='narSize' for='node' attr.name='narSize' attr.type='int'/>"
		"<key id='name' for='node' attr.name='name' attr.type='string'/>"
		"<key id='type' for='node' attr.name='type' attr.type='string'/><graph id='G' edgedefault='directed'>\n";
	struct path_set all = PATH_SET_INIT, refs = PATH_SET_INIT;
	int dot = a->q->kind == QUERY_GRAPH, rc = db_closure(store_db(a->s), roots, 0, &all, a->e);
	size_t edges = 0;

	buf_adds(a->out, dot ? "digraph G {\n" : graphml);
	path_set_sort(&all);
	for (size_t i = 0; !rc && i < all.n; i++) {
		print_node(a, &all.v[i]);
		path_set_release(&refs);
		rc = references(a, &all.v[i], &refs);
		for (size_t k = 0; !rc && k < refs.n; k++)
			if (store_path_cmp(&refs.v[k], &all.v[i]))
				print_edge(a, &all.v[i], &refs.v[k], edges++);
	}
	buf_adds(a->out, dot ? "}\n" : "</graph>\n</graphml>\n");
	path_set_release(&refs);
	path_set_release(&all);
	return rc;
}

/* --- roots --- */

struct root_search {
	struct asking *a;
	struct path_set holders; /* all that refers to what was asked about */
};

static void on_root(void *arg, const char *from, const struct store_path *p)
{
	struct root_search *r = arg;

	if (!path_set_has(&r->holders, p))
		return;
	buf_addf(r->a->out, "%s -> ", from);
	print(r->a, p);
}

static int print_roots(struct asking *a, const struct path_set *asked)
{
	struct root_search r = { a, PATH_SET_INIT };
	int rc = db_closure(store_db(a->s), asked, DB_CLOSURE_REFERRERS, &r.holders, a->e);

	path_set_sort(&r.holders);
	rc = rc ? rc : store_each_root(a->s, ROOTS_ALL, on_root, &r, a->e);
	path_set_release(&r.holders);
	return rc;
}

/* --- all --- */

static int answer_set(struct asking *a, const struct path_set *asked)
{
	struct db *db = store_db(a->s);
	struct path_set found = PATH_SET_INIT;
	enum db_closure outputs = a->q->include_outputs ? DB_CLOSURE_OUTPUTS : 0;
	int rc = 0;

	switch (a->q->kind) {
	case QUERY_REQUISITES: rc = db_closure(db, asked, outputs, &found, a->e); break;
	case QUERY_REFERRERS_CLOSURE: rc = db_closure(db, asked, DB_CLOSURE_REFERRERS, &found, a->e); break;
	case QUERY_REFERENCES:
	case QUERY_REFERRERS:
	case QUERY_VALID_DERIVERS:
		for (size_t i = 0; !rc && i < asked->n; i++)
			rc = a->q->kind == QUERY_REFERENCES ? db_references(db, &asked->v[i], &found, a->e) :
			     a->q->kind == QUERY_REFERRERS  ? db_referrers(db, &asked->v[i], &found, a->e) :
							      db_derivers(db, &asked->v[i], &found, a->e);
		break;
	default: break;
	}
	if (!rc)
		rc = a->q->kind == QUERY_VALID_DERIVERS ? print_sorted(a, &found) : print_ordered(a, &found);
	path_set_release(&found);
	return rc;
}

static int answer_one(struct asking *a, const struct store_path *p)
{
	struct path_set seen = PATH_SET_INIT;
	int rc = 0;

	switch (a->q->kind) {
	case QUERY_BINDING: return print_binding(a, p);
	case QUERY_TREE:
		rc = print_tree(a, p, "", "", &seen);
		path_set_release(&seen);
		return rc;
	case QUERY_OUTPUTS:
		rc = add_outputs(a, p, &seen);
		rc = rc ? rc : print_sorted(a, &seen);
		path_set_release(&seen);
		return rc;
	case QUERY_RESOLVE: print(a, p); return 0;
	default: return print_row(a, p);
	}
}

/* What is asked about, once each, in the order it was named. */
static int read_operands(struct asking *a, char *const *operands, size_t n, struct path_set *out)
{
	int rc = 0, valid;

	for (size_t i = 0; !rc && i < n; i++) {
		struct store_path p;

		rc = store_resolve(a->s, operands[i], &p, NULL, a->e);
		if (!rc && a->q->use_output && store_path_is_drv(&p)) {
			rc = add_outputs(a, &p, out);
			continue;
		}
		if (rc)
			break;
		path_set_push(out, &p);
		valid = a->q->kind == QUERY_RESOLVE ? 1 : store_is_valid(a->s, &p, a->e);
		rc = valid < 0 ? valid : 0;
		if (!valid && a->q->kind != QUERY_VALID_DERIVERS && a->q->kind != QUERY_REFERRERS)
			rc = err_set(a->e, ERR_NOTFOUND, "path '%s/%s' is not valid", store_place(a->s)->store_dir, p.base);
	}
	return rc;
}

static int is_about_all(enum query_kind k)
{
	static const char all[] = { QUERY_REQUISITES, QUERY_REFERENCES, QUERY_REFERRERS, QUERY_REFERRERS_CLOSURE,
				    QUERY_VALID_DERIVERS, QUERY_GRAPH, QUERY_GRAPHML, QUERY_ROOTS };

	return memchr(all, k, sizeof all) != NULL;
}

static int answer_all(struct asking *a, struct path_set *asked)
{
	path_set_sort(asked);
	return a->q->kind == QUERY_ROOTS				    ? print_roots(a, asked) :
	       a->q->kind == QUERY_GRAPH || a->q->kind == QUERY_GRAPHML ? print_graph(a, asked) :
									    answer_set(a, asked);
}

static int answer_each(struct asking *a, const struct path_set *asked)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < asked->n; i++)
		rc = answer_one(a, &asked->v[i]);
	return rc;
}

int query_answer(struct store *s, const struct query *q, char *const *operands, size_t n, struct buf *out, struct err *e)
{
	struct asking a = { s, q, out, e };
	struct path_set asked = PATH_SET_INIT;
	int rc = read_operands(&a, operands, n, &asked);

	rc = rc ? rc : is_about_all(q->kind) ? answer_all(&a, &asked) : answer_each(&a, &asked);
	path_set_release(&asked);
	return rc;
}
