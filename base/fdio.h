/* SPDX-License-Identifier: MIT
 *
 * Reading and writing whole pieces: signals do not end a call early, short counts are gone on with.  All fail with -1 and errno,
 * for the caller to say in its own words (err_errno).
 */
#ifndef BASE_FDIO_H
#define BASE_FDIO_H

#include "base/buf.h"

#include <stdint.h>
#include <sys/types.h>

/* read, but for EINTR. */
ssize_t fd_read(int fd, void *p, size_t n);

/* Until p is full or the file ends: how much there was. The second from a place in the file, which does not move. */
ssize_t fd_read_full(int fd, void *p, size_t n);
ssize_t fd_read_at(int fd, void *p, size_t n, uint64_t at);

/* Appends all that is left. */
int fd_read_all(int fd, struct buf *out);

/* 0 when all of it was written. */
int fd_write_all(int fd, const void *p, size_t n);

/* Puts a file of these bytes in the place of what is at the path, or leaves that as it is: written beside it, to PATH.new, and
 * renamed.  Not synced. */
int file_replace(const char *path, const void *p, size_t n, mode_t mode);

/* Makes the folder and those above it that are missing, each with this mode; one that is there already is no failure. */
int make_folders(const char *path, mode_t mode);

#endif
