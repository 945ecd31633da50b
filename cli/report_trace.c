/* SPDX-License-Identifier: MIT
 *
 * A trace is printed innermost first, so that what stands next to the message is what is nearest to the mistake
 * and the outermost call comes last.
 *
 * Deep recursion repeats the same few frames thousands of times: a run of frames that is the same as
 * the one before it (of a period up to FOLD_PERIOD) becomes one line that says how often.  Frames are
 * the same when they would print the same line.  Without --show-trace at most SHORT_FRAMES
 * lines are shown, and what happened inside a library counts only where nothing else is known: who reads this did not write it.
 * Notes the program itself attached (addErrorContext) always are shown.
 */
#include "config.h"
#include "cli/report_trace.h"
#include "base/pathname.h"
#include "base/source.h"
#include "base/visible.h"
#include "cli/output.h"
#include "eval/eval.h"
#include "fetch/cache.h"
#include "flake/source.h"
#include "lang/symbol.h"

#include <stdio.h>
#include <string.h>

enum { FOLD_PERIOD = 8, SHORT_FRAMES = 8 };

/* --- whose code it is --- */

static int is_below(const struct source *s, const char *dir)
{
	return dir && path_is_within(s->name, strlen(s->name), dir, strlen(dir));
}

static int is_cached(const struct source *s)
{
	struct buf dir = BUF_INIT;
	struct err e = ERR_INIT;
	int yes = !cache_user_dir(&dir, &e) && is_below(s, buf_str(&dir));

	buf_release(&dir);
	err_release(&e);
	return yes;
}

int trace_is_library(uint32_t pos)
{
	const struct source *s = source_of(pos);

	return s && s->path && (is_below(s, source_stdlib()) || is_below(s, eval_settings.store_dir) || is_cached(s));
}

static int is_own(const struct trace_frame *f)
{
	return f->pos && f->kind != TRACE_USER && !trace_is_library(f->pos);
}

const struct trace_frame *trace_own_frame(const struct trace *t)
{
	for (uint32_t i = 0; i < t->n; i++)
		if (is_own(&t->v[i]))
			return &t->v[i];
	return NULL;
}

/* --- frames --- */

static int same(const struct trace_frame *a, const struct trace_frame *b)
{
	return a->kind == b->kind && a->pos == b->pos && a->name == b->name && a->text == b->text &&
	       a->arg == b->arg && a->value == b->value;
}

/* How many times the `period` frames at i come again right after themselves. */
static uint32_t repeats(const struct trace *t, uint32_t i, uint32_t period)
{
	uint32_t times = 0;

	for (uint32_t at = i + period; at + period <= t->n; at += period, times++)
		for (uint32_t j = 0; j < period; j++)
			if (!same(&t->v[i + j], &t->v[at + j]))
				return times;
	return times;
}

static void add_note(struct buf *b, W text)
{
	if (w_is_str(text))
		buf_add(b, w_get_str(text)->b, w_get_str(text)->len);
	else
		buf_adds(b, "(a note whose text cannot be evaluated)");
}

static void add_sentence(struct buf *b, const struct trace_frame *f)
{
	const struct str *name = f->name ? sym_name(f->name) : NULL;

	switch (f->kind) {
	case TRACE_CALL:
		if (name && !strcmp(name->b, "__functor"))
			buf_adds(b, "while calling a set as a function");
		else if (name)
			buf_addf(b, "while calling '%s'", name->b);
		else
			buf_adds(b, "while calling a function");
		break;
	case TRACE_BUILTIN:
		if (f->arg)
			buf_addf(b, "while evaluating argument %u of '%s'", (unsigned)f->arg, f->text);
		else
			buf_addf(b, "while calling the built-in function '%s'", f->text);
		break;
	case TRACE_VALUE:
		buf_addf(b, "while evaluating '%s'", name ? name->b : "a value");
		break;
	case TRACE_NOTE:
		buf_adds(b, f->text);
		break;
	case TRACE_USER:
		add_note(b, trace_text(f->value));
		break;
	}
}

