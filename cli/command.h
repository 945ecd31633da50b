/* SPDX-License-Identifier: MIT
 *
 * What the verbs of gx share: options that many have, operands, opening the store, ending with an error.
 *
 * A verb fills program, option and arg, calls command_read, and returns at once when that does not return
 * COMMAND_GO.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "base/err.h"
#include "cli/options.h"
#include "store/store.h"

/* Ids of options that command_read takes by itself; a verb's own begin at 1. */
enum command_option {
	OPT_STORE = 1000,
	OPT_STORE_DIR,
	OPT_JSON,
	OPT_OPTION,
	OPT_TRACE,
	OPT_VERBOSE,
	OPT_REFRESH,
	OPT_LOGS,
	OPT_HELP
};

/* For the groups of a program: where the store is, with what every verb takes; the latter alone. */
extern const struct option command_store_options[], command_help_options[];
/* Every verb has these, as Nix's commands do; the two tables end with them. */
#define OPTIONS_OF_ALL \
	{ OPT_OPTION, 0, "option", "NAME VALUE", "Set a setting of nix.conf." }, \
	{ OPT_TRACE, 0, "show-trace", NULL, "Show the whole trace of an error." }, \
	{ OPT_VERBOSE, 'v', "verbose", NULL, "Say more: whole traces, notes of traceVerbose." }, \
	{ OPT_VERBOSE, 0, "debug", NULL, NULL }, /* Nix's word for much of it */ \
	{ OPT_REFRESH, 0, "refresh", NULL, NULL }, /* what was fetched is never taken without asking */ \
	{ OPT_LOGS, 'L', "print-build-logs", NULL, NULL }, /* said of those that build */ \
	{ OPT_HELP, 'h', "help", NULL, "Print this." }
#define OPTION_JSON { OPT_JSON, 0, "json", NULL, "Print JSON." }

enum { COMMAND_GO = -1 };

struct command {
	const struct program *program;
	int (*option)(void *arg, int id, char **values); /* of the verb's own options; NULL when it has none */
	void *arg;

	struct place_request request;
	int json;
	char **operands; /* malloc'd array of argv's strings */
	size_t n;
	struct place place;
	struct store *store;

	int help;   /* private */
	char *text; /* malloc'd: what more operands point into; NULL: nothing */
};

/* Of command_read: no operands. */
#define COMMAND_NOTHING SIZE_MAX

/* Reads the words.  Returns COMMAND_GO, or the exit status of a program that is done. At least min and at most max operands (0: any
 * number) are wanted; what: their name in messages. */
int command_read(struct command *c, int argc, char **argv, size_t min, size_t max, const char *what);

/* Opens the store the options name.  Returns 0, or an exit status after saying why. */
int command_open(struct command *c, enum store_flags flags);

/* The same for a verb that only looks: also a store that this user may not write to. */
int command_open_reading(struct command *c);

/* More operands from standard input, one a line.  Returns 0, or -1 after saying why not. */
int command_add_stdin(struct command *c);

/* Closes and frees everything; returns status. */
int command_end(struct command *c, int status);

/* Says the error, frees it, and returns EXIT_FAILED (EXIT_BUILD for ERR_BUILD). */
int command_fail(struct err *e);

/* Prints b and releases it; returns an exit status. */
int command_print(struct buf *b);

#endif
