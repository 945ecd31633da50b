/* SPDX-License-Identifier: MIT
 *
 * A store for others over a connection: what Nix's daemon does.
 *
 * Whoever is connected may look at everything, add what the contents of an object prove (or a trusted key signed), and have
 * things built.  Those who are trusted may do as the owner of the store: add what nobody vouches for, and say how builds are done.
 * One connection is served at a time; each belongs into a process of its own, which holds its temporary roots.
 */
#ifndef REMOTE_DAEMON_H
#define REMOTE_DAEMON_H

#include "build/build.h"
#include "store/store.h"

struct daemon_options {
	int trusted;
	const char *version; /* of Nix, as which it introduces itself */
	const struct build_settings *build; /* read before each build; its event hook is replaced, the others' user is private */

	const char *trusted_substituters; /* caches that also others may name, with blanks between; NULL: none */

	/* A setting that the client asks for, and may have; what there is none of is left alone.  Texts are borrowed. */
	void (*setting)(void *user, const char *name, const char *value);
	void *user;
};

/* Serves the client that sends on `in` and hears on `out`, until it closes.  Returns 0 then; negative when it cannot be gone on
 * with: what it sent makes no sense, or it is gone in the middle of something. */
int daemon_serve(struct store *s, int in, int out, const struct daemon_options *o, struct err *e);

#endif
