/* SPDX-License-Identifier: MIT
 *
 * The run: which builds are started when, waiting for all of them at once, and what happens when one fails.
 *
 * One thread, one loop: start what is ready while there is room; wait for output, ends of processes, the word to
 * stop, or the next time limit; deal with what came.  Ready builds start in the order in which the walk found
 * them, so the order is the same each time as far as their durations are.
 *
 * The first failure is the one reported, with keep_going each.  Without it the first stops everything: running builders are killed,
 * with everything they started, and their folders removed.
 */
#include "config.h"
#include "base/alloc.h"
#include "build/build_int.h"
#include "build/build_space.h"
#include "store/roots.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

double build_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void build_event(struct build *b, const struct build_event *ev)
{
	if (b->set->hooks.event)
		b->set->hooks.event(b->set->hooks.user, ev);
}

void build_note(struct build *b, const struct node *n, const char *fmt, ...)
{
	struct buf text = BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	buf_vaddf(&text, fmt, ap);
	va_end(ap);
	build_event(b, &(struct build_event){ .kind = BUILD_NOTE, .drv = &n->path, .text = { text.p, text.len } });
	buf_release(&text);
}

void build_add_drv(const struct build *b, struct buf *out, const struct node *n)
{
	store_add_path(b->s, out, &n->path);
}

void build_settings_init(struct build_settings *s)
{
	*s = (struct build_settings){ .max_jobs = 1, .log_lines = BUILD_LOG_LINES, .cancel_fd = -1 };
}

static void say_plan(struct build *b)
{
	build_event(b, &(struct build_event){ .kind = BUILD_PLAN, .builds = b->builds, .fetches = b->fetches });
}

/* --- ends --- */

static void forget_job(struct build *b, struct job *j, int failed)
{
	for (size_t i = 0; i < b->njobs; i++)
		if (b->jobs[i] == j) {
			b->jobs[i] = b->jobs[--b->njobs];
			break;
		}
	j->node->job = NULL;
	job_free(j, failed);
}

/* The first failure is what the run ends with; when it goes on, the others are told of as well. */
static void keep_error(struct build *b, struct err *e)
{
	struct err all = ERR_INIT;

	if (!b->err.code) {
		b->err = *e;
		*e = (struct err)ERR_INIT;
		return;
	}
	if (!b->set->keep_going)
		return;
	err_set(&all, b->err.code, "%s\nerror: %s", b->err.msg, e->msg);
	err_release(&b->err);
	b->err = all;
}

void build_node_ended(struct build *b, struct node *n, int rc, struct err *e)
{
	struct build_event ev = { .kind = rc ? BUILD_FAILED : BUILD_DONE, .drv = &n->path, .fetch = n->fetch };
	struct job *j = n->job;

	if (j)
		ev.seconds = build_now() - j->started;
	if (rc)
		ev.text = slice_of(e->msg ? e->msg : ""), ev.code = e->code;
	if (j)
		forget_job(b, j, rc != 0);
	if (!rc)
		b->result->built++;
	graph_finish(n, rc != 0);
	build_event(b, &ev);
	if (rc)
		keep_error(b, e);
	err_release(e);
}

static int may_go_on(const struct build *b)
{
	/* Without confinement no build can succeed: go no further even with keep_going. */
	return !b->err.code || (b->set->keep_going && build_is_failure(b->err.code));
}

/* --- starting --- */

/* Nobody can do it. */
static int no_place(struct build *b, const struct node *n, const struct drv_options *o, struct err *e)
{
	struct buf text = BUF_INIT;

	if (b->set->max_jobs && !b->set->machines)
		return job_check_system(b, n, o, e);
	buf_addc(&text, '\'');
	build_add_drv(b, &text, n);
	buf_addf(&text, "' needs a machine of system '%.*s'", (int)n->drv.system.n, n->drv.system.p);
	for (size_t i = 0; i < o->features.n; i++)
		buf_addf(&text, "%s%.*s", i ? ", " : " with the features ", (int)o->features.v[i].n, o->features.v[i].p);
	buf_addf(&text, ": none of 'builders' takes it, and this one %s",
		 b->set->max_jobs ? "is another" :
		 b->set->not_here ? b->set->not_here :
				    "builds nothing, because of --max-jobs 0");
	err_set(e, ERR_BUILD, "%s", text.p);
	buf_release(&text);
	return ERR_BUILD;
}

