/* SPDX-License-Identifier: MIT
 *
 * golden [--accept] JOBS <LIST: the golden tests of tests/run, TAP on standard output in the order of the list.
 *
 * LIST has the absolute path of one FILE.gx a line. Each is run as `gxeval -f FILE.gx` with the words of FILE.flags ('quotes' keep blanks; lines
 * that start with # are comments), in its own folder. Expected are
 *   FILE.exp alone       status 0, standard output = FILE.exp, nothing on standard error
 *   FILE.err alone       status 1 (or 102: a hash says otherwise), standard error = FILE.err, nothing on standard output
 *   both                 status 0, and both
 * The words of FILE.env, NAME=VALUE, go into its environment, under GX_GC_STRESS those of FILE.stress too: a collection scans what is alive,
 * which a test that fills the stack or the heap cannot afford often.
 * With GX_COMPILE_CACHE=always the second of two runs counts, which finds the programs that the first one kept.
 * Where the output names the folder of the test, the expectation says /pwd; elsewhere in the source tree, /srcdir.
 * Below notyet/ the expectation is what should come out one day, and a test that passes is an error.
 *
 * A program and not a script: a script needs a shell, env, timeout, two cmp and perhaps sed for each of more than a thousand files, five times
 * the work of what is tested. The environment is that of tests/run: srcdir, gxeval, TEST_TIMEOUT (seconds).
 *
 * The outputs are files (memfd_create), not pipes: what a grandchild holds open ends nothing, and nobody has to read meanwhile.
 */
#include "config.h"
#include "base/buf.h"
#include "base/fdio.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WORDS_MAX = 64, WRONG_HASH = 102, TIMED_OUT = 124 };

/* Words cut in place from a text that they own. */
struct words {
	char *text;
	char *v[WORDS_MAX];
	size_t n;
};

struct test {
	char *file;       /* absolute */
	const char *name; /* in it: the part below tests/, with .gx */
	const char *base; /* in it: without the folder */
	char *dir, *stem; /* the folder; the file without .gx */
	struct buf report;
	struct buf out, err;
	int status, done;
};

struct job {
	struct test *t;
	pid_t pid; /* 0: free */
	int out, err, runs_left, killed;
	struct timespec start;
};

static const char *srcdir, *gxeval;
static int accepting, stress, twice;
static double limit = 120;

static void die(const char *what)
{
	fprintf(stderr, "golden: %s: %s\n", what, strerror(errno));
	exit(2);
}

static void *need(void *p)
{
	if (!p)
		die("malloc");
	return p;
}

/* --- files --- */

/* The path of STEM.EXT, in a buffer of its own. */
static const char *beside(const struct test *t, const char *ext)
{
	static struct buf b;

	buf_trim(&b, 0);
	buf_addf(&b, "%s.%s", t->stem, ext);
	return b.p;
}

/* 1 when STEM.EXT is there, and its contents. */
static int read_beside(const struct test *t, const char *ext, struct buf *b)
{
	int fd = open(beside(t, ext), O_RDONLY | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 || fd_read_all(fd, b))
		die(beside(t, ext));
	close(fd);
	return 1;
}

static void write_beside(const struct test *t, const char *ext, const struct buf *b)
{
	FILE *f = fopen(beside(t, ext), "we");

	if (!f || (b->len && fwrite(b->p, 1, b->len, f) != b->len) || fclose(f))
		die(beside(t, ext));
}

/* --- words --- */

/* Ends the word that begins at *p there, without its quotes; *p is what follows. */
static char *cut_word(char **p)
{
	char *word = *p, *to = word, quote = 0;

	for (char *from = word;; from++) {
		if (!*from || (!quote && strchr(" \t\n", *from))) {
			*p = *from ? from + 1 : from;
			*to = 0;
			return word;
		}
		if (quote ? *from == quote : *from == '\'' || *from == '"')
			quote = quote ? 0 : *from;
		else
			*to++ = *from;
	}
}

