/* SPDX-License-Identifier: MIT
 *
 * Programs as bytes and back: what is read is what was written, and what was never written is refused without harm.
 */
#include "config.h"
#include "tests/unit/unit_walk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

static struct arena mem;

struct text {
	const char *text;
	const struct source *src;
	char *unit;
	size_t n;
	char *walk; /* of the program as it was resolved */
};

/* What is large enough to be left unread. */
#define WIDE "[ 1 2 3 \"some text that is long enough\" (x: y: z: x y z) { a = 1; b = 2; } ./a/file ]"
#define TEN " + 1 + 2 + a + 4 + 5 + (a: a) + 7 + 8 + 9 + 10"
#define N4(x) "[[[[" x "]]]]"
#define N16(x) N4(N4(N4(N4(x))))
#define N64(x) N16(N16(N16(N16(x))))
#define BRACKETS(x) N64(N64(N64(N64(N64(x)))))

/* Between them these have each kind of node. */
static struct text texts[] = {
	{ .text = "x: { a, b ? x, c ? " WIDE ", ... }@args: fn a (b + c) args" },
	{ .text = "let a = 1; b = a; f = z: if z == 1 then " WIDE " else f (z - 1); in with { inherit a b; }; with f; [ a b c d ]" },
	{ .text = "rec { a = 1.5; b = 4611686018427387904; c = ./x; d = \"${toString}${c}\"; toString = b: -b; e.f.g = 1; "
		  "\"${d}\" = " WIDE "; }" },
	{ .text = "{ a = { inherit (x: x) y z; }; b = __curPos; c = a: b: c: d: e: assert a -> b || c && !d; e; } // { } ++ [ ]" },
	{ .text = "a: a.b.c or (" WIDE ") ? x.${\"y\" + a}.z && a < 1 && a <= 2 && a > 3 && a >= 4 && a != 5" },
	{ .text = "a: b: if a * 1 / 2 == 3 then let c = x: a; in c " WIDE " else fn a (b (c: { d = c; e = a; f = b; })).version" },
	{ .text = "/** doc */ a: /** other */ b: [ (let c = a; in c) version builtins.version builtins.other (builtins.fn 1) true null <x> ]" },
	{ .text = "let n = 1; in { a0 = n; a1 = n; a2 = n; a3 = n; a4 = n; a5 = n; a6 = n; a7 = n; a8 = n; a9 = " WIDE "; }" },
	{ .text = "a: b: let f = { x = a; }; in (x: if x then (if a then y: x else b) else (y: y)) f" },
	{ .text = "a: a" TEN TEN TEN TEN " || " BRACKETS("a") },
	{ .text = "a: ./x/${a}/y + ''\n  text ${a}\n  more\n''" },
	{ .text = "(a: let b = " WIDE "; c = rec { d = e: with a; f: [ g b d ]; }; in with b; (h: with c; g h d) i) { }" },
};

enum { N_TEXTS = sizeof texts / sizeof *texts };

static const struct node *read_text(const struct text *t, const char *unit, size_t n)
{
	static struct scope_env env;
	uint32_t nslots;

	env = walk_env(&mem);
	return unit_read(unit, n, t->src, &env, &mem, walk_stack_end(), &nslots);
}

static int set_up(void **state)
{
	struct parse_options opt = { .home = "/home" };
	struct scope_env env = walk_env(&mem);

	(void)state;
	for (size_t i = 0; i < N_TEXTS; i++) {
		struct text *t = &texts[i];
		struct err e = ERR_INIT;
		struct walk w = { .text = BUF_INIT };
		uint32_t nslots = 0;
		t->src = source_add("test", "/base/test", "/base", t->text, strlen(t->text));
		const struct expr *x = parse_source(t->src, &opt, &mem, &e);
		const struct node *n = x ? scope_resolve(x, &env, &mem, &nslots, &e) : NULL;
		const void *unit = n ? unit_write(n, nslots, t->src, &env, walk_stack_end(), &t->n) : NULL;
		if (!unit || !(t->unit = malloc(t->n))) {
			print_error("%s: %s\n", t->text, e.msg ? e.msg : "cannot be written");
			return -1;
		}
		memcpy(t->unit, unit, t->n);
		walk_node(&w, n);
		t->walk = buf_detach(&w.text, NULL);
	}
	return 0;
}

