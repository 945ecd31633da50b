/* SPDX-License-Identifier: MIT
 *
 * What is going on, and drawing it.
 *
 * All of it is under one lock, held for moments: by those who work when they tell something, and ten times a second by the thread
 * that draws.  That thread does nothing else, takes no signals, and is gone before another program takes the place of this one.
 * Processes are started beside it with fork, which leaves the C library usable in the child.
 *
 * The cursor rests at the start of the first drawn line: what is drawn goes away with "\r\033[J", whatever it is, also when the
 * window has changed or a signal came in between, and what anybody else prints begins on that line.
 */
#include "config.h"
#include "cli/progress.h"

#include "base/activity.h"
#include "base/alloc.h"
#include "base/fdio.h"
#include "base/thread.h"
#include "base/visible.h"
#include "build/build.h"
#include "cli/command.h"
#include "cli/durations.h"
#include "cli/output.h"
#include "cli/progress_int.h"
#include "cli/report.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { REDRAW_MS = 100 };

static const double quiet_seconds = 0.5, summary_seconds = 1;
static const char wipe[] = "\r\033[0m\033[J";

struct progress_settings progress_settings;

static struct {
	pthread_mutex_t lock;
	pthread_cond_t stop;
	pthread_t thread;
	int has_thread, stopping;
	unsigned depth; /* of progress_begin */
	int bar;
	const struct log_form *form;
	struct progress p;
	unsigned last_id, turn;
	size_t built_before, fetched_before; /* the plan of builds */
	char *store_dir;
	int log; /* a descriptor of progress_settings.json_file; 0: none */
	int log_planned; /* as progress.planned, of that */
	struct buf shown; /* the lines that are drawn */
	size_t columns, rows;
} all = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* Shared with handlers of signals: there is something to take away; somebody writes; nobody is to write any more. */
static atomic_int drawn, writing, gone;

static double clock_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* --- settings --- */

int progress_set_format(const char *name)
{
	static const struct {
		const char *name;
		enum log_format format;
		int logs;
	} formats[] = { { "bar", LOG_BAR, 0 },	   { "bar-with-logs", LOG_BAR, 1 }, { "plain", LOG_PLAIN, 0 },
			{ "text", LOG_AUTO, 0 },   { "raw", LOG_RAW, 0 },	    { "raw-with-logs", LOG_RAW, 1 },
			{ "json", LOG_JSON, 0 },   { "internal-json", LOG_NIX, 0 } };

	for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
		if (!strcmp(name, formats[i].name)) {
			progress_settings.format = formats[i].format;
			progress_settings.logs |= formats[i].logs;
			return 0;
		}
	return -1;
}

static void choose_form(void)
{
	static const struct log_form *const forms[] = { &form_plain, &form_plain, &form_plain, &form_raw, &form_json, &form_nix };
	enum log_format f = progress_settings.format;
	const char *term = getenv("TERM");

	all.bar = f <= LOG_BAR && isatty(2) && term && *term && strcmp(term, "dumb");
	all.form = all.bar ? &form_bar : forms[f];
	all.p.colour = output_colour(2);
}

/* --- text --- */

void progress_add_time(struct buf *b, double seconds)
{
	unsigned long s = seconds > 0 ? (unsigned long)seconds : 0;

	if (seconds < 9.95)
		buf_addf(b, "%.1f s", seconds > 0 ? seconds : 0);
	else if (s < 60)
		buf_addf(b, "%lu s", s);
	else if (s < 3600)
		buf_addf(b, "%lu min %lu s", s / 60, s % 60);
	else
		buf_addf(b, "%lu h %lu min", s / 3600, s / 60 % 60);
}

/* Text of others as a part of a line. */
static char *clean(struct slice s)
{
	struct buf b = BUF_INIT;

	visible_add(&b, s.p, s.n, 0);
	for (size_t i = 0; i < b.len; i++)
		if (b.p[i] == '\t')
			b.p[i] = ' ';
	return b.p ? buf_detach(&b, NULL) : xstrndup("", 0);
}

