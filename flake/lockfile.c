/* SPDX-License-Identifier: MIT
 *
 * Lock files.
 *
 *   { "nodes": { KEY: { "flake": false?, "inputs": { NAME: KEY or [ NAME, … ] }?, "locked": ATTRS, "original": ATTRS,
 *                       "parent": [ NAME, … ]? }, … },
 *     "root": KEY, "version": 7 }
 *
 * Written with keys in byte order, two blanks a level, every list element on a line of its own: what Nix's JSON library
 * prints.  A node is called after the input that leads to it first, in a walk that takes inputs by
 * name; a name that is taken gets _2, _3 and so on.  Version 5 keeps part of `locked` in `info`; 6 differs from 7
 * in nothing that is read here.
 *
 * The text comes with a source tree and is hostile: every member is checked for its type, nodes that reach themselves
 * are refused (only `follows` may go anywhere), and the depth of inputs of inputs is limited.
 */
#include "config.h"
#include "flake/lockfile.h"
#include "base/alloc.h"
#include "base/limits.h"
#include "base/json_tree.h"
#include "flake/lock_conflict.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FMT(s) (int)(s).n, (s).p

/* --- paths of inputs --- */

int input_path_parse(struct slice text, struct arena *mem, struct input_path *out, struct err *e)
{
	out->v = arena_alloc(mem, (text.n / 2 + 1) * sizeof *out->v);
	out->n = 0;
	for (size_t i = 0; i < text.n;) {
		const char *slash = memchr(text.p + i, '/', text.n - i);
		size_t n = slash ? (size_t)(slash - text.p) - i : text.n - i;
		struct slice s = { arena_dup(mem, text.p + i, n), n };
		i += n + 1;
		if (!n)
			continue;
		if (!input_is_id(s))
			return err_set(e, ERR_INVALID, "'%.*s' is not the name of a flake input", FMT(s));
		out->v[out->n++] = s;
	}
	return 0;
}

void input_path_add(struct buf *b, const struct input_path *p)
{
	for (size_t i = 0; i < p->n; i++) {
		if (i)
			buf_addc(b, '/');
		buf_add(b, p->v[i].p, p->v[i].n);
	}
}

struct input_path input_path_concat(const struct input_path *p, const struct input_path *q, struct arena *mem)
{
	struct input_path r = { arena_alloc(mem, (p->n + q->n + 1) * sizeof *r.v), p->n + q->n };

	if (p->n)
		memcpy(r.v, p->v, p->n * sizeof *r.v);
	if (q->n)
		memcpy(r.v + p->n, q->v, q->n * sizeof *r.v);
	return r;
}

struct input_path input_path_join(const struct input_path *p, struct slice name, struct arena *mem)
{
	return input_path_concat(p, &(struct input_path){ &name, 1 }, mem);
}

int input_path_cmp(const struct input_path *a, const struct input_path *b)
{
	for (size_t i = 0; i < a->n && i < b->n; i++) {
		int c = slice_cmp(a->v[i], b->v[i]);
		if (c)
			return c;
	}
	return (a->n > b->n) - (a->n < b->n);
}

/* --- nodes --- */

struct lock_node *lock_node_new(struct arena *mem)
{
	struct lock_node *n = arena_alloc(mem, sizeof *n);

	n->is_flake = 1;
	return n;
}

void lockfile_init(struct lockfile *l, struct arena *mem)
{
	l->mem = mem;
	l->root = lock_node_new(mem);
}

struct lock_edge *lock_edge_get(const struct lock_node *n, struct slice name)
{
	for (size_t i = 0; i < n->n; i++)
		if (slice_eq(n->edges[i].name, name))
			return &n->edges[i];
	return NULL;
}

struct lock_edge *lock_edge_set(struct lock_node *n, struct slice name, struct arena *mem)
{
	struct lock_edge *have = lock_edge_get(n, name);
	size_t i = 0;

	if (have) {
		*have = (struct lock_edge){ .name = have->name };
		return have;
	}
	ARENA_GROW(mem, n->edges, n->n + 1, n->cap);
	while (i < n->n && slice_cmp(n->edges[i].name, name) < 0)
		i++;
	memmove(n->edges + i + 1, n->edges + i, (n->n - i) * sizeof *n->edges);
	n->edges[i] = (struct lock_edge){ .name = { arena_dup(mem, name.p, name.n), name.n } };
	n->n++;
	return &n->edges[i];
}

