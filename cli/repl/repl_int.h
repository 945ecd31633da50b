/* SPDX-License-Identifier: MIT
 *
 * What the files of the REPL share: repl.c (the loop), repl_input.c (what an input is), repl_load.c, repl_commands.c,
 * repl_complete.c, repl_complete_flake.c, repl_store.c.  Everything that evaluates may throw: it runs below repl_guard, or,
 * where an error means that there is nothing to offer (repl_complete.c), below an unwind_run of its own.
 */
#ifndef CLI_REPL_REPL_INT_H
#define CLI_REPL_REPL_INT_H

#include "base/source.h"
#include "cli/eval_cmd.h"
#include "cli/repl/repl_lines.h"
#include "eval/error.h"
#include "eval/value.h"

#include <limits.h>

/* A file, flake or expression that was loaded, for :r.  Malloc'd. */
enum loaded_kind { LOADED_FILE, LOADED_FLAKE, LOADED_EXPR };
struct loaded {
	enum loaded_kind kind;
	char *name;
};

/* On the stack of the evaluating thread, which the collector scans. */
struct repl {
	const struct eval_request *request;
	W scope;      /* the set of what is bound */
	W added;      /* the set that was last added to it, W_NULL before */
	int own_it;   /* 'it' is the person's variable, not the last value */
	struct failure failed; /* the last error */
	int has_failed;
	const char *typed; /* the lines of the input before the one that is typed now */
	struct lines *lines;
	struct loaded *loaded;
	size_t nloaded;
	int colour;   /* of values */
	int quit;
	char cwd[PATH_MAX];
};

/* --- repl.c --- */

/* Runs fn; tells its error, and remembers it.  Returns 1 when there was none. */
int repl_guard(struct repl *r, void (*fn)(void *arg), void *arg);

/* The value of a text in the scope.  Throws. */
W repl_eval(struct repl *r, const char *text);

/* Prints a value as it is looked over, or all of it: then a string is printed as it is. */
void repl_print(struct repl *r, W v);
void repl_print_all(struct repl *r, W v);

/* Writes to standard output. */
void repl_write(const char *p, size_t n);

/* An argument set without attributes, for functions that are called by themselves. */
W repl_no_args(void);

/* --- repl_load.c --- */

/* Adds all attributes of a set to the scope, and says so. */
void repl_add(struct repl *r, W set);

/* Appends the names of a set, in lines of so many columns, each after a line end; how many more there are than fit in so many
 * lines. */
void repl_add_names(struct buf *b, W set, unsigned columns, uint32_t lines);

/* The flake that a reference names; *fragment as flake_ref_parse gives it.  Throws. */
W repl_flake(struct repl *r, const char *ref, const char **fragment);

/* Loads something and remembers it for :r; reloads all.  Throw. */
void repl_load(struct repl *r, enum loaded_kind kind, const char *name);
void repl_reload(struct repl *r);

/* --- repl_input.c --- */

enum input_kind {
	INPUT_EXPR,
	INPUT_BINDINGS,
	INPUT_MORE, /* not complete: goes on in the next line */
	INPUT_BAD   /* *e says why */
};

/* What a text is; *src receives the source to evaluate.  With final set there is no next line, and what is not complete is
 * bad.  Throws when there is no more room for sources. */
enum input_kind input_classify(struct repl *r, const char *text, int final, const struct source **src, struct err *e);

/* --- repl_commands.c --- */

struct repl_command {
	const char *names; /* without colons, separated by blanks; the first is the one shown */
	const char *arg;   /* "EXPR", "FILE", …; in brackets: may be missing; NULL without */
	const char *doc;
	void (*run)(struct repl *r, const char *arg);
};

extern const struct repl_command repl_commands[];

/* The command that a word is by itself ("help"), as a line with a colon; NULL for none. */
const char *command_word(const struct repl *r, const char *text);

/* What the command of a line takes, as its table says it; NULL for nothing. */
const char *command_arg(const char *line);

/* The expression that a line with a command ends with, NULL when it takes none. */
const char *command_expr(const char *line);

/* Runs a line that begins with a colon.  Throws. */
void command_run(struct repl *r, const char *line);

/* --- repl_complete.c --- */

/* What Tab offers; see lines_new.  Tells no errors. */
void repl_complete(void *repl, const char *line, size_t cursor, struct completions *c);

/* Adds a candidate of n bytes, copied. */
void completions_add(struct completions *c, const char *p, size_t n);

/* --- repl_complete_flake.c --- */

/* Offers what a reference of a flake, with names behind '#', may go on with; but for folders. */
void complete_flake_ref(struct repl *r, struct completions *c, const char *typed, size_t n);

/* --- repl_store.c --- */

/* :b, :bl, :log, :u, :sh, :i.  Throw. */
void repl_build(struct repl *r, const char *text);
void repl_build_link(struct repl *r, const char *text);
void repl_log(struct repl *r, const char *text);
void repl_shell(struct repl *r, const char *text);
void repl_dev_shell(struct repl *r, const char *text);
void repl_install(struct repl *r, const char *text);

#endif
