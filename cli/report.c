/* SPDX-License-Identifier: MIT
 *
 *   error: attribute 'nmae' missing
 *     at default.gx:4:12
 *     4 | in pkg.nmae
 *       |        ^^^^
 *     hint: Did you mean name?
 *     while calling 'mkPackage', at default.gx:9:3
 *
 * A line of the user's own is shown where there is one.  What a library throws says what its caller did wrong, so its own place is
 * left out; other errors in it have both.
 *
 * A whole report is made in memory and written at once, so that the reports of two programs on one
 * terminal do not mix.  Files below the current directory are named relative to it, as their
 * user names them.  What would steer the terminal is made visible (base/visible.h), in the source line as one '?' a
 * character, and a tab is repeated above the caret, so that the two lines agree at any tab width.
 */
#include "config.h"
#include "cli/report.h"
#include "base/buf.h"
#include "base/fdio.h"
#include "base/source.h"
#include "base/visible.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/report_trace.h"
#include "flake/source.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Longer source lines are shown in part, around the caret. */
#define LINE_SHOWN 120

#define RED "\033[1;31m"
#define YELLOW "\033[1;33m"
#define BLUE "\033[34m"
#define CYAN "\033[36m"
#define PLAIN "\033[0m"

struct report_settings report_settings;

void report_init(void)
{
	report_settings.colour = output_colour(2);
}

static const char *colour(const char *code)
{
	return report_settings.colour ? code : "";
}

static struct buf *copy_to;

void report_copy(struct buf *b)
{
	copy_to = b;
}

/* Standard error is where failures are told: when it fails too there is nobody to tell. */
static void send(struct buf *b)
{
	source_show_places(b);
	if (copy_to)
		buf_add(copy_to, b->p, b->len);
	progress_write(b->p, b->len);
	buf_release(b);
}

/* --- places --- */

static void add_place(struct buf *b, const struct source_loc *loc)
{
	const char *name = source_shown_name(loc->src);

	buf_adds(b, colour(BLUE));
	visible_add(b, name, strlen(name), 0);
	buf_adds(b, colour(PLAIN));
	if (loc->line)
		buf_addf(b, ":%u:%u", (unsigned)loc->line, (unsigned)loc->column);
	else
		buf_adds(b, ", which has changed since it was read");
}

