/* SPDX-License-Identifier: MIT
 *
 * Numbers are cut to int, as Nix does.
 */
#include "config.h"
#include "format/attrs_sh.h"

#include <math.h>

void attrs_sh_add_quoted(struct buf *b, struct slice s)
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

int attrs_sh_add_value(struct buf *b, const struct jnode *n)
{
	double d;

	switch (n->kind) {
	case JSON_STRING: attrs_sh_add_quoted(b, n->str); return 1;
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
			attrs_sh_add_quoted(b, m->key);
			buf_adds(b, "]=");
		}
		if (!attrs_sh_add_value(b, m))
			return 0;
		buf_addc(b, ' ');
	}
	return 1;
}

void attrs_sh_write(struct buf *b, const struct jnode *json)
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
			good = attrs_sh_add_value(b, m);
		}
		if (good)
			buf_addc(b, '\n');
		else
			buf_trim(b, at);
	}
}
