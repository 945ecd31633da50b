/* SPDX-License-Identifier: MIT
 *
 * Files that <nix/NAME> finds although no directory holds them.
 */
#ifndef BUILTINS_COREPKGS_H
#define BUILTINS_COREPKGS_H

/* The text of <nix/name>, "fetchurl.nix" for example; NULL when there is none.  Static. */
const char *corepkg_text(const char *name);

#endif
