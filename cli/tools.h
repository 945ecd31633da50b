/* SPDX-License-Identifier: MIT
 *
 * The programs that builders have from their shell, for shells of people that have nothing else.
 */
#ifndef CLI_TOOLS_H
#define CLI_TOOLS_H

#include "base/buf.h"

/* Appends the folder with a link for each program that `shell` (NULL: the sandbox's own) has in it, and for sh; it is in the user's
 * cache and made once.  Where there is no place for it, the folder of the shell itself. */
void tools_folder(struct buf *out, const char *shell);

#endif
