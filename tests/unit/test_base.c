/* SPDX-License-Identifier: MIT
 *
 * base/: buffers, errors, positions, arenas.
 */
#include "config.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/dir.h"
#include "base/err.h"
#include "base/fdio.h"
#include "base/parallel.h"
#include "base/slice.h"
#include "base/source.h"
#include "base/visible.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void buf_is_terminated_and_counts(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	assert_string_equal(buf_str(&b), "");
	buf_add(&b, "a\0b", 3);
	buf_addf(&b, "%d", 42);
	assert_int_equal(b.len, 5);
	assert_memory_equal(b.p, "a\0b42", 6);
	buf_trim(&b, 1);
	assert_string_equal(buf_str(&b), "a");
	buf_release(&b);
	assert_int_equal(b.len, 0);
}

/* In room that was used before, where the byte behind what is read is anything but NUL. */
static void read_bytes_are_terminated(void **state)
{
	struct buf b = BUF_INIT;
	int p[2];

	(void)state;
	for (int i = 0; i < 70000; i++)
		buf_addc(&b, 'x');
	for (int i = 0; i < 2; i++) {
		buf_trim(&b, 0);
		assert_int_equal(pipe(p), 0);
		assert_int_equal(fd_write_all(p[1], "read", i ? 0 : 4), 0);
		close(p[1]);
		assert_int_equal(fd_read_all(p[0], &b), 0);
		close(p[0]);
		assert_int_equal(b.len, i ? 0 : 4);
		assert_string_equal(b.p, i ? "" : "read");
	}
	buf_release(&b);
}

static void buf_grows_past_any_size(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	for (int i = 0; i < 100000; i++)
		buf_addc(&b, (char)('a' + i % 26));
	assert_int_equal(b.len, 100000);
	assert_int_equal(b.p[99999], 'a' + 99999 % 26);
	assert_int_equal(strlen(b.p), 100000);
	buf_release(&b);
}

