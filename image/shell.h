/* SPDX-License-Identifier: MIT
 *
 * Shells as images: what mkShell builds is a file of variables, which become those of the image, with all its packages in PATH.
 */
#ifndef IMAGE_SHELL_H
#define IMAGE_SHELL_H

#include "image/spec.h"

/* Sets the environment of an image from the text of a shell's object ("export NAME='VALUE'" lines); 0 when it is none. */
int image_shell(struct image_spec *s, struct slice text);

#endif
