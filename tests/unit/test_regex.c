/* SPDX-License-Identifier: MIT
 *
 * base/regex: what matches, what the groups hold, what is refused, and that nothing takes long.
 *
 * Results are written as text: "-" for no match, else the groups in parentheses, "~" for one that took no part.
 * For a search each match is written before its groups.  The expected texts agree with libstdc++'s std::regex in
 * its extended syntax; the cases were picked from differences found by comparing the two on random expressions.
 */
#include "config.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/regex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static const struct regex *compiled(const char *pattern)
{
	struct err e = ERR_INIT;
	const struct regex *re = regex_get(pattern, strlen(pattern), &e);

	if (!re)
		fail_msg("/%s/ is refused: %s", pattern, e.msg);
	return re;
}

static void add_groups(struct buf *b, const struct regex *re, const char *text, const struct regex_span *g)
{
	for (uint32_t i = 0; i < regex_groups(re); i++) {
		buf_addc(b, '(');
		if (g[i].start == REGEX_UNSET)
			buf_addc(b, '~');
		else
			buf_add(b, text + g[i].start, g[i].end - g[i].start);
		buf_addc(b, ')');
	}
}

static void check(const char *kind, const char *pattern, const char *text, const char *expected, struct buf *got)
{
	if (strcmp(buf_str(got), expected))
		fail_msg("%s /%s/ '%s': expected %s, got %s", kind, pattern, text, expected, buf_str(got));
	buf_release(got);
}

static void matches(const char *pattern, const char *text, const char *expected)
{
	const struct regex *re = compiled(pattern);
	struct regex_span g[16];
	struct buf b = BUF_INIT;

	if (!regex_match(re, text, strlen(text), g))
		buf_addc(&b, '-');
	else
		add_groups(&b, re, text, g);
	check("match", pattern, text, expected, &b);
}

static void finds(const char *pattern, const char *text, const char *expected)
{
	const struct regex *re = compiled(pattern);
	struct regex_iter *it = regex_iter_new(re, text, strlen(text));
	struct regex_span whole, g[16];
	struct buf b = BUF_INIT;

	while (regex_iter_next(it, &whole, g)) {
		buf_addf(&b, "[%u,%u]", whole.start, whole.end);
		add_groups(&b, re, text, g);
	}
	check("find", pattern, text, expected, &b);
}

static void refuses(const char *pattern, int code)
{
	struct err e = ERR_INIT;

	if (regex_get(pattern, strlen(pattern), &e))
		fail_msg("/%s/ is accepted", pattern);
	assert_int_equal(e.code, code);
	assert_non_null(e.msg);
	err_release(&e);
}

/* --- matching the whole text --- */

static void plain_text_matches_itself(void **state)
{
	(void)state;
	matches("", "", "");
	matches("abc", "abc", "");
	matches("abc", "abcd", "-");
	matches("abc", "xabc", "-");
	matches("a}b]", "a}b]", "");
	matches("\\.\\[\\(\\)\\*\\+\\?\\{\\|\\^\\$\\\\", ".[()*+?{|^$\\", "");
}

static void dot_is_any_byte_but_nul(void **state)
{
	struct regex_span g[1];

	(void)state;
	matches("...", "a\n\xff", "");
	assert_false(regex_match(compiled("."), "", 1, g));
	assert_true(regex_match(compiled("[^a]"), "", 1, g));
}

static void repetition_is_greedy(void **state)
{
	(void)state;
	matches("(a*)(a*)", "aaa", "(aaa)()");
	matches("(a*)(a+)", "aaa", "(aa)(a)");
	matches("(a?)(ab)?b", "ab", "(a)(~)");
	matches("(.*)-(.*)", "a-b-c", "(a-b)(c)");
	matches("a**", "aaa", "");
	matches("(ab)*+?", "abab", "(ab)");
}

/* What is behind it matches where it ends, and does not go on: it gives back more than once. */
static void repetition_gives_back(void **state)
{
	(void)state;
	matches("(.*abc).*", "xabcab", "(xabc)");
	matches("(.*abc).*", "xabcabab", "(xabc)");
	finds("[a-c]*abc", "abcabab", "[0,3]");
}

static void intervals_are_exact(void **state)
{
	(void)state;
	matches("a{3}", "aaa", "");
	matches("a{3}", "aa", "-");
	matches("a{2,}", "a", "-");
	matches("a{2,}", "aaaaa", "");
	matches("(a{1,2})(a{0,2})", "aaa", "(aa)(a)");
	matches("(ab){2}", "abab", "(ab)");
	matches("(a){0}b", "b", "(~)");
	matches("a{2}{3}", "aaaaaa", "");
	matches("a{0,}", "", "");
	matches("a{02}", "aa", "");
}

