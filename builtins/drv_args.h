/* SPDX-License-Identifier: MIT
 *
 * The attributes given to derivationStrict, evaluated and sorted out, before anything is computed from them.
 * Everything here is on the collected heap or the C stack.
 */
#ifndef BUILTINS_DRV_ARGS_H
#define BUILTINS_DRV_ARGS_H

#include "base/err.h"
#include "eval/context.h"
#include "eval/value.h"
#include "format/hash.h"
#include "format/path.h"

struct drv_arg_env {
	const struct str *key, *value;
};

struct drv_args {
	const struct str *name;
	uint32_t name_pos;
	sym_t attr; /* being read, for notes */
	int structured, ignore_nulls, content_addressed, impure;
	const struct str *builder, *system; /* NULL when not given */
	const struct str *hash;		    /* outputHash, NULL when not given */
	enum hash_algo algo;		    /* outputHashAlgo; HASH_ANY when not given or not known */
	int has_method;
	enum ca_method method;	     /* outputHashMode */
	int go_h1;		     /* outputHashMode = "go-h1" (format/goh1.h): hash is the sum of a Go module */
	sym_t *outputs;		     /* in byte order */
	size_t noutputs;
	struct drv_arg_env *env;     /* in byte order; without the outputs' own variables */
	size_t nenv;
	const struct str **args;
	size_t nargs;
	struct ctx_acc ctx;
};

/* Reads a set of attributes, forcing what Nix forces in its order: the name, __structuredAttrs,
 * __ignoreNulls, then every attribute by name.  Throws. */
void drv_args_read(struct drv_args *a, W attrs);

/* Pushes a note "while evaluating the derivation 'NAME'" for the errors of what follows. */
void drv_args_note(struct drv_args *a);

/* Raises an error about the derivation, at its name. */
void drv_args_throw(const struct drv_args *a, const char *fmt, ...)
	__attribute__((noreturn, cold, format(printf, 2, 3)));

/* The same with what e says, which is released. */
void drv_args_throw_err(const struct drv_args *a, struct err *e) __attribute__((noreturn, cold));

#endif
