/* SPDX-License-Identifier: MIT
 *
 * Between the files of gx image.
 */
#ifndef CLI_VERBS_GX_IMAGE_H
#define CLI_VERBS_GX_IMAGE_H

#include "cli/options.h"

/* Is one of the words a place where images of others are? */
int image_names_place(int argc, char **argv);

/* Prints what the image there is made of, or its digest alone.  Returns the exit status. */
int image_look_run(const struct program *p, int argc, char **argv, int json);

#endif
