/* SPDX-License-Identifier: MIT
 *
 * fetch/crates: what an index says, and addresses of crates.
 */
#include "config.h"
#include "fetch/crates.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void configured(const char *text, const char *want)
{
	struct buf b = BUF_INIT;

	assert_int_equal(crates_configured(slice_of(text), &b), want != NULL);
	assert_string_equal(buf_str(&b), want ? want : "");
	buf_release(&b);
}

static void index_says(void **state)
{
	(void)state;
	configured("{\"dl\": \"https://a/crates\", \"api\": \"https://b\"}\n", "https://a/crates");
	configured("{\"api\": \"dl\", \"dl\": \"https:\\/\\/a\"}", "https://a");
	configured("{\"more\": {\"dl\": \"https://a\"}}", NULL);
	configured("{\"dl\": 1}", NULL);
	configured("{\"dl\": \"https://a\"", NULL);
	configured("{\"dl\": \"https://a\"}{}", NULL);
	configured("", NULL);
}

static void address(const char *registry, const char *crate, const char *want)
{
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;

	assert_int_equal(!crates_address(registry, slice_of(crate), &b, &e), want != NULL);
	assert_string_equal(buf_str(&b), want ? want : "");
	err_release(&e);
	buf_release(&b);
}

static void addresses(void **state)
{
	(void)state;
	address("https://a", "tool/1.0.0", "https://a/tool/1.0.0/download");
	address("https://a/{crate}/{crate}-{version}.crate", "tool/1.0.0", "https://a/tool/tool-1.0.0.crate");
	address("https://a/{prefix}/{crate}?v={version}", "Tool/1", "https://a/To/ol/Tool?v=1");
	address("https://a/{lowerprefix}/{crate}", "Tool/1", "https://a/to/ol/Tool");
	address("https://a/{prefix}", "abc/1", "https://a/3/a");
	address("https://a/{lowerprefix}", "Ab/1", "https://a/2");
	address("https://a/{other}/{", "a/1", "https://a/{other}/{/a/1/download");
	address("", "tool/1.0.0", NULL);
	address("https://a", "tool", NULL);
	address("https://a", "/1", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(index_says), cmocka_unit_test(addresses) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
