/* SPDX-License-Identifier: MIT
 *
 * lang/: from text to tree, looked at through the printer; and the errors.
 *
 * Most tests are tables of a text and what becomes of it.  Texts are parsed as if they stood in
 * a file in /base with the home directory /home/u.
 */
#include "config.h"
#include "base/buf.h"
#include "base/limits.h"
#include "lang/parse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The latest parse; released by the next. */
static struct {
	const struct source *src;
	struct arena mem;
	struct err e;
	struct buf out, warnings;
	struct expr *tree;
} last;

static void note_warning(void *arg, uint32_t pos, uint32_t len, const char *msg)
{
	(void)arg;
	buf_addf(&last.warnings, "%u+%u: %s\n", pos - last.src->start, len, msg);
}

static struct parse_options options;

static void set_up_options(void)
{
	options = (struct parse_options){ .home = "/home/u", .warn = note_warning };
}

static void forget(void)
{
	arena_release(&last.mem);
	err_release(&last.e);
	buf_release(&last.out);
	buf_release(&last.warnings);
}

typedef struct expr *(*parse_fn)(const struct source *, const struct parse_options *, struct arena *, struct err *);

/* Parses n bytes; the source keeps a copy. */
static struct expr *parse_bytes(parse_fn fn, const char *text, size_t n)
{
	char *copy = malloc(n + 1);

	assert_non_null(copy);
	if (n)
		memcpy(copy, text, n);
	copy[n] = 0;
	forget();
	last.src = source_add("t", NULL, "/base", copy, n);
	last.tree = fn(last.src, &options, &last.mem, &last.e);
	if (last.tree)
		print_ast(&last.out, last.tree);
	return last.tree;
}

static struct expr *parse(const char *text)
{
	return parse_bytes(parse_source, text, strlen(text));
}

struct ok {
	const char *text, *tree;
};

static void check_ok(const struct ok *t, size_t n)
{
	set_up_options();
	for (size_t i = 0; i < n; i++) {
		if (!parse(t[i].text))
			fail_msg("%s: %s", t[i].text, last.e.msg);
		if (strcmp(buf_str(&last.out), t[i].tree))
			fail_msg("%s: printed %s, expected %s", t[i].text, buf_str(&last.out), t[i].tree);
	}
}

/* An error at offset `at`, `len` bytes long. */
struct bad {
	const char *text;
	unsigned at, len;
	const char *msg;
};

static void check_err(const char *text, unsigned at, unsigned len, const char *msg)
{
	if (last.tree)
		fail_msg("%s: accepted as %s", text, buf_str(&last.out));
	if (strcmp(last.e.msg, msg))
		fail_msg("%s: '%s', expected '%s'", text, last.e.msg, msg);
	if (last.e.pos - last.src->start != at || last.e.len != len)
		fail_msg("%s: at %u+%u, expected %u+%u", text, last.e.pos - last.src->start, last.e.len, at, len);
}

static void check_bad(const struct bad *t, size_t n)
{
	set_up_options();
	for (size_t i = 0; i < n; i++) {
		parse(t[i].text);
		check_err(t[i].text, t[i].at, t[i].len, t[i].msg);
		assert_int_equal(last.e.code, ERR_INVALID);
	}
}

#define OK(...)                                                                                            \
	do {                                                                                               \
		static const struct ok t[] = { __VA_ARGS__ };                                              \
		(void)state;                                                                               \
		check_ok(t, sizeof t / sizeof *t);                                                         \
	} while (0)

#define BAD(...)                                                                                           \
	do {                                                                                               \
		static const struct bad t[] = { __VA_ARGS__ };                                             \
		(void)state;                                                                               \
		check_bad(t, sizeof t / sizeof *t);                                                        \
	} while (0)

/* --- scanner ------------------------------------------------------------------------------------------ */

static void numbers(void **state)
{
	OK({ "0", "0" }, { "007", "7" }, { "9223372036854775807", "9223372036854775807" },
	   { "-9223372036854775807", "(__sub 0 9223372036854775807)" }, { "1.5", "1.5" }, { "1.", "1" },
	   { ".25", "0.25" }, { "0.1e2", "10" }, { "1.5E-3", "0.0015" }, { "12.e+2", "1200" },
	   /* a leading zero makes the digits before the point an integer of their own */
	   { "00.5", "(0 0.5)" }, { "1e3", "(1 e3)" }, { "1.2.3", "(1.2 0.3)" });
}

static void number_errors(void **state)
{
	BAD({ "9223372036854775808", 0, 19,
	      "integer '9223372036854775808' is too large: the greatest is 9223372036854775807" },
	    { "[ 99999999999999999999 ]", 2, 20,
	      "integer '99999999999999999999' is too large: the greatest is 9223372036854775807" },
	    { "1.0e400", 0, 7, "floating-point number '1.0e400' is out of range" },
	    { "1.0e-400", 0, 8, "floating-point number '1.0e-400' is out of range" });
}

static void identifiers(void **state)
{
	OK({ "a'", "a'" }, { "_a-b'9", "_a-b'9" }, { "iff", "iff" }, { "in'", "in'" }, { "a-1", "a-1" },
	   { "a -1", "(__sub a 1)" }, { "or'", "or'" }, { "x.or", "(x).or" }, { "{ or = 1; }", "{ or = 1; }" },
	   { "__curPos", "__curPos" }, { "{ __curPos = 1; }", "{ __curPos = 1; }" },
	   { "{ inherit __curPos; }", "{ inherit __curPos; }" });
}

static void comments_and_blanks(void **state)
{
	OK({ "# a\n1", "1" }, { "1# a", "1" }, { "# a\r1", "1" }, { "/**/1", "1" }, { "/***/1", "1" },
	   { "/* * / ** */1/* # */", "1" }, { "#/*\n1", "1" }, { "/*\n#*/1", "1" }, { "\t\r\n 1 \r", "1" },
	   { "a/*c*/b", "(a b)" }, { "a/**/./b", "(a /base/b)" },
	   { "# long enough to be skipped by words\n1 # and another one, without an end", "1" },
	   { "/* \xff\xfe */ 1", "1" });
}

static void comment_errors(void **state)
{
	BAD({ "1 /* x", 2, 2, "unterminated comment: no closing '*/' before the end of file" },
	    { "/*/", 0, 2, "unterminated comment: no closing '*/' before the end of file" },
	    { "/**", 0, 2, "unterminated comment: no closing '*/' before the end of file" });
}

