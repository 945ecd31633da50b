/* SPDX-License-Identifier: MIT
 *
 * A shell reads files of its user's when it starts, and those may set PATH anew.  So what was set before is
 * set again afterwards, each kind of shell in its way:
 *
 *     bash    --rcfile: ours reads theirs, then puts our folders in front of PATH and runs shellHook
 *     zsh     ZDOTDIR: a folder with files that do the same, removed by the last of them
 *     fish    --init-command; it cannot run a hook written for a POSIX shell, which runs before it, in one
 *     others  the environment alone; the hook runs before
 *
 * The scripts are constant: values come through the environment (GX_SHELL_PATH, GX_SHELL_REST, shellHook), so nothing that an
 * expression says is ever put into a script's text.
 */
#include "config.h"
#include "cli/shell.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "cli/tools.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

extern char **environ;

void shell_keep(struct shell_request *r, const char *name)
{
	r->keep = xrealloc_array(r->keep, r->nkeep + 1, sizeof *r->keep);
	r->keep[r->nkeep++] = name;
}

void shell_set(struct shell_request *r, const char *name, const char *value)
{
	r->set = xrealloc_array(r->set, r->nset + 1, sizeof *r->set);
	r->set[r->nset][0] = name;
	r->set[r->nset++][1] = value;
}

/* Whether the i-th that is set, or dropped, goes with those before it. */
static int check_set(const struct shell_request *r, size_t i, struct err *e)
{
	const char *name = r->set[i][0], *value = r->set[i][1];

	if (!*name || strchr(name, '='))
		return err_set(e, ERR_INVALID, "'%s' is no name of a variable", name);
	if (!value && r->ignore)
		return err_set(e, ERR_INVALID, "--unset-env-var does not make sense with --ignore-env");
	for (size_t k = 0; k < i; k++) {
		if (strcmp(r->set[k][0], name) || (!value && !r->set[k][1]))
			continue;
		if (value && r->set[k][1])
			return err_set(e, ERR_INVALID,
				       "Duplicate definition of environment variable '%s' with '--set-env-var' is ambiguous", name);
		return err_set(e, ERR_INVALID, value ? "Cannot set environment variable '%s' that is unset with '--unset-env-var'" :
			       "Cannot unset environment variable '%s' that is set with '--set-env-var'", name);
	}
	return 0;
}

int shell_check(const struct shell_request *r, struct err *e)
{
	int rc = r->must_ignore && !r->ignore ?
		 err_set(e, ERR_INVALID, "--keep-env-var does not make sense without --ignore-env") : 0;

	for (size_t i = 0; !rc && i < r->nset; i++)
		rc = check_set(r, i, e);
	return rc;
}

void shell_request_release(struct shell_request *r)
{
	free(r->keep);
	free(r->set);
	free(r->words);
	*r = (struct shell_request){ .command = NULL };
}

/* --- environment --- */

static int is_kept(const struct shell_request *r, const char *name, size_t n)
{
	/* Without these hardly a program runs. */
	static const char *const always[] = { "HOME", "USER", "LOGNAME", "TERM", "SHELL", "SSL_CERT_FILE",
					      "NIX_SSL_CERT_FILE" };

	for (size_t i = 0; i < sizeof always / sizeof *always; i++)
		if (!strncmp(always[i], name, n) && !always[i][n])
			return 1;
	for (size_t i = 0; i < r->nkeep; i++)
		if (!strncmp(r->keep[i], name, n) && !r->keep[i][n])
			return 1;
	return 0;
}

static void clear_environment(const struct shell_request *r)
{
	char **old = environ;
	size_t n = 0, kept = 0;

	while (old[n])
		n++;
	char **fresh = xcalloc(n + 1, sizeof *fresh);
	for (size_t i = 0; i < n; i++)
		if (is_kept(r, old[i], strcspn(old[i], "=")))
			fresh[kept++] = old[i];
	environ = fresh;
}

static void put(const char *name, const char *value)
{
	if (setenv(name, value, 1))
		out_of_memory();
}

