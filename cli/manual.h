/* SPDX-License-Identifier: MIT
 *
 * Manual pages, from the tables that --help reads.
 */
#ifndef CLI_MANUAL_H
#define CLI_MANUAL_H

#include "base/buf.h"
#include "base/err.h"

struct verb_found;
struct program;

/* Appends the page of a verb or a group, in the language of man(7). */
void manual_add(struct buf *b, const struct verb_found *f);

/* The page of a program that is no verb. */
void manual_add_program(struct buf *b, const struct program *p);

/* Writes a file for each verb and group of gx, for gxeval and the settings into a folder: gx-store-gc.1. */
int manual_write_all(const char *dir, struct err *e);

#endif
