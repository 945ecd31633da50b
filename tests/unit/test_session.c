/* SPDX-License-Identifier: MIT
 *
 * cli/session: two evaluations in one process, evaluated in turn, one dropped.
 *
 * What one does shows nowhere in the other, and a dropped one leaves nothing behind.  Under AddressSanitizer with leak
 * detection and --disable-gc this program also says which malloc block is forgotten.
 */
#include "config.h"
#include "base/limits.h"
#include "base/mem.h"
#include "builtins/compiled.h"
#include "builtins/drvs.h"
#include "builtins/fs.h"
#include "builtins/store_ops.h"
#include "cli/session.h"
#include "cli/world.h"
#include "eval/attrs.h"
#include "flake/source.h"

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char root[] = "/tmp/gx-session.XXXXXX";

/* --- stores that count --- */

struct mock {
	int texts; /* added */
	struct store_ops ops;
};

static int add_text(void *user, struct slice path, struct slice text, const struct slice *refs, size_t nrefs, struct err *e)
{
	(void)path;
	(void)text;
	(void)refs;
	(void)nrefs;
	(void)e;
	((struct mock *)user)->texts++;
	return 0;
}

static int is_valid(void *user, struct slice path, struct err *e)
{
	(void)user;
	(void)path;
	(void)e;
	return 0;
}

static int references(void *user, struct slice path, void (*each)(void *arg, struct slice ref), void *arg, struct err *e)
{
	(void)each;
	(void)arg;
	return is_valid(user, path, e);
}

static struct mock mocks[2];

/* --- sessions --- */

static W no_copy(W path)
{
	return path;
}

static void no_message(const char *p, size_t n)
{
	(void)p;
	(void)n;
}

static struct session *new_session(struct eval_settings s)
{
	static const struct eval_io io = { no_copy, no_message, NULL, NULL };

	s.system = s.system ? s.system : "x86_64-linux";
	s.store_dir = "/nix/store";
	s.max_call_depth = 1000;
	return session_new(&s, world_builtins, &io);
}

static const char *path_of(const char *name)
{
	static char p[4][256];
	static unsigned k;

	k = (k + 1) % 4;
	snprintf(p[k], sizeof p[k], "%s/%s", root, name);
	return p[k];
}

static void write_file(const char *name, const char *text)
{
	FILE *f = fopen(path_of(name), "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

/* Evaluation may throw: what it throws is what a test sees. */
struct question {
	const char *text;
	W value;
};

static void ask(void *arg)
{
	struct question *q = arg;

	q->value = eval_text(q->text, strlen(q->text), "«test»", root);
}

static W eval(const char *text)
{
	struct question q = { text, W_ABSENT };
	struct failure f;

	if (!unwind_run(ask, &q, &f, 0))
		fail_msg("%s: %s", text, w_get_str(f.msg)->b);
	return q.value;
}

static void says(const char *text, const char *want)
{
	assert_string_equal(w_get_str(eval(text))->b, want);
}

static void fails(const char *text, enum error_kind kind)
{
	struct question q = { text, W_ABSENT };
	struct failure f;

	assert_int_equal(unwind_run(ask, &q, &f, 0), 0);
	assert_int_equal(f.kind, kind);
}

static int setup(void **state)
{
	(void)state;
	if (!mkdtemp(root) || mkdir(path_of("a"), 0700) || mkdir(path_of("b"), 0700) || mkdir(path_of("tree"), 0700))
		return -1;
	setenv("XDG_CACHE_HOME", path_of("cache"), 1);
	write_file("a/x.gx", "\"of a\"");
	write_file("b/x.gx", "\"of b\"");
	write_file("tree/flake.gx", "{ outputs = { self }: { value = builtins.readFile ./text; }; }");
	write_file("tree/text", "of a tree");
	for (unsigned i = 0; i < 2; i++)
		mocks[i].ops = (struct store_ops){ .add_text = add_text, .is_valid = is_valid, .references = references,
						  .user = &mocks[i] };
	return 0;
}

static int teardown(void **state)
{
	char cmd[64];

	(void)state;
	snprintf(cmd, sizeof cmd, "rm -rf %s", root);
	return system(cmd);
}

/* --- what is whose --- */

static void settings_are_of_each(void **state)
{
	struct session *a = new_session((struct eval_settings){ .pure = 1 });
	struct session *b = new_session((struct eval_settings){ .system = "mips-linux" });

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		session_enter(a);
		assert_int_equal(eval("builtins ? currentSystem"), W_FALSE);
		fails("builtins.readFile /etc/passwd", EK_DENIED);
		session_enter(b);
		says("builtins.currentSystem", "mips-linux");
		says("builtins.readFile ./a/x.gx", "\"of a\"");
	}
	session_free(a);
	says("builtins.currentSystem", "mips-linux");
	session_free(b);
}

static void search_paths_are_of_each(void **state)
{
	struct session *s[2] = { new_session((struct eval_settings){ .restricted = 1 }),
				 new_session((struct eval_settings){ .restricted = 1 }) };

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		const char *dir = path_of(i ? "b" : "a");
		session_enter(s[i]);
		fs_search_path_add(dir, strlen(dir));
	}
	for (unsigned i = 0; i < 4; i++) {
		session_enter(s[i % 2]);
		says("import <x.gx>", i % 2 ? "of b" : "of a");
		fails(i % 2 ? "import ./a/x.gx" : "import ./b/x.gx", EK_DENIED);
	}
	session_free(s[0]);
	session_enter(s[1]);
	says("import <x.gx>", "of b");
	session_free(s[1]);
}

