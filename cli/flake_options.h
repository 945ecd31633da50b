/* SPDX-License-Identifier: MIT
 *
 * The options of every command that takes a flake, and opening the flake it names.
 */
#ifndef CLI_FLAKE_OPTIONS_H
#define CLI_FLAKE_OPTIONS_H

#include "cli/options.h"
#include "eval/value.h"
#include "flake/inputs.h"

/* Ids of a command's own options lie outside of these. */
enum { FLAKE_OPTION_FIRST = 300, FLAKE_OPTION_LAST = 320 };

/* Plain memory; texts are borrowed from argv. */
struct flake_request {
	const char *(*overrides)[2]; /* path and reference */
	size_t noverrides;
	const char **updates;
	size_t nupdates;
	int recreate, complete, no_update, no_write;
	int impure;
};

extern const struct option flake_option_table[];

/* Takes one of the table's options. */
void flake_options_take(struct flake_request *r, int id, char **values);

/* What they mean for locking.  Throws. */
void flake_options_lock(const struct flake_request *r, struct lock_options *out);

/* Fetches, reads and locks the flake that "REF#FRAGMENT" names.  *fragment as flake_ref_parse gives it.  Throws. */
struct locked_flake *flake_options_open(const struct flake_request *r, const char *ref, const char **fragment);

/* Says what people should know after the evaluation of a flake: files it asked for that git does not track. */
void flake_options_notes(void);

/* 1 when a word on the command line names a flake rather than a file: it has an address or a fragment, or is a folder
 * with a flake. */
int flake_options_is_flake(const char *word);

#endif
