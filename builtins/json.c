/* SPDX-License-Identifier: MIT
 *
 * toJSON and fromJSON.  Text is base/json's business; here values are walked and made.
 *
 * Reading keeps one stack of finished values for all open brackets: a closing bracket turns its top
 * part into a list or set.  So nothing recurses and a document costs one growing block beside its result.
 *
 * Writing must agree with Nix in every byte, and in one more thing: bytes that are no UTF-8 are noticed
 * only after the whole value was walked, so that an error inside the value comes first.
 */
#include "config.h"
#include "builtins/json.h"
#include "base/json.h"
#include "base/mem.h"
#include "eval/coerce.h"
#include "eval/eval.h"
#include "eval/show.h"

#include <string.h>

/* --- writing --- */

struct json_writer {
	struct buf *b;
	struct ctx_acc *ctx;
	unsigned flags, depth;
	size_t bad_utf8; /* offset plus 1 of the first offending byte, in its string */
	unsigned char bad_byte;
};

static void write_value(struct json_writer *j, W w);

static void write_string(struct json_writer *j, const char *p, size_t n)
{
	size_t bad = json_add_string(j->b, p, n);

	if (bad && !j->bad_utf8) {
		j->bad_utf8 = bad;
		j->bad_byte = (unsigned char)p[bad - 1];
	}
}

static void write_int(struct json_writer *j, int64_t i)
{
	char text[INT_STRING_MAX];

	buf_add(j->b, text, int_to_string(i, text));
}

static void write_path(struct json_writer *j, W w)
{
	if (j->flags & TO_JSON_COPY) {
		w = eval_world()->path_to_store(w);
		ctx_acc_add(j->ctx, w_get_str(w)->ctx);
		write_string(j, w_get_str(w)->b, w_get_str(w)->len);
	} else {
		write_string(j, w_path_text(w)->b, w_get_path(w)->h.n);
	}
}

static void write_object(struct json_writer *j, W w)
{
	struct attrs *a = attrs_of(w);
	const uint32_t *order = attrs_order(a);

	buf_addc(j->b, '{');
	for (uint32_t i = 0; i < a->n; i++) {
		uint32_t k = order[i];
		const struct str *name = sym_name(a->sh->sym[k]);
		if (i)
			buf_addc(j->b, ',');
		write_string(j, name->b, name->len);
		buf_addc(j->b, ':');
		note_push("while evaluating an attribute for JSON", shape_pos(a->sh, k));
		write_value(j, j->flags & TO_JSON_FORCE ? force_at(&a->v[k]) : a->v[k]);
		note_pop();
	}
	buf_addc(j->b, '}');
}

/* What a set stands for, or the set as an object. */
static void write_set(struct json_writer *j, W w)
{
	unsigned flags = j->flags;
	int via = 0;

	w = coerce_peel(w, &via);
	if (via && !w_is_str(w) && !w_is_path(w))
		throw_error(EK_EVAL, "`__toString` must return a string, but returned %s: %s", show_type(w),
			    show_brief(w));
	if (W_TAG(w) == TAG_ATTRS) {
		write_object(j, w);
		return;
	}
	/* A path that __toString returned is not copied: as in Nix, and pinned by to_json/tostring_path_not_copied. */
	if (via)
		j->flags &= ~(unsigned)TO_JSON_COPY;
	write_value(j, w);
	j->flags = flags;
}

static void write_list(struct json_writer *j, W w)
{
	buf_addc(j->b, '[');
	note_push("while evaluating a list element for JSON", 0);
	for (uint32_t i = 0; i < list_len(w); i++) {
		if (i)
			buf_addc(j->b, ',');
		write_value(j, j->flags & TO_JSON_FORCE ? list_force(w, i) : list_share(w, i));
	}
	note_pop();
	buf_addc(j->b, ']');
}

static void write_nested(struct json_writer *j, W w)
{
	stack_check();
	if (++j->depth > LIMIT_JSON_DEPTH)
		throw_error(EK_STACK, "value is nested too deeply for JSON (more than %d levels)", LIMIT_JSON_DEPTH);
	if (W_TAG(w) == TAG_LIST)
		write_list(j, w);
	else
		write_set(j, w);
	j->depth--;
}

static void write_value(struct json_writer *j, W w)
{
	w = w_peek(w);
	switch (w_type(w)) {
	case V_INT:
		write_int(j, w_get_int(w));
		return;
	case V_FLOAT:
		json_add_double(j->b, w_get_float(w));
		return;
	case V_BOOL:
		buf_adds(j->b, w == W_TRUE ? "true" : "false");
		return;
	case V_NULL:
		buf_adds(j->b, "null");
		return;
	case V_STRING:
		ctx_acc_add(j->ctx, w_get_str(w)->ctx);
		write_string(j, w_get_str(w)->b, w_get_str(w)->len);
		return;
	case V_PATH:
		write_path(j, w);
		return;
	case V_ATTRS:
	case V_LIST:
		write_nested(j, w);
		return;
	case V_FUNCTION:
	case V_THUNK:
		throw_error(EK_EVAL, "cannot convert %s to JSON", show_type(w));
	}
}

void value_to_json(struct buf *b, W w, unsigned flags, struct ctx_acc *ctx)
{
	struct json_writer j = { .b = b, .ctx = ctx, .flags = flags };

	write_value(&j, flags & TO_JSON_FORCE ? force(w) : w);
	if (j.bad_utf8)
		throw_error(EK_EVAL, "cannot convert a string to JSON: byte 0x%02x at offset %zu is not valid UTF-8",
			    j.bad_byte, j.bad_utf8 - 1);
}

