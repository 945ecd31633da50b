/* SPDX-License-Identifier: MIT
 *
 * Running a command line of gxeval.
 */
#ifndef CLI_EVAL_MAIN_H
#define CLI_EVAL_MAIN_H

/* Reads the words after argv[0] as gxeval does, evaluates, prints; returns an exit status.  report_init was called. */
int gxeval_main(int argc, char **argv);

/* gx eval: the same by that name. */
int eval_main(int argc, char **argv);

/* gx repl: the same with --repl. */
int repl_main(int argc, char **argv);

#endif
