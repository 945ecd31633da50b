/* SPDX-License-Identifier: MIT
 *
 * gx bench: a command run again and again under the same conditions, and what that says.
 *
 * With a flake it is run by a gx bench in the shell of `gx develop`, so that there is one way into a shell.
 */
#include "config.h"
#include "base/alloc.h"
#include "base/fdio.h"
#include "cli/bench_report.h"
#include "cli/bench_run.h"
#include "cli/command.h"
#include "cli/programs.h"
#include "cli/report.h"
#include "cli/runner.h"
#include "cli/verb.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { O_RUNS = 1, O_WARMUP, O_BASELINE, O_SAVE, O_CPUS, O_MEMORY, O_PROCESSES, O_PROFILES };

struct bench {
	struct command c;
	char **words; /* the command */
	size_t nwords;
	unsigned runs, warmup;
	const char *baseline, *save, *profiles;
	struct bench_limits limits;
	struct bench_samples samples, before;
	struct bench_run run;
};

static const struct option options[] = {
	{ O_RUNS, 'n', "runs", "N", "How often it is run (10)." },
	{ O_WARMUP, 0, "warmup", "N", "Runs before, which are not counted (1)." },
	{ O_BASELINE, 0, "baseline", "FILE", "Compare with what --save wrote, or with lines of 'go test -bench'." },
	{ O_SAVE, 0, "save", "FILE", "Write the measurements to a file, as --json prints them." },
	{ O_CPUS, 0, "cpus", "N", "Processors it may use (1); 0: all." },
	{ O_MEMORY, 0, "memory", "SIZE", "Memory it may use, such as 512M (2G); 0: all." },
	{ O_PROCESSES, 0, "processes", "N", "Processes and threads there may be at a time (1000); 0: any number." },
	{ O_PROFILES, 0, "profiles", "FOLDER",
	  "Keep profiles of each run there: of 'go test' those of processor and memory, else what the command writes to "
	  "$GX_BENCH_PROFILES." },
	OPTION_JSON,
	{ 0 }
};

static const struct option_group groups[] = { { "Options", options }, { "The store", command_store_options }, { NULL, NULL } };

static const struct program program = { "gx bench", "run a command again and again, and say what that tells",
					"gx bench [options] [FLAKE[#ATTR]] -- PROGRAM [ARGUMENT ...]",
					"With FLAKE it runs in the shell that 'gx develop' opens, else in the environment as it "
					"is. Of lines as 'go test -bench' prints "
					"them each number is measured, of other commands time and memory. Outliers, outside of the "
					"quartiles by more than one and a half "
					"times their distance, are left out; what is shown is the median, and how far the farthest "
					"is from it. A change from the baseline "
					"is one when it is less likely than 5 % by chance (Mann-Whitney).",
					groups };

/* --- the command line --- */

static int read_count(const char *text, const char *name, unsigned max, unsigned *out)
{
	char *end;

	errno = 0;
	unsigned long n = strtoul(text, &end, 10);

	if (!isdigit((unsigned char)*text) || *end || errno || n > max)
		return usage_error(&program, "--%s takes a number up to %u, not '%s'", name, max, text);
	*out = (unsigned)n;
	return 0;
}

/* A number, with K, M, G or T behind it. */
static int read_size(const char *text, uint64_t *out)
{
	static const char units[] = "KMGT";
	char *end;

	errno = 0;
	unsigned long long n = strtoull(text, &end, 10);
	const char *unit = *end ? memchr(units, toupper((unsigned char)*end), 4) : NULL;
	unsigned shift = unit ? 10 * (unsigned)(unit - units + 1) : 0;

	if (!isdigit((unsigned char)*text) || errno || (*end && (!unit || end[1])) || n > UINT64_MAX >> 1 >> shift)
		return usage_error(&program, "--memory takes a size such as 512M, not '%s'", text);
	*out = (uint64_t)n << shift;
	return 0;
}

