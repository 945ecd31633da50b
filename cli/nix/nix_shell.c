/* SPDX-License-Identifier: MIT
 *
 * nix-shell: the environment of gx develop in bash, in which $stdenv/setup was read, as scripts for nix-shell expect; with -p that
 * of packages, and as the interpreter of scripts that say so:
 *
 *     #! /usr/bin/env nix-shell
 *     #! nix-shell -i python3 -p python3 jq
 *
 * <nixpkgs> is gx:std where the search path has none.
 */
#include "config.h"
#include "base/alloc.h"
#include "base/fdio.h"
#include "cli/dev_setup.h"
#include "cli/given.h"
#include "cli/nix/nix_classic.h"
#include "cli/programs.h"
#include "cli/report.h"
#include "eval/eval.h"
#include "format/attrs_sh.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { O_PACKAGES = 1, O_RUN, O_COMMAND, O_PURE, O_IMPURE, O_KEEP, O_INTERPRETER, O_LINK };

struct nix_shell_settings nix_shell_settings = { .relative = 1, .looks_for_shell = 1 };

static const struct option options[] = {
	{ O_PACKAGES, 'p', "packages", NULL, "The operands are packages of <nixpkgs>." },
	{ O_RUN, 0, "run", "COMMAND", "Run the shell text COMMAND and end." },
	{ O_COMMAND, 0, "command", "COMMAND", "The same in an interactive shell." },
	{ O_PURE, 0, "pure", NULL, "Start from an almost empty environment." },
	{ O_IMPURE, 0, "impure", NULL, NULL },
	{ O_KEEP, 0, "keep", "NAME", "With --pure keep the variable NAME." },
	{ O_INTERPRETER, 'i', "interpreter", "PROGRAM", "In a script: what runs it; else it is only evaluated." },
	{ O_LINK, 0, "add-root", "NAME", NULL },
	NIX_OPTIONS_OF_ALL,
	{ 0 }
};

static const struct option_group groups[] = { { "Options", options },
					      { "What to evaluate", classic_options },
					      { "Arguments", VALUE_OPTION_ARGUMENTS },
					      { 0 } };
static const struct program program = { "nix-shell", "a shell with what a derivation is built with",
					"nix-shell [options] [FILE | DRV]\nnix-shell [options] -p PACKAGE...", NULL, groups };

struct line {
	struct nix_line l; /* first */
	struct words develop; /* for gx develop */
	const char *attr, *command, *interpreter;
	int packages, expr, pure, interactive;
	const char *script; /* in whose place this runs; NULL: none */
	char *script_dir;   /* where relative paths of a script begin; NULL: in the current folder */
	char **script_args;
	size_t nscript_args;
};

/* Options of evaluations are passed on as they are. */
static void pass_value_option(struct line *s, int id, char **values)
{
	const struct option *o = VALUE_OPTION_ARGUMENTS;
	size_t i = 0;

	while (o->id != id)
		o++;
	words_addf(&s->develop, "--%s", o->name);
	for (const char *p = o->value; p; p = strchr(p + 1, ' '))
		words_add(&s->develop, values[i++]);
}

static int on_option(struct nix_line *l, int id, char **values)
{
	struct line *s = (struct line *)l;

	switch (id) {
	case O_PACKAGES: s->packages = 1; return 0;
	case O_RUN:
	case O_COMMAND:
		s->command = values[0];
		s->interactive = id == O_COMMAND;
		return 0;
	case O_PURE: s->pure = 1; return 0;
	case O_IMPURE: s->pure = 0; return 0;
	case O_KEEP:
		words_add(&s->develop, "--keep");
		words_add(&s->develop, values[0]);
		return 0;
	case O_INTERPRETER: s->interpreter = values[0]; return 0;
	case CLASSIC_EXPR: s->expr = 1; return 0;
	case CLASSIC_ATTR: s->attr = values[0]; return 0;
	case O_LINK: return 0;
	}
	pass_value_option(s, id, values);
	return 0;
}

/* --- scripts --- */

/* Splits a line at blanks as a shell does: with "…", '…' and backslashes. */
static void split(struct words *out, struct slice line)
{
	struct buf word = BUF_INIT;
	int open = 0;
	char quote = 0;

	for (size_t i = 0; i <= line.n; i++) {
		char c = i < line.n ? line.p[i] : ' ';

		if (quote && c == quote) {
			quote = 0;
		} else if (!quote && (c == '"' || c == '\'')) {
			quote = c;
			open = 1;
		} else if (c == '\\' && quote != '\'' && i + 1 < line.n) {
			buf_addc(&word, line.p[++i]);
			open = 1;
		} else if (!quote && (c == ' ' || c == '\t' || c == '\r')) {
			if (open)
				words_add(out, buf_str(&word));
			buf_trim(&word, 0);
			open = 0;
		} else {
			buf_addc(&word, c);
			open = 1;
		}
	}
	buf_release(&word);
}

