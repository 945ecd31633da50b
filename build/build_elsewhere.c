/* SPDX-License-Identifier: MIT
 *
 * A build that another machine does.
 *
 * A process of its own talks to the machine: it gets what the builder needs to know as it was when it began, since a database is
 * not for two processes, and the folder where outputs are staged.  What the builder prints comes through a pipe, as if it ran here.
 * What became of it stands in a file in memory, line by line, which is read when the process has ended:
 *
 *     error CODE            what follows is the message
 *     output I              of the derivation: it is staged, by its name, and
 *     nar SIZE HEX          the size and hash of its archive,
 *     hash HEX              that of its contents, when it is fixed,
 *     ref BASE              what it refers to,
 *     sig TEXT              who signed it
 *
 * The machine is trusted with the result as far as it is about contents.  What is to become valid is checked as if it had been
 * built here, and an output refers to nothing but what its builder could see.
 */
#include "config.h"
#include "base/activity.h"
#include "base/alloc.h"
#include "base/fdio.h"
#include "base/json.h"
#include "build/build_int.h"
#include "store/object.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STATUS_BASE = 10 }; /* exit statuses of the process are this and an enum build_ordered */

struct elsewhere {
	struct stage *stage;
	int report; /* the file in memory, -1: none */
};

/* --- what is sent --- */

/* All about objects, in an order in which each comes after what it refers to. */
struct infos {
	struct path_info *v;
	size_t n;
};

static void infos_release(struct infos *l)
{
	for (size_t i = 0; i < l->n; i++)
		path_info_release(&l->v[i]);
	free(l->v);
}

static int infos_get(struct infos *l, struct store *s, const struct path_set *paths, struct err *e)
{
	size_t *order = NULL;
	int rc = store_order(s, paths->v, paths->n, &order, e);

	l->v = xcalloc(paths->n + 1, sizeof *l->v);
	for (; !rc && l->n < paths->n; l->n += !rc) {
		rc = store_have_files(s, &paths->v[order[l->n]], e);
		rc = rc ? rc : db_info(store_db(s), &paths->v[order[l->n]], &l->v[l->n], e);
	}
	free(order);
	return rc;
}

/* --- in the process of its own --- */

struct sender {
	struct job *j;
	int print;
	struct buf report;
};

static void say_line(void *user, struct slice text)
{
	struct sender *s = user;
	struct buf b = BUF_INIT;

	buf_add(&b, text.p, text.n);
	buf_addc(&b, '\n');
	fd_write_all(s->print, b.p, b.len);
	buf_release(&b);
}

/* The words of a builder that speaks to the program: {"action":ACTION,KEY:text}. */
static void say_action(struct sender *s, const char *action, const char *key, struct slice text)
{
	struct buf b = BUF_INIT;

	buf_addf(&b, "@nix {\"action\":\"%s\",\"%s\":", action, key);
	json_add_string(&b, text.p, text.n);
	buf_addc(&b, '}');
	say_line(s, (struct slice){ b.p, b.len });
	buf_release(&b);
}

static void say_phase(void *user, struct slice text)
{
	say_action(user, "setPhase", "phase", text);
}

static void say_note(void *user, struct slice text)
{
	say_action(user, "msg", "msg", text);
}

static void add_hash(struct buf *b, const char *word, const struct hash *h)
{
	buf_addf(b, "%s ", word);
	hash_add(b, h, HASH_BASE16, 0);
	buf_addc(b, '\n');
}

static void report_output(struct sender *s, size_t i, const struct path_info *info, const struct object_facts *f)
{
	struct buf *b = &s->report;

	buf_addf(b, "output %zu\nnar %llu ", i, (unsigned long long)f->nar_size);
	hash_add(b, &f->nar_hash, HASH_BASE16, 0);
	buf_addc(b, '\n');
	if (f->algo != HASH_ANY)
		add_hash(b, "hash", &f->hash);
	for (size_t k = 0; k < info->refs.n; k++)
		buf_addf(b, "ref %s\n", info->refs.v[k].base);
	if (info->sigs && !strpbrk(info->sigs, "\n"))
		buf_addf(b, "sig %s\n", info->sigs);
}