/* --- reading --- */

struct reading {
	struct arena *mem;
	const char *name;
	struct err *e;
	const struct jnode *nodes;
	struct done {
		struct slice key;
		struct lock_node *node;
	} *done; /* malloc'd */
	size_t n, cap;
	unsigned depth;
};

enum { READING = 1, READ = 2 };

static int bad(struct reading *r, struct slice key, const char *what)
{
	return err_set(r->e, ERR_INVALID, "lock file '%s': node '%.*s' %s", r->name, FMT(key), what);
}

static int read_attr(struct reading *r, struct slice key, const struct jnode *v, struct input *out)
{
	struct input_attr a = { .name = v->key, .s = { "", 0 } };

	switch (v->kind) {
	case JSON_STRING:
		a.type = INPUT_STRING;
		a.s = v->str;
		break;
	case JSON_INT:
		if (v->i < 0)
			return bad(r, key, "has a negative number");
		a.type = INPUT_INT;
		a.i = (uint64_t)v->i;
		break;
	case JSON_UINT:
		a.type = INPUT_INT;
		a.i = v->u;
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		a.type = INPUT_BOOL;
		a.i = v->kind == JSON_TRUE;
		break;
	default:
		return bad(r, key, "has an attribute that is neither a string nor a number nor a Boolean");
	}
	input_set(out, &a, r->mem);
	return 0;
}

/* The attributes of a reference, which must be ones its type knows. */
static int read_ref(struct reading *r, struct slice key, const struct jnode *o, const char *which, struct input *out)
{
	const struct jnode *v = json_member(o, slice_of(which));
	const struct jnode *info = strcmp(which, "locked") ? NULL : json_member(o, SLICE("info"));
	struct buf text = BUF_INIT;
	int rc = 0;

	if (!v || v->kind != JSON_OBJECT)
		return err_set(r->e, ERR_INVALID, "lock file '%s': node '%.*s' lacks the attribute '%s'", r->name, FMT(key),
			       which);
	for (const struct jnode *m = v->first; m && !rc; m = m->next)
		rc = read_attr(r, key, m, out);
	for (const struct jnode *m = info && info->kind == JSON_OBJECT ? info->first : NULL; m && !rc; m = m->next)
		rc = read_attr(r, key, m, out);
	if (!rc && input_print(out, r->mem, &text, r->e)) {
		err_prefix(r->e, "lock file '%s': node '%.*s'", r->name, FMT(key));
		rc = ERR_INVALID;
	}
	buf_release(&text);
	return rc;
}

static int read_path(struct reading *r, struct slice key, const struct jnode *v, struct input_path *out)
{
	size_t n = 0;

	for (const struct jnode *m = v->first; m; m = m->next)
		n++;
	out->v = arena_alloc(r->mem, (n + 1) * sizeof *out->v);
	out->n = 0;
	for (const struct jnode *m = v->first; m; m = m->next) {
		if (m->kind != JSON_STRING)
			return bad(r, key, "has a path of inputs with something in it that is no string");
		out->v[out->n++] = m->str;
	}
	return 0;
}

static int read_node(struct reading *r, struct slice key, int is_root, struct lock_node **out);

static int read_edge(struct reading *r, struct slice key, const struct jnode *v, struct lock_node *node)
{
	struct lock_node *child = NULL;
	struct input_path follows = { NULL, 0 };
	int rc;

	if (v->kind == JSON_STRING)
		rc = read_node(r, v->str, 0, &child);
	else if (v->kind == JSON_ARRAY)
		rc = read_path(r, key, v, &follows);
	else
		rc = bad(r, key, "has an input that is neither a node nor a path of inputs");
	if (rc)
		return rc;
	struct lock_edge *edge = lock_edge_set(node, v->key, r->mem);
	edge->node = child;
	edge->follows = follows;
	return 0;
}