static void add_frame(struct buf *b, const struct trace_frame *f, const struct trace_style *style)
{
	struct buf text = BUF_INIT;
	struct source_loc loc;

	buf_adds(b, "  ");
	add_sentence(&text, f);
	visible_add(b, text.p, text.len, VISIBLE_LINES);
	if (f->pos && source_locate(f->pos, &loc) == 0) {
		buf_trim(&text, 0);
		buf_adds(&text, source_shown_name(loc.src));
		buf_addf(b, ", at %s", style->place);
		visible_add(b, text.p, text.len, 0);
		buf_addf(b, ":%u:%u%s", (unsigned)loc.line, (unsigned)loc.column, style->plain);
	}
	buf_release(&text);
	buf_addc(b, '\n');
	if (f == style->shown)
		style->excerpt(b, f->pos, f->len);
}

/* What a short trace leaves out: a frame at no place, at the place the error itself names, or (but for calls) at
 * the same place as the one before it says nothing new. */
static int is_minor(const struct trace *t, uint32_t i, uint32_t error_pos)
{
	uint32_t pos = t->v[i].pos;

	return !pos || pos == error_pos || (i && t->v[i].kind != TRACE_CALL && pos == t->v[i - 1].pos);
}

static void add_gap(struct buf *b, const struct trace *t, uint32_t i)
{
	if (t->skipped && i == t->skipped_after)
		buf_addf(b, "  … %u more …\n", (unsigned)t->skipped);
}

/* How often the `period` frames at i come again.  What was not kept between them was more of the same; how much of it
 * depends on the size of the stack, so no number is given then. */
static void add_repeat(struct buf *b, const struct trace *t, uint32_t i, uint32_t period, uint32_t times)
{
	const char *lines = period > 1 ? "lines repeat" : "line repeats";

	if (t->skipped && i < t->skipped_after && t->skipped_after < i + period * (times + 1))
		buf_addf(b, "  … the last %s many more times …\n", lines);
	else
		buf_addf(b, "  … the last %s %u more times …\n", lines, (unsigned)times);
}

void trace_add(struct buf *b, const struct trace *t, const struct trace_style *style)
{
	uint32_t shown = 0, hidden = (uint32_t)style->hidden;
	int fold = !style->full && trace_own_frame(t);

	for (uint32_t i = 0; i < t->n;) {
		uint32_t period = 1, times = 0;
		add_gap(b, t, i);
		for (uint32_t p = 1; p <= FOLD_PERIOD && i + 2 * p <= t->n; p++) {
			times = repeats(t, i, p);
			if (times > 1 || (times && p > 2)) {
				period = p;
				break;
			}
			times = 0;
		}
		for (uint32_t j = 0; j < period; j++) {
			const struct trace_frame *f = &t->v[i + j];
			int always = style->full || f->kind == TRACE_USER, minor = is_minor(t, i + j, style->error_pos);
			int keep = always || f == style->shown ||
				   (shown < SHORT_FRAMES && !minor && !(fold && trace_is_library(f->pos)));
			if (keep)
				add_frame(b, f, style);
			shown += keep;
			hidden += !keep && !minor;
		}
		if (times && (style->full || (shown < SHORT_FRAMES && !(fold && trace_is_library(t->v[i].pos)))))
			add_repeat(b, t, i, period, times);
		i += period * (times + 1);
	}
	if (hidden)
		buf_addf(b, "  (%u more; %s shows all)\n", (unsigned)hidden, style->rest);
}

void trace_add_json(struct buf *b, const struct trace *t)
{
	struct source_loc loc;

	for (uint32_t i = 0; i < t->n; i++) {
		struct buf text = BUF_INIT;
		add_sentence(&text, &t->v[i]);
		buf_adds(b, i ? ",{\"message\":" : "{\"message\":");
		output_json_string(b, text.p, text.len);
		buf_release(&text);
		if (t->v[i].pos && source_locate(t->v[i].pos, &loc) == 0) {
			const char *name = source_shown_name(loc.src);
			buf_adds(b, ",\"file\":");
			output_json_string(b, name, strlen(name));
			buf_addf(b, ",\"line\":%u,\"column\":%u", (unsigned)loc.line, (unsigned)loc.column);
		}
		buf_addc(b, '}');
	}
}