static int take_output(void *user, size_t i, const struct path_info *info, const struct byte_source *nar, struct err *e)
{
	struct sender *s = user;
	const struct drv_output *o = &s->j->node->drv.outputs[i];
	struct object_facts f = { .max_size = info->nar_size };
	int rc;

	if (o->kind == DRV_FIXED) {
		f.method = o->method;
		f.algo = o->hash.algo;
	}
	rc = object_restore(nar, stage_fd(s->j->elsewhere->stage), s->j->node->paths[i].base, &f, e);
	if (!rc && !hash_eq(&f.nar_hash, &info->nar_hash))
		rc = err_set(e, ERR_HASH, "output '%.*s' did not come as it was announced", (int)o->name.n, o->name.p);
	if (!rc)
		report_output(s, i, info, &f);
	object_facts_release(&f);
	return rc;
}

/* Everything but what it works with: others wait for locks that are held by an open file. */
static void close_others(const int *keep, size_t n)
{
	unsigned from = STDERR_FILENO + 1;

	for (size_t i = 0; i < n; i++)
		if (keep[i] >= (int)from) {
			if (keep[i] > (int)from)
				close_range(from, (unsigned)keep[i] - 1, 0);
			from = (unsigned)keep[i] + 1;
		}
	close_range(from, ~0u, 0);
}

