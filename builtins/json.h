/* SPDX-License-Identifier: MIT
 *
 * Values as JSON text and back, for the builtins and for `gxeval --json`.
 */
#ifndef BUILTINS_JSON_H
#define BUILTINS_JSON_H

#include "base/buf.h"
#include "eval/builtin.h"

enum json_flags {
	TO_JSON_FORCE = 1,	 /* force what is not evaluated; else that is an error */
	TO_JSON_COPY = 2	 /* paths are copied to the store, as toJSON does; else they are written as they are */
};

/* Appends w to b as toJSON writes it; the contexts of its strings go to ctx.  b is a collected
 * buffer.  Throws. */
void value_to_json(struct buf *b, W w, unsigned flags, struct ctx_acc *ctx);

/* The value of a JSON text.  Throws. */
W value_from_json(const char *p, size_t n);

extern const struct builtin *const builtins_json[];

#endif
