/* SPDX-License-Identifier: MIT
 *
 * fetch/archive: archives as they should be, in every compression there is a program for, and archives that try to get out.
 * The tar files are written here, header by header; a canary lies beside the quarantine.
 */
#include "config.h"
#include "base/buf.h"
#include "base/limits.h"
#include "fetch/archive.h"
#include "store/tree.h"
#include "tests/unit/zip_make.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* --- writing tar --- */

struct member {
	const char *name;
	char type; /* '0' file, '1' hard link, '2' symlink, '3' device, '5' directory, '6' pipe */
	const char *text; /* contents, or what a link points to */
	int mode;	  /* 0: 0644 */
};

static void tar_header(struct buf *b, const char *name, char type, const char *link, size_t size, int mode)
{
	char h[512] = { 0 };
	unsigned sum = 0;

	memcpy(h, name, strnlen(name, 100));
	snprintf(h + 100, 8, "%07o", (unsigned)mode & 07777);
	snprintf(h + 108, 8, "%07o", 0u);
	snprintf(h + 116, 8, "%07o", 0u);
	snprintf(h + 124, 12, "%011o", (unsigned)size & 07777777777);
	snprintf(h + 136, 12, "%011o", 1000000000u);
	memset(h + 148, ' ', 8);
	h[156] = type;
	memcpy(h + 157, link, strnlen(link, 100));
	memcpy(h + 257, "ustar\00000", 8);
	for (int i = 0; i < 512; i++)
		sum += (unsigned char)h[i];
	snprintf(h + 148, 7, "%06o", sum & 0777777);
	buf_add(b, h, 512);
}

static void tar_data(struct buf *b, const char *p, size_t n)
{
	static const char zeros[512];

	buf_add(b, p, n);
	buf_add(b, zeros, -n & 511);
}

static void tar_make(struct buf *b, const struct member *v, size_t n)
{
	static const char zeros[1024];

	for (size_t i = 0; i < n; i++) {
		const char *text = v[i].text ? v[i].text : "";
		int is_file = v[i].type == '0';

		if (strlen(v[i].name) > 100) {
			/* GNU's way for long names. */
			tar_header(b, "././@LongLink", 'L', "", strlen(v[i].name) + 1, 0644);
			tar_data(b, v[i].name, strlen(v[i].name) + 1);
		}
		tar_header(b, v[i].name, v[i].type, is_file ? "" : text, is_file ? strlen(text) : 0, v[i].mode ? v[i].mode : 0644);
		if (is_file)
			tar_data(b, text, strlen(text));
	}
	buf_add(b, zeros, sizeof zeros);
}

/* --- a quarantine with a canary beside it --- */

static char top[64], inside[80], canary[80];

static int setup(void **state)
{
	(void)state;
	strcpy(top, "/tmp/gx-archive.XXXXXX");
	if (!mkdtemp(top))
		return -1;
	snprintf(inside, sizeof inside, "%s/in", top);
	snprintf(canary, sizeof canary, "%s/canary", top);
	FILE *f = fopen(canary, "w");

	fputs("alive", f);
	return fclose(f);
}

static int teardown(void **state)
{
	(void)state;
	return tree_remove(AT_FDCWD, top, NULL, NULL, NULL);
}

