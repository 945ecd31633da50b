/* SPDX-License-Identifier: MIT
 *
 * gxeval's option table, and what each option sets.  Options that contradict each other are refused
 * rather than the last one winning: a script that passes both has a mistake in it.
 */
#include "config.h"
#include "cli/eval_options.h"
#include "base/alloc.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "cli/settings.h"
#include "cli/value_options.h"
#include "cli/version.h"
#include "eval/eval.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum option_id {
	O_ATTR = 1,
	O_REPL,
	O_APPLY,
	O_LAZY,
	O_STRICT,
	O_JSON,
	O_RAW,
	O_XML,
	O_PRETTY,
	O_NO_PRETTY,
	O_NO_LOCATION,
	O_PARSE,
	O_DRV_PATH,
	O_REALISE,
	O_WRITE_TO,
	O_JOBS,
	O_LOGS,
	O_PURE,
	O_READ_ONLY,
	O_STORE,
	O_STORE_DIR,
	O_OPTION,
	O_LINT_URL,
	O_LINT_ABSOLUTE,
	O_LINT_SHORT,
	O_SHOW_TRACE,
	O_TRACE_VERBOSE,
	O_STATS,
	O_PROFILE,
	O_REFRESH,
	O_LOG_FORMAT,
	O_VERBOSE,
	O_QUIET,
	O_HELP,
	O_VERSION,
	O_DUMP_BUILTINS
};

static const struct option what_options[] = {
	{ O_REPL, 0, "repl", NULL, "Read expressions and commands and answer each; what is named is loaded first." },
	{ O_ATTR, 'A', "attr", "PATH", "Select the attribute at PATH ('a.b.c'). Given again, one result after the other." },
	{ O_APPLY, 0, "apply", "EXPR", "Apply a function to the value before it is printed." },
	{ 0 }
};

static const struct option form_options[] = {
	{ O_LAZY, 0, "lazy", NULL, "Print what is known of the value; the rest as '«thunk»'." },
	{ O_STRICT, 0, "strict", NULL, "Force all of it, derivations too; print as 'nix-instantiate --eval --strict'." },
	{ O_JSON, 0, "json", NULL, "Print as JSON." },
	{ O_PRETTY, 0, "pretty", NULL, "Print JSON over several lines, as on a terminal." },
	{ O_NO_PRETTY, 0, "no-pretty", NULL, "Print JSON on one line." },
	{ O_RAW, 0, "raw", NULL, "Print a string without quotes and line end." },
	{ O_XML, 0, "xml", NULL, "Print as XML." },
	{ O_NO_LOCATION, 0, "no-location", NULL, "Leave positions out of the XML." },
	{ O_PARSE, 0, "parse", NULL, "Only parse; print the syntax tree in normal form." },
	{ O_DRV_PATH, 0, "drv-path", NULL, "Print the '.drv' path of the derivation, or of those in a set or list." },
	{ O_WRITE_TO, 0, "write-to", "PATH", "Write a string to a new file, or a set to a folder of them; print nothing." },
	{ O_REALISE, 0, "realise", NULL, "Build the derivation, or those in a set or list, and print the paths of their outputs." },
	{ 0 }
};

static const struct option world_options[] = {
	{ O_PURE, 0, "pure-eval", NULL, "No clock, environment, search path or file that was not given." },
	{ O_READ_ONLY, 0, "read-only", NULL, "Never write to a store: paths come out right, nothing is added." },
	{ O_STORE, 0, "store", "ROOT", "Put what is made into the store below the folder ROOT." },
	{ O_STORE_DIR, 0, "store-dir", "DIR", "Use a store of its own in DIR, which is part of every path in it." },
	{ O_OPTION, 0, "option", "NAME VALUE", "Set a setting of nix.conf." },
	{ O_JOBS, 'j', "max-jobs", "N", "Run N builders at once, where something is built." },
	{ O_LOGS, 'L', "print-build-logs", NULL, "Print what builders print." },
	{ O_LINT_URL, 0, "lint-url-literals", "LEVEL", "For URLs without quotes: ignore, warn or fatal." },
	{ O_LINT_ABSOLUTE, 0, "lint-absolute-path-literals", "LEVEL", "For path literals that start with '/' or '~'." },
	{ O_LINT_SHORT, 0, "lint-short-path-literals", "LEVEL", "For path literals such as 'a/b' without './'." },
	{ 0 }
};

