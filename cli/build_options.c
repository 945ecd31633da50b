/* SPDX-License-Identifier: MIT
 *
 * Options about building, by Nix's names where it has them.
 *
 * The pipe of the signal handler lives as long as the process: a build loop watches its reading end
 * (build_settings.cancel_fd), and a second signal finds the first still there.
 */
#include "config.h"
#include "cli/build_options.h"

#include "cli/command.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "cli/signals.h"
#include "build/builder_fetch.h"
#include "cli/conf.h"
#include "cli/programs.h"
#include "remote/machines.h"
#include "remote/remote_settings.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	O_KEEP_GOING = BUILD_OPTION_FIRST,
	O_KEEP_FAILED,
	O_MAX_JOBS,
	O_CORES,
	O_TIMEOUT,
	O_MAX_SILENT,
	O_MAX_LOG,
	O_LOG_LINES,
	O_LOGS,
	O_QUIET,
	O_REBUILD,
	O_REPAIR,
	O_DRY_RUN,
	O_SANDBOX,
	O_NO_SANDBOX,
	O_SHELL,
	O_FEATURES,
	O_PROCESSES,
	O_IMPURE_ENV,
	O_LOG_FORMAT
};

const struct option build_option_table[] = {
	{ O_MAX_JOBS, 'j', "max-jobs", "N",
	  "Run N builders at once; auto, the default: as many as this machine has cores; 0: none, the machines of 'builders' do "
	  "it all. What is fetched is not counted." },
	{ O_CORES, 0, "cores", "N", "Tell builders to use N cores (NIX_BUILD_CORES); 0: all." },
	{ O_KEEP_GOING, 'k', "keep-going", NULL, "After a failure build what does not need what failed." },
	{ O_KEEP_FAILED, 'K', "keep-failed", NULL, "Keep the folder of a failed build." },
	{ O_REBUILD, 0, "rebuild", NULL, "Build what is valid once more and compare." },
	{ O_REPAIR, 0, "repair", NULL, "Build what is valid once more, and replace what was damaged." },
	{ O_DRY_RUN, 0, "dry-run", NULL, "Only say what would be built." },
	{ O_TIMEOUT, 0, "timeout", "SECONDS", "Stop a build that takes longer." },
	{ O_MAX_SILENT, 0, "max-silent-time", "SECONDS", "Stop a build that prints nothing for so long." },
	{ O_MAX_LOG, 0, "max-build-log-size", "BYTES", "Stop a build that prints more." },
	{ O_LOGS, 'L', "print-build-logs", NULL, "Print what builders print." },
	{ O_LOG_LINES, 0, "log-lines", "N", "Show the last N lines of a failed build (25)." },
	{ O_QUIET, 'q', "quiet", NULL, "Say nothing of builds that succeed." },
	{ O_LOG_FORMAT, 0, "log-format", "FORMAT", "Show progress as " LOG_FORMATS "." },
	{ O_SANDBOX, 0, "sandbox", "MODE",
	  "required: every builder sees only its inputs (the default); relaxed: but those with __noChroot; none: builders see this "
	  "machine." },
	{ O_NO_SANDBOX, 0, "no-sandbox", NULL, NULL },
	{ O_SHELL, 0, "sandbox-shell", "PATH", "A static program that builders see as /bin/sh." },
	{ O_FEATURES, 0, "system-features", "NAMES", "What requiredSystemFeatures may ask for." },
	{ O_PROCESSES, 0, "build-processes", "N",
	  "Let one builder have N processes and threads; 0, the default: by the cores of this machine, and at least 4096." },
	{ O_IMPURE_ENV, 0, "allowed-impure-env-vars", "NAMES",
	  "Variables of the environment that builders of fixed outputs may ask for (impureEnvVars), besides those about "
	  "proxies and mirrors." },
	{ 0, 0, NULL, NULL, NULL }
};

