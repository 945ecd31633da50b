/* SPDX-License-Identifier: MIT
 *
 * The interactive evaluator: gxeval --repl and gx repl.
 */
#ifndef CLI_REPL_REPL_H
#define CLI_REPL_REPL_H

struct eval_request;

/* Reads and evaluates until the end of input, on a stack of mem_run_on_stack.  What the request names (a file, a flake, an
 * expression) is loaded first.  Returns an exit status. */
int repl_run(const struct eval_request *r, char *stack_low);

#endif