static void bad_characters(void **state)
{
	BAD({ "1 & 2", 2, 1, "unexpected character '&'; did you mean '&&'?" },
	    { "1 | 2", 2, 1, "unexpected character '|'; did you mean '||'?" },
	    { "\\x", 0, 1, "unexpected character '\\'; a function is written 'x: body'" },
	    { "'a'", 0, 1, "unexpected character \"'\"; strings are written \"...\" or ''...''" },
	    { "$x", 0, 1, "unexpected character '$'; a variable is written without it, or as ${...} in a string" },
	    { "[ ` ]", 2, 1, "unexpected character '`'; strings are written \"...\" or ''...''" }, { "1 \xc3\xa9", 2, 2, "unexpected character '\xc3\xa9'" },
	    { "\xff", 0, 1, "unexpected byte 0xff" }, { "\xc3", 0, 1, "unexpected byte 0xc3" },
	    { "\x01", 0, 1, "unexpected byte 0x01" });
}

static void nul_bytes(void **state)
{
	(void)state;
	set_up_options();
	parse_bytes(parse_source, "1 \0 2", 5);
	check_err("NUL", 2, 1, "unexpected NUL byte");
	parse_bytes(parse_source, "\"a\0b\"", 5);
	check_err("NUL in string", 2, 1, "a string cannot contain a NUL byte");
	parse_bytes(parse_source, "\"\\\0\"", 4);
	check_err("escaped NUL", 2, 1, "a string cannot contain a NUL byte");
	parse_bytes(parse_source, "''a\0''", 6);
	check_err("NUL in indented string", 3, 1, "a string cannot contain a NUL byte");
	parse_bytes(parse_source, "/* \0 */ 1 # \0", 13);
	assert_string_equal(buf_str(&last.out), "1");
}

/* --- strings ------------------------------------------------------------------------------------------ */

static void strings(void **state)
{
	OK({ "\"\"", "\"\"" }, { "\"a b\"", "\"a b\"" }, { "\"\\n\\r\\t\\\\\\\"\\$\\x\"", "\"\\n\\r\\t\\\\\\\"$x\"" },
	   { "\"a\nb\"", "\"a\\nb\"" }, { "\"a\r\nb\rc\"", "\"a\\nb\\nc\"" }, { "\"a\\\r\nb\"", "\"a\\r\\nb\"" },
	   { "\"$\"", "\"$\"" }, { "\"a$\"", "\"a$\"" }, { "\"$$\"", "\"$$\"" }, { "\"$a{\"", "\"$a{\"" },
	   { "\"\\${a}\"", "\"\\${a}\"" }, { "\"$${a}\"", "\"$\\${a}\"" }, { "\"$$${a}\"", "(\"$$\" + a)" },
	   { "\"$\\${\"", "\"$\\${\"" }, { "\"\xff\xc3\"", "\"\xff\xc3\"" });
}

static void interpolation(void **state)
{
	OK({ "\"${a}\"", "(a)" }, { "\"x${a}y${b}${c}z\"", "(\"x\" + a + \"y\" + b + c + \"z\")" },
	   { "\"${\"${a}\"}\"", "((a))" }, { "\"${{ a = \"}\"; }.a}\"", "(({ a = \"}\"; }).a)" },
	   { "\"${ /* } */ a }\"", "(a)" }, { "\"${\"a\"}\"", "(\"a\")" }, { "\"${x: x}\"", "((x: x))" });
}

static void string_errors(void **state)
{
	BAD({ "\"abc", 0, 1, "unterminated string: no closing '\"' before the end of file" },
	    { "[ \"abc\\", 2, 1, "unterminated string: no closing '\"' before the end of file" },
	    { "\"abc$", 0, 1, "unterminated string: no closing '\"' before the end of file" },
	    { "\"a\" + \"", 6, 1, "unterminated string: no closing '\"' before the end of file" },
	    { "''abc", 0, 2, "unterminated string: no closing \"''\" before the end of file" },
	    { "''abc'", 0, 2, "unterminated string: no closing \"''\" before the end of file" },
	    { "''abc''\\", 7, 1, "unexpected character '\\'; a function is written 'x: body'" },
	    { "\"a${b\"", 5, 1,
	      "unterminated string: no closing '\"' before the end of file; it begins inside the '${' opened at t:1:3" },
	    { "\"a${b", 5, 0, "syntax error: unexpected end of file: the '${' opened at t:1:3 is never closed" },
	    { "\"${}\"", 3, 1, "syntax error: unexpected '}', expected an expression" },
	    { "\"${a b; c}\"", 6, 1, "syntax error: unexpected ';', expected '}' to close the '${' opened at t:1:2" });
}

static void indented_strings(void **state)
{
	OK({ "''''", "\"\"" }, { "''a''", "\"a\"" }, { "''  a''", "\"a\"" }, { "''\n  a\n  b''", "\"a\\nb\"" },
	   { "''\n  a\n   b\n  ''", "\"a\\n b\\n\"" }, { "''  \n  a\n''", "\"a\\n\"" }, { "''\n\n  a\n\n  b\n''", "\"\\na\\n\\nb\\n\"" },
	   { "''\n   \n  a''", "\" \\na\"" }, { "''\n  a\n\tb''", "\"  a\\n\\tb\"" }, { "''a\n  b''", "\"a\\n  b\"" },
	   { "''\n  a  \n  ''", "\"a  \\n\"" }, { "''   ''", "\"\"" }, { "''\n''", "\"\"" }, { "''\n  a\r\n  b''", "\"a\\r\\nb\"" },
	   { "''\r\n  a''", "\"\\r\\n  a\"" });
}

static void indented_escapes(void **state)
{
	OK({ "''$''", "\"$\"" }, { "''a$b''", "\"a$b\"" }, { "''$${a}''", "\"$\\${a}\"" }, { "'''''''", "\"''\"" },
	   { "''''$''", "\"$\"" }, { "''a''${b}''", "(\"a\" + \"$\" + \"{b}\")" },
	   { "''''\\n''\\t''\\x''", "(\"\\n\" + \"\\t\" + \"x\")" }, { "''a'b''", "\"a'b\"" }, { "''a'${b}''", "(\"a\" + \"'\" + b)" },
	   { "''\n  ''\\ta\n  b''", "(\"\\t\" + \"a\\nb\")" }, { "''\n   ''\\n  a\n  b''", "(\" \" + \"\\n\" + \"a\\nb\")" },
	   { "''\"\\n\"''", "\"\\\"\\\\n\\\"\"" });
}

static void indented_interpolation(void **state)
{
	OK({ "''${a}''", "(a)" }, { "''\n  ${a}\n  b''", "(a + \"\\nb\")" }, { "''\n    ${a}\n  b''", "(\"  \" + a + \"\\nb\")" },
	   { "''\n  a ${b}\n  ''", "(\"a \" + b + \"\\n\")" }, { "''  ${a}  ''", "(a + \"  \")" },
	   { "''${\"a\"}''", "\"a\"" }, { "''${''\n b''}''", "\"b\"" }, { "''\n  ${a}\n''", "(a + \"\\n\")" });
}

/* --- paths, search paths, URLs ------------------------------------------------------------------------ */