/* Those that are settings as well, by the same names. */
static const struct {
	int id;
	const char *usual; /* what it is when nothing sets it, in words */
} settings[] = {
	{ O_MAX_JOBS, "auto" },
	{ O_CORES, "0" },
	{ O_KEEP_GOING, "false" },
	{ O_KEEP_FAILED, "false" },
	{ O_TIMEOUT, "none" },
	{ O_MAX_SILENT, "none" },
	{ O_MAX_LOG, "none" },
	{ O_LOG_LINES, "25" },
	{ O_SANDBOX, "required" },
	{ O_SHELL, NULL }, /* build_shell() */
	{ O_FEATURES, "nixos-test benchmark big-parallel, and kvm where there is one" },
	{ O_PROCESSES, "0" },
	{ O_IMPURE_ENV, "none" },
};

/* What settings said before there were options to fill. */
static struct build_options chosen;
static int begun;

/* The options of the command: what is set later, by a flake, counts for them as well. */
static struct build_options *live;

/* While one is set as a setting: what it would have taken instead, for who asked to say. */
static int as_setting;
static const char *refused;

static unsigned cores(void)
{
	cpu_set_t all;

	return sched_getaffinity(0, sizeof all, &all) ? 1 : (unsigned)CPU_COUNT(&all);
}

static struct build_options *defaults(void)
{
	if (!begun) {
		build_settings_init(&chosen.settings);
		chosen.settings.max_jobs = cores();
	}
	begun = 1;
	return &chosen;
}

void build_options_init(struct build_options *o)
{
	*o = *defaults();
	live = o;
}

static int bad(const char *name, const char *value, const char *wanted)
{
	refused = wanted;
	if (!as_setting)
		report_error("--%s is %s, not '%s'", name, wanted, value);
	return EXIT_USAGE;
}

static int number(const char *name, const char *text, unsigned long long max, unsigned long long *out)
{
	char *end;

	errno = 0;
	*out = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || *out > max)
		return bad(name, text, "a number");
	return 0;
}

static int take_unsigned(const char *name, const char *text, unsigned *out)
{
	unsigned long long n = 0;
	int rc = number(name, text, INT_MAX, &n);

	*out = (unsigned)n;
	return rc;
}

static int take_jobs(struct build_options *o, const char *text)
{
	if (!strcmp(text, "auto")) {
		o->settings.max_jobs = cores();
		return 0;
	}
	if (take_unsigned("max-jobs", text, &o->settings.max_jobs))
		return EXIT_USAGE;
	return o->settings.max_jobs <= 4096 ? 0 : bad("max-jobs", text, "auto or from 0 to 4096");
}

static int take_sandbox(struct build_options *o, const char *text)
{
	static const struct {
		const char *word;
		enum build_confinement c;
	} words[] = { { "required", CONFINE_REQUIRED }, { "true", CONFINE_REQUIRED }, { "relaxed", CONFINE_RELAXED },
		      { "none", CONFINE_NONE },	        { "false", CONFINE_NONE } };

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (!strcmp(text, words[i].word)) {
			o->settings.confinement = words[i].c;
			return 0;
		}
	return bad("sandbox", text, "required, relaxed or none");
}

static int take_log_size(struct build_options *o, const char *text)
{
	unsigned long long n = 0;
	int rc = number("max-build-log-size", text, ULLONG_MAX, &n);

	o->settings.max_log = n;
	return rc;
}

/* What --dry-run says: counted first, then listed. */
static struct {
	struct buf builds, fetches;
	size_t n_builds;
} plan = { BUF_INIT, BUF_INIT, 0 };

static void add_line(struct buf *b, const struct store *s, const struct store_path *p)
{
	buf_adds(b, "\n  ");
	store_add_path(s, b, p);
}

static void would_build(void *user, const struct store *s, const struct store_path *drv)
{
	(void)user;
	plan.n_builds++;
	add_line(&plan.builds, s, drv);
}

