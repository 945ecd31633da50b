/* SPDX-License-Identifier: MIT
 *
 * Parts of the JSON that verbs of flakes print, in the form Nix gives them: no blanks, members in byte order.
 */
#ifndef CLI_FLAKE_JSON_H
#define CLI_FLAKE_JSON_H

#include "base/buf.h"
#include "fetch/input.h"

/* Appends the attributes of a reference as an object. */
void flake_json_input(struct buf *b, const struct input *in);

/* Appends "name":"text", with the comma; nothing for NULL. */
void flake_json_text(struct buf *b, const char *name, const char *text);

/* The same for a number. */
void flake_json_number(struct buf *b, const char *name, uint64_t n);

/* Ends an object whose last member has a comma behind it. */
void flake_json_end(struct buf *b);

#endif
