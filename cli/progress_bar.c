/* SPDX-License-Identifier: MIT
 *
 * The lines that are drawn in place:
 *
 *     build gopls-0.23.0: buildPhase             214 of 391, 1 min 4 s, last time 4 min 30 s
 *     fetch golang.org/x/tools v0.30.0           12.4 of 68.0 MiB, 7.5 MiB/s, 3 s
 *     … and 4 more
 *   ⠋ 3 of 18 built, 12 of 38 fetched (64.0 MiB), 1 min 9 s; next: staticcheck-0.8.2
 *
 * A line never fills the window's last column, where terminals differ.  What does not fit goes in this order: what it is
 * doing, all numbers but one, the middle of its name.
 */
#include "config.h"
#include "cli/progress_int.h"

#include "cli/command.h"
#include "cli/width.h"

enum {
	WIDE_ENOUGH = 100, /* further to the right nobody looks for the numbers */
	NAME_MIN = 12,
	LINES_MAX = 12,
	TURNS = 10
};

static const double quiet_seconds = 0.5;

static const char *const verbs[] = { "evaluate", "fetch", "build", "copy", "hash", "wait" };

static void add_blue(const struct progress *p, struct buf *b, const char *s)
{
	buf_addf(b, p->colour ? "\033[34m%s\033[0m" : "%s", s);
}

/* --- the numbers --- */

/* "12.4 of 68.0 MiB": the unit once where both have it. */
static void add_bytes(struct buf *b, uint64_t now, uint64_t all)
{
	struct buf a = BUF_INIT, z = BUF_INIT;
	const char *ua, *uz;

	buf_add_size(&a, now);
	if (all < now) {
		buf_adds(b, a.p);
	} else {
		buf_add_size(&z, all);
		ua = strchr(a.p, ' ');
		uz = strchr(z.p, ' ');
		buf_addf(b, "%.*s of %s", (int)(strcmp(ua, uz) ? strlen(a.p) : (size_t)(ua - a.p)), a.p, z.p);
	}
	buf_release(&a);
	buf_release(&z);
}

/* The one number that tells most, for narrow windows. */
static void add_number(const struct progress *p, const struct task *t, struct buf *b)
{
	if (t->all)
		buf_addf(b, "%llu %%", (unsigned long long)((double)t->now * 100 / (double)t->all));
	else
		progress_add_time(b, p->now - t->began);
}

static void add_numbers(const struct progress *p, const struct task *t, struct buf *b)
{
	if (t->kind == TASK_FETCH && t->now) {
		add_bytes(b, t->now, t->all);
		if (t->rate >= 1 && t->now != t->all) {
			buf_adds(b, ", ");
			buf_add_size(b, (uint64_t)t->rate);
			buf_adds(b, "/s");
		}
		buf_adds(b, ", ");
	} else if (t->all) {
		buf_addf(b, "%llu of %llu, ", (unsigned long long)t->now, (unsigned long long)t->all);
	}
	progress_add_time(b, p->now - t->began);
	if (t->usual >= 1) {
		buf_adds(b, ", last time ");
		progress_add_time(b, t->usual);
	}
}

/* --- lines --- */

static void add_task(const struct progress *p, const struct task *t, size_t columns, struct buf *b)
{
	struct buf numbers = BUF_INIT;
	struct slice name = slice_of(t->name), detail = slice_of(t->detail ? t->detail : "");
	size_t verb = strlen(verbs[t->kind]) + 3, right, room, used;

	add_numbers(p, t, &numbers);
	right = numbers.len + 2;
	if (right + verb + NAME_MIN > columns) {
		buf_trim(&numbers, 0);
		add_number(p, t, &numbers);
		right = numbers.len + 2;
	}
	if (right + verb > columns) {
		buf_trim(&numbers, 0);
		right = 0;
	}
	room = columns - right > verb ? columns - right - verb : 0;
	buf_adds(b, "  ");
	add_blue(p, b, verbs[t->kind]);
	buf_addc(b, ' ');
	used = width_of(name);
	if (used > room)
		used = room;
	width_cut_middle(b, name, room);
	if (detail.n && used + 4 < room) {
		struct buf cut = BUF_INIT;

		width_cut_end(&cut, detail, room - used - 2);
		buf_addf(b, ": %s", cut.p);
		used += 2 + width_of((struct slice){ cut.p, cut.len });
		buf_release(&cut);
	}
	for (; right && used < room + 2; used++)
		buf_addc(b, ' ');
	buf_add(b, numbers.p, numbers.len);
	buf_release(&numbers);
}

static void add_count(struct buf *b, size_t done, size_t all, const char *what)
{
	if (all)
		buf_addf(b, "%zu of %zu %s, ", done, all, what);
	else if (done)
		buf_addf(b, "%zu %s, ", done, what);
}

static int evaluates(const struct progress *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->v[i].kind == TASK_EVALUATE)
			return 1;
	return 0;
}

/* All of it in one line. */
static void add_status(const struct progress *p, size_t columns, unsigned turn, struct buf *b)
{
	static const char *const signs[TURNS] = { "⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏" };
	struct buf text = BUF_INIT;

	add_count(&text, p->built, p->builds, "built");
	if (p->bytes && p->fetched) {
		add_count(&text, p->fetched, p->fetches, "fetched");
		buf_trim(&text, text.len - 2);
		buf_adds(&text, " (");
		buf_add_size(&text, p->bytes);
		buf_adds(&text, "), ");
	} else {
		add_count(&text, p->fetched, p->fetches, "fetched");
	}
	if (evaluates(p))
		buf_adds(&text, "evaluating, ");
	progress_add_time(&text, p->now - p->began);
	if (p->next && *p->next)
		buf_addf(&text, "; next: %s", p->next);
	add_blue(p, b, signs[turn % TURNS]);
	buf_addc(b, ' ');
	width_cut_end(b, (struct slice){ text.p, text.len }, columns > 2 ? columns - 2 : 0);
	buf_release(&text);
}

/* Builds before fetches, which are many and pass. */
static int rank(const struct task *t)
{
	return t->kind == TASK_EVALUATE ? -1 : t->kind == TASK_BUILD ? 0 : t->kind == TASK_WAIT ? 1 : 2;
}

static int is_shown(const struct progress *p, const struct task *t, int r)
{
	return rank(t) == r && p->now - t->began >= quiet_seconds;
}

size_t bar_frame(const struct progress *p, size_t columns, size_t rows, unsigned turn, struct buf *b)
{
	size_t max = rows / 2 < LINES_MAX ? rows / 2 : LINES_MAX, all = 0, lines = 0;

	columns = columns > 1 ? columns - 1 : 1;
	for (size_t i = 0; i < p->n; i++)
		all += rank(&p->v[i]) >= 0 && p->now - p->v[i].began >= quiet_seconds;
	/* The last line tells of those that have none. */
	size_t room = all <= max ? max : max ? max - 1 : 0;

	for (int r = 0; r <= 2; r++)
		for (size_t i = 0; i < p->n && lines < room; i++)
			if (is_shown(p, &p->v[i], r)) {
				add_task(p, &p->v[i], columns < WIDE_ENOUGH ? columns : WIDE_ENOUGH, b);
				buf_adds(b, "\n");
				lines++;
			}
	if (lines < all && max) {
		struct buf more = BUF_INIT;

		buf_addf(&more, "  … and %zu more", all - lines);
		width_cut_end(b, (struct slice){ more.p, more.len }, columns);
		buf_addc(b, '\n');
		buf_release(&more);
		lines++;
	}
	add_status(p, columns, turn, b);
	return lines + 1;
}