void progress_add_summary(const struct progress *p, const char *program, struct buf *b)
{
	const char *comma = " ";

	buf_addf(b, "%s:", program);
	if (p->fetched) {
		buf_addf(b, "%s%zu fetched", comma, p->fetched);
		comma = ", ";
		if (p->bytes) {
			buf_adds(b, " (");
			buf_add_size(b, p->bytes);
			buf_addc(b, ')');
		}
	}
	if (p->built) {
		buf_addf(b, "%s%zu built", comma, p->built);
		comma = ", ";
	}
	if (p->others) {
		buf_addf(b, "%s%zu built by another process", comma, p->others);
		comma = ", ";
	}
	if (p->failed) {
		buf_addf(b, "%s%zu failed", comma, p->failed);
		comma = ", ";
	}
	buf_addf(b, "%sin ", comma);
	progress_add_time(b, p->now - p->began);
	buf_addc(b, '\n');
}

/* --- the terminal --- */

static void read_size(void)
{
	struct winsize w = { 0 };

	ioctl(2, TIOCGWINSZ, &w);
	all.columns = w.ws_col ? w.ws_col : 80;
	all.rows = w.ws_row ? w.ws_row : 24;
}

/* Appends what draws the lines and puts the cursor back. */
static void add_frame(struct buf *b, const struct buf *lines, size_t n)
{
	/* What somebody types meanwhile is shown where the cursor rests. */
	buf_addc(b, '\r');
	for (size_t i = 0; i < lines->len; i++)
		if (lines->p[i] == '\n')
			buf_adds(b, "\033[K\r\n");
		else
			buf_addc(b, lines->p[i]);
	buf_adds(b, "\033[J\r");
	if (n > 1)
		buf_addf(b, "\033[%zuA", n - 1);
}

static int may_draw(void)
{
	return all.bar && all.depth && !progress_settings.quiet && all.p.now - all.p.began >= quiet_seconds;
}

/* Writes text above what is drawn, and draws that anew if it changed or had to go. */
static void show(const char *text, size_t n)
{
	struct buf lines = BUF_INIT, b = BUF_INIT;
	size_t columns = all.columns, rows = all.rows, count = 0;

	if (all.bar) {
		read_size();
		if (drawn && (n || columns != all.columns || rows != all.rows))
			buf_adds(&b, wipe);
	}
	buf_add(&b, text, n);
	if (may_draw())
		count = bar_frame(&all.p, all.columns, all.rows, all.turn, &lines);
	if (count && (b.len || !drawn || lines.len != all.shown.len || memcmp(lines.p, all.shown.p, lines.len))) {
		drawn = 1;
		add_frame(&b, &lines, count);
		buf_trim(&all.shown, 0);
		buf_add(&all.shown, lines.p, lines.len);
	} else if (b.len && !count) {
		drawn = 0;
	}
	writing = 1;
	if (!gone)
		fd_write_all(2, b.p, b.len);
	writing = 0;
	buf_release(&b);
	buf_release(&lines);
}

static void take_away(void)
{
	if (drawn)
		fd_write_all(2, wipe, sizeof wipe - 1);
	drawn = 0;
}

void progress_wipe(void)
{
	gone = 1;
	/* Another thread is done in a moment; this one, if it was interrupted in the middle, will not be. */
	for (int i = 0; i < 50 && writing; i++)
		poll(NULL, 0, 1);
	if (drawn && write(2, wipe, sizeof wipe - 1) < 0)
		return;
}

static void flush_out(void)
{
	if (all.p.out.len)
		show(all.p.out.p, all.p.out.len);
	buf_trim(&all.p.out, 0);
}

void progress_write(const char *p, size_t n)
{
	pthread_mutex_lock(&all.lock);
	show(p, n);
	pthread_mutex_unlock(&all.lock);
}

/* --- the thread --- */

