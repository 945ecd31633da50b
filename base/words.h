/* SPDX-License-Identifier: MIT
 *
 * Command lines and environments as programs take them.
 */
#ifndef BASE_WORDS_H
#define BASE_WORDS_H

#include <stddef.h>

/* Arguments or variables, NULL at the end; malloc'd.  Zeroed is empty. */
struct words {
	char **v;
	size_t n, cap;
};

void words_add(struct words *w, const char *s);
void words_addf(struct words *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void words_release(struct words *w);

#endif
