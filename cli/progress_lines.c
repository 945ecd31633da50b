/* SPDX-License-Identifier: MIT
 *
 * Whole lines, which stay: the forms plain and raw, and what the bar has above it.
 *
 * A build is told when it starts; what is not in a build (a copy, a transfer of the evaluator) only once it has taken half a
 * second, and only then of its end.
 */
#include "config.h"
#include "cli/progress_int.h"

#include "base/visible.h"
#include "cli/command.h"
#include "cli/progress.h"

static const double quiet_seconds = 0.5;

static const char *const doing[] = { "evaluating", "fetching", "building", "copying", "hashing", "waiting for" };
static const char *const done[] = { "evaluated", "fetched", "built", "copied", "hashed", "waited for" };

static const char *name_of(const struct task *t)
{
	return t->kind == TASK_BUILD && t->drv ? t->drv : t->name;
}

static void say_begin(struct progress *p, const struct task *t)
{
	if (t->kind == TASK_WAIT && t->drv)
		buf_addf(&p->out, "waiting for '%s': %s is building it\n", t->drv, t->detail ? t->detail : "?");
	else if (t->machine)
		buf_addf(&p->out, "%s '%s' on '%s'...\n", doing[t->kind], name_of(t), t->machine);
	else
		buf_addf(&p->out, "%s '%s'...\n", doing[t->kind], name_of(t));
}

static void say_end(struct progress *p, const struct task *t)
{
	buf_addf(&p->out, "%s '%s'", done[t->kind], name_of(t));
	if (t->kind == TASK_FETCH && t->now) {
		buf_adds(&p->out, " (");
		buf_add_size(&p->out, t->now);
		buf_addc(&p->out, ')');
	}
	buf_adds(&p->out, " in ");
	progress_add_time(&p->out, p->now - t->began);
	buf_addc(&p->out, '\n');
}

static void say_note(struct progress *p, struct slice text)
{
	if (!slice_starts(text, SLICE("warning: ")))
		buf_adds(&p->out, "note: ");
	visible_add(&p->out, text.p, text.n, p->colour ? VISIBLE_COLOUR : 0);
	buf_addc(&p->out, '\n');
}

static void plain_change(struct progress *p, enum change c, const struct task *t, struct slice text)
{
	switch (c) {
	case CHANGE_BEGIN:
		if (t->drv)
			say_begin(p, t);
		break;
	case CHANGE_END:
		if (t->kind != TASK_WAIT && (t->drv || t->told))
			say_end(p, t);
		break;
	case CHANGE_LINE:
		if (p->logs) {
			buf_addf(&p->out, "%s> ", t->name);
			visible_add(&p->out, text.p, text.n, p->colour ? VISIBLE_COLOUR : 0);
			buf_addc(&p->out, '\n');
		}
		break;
	case CHANGE_NOTE: say_note(p, text); break;
	case CHANGE_PHASE:
	case CHANGE_MOVE:
	case CHANGE_FAIL: /* said as the error at the end */
	case CHANGE_PLAN:
	case CHANGE_OVER: break;
	}
}

static void plain_tick(struct progress *p)
{
	for (size_t i = 0; i < p->n; i++) {
		struct task *t = &p->v[i];

		if (t->drv || t->kind == TASK_EVALUATE || t->told || p->now - t->began < quiet_seconds)
			continue;
		say_begin(p, t);
		t->told = 1;
	}
}

static void raw_change(struct progress *p, enum change c, const struct task *t, struct slice text)
{
	if (c == CHANGE_LINE && p->logs) {
		visible_add(&p->out, text.p, text.n, p->colour ? VISIBLE_COLOUR : 0);
		buf_addc(&p->out, '\n');
	} else if (c != CHANGE_LINE && c != CHANGE_END) {
		plain_change(p, c, t, text);
	}
}

static void bar_change(struct progress *p, enum change c, const struct task *t, struct slice text)
{
	/* What is waited for has a line of its own, where lines are drawn. */
	int waits = c == CHANGE_BEGIN && t->kind == TASK_WAIT && progress_settings.quiet;

	if (c == CHANGE_LINE || c == CHANGE_NOTE || waits)
		plain_change(p, c, t, text);
}

const struct log_form form_plain = { plain_change, plain_tick };
const struct log_form form_raw = { raw_change, NULL };
const struct log_form form_bar = { bar_change, NULL };