static const struct option talk_options[] = {
	{ O_SHOW_TRACE, 0, "show-trace", NULL, "Show the whole trace of an error." },
	{ O_TRACE_VERBOSE, 0, "trace-verbose", NULL, "Let builtins.traceVerbose print." },
	{ O_STATS, 0, "stats", NULL, "Print counts of the evaluation as JSON on standard error." },
	{ O_PROFILE, 0, "profile", "FILE", "Write folded call stacks for a flame graph to FILE." },
	{ O_REFRESH, 0, "refresh", NULL, NULL },
	{ O_LOG_FORMAT, 0, "log-format", "FORMAT", "Show progress and messages as " LOG_FORMATS "." },
	{ O_QUIET, 'q', "quiet", NULL, "No warnings." },
	{ O_VERBOSE, 'v', "verbose", NULL, "Say more: whole traces, notes of traceVerbose." },
	{ O_VERBOSE, 0, "debug", NULL, NULL },
	{ O_HELP, 'h', "help", NULL, "Print this text." },
	{ O_VERSION, 0, "version", NULL, "Print the version." },
	{ O_DUMP_BUILTINS, 0, "dump-builtins", NULL, NULL },
	{ 0 }
};

static const struct option_group groups[] = {
	{ "What to evaluate", value_option_table },
	{ "What of it", what_options },
	{ "How to print it", form_options },
	{ "What it may see", world_options },
	{ "Flakes", flake_option_table },
	{ "Messages", talk_options },
	{ NULL, NULL }
};

static const struct option_group repl_groups[] = {
	{ "What to load", value_option_table },
	{ "What it may see", world_options },
	{ "Flakes", flake_option_table },
	{ "Messages", talk_options },
	{ NULL, NULL }
};

#define ABOUT_EVAL(name) \
	"Exit status: 0 done, 1 the evaluation failed, 2 the command line is wrong, 130 interrupted.\n" \
	"\n" \
	"  " name " -E 'map (x: x * x) [ 1 2 3 ]'\n" \
	"  " name " -f release.gx -A hello --argstr system aarch64-linux\n" \
	"  " name " --json -f config.gx\n"

static const struct program programs[] = {
	[EVAL_GXEVAL] = { "gxeval", "evaluates expressions of the Nix language",
			  "gxeval [options] [FLAKE[#ATTR] | FILE]\n"
			  "gxeval [options] -f FILE [ATTR ...]\n"
			  "gxeval [options] -E EXPR [ATTR ...]", ABOUT_EVAL("gxeval"), groups },
	[EVAL_GX_EVAL] = { "gx eval", "evaluate an attribute of a flake, a file or an expression",
			   "gx eval [options] [FLAKE[#ATTR] | FILE]\n"
			   "gx eval [options] -f FILE [ATTR ...]\n"
			   "gx eval [options] -E EXPR [ATTR ...]", ABOUT_EVAL("gx eval"), groups },
	[EVAL_GX_REPL] = { "gx repl", "evaluate expressions as they are typed",
			   "gx repl [options] [FLAKE[#ATTR] | FILE]\n"
			   "gx repl [options] -f FILE\n"
			   "gx repl [options] -E EXPR",
			   "What is named is loaded first: the attributes of a set become variables. :? lists the commands.\n",
			   repl_groups },
};

