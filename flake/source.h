/* SPDX-License-Identifier: MIT
 *
 * Sources: what a flake reference stands for, as a tree that an evaluation sees at its store path.
 *
 * A tree is hashed, because its store path is part of what evaluates to; it is not copied.  Files are read from where
 * they are (builtins/fs.h stand-ins), and the copy is made when an expression asks for the tree's outPath and there is a
 * store to write to.
 *
 * Trees and references live in an arena of the session; it fetches a reference once.
 */
#ifndef FLAKE_SOURCE_H
#define FLAKE_SOURCE_H

#include "base/session.h"
#include "eval/value.h"
#include "fetch/input.h"
#include "format/hash.h"
#include "format/path.h"

struct flake_tree {
	struct input locked;	/* the reference pinned, as lock files hold it */
	const char *name;	/* of its store path, "source" unless the reference says another */
	enum ca_method method;	/* how its store path is made: CA_NAR, CA_FLAT for what fetchurl fetches */
	const char *store_path; /* logical */
	const char *place;	/* where it lies */
	const char *work_tree;	/* where its owner edits it, NULL when it is a copy */
	const char *real_path;	/* the store path, when store_path is a lazy tree's name; NULL: not computed yet */
	struct hash hash;	/* of its archive (CA_FLAT: of its bytes); no algorithm: not known yet */
	const struct slice *members; /* files that count, NULL for all */
	size_t nmembers;
	/* Notes what sourceInfo says of a commit (fetch/trail.h); NULL: nothing is to be noted. */
	void (*note_state)(const struct flake_tree *t);
	const char *witness, *witness_blob; /* as in fetch/git.h; NULL: none that alone proves that there are changes */
	int loose; /* files of a working tree may have changed without git minding */
	int dirty; /* differs from every commit */
	const char *uncounted; /* why nobody knows how many commits it descends from; NULL: that is known, or not asked for */
	int on_trail; /* what it is was noted (fetch/trail.h); otherwise its lock says, or nothing does */
};

/* What lives as long as the session. */
struct arena *flake_arena(void);

extern const struct session_part flake_source_session[];

/* The tree of a reference that is no relative path.  Throws. */
const struct flake_tree *source_fetch(const struct input *in);

/* For nixpkgs and flake-utils, by a forge or by name: that gx:std answers to their names, and how the input takes it.  name: the
 * input's, NULL for the one it mostly has.  NULL for other references. */
const char *source_stand_in(const struct input *in, const char *name);

/* The tree of this session that a logical path lies in, NULL for none. */
const struct flake_tree *source_tree_at(const char *path, size_t n);

/* The same of a flake that is evaluated: when its files are here and nothing says which hash they must have, they are not hashed
 * until somebody asks for what follows from that (eval/value.h, LAZY_TREE_MARK).  Only after source_be_lazy. */
const struct flake_tree *source_fetch_lazily(const struct input *in);
void source_be_lazy(void);

/* Throws when how many commits it descends from is to be written down, and cannot be known. */
void source_check_counted(const struct flake_tree *t);

/* Hashes a tree that was not, and completes locked. Throws. */
void source_complete(const struct flake_tree *t);

/* In a text for people: the names of trees that were not hashed become the places where they lie. */
struct buf;
void source_show_places(struct buf *text);

/* For struct eval_io. */
W source_real_path(W path);

/* What restricted evaluation lets an expression fetch: what it may read, what comes with gx.  Throws for the rest. */
void source_check_allowed(const struct input *in);

/* Forgets a tree, so that its reference is fetched again: it was changed. */
void source_forget(const struct flake_tree *t);

/* Lets git, or hg, know a new file in a working tree; nothing to do for other trees.  Throws. */
void source_make_known(const struct flake_tree *t, const char *name);

/* The sourceInfo set; its outPath copies the tree.  without_rev: leave out what names a commit. */
W source_info(const struct flake_tree *t, int without_rev);

/* The store path as a string with context; copies the tree when there is a store to write to. Throws. */
W source_out_path(const struct flake_tree *t);

/* The folder of the standard library; NULL when it is nowhere. */
const char *source_stdlib(void);

/* --- references --- */

/* The attribute `publicKeys` of a list of keys; literal: nothing of it may be computed.  Throws. */
void source_set_keys(struct input *in, W list, int literal);

/* Setting attributes in the flake arena. */
void source_set(struct input *in, const char *name, const char *value);
void source_unset(struct input *in, const char *name);
void source_set_int(struct input *in, const char *name, uint64_t value);

/* A string attribute, NULL when absent or no string. NUL-terminated. */
const char *source_get(const struct input *in, const char *name);

/* Whether a Boolean is there and true. */
int source_is_set(const struct input *in, const char *name);

/* The reference as text, collected. */
const char *source_text(const struct input *in);

#endif
