/* SPDX-License-Identifier: MIT
 *
 * gxeval's command line.
 */
#ifndef CLI_EVAL_OPTIONS_H
#define CLI_EVAL_OPTIONS_H

#include "cli/eval_cmd.h"

/* As which of them it is read: what messages and --help call it. */
enum eval_program { EVAL_GXEVAL, EVAL_GX_EVAL, EVAL_GX_REPL };

/* Fills r, eval_settings and report_settings.  Returns an exit status; *go is 1 when there is something to
 * run, 0 when the command line was wrong or all was said (--help, --version). */
int eval_options_read(struct eval_request *r, enum eval_program as, int argc, char **argv, int *go);

#endif
