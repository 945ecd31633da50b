/* SPDX-License-Identifier: MIT
 *
 * Dates and times of TOML 1.0 (RFC 3339), as text in normal form.
 */
#ifndef BASE_TOML_TIME_H
#define BASE_TOML_TIME_H

#include "base/buf.h"

#include <stddef.h>

/* Appends the date, time, or date and time that the n bytes at p write: 'T' between the two, 'Z' for UTC, fractions of seconds with
 * no, three, six or nine digits, further ones dropped.  Returns -1, with a part appended, when there is no such day or time. */
int toml_time_normal(struct buf *out, const char *p, size_t n);

#endif
