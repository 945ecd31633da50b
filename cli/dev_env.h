/* SPDX-License-Identifier: MIT
 *
 * The environment of a derivation, for people: what its builder would be started with, made fit for a shell.
 *
 * The inputs' bin folders are to come before PATH. Variables of the build that mean nothing outside are left out; outputs are
 * folders below ./outputs, as in Nix.  What the builder would get as files (passAsFile, structured attributes) are objects of the
 * store, so nobody has to remove them.
 */
#ifndef CLI_DEV_ENV_H
#define CLI_DEV_ENV_H

#include "build/build.h"
#include "cli/realise.h"
#include "format/drv_options.h"
#include "format/pathset.h"

struct dev_var {
	struct slice name, value; /* NUL-terminated */
};

struct dev_env {
	struct slice name;	/* of the derivation */
	struct slice bins;	/* folders, separated by colons; NUL-terminated */
	struct dev_var *v;	/* exported */
	size_t n, cap;
	struct slice attrs_sh, attrs_json; /* texts of structured attributes; empty without */
	struct slice rest;	/* what bash alone can hold, as a script; empty without (cli/dev_setup.h) */
	struct slice rest_path; /* of an object that has it */
	struct path_set refs;	/* all of the store that it needs */

	/* private */
	struct arena arena;
	struct drv_options options;
	struct slice json_vars, json_functions; /* what rest has, as members of JSON */
	const struct build_result *built; /* by whose names outputs are known as well; NULL: none */
	struct store *store;
	const struct drv *drv;
	char *outputs; /* "/…/outputs" */
	int ignore;
};

/* Reads a derivation of the store; text, the caller's, holds what d refers to.  What it needs is added to t, names copied. */
int dev_env_read(struct store *s, const struct store_path *path, struct buf *text, struct drv *d, struct err *e);
int dev_env_inputs(struct store *s, const struct drv *d, struct build_targets *t, struct err *e);

/* d and s are borrowed for as long as env is used; inputs: what was built of d's inputs.  ignore: what this process has in its
 * own environment will not be there. */
int dev_env_make(struct dev_env *env, struct store *s, const struct drv *d, const struct build_result *inputs, int ignore,
		 struct err *e);
void dev_env_release(struct dev_env *env);

/* In its memory: what the outputs are called here.  Sets a variable to it. */
struct slice dev_env_localise(struct dev_env *env, struct slice text);
void dev_env_put(struct dev_env *env, struct slice name, struct slice value);

/* Puts a text into the store; its path, in env's memory. */
int dev_env_add_file(struct dev_env *env, const char *name, struct slice text, struct slice *path, struct err *e);

/* The value of a variable, NULL when it is not set. */
const char *dev_env_get(const struct dev_env *env, const char *name);

/* Says where objects lie instead of what they are called, for somebody who sees the store at its place only. */
void dev_env_physical(struct dev_env *env);

/* Appends it as Nix's print-dev-env --json does. */
void dev_env_json(const struct dev_env *env, struct buf *b);

/* Appends a script for bash that sets it and runs the hook. */
void dev_env_script(const struct dev_env *env, struct buf *b);

/* Puts it into the store, as an object that refers to all it needs. */
int dev_env_add(const struct dev_env *env, struct store_path *out, struct err *e);

#endif
