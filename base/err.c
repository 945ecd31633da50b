/* SPDX-License-Identifier: MIT
 *
 * The first error set stays: what follows it is usually a consequence.
 */
#include "config.h"
#include "base/err.h"
#include "base/buf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static __attribute__((format(printf, 3, 0))) void err_vset(struct err *e, int code, const char *fmt, va_list ap)
{
	struct buf b = BUF_INIT;

	if (!e || e->code)
		return;
	buf_vaddf(&b, fmt, ap);
	e->code = code;
	e->msg = buf_detach(&b, NULL);
}

int err_set(struct err *e, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	err_vset(e, code, fmt, ap);
	va_end(ap);
	return code;
}

int err_errno(struct err *e, const char *fmt, ...)
{
	int en = errno, code = en == ENOENT ? ERR_NOTFOUND : ERR_IO;
	struct buf b = BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	buf_vaddf(&b, fmt, ap);
	va_end(ap);
	err_set(e, code, "%s: %s", buf_str(&b), strerror(en));
	buf_release(&b);
	return code;
}

int err_at(struct err *e, uint32_t pos, uint32_t len, const char *fmt, ...)
{
	va_list ap;

	if (e && !e->code) {
		e->pos = pos;
		e->len = len;
	}
	va_start(ap, fmt);
	err_vset(e, ERR_INVALID, fmt, ap);
	va_end(ap);
	return ERR_INVALID;
}

void err_prefix(struct err *e, const char *fmt, ...)
{
	struct buf b = BUF_INIT;
	va_list ap;

	if (!e || !e->code)
		return;
	va_start(ap, fmt);
	buf_vaddf(&b, fmt, ap);
	va_end(ap);
	buf_addf(&b, ": %s", e->msg);
	free(e->msg);
	e->msg = buf_detach(&b, NULL);
}

void err_release(struct err *e)
{
	free(e->msg);
	memset(e, 0, sizeof *e);
}
