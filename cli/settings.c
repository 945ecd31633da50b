/* SPDX-License-Identifier: MIT
 *
 * The settings that evaluation reads are a table of names and fields of eval_settings; those about building are
 * options of cli/build_options.c under their names.  Others of nix.conf are taken, so that command lines written for Nix
 * work, and are said to have no effect; a name that nix.conf does not have is a mistake and is said to be one.
 */
#include "config.h"
#include "cli/settings.h"
#include "cli/build_options.h"
#include "cli/flake_options.h"
#include "cli/shell.h"
#include "eval/eval.h"
#include "flake/registry.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

enum setting_kind { SET_BOOL, SET_UINT, SET_STRING, SET_LINT, SET_FEATURES };

#define BLANKS " \t\n"

static const char *nix_path;

struct setting {
	const char *name;
	enum setting_kind kind;
	void *field;
	const char *usual, *doc; /* what it is when nothing sets it, in words; one sentence */
};

static const struct setting settings[] = {
	{ "abort-on-warn", SET_BOOL, &eval_settings.abort_on_warn,
	  "false", "End the evaluation at the first builtins.warn." },
	{ "allow-dirty-locks", SET_BOOL, &flake_settings.allow_dirty_locks,
	  "false", "Let lock files hold inputs that only a hash pins." },
	{ "commit-lock-file-summary", SET_STRING, &flake_settings.commit_summary,
	  "what was done", "The first line of a commit of a lock file." },
	{ "commit-lockfile-summary", SET_STRING, &flake_settings.commit_summary,
	  "what was done", "The same by its older name." },
	{ "allow-import-from-derivation", SET_BOOL, &eval_settings.allow_ifd,
	  "true, but for 'flake show'", "Build what an evaluation reads out of a derivation." },
	{ "trace-import-from-derivation", SET_BOOL, &eval_settings.trace_ifd,
	  "false", "Say what was built for an evaluation, and where it was read." },
	{ "compile-cache", SET_BOOL, &eval_settings.compile_cache,
	  "true", "Keep what was parsed for the next run." },
	{ "eval-cache", SET_BOOL, &eval_settings.eval_cache,
	  "true", "Keep what was evaluated for the next run." },
	{ "eval-system", SET_STRING, &eval_settings.system,
	  "this machine's", "What builtins.currentSystem is." },
	{ "system", SET_STRING, &eval_settings.system,
	  "this machine's", "The system that is built for, and what builtins.currentSystem is." },
	{ "flake-registry", SET_STRING, &registry_settings.global,
	  "the one that comes with gx", "The global registry: a file, an address, or nothing." },
	{ "lint-absolute-path-literals", SET_LINT, &eval_settings.parse.absolute_paths,
	  "ignore", "What to do about path literals that begin with '/' or '~'." },
	{ "lint-short-path-literals", SET_LINT, &eval_settings.parse.short_paths,
	  "ignore", "What to do about path literals such as 'a/b' without './'." },
	{ "lint-url-literals", SET_LINT, &eval_settings.parse.url_literals,
	  "ignore", "What to do about URLs without quotes." },
	{ "max-call-depth", SET_UINT, &eval_settings.max_call_depth,
	  "10000", "How deep calls may be nested." },
	{ "nix-path", SET_STRING, &nix_path,
	  "none", "Where <name> is looked up: 'name=path' or folders, with blanks between." },
	{ "pure-eval", SET_BOOL, &eval_settings.pure,
	  "true for flakes, else false", "No clock, environment, search path or file that was not given." },
	{ "restrict-eval", SET_BOOL, &eval_settings.restricted,
	  "false", "Only files of the search path may be read, and nothing fetched." },
	{ "shell-note", SET_BOOL, &shell_note,
	  "true", "Say that a shell has begun, and how to leave it." },
	{ "show-trace", SET_BOOL, &eval_settings.show_trace,
	  "false", "Show the whole trace of an error." },
	{ "tarball-ttl", SET_UINT, &eval_settings.tarball_ttl,
	  "3600", "Seconds before what an address without a hash gave is asked for again." },
	{ "trace-verbose", SET_BOOL, &eval_settings.trace_verbose,
	  "false", "Let builtins.traceVerbose print." },
	{ "use-registries", SET_BOOL, &registry_settings.use,
	  "true", "Look names of flakes up in registries." },
	{ "experimental-features", SET_FEATURES, NULL,
	  "none", "Of Nix; parse-toml-timestamps is the only one that changes anything." },
	{ "extra-experimental-features", SET_FEATURES, NULL,
	  "none", "Those besides." },
};

