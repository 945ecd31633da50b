/* SPDX-License-Identifier: MIT
 *
 * Between the verbs of `gx devpod`.
 */
#ifndef CLI_VERBS_GX_DEVPOD_H
#define CLI_VERBS_GX_DEVPOD_H

#include "cli/flake_cmd.h"
#include "eval/value.h"

/* lib.devpod.FUNCTION.  Throws. */
W devpod_library(const char *function);

/* The DevPod that the operand names.  Throws. */
W devpod_value(struct flake_cmd *f);

/* Appends it as a line of JSON.  Throws. */
void devpod_print(struct buf *out, W value);

int devpod_apply_run(int argc, char **argv);
int devpod_shell_run(int argc, char **argv);
int devpod_status_run(int argc, char **argv);
int devpod_delete_run(int argc, char **argv);
int devpod_controller_run(int argc, char **argv);

#endif
