/* SPDX-License-Identifier: MIT
 *
 * builtins/fs: mounts, links across them, the memory of what was read, access under mounts.  Golden tests cannot
 * mount; everything else about files is tested there.
 */
#include "config.h"
#include "base/limits.h"
#include "base/mem.h"
#include "builtins/fs.h"
#include "builtins/registry.h"
#include "eval/eval.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char root[] = "/tmp/gx-fs.XXXXXX";

static W at(const char *dir, const char *name)
{
	char p[256];

	return w_path(p, (size_t)snprintf(p, sizeof p, "%s%s", dir, name));
}

static const char *real(const char *name)
{
	static char p[4][256];
	static int k;

	k = (k + 1) % 4;
	snprintf(p[k], sizeof p[k], "%s%s", root, name);
	return p[k];
}

static void write_file(const char *name, const char *text)
{
	FILE *f = fopen(real(name), "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

/* /logical/store is read from ROOT/phys. */
static int setup(void **state)
{
	(void)state;
	if (!mkdtemp(root) || mkdir(real("/phys"), 0700) || mkdir(real("/phys/dir"), 0700) || mkdir(real("/secret"), 0700) ||
	    mkdir(real("/outside"), 0700))
		return -1;
	write_file("/phys/file", "in the mount");
	write_file("/phys/dir/inner", "inner");
	write_file("/secret/file", "secret");
	if (symlink("/logical/store/file", real("/outside/into")) || symlink("/logical/store/dir/inner", real("/phys/across")) ||
	    symlink("dir", real("/phys/dirlink")) || symlink(real("/secret"), real("/phys/out")))
		return -1;
	fs_mount("/logical/store", real("/phys"));
	return 0;
}

static int teardown(void **state)
{
	char cmd[64];

	(void)state;
	snprintf(cmd, sizeof cmd, "rm -rf %s", root);
	return system(cmd);
}

static void text_is(W path, const char *text)
{
	assert_string_equal(w_get_str(fs_read_file(path))->b, text);
}

static void mounted_files_are_read(void **state)
{
	(void)state;
	text_is(at("/logical/store", "/file"), "in the mount");
	text_is(at("/logical/store", "/dir/inner"), "inner");
	text_is(at("/logical/store", "/dirlink/inner"), "inner");
	assert_int_equal(fs_lstat(at("/logical/store", "/dirlink")), FS_SYMLINK);
	assert_int_equal(fs_stat(at("/logical/store", "/dirlink")), FS_DIRECTORY);
	assert_int_equal(attrs_count(fs_read_dir(at("/logical/store", "/dir"))), 1);
}

static void links_mean_logical_paths(void **state)
{
	(void)state;
	text_is(at("/logical/store", "/across"), "inner");
	text_is(at(root, "/outside/into"), "in the mount");
	text_is(at("/logical/store", "/out/file"), "secret");
}

static void trees_have_physical_places(void **state)
{
	(void)state;
	assert_string_equal(fs_tree(at("/logical/store", "/dir")), real("/phys/dir"));
	assert_string_equal(fs_tree(at("/logical/store", "/dirlink")), real("/phys/dirlink"));
	assert_string_equal(fs_tree(at(root, "/secret")), real("/secret"));
}

static void absent_is_not_remembered_present_is(void **state)
{
	W path = at(root, "/outside/later");

	(void)state;
	assert_int_equal(fs_lstat(path), FS_MISSING);
	write_file("/outside/later", "one");
	assert_int_equal(fs_lstat(path), FS_REGULAR);
	text_is(path, "one");
	write_file("/outside/later", "two");
	text_is(path, "one");
	unlink(real("/outside/later"));
	text_is(path, "one");
}

static void read_it(void *path)
{
	fs_read_file(*(W *)path);
}

static void refused(W path)
{
	struct failure f;

	assert_int_equal(unwind_run(read_it, &path, &f, 0), 0);
	assert_int_equal(f.kind, EK_DENIED);
	assert_null(strstr(w_get_str(f.msg)->b, "secret"));
}

/* Also for what was read before: access comes before the memory. */
static void pure_evaluation_checks_links_in_mounts(void **state)
{
	(void)state;
	eval_settings.pure = 1;
	fs_allow("/logical/store", strlen("/logical/store"));
	text_is(at("/logical/store", "/across"), "inner");
	refused(at("/logical/store", "/out/file"));
	refused(at(root, "/outside/into"));
	assert_int_equal(fs_lstat(at(root, "/outside")), FS_DENIED);
	assert_int_equal(fs_lstat(at(root, "/does-not-exist")), FS_DENIED);
	assert_int_equal(fs_lstat(at("/logical", "/store")), FS_DIRECTORY);
	eval_settings.pure = 0;
}

static int result;

static void run(void *stack_low)
{
	static const struct eval_io io = { NULL, NULL, NULL, NULL };
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mounted_files_are_read),	     cmocka_unit_test(links_mean_logical_paths),
		cmocka_unit_test(trees_have_physical_places),	     cmocka_unit_test(absent_is_not_remembered_present_is),
		cmocka_unit_test(pure_evaluation_checks_links_in_mounts),
	};

	eval_thread(*(char **)stack_low);
	eval_init(builtins_all, &io);
	result = cmocka_run_group_tests(tests, setup, teardown);
}

int main(void)
{
	static char *stack_low;

	mem_init();
	mem_run_on_stack(LIMIT_EVAL_STACK, run, &stack_low, &stack_low);
	return result;
}