/* `tests/unit/test_unit DIR` writes the units as a first corpus for tests/fuzz/fuzz_unit. */
static int write_corpus(const char *dir)
{
	char path[4096];

	for (size_t i = 0; i < N_TEXTS; i++) {
		snprintf(path, sizeof path, "%s/unit-%zu", dir, i);
		FILE *f = fopen(path, "wb");
		if (!f || fwrite(texts[i].unit, 1, texts[i].n, f) != texts[i].n || fclose(f))
			return 1;
	}
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_TEXTS; i++) {
		free(texts[i].unit);
		free(texts[i].walk);
	}
	arena_release(&mem);
	return 0;
}

static void test_round_trip(void **state)
{
	struct walk w = { .text = BUF_INIT };

	(void)state;
	for (size_t i = 0; i < N_TEXTS; i++) {
		const struct node *n = read_text(&texts[i], texts[i].unit, texts[i].n);
		assert_non_null(n);
		walk_node(&w, n);
		assert_string_equal(texts[i].walk, w.text.p);
		buf_trim(&w.text, 0);
		/* Nothing is left to read, and nothing else has taken its place. */
		walk_node(&w, n);
		assert_string_equal(texts[i].walk, w.text.p);
		buf_trim(&w.text, 0);
	}
	assert_int_equal(w.damaged, 0);
	for (unsigned op = 0; op < OP_COUNT; op++) {
		if (!w.seen[op])
			print_error("no text has op %u\n", op);
		assert_true(w.seen[op]);
	}
	buf_release(&w.text);
}

/* A file is one of many: its positions begin elsewhere in each process. */
static void test_other_position(void **state)
{
	struct text t = texts[0];

	(void)state;
	t.src = source_add("again", "/base/again", "/base", t.text, strlen(t.text));
	const struct node *n = read_text(&t, t.unit, t.n);
	assert_non_null(n);
	assert_int_equal(n->pos - t.src->start, 0);
	assert_true(t.src->start != texts[0].src->start);
}

/* What nobody else may be given: a set with __overrides has slots in the order of this process's symbols. */
static void test_no_form(void **state)
{
	static const char text[] = "rec { a = 1; __overrides = { }; }";
	const struct source *src = source_add("test", NULL, "/", text, strlen(text));
	struct parse_options opt = { .home = NULL };
	struct scope_env env = walk_env(&mem);
	struct err e = ERR_INIT;
	uint32_t nslots;
	size_t n;

	(void)state;
	const struct node *x = scope_resolve(parse_source(src, &opt, &mem, &e), &env, &mem, &nslots, &e);
	assert_non_null(x);
	assert_null(unit_write(x, nslots, src, &env, walk_stack_end(), &n));
}

/* Reads a damaged unit; it may still be a program, but must be one to its end. */
static unsigned try(const struct text *t, const char *bytes, size_t n)
{
	struct walk w = { .text = BUF_INIT };
	char *exact = malloc(n ? n : 1); /* so that a sanitizer sees a read past the end */
	unsigned read = 0;

	memcpy(exact, bytes, n);
	const struct node *x = read_text(t, exact, n);
	if (x) {
		walk_node(&w, x);
		read = 1;
	}
	buf_release(&w.text);
	free(exact);
	return read;
}

static void test_cut_short(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_TEXTS; i++)
		for (size_t n = 0; n < texts[i].n; n++)
			assert_false(try(&texts[i], texts[i].unit, n));
}

static uint32_t random_number(void)
{
	static uint64_t s = 1;

	s = s * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(s >> 33);
}

static void test_damaged(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_TEXTS; i++) {
		size_t n = texts[i].n;
		char *b = malloc(n);
		for (size_t at = 0; at < n; at++) {
			memcpy(b, texts[i].unit, n);
			b[at] ^= (char)(1u << random_number() % 8);
			try(&texts[i], b, n);
			for (unsigned k = 0; k < 4; k++)
				b[random_number() % n] = (char)random_number();
			try(&texts[i], b, n);
		}
		free(b);
	}
}

static void test_noise(void **state)
{
	char b[300];

	(void)state;
	for (unsigned i = 0; i < 20000; i++) {
		size_t n = random_number() % sizeof b;
		for (size_t k = 0; k < n; k++)
			b[k] = (char)(random_number() % (i % 2 ? 256 : OP_COUNT + 1));
		if (n > 8) { /* one symbol, so that the nodes are reached */
			memcpy(b + n - 4, "\1\0\1x", 4);
			memcpy(b, &(uint32_t){ (uint32_t)n - 4 }, 4);
		}
		try(&texts[i % N_TEXTS], b, n);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip), cmocka_unit_test(test_other_position), cmocka_unit_test(test_no_form),
		cmocka_unit_test(test_cut_short), cmocka_unit_test(test_damaged), cmocka_unit_test(test_noise),
	};

	if (argc == 2)
		return set_up(NULL) || write_corpus(argv[1]);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
