/* SPDX-License-Identifier: MIT
 *
 * Flake references as people write them: on a command line, where they may be relative and name an attribute, and in a
 * flake, where they may be relative to it.
 */
#ifndef FLAKE_REF_H
#define FLAKE_REF_H

#include "fetch/input.h"

/* "REF#FRAGMENT".  Paths are relative to the working directory; the flake is looked for there and in the folders above,
 * up to the root of the git repository, which then is the source.  *fragment is decoded, "" without. Throws. */
void flake_ref_parse(const char *text, struct input *out, const char **fragment);

/* As it stands in a flake's inputs: relative paths stay.  Throws. */
void flake_ref_parse_input(const char *text, struct input *out);

/* The reference to a forge's project that was meant by "github/OWNER/REPO" or the address of its page, collected; NULL when the
 * text is neither. */
const char *flake_ref_of_project(const char *text);

/* "flake.gx" or "flake.nix", whichever the folder has, the first before the other; NULL for neither. */
const char *flake_ref_has_flake(const char *dir);

/* 1 when all attributes agree. */
int flake_ref_same(const struct input *a, const struct input *b);

/* The same, also where one was written down by an older Nix. */
int flake_ref_means_same(const struct input *a, const struct input *b);

/* The reference as it is shown, collected. */
const char *flake_ref_text(const struct input *in);

#endif