/* Experimental features of Nix that are off here too unless asked for.  Others are always there, or of no meaning. */
static const struct feature {
	const char *name;
	int *field;
} features[] = {
	{ "parse-toml-timestamps", &eval_settings.toml_timestamps },
};

/* Known to nix.conf, of no meaning here; those that are true or false, then the others. */
static const char *const other_bools[] = {
	"accept-flake-config", "allow-dirty", "auto-optimise-store", "builders-use-substitutes", "fallback",
	"http2", "keep-derivations", "keep-outputs", "require-sigs", "substitute", "use-sqlite-wal",
	"warn-dirty",
};
static const char *const other_settings[] = {
	"builders", "connect-timeout", "download-attempts", "eval-cores", "extra-substituters",
	"extra-trusted-public-keys", "http-connections", "max-substitution-jobs",
	"narinfo-cache-negative-ttl", "narinfo-cache-positive-ttl", "netrc-file", "stalled-download-timeout", "store",
	"substituters", "trusted-public-keys", "trusted-users", "user-agent-suffix",
};
#define IS_IN(table, name) is_in(table, sizeof(table) / sizeof *(table), name)

static const struct setting *find(const char *name)
{
	for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
		if (!strcmp(settings[i].name, name))
			return &settings[i];
	return NULL;
}

static int is_in(const char *const *table, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(table[i], name))
			return 1;
	return 0;
}

int settings_bool(const char *value)
{
	if (!strcmp(value, "true") || !strcmp(value, "yes") || !strcmp(value, "1"))
		return 1;
	return !strcmp(value, "false") || !strcmp(value, "no") || !strcmp(value, "0") ? 0 : -1;
}

static enum setting_result set_bool(int *field, const char *value)
{
	int yes = settings_bool(value);

	if (yes < 0)
		return SETTING_BAD;
	*field = yes;
	return SETTING_OK;
}

/* As settings_set would say of a value for it. */
static enum setting_result other_set(const char *name, const char *value)
{
	int ignored;

	if (IS_IN(other_settings, name))
		return SETTING_IGNORED;
	if (!IS_IN(other_bools, name))
		return build_setting(name, value);
	return set_bool(&ignored, value) == SETTING_OK ? SETTING_IGNORED : SETTING_BAD;
}

static enum setting_result set_uint(uint32_t *field, const char *value)
{
	char *end;

	errno = 0;
	unsigned long n = strtoul(value, &end, 10);
	if (errno || end == value || *end || value[0] == '-' || n > UINT32_MAX)
		return SETTING_BAD;
	*field = (uint32_t)n;
	return SETTING_OK;
}

static enum setting_result set_lint(enum lint_level *field, const char *value)
{
	if (!strcmp(value, "ignore"))
		*field = LINT_IGNORE;
	else if (!strcmp(value, "warn"))
		*field = LINT_WARN;
	else if (!strcmp(value, "fatal"))
		*field = LINT_FATAL;
	else
		return SETTING_BAD;
	return SETTING_OK;
}

/* Turns on the features named in a list with blanks between; without `extra` those not named are off. */
static enum setting_result set_features(const char *list, int extra)
{
	for (size_t i = 0; i < sizeof features / sizeof *features; i++) {
		size_t n = strlen(features[i].name);
		if (!extra)
			*features[i].field = 0;
		for (const char *p = list; *(p += strspn(p, BLANKS)); p += strcspn(p, BLANKS))
			if (strcspn(p, BLANKS) == n && !memcmp(p, features[i].name, n))
				*features[i].field = 1;
	}
	return SETTING_OK;
}

static enum setting_result set(const char *name, const char *value)
{
	const struct setting *s = find(name);

