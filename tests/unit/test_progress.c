/* SPDX-License-Identifier: MIT
 *
 * cli/progress_*: the forms of the progress display by a clock of our own, and cli/width below them.
 */
#include "config.h"
#include "cli/progress.h"
#include "cli/progress_int.h"
#include "cli/width.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DRV "/nix/store/00000000000000000000000000000000-gopls-0.23.0.drv"

static struct task tasks[] = {
	{ .id = 1, .kind = TASK_EVALUATE, .name = (char *)"", .began = 100 },
	{ .id = 2, .kind = TASK_FETCH, .name = (char *)"golang.org/x/tools v0.30.0", .drv = (char *)DRV, .began = 160, .now = 13002342,
	  .all = 71303168, .rate = 7864320 },
	{ .id = 3, .kind = TASK_FETCH, .name = (char *)"honnef.co/go/tools v0.8.2", .drv = (char *)DRV, .began = 162.9 },
	{ .id = 4, .kind = TASK_BUILD, .name = (char *)"gopls-0.23.0", .drv = (char *)DRV, .detail = (char *)"buildPhase", .began = 102,
	  .now = 214, .all = 391, .usual = 270 },
	{ .id = 5, .kind = TASK_WAIT, .name = (char *)"go-1.26.11-std-linux-amd64", .drv = (char *)DRV,
	  .detail = (char *)"process 4 (gx)", .began = 150 },
};

static struct progress some_progress(void)
{
	return (struct progress){ .v = tasks, .n = 5, .built = 3, .builds = 18, .fetched = 12, .fetches = 38, .bytes = 67108864,
				  .next = (char *)"staticcheck-0.8.2, gofumpt-0.9", .began = 100, .now = 163 };
}

static void frame_is(const struct progress *p, size_t columns, size_t rows, const char *want)
{
	struct buf b = BUF_INIT;
	size_t lines = 1, n = bar_frame(p, columns, rows, 0, &b);

	assert_string_equal(buf_str(&b), want);
	for (const char *c = b.p; (c = strchr(c, '\n')); c++)
		lines++;
	assert_int_equal(n, lines);
	/* Never as wide as the window. */
	for (const char *c = b.p; c; c = strchr(c, '\n') ? strchr(c, '\n') + 1 : NULL)
		assert_true(width_of((struct slice){ c, strcspn(c, "\n") }) < (columns > 2 ? columns : 3));
	buf_release(&b);
}

static void frames(void **state)
{
	struct progress p = some_progress();

	(void)state;
	frame_is(&p, 120, 24,
		 "  build gopls-0.23.0: buildPhase                         214 of 391, 1 min 1 s, last time 4 min 30 s\n"
		 "  wait go-1.26.11-std-linux-amd64: process 4 (gx)                                               13 s\n"
		 "  fetch golang.org/x/tools v0.30.0                                12.4 of 68.0 MiB, 7.5 MiB/s, 3.0 s\n"
		 "⠋ 3 of 18 built, 12 of 38 fetched (64.0 MiB), evaluating, 1 min 3 s; next: staticcheck-0.8.2, gofumpt-0.9");
	frame_is(&p, 80, 24,
		 "  build gopls-0.23.0: buildPhase    214 of 391, 1 min 1 s, last time 4 min 30 s\n"
		 "  wait go-1.26.11-std-linux-amd64: process 4 (gx)                          13 s\n"
		 "  fetch golang.org/x/tools v0.30.0           12.4 of 68.0 MiB, 7.5 MiB/s, 3.0 s\n"
		 "⠋ 3 of 18 built, 12 of 38 fetched (64.0 MiB), evaluating, 1 min 3 s; next: sta…");
	frame_is(&p, 40, 24,
		 "  build gopls-0.23.0: buildPhase   54 %\n"
		 "  wait go-1.26.11-std-linux-amd64  13 s\n"
		 "  fetch golang.org/x…ools v0.30.0  18 %\n"
		 "⠋ 3 of 18 built, 12 of 38 fetched (64.…");
	frame_is(&p, 24, 24,
		 "  build gopl…23.0  54 %\n"
		 "  wait go-1…amd64  13 s\n"
		 "  fetch gola…30.0  18 %\n"
		 "⠋ 3 of 18 built, 12 of…");
	/* A low window says how many it has no room for, one that is no window at all still shows something. */
	frame_is(&p, 40, 4,
		 "  build gopls-0.23.0: buildPhase   54 %\n"
		 "  … and 2 more\n"
		 "⠋ 3 of 18 built, 12 of 38 fetched (64.…");
	frame_is(&p, 80, 1,
		 "⠋ 3 of 18 built, 12 of 38 fetched (64.0 MiB), evaluating, 1 min 3 s; next: sta…");
	frame_is(&p, 1, 1,
		 "⠋ ");
	p = (struct progress){ .v = tasks, .n = 1, .began = 100, .now = 101.25 };
	frame_is(&p, 80, 24, "⠋ evaluating, 1.2 s");
	p.colour = 1;
	p.n = 0;
	p.fetched = 2;
	frame_is(&p, 80, 24, "\033[34m⠋\033[0m 2 fetched, 1.2 s");
}

