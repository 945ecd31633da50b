/* SPDX-License-Identifier: MIT
 *
 * Fuzzes the front end: parses the input as an expression and as REPL bindings and prints the tree.
 *
 * One source is registered once and given new text each time, as positions are never handed back.  The
 * text is allocated anew at its exact size so that reading past its NUL is noticed.  Printing is
 * checked a little: what is printed for an accepted text is never empty, and an error has a message and
 * a span inside the text.
 */
#include "config.h"
#include "base/buf.h"
#include "lang/parse.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_TEXT = 1 << 20 };

static void ignore_warning(void *arg, uint32_t pos, uint32_t len, const char *msg)
{
	(void)arg;
	if (!pos || !len || !*msg)
		abort();
}

static struct source *fuzz_source(void)
{
	static char placeholder[MAX_TEXT + 1];
	static struct source *src;

	if (!src)
		src = (struct source *)source_add("fuzz", NULL, "/base", placeholder, MAX_TEXT);
	return src;
}

static void check_error(const struct source *src, const struct err *e)
{
	if (!e->code || !e->msg || !*e->msg)
		abort();
	if (e->pos < src->start || e->pos - src->start > src->len || e->len > src->len - (e->pos - src->start))
		abort();
}

static void parse_once(const struct source *src, int bindings)
{
	struct parse_options opt = { LINT_WARN, LINT_WARN, LINT_WARN, 0, "/home/user", ignore_warning, NULL };
	struct arena mem = ARENA_INIT;
	struct err e = ERR_INIT;
	struct buf out = BUF_INIT;
	struct expr *tree = bindings ? parse_bindings(src, &opt, &mem, &e) : parse_source(src, &opt, &mem, &e);

	if (!tree) {
		check_error(src, &e);
	} else {
		print_ast(&out, tree);
		if (e.code || !out.len)
			abort();
	}
	buf_release(&out);
	err_release(&e);
	arena_release(&mem);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct source *src = fuzz_source();
	char *text;

	if (size > MAX_TEXT)
		return -1;
	text = malloc(size + 1);
	if (!text)
		return -1;
	if (size)
		memcpy(text, data, size);
	text[size] = 0;
	src->text = text;
	src->len = size;
	parse_once(src, 0);
	parse_once(src, 1);
	free(text);
	return 0;
}
