/* SPDX-License-Identifier: MIT
 *
 * Fuzzes evaluation: the input is an expression, evaluated in pure and restricted mode with every builtin and no
 * file, within few steps, calls and little stack.
 *
 * Any error will do, but a value must be the same however often it is asked for: printing it a second time, with what the first left
 * evaluated, half evaluated or failed, must give the same text or the same kind of error.
 *
 * Without the collector nothing is freed between inputs: run it with -fork=1, which starts anew when memory is used up.
 */
#include "config.h"
#include "base/mem.h"
#include "builtins/addpath.h"
#include "builtins/json.h"
#include "builtins/registry.h"
#include "builtins/xml.h"
#include "eval/compare.h"
#include "eval/error.h"
#include "eval/eval.h"
#include "eval/show.h"

#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_TEXT = 4096, STEPS = 8000, CALLS = 400, STACK = 5 << 20 };

struct run {
	const char *text;
	size_t n;
	W value;
	struct buf out;
	struct failure why;
	int failed;
};

static void ignore_message(const char *p, size_t n)
{
	(void)p;
	(void)n;
}

static void ignore_warning(void *arg, uint32_t pos, uint32_t len, const char *msg)
{
	(void)arg;
	if (!pos || !len || !*msg)
		abort();
}

static void start(void)
{
	static const struct eval_io io = { path_to_store, ignore_message, NULL, NULL };
	static int started;

	if (started)
		return;
	started = 1;
	mem_init();
	eval_settings.pure = eval_settings.restricted = eval_settings.read_only = 1;
	eval_settings.max_call_depth = CALLS;
	eval_settings.toml_timestamps = 1;
	eval_settings.parse = (struct parse_options){ LINT_WARN, LINT_WARN, LINT_WARN, 1, "/home/user", ignore_warning, NULL };
	eval_thread((char *)__builtin_frame_address(0) - STACK);
	eval_init(builtins_all, &io);
}

static void evaluate(void *arg)
{
	struct run *r = arg;

	r->value = eval_text(r->text, r->n, "fuzz", "/base");
}

static void print(void *arg)
{
	struct run *r = arg;

	show_value(&r->out, r->value, SHOW_FORCE | SHOW_DRV_INSIDE, UINT_MAX);
}

static void print_errors(void *arg)
{
	struct run *r = arg;

	show_value(&r->out, r->value, SHOW_FORCE | SHOW_ERRORS | SHOW_PRETTY | SHOW_COLOUR, UINT_MAX);
}

static void write_json(void *arg)
{
	struct run *r = arg;
	struct ctx_acc ctx = { 0 };

	value_to_json(&r->out, r->value, TO_JSON_FORCE, &ctx);
}

static void write_xml(void *arg)
{
	struct run *r = arg;
	struct ctx_acc ctx = { 0 };

	value_to_xml(&r->out, r->value, XML_FORCE | XML_LOCATION, &ctx);
}

static void compare(void *arg)
{
	struct run *r = arg;

	value_equal(r->value, r->value);
}

static void attempt(struct run *r, void (*fn)(void *))
{
	r->out = (struct buf)BUF_GC;
	eval_limit_steps(STEPS);
	r->failed = !unwind_run(fn, r, &r->why, TRACE_ALL);
	eval_limit_steps(0);
	if (r->failed && (!w_is_str(r->why.msg) || !w_get_str(r->why.msg)->len))
		abort();
}

/* Limits are met later by what is partly evaluated; and a loop is noticed at another place. */
static int is_limit(const struct run *r)
{
	return r->failed && (r->why.kind == EK_STACK || r->why.kind == EK_RECURSION);
}

static void check_same(const struct run *a, const struct run *b)
{
	if (is_limit(a) || is_limit(b))
		return;
	if (a->failed == b->failed && a->failed && a->why.kind == b->why.kind)
		return;
	if (!a->failed && !b->failed && a->out.len == b->out.len && !memcmp(a->out.p, b->out.p, a->out.len))
		return;
	fprintf(stderr, "first:  %s\nsecond: %s\n", a->failed ? w_get_str(a->why.msg)->b : buf_str((struct buf *)&a->out),
		b->failed ? w_get_str(b->why.msg)->b : buf_str((struct buf *)&b->out));
	abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct run r = { .n = size }, first;

	if (size > MAX_TEXT)
		return -1;
	start();
	/* Kept: positions and nodes refer to it. */
	char *text = mem_root(size + 1);
	if (size)
		memcpy(text, data, size);
	r.text = text;
	attempt(&r, evaluate);
	if (r.failed)
		return 0;
	attempt(&r, print);
	first = r;
	attempt(&r, write_json);
	attempt(&r, print_errors);
	attempt(&r, write_xml);
	attempt(&r, compare);
	attempt(&r, print);
	check_same(&first, &r);
	return 0;
}
