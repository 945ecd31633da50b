/* SPDX-License-Identifier: MIT
 *
 * Command lines from one table.  The table of a program drives parsing, --help, the shell
 * completions and the manual page, so an option is described in one place.
 *
 * Values are taken as `--name value`, `--name=value`, `-x value` or `-xvalue`; letters without a
 * value may be joined (`-qv`); `--` ends the options.  A mistake is told in one sentence, with the
 * nearest option where one is near, and ends in EXIT_USAGE.
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stddef.h>

enum exit_status {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	/* Of builds: this and a bit for each kind of failure, as bots know it from Nix. */
	EXIT_BUILD_BASE = 96,
	EXIT_BUILD = 100,	  /* 4: one failed */
	EXIT_BUILD_TIMEOUT = 101, /* 1 as well: one took too long */
	EXIT_BUILD_HASH = 102,	  /* 2 as well: one is not what its hash says; or what was fetched is not */
	EXIT_BUILD_DIFFERS = 104, /* 8 alone: one that was built once more came out different */
	EXIT_INTERRUPTED = 130
};

struct option {
	int id;
	char letter;	   /* 0 without */
	const char *name;  /* without dashes; NULL without */
	const char *value; /* names of the values it takes, separated by a space; NULL for none */
	const char *doc;   /* one sentence or two; NULL: understood, not shown */
};

/* A heading with its options, ended by one of id 0.  Groups end with a NULL title. */
struct option_group {
	const char *title;
	const struct option *options;
};

struct program {
	const char *name;
	const char *summary; /* one line */
	const char *usage;   /* lines of "name [options] ..." */
	const char *about;   /* text after the options of --help, may be NULL */
	const struct option_group *groups;
};

#define OPTION_VALUES_MAX 2

/* What options_parse calls.  Each returns 0, or EXIT_USAGE after saying why on standard error. */
struct option_sink {
	int (*option)(void *arg, int id, char **values);
	int (*operand)(void *arg, char *word);
	/* A long option the table lacks; *used is set to 1 when it took `value` (the next word, or what follows `=`;
	 * NULL without).  Returns -1 when it does not know it either.  May be NULL. */
	int (*other)(void *arg, const char *name, char *value, int *used);
	/* Adds what `other` knows to the names an unknown option is compared with.  May be NULL. */
	const char *(*other_name)(size_t i);
	void *arg;
};

/* Reads the words after argv[0].  Returns 0 or EXIT_USAGE. */
int options_parse(const struct program *p, int argc, char **argv, const struct option_sink *sink);

/* The long option of that name, NULL when the table has none. */
const struct option *options_find(const struct program *p, const char *name);

/* Prints the help text on standard output. Returns 0, or EXIT_FAILED when it cannot be written. */
int options_help(const struct program *p);

/* The table of a verb: what it would show when asked for --help.  run gets the words "name --help". */
const struct program *options_program(int (*run)(int argc, char **argv), const char *name);

/* "error: …" and where to look for help; returns EXIT_USAGE. */
int usage_error(const struct program *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
