/* SPDX-License-Identifier: MIT
 *
 * golang/zip, golang/gomodule: every rule of module zips with its own refusal, sums, the layout of toolchains, and the way
 * back from a tree; and settings of Go.  The zips are written here, byte by byte, so that they can be wrong in any way.
 */
#include "config.h"
#include "base/buf.h"
#include "base/limits.h"
#include "golang/gomodule.h"
#include "golang/goproxy.h"
#include "golang/h1.h"
#include "format/goh1.h"
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

static int file_of(const struct buf *b)
{
	int fd = memfd_create("zip", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, buf_str(b), b->len), b->len);
	return fd;
}

/* --- a folder to unpack into --- */

static char top[64];

static int setup(void **state)
{
	(void)state;
	strcpy(top, "/tmp/gx-gomodule.XXXXXX");
	return mkdtemp(top) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	return tree_remove(AT_FDCWD, top, NULL, NULL, NULL);
}

static int new_dir(void)
{
	tree_remove(AT_FDCWD, top, NULL, NULL, NULL);
	mkdir(top, 0755);
	return open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static const struct module_version mod = { { "a.b/m", 5 }, { "v1.0.0", 6 } };

static int unpack_bytes(const struct buf *b, const struct module_version *m, const struct hash *want, struct hash *h1,
			struct err *e)
{
	int fd = file_of(b), dir = new_dir();
	int rc = go_module_unpack(fd, m, want, dir, h1, e);

	close(fd);
	close(dir);
	return rc;
}

static int unpack(const struct zip_member *v, size_t n, const struct module_version *m, struct hash *h1, struct err *e)
{
	struct buf b = BUF_INIT;

	zip_make(&b, v, n);
	int rc = unpack_bytes(&b, m, NULL, h1, e);

	buf_release(&b);
	return rc;
}

static void says(struct err *e, int rc, int want, const char *text)
{
	if (rc != want || !e->msg || !strstr(e->msg, text))
		fail_msg("code %d, '%s' instead of code %d, '%s'", rc, e->msg ? e->msg : "", want, text);
	err_release(e);
}

#define P "a.b/m@v1.0.0/"

static char *read_text(const char *name)
{
	static char text[256];
	char path[512];

	snprintf(path, sizeof path, "%s/%s", top, name);
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

	snprintf(path, sizeof path, "%s/%s", top, name);
	return lstat(path, &st) ? 0 : st.st_mode & 07777;
}

/* --- what is fine --- */

static void good_zip(void **state)
{
	struct zip_member v[] = {
		{ .name = P "go.mod", .text = "module a.b/m\n" },
		{ .name = P "x/y/z.go", .text = "package y\npackage y\npackage y\n", .deflate = 1 },
		{ .name = P "run.sh", .text = "#!/bin/sh\n", .mode = S_IFREG | 0755 },
		{ .name = P "empty", .text = "" },
		{ .name = P "empty2", .text = "", .deflate = 1 },
		{ .name = P "wide", .text = "64 bits", .wide = 1 },
		{ .name = P "\xc3\xa4 b", .text = "umlaut" },
	};
	struct hash h1, back, one;
	struct h1 h = { 0 };
	struct err e = ERR_INIT;

	(void)state;
	if (unpack(v, 7, &mod, &h1, &e))
		fail_msg("%s", e.msg);
	for (size_t i = 0; i < 7; i++) {
		hash_bytes(HASH_SHA256, v[i].text, strlen(v[i].text), &one);
		h1_add(&h, slice_of(v[i].name), &one);
	}
	h1_finish(&h, &one, NULL);
	h1_release(&h);
	assert_true(hash_eq(&h1, &one));
	assert_string_equal(read_text("x/y/z.go"), v[1].text);
	assert_string_equal(read_text("wide"), "64 bits");
	assert_string_equal(read_text("empty2"), "");
	/* Modes are fixed, whatever the zip says. */
	assert_int_equal(mode_of("run.sh"), 0444);
	assert_int_equal(mode_of("go.mod"), 0444);
	if (go_module_tree_h1(AT_FDCWD, top, &mod, &back, &e))
		fail_msg("%s", e.msg);
	assert_true(hash_eq(&h1, &back));
}

/* Entries for directories are passed over, and do not count in the sum. */
static void directories_in_zip(void **state)
{
	struct zip_member v[] = { { .name = P "x/", .text = "" },
			      { .name = P "x/a", .text = "1" },
			      { .name = P "empty/", .text = "", .mode = S_IFDIR | 0755 },
			      { .name = P, .text = "" } };
	struct hash h1, back, other;
	struct err e = ERR_INIT;
	struct buf b = BUF_INIT;

	(void)state;
	assert_int_equal(unpack(v, 4, &mod, &h1, &e), 0);
	assert_int_equal(mode_of("empty"), 0);
	assert_int_equal(go_module_tree_h1(AT_FDCWD, top, &mod, &back, NULL), 0);
	assert_true(hash_eq(&h1, &back));
	hash_bytes(HASH_SHA256, "", 0, &other);
	zip_make(&b, v, 4);
	says(&e, unpack_bytes(&b, &mod, &other, NULL, &e), ERR_HASH, "entries for directories");
	buf_release(&b);
}

static void no_files(void **state)
{
	struct hash h1;
	char text[GO_H1_LEN + 1];

	(void)state;
	assert_int_equal(unpack(NULL, 0, &mod, &h1, NULL), 0);
	go_h1_print(&h1, text);
	assert_string_equal(text, "h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
}

static void wrong_sum(void **state)
{
	struct zip_member v[] = { { .name = P "a", .text = "1" } };
	struct err e = ERR_INIT;
	struct buf b = BUF_INIT;
	struct hash h1;

	(void)state;
	unpack(v, 1, &mod, &h1, NULL);
	v[0].text = "2";
	zip_make(&b, v, 1);
	says(&e, unpack_bytes(&b, &mod, &h1, NULL, &e), ERR_HASH, "Go module 'a.b/m@v1.0.0': checksum mismatch");
	buf_release(&b);
}

/* Many files, enough to be shared among threads: one sum, whatever the order in which they end. */
static void many_files(void **state)
{
	enum { N = 600 };
	struct zip_member v[N];
	char names[N][64], *big = malloc(10001);
	struct hash a, b;

	(void)state;
	memset(big, 'x', 10000);
	big[10000] = 0;
	memset(v, 0, sizeof v);
	for (int i = 0; i < N; i++) {
		snprintf(names[i], sizeof names[i], P "d%d/e%d/f%d", i % 7, i % 31, i);
		v[i] = (struct zip_member){ .name = names[i], .text = big };
	}
	assert_int_equal(unpack(v, N, &mod, &a, NULL), 0);
	assert_int_equal(go_module_tree_h1(AT_FDCWD, top, &mod, &b, NULL), 0);
	assert_true(hash_eq(&a, &b));
	v[N / 2].crc = 1;
	struct err e = ERR_INIT;

	says(&e, unpack(v, N, &mod, &a, &e), ERR_INVALID, "does not have its checksum");
	free(big);
}

/* --- what is not: rules about names and sizes --- */

static void rules(void **state)
{
	static const struct {
		struct zip_member v[2];
		const char *says;
	} t[] = {
		{ { { .name = "a", .text = "" } }, "path 'a' does not have prefix 'a.b/m@v1.0.0/'" },
		{ { { .name = "/etc/passwd", .text = "" } }, "does not have prefix" },
		{ { { .name = "../x", .text = "" } }, "does not have prefix" },
		{ { { .name = "a.b/m@v1.0.1/x", .text = "" } }, "does not have prefix" },
		{ { { .name = "A.b/m@v1.0.0/x", .text = "" } }, "does not have prefix" },
		{ { { .name = P "../x", .text = "" } }, "path '../x' is not clean" },
		{ { { .name = P "a/../../x", .text = "" } }, "is not clean" },
		{ { { .name = P "a/./x", .text = "" } }, "is not clean" },
		{ { { .name = P "/x", .text = "" } }, "path '/x' is not clean" },
		{ { { .name = P "a//x", .text = "" } }, "is not clean" },
		{ { { .name = P "..", .text = "" } }, "is not clean" },
		{ { { .name = P "a\\b", .text = "" } }, "malformed file path 'a\\b': invalid character '\\'" },
		{ { { .name = P "con.txt", .text = "" } }, "disallowed as path element component on Windows" },
		{ { { .name = P "a.", .text = "" } }, "trailing dot" },
		{ { { .name = P "\xff", .text = "" } }, "invalid UTF-8" },
		{ { { .name = P "a\nb", .text = "" } }, "invalid character 0x0a" },
		{ { { .name = P "a", .text = "1" }, { .name = P "a", .text = "2" } }, "multiple entries for file 'a'" },
		{ { { .name = P "a", .text = "1" }, { .name = P "A", .text = "2" } },
		  "case-insensitive file name collision: 'a' and 'A'" },
		{ { { .name = P "d/a", .text = "1" }, { .name = P "D/b", .text = "2" } }, "case-insensitive" },
		{ { { .name = P "\xc3\xa4", .text = "1" }, { .name = P "\xc3\x84", .text = "2" } }, "case-insensitive" },
		{ { { .name = P "\xe2\x84\xaa", .text = "1" }, { .name = P "k", .text = "2" } }, "case-insensitive" },
		{ { { .name = P "a", .text = "1" }, { .name = P "a/b", .text = "2" } },
		  "entry 'a' is both a file and a directory" },
		{ { { .name = P "a/", .text = "" }, { .name = P "a", .text = "2" } }, "both a file and a directory" },
		{ { { .name = P "sub/go.mod", .text = "" } }, "go.mod file 'sub/go.mod' not in module root directory" },
		{ { { .name = P "sub/GO.MOD", .text = "" } }, "not in module root" },
		{ { { .name = P "Go.mod", .text = "" } }, "go.mod files must have lowercase names" },
		{ { { .name = P "l", .text = "/etc/passwd", .mode = S_IFLNK | 0777 } }, "'l' is a symbolic link" },
		{ { { .name = P "c", .text = "", .mode = S_IFCHR | 0666 } }, "'c' is a special file" },
		{ { { .name = P "a", .text = "", .size = (300u << 20) }, { .name = P "b", .text = "", .size = (201u << 20) } },
		  "total uncompressed size of module contents too large" },
		{ { { .name = P "a", .text = "", .size = 0xfffffffe } }, "too large (max size is 524288000 bytes)" },
		{ { { .name = P "go.mod", .text = "", .size = (16 << 20) + 1 } }, "go.mod file too large" },
		{ { { .name = P "LICENSE", .text = "", .size = (16 << 20) + 1 } }, "LICENSE file too large" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		struct err e = ERR_INIT;

		says(&e, unpack(t[i].v, t[i].v[1].name ? 2 : 1, &mod, NULL, &e), ERR_INVALID, t[i].says);
		/* Nothing was written before the rules were checked. */
		assert_int_equal(rmdir(top), 0);
	}
}

static void bad_modules(void **state)
{
	static const struct {
		struct module_version m;
		const char *says;
	} t[] = {
		{ { { "a.b/m", 5 }, { "v1.0", 4 } }, "'v1.0' is not canonical" },
		{ { { "a.b/m", 5 }, { "v2.0.0", 6 } }, "should be v0 or v1" },
		{ { { "a/../m", 6 }, { "v1.0.0", 6 } }, "malformed module path" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		struct err e = ERR_INIT;

		says(&e, unpack(NULL, 0, &t[i].m, NULL, &e), ERR_INVALID, t[i].says);
	}
}

/* A zip with one byte too many is refused by its size alone. */
static void large_zip(void **state)
{
	int fd = memfd_create("zip", MFD_CLOEXEC), dir = new_dir();
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(ftruncate(fd, (off_t)LIMIT_GO_MODULE + 1), 0);
	says(&e, go_module_unpack(fd, &mod, NULL, dir, NULL, &e), ERR_INVALID, "module zip file is too large");
	close(fd);
	close(dir);
}

/* --- what is not: the zip itself --- */

static void members(void **state)
{
	static const struct {
		struct zip_member v;
		const char *says;
	} t[] = {
		{ { .name = P "a", .text = "1234", .size = 3 }, "is larger than declared" },
		{ { .name = P "a", .text = "1234", .size = 5 }, "is smaller than declared" },
		{ { .name = P "a", .text = "12341234123412341234", .size = 3, .deflate = 1 }, "is larger than declared" },
		{ { .name = P "a", .text = "1234", .size = 500, .deflate = 1 }, "is smaller than declared" },
		{ { .name = P "a", .text = "1234", .crc = 7 }, "does not have its checksum" },
		{ { .name = P "a", .text = "no deflate", .method = 8 }, "is damaged" },
		{ { .name = P "a", .text = "1", .method = 12 }, "compressed by method 12" },
		{ { .name = P "a", .text = "1", .flags = 1 }, "is encrypted" },
		{ { .name = P "a", .text = "1", .local_name = P "b" }, "is called differently" },
		{ { .name = P "a", .text = "1", .local_name = P "bb" }, "is not where it should be" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		struct err e = ERR_INIT;

		says(&e, unpack(&t[i].v, 1, &mod, NULL, &e), ERR_INVALID, t[i].says);
	}
}

static void torn_zips(void **state)
{
	struct zip_member v[] = { { .name = P "a", .text = "12345678" }, { .name = P "b", .text = "1" } };
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	zip_make(&b, v, 2);
	/* Cut off anywhere, or with something in front or after it: refused. */
	for (size_t n = 0; n < b.len; n++) {
		struct buf cut = BUF_INIT;

		buf_add(&cut, b.p, n);
		assert_int_equal(unpack_bytes(&cut, &mod, NULL, NULL, NULL), ERR_INVALID);
		buf_release(&cut);
	}
	struct buf longer = BUF_INIT;

	buf_addc(&longer, 'x');
	buf_add(&longer, b.p, b.len);
	says(&e, unpack_bytes(&longer, &mod, NULL, NULL, &e), ERR_INVALID, "not where it should be");
	buf_release(&longer);
	buf_add(&longer, b.p, b.len);
	buf_addc(&longer, 'x');
	says(&e, unpack_bytes(&longer, &mod, NULL, NULL, &e), ERR_INVALID, "no end record");
	buf_release(&longer);
	buf_release(&b);
}

/* Any flipped byte either changes nothing that counts or is refused: never another sum than was asked for. */
static void flipped_bytes(void **state)
{
	struct zip_member v[] = { { .name = P "a/b.go", .text = "package b // and some words", .deflate = 1 } };
	struct hash want;
	struct buf b = BUF_INIT;

	(void)state;
	assert_int_equal(unpack(v, 1, &mod, &want, NULL), 0);
	zip_make(&b, v, 1);
	for (size_t i = 0; i < b.len; i++) {
		struct err e = ERR_INIT;

		b.p[i] = (char)(b.p[i] ^ 0x21);
		int rc = unpack_bytes(&b, &mod, &want, NULL, &e);

		if (rc)
			assert_non_null(e.msg);
		else
			assert_string_equal(read_text("a/b.go"), v[0].text);
		err_release(&e);
		b.p[i] = (char)(b.p[i] ^ 0x21);
	}
	buf_release(&b);
}

/* --- toolchains --- */

#define T "golang.org/toolchain@v0.0.1-go1.22.6.linux-amd64/"

static const struct module_version toolchain = { { "golang.org/toolchain", 20 }, { "v0.0.1-go1.22.6.linux-amd64", 27 } };

static void make_toolchain(struct hash *h1)
{
	struct zip_member v[] = {
		{ .name = T "bin/go", .text = "ELF" },
		{ .name = T "pkg/tool/linux_amd64/compile", .text = "ELF" },
		{ .name = T "pkg/include/x.h", .text = "" },
		{ .name = T "lib/wasm/go_js_wasm_exec", .text = "#!" },
		{ .name = T "lib/time/update.bash", .text = "#!" },
		{ .name = T "src/_go.mod", .text = "module std\n", .deflate = 1 },
		{ .name = T "src/cmd/_go.mod", .text = "module cmd\n" },
		{ .name = T "src/not_go.mod", .text = "" },
	};
	struct err e = ERR_INIT;

	if (unpack(v, sizeof v / sizeof *v, &toolchain, h1, &e))
		fail_msg("%s", e.msg);
}

static void toolchains(void **state)
{
	struct hash h1, back;

	(void)state;
	make_toolchain(&h1);
	assert_int_equal(mode_of("bin/go"), 0555);
	assert_int_equal(mode_of("pkg/tool/linux_amd64/compile"), 0555);
	assert_int_equal(mode_of("lib/wasm/go_js_wasm_exec"), 0555);
	assert_int_equal(mode_of("lib/time/update.bash"), 0444);
	assert_int_equal(mode_of("pkg/include/x.h"), 0444);
	assert_string_equal(read_text("src/_go.mod"), "module std\n");
	assert_string_equal(read_text("src/go.mod"), "module std\n");
	assert_string_equal(read_text("src/cmd/go.mod"), "module cmd\n");
	assert_string_equal(read_text("share/go/src/cmd/go.mod"), "module cmd\n");
	assert_int_equal(go_module_tree_h1(AT_FDCWD, top, &toolchain, &back, NULL), 0);
	assert_true(hash_eq(&h1, &back));
}

static void put(const char *name, const char *text)
{
	char path[512];

	snprintf(path, sizeof path, "%s/%s", top, name);
	unlink(path);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static void name_in_top(char path[512], const char *name)
{
	snprintf(path, 512, "%s/%s", top, name);
}

/* Whatever differs from the layout is noticed, also what the sum does not cover. */
static void tampered_trees(void **state)
{
	struct hash h1, back;
	struct err e = ERR_INIT;
	char path[512];

	(void)state;
	make_toolchain(&h1);
	put("src/go.mod", "module evil\n");
	says(&e, go_module_tree_h1(AT_FDCWD, top, &toolchain, &back, &e), ERR_INVALID, "'src/go.mod' is not a copy");
	name_in_top(path, "src/go.mod");
	unlink(path);
	says(&e, go_module_tree_h1(AT_FDCWD, top, &toolchain, &back, &e), ERR_INVALID, "has no copy called go.mod");

	make_toolchain(&h1);
	name_in_top(path, "bin/go");
	chmod(path, 0444);
	says(&e, go_module_tree_h1(AT_FDCWD, top, &toolchain, &back, &e), ERR_INVALID, "'bin/go' is not executable");

	make_toolchain(&h1);
	name_in_top(path, "lib/time/update.bash");
	chmod(path, 0555);
	says(&e, go_module_tree_h1(AT_FDCWD, top, &toolchain, &back, &e), ERR_INVALID, "is executable");

	make_toolchain(&h1);
	name_in_top(path, "empty");
	mkdir(path, 0755);
	says(&e, go_module_tree_h1(AT_FDCWD, top, &toolchain, &back, &e), ERR_INVALID, "'empty' is an empty directory");

	make_toolchain(&h1);
	name_in_top(path, "link");
	assert_int_equal(symlink("bin/go", path), 0);
	says(&e, go_module_tree_h1(AT_FDCWD, top, &toolchain, &back, &e), ERR_INVALID, "'link' is no regular file");

	make_toolchain(&h1);
	name_in_top(path, "share/go");
	unlink(path);
	assert_int_equal(symlink("../..", path), 0);
	says(&e, go_module_tree_h1(AT_FDCWD, top, &toolchain, &back, &e), ERR_INVALID, "'share/go' is no regular file");
	unlink(path);
	name_in_top(path, "share");
	rmdir(path);
	says(&e, go_module_tree_h1(AT_FDCWD, top, &toolchain, &back, &e), ERR_INVALID, "has no link share/go to its top");

	make_toolchain(&h1);
	name_in_top(path, "share/other");
	assert_int_equal(symlink("..", path), 0);
	says(&e, go_module_tree_h1(AT_FDCWD, top, &toolchain, &back, &e), ERR_INVALID, "'share/other' is no regular file");

	make_toolchain(&h1);
	put("extra", "x");
	assert_int_equal(go_module_tree_h1(AT_FDCWD, top, &toolchain, &back, NULL), 0);
	assert_false(hash_eq(&h1, &back));
}

/* --- settings --- */

static void is_set(const char *text, const char *want)
{
	struct slice v;

	if (!want)
		assert_int_equal(go_env_find(slice_of(text), "GOPROXY", &v), 0);
	else {
		assert_int_equal(go_env_find(slice_of(text), "GOPROXY", &v), 1);
		assert_int_equal(v.n, strlen(want));
		assert_memory_equal(v.p, want, v.n);
	}
}

static void settings(void **state)
{
	(void)state;
	is_set("GOPROXY=a", "a");
	is_set("GOFLAGS=-mod=mod\nGOPROXY=a|b\nGOSUMDB=off\n", "a|b");
	is_set(" \tGOPROXY=a \t\r\n", "a");
	is_set("GOPROXY=a\nGOPROXY=b\n", "b");
	is_set("GOPROXY=a\nGOPROXY=\n", NULL);
	is_set("#GOPROXY=a\nGOPROXYX=a\nGOPROXY\nGOPROXZ=a\n", NULL);
	is_set("\n \n", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_zip),   cmocka_unit_test(directories_in_zip), cmocka_unit_test(no_files),
		cmocka_unit_test(wrong_sum),  cmocka_unit_test(many_files),	    cmocka_unit_test(rules),
		cmocka_unit_test(bad_modules), cmocka_unit_test(large_zip),	    cmocka_unit_test(members),
		cmocka_unit_test(torn_zips),  cmocka_unit_test(flipped_bytes),	    cmocka_unit_test(toolchains),
		cmocka_unit_test(tampered_trees), cmocka_unit_test(settings),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
