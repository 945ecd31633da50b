/* SPDX-License-Identifier: MIT
 *
 * Attribute sets.  A set is a shape (names sorted by symbol id, with positions) and one word for
 * each name.  Shapes are shared: by all sets of one literal, and by mapAttrs with its operand.
 * `//` makes a merge node in O(1) that look-ups see through and that is flattened when
 * someone iterates.  Read sets through attrs_find and attrs_of; make them with a builder or
 * attrs_with_shape.
 */
#ifndef EVAL_ATTRS_H
#define EVAL_ATTRS_H

#include "eval/value.h"

struct shape {
	uint32_t n;
	uint32_t flags;	       /* private to attrs.c */
	uint64_t mask;	       /* private: a bit of 64 for each symbol, 0 until a look-up wants it */
	uint32_t *order;       /* private: use attrs_order */
	uint32_t *index;       /* private: hash index of large shapes */
	const sym_t *sym;      /* n symbols, ascending */
	const uint32_t *pos;   /* n positions of the names, 0 where unknown; NULL when all are */
};

/* The position of the i-th name, 0 when unknown. */
static inline uint32_t shape_pos(const struct shape *sh, uint32_t i)
{
	return sh->pos ? sh->pos[i] : 0;
}

/* A flat set.  v[i] is the value, perhaps a thunk, of the attribute named sh->sym[i]. */
struct attrs {
	uint32_t n;
	uint8_t kind; /* 0 for a flat set; merge nodes are private to attrs.c */
	uint8_t depth;
	uint16_t hits;
	struct shape *sh;
	W v[];
};

/* The flat form of a set value, made and remembered when needed.  Do not store to v, except the value of
 * the attribute itself (force_at). */
struct attrs *attrs_of(W set);

/* How many attributes. */
static inline uint32_t attrs_count(W set)
{
	struct attrs *a = W_PTR(set);
	return a->kind == 0 ? a->n : attrs_of(set)->n;
}

/* The slot of an attribute, NULL when absent; does not flatten, does not force. */
W *attrs_find(W set, sym_t s);

/* As attrs_find, also giving the position of the name (0 unknown). */
W *attrs_find_pos(W set, sym_t s, uint32_t *pos);

/* By name; SYM_NONE-safe: a name that is no symbol is absent. */
W *attrs_find_name(W set, const char *p, size_t n);
W *attrs_find_c(W set, const char *name);

/* Indices of a flat set's attributes in the order of their names' bytes: what every observable iteration
 * uses.  Owned by the shape. */
const uint32_t *attrs_order(struct attrs *a);

/* A flat set with the shape of another and room for its values, all null, to be filled at once. */
struct attrs *attrs_with_shape(struct shape *sh);

static inline W w_attrs(struct attrs *a)
{
	return w_tag(a, TAG_ATTRS);
}

W w_attrs_empty(void);

/* Collects attributes in any order.  Lives on the collected heap or the C stack. */
struct attrs_builder {
	uint32_t n, cap;
	struct attr_entry {
		sym_t sym;
		uint32_t pos;
		W v;
	} *e;
};

/* An empty builder with room for cap attributes (it grows). */
void attrs_builder_init(struct attrs_builder *b, size_t cap);
void attrs_add(struct attrs_builder *b, sym_t s, uint32_t pos, W v);
void attrs_add_c(struct attrs_builder *b, const char *name, W v);

/* The finished set; the builder's memory is given back and it must not be used again.  Of several entries with one name the first
 * added wins (keep_last: the last). */
W attrs_finish(struct attrs_builder *b);
W attrs_finish_keep_last(struct attrs_builder *b);

/* l // r; forces nothing. */
W attrs_update(W l, W r);

/* The attributes of `set` that are not in the n ascending symbols of `drop` / that are in the set `keep`. */
W attrs_remove(W set, const sym_t *drop, size_t n);
W attrs_intersect(W keep, W set);

/* The set { file, line, column } of a position in a file, else null: what __curPos and unsafeGetAttrPos say. */
W position_set(uint32_t pos);

#endif