/* The rate over the last second or so; a fetch that stands still comes down to nothing. */
static void sample(struct task *t)
{
	double past = all.p.now - t->sampled, rate;

	if (past < 0.5)
		return;
	rate = (double)(t->now - (t->sample < t->now ? t->sample : t->now)) / past;
	t->rate = t->rate ? (t->rate + rate) / 2 : rate;
	t->sample = t->now;
	t->sampled = all.p.now;
}

static void *redraw(void *arg)
{
	struct timespec t;

	pthread_mutex_lock(&all.lock);
	while (!all.stopping) {
		clock_gettime(CLOCK_MONOTONIC, &t);
		t.tv_nsec += REDRAW_MS * 1000000L;
		t.tv_sec += t.tv_nsec / 1000000000;
		t.tv_nsec %= 1000000000;
		pthread_cond_timedwait(&all.stop, &all.lock, &t);
		if (all.stopping)
			break;
		all.p.now = clock_now();
		all.turn++;
		for (size_t i = 0; i < all.p.n; i++)
			sample(&all.p.v[i]);
		if (all.form->tick && !progress_settings.quiet)
			all.form->tick(&all.p);
		flush_out();
		if (all.bar)
			show(NULL, 0);
	}
	pthread_mutex_unlock(&all.lock);
	return arg;
}

/* Without the thread all is shown but what changes by itself. */
static void start_thread(void)
{
	pthread_condattr_t a;

	if (all.has_thread)
		return;
	pthread_condattr_init(&a);
	pthread_condattr_setclock(&a, CLOCK_MONOTONIC);
	pthread_cond_init(&all.stop, &a);
	pthread_condattr_destroy(&a);
	all.stopping = 0;
	all.has_thread = !thread_start(&all.thread, redraw, NULL);
	if (!all.has_thread)
		pthread_cond_destroy(&all.stop);
}

/* Called without the lock. */
static void stop_thread(void)
{
	if (!all.has_thread)
		return;
	pthread_mutex_lock(&all.lock);
	all.stopping = 1;
	pthread_cond_signal(&all.stop);
	pthread_mutex_unlock(&all.lock);
	pthread_join(all.thread, NULL);
	pthread_cond_destroy(&all.stop);
	all.has_thread = 0;
}

/* --- the file beside it --- */

/* Once a run.  A warning, for what is done does not depend on it. */
static void open_log(void)
{
	const char *path = progress_settings.json_file;

	if (all.log || !path || !*path)
		return;
	all.log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	if (all.log >= 0)
		return;
	report_line("warning: cannot write the log '%s': %s", path, strerror(errno));
	all.log = 0;
	progress_settings.json_file = NULL;
}

static void log_change(enum change c, const struct task *t, struct slice text)
{
	struct progress *p = &all.p;
	struct buf b = BUF_INIT;
	int planned = p->planned;

	if (!all.log)
		return;
	p->planned = all.log_planned;
	nix_log_change(p, c, t, text, &b);
	all.log_planned = p->planned;
	p->planned = planned;
	fd_write_all(all.log, b.p, b.len);
	buf_release(&b);
}

/* --- tasks --- */

static void tell(enum change c, const struct task *t, struct slice text)
{
	log_change(c, t, text);
	if (!progress_settings.quiet || c == CHANGE_NOTE || (c == CHANGE_BEGIN && t->kind == TASK_WAIT))
		all.form->change(&all.p, c, t, text);
	flush_out();
}

static struct task *begin_task(enum task_kind kind, char *name, char *drv, char *detail)
{
	ARRAY_GROW(all.p.v, all.p.n + 1, all.p.cap);
	struct task *t = &all.p.v[all.p.n++];

	*t = (struct task){ .id = ++all.last_id, .kind = kind, .name = name, .drv = drv, .detail = detail, .began = all.p.now,
			    .sampled = all.p.now };
	return t;
}

static void forget_task(struct task *t)
{
	free(t->name);
	free(t->machine);
	free(t->drv);
	free(t->detail);
	memmove(t, t + 1, (size_t)(all.p.v + --all.p.n - t) * sizeof *t);
}

