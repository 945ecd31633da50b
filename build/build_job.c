/* SPDX-License-Identifier: MIT
 *
 * One build, from taking the locks of its outputs to giving them up.
 *
 * The builder prints to a pseudo-terminal, as with Nix (programs that ask are told they write to one, and write line by
 * line); it is over when its process 1 has ended, or a moment after it and all others have closed that terminal.
 * What it prints goes to the log as it is, and line by line to whoever watches.
 */
#include "config.h"
#include "base/alloc.h"
#include "build/build_int.h"
#include "build/builtin_builders.h"

#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

const char *build_system(void)
{
	static char name[96];
	struct utsname u;

	if (!*name && !uname(&u))
		snprintf(name, sizeof name, "%.60s-linux", u.machine);
	return name;
}

/* --- can it be built here? --- */

static int runs_here(struct slice system)
{
	return slice_eq(system, SLICE("builtin")) || slice_eq(system, slice_of(build_system())) ||
	       (slice_eq(system, SLICE("i686-linux")) && !strcmp(build_system(), "x86_64-linux"));
}

const char *build_usual_features(void)
{
	return access("/dev/kvm", R_OK | W_OK) ? "nixos-test benchmark big-parallel" : "nixos-test benchmark big-parallel kvm";
}

int job_check_system(const struct build *b, const struct node *n, const struct drv_options *o, struct err *e)
{
	const char *have = b->set->features;
	const struct drv *d = &n->drv;
	int good = runs_here(d->system) || slice_starts(d->builder, SLICE("builtin:"));
	struct buf drv = BUF_INIT, need = BUF_INIT;

	if (!have)
		have = build_usual_features();
	for (size_t i = 0; i < o->features.n; i++) {
		buf_addf(&need, "%s%.*s", i ? ", " : "", (int)o->features.v[i].n, o->features.v[i].p);
		good = good && slice_in_words(o->features.v[i], have);
	}
	if (!good) {
		build_add_drv(b, &drv, n);
		err_set(e, ERR_BUILD, "a '%.*s' with features {%s} is required to build '%s', but I am a '%s' with features {%s}",
			(int)d->system.n, d->system.p, buf_str(&need), buf_str(&drv), build_system(), have);
	}
	buf_release(&drv);
	buf_release(&need);
	return good ? 0 : ERR_BUILD;
}

/* A store that is not at its place is seen there in a sandbox only, so what is built for it is confined whatever was asked for. */
static int check_confinement(struct job *j, struct err *e)
{
	enum build_confinement c = j->b->set->confinement;
	struct buf drv = BUF_INIT;
	int rc = 0;

	j->bare = (c == CONFINE_NONE || (c == CONFINE_RELAXED && j->opt.no_chroot)) && !place_is_mapped(store_place(j->b->s));
	build_add_drv(j->b, &drv, j->node);
	if (j->opt.no_chroot && c == CONFINE_REQUIRED)
		rc = err_set(e, ERR_DENIED,
			     "derivation '%s' has '__noChroot' set, but that's not allowed unless --sandbox=relaxed is given",
			     buf_str(&drv));
	else if (j->bare)
		build_note(j->b, j->node, "building '%s' without the sandbox: it sees this machine, and runs as the same user",
			   buf_str(&drv));
	buf_release(&drv);
	return rc;
}

/* --- locks --- */

/* Who holds the lock file, in words; the kernel's list has only processes of our own namespace. */
static void lock_holder(struct job *j, const struct store_path *p, char out[128])
{
	char name[STORE_BASE_MAX + 8], line[256], path[64], comm[64] = "";
	unsigned maj, min;
	unsigned long ino;
	struct stat st;
	long pid = 0;
	FILE *f;

	snprintf(out, 128, "another process");
	snprintf(name, sizeof name, "%s.lock", p->base);
	if (fstatat(store_fd(j->b->s), name, &st, AT_SYMLINK_NOFOLLOW) || !(f = fopen("/proc/locks", "re")))
		return;
	while (fgets(line, sizeof line, f))
		if (sscanf(line, "%*s FLOCK %*s %*s %ld %x:%x:%lu", &pid, &maj, &min, &ino) == 4 && ino == st.st_ino &&
		    maj == major(st.st_dev) && min == minor(st.st_dev))
			break;
		else
			pid = 0;
	fclose(f);
	if (pid <= 0)
		return;
	snprintf(path, sizeof path, "/proc/%ld/comm", pid);
	f = fopen(path, "re");
	if (f && fgets(comm, sizeof comm, f))
		comm[strcspn(comm, "\n")] = 0;
	if (f)
		fclose(f);
	snprintf(out, 128, "process %ld (%s)", pid, *comm ? comm : "?");
}