static void would_fetch(void *user, const struct store *s, const struct path_set *paths, uint64_t packed, uint64_t unpacked)
{
	struct buf *b = &plan.fetches;

	(void)user;
	if (paths->n == 1)
		buf_adds(b, "this path will be fetched (");
	else
		buf_addf(b, "these %zu paths will be fetched (", paths->n);
	buf_add_size(b, packed);
	buf_adds(b, " download, ");
	buf_add_size(b, unpacked);
	buf_adds(b, " unpacked):");
	for (size_t i = 0; i < paths->n; i++)
		add_line(b, s, &paths->v[i]);
}

static void say_plan(void)
{
	if (plan.n_builds == 1)
		report_line("this derivation will be built:%s", buf_str(&plan.builds));
	else if (plan.n_builds)
		report_line("these %zu derivations will be built:%s", plan.n_builds, buf_str(&plan.builds));
	if (plan.fetches.len)
		report_line("%s", buf_str(&plan.fetches));
	buf_release(&plan.builds);
	buf_release(&plan.fetches);
	plan.n_builds = 0;
}

static int take(struct build_options *o, int id, char **values)
{
	struct build_settings *s = &o->settings;

	switch (id) {
	case O_KEEP_GOING: s->keep_going = 1; return 0;
	case O_KEEP_FAILED: s->keep_failed = 1; return 0;
	case O_REBUILD: s->check = 1; return 0;
	case O_REPAIR: s->check = s->repair = 1; return 0;
	case O_DRY_RUN:
		o->dry_run = 1;
		s->plan = would_build;
		s->plan_fetch = would_fetch;
		return 0;
	case O_MAX_JOBS: return take_jobs(o, values[0]);
	case O_CORES: return take_unsigned("cores", values[0], &s->cores);
	case O_TIMEOUT: return take_unsigned("timeout", values[0], &s->timeout);
	case O_MAX_SILENT: return take_unsigned("max-silent-time", values[0], &s->max_silent);
	case O_MAX_LOG: return take_log_size(o, values[0]);
	case O_LOG_LINES: return take_unsigned("log-lines", values[0], &s->log_lines);
	case O_LOGS: progress_settings.logs = 1; return 0;
	case O_QUIET: progress_settings.quiet = 1; return 0;
	case O_SANDBOX: return take_sandbox(o, values[0]);
	case O_NO_SANDBOX: return take_sandbox(o, "none");
	case O_SHELL: s->shell = values[0]; return 0;
	case O_FEATURES: s->features = values[0]; return 0;
	case O_PROCESSES: return take_unsigned("build-processes", values[0], &s->max_procs);
	case O_IMPURE_ENV: s->impure_env = values[0]; return 0;
	case O_LOG_FORMAT:
		return progress_set_format(values[0]) ? bad("log-format", values[0], LOG_FORMATS) : 0;
	}
	return 0;
}

static uint32_t bit_of(int id)
{
	return 1u << (id - BUILD_OPTION_FIRST);
}

int build_options_take(struct build_options *o, int id, char **values)
{
	o->given |= bit_of(id);
	return take(o, id, values);
}

static const struct option *setting_option(size_t i)
{
	const struct option *o = build_option_table;

	while (o->id != settings[i].id)
		o++;
	return o;
}

const char *build_setting_name(size_t i)
{
	return i < sizeof settings / sizeof *settings ? setting_option(i)->name : NULL;
}

int build_setting_info(size_t i, struct setting_info *out)
{
	if (i >= sizeof settings / sizeof *settings)
		return 0;
	out->name = setting_option(i)->name;
	out->doc = setting_option(i)->doc;
	out->usual = settings[i].usual ? settings[i].usual : build_shell();
	return 1;
}

