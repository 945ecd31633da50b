/* SPDX-License-Identifier: MIT
 *
 * A store for others by the protocol of 'nix-store --serve', which ssh:// and nix-copy-closure of older Nix speak.
 *
 *     client                          server
 *     MAGIC_1 version                 MAGIC_2 version      2.N: the smaller counts
 *     then, again and again:
 *     number of a command, arguments
 *                                     results
 *
 * There are no messages: what builders print goes to standard error, where ssh brings it from, and an error is said there and ends
 * the connection.  Spoken are 2.6 (Nix 2.4) and 2.7.
 */
#ifndef REMOTE_SERVE_H
#define REMOTE_SERVE_H

#include "remote/daemon.h"
#include "remote/protocol.h"

enum { SERVE_MAGIC_1 = 0x390c9deb, SERVE_MAGIC_2 = 0x5452eecb, SERVE_MAJOR = 2, SERVE_OLDEST = 6, SERVE_NEWEST = 7 };

#define SERVE_VERSION(minor) (SERVE_MAJOR << 8 | (minor))

enum serve_command {
	SERVE_VALID_PATHS = 1, /* lock substitute paths: paths */
	SERVE_PATH_INFOS = 2,  /* paths: { path deriver references 0 size hash ca sigs } "" */
	SERVE_DUMP = 3,	       /* path: its archive */
	SERVE_IMPORT = 4,      /* a stream as of store/export.h: 1 */
	SERVE_BUILD_PATHS = 6, /* what is wanted, options: 0, or a status and why */
	SERVE_CLOSURE = 7,     /* with-outputs paths: paths */
	SERVE_BUILD = 8,       /* path derivation options: how it went */
	SERVE_ADD = 9	       /* path, all about it, its archive: 1 */
};

/* As daemon_serve, to somebody who is trusted; `may_write`: also what changes the store. */
int serve_run(struct store *s, int in, int out, int may_write, const struct daemon_options *o, struct err *e);

#endif
