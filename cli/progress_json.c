/* SPDX-License-Identifier: MIT
 *
 * The form json: an object a line.
 *
 *     action   fetch, build, copy, hash, wait: a task; summary: the end
 *     event    start, line, phase, progress, done, failed
 *     id, name, drv (of builds), text (of a line or a phase), now and all (bytes of a fetch), seconds (of done)
 *
 * A note is what reports are: {"level":"note","message":…}.
 */
#include "config.h"
#include "cli/progress_int.h"

#include "cli/output.h"

static void add_text(struct buf *b, const char *key, const char *p, size_t n)
{
	buf_addf(b, ",\"%s\":", key);
	output_json_string(b, p, n);
}

static void say_task(struct progress *p, enum change c, const struct task *t, struct slice text)
{
	static const char *const actions[] = { "", "fetch", "build", "copy", "hash", "wait" };
	static const char *const events[] = { "start", "line", "phase", "progress", "done", "failed" };
	struct buf *b = &p->out;

	buf_addf(b, "{\"action\":\"%s\",\"event\":\"%s\",\"id\":%u", actions[t->kind], events[c], t->id);
	add_text(b, "name", t->name, strlen(t->name));
	if (t->drv)
		add_text(b, "drv", t->drv, strlen(t->drv));
	if (text.n)
		add_text(b, "text", text.p, text.n);
	if (c == CHANGE_MOVE || (c == CHANGE_END && t->kind == TASK_FETCH))
		buf_addf(b, ",\"now\":%llu,\"all\":%llu", (unsigned long long)t->now, (unsigned long long)t->all);
	if (c == CHANGE_END)
		buf_addf(b, ",\"seconds\":%.3f", p->now - t->began);
	buf_adds(b, "}\n");
}

static void json_change(struct progress *p, enum change c, const struct task *t, struct slice text)
{
	struct buf *b = &p->out;

	if (c == CHANGE_NOTE) {
		buf_adds(b, "{\"level\":\"note\",\"message\":");
		output_json_string(b, text.p, text.n);
		buf_adds(b, "}\n");
	} else if (c == CHANGE_PLAN) {
		buf_addf(b, "{\"action\":\"plan\",\"builds\":%zu,\"fetches\":%zu}\n", p->builds, p->fetches);
	} else if (c == CHANGE_OVER) {
		if (p->built + p->fetched + p->failed)
			buf_addf(b,
				 "{\"action\":\"summary\",\"built\":%zu,\"fetched\":%zu,\"failed\":%zu,\"bytes\":%llu,\"seconds\":%"
				 ".3f}\n",
				 p->built, p->fetched, p->failed, (unsigned long long)p->bytes, p->now - p->began);
	} else if (t->kind != TASK_EVALUATE) {
		say_task(p, c, t, text);
	}
}

const struct log_form form_json = { json_change, NULL };
