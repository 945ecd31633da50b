/* SPDX-License-Identifier: MIT
 *
 * Programs of files, kept from one run to the next.
 */
#ifndef BUILTINS_COMPILED_H
#define BUILTINS_COMPILED_H

#include "base/session.h"
#include "eval/eval.h"

/* The program of a file that is imported: as an earlier run kept it, or parsed and kept for the next.  Throws. */
struct file_program compiled_program(W path);

/* Writes what this session adds.  After its evaluation; from any thread. */
void compiled_save(void);

extern const struct session_part compiled_session[];

#endif