/* What a form says of a change, once. */
static void says(const struct log_form *f, struct progress *p, enum change c, const struct task *t, const char *text,
		 const char *want)
{
	f->change(p, c, t, slice_of(text));
	assert_string_equal(buf_str(&p->out), want);
	buf_trim(&p->out, 0);
}

static void lines(void **state)
{
	struct progress p = some_progress();
	struct task transfer = { .id = 9, .kind = TASK_FETCH, .name = (char *)"http://h/x.tar", .began = 162.8 };

	(void)state;
	says(&form_plain, &p, CHANGE_BEGIN, &tasks[3], "", "building '" DRV "'...\n");
	says(&form_plain, &p, CHANGE_END, &tasks[3], "", "built '" DRV "' in 1 min 1 s\n");
	says(&form_plain, &p, CHANGE_BEGIN, &tasks[1], "", "fetching 'golang.org/x/tools v0.30.0'...\n");
	says(&form_plain, &p, CHANGE_END, &tasks[1], "", "fetched 'golang.org/x/tools v0.30.0' (12.4 MiB) in 3.0 s\n");
	says(&form_plain, &p, CHANGE_BEGIN, &tasks[4], "", "waiting for '" DRV "': process 4 (gx) is building it\n");
	says(&form_plain, &p, CHANGE_END, &tasks[4], "", "");
	says(&form_plain, &p, CHANGE_LINE, &tasks[3], "hello", "");
	says(&form_plain, &p, CHANGE_NOTE, NULL, "mind the \033[2Jgap", "note: mind the gap\n");
	p.logs = 1;
	says(&form_plain, &p, CHANGE_LINE, &tasks[3], "hello", "gopls-0.23.0> hello\n");
	says(&form_raw, &p, CHANGE_LINE, &tasks[3], "hello", "hello\n");
	says(&form_raw, &p, CHANGE_BEGIN, &tasks[3], "", "building '" DRV "'...\n");
	says(&form_raw, &p, CHANGE_END, &tasks[3], "", "");
	says(&form_bar, &p, CHANGE_BEGIN, &tasks[3], "", "");
	says(&form_bar, &p, CHANGE_BEGIN, &tasks[4], "", "");
	/* Nothing is drawn then, and who waits should know. */
	progress_settings.quiet = 1;
	says(&form_bar, &p, CHANGE_BEGIN, &tasks[4], "", "waiting for '" DRV "': process 4 (gx) is building it\n");
	progress_settings.quiet = 0;

	/* What is in no build is told once it has taken half a second. */
	p.v = &transfer;
	p.n = 1;
	says(&form_plain, &p, CHANGE_BEGIN, &transfer, "", "");
	form_plain.tick(&p);
	assert_int_equal(p.out.len, 0);
	says(&form_plain, &p, CHANGE_END, &transfer, "", "");
	p.now = 164.8;
	form_plain.tick(&p);
	form_plain.tick(&p);
	assert_string_equal(p.out.p, "fetching 'http://h/x.tar'...\n");
	buf_trim(&p.out, 0);
	says(&form_plain, &p, CHANGE_END, &transfer, "", "fetched 'http://h/x.tar' in 2.0 s\n");
	buf_release(&p.out);
}

static void objects(void **state)
{
	struct progress p = some_progress();
	struct task copy = { .id = 9, .kind = TASK_COPY, .name = (char *)"src", .began = 162.8 };

	(void)state;
	says(&form_json, &p, CHANGE_BEGIN, &tasks[0], "", "");
	says(&form_json, &p, CHANGE_PLAN, NULL, "", "{\"action\":\"plan\",\"builds\":18,\"fetches\":38}\n");
	says(&form_json, &p, CHANGE_BEGIN, &tasks[3], "",
	     "{\"action\":\"build\",\"event\":\"start\",\"id\":4,\"name\":\"gopls-0.23.0\",\"drv\":\"" DRV "\"}\n");
	says(&form_json, &p, CHANGE_LINE, &tasks[3], "a \"b\"\033",
	     "{\"action\":\"build\",\"event\":\"line\",\"id\":4,\"name\":\"gopls-0.23.0\",\"drv\":\"" DRV "\",\"text\":\"a "
	     "\\\"b\\\"\\u001b\"}\n");
	says(&form_json, &p, CHANGE_MOVE, &tasks[1], "",
	     "{\"action\":\"fetch\",\"event\":\"progress\",\"id\":2,\"name\":\"golang.org/x/tools v0.30.0\",\"drv\":\"" DRV
	     "\",\"now\":13002342,\"all\":71303168}\n");
	says(&form_json, &p, CHANGE_END, &copy, "",
	     "{\"action\":\"copy\",\"event\":\"done\",\"id\":9,\"name\":\"src\",\"seconds\":0.200}\n");
	says(&form_json, &p, CHANGE_NOTE, NULL, "n", "{\"level\":\"note\",\"message\":\"n\"}\n");
	says(&form_json, &p, CHANGE_OVER, NULL, "",
	     "{\"action\":\"summary\",\"built\":3,\"fetched\":12,\"failed\":0,\"bytes\":67108864,\"seconds\":63.000}\n");
	buf_release(&p.out);
}