static void path_literals(void **state)
{
	OK({ "/a", "/a" }, { "/a/./b/../c", "/a/c" }, { "/../..", "/" }, { "./a", "/base/a" }, { "../a", "/a" },
	   { "./../../../a", "/a" }, { "./.", "/base" }, { "a/b", "/base/a/b" }, { "a.b-c+d_e/f", "/base/a.b-c+d_e/f" },
	   { ".../a", "/base/.../a" }, { "1/2", "/base/1/2" }, { "1 / 2", "(__div 1 2)" }, { "a/ b", "(__div a b)" },
	   { "a /b", "(a /b)" }, { "a'/b", "(a' /b)" }, { "-a/b", "/base/-a/b" }, { "~/a", "/home/u/a" },
	   { "~/a/b", "/home/u/a/b" }, { "a.b.c/d", "/base/a.b.c/d" }, { "[a.b/c d.e]", "[ (/base/a.b/c) ((d).e) ]" });
}

static void path_interpolation(void **state)
{
	OK({ "./${a}", "(/base/ + a)" }, { "./a${b}", "(/base/a + b)" }, { "./a/${b}/c", "(/base/a/ + b + \"/c\")" },
	   { "/${a}", "(/ + a)" }, { "a/${b}", "(/base/a/ + b)" }, { "~/${a}", "(/home/u/ + a)" },
	   { "~/a-${b}.c", "(/home/u/a- + b + \".c\")" }, { "./${a}${b}", "(/base/ + a + b)" },
	   { "./a//b${c}", "(/base/a/ + \"/b\" + c)" }, { "./${a}//b", "(/base/ + a + \"/\" + \"/b\")" },
	   { "[./${a} b]", "[ ((/base/ + a)) (b) ]" }, { "./${a}.b", "(/base/ + a + \".b\")" });
}

static void path_errors(void **state)
{
	BAD({ "./a/", 3, 1, "a path literal cannot end with a slash" }, { "[ ~/a/ ]", 5, 1, "a path literal cannot end with a slash" },
	    { "./${a}/", 6, 1, "a path literal cannot end with a slash" },
	    { "./a//b", 6, 0, "syntax error: unexpected end of path: a path cannot contain '//'; the operator needs blanks around it" },
	    { "[ ./ ]", 2, 1, "syntax error: unexpected '.': a path cannot end with a slash; the current directory is './.'" },
	    { "../", 0, 1, "syntax error: unexpected '.': a path cannot end with a slash; the parent directory is '../.'" },
	    { "~", 0, 1, "unexpected character '~'; a path in the home folder is written ~/x" });
}

static void home_paths_may_be_refused(void **state)
{
	(void)state;
	set_up_options();
	options.pure = 1;
	parse("[ ~/a ]");
	check_err("~/a", 2, 3, "path '~/a' depends on the home directory, which pure evaluation does not allow");
	set_up_options();
	options.home = NULL;
	parse("[ ~/a ]");
	check_err("~/a", 2, 3, "path '~/a' needs a home directory, and none is known");
}

static void search_paths(void **state)
{
	OK({ "<a>", "(__findFile __nixPath \"a\")" }, { "<a/b.c>", "(__findFile __nixPath \"a/b.c\")" },
	   { "<a> { }", "(__findFile __nixPath \"a\" { })" }, { "f <a>", "(f (__findFile __nixPath \"a\"))" },
	   { "a <b", "(__lessThan a b)" }, { "a<b>", "(a (__findFile __nixPath \"b\"))" });
}

static void urls(void **state)
{
	OK({ "http://a.b/c?d=e&f", "\"http://a.b/c?d=e&f\"" }, { "x:x", "\"x:x\"" }, { "x: x", "(x: x)" },
	   { "a+b-c.d:e", "\"a+b-c.d:e\"" }, { "_a:b", "(_a: b)" }, { "a_b:c", "(a_b: c)" }, { "x.y:z", "\"x.y:z\"" });
}

/* --- operators and application ------------------------------------------------------------------------ */

static void operators(void **state)
{
	OK({ "a == b", "(a == b)" }, { "a != b", "(a != b)" }, { "a < b", "(__lessThan a b)" }, { "a > b", "(__lessThan b a)" },
	   { "a <= b", "(! (__lessThan b a))" }, { "a >= b", "(! (__lessThan a b))" }, { "a && b", "(a && b)" },
	   { "a || b", "(a || b)" }, { "a -> b", "(a -> b)" }, { "a // b", "(a // b)" }, { "a ++ b", "(a ++ b)" },
	   { "a + b", "(a + b)" }, { "a - b", "(__sub a b)" }, { "a * b", "(__mul a b)" }, { "a / b", "(__div a b)" },
	   { "!a", "(! a)" }, { "-a", "(__sub 0 a)" }, { "a ? b", "((a) ? b)" });
}

static void precedence(void **state)
{
	OK({ "a + b * c", "(a + (__mul b c))" }, { "a * b + c", "((__mul a b) + c)" }, { "a - b - c", "(__sub (__sub a b) c)" },
	   { "a ++ b ++ c", "(a ++ (b ++ c))" }, { "a // b // c", "(a // (b // c))" }, { "a -> b -> c", "(a -> (b -> c))" },
	   { "a && b || c && d", "((a && b) || (c && d))" }, { "a || b -> c", "((a || b) -> c)" }, { "!a && b", "((! a) && b)" },
	   { "!a == b", "((! a) == b)" }, { "!a + b", "(! (a + b))" }, { "!a ? b", "(! ((a) ? b))" }, { "-a * b", "(__mul (__sub 0 a) b)" },
	   { "-a.b", "(__sub 0 (a).b)" }, { "- - a", "(__sub 0 (__sub 0 a))" }, { "!!a", "(! (! a))" }, { "-a ? b", "(((__sub 0 a)) ? b)" },
	   { "a ? b ? c", "((((a) ? b)) ? c)" }, { "a ++ b ? c", "(a ++ ((b) ? c))" }, { "a * b ++ c", "(__mul a (b ++ c))" },
	   { "a // b == c", "((a // b) == c)" }, { "a < b == c", "((__lessThan a b) == c)" }, { "a + b // c", "((a + b) // c)" },
	   { "f a + g b", "((f a) + (g b))" }, { "a == b && c", "((a == b) && c)" }, { "x: x + 1", "(x: (x + 1))" },
	   { "if a then b else c + d", "(if a then b else (c + d))" }, { "with a; b c", "(with a; (b c))" });
}

static void calls_join(void **state)
{
	OK({ "f a b", "(f a b)" }, { "(f a) b", "(f a b)" }, { "f (a b)", "(f (a b))" }, { "((f) a) b c", "(f a b c)" },
	   { "(a - b) c", "(__sub a b c)" }, { "(-a) b", "(__sub 0 a b)" }, { "(a < b) c", "(__lessThan a b c)" },
	   { "(a <= b) c", "((! (__lessThan b a)) c)" }, { "(a + b) c", "((a + b) c)" }, { "f.a b.c", "((f).a (b).c)" },
	   { "(x: x) 1", "((x: x) 1)" }, { "f a b c d e f g h i j", "(f a b c d e f g h i j)" }, { "1 2", "(1 2)" });
}

