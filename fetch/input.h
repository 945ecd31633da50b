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

/* Adds an attribute or replaces it; all those of another input. */
void input_set(struct input *in, const struct input_attr *a, struct arena *mem);
void input_set_all(struct input *in, const struct input *from, struct arena *mem);
const struct input_attr *input_get(const struct input *in, const char *name);

/* Is it what an input or an entry of a registry may be called? */
int input_is_id(struct slice s);

/* "nixpkgs", "nixpkgs/REF", "nixpkgs/REV", "nixpkgs/REF/REV"? */
int input_is_id_reference(struct slice s);

/* 1 when what the input says pins its contents; a relative path is as good as its parent. */
int input_is_locked(const struct input *in);

/* A path below the flake that has it. */
int input_is_relative(const struct input *in);

/* Where what it names lies. */
enum input_where {
	INPUT_ELSEWHERE,    /* on some host, or of no known type */
	INPUT_AT_PATH,	    /* at its `path` */
	INPUT_AT_URL,	    /* where its `url` says, which may be a file */
	INPUT_WITH_PROGRAM, /* it comes along, or is only a name */
};
enum input_where input_where(const struct input *in);

/* Fetching is for those above, who say what a tree is; each kind's function is set once, before the first is fetched. */
struct flake_tree;
typedef void input_fetch_fn(const struct input *in, struct flake_tree *out);
void input_set_fetch(const char *type, input_fetch_fn *fetch);

/* The function for an input, NULL for a kind that nobody fetches. */
input_fetch_fn *input_fetch(const struct input *in);

/* Parses a flake reference: a URL, an absolute path, or an indirect name ("nixpkgs/unstable").  A subdirectory is the
 * attribute `dir`.  ERR_INVALID. */
int input_parse(struct slice ref, struct arena *mem, struct input *out, struct err *e);

/* Checks all attributes, and writes what has several ways to be written in one ("git@host:path").  ERR_INVALID. */
int input_check(struct input *in, struct arena *mem, struct err *e);

/* Appends the reference for an input, checking its attributes first.  ERR_INVALID. */
int input_print(const struct input *in, struct arena *mem, struct buf *out, struct err *e);

#endif
