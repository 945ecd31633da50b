/* SPDX-License-Identifier: MIT
 *
 * nix-instantiate: derivations of expressions, or with --eval their values.
 */
#include "config.h"
#include "cli/drv_paths.h"
#include "cli/nix/nix_classic.h"
#include "cli/output.h"
#include "cli/parse_cmd.h"
#include "cli/given.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "eval/coerce.h"
#include "eval/eval.h"
#include "store/roots.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	O_EVAL = 1,
	O_PARSE,
	O_STRICT,
	O_JSON,
	O_RAW,
	O_XML,
	O_NO_LOCATION,
	O_FIND_FILE,
	O_READ_WRITE,
	O_ADD_ROOT,
	O_INDIRECT,
	O_DRY
};

static const struct option options[] = {
	{ O_EVAL, 0, "eval", NULL, "Print values instead of making derivations." },
	{ O_EVAL, 0, "eval-only", NULL, NULL },
	{ O_PARSE, 0, "parse", NULL, "Only parse; print the syntax tree." },
	{ O_PARSE, 0, "parse-only", NULL, NULL },
	{ O_FIND_FILE, 0, "find-file", NULL, "Print where the operands are found in the search path." },
	{ O_STRICT, 0, "strict", NULL, "With --eval: force all of the value." },
	{ O_JSON, 0, "json", NULL, "With --eval: print JSON." },
	{ O_RAW, 0, "raw", NULL, "With --eval: print a string as it is." },
	{ O_XML, 0, "xml", NULL, "With --eval: print XML." },
	{ O_NO_LOCATION, 0, "no-location", NULL, "With --xml: without positions." },
	{ O_READ_WRITE, 0, "read-write-mode", NULL, "With --eval: what is evaluated may be written to the store." },
	{ O_ADD_ROOT, 0, "add-root", "LINK", "Make LINK a link to the derivation, which keeps it from being collected." },
	{ O_INDIRECT, 0, "indirect", NULL, NULL },
	{ O_DRY, 0, "dry-run", NULL, NULL },
	NIX_OPTIONS_OF_ALL,
	{ 0 }
};

static const struct option_group groups[] = { { "Options", options },
					      { "What to evaluate", classic_options },
					      { "Arguments", VALUE_OPTION_ARGUMENTS },
					      { 0 } };
static const struct program program = { "nix-instantiate", "make derivations of expressions",
					"nix-instantiate [options] [FILE...]\nnix-instantiate [options] -E EXPR...\n"
					"nix-instantiate --eval [options] ...", NULL, groups };

struct line {
	struct nix_line l; /* first */
	struct classic c;
	int mode; /* O_EVAL, O_PARSE, O_FIND_FILE, 0 */
	int strict, no_location, writes;
	enum output_form form;
	const char *root;

	struct buf out;
	size_t done; /* how much of out is whole results */
};

static int on_option(struct nix_line *l, int id, char **values)
{
	static const enum output_form forms[] = { [O_JSON] = OUTPUT_JSON, [O_RAW] = OUTPUT_RAW, [O_XML] = OUTPUT_XML };
	struct line *s = (struct line *)l;

	switch (id) {
	case O_EVAL:
	case O_PARSE:
	case O_FIND_FILE: s->mode = id; return 0;
	case O_STRICT: s->strict = 1; return 0;
	case O_JSON:
	case O_RAW:
	case O_XML: s->form = forms[id]; return 0;
	case O_NO_LOCATION: s->no_location = 1; return 0;
	case O_READ_WRITE: s->writes = 1; return 0;
	case O_ADD_ROOT: s->root = values[0]; return 0;
	case O_INDIRECT:
	case O_DRY: return 0;
	}
	return classic_take(&s->c, &program, id, values);
}

/* --- what is printed of an operand --- */

static void give_value(void *arg, W v, W args)
{
	struct line *s = arg;

	output_value(&s->out, v, s->form, args);
	s->done = s->out.len;
}

static void give_drvs(void *arg, W v, W args)
{
	struct line *s = arg;

	drv_paths_print(&s->out, v, args);
	s->done = s->out.len;
}

