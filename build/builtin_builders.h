/* SPDX-License-Identifier: MIT
 *
 * Builders that are part of this program: derivations whose builder is "builtin:NAME".
 *
 * They run as any other: a process of their own, in the same namespaces, behind the same filter (and one more: they may
 * run no program), as the same nobody.  They differ only in that no program is executed, unless it is one of those that let
 * another program go on (`then`): the arguments of the derivation, where it has any, are that program and its arguments.  The
 * folders above provide more through build_hooks.builtins.
 */
#ifndef BUILD_BUILTIN_BUILDERS_H
#define BUILD_BUILTIN_BUILDERS_H

#include "format/drv.h"

struct builtin_builder;

enum { BUILTIN_PROGRESS = 105 }; /* the type of a result that says how far it is: Nix's resProgress */

/* What it works on.  Paths are as they are seen inside. */
struct builtin_call {
	struct slice name;
	const struct drv *drv;
	const struct store_path *outputs; /* by output of drv */
	struct slice store_dir;
	const char *top; /* the working directory */
	const struct builtin_builder *builtin;
	char *const *then, *const *envp; /* what goes on, NULL for nothing; the environment of builders */
};

struct builtin_builder {
	const char *name; /* without "builtin:" */
	/* Makes the outputs.  What it prints on standard error is the build's log; the error is added to it. */
	int (*run)(const struct builtin_call *c, struct err *e);
	int then;  /* what it made may be given to a program */
	int fixed; /* the derivation must say the hash of what comes: it asks others, or shows files of this machine */
};

/* The builder called so ("builtin:NAME"), of our own or of `more`; NULL when there is none. */
const struct builtin_builder *builtin_find(struct slice builder, const struct builtin_builder *more);

/* 1 when a derivation says what comes of it. */
int builtin_is_fixed(const struct drv *d);

/* Runs a struct builtin_call, returns an exit status: the function of a sandbox. */
int builtin_run(void *call);

/* The value of a variable of the derivation; ERR_INVALID when it is missing. */
int builtin_attr(const struct builtin_call *c, const char *name, struct slice *out, struct err *e);

/* Appends the full path of an output; ERR_INVALID when there is none of that name. */
int builtin_output(const struct builtin_call *c, struct slice name, struct buf *out, struct err *e);

/* --- builder_archive.c, builder_buildenv.c, builder_go_unpack.c, builder_unpack_deb.c --- */
int builtin_unpack_channel(const struct builtin_call *c, struct err *e);
int builtin_buildenv(const struct builtin_call *c, struct err *e);
int builtin_go_unpack(const struct builtin_call *c, struct err *e);
int builtin_unpack_deb(const struct builtin_call *c, struct err *e);

#endif
