/* SPDX-License-Identifier: MIT
 *
 * Profiles: a link whose target is replaced in one step, and the generations it had before.
 *
 *     PROFILE          -> NAME-7-link     the current generation
 *     PROFILE-7-link   -> /nix/store/…    each is a root of the collector
 *     PROFILE.lock                        while somebody changes it
 *
 * As Nix has them.  A switch is one rename: whatever happens, a power cut too, the profile is the old one or the new one.
 */
#ifndef STORE_PROFILE_H
#define STORE_PROFILE_H

#include "store/store.h"

#include <time.h>

struct generation {
	unsigned number;
	char *link; /* full path */
	time_t made;
};

/* In order of their numbers; current: that of the one in use, 0 for none.  Zeroed is empty. */
struct generations {
	struct generation *v;
	size_t n;
	unsigned current;
};

/* The full path of one that a person named; malloc'd, NULL on failure. */
char *profile_named(const char *text, struct err *e);

/* Those of a profile, which need not exist. */
int profile_generations(const char *profile, struct generations *out, struct err *e);
void generations_release(struct generations *g);

/* Makes p the profile's newest generation and switches to it; when it is what the newest is already, only switches. */
int profile_set(struct store *s, const char *profile, const struct store_path *p, struct err *e);

/* The same of a profile as a person named it, locked meanwhile. */
int profile_install(struct store *s, const char *named, const struct store_path *p, struct err *e);

/* Switches to a generation; 0: the one before the current one.  ERR_NOTFOUND.  *to (may be NULL): which it was. */
int profile_switch(const char *profile, unsigned number, unsigned *to, struct err *e);

/* Which generations are to go; the current one never does. */
struct generation_filter {
	int old;		    /* all others */
	time_t before;		    /* those that were not in use any more at that time; 0: none */
	unsigned keep;		    /* all but the newest so many (up to the current one); 0: not asked */
	const unsigned *numbers;    /* these */
	size_t n;
	int dry;
	void (*each)(void *arg, const struct generation *g); /* told of each that goes; may be NULL */
	void *arg;
};

int profile_delete(const char *profile, const struct generation_filter *f, struct err *e);

/* The same of every profile in a folder and those below it, each locked meanwhile. */
int profile_delete_below(const char *folder, const struct generation_filter *f, struct err *e);

/* And of all that this user has: those of the store's state, his own, and where ~/.nix-profile leads to. */
int profile_delete_all(const struct place *p, const struct generation_filter *f, struct err *e);

/* Reads "30d" as a time so long ago.  ERR_INVALID. */
int profile_period(const char *text, time_t *before, struct err *e);

/* Keeps others from changing the profile until profile_unlock.  Returns a descriptor, negative on failure. */
int profile_lock(const char *profile, struct err *e);
void profile_unlock(const char *profile, int fd);

struct profile_settings {
	int xdg; /* the usual profile is $XDG_STATE_HOME/nix/profile instead of ~/.nix-profile */
};
extern struct profile_settings profile_settings;

/* The folder of this user's profiles, and what the link of the usual one leads to, which is made when it is missing.  malloc'd,
 * NULL on failure. */
char *profile_folder(const struct place *p, struct err *e);
char *profile_usual(const struct place *p, struct err *e);

/* The user's folder for state, $XDG_STATE_HOME/nix (~/.local/state/nix), and HOME. */
char *profile_state_folder(struct err *e);
const char *profile_home(struct err *e);

#endif