static int on_option(void *arg, int id, char **values)
{
	struct bench *b = arg;

	switch (id) {
	case O_RUNS: return read_count(values[0], "runs", 100000, &b->runs);
	case O_WARMUP: return read_count(values[0], "warmup", 100000, &b->warmup);
	case O_CPUS: return read_count(values[0], "cpus", 4096, &b->limits.cpus);
	case O_PROCESSES: return read_count(values[0], "processes", 1000000, &b->limits.processes);
	case O_MEMORY: return read_size(values[0], &b->limits.memory);
	case O_BASELINE: b->baseline = values[0]; break;
	case O_SAVE: b->save = values[0]; break;
	case O_PROFILES: b->profiles = values[0]; break;
	}
	return 0;
}

/* --- in the shell of a flake --- */

/* gx develop FLAKE --command gx bench with all options, and the command. */
static int run_in_shell(struct bench *b, int argc, char **argv)
{
	char self[PATH_MAX], **v;
	size_t n = 0;

	if (own_program(self, sizeof self))
		return EXIT_FAILED;
	v = xcalloc((size_t)argc + b->nwords + 10, sizeof *v);
	v[n++] = (char *)"develop";
	if (b->c.request.store) {
		v[n++] = (char *)"--store";
		v[n++] = (char *)b->c.request.store;
	}
	v[n++] = b->c.operands[0];
	v[n++] = (char *)"--command";
	v[n++] = self;
	v[n++] = (char *)"bench";
	for (int i = 1; i < argc; i++)
		if (argv[i] != b->c.operands[0])
			v[n++] = argv[i];
	v[n++] = (char *)"--";
	for (size_t i = 0; i < b->nwords; i++)
		v[n++] = b->words[i];
	int rc = develop_run((int)n, v);

	free(v);
	return rc;
}

/* --- runs --- */

static int is_go_test(const struct bench *b)
{
	const char *base = strrchr(b->words[0], '/');

	return b->nwords > 1 && !strcmp(base ? base + 1 : b->words[0], "go") && !strcmp(b->words[1], "test");
}

/* The words of one run: go test is told where profiles go.  The array and `folder` are the caller's. */
static char **words_of_run(const struct bench *b, const struct buf *folder, struct buf *option)
{
	char **v = xcalloc(b->nwords + 4, sizeof *v);
	size_t n = 0, own = b->profiles && is_go_test(b);

	for (size_t i = 0; i < b->nwords; i++) {
		v[n++] = b->words[i];
		if (i != 1 || !own)
			continue;
		buf_addf(option, "-outputdir=%s", folder->p);
		v[n++] = option->p;
		v[n++] = (char *)"-cpuprofile=cpu.pprof";
		v[n++] = (char *)"-memprofile=mem.pprof";
	}
	return v;
}

/* Says how a run failed, with what it printed. */
static int failed(const struct bench *b, const char *which)
{
	const struct bench_run *r = &b->run;

	if (r->interrupted)
		return EXIT_INTERRUPTED;
	if (r->output.len)
		fprintf(stderr, "%s%s", r->output.p, r->output.p[r->output.len - 1] == '\n' ? "" : "\n");
	if (!WIFSIGNALED(r->status))
		report_error("'%s' ended with status %d in %s", b->words[0], WEXITSTATUS(r->status), which);
	else if (WTERMSIG(r->status) == SIGKILL && b->limits.has_memory)
		report_error("'%s' was killed in %s; --memory gives it more than it had", b->words[0], which);
	else
		report_error("'%s' was ended by signal %d in %s", b->words[0], WTERMSIG(r->status), which);
	return EXIT_FAILED;
}

static int run_once(struct bench *b, const char *which)
{
	struct buf folder = BUF_INIT, option = BUF_INIT;
	struct err e = ERR_INIT;
	int rc = 0;

	if (b->profiles) {
		char real[PATH_MAX];

		if (make_folders(b->profiles, 0755) || !realpath(b->profiles, real))
			rc = err_errno(&e, "cannot make the folder '%s'", b->profiles);
		else
			buf_addf(&folder, "%s/%s", real, which);
		if (!rc && make_folders(buf_str(&folder), 0755))
			rc = err_errno(&e, "cannot make the folder '%s'", folder.p);
	}
	char **words = words_of_run(b, &folder, &option);

	rc = rc ? rc : bench_once(words, &b->limits, folder.len ? folder.p : NULL, &b->run, &e);
	free(words);
	buf_release(&folder);
	buf_release(&option);
	if (rc)
		return command_fail(&e);
	return b->run.interrupted || b->run.status ? failed(b, which) : 0;
}