struct reading {
	const struct program *p;
	struct eval_request *r;
	enum option_id form; /* the option that chose the output form; 0: none yet */
	int given;	     /* what to evaluate, by -f or -E */
	int stop;	     /* --help or --version was there */
};

static void add_attr(struct eval_request *r, const char *path)
{
	r->attrs = xrealloc_array(r->attrs, r->n_attrs + 1, sizeof *r->attrs);
	r->attrs[r->n_attrs++] = path;
}

static const char *form_name(enum option_id id)
{
	for (const struct option *o = form_options; o->id; o++)
		if ((enum option_id)o->id == id)
			return o->name;
	return "";
}

static int set_form(struct reading *g, enum option_id id)
{
	static const enum output_form form[] = {
		[O_LAZY] = OUTPUT_LAZY, [O_STRICT] = OUTPUT_STRICT, [O_JSON] = OUTPUT_JSON, [O_RAW] = OUTPUT_RAW,
		[O_XML] = OUTPUT_XML, [O_DRV_PATH] = OUTPUT_DRV_PATH, [O_REALISE] = OUTPUT_DRV_PATH, [O_PARSE] = OUTPUT_VALUE
	};

	/* --json and the like force everything anyway, so --strict beside them says nothing new. */
	if (id == O_STRICT && g->form && g->form != O_LAZY)
		return 0;
	if (g->form && g->form != id && g->form != O_STRICT)
		return usage_error(g->p, "options '--%s' and '--%s' exclude each other", form_name(g->form),
				   form_name(id));
	if (g->form == O_STRICT && id == O_LAZY)
		return usage_error(g->p, "options '--strict' and '--lazy' exclude each other");
	g->form = id;
	g->r->form = form[id];
	g->r->parse_only = id == O_PARSE;
	g->r->realise = id == O_REALISE;
	g->r->want_store |= id == O_DRV_PATH || id == O_REALISE;
	return 0;
}

static int set_log_format(const struct reading *g, const char *value)
{
	return progress_set_format(value) ? usage_error(g->p, "log format '%s' is none of " LOG_FORMATS, value) : 0;
}

/* An operand that came before -f or -E, and is no file, is an attribute of what that names. */
static void operand_is_attr(struct reading *g)
{
	struct eval_request *r = g->r;

	if (g->given || !(r->flake || r->file) || (r->file && !access(r->file, F_OK)))
		return;
	add_attr(r, r->flake ? r->flake : r->file);
	r->flake = r->file = NULL;
}