static int unpack_bytes(const struct buf *b, const struct archive_limits *limits, struct archive_facts *facts, struct err *e)
{
	int fd = memfd_create("archive", MFD_CLOEXEC);

	tree_remove(AT_FDCWD, inside, NULL, NULL, NULL);
	mkdir(inside, 0755);
	int dir = open(inside, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_int_equal(write(fd, buf_str(b), b->len), b->len);
	lseek(fd, 0, SEEK_SET);
	int rc = archive_unpack_fd(fd, dir, limits, facts, e);

	close(fd);
	close(dir);
	return rc;
}

static int unpack(const struct member *v, size_t n, struct archive_facts *facts, struct err *e)
{
	struct buf b = BUF_INIT;

	tar_make(&b, v, n);
	int rc = unpack_bytes(&b, NULL, facts, e);

	buf_release(&b);
	return rc;
}

static char *text_of(const char *name)
{
	static char text[256];
	char path[512];

	snprintf(path, sizeof path, "%s/%s", inside, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);

	if (fd >= 0)
		close(fd);
	text[n < 0 ? 0 : n] = 0;
	return n < 0 ? NULL : text;
}

static mode_t mode_of(const char *name)
{
	char path[512];
	struct stat st;

	snprintf(path, sizeof path, "%s/%s", inside, name);
	return lstat(path, &st) ? 0 : st.st_mode;
}

static void assert_canary(void)
{
	char text[16] = "";
	FILE *f = fopen(canary, "r");
	struct stat st;

	assert_non_null(f);
	assert_non_null(fgets(text, sizeof text, f));
	fstat(fileno(f), &st);
	fclose(f);
	assert_string_equal(text, "alive");
	assert_int_equal(st.st_nlink, 1);
}

/* --- what is fine --- */

static const struct member plain[] = {
	{ .name = "./", .type = '5', .mode = 0755 },
	{ .name = "./p-1/", .type = '5', .mode = 0700 },
	{ .name = "./p-1/run", .type = '0', .text = "#!/bin/sh\n", .mode = 04755 },
	{ .name = "p-1//d/./file", .type = '0', .text = "contents", .mode = 0600 },
	{ .name = "p-1/d/", .type = '5' },
	{ .name = "p-1/link", .type = '2', .text = "../../canary" },
	{ .name = "p-1/hard", .type = '1', .text = "p-1/d/file" },
	{ .name = "p-1/\xc3\xa4\xff", .type = '0', .text = "any bytes" },
	{ .name = "p-1/empty", .type = '0' },
};

static void check_plain(const struct archive_facts *f)
{
	assert_string_equal(text_of("p-1/d/file"), "contents");
	assert_string_equal(text_of("p-1/hard"), "contents");
	assert_string_equal(text_of("p-1/empty"), "");
	assert_int_equal(mode_of("p-1/run"), S_IFREG | 0755);
	assert_int_equal(mode_of("p-1/d/file"), S_IFREG | 0644);
	assert_true(S_ISLNK(mode_of("p-1/link")));
	assert_string_equal(f->single, "p-1");
	assert_int_equal(f->members, 9);
	assert_int_equal(f->newest, 1000000000);
	assert_canary();
}

static void good_tar(void **state)
{
	struct archive_facts f;
	struct err e = ERR_INIT;

	(void)state;
	if (unpack(plain, 9, &f, &e))
		fail_msg("%s", e.msg);
	assert_string_equal(text_of("p-1/\xc3\xa4\xff"), "any bytes");
	check_plain(&f);
	archive_facts_release(&f);
}

/* Runs the packer of the machine, when it has one. */
static int compress(const char *command, const struct buf *in, struct buf *out)
{
	char path[128], line[512];
	size_t n;

	snprintf(path, sizeof path, "%s/packed", top);
	snprintf(line, sizeof line, "%s > %s 2>/dev/null", command, path);
	FILE *f = popen(line, "w");

	fwrite(in->p, 1, in->len, f);
	if (pclose(f))
		return 0;
	f = fopen(path, "r");
	buf_reserve(out, 1 << 20);
	char piece[4096];

	while ((n = fread(piece, 1, sizeof piece, f)))
		buf_add(out, piece, n);
	fclose(f);
	unlink(path);
	return out->len > 0;
}

static void compressions(void **state)
{
	static const char *const commands[] = { "gzip", "xz", "bzip2", "zstd -q" };
	struct buf tar = BUF_INIT;

	(void)state;
	tar_make(&tar, plain, 9);
	for (int i = 0; i < 4; i++) {
		struct buf packed = BUF_INIT;
		struct archive_facts f;
		struct err e = ERR_INIT;

		if (compress(commands[i], &tar, &packed)) {
			if (unpack_bytes(&packed, NULL, &f, &e))
				fail_msg("%s: %s", commands[i], e.msg);
			check_plain(&f);
			archive_facts_release(&f);
			/* A stream that is cut off is an error, not an end. */
			buf_trim(&packed, packed.len - packed.len / 3);
			assert_int_equal(unpack_bytes(&packed, NULL, NULL, NULL), ERR_INVALID);
		}
		buf_release(&packed);
	}
	buf_release(&tar);
}

static void several_at_the_top(void **state)
{
	struct member v[] = { { .name = "a", .type = '0' }, { .name = "b/c", .type = '0' }, { .name = "b/d", .type = '0' } };
	struct archive_facts f;

	(void)state;
	assert_int_equal(unpack(v, 3, &f, NULL), 0);
	assert_null(f.single);
	archive_facts_release(&f);
	assert_int_equal(unpack(v + 1, 2, &f, NULL), 0);
	assert_string_equal(f.single, "b");
	archive_facts_release(&f);
}

static void zips(void **state)
{
	/* As Info-ZIP makes them. */
	static const struct zip_member v[] = { { .name = "run", .text = "hi", .mode = 0100755 },
					       { .name = "link", .text = "run", .mode = 0120777 },
					       { .name = "../canary", .text = "hi", .mode = 0100644 } };
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	zip_make(&b, v, 2);
	if (unpack_bytes(&b, NULL, NULL, &e))
		fail_msg("%s", e.msg);
	assert_int_equal(mode_of("run"), S_IFREG | 0755);
	assert_true(S_ISLNK(mode_of("link")));
	assert_string_equal(text_of("link"), "hi");
	buf_trim(&b, 0);
	zip_make(&b, v, 3);
	assert_int_equal(unpack_bytes(&b, NULL, NULL, &e), ERR_INVALID);
	assert_non_null(strstr(e.msg, "leads out of it"));
	err_release(&e);
	assert_canary();
	buf_release(&b);
}

/* --- what is not --- */

static void hostile(void **state)
{
	static const struct {
		struct member v[3];
		const char *says;
	} t[] = {
		{ { { .name = "/tmp/gx-evil", .type = '0', .text = "x" } }, "an absolute path" },
		{ { { .name = "../canary", .type = '0', .text = "dead" } }, "leads out of it" },
		{ { { .name = "a/../../canary", .type = '0', .text = "dead" } }, "leads out of it" },
		{ { { .name = "a/..", .type = '5' } }, "leads out of it" },
		{ { { .name = "../in2", .type = '5' } }, "leads out of it" },
		{ { { .name = "l", .type = '2', .text = ".." }, { .name = "l/canary", .type = '0', .text = "dead" } },
		  "is no directory" },
		{ { { .name = "d", .type = '5' }, { .name = "d", .type = '2', .text = ".." } }, "there already" },
		{ { { .name = "d", .type = '5' }, { .name = "d", .type = '0', .text = "x" } }, "there already" },
		{ { { .name = "a", .type = '0', .text = "1" }, { .name = "a/b", .type = '0', .text = "2" } },
		  "is no directory" },
		{ { { .name = "h", .type = '1', .text = "../canary" } }, "leads out of it" },
		{ { { .name = "h", .type = '1', .text = "/etc/passwd" } }, "an absolute path" },
		{ { { .name = "h", .type = '1', .text = "none" } }, "no file in it" },
		{ { { .name = "l", .type = '2', .text = "../canary" }, { .name = "h", .type = '1', .text = "l" } },
		  "no file in it" },
		{ { { .name = "l", .type = '2', .text = ".." }, { .name = "h", .type = '1', .text = "l/canary" } },
		  "is no directory" },
		{ { { .name = "d", .type = '5' }, { .name = "h", .type = '1', .text = "d" } }, "no file in it" },
		{ { { .name = "dev", .type = '3' } }, "no file, directory or link" },
		{ { { .name = "pipe", .type = '6' } }, "no file, directory or link" },
		{ { { .name = "l", .type = '2', .text = "" } }, "to nowhere" },
		{ { { .name = ".", .type = '0', .text = "x" } }, "has no name" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		struct err e = ERR_INIT;
		size_t n = 1;

		while (n < 3 && t[i].v[n].name)
			n++;
		int rc = unpack(t[i].v, n, NULL, &e);

		if (rc != ERR_INVALID || !strstr(e.msg, t[i].says))
			fail_msg("case %zu: %d, '%s' instead of '%s'", i, rc, e.msg ? e.msg : "", t[i].says);
		err_release(&e);
		assert_canary();
		assert_int_not_equal(access("/tmp/gx-evil", F_OK), 0);
	}
}

/* The later one counts, and what a link led to is not touched. */
static void member_twice(void **state)
{
	struct member files[] = { { .name = "a", .type = '0', .text = "1" }, { .name = "./a", .type = '0', .text = "2" } };
	struct member link[] = { { .name = "l", .type = '2', .text = "../canary" }, { .name = "l", .type = '0', .text = "dead" } };
	struct member dir[] = { { .name = "l", .type = '2', .text = ".." }, { .name = "l", .type = '5' },
				{ .name = "l/canary", .type = '0', .text = "dead" } };
	struct member hard[] = { { .name = "a", .type = '0', .text = "1" }, { .name = "b", .type = '1', .text = "a" },
				 { .name = "a", .type = '0', .text = "2" } };
	struct member itself[] = { { .name = "a", .type = '0', .text = "1" }, { .name = "a", .type = '1', .text = "a" } };

	(void)state;
	assert_int_equal(unpack(files, 2, NULL, NULL), 0);
	assert_string_equal(text_of("a"), "2");
	assert_int_equal(unpack(link, 2, NULL, NULL), 0);
	assert_int_equal(mode_of("l"), S_IFREG | 0644);
	assert_string_equal(text_of("l"), "dead");
	assert_canary();
	assert_int_equal(unpack(dir, 3, NULL, NULL), 0);
	assert_string_equal(text_of("l/canary"), "dead");
	assert_canary();
	assert_int_equal(unpack(hard, 3, NULL, NULL), 0);
	assert_string_equal(text_of("a"), "2");
	assert_string_equal(text_of("b"), "1");
	assert_int_equal(unpack(itself, 2, NULL, NULL), 0);
	assert_string_equal(text_of("a"), "1");
}

static void names_too_long(void **state)
{
	char name[400], deep[2 * LIMIT_ARCHIVE_DEPTH + 8] = "";
	struct member v = { .name = name, .type = '0' };
	struct err e = ERR_INIT;

	(void)state;
	memset(name, 'n', 256);
	name[256] = 0;
	assert_int_equal(unpack(&v, 1, NULL, &e), ERR_INVALID);
	assert_string_equal(e.msg, "the archive holds a name of 256 bytes");
	err_release(&e);
	name[255] = 0;
	assert_int_equal(unpack(&v, 1, NULL, NULL), 0);
	for (int i = 0; i <= LIMIT_ARCHIVE_DEPTH; i++)
		strcat(deep, "d/");
	v.name = deep;
	assert_int_equal(unpack(&v, 1, NULL, &e), ERR_LIMIT);
	err_release(&e);
}

static void bombs(void **state)
{
	struct member v[] = { { .name = "a", .type = '0', .text = "12345" },
			      { .name = "b", .type = '1', .text = "a" },
			      { .name = "c", .type = '1', .text = "a" } };
	struct archive_limits size = { .size = 14 }, members = { .members = 2 }, enough = { .size = 15, .members = 3 };
	struct err e = ERR_INIT;
	struct buf b = BUF_INIT;

	(void)state;
	tar_make(&b, v, 3);
	assert_int_equal(unpack_bytes(&b, &size, NULL, &e), ERR_LIMIT);
	assert_string_equal(e.msg, "the archive unpacks to more than 14 bytes");
	err_release(&e);
	assert_int_equal(unpack_bytes(&b, &members, NULL, &e), ERR_LIMIT);
	assert_string_equal(e.msg, "the archive has more than 2 members");
	err_release(&e);
	assert_int_equal(unpack_bytes(&b, &enough, NULL, NULL), 0);
	buf_release(&b);
}

/* A tenth of a kilobyte that says it is a terabyte. */
static void sparse_bomb(void **state)
{
	struct archive_limits size = { .size = 1 << 20 };
	struct buf b = BUF_INIT, zip = BUF_INIT;

	(void)state;
	buf_reserve(&b, 8 << 20);
	static const char zeros[65536];

	tar_header(&b, "big", '0', "", 4 << 20, 0644);
	for (int i = 0; i < 64; i++)
		buf_add(&b, zeros, sizeof zeros);
	buf_add(&b, zeros, 1024);
	if (compress("gzip", &b, &zip))
		assert_int_equal(unpack_bytes(&zip, &size, NULL, NULL), ERR_LIMIT);
	buf_release(&b);
	buf_release(&zip);
}

static void not_archives(void **state)
{
	static const char *const texts[] = { "hello, this is no archive", "<html>404</html>", "", "#!/bin/sh\nexit" };

	(void)state;
	for (int i = 0; i < 4; i++) {
		struct buf b = BUF_INIT;
		struct err e = ERR_INIT;

		buf_adds(&b, texts[i]);
		assert_int_equal(unpack_bytes(&b, NULL, NULL, &e), ERR_INVALID);
		assert_non_null(e.msg);
		err_release(&e);
		buf_release(&b);
	}
}

static void torn(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	tar_make(&b, plain, 9);
	for (size_t n = 700; n < b.len - 1024 - 512; n += 100) {
		struct buf cut = BUF_INIT;
		struct err e = ERR_INIT;

		buf_add(&cut, b.p, n);
		int rc = unpack_bytes(&cut, NULL, NULL, &e);

		/* Between two members a tar has no mark; in the middle of one it is damaged. */
		if (rc)
			assert_non_null(e.msg);
		err_release(&e);
		buf_release(&cut);
		assert_canary();
	}
	buf_release(&b);
}

static long fail_read(void *user, void *p, size_t n, struct err *e)
{
	(void)user;
	(void)p;
	(void)n;
	return err_set(e, ERR_NETWORK, "the line is dead");
}

static void failing_input(void **state)
{
	struct archive_input in = { fail_read, NULL, NULL };
	struct err e = ERR_INIT;
	int dir = open(inside, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	assert_int_equal(archive_unpack(&in, dir, NULL, NULL, &e), ERR_NETWORK);
	assert_string_equal(e.msg, "the line is dead");
	err_release(&e);
	close(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_tar),	  cmocka_unit_test(compressions), cmocka_unit_test(several_at_the_top),
		cmocka_unit_test(zips),
		cmocka_unit_test(hostile),	  cmocka_unit_test(member_twice),
		cmocka_unit_test(names_too_long), cmocka_unit_test(bombs),
		cmocka_unit_test(sparse_bomb),	  cmocka_unit_test(not_archives), cmocka_unit_test(torn),
		cmocka_unit_test(failing_input),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