static void pipes(void **state)
{
	OK({ "a |> f", "(f a)" }, { "a |> f |> g", "(g (f a))" }, { "f <| g <| a", "(f (g a))" }, { "a |> f b", "(f b a)" },
	   { "f a <| b", "(f a b)" }, { "a + b |> f", "(f (a + b))" }, { "x: x |> f", "(x: (f x))" }, { "a -> b |> f", "(f (a -> b))" });
}

static void operator_errors(void **state)
{
	BAD({ "a == b == c", 7, 2, "syntax error: unexpected '==': comparisons do not chain; use parentheses or '&&'" },
	    { "a < b > c", 6, 1, "syntax error: unexpected '>': comparisons do not chain; use parentheses or '&&'" },
	    { "a |> b <| c", 7, 2, "syntax error: unexpected '<|': '|>' and '<|' do not mix without parentheses" },
	    { "a <| b |> c", 7, 2, "syntax error: unexpected '|>': '|>' and '<|' do not mix without parentheses" },
	    { "1 +", 3, 0, "syntax error: unexpected end of file, expected an expression" },
	    { "* 2", 0, 1, "syntax error: unexpected '*', expected an expression" },
	    { "a ? 1", 4, 1, "syntax error: unexpected integer '1': '?' asks whether a set has an attribute; a choice is written 'if c then a else b'" },
	    { "a ? b.", 6, 0, "syntax error: unexpected end of file, expected a name" },
	    { "f x: x", 3, 1, "syntax error: unexpected ':': a function used as an operand or argument needs parentheses" },
	    { "f if a then b else c", 2, 2, "syntax error: unexpected 'if': as an operand or argument it needs parentheses" },
	    { "1 + assert a; b", 4, 6, "syntax error: unexpected 'assert': as an operand or argument it needs parentheses" },
	    { "1 + let a = 1; in a", 8, 1,
	      "syntax error: unexpected identifier 'a': a 'let' used as an operand or argument needs parentheses" },
	    { "f(a, b)", 3, 1, "syntax error: unexpected ',': arguments are separated by blanks, f a b" },
	    { "x => x", 2, 1, "syntax error: unexpected '=': a function is written 'x: body'" });
}

/* --- selection, `or` ---------------------------------------------------------------------------------- */

static void selection(void **state)
{
	OK({ "a.b.c", "(a).b.c" }, { "a.\"b c\"", "(a).\"b c\"" }, { "a.${b}", "(a).\"${b}\"" }, { "a.${\"b\"}", "(a).b" },
	   { "a.\"${b}\"", "(a).\"${(b)}\"" }, { "a.${''b''}", "(a).b" }, { "a.\"\"", "(a).\"\"" }, { "a.\"if\"", "(a).\"if\"" },
	   { "a.b or c", "(a).b or (c)" }, { "a.b or c.d or e", "(a).b or ((c).d or (e))" }, { "a.b or c d", "((a).b or (c) d)" },
	   { "f a.b or c", "(f (a).b or (c))" }, { "a ? b.c", "((a) ? b.c)" }, { "a ? ${b}.\"c\"", "((a) ? \"${b}\".c)" },
	   { "{ }.a", "({ }).a" }, { "a.b.or or c", "(a).b.or or (c)" }, { "(a).b", "(a).b" });
}

static void or_as_a_name(void **state)
{
	OK({ "map or [ ]", "(map or [ ])" }, { "f or", "(f or)" }, { "f (g or)", "(f (g or))" }, { "f or a", "(f or a)" },
	   { "[ (f or) ]", "[ ((f or)) ]" });
	assert_string_equal(buf_str(&last.warnings), "");
}

static void or_as_a_name_warns(void **state)
{
	const char *msg = ": 'or' is used as an identifier here, in a way whose meaning will change; put this "
			  "expression in parentheses to keep its present meaning\n";
	struct buf want = BUF_INIT;

	OK({ "[ f or ]", "[ ((f or)) ]" });
	buf_addf(&want, "2+4%s", msg);
	assert_string_equal(buf_str(&last.warnings), buf_str(&want));
	buf_trim(&want, 0);
	OK({ "f g or", "(f (g or))" });
	buf_addf(&want, "2+4%s", msg);
	assert_string_equal(buf_str(&last.warnings), buf_str(&want));
	buf_trim(&want, 0);
	OK({ "a.b or c or", "(a).b or ((c or))" });
	buf_addf(&want, "7+4%s", msg);
	assert_string_equal(buf_str(&last.warnings), buf_str(&want));
	buf_release(&want);
}

static void selection_errors(void **state)
{
	BAD({ "a.", 2, 0, "syntax error: unexpected end of file, expected a name" },
	    { "a.if", 2, 2, "syntax error: unexpected 'if': it is a reserved word; in quotes it can be the name of an attribute" },
	    { "a.b or", 6, 0, "syntax error: unexpected end of file, expected an expression" },
	    { "a.b.;", 4, 1, "syntax error: unexpected ';', expected a name" },
	    { "a or or", 5, 2, "syntax error: unexpected 'or', expected end of file" });
}

/* --- sets --------------------------------------------------------------------------------------------- */

static void sets(void **state)
{
	OK({ "{ }", "{ }" }, { "rec { }", "rec { }" }, { "{ b = 1; a = 2; }", "{ a = 2; b = 1; }" },
	   { "{ inherit b a; inherit; }", "{ inherit a b; }" }, { "{ inherit (x) b a; }", "{ inherit (x) a b; }" },
	   { "{ inherit (x); }", "{ }" }, { "{ inherit \"a b\" ${\"c\"} or; }", "{ inherit \"a b\" c or; }" },
	   { "{ c = 1; inherit (y) q; inherit (x) r; inherit b; }", "{ inherit b; inherit (y) q; inherit (x) r; c = 1; }" },
	   { "{ \"a\" = 1; \"\" = 2; \"let\" = 3; }", "{ \"\" = 2; a = 1; \"let\" = 3; }" },
	   { "{ ${a} = 1; \"b${c}\" = 2; }", "{ \"${a}\" = 1; \"${(\"b\" + c)}\" = 2; }" }, { "{ ${\"a\"} = 1; }", "{ a = 1; }" },
	   { "let { body = 1; }", "(rec { body = 1; }).body" }, { "let { }", "(rec { }).body" });
}

