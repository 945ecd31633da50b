/* SPDX-License-Identifier: MIT
 *
 * Zip files for tests, also such as no program would make.
 */
#ifndef TESTS_UNIT_ZIP_MAKE_H
#define TESTS_UNIT_ZIP_MAKE_H

#include "base/buf.h"

#include <stddef.h>
#include <stdint.h>

struct zip_member {
	const char *name, *text;
	/* Lies, where not 0. */
	uint64_t size;
	uint32_t crc, mode; /* mode: of Unix, with the type; a link has its target as text */
	uint16_t method, flags;
	const char *local_name;
	int deflate, wide; /* wide: numbers of 64 bits */
};

/* Appends a zip file with these members. */
void zip_make(struct buf *b, const struct zip_member *v, size_t n);

#endif
