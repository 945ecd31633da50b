/* SPDX-License-Identifier: MIT
 *
 * What a flake says about settings: gxConfig, or nixConfig.
 *
 * A flake is somebody else's.  Its settings count only with --accept-flake-config (the setting accept-flake-config), and those that
 * would run code, or say whom to trust and what may be seen, never do.  What was left out is said in one line.
 */
#ifndef CLI_FLAKE_CONFIG_H
#define CLI_FLAKE_CONFIG_H

#include "eval/value.h"

/* The setting accept-flake-config. */
extern int flake_config_accepted;

/* Obeys the configuration of a flake (a set, or W_NULL for none), as far as it may.  What the command line said stays.  Throws. */
void flake_config_apply(W config);

#endif
