/* SPDX-License-Identifier: MIT
 *
 * fetch/npm: settings of npm, and addresses of files.
 */
#include "config.h"
#include "fetch/npm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void configured(const char *text, const char *want)
{
	struct buf b = BUF_INIT;

	assert_int_equal(npm_configured(slice_of(text), &b), want != NULL);
	assert_string_equal(buf_str(&b), want ? want : "");
	buf_release(&b);
}

static void settings(void **state)
{
	(void)state;
	configured("registry=https://a/\n", "https://a/");
	configured("fund=false\r\n registry = https://a/npm \r\n", "https://a/npm");
	configured("registry=\"https://a/\"", "https://a/");
	configured("registry=https://a/\nregistry=https://b/\n", "https://b/");
	configured("@scope:registry=https://a/\n//a/:_authToken=x\n", NULL);
	configured("; registry=https://a/\n# registry=https://b/\nregistry\n", NULL);
	configured("registry=\n", NULL);
	configured("", NULL);
}

static void address(const char *registry, const char *want)
{
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;

	assert_int_equal(!npm_address(registry, SLICE("tool/-/tool-1.tgz"), &b, &e), want != NULL);
	assert_string_equal(buf_str(&b), want ? want : "");
	err_release(&e);
	buf_release(&b);
}

static void addresses(void **state)
{
	(void)state;
	address("https://a", "https://a/tool/-/tool-1.tgz");
	address("https://a/npm//", "https://a/npm/tool/-/tool-1.tgz");
	address("", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(settings), cmocka_unit_test(addresses) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
