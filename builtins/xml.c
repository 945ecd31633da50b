/* SPDX-License-Identifier: MIT
 *
 * The XML form of a value, as Nix defines it:
 *
 *   <int value="" /> <float … /> <string … /> <path … /> <bool value="true" /> <null /> <unevaluated />
 *   <list> values </list>
 *   <attrs> <attr name=""> value </attr> … </attrs>
 *   <derivation drvPath="" outPath=""> attributes, or <repeated /> </derivation>
 *   <function> <varpat name="" /> or <attrspat name="" ellipsis="1"> <attr name="" /> … </attrspat> </function>
 *
 * Indented by two blanks; the attributes of an element stand in the order of their names, which is why column and
 * line come before name and path.  A derivation is opened once: everything reaches everything
 * through derivations, and their graph has sharing.
 */
#include "config.h"
#include "builtins/xml.h"
#include "base/limits.h"
#include "base/source.h"
#include "base/strmap.h"
#include "eval/coerce.h"

#include <string.h>

struct xml_writer {
	struct buf *b;
	struct ctx_acc *ctx;
	unsigned flags, depth;
	struct strmap drvs; /* drvPath -> 1 */
};

static void write_value(struct xml_writer *x, W w);

/* --- text --- */

static void add_escaped(struct buf *b, const char *p, size_t n)
{
	for (const char *end = p + n; p < end; p++) {
		if (*p == '"')
			buf_adds(b, "&quot;");
		else if (*p == '<')
			buf_adds(b, "&lt;");
		else if (*p == '>')
			buf_adds(b, "&gt;");
		else if (*p == '&')
			buf_adds(b, "&amp;");
		else if (*p == '\n')
			buf_adds(b, "&#xA;"); /* a plain one would be read back as a space */
		else
			buf_addc(b, *p);
	}
}

static void indent(struct xml_writer *x)
{
	for (unsigned i = 0; i < x->depth; i++)
		buf_adds(x->b, "  ");
}

/* An element is begun, given attributes, then ended as empty or as open. */
static void begin(struct xml_writer *x, const char *name)
{
	indent(x);
	buf_addc(x->b, '<');
	buf_adds(x->b, name);
}

static void attribute(struct xml_writer *x, const char *name, const char *p, size_t n)
{
	buf_addf(x->b, " %s=\"", name);
	add_escaped(x->b, p, n);
	buf_addc(x->b, '"');
}

static void end_empty(struct xml_writer *x)
{
	buf_adds(x->b, " />\n");
}

static void end_open(struct xml_writer *x)
{
	depth_enter();
	if (++x->depth > LIMIT_JSON_DEPTH)
		throw_error(EK_STACK, "value is nested too deeply for XML (more than %d levels)", LIMIT_JSON_DEPTH);
	buf_adds(x->b, ">\n");
}

static void close_element(struct xml_writer *x, const char *name)
{
	x->depth--;
	depth_leave();
	indent(x);
	buf_addf(x->b, "</%s>\n", name);
}

static void value_element(struct xml_writer *x, const char *name, const char *p, size_t n)
{
	begin(x, name);
	attribute(x, "value", p, n);
	end_empty(x);
}

static void plain_element(struct xml_writer *x, const char *name)
{
	begin(x, name);
	end_empty(x);
}

/* --- positions --- */

/* A position has three parts, and `name` belongs between the first two and the last. */
static void attributes_with_position(struct xml_writer *x, uint32_t pos, const struct str *name)
{
	struct source_loc loc;
	int here = (x->flags & XML_LOCATION) && pos && !source_locate(pos, &loc) && loc.line;

	if (here)
		buf_addf(x->b, " column=\"%u\" line=\"%u\"", loc.column, loc.line);
	if (name)
		attribute(x, "name", name->b, name->len);
	if (here && loc.src->path) {
		const struct box_path *file = w_path_text(w_path(loc.src->path, strlen(loc.src->path)));
		attribute(x, "path", file->b, file->h.n);
	}
}

/* --- sets --- */

static W force_slot(struct xml_writer *x, W *slot)
{
	return x->flags & XML_FORCE ? force_at(slot) : w_peek(*slot);
}

static void write_attrs(struct xml_writer *x, W w)
{
	struct attrs *a = attrs_of(w);
	const uint32_t *order = attrs_order(a);

	for (uint32_t i = 0; i < a->n; i++) {
		uint32_t k = order[i];
		begin(x, "attr");
		attributes_with_position(x, shape_pos(a->sh, k), sym_name(a->sh->sym[k]));
		end_open(x);
		note_push("while evaluating an attribute for XML", shape_pos(a->sh, k));
		write_value(x, force_slot(x, &a->v[k]));
		note_pop();
		close_element(x, "attr");
	}
}

/* Nix forces `type` here whether or not it forces the rest. */
static int is_derivation(W w)
{
	W *type = attrs_find(w, SYM_TYPE);

	if (!type)
		return 0;
	W t = force_at(type);
	return w_is_str(t) && w_get_str(t)->len == 10 && !memcmp(w_get_str(t)->b, "derivation", 10);
}

/* A string attribute of a derivation, NULL when it is absent or something else. */
static struct str *string_member(struct xml_writer *x, W w, sym_t name)
{
	W *slot = attrs_find(w, name);
	W v = slot ? force_slot(x, slot) : W_NULL;

