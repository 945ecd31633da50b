/* SPDX-License-Identifier: MIT
 *
 * builtins/drvs: the table of known store objects, against a store made of functions.
 *
 * The store's files are test_drv's (data/drv, written by Nix).  A bug here shows as a wrong path of whatever
 * depends on a derivation that was not made in the same evaluation, or as a .drv missing from a store.
 */
#include "config.h"
#include "builtins/drvs.h"
#include "builtins/store_ops.h"
#include "eval/eval.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* --- a store --- */

struct mock {
	struct buf written; /* paths, one a line */
	int reads, fail;
};

static const char *data_dir(void)
{
	static char path[4096];
	const char *src = getenv("srcdir");

	snprintf(path, sizeof path, "%s/tests/unit/data/drv", src ? src : ".");
	return path;
}

static int mock_read(void *user, struct slice path, struct buf *out, struct err *e)
{
	struct mock *m = user;
	char name[8192], chunk[4096];
	size_t n;
	FILE *f;

	m->reads++;
	snprintf(name, sizeof name, "%s/%s", data_dir(), path.p + strlen("/nix/store/"));
	f = fopen(name, "r");
	if (!f)
		return err_errno(e, "cannot read '%s'", path.p);
	while ((n = fread(chunk, 1, sizeof chunk, f)) > 0)
		buf_add(out, chunk, n);
	fclose(f);
	return 0;
}

static int mock_add_text(void *user, struct slice path, struct slice text, const struct slice *refs, size_t nrefs,
			 struct err *e)
{
	struct mock *m = user;

	(void)text;
	for (size_t i = 1; i < nrefs; i++)
		assert_true(slice_cmp(refs[i - 1], refs[i]) < 0);
	if (m->fail)
		return err_set(e, ERR_IO, "disk full");
	buf_addf(&m->written, "%s %zu\n", path.p + strlen("/nix/store/") + 33, nrefs);
	return 0;
}

static int mock_references(void *user, struct slice path, void (*each)(void *arg, struct slice ref), void *arg,
			   struct err *e)
{
	(void)user;
	(void)path;
	(void)each;
	(void)arg;
	(void)e;
	return 0;
}

static struct mock mock;
static const struct store_ops ops = {
	.add_text = mock_add_text, .references = mock_references, .read_text = mock_read, .user = &mock
};

static int setup(void **state)
{
	(void)state;
	buf_release(&mock.written);
	memset(&mock, 0, sizeof mock);
	eval_settings.store_dir = "/nix/store";
	eval_settings.read_only = 0;
	store_ops = &ops;
	return 0;
}

/* --- making derivations --- */

/* Makes a derivation with these inputs (NULL-terminated .drv paths) and remembers it. */
static const struct store_object *make(const char *name, const char *const *inputs)
{
	struct buf text = BUF_INIT, full = BUF_INIT;
	const struct store_object *o;
	struct err e = ERR_INIT;
	struct store_path p;
	struct drv_modulo m;
	struct drv d;

	drv_init(&d, slice_of(name));
	drv_add_output(&d, SLICE("out"));
	drv_set_system(&d, SLICE("s"));
	drv_set_builder(&d, SLICE("b"));
	for (; *inputs; inputs++)
		drv_add_input(&d, slice_of(*inputs), SLICE("out"));
	assert_int_equal(drv_finish(&d, store_dir_default, &drvs_cache, &text, &p, &m, &e), 0);
	store_path_add(&full, store_dir_default, &p);
	o = drvs_add(&d, (struct slice){ full.p, full.len }, &m, (struct slice){ text.p, text.len });
	drv_release(&d);
	buf_release(&text);
	buf_release(&full);
	return o;
}

/* --- tests --- */

static void test_found_again(void **state)
{
	const struct store_object *o = make("found", (const char *[]){ NULL });

	(void)state;
	assert_non_null(o);
	assert_ptr_equal(drvs_find(o->path), o);
	assert_ptr_equal(make("found", (const char *[]){ NULL }), o);
	assert_int_equal(o->drv->noutputs, 1);
	assert_true(o->drv->outputs[0].path.n > 0);
	assert_null(drvs_find(SLICE("/nix/store/00000000000000000000000000000000-never")));
}

static void test_many(void **state)
{
	const struct store_object *first = NULL, *o;
	char name[32];

	(void)state;
	for (int i = 0; i < 5000; i++) {
		snprintf(name, sizeof name, "many-%d", i);
		o = make(name, (const char *[]){ first ? first->path.p : NULL, NULL });
		first = first ? first : o;
	}
	assert_string_equal(first->drv->name.p, "many-0");
	assert_ptr_equal(drvs_find(first->path), first);
}