static void nested_paths_merge(void **state)
{
	OK({ "{ a.b = 1; a.c = 2; }", "{ a = { b = 1; c = 2; }; }" }, { "{ a.b.c = 1; a.b.d = 2; a.e = 3; }", "{ a = { b = { c = 1; d = 2; }; e = 3; }; }" },
	   { "{ a = { b = 1; }; a.c = 2; }", "{ a = { b = 1; c = 2; }; }" }, { "{ a.c = 2; a = { b = 1; }; }", "{ a = { b = 1; c = 2; }; }" },
	   { "{ a = { b = 1; }; a = { c = 2; }; }", "{ a = { b = 1; c = 2; }; }" }, { "{ a = ({ b = 1; }); a.c = 2; }", "{ a = { b = 1; c = 2; }; }" },
	   { "{ a = { b.c = 1; }; a = { b.d = 2; }; }", "{ a = { b = { c = 1; d = 2; }; }; }" },
	   { "let a.b = 1; a.c = 2; in a", "(let a = { b = 1; c = 2; }; in a)" }, { "{ ${a}.b = 1; ${a}.c = 2; }", "{ \"${a}\" = { b = 1; }; \"${a}\" = { c = 2; }; }" },
	   { "{ a.${b} = 1; a.${b} = 2; }", "{ a = { \"${b}\" = 1; \"${b}\" = 2; }; }" },
	   { "{ a.${b}.c = 1; a.d = 2; }", "{ a = { d = 2; \"${b}\" = { c = 1; }; }; }" });
}

static void merging_keeps_the_first_rec(void **state)
{
	OK({ "{ a = rec { b = 1; }; a = { c = b; }; }", "{ a = rec { b = 1; c = b; }; }" },
	   { "{ a = { b = 1; }; a = rec { c = b; }; }", "{ a = { b = 1; c = b; }; }" },
	   { "{ a.b = 1; a = rec { c = b; }; }", "{ a = { b = 1; c = b; }; }" });
}

static void merging_renumbers_inherits(void **state)
{
	OK({ "{ a = { inherit (x) p; }; a = { inherit (y) q r; }; }", "{ a = { inherit (x) p; inherit (y) q r; }; }" },
	   { "{ a = { inherit (x) p; inherit (y) q; }; a = { inherit (z) r; inherit (w) s t; }; }",
	     "{ a = { inherit (x) p; inherit (y) q; inherit (z) r; inherit (w) s t; }; }" },
	   { "{ a.b = 1; a = { inherit c; inherit (d) e; ${f} = g; }; }", "{ a = { inherit c; inherit (d) e; b = 1; \"${f}\" = g; }; }" });
}

static void many_bindings(void **state)
{
	struct buf in = BUF_INIT, want = BUF_INIT;

	(void)state;
	set_up_options();
	buf_adds(&in, "{ ");
	buf_adds(&want, "{ a = { ");
	for (int i = 1000; i < 3000; i++) {
		buf_addf(&in, "a.x%d = %d; ", 3999 - i, 3999 - i);
		buf_addf(&want, "x%d = %d; ", i, i);
	}
	buf_adds(&in, "}");
	buf_adds(&want, "}; }");
	assert_non_null(parse(buf_str(&in)));
	assert_string_equal(buf_str(&last.out), buf_str(&want));
	buf_trim(&in, in.len - 1);
	buf_adds(&in, "a.x1500 = 0; }");
	assert_null(parse(buf_str(&in)));
	assert_string_equal(last.e.msg, "attribute 'a.x1500' already defined at t:1:23987");
	buf_release(&in);
	buf_release(&want);
}

static void duplicates(void **state)
{
	BAD({ "{ a = 1; a = 2; }", 9, 1, "attribute 'a' already defined at t:1:3" },
	    { "{ a.b = 1; a.b = 2; }", 11, 3, "attribute 'a.b' already defined at t:1:3" },
	    { "{ a.b = 1;\n  a = 2; }", 13, 1, "attribute 'a' already defined at t:1:3" },
	    { "{ a = 1; a.b.c = 2; }", 9, 5, "attribute 'a' already defined at t:1:3" },
	    { "{ a.b = 1; a.b.c = 2; }", 11, 5, "attribute 'a.b' already defined at t:1:3" },
	    { "{ a = { b = 1; }; a.b = 2; }", 18, 3, "attribute 'a.b' already defined at t:1:9" },
	    { "{ a = { b = 1; }; a = { b = 2; }; }", 24, 1, "attribute 'a.b' already defined at t:1:9" },
	    { "{ a = { b = { c = 1; }; }; a = { b.c = 2; }; }", 33, 3, "attribute 'a.b.c' already defined at t:1:15" },
	    { "{ a = x; a = { }; }", 9, 1, "attribute 'a' already defined at t:1:3" },
	    { "{ inherit a; a = 1; }", 13, 1, "attribute 'a' already defined at t:1:11" },
	    { "{ inherit a a; }", 12, 1, "attribute 'a' already defined at t:1:11" },
	    { "{ inherit a; a.b = 1; }", 13, 3, "attribute 'a' already defined at t:1:11" },
	    { "{ a = 1; inherit (x) a; }", 21, 1, "attribute 'a' already defined at t:1:3" },
	    { "{ inherit (x) a; a = { }; }", 17, 1, "attribute 'a' already defined at t:1:15" },
	    { "let a = 1; a = 2; in a", 11, 1, "attribute 'a' already defined at t:1:5" },
	    { "{ a.\"b c\" = 1; a.\"b c\" = 2; }", 15, 7, "attribute 'a.\"b c\"' already defined at t:1:3" },
	    { "{ a = { ${x} = 1; b = 2; }; a = { b = 3; }; }", 34, 1, "attribute 'a.b' already defined at t:1:19" });
}

static void set_errors(void **state)
{
	BAD({ "{ a = 1 }", 7, 1, "syntax error: a ';' is missing here" },
	    { "{ a = 1 b = 2; }", 10, 1,
	      "syntax error: unexpected '=': is a ';' missing before this binding? A comparison is written '=='" },
	    { "{ a = 1, b = 2; }", 7, 1, "syntax error: unexpected ',': a binding ends with ';'" },
	    { "{ a = 1;", 8, 0, "syntax error: unexpected end of file: the '{' opened at t:1:1 is never closed" },
	    { "{ a = (1; }", 8, 1, "syntax error: unexpected ';', expected ')' to close the '(' opened at t:1:7" },
	    { "{ a == 1; }", 4, 2, "syntax error: unexpected '==', expected '.' or '='" },
	    { "{ a b = 1; }", 4, 1, "syntax error: unexpected identifier 'b', expected '.' or '='" },
	    { "{ 1 = 2; }", 2, 1, "syntax error: unexpected integer '1', expected a name, 'inherit', '...' or '}'" },
	    { "{ if = 1; }", 2, 2, "syntax error: unexpected 'if': it is a reserved word; in quotes it can be the name of an attribute" },
	    { "{ inherit if; }", 10, 2,
	      "syntax error: unexpected 'if': it is a reserved word; in quotes it can be the name of an attribute" },
	    { "{ inherit ${a}; }", 10, 4, "dynamic attributes are not allowed in 'inherit'" },
	    { "{ inherit (a) \"${b}\"; }", 14, 6, "dynamic attributes are not allowed in 'inherit'" },
	    { "rec a", 4, 1, "syntax error: unexpected identifier 'a', expected '{'" });
}

