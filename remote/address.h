/* SPDX-License-Identifier: MIT
 *
 * What people write for a store behind a daemon:
 *
 *     daemon                        the one of this machine: NIX_DAEMON_SOCKET_PATH, else NIX_STATE_DIR/daemon-socket/socket
 *     unix://PATH                   the one that listens there
 *     ssh-ng://[USER@]HOST[:PORT]   the one that ssh starts there: 'nix-daemon --stdio'; localhost: that this machine starts
 *     mounted-ssh-ng://…            the same where its file system is mounted here: files are not sent
 *     ssh://…                       'nix-store --serve' there, which is older, and less
 *
 * and behind '?':
 *     remote-program=NAME, remote-store=STORE    what is started instead, and with which --store
 *     ssh-key=FILE, base64-ssh-public-host-key=TEXT, compress=BOOL
 *     store=DIR                                  the logical store directory
 *     real=DIR                                   of mounted-ssh-ng: where its store is mounted; else in the same folder
 * Other parameters are of Nix, and change nothing here.
 */
#ifndef REMOTE_ADDRESS_H
#define REMOTE_ADDRESS_H

#include "base/err.h"

enum remote_kind { REMOTE_SOCKET, REMOTE_SSH, REMOTE_FOLDER };

/* Strings are malloc'd, NULL where they are not said. */
struct remote_address {
	enum remote_kind kind;
	char *shown;	   /* as messages have it: without parameters */
	char *socket;
	char *user, *host, *port;
	char *program, *remote_store, *key, *store_dir;
	char *host_key; /* the line of known_hosts behind the host, in base64 */
	char *features; /* of REMOTE_FOLDER: the system features of what builds there */
	char *real; /* mounted-ssh-ng, as said */
	int mounted;
	int serves; /* ssh://: by the protocol of 'nix-store --serve' */
	int compress;
};

/* 1 when the text is such an address. */
int remote_address_is(const char *text);

/* ERR_INVALID; nothing to release then. */
int remote_address_parse(const char *text, struct remote_address *out, struct err *e);

/* The folder of a store, as place_choose takes it, which a program of ours is to serve (remote_settings.own_program). */
int remote_address_of_folder(const char *text, struct remote_address *out, struct err *e);
void remote_address_release(struct remote_address *a);

#endif
