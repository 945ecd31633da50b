/* SPDX-License-Identifier: MIT
 *
 * The graph of what has to be built.
 *
 * A derivation whose wanted outputs are valid is done and its inputs are
 * not looked at.  Of the others, the inputs are added in turn, by a list of work and not by recursion: a chain
 * of derivations may be as long as it likes.  No circle is possible, a derivation's name holds the hash of its inputs.
 *
 * What is registered counts only with its files: a row whose files somebody removed would make a build of nothing.
 *
 * Everything that is relied on is made a temporary root first, and looked at only then, so that a collector
 * that runs at the same time cannot take it away in between.
 */
#include "config.h"
#include "base/alloc.h"
#include "base/limits.h"
#include "build/build_int.h"
#include "cache/copy.h"
#include "store/claims.h"
#include "store/roots.h"

#include <stdlib.h>

/* --- nodes --- */

static size_t table_at(const struct build *b, const struct store_path *p)
{
	size_t i = 0;

	/* The digest is as good a hash as any. */
	for (size_t k = 0; k < 8; k++)
		i = i * 37 + (unsigned char)p->base[k];
	i &= b->table_cap - 1;
	while (b->table[i] && store_path_cmp(&b->table[i]->path, p))
		i = (i + 1) & (b->table_cap - 1);
	return i;
}

static void table_grow(struct build *b)
{
	free(b->table);
	b->table_cap = b->table_cap ? b->table_cap * 2 : 64;
	b->table = xcalloc(b->table_cap, sizeof *b->table);
	for (size_t i = 0; i < b->n; i++)
		b->table[table_at(b, &b->nodes[i]->path)] = b->nodes[i];
}

static struct node *node_of(struct build *b, const struct store_path *p)
{
	struct node *n;
	size_t i;

	if (b->n * 2 >= b->table_cap)
		table_grow(b);
	i = table_at(b, p);
	if (b->table[i])
		return b->table[i];
	n = xcalloc(1, sizeof *n);
	n->path = *p;
	n->state = NODE_WAITING;
	ARRAY_GROW(b->nodes, b->n + 1, b->cap);
	b->nodes[b->n++] = b->table[i] = n;
	return n;
}

/* Keeps p, which n needs, from the collector: 1 when it is there, 0 when it is not, or negative. */
static int hold(struct build *b, const struct node *n, const struct store_path *p, struct err *e)
{
	int gone = 0, valid = store_add_temp_root(b->s, p, e);

	valid = valid ? valid : store_is_there(b->s, p, &gone, e);
	if (gone)
		build_note(b, n, "'%.*s/%s' is registered as valid, but its files are gone", (int)store_dir(b->s).n,
			   store_dir(b->s).p, p->base);
	return valid;
}

int graph_borrow(struct build *b, const struct store_path *p, struct err *e)
{
	struct store *from = store_eval_store(b->s);
	struct path_set paths = PATH_SET_INIT;
	struct copy_result copied;
	int rc = from == b->s ? 0 : store_is_valid(from, p, e);

	if (rc == 1) {
		rc = store_closure(from, p, 0, &paths, e);
		rc = rc ? rc : copy_objects(from, b->s, &paths, 1, &copied, e);
		rc = rc ? rc : 1;
	}
	path_set_release(&paths);
	return rc;
}

/* Paths of the outputs, which must all be known. */
static int node_paths(struct build *b, struct node *n, struct err *e)
{
	n->paths = xcalloc(n->drv.noutputs + 1, sizeof *n->paths);
	n->wanted = xcalloc(n->drv.noutputs + 1, 1);
	for (size_t i = 0; i < n->drv.noutputs; i++) {
		const struct drv_output *o = &n->drv.outputs[i];

		if (o->kind != DRV_INPUT && o->kind != DRV_FIXED)
			return err_set(
				e, ERR_INVALID,
				"content-addressed derivations, whose paths are known only after the build, cannot be built");
		if (store_path_parse(store_dir(b->s), o->path, &n->paths[i], e))
			return ERR_INVALID;
	}
	return 0;
}

/* Builders of ours may use the network only for an output whose hash is known. */
static int is_fetch(const struct drv *d)
{
	return slice_starts(d->builder, SLICE("builtin:")) && d->noutputs && d->outputs[0].kind == DRV_FIXED;
}

/* A derivation is checked whenever it is read: what it says is where its outputs go. */
static int node_load(struct build *b, struct node *n, struct err *e)
{
	int rc = n->given ? 0 : hold(b, n, &n->path, e);

	if (n->loaded)
		return 0;
	rc = rc < 0 ? rc : store_read_drv(b->s, &n->path, &n->drv, e);
	if (rc)
		return rc;
	n->loaded = 1;
	n->fetch = is_fetch(&n->drv);
	rc = store_check_drv(b->s, &n->path, &n->drv, e);
	if (!rc && (rc = node_paths(b, n, e)))
		err_prefix(e, "derivation '%s'", n->path.base);
	return rc;
}

