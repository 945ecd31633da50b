/* SPDX-License-Identifier: MIT
 *
 * fromTOML: base/toml's tree as a value.  The tree's arena is released on every way out.
 */
#include "config.h"
#include "builtins/toml.h"
#include "base/toml.h"
#include "base/toml_time.h"
#include "eval/eval.h"

#include <string.h>

static W toml_to_value(const struct toml_value *v);

static void no_nul(struct toml_string s)
{
	if (memchr(s.p, 0, s.n))
		throw_error(EK_EVAL, "a TOML string with a NUL character cannot be represented as a string");
}

static W table_to_value(const struct toml_table *t)
{
	struct attrs_builder b;

	stack_check();
	attrs_builder_init(&b, t->n);
	for (size_t i = 0; i < t->n; i++) {
		no_nul(t->e[i].key);
		attrs_add(&b, sym_intern(t->e[i].key.p, t->e[i].key.n), 0, toml_to_value(&t->e[i].value));
	}
	return attrs_finish(&b);
}

static W array_to_value(const struct toml_array *a)
{
	struct list *l = list_new(a->n);

	stack_check();
	for (size_t i = 0; i < a->n; i++)
		l->e[i] = toml_to_value(&a->v[i]);
	return w_list(l);
}

static W time_to_value(struct toml_string s)
{
	struct buf text = BUF_GC;
	struct attrs_builder b;

	if (!eval_settings.toml_timestamps)
		throw_error_hint(EK_EVAL, "--extra-experimental-features parse-toml-timestamps allows them",
				 "dates and times are not supported: '%.*s'", (int)s.n, s.p);
	if (toml_time_normal(&text, s.p, s.n))
		throw_error(EK_EVAL, "there is no such date or time: '%.*s'", (int)s.n, s.p);
	attrs_builder_init(&b, 2);
	attrs_add_c(&b, "_type", w_cstr("timestamp"));
	attrs_add_c(&b, "value", w_str(text.p, text.len, 0));
	return attrs_finish(&b);
}

static W toml_to_value(const struct toml_value *v)
{
	switch (v->type) {
	case TOML_INT:
		return w_int(v->i);
	case TOML_FLOAT:
		return w_float(v->d);
	case TOML_BOOL:
		return W_BOOL(v->i);
	case TOML_STRING:
		no_nul(v->s);
		return w_str(v->s.p, v->s.n, 0);
	case TOML_TIME:
		return time_to_value(v->s);
	case TOML_ARRAY:
		return array_to_value(v->a);
	case TOML_TABLE:
		return table_to_value(v->t);
	}
	return W_NULL;
}

static void release_arena(void *arg)
{
	arena_release(arg);
}

BUILTIN_FLAGS(bi_from_toml, BI_GLOBAL, "fromTOML", "!s",
	      "The value that the TOML 1.0 text *s* describes: tables become sets, arrays lists. Dates and times have no "
	      "counterpart in the language and are an error, unless the experimental feature `parse-toml-timestamps` makes them "
	      "`{ _type = \"timestamp\"; value = \"1979-05-27T07:32:00Z\"; }`.",
	      "fromTOML ''\n  x = 1\n  [table]\n  y = [ \"a\", 2.5 ]\n''",
	      "{ table = { y = [ \"a\" 2.5 ]; }; x = 1; }")
{
	struct str *s = arg_string_plain(args, 0);
	struct arena mem = ARENA_INIT;
	struct err e = ERR_INIT;
	W w = W_NULL;

	note_push("while parsing TOML", 0);
	protect_push(release_arena, &mem);
	struct toml_table *t = toml_parse(s->b, s->len, &mem, &e);
	if (t)
		w = table_to_value(t);
	protect_pop(1);
	if (!t)
		throw_err(&e);
	note_pop();
	return w;
}

const struct builtin *const builtins_toml[] = { &def_bi_from_toml, NULL };
