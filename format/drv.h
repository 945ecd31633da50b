/* SPDX-License-Identifier: MIT
 *
 * Store derivations: the struct, its text form (ATerm), and making one up.
 *
 * Ownership: every string is copied into the derivation's arena, so what is passed in
 * need only live for the call; everything goes with drv_release.  Strings are slices and NUL-terminated
 * as well.  Store paths are kept as full texts ("/nix/store/…"), as the ATerm has them.
 *
 * Invariant after drv_sort (and drv_parse): outputs, inputs, their output names, srcs and env
 * are in byte order without repeats.  The writer and format/modulo.h rely on it.
 */
#ifndef FORMAT_DRV_H
#define FORMAT_DRV_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "format/hash.h"
#include "format/path.h"
#include "base/slice.h"

#include <stddef.h>

/* Nesting of dynamic inputs (outputs of derivations that are themselves built); Nix sets none, and
 * nothing in use goes beyond 2. */
#define DRV_DYNAMIC_DEPTH 64

enum drv_output_kind {
	DRV_DEFERRED, /* input-addressed, path not known (yet): how an evaluator starts */
	DRV_INPUT,    /* input-addressed, path known */
	DRV_FIXED,    /* content-addressed, hash known: path follows from it */
	DRV_FLOATING, /* content-addressed, hash not known before the build */
	DRV_IMPURE    /* as floating, built anew each time */
};

struct drv_output {
	struct slice name;
	enum drv_output_kind kind;
	struct slice path;     /* full path; empty when not known */
	enum ca_method method; /* FIXED, FLOATING, IMPURE */
	struct hash hash;      /* FIXED; FLOATING and IMPURE have only its algo */
};

/* Which outputs of an input are wanted; children: outputs that are derivations themselves. */
struct drv_node {
	struct slice *outputs;
	size_t noutputs, capoutputs;
	struct drv_child *children;
	size_t nchildren;
};

struct drv_child {
	struct slice output;
	struct drv_node node;
};

struct drv_input {
	struct slice path; /* full path of the .drv */
	struct drv_node node;
};

struct drv_env {
	struct slice key, value;
};

struct drv {
	struct slice name; /* without ".drv" */
	struct drv_output *outputs;
	size_t noutputs, capoutputs;
	struct drv_input *inputs;
	size_t ninputs, capinputs;
	struct slice *srcs;
	size_t nsrcs, capsrcs;
	struct slice system, builder;
	struct slice *args;
	size_t nargs, capargs;
	struct drv_env *env;
	size_t nenv, capenv;
	struct arena arena;
};

void drv_init(struct drv *d, struct slice name);
void drv_release(struct drv *d);

/* --- building one --- */

/* Adds an output of kind DRV_DEFERRED; the caller changes kind, method and hash (algo alone where the hash is not
 * known).  The pointer lives until the next call. */
struct drv_output *drv_add_output(struct drv *d, struct slice name);

/* Wants `output` of the derivation at path; any number of calls for a path, in any order. */
void drv_add_input(struct drv *d, struct slice path, struct slice output);
void drv_add_src(struct drv *d, struct slice path);
void drv_set_system(struct drv *d, struct slice s);
void drv_set_builder(struct drv *d, struct slice s);
void drv_add_arg(struct drv *d, struct slice s);

/* Appends; the key must be new.  In byte order is fastest. */
void drv_add_env(struct drv *d, struct slice key, struct slice value);

/* Replaces the value of the key, or appends. */
void drv_set_env(struct drv *d, struct slice key, struct slice value);

/* The value of a variable or NULL. */
const struct slice *drv_env(const struct drv *d, struct slice key);

/* The output called so or NULL. */
const struct drv_output *drv_output(const struct drv *d, struct slice name);

/* Establishes the invariant above: sorts, merges the outputs wanted of one input, drops repeats. */
void drv_sort(struct drv *d);

/* 1 when some input is dynamic (the text then starts "DrvWithVersion"). */
int drv_is_dynamic(const struct drv *d);

/* What outputs may be combined: at least one, all of one kind, a fixed one alone and called "out", floating ones with
 * one algorithm.  Returns 0 and the kind, or ERR_INVALID. */
int drv_kind(const struct drv *d, enum drv_output_kind *kind, struct err *e);

/* --- text --- */

/* Appends the ATerm text of a sorted derivation. */
void drv_write(struct buf *b, const struct drv *d);

/* Parses the text of a .drv file into d (initialised here; on error released again).  dir: the store directory all
 * paths must lie in; name: the derivation's name, which the text does not hold (the file's, without digest and
 * ".drv").  Stricter than Nix: no text after the end, no doubled or stray commas, no repeats; the path of a fixed
 * output must be what follows from its hash.  ERR_INVALID, ERR_LIMIT. */
int drv_parse(struct drv *d, struct slice dir, struct slice name, struct slice text, struct err *e);

#endif
