/* SPDX-License-Identifier: MIT
 *
 * What a profile of `gx profile` holds: packages by name, each with where it came from, as manifest.json in the profile lists them.
 * Nix writes and reads the same file.  Of a profile of nix-env its manifest.nix is read.
 */
#ifndef CLI_PROFILE_MANIFEST_H
#define CLI_PROFILE_MANIFEST_H

#include "cli/build_options.h"
#include "format/pathset.h"
#include "store/store.h"

enum { PROFILE_PRIORITY = 5 }; /* of a package that says none; the smaller wins */

/* All malloc'd. */
struct profile_element {
	char *name;
	struct path_set paths;
	int inactive;
	int64_t priority;

	/* Of one that is of a flake; NULL otherwise: */
	char *original, *locked; /* the reference that was given, and what it was then */
	char *attr;
	char *outputs; /* "out,dev", "*" for all, NULL for those it says itself */
};

/* In byte order of their names.  Zeroed is empty. */
struct profile_manifest {
	struct profile_element *v;
	size_t n, cap;
};

/* Reads that of a profile, or of one of its generations; a profile that is not there is empty.  ERR_INVALID. */
int profile_manifest_read(struct profile_manifest *m, struct store *s, const char *profile, struct err *e);
void profile_manifest_release(struct profile_manifest *m);

/* Puts an element in its place and takes what it has.  Without a name it gets one that tells what it is; where that is taken,
 * with a number behind it. */
void profile_manifest_add(struct profile_manifest *m, struct profile_element *x);
void profile_manifest_remove(struct profile_manifest *m, size_t i);
void profile_element_release(struct profile_element *x);

/* The name an element gets.  Malloc'd. */
char *profile_element_name(const struct profile_element *x);

/* What an element is, for people: "REF#ATTR^out", or the names of its objects.  Malloc'd. */
char *profile_element_what(const struct profile_element *x);

/* Appends what an element is made from, with its outputs: "REF#ATTR^out". */
void profile_element_add_source(struct buf *b, const struct profile_element *x);

/* Appends manifest.json. */
void profile_manifest_write(struct buf *b, const struct profile_manifest *m, const struct store *s);

/* Makes the object that the profile is to lead to. */
int profile_manifest_make(const struct profile_manifest *m, struct store *s, struct build_options *o, struct store_path *out,
			  struct err *e);

/* Appends a line for each package that one has and the other has not, or in other versions. */
void profile_manifest_compare(struct buf *b, const struct profile_manifest *before, const struct profile_manifest *after);

#endif