/* The words of the lines "#! nix-shell …" of a script, behind its first. */
static void script_words(const char *text, struct words *out)
{
	for (; text[0] == '#' && text[1] == '!'; text += strcspn(text, "\n"), text += *text == '\n') {
		const char *p = text + 2 + strspn(text + 2, " \t");
		size_t n = strcspn(p, "\n");

		if (!strncmp(p, "nix-shell", 9) && (p[9] == ' ' || p[9] == '\t'))
			split(out, (struct slice){ p + 10, n - 10 });
	}
}

/* 1 when this runs in the place of a script, whose words are put into argv's place. */
static int read_script(struct line *s, int argc, char **argv, struct words *out)
{
	struct buf text = BUF_INIT;
	int fd, is = 0;

	if (argc < 2 || argv[1][0] == '-' || (fd = open(argv[1], O_RDONLY | O_CLOEXEC)) < 0)
		return 0;
	if (!fd_read_all(fd, &text) && !strncmp(buf_str(&text), "#!", 2)) {
		words_add(out, argv[0]);
		script_words(buf_str(&text) + strcspn(buf_str(&text), "\n") + 1, out);
		s->script = argv[1];
		s->script_args = argv + 2;
		s->nscript_args = (size_t)argc - 2;
		is = 1;
	}
	close(fd);
	buf_release(&text);
	return is;
}

/* --- what to evaluate --- */

static void add_packages(struct line *s)
{
	struct buf b = BUF_INIT;

	buf_adds(&b, "{ ... }@args: let found = builtins.tryEval <nixpkgs>; pkgs = if found.success then import found.value args "
		     "else (builtins.getFlake \"gx:std\").legacyPackages.${builtins.currentSystem}; in with pkgs; "
		     "(pkgs.runCommandCC or pkgs.runCommand) \"shell\" { buildInputs = [ ");
	for (size_t i = 0; i < s->l.operands.n; i++)
		buf_addf(&b, "(%s) ", s->l.operands.v[i]);
	buf_adds(&b, "]; } \"\"");
	words_add(&s->develop, "--expr");
	words_add(&s->develop, buf_str(&b));
	buf_release(&b);
}

/* The derivation of the store that a word is, or a link to; NULL when it is none.  The caller frees it. */
static char *find_drv(const char *word)
{
	char target[PATH_MAX], *drv;
	ssize_t k = readlink(word, target, sizeof target);
	size_t n;

	drv = k > 0 ? xstrndup(target, (size_t)k) : xstrdup(word);
	n = strcspn(drv, "!"); /* which output is the same to a shell */
	drv[n] = 0;
	if (n > 4 && drv[0] == '/' && !strcmp(drv + n - 4, ".drv"))
		return drv;
	free(drv);
	return NULL;
}

/* The folder of a file, absolute, without links; NULL when there is none.  The caller frees it. */
static char *folder_of(const char *file)
{
	char *real = realpath(file, NULL), *slash = real ? strrchr(real, '/') : NULL;

	if (slash)
		slash[slash == real] = 0;
	return real;
}

/* A file named in a script lies beside that. */
static void add_file(struct line *s, const char *file, int named)
{
	words_add(&s->develop, "--file");
	if (s->script_dir && file[0] != '/' && file[0] != '<')
		words_addf(&s->develop, "%s/%s", s->script_dir, file);
	else
		words_add(&s->develop, file);
	given_folder = named && !nix_shell_settings.looks_for_shell ? GIVEN_NO_SHELL : GIVEN_SHELL;
}