/* How many can run at once, here and at machines. */
static size_t all_places(const struct build *b)
{
	return b->set->max_jobs + BUILD_FETCHES + (b->set->machines ? b->set->machines->seats : 0);
}

/* Whether there is room for it beside what runs here. */
static int has_room(const struct build *b, const struct node *n)
{
	size_t same = 0;

	if (!commit_has_room(b))
		return 0;
	for (size_t i = 0; i < b->njobs; i++)
		same += b->jobs[i]->seat < 0 && b->jobs[i]->node->fetch == n->fetch;
	return same < (n->fetch ? (size_t)BUILD_FETCHES : b->set->max_jobs);
}

enum where { START_HERE, START_AT_SEAT, WAIT_HERE, WAIT_FOR_SEAT };

/* Where a build is to be done, or what it has to wait for; negative when that is in vain. */
static int choose_place(struct build *b, const struct node *n, const struct drv_options *o, int *seat, struct err *e)
{
	const struct build_machines *m = b->set->machines;
	int here = b->set->max_jobs && !job_check_system(b, n, o, NULL), busy = 2;

	/* What is compared is compared here. */
	if (n->asked && b->set->check && !here)
		return b->set->max_jobs ? job_check_system(b, n, o, e)
					: err_set(e, ERR_INVALID,
						  "'%s' is to be built once more, which is done on this machine: not "
						  "with --max-jobs 0",
						  n->path.base);
	if (m && commit_has_room(b) && !(here && (o->prefer_local || (n->asked && b->set->check))))
		busy = m->enter(m->user, b->s, &n->drv, o, seat, e);
	if (busy <= 0)
		return busy < 0 ? busy : START_AT_SEAT;
	if (here && has_room(b, n))
		return START_HERE;
	return busy == 1 ? WAIT_FOR_SEAT : here ? WAIT_HERE : no_place(b, n, o, e);
}

static int find_place(struct build *b, const struct node *n, int *seat, struct err *e)
{
	struct drv_options o;
	int rc;

	*seat = -1;
	if (slice_starts(n->drv.builder, SLICE("builtin:")) || (b->set->max_jobs && !b->set->machines))
		return has_room(b, n) || !b->set->max_jobs ? START_HERE : WAIT_HERE;
	rc = drv_options_read(&o, &n->drv, NULL);
	/* One that makes no sense fails where it is begun. */
	rc = rc ? START_HERE : choose_place(b, n, &o, seat, e);
	drv_options_release(&o);
	return rc;
}

/* Returns 1 when the node is over already, which may have made others ready. */
static int start_node(struct build *b, struct node *n)
{
	struct err e = ERR_INIT;
	int seat, rc = find_place(b, n, &seat, &e);

	if (n->waits_for_seat)
		n->retry_at = n->waits_for_seat = 0;
	if (rc == WAIT_FOR_SEAT) {
		n->waits_for_seat = 1;
		n->retry_at = build_now() + BUILD_SEAT_TIME;
	}
	if (rc == WAIT_FOR_SEAT || rc == WAIT_HERE)
		return 0;
	rc = rc < 0 ? rc : job_start(b, n, seat, &e);
	if (rc < 0) {
		build_node_ended(b, n, rc, &e);
	} else if (rc == 2) {
		graph_finish(n, 0);
		*(n->fetch ? &b->fetches : &b->builds) -= 1;
		build_event(b, &(struct build_event){ .kind = BUILD_FOUND, .drv = &n->path });
		say_plan(b);
	}
	err_release(&e);
	return rc < 0 || rc == 2;
}

/* A seat is free that was ours: who waits for one need not wait for the clock. */
static void wake_waiting(struct build *b)
{
	for (size_t i = 0; i < b->n; i++)
		if (b->nodes[i]->waits_for_seat)
			b->nodes[i]->retry_at = 0;
	b->left_seat = 0;
}

static void start_ready(struct build *b)
{
	double now = build_now();
	int again;

	if (b->left_seat)
		wake_waiting(b);
	do {
		again = 0;
		for (size_t i = 0; i < b->n && may_go_on(b); i++)
			if (b->nodes[i]->state == NODE_READY && b->nodes[i]->retry_at <= now)
				again |= start_node(b, b->nodes[i]);
		/* What became ready may stand before what made it so; nothing else would wake us for it. */
	} while (again);
}

/* Names, in the order in which they will be started if all take the same time: what only waits for room, then what waits for
 * the fewest others. */
