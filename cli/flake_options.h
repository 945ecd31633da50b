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
enum { FLAKE_OPTION_FIRST = 300, FLAKE_OPTION_LAST = 330 };

/* Plain memory; texts are borrowed from argv. */
struct flake_request {
	const char *(*overrides)[2]; /* path and reference */
	size_t noverrides;
	const char **updates;
	size_t nupdates;
	const char *(*flakes)[2]; /* names and what they mean */
	size_t nflakes;
	const char **inputs_from;
	size_t ninputs_from;
	const char *reference_file, *output_file;
	int recreate, complete, no_update, no_write;
	int commit, check, must_write; /* as in flake/inputs.h */
	int updates_meant;	       /* changing the lock file is what the command is for, in CI as well */
	int impure;
};

/* Settings of nix.conf. */
struct flake_settings {
	const char *commit_summary;
	int allow_dirty_locks;
};
extern struct flake_settings flake_settings;

extern const struct option flake_option_table[];

/* Takes one of the table's options. */
void flake_options_take(struct flake_request *r, int id, char **values);

/* What they mean for names, before anything is looked up.  Throws. */
void flake_options_begin(const struct flake_request *r);

/* What they mean for locking.  Throws. */
void flake_options_lock(const struct flake_request *r, struct lock_options *out);

/* Fetches, reads and locks the flake that "REF#FRAGMENT" names.  *fragment as flake_ref_parse gives it.  Throws. */
struct locked_flake *flake_options_open(const struct flake_request *r, const char *ref, const char **fragment);

/* Says what people should know after the evaluation of a flake: files it asked for that git does not track. */
void flake_options_notes(void);

/* 1 when a word on the command line names a flake rather than a file: it has an address, a query or a fragment, is a folder
 * with a flake, or what a registry may have and no file here is called. */
int flake_options_is_flake(const char *word);

#endif
