/* SPDX-License-Identifier: MIT
 *
 * The profiler of Nix's settings (eval-profiler = flamegraph): the calls that are open, each by the place it stands at and what is
 * called, sampled when one begins.
 *
 * profile.h costs nothing while it runs but its samples; this one is for who wants the lines of Nix, also of each single call.
 */
#ifndef EVAL_FLAME_H
#define EVAL_FLAME_H

#include "eval/value.h"

#include <stdio.h>

/* Starts; call after eval_init, which has to know that it will (eval_settings.profiler).  frequency: samples a second, 0: each call
 * is one.  Not together with profile.h. */
void flame_start(unsigned frequency);

/* For the caller of a function, while es.flame: a call begins, and ends with protect_pop(1), or an error.  pos: where it stands,
 * 0: nowhere.  args: the argument of a call of which flame_wants_name is true, else 0. */
void flame_enter(W fn, uint32_t pos, W args);
int flame_wants_name(W fn);

/* The same of the function in a set, of which only the place is known. */
void flame_enter_place(W set);

struct rec;

/* The same of a call that a builtin or a functor makes, whose record this is; it ends by itself. */
void flame_enter_inside(const struct rec *r);

/* Ends it and writes "outer;inner COUNT" a line. */
void flame_stop(FILE *out);

#endif
