/* SPDX-License-Identifier: MIT
 *
 * A result is made whole before its first byte is written: a script that reads it never sees half a
 * value followed by an error.  And what it names lasts: a store that has made something waits for the disk before that
 * byte.  JSON and XML are what the builtins of that name make of the value, so the
 * two cannot differ.
 */
#include "config.h"
#include "cli/output.h"
#include "base/json.h"
#include "base/visible.h"
#include "builtins/json.h"
#include "builtins/xml.h"
#include "cli/drv_paths.h"
#include "cli/options.h"
#include "cli/report.h"
#include "eval/coerce.h"
#include "eval/eval.h"
#include "eval/show.h"
#include "store/store.h"

#include <fcntl.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SHOWN_LINE_MAX = 1 << 20 }; /* a longer line is shown in pieces */

int output_sink(void *user, const void *p, size_t n, struct err *e)
{
	const char *s = p;

	(void)user;
	if (store_sync_all(e))
		return e && e->code ? e->code : ERR_IO;
	while (n) {
		ssize_t w = write(1, s, n);
		if (w < 0 && errno != EINTR)
			return err_errno(e, "cannot write to standard output");
		s += w > 0 ? w : 0;
		n -= w > 0 ? (size_t)w : 0;
	}
	return 0;
}

int output_write(const char *p, size_t n)
{
	struct err e = ERR_INIT;

	if (!output_sink(NULL, p, n, &e))
		return EXIT_DONE;
	report_err(&e);
	err_release(&e);
	return EXIT_FAILED;
}

int output_colour(int fd)
{
	const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");

	return isatty(fd) && !(no_color && *no_color) && !(term && !strcmp(term, "dumb"));
}

static void add_shown(struct buf *b, const char *p, size_t n)
{
	visible_add(b, p, n, VISIBLE_LINES | (output_colour(1) ? VISIBLE_COLOUR : 0));
}

int output_show(const char *p, size_t n)
{
	struct buf b = BUF_INIT;
	int status;

	if (!isatty(1))
		return output_write(p, n);
	add_shown(&b, p, n);
	status = output_write(b.p, b.len);
	buf_release(&b);
	return status;
}

static int write_shown(const char *p, size_t n, struct err *e)
{
	struct buf b = BUF_INIT;
	int rc;

	add_shown(&b, p, n);
	rc = output_sink(NULL, b.p, b.len, e);
	buf_release(&b);
	return rc;
}

int output_show_sink(void *user, const void *p, size_t n, struct err *e)
{
	struct buf *rest = user, all = BUF_INIT;
	const char *nl;
	size_t lines;
	int rc;

	if (!isatty(1))
		return output_sink(NULL, p, n, e);
	buf_add(rest, p, n);
	nl = memrchr(buf_str(rest), '\n', rest->len);
	if (!nl && rest->len <= SHOWN_LINE_MAX)
		return 0;
	all = *rest;
	*rest = (struct buf){ .gc = all.gc };
	lines = nl ? (size_t)(nl + 1 - all.p) : all.len;
	rc = write_shown(all.p, lines, e);
	buf_add(rest, all.p + lines, all.len - lines);
	buf_release(&all);
	return rc;
}

int output_show_end(struct buf *rest, struct err *e)
{
	int rc = rest->len ? write_shown(rest->p, rest->len, e) : 0;

	buf_release(rest);
	return rc;
}

static void add_str(struct buf *b, W s)
{
	buf_add(b, w_get_str(s)->b, w_get_str(s)->len);
}

static void add_json(struct buf *b, W v)
{
	struct ctx_acc ctx = { 0 };

	value_to_json(b, v, TO_JSON_FORCE, &ctx);
}

static void add_xml(struct buf *b, W v, unsigned flags)
{
	struct ctx_acc ctx = { 0 };

	value_to_xml(b, v, flags, &ctx);
}

void output_value(struct buf *b, W v, enum output_form form, W args)
{
	switch (form) {
	case OUTPUT_VALUE:
		show_value(b, force(v), SHOW_FORCE, UINT_MAX);
		break;
	case OUTPUT_LAZY:
		show_value(b, force(v), 0, UINT_MAX);
		break;
	case OUTPUT_STRICT:
		show_value(b, force(v), SHOW_FORCE | SHOW_DRV_INSIDE | SHOW_STRICT, UINT_MAX);
		break;
	case OUTPUT_SHALLOW:
		show_value(b, force(v), SHOW_DRV_INSIDE | SHOW_STRICT, UINT_MAX);
		break;
	case OUTPUT_JSON:
		add_str(b, call1(eval_builtin("toJSON"), v));
		break;
	case OUTPUT_JSON_IN_PLACE:
		add_json(b, v);
		break;
	case OUTPUT_RAW:
		add_str(b, coerce_string(force(v), COERCE_COPY));
		return;
	case OUTPUT_XML:
	case OUTPUT_XML_NO_LOCATION:
		add_xml(b, v, form == OUTPUT_XML ? XML_FORCE | XML_LOCATION : XML_FORCE);
		return;
	case OUTPUT_DRV_PATH:
		drv_paths_print(b, v, args);
		return;
	}
	buf_addc(b, '\n');
}

/* --- JSON strings --- */

void output_json_string(struct buf *b, const char *p, size_t n)
{
	buf_addc(b, '"');
	while (n) {
		size_t len = utf8_length(p, n);
		if (!len) {
			buf_adds(b, "\\ufffd");
			len = 1;
		} else if (*p == '"' || *p == '\\') {
			buf_addc(b, '\\');
			buf_addc(b, *p);
		} else if (*p == '\n') {
			buf_adds(b, "\\n");
		} else if ((unsigned char)*p < 0x20) {
			buf_addf(b, "\\u%04x", (unsigned char)*p);
		} else {
			buf_add(b, p, len);
		}
		p += len;
		n -= len;
	}
	buf_addc(b, '"');
}

void output_hold_descriptors(void)
{
	for (int fd = 0; fd <= 2; fd++)
		while (fcntl(fd, F_GETFD) < 0)
			if (open("/dev/null", fd ? O_RDONLY : O_WRONLY) < 0)
				_exit(EXIT_FAILED);
}
