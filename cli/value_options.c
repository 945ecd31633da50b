/* SPDX-License-Identifier: MIT
 *
 * Nix has these on each of its commands, so they are here once.  Settings keep the texts they are given.
 */
#include "config.h"
#include "cli/value_options.h"
#include "base/alloc.h"
#include "base/fdio.h"
#include "cli/eval_store.h"
#include "cli/report.h"
#include "cli/settings.h"
#include "eval/eval.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { O_FILE = VALUE_OPTION_FIRST, O_EXPR, O_ARG, O_ARGSTR, O_ARG_FILE, O_ARG_STDIN, O_INCLUDE, O_SYSTEM, O_EVAL_STORE };

const struct option value_option_table[] = {
	{ O_FILE, 'f', "file", "FILE", "Evaluate a file; '-' is standard input, '<name>' is looked up in the search path." },
	{ O_EXPR, 'E', "expr", "EXPR", "Evaluate an expression." },
	{ O_ARG, 0, "arg", "NAME EXPR", "Pass the value of EXPR as argument NAME of a function at the top." },
	{ O_ARGSTR, 0, "argstr", "NAME TEXT", "Pass TEXT as argument NAME." },
	{ O_ARG_FILE, 0, "arg-from-file", "NAME FILE", "Pass what is in FILE as argument NAME." },
	{ O_ARG_STDIN, 0, "arg-from-stdin", "NAME", "Pass what comes from standard input as argument NAME." },
	{ O_INCLUDE, 'I', "include", "PATH", "Add 'name=path' or a directory to the search path that <name> is looked up in." },
	{ O_SYSTEM, 0, "system", "SYSTEM", "What builtins.currentSystem is, and the SYSTEM whose packages are meant." },
	{ O_EVAL_STORE, 0, "eval-store", "STORE",
	  "Put derivations and what they need into this store, and build in the other; see --store." },
	{ 0 }
};

/* Room for one more of what is counted by n. */
static void *grow(void *v, size_t n, size_t size)
{
	return xrealloc_array(v, n + 1, size);
}

static void add_arg(struct eval_request *r, char **values, int is_string)
{
	r->args = grow(r->args, r->n_args, sizeof *r->args);
	r->args[r->n_args++] = (struct auto_arg){ values[0], values[1], is_string };
}

/* The bytes of a file, of standard input when path is NULL, as a text that stays. */
static int add_file_arg(const struct program *p, struct eval_request *r, char *name, const char *path)
{
	struct buf b = BUF_INIT;
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : STDIN_FILENO, rc = fd < 0 ? -1 : fd_read_all(fd, &b), saved = errno;

	if (path && fd >= 0)
		close(fd);
	if (rc) {
		buf_release(&b);
		return usage_error(p, "cannot read '%s': %s", path ? path : "standard input", strerror(saved));
	}
	buf_addc(&b, 0);
	add_arg(r, (char *[]){ name, buf_detach(&b, NULL) }, 1);
	return 0;
}

static int set_source(const struct program *p, struct eval_request *r, const char **field, const char *value)
{
	if (value_options_given(r) || r->flake)
		return usage_error(p, "more than one thing to evaluate: '%s' and '%s'",
				   r->file ? r->file : r->expr ? r->expr : r->flake, value);
	*field = value;
	return 0;
}

int value_options_take(const struct program *p, struct eval_request *r, int id, char **values)
{
	switch (id) {
	case O_FILE: return set_source(p, r, &r->file, values[0]);
	case O_EXPR: return set_source(p, r, &r->expr, values[0]);
	case O_ARG: add_arg(r, values, 0); return 0;
	case O_ARGSTR: add_arg(r, values, 1); return 0;
	case O_ARG_FILE: return add_file_arg(p, r, values[0], values[1]);
	case O_ARG_STDIN: return add_file_arg(p, r, values[0], NULL);
	case O_INCLUDE:
		r->search_path = grow(r->search_path, r->n_search_path, sizeof *r->search_path);
		r->search_path[r->n_search_path++] = values[0];
		return 0;
	case O_SYSTEM: eval_settings.system = values[0]; return 0;
	case O_EVAL_STORE: eval_store_address = values[0]; return 0;
	}
	return 0;
}

int value_options_given(const struct eval_request *r)
{
	return r->file || r->expr;
}

int value_options_set(const struct program *p, const char *name, const char *value)
{
	switch (settings_set(name, value)) {
	case SETTING_OK:
		return 0;
	case SETTING_IGNORED:
		if (!report_settings.quiet)
			report_line("note: setting '%s' has no effect here: %s", name, settings_why_not(name));
		return 0;
	case SETTING_TOLD:
		return EXIT_USAGE;
	case SETTING_BAD:
		return usage_error(p, "setting '%s' is %s, not '%s'", name, settings_wanted(name), value);
	case SETTING_UNKNOWN:
		if (!settings_lenient)
			break;
		report_line("warning: unknown setting '%s'", name);
		return 0;
	}
	return usage_error(p, "unknown setting '%s'", name);
}

int value_options_other(const struct program *p, const char *name, char *value, int *used)
{
	int no = !strncmp(name, "no-", 3);
	const char *bare = no ? name + 3 : name;
	int is_bool = settings_is_bool(bare);

	if (is_bool < 0 || (no && !is_bool))
		return -1;
	if (is_bool)
		return value_options_set(p, bare, no ? "false" : "true");
	if (!value)
		return usage_error(p, "option '--%s' needs a value", name);
	*used = 1;
	return value_options_set(p, bare, value);
}