/* Each sees a file as it was when it first looked; a new one looks anew. */
static void files_are_of_each(void **state)
{
	struct session *a = new_session((struct eval_settings){ .read_only = 1 }), *b;

	(void)state;
	session_enter(a);
	write_file("changing.gx", "\"one\"");
	says("import ./changing.gx + builtins.readFile ./changing.gx", "one\"one\"");
	write_file("changing.gx", "\"two\"");
	b = new_session((struct eval_settings){ .read_only = 1 });
	says("import ./changing.gx", "one");
	session_enter(b);
	says("import ./changing.gx + builtins.readFile ./changing.gx", "two\"two\"");
	session_enter(a);
	says("import ./changing.gx + builtins.readFile ./changing.gx", "one\"one\"");
	session_free(b);
	says("import ./changing.gx", "one");
	session_free(a);
}

/* Positions are of each: the same number is another text. */
static void texts_are_of_each(void **state)
{
	struct session *a = new_session((struct eval_settings){ .read_only = 1 });
	struct session *b = new_session((struct eval_settings){ .read_only = 1 });

	(void)state;
	session_enter(a);
	eval("1");
	assert_string_equal(source_of(1)->text, "1");
	session_enter(b);
	assert_null(source_of(1));
	eval("22");
	assert_string_equal(source_of(1)->text, "22");
	session_free(a);
	assert_string_equal(source_of(1)->text, "22");
	session_free(b);
}

static const char make[] = "(derivation { name = \"n\"; system = \"s\"; builder = \"b\"; }).drvPath";

static void derivations_and_stores_are_of_each(void **state)
{
	struct session *s[2] = { new_session((struct eval_settings){ 0 }), new_session((struct eval_settings){ 0 }) };
	const char *drv;
	struct err e = ERR_INIT;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		session_enter(s[i]);
		store_ops = &mocks[i].ops;
	}
	session_enter(s[0]);
	drv = w_get_str(eval(make))->b;
	assert_non_null(drvs_find(slice_of(drv)));
	session_enter(s[1]);
	assert_null(drvs_find(slice_of(drv)));
	assert_int_equal(drvs_count(), 0);
	assert_string_equal(w_get_str(eval(make))->b, drv);
	session_enter(s[0]);
	assert_int_equal(drvs_write(slice_of(drv), &e), 0);
	assert_int_equal(mocks[0].texts, 1);
	assert_int_equal(mocks[1].texts, 0);
	session_free(s[0]);
	session_enter(s[1]);
	assert_true(drvs_find(slice_of(drv))->unwritten);
	assert_int_equal(drvs_write(slice_of(drv), &e), 0);
	assert_int_equal(mocks[1].texts, 1);
	session_free(s[1]);
}

static void flakes_are_of_each(void **state)
{
	struct session *a = new_session((struct eval_settings){ .read_only = 1 });
	struct session *b = new_session((struct eval_settings){ .read_only = 1 });

	(void)state;
	session_enter(a);
	says("(builtins.getFlake (toString ./tree)).value", "of a tree");
	write_file("tree/text", "changed");
	session_enter(b);
	says("(builtins.getFlake (toString ./tree)).value", "changed");
	session_enter(a);
	says("(builtins.getFlake (toString ./tree)).value", "of a tree");
	session_free(a);
	session_enter(b);
	says("(builtins.getFlake (toString ./tree)).value", "changed");
	session_free(b);
	write_file("tree/text", "of a tree");
}

/* --- what is left --- */

static void live_and_die(void)
{
	struct session *s = new_session((struct eval_settings){ .compile_cache = 2 });
	struct store_ops ops = mocks[0].ops;

	session_enter(s);
	store_ops = &ops;
	eval(make);
	says("import ./a/x.gx + import ./b/x.gx", "of aof b");
	says("(builtins.getFlake (toString ./tree)).value", "of a tree");
	fails("1 +", EK_SYNTAX);
	fails("assert false; 1", EK_ASSERT);
	compiled_save();
	session_free(s);
}

/* Less than the least part of a session. */
enum { SESSIONS = 40, LEFT_MAX = 64 * SESSIONS };

static size_t in_use(void)
{
	struct mallinfo2 m = mallinfo2();

	return m.uordblks + m.hblkhd;
}

static void nothing_is_left(void **state)
{
	size_t before;

	(void)state;
	live_and_die(); /* the tables that sessions share */
	live_and_die();
	before = in_use();
	for (unsigned i = 0; i < SESSIONS; i++)
		live_and_die();
#if GX_GC
	assert_in_range(in_use(), 0, before + LEFT_MAX);
#else
	(void)before; /* what is the collector's is malloc's */
#endif
}

/* For LeakSanitizer, where configured with --disable-gc: what the collector would find is no leak. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:mem_new\nleak:mem_bytes\nleak:mem_many\n";
}

static int result;

static void run(void *stack_low)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(settings_are_of_each),		    cmocka_unit_test(search_paths_are_of_each),
		cmocka_unit_test(files_are_of_each),		    cmocka_unit_test(texts_are_of_each),
		cmocka_unit_test(derivations_and_stores_are_of_each), cmocka_unit_test(flakes_are_of_each),
		cmocka_unit_test(nothing_is_left),
	};

	eval_thread(*(char **)stack_low);
	result = cmocka_run_group_tests(tests, setup, teardown);
}

int main(void)
{
	static char *stack_low;

	mem_init();
	mem_run_on_stack(LIMIT_EVAL_STACK, run, &stack_low, &stack_low);
	return result;
}