static void find_file(struct line *s, const char *name)
{
	struct buf b = BUF_GC;

	buf_addf(&b, "<%s>", name);
	struct str *path = w_get_str(coerce_string(given_word(buf_str(&b), "«command line»"), 0));
	buf_addf(&s->out, "%s\n", path->b);
}

static void give(void *arg, const struct eval_request *one, W args)
{
	struct line *s = arg;

	switch (s->mode) {
	case O_PARSE: parse_cmd(&s->out, given_source(one)); break;
	case O_FIND_FILE: find_file(s, one->expr); break;
	default: classic_values(one, args, s->mode == O_EVAL ? give_value : give_drvs, s);
	}
	s->done = s->out.len;
}

/* The form in which Nix prints a value. */
static enum output_form value_form(const struct line *s)
{
	if (s->form == OUTPUT_XML && s->no_location)
		return OUTPUT_XML_NO_LOCATION;
	return s->form != OUTPUT_VALUE ? s->form : s->strict ? OUTPUT_STRICT : OUTPUT_SHALLOW;
}

/* --- roots --- */

/* Of each line a link, LINK, LINK-2 …, whose full name is printed instead. */
static int add_roots(struct line *s, struct command *c, struct buf *out, struct err *e)
{
	const char *p = buf_str(&s->out);
	struct store_path drv;
	char cwd[PATH_MAX];
	size_t i = 0;

	if (!getcwd(cwd, sizeof cwd))
		return err_errno(e, "cannot tell the current directory");

	for (int rc; *p; p += *p == '\n') {
		size_t n = strcspn(p, "\n"), path = strcspn(p, "!\n");
		struct buf link = BUF_INIT;

		if (s->root[0] != '/')
			buf_addf(&link, "%s/", cwd);
		buf_adds(&link, s->root);
		if (++i > 1)
			buf_addf(&link, "-%zu", i);
		rc = store_path_parse(store_dir(c->store), (struct slice){ p, path }, &drv, e);
		rc = rc ? rc : store_add_root_link(store_eval_store(c->store), buf_str(&link), &drv, e);
		buf_addf(out, "%s%.*s\n", buf_str(&link), (int)(n - path), p + path);
		buf_release(&link);
		if (rc)
			return rc;
		p += n;
	}
	return 0;
}

static int instantiate(struct line *s)
{
	struct command c = { .program = &program };
	struct err e = ERR_INIT;
	struct buf out = BUF_INIT;
	int rc = nix_open(&c, &s->l, 0);

	if (rc)
		return rc;
	rc = classic_eval(&s->c, c.store, give, s);
	progress_finish();
	if (!rc && s->root)
		rc = add_roots(s, &c, &out, &e) ? command_fail(&e) : 0;
	else
		buf_add(&out, buf_str(&s->out), s->done);
	int printed = output_show(buf_str(&out), out.len);
	buf_release(&out);
	return command_end(&c, rc ? rc : printed);
}

/* A look at a value leaves no trace in the store. */
static int print_values(struct line *s)
{
	struct command c = { .program = &program };
	int rc = s->writes ? nix_open(&c, &s->l, 0) : 0, data = s->form == OUTPUT_RAW || s->form == OUTPUT_JSON;

	if (rc)
		return rc;
	s->form = value_form(s);
	rc = classic_eval(&s->c, c.store, give, s);
	progress_finish();
	int printed = data ? output_write(buf_str(&s->out), s->done) : output_show(buf_str(&s->out), s->done);
	return command_end(&c, rc ? rc : printed);
}

int nix_instantiate_run(int argc, char **argv)
{
	struct line s = { .l = { .program = &program, .option = on_option }, .out = BUF_GC };
	int rc = nix_line_read(&s.l, argc, argv);

	if (rc == COMMAND_GO) {
		s.c.words = s.l.operands.v;
		s.c.n = s.l.operands.n;
		s.c.is_expr |= s.mode == O_FIND_FILE;
		rc = s.mode ? print_values(&s) : instantiate(&s);
	}
	nix_line_release(&s.l);
	return rc;
}