static void end_task(struct task *t, int failed)
{
	if (!failed && t->kind == TASK_FETCH && (t->drv || t->now)) {
		all.p.fetched++;
		all.p.bytes += t->now;
	} else if (!failed && t->kind == TASK_BUILD) {
		all.p.built++;
		durations_put(t->name, all.p.now - t->began);
	}
	all.p.failed += failed && t->drv && t->kind != TASK_WAIT;
	tell(failed ? CHANGE_FAIL : CHANGE_END, t, (struct slice){ "", 0 });
	forget_task(t);
}

static void move_task(struct task *t, uint64_t now, uint64_t of)
{
	if (now < t->now)
		t->sample = 0; /* it began anew */
	t->now = now;
	t->all = of;
	tell(CHANGE_MOVE, t, (struct slice){ "", 0 });
}

/* --- activities --- */

static struct task *activity_task(unsigned id)
{
	for (size_t i = all.p.n; i-- > 0;)
		if (all.p.v[i].activity == id)
			return &all.p.v[i];
	return NULL;
}

static void on_begin(unsigned id, enum activity_kind kind, const char *what)
{
	static const enum task_kind kinds[] = { TASK_EVALUATE, TASK_FETCH, TASK_COPY, TASK_HASH, TASK_WAIT };

	pthread_mutex_lock(&all.lock);
	all.p.now = clock_now();
	struct task *t = begin_task(kinds[kind], clean(slice_of(what)), NULL, NULL);
	t->activity = id;
	tell(CHANGE_BEGIN, t, (struct slice){ "", 0 });
	if (all.form->tick && kind != ACTIVITY_EVALUATE)
		start_thread();
	pthread_mutex_unlock(&all.lock);
}

static void on_progress(unsigned id, uint64_t now, uint64_t of)
{
	pthread_mutex_lock(&all.lock);
	struct task *t = activity_task(id);
	if (t) {
		/* Each piece of a transfer comes here: most are for the thread that draws. */
		t->now = now;
		t->all = of;
		if (!all.bar && clock_now() - all.p.now > 0.1) {
			all.p.now = clock_now();
			move_task(t, now, of);
		}
	}
	pthread_mutex_unlock(&all.lock);
}

static void on_end(unsigned id, int rc)
{
	pthread_mutex_lock(&all.lock);
	all.p.now = clock_now();
	struct task *t = activity_task(id);
	if (t)
		end_task(t, rc != 0);
	pthread_mutex_unlock(&all.lock);
}

static const struct activity_watcher watcher = { on_begin, on_progress, on_end };

/* --- builds --- */

static struct task *build_task(const char *drv)
{
	for (size_t i = all.p.n; i-- > 0;)
		if (all.p.v[i].drv && !strcmp(all.p.v[i].drv, drv))
			return &all.p.v[i];
	return NULL;
}

static void set_text(char **to, struct slice s)
{
	free(*to);
	*to = clean(s);
}

/* Names may come from anywhere; a path cannot hold what a terminal obeys. */
static void begin_build(const struct build_event *ev, char *drv, struct task *waiting)
{
	if (waiting)
		end_task(waiting, 0);
	struct task *t = begin_task(ev->fetch ? TASK_FETCH : TASK_BUILD, clean(ev->text), drv, NULL);
	t->machine = ev->machine ? clean(slice_of(ev->machine)) : NULL;
	if (!ev->fetch)
		t->usual = durations_get(t->name);
	tell(CHANGE_BEGIN, t, (struct slice){ "", 0 });
}

static void begin_wait(const struct build_event *ev, char *drv)
{
	struct slice name = store_path_name(ev->drv);

	name.n -= store_path_is_drv(ev->drv) ? 4 : 0;
	tell(CHANGE_BEGIN, begin_task(TASK_WAIT, clean(name), drv, clean(ev->text)), (struct slice){ "", 0 });
}

