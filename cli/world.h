/* SPDX-License-Identifier: MIT
 *
 * What an evaluation started from a command line may see: builtins, search path, files, messages.
 */
#ifndef CLI_WORLD_H
#define CLI_WORLD_H

#include "eval/builtin.h"

struct eval_request;

/* Every builtin: what evaluates, documents and completes them reads this one table.  Lists as in builtins/registry.h. */
extern const struct builtin *const *const world_builtins[];

/* Starts the evaluator of this thread with the settings of the command line. */
void world_start(const struct eval_request *r, char *stack_low);

#endif
