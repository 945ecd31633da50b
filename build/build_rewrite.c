/* SPDX-License-Identifier: MIT
 *
 * Names of outputs: placeholders, which a derivation has where the path of an output of its own was not known yet; and other names
 * for those that cannot be made at their place, because they are there already and no sandbox hides that.
 */
#include "config.h"
#include "build/build_int.h"
#include "format/modulo.h"
#include "store/tree.h"

#include <string.h>

/* Replaces every occurrence of `from` in s. */
static struct slice replace(struct arena *a, struct slice s, struct slice from, struct slice to)
{
	const char *hit = s.n ? memmem(s.p, s.n, from.p, from.n) : NULL;
	struct buf b = BUF_INIT;
	struct slice out;

	if (!hit)
		return s;
	while (hit) {
		buf_add(&b, s.p, (size_t)(hit - s.p));
		buf_add(&b, to.p, to.n);
		s.n -= (size_t)(hit - s.p) + from.n;
		s.p = hit + from.n;
		hit = s.n ? memmem(s.p, s.n, from.p, from.n) : NULL;
	}
	buf_add(&b, s.p, s.n);
	out = (struct slice){ arena_dup(a, b.p, b.len), b.len };
	buf_release(&b);
	return out;
}

/* The same name for the same output each time, as Nix makes it: what was left behind is found and replaced. */
static int other_name(const struct job *j, size_t i, struct store_path *out, struct err *e)
{
	const struct drv_output *o = &j->node->drv.outputs[i];
	const struct hash none = { .algo = HASH_SHA256, .len = HASH_SHA256_LEN };
	struct slice name = store_path_name(&j->node->paths[i]);
	struct buf type = BUF_INIT;
	int rc;

	buf_addf(&type, "rewrite:%s:name:%.*s", j->node->path.base, (int)o->name.n, o->name.p);
	rc = store_path_make(store_dir(j->b->s), (struct slice){ type.p, type.len }, &none, name, out, e);
	buf_release(&type);
	return rc;
}

int build_move_outputs(struct job *j, struct err *e)
{
	size_t n = j->node->drv.noutputs;
	int rc = 0;

	j->moved = arena_alloc(&j->arena, (n + 1) * sizeof *j->moved);
	j->renamed = arena_alloc(&j->arena, (n + 1) * sizeof *j->renamed);
	for (size_t i = 0; i < n && j->bare && !rc; i++) {
		struct moved *m = &j->moved[j->nmoved];

		if (!j->skip[i])
			continue;
		m->to = j->node->paths[i];
		rc = other_name(j, i, &m->from, e);
		j->renamed[j->nmoved] = (struct rewrite){ store_path_hash(&m->from), store_path_hash(&m->to) };
		j->nmoved += !rc;
	}
	for (size_t i = 0; i < n && j->bare && !rc; i++)
		rc = tree_remove(store_fd(j->b->s), build_made_path(j, i)->base, NULL, NULL, e);
	return rc;
}

const struct store_path *build_made_path(const struct job *j, size_t i)
{
	const struct store_path *p = &j->node->paths[i];

	for (size_t k = 0; k < j->nmoved; k++)
		if (!store_path_cmp(&j->moved[k].to, p))
			return &j->moved[k].from;
	return p;
}

void build_moved_remove(struct job *j, int failed)
{
	for (size_t i = 0; j->bare && j->moved && i < j->node->drv.noutputs; i++)
		if (!j->skip[i] ? failed : build_made_path(j, i) != &j->node->paths[i])
			tree_remove(store_fd(j->b->s), build_made_path(j, i)->base, NULL, NULL, NULL);
}

struct slice build_placeholders(struct job *j, struct slice s)
{
	char from[PLACEHOLDER_LEN + 1];

	/* The shortest string that can hold one. */
	if (s.n < PLACEHOLDER_LEN)
		return s;
	for (size_t i = 0; i < j->node->drv.noutputs; i++) {
		const struct drv_output *o = &j->node->drv.outputs[i];

		placeholder_output(o->name, from);
		s = replace(&j->arena, s, (struct slice){ from, PLACEHOLDER_LEN }, o->path);
	}
	return s;
}

struct slice build_rewrite(struct job *j, struct slice s)
{
	s = build_placeholders(j, s);
	for (size_t i = 0; i < j->nmoved; i++)
		s = replace(&j->arena, s, store_path_hash(&j->moved[i].to), store_path_hash(&j->moved[i].from));
	return s;
}