void shell_path(struct shell_request *r, const char *folders)
{
	struct buf b = BUF_INIT;

	const char *path;

	if (r->ignore)
		clear_environment(r);
	for (size_t i = 0; i < r->nset; i++) {
		if (r->set[i][1])
			put(r->set[i][0], r->set[i][1]);
		else
			unsetenv(r->set[i][0]);
	}
	buf_adds(&b, folders);
	if (r->ignore && !getenv("PATH")) {
		if (b.len)
			buf_addc(&b, ':');
		tools_folder(&b, r->tools);
	}
	path = getenv("PATH");
	if (path && *path)
		buf_addf(&b, "%s%s", b.len ? ":" : "", path);
	put("PATH", buf_str(&b));
	/* For what a shell reads first; a program has no use for it. */
	if (!r->command)
		put("GX_SHELL_PATH", folders);
	buf_release(&b);
}

void shell_environment(struct shell_request *r, const struct dev_env *env)
{
	struct buf folders = BUF_INIT;

	/* What is below /usr is known by that name. */
	buf_addf(&folders, "%s%s", r->fhs ? "/usr/bin:/usr/sbin:" : "", env->bins.p);
	shell_path(r, buf_str(&folders));
	buf_release(&folders);
	for (size_t i = 0; i < env->n; i++)
		put(env->v[i].name.p, env->v[i].value.p);
	/* Of a shell around this one it would be wrong here. */
	unsetenv("GX_SHELL_REST");
	if (env->rest.n)
		put("GX_SHELL_REST", env->rest_path.p);
	/* The user's own is perhaps not there. */
	if (r->fhs)
		put("SHELL", "/bin/bash");
	r->hook = getenv("shellHook");
	if (r->hook && !*r->hook)
		r->hook = NULL;
}

/* --- words --- */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static char *own_shell(const struct shell_request *r)
{
	char *shell = getenv("SHELL");
	struct passwd *pw;

	if (r->fhs)
		return (char *)"/bin/bash";
	if (shell && *shell == '/' && !access(shell, X_OK))
		return shell;
	pw = getpwuid(getuid());
	if (pw && pw->pw_shell && !access(pw->pw_shell, X_OK) && strcmp(base_name(pw->pw_shell), "nologin"))
		return pw->pw_shell;
	return (char *)"/bin/sh";
}

/* Hooks are written for bash; where there is none, a POSIX shell does for most. */
static char *hook_shell(const struct shell_request *r)
{
	return !r->fhs && access("/bin/bash", X_OK) ? (char *)"/bin/sh" : (char *)"/bin/bash";
}

/* What is no variable of the environment, but an array or a function of bash: structured attributes, or what a setup made. */
#define ATTRIBUTES \
	"if [ -z \"${BASH_VERSION-}\" ]; then :\n" \
	"elif [ -n \"${GX_SHELL_REST-}\" ]; then . \"$GX_SHELL_REST\"\n" \
	"elif [ -n \"${NIX_ATTRS_SH_FILE-}\" ]; then . \"$NIX_ATTRS_SH_FILE\"; fi\n"

/* The hook, then the program. */
static void add_hook_words(struct shell_request *r, size_t *n)
{
	if (!r->hook)
		return;
	r->words[(*n)++] = hook_shell(r);
	r->words[(*n)++] = (char *)"-c";
	r->words[(*n)++] = (char *)ATTRIBUTES "eval \"$shellHook\"\nexec \"$@\"";
	r->words[(*n)++] = (char *)"gx-develop";
}

#define AGAIN "PATH=\"$GX_SHELL_PATH${GX_SHELL_PATH:+:}$PATH\"\n" ATTRIBUTES "[ -z \"${shellHook-}\" ] || eval \"$shellHook\"\n"

#define THEIR_ZDOTDIR "if [ -n \"$GX_ZDOTDIR\" ]; then ZDOTDIR=$GX_ZDOTDIR; else unset ZDOTDIR; fi\n"

/* A file that lives as long as someone has it open; the descriptor stays open across exec. */
static int text_file(void)
{
	return memfd_create("gx-shell", 0);
}

static int put_text(int fd, const char *text)
{
	return write(fd, text, strlen(text)) != (ssize_t)strlen(text);
}

static void only_by_environment(void)
{
	report_line("note: what this shell reads when it starts may come before what was asked for (%s)", strerror(errno));
}

