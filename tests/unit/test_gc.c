/* SPDX-License-Identifier: MIT
 *
 * store/gc, roots, temp_roots, gc_server: what is kept, what goes, and another process that speaks up meanwhile.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "store_fixture.h"
#include "store/gc.h"
#include "store/gc_remove.h"
#include "base/flock.h"

#include <errno.h>
#include <sys/file.h>
#include <sys/wait.h>

/* A process that only made objects has them as temporary roots; a fresh handle has none. */
static void reopen(struct fixture *f)
{
	store_free(f->store);
	CHECK(store_open(&f->store, &f->place, STORE_NOSYNC, &fixture_err));
}

static size_t collect(struct fixture *f, enum gc_action action)
{
	struct gc_options o = { .action = action };
	struct gc_result r;

	CHECK(store_gc(f->store, &o, &r, &fixture_err));
	return r.n;
}

static void link_root(struct fixture *f, const char *name, const struct store_path *p)
{
	char link[128];

	snprintf(link, sizeof link, "%s/%s", f->root, name);
	CHECK(store_add_root_link(f->store, link, p, &fixture_err));
}

static void keeps_what_roots_reach(void **state)
{
	struct fixture *f = *state;
	struct store_path a = add_text(f->store, "a", "x", NULL, NULL), b = add_text(f->store, "b", "y", &a, NULL);
	struct store_path c = add_text(f->store, "c", "z", &a, NULL), d = add_text(f->store, "d", "w", &c, NULL);

	link_root(f, "result", &b);
	reopen(f);
	assert_int_equal(collect(f, GC_LIST_DEAD), 2);
	assert_int_equal(collect(f, GC_LIST_LIVE), 2);
	assert_int_equal(collect(f, GC_DELETE_DEAD), 2);
	assert_int_equal(is_valid(f->store, &a), 1);
	assert_int_equal(is_valid(f->store, &b), 1);
	assert_int_equal(is_valid(f->store, &c), 0);
	assert_int_equal(is_there(f->store, d.base), 0);
	assert_int_equal(verify(f->store), 0);
	assert_int_equal(unlinkat(f->dir, "result", 0), 0);
	assert_int_equal(collect(f, GC_DELETE_DEAD), 2);
	assert_int_equal(is_valid(f->store, &a), 0);
}

static void keeps_own_temporary_roots(void **state)
{
	struct fixture *f = *state;
	struct store_path a = add_text(f->store, "a", "x", NULL, NULL);

	collect(f, GC_DELETE_DEAD);
	assert_int_equal(is_valid(f->store, &a), 1);
	reopen(f);
	collect(f, GC_DELETE_DEAD);
	assert_int_equal(is_valid(f->store, &a), 0);
}

/* Who cannot read what a process needs must not delete it. */
static void stops_at_unreadable_temporary_roots(void **state)
{
	struct fixture *f = *state;
	struct store_path a = add_text(f->store, "a", "x", NULL, NULL);
	struct gc_options o = { .action = GC_DELETE_DEAD };
	struct gc_result r;

	reopen(f);
	assert_int_equal(mkdirat(store_state_fd(f->store), "temproots/4711", 0700), 0);
	assert_int_equal(store_gc(f->store, &o, &r, &fixture_err), ERR_IO);
	assert_string_equal(fixture_err.msg, "cannot open the temporary roots '4711': Is a directory");
	err_release(&fixture_err);
	assert_int_equal(is_valid(f->store, &a), 1);
	assert_int_equal(is_there(f->store, a.base), 1);
}

static void keeps_what_is_open(void **state)
{
	struct fixture *f = *state;
	struct store_path a = add_text(f->store, "a", "x", NULL, NULL);

	reopen(f);
	int fd = store_open_object(f->store, &a, O_RDONLY, &fixture_err);
	assert_true(fd >= 0);
	collect(f, GC_DELETE_DEAD);
	assert_int_equal(is_valid(f->store, &a), 1);
	close(fd);
	collect(f, GC_DELETE_DEAD);
	assert_int_equal(is_valid(f->store, &a), 0);
}

