/* SPDX-License-Identifier: MIT
 *
 * Inputs: what flakes and fetchTree fetch, as a set of attributes ({ type = "github"; owner = …; }) and as a flake
 * reference ("github:owner/repo"), and the way between the two.  Nothing is fetched or looked up here.
 *
 * An input holds its attributes in the order of their names; all memory is the caller's arena.
 */
#ifndef FETCH_INPUT_H
#define FETCH_INPUT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

#include <stdint.h>

enum input_type { INPUT_STRING, INPUT_INT, INPUT_BOOL };

struct input_attr {
	struct slice name;
	enum input_type type;
	struct slice s;
	uint64_t i; /* INPUT_BOOL too */
};

struct input {
	struct input_attr *a;
	size_t n, cap;
};

/* Adds an attribute or replaces it. */
void input_set(struct input *in, const struct input_attr *a, struct arena *mem);
const struct input_attr *input_get(const struct input *in, const char *name);

/* Is it what an input or an entry of a registry may be called? */
int input_is_id(struct slice s);

/* Parses a flake reference: a URL, an absolute path, or an indirect name ("nixpkgs/unstable").  A subdirectory is the
 * attribute `dir`.  ERR_INVALID. */
int input_parse(struct slice ref, struct arena *mem, struct input *out, struct err *e);

/* Appends the reference for an input, checking its attributes first.  ERR_INVALID. */
int input_print(const struct input *in, struct arena *mem, struct buf *out, struct err *e);

#endif
