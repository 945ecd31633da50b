/* SPDX-License-Identifier: MIT
 *
 * What was typed in earlier sessions, in a file that only its user can read.
 */
#ifndef CLI_REPL_REPL_HISTORY_H
#define CLI_REPL_REPL_HISTORY_H

enum { REPL_HISTORY_MAX = 10000 }; /* entries kept */

/* Its name below the user's folder for such, which is made; malloc'd.  NULL when there is no place for it. */
char *history_file(void);

/* Calls enter(arg, text) for each entry, the oldest first. */
void history_load(const char *file, void (*enter)(void *arg, const char *text), void *arg);

/* Adds an entry of one line or several.  Not being able to is no error. */
void history_append(const char *file, const char *text);

#endif