/* Whether the current folder has one of those that are looked for. */
static int has_file(void)
{
	static const char *const names[] = { "shell.gx", "shell.nix", "default.gx", "default.nix" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (!access(names[i], F_OK))
			return 1;
	return 0;
}

static int add_source(struct line *s)
{
	const struct words *w = &s->l.operands;
	char *drv;

	if (s->packages) {
		add_packages(s);
		return 0;
	}
	/* For functions that ask; to others it would be a surprise, also with "...". */
	eval_settings.offered = "inNixShell";
	words_add(&s->develop, "--arg");
	words_add(&s->develop, "inNixShell");
	words_add(&s->develop, "true");
	if (w->n > 1)
		return usage_error(&program, "nix-shell takes one file, not also '%s'", w->v[1]);
	if (w->n && s->expr) {
		words_add(&s->develop, "--expr");
		words_add(&s->develop, w->v[0]);
	} else if (w->n && (drv = find_drv(w->v[0]))) {
		words_add(&s->develop, "--expr");
		words_addf(&s->develop, "import %s", drv);
		free(drv);
	} else if (!w->n && !s->script && !has_file()) {
		report_error("no argument specified and no 'shell.nix' or 'default.nix' file found in the working directory");
		return EXIT_FAILED;
	} else {
		add_file(s, w->n ? w->v[0] : ".", w->n != 0);
	}
	if (s->attr)
		words_add(&s->develop, s->attr);
	return 0;
}

/* --- what runs --- */

static void add_script(const struct line *s, struct buf *b)
{
	/* An almost empty PATH may have no bash. */
	buf_addf(b, "%s ", strcmp(s->interpreter, "bash") ? s->interpreter : "\"$BASH\"");
	/* By itself it would look for a first line that names ruby. */
	if (strstr(s->interpreter, "ruby"))
		buf_adds(b, "-e 'load(ARGV.shift)' -- ");
	attrs_sh_add_quoted(b, slice_of(s->script));
	for (size_t i = 0; i < s->nscript_args; i++) {
		buf_addc(b, ' ');
		attrs_sh_add_quoted(b, slice_of(s->script_args[i]));
	}
	buf_adds(b, "\nexit\n");
}

/* What bash reads first. */
static void add_setup(const struct line *s, const char *dir, struct buf *b)
{
	buf_addf(b, "trap 'rm -rf \"$NIX_BUILD_TOP\"' EXIT\nexport NIX_BUILD_TOP=");
	attrs_sh_add_quoted(b, slice_of(dir));
	buf_adds(b, "\nexport TMPDIR=$NIX_BUILD_TOP TEMPDIR=$NIX_BUILD_TOP TMP=$NIX_BUILD_TOP TEMP=$NIX_BUILD_TOP\n");
	if (!s->pure)
		buf_adds(b, "[ -z \"$PS1\" ] || [ ! -e ~/.bashrc ] || . ~/.bashrc\n");
	buf_adds(b, "dontAddDisableDepTrack=1\n"
		    "[ ! -e \"$stdenv/setup\" ] || . \"$stdenv/setup\"\n"
		    "set +e\n"
		    "[ -z \"$PS1\" ] || PS1='\\n\\[\\033[1;32m\\][nix-shell:\\w]\\$\\[\\033[0m\\] '\n"
		    "unset NIX_ENFORCE_PURITY\nshopt -u nullglob\nshopt -s execfail\n");
	if (s->script && s->interpreter)
		add_script(s, b);
	else if (s->command)
		buf_addf(b, "%s\nexit\n", s->command);
}

static int write_setup(const struct line *s, struct buf *rc)
{
	const char *tmp = getenv("TMPDIR");
	struct buf dir = BUF_INIT, text = BUF_INIT;
	int failed;

	buf_addf(&dir, "%s/nix-shell-XXXXXX", tmp && *tmp ? tmp : "/tmp");
	failed = !mkdtemp(dir.p);
	if (!failed) {
		add_setup(s, dir.p, &text);
		buf_addf(rc, "%s/rc", dir.p);
		failed = file_replace(rc->p, text.p, text.len, 0600);
	}
	if (failed)
		report_error("cannot write into '%s': %s", dir.p, strerror(errno));
	buf_release(&dir);
	buf_release(&text);
	return failed ? EXIT_FAILED : 0;
}

/* Of a shell that never came to read it. */
static void remove_setup(char *rc)
{
	unlink(rc);
	*strrchr(rc, '/') = 0;
	rmdir(rc);
}

/* The whole name of bash, for a PATH that will not have it; as it is when it is nowhere. */
static void find_bash(struct buf *out)
{
	const char *name = getenv("NIX_BUILD_SHELL");

	name = name && *name ? name : "bash";
	if (!strchr(name, '/') && program_in_path(name, out))
		return;
	buf_trim(out, 0);
	buf_adds(out, name);
}

static int open_shell(struct line *s)
{
	struct buf rc = BUF_INIT, bash = BUF_INIT;
	int status = add_source(s);

	find_bash(&bash);
	status = status ? status : write_setup(s, &rc);
	if (!status) {
		if (s->pure)
			words_add(&s->develop, "--ignore-environment");
		words_add(&s->develop, "--impure");
		words_add(&s->develop, "--command");
		words_add(&s->develop, buf_str(&bash));
		if (!(s->script && s->interpreter) && (!s->command || s->interactive))
			words_add(&s->develop, "--rcfile");
		words_add(&s->develop, buf_str(&rc));
		dev_setup_is_read = 1;
		status = nix_run_verb(&s->l, "develop", &s->develop);
		remove_setup(rc.p);
	}
	buf_release(&rc);
	buf_release(&bash);
	return status;
}

int nix_shell_run(int argc, char **argv)
{
	struct line s = { .l = { .program = &program, .option = on_option } };
	struct words script = { NULL, 0, 0 };
	int is_script = read_script(&s, argc, argv, &script);
	int rc = is_script ? nix_line_read(&s.l, (int)script.n, script.v) : nix_line_read(&s.l, argc, argv);

	if (rc == COMMAND_GO && s.script && nix_shell_settings.relative)
		s.script_dir = folder_of(s.script);
	given_relative_to(s.script_dir);
	if (rc == COMMAND_GO)
		rc = open_shell(&s);
	given_relative_to(NULL);
	free(s.script_dir);
	words_release(&script);
	words_release(&s.develop);
	nix_line_release(&s.l);
	return rc;
}
