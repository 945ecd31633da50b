/* SPDX-License-Identifier: MIT
 *
 * Room on the disk while builds run: when less than min-free bytes are free, garbage is collected beside them, up to max-free.
 */
#ifndef BUILD_BUILD_SPACE_H
#define BUILD_BUILD_SPACE_H

#include <stdint.h>

struct store;

struct space_settings {
	uint64_t min_free, max_free; /* bytes; min_free 0: never */
	uint32_t interval;	     /* seconds between two looks */
};
extern struct space_settings space_settings;

/* One run of builds. */
struct space;

/* NULL when no garbage is ever to be collected. */
struct space *space_begin(struct store *s);

/* Looks whether it is time to; returns when to call again, by the clock of build_now. */
double space_look(struct space *sp, double now);

/* Waits for a collection that is going on. */
void space_end(struct space *sp);

#endif
