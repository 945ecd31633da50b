/* SPDX-License-Identifier: MIT
 *
 * Starting an evaluator, and text to value.
 *
 * A process may have several evaluations, each a session (base/session.h) with settings, builtins and programs of its
 * own.  One at a time is entered, and one thread at a time evaluates: symbols, contexts and what belongs to a session
 * are not locked.  What an evaluating thread has (stack, free lists, counters; state.h) is thread-local and serves every
 * session it is in.
 */
#ifndef EVAL_EVAL_H
#define EVAL_EVAL_H

#include "base/session.h"
#include "base/source.h"
#include "eval/value.h"
#include "lang/parse.h"

struct eval_settings {
	int pure;		     /* no clock, environment, search path, unlocked input */
	int restricted;		     /* files only below the search path's entries */
	int read_only;		     /* never write to a store */
	int allow_ifd;		     /* what is read may be built for it; -1: yes, and nobody said so */
	int trace_ifd;		     /* say which and where */
	int trace_verbose;
	int abort_on_warn;	     /* builtins.warn aborts */
	int show_trace;
	int compile_cache;	     /* keep programs of files for the next run; 2: however small */
	int eval_cache;		     /* keep what commands evaluate to for the next run; 2: also what took no time */
	int offline;		     /* no transfers: what is not here already is an error */
	uint32_t tarball_ttl;	     /* seconds for which what an unlocked address gave is not asked for again */
	int profiler;		     /* each call tells eval/flame.h */
	int trace_calls;	     /* each call that stands in a file is told of when it begins and when it ends */
	int toml_timestamps;	     /* fromTOML reads dates and times */
	const char *allowed_uris;    /* what restricted evaluation may fetch: beginnings, blanks between; NULL: nothing */
	const char *profile_file;    /* what the profiler writes */
	uint32_t profile_frequency;  /* samples a second, 0: each call is one */
	const char *offered;	     /* the one of --arg's names that only functions get which name it; NULL: none */
	const char *system;	     /* currentSystem */
	const char *store_dir;	     /* "/nix/store" */
	uint32_t max_call_depth;
	struct parse_options parse;
};

/* What the evaluator needs from the world.  All may throw. */
struct eval_io {
	/* A path value's object copied into the store (or, read-only, only named): its store path as a string
	 * with context. */
	W (*path_to_store)(W path);
	/* A message of builtins.trace, warn, …: one line to standard error. */
	void (*message)(const char *p, size_t n);
	/* The same of what this run does, which is no part of what it came to.  NULL: nobody wants to know. */
	void (*remark)(const char *p, size_t n);
	/* The same path as text that may be seen, of one for which w_path_is_lazy.  NULL where there are none. */
	W (*real_path)(W path);
};

/* Of the session. */
extern struct eval_settings eval_settings;

extern const struct session_part eval_session[];

/* Prepares this thread.  Call once, on the stack of mem_run_on_stack. */
void eval_thread(char *stack_low);

/* Prepares this session, whose settings are there: the builtins (NULL-terminated list of NULL-terminated lists), the global
 * scope.  Call once a session, on a prepared thread. */
void eval_init(const struct builtin *const *const *builtins, const struct eval_io *io);

/* Lets evaluation go on for n steps (calls, thunks forced, values visited) from now: more raise EK_STACK.  0: without end.
 * Not together with --profile. */
void eval_limit_steps(uint64_t n);

/* Asks the evaluation to stop: its next step raises EK_INTERRUPT.  For signal handlers; any thread. */
void eval_interrupt(void);

/* Forgets a request that came too late, and makes this thread the one that requests are for. */
void eval_interrupt_clear(void);

/* 1 while a request was not met yet. */
int eval_interrupt_asked(void);

/* The io that eval_init was given. */
const struct eval_io *eval_world(void);

/* The value of a text, parsed and evaluated to weak head normal form.  `scope` is a set whose attributes are in
 * scope in front of the builtins (scopedImport), or W_NULL.  Throws. */
W eval_source(const struct source *src, W scope);

/* The set of the bindings (`a = 1; b.c = 2;`) a text consists of, evaluated as little as a set literal's.  Throws. */
W eval_bindings(const struct source *src, W scope);

/* The program of a file that has nothing in scope but the builtins. */
struct node;
struct file_program {
	const struct node *root;
	uint32_t nslots;
	int warned; /* something was said about the text */
	const struct source *src;
};

/* Parses a source.  Throws. */
struct file_program eval_compile(const struct source *src);

/* Its value, in weak head normal form.  Throws. */
W eval_program(const struct file_program *p);

/* A program that did not run yet as a unit (lang/unit.h) of *n bytes that stay until the next one; NULL when it
 * cannot be one. */
const void *eval_unit_write(const struct file_program *p, size_t *n);

/* And back; unit stays for the life of the session.  Returns -1 when it is none. */
int eval_unit_read(struct file_program *p, const struct source *src, const void *unit, size_t n);

/* Convenience for strings given on the command line: name as in source_add, base for relative paths. */
W eval_text(const char *text, size_t n, const char *name, const char *base);

/* The `builtins` set, and a builtin's value by name (W_ABSENT when there is none). */
W eval_builtins(void);
W eval_builtin(const char *name);

/* Calls a top-level function on a set with its arguments by name: `auto` as nix-build does, each formal taken from `args`
 * (a set value) if there, else its default.  Other values are returned as they are.  Throws. */
W eval_auto_call(W f, W args);

/* What was selected by a path, and where the last of its names is written, 0 when that is not known. */
struct attr_place {
	const char *path; /* collected */
	uint32_t pos;
};

/* The value at an attribute path ("a.b.\"c.d\".0"), auto-calling functions on the way with `args`.  Throws. */
W eval_attr_path(W root, const char *path, W args, struct attr_place *at);

/* Adds "while evaluating 'a.b'" to the errors of what is done with it, until note_pop. */
void attr_place_note(struct attr_place *at);

#endif
