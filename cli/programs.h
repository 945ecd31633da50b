/* SPDX-License-Identifier: MIT
 *
 * Where programs are: this one, and those of PATH.
 */
#ifndef CLI_PROGRAMS_H
#define CLI_PROGRAMS_H

#include "base/buf.h"

#include <stddef.h>

/* The full name of the program that starts this one again: where it is packed with its own C library (scripts/bindist), what starts
 * that.  Returns 0, or -1 after saying why. */
int own_program(char *path, size_t size);

/* The first in PATH by that name that can be executed; 0 when there is none, and out then holds nothing that means anything. */
int program_in_path(const char *name, struct buf *out);

#endif