static int is_continuation(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* Which part of a long line to show: bytes [*from, *to), cut between characters. */
static void choose_part(const struct source_loc *loc, uint32_t *from, uint32_t *to)
{
	uint32_t caret = loc->column - 1;

	*from = 0;
	*to = loc->line_len;
	if (loc->line_len <= LINE_SHOWN)
		return;
	if (caret > LINE_SHOWN / 2)
		*from = caret - LINE_SHOWN / 2;
	if (*from + LINE_SHOWN < *to)
		*to = *from + LINE_SHOWN;
	while (*from < caret && is_continuation(loc->line_text[*from]))
		++*from;
	while (*to > caret && *to < loc->line_len && is_continuation(loc->line_text[*to]))
		--*to;
}

/* Blanks as wide as the characters from `from` to `to`, or as many carets; returns how many. */
static uint32_t add_marks(struct buf *b, const struct source_loc *loc, uint32_t from, uint32_t to, char mark)
{
	uint32_t n = 0;
	int harmless;

	while (from < to) {
		const char *p = loc->line_text + from;
		from += (uint32_t)visible_char(p, loc->line_len - from, &harmless);
		buf_addc(b, mark == ' ' && *p == '\t' ? '\t' : mark);
		n++;
	}
	return n;
}

/* The source line and carets under the span. */
static void add_excerpt(struct buf *b, const struct source_loc *loc, uint32_t len)
{
	uint32_t from, to, caret = loc->column - 1;
	int digits = snprintf(NULL, 0, "%u", (unsigned)loc->line), harmless;

	choose_part(loc, &from, &to);
	const char *lead = from ? "…" : "", *tail = to < loc->line_len ? "…" : "";
	buf_addf(b, "  %s%u |%s %s", colour(BLUE), (unsigned)loc->line, colour(PLAIN), lead);
	for (uint32_t i = from, n; i < to; i += n) {
		n = (uint32_t)visible_char(loc->line_text + i, to - i, &harmless);
		buf_add(b, harmless ? loc->line_text + i : "?", harmless ? n : 1);
	}
	buf_addf(b, "%s\n  %s%*s |%s %s", tail, colour(BLUE), digits, "", colour(PLAIN), from ? " " : "");
	add_marks(b, loc, from, caret < to ? caret : to, ' ');
	buf_adds(b, colour(RED));
	if (!add_marks(b, loc, caret, caret + len < to ? caret + len : to, '^'))
		buf_addc(b, '^');
	buf_addf(b, "%s\n", colour(PLAIN));
}

/* As long as the name that is written there. */
static uint32_t word_length(const struct source_loc *loc)
{
	uint32_t i = loc->column - 1;

	while (i < loc->line_len && (isalnum((unsigned char)loc->line_text[i]) || strchr("_-'", loc->line_text[i])))
		i++;
	return i - (loc->column - 1);
}

/* The line alone. */
static void add_line(struct buf *b, uint32_t pos, uint32_t len)
{
	struct source_loc loc;

	if (source_locate(pos, &loc) == 0 && loc.line)
		add_excerpt(b, &loc, len ? len : word_length(&loc));
}

static void add_where(struct buf *b, uint32_t pos, uint32_t len)
{
	struct source_loc loc;

	if (source_locate(pos, &loc) < 0)
		return;
	buf_adds(b, "  at ");
	add_place(b, &loc);
	buf_addc(b, '\n');
	add_line(b, pos, len);
}

/* --- messages --- */

static enum visible_flags shown(void)
{
	return report_settings.colour ? VISIBLE_COLOUR : 0;
}

/* Further lines of a message are indented under the first. */
static void add_text(struct buf *b, const char *p, size_t n)
{
	const char *nl;

	while (n && p[n - 1] == '\n')
		n--;
	for (; (nl = n ? memchr(p, '\n', n) : NULL); n -= (size_t)(nl + 1 - p), p = nl + 1) {
		visible_add(b, p, (size_t)(nl - p), shown());
		buf_adds(b, "\n  ");
	}
	visible_add(b, p, n, shown());
}

static void add_json_place(struct buf *b, uint32_t pos, uint32_t len)
{
	struct source_loc loc;

	if (source_locate(pos, &loc) < 0)
		return;
	const char *name = source_shown_name(loc.src);
	buf_adds(b, ",\"file\":");
	output_json_string(b, name, strlen(name));
	buf_addf(b, ",\"line\":%u,\"column\":%u,\"length\":%u", (unsigned)loc.line, (unsigned)loc.column,
		 (unsigned)len);
}

struct message {
	const char *level;
	const char *text;
	size_t len;
	uint32_t pos, span;
	const struct str *hint;
	const struct trace *trace;
	int thrown; /* by the program itself */
};

static void add_json(struct buf *b, const struct message *m)
{
	buf_addf(b, "{\"level\":\"%s\",\"message\":", m->level);
	output_json_string(b, m->text, m->len);
	add_json_place(b, m->pos, m->span);
	if (m->hint) {
		buf_adds(b, ",\"hint\":");
		output_json_string(b, m->hint->b, m->hint->len);
	}
	if (m->trace && m->trace->n) {
		buf_adds(b, ",\"trace\":[");
		trace_add_json(b, m->trace);
		buf_addc(b, ']');
	}
}

/* The frame whose line is shown: the innermost of the user's own, when the error itself is nowhere or in a library. */
static const struct trace_frame *choose_frame(const struct message *m)
{
	if (!m->trace || report_settings.full_trace || (m->pos && !trace_is_library(m->pos)))
		return NULL;
	return trace_own_frame(m->trace);
}

static void add_human(struct buf *b, const struct message *m)
{
	const struct trace_frame *own = choose_frame(m);
	int hide = own && m->pos && m->thrown;
	const char *rest = report_settings.rest_of_trace ? report_settings.rest_of_trace : "--show-trace";
	struct trace_style style = { colour(BLUE), colour(PLAIN), m->pos, hide, report_settings.full_trace, rest, own, add_line };

	buf_addf(b, "%s%s:%s ", colour(*m->level == 'e' ? RED : YELLOW), m->level, colour(PLAIN));
	add_text(b, m->text, m->len);
	buf_addc(b, '\n');
	if (!hide)
		add_where(b, m->pos, m->span);
	if (m->hint) {
		buf_addf(b, "  %shint:%s ", colour(CYAN), colour(PLAIN));
		add_text(b, m->hint->b, m->hint->len);
		buf_addc(b, '\n');
	}
	if (m->trace)
		trace_add(b, m->trace, &style);
}

/* As people would read it, in an object of its own, for programs that show what Nix prints. */
static void add_nix(struct buf *b, const struct message *m)
{
	struct buf text = BUF_INIT;
	int level = *m->level == 'e' ? 0 : *m->level == 'w' ? 1 : 3;

	if (level < 3)
		add_human(&text, m);
	else
		buf_add(&text, m->text, m->len);
	while (text.len && text.p[text.len - 1] == '\n')
		buf_trim(&text, text.len - 1);
	buf_addf(b, "@nix {\"action\":\"msg\",\"level\":%d,\"msg\":", level);
	output_json_string(b, text.p, text.len);
	buf_adds(b, "}\n");
	buf_release(&text);
}

static void tell(const struct message *m)
{
	struct buf b = BUF_INIT;

	if (progress_settings.format == LOG_JSON) {
		add_json(&b, m);
		buf_adds(&b, "}\n");
	} else if (progress_settings.format == LOG_NIX) {
		add_nix(&b, m);
	} else {
		add_human(&b, m);
	}
	send(&b);
}

int report_status(const struct failure *f)
{
	return f->kind == EK_INTERRUPT ? EXIT_INTERRUPTED : f->kind == EK_HASH ? EXIT_BUILD_HASH : EXIT_FAILED;
}

void report_failure(const struct failure *f)
{
	const struct str *msg = w_get_str(f->msg);
	struct message m = { "error", msg->b, msg->len, f->pos, f->len,
			     w_is_str(f->hint) ? w_get_str(f->hint) : NULL, f->trace,
			     f->kind == EK_THROW || f->kind == EK_ABORT };

	tell(&m);
}

void report_err(const struct err *e)
{
	struct message m = { "error", e->msg, strlen(e->msg), e->pos, e->len, NULL, NULL, 0 };

	tell(&m);
}

void report_error(const char *fmt, ...)
{
	struct buf text = BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	buf_vaddf(&text, fmt, ap);
	va_end(ap);
	struct message m = { "error", text.p, text.len, 0, 0, NULL, NULL, 0 };
	tell(&m);
	buf_release(&text);
}

void report_line(const char *fmt, ...)
{
	struct buf text = BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	buf_vaddf(&text, fmt, ap);
	va_end(ap);
	report_message(text.p, text.len);
	buf_release(&text);
}

void report_warning(uint32_t pos, uint32_t len, const char *msg)
{
	struct message m = { "warning", msg, strlen(msg), pos, len, NULL, NULL, 0 };

	if (!report_settings.quiet)
		tell(&m);
}

void report_message(const char *p, size_t n)
{
	struct message m = { "info", p, n, 0, 0, NULL, NULL, 0 };
	struct buf b = BUF_INIT;

	if (progress_settings.format == LOG_JSON || progress_settings.format == LOG_NIX) {
		tell(&m);
		return;
	}
	visible_add(&b, p, n, VISIBLE_LINES | shown());
	buf_addc(&b, '\n');
	send(&b);
}

void report_remark(const char *p, size_t n)
{
	struct buf *to = copy_to;

	copy_to = NULL;
	report_message(p, n);
	copy_to = to;
}
