/* SPDX-License-Identifier: MIT
 *
 * Settings out of files: gx.conf and nix.conf.
 *
 * Read in this order, what is read later wins: nix.conf and gx.conf of the machine (/etc/nix, /etc/gx; or both in
 * NIX_CONF_DIR), those of the user (the files that NIX_USER_CONF_FILES names, the last first; else below XDG_CONFIG_DIRS and
 * XDG_CONFIG_HOME), NIX_CONFIG.
 */
#ifndef CLI_CONF_H
#define CLI_CONF_H

struct buf;

/* Sets what they say, each setting with where it was said.  What is wrong in one is a warning, and the line is left out: a file
 * that somebody wrote for Nix must not keep gx from running. */
void conf_load(void);

/* Adds two lines: behind each text the nix.conf of the machine, and those of the user, the first to count first, there or not. */
void conf_add_files(struct buf *b, const char *machine, const char *user);

/* The folder of the machine's nix.conf: NIX_CONF_DIR, else /etc/nix. */
const char *conf_folder(void);

#endif