/* 0 locked, 1 taken by another. */
static int take_locks(struct job *j, struct err *e)
{
	struct path_set all = PATH_SET_INIT;
	char who[128];
	int rc;

	for (size_t i = 0; i < j->node->drv.noutputs; i++)
		path_set_add(&all, &j->node->paths[i]);
	rc = path_locks_take(&j->locks, j->b->s, &all, LOCK_TRY, e);
	path_set_release(&all);
	if (rc == 1 && !j->node->retry_at) {
		struct build_event ev = { .kind = BUILD_WAIT, .drv = &j->node->path };

		lock_holder(j, &j->node->paths[0], who);
		ev.text = slice_of(who);
		build_event(j->b, &ev);
	}
	return rc;
}

/* --- starting --- */

/* Which outputs are valid already: they are built again beside the others, and thrown away or compared. */
static int find_valid(struct job *j, struct err *e)
{
	const struct drv *d = &j->node->drv;
	int valid;

	j->skip = arena_alloc(&j->arena, d->noutputs + 1);
	for (size_t i = 0; i < d->noutputs; i++) {
		valid = graph_output_valid(j->b, j->node, i, e);
		if (valid < 0)
			return valid;
		j->skip[i] = (unsigned char)valid;
	}
	return 0;
}

/* The terminal: *master stays here, the other end is returned. */
static int open_terminal(struct job *j, int *master, struct err *e)
{
	int slave = -1, pipes[2];
	struct termios t;

	*master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (*master >= 0 && !unlockpt(*master))
		slave = ioctl(*master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0) {
		/* No terminals here (a bare container): programs then print by the block, which hurts nobody. */
		if (*master >= 0)
			close(*master);
		if (pipe2(pipes, O_CLOEXEC))
			return err_errno(e, "the output of a builder");
		*master = pipes[0];
		slave = pipes[1];
	} else if (!tcgetattr(slave, &t)) {
		cfmakeraw(&t);
		tcsetattr(slave, TCSANOW, &t);
		/* /dev/stderr opens it once more, with the builder's rights. */
		if (j->user.lock >= 0 && fchown(slave, j->user.uid, (gid_t)-1) == 0)
			fchmod(slave, 0600);
	}
	fcntl(*master, F_SETFL, O_NONBLOCK);
	return slave;
}

static void drain(void *job)
{
	job_read(job);
}

/* A tool that starts a process for each core, each with a thread for each core (go build does), and as much again. */
static unsigned default_procs(void)
{
	unsigned cores = build_cores(), n = 2 * cores * (cores + 16);

	return n > BUILD_PROCS_LEAST ? n : BUILD_PROCS_LEAST;
}

/* Where its builder makes the outputs, by output. */
static const struct store_path *made_paths(struct job *j)
{
	size_t n = j->node->drv.noutputs;
	struct store_path *v = arena_alloc(&j->arena, (n + 1) * sizeof *v);

	for (size_t i = 0; i < n; i++)
		v[i] = *build_made_path(j, i);
	return v;
}

