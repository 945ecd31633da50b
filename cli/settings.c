/* SPDX-License-Identifier: MIT
 *
 * A setting is a row of the table: its name, the field it sets, what it is when nothing does.  Those about building are options of
 * cli/build_options.c under their names.  Settings of Nix that change nothing are in settings_known.c; on a command line they are
 * taken, and it is said that they do nothing.
 *
 * "extra-NAME" adds to a list.
 */
#include "config.h"
#include "cli/settings.h"
#include "build/build.h"
#include "build/build_space.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "base/words.h"
#include "cache/cache_settings.h"
#include "cli/build_options.h"
#include "cli/flake_config.h"
#include "cli/flake_options.h"
#include "cli/report.h"
#include "cli/nix/nix.h"
#include "cli/progress.h"
#include "cli/settings_int.h"
#include "cli/shell.h"
#include "eval/eval.h"
#include "fetch/fetch_settings.h"
#include "flake/registry.h"
#include "store/gc.h"
#include "store/optimise.h"
#include "store/profile.h"
#include "remote/remote_settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

enum setting_kind {
	SET_BOOL,
	SET_UINT,
	SET_SIZE,
	SET_PROFILER,
	SET_STRING,
	SET_UNLESS_EMPTY,
	SET_LIST,
	SET_SECRETS,
	SET_LINT,
	SET_LINT_BOOL,
	SET_FEATURES
};

#define BLANKS " \t\n"

/* NIX_PATH is not among them: it is asked for where the search path is made. */
static const char *nix_path, *extra_nix_path;

struct setting {
	const char *name;
	enum setting_kind kind;
	void *field;
	const char *usual, *doc; /* what it is when nothing sets it, in words; one sentence */
};

