/* SPDX-License-Identifier: MIT
 *
 * Always ended by NULL, but for the empty one, which has no array.
 */
#include "config.h"
#include "base/words.h"
#include "base/alloc.h"
#include "base/buf.h"

#include <stdarg.h>
#include <stdlib.h>

void words_add(struct words *w, const char *s)
{
	ARRAY_GROW(w->v, w->n + 2, w->cap);
	w->v[w->n++] = xstrdup(s);
	w->v[w->n] = NULL;
}

void words_addf(struct words *w, const char *fmt, ...)
{
	struct buf b = BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	buf_vaddf(&b, fmt, ap);
	va_end(ap);
	words_add(w, buf_str(&b));
	buf_release(&b);
}

void words_release(struct words *w)
{
	for (size_t i = 0; i < w->n; i++)
		free(w->v[i]);
	free(w->v);
	*w = (struct words){ 0 };
}