/* --- the other forms ---------------------------------------------------------------------------------- */

static void list_literals(void **state)
{
	OK({ "[ ]", "[ ]" }, { "[1]", "[ (1) ]" }, { "[ 1 a.b (f x) [ 2 ] ]", "[ (1) ((a).b) ((f x)) ([ (2) ]) ]" },
	   { "[ a.b or c ]", "[ ((a).b or (c)) ]" }, { "[ \"a\" ''b'' ./c <d> ]", "[ (\"a\") (\"b\") (/base/c) ((__findFile __nixPath \"d\")) ]" });
}

static void list_errors(void **state)
{
	BAD({ "[ 1, 2 ]", 3, 1, "syntax error: unexpected ',': elements of a list are separated by blanks" },
	    { "[ 1; ]", 3, 1, "syntax error: unexpected ';', expected an expression or ']' to close the '[' opened at t:1:1" },
	    { "[ 1 )", 4, 1, "syntax error: unexpected ')', expected an expression or ']' to close the '[' opened at t:1:1" },
	    { "[ 1", 3, 0, "syntax error: unexpected end of file: the '[' opened at t:1:1 is never closed" },
	    { "[ -1 ]", 2, 1, "syntax error: unexpected '-': an operator inside a list needs parentheses, [ (a + b) (-1) ]" },
	    { "]", 0, 1, "syntax error: unexpected ']', expected an expression" });
}

static void functions(void **state)
{
	OK({ "x: x", "(x: x)" }, { "x: y: x", "(x: (y: x))" }, { "{ }: 1", "({  }: 1)" }, { "{ ... }: 1", "({ ... }: 1)" },
	   { "{ b, a }: 1", "({ a, b }: 1)" }, { "{ a, }: 1", "({ a }: 1)" }, { "{ b ? a, a ? { }, ... }: 1", "({ a ? { }, b ? a, ... }: 1)" },
	   { "x@{ a }: 1", "({ a } @ x: 1)" }, { "{ a } @ x: 1", "({ a } @ x: 1)" }, { "x@{ }: 1", "({  } @ x: 1)" },
	   { "{ a ? { b ? 1 }: b }: a", "({ a ? ({ b ? 1 }: b) }: a)" });
}

static void formal_errors(void **state)
{
	BAD({ "{ a, a }: 1", 5, 1, "duplicate formal function argument 'a'" }, { "{ a, b, b, a }: 1", 8, 1, "duplicate formal function argument 'b'" },
	    { "x@{ a, x }: 1", 0, 10, "duplicate formal function argument 'x'" }, { "{ a }@a: 1", 0, 7, "duplicate formal function argument 'a'" },
	    { "{ ..., a }: 1", 5, 1, "syntax error: unexpected ',': '...' comes last among the arguments" },
	    { "{ a, b = 1 }: 1", 7, 1, "syntax error: unexpected '=': the default of an argument is written with '?'" },
	    { "{ if }: 1", 2, 2, "syntax error: unexpected 'if': it is a reserved word and cannot name an argument" },
	    { "{ a = 1; }: 1", 10, 1,
	      "syntax error: unexpected ':': these braces hold bindings; the arguments of a function are { a, b ? default, ... }" },
	    { "{ a, b }", 8, 0, "syntax error: unexpected end of file, expected ':' or '@'" },
	    { "x@{ }", 5, 0, "syntax error: unexpected end of file, expected ':'" },
	    { "x:", 2, 0, "syntax error: unexpected end of file, expected an expression" });
}

static void keyword_forms(void **state)
{
	OK({ "let a = 1; in a", "(let a = 1; in a)" }, { "let in 1", "(let in 1)" }, { "let inherit (a) b; c = 1; in c", "(let inherit (a) b; c = 1; in c)" },
	   { "with a; b", "(with a; b)" }, { "assert a; b", "assert a; b" }, { "if a then b else c", "(if a then b else c)" },
	   { "if a then b else if c then d else e", "(if a then b else (if c then d else e))" }, { "assert a; with b; let c = 1; in c", "assert a; (with b; (let c = 1; in c))" });
}

static void keyword_errors(void **state)
{
	BAD({ "if a then b", 11, 0, "syntax error: unexpected end of file: every 'if' needs an 'else'" },
	    { "if a b", 6, 0, "syntax error: unexpected end of file, expected 'then'" },
	    { "if a = b then c else d", 5, 1, "syntax error: unexpected '=': a comparison is written '=='" },
	    { "a = 1", 2, 1,
	      "syntax error: unexpected '=': a comparison is written '==', and bindings stand in '{ }' or 'let ... in'" },
	    { "(a = b)", 3, 1, "syntax error: unexpected '=': a comparison is written '=='" },
	    { "let a = 1; b = 2 in a", 16, 1, "syntax error: a ';' is missing here" },
	    { "let a = 1;", 10, 0, "syntax error: unexpected end of file, expected 'in'" },
	    { "let a = 1; if a then b else c", 11, 2, "syntax error: unexpected 'if', expected 'in'" },
	    { "let if = 1; in 2", 4, 2, "syntax error: unexpected 'if': it is a reserved word; in quotes it can be the name of an attribute" },
	    { "let a = 1; then = 2; in 2", 11, 4,
	      "syntax error: unexpected 'then': it is a reserved word; in quotes it can be the name of an attribute" },
	    { "let { a = 1; } in a", 15, 2, "syntax error: unexpected 'in': 'let' takes its bindings without braces, let a = 1; in a" },
	    { "let ${a} = 1; in 1", 4, 4,
	      "dynamic attributes are not allowed in 'let': its names must be known before anything is evaluated" },
	    { "with a b", 8, 0, "syntax error: unexpected end of file, expected ';'" },
	    { "assert", 6, 0, "syntax error: unexpected end of file, expected an expression" },
	    { "inherit a;", 0, 7, "syntax error: unexpected 'inherit', expected an expression" },
	    { "", 0, 0, "syntax error: unexpected end of file, expected an expression" },
	    { "1 ; 2", 2, 1, "syntax error: unexpected ';': the expression is over here; either a closing bracket before it is one too many, or the ';' is" },
	    { "(1", 2, 0, "syntax error: unexpected end of file: the '(' opened at t:1:1 is never closed" },
	    { "(1]", 2, 1, "syntax error: unexpected ']', expected ')' to close the '(' opened at t:1:1" } );
}

