/* SPDX-License-Identifier: MIT
 *
 * Showing builds.
 *
 * The drawn line appears only when the work has taken half a second: what is quicker needs no comment.
 */
#include "config.h"

#include "cli/build_progress.h"

#include "base/visible.h"
#include "cli/options.h"
#include "cli/output.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

static const double quiet_seconds = 0.5;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void build_progress_init(struct build_progress *p, struct slice store_dir)
{
	const char *term = getenv("TERM");

	*p = (struct build_progress){ .dir = store_dir, .started = now() };
	p->terminal = output_colour(2) && term;
}

/* The name without digest and ".drv". */
static struct slice short_name(const struct store_path *drv)
{
	struct slice s = store_path_name(drv);

	if (store_path_is_drv(drv))
		s.n -= 4;
	return s;
}

static void put(const struct buf *b)
{
	const char *p = b->p;
	size_t n = b->len;

	while (n) {
		ssize_t w = write(2, p, n);

		if (w <= 0)
			return;
		p += w;
		n -= (size_t)w;
	}
}

static size_t columns(void)
{
	struct winsize w;

	return !ioctl(2, TIOCGWINSZ, &w) && w.ws_col > 20 ? w.ws_col : 80;
}

static void draw(struct build_progress *p, const struct build_event *ev)
{
	struct slice name = short_name(ev->drv);
	struct buf line = BUF_INIT, b = BUF_INIT;

	if (!p->terminal || now() - p->started < quiet_seconds)
		return;
	buf_addf(&line, "[%zu/%zu built] %.*s", p->done, p->total, (int)name.n, name.p);
	if (ev->text.n) {
		buf_adds(&line, ev->kind == BUILD_PHASE ? ": " : "> ");
		visible_add(&line, ev->text.p, ev->text.n, 0);
	}
	if (line.len > columns() - 1)
		buf_trim(&line, columns() - 1);
	/* Not in the middle of a character. */
	while (line.len && (line.p[line.len - 1] & 0xc0) == 0x80)
		buf_trim(&line, line.len - 1);
	if (line.len && (line.p[line.len - 1] & 0x80))
		buf_trim(&line, line.len - 1);
	buf_addf(&b, "\r\033[K%s", buf_str(&line));
	put(&b);
	p->drawn = 1;
	buf_release(&line);
	buf_release(&b);
}

void build_progress_end(struct build_progress *p)
{
	struct buf b = BUF_INIT;

	if (p->drawn) {
		buf_adds(&b, "\r\033[K");
		put(&b);
	}
	p->drawn = 0;
	buf_release(&b);
}

/* One whole line of its own. */
static void say(struct build_progress *p, const struct build_event *ev, const char *what, const char *after)
{
	struct buf b = BUF_INIT;

	build_progress_end(p);
	buf_adds(&b, what);
	if (ev->drv) {
		buf_addc(&b, '\'');
		store_path_add(&b, p->dir, ev->drv);
		buf_addc(&b, '\'');
	}
	buf_adds(&b, after);
	buf_addc(&b, '\n');
	put(&b);
	buf_release(&b);
}

static void say_line(struct build_progress *p, const struct build_event *ev)
{
	struct slice name = short_name(ev->drv);
	struct buf b = BUF_INIT;

	build_progress_end(p);
	buf_addf(&b, "%.*s> ", (int)name.n, name.p);
	visible_add(&b, ev->text.p, ev->text.n, output_colour(2) ? VISIBLE_COLOUR : 0);
	buf_addc(&b, '\n');
	put(&b);
	buf_release(&b);
}

static void say_text(struct build_progress *p, const char *what, struct slice text)
{
	struct buf b = BUF_INIT;

	build_progress_end(p);
	buf_adds(&b, what);
	visible_add(&b, text.p, text.n, 0);
	buf_addc(&b, '\n');
	put(&b);
	buf_release(&b);
}

static void say_json(const struct build_progress *p, const struct build_event *ev)
{
	static const char *const names[] = { "start", "line", "phase", "wait", "done", "failed", "note" };
	struct buf b = BUF_INIT, drv = BUF_INIT;

	buf_addf(&b, "{\"action\":\"build\",\"event\":\"%s\",\"drv\":", names[ev->kind]);
	store_path_add(&drv, p->dir, ev->drv);
	output_json_string(&b, drv.p, drv.len);
	if (ev->text.n) {
		buf_adds(&b, ",\"text\":");
		output_json_string(&b, ev->text.p, ev->text.n);
	}
	if (ev->kind == BUILD_DONE)
		buf_addf(&b, ",\"seconds\":%.3f", ev->seconds);
	buf_adds(&b, "}\n");
	put(&b);
	buf_release(&b);
	buf_release(&drv);
}

static unsigned failure_bits(int code)
{
	switch (code) {
	case ERR_TIMEOUT: return EXIT_BUILD_TIMEOUT - EXIT_BUILD_BASE;
	case ERR_HASH: return EXIT_BUILD_HASH - EXIT_BUILD_BASE;
	case ERR_DIFFERS: return EXIT_BUILD_DIFFERS - EXIT_BUILD_BASE;
	case ERR_BUILD: return EXIT_BUILD - EXIT_BUILD_BASE;
	}
	return 0;
}

void build_progress_event(void *user, const struct build_event *ev)
{
	struct build_progress *p = user;
	char after[64];

	if (ev->kind == BUILD_START && ev->total > p->total)
		p->total = ev->total;
	if (ev->kind == BUILD_DONE)
		p->done++;
	if (ev->kind == BUILD_FAILED)
		*p->failed |= failure_bits(ev->code);
	if (p->json) {
		say_json(p, ev);
		return;
	}
	switch (ev->kind) {
	case BUILD_START:
		if (!p->terminal && !p->quiet)
			say(p, ev, "building ", "...");
		draw(p, ev);
		break;
	case BUILD_DONE:
		snprintf(after, sizeof after, " in %.1f s", ev->seconds);
		if (!p->terminal && !p->quiet)
			say(p, ev, "built ", after);
		draw(p, &(struct build_event){ .kind = BUILD_DONE, .drv = ev->drv });
		break;
	case BUILD_LINE:
		if (p->logs)
			say_line(p, ev);
		else
			draw(p, ev);
		break;
	case BUILD_PHASE: draw(p, ev); break;
	case BUILD_WAIT: {
		struct buf b = BUF_INIT;

		buf_adds(&b, ": ");
		visible_add(&b, ev->text.p, ev->text.n, 0);
		buf_adds(&b, " is building it");
		say(p, ev, "waiting for ", buf_str(&b));
		buf_release(&b);
		break;
	}
	case BUILD_FAILED: break; /* said as the error at the end */
	case BUILD_NOTE: say_text(p, "note: ", ev->text); break;
	}
}
