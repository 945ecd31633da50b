/* SPDX-License-Identifier: MIT
 *
 * The seam where the evaluator, which knows no file system and no store, is given both.
 *
 * The search path is what -I said, then the nix-path setting or else NIX_PATH, or else (but not in restricted evaluation) the
 * channels of this user and of root as Nix has them, then what extra-nix-path adds.  In pure evaluation there is none, and only
 * the folder of the file that was named may be read.
 */
#include "config.h"
#include "cli/world.h"
#include "builtins/addpath.h"
#include "builtins/compiled.h"
#include "builtins/fs.h"
#include "builtins/registry.h"
#include "cli/eval_cmd.h"
#include "cli/eval_store.h"
#include "cli/report.h"
#include "cli/session.h"
#include "cli/settings.h"
#include "eval/eval.h"
#include "eval/flame.h"
#include "fetch/trail.h"
#include "flake/call.h"
#include "flake/source.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

const struct builtin *const *const world_builtins[] = {
	BUILTINS_LISTS,	    builtins_flake,	      builtins_fetch_tree,
	builtins_fetch_url, builtins_fetch_mercurial, builtins_fetch_closure, NULL
};

#define BLANKS " \t\n"

/* Of the command line. */
static struct session *session;

static void lint_warning(void *arg, uint32_t pos, uint32_t len, const char *msg)
{
	(void)arg;
	report_warning(pos, len, msg);
}

static void add_channels(void)
{
	static const char root[] = "/nix/var/nix/profiles/per-user/root/channels";
	const char *home = getenv("HOME");
	char path[PATH_MAX], entry[PATH_MAX + 16];
	struct stat st;

	if (home && (size_t)snprintf(path, sizeof path, "%s/.nix-defexpr/channels", home) < sizeof path) {
		trail_stat(path);
		if (stat(path, &st) == 0)
			fs_search_path_add(path, strlen(path));
	}
	trail_stat(root);
	if (stat(root, &st) == 0) {
		int n = snprintf(entry, sizeof entry, "nixpkgs=%s/nixpkgs", root);
		fs_search_path_add(entry, (size_t)n);
		fs_search_path_add(root, strlen(root));
	}
}

/* Entries with blanks between, as settings have them. */
static void add_words(const char *p)
{
	for (; p && *(p += strspn(p, BLANKS)); p += strcspn(p, BLANKS))
		fs_search_path_add(p, strcspn(p, BLANKS));
}

static void set_search_path(const struct eval_request *r)
{
	const char *set = settings_nix_path(), *env = getenv("NIX_PATH");

	for (size_t i = 0; i < r->n_search_path; i++)
		fs_search_path_add(r->search_path[i], strlen(r->search_path[i]));
	/* What a file sets is no match for the variable: cli/conf.c leaves it out then. */
	if (set)
		add_words(set);
	else if (env)
		fs_search_path_add_all(env);
	else if (!eval_settings.restricted)
		add_channels();
	add_words(settings_extra_nix_path());
}

static void allow_given_file(const char *file)
{
	char path[PATH_MAX];
	struct stat st;

	const char *real = file && strcmp(file, "-") ? realpath(file, path) : NULL;

	if (file)
		trail_real(file, real);
	if (!real || stat(path, &st) < 0)
		return;
	if (!S_ISDIR(st.st_mode)) {
		char *slash = strrchr(path, '/');
		slash[slash == path] = 0;
	}
	fs_allow(path, strlen(path));
}

static void begin(const struct eval_request *r)
{
	static const struct eval_io io = { path_to_store, report_message, report_remark, source_real_path };

	session = session_new(&eval_settings, world_builtins, &io);
	session_enter(session);
	eval_store_attach();
	if (eval_settings.pure)
		allow_given_file(r->file);
	else
		set_search_path(r);
}

int world_write_profile(const char *path, void (*write)(FILE *out))
{
	FILE *f = fopen(path, "we");
	int bad;

	if (f)
		write(f);
	bad = !f || ferror(f);
	if (f && fclose(f))
		bad = 1;
	if (bad)
		report_error("cannot write '%s': %s", path, strerror(errno));
	return bad ? EXIT_FAILED : EXIT_DONE;
}

int world_end(void)
{
	return eval_settings.profiler ? world_write_profile(eval_settings.profile_file, flame_stop) : EXIT_DONE;
}

void world_start(const struct eval_request *r, char *stack_low)
{
	eval_settings.parse.warn = lint_warning;
	eval_settings.parse.pure = eval_settings.pure;
	eval_thread(stack_low);
	begin(r);
	if (eval_settings.profiler)
		flame_start(eval_settings.profile_frequency);
}

void world_renew(const struct eval_request *r)
{
	struct session *old = session;

	compiled_save();
	begin(r);
	session_free(old);
}
