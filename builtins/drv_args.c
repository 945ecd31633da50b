/* SPDX-License-Identifier: MIT
 *
 * From a set of attributes to the arguments of a derivation.
 *
 * Each attribute becomes an environment variable, its value coerced to a string with paths copied to the
 * store; a dozen names mean something besides.  With __structuredAttrs the values become members of one
 * JSON object instead, in the variable __json.  The contexts of all strings are collected
 * once, for they are the inputs.
 *
 * Attributes are read in the order of their names because that decides which of several errors is
 * reported, and because the environment is written in that order.
 *
 * Nothing here knows how a derivation is written or hashed (derivation_make.c).
 */
#include "config.h"
#include "builtins/drv_args.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/source.h"
#include "builtins/json.h"
#include "eval/builtin.h"
#include "eval/coerce.h"
#include "eval/eval.h"
#include "eval/show.h"
#include "format/goh1.h"

#include <string.h>

/* What a name means.  PLAIN: nothing but a variable. */
enum special {
	PLAIN,
	ARGS,
	BUILDER,
	CONTENT_ADDRESSED,
	EXPORTS,
	IGNORE_NULLS,
	IMPURE,
	JSON,
	OUTPUT_CHECK, /* allowedReferences and its kin, which structured attributes replace */
	OUTPUT_HASH,
	OUTPUT_HASH_ALGO,
	OUTPUT_HASH_MODE,
	OUTPUTS,
	STRUCTURED_ATTRS,
	SYSTEM
};

static const struct {
	const char *name;
	enum special what;
} special_names[] = {
	{ "__contentAddressed", CONTENT_ADDRESSED },
	{ "__ignoreNulls", IGNORE_NULLS },
	{ "__impure", IMPURE },
	{ "__json", JSON },
	{ "__structuredAttrs", STRUCTURED_ATTRS },
	{ "allowedReferences", OUTPUT_CHECK },
	{ "allowedRequisites", OUTPUT_CHECK },
	{ "args", ARGS },
	{ "builder", BUILDER },
	{ "disallowedReferences", OUTPUT_CHECK },
	{ "disallowedRequisites", OUTPUT_CHECK },
	{ "exportReferencesGraph", EXPORTS },
	{ "maxClosureSize", OUTPUT_CHECK },
	{ "maxSize", OUTPUT_CHECK },
	{ "outputHash", OUTPUT_HASH },
	{ "outputHashAlgo", OUTPUT_HASH_ALGO },
	{ "outputHashMode", OUTPUT_HASH_MODE },
	{ "outputs", OUTPUTS },
	{ "system", SYSTEM },
};

enum { NSPECIAL = sizeof special_names / sizeof *special_names };

static enum special special_of(sym_t s)
{
	static sym_t syms[NSPECIAL];

	if (!syms[NSPECIAL - 1])
		for (size_t i = 0; i < NSPECIAL; i++)
			syms[i] = sym_c(special_names[i].name);
	for (size_t i = 0; i < NSPECIAL; i++)
		if (syms[i] == s)
			return special_names[i].what;
	return PLAIN;
}

/* --- notes --- */

static const char *quote_names(const char *before, const struct str *a, const char *between, const struct str *b)
{
	size_t n = strlen(before), m = strlen(between);
	char *s = mem_bytes(n + m + (a ? a->len : 0) + b->len + 2), *p = s;

	p = (char *)memcpy(p, before, n) + n;
	if (a)
		p = (char *)memcpy(p, a->b, a->len) + a->len;
	p = (char *)memcpy(p, between, m) + m;
	p = (char *)memcpy(p, b->b, b->len) + b->len;
	memcpy(p, "'", 2);
	return s;
}

static const char *attr_note(void *arg)
{
	const struct drv_args *a = arg;

	return quote_names("while evaluating the attribute '", sym_name(a->attr), "' of the derivation '", a->name);
}

static const char *drv_note(void *arg)
{
	const struct drv_args *a = arg;

	return quote_names("while evaluating the derivation '", NULL, "", a->name);
}

void drv_args_note(struct drv_args *a)
{
	note_push_made(drv_note, a, a->name_pos);
}

