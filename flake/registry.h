/* SPDX-License-Identifier: MIT
 *
 * Registries: what the names of flakes mean ("nixpkgs").
 *
 * They are asked in this order, and the first that knows a name decides; what it says may be a name again:
 *
 *     flags     --override-flake
 *     user      $XDG_CONFIG_HOME/gx/registry.json, then Nix's beside it
 *     system    /etc/gx/registry.json, then Nix's
 *     global    the file or address that the setting flake-registry names; without one a table that comes with the program,
 *               so that no network is needed to learn what a name means
 *
 * At the end stands std, which is gx:std whatever else is there.  A lock file does not depend on its user: inputs are looked up in
 * flags and the global registry alone.
 */
#ifndef FLAKE_REGISTRY_H
#define FLAKE_REGISTRY_H

#include "base/session.h"
#include "fetch/input.h"

struct registry_settings {
	const char *global; /* path or URL; "": none; NULL: the one that comes with the program */
	int use;	    /* 0: no registry is asked */
	int of_nix;	    /* the user's registry that is written is Nix's */
};
extern struct registry_settings registry_settings;

enum registry_kind { REGISTRY_FLAGS, REGISTRY_USER, REGISTRY_SYSTEM, REGISTRY_GLOBAL };

struct registry_entry {
	struct input from, to; /* `dir` of the flake included */
	int exact;	       /* only for references that say just this */
};

/* In the flake arena. */
struct registry_list {
	struct registry_entry *v;
	size_t n, cap;
};

/* A registry in a file; a missing file is an empty one.  Throws. */
void registry_read(const char *path, struct registry_list *out);

/* Writes it as Nix does, in place of what was there.  Throws. */
void registry_write(const char *path, const struct registry_list *r);

/* Takes the entries for a reference away; how many there were. */
size_t registry_remove(struct registry_list *r, const struct input *from);
void registry_add(struct registry_list *r, const struct registry_entry *e);

/* Where gx keeps the user's; collected.  Throws when the environment does not say. */
const char *registry_user_file(void);

/* All that there is of a kind, asked for in the order above.  Throws. */
const struct registry_list *registry_of(enum registry_kind kind);

/* --override-flake: for this session. */
void registry_override(const struct input *from, const struct input *to);

/* Which registries are asked. */
enum registry_use { REGISTRY_ALL, REGISTRY_FOR_INPUTS };

/* What a name means; a reference with an address is itself.  Throws when nobody knows the name. */
struct input registry_resolve(const struct input *in, enum registry_use use);

/* Is it only a name? */
int registry_is_name(const struct input *in);

extern const struct session_part flake_registry_session[];

#endif