static int read_contents(struct reading *r, struct slice key, const struct jnode *o, int is_root, struct lock_node *node)
{
	const struct jnode *inputs = json_member(o, SLICE("inputs")), *flake = json_member(o, SLICE("flake"));
	const struct jnode *parent = json_member(o, SLICE("parent"));
	int rc = 0;

	if (!is_root)
		rc = read_ref(r, key, o, "locked", &node->locked) || read_ref(r, key, o, "original", &node->original);
	if (rc)
		return ERR_INVALID;
	if (flake && flake->kind != JSON_TRUE && flake->kind != JSON_FALSE)
		return bad(r, key, "has a 'flake' that is no Boolean");
	node->is_flake = !flake || flake->kind == JSON_TRUE;
	if (parent) {
		if (parent->kind != JSON_ARRAY)
			return bad(r, key, "has a 'parent' that is no list");
		node->has_parent = 1;
		rc = read_path(r, key, parent, &node->parent);
	}
	if (!is_root && !rc && !input_is_locked(&node->locked) && !input_get(&node->locked, "narHash"))
		return bad(r, key, "is not locked");
	if (inputs && inputs->kind != JSON_OBJECT)
		return bad(r, key, "has 'inputs' that are no object");
	for (const struct jnode *m = inputs ? inputs->first : NULL; m && !rc; m = m->next)
		rc = read_edge(r, key, m, node);
	return rc;
}

static struct lock_node *remember(struct reading *r, struct slice key)
{
	ARRAY_GROW(r->done, r->n + 1, r->cap);
	r->done[r->n] = (struct done){ key, lock_node_new(r->mem) };
	return r->done[r->n++].node;
}

static int read_node(struct reading *r, struct slice key, int is_root, struct lock_node **out)
{
	const struct jnode *o;

	for (size_t i = 0; i < r->n; i++)
		if (slice_eq(r->done[i].key, key)) {
			*out = r->done[i].node;
			return (*out)->mark == READ ? 0 : bad(r, key, "is an input of itself");
		}
	o = json_member(r->nodes, key);
	if (!o || o->kind != JSON_OBJECT)
		return err_set(r->e, ERR_INVALID, "lock file '%s' refers to the node '%.*s', which it lacks", r->name,
			       FMT(key));
	if (++r->depth > LIMIT_FLAKE_DEPTH)
		return err_set(r->e, ERR_LIMIT, "lock file '%s' is nested deeper than %d inputs", r->name,
			       LIMIT_FLAKE_DEPTH);
	*out = remember(r, key);
	(*out)->mark = READING;
	int rc = read_contents(r, key, o, is_root, *out);
	(*out)->mark = READ;
	r->depth--;
	return rc;
}

static int read_lock(struct reading *r, const struct jnode *doc, struct lockfile *l)
{
	const struct jnode *version = json_member(doc, SLICE("version")), *root = json_member(doc, SLICE("root"));

	if (doc->kind != JSON_OBJECT || !version || version->kind != JSON_INT)
		return err_set(r->e, ERR_INVALID, "'%s' is not a lock file: it has no version", r->name);
	if (version->i < 5 || version->i > 7)
		return err_set(r->e, ERR_INVALID, "lock file '%s' has the unsupported version %lld", r->name,
			       (long long)version->i);
	r->nodes = json_member(doc, SLICE("nodes"));
	if (!root || root->kind != JSON_STRING || !r->nodes || r->nodes->kind != JSON_OBJECT)
		return err_set(r->e, ERR_INVALID, "'%s' is not a lock file: it has no nodes or no root", r->name);
	return read_node(r, root->str, 1, &l->root);
}

int lockfile_parse(struct lockfile *l, struct arena *mem, struct slice text, const char *name, struct err *e)
{
	struct reading r = { .mem = mem, .name = name, .e = e };
	struct jnode *doc;
	int rc;

	lockfile_init(l, mem);
	rc = json_tree_parse(mem, text, &doc, e);
	if (rc) {
		if (lock_conflict_explain(text, mem, name, e))
			return ERR_INVALID;
		err_prefix(e, "lock file '%s' is not valid", name);
		return rc;
	}
	rc = read_lock(&r, doc, l);
	free(r.done);
	return rc;
}

/* --- writing --- */

struct writing {
	struct lock_node **nodes; /* malloc'd, in the order they were named */
	size_t n, cap;
	struct arena *mem;
};

static int taken(const struct writing *w, struct slice key)
{
	for (size_t i = 0; i < w->n; i++)
		if (slice_eq(w->nodes[i]->key, key))
			return 1;
	return 0;
}

static struct slice free_key(struct writing *w, struct slice name)
{
	struct buf b = BUF_INIT;

