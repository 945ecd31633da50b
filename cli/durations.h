/* SPDX-License-Identifier: MIT
 *
 * How long builds took the last time, by name, so that the next one can say what to expect.  A hint: what is missing or cannot be
 * read or written is nobody's failure.
 */
#ifndef CLI_DURATIONS_H
#define CLI_DURATIONS_H

/* Seconds, 0 when that is not known. */
double durations_get(const char *name);

/* Remembers it, if it is worth waiting for. */
void durations_put(const char *name, double seconds);

/* Writes what is new, and forgets all. */
void durations_save(void);

#endif
