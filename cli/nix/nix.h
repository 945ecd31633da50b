/* SPDX-License-Identifier: MIT
 *
 * The commands of Nix by their own names: gx started as `nix-build` reads what nix-build takes and prints what it prints.
 *
 * Most of what they do a verb of gx does as well: then the words are put into its terms and it runs.  They obey Nix's
 * variables (store/place.h).  Where Nix's answer is only for people, gx's own is given.
 */
#ifndef CLI_NIX_NIX_H
#define CLI_NIX_NIX_H

#include "cli/command.h"
#include "cli/verb.h"
#include "base/words.h"

/* Does what the name that this program was started by says, if it is one of Nix's.  Returns an exit status, or -1 when it is
 * none: then argv is untouched. */
int nix_main(const struct verb *verbs, int argc, char **argv);

/* A command. */
int nix_build_run(int argc, char **argv);
int nix_instantiate_run(int argc, char **argv);
int nix_store_run(int argc, char **argv);
int nix_shell_run(int argc, char **argv);
int nix_daemon_run(int argc, char **argv);

/* nix-store --serve, in a store (NULL: the usual one).  Returns an exit status. */
int nix_serve(const char *store, int may_write);
int nix_env_run(int argc, char **argv);
int nix_hash_run(int argc, char **argv);
int nix_collect_garbage_run(int argc, char **argv);
int nix_copy_closure_run(int argc, char **argv);
int nix_prefetch_url_run(int argc, char **argv);
int nix_channel_run(int argc, char **argv);

/* Answers for the word argv[at] what completion scripts of Nix ask; returns an exit status. */
int nix_complete(int argc, char **argv, size_t at);

/* Settings of nix-shell. */
struct nix_shell_settings {
	int relative;	/* expressions in a script are relative to it */
	int looks_for_shell; /* of a folder shell.nix comes before default.nix, also of one that is named */
};
extern struct nix_shell_settings nix_shell_settings;

/* --- what they share --- */

/* A command line of Nix, taken apart.  Zeroed before use, but for program and option. */
struct nix_line {
	const struct program *program;
	/* An option of the command's own; returns 0 or an exit status. */
	int (*option)(struct nix_line *l, int id, char **values);

	struct words operands;
	const char *store; /* --store; NULL: the usual one */
	int verbose;
	int done; /* private: all was said */
};

/* Options that each of them takes; a command's table ends with them, and its own ids begin at 1.  What is a setting of gx is set at
 * once, some mean nothing here. */
enum {
	NIX_FIRST = 900,
	NIX_JOBS = NIX_FIRST, NIX_KEEP_GOING, NIX_KEEP_FAILED, NIX_OPTION, NIX_TRACE, NIX_QUIET, NIX_LOG_FORMAT, NIX_STORE,
	NIX_READ_ONLY, NIX_VERBOSE, NIX_NO_LOGS, NIX_HELP, NIX_VERSION_OPTION
};
#define NIX_OPTIONS_OF_ALL \
	{ NIX_JOBS, 'j', "max-jobs", "N", NULL }, { NIX_KEEP_GOING, 'k', "keep-going", NULL, NULL }, \
	{ NIX_KEEP_FAILED, 'K', "keep-failed", NULL, NULL }, { NIX_OPTION, 0, "option", "NAME VALUE", NULL }, \
	{ NIX_TRACE, 0, "show-trace", NULL, NULL }, { NIX_QUIET, 0, "quiet", NULL, NULL }, \
	{ NIX_LOG_FORMAT, 0, "log-format", "FORMAT", NULL }, { NIX_STORE, 0, "store", "STORE", NULL }, \
	{ NIX_READ_ONLY, 0, "readonly-mode", NULL, NULL }, { NIX_VERBOSE, 'v', "verbose", NULL, NULL }, \
	{ NIX_VERBOSE, 0, "debug", NULL, NULL }, \
	{ NIX_NO_LOGS, 'Q', "no-build-output", NULL, NULL }, \
	{ NIX_HELP, 'h', "help", NULL, "Print this." }, { NIX_VERSION_OPTION, 0, "version", NULL, "Print the version." }

/* Reads the words.  Returns COMMAND_GO, or the exit status of a program that is done. */
int nix_line_read(struct nix_line *l, int argc, char **argv);
void nix_line_release(struct nix_line *l);

/* Opens the store that the line names, or the usual one; reading: also one that this user may not write to. */
int nix_open(struct command *c, const struct nix_line *l, int reading);

/* Runs a verb of gx ("store gc") on the line's store with the words of `more` (may be NULL); returns an exit status. */
int nix_run_verb(const struct nix_line *l, const char *verb, const struct words *more);

/* "nix-build (gx 0.1) 2.35.2": the last word is the version of Nix whose language this is.  verbose: where the
 * settings and the store are as well. */
int nix_version_print(const char *name, int verbose);

#endif
