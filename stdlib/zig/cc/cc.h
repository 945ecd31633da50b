/* SPDX-License-Identifier: MIT
 *
 * What the programs of the compiler (cc.c) share.
 */
#ifndef CC_H
#define CC_H

#include <stddef.h>
#include <sys/types.h>

/* Says that something cannot be done to a file, and why (errno), and ends with status 1. */
void fail(const char *what, const char *name);

/* The bytes of a file, which can be changed without changing it; NULL of an empty one.  munmap frees them. */
void *read_file(const char *name, size_t *size, mode_t *mode);

/* A file with other bytes in the place of one that may be read-only, and may be running. */
void replace_file(const char *name, const void *bytes, size_t size, mode_t mode);

/* The program strip, as main. */
int strip(int argc, char **argv);

#endif