static void blank_comments(char *p)
{
	for (char *end; *p; p = end) {
		end = strchrnul(p, '\n');
		if (*p == '#')
			memset(p, ' ', (size_t)(end - p));
		if (*end)
			end++;
	}
}

/* The words of STEM.EXT; none when it is not there. */
static void read_words(const struct test *t, const char *ext, struct words *w)
{
	struct buf b = BUF_INIT;

	*w = (struct words){ 0 };
	if (!read_beside(t, ext, &b))
		return;
	buf_addc(&b, '\n');
	w->text = buf_detach(&b, NULL);
	blank_comments(w->text);
	for (char *p = w->text + strspn(w->text, " \t\n"); *p; p += strspn(p, " \t\n")) {
		if (w->n == WORDS_MAX) {
			errno = E2BIG;
			die(beside(t, ext));
		}
		w->v[w->n++] = cut_word(&p);
	}
}

/* --- running --- */

/* In the child. */
static void become(const struct job *j, const struct words *flags, const struct words *env, const struct words *more_env)
{
	char *argv[WORDS_MAX + 4] = { (char *)gxeval, (char *)"-f", (char *)j->t->base };
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setpgid(0, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	memcpy(argv + 3, flags->v, flags->n * sizeof *argv);
	for (size_t i = 0; i < env->n; i++)
		putenv(env->v[i]);
	for (size_t i = 0; i < more_env->n; i++)
		putenv(more_env->v[i]);
	setenv("PWD", j->t->dir, 1);
	if (!chdir(j->t->dir) && dup2(open("/dev/null", O_RDONLY), 0) == 0 && dup2(j->out, 1) == 1 && dup2(j->err, 2) == 2)
		execv(gxeval, argv);
	perror(gxeval);
	_exit(127);
}

static void start_run(struct job *j)
{
	struct words flags, env, more_env = { 0 };

	read_words(j->t, "flags", &flags);
	read_words(j->t, "env", &env);
	if (stress)
		read_words(j->t, "stress", &more_env);
	j->out = memfd_create("stdout", MFD_CLOEXEC);
	j->err = memfd_create("stderr", MFD_CLOEXEC);
	if (j->out < 0 || j->err < 0)
		die("memfd_create");
	clock_gettime(CLOCK_MONOTONIC, &j->start);
	j->killed = 0;
	j->pid = fork();
	if (j->pid < 0)
		die("fork");
	if (!j->pid)
		become(j, &flags, &env, &more_env);
	setpgid(j->pid, j->pid); /* whoever of the two is first */
	free(flags.text);
	free(env.text);
	free(more_env.text);
}

static void take(int fd, struct buf *b)
{
	if (lseek(fd, 0, SEEK_SET) < 0 || fd_read_all(fd, b))
		die("read");
	close(fd);
}

static double seconds_since(const struct timespec *start)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - start->tv_sec) + (double)(now.tv_nsec - start->tv_nsec) / 1e9;
}

/* --- comparing --- */

static void replace_all(struct buf *b, const char *what, const char *with)
{
	struct buf to = BUF_INIT;
	size_t n = strlen(what);
	const char *p = buf_str(b), *end = p + b->len, *hit;

	for (; (hit = memmem(p, (size_t)(end - p), what, n)); p = hit + n) {
		buf_add(&to, p, (size_t)(hit - p));
		buf_adds(&to, with);
	}
	buf_add(&to, p, (size_t)(end - p));
	buf_release(b);
	*b = to;
}

static void normalise(const struct test *t, struct buf *got)
{
	replace_all(got, t->dir, "/pwd");
	replace_all(got, srcdir, "/srcdir");
}

static int equal(const struct buf *a, const struct buf *b)
{
	return a->len == b->len && (!a->len || !memcmp(a->p, b->p, a->len));
}

/* Is the result what is expected, its folders named by words if that is so written? */
static int same(const struct test *t, struct buf *got, const struct buf *want)
{
	if (equal(got, want))
		return 1;
	normalise(t, got);
	return equal(got, want);
}

