/* SPDX-License-Identifier: MIT
 *
 * The loop of the REPL: read, evaluate, print, and go on after any error.
 *
 * What is bound is one set value, which each input is evaluated in the scope of: a new binding makes a new set, so what was
 * defined before keeps meaning what it meant, and `x = x + 1` counts.
 *
 * While a line is typed Ctrl-C gives the input up; during an evaluation it raises an error at the next step
 * (eval/interrupt.c); a transfer, a program or a lock that is waited for is given up (fetch/interrupt.h); a build is
 * cancelled (cli/repl/repl_store.c).  A third one that still found nobody to meet it ends the program, as it would without us.
 *
 * Without a terminal there are no prompts and no colours, values print on one line, and errors do not change the exit
 * status: what a script sees is what it wrote.
 */
#include "config.h"
#include "cli/repl/repl.h"
#include "base/activity.h"
#include "cli/eval_store.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/repl/repl_int.h"
#include "cli/report.h"
#include "cli/signals.h"
#include "cli/world.h"
#include "eval/attrs.h"
#include "eval/eval.h"
#include "eval/show.h"
#include "fetch/interrupt.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATIENCE = 3, SHOWN_DEPTH = 1 };

static volatile sig_atomic_t unmet;

/* Full from an interrupt to the next input: what waits for something outside watches its reading end. */
static int wake[2] = { -1, -1 };

static void interrupted(int sig)
{
	int saved = errno;

	unmet = eval_interrupt_asked() ? unmet + 1 : 1;
	if (unmet >= PATIENCE)
		signals_exit(sig);
	eval_interrupt();
	lines_interrupt();
	ssize_t w = write(wake[1], "", 1);
	(void)w;
	errno = saved;
}

static void catch_interrupts(void)
{
	if (!pipe2(wake, O_CLOEXEC | O_NONBLOCK))
		fetch_interrupt_fd = wake[0];
	signals_push(SIGNALS_KEYBOARD, interrupted);
}

static void forget_interrupts(void)
{
	char bytes[64];

	eval_interrupt_clear();
	while (wake[0] >= 0 && read(wake[0], bytes, sizeof bytes) > 0)
		;
}

static void tell(struct repl *r, const struct failure *f)
{
	if (f->kind == EK_INTERRUPT) {
		/* Behind the terminal's "^C"; where it happened to be is not what one wants to know. */
		if (isatty(2))
			fputc('\n', stderr);
		report_error("interrupted");
		return;
	}
	report_failure(f);
	r->failed = *f;
	r->has_failed = 1;
}

int repl_guard(struct repl *r, void (*fn)(void *arg), void *arg)
{
	struct failure f;

	forget_interrupts();
	progress_begin();
	unsigned activity = activity_begin(ACTIVITY_EVALUATE, "");
	int ok = unwind_run(fn, arg, &f, TRACE_ALL);
	activity_end(activity, !ok);
	progress_finish();
	if (!ok)
		tell(r, &f);
	return ok;
}

/* Nothing that takes long follows a result. */
void repl_write(const char *p, size_t n)
{
	progress_finish();
	fflush(stdout);
	output_show(p, n);
}

W repl_no_args(void)
{
	struct attrs_builder b;

	attrs_builder_init(&b, 0);
	return attrs_finish(&b);
}

/* --- evaluating --- */

W repl_eval(struct repl *r, const char *text)
{
	const struct source *src;
	struct err e = ERR_INIT;

	switch (input_classify(r, text, 1, &src, &e)) {
	case INPUT_EXPR:
		return eval_source(src, r->scope);
	case INPUT_BINDINGS:
		throw_error(EK_SYNTAX, "expected an expression but found bindings");
	default:
		throw_err(&e);
	}
}

static int print(struct repl *r, W v, unsigned flags, unsigned depth)
{
	struct buf b = BUF_GC;

	flags |= SHOW_FORCE | SHOW_ERRORS;
	if (lines_is_terminal(r->lines))
		flags |= SHOW_PRETTY;
	if (r->colour)
		flags |= SHOW_COLOUR;
	int folded = show_value(&b, v, flags, depth);
	buf_addc(&b, '\n');
	repl_write(b.p, b.len);
	return folded;
}

void repl_print(struct repl *r, W v)
{
	/* What goes to a program goes there whole. */
	if (print(r, v, lines_is_terminal(r->lines) ? SHOW_FOLD : 0, SHOWN_DEPTH) && !report_settings.quiet)
		report_line("':p%s' prints all of it", r->own_it ? " EXPR" : " it");
}

void repl_print_all(struct repl *r, W v)
{
	struct buf b = BUF_GC;

	v = force(v);
	if (!w_is_str(v)) {
		print(r, v, 0, UINT_MAX);
		return;
	}
	buf_add(&b, w_get_str(v)->b, w_get_str(v)->len);
	buf_addc(&b, '\n');
	repl_write(b.p, b.len);
}

static void bind(struct repl *r, const struct source *src)
{
	W bound = eval_bindings(src, r->scope);

	r->scope = attrs_update(r->scope, bound);
	r->own_it |= attrs_find_c(bound, "it") != NULL;
}