static int by_number(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static void become_alone(const struct sender *s, const struct build_order *o, pid_t parent)
{
	int keep[] = { s->print, s->j->elsewhere->report, stage_fd(s->j->elsewhere->stage), o->store };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(STATUS_BASE + ORDER_FAILED);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	activity_watch(NULL);
	qsort(keep, sizeof keep / sizeof *keep, sizeof *keep, by_number);
	close_others(keep, sizeof keep / sizeof *keep);
	dup2(s->print, STDOUT_FILENO);
	dup2(s->print, STDERR_FILENO);
}

static _Noreturn void send(struct sender *s, struct build_order *o, pid_t parent)
{
	const struct build_machines *m = s->j->b->set->machines;
	struct err e = ERR_INIT;
	enum build_ordered how;

	become_alone(s, o, parent);
	o->line = say_line;
	o->phase = say_phase;
	o->note = say_note;
	o->output = take_output;
	o->user = s;
	how = m->run(m->user, s->j->seat, o, &e);
	if (how == ORDER_FAILED || how == ORDER_UNREACHABLE) {
		buf_trim(&s->report, 0);
		buf_addf(&s->report, "error %d\n%s", e.code, e.msg ? e.msg : "");
	}
	if (fd_write_all(s->j->elsewhere->report, s->report.p, s->report.len))
		how = ORDER_FAILED;
	_exit(STATUS_BASE + (int)how);
}

/* --- beginning --- */

static int start(struct job *j, struct build_order *o, struct err *e)
{
	struct sender s = { .j = j, .report = BUF_INIT };
	pid_t parent = getpid();
	int pipes[2];

	if (pipe2(pipes, O_CLOEXEC))
		return err_errno(e, "the output of a builder");
	s.print = pipes[1];
	j->output = pipes[0];
	fcntl(j->output, F_SETFL, O_NONBLOCK);
	j->box.pid = fork();
	if (!j->box.pid)
		send(&s, o, parent);
	close(pipes[1]);
	if (j->box.pid < 0)
		return err_errno(e, "starting a process");
	j->box.pidfd = (int)syscall(SYS_pidfd_open, j->box.pid, 0);
	return j->box.pidfd < 0 ? err_errno(e, "watching a builder") : 0;
}

static int open_report(struct job *j, struct err *e)
{
	j->elsewhere = xcalloc(1, sizeof *j->elsewhere);
	j->elsewhere->report = memfd_create("build-report", MFD_CLOEXEC);
	return j->elsewhere->report < 0 ? err_errno(e, "a file in memory") : stage_open(j->b->s, &j->elsewhere->stage, e);
}

static int get_drvs(struct job *j, struct infos *out, struct err *e)
{
	const struct build_machines *m = j->b->set->machines;
	struct path_set paths = PATH_SET_INIT;
	int rc = 0;

	if (!m->gets_drvs(m->user, j->seat) || j->node->given)
		return 0;
	rc = graph_borrow(j->b, &j->node->path, e);
	rc = rc < 0 ? rc : store_closure(j->b->s, &j->node->path, 0, &paths, e);
	rc = rc ? rc : infos_get(out, j->b->s, &paths, e);
	path_set_release(&paths);
	return rc;
}

int elsewhere_begin(struct job *j, struct err *e)
{
	const struct build_settings *set = j->b->set;
	struct build_order o = { .dir = store_dir(j->b->s), .store = store_fd(j->b->s), .path = &j->node->path,
				 .drv = &j->node->drv, .skip = j->skip, .keep_failed = set->keep_failed, .timeout = set->timeout,
				 .max_silent = set->max_silent, .cores = set->cores };
	struct infos inputs = { NULL, 0 }, drvs = { NULL, 0 };
	int rc = open_report(j, e);

	rc = rc ? rc : graph_inputs(j->b, j->node, &j->inputs, e);
	rc = rc ? rc : infos_get(&inputs, j->b->s, &j->inputs, e);
	rc = rc ? rc : get_drvs(j, &drvs, e);
	o.inputs = inputs.v;
	o.ninputs = inputs.n;
	o.drvs = drvs.v;
	o.ndrvs = drvs.n;
	if (!rc) {
		j->log = log_open(j->b->s, &j->node->path, NULL);
		rc = start(j, &o, e);
	}
	infos_release(&inputs);
	infos_release(&drvs);
	return rc;
}

void elsewhere_free(struct job *j)
{
	if (j->seat >= 0)
		j->b->set->machines->leave(j->b->set->machines->user, j->seat);
	j->seat = -1;
	if (!j->elsewhere)
		return;
	stage_free(j->elsewhere->stage);
	if (j->elsewhere->report >= 0)
		close(j->elsewhere->report);
	free(j->elsewhere);
	j->elsewhere = NULL;
}

/* --- what came of it --- */

struct arrived {
	struct new_object *objects; /* by output */
	struct hash *hashes;
	struct new_object *at; /* the one that lines are about */
};

static int nonsense(struct err *e)
{
	return err_set(e, ERR_IO, "the process that talked to another machine ended without a word that makes sense");
}

static int take_number(struct job *j, struct arrived *a, struct slice text, struct err *e)
{
	char *end;
	unsigned long i = strtoul(text.p, &end, 10);

	if (end != text.p + text.n || i >= j->node->drv.noutputs)
		return nonsense(e);
	a->at = &a->objects[i];
	*a->at = (struct new_object){ .dirfd = stage_fd(j->elsewhere->stage), .name = j->node->paths[i].base };
	a->at->info.path = j->node->paths[i];
	a->at->info.deriver = j->node->path;
	return 0;
}

static int take_nar(struct arrived *a, struct slice text, struct err *e)
{
	char *end;

	a->at->info.nar_size = strtoull(text.p, &end, 10);
	end += *end == ' ';
	return hash_parse(end, (size_t)(text.p + text.n - end), HASH_SHA256, &a->at->info.nar_hash, NULL, e);
}

static int take_ref(struct job *j, struct arrived *a, struct slice text, struct err *e)
{
	struct store_path p;
	int rc = store_path_parse_base(text, &p, e), known = rc ? 0 : path_set_has(&j->inputs, &p);

	for (size_t i = 0; !rc && i < j->node->drv.noutputs; i++)
		known |= !store_path_cmp(&p, &j->node->paths[i]);
	if (!rc && !known)
		rc = err_set(e, ERR_REJECTED, "output '%s' is said to refer to '%s', which its builder could not see",
			     a->at->info.path.base, p.base);
	path_set_add(&a->at->info.refs, &p);
	return rc;
}

static int take_line(struct job *j, struct arrived *a, struct slice line, struct err *e)
{
	size_t n = (size_t)((const char *)memchr(line.p, ' ', line.n) - line.p);
	struct slice word = { line.p, n }, rest = { line.p + n + 1, line.n - n - 1 };

	if (slice_eq(word, SLICE("output")))
		return take_number(j, a, rest, e);
	if (!a->at)
		return nonsense(e);
	if (slice_eq(word, SLICE("nar")))
		return take_nar(a, rest, e);
	if (slice_eq(word, SLICE("hash"))) {
		size_t i = (size_t)(a->at - a->objects);

		return hash_parse(rest.p, rest.n, j->node->drv.outputs[i].hash.algo, &a->hashes[i], NULL, e);
	}
	if (slice_eq(word, SLICE("ref")))
		return take_ref(j, a, rest, e);
	free(a->at->info.sigs);
	a->at->info.sigs = xstrndup(rest.p, rest.n);
	return 0;
}

static int take_report(struct job *j, struct arrived *a, struct slice text, struct err *e)
{
	int rc = 0;

	while (!rc && text.n) {
		const char *end = memchr(text.p, '\n', text.n);
		struct slice line = { text.p, end ? (size_t)(end - text.p) : 0 };

		if (!end || !memchr(line.p, ' ', line.n))
			return nonsense(e);
		rc = take_line(j, a, line, e);
		text = (struct slice){ end + 1, text.n - line.n - 1 };
	}
	for (size_t i = 0; !rc && i < j->node->drv.noutputs; i++)
		if (!a->objects[i].name && !j->skip[i])
			rc = nonsense(e);
	return rc;
}

/* What came is registered as what was made here. */
static int commit(struct job *j, struct slice report, struct err *e)
{
	size_t n = j->node->drv.noutputs;
	struct arrived a = { xcalloc(n + 1, sizeof *a.objects), xcalloc(n + 1, sizeof *a.hashes), NULL };
	int rc = take_report(j, &a, report, e);

	for (size_t i = 0; !rc && i < n; i++)
		if (a.objects[i].name)
			rc = build_check_brought(j, i, &a.hashes[i], &a.objects[i], e);
	free(a.hashes);
	j->made.v = a.objects;
	j->made.stage = j->elsewhere->stage;
	j->elsewhere->stage = NULL;
	return build_brought(j, rc, e);
}

/* How much of a machine's message stands before the end of its log, which is here as well. */
static size_t without_log(const char *text)
{
	const char *lines = strstr(text, " log line"), *p = lines;

	while (p && p > text && *p != '\n')
		p--;
	if (!p || (!strstr(p, "ast ") || strstr(p, "ast ") > lines))
		return strlen(text);
	while (p > text && strchr(";\n ", p[-1]))
		p--;
	return (size_t)(p - text);
}

static int failed(struct job *j, struct slice report, struct err *e)
{
	const struct build_machines *m = j->b->set->machines;
	int code = ERR_BUILD, at = 0;
	struct buf b = BUF_INIT;

	if (sscanf(report.p, "error %d\n%n", &code, &at) != 1 || !at)
		return nonsense(e);
	if (!build_is_failure(code) && code != ERR_INTERRUPT && code != ERR_DENIED)
		code = ERR_BUILD;
	buf_addf(&b, "on '%s': %.*s", m->name(m->user, j->seat), (int)without_log(report.p + at), report.p + at);
	job_add_log(j, &b);
	err_set(e, code, "%s", b.p);
	buf_release(&b);
	return code;
}

/* The build is to be given to somebody else, or once more. */
static int again(struct job *j, enum build_ordered how, struct slice report)
{
	const struct build_machines *m = j->b->set->machines;
	const char *text = strchr(report.p, '\n');

	if (how == ORDER_WANTS_DRVS) {
		m->wants_drvs(m->user, j->seat);
	} else {
		build_note(j->b, j->node, "'%s' is left out: %s", m->name(m->user, j->seat),
			   text ? text + 1 : "it does not answer");
		m->unreachable(m->user, j->seat);
	}
	return 2;
}

int elsewhere_finish(struct job *j, int status, struct err *e)
{
	struct buf report = BUF_INIT;
	int how = WIFEXITED(status) ? WEXITSTATUS(status) - STATUS_BASE : -1, rc;

	lseek(j->elsewhere->report, 0, SEEK_SET);
	if (fd_read_all(j->elsewhere->report, &report))
		how = -1;
	struct slice text = { buf_str(&report), report.len };

	if (how == ORDER_DONE)
		rc = commit(j, text, e);
	else if (how == ORDER_WANTS_DRVS || how == ORDER_UNREACHABLE)
		rc = again(j, (enum build_ordered)how, text);
	else
		rc = how == ORDER_FAILED ? failed(j, text, e) : nonsense(e);
	buf_release(&report);
	return rc;
}