BUILTIN(bi_to_json, "toJSON", "e",
	"Returns *e* as a string of JSON on one line, with the members of objects in the order of their names.\n"
	"A set with `__toString` or `outPath` is written as the string it stands for, so a derivation becomes the path "
	"of its output. A path is copied to the store and written as its store path. The result carries the "
	"context of every string in *e*. Functions, and strings that are not valid UTF-8, cannot be converted.",
	"toJSON { a = [ 1 2.5 null ]; b = \"x\\ny\"; }", "\"{\\\"a\\\":[1,2.5,null],\\\"b\\\":\\\"x\\\\ny\\\"}\"")
{
	struct buf b = BUF_GC;
	struct ctx_acc ctx = { 0 };

	str_begin(&b, 0);
	value_to_json(&b, args[0], TO_JSON_FORCE | TO_JSON_COPY, &ctx);
	return str_end(&b, ctx_acc_finish(&ctx));
}

/* --- reading --- */

/* A finished value, and in objects the name it belongs to. */
struct json_item {
	sym_t name;
	W value;
};

struct json_maker {
	struct json_reader r;
	struct json_item *item; /* collected */
	uint32_t items, item_cap;
	uint32_t *open; /* where the parts of each open bracket start; collected */
	uint32_t opens, open_cap;
	sym_t name; /* of the value to come */
};

/* A collected block twice the size of the old one with its contents. */
static void *doubled(void *old, uint32_t *cap, size_t size, int scanned)
{
	uint32_t n = *cap ? *cap * 2 : 64;
	size_t bytes = mem_size(n, size, 0);
	void *p = scanned ? mem_new(bytes) : mem_bytes(bytes);

	if (*cap)
		memcpy(p, old, *cap * size);
	*cap = n;
	return p;
}

static void push_item(struct json_maker *m, W value)
{
	if (m->items == m->item_cap)
		m->item = doubled(m->item, &m->item_cap, sizeof *m->item, 1);
	m->item[m->items++] = (struct json_item){ m->name, value };
}

/* The bracket's own name waits in an item of its own, below its parts. */
static void push_open(struct json_maker *m)
{
	push_item(m, W_NULL);
	if (m->opens == m->open_cap)
		m->open = doubled(m->open, &m->open_cap, sizeof *m->open, 0);
	m->open[m->opens++] = m->items;
}

static W make_list(const struct json_item *item, uint32_t n)
{
	struct list *l = list_new(n);

	for (uint32_t i = 0; i < n; i++)
		l->e[i] = item[i].value;
	return w_list(l);
}

static W make_set(const struct json_item *item, uint32_t n)
{
	struct attrs_builder b;

	attrs_builder_init(&b, n);
	for (uint32_t i = 0; i < n; i++)
		attrs_add(&b, item[i].name, 0, item[i].value);
	return attrs_finish_keep_last(&b);
}

static void close_open(struct json_maker *m)
{
	uint32_t start = m->open[--m->opens], n = m->items - start;
	struct json_item *own = &m->item[start - 1];
	/* Its value says until now which bracket it is. */
	own->value = own->value == W_TRUE ? make_set(own + 1, n) : make_list(own + 1, n);
	m->items = start;
}

static void no_nul(struct json_maker *m)
{
	if (memchr(m->r.str, 0, m->r.len)) {
		json_fail(&m->r, m->r.at, "string with a NUL character, which strings of the language cannot hold,");
		throw_err(m->r.err);
	}
}

static void make_event(struct json_maker *m, enum json_event ev)
{
	switch (ev) {
	case JSON_NULL:
		push_item(m, W_NULL);
		return;
	case JSON_TRUE:
	case JSON_FALSE:
		push_item(m, W_BOOL(ev == JSON_TRUE));
		return;
	case JSON_INT:
		push_item(m, w_int(m->r.i));
		return;
	case JSON_FLOAT:
		push_item(m, w_float(m->r.d));
		return;
	case JSON_STRING:
		no_nul(m);
		push_item(m, w_str(m->r.str, m->r.len, 0));
		return;
	case JSON_KEY:
		no_nul(m);
		m->name = sym_intern(m->r.str, m->r.len);
		return;
	case JSON_ARRAY:
	case JSON_OBJECT:
		push_open(m);
		m->item[m->items - 1].value = W_BOOL(ev == JSON_OBJECT);
		return;
	case JSON_CLOSE:
		close_open(m);
		return;
	case JSON_UINT:
		json_fail(&m->r, m->r.at, "number outside the range of integers");
		throw_err(m->r.err);
	case JSON_ERROR:
	case JSON_END:
		throw_err(m->r.err);
	}
}

W value_from_json(const char *p, size_t n)
{
	struct buf scratch = BUF_GC;
	struct err e = ERR_INIT;
	struct json_maker m = { .name = SYM_NONE };
	enum json_event ev;

	json_reader_init(&m.r, p, n, &scratch, &e);
	while ((ev = json_next(&m.r)) != JSON_END)
		make_event(&m, ev);
	return m.item[0].value;
}

BUILTIN(bi_from_json, "fromJSON", "!e",
	"Returns the value that the JSON text *e* describes: objects become sets, arrays lists, and numbers "
	"integers, or floats when they have a fraction or an exponent or do not fit 64 bits. "
	"When a name occurs more than once in an object its last value counts.",
	"fromJSON ''{ \"x\": [1, 2.5], \"y\": null }''", "{ x = [ 1 2.5 ]; y = null; }")
{
	struct str *s = arg_string_plain(args, 0);

	note_push("while decoding a JSON string", 0);
	W w = value_from_json(s->b, s->len);
	note_pop();
	return w;
}

const struct builtin *const builtins_json[] = { &def_bi_to_json, &def_bi_from_json, NULL };