static int start_process(struct job *j, struct err *e)
{
	const struct drv *d = &j->node->drv;
	struct builtin_call call = { d->name, d, made_paths(j), store_dir(j->b->s), j->top, NULL, NULL, j->envp };
	struct sandbox_spec spec = {
		.program = d->builder.p,
		.argv = j->argv,
		.envp = j->envp,
		.cwd = j->top,
		.binds = j->binds,
		.nbinds = j->nbinds,
		.entries = j->entries,
		.nentries = j->nentries,
		.network = j->fixed,
		.bare = j->bare,
		.uid = SANDBOX_UID,
		.gid = SANDBOX_GID,
		.outer_uid = j->user.uid,
		.outer_gid = j->user.gid,
		.max_procs = j->b->set->max_procs ? j->b->set->max_procs : default_procs(),
		.linux32 = slice_eq(d->system, SLICE("i686-linux")),
	};
	struct buf root = BUF_INIT;
	int slave, rc;

	if (slice_starts(d->builder, SLICE("builtin:"))) {
		call.builtin = builtin_find(d->builder, j->b->set->hooks.builtins);
		if (!call.builtin)
			return err_set(e, ERR_BUILD, "there is no builder '%.*s'", (int)d->builder.n, d->builder.p);
		if (call.builtin->then && d->nargs)
			call.then = j->argv + 1;
		spec.execs = call.then != NULL;
		spec.function = builtin_run;
		spec.arg = &call;
		spec.input = j->b->set->hooks.input ? j->b->set->hooks.input(j->b->set->hooks.user, d) : 0;
	}
	slave = open_terminal(j, &j->output, e);
	if (slave < 0)
		return ERR_IO;
	buf_addf(&root, "%s/root", j->dir.path);
	spec.root = buf_str(&root);
	spec.output = slave;
	spec.printed = j->output;
	spec.drain = drain;
	spec.drain_arg = j;
	rc = sandbox_start(&j->box, &spec, e);
	buf_release(&root);
	close(slave);
	return rc;
}

static int prepare(struct job *j, struct err *e)
{
	struct buf top = BUF_INIT;
	int rc = build_user_take(&j->user, j->b->s, e);

	rc = rc ? rc : build_dir_open(j, e);
	if (rc)
		return rc;
	buf_addf(&top, "%s/build", j->dir.path);
	j->top = j->bare ? arena_dup(&j->arena, buf_str(&top), top.len) : BUILD_TOP;
	buf_release(&top);
	rc = build_env_make(j, e);
	if (!rc && !j->bare)
		rc = build_root_make(j, e);
	return rc;
}

static struct job *job_new(struct build *b, struct node *n, int seat)
{
	struct job *j = xcalloc(1, sizeof *j);

	j->b = b;
	j->node = n;
	j->seat = seat;
	j->arena = (struct arena)ARENA_INIT;
	j->dir = (struct build_dir){ NULL, NULL, -1, -1, -1, -1 };
	j->user.lock = -1;
	j->box = (struct sandbox){ .pid = -1, .pidfd = -1 };
	j->output = -1;
	j->tail.max = b->set->log_lines;
	j->tail.v = xcalloc(j->tail.max + 1, sizeof *j->tail.v);
	return j;
}

/* Which build it was that could not be started; what is wrong with this machine concerns every build. */
static void name_failed(const struct job *j, struct err *e)
{
	struct buf drv = BUF_INIT;

	if (e->code == ERR_DENIED)
		return;
	build_add_drv(j->b, &drv, j->node);
	/* To others a builder that is not there is one that failed. */
	err_prefix(e, e->code == ERR_BUILD ? "builder for '%s' failed with exit code 1" : "cannot start the builder of '%s'",
		   buf_str(&drv));
	buf_release(&drv);
}

static int job_begin(struct job *j, struct err *e)
{
	struct build *b = j->b;
	enum drv_output_kind kind;
	int rc = drv_kind(&j->node->drv, &kind, e);

	if (rc)
		return rc;
	j->fixed = kind == DRV_FIXED;
	rc = drv_options_read(&j->opt, &j->node->drv, e);
	if (rc == ERR_INVALID)
		rc = e->code = ERR_BUILD;
	rc = rc ? rc : find_valid(j, e);
	if (!rc && j->seat >= 0)
		return elsewhere_begin(j, e);
	rc = rc ? rc : job_check_system(b, j->node, &j->opt, e);
	rc = rc ? rc : check_confinement(j, e);
	rc = rc ? rc : build_move_outputs(j, e);
	rc = rc ? rc : graph_inputs(b, j->node, &j->inputs, e);
	rc = rc ? rc : prepare(j, e);
	if (rc)
		return rc;
	j->log = log_open(b->s, &j->node->path, NULL);
	rc = start_process(j, e);
	if (rc)
		name_failed(j, e);
	return rc;
}

