/* SPDX-License-Identifier: MIT
 *
 *   error: attribute 'nmae' missing
 *     at default.gx:4:12
 *     4 | in pkg.nmae
 *       |        ^^^^
 *     hint: did you mean 'name'?
 *     while calling 'mkPackage', at default.gx:9:3
 *
 * A whole report is made in memory and written at once, so that the reports of two programs on one
 * terminal do not mix.  Files below the current directory are named relative to it, as their
 * user names them.  Bytes of the source that would steer the terminal are shown as '?'; a tab is kept in
 * the line and repeated above the caret, so that the two agree at any tab width.
 */
#include "config.h"
#include "cli/report.h"
#include "base/buf.h"
#include "base/fdio.h"
#include "base/source.h"
#include "cli/output.h"
#include "cli/report_trace.h"

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
#define BOLD "\033[1m"
#define PLAIN "\033[0m"

struct report_settings report_settings;

void report_init(void)
{
	const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");

	report_settings.colour = isatty(2) && !(no_color && *no_color) && !(term && !strcmp(term, "dumb"));
}

static const char *colour(const char *code)
{
	return report_settings.colour ? code : "";
}

/* Standard error is where failures are told: when it fails too there is nobody to tell. */
static void send(struct buf *b)
{
	fd_write_all(2, b->p, b->len);
	buf_release(b);
}

/* --- places --- */

static void add_place(struct buf *b, const struct source_loc *loc)
{
	buf_addf(b, "%s%s%s", colour(BLUE), source_shown_name(loc->src), colour(PLAIN));
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

/* The source line and carets under the span. */
static void add_excerpt(struct buf *b, const struct source_loc *loc, uint32_t len)
{
	uint32_t from, to, caret = loc->column - 1;
	int digits = snprintf(NULL, 0, "%u", (unsigned)loc->line);

	choose_part(loc, &from, &to);
	const char *lead = from ? "…" : "", *tail = to < loc->line_len ? "…" : "";
	buf_addf(b, "  %s%u |%s %s", colour(BLUE), (unsigned)loc->line, colour(PLAIN), lead);
	for (uint32_t i = from; i < to; i++) {
		char c = loc->line_text[i];
		buf_addc(b, ((unsigned char)c < 0x20 && c != '\t') || c == 0x7f ? '?' : c);
	}
	buf_addf(b, "%s\n  %s%*s |%s %s", tail, colour(BLUE), digits, "", colour(PLAIN), from ? " " : "");
	for (uint32_t i = from; i < caret && i < to; i++)
		if (!is_continuation(loc->line_text[i]))
			buf_addc(b, loc->line_text[i] == '\t' ? '\t' : ' ');
	buf_adds(b, colour(RED));
	uint32_t marks = 0;
	for (uint32_t i = caret; i < to && i < caret + len; i++)
		if (!is_continuation(loc->line_text[i])) {
			buf_addc(b, '^');
			marks++;
		}
	if (!marks)
		buf_addc(b, '^');
	buf_addf(b, "%s\n", colour(PLAIN));
}

static void add_where(struct buf *b, uint32_t pos, uint32_t len)
{
	struct source_loc loc;

	if (source_locate(pos, &loc) < 0)
		return;
	buf_adds(b, "  at ");
	add_place(b, &loc);
	buf_addc(b, '\n');
	if (loc.line)
		add_excerpt(b, &loc, len);
}

/* --- messages --- */

/* Further lines of a message are indented under the first. */
static void add_text(struct buf *b, const char *p, size_t n)
{
	while (n && p[n - 1] == '\n')
		n--;
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)p[i];
		if (c == '\n')
			buf_adds(b, "\n  ");
		else if ((c < 0x20 && c != '\t' && c != 0x1b) || c == 0x7f)
			buf_addc(b, '?');
		else
			buf_addc(b, (char)c);
	}
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

static void add_human(struct buf *b, const struct message *m)
{
	buf_addf(b, "%s%s:%s ", colour(*m->level == 'e' ? RED : YELLOW), m->level, colour(PLAIN));
	add_text(b, m->text, m->len);
	buf_addc(b, '\n');
	add_where(b, m->pos, m->span);
	if (m->hint) {
		buf_addf(b, "  %shint:%s ", colour(CYAN), colour(PLAIN));
		add_text(b, m->hint->b, m->hint->len);
		buf_addc(b, '\n');
	}
	if (m->trace) {
		struct trace_style style = { colour(BLUE), colour(PLAIN), m->pos, report_settings.full_trace };
		trace_add(b, m->trace, &style);
	}
}

static void tell(const struct message *m)
{
	struct buf b = BUF_INIT;

	if (report_settings.json) {
		add_json(&b, m);
		buf_adds(&b, "}\n");
	} else {
		add_human(&b, m);
	}
	send(&b);
}

void report_failure(const struct failure *f)
{
	const struct str *msg = w_get_str(f->msg);
	struct message m = { "error", msg->b, msg->len, f->pos, f->len,
			     w_is_str(f->hint) ? w_get_str(f->hint) : NULL, f->trace };

	tell(&m);
}

void report_err(const struct err *e)
{
	struct message m = { "error", e->msg, strlen(e->msg), e->pos, e->len, NULL, NULL };

	tell(&m);
}

void report_error(const char *fmt, ...)
{
	struct buf text = BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	buf_vaddf(&text, fmt, ap);
	va_end(ap);
	struct message m = { "error", text.p, text.len, 0, 0, NULL, NULL };
	tell(&m);
	buf_release(&text);
}

void report_warning(uint32_t pos, uint32_t len, const char *msg)
{
	struct message m = { "warning", msg, strlen(msg), pos, len, NULL, NULL };

	if (!report_settings.quiet)
		tell(&m);
}

void report_message(const char *p, size_t n)
{
	struct buf b = BUF_INIT;

	if (report_settings.json) {
		struct message m = { "info", p, n, 0, 0, NULL, NULL };
		add_json(&b, &m);
		buf_adds(&b, "}");
	} else {
		buf_add(&b, p, n);
	}
	buf_addc(&b, '\n');
	send(&b);
}
