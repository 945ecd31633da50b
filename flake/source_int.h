/* SPDX-License-Identifier: MIT
 *
 * What source.c and the kinds of sources share: source_git.c, source_tarball.c, source_std.c and the like.
 */
#ifndef FLAKE_SOURCE_INT_H
#define FLAKE_SOURCE_INT_H

#include "flake/source.h"
#include "flake/source_url.h"

/* A tree of which nothing is known, in the flake arena.  Throws for a name that store paths cannot have. */
struct flake_tree *source_new(const char *name);

/* The hash a reference says its tree has: 1 when it says one.  Throws. */
int source_wanted_hash(const struct input *in, struct hash *out);

/* 1 when what has the hash `want` is in the store under its name: place, hash and store_path are set. */
int source_find_valid(struct flake_tree *t, const struct hash *want);

/* Makes it readable under its store path, which is set. */
void source_mount(struct flake_tree *t);

/* What the session fetched under a key, NULL when it did not; and that it did. */
const struct flake_tree *source_known(const char *key);
void source_know(const char *key, const struct flake_tree *t);

/* Fills place, members, work_tree, dirty, locked, and hash where it is known, of a git reference.  Throws. */
void source_git(const struct input *in, struct flake_tree *t);

/* Between source_git.c and source_commit.c; all throw.  Whether the tree of a commit is here already: dir is the repository it is
 * asked of, NULL for one elsewhere. */
int source_find_commit(struct flake_tree *t, const char *dir, const char *rev);

/* The hash of a working tree without changes, from an earlier run: 1 when it was noted; and noting it.  Both throw. */
int source_recall_hash(struct flake_tree *t);
void source_remember_hash(const struct flake_tree *t);

/* Takes it out of the repository at dir, or of repo, which is one of the cache; url: its address.  Negative when git cannot. */
int source_export(struct flake_tree *t, const char *dir, const char *repo, const char *url, const char *rev, struct err *e);

/* Brings the commit into the cache and takes its tree out; returns the repository there. */
const char *source_take_commit(struct flake_tree *t, const char *url, const char *ref, const char *rev);

/* An argument of a fetching builtin: a string without context and NUL, or a path as text.  `what` names it in errors. */
const char *source_argument(W w, const char *what);

/* Sets the members to a list of names, each ended by a NUL. */
void source_set_members(struct flake_tree *t, struct slice names);

/* Of a working tree with changes: says what allow-dirty and warn-dirty want said.  Throws. */
void source_take_dirty(const char *top);

/* The same for a repository of Mercurial. */
void source_hg(const struct input *in, struct flake_tree *t);

/* The same for gx:std (source_std.c, with source_stdlib): the library that is wanted by its hash, the installed one or one in the
 * store; without a hash, the installed one. */
void source_std(const struct input *in, struct flake_tree *t);

/* Of builtins, in fetch_tree.c.  The attribute `url` of what a path, absolute or from where one stands, names; it stays for other
 * addresses.  What pure and restricted evaluation refuse a builtin: throws. */
void source_use_address(struct input *in, const char *url);
void source_check_locked(const struct input *in, const char *builtin);

/* The same for a tarball; for one file; for a repository of a forge. */
void source_tarball(const struct input *in, struct flake_tree *t);
void source_one_file(const struct input *in, struct flake_tree *t);
void source_forge(const struct input *in, struct flake_tree *t);

/* Whether what an input is locked to is kept: fills place and hash.  Throws. */
int source_find_kept(const struct input *in, struct flake_tree *t);

/* Fills place and hash with what is at an address, lastModified too of an archive; returns its immutable address.  Throws. */
const char *source_bring(const struct url_request *r, struct flake_tree *t);

/* A string attribute that has to be there.  Throws. */
const char *source_need(const struct input *in, const char *name);

/* Whether the commit must be signed, and that it is: repo is one of the cache.  Both throw. */
int source_is_signed(const struct input *in);
void source_verify(const struct input *in, const char *repo, const char *rev);

/* Where what is seen at a path lies: one in the store may be a stand-in, or in a mapped store.  May be of the file system's memory.
 */
const char *source_physical(const char *path);

/* The folder of a repository that lies here, or lay, NULL for one elsewhere; *url is that of the folder then. */
const char *source_repository(const char **url);

/* The path of a file: address, in the flake arena; NULL for one elsewhere.  Throws. */
const char *source_file_path(const char *url);

#endif