/* --- outputs --- */

int graph_contents(void *user, int dirfd, const char *name, struct hash *out, struct err *e)
{
	const struct content_check *c = user;
	int rc = build_foreign_hash(c->b, c->n, dirfd, name, out, e);

	return rc == 1 ? err_set(e, ERR_INVALID, "nothing here knows how to hash it") : rc;
}

int graph_output_valid(struct build *b, const struct node *n, size_t i, struct err *e)
{
	const struct drv_output *o = &n->drv.outputs[i];
	struct content_check c = { b, n };
	int there = store_is_there(b->s, &n->paths[i], NULL, e);

	if (there != 1)
		return there;
	if (o->kind != DRV_FIXED)
		return store_is_made(b->s, &n->paths[i], &n->path, e);
	if (!build_foreign_mode(&n->drv))
		return store_is_valid_as(b->s, &n->paths[i], o->method, &o->hash, e);
	return store_is_fixed(b->s, &n->paths[i], &(struct fixed_output){ &n->path, &o->hash, graph_contents, &c }, e);
}

int graph_outputs_valid(struct build *b, const struct node *n, int all, struct err *e)
{
	for (size_t i = 0; i < n->drv.noutputs; i++) {
		int valid = all || n->wanted[i] ? graph_output_valid(b, n, i, e) : 1;

		if (valid != 1)
			return valid;
	}
	return 1;
}

/* 1 when all that is wanted of n is there or could be got. */
static int outputs_there(struct build *b, const struct node *n, struct err *e)
{
	int rc, got = 1;

	for (size_t i = 0; i < n->drv.noutputs; i++) {
		rc = n->wanted[i] ? hold(b, n, &n->paths[i], e) : store_add_temp_root(b->s, &n->paths[i], e);
		rc = rc == 1 ? graph_output_valid(b, n, i, e) : rc;
		if (rc < 0)
			return rc;
		got &= rc == 1 || !n->wanted[i];
	}
	return got;
}

static int want_outputs(struct node *n, const struct slice *outputs, size_t count, struct err *e)
{
	for (size_t i = 0; i < n->drv.noutputs && !outputs; i++)
		n->wanted[i] = 1;
	for (size_t k = 0; k < count; k++) {
		size_t i = 0;

		while (i < n->drv.noutputs && !slice_eq(n->drv.outputs[i].name, outputs[k]))
			i++;
		if (i == n->drv.noutputs)
			return err_set(e, ERR_INVALID, "derivation '%s' does not have wanted output '%.*s'", n->path.base,
				       (int)outputs[k].n, outputs[k].p);
		n->wanted[i] = 1;
	}
	return 0;
}

static void add_user(struct node *n, struct node *user)
{
	ARRAY_GROW(n->users, n->nusers + 1, n->capusers);
	n->users[n->nusers++] = user;
}

/* --- walking --- */

static void push(struct work *w, struct node *n)
{
	ARRAY_GROW(w->v, w->n + 1, w->cap);
	w->v[w->n++] = n;
}

/* Adds the inputs of a node that must be built. */
static int expand(struct build *b, struct node *n, struct work *w, struct err *e)
{
	struct store_path p;
	int rc = 0;

	n->expanded = 1;
	n->state = NODE_WAITING;
	if (n->fetch)
		b->fetches++;
	else
		b->builds++;
	for (size_t i = 0; i < n->drv.nsrcs && !rc; i++) {
		rc = store_path_parse(store_dir(b->s), n->drv.srcs[i], &p, e);
		rc = rc ? rc : hold(b, n, &p, e);
		rc = rc ? rc : graph_borrow(b, &p, e);
		rc = rc == 1 ? store_is_made(b->s, &p, NULL, e) : rc;
		if (rc == 0)
			rc = err_set(e, ERR_NOTFOUND, "dependency '%.*s' of '%s' is not in the store", (int)n->drv.srcs[i].n,
				     n->drv.srcs[i].p, n->path.base);
		rc = rc < 0 ? rc : 0;
	}
	for (size_t i = 0; i < n->drv.ninputs && !rc; i++) {
		const struct drv_input *in = &n->drv.inputs[i];
		struct node *input;

		if (in->node.nchildren)
			return err_set(e, ERR_INVALID,
				       "'%s' needs outputs of a derivation that is itself built, which is not possible yet",
				       n->path.base);
		rc = store_path_parse(store_dir(b->s), in->path, &p, e);
		if (rc)
			break;
		input = node_of(b, &p);
		rc = node_load(b, input, e);
		rc = rc ? rc : want_outputs(input, in->node.outputs, in->node.noutputs, e);
		if (!rc) {
			add_user(input, n);
			push(w, input);
		}
	}
	return rc;
}

int graph_want(struct build *b, const struct store_path *drv, const struct slice *outputs, size_t count, int asked,
	       struct err *e)
{
	struct node *n = node_of(b, drv);
	int rc = node_load(b, n, e);

