/* SPDX-License-Identifier: MIT
 *
 * From a locked flake to values.
 */
#ifndef FLAKE_CALL_H
#define FLAKE_CALL_H

#include "base/session.h"
#include "eval/builtin.h"
#include "flake/inputs.h"

/* The flake as `self` and as getFlake returns it: its outputs, with sourceInfo, inputs, outputs, outPath and _type. A thunk. */
W flake_call(const struct locked_flake *lf);

/* The outputs alone. A thunk. */
W flake_outputs(W flake);

/* The outputs of a locked flake, without its sourceInfo having been asked for.  Throws. */
W flake_root_outputs(const struct locked_flake *lf);

/* What an attribute path means: the exact path, then below packages.SYSTEM and legacyPackages.SYSTEM (want: see below);
 * the default attributes when it is empty.  *found receives the path that was there.  Throws. */
enum flake_want { FLAKE_WANT_PACKAGE, FLAKE_WANT_SHELL, FLAKE_WANT_APP, FLAKE_WANT_BUNDLER };
struct attr_place;
W flake_select(W outputs, const char *attr, enum flake_want want, const char *ref, struct attr_place *found);

/* The outputs below whose SYSTEM an attribute path is looked up, in order; NULL past the last. */
const char *flake_prefix(enum flake_want want, unsigned i);

extern const struct session_part flake_call_session[];

extern const struct builtin *const builtins_flake[];
extern const struct builtin *const builtins_fetch_tree[];
extern const struct builtin *const builtins_fetch_url[];
extern const struct builtin *const builtins_fetch_closure[];
extern const struct builtin *const builtins_fetch_mercurial[];

#endif
