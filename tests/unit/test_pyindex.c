/* SPDX-License-Identifier: MIT
 *
 * fetch/pyindex: settings of pip, and links on pages of an index.
 */
#include "config.h"
#include "fetch/pyindex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void configured(const char *text, const char *want)
{
	struct buf b = BUF_INIT;

	assert_int_equal(pyindex_configured(slice_of(text), &b), want != NULL);
	assert_string_equal(buf_str(&b), want ? want : "");
	buf_release(&b);
}

static void settings(void **state)
{
	(void)state;
	configured("[global]\nindex-url = https://a/simple\n", "https://a/simple");
	configured("[global]\r\nindex_url=https://a\r\n", "https://a");
	configured("[global]\nIndex-Url : https://a/simple", "https://a/simple");
	configured("[global]\nindex-url = https://a\n[download]\nindex-url = https://b\n", "https://b");
	configured("[global]\nextra-index-url = https://a\n", NULL);
	configured("[install]\nindex-url = https://a\n", NULL);
	configured("index-url = https://a\n", NULL);
	configured("[global]\n# index-url = https://a\nindex-url\n", NULL);
	configured("[global]\nindex-url =\n", NULL);
	configured("", NULL);
}

static void link_is(const char *page, const char *file, const char *want)
{
	struct buf b = BUF_INIT;

	assert_int_equal(pyindex_link(slice_of(page), "https://host:81/p/simple/tool/", slice_of(file), &b), want != NULL);
	assert_string_equal(buf_str(&b), want ? want : "");
	buf_release(&b);
}

static void links(void **state)
{
	(void)state;
	link_is("<a href=\"https://files/x/t-1.whl#sha256=0\">t-1.whl</a>", "t-1.whl", "https://files/x/t-1.whl");
	link_is("<a href='../../t-1.whl?x#y'>", "t-1.whl", "https://host:81/p/simple/tool/../../t-1.whl");
	link_is("<a href=\"/x/t-1.whl\">", "t-1.whl", "https://host:81/x/t-1.whl");
	link_is("<a href=\"//other/t-1.whl\">", "t-1.whl", "https://other/t-1.whl");
	link_is("<a href=\"t-1.whl\">", "t-1.whl", "https://host:81/p/simple/tool/t-1.whl");
	link_is("<a href=\"x/t%2B1.whl\">", "t+1.whl", "https://host:81/p/simple/tool/x/t%2B1.whl");
	link_is("<a href=\"x/at-1.whl\"><a href=\"t-1.whl.asc\"><a href=\"t-1.whl/b\">", "t-1.whl", NULL);
	link_is("<a href=\"t-0.whl\"> <a href=\"t-1.whl\">", "t-1.whl", "https://host:81/p/simple/tool/t-1.whl");
	link_is("<a href=\"t-1.whl", "t-1.whl", NULL);
	link_is("<a href=t-1.whl>", "t-1.whl", NULL);
	link_is("<a href=", "t-1.whl", NULL);
	link_is("<a href=\"t-1.whl%\"", "t-1.whl%", NULL);
	link_is("", "t-1.whl", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(settings), cmocka_unit_test(links) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
