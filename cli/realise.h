/* SPDX-License-Identifier: MIT
 *
 * Building what an evaluation named.
 */
#ifndef CLI_REALISE_H
#define CLI_REALISE_H

#include "base/buf.h"
#include "cli/build_options.h"
#include "build/build.h"
#include "store/store.h"

/* Builds the derivations of the lines in `text` ("/nix/store/….drv" or "….drv!output", as drv_paths_print has them).
 * result: outputs, by line; without "!" the line means "out". */
int realise_lines(struct store *s, struct build_options *o, const char *text, struct build_result *result,
		  struct err *e);

#endif
