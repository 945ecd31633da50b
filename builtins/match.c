/* SPDX-License-Identifier: MIT
 *
 * match and split: base/regex.h for the language.  What they return are strings without context, whatever
 * the text's; only split's result for a text without any match is the text itself.
 */
#include "config.h"
#include "builtins/registry.h"
#include "eval/builtin.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/regex.h"

#include <string.h>

static const struct regex *regex_arg(W *args)
{
	struct str *s = arg_string_plain(args, 0);
	struct err e = ERR_INIT;
	const struct regex *re = regex_get(s->b, s->len, &e);

	if (re)
		return re;
	err_prefix(&e, e.code == ERR_LIMIT ? "memory limit exceeded by regular expression '%s'"
					   : "invalid regular expression '%s'", s->b);
	throw_err(&e);
}

/* One empty string serves for all: text between adjacent matches is mostly empty. */
static W part(const char *text, uint32_t start, uint32_t end)
{
	return start == end ? sym_word(sym_intern("", 0)) : w_str(text + start, end - start, 0);
}

static W group_list(const char *text, const struct regex_span *g, uint32_t n)
{
	struct list *l = list_new(n);

	for (uint32_t i = 0; i < n; i++)
		l->e[i] = g[i].start == REGEX_UNSET ? W_NULL : part(text, g[i].start, g[i].end);
	return w_list(l);
}

BUILTIN(bi_match, "match", "!regex !str",
	"Matches the whole of *str* with the POSIX extended regular expression *regex*. The result is `null`, or the list of "
	"what the groups in parentheses matched, with `null` for a group that took no part.",
	"[ (match \"([a-z]+)-([0-9]+)?\" \"abc-\") (match \"b\" \"abc\") ]", "[ [ \"abc\" null ] null ]")
{
	const struct regex *re = regex_arg(args);
	struct str *s = arg_string(args, 1);
	uint32_t n = regex_groups(re);
	struct regex_span few[16], *g = n <= 16 ? few : mem_bytes(mem_size(n, sizeof *g, 0));

	return regex_match(re, s->b, s->len, g) ? group_list(s->b, g, n) : W_NULL;
}

/* The result of split under way; its length is not known before. */
struct parts {
	W *v;
	size_t n, cap;
};

static void parts_add(struct parts *p, W w)
{
	MEM_GROW(p->v, p->n + 1, p->cap);
	p->v[p->n++] = w;
}

BUILTIN(bi_split, "split", "!regex !str",
	"Cuts *str* at each match of the POSIX extended regular expression *regex*. The result alternates between the text "
	"around the matches, as strings, and the matches, as lists of what their groups matched (`null` for a group that "
	"took no part).",
	"split \"(a)|c\" \"abc\"", "[ \"\" [ \"a\" ] \"b\" [ null ] \"\" ]")
{
	const struct regex *re = regex_arg(args);
	struct str *s = arg_string(args, 1);
	uint32_t n = regex_groups(re), end = 0;
	struct regex_span few[16], whole, *g = n <= 16 ? few : mem_bytes(mem_size(n, sizeof *g, 0));
	struct regex_iter *it = regex_iter_new(re, s->b, s->len);
	struct parts p = { 0 };

	while (regex_iter_next(it, &whole, g)) {
		parts_add(&p, part(s->b, end, whole.start));
		parts_add(&p, group_list(s->b, g, n));
		end = whole.end;
	}
	parts_add(&p, p.n ? part(s->b, end, s->len) : args[1]);
	struct list *l = list_new(p.n);
	memcpy(l->e, p.v, p.n * sizeof(W));
	return w_list(l);
}

const struct builtin *const builtins_match[] = { &def_bi_match, &def_bi_split, NULL };
