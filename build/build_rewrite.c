/* SPDX-License-Identifier: MIT
 *
 * Placeholders: what a derivation says where the path of an output of its own was not known yet.
 */
#include "config.h"
#include "build/build_int.h"
#include "format/modulo.h"

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

struct slice build_rewrite(struct job *j, struct slice s)
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
