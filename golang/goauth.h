/* SPDX-License-Identifier: MIT
 *
 * GOAUTH: where names and passwords for module proxies come from.
 *
 *     GOAUTH = "off" | method { ";" method }      method = "netrc" | "git" folder | program { argument }
 *
 * What is not set is "netrc", which transfers know of themselves (fetch/netrc.h).  The others are programs: one of the user's
 * prints addresses and the headers for what is below them, `git credential fill` in a folder a name and a password.  They are asked
 * only for https addresses: once before the first, then again with the address when a server answers 400 to 499.
 *
 * What they say stays in memory, and goes to no message; of a program that fails only its name is told.
 */
#ifndef GOLANG_GOAUTH_H
#define GOLANG_GOAUTH_H

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

enum go_auth_kinds {
	GO_AUTH_NETRC = 1 << 0,	  /* transfers may look into the netrc file */
	GO_AUTH_PROGRAMS = 1 << 1 /* there is somebody to ask */
};

/* What a list (NULL: not set) asks for. */
enum go_auth_kinds go_auth_kinds(const char *list);

/* ERR_INVALID for one that Go refuses as well: one that is ill formed, or names a folder that is not there. */
int go_auth_check(const char *list, struct err *e);

/* What the programs of a list have said so far. */
struct go_auth;

/* list is copied, and valid.  The caller frees it. */
struct go_auth *go_auth_new(const char *list);
void go_auth_free(struct go_auth *a);

/* What is to happen. */
enum go_auth_step {
	GO_AUTH_FIRST,	 /* before an address is asked for the first time */
	GO_AUTH_REFUSED, /* the server answered 400 to 499; refusal is what it said, status line and headers */
	GO_AUTH_GOOD,	 /* what was given worked; nothing is answered */
	GO_AUTH_BAD	 /* it did not; nothing is answered */
};

/* Appends headers for an https address, each with its line end, and to failed the names of programs that failed. */
void go_auth_ask(struct go_auth *a, enum go_auth_step step, struct slice url, struct slice refusal, struct buf *headers,
		 struct buf *failed);

#endif