static void groups_keep_their_last_text(void **state)
{
	(void)state;
	matches("(a|b)*", "abab", "(b)");
	matches("((a)|(b))*", "ab", "(b)(a)(b)");
	matches("(a)|(b)", "b", "(~)(b)");
	matches("(a(b)?)+", "aba", "(a)(b)");
	matches("()", "", "()");
	matches("(a|)", "", "()");
}

static void empty_rounds_set_groups(void **state)
{
	(void)state;
	matches("(a*)*", "aa", "()");
	matches("(a*)+", "aa", "()");
	matches("(a|b*)*", "ab", "()");
	matches("((a*)b?)*", "aab", "()()");
	matches("(x?)*", "", "()");
	matches("((|c)*b+?){1,2}|", "b", "()()");
}

static void alternatives_are_all_tried(void **state)
{
	(void)state;
	matches("(a|ab)(c|bcd)(d*)", "abcd", "(a)(bcd)()");
	matches("(ab|a)(bcd|c)(d*)", "abcd", "(ab)(c)(d)");
	matches("a|b|", "", "");
	matches("||a", "a", "");
	matches("(foo|foobar)(bar)?", "foobar", "(foo)(bar)");
}

static void anchors_stand_for_the_ends(void **state)
{
	(void)state;
	matches("^a$", "a", "");
	matches("a^b", "ab", "-");
	matches("(^)a($)", "a", "()()");
	matches("a$b", "a$b", "-");
	matches("^^a", "a", "");
	matches("(a|^b)*", "ba", "(a)");
}

static void brackets_are_sets_of_bytes(void **state)
{
	(void)state;
	matches("[abc]+", "cab", "");
	matches("[^abc]+", "cab", "-");
	matches("[a-c-]+", "a-c", "");
	matches("[-a]+", "a-", "");
	matches("[]a]+", "a]", "");
	matches("[^]a]", "b", "");
	matches("[a\\.]+", "\\.a", "");
	matches("[a^]+", "^a", "");
	matches("[--0]+", "-./0", "");
	matches("[[]", "[", "");
	matches("[[:alpha:]_][[:alnum:]_]*", "x_1", "");
	matches("[[:ALPHA:]]", "x", "");
	matches("[[:d:][:s:]]+", "1 2", "");
	matches("[[:w:]]+", "a_Z9", "");
	matches("[[.hyphen.]-/]+", "-./", "");
	matches("[[=a=]]+", "aA", "");
	matches("[[:upper:]]", "\xc9", "-");
	matches("[\x80-\xff]", "\xc9", "");
}

/* --- searching --- */

static void matches_follow_each_other(void **state)
{
	(void)state;
	finds("a", "banana", "[1,2][3,4][5,6]");
	finds("(a)|(n)", "an", "[0,1](a)(~)[1,2](~)(n)");
	finds("x", "banana", "");
	finds("[a-z]+", "ab, cd", "[0,2][4,6]");
}

static void empty_matches_are_taken_once(void **state)
{
	(void)state;
	finds("", "ab", "[0,0][1,1][2,2]");
	finds("a*", "baab", "[0,0][1,3][3,3][4,4]");
	finds("b*", "abb", "[0,0][1,3][3,3]");
	finds("|a", "aa", "[0,1][1,2][2,2]");
	finds("$", "ab", "[2,2]");
}

static void longest_alternative_wins(void **state)
{
	(void)state;
	finds("a|ab", "abab", "[0,2][2,4]");
	finds("(a|ab)(c|bcd)?", "abcd", "[0,4](a)(bcd)");
	/* Repetition stops at its first success: the rule is not simply the longest. */
	finds("a*(ab)?", "aab", "[0,2](~)[2,2](~)[3,3](~)");
}

static void start_anchor_matches_once(void **state)
{
	(void)state;
	finds("^a", "aa", "[0,1]");
	finds("^", "aa", "[0,0]");
	finds("^|a", "aa", "[0,1][1,2]");
}

/* --- what is no expression --- */