static void blanks_around_are_trimmed(void **state)
{
	static const struct {
		struct slice text, want;
	} cases[] = {
		{ SLICE(" \t\r\n a b\r\n"), SLICE("a b") }, { SLICE("a"), SLICE("a") }, { SLICE(" \n"), SLICE("") },
		{ { NULL, 0 }, SLICE("") },			 { SLICE("a\0 "), SLICE("a\0") }, /* a NUL is no blank */
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_true(slice_eq(slice_trim(cases[i].text), cases[i].want));
}

static void err_keeps_the_first(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(err_set(&e, ERR_HASH, "first %d", 1), ERR_HASH);
	assert_int_equal(err_set(&e, ERR_IO, "second"), ERR_IO);
	assert_int_equal(e.code, ERR_HASH);
	assert_string_equal(e.msg, "first 1");
	err_prefix(&e, "in %s", "x");
	assert_string_equal(e.msg, "in x: first 1");
	err_release(&e);
	assert_int_equal(e.code, 0);
}

static void err_errno_tells_a_missing_file(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	errno = ENOENT;
	assert_int_equal(err_errno(&e, "opening '%s'", "x"), ERR_NOTFOUND);
	err_release(&e);
	errno = EACCES;
	assert_int_equal(err_errno(&e, "opening '%s'", "x"), ERR_IO);
	err_release(&e);
	err_set(NULL, ERR_IO, "nobody listens");
}

static void assert_at(uint32_t pos, uint32_t line, uint32_t column, const char *text)
{
	struct source_loc loc;

	assert_int_equal(source_locate(pos, &loc), 0);
	assert_int_equal(loc.line, line);
	assert_int_equal(loc.column, column);
	assert_int_equal(loc.line_len, strlen(text));
	assert_memory_equal(loc.line_text, text, strlen(text));
}

static void source_finds_lines_of_every_ending(void **state)
{
	static const char text[] = "ab\nc\r\nd\re";
	const struct source *a = source_add("a", NULL, "/", text, sizeof text - 1);
	const struct source *b = source_add("b", "/b", "/", "xyz", 3);

	(void)state;
	assert_ptr_equal(source_of(a->start), a);
	assert_ptr_equal(source_of(b->start), b);
	assert_null(source_of(0));
	assert_at(a->start, 1, 1, "ab");
	assert_at(a->start + 3, 2, 1, "c");
	assert_at(a->start + 6, 3, 1, "d");
	assert_at(a->start + 8, 4, 1, "e");
	assert_at(b->start + 3, 1, 4, "xyz");
}

static void write_text(const char *file, const char *text)
{
	int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static void source_reads_a_file_again(void **state)
{
	char file[] = "/tmp/gx-source.XXXXXX";
	struct stat st;
	struct source_loc loc;

	(void)state;
	close(mkstemp(file));
	write_text(file, "ab\ncd");
	assert_int_equal(stat(file, &st), 0);
	const struct source *s = source_add_file("shown", "/shown", "/", strdup("ab\ncd"), file, &st);
	source_let_go(s);
	assert_null(s->text);
	assert_at(s->start + 4, 2, 2, "cd");
	assert_string_equal(source_load(s), "ab\ncd");

	/* A file of the same size in its place is not the one that was read. */
	source_let_go(s);
	const struct source *never_read = source_add_file("shown", NULL, "/", NULL, file, &st);
	struct timespec later[2] = { st.st_atim, { .tv_sec = st.st_mtim.tv_sec + 1 } };
	write_text(file, "xy\nzw");
	assert_int_equal(utimensat(AT_FDCWD, file, later, 0), 0);
	assert_null(source_load(s));
	assert_null(source_load(never_read));
	unlink(file);
	assert_null(source_load(never_read));
	assert_int_equal(source_locate(never_read->start + 4, &loc), 0);
	assert_int_equal(loc.line, 0);
	assert_null(loc.line_text);
	assert_string_equal(source_shown_name(loc.src), "shown");
}

static void arena_blocks_are_zero_and_aligned(void **state)
{
	struct arena a = ARENA_INIT;

	(void)state;
	for (size_t n = 1; n < 100000; n = n * 3 + 1) {
		char *p = arena_alloc(&a, n);
		assert_int_equal((uintptr_t)p % 8, 0);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(p[i], 0);
		memset(p, 0xff, n);
	}
	assert_string_equal(arena_dup(&a, "hello there", 5), "hello");
	arena_release(&a);
	arena_release(&a);
}

/* --- dir --- */

static int dir_fixture(void **state)
{
	static char root[32];

	snprintf(root, sizeof root, "/tmp/gx-unit-XXXXXX");
	*state = root;
	if (!mkdtemp(root) || chdir(root))
		return -1;
	for (int i = 0; i < 3000; i++) { /* more than one call of the kernel gives */
		char name[8];
		snprintf(name, sizeof name, "%d", i);
		if (close(creat(name, 0600)))
			return -1;
	}
	return 0;
}

static int dir_fixture_end(void **state)
{
	struct dir d;
	int rc = dir_open(&d, AT_FDCWD, ".", NULL);

	while (!rc && (rc = dir_next(&d, NULL)) > 0)
		rc = unlinkat(d.fd, d.name, 0);
	dir_close(&d);
	return rc || chdir("/") || rmdir(*state);
}

static void dir_lists_everything_once(void **state)
{
	unsigned char seen[3000] = { 0 };
	struct err e = ERR_INIT;
	struct dir d;
	int n = 0, rc = dir_open(&d, AT_FDCWD, *state, &e);

	for (; !rc && (rc = dir_next(&d, &e)) > 0; n++) {
		assert_int_equal(seen[atoi(d.name)]++, 0);
		rc = 0;
	}
	assert_int_equal(rc, 0);
	assert_int_equal(n, 3000);
	dir_rewind(&d);
	assert_int_equal(dir_next(&d, &e), 1);
	dir_close(&d);
}

static void dir_cut_short_is_a_failure(void **state)
{
	struct err e = ERR_INIT;
	struct dir d;
	int n = 0, rc = dir_open(&d, AT_FDCWD, *state, &e), other = open("/dev/null", O_RDONLY | O_CLOEXEC);

	/* What the kernel has given already still comes; then its descriptor is no directory any more. */
	assert_int_equal(dup2(other, d.fd), d.fd);
	for (; !rc && (rc = dir_next(&d, &e)) > 0; n++)
		rc = 0;
	assert_int_equal(rc, ERR_IO);
	assert_true(n < 3000);
	assert_non_null(strstr(e.msg, "cannot list '/tmp/gx-unit-"));
	dir_close(&d);
	close(other);
	err_release(&e);
}

static void dir_open_says_why_not(void **state)
{
	struct err e = ERR_INIT;
	struct dir d;

	assert_int_equal(dir_open(&d, AT_FDCWD, "absent", &e), ERR_NOTFOUND);
	assert_string_equal(e.msg, "cannot list 'absent': No such file or directory");
	dir_close(&d);
	assert_int_equal(dir_open(&d, AT_FDCWD, "0", NULL), ERR_IO);
	assert_int_equal(errno, ENOTDIR);
	dir_close(&d);
	err_release(&e);
	(void)state;
}

/* --- visible --- */

static const struct shown {
	const char *text, *plain, *coloured; /* NULL: as plain */
} shown_cases[] = {
	{ "tab\tüñ€😀", "tab\tüñ€😀", NULL },
	{ "\033[31mred\033[2J", "red", "\033[31mred\033[0m" },
	{ "\033[31mred\033[0m.\033[m", "red.", "\033[31mred\033[0m.\033[m" },
	{ "\033[1;38;5;9ma\nb", "a\nb", "\033[1;38;5;9ma\033[0m\nb" },
	/* What only looks like a colour. */
	{ "\033[>4;2mx\033[?1mx\033[1 mx", "xxx", NULL },
	{ "\033]52;c;aGk=\ax\033]0;title\033\\y", "xy", NULL },
	/* Without an end nothing is left out but the one byte. */
	{ "\033]52;c;aGk=\nx\a", "^[]52;c;aGk=\nx^G", NULL },
	{ "\033[31", "^[[31", NULL },
	{ "\033[\nm", "^[[\nm", NULL },
	{ "\033", "^[", NULL },
	{ "\033cx\033Pq\033\\", "^[cx^[Pq^[\\", NULL },
	{ "a\rb\bc\x7f\001", "a^Mb^Hc^?^A", NULL },
	{ "\xc2\x9b" "31m", "\xef\xbf\xbd" "31m", NULL },
	{ "\x9b" "2J\xe9", "\xef\xbf\xbd" "2J\xef\xbf\xbd", NULL },
	{ "\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd", NULL },
	{ "\xc2\xa0\xc3\x9b", "\xc2\xa0\xc3\x9b", NULL },
};

static void what_steers_a_terminal_is_made_visible(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof shown_cases / sizeof *shown_cases; i++) {
		const struct shown *c = &shown_cases[i];

		visible_add(&b, c->text, strlen(c->text), VISIBLE_LINES);
		assert_string_equal(buf_str(&b), c->plain);
		buf_trim(&b, 0);
		visible_add(&b, c->text, strlen(c->text), VISIBLE_LINES | VISIBLE_COLOUR);
		assert_string_equal(buf_str(&b), c->coloured ? c->coloured : c->plain);
		buf_trim(&b, 0);
	}
	visible_add(&b, "a\0b\nc", 5, 0);
	assert_string_equal(buf_str(&b), "a^@b^Jc");
	buf_release(&b);
}

/* --- parallel --- */

struct counts {
	atomic_uint each[1000], workers;
};

static void count_one(void *arg, unsigned worker, size_t i)
{
	struct counts *c = arg;

	c->each[i]++;
	if (worker >= parallel_workers())
		c->workers++;
}

static void parallel_does_each_once(void **state)
{
	struct counts c = { 0 };

	parallel_each(1000, count_one, &c);
	parallel_each(0, count_one, &c);
	for (size_t i = 0; i < 1000; i++)
		assert_int_equal(c.each[i], 1);
	assert_int_equal(c.workers, 0);
	(void)state;
}

static void a_slice_is_cut(void **state)
{
	struct slice text = SLICE("a\n\nb c\t \td\r\n e"), none = { NULL, 0 }, line;

	(void)state;
	assert_true(slice_eq(slice_cut(&text, '\n'), SLICE("a")));
	assert_true(slice_eq(slice_cut(&text, '\n'), SLICE("")));
	line = slice_cut(&text, '\n');
	assert_true(slice_eq(slice_word(&line, " \t"), SLICE("b")));
	assert_true(slice_eq(line, SLICE(" c\t \td\r")));
	assert_true(slice_eq(slice_word(&line, " \t\r"), SLICE("c")));
	assert_true(slice_eq(slice_word(&line, " \t"), SLICE("d\r")));
	assert_int_equal(slice_word(&line, " \t").n, 0);
	assert_true(slice_eq(slice_cut(&text, '\n'), SLICE(" e")));
	assert_int_equal(slice_cut(&text, '\n').n + text.n + slice_cut(&none, '\n').n + slice_word(&none, " ").n, 0);
	line = SLICE("\0 x");
	assert_true(slice_eq(slice_word(&line, " "), SLICE("\0")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buf_is_terminated_and_counts),
		cmocka_unit_test(buf_grows_past_any_size),
		cmocka_unit_test(read_bytes_are_terminated),
		cmocka_unit_test(blanks_around_are_trimmed),
		cmocka_unit_test(err_keeps_the_first),
		cmocka_unit_test(err_errno_tells_a_missing_file),
		cmocka_unit_test(source_finds_lines_of_every_ending),
		cmocka_unit_test(source_reads_a_file_again),
		cmocka_unit_test(arena_blocks_are_zero_and_aligned),
		cmocka_unit_test(parallel_does_each_once),
		cmocka_unit_test_setup_teardown(dir_lists_everything_once, dir_fixture, dir_fixture_end),
		cmocka_unit_test_setup_teardown(dir_cut_short_is_a_failure, dir_fixture, dir_fixture_end),
		cmocka_unit_test_setup_teardown(dir_open_says_why_not, dir_fixture, dir_fixture_end),
		cmocka_unit_test(what_steers_a_terminal_is_made_visible),
		cmocka_unit_test(a_slice_is_cut),
	};

	return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