/* The numbers are Nix's: of activities 101 a transfer, 104 builds, 105 a build; of results 101 a line, 104 a phase, 105 progress. */
static void objects_of_nix(void **state)
{
	struct progress p = some_progress();

	(void)state;
	p.n = 0;
	says(&form_nix, &p, CHANGE_PLAN, NULL, "",
	     "@nix {\"action\":\"start\",\"id\":1,\"level\":0,\"parent\":0,\"text\":\"\",\"type\":104}\n"
	     "@nix {\"action\":\"result\",\"fields\":[15,56,0,0],\"id\":1,\"type\":105}\n");
	says(&form_nix, &p, CHANGE_BEGIN, &tasks[3], "",
	     "@nix {\"action\":\"start\",\"fields\":[\"" DRV "\",\"\",1,1],\"id\":8,\"level\":3,\"parent\":0,\"text\":\"building '" DRV
	     "'\",\"type\":105}\n"
	     "@nix {\"action\":\"result\",\"fields\":[15,56,0,0],\"id\":1,\"type\":105}\n");
	says(&form_nix, &p, CHANGE_LINE, &tasks[3], "hello", "@nix {\"action\":\"result\",\"fields\":[\"hello\"],\"id\":8,\"type\":101}\n");
	says(&form_nix, &p, CHANGE_PHASE, &tasks[3], "buildPhase",
	     "@nix {\"action\":\"result\",\"fields\":[\"buildPhase\"],\"id\":8,\"type\":104}\n");
	says(&form_nix, &p, CHANGE_MOVE, &tasks[1], "",
	     "@nix {\"action\":\"result\",\"fields\":[13002342,71303168,0,0],\"id\":5,\"type\":105}\n");
	p.planned = 0;
	says(&form_nix, &p, CHANGE_BEGIN, &tasks[1], "",
	     "@nix {\"action\":\"start\",\"fields\":[\"" DRV "\",\"\",1,1],\"id\":4,\"level\":3,\"parent\":0,\"text\":\"building '" DRV
	     "'\",\"type\":105}\n"
	     "@nix {\"action\":\"start\",\"fields\":[\"golang.org/x/tools v0.30.0\"],\"id\":5,\"level\":4,\"parent\":4,\"text\":"
	     "\"downloading 'golang.org/x/tools v0.30.0'\",\"type\":101}\n");
	says(&form_nix, &p, CHANGE_END, &tasks[1], "", "@nix {\"action\":\"stop\",\"id\":5}\n@nix {\"action\":\"stop\",\"id\":4}\n");
	says(&form_nix, &p, CHANGE_NOTE, NULL, "n", "@nix {\"action\":\"msg\",\"level\":2,\"msg\":\"n\"}\n");
	buf_release(&p.out);
}

static void summary_is(struct progress p, const char *want)
{
	struct buf b = BUF_INIT;

	progress_add_summary(&p, "gx", &b);
	assert_string_equal(b.p, want);
	buf_release(&b);
}

static void summaries(void **state)
{
	(void)state;
	summary_is((struct progress){ .built = 18, .fetched = 38, .bytes = 224395264, .now = 372.4 },
		   "gx: 38 fetched (214.0 MiB), 18 built, in 6 min 12 s\n");
	summary_is((struct progress){ .built = 1, .failed = 2, .now = 7325 }, "gx: 1 built, 2 failed, in 2 h 2 min\n");
	summary_is((struct progress){ .fetched = 1, .now = 9.97 }, "gx: 1 fetched, in 9 s\n");
}

static void cut_is(const char *text, size_t columns, const char *end, const char *middle)
{
	struct buf b = BUF_INIT;

	width_cut_end(&b, slice_of(text), columns);
	assert_string_equal(buf_str(&b), end);
	buf_trim(&b, 0);
	width_cut_middle(&b, slice_of(text), columns);
	assert_string_equal(buf_str(&b), middle);
	assert_true(width_of((struct slice){ b.p, b.len }) <= columns);
	buf_release(&b);
}

static void cuts(void **state)
{
	(void)state;
	cut_is("abcdefghij", 10, "abcdefghij", "abcdefghij");
	cut_is("abcdefghij", 9, "abcdefgh…", "abcd…ghij");
	cut_is("abcdefghij", 4, "abc…", "a…ij");
	cut_is("abcdefghij", 1, "…", "…");
	cut_is("abcdefghij", 0, "", "");
	cut_is("世界世界世界", 8, "世界世…", "世…世界");
	cut_is("世界世界世界", 7, "世界世…", "世…界");
	cut_is("e\xcc\x81" "e\xcc\x81", 2, "e\xcc\x81" "e\xcc\x81", "e\xcc\x81" "e\xcc\x81");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames),    cmocka_unit_test(lines), cmocka_unit_test(objects), cmocka_unit_test(objects_of_nix),
		cmocka_unit_test(summaries), cmocka_unit_test(cuts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
