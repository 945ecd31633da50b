/* SPDX-License-Identifier: MIT
 *
 * Which modules a Go program was built from: it says so itself (runtime/debug.BuildInfo).
 */
#ifndef IMAGE_GOBUILD_H
#define IMAGE_GOBUILD_H

#include "base/buf.h"
#include "base/slice.h"
#include "store/store.h"

/* Appends a line "PATH VERSION H1\n" for each module of all programs in an object, each once, the main ones with what version they
 * say; H1 may be "-".  "go VERSION -\n" for the toolchain. */
int gobuild_modules(struct store *s, const struct store_path *p, struct buf *out, struct err *e);

/* The same of the bytes that follow the mark in a program; nothing when they are none. */
void gobuild_read(struct slice bytes, struct buf *out);

/* Adds a line, which has its end, unless it is one of those that are there; was it added? */
int gobuild_add_line(struct buf *lines, struct slice line);

#endif
