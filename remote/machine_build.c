/* SPDX-License-Identifier: MIT
 *
 * A build at another machine, as the process does it that was made for it: what the builder needs is sent, the derivation is built,
 * its outputs are fetched.
 *
 * A machine that trusts this user is given the derivation and no more of its inputs than the builder may see.  One that does not
 * must have the derivation itself, with all that it was made from, since it believes nothing else; but outputs that a hash proves
 * are built for anybody.
 *
 * Only one process sends to a machine at a time: what two need would else be sent twice.
 */
#include "config.h"
#include "remote/machines_int.h"
#include "base/alloc.h"
#include "base/flock.h"
#include "remote/remote.h"
#include "remote/remote_settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

struct visit {
	struct machines *all;
	struct machine *m;
	const struct build_order *o;
	struct remote *r;
	struct path_set inputs;
};

/* --- what it tells --- */

static void on_event(void *user, const struct build_event *ev)
{
	const struct visit *v = user;

	if (ev->kind == BUILD_LINE)
		v->o->line(v->o->user, ev->text);
	else if (ev->kind == BUILD_PHASE)
		v->o->phase(v->o->user, ev->text);
}

static void on_note(void *user, const char *text)
{
	const struct visit *v = user;

	v->o->note(v->o->user, slice_of(text));
}

/* --- sending --- */

struct list {
	const struct path_info *v;
};

static const struct store_path *path_at(void *user, size_t i)
{
	return &((const struct list *)user)->v[i].path;
}

static int info_at(void *user, size_t i, const struct path_info **out, struct err *e)
{
	(void)e;
	*out = &((const struct list *)user)->v[i];
	return 0;
}

/* -1 when it cannot be had: then two may send the same. */
static int lock_upload(struct visit *v)
{
	int fd = machine_open_lock(v->all, v->m, ".upload-lock", NULL);

	if (fd >= 0)
		lock_fd(fd, LOCK_EX, NULL);
	return fd;
}

static int send_list(struct visit *v, const struct path_info *infos, size_t n, struct err *e)
{
	struct list l = { infos };
	const struct remote_objects from = { n, v->o->store, path_at, info_at, &l };
	size_t added;

	return n ? remote_send(v->r, &from, remote_settings.builders_substitute, 0, &added, e) : 0;
}

static int send_all(struct visit *v, struct err *e)
{
	int lock = lock_upload(v), rc;

	v->o->phase(v->o->user, SLICE("sending what it needs"));
	rc = send_list(v, v->o->inputs, v->o->ninputs, e);
	rc = rc ? rc : send_list(v, v->o->drvs, v->o->ndrvs, e);
	if (lock >= 0)
		close(lock);
	return rc;
}

/* --- building --- */

static int is_fixed(const struct drv *d)
{
	return d->noutputs && d->outputs[0].kind == DRV_FIXED;
}

static int code_of(enum build_status s)
{
	return s == STATUS_TIMED_OUT ? ERR_TIMEOUT : s == STATUS_OUTPUT_REJECTED ? ERR_HASH :
	       s == STATUS_NOT_DETERMINISTIC ? ERR_DIFFERS : s == STATUS_LOG_LIMIT ? ERR_REJECTED : ERR_BUILD;
}

static int have_built(struct visit *v, struct err *e)
{
	const struct wanted w = { .path = *v->o->path, .outputs = 1 };
	struct remote_outcome out = { .text = NULL };
	int rc;

	v->o->phase(v->o->user, SLICE("building there"));
	if (v->o->ndrvs)
		rc = remote_build(v->r, &w, 1, 0, &out, e);
	else
		rc = remote_build_given(v->r, v->o->path, v->o->drv, &v->inputs, &out, e);
	if (!rc && !status_is_success(out.status))
		rc = err_set(e, code_of(out.status), "%s", out.text && *out.text ? out.text : "the build failed");
	if (rc && v->o->keep_failed)
		v->o->note(v->o->user, SLICE("The failed build directory was kept on the remote builder due to --keep-failed"));
	free(out.text);
	return rc;
}

/* --- fetching --- */

struct output {
	const struct visit *v;
	size_t i;
	const struct path_info *info;
};

static int take(void *user, const struct byte_source *nar, struct err *e)
{
	const struct output *o = user;

	return o->v->o->output(o->v->o->user, o->i, o->info, nar, e);
}

static int fetch_one(struct visit *v, size_t i, struct err *e)
{
	struct path_info info = { 0 };
	struct output o = { v, i, &info };
	struct store_path p;
	int rc = store_path_parse(v->o->dir, v->o->drv->outputs[i].path, &p, e);

	rc = rc ? rc : remote_info(v->r, &p, &info, e);
	if (rc == 0)
		rc = err_set(e, ERR_BUILD, "it says that it built '%s', and does not have it", p.base);
	rc = rc < 0 ? rc : remote_archive(v->r, &p, take, &o, e);
	path_info_release(&info);
	return rc;
}

static int fetch_all(struct visit *v, struct err *e)
{
	int rc = 0;

	v->o->phase(v->o->user, SLICE("fetching what it made"));
	for (size_t i = 0; !rc && i < v->o->drv->noutputs; i++)
		if (!v->o->skip[i])
			rc = fetch_one(v, i, e);
	return rc;
}

/* --- all of it --- */

static int connect_to(struct visit *v, struct err *e)
{
	/* Of --serve the log is what is said. */
	const struct remote_hooks hooks = { .note = on_note, .event = on_event, .user = v,
					    .said_to = v->m->address.serves ? STDERR_FILENO : 0 };
	struct remote_wishes w = { .keep_failed = v->o->keep_failed, .fallback = 1, .max_jobs = 1,
				   .max_silent = v->o->max_silent, .cores = v->o->cores,
				   .substitute = remote_settings.builders_substitute, .timeout = v->o->timeout };
	const char *more[] = { "timeout", NULL, NULL };
	char seconds[16];
	int rc;

	snprintf(seconds, sizeof seconds, "%u", v->o->timeout);
	more[1] = seconds;
	w.overrides = v->o->timeout ? more : NULL;
	rc = remote_open(&v->r, &v->m->address, v->o->dir, &hooks, e);
	return rc ? rc : remote_wish(v->r, &w, e);
}

static int visit(struct visit *v, struct err *e)
{
	int rc = send_all(v, e);

	rc = rc ? rc : have_built(v, e);
	return rc ? rc : fetch_all(v, e);
}

enum build_ordered machine_build(void *user, int seat, const struct build_order *o, struct err *e)
{
	struct machines *all = user;
	struct visit v = { .all = all, .m = &all->v[all->seats[seat].machine], .o = o };
	enum build_ordered how;

	for (size_t i = 0; i < o->ninputs; i++)
		path_set_add(&v.inputs, &o->inputs[i].path);
	if (connect_to(&v, e))
		how = ORDER_UNREACHABLE;
	else if (!remote_trust(v.r) && !is_fixed(o->drv) && !o->ndrvs && !v.m->gets_drvs)
		how = ORDER_WANTS_DRVS;
	else
		how = visit(&v, e) ? ORDER_FAILED : ORDER_DONE;
	remote_free(v.r);
	path_set_release(&v.inputs);
	return how;
}