	buf_add(&b, name.p, name.n);
	for (unsigned i = 2; taken(w, (struct slice){ buf_str(&b), b.len }); i++) {
		buf_trim(&b, name.n);
		buf_addf(&b, "_%u", i);
	}
	struct slice key = { arena_dup(w->mem, buf_str(&b), b.len), b.len };
	buf_release(&b);
	return key;
}

/* Names a node and all it leads to.  Graphs are shallow: lockfile_parse and flake/inputs.c see to that. */
static void name_nodes(struct writing *w, struct lock_node *node, struct slice name)
{
	if (node->key.p)
		return;
	node->key = free_key(w, name);
	ARRAY_GROW(w->nodes, w->n + 1, w->cap);
	w->nodes[w->n++] = node;
	for (size_t i = 0; i < node->n; i++)
		if (node->edges[i].node)
			name_nodes(w, node->edges[i].node, node->edges[i].name);
}

static void forget_keys(struct lock_node *node)
{
	node->key = (struct slice){ NULL, 0 };
	for (size_t i = 0; i < node->n; i++)
		if (node->edges[i].node && node->edges[i].node->key.p)
			forget_keys(node->edges[i].node);
}

static int by_key(const void *a, const void *b)
{
	return slice_cmp((*(struct lock_node *const *)a)->key, (*(struct lock_node *const *)b)->key);
}

struct printer {
	struct buf *b;
	struct err *e;
	int rc;
};

static void add_string(struct printer *p, struct slice s)
{
	if (json_add_string(p->b, s.p, s.n))
		p->rc = err_set(p->e, ERR_INVALID, "the lock file cannot be written: '%.*s' is not valid UTF-8", FMT(s));
}

static void line(struct printer *p, unsigned level)
{
	buf_addf(p->b, "\n%*s", (int)level * 2, "");
}

static void add_key(struct printer *p, unsigned level, int *first, struct slice key)
{
	if (!*first)
		buf_addc(p->b, ',');
	*first = 0;
	line(p, level);
	add_string(p, key);
	buf_adds(p->b, ": ");
}

static void add_path(struct printer *p, unsigned level, const struct input_path *path)
{
	buf_addc(p->b, '[');
	for (size_t i = 0; i < path->n; i++) {
		if (i)
			buf_addc(p->b, ',');
		line(p, level + 1);
		add_string(p, path->v[i]);
	}
	if (path->n)
		line(p, level);
	buf_addc(p->b, ']');
}

static void add_input(struct printer *p, unsigned level, const struct input *in)
{
	int first = 1;

	buf_addc(p->b, '{');
	for (size_t i = 0; i < in->n; i++) {
		const struct input_attr *a = &in->a[i];
		if (slice_eq(a->name, SLICE("__final")))
			continue;
		add_key(p, level + 1, &first, a->name);
		if (a->type == INPUT_STRING)
			add_string(p, a->s);
		else if (a->type == INPUT_INT)
			buf_addf(p->b, "%llu", (unsigned long long)a->i);
		else
			buf_adds(p->b, a->i ? "true" : "false");
	}
	if (!first)
		line(p, level);
	buf_addc(p->b, '}');
}

static void add_edges(struct printer *p, unsigned level, const struct lock_node *n)
{
	int first = 1;

	buf_addc(p->b, '{');
	for (size_t i = 0; i < n->n; i++) {
		add_key(p, level + 1, &first, n->edges[i].name);
		if (n->edges[i].node)
			add_string(p, n->edges[i].node->key);
		else
			add_path(p, level + 1, &n->edges[i].follows);
	}
	line(p, level);
	buf_addc(p->b, '}');
}

static void add_node(struct printer *p, unsigned level, const struct lock_node *n, int is_root)
{
	int first = 1;

	buf_addc(p->b, '{');
	if (!n->is_flake) {
		add_key(p, level + 1, &first, SLICE("flake"));
		buf_adds(p->b, "false");
	}
	if (n->n) {
		add_key(p, level + 1, &first, SLICE("inputs"));
		add_edges(p, level + 1, n);
	}
	if (!is_root) {
		add_key(p, level + 1, &first, SLICE("locked"));
		add_input(p, level + 1, &n->locked);
		add_key(p, level + 1, &first, SLICE("original"));
		add_input(p, level + 1, &n->original);
	}
	if (n->has_parent) {
		add_key(p, level + 1, &first, SLICE("parent"));
		add_path(p, level + 1, &n->parent);
	}
	if (!first)
		line(p, level);
	buf_addc(p->b, '}');
}

