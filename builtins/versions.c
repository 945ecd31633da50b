/* SPDX-License-Identifier: MIT
 *
 * Version numbers as package names carry them.  A version is a sequence of components, runs of digits or runs of
 * other characters, with dots and dashes only between them.
 */
#include "config.h"
#include "builtins/registry.h"
#include "eval/builtin.h"
#include "format/path.h"

#include <limits.h>
#include <string.h>

struct span {
	const char *p;
	size_t n;
};

static int is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int is_separator(char c)
{
	return c == '.' || c == '-';
}

/* Takes the next component off the front of s; empty at the end. */
static struct span next_component(struct span *s)
{
	while (s->n && is_separator(*s->p))
		s->p++, s->n--;
	struct span c = { s->p, 0 };
	if (!s->n)
		return c;
	int digits = is_digit(*s->p);
	while (s->n && is_digit(*s->p) == digits && (digits || !is_separator(*s->p))) {
		s->p++;
		s->n--;
		c.n++;
	}
	return c;
}

/* A number that fits 32 bits; longer runs of digits, such as dates with times, compare as text. */
static int is_number(struct span c, int *out)
{
	long long v = 0;

	if (!c.n || !is_digit(*c.p))
		return 0;
	for (size_t i = 0; i < c.n; i++) {
		v = v * 10 + (c.p[i] - '0');
		if (v > INT_MAX)
			return 0;
	}
	*out = (int)v;
	return 1;
}

static int is_pre(struct span c)
{
	return c.n == 3 && !memcmp(c.p, "pre", 3);
}

static int text_less(struct span a, struct span b)
{
	int c = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);

	return c ? c < 0 : a.n < b.n;
}

/* Numbers by value; nothing before a number; "pre" before everything; other text before numbers, so that
 * 2.3a comes before 2.3.1. */
static int component_less(struct span a, struct span b)
{
	int x, y, num_a = is_number(a, &x), num_b = is_number(b, &y);

	if (num_a && num_b)
		return x < y;
	if (!a.n && num_b)
		return 1;
	if (is_pre(a) && !is_pre(b))
		return 1;
	if (is_pre(b))
		return 0;
	if (num_b)
		return 1;
	if (num_a)
		return 0;
	return text_less(a, b);
}

BUILTIN(bi_compare_versions, "compareVersions", "!s1 !s2",
	"`-1` if the version *s1* is older than *s2*, `0` if they are the same, `1` if it is newer. They are compared component "
	"by component (see `splitVersion`): numbers by value, `pre` before anything else, other text before numbers.",
	"[ (compareVersions \"1.9\" \"1.10\") (compareVersions \"1.0\" \"1.0pre\") ]", "[ -1 1 ]")
{
	struct str *s = arg_string_plain(args, 0), *t = arg_string_plain(args, 1);
	struct span a = { s->b, s->len }, b = { t->b, t->len };

	while (a.n || b.n) {
		struct span x = next_component(&a), y = next_component(&b);
		if (component_less(x, y))
			return w_int(-1);
		if (component_less(y, x))
			return w_int(1);
	}
	return w_int(0);
}

BUILTIN(bi_split_version, "splitVersion", "!s",
	"The components of the version *s*: runs of digits and runs of other characters, cut also at dots and dashes, which "
	"are dropped.",
	"splitVersion \"1.2.3pre-4\"", "[ \"1\" \"2\" \"3\" \"pre\" \"4\" ]")
{
	struct str *s = arg_string_plain(args, 0);
	struct span all = { s->b, s->len }, rest = all, c;
	uint32_t n = 0;

	while (next_component(&rest).n)
		n++;
	struct list *l = list_new(n);
	for (uint32_t i = 0; i < n; i++) {
		c = next_component(&all);
		l->e[i] = w_str(c.p, c.n, 0);
	}
	return w_list(l);
}

BUILTIN(bi_parse_drv_name, "parseDrvName", "!s",
	"Cuts a package name with version in two: the version begins after the first dash that is not followed by a letter.",
	"parseDrvName \"nix-tools-0.12pre1\"", "{ name = \"nix-tools\"; version = \"0.12pre1\"; }")
{
	struct str *s = arg_string_plain(args, 0);
	struct attrs_builder b;
	size_t cut = drv_name_cut((struct slice){ s->b, s->len });
	size_t from = cut < s->len ? cut + 1 : cut;
	attrs_builder_init(&b, 2);
	attrs_add(&b, SYM_NAME, 0, w_str(s->b, cut, 0));
	attrs_add(&b, SYM_VERSION, 0, w_str(s->b + from, s->len - from, 0));
	return attrs_finish(&b);
}

const struct builtin *const builtins_versions[] = {
	&def_bi_compare_versions, &def_bi_split_version, &def_bi_parse_drv_name, NULL,
};