	rc = rc ? rc : want_outputs(n, outputs, count, e);
	n->asked |= asked;
	push(&b->todo, n);
	return rc;
}

int graph_give(struct build *b, const struct store_path *drv, const struct drv *given, struct err *e)
{
	struct node *n = node_of(b, drv);

	if (n->loaded)
		return err_set(e, ERR_INVALID, "derivation '%s' is given twice", drv->base);
	n->drv = *given;
	n->loaded = n->given = 1;
	n->fetch = is_fetch(&n->drv);
	return node_paths(b, n, e);
}

void graph_again(struct build *b, struct node *n)
{
	push(&b->todo, n);
}

/* Looks at one: it is done, or is to be asked for, or its inputs are added. */
static int look(struct build *b, struct node *n, struct work *asking, struct err *e)
{
	int rc;

	/* Looked at again when somebody wants more of it. */
	if (n->expanded)
		return 0;
	rc = n->asked && b->set->check ? 0 : outputs_there(b, n, e);
	if (rc == 1)
		n->state = NODE_DONE;
	if (rc)
		return rc < 0 ? rc : 0;
	rc = substitute_may(b, n, e);
	if (rc == 1)
		push(asking, n);
	return rc ? rc < 0 ? rc : 0 : expand(b, n, &b->todo, e);
}

/* All that were put aside, at once. */
static int ask(struct build *b, struct work *asking, struct err *e)
{
	int rc = substitute_ask(b, asking->v, asking->n, e);

	for (size_t k = asking->n; !rc && k-- > 0;) {
		struct node *n = asking->v[k];

		if (n->substitute)
			n->state = NODE_DONE;
		else
			push(&b->todo, n);
	}
	asking->n = 0;
	return rc;
}

int graph_walk(struct build *b, struct err *e)
{
	struct work asking = { NULL, 0, 0 };
	int rc = 0;

	/* The first that was added is looked at first. */
	for (size_t i = 0, k = b->todo.n; i + 1 < k; i++) {
		struct node *t = b->todo.v[i];

		b->todo.v[i] = b->todo.v[--k];
		b->todo.v[k] = t;
	}
	while (!rc && (b->todo.n || asking.n)) {
		while (b->todo.n && !rc)
			rc = look(b, b->todo.v[--b->todo.n], &asking, e);
		if (!rc && asking.n)
			rc = ask(b, &asking, e);
	}
	free(asking.v);
	return rc;
}

int graph_inputs(struct build *b, const struct node *n, struct path_set *out, struct err *e)
{
	struct store_path p;
	int rc = 0;

	for (size_t i = 0; i < n->drv.nsrcs && !rc; i++) {
		rc = store_path_parse(store_dir(b->s), n->drv.srcs[i], &p, e);
		rc = rc ? rc : store_closure(b->s, &p, 0, out, e);
	}
	for (size_t i = 0; i < n->drv.ninputs && !rc; i++) {
		const struct drv_input *in = &n->drv.inputs[i];
		const struct node *input;

		rc = store_path_parse(store_dir(b->s), in->path, &p, e);
		input = rc ? NULL : b->table[table_at(b, &p)];
		for (size_t k = 0; input && k < input->drv.noutputs && !rc; k++)
			for (size_t o = 0; o < in->node.noutputs && !rc; o++)
				if (slice_eq(in->node.outputs[o], input->drv.outputs[k].name))
					rc = store_closure(b->s, &input->paths[k], 0, out, e);
	}
	return rc;
}

void graph_settle(struct build *b)
{
	for (size_t i = 0; i < b->n; i++)
		for (size_t k = 0; b->nodes[i]->state != NODE_DONE && k < b->nodes[i]->nusers; k++)
			b->nodes[i]->users[k]->pending++;
	for (size_t i = 0; i < b->n; i++)
		if (b->nodes[i]->state == NODE_WAITING && !b->nodes[i]->pending)
			b->nodes[i]->state = NODE_READY;
}

void graph_finish(struct node *n, int failed)
{
	struct work w = { NULL, 0, 0 };

	n->state = failed ? NODE_FAILED : NODE_DONE;
	push(&w, n);
	while (w.n) {
		n = w.v[--w.n];
		for (size_t i = 0; i < n->nusers; i++) {
			struct node *u = n->users[i];

			if (n->state == NODE_DONE) {
				if (--u->pending == 0 && u->state == NODE_WAITING)
					u->state = NODE_READY;
			} else if (u->state != NODE_FAILED) {
				u->state = NODE_FAILED;
				push(&w, u);
			}
		}
	}
	free(w.v);
}

void graph_release(struct build *b)
{
	for (size_t i = 0; i < b->n; i++) {
		struct node *n = b->nodes[i];

		if (n->loaded && !n->given)
			drv_release(&n->drv);
		free(n->wanted);
		free(n->paths);
		free(n->users);
		free(n->claim);
		free(n);
	}
	free(b->nodes);
	free(b->table);
	free(b->todo.v);
}