int build_setting_now(size_t i, struct buf *b)
{
	static const char *const modes[] = { [CONFINE_REQUIRED] = "true", [CONFINE_RELAXED] = "relaxed",
					     [CONFINE_NONE] = "false" };
	const struct build_settings *s = &defaults()->settings;

	if (i >= sizeof settings / sizeof *settings)
		return 0;
	switch (settings[i].id) {
	case O_MAX_JOBS: buf_addf(b, "%u", s->max_jobs); break;
	case O_CORES: buf_addf(b, "%u", s->cores); break;
	case O_KEEP_GOING: buf_adds(b, s->keep_going ? "true" : "false"); break;
	case O_KEEP_FAILED: buf_adds(b, s->keep_failed ? "true" : "false"); break;
	case O_TIMEOUT: buf_addf(b, "%u", s->timeout); break;
	case O_MAX_SILENT: buf_addf(b, "%u", s->max_silent); break;
	case O_MAX_LOG: buf_addf(b, "%llu", (unsigned long long)s->max_log); break;
	case O_LOG_LINES: buf_addf(b, "%u", s->log_lines); break;
	case O_SANDBOX: buf_adds(b, modes[s->confinement]); break;
	case O_SHELL: buf_adds(b, s->shell ? s->shell : build_shell()); break;
	case O_FEATURES: buf_adds(b, s->features ? s->features : build_usual_features()); break;
	case O_PROCESSES: buf_addf(b, "%u", s->max_procs); break;
	case O_IMPURE_ENV: buf_adds(b, s->impure_env ? s->impure_env : ""); break;
	}
	return 1;
}

static const struct option *find_setting(const char *name)
{
	for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
		if (!strcmp(build_setting_name(i), name))
			return setting_option(i);
	return NULL;
}

int build_setting_is_bool(const char *name)
{
	const struct option *o = find_setting(name);

	return !o ? -1 : !o->value;
}

const char *build_setting_wanted(const char *name)
{
	return build_setting_is_bool(name) == 1 ? "true or false" : refused ? refused : "a value";
}

const char **build_setting_list(const char *name)
{
	const struct option *o = find_setting(name);
	struct build_settings *s = &defaults()->settings;

	if (o && o->id == O_FEATURES) {
		if (!s->features)
			s->features = build_usual_features();
		return &s->features;
	}
	return o && o->id == O_IMPURE_ENV ? &s->impure_env : NULL;
}

static enum setting_result set(struct build_options *o, const struct option *s, const char *value)
{
	char *values[] = { (char *)value };
	int yes;

	if (s->value) {
		as_setting = 1;
		int bad = take(o, s->id, values);
		as_setting = 0;
		return bad ? SETTING_BAD : SETTING_OK;
	}
	yes = settings_bool(value);
	if (yes < 0)
		return SETTING_BAD;
	*(s->id == O_KEEP_GOING ? &o->settings.keep_going : &o->settings.keep_failed) = yes;
	return SETTING_OK;
}

enum setting_result build_setting(const char *name, const char *value)
{
	const struct option *s = find_setting(name);
	enum setting_result r = s ? set(defaults(), s, value) : SETTING_UNKNOWN;

	if (r == SETTING_OK && live && !(live->given & bit_of(s->id)))
		set(live, s, value);
	return r;
}

static int cancel_pipe[2] = { -1, -1 };

static void on_signal(int sig)
{
	int saved = errno;
	ssize_t n = write(cancel_pipe[1], "", 1);

	(void)sig;
	(void)n;
	errno = saved;
}

static void catch_signals(void)
{
	char bytes[64];

	if (cancel_pipe[0] < 0 && pipe2(cancel_pipe, O_CLOEXEC | O_NONBLOCK)) {
		signals_push(SIGNALS_END, signals_exit);
		return;
	}
	/* What was meant for a build before this. */
	while (read(cancel_pipe[0], bytes, sizeof bytes) > 0)
		;
	signals_push(SIGNALS_END, on_signal);
}

/* Without them only builds that fetch fail, each saying why when it reads them again. */
static void add_fetchers(struct build_hooks *h)
{
	struct err e = ERR_INIT;

	if (fetch_builders_prepare(&e))
		err_release(&e);
	h->builtins = fetch_builders;
	h->content_hash = fetch_content_hash;
	h->paths = fetch_builder_paths;
	h->input = fetch_builder_input;
}