	return w_is_str(v) ? w_get_str(v) : NULL;
}

static void write_derivation(struct xml_writer *x, W w)
{
	struct str *drv = string_member(x, w, SYM_DRV_PATH), *out = string_member(x, w, SYM_OUT_PATH);
	int is_new = 0;

	begin(x, "derivation");
	if (drv)
		attribute(x, "drvPath", drv->b, drv->len);
	if (out)
		attribute(x, "outPath", out->b, out->len);
	end_open(x);
	if (drv && drv->len)
		strmap_put(&x->drvs, drv->b, drv->len, &is_new);
	if (is_new)
		write_attrs(x, w);
	else
		plain_element(x, "repeated");
	close_element(x, "derivation");
}

static void write_set(struct xml_writer *x, W w)
{
	if (is_derivation(w)) {
		write_derivation(x, w);
		return;
	}
	begin(x, "attrs");
	end_open(x);
	write_attrs(x, w);
	close_element(x, "attrs");
}

static void write_list(struct xml_writer *x, W w)
{
	begin(x, "list");
	end_open(x);
	note_push("while evaluating a list element for XML", 0);
	for (uint32_t i = 0; i < list_len(w); i++)
		write_value(x, x->flags & XML_FORCE ? list_force(w, i) : w_peek(list_share(w, i)));
	note_pop();
	close_element(x, "list");
}

/* --- functions --- */

static void write_formal(void *arg, sym_t name, uint32_t pos, int has_default)
{
	struct xml_writer *x = arg;

	(void)pos;
	(void)has_default;
	begin(x, "attr");
	attribute(x, "name", sym_name(name)->b, sym_name(name)->len);
	end_empty(x);
}

static void no_formal(void *arg, sym_t name, uint32_t pos, int has_default)
{
	(void)arg;
	(void)name;
	(void)pos;
	(void)has_default;
}

static void write_function(struct xml_writer *x, W w)
{
	uint32_t pos = 0;
	int ellipsis = 0;

	if (function_builtin(w)) {
		plain_element(x, "unevaluated");
		return;
	}
	sym_t name = function_arg(w, &pos);
	begin(x, "function");
	attributes_with_position(x, pos, NULL);
	end_open(x);
	int formals = function_formals(w, no_formal, NULL, &ellipsis);
	begin(x, formals ? "attrspat" : "varpat");
	if (ellipsis)
		attribute(x, "ellipsis", "1", 1);
	if (name)
		attribute(x, "name", sym_name(name)->b, sym_name(name)->len);
	if (formals) {
		end_open(x);
		function_formals(w, write_formal, x, &ellipsis);
		close_element(x, "attrspat");
	} else {
		end_empty(x);
	}
	close_element(x, "function");
}

/* --- values --- */

static void write_number(struct xml_writer *x, W w)
{
	struct buf b = BUF_GC;

	if (w_is_int(w))
		buf_addf(&b, "%lld", (long long)w_get_int(w));
	else
		buf_addf(&b, "%g", w_get_float(w));
	value_element(x, w_is_int(w) ? "int" : "float", b.p, b.len);
}

static void write_value(struct xml_writer *x, W w)
{
	switch (w_type(w)) {
	case V_INT:
	case V_FLOAT:
		write_number(x, w);
		return;
	case V_BOOL:
		value_element(x, "bool", w == W_TRUE ? "true" : "false", w == W_TRUE ? 4 : 5);
		return;
	case V_NULL:
		plain_element(x, "null");
		return;
	case V_STRING:
		ctx_acc_add(x->ctx, w_get_str(w)->ctx);
		value_element(x, "string", w_get_str(w)->b, w_get_str(w)->len);
		return;
	case V_PATH:
		value_element(x, "path", w_path_text(w)->b, w_get_path(w)->h.n);
		return;
	case V_ATTRS:
		write_set(x, w);
		return;
	case V_LIST:
		write_list(x, w);
		return;
	case V_FUNCTION:
		write_function(x, w);
		return;
	case V_THUNK:
		plain_element(x, "unevaluated");
		return;
	}
}

void value_to_xml(struct buf *b, W w, unsigned flags, struct ctx_acc *ctx)
{
	struct xml_writer x = { .b = b, .ctx = ctx, .flags = flags };

	buf_adds(b, "<?xml version='1.0' encoding='utf-8'?>\n");
	begin(&x, "expr");
	end_open(&x);
	write_value(&x, force_slot(&x, &w));
	close_element(&x, "expr");
}

BUILTIN(bi_to_xml, "toXML", "e",
	"Returns *e* as an XML document. A derivation is written in full once, and as `<repeated />` where it occurs "
	"again. A function shows its parameters. The result carries the context of every string in *e*.",
	"toXML [ 1 \"a\" ]",
	"\"<?xml version='1.0' encoding='utf-8'?>\\n<expr>\\n  <list>\\n    <int value=\\\"1\\\" />\\n    <string value=\\\"a\\\" "
	"/>\\n"
	"  </list>\\n</expr>\\n\"")
{
	struct buf b = BUF_GC;
	struct ctx_acc ctx = { 0 };

	value_to_xml(&b, args[0], XML_FORCE, &ctx);
	return w_str(buf_str(&b), b.len, ctx_acc_finish(&ctx));
}

const struct builtin *const builtins_xml[] = { &def_bi_to_xml, NULL };
