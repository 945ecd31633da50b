/* SPDX-License-Identifier: MIT
 *
 * base/json: what is read, what is refused and where, what is written.
 *
 * Numbers in text: what nlohmann::json 3.11 prints, which Nix uses.
 */
#include "config.h"
#include "base/json_tree.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Appends what the reader says, a letter an event. */
static void trace_event(struct buf *out, enum json_event ev, const struct json_reader *r)
{
	static const char letters[] = ".nftiuds:[{)";

	buf_addc(out, letters[ev]);
	if (ev == JSON_INT)
		buf_addf(out, "%lld ", (long long)r->i);
	else if (ev == JSON_UINT)
		buf_addf(out, "%llu ", (unsigned long long)r->u);
	else if (ev == JSON_FLOAT)
		buf_addf(out, "%g ", r->d);
	else if (ev == JSON_STRING || ev == JSON_KEY)
		buf_addf(out, "%.*s ", (int)r->len, r->str);
}

/* The events of a text, or the error. Text is copied to a block of its own size. */
static void read_all(struct buf *out, const char *text, size_t n)
{
	char *own = malloc(n ? n : 1);
	struct json_reader *r = malloc(sizeof *r);
	struct buf scratch = BUF_INIT;
	struct err e = ERR_INIT;
	enum json_event ev;

	memcpy(own, text, n);
	json_reader_init(r, own, n, &scratch, &e);
	do {
		ev = json_next(r);
		if (ev >= 0)
			trace_event(out, ev, r);
	} while (ev > 0);
	if (ev < 0) {
		buf_trim(out, 0);
		buf_adds(out, e.msg);
		assert_int_equal(json_next(r), JSON_ERROR);
	} else {
		assert_int_equal(json_next(r), JSON_END);
	}
	err_release(&e);
	buf_release(&scratch);
	free(r);
	free(own);
}

static void expect(const char *text, const char *events)
{
	struct buf out = BUF_INIT;

	read_all(&out, text, strlen(text));
	assert_string_equal(buf_str(&out), events);
	buf_release(&out);
}

static void values(void **state)
{
	(void)state;
	expect("null", "n.");
	expect(" [ true , false ] ", "[tf).");
	expect("{}", "{).");
	expect("[]", "[).");
	expect("{\"a\":1,\"b\":[{}]}", "{:a i1 :b [{))).");
	expect("\xef\xbb\xbf" "1", "i1 .");
	expect("\"\\u0041\\ud83d\\ude00\\n\"", "sA\xf0\x9f\x98\x80\n .");
}

static void numbers(void **state)
{
	(void)state;
	expect("[0,-0,7,-7]", "[i0 i0 i7 i-7 ).");
	expect("9223372036854775807", "i9223372036854775807 .");
	expect("-9223372036854775808", "i-9223372036854775808 .");
	expect("9223372036854775808", "u9223372036854775808 .");
	expect("18446744073709551615", "u18446744073709551615 .");
	expect("18446744073709551616", "d1.84467e+19 .");
	expect("-9223372036854775809", "d-9.22337e+18 .");
	expect("[1.5,1e3,1E-2,-0.0]", "[d1.5 d1000 d0.01 d-0 ).");
}