static void take(struct bench *b)
{
	const struct bench_run *r = &b->run;
	struct slice none = SLICE(""), name = slice_of(b->words[0]);

	if (bench_read_lines(&b->samples, (struct slice){ buf_str(&r->output), r->output.len }))
		return;
	bench_add(&b->samples, none, name, SLICE("s"), r->wall);
	bench_add(&b->samples, none, name, SLICE("s-cpu"), r->cpu);
	bench_add(&b->samples, none, name, SLICE("MiB"), (double)r->peak / (1 << 20));
}

static int run_all(struct bench *b)
{
	char which[48];
	int rc = 0;

	for (unsigned i = 0; i < b->warmup && !rc; i++) {
		snprintf(which, sizeof which, "warmup-%u", i + 1);
		rc = run_once(b, which);
	}
	for (unsigned i = 0; i < b->runs && !rc; i++) {
		snprintf(which, sizeof which, "run-%u", i + 1);
		if (!(rc = run_once(b, which)))
			take(b);
	}
	return rc;
}

/* --- what it tells --- */

static int save(const struct bench *b, const struct bench_report *r)
{
	struct buf json = BUF_INIT;
	int rc = 0;

	bench_add_json(&json, r);
	if (file_replace(b->save, json.p, json.len, 0644)) {
		report_error("cannot write '%s': %s", b->save, strerror(errno));
		rc = EXIT_FAILED;
	}
	buf_release(&json);
	return rc;
}

static int tell(struct bench *b)
{
	struct bench_report r = { .command = b->words, .runs = b->runs, .warmup = b->warmup, .limits = &b->limits,
				  .samples = &b->samples, .baseline = b->baseline ? &b->before : NULL, .profiles = b->profiles };
	struct buf out = BUF_INIT;
	int rc;

	bench_finish(&b->samples);
	bench_finish(&b->before);
	rc = b->save ? save(b, &r) : 0;
	if (b->c.json)
		bench_add_json(&out, &r);
	else
		bench_add_text(&out, &r);
	int printed = command_print(&out);

	return rc ? rc : printed;
}

static int bench_end(struct bench *b, int rc)
{
	bench_limits_release(&b->limits);
	bench_samples_release(&b->samples);
	bench_samples_release(&b->before);
	buf_release(&b->run.output);
	return command_end(&b->c, rc);
}

int bench_run(int argc, char **argv)
{
	struct bench b = { .runs = 10, .warmup = 1, .limits = { .cpus = 1, .memory = (uint64_t)2 << 30, .processes = 1000 } };
	struct err e = ERR_INIT;
	int all = argc, rc;

	b.words = runner_cut_words(&argc, argv, "--", NULL);
	b.nwords = b.words ? (size_t)(argv + all - b.words) : 0;
	b.c = (struct command){ .program = &program, .option = on_option, .arg = &b };
	rc = command_read(&b.c, argc, argv, 0, 1, "at most one flake (the program and its arguments follow --)");
	if (rc == COMMAND_GO && !b.nwords)
		rc = usage_error(&program, "the program to run follows --");
	if (rc == COMMAND_GO && !b.runs)
		rc = usage_error(&program, "--runs takes at least 1");
	if (rc == COMMAND_GO && b.c.n)
		rc = run_in_shell(&b, argc, argv);
	if (rc != COMMAND_GO)
		return bench_end(&b, rc);
	if (b.baseline && bench_read_file(&b.before, b.baseline, &e))
		return bench_end(&b, command_fail(&e));
	bench_limits_set(&b.limits);
	rc = run_all(&b);
	return bench_end(&b, rc ? rc : tell(&b));
}