static void bash_words(struct shell_request *r, char *shell, size_t *n)
{
	static char name[64];
	char rc[512];
	int fd = text_file();

	/* It closes what it is read from: nothing that is run in the shell is to find it open. */
	snprintf(rc, sizeof rc, "exec %d<&-\n[ ! -r ~/.bashrc ] || . ~/.bashrc\n" AGAIN, fd);
	r->words[(*n)++] = shell;
	if (fd >= 0 && !put_text(fd, rc)) {
		snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
		r->words[(*n)++] = (char *)"--rcfile";
		r->words[(*n)++] = name;
	} else {
		only_by_environment();
	}
	r->words[(*n)++] = (char *)"-i";
}

static int put_file(const char *dir, const char *name, const char *text)
{
	char path[256];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int bad = fd < 0 || put_text(fd, text);

	if (fd >= 0)
		close(fd);
	return bad;
}

static void zsh_words(struct shell_request *r, char *shell, size_t *n)
{
	static char dir[] = "/tmp/gx-shell-XXXXXX";
	/* Theirs may say that the others are in another folder. */
	static const char zshenv[] = "GX_SHELL_DIR=$ZDOTDIR\n" THEIR_ZDOTDIR
				     "[ ! -r \"${ZDOTDIR:-$HOME}/.zshenv\" ] || . \"${ZDOTDIR:-$HOME}/.zshenv\"\n"
				     "GX_ZDOTDIR=${ZDOTDIR-}\nZDOTDIR=$GX_SHELL_DIR\n";
	static const char zshrc[] = "/bin/rm -f \"$GX_SHELL_DIR/.zshenv\" \"$GX_SHELL_DIR/.zshrc\"\n"
				    "/bin/rmdir \"$GX_SHELL_DIR\"\n" THEIR_ZDOTDIR
				    "unset GX_SHELL_DIR GX_ZDOTDIR\n"
				    "[ ! -r \"${ZDOTDIR:-$HOME}/.zshrc\" ] || . \"${ZDOTDIR:-$HOME}/.zshrc\"\n" AGAIN;
	char *old = getenv("ZDOTDIR");

	r->words[(*n)++] = shell;
	r->words[(*n)++] = (char *)"-i";
	if (!mkdtemp(dir) || put_file(dir, ".zshenv", zshenv) || put_file(dir, ".zshrc", zshrc)) {
		only_by_environment();
		return;
	}
	put("GX_ZDOTDIR", old ? old : "");
	put("ZDOTDIR", dir);
}

static void fish_words(struct shell_request *r, char *shell, size_t *n)
{
	add_hook_words(r, n);
	r->words[(*n)++] = shell;
	r->words[(*n)++] = (char *)"--init-command";
	r->words[(*n)++] = (char *)"test -z \"$GX_SHELL_PATH\"; or set -gx PATH (string split : $GX_SHELL_PATH) $PATH";
}

int shell_note = 1;

static void say_inside(void)
{
	const char *name = getenv("GX_SHELL");

	/* After what was done for it. */
	progress_finish();
	if (shell_note && !report_settings.quiet && !progress_settings.quiet && isatty(0) && isatty(2))
		report_line("note: you are in the shell '%s'; 'exit' leaves it", name ? name : "gx");
}

char *const *shell_words(struct shell_request *r)
{
	size_t n = 0, extra = 0;

	while (r->command && r->command[extra])
		extra++;
	r->words = xcalloc(extra + 12, sizeof *r->words);
	if (!extra)
		say_inside();
	if (extra) {
		add_hook_words(r, &n);
		for (size_t i = 0; i < extra; i++)
			r->words[n++] = r->command[i];
		return r->words;
	}
	char *shell = own_shell(r);
	const char *kind = base_name(shell);
	if (!strcmp(kind, "bash")) {
		bash_words(r, shell, &n);
	} else if (!strcmp(kind, "zsh")) {
		zsh_words(r, shell, &n);
	} else if (!strcmp(kind, "fish")) {
		fish_words(r, shell, &n);
	} else {
		add_hook_words(r, &n);
		r->words[n++] = shell;
	}
	return r->words;
}