static void say_next(struct build *b)
{
	enum { NAMES = 3 };
	const struct node *v[NAMES];
	struct buf text = BUF_INIT;
	size_t n = 0;

	for (size_t i = 0; i < b->n; i++) {
		const struct node *c = b->nodes[i];
		size_t at = n;

		if ((c->state != NODE_READY && c->state != NODE_WAITING) || c->retry_at)
			continue;
		while (at && v[at - 1]->pending > c->pending)
			at--;
		if (at == NAMES)
			continue;
		n += n < NAMES;
		memmove(v + at + 1, v + at, (n - 1 - at) * sizeof *v);
		v[at] = c;
	}
	for (size_t i = 0; i < n; i++) {
		buf_adds(&text, i ? ", " : "");
		build_add_title(&text, &v[i]->drv);
	}
	build_event(b, &(struct build_event){ .kind = BUILD_NEXT, .text = { buf_str(&text), text.len } });
	buf_release(&text);
}

static int work_left(const struct build *b)
{
	for (size_t i = 0; i < b->n; i++)
		if (b->nodes[i]->state == NODE_READY || b->nodes[i]->state == NODE_RUNNING)
			return 1;
	return 0;
}

/* --- waiting --- */

/* The next moment something happens by itself. */
static double next_time(const struct build *b)
{
	const struct build_settings *set = b->set;
	double t = commit_time(b), look = b->space ? space_look(b->space, build_now()) : t;

	if (look < t)
		t = look;
	for (size_t i = 0; i < b->n; i++)
		if (b->nodes[i]->state == NODE_READY && b->nodes[i]->retry_at && b->nodes[i]->retry_at < t)
			t = b->nodes[i]->retry_at;
	for (size_t i = 0; i < b->njobs; i++) {
		const struct job *j = b->jobs[i];

		if (set->timeout && j->started + set->timeout < t)
			t = j->started + set->timeout;
		if (set->max_silent && j->last_output + set->max_silent < t)
			t = j->last_output + set->max_silent;
		if (j->closed && j->closed + BUILD_CLOSED_TIME < t)
			t = j->closed + BUILD_CLOSED_TIME;
	}
	return t;
}

static void check_limits(struct build *b)
{
	const struct build_settings *set = b->set;
	double now = build_now();

	for (size_t i = 0; i < b->njobs; i++) {
		struct job *j = b->jobs[i];

		if (j->end != JOB_RUNS)
			continue;
		if (set->timeout && now >= j->started + set->timeout)
			job_stop(j, JOB_TIMEOUT);
		else if (set->max_silent && now >= j->last_output + set->max_silent)
			job_stop(j, JOB_SILENT);
		else if (j->closed && now >= j->closed + BUILD_CLOSED_TIME)
			job_stop(j, JOB_CLOSED);
	}
}

static void end_job(struct build *b, struct job *j)
{
	struct err e = ERR_INIT;
	struct node *n = j->node;
	int rc = job_finish(j, &e);

	b->left_seat |= j->seat >= 0;
	if (rc == 1) {
		commit_add(b, j);
	} else if (rc == 2) {
		forget_job(b, j, 0);
		n->state = NODE_READY;
		build_event(b, &(struct build_event){ .kind = BUILD_AGAIN, .drv = &n->path });
	} else {
		build_node_ended(b, n, rc, &e);
	}
}

/* Waits for something to happen and deals with it. */
static void step(struct build *b)
{
	struct pollfd *p = xcalloc(b->njobs * 2 + 2, sizeof *p);
	struct job **jobs = xcalloc(b->njobs + 1, sizeof(struct job *));
	size_t n = b->njobs;
	double wait = next_time(b) - build_now();

	for (size_t i = 0; i < n; i++) {
		jobs[i] = b->jobs[i];
		p[2 * i] = (struct pollfd){ .fd = jobs[i]->output, .events = POLLIN };
		p[2 * i + 1] = (struct pollfd){ .fd = jobs[i]->box.pidfd, .events = POLLIN };
	}
	p[2 * n] = (struct pollfd){ .fd = b->set->cancel_fd, .events = POLLIN };
	p[2 * n + 1] = (struct pollfd){ .fd = commit_fd(b), .events = POLLIN };
	if (poll(p, (nfds_t)(2 * n + 2), wait < 0 ? 0 : (int)(wait * 1000) + 1) > 0) {
		if (p[2 * n].revents)
			err_set(&b->err, ERR_INTERRUPT, "interrupted");
		for (size_t i = 0; i < n && may_go_on(b); i++) {
			if (p[2 * i].revents)
				job_read(jobs[i]);
			if (p[2 * i + 1].revents)
				end_job(b, jobs[i]);
		}
		if (p[2 * n + 1].revents)
			commit_done(b);
	}
	free(p);
	free(jobs);
	check_limits(b);
}