static void bindings_of_a_repl(void **state)
{
	(void)state;
	set_up_options();
	assert_non_null(parse_bytes(parse_bindings, "a = 1; b.c = 2; inherit (x) d;", 30));
	assert_int_equal(last.tree->kind, E_ATTRS);
	assert_int_equal(last.tree->rec, 0);
	assert_string_equal(buf_str(&last.out), "{ inherit (x) d; a = 1; b = { c = 2; }; }");
	parse_bytes(parse_bindings, "a = 1", 5);
	check_err("a = 1", 5, 0, "syntax error: unexpected end of file, expected ';'");
	parse_bytes(parse_bindings, "1 + 1", 5);
	check_err("1 + 1", 0, 1, "syntax error: unexpected integer '1', expected a name or 'inherit'");
	parse_bytes(parse_bindings, "a = 1; a = 2;", 13);
	check_err("a = 1; a = 2;", 7, 1, "attribute 'a' already defined at t:1:1");
}

/* --- what the printer does not show ------------------------------------------------------------------- */

static struct expr *value_of(const char *name)
{
	const struct bindings *b = last.tree->kind == E_LET ? last.tree->let.b : last.tree->attrs.b;

	for (uint32_t i = 0; i < b->n; i++)
		if (b->v[i].sym == sym_c(name))
			return b->v[i].value;
	fail_msg("no %s", name);
	return NULL;
}

static void check_span(const struct expr *e, const char *text, unsigned at)
{
	assert_int_equal(e->pos - last.src->start, at);
	assert_int_equal(e->len, strlen(text));
	assert_memory_equal(last.src->text + at, text, strlen(text));
}

static void spans(void **state)
{
	const struct expr *e;

	(void)state;
	set_up_options();
	assert_non_null(parse("{ a = f x \"b\"; c = x + y.z; d = [ 1 ]; e = !q; g = 1 |> h; }"));
	check_span(last.tree, "{ a = f x \"b\"; c = x + y.z; d = [ 1 ]; e = !q; g = 1 |> h; }", 0);
	check_span(value_of("a"), "f x \"b\"", 6);
	check_span(value_of("a")->call.v[1], "\"b\"", 10);
	check_span(value_of("c"), "+", 21);
	check_span(value_of("c")->bin.r, "y.z", 23);
	check_span(value_of("d"), "[ 1 ]", 32);
	check_span(value_of("e"), "!q", 43);
	check_span(value_of("g"), "|>", 53);
	assert_non_null(parse("x: (with a; b).${c} or d"));
	e = last.tree->lambda.body;
	check_span(e, "(with a; b).${c} or d", 3);
	assert_int_equal(e->select.path->v[0].pos - last.src->start, 15);
	assert_int_equal(e->select.path->v[0].len, 4);
	assert_int_equal(e->select.e->paren, 1);
	check_span(e->select.e, "with a; b", 4);
}

static void binding_positions(void **state)
{
	const struct binding *b;

	(void)state;
	set_up_options();
	assert_non_null(parse("{ a.b.c = 1; inherit d; }"));
	b = last.tree->attrs.b->v;
	assert_int_equal(b[0].pos - last.src->start, 2);
	assert_int_equal(b[0].len, 5);
	assert_int_equal(b[0].value->attrs.b->v[0].pos, b[0].pos);
	assert_int_equal(b[1].pos - last.src->start, 21);
	assert_int_equal(b[1].kind, BIND_INHERIT);
}

static void lambdas_are_named(void **state)
{
	(void)state;
	set_up_options();
	assert_non_null(parse("{ f = x: y: x; g = (z: z); a.b.h = x: x; i = [ (x: x) ]; }"));
	assert_int_equal(value_of("f")->lambda.name, sym_c("f"));
	assert_int_equal(value_of("f")->lambda.body->lambda.name, sym_c("f"));
	assert_int_equal(value_of("g")->lambda.name, sym_c("g"));
	assert_int_equal(value_of("a")->attrs.b->v[0].value->attrs.b->v[0].value->lambda.name, sym_c("h"));
	assert_int_equal(value_of("i")->list.v[0]->lambda.name, SYM_NONE);
	assert_non_null(parse("let f = x: x; in f"));
	assert_int_equal(value_of("f")->lambda.name, sym_c("f"));
}

static void check_doc(const struct expr *e, const char *doc)
{
	struct buf b = BUF_INIT;

	assert_int_equal(e->kind, E_LAMBDA);
	if (!doc) {
		assert_int_equal(e->lambda.doc_pos, 0);
		return;
	}
	assert_int_not_equal(e->lambda.doc_pos, 0);
	doc_text(&b, last.src->text + (e->lambda.doc_pos - last.src->start), e->lambda.doc_len);
	assert_string_equal(buf_str(&b), doc);
	buf_release(&b);
}

static void doc_comments(void **state)
{
	(void)state;
	set_up_options();
	assert_non_null(parse("{ /** on the name */ a = x: y: x; b = /** on the value */ x: x; /* no */ c = x: x;\n"
			      "  /** far */ # and\n /* between */ d = x: x; /**/ e = x: x; /*** no */ f = x: x;\n"
			      "  /** outer */ g = x: /** inner */ y: x; /** lost */ h = 1; i = x: x; }"));
	check_doc(value_of("a"), "on the name \n");
	check_doc(value_of("a")->lambda.body, "on the name \n");
	check_doc(value_of("b"), "on the value \n");
	check_doc(value_of("c"), NULL);
	check_doc(value_of("d"), "far \n");
	check_doc(value_of("e"), NULL);
	check_doc(value_of("f"), NULL);
	check_doc(value_of("g"), "outer \n");
	check_doc(value_of("g")->lambda.body, "inner \n");
	check_doc(value_of("i"), NULL);
	assert_non_null(parse("/** whole file */ { a }: /* x */ a"));
	check_doc(last.tree, "whole file \n");
}

