/* SPDX-License-Identifier: MIT
 *
 * The derivations a value stands for: to be printed (--drv-path), to be built.
 */
#ifndef CLI_DRV_PATHS_H
#define CLI_DRV_PATHS_H

#include "base/buf.h"
#include "cli/realise.h"
#include "eval/value.h"

/* Appends one line for each derivation: its .drv path, with "!output" when another output than the first, "out", is
 * meant.  Throws when v is neither a derivation nor a set or list of them. */
void drv_paths_print(struct buf *b, W v, W args);

/* Which outputs a derivation stands for.  Where one was chosen (x.dev), that one; otherwise, as commands of Nix have it: */
enum drv_outputs {
	DRV_OUTPUT,	   /* what the value itself is: mostly the first (nix-build, nix run) */
	DRV_OUTPUTS_FLAKE, /* those to install (meta.outputsToInstall), else "out" */
	DRV_OUTPUTS_FILE,  /* those to install, else all */
	DRV_OUTPUTS_ALL
};

/* Adds them to what is to be built, which stays the caller's when this throws. */
void drv_paths_add(struct build_targets *t, W v, W args, enum drv_outputs outputs);

#endif
