/* SPDX-License-Identifier: MIT
 *
 * Which gx this is.
 */
#ifndef CLI_VERSION_H
#define CLI_VERSION_H

/* Prints its version, that of the language, and that of the standard library with where it lies.  Returns an exit status. */
int version_print(void);

#endif
