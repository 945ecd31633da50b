/* SPDX-License-Identifier: MIT
 *
 * The commands of the REPL, from one table: what runs them, what `:?` prints and what Tab offers.
 */
#include "config.h"
#include "cli/repl/repl_int.h"
#include "base/suggest.h"
#include "builtins/fs.h"
#include "cli/doc.h"
#include "cli/editor.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "cli/width.h"
#include "eval/attrs.h"
#include "eval/builtin.h"
#include "eval/compare.h"
#include "eval/eval.h"
#include "eval/show.h"
#include "lang/quote.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* --- values --- */

static void show_type_of(struct repl *r, const char *arg)
{
	W v = repl_eval(r, arg);
	struct buf b = BUF_GC;

	buf_addf(&b, "%s\n", W_TAG(v) == TAG_ATTRS && value_is_derivation(v) ? "a set: a derivation" : show_type(v));
	repl_write(b.p, b.len);
}

static void print_all(struct repl *r, const char *arg)
{
	repl_print_all(r, repl_eval(r, arg));
}

static void add_set(struct repl *r, const char *arg)
{
	repl_add(r, want_attrs(repl_eval(r, arg), "the argument of ':a'"));
}

static void doc(struct repl *r, const char *arg)
{
	struct buf b = BUF_GC;
	struct documented d = { "", W_NULL, 0 };

	if (doc_is_path(arg))
		d = doc_find(r->request, r->scope, arg);
	else
		d.value = repl_eval(r, arg);
	doc_add(&b, &d, width_of_terminal(1));
	repl_write(b.p, b.len);
}

static void show_env(struct repl *r, const char *arg)
{
	struct attrs *a = attrs_of(r->scope);
	const uint32_t *order = attrs_order(a);
	struct buf b = BUF_GC;

	(void)arg;
	for (uint32_t i = 0; i < a->n; i++) {
		const struct str *name = sym_name(a->sh->sym[order[i]]);
		quote_name(&b, name->b, name->len);
		buf_adds(&b, " = ");
		/* As far as it is known: looking at what there is evaluates nothing. */
		show_value(&b, w_peek(a->v[order[i]]), r->colour ? SHOW_COLOUR : 0, 0);
		buf_addc(&b, '\n');
	}
	if (b.len)
		repl_write(b.p, b.len);
}

/* --- loading --- */

static void load_file(struct repl *r, const char *arg)
{
	repl_load(r, LOADED_FILE, arg);
}

static void load_flake(struct repl *r, const char *arg)
{
	repl_load(r, LOADED_FLAKE, arg);
	flake_options_notes();
}

static void reload(struct repl *r, const char *arg)
{
	(void)arg;
	repl_reload(r);
}

static void show_added(struct repl *r, const char *arg)
{
	struct buf b = BUF_GC;

	(void)arg;
	if (r->added == W_NULL)
		throw_error(EK_EVAL, "nothing has been loaded yet");
	repl_add_names(&b, r->added, width_of_terminal(1), UINT32_MAX);
	buf_addc(&b, '\n');
	/* Without the line end in front of the first line. */
	repl_write(b.p + 1, b.len - 1);
}

/* --- errors --- */

static void show_trace(struct repl *r, const char *arg)
{
	int full = report_settings.full_trace;

	(void)arg;
	if (!r->has_failed)
		throw_error(EK_EVAL, "there has been no error yet");
	report_settings.full_trace = 1;
	report_failure(&r->failed);
	report_settings.full_trace = full;
}

static void set_trace(struct repl *r, const char *arg)
{
	(void)r;
	if (*arg && strcmp(arg, "true") && strcmp(arg, "false"))
		throw_error(EK_EVAL, "':te' takes true or false, not '%s'", arg);
	report_settings.full_trace = *arg ? *arg == 't' : !report_settings.full_trace;
	report_line("traces of errors are shown %s", report_settings.full_trace ? "whole" : "in short");
}