int lockfile_add(const struct lockfile *l, struct buf *b, struct err *e)
{
	struct writing w = { .mem = l->mem };
	struct printer p = { b, e, 0 };
	int first = 1;

	forget_keys(l->root);
	name_nodes(&w, l->root, SLICE("root"));
	if (w.n)
		qsort(w.nodes, w.n, sizeof *w.nodes, by_key);
	buf_adds(b, "{\n  \"nodes\": {");
	for (size_t i = 0; i < w.n; i++) {
		add_key(&p, 2, &first, w.nodes[i]->key);
		add_node(&p, 2, w.nodes[i], w.nodes[i] == l->root);
	}
	buf_adds(b, "\n  },\n  \"root\": ");
	add_string(&p, l->root->key);
	buf_adds(b, ",\n  \"version\": 7\n}");
	free(w.nodes);
	return p.rc;
}

/* --- following --- */

/* The paths of `follows` on the way, to notice when they go round. */
struct visited {
	const struct visited *up;
	const struct input_path *path;
	unsigned depth;
};

static int cycle(const struct visited *from, const struct input_path *p, struct err *e)
{
	struct buf b = BUF_INIT;

	for (const struct visited *v = from; v; v = v->up) {
		struct buf one = BUF_INIT;
		input_path_add(&one, v->path);
		buf_addf(&one, " -> %s", buf_str(&b));
		buf_release(&b);
		b = one;
		if (!input_path_cmp(v->path, p))
			break;
	}
	input_path_add(&b, p);
	int rc = err_set(e, ERR_INVALID, "follow cycle detected: [%s]", buf_str(&b));
	buf_release(&b);
	return rc;
}

static struct lock_node *find(const struct lockfile *l, const struct input_path *p, const struct visited *up,
			      struct err *e)
{
	const struct visited here = { up, p, up ? up->depth + 1 : 0 };
	struct lock_node *node = l->root;

	for (const struct visited *v = up; v; v = v->up)
		if (!input_path_cmp(v->path, p)) {
			cycle(up, p, e);
			return NULL;
		}
	if (here.depth > LIMIT_FLAKE_DEPTH) {
		err_set(e, ERR_LIMIT, "more than %d inputs follow one another", LIMIT_FLAKE_DEPTH);
		return NULL;
	}
	for (size_t i = 0; i < p->n && node; i++) {
		const struct lock_edge *edge = lock_edge_get(node, p->v[i]);
		if (!edge)
			return NULL;
		node = edge->node ? edge->node : find(l, &edge->follows, &here, e);
	}
	return node;
}

struct lock_node *lockfile_find(const struct lockfile *l, const struct input_path *p, struct err *e)
{
	return find(l, p, NULL, e);
}

/* --- all inputs --- */

struct flat {
	struct flat_entry {
		struct input_path path;
		const struct lock_edge *edge;
	} *v; /* malloc'd */
	size_t n, cap;
	struct arena *mem;
};

static void clear_marks(struct lock_node *node)
{
	node->mark = 0;
	for (size_t i = 0; i < node->n; i++)
		if (node->edges[i].node && node->edges[i].node->mark)
			clear_marks(node->edges[i].node);
}

static void flatten(struct flat *f, struct lock_node *node, const struct input_path *prefix)
{
	if (node->mark == 3)
		return;
	node->mark = 3;
	for (size_t i = 0; i < node->n; i++) {
		struct input_path p = input_path_join(prefix, node->edges[i].name, f->mem);
		ARRAY_GROW(f->v, f->n + 1, f->cap);
		f->v[f->n++] = (struct flat_entry){ p, &node->edges[i] };
		if (node->edges[i].node)
			flatten(f, node->edges[i].node, &p);
	}
}

static void flat_init(struct flat *f, const struct lockfile *l)
{
	*f = (struct flat){ .mem = l->mem };
	l->root->mark = 3;
	clear_marks(l->root);
	flatten(f, l->root, &(struct input_path){ NULL, 0 });
}

void lockfile_each(const struct lockfile *l,
		   void (*each)(void *arg, const struct input_path *p, const struct lock_edge *edge), void *arg)
{
	struct flat f;

	flat_init(&f, l);
	for (size_t i = 0; i < f.n; i++)
		each(arg, &f.v[i].path, f.v[i].edge);
	free(f.v);
}

