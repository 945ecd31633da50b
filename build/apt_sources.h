/* SPDX-License-Identifier: MIT
 *
 * Where apt gets packages of Debian on this machine: near mirrors, which builders that fetch such a package ask first.
 *
 * Debian keeps the files of all its releases in one pool, so a mirror that is configured for one release may have those of another.
 */
#ifndef BUILD_APT_SOURCES_H
#define BUILD_APT_SOURCES_H

#include "base/slice.h"
#include "base/words.h"

/* Addresses of mirrors, by what they mirror; as they are configured, without a slash at the end. */
struct apt_sources {
	struct words debian, security;
};

/* Adds what sources.list and the files in sources.list.d of a folder name (those of Debian only: http, https and file addresses).
 * What is not there or cannot be read names none. */
void apt_sources_read(struct apt_sources *s, const char *folder);

/* The same from the text of one file: in lines ("deb http://… bookworm main"), or in stanzas, as *.sources have it. */
void apt_sources_lines(struct apt_sources *s, struct slice text);
void apt_sources_stanzas(struct apt_sources *s, struct slice text);

void apt_sources_release(struct apt_sources *s);

#endif
