/* SPDX-License-Identifier: MIT
 *
 * Who one is to a registry, as docker and podman keep it: $REGISTRY_AUTH_FILE, $DOCKER_CONFIG/config.json or ~/.docker/config.json,
 * $XDG_RUNTIME_DIR/containers/auth.json, ~/.config/containers/auth.json; passwords in them, or programs docker-credential-NAME that
 * are asked.
 */
#ifndef IMAGE_LOGIN_H
#define IMAGE_LOGIN_H

#include "image/reference.h"

/* Malloc'd, wiped when released; all NULL: nobody. */
struct login {
	char *user, *password;
	char *refresh; /* a token that is given for tokens, in place of both */
};

void login_release(struct login *l);

/* Finds out; nobody is no error.  ERR_INVALID for a file that makes no sense, ERR_IO for a program that fails. */
int login_find(struct login *l, const struct reference *r, struct err *e);

/* One entry of such a file, {"auth": …} and its like: 1 when it says who. */
struct jnode;
int login_entry(struct login *l, const struct jnode *entry);

#endif