static void malformed_patterns_are_refused(void **state)
{
	static const char *const bad[] = {
		"(", ")", "a)", "(a", "*", "+a", "a|*", "(*a)", "^*", "a{", "a{1", "a{,2}", "a{2,1}", "a{x}", "{1}",
		"[", "[a", "[]", "[^]", "[z-a]", "[a-z--0]", "[[:foo:]]", "[[:alpha", "[[.xx.]]", "[[=xx=]]", "[[.-.]]",
		"[[:digit:]-z]", "[a-[:digit:]]", "[a-[.z.]]", "\\", "\\d", "\\n", "\\]", "\\}", "\\1", "[a-\xc3]",
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		refuses(bad[i], ERR_INVALID);
	struct err e = ERR_INIT;
	assert_null(regex_get("a\0b", 3, &e));
	err_release(&e);
}

static void size_is_limited(void **state)
{
	(void)state;
	refuses("a{100001}", ERR_LIMIT);
	refuses("((a{100}){100}){100}", ERR_LIMIT);
	refuses("a{99999999999999999999}", ERR_LIMIT);
	compiled("(a{100}){100}");
}

static void patterns_are_remembered(void **state)
{
	(void)state;
	assert_ptr_equal(compiled("remember|me"), compiled("remember|me"));
	assert_int_equal(regex_groups(compiled("(a)((b)c)")), 3);
}

/* --- time --- */

/* Expressions that make backtracking engines take exponential or quadratic time. */
static void bombs_do_not_go_off(void **state)
{
	static const char *const bombs[] = {
		"(a*)*b", "(a|aa)*b", "(a|a)*b", "(a*a*)*b", "((a*)*)*b", "((((((a*)*)*)*)*)*)*b", "a*a*a*a*a*b",
		"(.*)(.*)(.*)(.*)(.*)b", "(a+a+)+b", "(.|..)*b", "([a-z]+,?)*b", "(a?){30}a{30}b",
	};
	enum { N = 3000 };
	char *text = malloc(N);
	struct regex_span whole, g[16];
	clock_t t0 = clock();

	(void)state;
	memset(text, 'a', N);
	for (size_t i = 0; i < sizeof bombs / sizeof *bombs; i++) {
		const struct regex *re = compiled(bombs[i]);
		assert_false(regex_match(re, text, N, g));
		assert_false(regex_iter_next(regex_iter_new(re, text, N), &whole, g));
	}
	free(text);
	assert_true(clock() - t0 < 30 * CLOCKS_PER_SEC);
}

static void deep_nesting_needs_no_stack(void **state)
{
	enum { N = 30000 };
	char *p = malloc(2 * N + 1);
	struct regex_span *g = malloc(N * sizeof *g);

	(void)state;
	memset(p, '(', N);
	memset(p + N, ')', N);
	p[2 * N] = 0;
	assert_true(regex_match(compiled(p), "", 0, g));
	assert_int_equal(g[N - 1].start, 0);
	memset(p, '*', 2 * N);
	p[0] = 'a';
	assert_true(regex_match(compiled(p), "aaa", 3, g));
	free(g);
	free(p);
}

static void long_texts_need_no_stack(void **state)
{
	enum { N = 1000000 };
	char *text = malloc(N);
	struct regex_span g[2];

	(void)state;
	memset(text, 'a', N);
	text[N - 1] = 'b';
	assert_true(regex_match(compiled("(a|c)*(b)"), text, N, g));
	assert_int_equal(g[0].start, N - 2);
	assert_int_equal(g[1].start, N - 1);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_text_matches_itself),
		cmocka_unit_test(dot_is_any_byte_but_nul),
		cmocka_unit_test(repetition_is_greedy),
		cmocka_unit_test(repetition_gives_back),
		cmocka_unit_test(intervals_are_exact),
		cmocka_unit_test(groups_keep_their_last_text),
		cmocka_unit_test(empty_rounds_set_groups),
		cmocka_unit_test(alternatives_are_all_tried),
		cmocka_unit_test(anchors_stand_for_the_ends),
		cmocka_unit_test(brackets_are_sets_of_bytes),
		cmocka_unit_test(matches_follow_each_other),
		cmocka_unit_test(empty_matches_are_taken_once),
		cmocka_unit_test(longest_alternative_wins),
		cmocka_unit_test(start_anchor_matches_once),
		cmocka_unit_test(malformed_patterns_are_refused),
		cmocka_unit_test(size_is_limited),
		cmocka_unit_test(patterns_are_remembered),
		cmocka_unit_test(bombs_do_not_go_off),
		cmocka_unit_test(deep_nesting_needs_no_stack),
		cmocka_unit_test(long_texts_need_no_stack),
	};

	mem_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
