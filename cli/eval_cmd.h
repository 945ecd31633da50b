/* SPDX-License-Identifier: MIT
 *
 * What gxeval was asked to do, and doing it.
 */
#ifndef CLI_EVAL_CMD_H
#define CLI_EVAL_CMD_H

#include <stddef.h>

#include "cli/flake_options.h"
#include "cli/output.h"

struct build_options;
struct build_targets;
struct store;

struct auto_arg {
	const char *name, *text;
	int is_string; /* --argstr */
};

/* Whether JSON is printed over several lines. */
enum json_pretty { PRETTY_TERMINAL, PRETTY_YES, PRETTY_NO };

/* What is said of where a package is from: nothing, what means the same to everybody, all that it takes to evaluate it again. */
enum origin_wanted { ORIGIN_NONE, ORIGIN_FOR_ALL, ORIGIN_FOR_PROFILE };

/* Plain memory; texts are borrowed from argv. */
struct eval_request {
	const char *expr;  /* -E */
	const char *file;  /* -f or an operand; "-" is standard input */
	const char *flake; /* "REF#ATTR"; then neither expr nor file */
	struct flake_request flake_options;
	const char *apply;
	const char *profile;
	const char *write_to; /* a file or folder to make, instead of printing */
	const char **attrs;
	size_t n_attrs;
	struct auto_arg *args;
	size_t n_args;
	const char **search_path; /* -I, in order */
	size_t n_search_path;
	const char *store, *store_dir; /* --store, --store-dir; see cli/eval_store.h */
	struct store *open_store;      /* borrowed; NULL: the one those two name */
	const char *bundler;	       /* installables: "REF#ATTR" of a function that makes what is wanted of each; NULL: none */
	enum origin_wanted origin;     /* installables: where they are from */
	int want_store;		       /* also when none is named and nothing forbids it */
	struct build_options *build;   /* borrowed: how to build what the evaluation reads; NULL: as settings say */
	enum output_form form;
	int realise;		       /* print nothing: the caller builds what is in `targets` */
	int parse_only;
	int repl;
	int dump_builtins;
	int stats;
	int xml_no_location;
	enum json_pretty pretty; /* of OUTPUT_JSON */
	struct buf *printed; /* also receives what is printed; NULL: nobody does */
	struct build_targets *targets; /* receives the derivations that were asked for with OUTPUT_DRV_PATH; NULL: nobody does */
};

/* Prints results in the form that was asked for.  Returns an exit status. */
int eval_cmd_print(const struct eval_request *r, struct slice out);

/* Does it, on a stack of mem_run_on_stack.  Returns an exit status. */
int eval_cmd_run(const struct eval_request *r, char *stack_low);

#endif
