/* SPDX-License-Identifier: MIT
 *
 * --write-to PATH: a value as files.  A string is a file with its text, a set a folder with a file or folder for each attribute.
 */
#ifndef CLI_WRITE_TO_H
#define CLI_WRITE_TO_H

#include "eval/value.h"

/* Writes v, which is forced, to path, which must not exist.  What was written before an error stays.  Throws. */
void write_to(const char *path, W v);

#endif