/* At the name, for want of a better place: it is often in the user's own file, unlike the call. */
static __attribute__((noreturn, cold)) void throw_at_name(const struct drv_args *a, const char *text)
{
	if (!a->name_pos)
		throw_error(EK_EVAL, "%s", text);
	throw_at(EK_EVAL, a->name_pos, strlen("name"), "%s", text);
}

void drv_args_throw(const struct drv_args *a, const char *fmt, ...)
{
	struct buf b = BUF_GC;
	va_list ap;

	buf_addf(&b, "cannot make the derivation '%s': ", a->name->b);
	va_start(ap, fmt);
	buf_vaddf(&b, fmt, ap);
	va_end(ap);
	throw_at_name(a, b.p);
}

void drv_args_throw_err(const struct drv_args *a, struct err *e)
{
	struct buf b = BUF_GC;

	if (e->code == ERR_IO || e->code == ERR_NOTFOUND || e->code == ERR_DENIED || e->pos)
		throw_err(e);
	buf_adds(&b, e->msg);
	err_release(e);
	drv_args_throw(a, "%s", b.p);
}

/* --- the attributes that mean something --- */

static int is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Adds an output in its place by name.  Output lists are short. */
static void add_output(struct drv_args *a, const char *p, size_t n)
{
	sym_t s = sym_intern(p, n);
	size_t i = a->noutputs;

	if (n == strlen("drvPath") && !memcmp(p, "drvPath", n))
		drv_args_throw(a, "invalid derivation output name 'drvPath'");
	for (; i > 0; i--) {
		int c = sym_cmp(a->outputs[i - 1], s);

		if (c == 0)
			drv_args_throw(a, "duplicate derivation output '%.*s'", (int)n, p);
		if (c < 0)
			break;
	}
	memmove(&a->outputs[i + 1], &a->outputs[i], (a->noutputs - i) * sizeof *a->outputs);
	a->outputs[i] = s;
	a->noutputs++;
}

static void start_outputs(struct drv_args *a, size_t most)
{
	a->outputs = mem_bytes(mem_size(most, sizeof *a->outputs, sizeof *a->outputs));
	a->noutputs = 0;
}

static void end_outputs(const struct drv_args *a)
{
	if (!a->noutputs)
		drv_args_throw(a, "derivation cannot have an empty set of outputs");
}

static void outputs_of_words(struct drv_args *a, const struct str *s)
{
	size_t i = 0;

	start_outputs(a, s->len / 2 + 1);
	while (i < s->len) {
		size_t j = i;

		while (j < s->len && !is_space(s->b[j]))
			j++;
		if (j > i)
			add_output(a, s->b + i, j - i);
		i = j + 1;
	}
	end_outputs(a);
}

static void outputs_of_list(struct drv_args *a, W w)
{
	struct list *l = list_of(want_list(w, "the 'outputs' attribute"));

	start_outputs(a, l->n);
	for (uint32_t i = 0; i < l->n; i++) {
		struct str *s = want_string_plain(force_at(&l->e[i]), "an element of the 'outputs' attribute");

		add_output(a, s->b, s->len);
	}
	end_outputs(a);
}

static void set_mode(struct drv_args *a, const struct str *s)
{
	struct err e = ERR_INIT;

	a->go_h1 = slice_eq((struct slice){ s->b, s->len }, SLICE(GO_H1_MODE));
	if (a->go_h1) {
		a->method = CA_NAR;
	} else if (ca_method_parse((struct slice){ s->b, s->len }, &a->method, &e)) {
		err_release(&e);
		drv_args_throw(a, "invalid value '%s' for the 'outputHashMode' attribute", s->b);
	}
	if (a->method == CA_GIT)
		drv_args_throw(a, "outputHashMode \"git\" is experimental in Nix and not supported");
	a->has_method = 1;
}

static void warn(struct drv_args *a, const char *text)
{
	struct buf b = BUF_GC;

	buf_addf(&b, "warning: in the derivation '%s': %s", a->name->b, text);
	eval_world()->message(b.p, b.len);
}