static void test_written_inputs_first_and_once(void **state)
{
	const struct store_object *a = make("w-a", (const char *[]){ NULL });
	const struct store_object *b = make("w-b", (const char *[]){ a->path.p, NULL });
	const struct store_object *c = make("w-c", (const char *[]){ a->path.p, b->path.p, NULL });
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(drvs_write(b->path, &e), 0);
	assert_string_equal(buf_str(&mock.written), "w-a.drv 0\nw-b.drv 1\n");
	assert_int_equal(drvs_write(c->path, &e), 0);
	assert_string_equal(buf_str(&mock.written), "w-a.drv 0\nw-b.drv 1\nw-c.drv 2\n");
	assert_int_equal(drvs_write(c->path, &e), 0);
	assert_string_equal(buf_str(&mock.written), "w-a.drv 0\nw-b.drv 1\nw-c.drv 2\n");
}

static void test_write_fails_and_is_tried_again(void **state)
{
	const struct store_object *a = make("f-a", (const char *[]){ NULL });
	struct err e = ERR_INIT;

	(void)state;
	mock.fail = 1;
	assert_int_equal(drvs_write(a->path, &e), ERR_IO);
	assert_string_equal(e.msg, "disk full");
	err_release(&e);
	mock.fail = 0;
	assert_int_equal(drvs_write(a->path, &e), 0);
	assert_string_equal(buf_str(&mock.written), "f-a.drv 0\n");
}

static void test_nothing_written_read_only(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	eval_settings.read_only = 1;
	const struct store_object *a = make("ro", (const char *[]){ NULL });
	assert_int_equal(drvs_write(a->path, &e), 0);
	assert_string_equal(buf_str(&mock.written), "");
}

static void count(void *arg, const struct store_object *o)
{
	(void)o;
	++*(int *)arg;
}

static void test_closure_of_texts(void **state)
{
	const struct slice a = SLICE("/nix/store/11111111111111111111111111111111-a");
	const struct slice b = SLICE("/nix/store/22222222222222222222222222222222-b");
	struct err e = ERR_INIT;
	int n = 0;

	(void)state;
	drvs_add_text(a, NULL, 0, SLICE("a"));
	drvs_add_text(b, &a, 1, SLICE("b"));
	assert_int_equal(drvs_closure(b, count, &n, &e), 0);
	assert_int_equal(n, 2);
	assert_int_equal(drvs_write(b, &e), 0);
	assert_string_equal(buf_str(&mock.written), "a 0\nb 1\n");
}

/* Every .drv that Nix wrote, read through the table, is what it would be had it been made here. */
static void test_read_from_store(void **state)
{
	DIR *dir = opendir(data_dir());
	struct dirent *de;
	int n = 0;

	(void)state;
	assert_non_null(dir);
	while ((de = readdir(dir))) {
		struct buf path = BUF_INIT;
		struct err e = ERR_INIT;
		const struct store_object *o;
		int members = 0;

		if (!strstr(de->d_name, ".drv") || strlen(de->d_name) < 37)
			continue;
		buf_addf(&path, "/nix/store/%s", de->d_name);
		o = drvs_need((struct slice){ path.p, path.len }, &e);
		assert_non_null(o);
		assert_true(o->drv->noutputs > 0);
		assert_int_equal(drvs_closure(o->path, count, &members, &e), 0);
		assert_true(members > (int)o->nrefs);
		buf_release(&path);
		n++;
	}
	closedir(dir);
	assert_true(n > 3);
	assert_int_equal(mock.reads, n);
}

static void test_not_to_be_had(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_null(drvs_need(SLICE("/nix/store/33333333333333333333333333333333-x.drv"), &e));
	assert_non_null(e.msg);
	err_release(&e);
	assert_null(drvs_need(SLICE("/nix/store/33333333333333333333333333333333-x"), &e));
	assert_non_null(strstr(e.msg, "is not the path of a derivation"));
	err_release(&e);
	assert_null(drvs_need(SLICE("x"), &e));
	err_release(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_found_again, setup),
		cmocka_unit_test_setup(test_many, setup),
		cmocka_unit_test_setup(test_written_inputs_first_and_once, setup),
		cmocka_unit_test_setup(test_write_fails_and_is_tried_again, setup),
		cmocka_unit_test_setup(test_nothing_written_read_only, setup),
		cmocka_unit_test_setup(test_closure_of_texts, setup),
		cmocka_unit_test_setup(test_read_from_store, setup),
		cmocka_unit_test_setup(test_not_to_be_had, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
