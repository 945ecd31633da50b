/* SPDX-License-Identifier: MIT
 *
 * What an evaluation started from a command line may see: search path, files, messages.
 */
#ifndef CLI_WORLD_H
#define CLI_WORLD_H

struct eval_request;

/* Starts the evaluator of this thread with the settings of the command line. */
void world_start(const struct eval_request *r, char *stack_low);

#endif
