/* SPDX-License-Identifier: MIT
 *
 * Shells as images: what mkShell builds is a file of variables, which become those of the image, with all its packages in PATH.
 */
#ifndef IMAGE_SHELL_H
#define IMAGE_SHELL_H

#include "image/spec.h"

/* Sets the environment of an image from the text of a shell's object ("export NAME='VALUE'" lines); what the image's configuration
 * sets already stays, its PATH behind the shell's.  0 when the text is none of a shell. */
int image_shell(struct image_spec *s, struct slice text);

#endif