/* The last value is 'it', unless that is the name of something else. */
static W remember(struct repl *r, W v)
{
	struct attrs_builder b;

	if (r->own_it)
		return v;
	attrs_builder_init(&b, 1);
	attrs_add_c(&b, "it", v);
	r->scope = attrs_update(r->scope, attrs_finish(&b));
	return v;
}

/* --- inputs --- */

struct typed {
	struct repl *r;
	const char *text;
	const struct source *src;
	enum input_kind kind;
	struct err e;
	int final;
};

static void classify(void *arg)
{
	struct typed *in = arg;

	in->kind = input_classify(in->r, in->text, in->final, &in->src, &in->e);
}

static void run_input(void *arg)
{
	struct typed *in = arg;

	switch (in->kind) {
	case INPUT_EXPR:
		repl_print(in->r, remember(in->r, force(eval_source(in->src, in->r->scope))));
		break;
	case INPUT_BINDINGS:
		bind(in->r, in->src);
		break;
	default:
		throw_err(&in->e);
	}
}

static void run_command(void *arg)
{
	struct typed *in = arg;

	command_run(in->r, in->text);
}

/* Whether the text read so far goes on in the next line. */
static int goes_on(struct typed *in)
{
	const char *expr = *in->text == ':' ? command_expr(in->text) : in->text;
	struct typed part = { .r = in->r, .text = expr };

	if (!expr || !*expr || !repl_guard(in->r, classify, &part))
		return 0;
	err_release(&part.e);
	return part.kind == INPUT_MORE;
}

static const char *skip_blanks(const char *p)
{
	return p + strspn(p, " \t\r");
}

/* Reads one input; *final: the text ended with it. */
static enum line_result read_input(struct repl *r, struct buf *text, int *final)
{
	r->typed = "";
	enum line_result got = lines_read(r->lines, "gx> ", text);

	*final = 0;
	while (got == LINE_READ) {
		struct typed in = { .r = r, .text = skip_blanks(buf_str(text)) };
		if (!*in.text || !goes_on(&in))
			return LINE_READ;
		buf_addc(text, '\n');
		r->typed = buf_str(text);
		got = lines_read(r->lines, "... ", text);
		if (got != LINE_END)
			continue;
		/* The end of input in the middle of one: it is evaluated as it is, and says what is missing. */
		*final = 1;
		return LINE_READ;
	}
	return got;
}

static void respond(struct repl *r, const char *text, int final)
{
	struct typed in = { .r = r, .text = skip_blanks(text), .final = final };

	if (!*in.text)
		return;
	lines_remember(r->lines, in.text);
	const char *command = command_word(r, in.text);
	in.text = command ? command : in.text;
	if (*in.text == ':')
		repl_guard(r, run_command, &in);
	else if (repl_guard(r, classify, &in))
		repl_guard(r, run_input, &in);
}

/* Returns an exit status. */
static int loop(struct repl *r)
{
	while (!r->quit) {
		struct buf text = BUF_GC;
		int final;

		enum line_result got = read_input(r, &text, &final);
		unmet = 0;
		if (got == LINE_END)
			break;
		if (got == LINE_STOPPED && !lines_is_terminal(r->lines))
			return EXIT_INTERRUPTED;
		if (got == LINE_READ)
			respond(r, buf_str(&text), final);
	}
	return EXIT_DONE;
}

/* --- starting --- */

static void load_request(void *arg)
{
	struct repl *r = arg;

	if (r->request->file)
		repl_load(r, LOADED_FILE, r->request->file);
	if (r->request->flake)
		repl_load(r, LOADED_FLAKE, r->request->flake);
	if (r->request->expr)
		repl_load(r, LOADED_EXPR, r->request->expr);
}

/* A store to build in, when there can be one; nothing is valid in it before something is built. */
static void start_store(const struct eval_request *request)
{
	if (!eval_store_start(request))
		return;
	eval_settings.read_only = 1;
	report_warning(0, 0, "without a store nothing can be built here");
}

int repl_run(const struct eval_request *request, char *stack_low)
{
	struct repl r = { .request = request, .colour = output_colour(1) };

	if (!getcwd(r.cwd, sizeof r.cwd)) {
		report_error("cannot tell the current directory: %s", strerror(errno));
		return EXIT_FAILED;
	}
	source_show_from(r.cwd);
	start_store(request);
	world_start(request, stack_low);
	r.scope = repl_no_args();
	r.added = W_NULL;
	report_settings.rest_of_trace = "':st'";
	r.lines = lines_new(repl_complete, &r);
	catch_interrupts();
	if (lines_is_terminal(r.lines) && !report_settings.quiet)
		fprintf(stderr, "gx %s: ':?' for help, Ctrl-D to leave\n", PACKAGE_VERSION);
	repl_guard(&r, load_request, &r);
	flake_options_notes();
	int status = loop(&r);
	lines_free(r.lines);
	for (size_t i = 0; i < r.nloaded; i++)
		free(r.loaded[i].name);
	free(r.loaded);
	eval_store_end();
	return status;
}
