/* SPDX-License-Identifier: MIT
 *
 * Work that may take a while, told by those who do it to whoever shows it: a transfer, a copy, waiting for somebody else.
 * There is one watcher a process, or none, and telling none costs nothing.
 */
#ifndef BASE_ACTIVITY_H
#define BASE_ACTIVITY_H

#include <stdint.h>

enum activity_kind { ACTIVITY_EVALUATE, ACTIVITY_FETCH, ACTIVITY_COPY, ACTIVITY_HASH, ACTIVITY_WAIT };

/* Called by the thread that works.  what is borrowed for the call. */
struct activity_watcher {
	void (*begin)(unsigned id, enum activity_kind kind, const char *what);
	void (*progress)(unsigned id, uint64_t now, uint64_t all); /* bytes; all is 0 when it is not known */
	void (*end)(unsigned id, int rc);
};

/* From now on it is told; NULL: nobody.  A copy of the process that is to keep quiet calls it too. */
void activity_watch(const struct activity_watcher *w);

/* Returns the activity's number, 0 when nobody watches.  Each must be ended by whoever began it, on failure too. */
unsigned activity_begin(enum activity_kind kind, const char *what);

/* The id may be 0. */
void activity_progress(unsigned id, uint64_t now, uint64_t all);

/* rc: 0, or how it failed. */
void activity_end(unsigned id, int rc);

#endif