static void quit(struct repl *r, const char *arg)
{
	(void)arg;
	r->quit = 1;
}

/* --- editing --- */

/* Runs a program of the person's and waits.  Signals are its own business, so it starts with none ignored. */
static void run_program(char *const *argv)
{
	posix_spawnattr_t attr;
	sigset_t all;
	pid_t pid;
	int status;

	progress_finish();
	sigfillset(&all);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setsigdefault(&attr, &all);
	int rc = posix_spawnp(&pid, argv[0], NULL, &attr, argv, environ);
	posix_spawnattr_destroy(&attr);
	if (rc)
		throw_error(EK_IO, "cannot run '%s': %s", argv[0], strerror(rc));
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
}

static void edit(struct repl *r, const char *arg)
{
	W v = repl_eval(r, arg);
	struct editor_place at = editor_place_of(v);

	if (!at.file)
		throw_error(EK_EVAL, "it is not known where %s is written", show_type(v));
	run_program(editor_words(&at));
	repl_reload(r);
}

/* --- for programs --- */

/* What Tab would offer at the end of the argument, a line each: completion for editors, and for the tests. */
static void complete(struct repl *r, const char *arg)
{
	struct completions c = { 0 };
	struct buf b = BUF_GC;

	repl_complete(r, arg, strlen(arg), &c);
	for (size_t i = 0; i < c.n; i++)
		buf_addf(&b, "%.*s%s\n", (int)c.start, arg, c.v[i]);
	if (b.len)
		repl_write(b.p, b.len);
}

/* --- the table --- */

static void help(struct repl *r, const char *arg);

const struct repl_command repl_commands[] = {
	{ "a add", "EXPR", "add the attributes of a set to the variables", add_set },
	{ "b build", "EXPR", "build a derivation and print its outputs", repl_build },
	{ "bl build-link", "EXPR", "the same, with links to them here that keep them: repl-result-out", repl_build_link },
	{ "complete", "TEXT", "print what Tab would offer after TEXT", complete },
	{ "doc", "EXPR", "documentation of a builtin, of a name of gx:std, or of what has a doc comment", doc },
	{ "e edit", "EXPR", "open the editor where EXPR (a path, function or set) is written, then reload", edit },
	{ "env", NULL, "print the variables, evaluating nothing", show_env },
	{ "i install", "EXPR", "install into a profile", repl_install },
	{ "l load", "FILE", "add the attributes of the set in a file to the variables", load_file },
	{ "lf load-flake", "FLAKE", "add the outputs of a flake to the variables", load_flake },
	{ "ll last-loaded", NULL, "print the names that were added last", show_added },
	{ "log", "EXPR", "print the log of a derivation's build", repl_log },
	{ "p print", "EXPR", "evaluate and print all of it; a string as it is", print_all },
	{ "q quit", NULL, "leave, as Ctrl-D does", quit },
	{ "r reload", NULL, "forget the variables and load all files and flakes again", reload },
	{ "sh dev-shell", "EXPR", "build what a derivation needs and start a shell in its environment", repl_dev_shell },
	{ "st show-trace", NULL, "print the whole trace of the last error", show_trace },
	{ "t type", "EXPR", "print the type of a value", show_type_of },
	{ "te trace-enable", "[BOOL]", "show whole traces of errors, or no longer", set_trace },
	{ "u shell", "EXPR", "build a derivation and start a shell with its programs", repl_shell },
	{ "? help", NULL, "print this", help },
	{ 0 }
};

static void help_line(struct buf *b, const char *left, const char *doc)
{
	enum { INDENT = 18 };

	buf_addf(b, "  %-*s", INDENT - 2, left);
	width_wrap(b, doc, INDENT, width_of_terminal(1));
}