static void doc_text_loses_indentation(void **state)
{
	static const struct { const char *doc, *text; } t[] = {
		{ " a ", "a \n" }, { "a", "a\n" }, { "\n    a\n      b\n  ", "\na\n  b\n\n" }, { " a\n    b", "a\nb\n" },
		{ "\r\n  a\r\n  b\r\n", " \na\nb\n" }, { "\n\ta\n", "   \n\ta\n" }, { "   a\n  b\n", "    a\nb\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		struct buf b = BUF_INIT;
		doc_text(&b, t[i].doc, strlen(t[i].doc));
		assert_string_equal(buf_str(&b), t[i].text);
		buf_release(&b);
	}
}

static void lints_warn(void **state)
{
	(void)state;
	set_up_options();
	options.url_literals = options.absolute_paths = options.short_paths = LINT_WARN;
	assert_non_null(parse("[ http://a /b c/d ./e ~/f ]"));
	assert_string_equal(buf_str(&last.warnings),
			    "2+8: URL literal 'http://a' should be a string, in quotes (lint-url-literals)\n"
			    "11+2: absolute path literals are not portable; instead of '/b' consider a string, a relative path or a "
			    "parameter (lint-absolute-path-literals)\n"
			    "14+3: relative path literal 'c/d' should be prefixed with './' (lint-short-path-literals)\n"
			    "22+3: home path literals are not portable; instead of '~/f' consider a string, a relative path or a "
			    "parameter (lint-absolute-path-literals)\n");
	options.warn = NULL;
	assert_non_null(parse("http://a"));
}

static void lints_refuse(void **state)
{
	(void)state;
	set_up_options();
	options.url_literals = LINT_FATAL;
	parse("f http://a");
	check_err("url", 2, 8, "URL literal 'http://a' should be a string, in quotes (lint-url-literals)");
	set_up_options();
	options.short_paths = LINT_FATAL;
	assert_non_null(parse("[ ./a ../b /c ]"));
	parse("a/b");
	check_err("short", 0, 3, "relative path literal 'a/b' should be prefixed with './' (lint-short-path-literals)");
	set_up_options();
	options.absolute_paths = LINT_FATAL;
	parse("/a${b}");
	check_err("absolute", 0, 2,
		  "absolute path literals are not portable; instead of '/a' consider a string, a relative path or a parameter "
		  "(lint-absolute-path-literals)");
}

/* --- limits ------------------------------------------------------------------------------------------- */

static void repeat(struct buf *b, const char *s, int n)
{
	while (n-- > 0)
		buf_adds(b, s);
}

static struct expr *parse_nested(const char *open, const char *middle, const char *close, int n)
{
	struct buf b = BUF_INIT;
	struct expr *e;

	repeat(&b, open, n);
	buf_adds(&b, middle);
	repeat(&b, close, n);
	e = parse(buf_str(&b));
	buf_release(&b);
	return e;
}

static void nesting_is_limited(void **state)
{
	static const struct { const char *open, *middle, *close; } t[] = {
		{ "[", "", "]" }, { "(", "1", ")" }, { "{ a = ", "1", "; }" }, { "\"${", "a", "}\"" }, { "''${", "a", "}''" },
		{ "-", "1", "" }, { "!", "a", "" }, { "1 + (", "1", ")" }, { "a ++ ", "a", "" }, { "x: ", "1", "" },
		{ "if a then b else ", "c", "" }, { "let a = ", "1", "; in a" }, { "with a; ", "1", "" }, { "{ a ? ", "1", " }: a" },
		{ "f (", "1", ")" }, { "a.${", "b", "}" }, { "a.b or ", "c", "" }, { "f <| ", "a", "" }, { "./${", "a", "}" },
		{ "", "1", " ? a" }, { "rec { a = ", "1", "; }" }, { "{ inherit (", "a", ") b; }" },
	};

	(void)state;
	set_up_options();
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		if (!parse_nested(t[i].open, t[i].middle, t[i].close, LIMIT_PARSE_DEPTH / 2 - 1))
			fail_msg("%s: %s", t[i].open, last.e.msg);
		assert_null(parse_nested(t[i].open, t[i].middle, t[i].close, 100000));
		assert_int_equal(last.e.code, ERR_LIMIT);
		assert_string_equal(last.e.msg, "nested too deeply: more than 10000 levels");
		assert_true(last.e.pos >= last.src->start);
	}
}

static void long_paths_are_nesting_too(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	set_up_options();
	buf_adds(&b, "{ ");
	repeat(&b, "a.", 9000);
	buf_adds(&b, "a = 1; ");
	repeat(&b, "a.", 8999);
	buf_adds(&b, "b = 1; }");
	assert_non_null(parse(buf_str(&b)));
	buf_trim(&b, 2);
	repeat(&b, "a.", 10000);
	buf_adds(&b, "a = 1; }");
	assert_null(parse(buf_str(&b)));
	assert_int_equal(last.e.code, ERR_LIMIT);
	buf_trim(&b, 0);
	repeat(&b, "a.", 200000);
	buf_adds(&b, "a");
	assert_non_null(parse(buf_str(&b)));
	buf_release(&b);
}

static void wide_is_not_deep(void **state)
{
	(void)state;
	set_up_options();
	assert_non_null(parse_nested("", "f", " x", 100000));
	assert_int_equal(last.tree->call.n, 100000);
	assert_int_equal(last.tree->depth, 1);
}

static void chains_are_not_deep(void **state)
{
	static const struct { const char *first, *link, *open, *second; } t[] = {
		{ "1", " + 1", "(", "(1 + 1)" }, { "1", " - 1", "(__sub ", "(__sub 1 1)" },
		{ "1", " * 1", "(__mul ", "(__mul 1 1)" }, { "1", " / 1", "(__div ", "(__div 1 1)" },
		{ "a", " && a", "(", "(a && a)" }, { "a", " || a", "(", "(a || a)" },
		{ "1", " |> f", "(f ", "(f 1)" }, { "1", " |> f a", "(f a ", "(f a 1)" },
	};
	const int n = 100000;

	(void)state;
	set_up_options();
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		struct buf b = BUF_INIT;
		size_t open = strlen(t[i].open);
		assert_non_null(parse_nested("", t[i].first, t[i].link, n));
		assert_int_equal(last.tree->depth, 1);
		print_ast(&b, last.tree);
		for (int k = 0; k < n - 1; k++)
			assert_memory_equal(b.p + open * k, t[i].open, open);
		assert_memory_equal(b.p + open * (n - 1), t[i].second, strlen(t[i].second));
		buf_release(&b);
	}
	/* What hangs on a chain counts as ever. */
	assert_non_null(parse("1 + [ [ (1 + 1 * 2 + 3) ] ] - 1"));
	assert_int_equal(last.tree->depth, 5);
	assert_non_null(parse("[ 1 ] |> f |> g [ [ 1 ] ] |> h"));
	assert_int_equal(last.tree->depth, 3);
}

#define T(f) cmocka_unit_test(f)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(numbers), T(number_errors), T(identifiers), T(comments_and_blanks), T(comment_errors), T(bad_characters),
		T(nul_bytes), T(strings), T(interpolation), T(string_errors), T(indented_strings), T(indented_escapes),
		T(indented_interpolation), T(path_literals), T(path_interpolation), T(path_errors),
		T(home_paths_may_be_refused), T(search_paths), T(urls), T(operators), T(precedence), T(calls_join),
		T(pipes), T(operator_errors), T(selection), T(or_as_a_name), T(or_as_a_name_warns), T(selection_errors),
		T(sets), T(nested_paths_merge), T(merging_keeps_the_first_rec), T(merging_renumbers_inherits),
		T(many_bindings), T(duplicates), T(set_errors), T(list_literals), T(list_errors), T(functions),
		T(formal_errors), T(keyword_forms), T(keyword_errors), T(bindings_of_a_repl), T(spans),
		T(binding_positions), T(lambdas_are_named), T(doc_comments), T(doc_text_loses_indentation),
		T(lints_warn), T(lints_refuse), T(nesting_is_limited), T(long_paths_are_nesting_too), T(wide_is_not_deep),
		T(chains_are_not_deep),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	forget();
	return failed;
}