	if (!s)
		return other_set(name, value);
	switch (s->kind) {
	case SET_BOOL:
		return set_bool(s->field, value);
	case SET_UINT:
		return set_uint(s->field, value);
	case SET_LINT:
		return set_lint(s->field, value);
	case SET_STRING:
		*(const char **)s->field = value;
		return SETTING_OK;
	case SET_FEATURES:
		return set_features(value, !strncmp(name, "extra-", 6));
	}
	return SETTING_UNKNOWN;
}

/* --- for people --- */

/* What was set, by the setting's number. */
static const char *set_to[64];

static void remember(const char *name, const char *value)
{
	for (size_t i = 0; settings_name(i) && i < sizeof set_to / sizeof *set_to; i++)
		if (!strcmp(settings_name(i), name))
			set_to[i] = value;
}

enum setting_result settings_set(const char *name, const char *value)
{
	enum setting_result r = set(name, value);

	if (r == SETTING_OK)
		remember(name, value);
	return r;
}

/* Settings that a variable of the environment is another way to set. */
static void find_in_environment(struct setting_info *out)
{
	static const char *const names[][2] = { { "nix-path", "NIX_PATH" }, { "compile-cache", "GX_COMPILE_CACHE" },
						{ "eval-cache", "GX_EVAL_CACHE" } };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (!strcmp(out->name, names[i][0]) && (out->value = getenv(names[i][1])))
			out->from = names[i][1];
}

int settings_info(size_t i, struct setting_info *out)
{
	size_t n = sizeof settings / sizeof *settings;

	*out = (struct setting_info){ .from = "default" };
	if (i < n) {
		out->name = settings[i].name;
		out->doc = settings[i].doc;
		out->usual = settings[i].usual;
	} else if (!build_setting_info(i - n, out)) {
		return 0;
	}
	out->kind = settings_wanted(out->name);
	find_in_environment(out);
	if (i < sizeof set_to / sizeof *set_to && set_to[i]) {
		out->value = set_to[i];
		out->from = "the command line";
	}
	return 1;
}

const char *settings_wanted(const char *name)
{
	const struct setting *s = find(name);

	if (!s)
		return IS_IN(other_bools, name) || build_setting_is_bool(name) == 1 ? "true or false" : "a value";
	switch (s->kind) {
	case SET_BOOL:
		return "true or false";
	case SET_UINT:
		return "a number";
	case SET_LINT:
		return "ignore, warn or fatal";
	case SET_STRING:
	case SET_FEATURES:
		break;
	}
	return "a value";
}

int settings_is_bool(const char *name)
{
	const struct setting *s = find(name);

	if (!s)
		return IS_IN(other_bools, name) ? 1 : IS_IN(other_settings, name) ? 0 : build_setting_is_bool(name);
	return s->kind == SET_BOOL;
}

const char *settings_name(size_t i)
{
	size_t n = sizeof settings / sizeof *settings;

	return i < n ? settings[i].name : build_setting_name(i - n);
}

const char *settings_nix_path(void)
{
	return nix_path;
}

/* This machine in the language's words: "x86_64-linux". */
static const char *this_system(void)
{
	static char text[160];
	struct utsname u;

	if (uname(&u) < 0)
		return "x86_64-linux";
	const char *cpu = u.machine;
	if (cpu[0] == 'i' && !strcmp(cpu + 2, "86"))
		cpu = "i686";
	snprintf(text, sizeof text, "%s-linux", cpu);
	return text;
}

void settings_defaults(void)
{
	eval_settings.system = this_system();
	eval_settings.allow_ifd = -1;
	if (!eval_settings.store_dir)
		eval_settings.store_dir = "/nix/store";
	eval_settings.parse.home = getenv("HOME");
	const char *keep = getenv("GX_COMPILE_CACHE");
	eval_settings.compile_cache = keep && !strcmp(keep, "0") ? 0 : keep && !strcmp(keep, "always") ? 2 : 1;
	const char *answers = getenv("GX_EVAL_CACHE");
	eval_settings.eval_cache = answers && !strcmp(answers, "0") ? 0 : answers && !strcmp(answers, "always") ? 2 : 1;
}
