/* SPDX-License-Identifier: MIT
 *
 * Text that others wrote (builders, evaluated programs, servers, names of files), as it may be shown on a terminal.  A
 * terminal obeys what it is sent: it may be told to clear itself, to write to the clipboard, to answer as if
 * somebody typed.  What is shown for people goes through here; results that programs read do not.
 */
#ifndef BASE_VISIBLE_H
#define BASE_VISIBLE_H

#include "base/buf.h"

enum visible_flags {
	VISIBLE_LINES = 1 << 0, /* newlines are newlines; without, they are shown as what they are */
	VISIBLE_COLOUR = 1 << 1 /* colours stay, each no longer than its line; without, they are left out */
};

/* Appends p[0..n).  Sequences that have an end (ESC [ … letter, ESC ] … BEL) are left out whole, but for colours; of the rest
 * each control character shows as ^X, and what is no UTF-8 or a control character of its upper half as U+FFFD. */
void visible_add(struct buf *b, const char *p, size_t n, enum visible_flags flags);

/* Length of the first character of p[0..n), n > 0; *harmless: it may be shown as it is (a tab may, a newline may not). */
size_t visible_char(const char *p, size_t n, int *harmless);

#endif
