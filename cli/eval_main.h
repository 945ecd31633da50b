/* SPDX-License-Identifier: MIT
 *
 * Running a command line of gxeval.
 */
#ifndef CLI_EVAL_MAIN_H
#define CLI_EVAL_MAIN_H

#include <stddef.h>

/* Reads the words after argv[0] as gxeval does, evaluates, prints; returns an exit status.  report_init was called. */
int eval_main(int argc, char **argv);

/* Bytes of C stack for an evaluation. */
size_t eval_stack_size(void);

/* From here on Ctrl-C ends the program at once, saying so, with the status of an interrupted one. */
void eval_interruptible(void);

#endif
