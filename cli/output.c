/* SPDX-License-Identifier: MIT
 *
 * A result is made whole before its first byte is written: a script that reads it never sees half a
 * value followed by an error.  JSON and XML are what the builtins of that name make of the value, so the
 * two cannot differ.
 */
#include "config.h"
#include "cli/output.h"
#include "builtins/xml.h"
#include "cli/drv_paths.h"
#include "cli/options.h"
#include "eval/coerce.h"
#include "eval/eval.h"
#include "eval/show.h"

#include <fcntl.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int output_sink(void *user, const void *p, size_t n, struct err *e)
{
	const char *s = p;

	(void)user;
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
	fprintf(stderr, "error: %s\n", e.msg);
	err_release(&e);
	return EXIT_FAILED;
}

static void add_str(struct buf *b, W s)
{
	buf_add(b, w_get_str(s)->b, w_get_str(s)->len);
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
	case OUTPUT_JSON:
		add_str(b, call1(eval_builtin("toJSON"), v));
		break;
	case OUTPUT_RAW:
		add_str(b, coerce_string(force(v), COERCE_COPY));
		return;
	case OUTPUT_XML:
	case OUTPUT_XML_NO_LOCATION:
		add_xml(b, v, form == OUTPUT_XML ? XML_FORCE | XML_LOCATION : XML_FORCE);
		return;
	case OUTPUT_DRV_PATH:
	case OUTPUT_REALISE:
		drv_paths_print(b, v, args);
		return;
	}
	buf_addc(b, '\n');
}

/* --- JSON strings --- */

/* The length of the UTF-8 sequence at p, 0 when there is none. */
static size_t utf8_length(const unsigned char *p, size_t n)
{
	size_t len = p[0] < 0x80 ? 1 : p[0] >= 0xc2 && p[0] < 0xe0 ? 2 : (p[0] & 0xf0) == 0xe0 ? 3 :
		     p[0] >= 0xf0 && p[0] < 0xf5 ? 4 : 0;

	if (!len || len > n)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] >= 0xa0) || (p[0] == 0xf0 && p[1] < 0x90) ||
	    (p[0] == 0xf4 && p[1] >= 0x90))
		return 0;
	return len;
}

void output_json_string(struct buf *b, const char *p, size_t n)
{
	buf_addc(b, '"');
	while (n) {
		size_t len = utf8_length((const unsigned char *)p, n);
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