static int on_option(void *arg, int id, char **values)
{
	struct reading *g = arg;
	struct eval_request *r = g->r;

	if (id >= FLAKE_OPTION_FIRST && id < FLAKE_OPTION_LAST) {
		flake_options_take(&r->flake_options, id, values);
		return 0;
	}
	if (id >= VALUE_OPTION_FIRST && id < VALUE_OPTION_LAST) {
		int before, rc;

		if (id < VALUE_OPTION_FIRST + 2)
			operand_is_attr(g);
		before = value_options_given(r);
		rc = value_options_take(g->p, r, id, values);

		g->given |= !before && value_options_given(r);
		return rc;
	}
	switch ((enum option_id)id) {
	case O_ATTR: add_attr(r, values[0]); return 0;
	case O_REPL: r->repl = r->want_store = 1; return 0;
	case O_APPLY: r->apply = values[0]; return 0;
	case O_LAZY:
	case O_STRICT:
	case O_JSON:
	case O_RAW:
	case O_XML:
	case O_PARSE:
	case O_DRV_PATH:
	case O_REALISE: return set_form(g, id);
	case O_PRETTY: r->pretty = PRETTY_YES; return 0;
	case O_NO_PRETTY: r->pretty = PRETTY_NO; return 0;
	case O_NO_LOCATION: r->xml_no_location = 1; return 0;
	case O_WRITE_TO: r->write_to = values[0]; return 0;
	case O_JOBS: return value_options_set(g->p, "max-jobs", values[0]);
	case O_LOGS: progress_settings.logs = 1; return 0;
	case O_PURE: eval_settings.pure = 1; return 0;
	case O_READ_ONLY: eval_settings.read_only = 1; return 0;
	case O_STORE: r->store = values[0]; return 0;
	case O_STORE_DIR: r->store_dir = values[0]; return 0;
	case O_OPTION: return value_options_set(g->p, values[0], values[1]);
	case O_LINT_URL: return value_options_set(g->p, "lint-url-literals", values[0]);
	case O_LINT_ABSOLUTE: return value_options_set(g->p, "lint-absolute-path-literals", values[0]);
	case O_LINT_SHORT: return value_options_set(g->p, "lint-short-path-literals", values[0]);
	case O_SHOW_TRACE: eval_settings.show_trace = 1; return 0;
	case O_TRACE_VERBOSE: eval_settings.trace_verbose = 1; return 0;
	case O_STATS: r->stats = 1; return 0;
	case O_PROFILE: r->profile = values[0]; return 0;
	case O_LOG_FORMAT: return set_log_format(g, values[0]);
	case O_REFRESH: eval_settings.tarball_ttl = 0; return 0;
	case O_VERBOSE: eval_settings.show_trace = eval_settings.trace_verbose = 1; return 0;
	case O_QUIET: report_settings.quiet = progress_settings.quiet = 1; return 0;
	case O_HELP: g->stop = 1; return options_help(g->p);
	case O_VERSION: g->stop = 1; return version_print();
	case O_DUMP_BUILTINS: r->dump_builtins = 1; return 0;
	}
	return 0;
}

static int on_operand(void *arg, char *word)
{
	struct reading *g = arg;
	struct eval_request *r = g->r;

	/* As in Nix, words beside -f or -E are attributes of what those name. */
	if (g->given) {
		add_attr(r, word);
		return 0;
	}
	if (r->flake || r->file)
		return usage_error(g->p, "more than one thing to evaluate: '%s' and '%s'", r->file ? r->file : r->flake, word);
	*(flake_options_is_flake(word) ? &r->flake : &r->file) = word;
	return 0;
}

static int on_other(void *arg, const char *name, char *value, int *used)
{
	return value_options_other(((struct reading *)arg)->p, name, value, used);
}

int eval_options_read(struct eval_request *r, enum eval_program as, int argc, char **argv, int *go)
{
	struct reading g = { .p = &programs[as], .r = r };
	struct option_sink sink = { on_option, on_operand, on_other, settings_name, &g };

	int rc = options_parse(g.p, argc, argv, &sink);
	if (rc || g.stop)
		return rc;
	report_settings.full_trace = eval_settings.show_trace;
	if (r->xml_no_location) {
		if (r->form != OUTPUT_XML)
			return usage_error(g.p, "option '--no-location' goes with '--xml'");
		r->form = OUTPUT_XML_NO_LOCATION;
	}
	if (r->repl) {
		if (r->parse_only || r->n_attrs || r->apply || g.form)
			return usage_error(g.p, "option '--repl' takes no options about one result");
		*go = 1;
		return 0;
	}
	if (!r->file && !r->expr && !r->flake && !r->dump_builtins) {
		if (!r->n_attrs)
			return usage_error(g.p, "nothing to evaluate: name a FILE or a flake, pick an attribute of the flake "
					   "here with --attr, or give an expression with -E");
		r->flake = ".";
	}
	if (r->flake_options.impure)
		eval_settings.pure = 0;
	else if (r->flake)
		eval_settings.pure = 1;
	if (r->parse_only && r->flake)
		return usage_error(g.p, "option '--parse' goes with a file or an expression, not with a flake");
	if (r->parse_only && (r->n_attrs || r->apply))
		return usage_error(g.p, "option '--parse' takes neither '--attr' nor '--apply'");
	*go = 1;
	return 0;
}