void build_add_title(struct buf *b, const struct drv *d)
{
	const struct slice *module = drv_env(d, SLICE("module")), *version = drv_env(d, SLICE("version"));

	if (slice_eq(d->builder, SLICE("builtin:go-module")) && module && version &&
	    !slice_eq(*module, SLICE("golang.org/toolchain")))
		buf_addf(b, "%.*s %.*s", (int)module->n, module->p, (int)version->n, version->p);
	else
		buf_add(b, d->name.p, d->name.n);
}

static void say_start(struct job *j)
{
	const struct build_machines *m = j->b->set->machines;
	struct buf title = BUF_INIT;

	build_add_title(&title, &j->node->drv);
	build_event(j->b, &(struct build_event){ .kind = BUILD_START, .drv = &j->node->path, .fetch = j->node->fetch,
						 .text = { buf_str(&title), title.len },
						 .machine = j->seat < 0 ? NULL : m->name(m->user, j->seat) });
	buf_release(&title);
}

int job_start(struct build *b, struct node *n, int seat, struct err *e)
{
	struct job *j = job_new(b, n, seat);
	int rc = take_locks(j, e);

	if (rc == 1) {
		n->retry_at = build_now() + 0.25;
		job_free(j, 0);
		return 1;
	}
	/* Somebody else may have built it while we waited. */
	if (!rc && !(n->asked && b->set->check)) {
		int valid = graph_outputs_valid(b, n, 0, e);

		if (valid) {
			job_free(j, 0);
			return valid < 0 ? valid : 2;
		}
	}
	b->jobs[b->njobs++] = j;
	n->job = j;
	n->state = NODE_RUNNING;
	if (!rc) {
		say_start(j);
		rc = job_begin(j, e);
	}
	b->started++;
	j->started = j->last_output = build_now();
	return rc;
}

/* --- output --- */

static void tail_add(struct tail *t, struct slice line)
{
	if (!t->max)
		return;
	free(t->v[t->at]);
	t->v[t->at] = xstrndup(line.p, line.n);
	t->at = (t->at + 1) % t->max;
	if (t->n < t->max)
		t->n++;
}

static void say_progress(struct job *j, uint64_t now, uint64_t all)
{
	build_event(j->b, &(struct build_event){ .kind = BUILD_PROGRESS, .drv = &j->node->path, .fetch = j->node->fetch,
						 .now = now, .all = all });
}

/* {"action":"setPhase","phase":NAME}, Nix's own.  With "lines":N, which Nix passes over: each line from now on that is one word (a
 * package, as go build -v prints them) stands for one of N parts of the work. */
static void phase_line(struct job *j, const struct jnode *n)
{
	const struct jnode *phase = json_member(n, SLICE("phase")), *lines = json_member(n, SLICE("lines"));

	if (!phase || phase->kind != JSON_STRING)
		return;
	j->counted = 0;
	j->to_count = lines && lines->kind == JSON_INT && lines->i > 0 ? (uint64_t)lines->i : 0;
	build_event(j->b, &(struct build_event){ .kind = BUILD_PHASE, .drv = &j->node->path, .text = phase->str });
}

/* {"action":"result","type":105,"fields":[NOW,ALL]}: how far it is. */
static void result_line(struct job *j, const struct jnode *n)
{
	const struct jnode *type = json_member(n, SLICE("type")), *fields = json_member(n, SLICE("fields"));
	const struct jnode *now = fields && fields->kind == JSON_ARRAY ? fields->first : NULL, *all = now ? now->next : NULL;

	if (type && type->kind == JSON_INT && type->i == BUILTIN_PROGRESS && all && now->kind == JSON_INT && now->i >= 0 &&
	    all->kind == JSON_INT && all->i >= 0)
		say_progress(j, (uint64_t)now->i, (uint64_t)all->i);
}

/* {"action":"msg","msg":TEXT} of the process that talks to a machine. */
static void note_line(struct job *j, const struct jnode *n)
{
	const struct jnode *text = json_member(n, SLICE("msg"));

	if (text && text->kind == JSON_STRING)
		build_note(j->b, j->node, "%.*s", (int)text->str.n, text->str.p);
}

