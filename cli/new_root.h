/* SPDX-License-Identifier: MIT
 *
 * The / of a mount namespace: what the machine has there, and what is to be something else.
 */
#ifndef CLI_NEW_ROOT_H
#define CLI_NEW_ROOT_H

struct new_root {
	const char *top; /* an empty folder that becomes it */
	int usr;	 /* a merged tree, open, that is /usr there; -1: the machine's */
	int no_nix;	 /* the machine's /nix is left out: another comes there */
};

/* Mounts a folder that is open below top; where there is none (fd < 0) nothing.  Fails with -1 and errno, as the others. */
int new_root_show(int fd, const char *top, const char *path);

/* Fills top. */
int new_root_fill(const struct new_root *r);

/* Once that is /, and the store is where its paths say: puts into /etc what the merged tree has for it. */
int new_root_link_etc(void);

#endif
