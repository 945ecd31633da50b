/* SPDX-License-Identifier: MIT
 *
 * Trees out of the events of base/json.h, and text out of trees.
 *
 * Neither direction recurses: a document may be LIMIT_JSON_DEPTH deep, and comes from a derivation somebody else
 * wrote.  The links to the parent stand in for the stack.
 */
#include "config.h"
#include "base/json_tree.h"
#include "base/alloc.h"

#include <stdlib.h>

struct jnode *json_node(struct arena *a, enum json_event kind)
{
	struct jnode *n = arena_alloc(a, sizeof *n);

	n->kind = kind;
	return n;
}

struct jnode *json_string(struct arena *a, struct slice s)
{
	struct jnode *n = json_node(a, JSON_STRING);

	n->str = (struct slice){ arena_dup(a, s.p, s.n), s.n };
	return n;
}

struct jnode *json_int(struct arena *a, int64_t i)
{
	struct jnode *n = json_node(a, JSON_INT);

	n->i = i;
	return n;
}

struct jnode *json_member(const struct jnode *o, struct slice key)
{
	if (!o || o->kind != JSON_OBJECT)
		return NULL;
	for (struct jnode *m = o->first; m; m = m->next)
		if (slice_eq(m->key, key))
			return m;
	return NULL;
}

void json_set(struct jnode *o, struct slice key, struct jnode *v)
{
	struct jnode **p = &o->first;
	int c = 1;

	while (*p && (c = slice_cmp((*p)->key, key)) < 0)
		p = &(*p)->next;
	v->key = key;
	v->parent = o;
	v->next = *p && c == 0 ? (*p)->next : *p;
	*p = v;
}

void json_append(struct jnode *array, struct jnode **last, struct jnode *v)
{
	v->parent = array;
	if (*last)
		(*last)->next = v;
	else
		array->first = v;
	*last = v;
}

/* Containers are built back to front and put right when they close: arrays are turned around, objects sorted. */
static void attach(struct jnode *in, struct slice key, struct jnode *v)
{
	v->key = in->kind == JSON_OBJECT ? key : v->key;
	v->parent = in;
	v->next = in->first;
	in->first = v;
}

static void turn_around(struct jnode *array)
{
	struct jnode *n = array->first, *next, *done = NULL;

	for (; n; n = next) {
		next = n->next;
		n->next = done;
		done = n;
	}
	array->first = done;
}

/* One ascending list of two; of equal keys a's stays, and no other of that key. */
static struct jnode *merge(struct jnode *a, struct jnode *b)
{
	struct jnode *out = NULL, **end = &out;

	while (a && b) {
		int c = slice_cmp(a->key, b->key);

		if (!c)
			b = b->next;
		else if (c < 0)
			*end = a, end = &a->next, a = a->next;
		else
			*end = b, end = &b->next, b = b->next;
	}
	*end = a ? a : b;
	return out;
}

/* The last of the text stands first, and is the one that counts.  run[i] is a sorted list out of 2^i members, or NULL. */
static void sort_members(struct jnode *object)
{
	struct jnode *run[64] = { NULL }, *n = object->first, *next, *all = NULL;
	unsigned i;

	for (; n; n = next) {
		next = n->next;
		n->next = NULL;
		for (i = 0; run[i]; i++) {
			n = merge(run[i], n);
			run[i] = NULL;
		}
		run[i] = n;
	}
	for (i = 0; i < 64; i++)
		all = merge(run[i], all);
	object->first = all;
}

static struct jnode *node_of_event(struct arena *a, enum json_event ev, const struct json_reader *r)
{
	struct jnode *n;

	if (ev == JSON_STRING)
		return json_string(a, (struct slice){ r->str, r->len });
	n = json_node(a, ev);
	n->i = r->i;
	n->u = r->u;
	n->d = r->d;
	return n;
}

int json_tree_parse(struct arena *a, struct slice text, struct jnode **out, struct err *e)
{
	struct buf scratch = BUF_INIT;
	struct json_reader *r = xmalloc(sizeof *r);
	struct jnode *in = NULL, *n;
	struct slice key = { "", 0 };
	enum json_event ev;
	int rc = 0;

	*out = NULL;
	json_reader_init(r, text.p, text.n, &scratch, e);
	while ((ev = json_next(r)) != JSON_END) {
		if (ev == JSON_ERROR) {
			rc = e && e->code ? e->code : ERR_INVALID;
			break;
		}
		if (ev == JSON_KEY) {
			key = (struct slice){ arena_dup(a, r->str, r->len), r->len };
			continue;
		}
		if (ev == JSON_CLOSE) {
			if (in->kind == JSON_ARRAY)
				turn_around(in);
			else
				sort_members(in);
			in = in->parent;
			continue;
		}
		n = node_of_event(a, ev, r);
		if (in)
			attach(in, key, n);
		else
			*out = n;
		if (ev == JSON_ARRAY || ev == JSON_OBJECT)
			in = n;
	}
	buf_release(&scratch);
	free(r);
	return rc;
}

static void write_scalar(struct buf *b, const struct jnode *n)
{
	switch (n->kind) {
	case JSON_FALSE: buf_adds(b, "false"); break;
	case JSON_TRUE: buf_adds(b, "true"); break;
	case JSON_INT: buf_addf(b, "%lld", (long long)n->i); break;
	case JSON_UINT: buf_addf(b, "%llu", (unsigned long long)n->u); break;
	case JSON_FLOAT: json_add_double(b, n->d); break;
	case JSON_STRING: json_add_string(b, n->str.p, n->str.n); break;
	default: buf_adds(b, "null");
	}
}

void json_tree_write(struct buf *b, const struct jnode *top)
{
	const struct jnode *n = top;

	for (;;) {
		if (n != top && n->parent->kind == JSON_OBJECT) {
			json_add_string(b, n->key.p, n->key.n);
			buf_addc(b, ':');
		}
		if (n->kind == JSON_ARRAY || n->kind == JSON_OBJECT) {
			buf_addc(b, n->kind == JSON_ARRAY ? '[' : '{');
			if (n->first) {
				n = n->first;
				continue;
			}
			buf_addc(b, n->kind == JSON_ARRAY ? ']' : '}');
		} else {
			write_scalar(b, n);
		}
		while (n != top && !n->next) {
			n = n->parent;
			buf_addc(b, n->kind == JSON_ARRAY ? ']' : '}');
		}
		if (n == top)
			return;
		buf_addc(b, ',');
		n = n->next;
	}
}