/* What is about one that runs. */
static void task_event(const struct build_event *ev, struct task *t)
{
	switch (ev->kind) {
	case BUILD_LINE:
		/* Of a fetch the bytes say more. */
		if (ev->text.n && t->kind == TASK_BUILD)
			set_text(&t->detail, ev->text);
		tell(CHANGE_LINE, t, ev->text);
		break;
	case BUILD_PHASE:
		set_text(&t->detail, ev->text);
		if (t->kind == TASK_BUILD)
			t->now = t->all = 0;
		tell(CHANGE_PHASE, t, ev->text);
		break;
	case BUILD_PROGRESS: move_task(t, ev->now, ev->all); break;
	case BUILD_FOUND:
	case BUILD_DONE:
		all.p.others += ev->kind == BUILD_FOUND && t->kind == TASK_WAIT;
		end_task(t, 0);
		break;
	case BUILD_FAILED: end_task(t, 1); break;
	case BUILD_AGAIN:
		tell(CHANGE_FAIL, t, (struct slice){ "", 0 });
		forget_task(t);
		break;
	default: break;
	}
}

static void drv_event(const struct build_event *ev)
{
	struct buf path = BUF_INIT;

	store_path_add(&path, slice_of(all.store_dir), ev->drv);
	struct task *t = build_task(path.p);
	if (ev->kind == BUILD_START)
		begin_build(ev, buf_detach(&path, NULL), t);
	else if (ev->kind == BUILD_WAIT)
		begin_wait(ev, buf_detach(&path, NULL));
	else if (t)
		task_event(ev, t);
	buf_release(&path);
}

void progress_build_event(const struct build_event *ev)
{
	pthread_mutex_lock(&all.lock);
	all.p.now = clock_now();
	switch (ev->kind) {
	case BUILD_PLAN:
		all.p.builds = all.built_before + ev->builds;
		all.p.fetches = ev->fetches ? all.fetched_before + ev->fetches : 0;
		tell(CHANGE_PLAN, NULL, (struct slice){ "", 0 });
		break;
	case BUILD_NEXT: set_text(&all.p.next, ev->text); break;
	case BUILD_NOTE: tell(CHANGE_NOTE, NULL, ev->text); break;
	default: drv_event(ev); break;
	}
	pthread_mutex_unlock(&all.lock);
}

void progress_watch_builds(struct slice store_dir)
{
	pthread_mutex_lock(&all.lock);
	free(all.store_dir);
	all.store_dir = xstrndup(store_dir.p, store_dir.n);
	all.built_before = all.p.built;
	all.fetched_before = all.p.fetched;
	pthread_mutex_unlock(&all.lock);
}

/* --- beginning and end --- */

void progress_begin(void)
{
	open_log();
	pthread_mutex_lock(&all.lock);
	if (!all.depth++) {
		choose_form();
		all.p.began = all.p.now = clock_now();
		all.p.logs = progress_settings.logs;
		activity_watch(&watcher);
		if (all.bar)
			start_thread();
	}
	pthread_mutex_unlock(&all.lock);
}

static void sum_up(void)
{
	struct progress *p = &all.p;

	all.p.now = clock_now();
	log_change(CHANGE_OVER, NULL, (struct slice){ "", 0 });
	all.log_planned = 0;
	if (!progress_settings.quiet)
		all.form->change(p, CHANGE_OVER, NULL, (struct slice){ "", 0 });
	if (progress_settings.format <= LOG_PLAIN && !progress_settings.quiet && p->built + p->fetched + p->others &&
	    p->now - p->began >= summary_seconds)
		progress_add_summary(p, program_invocation_short_name, &p->out);
	take_away();
	fd_write_all(2, p->out.p, p->out.len);
}

void progress_finish(void)
{
	if (!all.depth)
		return;
	stop_thread();
	pthread_mutex_lock(&all.lock);
	activity_watch(NULL);
	all.depth = 0;
	while (all.p.n)
		forget_task(&all.p.v[all.p.n - 1]);
	sum_up();
	durations_save();
	free(all.p.v);
	free(all.p.next);
	buf_release(&all.p.out);
	buf_release(&all.shown);
	all.p = (struct progress){ .n = 0 };
	pthread_mutex_unlock(&all.lock);
}

void progress_end(void)
{
	if (all.depth > 1)
		all.depth--;
	else
		progress_finish();
}