static void refused(void **state)
{
	static const struct {
		const char *text, *msg;
	} cases[] = {
		{ "", "unexpected end of input where a value should be, at line 1, column 1 of the JSON text" },
		{ "[1,]", "unexpected character ']' where a value should be, at line 1, column 4 of the JSON text" },
		{ "{\"a\":1,}", "unexpected character '}' where a member name should be, at line 1, column 8 of the JSON text" },
		{ "{\"a\" 1}", "unexpected character '1' where a colon should be, at line 1, column 6 of the JSON text" },
		{ "[1 2]", "unexpected character '2' where a comma or ']' should be, at line 1, column 4 of the JSON text" },
		{ "1 x", "unexpected character 'x' where the end should be, at line 1, column 3 of the JSON text" },
		{ "\n\n  01", "unexpected character '1' where the end should be, at line 3, column 4 of the JSON text" },
		{ "1.", "unexpected end of input where a digit should be, at line 1, column 3 of the JSON text" },
		{ "1e999", "number too large for a float at line 1, column 1 of the JSON text" },
		{ "nul", "unexpected character 'n' where a value should be, at line 1, column 1 of the JSON text" },
		{ "\"a", "unterminated string at line 1, column 1 of the JSON text" },
		{ "\"\\", "invalid escape at line 1, column 2 of the JSON text" },
		{ "\"\\u12", "\\u must be followed by four hexadecimal digits, at line 1, column 4 of the JSON text" },
		{ "\"\\ud800\\", "high surrogate without a low one after it at line 1, column 2 of the JSON text" },
		{ "\"\x01\"", "unescaped control character at line 1, column 2 of the JSON text" },
		{ "\"a\xc0\xaf\"", "invalid UTF-8 at line 1, column 3 of the JSON text" },
		{ "\xff", "unexpected byte 0xff where a value should be, at line 1, column 1 of the JSON text" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		expect(cases[i].text, cases[i].msg);
}

static void nesting_has_a_limit(void **state)
{
	struct buf text = BUF_INIT, out = BUF_INIT;

	(void)state;
	for (int i = 0; i < LIMIT_JSON_DEPTH; i++)
		buf_addc(&text, '[');
	for (int i = 0; i < LIMIT_JSON_DEPTH; i++)
		buf_addc(&text, ']');
	read_all(&out, text.p, text.len);
	assert_int_equal(out.p[0], '[');
	buf_trim(&text, 0);
	for (int i = 0; i <= LIMIT_JSON_DEPTH; i++)
		buf_addc(&text, '[');
	buf_trim(&out, 0);
	read_all(&out, text.p, text.len);
	assert_non_null(strstr(out.p, "nesting deeper than 10000 levels"));
	buf_release(&text);
	buf_release(&out);
}

static void strings_written(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	assert_int_equal(json_add_string(&b, "a\"\\/\b\f\n\r\t\x01\x1f\x7f\xc3\xa9", 14), 0);
	assert_string_equal(b.p, "\"a\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\xc3\xa9\"");
	buf_trim(&b, 0);
	assert_int_equal(json_add_string(&b, "a\0b", 3), 0);
	assert_string_equal(b.p, "\"a\\u0000b\"");
	assert_int_equal(json_add_string(&b, "ab\xff", 3), 3);
	buf_release(&b);
}

static void floats_written(void **state)
{
	static const struct {
		double d;
		const char *text;
	} cases[] = {
		{ 0.0, "0.0" }, { -0.0, "-0.0" }, { 1.0, "1.0" }, { 0.1, "0.1" }, { -1.5, "-1.5" }, { 1e14, "100000000000000.0" },
		{ 1e15, "1e+15" }, { 123456789012345.6, "123456789012345.6" }, { 1e-4, "0.0001" }, { 1e-5, "1e-05" },
		{ 1.25e-7, "1.25e-07" }, { 1e300, "1e+300" }, { 5e-324, "5e-324" }, { 1.7976931348623157e308, "1.7976931348623157e+308" },
		{ 43308965041.48209, "43308965041.482094" }, { INFINITY, "null" }, { NAN, "null" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buf b = BUF_INIT;
		json_add_double(&b, cases[i].d);
		assert_string_equal(b.p, cases[i].text);
		if (isfinite(cases[i].d))
			assert_true(strtod(b.p, NULL) == cases[i].d);
		buf_release(&b);
	}
}

static void utf8(void **state)
{
	static const struct {
		const char *text;
		size_t bad;
	} cases[] = {
		{ "", 0 }, { "plain text of some length", 0 }, { "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 0 }, { "\xf4\x8f\xbf\xbf", 0 },
		{ "\x80", 1 }, { "ab\xc3", 3 }, { "\xc1\xbf", 1 }, { "\xe0\x9f\xbf", 1 }, { "\xed\xa0\x80", 1 }, { "\xf0\x8f\xbf\xbf", 1 },
		{ "\xf4\x90\x80\x80", 1 }, { "\xf5\x80\x80\x80", 1 }, { "12345678\xff", 9 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_int_equal(utf8_check(cases[i].text, strlen(cases[i].text)), cases[i].bad);
}

static void indented(void **state)
{
	static const char text[] = "{\"a\":[1,{\"b\":[],\"c\":{}},\"x\\\"{,\"],\"d\":null}",
			  want[] = "{\n  \"a\": [\n    1,\n    {\n      \"b\": [],\n      \"c\": {}\n    },\n    \"x\\\"{,\"\n  ],\n  \"d\": null\n}";
	struct buf b = BUF_INIT;

	(void)state;
	json_indent(&b, (struct slice){ text, sizeof text - 1 });
	assert_string_equal(buf_str(&b), want);
	buf_release(&b);
}

static void tree(struct arena *a, struct slice text, struct jnode **o)
{
	assert_int_equal(json_tree_parse(a, text, o, NULL), 0);
}

static void members_are_in_order_and_the_last_counts(void **state)
{
	struct arena a = ARENA_INIT;
	struct buf b = BUF_INIT;
	struct jnode *o;

	(void)state;
	tree(&a, SLICE("{\"b\":1,\"a\":[3,{\"z\":1,\"y\":2},4],\"b\":2,\"\":0,\"ab\":{},\"b\":3,\"a\":[5,6]}"), &o);
	json_tree_write(&b, o);
	assert_string_equal(buf_str(&b), "{\"\":0,\"a\":[5,6],\"ab\":{},\"b\":3}");
	buf_release(&b);
	arena_release(&a);
}

/* In whatever order they come, without the square of their number: this would be some ten thousand million comparisons. */
static void many_members(void **state)
{
	enum { MANY = 100000 };
	const int step[] = { 1, MANY - 1, 7919 };

	(void)state;
	for (size_t k = 0; k < sizeof step / sizeof *step; k++) {
		struct arena a = ARENA_INIT;
		struct buf b = BUF_INIT;
		struct jnode *o;
		int n = 0;

		for (int i = 0, at = 0; i < MANY; i++, at = (at + step[k]) % MANY)
			buf_addf(&b, "%c\"%06d\":%d", i ? ',' : '{', at, at);
		buf_addc(&b, '}');
		tree(&a, (struct slice){ b.p, b.len }, &o);
		for (const struct jnode *m = o->first; m; m = m->next)
			assert_int_equal(m->i, n++);
		assert_int_equal(n, MANY);
		buf_release(&b);
		arena_release(&a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values),	       cmocka_unit_test(numbers),	  cmocka_unit_test(refused),
		cmocka_unit_test(nesting_has_a_limit), cmocka_unit_test(strings_written), cmocka_unit_test(floats_written),
		cmocka_unit_test(utf8),		       cmocka_unit_test(indented),
		cmocka_unit_test(members_are_in_order_and_the_last_counts), cmocka_unit_test(many_members),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