static int file_of(const struct buf *b)
{
	int fd = memfd_create("text", 0);

	if (fd < 0 || (b->len && write(fd, b->p, b->len) != (ssize_t)b->len) || lseek(fd, 0, SEEK_SET))
		die("memfd_create");
	return fd;
}

static void run_diff(const struct buf *want, const struct buf *got, struct buf *result)
{
	int a = file_of(want), b = file_of(got), out = memfd_create("diff", 0), status;
	char name_a[32], name_b[32];
	pid_t pid;

	snprintf(name_a, sizeof name_a, "/dev/fd/%d", a);
	snprintf(name_b, sizeof name_b, "/dev/fd/%d", b);
	pid = fork();
	if (!pid) {
		dup2(out, 1);
		execlp("diff", "diff", "-u", name_a, name_b, (char *)NULL);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		die("diff");
	close(a);
	close(b);
	take(out, result);
}

/* What differs, as comments: without the names of the files, and not more than anyone reads. */
static void explain(struct test *t, const struct buf *want, const struct buf *got)
{
	struct buf diff = BUF_INIT;
	const char *p, *end;
	int line = 0;

	run_diff(want, got, &diff);
	for (p = buf_str(&diff); *p && line < 60; p = *end ? end + 1 : end) {
		end = strchrnul(p, '\n');
		if (++line > 2)
			buf_addf(&t->report, "#   %.*s\n", (int)(end - p), p);
	}
	buf_release(&diff);
}

static void accept_result(struct test *t)
{
	normalise(t, &t->out);
	normalise(t, &t->err);
	if (t->status > 1) {
		buf_addf(&t->report, "not ok - %s: status %d is nothing to accept\n", t->name, t->status);
		return;
	}
	if (t->status == 0)
		write_beside(t, "exp", &t->out);
	else
		unlink(beside(t, "exp"));
	if (t->err.len)
		write_beside(t, "err", &t->err);
	else
		unlink(beside(t, "err"));
	buf_addf(&t->report, "ok - %s accepted\n", t->name);
}

static void report_notyet(struct test *t, int good)
{
	if (good)
		buf_addf(&t->report, "not ok - %s passes now: move it out of notyet\n", t->name);
	else if (t->status > 1)
		buf_addf(&t->report, "not ok - %s: status %d\n", t->name, t->status);
	else
		buf_addf(&t->report, "ok - %s # SKIP not yet\n", t->name);
}

static void report_failure(struct test *t, int status, const struct buf *out, const struct buf *err, int same_out, int same_err)
{
	buf_addf(&t->report, "not ok - %s\n", t->name);
	if (t->status != status)
		buf_addf(&t->report, "#   status %d, expected %d\n", t->status, status);
	if (!same_out)
		explain(t, out, &t->out);
	if (!same_err)
		explain(t, err, &t->err);
}

static void check_result(struct test *t)
{
	struct buf out = BUF_INIT, err = BUF_INIT;
	int has_out = read_beside(t, "exp", &out), has_err = read_beside(t, "err", &err);
	int status = has_err && !has_out, same_out, same_err;

	if (!has_out && !has_err) {
		buf_addf(&t->report, "not ok - %s: neither %s.exp nor %s.err\n", t->name, t->stem, t->stem);
		return;
	}
	same_out = same(t, &t->out, &out);
	same_err = same(t, &t->err, &err);
	if (strstr(t->name, "/notyet/"))
		report_notyet(t, t->status == status && same_out && same_err);
	else if (t->status == status && same_out && same_err)
		buf_addf(&t->report, "ok - %s\n", t->name);
	else
		report_failure(t, status, &out, &err, same_out, same_err);
	buf_release(&out);
	buf_release(&err);
}

/* --- the list --- */

static void init_test(struct test *t, char *file)
{
	size_t n = strlen(file), top = strlen(srcdir);
	char *slash = strrchr(file, '/');

	if (!slash || n < 4 || strcmp(file + n - 3, ".gx") || strncmp(file, srcdir, top)) {
		errno = EINVAL;
		die(file);
	}
	*t = (struct test){ .file = file, .base = slash + 1, .name = file + top };
	t->name += strncmp(t->name, "/tests/", 7) ? 0 : 7;
	t->dir = need(strndup(file, (size_t)(slash - file)));
	t->stem = need(strndup(file, n - 3));
}

static struct test *read_list(size_t *n)
{
	struct test *v = NULL;
	size_t cap = 0, size = 0;
	char *line = NULL;
	ssize_t len;

	for (*n = 0; (len = getline(&line, &size, stdin)) > 0; ++*n) {
		if (line[len - 1] == '\n')
			line[len - 1] = 0;
		if (*n == cap)
			v = need(reallocarray(v, cap = cap ? 2 * cap : 256, sizeof *v));
		init_test(&v[*n], need(strdup(line)));
	}
	free(line);
	return v;
}

static void begin(struct job *j, struct test *t)
{
	j->t = t;
	j->runs_left = twice ? 2 : 1;
	start_run(j);
}

/* A run of the job ended. */
static void end_run(struct job *j, int status)
{
	struct test *t = j->t;

	j->pid = 0;
	if (--j->runs_left) {
		close(j->out);
		close(j->err);
		start_run(j);
		return;
	}
	take(j->out, &t->out);
	take(j->err, &t->err);
	t->status = j->killed ? TIMED_OUT : WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	/* How an evaluation fails that met other contents than a hash says. */
	if (t->status == WRONG_HASH)
		t->status = 1;
	if (accepting)
		accept_result(t);
	else
		check_result(t);
	t->done = 1;
	buf_release(&t->out);
	buf_release(&t->err);
}

/* Ends what takes too long, with all it started. */
static void end_late(struct job *jobs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (jobs[i].pid && seconds_since(&jobs[i].start) > limit) {
			jobs[i].killed = 1;
			kill(-jobs[i].pid, SIGKILL);
		}
	}
}

