/* SPDX-License-Identifier: MIT
 *
 * The environment after the setup of a derivation's stdenv has run: nixpkgs' mkDerivation computes much of it there, in bash.
 *
 * A derivation like it is built, whose builder reads $stdenv/setup and writes down what there is then: variables, arrays and
 * functions.
 */
#ifndef CLI_DEV_SETUP_H
#define CLI_DEV_SETUP_H

#include "cli/dev_env.h"

/* Set: whoever asked reads the setup himself (nix-shell). */
extern int dev_setup_is_read;

/* Whether env's derivation has one that can run here: bash is its builder, and the inputs are there. */
int dev_setup_wanted(const struct dev_env *env);

/* Puts the derivation that is to be built into env's store. */
int dev_setup_derive(struct dev_env *env, struct store_path *drv, struct err *e);

/* What came of it replaces what env has; the result is borrowed for as long as env is used.  ERR_INVALID when it is not what
 * was to be written. */
int dev_setup_take(struct dev_env *env, const struct build_result *built, struct err *e);

#endif
