/* SPDX-License-Identifier: MIT
 *
 * What an output has to be besides a value that can be evaluated.
 */
#ifndef CLI_OUTPUT_CHECKS_H
#define CLI_OUTPUT_CHECKS_H

#include "cli/outputs.h"

/* Looks at an output that was found to be there; of kinds that nobody defines anything goes.  Throws. */
void output_check(const struct spot *s);

/* Where outputs stand by system: that it is one.  Throws. */
void output_check_system(const struct spot *s);

#endif