static void keeps_derivations_of_live_outputs(void **state)
{
	struct fixture *f = *state;
	struct store_path drv = add_text(f->store, "src", "x", NULL, NULL);
	struct path_info out = { .deriver = drv, .nar_size = 1 };
	struct gc_options o = { .drop_derivations = 1 };
	struct gc_result r;

	/* The row is what matters here. */
	CHECK(store_path_parse_base(SLICE("11111111111111111111111111111111-out"), &out.path, &fixture_err));
	hash_bytes(HASH_SHA256, "", 0, &out.nar_hash);
	CHECK(db_register(store_db(f->store), &out, 1, &fixture_err));
	write_file(store_fd(f->store), out.path.base, "", 0444);
	link_root(f, "result", &out.path);
	reopen(f);
	collect(f, GC_DELETE_DEAD);
	assert_int_equal(is_valid(f->store, &drv), 1);
	CHECK(store_gc(f->store, &o, &r, &fixture_err));
	assert_int_equal(is_valid(f->store, &drv), 0);
	assert_int_equal(is_valid(f->store, &out.path), 1);
}

static void deletes_given_paths(void **state)
{
	struct fixture *f = *state;
	struct store_path a = add_text(f->store, "a", "x", NULL, NULL), b = add_text(f->store, "b", "y", &a, NULL);
	struct path_set paths = PATH_SET_INIT;
	struct gc_options o = { .action = GC_DELETE_PATHS, .paths = &paths };
	struct gc_result r;

	reopen(f);
	path_set_add(&paths, &a);
	assert_int_equal(store_gc(f->store, &o, &r, &fixture_err), ERR_INVALID); /* b refers to it */
	err_release(&fixture_err);
	link_root(f, "result", &b);
	reopen(f);
	path_set_add(&paths, &b);
	assert_int_equal(store_gc(f->store, &o, &r, &fixture_err), ERR_INVALID); /* alive */
	err_release(&fixture_err);
	o.ignore_liveness = 1;
	CHECK(store_gc(f->store, &o, &r, &fixture_err));
	assert_int_equal(r.n, 2);
	assert_int_equal(is_there(f->store, a.base), 0);
	path_set_release(&paths);
}

static void removes_leftovers(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(mkdirat(store_fd(f->store), "11111111111111111111111111111111-half", 0), 0);
	write_file(store_fd(f->store), "22222222222222222222222222222222-half.lock", "", 0600);
	write_file(store_fd(f->store), "rubbish", "", 0600);
	assert_int_equal(mkdirat(store_fd(f->store), "tmp-1-1", 0755), 0);
	assert_int_equal(collect(f, GC_DELETE_DEAD), 4);
	/* What somebody holds a lock on is no leftover. */
	write_file(store_fd(f->store), "22222222222222222222222222222222-half.lock", "", 0600);
	int fd = openat(store_fd(f->store), "22222222222222222222222222222222-half.lock", O_RDONLY);
	assert_int_equal(lock_fd(fd, LOCK_EX, NULL), 0);
	assert_int_equal(collect(f, GC_DELETE_DEAD), 0);
	close(fd);
}

static void stops_when_enough(void **state)
{
	struct fixture *f = *state;
	struct gc_options o = { .max_freed = 1 };
	struct gc_result r;

	add_text(f->store, "a", "x", NULL, NULL);
	add_text(f->store, "b", "y", NULL, NULL);
	reopen(f);
	CHECK(store_gc(f->store, &o, &r, &fixture_err));
	assert_int_equal(r.n, 1);
	assert_int_equal(verify(f->store), 0);
}

/* --- another process, while a collection runs --- */

struct rescue {
	struct fixture *f;
	struct store_path keep, last;
	int to_child[2], from_child[2];
	size_t seen;
	int told;
};

/* Called before the first object goes: lets the child ask for one of the others. */
static void on_first(void *arg, const char *base)
{
	struct rescue *r = arg;

	(void)base;
	if (r->seen++ == 0)
		assert_int_equal(write(r->to_child[1], "x", 1), 1);
	usleep(300 * 1000); /* long enough for the child's line to arrive */
}