static void warn_output_check(struct drv_args *a, const char *name)
{
	struct buf b = BUF_GC;

	buf_addf(&b, "'__structuredAttrs' disables the effect of '%s'; use 'outputChecks.<output>.%s' instead", name,
		 name);
	warn(a, b.p);
}

/* What an attribute means besides being a variable or a member; s is its string. */
static void set_special(struct drv_args *a, enum special what, const struct str *s)
{
	switch (what) {
	case BUILDER:
		a->builder = s;
		break;
	case SYSTEM:
		a->system = s;
		break;
	case OUTPUT_HASH:
		a->hash = s;
		break;
	case OUTPUT_HASH_ALGO:
		/* Nix ignores an algorithm that it does not know, but this one it does. */
		if (s->len == 6 && !memcmp(s->b, "blake3", 6))
			throw_error(EK_EVAL, "hash algorithm 'blake3' is not supported");
		a->algo = hash_algo_find(s->b, s->len);
		break;
	case OUTPUT_HASH_MODE:
		set_mode(a, s);
		break;
	case OUTPUTS:
		outputs_of_words(a, s);
		break;
	default:
		break;
	}
}

static void read_args(struct drv_args *a, W w)
{
	struct list *l = list_of(want_list(w, "the 'args' attribute"));

	a->args = mem_new(mem_size(l->n, sizeof *a->args, sizeof *a->args));
	for (uint32_t i = 0; i < l->n; i++) {
		const struct str *s = w_get_str(coerce_string(l->e[i], COERCE_MORE | COERCE_COPY));

		ctx_acc_add(&a->ctx, s->ctx);
		a->args[a->nargs++] = s;
	}
}

/* --- plain and structured --- */

static void add_env(struct drv_args *a, const struct str *key, const struct str *value)
{
	a->env[a->nenv++] = (struct drv_arg_env){ key, value };
}

/* Nix parses a __json given by hand and writes it out again in its own way. */
static const struct str *canonical_json(struct drv_args *a, const struct str *s)
{
	struct buf b = BUF_GC;

	warn(a, "setting structured attributes via '__json' is deprecated, and may be disallowed in future versions of Nix. "
		"Set '__structuredAttrs = true' instead.");
	W w = value_from_json(s->b, s->len);
	if (W_TAG(w) != TAG_ATTRS)
		throw_error(EK_EVAL, "expected a JSON object in the '__json' attribute but found %s: %s", show_type(w),
			    show_brief(w));
	value_to_json(&b, w, TO_JSON_FORCE, &a->ctx);
	return w_get_str(w_str(b.p, b.len, 0));
}

static void read_plain(struct drv_args *a, sym_t name, enum special what, W w)
{
	const struct str *s = w_get_str(coerce_string(w, COERCE_MORE | COERCE_COPY));

	ctx_acc_add(&a->ctx, s->ctx);
	if (what == JSON)
		s = canonical_json(a, s);
	add_env(a, sym_name(name), s);
	set_special(a, what, s);
}

static void read_structured(struct drv_args *a, sym_t name, enum special what, W w, struct buf *json)
{
	buf_addc(json, json->len ? ',' : '{');
	value_to_json(json, sym_word(name), TO_JSON_FORCE, &a->ctx);
	buf_addc(json, ':');
	value_to_json(json, w, TO_JSON_FORCE | TO_JSON_COPY, &a->ctx);
	switch (what) {
	case BUILDER:
		a->builder = want_string(w, "the 'builder' attribute");
		ctx_acc_add(&a->ctx, a->builder->ctx);
		break;
	case OUTPUTS:
		outputs_of_list(a, w);
		break;
	case OUTPUT_CHECK:
		warn_output_check(a, sym_name(name)->b);
		break;
	case EXPORTS:
		if (W_TAG(force(w)) != TAG_ATTRS)
			warn(a, "'exportReferencesGraph' in structured attrs is not a JSON object, ignoring");
		break;
	case SYSTEM:
		set_special(a, what, want_string_plain(w, "the 'system' attribute"));
		break;
	case OUTPUT_HASH:
		set_special(a, what, want_string_plain(w, "the 'outputHash' attribute"));
		break;
	case OUTPUT_HASH_ALGO:
		set_special(a, what, want_string_plain(w, "the 'outputHashAlgo' attribute"));
		break;
	case OUTPUT_HASH_MODE:
		set_special(a, what, want_string_plain(w, "the 'outputHashMode' attribute"));
		break;
	default:
		break;
	}
}

