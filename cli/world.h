/* SPDX-License-Identifier: MIT
 *
 * What an evaluation started from a command line may see: builtins, search path, files, messages.
 */
#ifndef CLI_WORLD_H
#define CLI_WORLD_H

#include "eval/builtin.h"

#include <stdio.h>

struct eval_request;

/* Every builtin: what evaluates, documents and completes them reads this one table.  Lists as in builtins/registry.h. */
extern const struct builtin *const *const world_builtins[];

/* Starts the evaluator of this thread, and a session with the settings of the command line and the store of
 * eval_store_start. */
void world_start(const struct eval_request *r, char *stack_low);

/* When the evaluation is over, also by an error: writes the profile that was asked for.  An exit status, after saying why. */
int world_end(void);

/* Lets a profiler write its file; one that cannot be written is an error, the result of the evaluation stays. */
int world_write_profile(const char *path, void (*write)(FILE *out));

/* Begins anew with a session as world_start made it: every file is read, every tree fetched again.  Not while a value of
 * the old one is in use. */
void world_renew(const struct eval_request *r);

#endif