int lockfile_check(const struct lockfile *l, struct input_path *bad, struct err *e)
{
	struct flat f;
	int rc = 0;

	flat_init(&f, l);
	for (size_t i = 0; i < f.n && !rc; i++) {
		struct buf from = BUF_INIT, to = BUF_INIT;
		const struct lock_edge *edge = f.v[i].edge;
		struct err why = ERR_INIT;
		if (!edge->node && edge->follows.n && !lockfile_find(l, &edge->follows, &why)) {
			input_path_add(&from, &f.v[i].path);
			input_path_add(&to, &edge->follows);
			*bad = f.v[i].path;
			if (why.code)
				rc = err_set(e, ERR_INVALID, "%s", why.msg);
			else
				rc = err_set(e, ERR_INVALID, "input '%s' follows a non-existent input '%s'", buf_str(&from),
					     buf_str(&to));
		}
		err_release(&why);
		buf_release(&from);
		buf_release(&to);
	}
	free(f.v);
	return rc;
}

/* --- differences --- */

static void describe(struct buf *b, const struct lock_edge *edge, struct arena *mem)
{
	const struct input_attr *t = edge->node ? input_get(&edge->node->locked, "lastModified") : NULL;
	char day[32];

	if (!edge->node) {
		buf_adds(b, "follows '");
		input_path_add(b, &edge->follows);
		buf_addc(b, '\'');
		return;
	}
	buf_addc(b, '\'');
	input_print(&edge->node->locked, mem, b, NULL);
	buf_addc(b, '\'');
	if (t && t->type == INPUT_INT) {
		time_t at = (time_t)t->i;
		struct tm tm;
		if (gmtime_r(&at, &tm) && strftime(day, sizeof day, "%Y-%m-%d", &tm))
			buf_addf(b, " (%s)", day);
	}
}

static int same_edge(const struct lock_edge *a, const struct lock_edge *b, struct arena *mem)
{
	struct buf s = BUF_INIT, t = BUF_INIT;

	describe(&s, a, mem);
	describe(&t, b, mem);
	/* The reference does not show all attributes: times and hashes count as well. */
	struct printer p = { &s, NULL, 0 }, q = { &t, NULL, 0 };
	if (a->node && b->node) {
		add_input(&p, 0, &a->node->locked);
		add_input(&q, 0, &b->node->locked);
	}
	int same = !a->node == !b->node && s.len == t.len && (!s.len || !memcmp(s.p, t.p, s.len));
	buf_release(&s);
	buf_release(&t);
	return same;
}

static void add_change(struct buf *b, const char *verb, const struct flat_entry *f, const char *tail)
{
	buf_addf(b, "• %s input '", verb);
	input_path_add(b, &f->path);
	buf_addf(b, "'%s", tail);
}

static int by_path(const void *a, const void *b)
{
	return input_path_cmp(&((const struct flat_entry *)a)->path, &((const struct flat_entry *)b)->path);
}

void lockfile_diff(const struct lockfile *before, const struct lockfile *after, struct buf *b)
{
	struct flat f, g;
	size_t i = 0, j = 0;

	flat_init(&f, before);
	flat_init(&g, after);
	/* An empty list has no array, and qsort may not be given none. */
	if (f.n)
		qsort(f.v, f.n, sizeof *f.v, by_path);
	if (g.n)
		qsort(g.v, g.n, sizeof *g.v, by_path);
	while (i < f.n || j < g.n) {
		int c = i == f.n ? 1 : j == g.n ? -1 : input_path_cmp(&f.v[i].path, &g.v[j].path);
		if (c > 0) {
			add_change(b, "Added", &g.v[j], ":\n    ");
			describe(b, g.v[j++].edge, after->mem);
			buf_addc(b, '\n');
		} else if (c < 0) {
			add_change(b, "Removed", &f.v[i++], "\n");
		} else {
			if (!same_edge(f.v[i].edge, g.v[j].edge, after->mem)) {
				add_change(b, "Updated", &g.v[j], ":\n    ");
				describe(b, f.v[i].edge, after->mem);
				buf_adds(b, "\n  → ");
				describe(b, g.v[j].edge, after->mem);
				buf_addc(b, '\n');
			}
			i++;
			j++;
		}
	}
	free(f.v);
	free(g.v);
}