/* What the setting 'builders' names, as long as it says the same: a daemon's clients say other things. */
static const struct build_machines *machines(void)
{
	static struct machines *all;
	static const char *from;
	static char own[PATH_MAX];
	const char *text = remote_settings.builders;
	struct buf usual = BUF_INIT;
	struct err e = ERR_INIT;

	if (all && text == from)
		return machines_for_builds(all);
	if (!*own && !own_program(own, sizeof own))
		remote_settings.own_program = own;
	machines_free(all);
	all = NULL;
	from = text;
	/* Where nobody lists any there is nothing to say, nor where the list is for others to read. */
	buf_addf(&usual, "@%s/machines", conf_folder());
	if (!text)
		text = access(usual.p + 1, R_OK) ? "" : usual.p;
	if (machines_parse(&all, text, &e)) {
		report_warning(0, 0, e.msg);
		err_release(&e);
	}
	buf_release(&usual);
	return machines_for_builds(all);
}

static unsigned failure_bits(int code)
{
	switch (code) {
	case ERR_TIMEOUT: return EXIT_BUILD_TIMEOUT - EXIT_BUILD_BASE;
	case ERR_HASH: return EXIT_BUILD_HASH - EXIT_BUILD_BASE;
	case ERR_DIFFERS: return EXIT_BUILD_DIFFERS - EXIT_BUILD_BASE;
	case ERR_BUILD: return EXIT_BUILD - EXIT_BUILD_BASE;
	}
	return 0;
}

/* Nobody who types a command sees what a file of the machine says: weaker than usual is never silent. */
static void say_confinement(const struct build_options *o)
{
	static int said;
	const char *from = settings_from("sandbox");

	/* What is built for a store that is not at its place is confined all the same. */
	if (said || o->settings.confinement != CONFINE_NONE || o->mapped || !from || settings_is_said("sandbox") ||
	    (o->given & (bit_of(O_SANDBOX) | bit_of(O_NO_SANDBOX))))
		return;
	said = 1;
	report_line("note: builders are not confined: %s sets 'sandbox'", from);
}

static void on_event(void *user, const struct build_event *ev)
{
	struct build_options *o = user;

	if (ev->kind == BUILD_START && !ev->fetch)
		say_confinement(o);
	if (ev->kind == BUILD_FAILED)
		o->failed |= failure_bits(ev->code);
	progress_build_event(ev);
}

void build_options_prepare(struct build_options *o, const struct store *s)
{
	const char *features = store_place(s)->features;

	if (features && !(o->given & bit_of(O_FEATURES)))
		o->settings.features = features;
	add_fetchers(&o->settings.hooks);
	o->settings.machines = machines();
}

void build_options_apply(struct build_options *o, const struct store *s)
{
	o->mapped = place_is_mapped(store_place(s));
	progress_begin();
	catch_signals();
	build_options_prepare(o, s);
	progress_watch_builds(store_dir(s));
	o->failed = 0;
	o->settings.hooks.event = on_event;
	o->settings.hooks.user = o;
	o->settings.cancel_fd = cancel_pipe[0];
}

void build_options_end(void)
{
	say_plan();
	signals_pop();
	progress_end();
}

int build_options_status(const struct build_options *o, struct err *e)
{
	int status = build_is_failure(e->code) ? EXIT_BUILD : e->code == ERR_INTERRUPT ? EXIT_INTERRUPTED : EXIT_FAILED;

	progress_finish();
	if (status == EXIT_BUILD && o->failed)
		status = EXIT_BUILD_BASE | (int)o->failed;
	else if (e->code == ERR_REJECTED)
		status = EXIT_FAILED;
	if (settings_one_failure && status != EXIT_INTERRUPTED)
		status = EXIT_FAILED;
	report_err(e);
	err_release(e);
	return status;
}