static const struct setting settings[] = {
	{ "accept-flake-config", SET_BOOL, &flake_config_accepted,
	  "false", "Obey the gxConfig or nixConfig of a flake, but for what runs code or says whom to trust." },
	{ "access-tokens", SET_SECRETS, &fetch_settings.access_tokens,
	  "none", "What forges are shown: 'host=token', with blanks between." },
	{ "abort-on-warn", SET_BOOL, &eval_settings.abort_on_warn,
	  "false", "End the evaluation at the first builtins.warn." },
	{ "allow-dirty", SET_BOOL, &fetch_settings.allow_dirty,
	  "true", "Take working trees with changes that are not committed." },
	{ "allow-dirty-locks", SET_BOOL, &flake_settings.allow_dirty_locks,
	  "false", "Let lock files hold inputs that only a hash pins." },
	{ "auto-optimise-store", SET_BOOL, &optimise_settings.automatic,
	  "false", "Keep files of new objects once that the store has already, as 'gx store optimise' does." },
	{ "commit-lock-file-summary", SET_STRING, &flake_settings.commit_summary,
	  "what was done", "The first line of a commit of a lock file." },
	{ "allow-import-from-derivation", SET_BOOL, &eval_settings.allow_ifd,
	  "true, but for 'flake show'", "Build what an evaluation reads out of a derivation." },
	{ "allowed-uris", SET_LIST, &eval_settings.allowed_uris,
	  "none", "What may be fetched in restricted evaluation: beginnings of addresses, with blanks between." },
	{ "apt-folder", SET_STRING, &fetch_settings.apt_folder,
	  "/etc/apt", "Where apt's sources.list is: its mirrors are asked first for packages of Debian; empty: none are." },
	{ "build-dir", SET_UNLESS_EMPTY, &build_place.dir,
	  "a folder of the store's state", "Where builders work: a folder that is there." },
	{ "connect-timeout", SET_UINT, &fetch_settings.connect_s,
	  "5", "Seconds to connect to a server." },
	{ "crates-registry", SET_STRING, &fetch_settings.crates_registry,
	  "as cargo is told", "Where crates of Rust lie: an address, as 'dl' in the config.json of a registry's index." },
	{ "download-attempts", SET_UINT, &fetch_settings.attempts,
	  "5", "How often a transfer is tried." },
	{ "go-archives", SET_STRING, &fetch_settings.go_archives,
	  "https://go.dev/dl", "Where releases of Go come from that no module is known of: the address of a folder." },
	{ "http-connections", SET_UINT, &fetch_settings.per_host,
	  "6", "Connections to one server; 0: as many as there are transfers." },
	{ "hashed-mirrors", SET_LIST, &fetch_settings.hashed_mirrors,
	  "none", "Addresses that have files by their hash, asked before those of a fetchurl: 'ADDRESS/sha256/HEX'." },
	{ "keep-derivations", SET_BOOL, &gc_settings.keep_derivations,
	  "true", "Collecting garbage keeps the derivations of what it keeps." },
	{ "keep-outputs", SET_BOOL, &gc_settings.keep_outputs,
	  "false", "Collecting garbage keeps what was built from derivations that it keeps." },
	{ "max-free", SET_SIZE, &space_settings.max_free,
	  "unlimited", "How much is to be free on the disk when builds have collected garbage." },
	{ "min-free", SET_SIZE, &space_settings.min_free,
	  "0", "Builds collect garbage when less than so many bytes are free on the disk of the store; 0: never." },
	{ "min-free-check-interval", SET_UINT, &space_settings.interval,
	  "5", "Seconds between two looks at how much is free." },
	{ "netrc-file", SET_STRING, &fetch_settings.netrc_file,
	  "NETRC, else ~/.netrc", "The file with the passwords for servers." },
	{ "npm-registry", SET_STRING, &fetch_settings.npm_registry,
	  "NPM_CONFIG_REGISTRY, else as npm says", "Where npm packages lie: the address of a registry." },
	{ "python-index", SET_STRING, &fetch_settings.python_index,
	  "PIP_INDEX_URL, else as pip says", "Where files of Python packages are looked up: the address of an index." },
	{ "ssl-cert-file", SET_STRING, &fetch_settings.ca_file,
	  "NIX_SSL_CERT_FILE, SSL_CERT_FILE, else the system's", "The file with the certificates that are trusted." },
	{ "stalled-download-timeout", SET_UINT, &fetch_settings.stall_s,
	  "30", "Seconds without a byte after which a transfer is tried again." },
	{ "trace-import-from-derivation", SET_BOOL, &eval_settings.trace_ifd,
	  "false", "Say what was built for an evaluation, and where it was read." },
	{ "compile-cache", SET_BOOL, &eval_settings.compile_cache,
	  "true", "Keep what was parsed for the next run." },
	{ "allowed-users", SET_LIST, &remote_settings.allowed_users,
	  USUAL_ALLOWED, "Who may connect to the daemon: users, '@group', or '*' for everybody." },
	{ "trusted-users", SET_LIST, &remote_settings.trusted_users,
	  USUAL_TRUSTED, "Who may do through the daemon what its own user may." },
	{ "trusted-substituters", SET_LIST, &remote_settings.trusted_substituters,
	  "none", "Binary caches that users of the daemon may name who are not trusted." },
	{ "builders", SET_STRING, &remote_settings.builders,
	  "@/etc/nix/machines",
	  "Machines that builds are given to: 'STORE SYSTEMS SSH-KEY JOBS SPEED FEATURES NEEDED', with ';' between; '@FILE': "
	  "those in a file." },
	{ "builders-use-substitutes", SET_BOOL, &remote_settings.builders_substitute,
	  "false", "Let these machines ask binary caches for what they need before it is sent to them." },
	{ "always-allow-substitutes", SET_BOOL, &cache_settings.always_allow,
	  "false", "Ask binary caches also for what says allowSubstitutes = false." },
	{ "fallback", SET_BOOL, &cache_settings.fallback,
	  "true", "Build what a binary cache has and could not be fetched." },
	{ "max-substitution-jobs", SET_UINT, &cache_settings.max_jobs,
	  "16", "How many archives are fetched at once." },
	{ "narinfo-cache-meta-ttl", SET_UINT, &cache_settings.meta_ttl,
	  "604800", "Seconds for which it is remembered what a binary cache says of itself." },
	{ "narinfo-cache-negative-ttl", SET_UINT, &cache_settings.negative_ttl,
	  "3600", "Seconds for which it is remembered what a binary cache does not have." },
	{ "narinfo-cache-positive-ttl", SET_UINT, &cache_settings.positive_ttl,
	  "2592000", "Seconds for which it is remembered what a binary cache has." },
	{ "require-sigs", SET_BOOL, &cache_settings.require_sigs,
	  "true", "What comes from elsewhere needs a signature, or a path that follows from its contents." },
	{ "secret-key-files", SET_LIST, &cache_settings.secret_key_files,
	  "none", "Files with the keys that sign what is built here." },
	{ "substitute", SET_BOOL, &cache_settings.substitute,
	  "true", "Ask binary caches before building." },
	{ "substituters", SET_LIST, &cache_settings.substituters,
	  USUAL_SUBSTITUTERS, "The binary caches that are asked: addresses, with blanks between." },
	{ "trusted-public-keys", SET_LIST, &cache_settings.trusted_keys,
	  USUAL_KEYS, "Whose signatures are trusted: public keys, with blanks between." },
	{ "eval-cache", SET_BOOL, &eval_settings.eval_cache,
	  "true", "Keep what was evaluated for the next run." },
	{ "eval-profile-file", SET_STRING, &eval_settings.profile_file,
	  "nix.profile", "What eval-profiler writes." },
	{ "eval-profiler", SET_PROFILER, &eval_settings.profiler,
	  "disabled", "flamegraph: write a profile of evaluation, for programs that draw flame graphs, with the lines of Nix." },
	{ "eval-profiler-frequency", SET_UINT, &eval_settings.profile_frequency,
	  "99", "Samples a second that eval-profiler takes; 0: each call is one." },
	{ "eval-system", SET_UNLESS_EMPTY, &eval_settings.system,
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
	{ "use-xdg-base-directories", SET_BOOL, &profile_settings.xdg,
	  "false", "Keep profiles and channels of a user below $XDG_STATE_HOME/nix instead of ~/.nix-…." },
	{ "nix-path", SET_LIST, &nix_path,
	  "none", "Where <name> is looked up: 'name=path' or folders, with blanks between." },
	{ "nix-shell-always-looks-for-shell-nix", SET_BOOL, &nix_shell_settings.looks_for_shell,
	  "true", "nix-shell takes shell.nix before default.nix of a folder that is named, as of the current one." },
	{ "nix-shell-shebang-arguments-relative-to-script", SET_BOOL, &nix_shell_settings.relative,
	  "true", "Paths in expressions on the first lines of a script for nix-shell are relative to the script." },
	{ "json-log-path", SET_STRING, &progress_settings.json_file,
	  "", "A file at whose end '--log-format internal-json' is written as well, an object a line." },
	{ "post-build-hook", SET_STRING, &build_after.hook,
	  "none", "A program to run after each build, with DRV_PATH and OUT_PATHS in its environment." },
	{ "pure-eval", SET_BOOL, &eval_settings.pure,
	  "true for flakes, else false", "No clock, environment, search path or file that was not given." },
	{ "restrict-eval", SET_BOOL, &eval_settings.restricted,
	  "false", "Only files of the search path may be read, and nothing fetched." },
	{ "sandbox-paths", SET_LIST, &build_place.paths,
	  "none", "What builders see besides their inputs: PATH[=SOURCE]; with '?' behind, only if it is there." },
	{ "shell-note", SET_BOOL, &shell_note,
	  "true", "Say that a shell has begun, and how to leave it." },
	{ "show-trace", SET_BOOL, &eval_settings.show_trace,
	  "false", "Show the whole trace of an error." },
	{ "tarball-ttl", SET_UINT, &eval_settings.tarball_ttl,
	  "3600", "Seconds before what an address without a hash gave is asked for again." },
	{ "trace-function-calls", SET_BOOL, &eval_settings.trace_calls,
	  "false", "Tell of each call when it begins and when it ends, with its place and nanoseconds since 1970." },
	{ "trace-verbose", SET_BOOL, &eval_settings.trace_verbose,
	  "false", "Let builtins.traceVerbose print." },
	{ "use-registries", SET_BOOL, &registry_settings.use,
	  "true", "Look names of flakes up in registries." },
	{ "warn-dirty", SET_BOOL, &fetch_settings.warn_dirty,
	  "false", "Warn of working trees with changes that are not committed." },
	{ "warn-short-path-literals", SET_LINT_BOOL, &eval_settings.parse.short_paths,
	  "false", "The same as lint-short-path-literals = warn, by its older name." },
	{ "warn-large-path-threshold", SET_UINT, &fetch_settings.large_tree,
	  "104857600", "Bytes from which on a folder that is copied is told of, with what is large in it; 0: never." },
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

static const struct setting *find(const char *name)
{
	for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
		if (!strcmp(settings[i].name, name))
			return &settings[i];
	return NULL;
}

int settings_bool(const char *value)
{
	if (!strcmp(value, "true") || !strcmp(value, "yes") || !strcmp(value, "1"))
		return 1;
	return !strcmp(value, "false") || !strcmp(value, "no") || !strcmp(value, "0") ? 0 : -1;
}

int settings_lenient, settings_one_failure;

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
	const struct known_setting *k = known_setting(name);
	int ignored;

	if (!k)
		return build_setting(name, value);
	return k->is_bool && set_bool(&ignored, value) != SETTING_OK ? SETTING_BAD : SETTING_IGNORED;
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

/* Bytes, with K, M, G or T behind for so many KiB, MiB, GiB or TiB. */
static enum setting_result set_size(uint64_t *field, const char *value)
{
	static const char units[] = "KMGT";
	char *end;

	errno = 0;
	unsigned long long n = strtoull(value, &end, 10);
	/* Without the bit that makes it small; a blank would be the end of the list. */
	const char *unit = *end && *end != ' ' ? strchr(units, *end & ~0x20) : NULL;
	unsigned shift = unit ? 10 * (unsigned)(unit - units + 1) : 0;
	if (errno || end == value || (*end && (!unit || end[1])) || value[0] == '-' || n > UINT64_MAX >> shift)
		return SETTING_BAD;
	*field = (uint64_t)n << shift;
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

static enum setting_result set_profiler(int *field, const char *value)
{
	*field = !strcmp(value, "flamegraph");
	return *field || !strcmp(value, "disabled") ? SETTING_OK : SETTING_BAD;
}

/* The names of those that were asked for: programs that ask what is on are told so. */
static struct words features_said;

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void say_feature(const char *name, size_t n)
{
	for (size_t i = 0; i < features_said.n; i++)
		if (!strncmp(features_said.v[i], name, n) && !features_said.v[i][n])
			return;
	words_addf(&features_said, "%.*s", (int)n, name);
	/* One is part of the other. */
	if (n == 6 && !memcmp(name, "flakes", n))
		say_feature("fetch-tree", strlen("fetch-tree"));
}

static void remember_features(const char *list, int extra)
{
	if (!extra) {
		words_release(&features_said);
		features_said = (struct words){ NULL, 0, 0 };
	}
	for (const char *p = list; *(p += strspn(p, BLANKS)); p += strcspn(p, BLANKS))
		say_feature(p, strcspn(p, BLANKS));
	if (features_said.n)
		qsort(features_said.v, features_said.n, sizeof *features_said.v, by_name);
}

static int list_has(const char *list, const char *name)
{
	size_t n = strlen(name);

	for (const char *p = list; *(p += strspn(p, BLANKS)); p += strcspn(p, BLANKS))
		if (strcspn(p, BLANKS) == n && !memcmp(p, name, n))
			return 1;
	return 0;
}

/* Turns on the features named in a list with blanks between; without `extra` those not named are off. */
static enum setting_result set_features(const char *list, int extra)
{
	/* It would be taken in silence, and nothing would come of it. */
	if (list_has(list, "no-url-literals"))
		report_line("warning: experimental feature 'no-url-literals' has been stabilized and renamed; "
			    "use 'lint-url-literals = fatal' setting instead");
	remember_features(list, extra);
	for (size_t i = 0; i < sizeof features / sizeof *features; i++) {
		if (!extra)
			*features[i].field = 0;
		if (list_has(list, features[i].name))
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
	case SET_SIZE:
		return set_size(s->field, value);
	case SET_LINT:
		return set_lint(s->field, value);
	case SET_LINT_BOOL:
		if (settings_bool(value) < 0)
			return SETTING_BAD;
		return set_lint(s->field, settings_bool(value) ? "warn" : "ignore");
	case SET_PROFILER:
		return set_profiler(s->field, value);
	case SET_UNLESS_EMPTY:
		if (*value)
			*(const char **)s->field = value;
		return SETTING_OK;
	case SET_STRING:
		*(const char **)s->field = value;
		return SETTING_OK;
	case SET_LIST:
	case SET_SECRETS:
		*(const char **)s->field = value;
		if (s->field == &nix_path)
			extra_nix_path = NULL;
		return SETTING_OK;
	case SET_FEATURES:
		return set_features(value, !strncmp(name, "extra-", 6));
	}
	return SETTING_UNKNOWN;
}

/* --- lists --- */

/* Where a list is kept that "extra-" adds to; NULL when the name is none's. */
static const char **list_field(const char *name)
{
	const struct setting *s = find(name);

	if (s && s->field == &nix_path)
		return &extra_nix_path;
	if (!s)
		return build_setting_list(name);
	return s->kind == SET_LIST || s->kind == SET_SECRETS ? (const char **)s->field : NULL;
}

/* "extra-NAME"; the name after it, NULL for any other and for settings that are called so themselves. */
static const char *extra_of(const char *name)
{
	return strncmp(name, "extra-", 6) || find(name) ? NULL : setting_of_alias(name + 6);
}

/* What "extra-" adds to where nothing was set. */
static const char *usual_list(const char **field)
{
	return field == &cache_settings.substituters ? USUAL_SUBSTITUTERS : field == &cache_settings.trusted_keys ? USUAL_KEYS : "";
}

static enum setting_result add(const char *name, const char *value)
{
	const char **field = list_field(name);
	const struct known_setting *k = known_setting(name);
	struct buf b = BUF_INIT;

	if (!field)
		return k && !k->is_bool ? SETTING_IGNORED : SETTING_UNKNOWN;
	const char *had = *field ? *field : usual_list(field);

	buf_addf(&b, "%s%s%s", had, *had ? " " : "", value);
	*field = buf_detach(&b, NULL); /* stays, as all values do */
	return SETTING_OK;
}

/* --- for people --- */

/* What was set and where, by the setting's number. */
static struct {
	const char *value, *from;
} set_to[128];

static void remember(const char *name, const char *value, const char *from)
{
	for (size_t i = 0; settings_name(i) && i < sizeof set_to / sizeof *set_to; i++)
		if (!strcmp(settings_name(i), name)) {
			set_to[i].value = value;
			set_to[i].from = from;
		}
}

/* All of a list; what is added to nix-path is kept beside it. */
static const char *whole_list(const char *name)
{
	const char **field = list_field(name);
	struct buf b = BUF_INIT;

	if (field != &extra_nix_path || !nix_path)
		return *field;
	buf_addf(&b, "%s %s", nix_path, extra_nix_path);
	return buf_detach(&b, NULL);
}

enum setting_result settings_set_from(const char *name, const char *value, const char *from)
{
	const char *more = extra_of(name = setting_of_alias(name));
	enum setting_result r = more ? add(more, value) : set(name, value);

	if (r == SETTING_OK)
		remember(more ? more : name, more ? whole_list(more) : value, from);
	return r;
}

static const char command_line[] = "the command line";

const char *settings_from(const char *name)
{
	const char *more = extra_of(name = setting_of_alias(name));

	for (size_t i = 0; settings_name(i) && i < sizeof set_to / sizeof *set_to; i++)
		if (!strcmp(settings_name(i), more ? more : name))
			return set_to[i].from;
	return NULL;
}

int settings_is_said(const char *name)
{
	return settings_from(name) == command_line;
}

enum setting_result settings_set(const char *name, const char *value)
{
	return settings_set_from(name, value, command_line);
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
	if (i < sizeof set_to / sizeof *set_to && set_to[i].value) {
		out->value = i < n && settings[i].kind == SET_SECRETS ? "(not shown)" : set_to[i].value;
		out->from = set_to[i].from;
	}
	return 1;
}

static void add_list(struct buf *b, const struct words *w)
{
	for (size_t i = 0; i < w->n; i++)
		buf_addf(b, "%s%s", i ? " " : "", w->v[i]);
}

/* A text as it is; what the table says in words stands for none. */
static void add_text(struct buf *b, const struct setting *s)
{
	const char *text = *(const char **)s->field, **list = list_field(s->name);

	if (s->kind == SET_SECRETS)
		buf_adds(b, text && *text ? "(not shown)" : "");
	else
		buf_adds(b, text ? text : list ? usual_list(list) : "");
}

int settings_now(size_t i, struct buf *b)
{
	static const char *const levels[] = { [LINT_IGNORE] = "ignore", [LINT_WARN] = "warn", [LINT_FATAL] = "fatal" };
	const struct setting *s = i < sizeof settings / sizeof *settings ? &settings[i] : NULL;

	if (!s)
		return build_setting_now(i - sizeof settings / sizeof *settings, b);
	switch (s->kind) {
	case SET_BOOL: buf_adds(b, *(int *)s->field > 0 ? "true" : "false"); break;
	case SET_UINT: buf_addf(b, "%u", (unsigned)*(uint32_t *)s->field); break;
	case SET_SIZE: buf_addf(b, "%llu", (unsigned long long)*(uint64_t *)s->field); break;
	case SET_LINT: buf_adds(b, levels[*(enum lint_level *)s->field]); break;
	case SET_LINT_BOOL: buf_adds(b, *(enum lint_level *)s->field == LINT_IGNORE ? "false" : "true"); break;
	case SET_PROFILER: buf_adds(b, *(int *)s->field ? "flamegraph" : "disabled"); break;
	case SET_FEATURES: add_list(b, &features_said); break;
	case SET_STRING:
	case SET_UNLESS_EMPTY:
	case SET_LIST:
	case SET_SECRETS: add_text(b, s); break;
	}
	return 1;
}

const char *settings_wanted(const char *name)
{
	const struct setting *s = find(name = setting_of_alias(name));
	const struct known_setting *k = known_setting(name);

	if (!s)
		return k ? k->is_bool ? "true or false" : "a value" : build_setting_wanted(name);
	switch (s->kind) {
	case SET_LINT_BOOL:
	case SET_BOOL:
		return "true or false";
	case SET_UINT:
		return "a number";
	case SET_SIZE:
		return "a number, with K, M, G or T behind";
	case SET_LINT:
		return "ignore, warn or fatal";
	case SET_PROFILER:
		return "disabled or flamegraph";
	case SET_LIST:
	case SET_SECRETS:
	case SET_FEATURES:
		return "a list";
	case SET_STRING:
	case SET_UNLESS_EMPTY:
		break;
	}
	return "a value";
}

int settings_is_bool(const char *name)
{
	const char *more = extra_of(name = setting_of_alias(name));
	const struct setting *s = find(name);
	const struct known_setting *k = known_setting(more ? more : name);

	if (more)
		return list_field(more) || k ? 0 : -1;
	return s ? s->kind == SET_BOOL || s->kind == SET_LINT_BOOL : k ? k->is_bool : build_setting_is_bool(name);
}

const char *settings_why_not(const char *name)
{
	const char *more = extra_of(name = setting_of_alias(name));
	const struct known_setting *k = known_setting(more ? more : name);

	return k ? k->why : NULL;
}

const char *settings_name(size_t i)
{
	size_t n = sizeof settings / sizeof *settings;

	return i < n ? settings[i].name : build_setting_name(i - n);
}

const char *settings_any_name(size_t i)
{
	size_t n = 0;

	while (settings_name(n))
		n++;
	if (i < n)
		return settings_name(i);
	return known_setting_at(i - n) ? known_setting_at(i - n)->name : NULL;
}

const char *settings_nix_path(void)
{
	return nix_path;
}

const char *settings_extra_nix_path(void)
{
	return extra_nix_path;
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
