/* SPDX-License-Identifier: MIT
 *
 * Between settings.c, those that act, settings_known.c, those of Nix that do not, and the manual.
 */
#ifndef CLI_SETTINGS_INT_H
#define CLI_SETTINGS_INT_H

#include <stddef.h>

/* why: what is so instead, as a clause. */
struct known_setting {
	const char *name;
	int is_bool;
	const char *why;
};

/* NULL when there is none of that name. */
const struct known_setting *known_setting(const char *name);

/* The i-th, NULL past the last. */
const struct known_setting *known_setting_at(size_t i);

/* The name of today for one of Nix 1; any other name is itself. */
const char *setting_of_alias(const char *name);

#endif
