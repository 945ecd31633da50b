/* SPDX-License-Identifier: MIT
 *
 * Where the store is.  Two directories matter: the logical store directory, which is part of every hash and
 * of every text inside objects (normally /nix/store), and the physical one, where the files are.
 *
 * A struct place is only names; nothing is created or opened by it.  Fields are read-only for others.
 */
#ifndef STORE_PLACE_H
#define STORE_PLACE_H

#include "base/err.h"
#include "base/slice.h"

enum place_mode {
	PLACE_SYSTEM,	 /* the machine's own store: logical = physical, below / */
	PLACE_ROOT,	 /* --store ROOT: physically below ROOT */
	PLACE_USER,	 /* the per-user root, because /nix belongs to somebody else */
	PLACE_RELOCATED, /* --store-dir DIR: logical = physical, other hashes than everybody else's */
	PLACE_VIEW /* an address: a store behind a daemon or a binary cache, seen through a folder that goes with this process */
};

/* All malloc'd, absolute, without a slash at the end. */
struct place {
	enum place_mode mode;
	char *root;	  /* the directory that stands for /, "" for / itself */
	char *store_dir;  /* logical: "/nix/store" */
	char *real_store; /* physical: ROOT "/nix/store" */
	char *state_dir;  /* physical: ROOT "/nix/var/nix" */
	char *log_dir;	  /* physical: ROOT "/nix/var/log/nix" */
	char *address;	  /* PLACE_VIEW, else NULL */
	char *features;	  /* system features of what builds for it, with blanks between; NULL: as settings say */
	int takes_unsigned; /* what comes in needs no signature, whatever settings say */
};

/* What the user said; NULL for what he did not. */
struct place_request {
	/* A directory, "auto", "local", local?root=…&store=…&state=…&log=…, "daemon", or SCHEME://…; system-features=…
	 * and require-sigs=… of a directory, or of "local", are settings otherwise. */
	const char *store;
	const char *store_dir; /* a directory */
};

/* Decides, in this order: what was asked for; as root or as owner of /nix the machine's store; the per-user root
 * in $XDG_DATA_HOME (or ~/.local/share).  ERR_INVALID for what cannot work, with the reason and what would. */
int place_choose(struct place *p, const struct place_request *r, struct err *e);
void place_release(struct place *p);

/* From now on what the request leaves open is what Nix's variables say: NIX_REMOTE, NIX_STORE_DIR, NIX_STATE_DIR, NIX_LOG_DIR,
 * NIX_LOCALSTATE_DIR.  For the commands that have Nix's names: scripts set these for them. */
void place_obey_environment(void);
int place_obeys_environment(void);

/* 1 when what is asked for is Nix's dummy://[?store=DIR], which keeps nothing and has nothing: *store_dir (malloc'd) is what its
 * paths would begin with. */
int place_is_nowhere(const struct place_request *r, char **store_dir);
int place_is_dummy(const char *address);

/* 1 when an address is this word, with parameters or without: "local", "local?root=…", but "localhost" is a host. */
int place_is_word(const char *address, const char *word);

/* 1 when such an address is not to be written to: it says no read-only=false. */
int place_keeps_nothing(const struct place *p);

/* 1 when builds and shells see the store at its logical place only through a mount namespace. */
int place_is_mapped(const struct place *p);

/* The same place as an address that place_choose takes, whatever variables say; malloc'd.  Not of a PLACE_VIEW. */
char *place_address(const struct place *p);

/* A sentence for people: which mode, where, and what follows from it.  malloc'd. */
char *place_describe(const struct place *p);

/* The physical name of a logical path below the store directory (malloc'd), NULL when it is not below it. */
char *place_real(const struct place *p, struct slice logical);

#endif