static void run(struct build *b)
{
	say_plan(b);
	b->space = space_begin(b->s);
	while (may_go_on(b)) {
		start_ready(b);
		if (!work_left(b) || !may_go_on(b))
			break;
		say_next(b);
		if (!commit_start(b, b->njobs < all_places(b) - BUILD_FETCHES))
			step(b);
	}
	/* All at once, so that a builder that will not die does not keep the others alive meanwhile. */
	for (size_t i = 0; i < b->njobs; i++)
		sandbox_kill(&b->jobs[i]->box);
	while (b->njobs)
		forget_job(b, b->jobs[0], 1);
	commit_all(b);
	space_end(b->space);
	logs_wait(b->err.code == ERR_INTERRUPT);
}

/* --- results --- */

static int wants(const struct build_target *t, struct slice output)
{
	for (size_t i = 0; i < t->noutputs; i++)
		if (slice_eq(t->outputs[i], output))
			return 1;
	return !t->outputs;
}

static int collect(struct build *b, const struct build_target *v, size_t n, struct build_result *out, struct err *e)
{
	size_t cap = 0;
	int rc = 0;

	for (size_t i = 0; i < n && !rc; i++)
		for (size_t k = 0; k < b->n; k++) {
			const struct node *node = b->nodes[k];

			if (store_path_cmp(&node->path, &v[i].drv))
				continue;
			for (size_t o = 0; o < node->drv.noutputs && !rc; o++) {
				struct slice name = node->drv.outputs[o].name;

				if (!wants(&v[i], name))
					continue;
				ARRAY_GROW(out->v, out->n + 1, cap);
				out->v[out->n++] = (struct build_output){ i, xstrndup(name.p, name.n), node->paths[o] };
				rc = store_add_temp_root(b->s, &node->paths[o], e);
			}
			break;
		}
	return rc;
}

void build_result_release(struct build_result *r)
{
	for (size_t i = 0; i < r->n; i++)
		free(r->v[i].name);
	free(r->v);
	*r = (struct build_result){ NULL, 0, 0 };
}

int build_realise(struct store *s, const struct build_settings *set, const struct build_target *v, size_t n,
		  struct build_result *out, struct err *e)
{
	struct build b = { .s = s, .set = set, .err = ERR_INIT, .result = out };
	int rc = 0;

	*out = (struct build_result){ NULL, 0, 0 };
	b.made = xcalloc(all_places(&b) + BUILD_WAITING, sizeof *b.made);
	b.jobs = xcalloc(all_places(&b) + 1, sizeof *b.jobs);
	rc = secret_keys_of_settings(&b.keys, e);
	for (size_t i = 0; i < n && !rc; i++)
		rc = v[i].given ? graph_give(&b, &v[i].drv, v[i].given, e) : 0;
	for (size_t i = 0; i < n && !rc; i++)
		rc = graph_want(&b, &v[i].drv, v[i].outputs, v[i].noutputs, 1, e);
	rc = rc ? rc : graph_walk(&b, e);
	if (!rc && set->plan)
		rc = substitute_plan(&b, e);
	while (!rc && !set->plan && (rc = substitute_run(&b, e)) == 0 && b.todo.n)
		rc = graph_walk(&b, e);
	for (size_t i = 0; i < b.n && !rc && set->plan; i++)
		if (b.nodes[i]->expanded && b.nodes[i]->state != NODE_DONE)
			set->plan(set->hooks.user, s, &b.nodes[i]->path);
	if (!rc && !set->plan) {
		graph_settle(&b);
		run(&b);
		if (b.err.code) {
			rc = b.err.code;
			err_set(e, rc, "%s", b.err.msg);
		}
	}
	rc = rc ? rc : collect(&b, v, n, out, e);
	err_release(&b.err);
	buf_release(&b.told);
	substitute_release(&b);
	secret_keys_release(&b.keys);
	graph_release(&b);
	free(b.jobs);
	free(b.made);
	stage_free(b.stage);
	if (rc)
		build_result_release(out);
	return rc;
}
