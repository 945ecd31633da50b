/* SPDX-License-Identifier: MIT
 *
 * Images for engines of this machine, which keep them in ways of their own: by the engines' programs.
 */
#ifndef IMAGE_LOAD_H
#define IMAGE_LOAD_H

#include "base/err.h"

/* Has "podman" or "docker" read a file with an image (image/layout.h), under the name in it.  ERR_NOTFOUND when it is not
 * installed. */
int image_load(const char *program, const char *file, struct err *e);

#endif
