/* SPDX-License-Identifier: MIT
 *
 * Which Nix's language this is.
 */
#ifndef BUILTINS_CONSTANTS_H
#define BUILTINS_CONSTANTS_H

#define NIX_VERSION "2.35.2"
#define LANG_VERSION 6

#endif
