/* SPDX-License-Identifier: MIT
 *
 * Scripts whose first line names this program and whose next lines say what it is to do, as Nix has them from 2.19 on:
 *
 *     #! /usr/bin/env gx
 *     #! gx shell ./tools#jq --command bash
 *     jq . "$@"
 *
 * Lines are comments of any language (they begin with one of #/\%@*-( ) up to the first that is none; those that go on with "#!"
 * and the program's name hold the words.  Between double backticks a word may have blanks, line ends and everything else;
 * three backticks stand for two in it.
 */
#ifndef CLI_SHEBANG_H
#define CLI_SHEBANG_H

/* Where the first word is such a script, the words that it holds take its place, then come its name and its own arguments, and its
 * folder is the current one until shebang_leave: what the lines name is meant from there.  A first word without a slash is none.
 * also: another name that lines may have, NULL for none.  Returns 0, or an exit status after saying what is wrong. */
int shebang_take(int *argc, char ***argv, const char *name, const char *also);

/* Back to where the script was called: before what it runs begins.  Returns 0, or an exit status after saying why not. */
int shebang_leave(void);

#endif