static void reap(struct job *jobs, size_t n)
{
	pid_t pid;
	int status;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (size_t i = 0; i < n; i++) {
			if (jobs[i].pid == pid) {
				end_run(&jobs[i], status);
				break;
			}
		}
	}
}

/* Runs all, n_jobs at a time, and prints each as soon as those before it are printed. */
static void run_all(struct test *v, size_t n, struct job *jobs, size_t n_jobs)
{
	const struct timespec second = { 1, 0 };
	size_t next = 0, printed = 0;
	sigset_t child;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
	while (printed < n) {
		for (size_t i = 0; i < n_jobs && next < n; i++) {
			if (!jobs[i].pid)
				begin(&jobs[i], &v[next++]);
		}
		sigtimedwait(&child, NULL, &second);
		reap(jobs, n_jobs);
		end_late(jobs, n_jobs);
		for (; printed < n && v[printed].done; printed++) {
			fwrite(buf_str(&v[printed].report), 1, v[printed].report.len, stdout);
			fflush(stdout);
			buf_release(&v[printed].report);
		}
	}
}

static const char *variable(const char *name)
{
	const char *v = getenv(name);

	return v ? v : "";
}

int main(int argc, char **argv)
{
	size_t n, n_jobs;
	struct test *v;
	struct job *jobs;

	accepting = argc > 1 && !strcmp(argv[1], "--accept");
	srcdir = variable("srcdir");
	gxeval = variable("gxeval");
	if (argc != 2 + accepting || (n_jobs = strtoul(argv[1 + accepting], NULL, 10)) < 1 || *srcdir != '/' || *gxeval != '/') {
		fputs("usage: srcdir=/PATH gxeval=/PATH golden [--accept] JOBS <LIST\n", stderr);
		return 2;
	}
	stress = *variable("GX_GC_STRESS") != 0;
	twice = !strcmp(variable("GX_COMPILE_CACHE"), "always");
	if (*variable("TEST_TIMEOUT"))
		limit = strtod(variable("TEST_TIMEOUT"), NULL);
	jobs = need(calloc(n_jobs, sizeof *jobs));
	v = read_list(&n);
	run_all(v, n, jobs, n_jobs);
	return 0;
}
