/* SPDX-License-Identifier: MIT
 *
 * base/toml: who may extend which table, and the lexical corners.  Results are compared as one line of text.
 */
#include "config.h"
#include "base/buf.h"
#include "base/toml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void show(struct buf *b, const struct toml_value *v);

static void show_table(struct buf *b, const struct toml_table *t)
{
	buf_addc(b, '{');
	for (size_t i = 0; i < t->n; i++) {
		buf_addf(b, "%s%.*s=", i ? "," : "", (int)t->e[i].key.n, t->e[i].key.p);
		show(b, &t->e[i].value);
	}
	buf_addc(b, '}');
}

static void show(struct buf *b, const struct toml_value *v)
{
	if (v->type == TOML_TABLE) {
		show_table(b, v->t);
	} else if (v->type == TOML_ARRAY) {
		buf_addc(b, '[');
		for (size_t i = 0; i < v->a->n; i++) {
			buf_adds(b, i ? "," : "");
			show(b, &v->a->v[i]);
		}
		buf_addc(b, ']');
	} else if (v->type == TOML_INT) {
		buf_addf(b, "%lld", (long long)v->i);
	} else if (v->type == TOML_FLOAT) {
		buf_addf(b, "%g", v->d);
	} else if (v->type == TOML_BOOL) {
		buf_adds(b, v->i ? "true" : "false");
	} else {
		buf_addf(b, v->type == TOML_TIME ? "<%.*s>" : "'%.*s'", (int)v->s.n, v->s.p);
	}
}

/* The document in one line, or the error. */
static void expect(const char *text, const char *result)
{
	size_t n = strlen(text);
	char *own = malloc(n ? n : 1);
	struct arena mem = ARENA_INIT;
	struct err e = ERR_INIT;
	struct buf b = BUF_INIT;

	memcpy(own, text, n);
	struct toml_table *t = toml_parse(own, n, &mem, &e);
	if (t)
		show_table(&b, t);
	else
		buf_adds(&b, e.msg);
	assert_string_equal(buf_str(&b), result);
	buf_release(&b);
	err_release(&e);
	arena_release(&mem);
	free(own);
}

static void refuse(const char *text)
{
	struct arena mem = ARENA_INIT;
	struct err e = ERR_INIT;

	if (toml_parse(text, strlen(text), &mem, &e))
		fail_msg("accepted: %s", text);
	assert_int_equal(e.code, ERR_INVALID);
	err_release(&e);
	arena_release(&mem);
}

static void tables(void **state)
{
	(void)state;
	expect("", "{}");
	expect("[a.b.c]\n[a]\nd=1\n", "{a={b={c={}},d=1}}");
	expect("a.b=1\na.c=2", "{a={b=1,c=2}}");
	expect("[a]\nb.c=1\n[a.b.d]\n", "{a={b={c=1,d={}}}}");
	expect("[[a]]\n[a.b]\nx=1\n[[a]]\n[a.b]\nx=2\n", "{a=[{b={x=1}},{b={x=2}}]}");
	expect("[[a.b]]\n[[a.b]]\n[a]\nc=1", "{a={b=[{},{}],c=1}}");
	expect("a={b=1,c.d=2}", "{a={b=1,c={d=2}}}");
}

static void tables_refused(void **state)
{
	static const char *const texts[] = {
		"[a]\n[a]",	     "a=1\na=2",	     "a=1\n[a]",	   "[a]\nb=1\n[a.b]",	 "a={}\n[a.b]",
		"a={}\na.b=1",	     "[a.b]\n[a]\nb.c=1", "a.b=1\n[a]",	   "[[a]]\n[a]",	 "[a]\n[[a]]",
		"a=[{}]\n[[a]]",     "a=[{}]\n[a.b]",	     "a={b=1,b=2}",	   "a={b=1,b.c=2}",	 "a.b=1\na.b.c=2",
		"[[a.b]]\n[a]\nb.x=1", "[a.b.c]\n[a]\nb.d=1", "[a]\nb.c=1\n[a.b]",
	};

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		refuse(texts[i]);
}

static void scalars(void **state)
{
	(void)state;
	expect("a=0xDEAD_beef\nb=0o17\nc=0b11\nd=+1_0\ne=-0", "{a=3735928559,b=15,c=3,d=10,e=0}");
	expect("a=-9223372036854775808\nb=9223372036854775807", "{a=-9223372036854775808,b=9223372036854775807}");
	expect("a=1.5\nb=1e3\nc=-inf\nd=+1_0.0_1", "{a=1.5,b=1000,c=-inf,d=10.01}");
	expect("a=[1,2,\n#c\n3,]", "{a=[1,2,3]}");
	expect("a=1979-05-27 07:32:00Z\nb=07:32:00", "{a=<1979-05-27 07:32:00Z>,b=<07:32:00>}");
	expect("a=\"\\u00e9\\\"\"\nb='\\'\nc=\"\"\"\n x\\\n\n  y\"\"\"\"\n", "{a='\xc3\xa9\"',b='\\',c=' xy\"'}");
	expect("'a b'.\"c\\td\" = 1", "{a b={c\td=1}}");
	expect("1.2=3", "{1={2=3}}");
}

static void scalars_refused(void **state)
{
	static const char *const texts[] = {
		"a=01", "a=1_", "a=_1", "a=1__0", "a=0x", "a=-0x1", "a=0XFF", "a=1.", "a=.5", "a=1e", "a=1.e5", "a=+-1", "a=+_1",
		"a=9223372036854775808", "a=1e999", "a=tru", "a=nul", "a=inf1", "a=\"\\x41\"", "a=\"\\ud800\"", "a=\"\\U00110000\"",
		"a=\"\n\"", "a='\n'", "a=\"\x01\"", "a=\"\xff\"", "a=[1 2]", "a=[,]", "a={b=1,}", "a={b=1\n}", "a", "a=", "=1", "a.=1",
		".a=1", "a b=1", "a=1 b=2", "a=1\rb=2", "[a", "[]", "[a]]", "[[a]", "[[a] ]", "[a] x", "#\x01", "\"\"\"a\"\"\"=1",
	};

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		refuse(texts[i]);
}

static void many_keys_are_found(void **state)
{
	struct buf text = BUF_INIT;
	struct arena mem = ARENA_INIT;
	struct err e = ERR_INIT;

	(void)state;
	for (int i = 0; i < 1000; i++)
		buf_addf(&text, "k%d=%d\n", i, i);
	struct toml_table *t = toml_parse(text.p, text.len, &mem, &e);
	assert_non_null(t);
	for (int i = 0; i < 1000; i++) {
		char key[16];
		size_t n = (size_t)snprintf(key, sizeof key, "k%d", i);
		assert_int_equal(toml_find(t, key, n)->i, i);
	}
	assert_null(toml_find(t, "k1000", 5));
	buf_adds(&text, "k500=1\n");
	arena_release(&mem);
	assert_null(toml_parse(text.p, text.len, &mem, &e));
	assert_string_equal(e.msg, "key is defined twice at line 1001, column 1 of the TOML text");
	err_release(&e);
	arena_release(&mem);
	buf_release(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables),  cmocka_unit_test(tables_refused),  cmocka_unit_test(scalars),
		cmocka_unit_test(scalars_refused), cmocka_unit_test(many_keys_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