static void root_told_meanwhile(void **state)
{
	struct fixture *f = *state;
	struct rescue r = { .f = f };
	struct gc_options o = { .each = on_first, .arg = &r };
	struct gc_result result;
	struct store_path base, top;
	int status;

	/* Deleted first: what nothing refers to, by name from the end of the order. */
	base = add_text(f->store, "base", "x", NULL, NULL);
	r.keep = add_text(f->store, "keep", "y", &base, NULL);
	top = add_text(f->store, "top", "z", &r.keep, NULL);
	r.last = add_text(f->store, "last", "w", &top, NULL);
	reopen(f);
	assert_int_equal(pipe(r.to_child), 0);
	pid_t child = fork();
	if (child == 0) {
		struct store *s;
		char c;
		if (store_open(&s, &f->place, STORE_NOSYNC, NULL) || read(r.to_child[0], &c, 1) != 1 ||
		    store_add_temp_root(s, &r.keep, NULL) || store_is_valid(s, &r.keep, NULL) != 1)
			_exit(1);
		usleep(500 * 1000);
		_exit(store_is_valid(s, &r.keep, NULL) == 1 && store_is_valid(s, &base, NULL) == 1 ? 0 : 2);
	}
	CHECK(store_gc(f->store, &o, &result, &fixture_err));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(is_valid(f->store, &base), 1);
	assert_int_equal(is_valid(f->store, &r.last), 0);
	assert_int_equal(verify(f->store), 0);
	close(r.to_child[0]);
	close(r.to_child[1]);
}

/* --- many at once --- */

enum { TREES = 200, FILES = 40 };

struct told {
	struct fixture *f;
	struct path_set all;
	struct gc_removal *running;
	int stop, heard, was_there[TREES], waits[TREES], answers;
};

/* All of them are needed at once: what was not begun has to stay, what was begun has to be gone when that is answered. */
static int tell_all(void *arg)
{
	struct told *t = arg;

	for (size_t i = 0; i < TREES && !t->heard; i++) {
		t->waits[i] = gc_removal_spare(t->running, &t->all.v[i]);
		t->was_there[i] = is_there(t->f->store, t->all.v[i].base);
	}
	t->heard = 1;
	return t->stop;
}

static void count_answer(void *arg)
{
	struct told *t = arg;

	t->answers += t->heard;
	for (size_t i = 0; i < TREES; i++)
		if (t->waits[i] && !t->stop)
			assert_int_equal(is_there(t->f->store, t->all.v[i].base), 0);
}

static void told_about(struct told *t, struct fixture *f)
{
	const struct gc_meanwhile m = { tell_all, count_answer, t };
	uint64_t freed = 0;
	size_t stayed = 0;

	t->f = f;
	for (size_t i = 0; i < TREES; i++) {
		char name[300];
		struct store_path p;

		snprintf(name, sizeof name, "%032zu-tree", i);
		CHECK(store_path_parse_base(slice_of(name), &p, &fixture_err));
		path_set_push(&t->all, &p);
		assert_int_equal(mkdirat(store_fd(f->store), p.base, 0755), 0);
		for (size_t k = 0; k < FILES; k++) {
			snprintf(name, sizeof name, "%s/%zu", p.base, k);
			write_file(store_fd(f->store), name, "x", 0444);
		}
	}
	assert_int_equal(gc_remove_all(f->store, &t->all, &m, &t->running, &freed, &fixture_err), t->stop);
	assert_null(t->running);
	for (size_t i = 0; i < TREES; i++) {
		int there = is_there(f->store, t->all.v[i].base);

		if (!t->waits[i] || !t->stop)
			assert_int_equal(there, !t->waits[i] && t->was_there[i]);
		stayed += (size_t)there;
	}
	assert_true(t->answers > 0);
	assert_true(freed >= (uint64_t)(TREES - stayed) * FILES * 512);
	path_set_release(&t->all);
}

static void spares_what_is_told(void **state)
{
	struct told t = { .all = PATH_SET_INIT };

	told_about(&t, *state);
}

static void stops_when_told_to(void **state)
{
	struct told t = { .all = PATH_SET_INIT, .stop = -7 };

	told_about(&t, *state);
}

static void roots_are_links(void **state)
{
	struct fixture *f = *state;
	struct store_path a = add_text(f->store, "a", "x", NULL, NULL);

	write_file(f->dir, "file", "precious", 0644);
	char link[128];
	snprintf(link, sizeof link, "%s/file", f->root);
	assert_int_equal(store_add_root_link(f->store, link, &a, &fixture_err), ERR_INVALID);
	err_release(&fixture_err);
	link_root(f, "result", &a);
	link_root(f, "result", &a); /* again is fine */
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, fixture_start, fixture_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(keeps_what_roots_reach), TEST(keeps_own_temporary_roots),
		TEST(stops_at_unreadable_temporary_roots), TEST(keeps_what_is_open),
		TEST(keeps_derivations_of_live_outputs), TEST(deletes_given_paths), TEST(removes_leftovers),
		TEST(stops_when_enough), TEST(root_told_meanwhile), TEST(roots_are_links),
		TEST(spares_what_is_told), TEST(stops_when_told_to),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