/* Once a build: one that gets it wrong does so each time. */
static void warn_of_line(struct job *j)
{
	if (!j->warned_of_line)
		build_note(j->b, j->node,
			   "warning: Unable to handle a JSON message from the derivation builder: what '%.*s' wrote behind "
			   "'@nix ' is no object with an action",
			   (int)j->node->drv.name.n, j->node->drv.name.p);
	j->warned_of_line = 1;
}

/* "@nix {…}": what a builder says to the program, not to people. */
static void structured_line(struct job *j, struct slice text)
{
	struct arena a = ARENA_INIT;
	struct jnode *n, *action;

	action = json_tree_parse(&a, text, &n, NULL) || n->kind != JSON_OBJECT ? NULL : json_member(n, SLICE("action"));
	if (!action || action->kind != JSON_STRING)
		warn_of_line(j);
	else if (slice_eq(action->str, SLICE("setPhase")))
		phase_line(j, n);
	else if (slice_eq(action->str, SLICE("result")))
		result_line(j, n);
	else if (slice_eq(action->str, SLICE("msg")) && j->seat >= 0)
		note_line(j, n);
	arena_release(&a);
}

/* Builders of ours tell how far they are ten times a second, which is not for the log; nor is what they do who talk to a machine.
 */
static void log_text(struct job *j, const char *p, size_t n, int line)
{
	int ours = j->seat >= 0 || slice_starts(j->node->drv.builder, SLICE("builtin:"));

	if (ours != line)
		return;
	log_write(j->log, p, n);
	if (line)
		log_write(j->log, "\n", 1);
}

static void end_line(struct job *j)
{
	struct buf *l = &j->tail.line;
	struct slice s = { l->p, l->len };

	while (s.n && s.p[s.n - 1] == '\r')
		s.n--;
	if (slice_starts(s, SLICE("@nix "))) {
		structured_line(j, (struct slice){ s.p + 5, s.n - 5 });
	} else {
		if (!s.n)
			s.p = "";
		log_text(j, s.p, s.n, 1);
		tail_add(&j->tail, s);
		build_event(j->b, &(struct build_event){ .kind = BUILD_LINE, .drv = &j->node->path, .text = s });
		if (j->to_count && s.n && !memchr(s.p, ' ', s.n) && j->counted < j->to_count)
			say_progress(j, ++j->counted, j->to_count);
	}
	buf_trim(l, 0);
}

static void take_output(struct job *j, const char *p, size_t n)
{
	log_text(j, p, n, 0);
	while (n) {
		const char *nl = memchr(p, '\n', n);
		size_t part = nl ? (size_t)(nl - p) : n;

		buf_add(&j->tail.line, p, part);
		if (nl || j->tail.line.len > BUILD_LINE_MAX)
			end_line(j);
		part += nl != NULL;
		p += part;
		n -= part;
	}
}

void job_read(struct job *j)
{
	char part[16384];
	uint64_t max = j->b->set->max_log;
	ssize_t n;

	/* A builder that prints without end must not keep us here. */
	for (unsigned turn = 0; j->output >= 0 && turn < 64; turn++) {
		n = read(j->output, part, sizeof part);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0) { /* EIO: the last holder of the terminal is gone */
			close(j->output);
			j->output = -1;
			j->closed = build_now();
			return;
		}
		j->last_output = build_now();
		j->printed += (uint64_t)n;
		if (j->end != JOB_LOG_LIMIT)
			take_output(j, part, (size_t)n);
		if (max && j->printed > max)
			job_stop(j, JOB_LOG_LIMIT);
	}
}

void job_stop(struct job *j, enum job_end why)
{
	if (j->end == JOB_RUNS)
		j->end = why;
	sandbox_kill(&j->box);
}

/* --- the end --- */

static int is_disk_full(const struct job *j)
{
	enum { LITTLE = 8 << 20 };
	struct statvfs st;

	return j->seat < 0 && !fstatvfs(j->dir.fd, &st) && (uint64_t)st.f_bavail * st.f_bsize < LITTLE;
}