static void read_attribute(struct drv_args *a, sym_t name, W *slot, struct buf *json)
{
	enum special what = special_of(name);
	W w;

	if (what == IGNORE_NULLS)
		return;
	if (a->ignore_nulls && force_at(slot) == W_NULL)
		return;
	if (what == CONTENT_ADDRESSED) {
		a->content_addressed = want_bool(force_at(slot), "the '__contentAddressed' attribute");
	} else if (what == IMPURE) {
		a->impure = want_bool(force_at(slot), "the '__impure' attribute");
	} else if (what == ARGS) {
		read_args(a, force_at(slot));
	} else if (!a->structured) {
		w = force_at(slot);
		read_plain(a, name, what, w);
	} else if (what != STRUCTURED_ATTRS) {
		w = force_at(slot);
		read_structured(a, name, what, w, json);
	}
}

/* A value that is there and cannot fail to become a string needs no note for errors. */
static int cannot_fail(W w)
{
	return W_TAG(w) == TAG_STR || W_TAG(w) == TAG_INT || W_TAG(w) == TAG_CONST;
}

static uint32_t pos_of(W attrs, const char *name)
{
	sym_t s = sym_find(name, strlen(name));
	uint32_t pos = 0;

	return s && attrs_find_pos(attrs, s, &pos) ? pos : 0;
}

/* Of the name and what it was made of, the one that does not stand where the builder does: that is a library. */
static uint32_t name_pos(W attrs)
{
	uint32_t name = pos_of(attrs, "name"), pname = pos_of(attrs, "pname");
	const struct source *library = pname ? source_of(pos_of(attrs, "builder")) : NULL;

	return library && source_of(name) == library ? pname : name;
}

static void read_name(struct drv_args *a, W attrs)
{
	struct err e = ERR_INIT;

	a->name_pos = name_pos(attrs);
	a->name = want_string_plain(want_attr(attrs, "name", "the argument of 'derivationStrict'"),
				    "the 'name' attribute of a derivation");
	if (store_name_check((struct slice){ a->name->b, a->name->len }, &e)) {
		struct buf b = BUF_GC;

		buf_addf(&b, "invalid derivation name: %s", e.msg);
		err_release(&e);
		throw_at_name(a, b.p);
	}
}

/* A flag that is read before the other attributes. */
static int read_flag(W attrs, const char *name, const char *what)
{
	W *slot = attrs_find_c(attrs, name);

	return slot && want_bool(force_at(slot), what);
}

void drv_args_read(struct drv_args *a, W attrs)
{
	struct attrs *set = attrs_of(attrs);
	const uint32_t *order = attrs_order(set);
	struct buf json = BUF_GC;

	memset(a, 0, sizeof *a);
	read_name(a, attrs);
	drv_args_note(a);
	a->structured = read_flag(attrs, "__structuredAttrs", "the '__structuredAttrs' attribute");
	a->ignore_nulls = read_flag(attrs, "__ignoreNulls", "the '__ignoreNulls' attribute");
	a->env = mem_new(mem_size(set->n, sizeof *a->env, sizeof *a->env));
	start_outputs(a, 1);
	add_output(a, "out", 3);
	for (uint32_t i = 0; i < set->n; i++) {
		W *slot = &set->v[order[i]];
		sym_t name = set->sh->sym[order[i]];

		*slot = w_peek(*slot);
		if (cannot_fail(*slot)) {
			read_attribute(a, name, slot, &json);
			continue;
		}
		a->attr = name;
		note_push_made(attr_note, a, shape_pos(set->sh, order[i]));
		read_attribute(a, name, slot, &json);
		note_pop();
	}
	if (a->structured) {
		if (!json.len)
			buf_addc(&json, '{');
		buf_addc(&json, '}');
		add_env(a, sym_name(sym_c("__json")), w_get_str(w_str(json.p, json.len, 0)));
	}
	note_pop();
}
