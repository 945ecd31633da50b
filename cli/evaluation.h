/* SPDX-License-Identifier: MIT
 *
 * One evaluation of a verb of gx, from start to end: an evaluator on a stack of its own, a store when one was named, errors
 * told as gxeval tells them.
 */
#ifndef CLI_EVALUATION_H
#define CLI_EVALUATION_H

struct eval_request;

/* Calls fn on a C stack of its own, large and lazily mapped, that the collector looks at: how deep an evaluation may go
 * does not depend on the shell's `ulimit -s`.  Keeps what it compiled for the next run; returns what it returned. */
int evaluation_on_stack(int (*fn)(void *arg, char *stack_low), void *arg);

/* Calls fn(arg) in an evaluator; eval_settings.pure is what pure says, other settings have their defaults.  What was
 * evaluated is in the store afterwards.  Once a process.  Returns an exit status after saying what went wrong. */
int evaluation_run(const struct eval_request *r, int pure, void (*fn)(void *arg), void *arg);

#endif