static void help(struct repl *r, const char *arg)
{
	struct buf b = BUF_GC;

	(void)r;
	(void)arg;
	help_line(&b, "EXPR", "evaluate and print; sets and lists inside are not opened");
	help_line(&b, "x = EXPR", "add a variable; several: a = 1; b = 2;");
	help_line(&b, "it", "the last value");
	for (const struct repl_command *k = repl_commands; k->names; k++) {
		struct buf left = BUF_GC;
		buf_addf(&left, ":%.*s%s%s", (int)strcspn(k->names, " "), k->names, k->arg ? " " : "", k->arg ? k->arg : "");
		help_line(&b, left.p, k->doc);
	}
	width_wrap(&b,
		   "An incomplete expression goes on in the next line. Tab completes, Up brings back what was typed, Ctrl-C "
		   "stops an evaluation.",
		   0, width_of_terminal(1));
	repl_write(b.p, b.len);
}

/* --- running --- */

static const struct repl_command *find(const char *name, size_t n)
{
	for (const struct repl_command *k = repl_commands; k->names; k++)
		for (const char *p = k->names; *p; p += strspn(p, " ")) {
			size_t len = strcspn(p, " ");
			if (len == n && !memcmp(p, name, n))
				return k;
			p += len;
		}
	return NULL;
}

static __attribute__((noreturn)) void unknown(const char *name, size_t n)
{
	struct suggest s;
	struct buf b = BUF_GC;

	suggest_init(&s, name, n);
	for (const struct repl_command *k = repl_commands; k->names; k++)
		for (const char *p = k->names; *p; p += strspn(p, " ")) {
			size_t len = strcspn(p, " ");
			suggest_offer(&s, p, len);
			p += len;
		}
	if (s.best && s.best_len > 1)
		buf_addf(&b, "did you mean ':%.*s'?", (int)s.best_len, s.best);
	else
		buf_adds(&b, "':?' lists the commands");
	throw_error_hint(EK_EVAL, b.p, "unknown command ':%.*s'", (int)n, name);
}

/* The name after the colon, its length, and where the argument begins. */
static const char *take_apart(const char *line, size_t *n)
{
	*n = strcspn(line + 1, " \t\n");
	return line + 1 + *n + strspn(line + 1 + *n, " \t\n");
}

const char *command_arg(const char *line)
{
	size_t n;

	take_apart(line, &n);
	const struct repl_command *k = find(line + 1, n);
	return k ? k->arg : NULL;
}

const char *command_expr(const char *line)
{
	size_t n;
	const char *arg = take_apart(line, &n);
	const struct repl_command *k = find(line + 1, n);

	return k && k->arg && !strcmp(k->arg, "EXPR") ? arg : NULL;
}

const char *command_word(const struct repl *r, const char *text)
{
	static const char *const words[][2] = { { "help", ":help" }, { "exit", ":quit" }, { "quit", ":quit" }, { "?", ":help" } };

	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		size_t n = strlen(words[i][0]);
		if (!strncmp(text, words[i][0], n) && !text[n + strspn(text + n, " \t\r\n")])
			return attrs_find_c(r->scope, words[i][0]) ? NULL : words[i][1];
	}
	return NULL;
}

void command_run(struct repl *r, const char *line)
{
	size_t n;
	const char *arg = take_apart(line, &n);
	const struct repl_command *k = find(line + 1, n);
	struct buf b = BUF_GC;

	if (!k)
		unknown(line + 1, n);
	if (!k->arg && *arg)
		throw_error(EK_EVAL, "':%.*s' takes no argument", (int)n, line + 1);
	if (k->arg && !*arg && *k->arg != '[')
		throw_error(EK_EVAL, "':%.*s' needs %s %s", (int)n, line + 1, *k->arg == 'E' ? "an expression," : "a word,",
			    k->arg);
	/* What Tab appends to a word is no part of it; in an expression blanks at the end mean nothing. */
	buf_adds(&b, arg);
	while (k->run != complete && b.len && strchr(" \t\r", b.p[b.len - 1]))
		buf_trim(&b, b.len - 1);
	k->run(r, buf_str(&b));
}