void job_add_log(const struct job *j, struct buf *b)
{
	const struct place *p = store_place(j->b->s);
	const struct tail *t = &j->tail;

	if (is_disk_full(j))
		buf_adds(b, "\nnote: build failure may have been caused by lack of free disk space");
	if (t->n)
		buf_addf(b, ";\nlast %zu log line%s:", t->n, t->n == 1 ? "" : "s");
	for (size_t i = 0; i < t->n; i++)
		buf_addf(b, "\n> %s", t->v[(t->at + t->max - t->n + i) % t->max]);
	if (!j->printed || !j->log || (j->seat >= 0 && !t->n))
		return;
	buf_adds(b, "\nFor full logs, run 'gx log ");
	if (p->mode == PLACE_ROOT)
		buf_addf(b, "--store %s ", p->root);
	else if (p->mode == PLACE_RELOCATED)
		buf_addf(b, "--store-dir %s ", p->store_dir);
	build_add_drv(j->b, b, j->node);
	buf_adds(b, "'.");
}

static int failure(struct job *j, int status, struct err *e)
{
	struct buf b = BUF_INIT, drv = BUF_INIT;
	int sig = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	int code = j->end == JOB_TIMEOUT || j->end == JOB_SILENT ? ERR_TIMEOUT : j->end == JOB_LOG_LIMIT ? ERR_REJECTED : ERR_BUILD;

	build_add_drv(j->b, &drv, j->node);
	if (j->end == JOB_TIMEOUT)
		buf_addf(&b, "building of '%s' timed out after %u seconds", buf_str(&drv), j->b->set->timeout);
	else if (j->end == JOB_SILENT)
		buf_addf(&b, "building of '%s' timed out after %u seconds of silence", buf_str(&drv), j->b->set->max_silent);
	else if (j->end == JOB_LOG_LIMIT)
		buf_addf(&b, "'%s' killed after writing more than %llu bytes of log output", buf_str(&drv),
			 (unsigned long long)j->b->set->max_log);
	else if (sig)
		buf_addf(&b, "cannot build '%s': builder failed due to signal %d (%s)", buf_str(&drv), sig, strsignal(sig));
	else
		buf_addf(&b, "builder for '%s' failed with exit code %d", buf_str(&drv), WEXITSTATUS(status));
	job_add_log(j, &b);
	err_set(e, code, "%s", buf_str(&b));
	buf_release(&b);
	buf_release(&drv);
	return code;
}

int job_finish(struct job *j, struct err *e)
{
	int status = sandbox_wait(&j->box);

	while (j->output >= 0) {
		size_t before = j->printed;

		job_read(j);
		if (j->printed == before)
			break;
	}
	if (j->tail.line.len)
		end_line(j);
	if (j->seat >= 0 && j->end == JOB_RUNS)
		return elsewhere_finish(j, status, e);
	/* Nobody had looked for so long: it had ended before it was killed. */
	if (j->end == JOB_CLOSED && WIFEXITED(status))
		j->end = JOB_RUNS;
	if (j->end != JOB_RUNS || status)
		return failure(j, status, e);
	build_event(j->b,
		    &(struct build_event){ .kind = BUILD_PHASE, .drv = &j->node->path, .text = SLICE("taking what it made") });
	return build_outputs(j, e);
}

void job_rest(struct job *j)
{
	log_close(j->log);
	j->log = NULL;
	if (j->output >= 0)
		close(j->output);
	j->output = -1;
	/* What comes to nothing after all may be looked at. */
	if (!j->b->set->keep_failed)
		build_dir_close(j, 0);
	build_user_release(&j->user);
	elsewhere_free(j);
}

void job_free(struct job *j, int failed)
{
	int builtin = slice_starts(j->node->drv.builder, SLICE("builtin:"));

	if (j->box.pid > 0) {
		sandbox_kill(&j->box);
		sandbox_wait(&j->box);
	}
	if (j->output >= 0)
		close(j->output);
	log_close(j->log);
	elsewhere_free(j);
	build_moved_remove(j, failed);
	/* What a builder of ours was working on may hold what it was trusted with. */
	build_dir_close(j, failed && j->b->set->keep_failed && !builtin);
	build_user_release(&j->user);
	path_locks_release(&j->locks, 1);
	path_set_release(&j->inputs);
	drv_options_release(&j->opt);
	arena_release(&j->arena);
	for (size_t i = 0; i < j->tail.max; i++)
		free(j->tail.v[i]);
	free(j->tail.v);
	buf_release(&j->tail.line);
	free(j);
}
