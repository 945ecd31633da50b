/* SPDX-License-Identifier: MIT
 *
 * One engine and one transfer at a time: what flakes fetch comes one after the other.  Its settings hold passwords, and are gone
 * when the transfer is, also when it throws.
 */
#include "config.h"
#include "flake/download.h"
#include "base/fdio.h"
#include "base/limits.h"
#include "base/mem.h"
#include "eval/error.h"
#include "eval/eval.h"
#include "fetch/transfer.h"
#include "flake/source.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { ANSWER_MAX = 16 << 20 };

struct running {
	struct transfer_settings settings;
	struct transfer_engine *engine;
	struct transfer_result result;
	int fd;
};

static void release(void *arg)
{
	struct running *r = arg;

	transfer_engine_free(r->engine);
	transfer_settings_release(&r->settings);
	transfer_result_release(&r->result);
}

static int to_file(void *user, const void *p, size_t n, struct err *e)
{
	const struct running *r = user;

	return fd_write_all(r->fd, p, n) ? err_errno(e, "cannot keep what is fetched") : 0;
}

static int anew(void *user, struct err *e)
{
	const struct running *r = user;

	if (ftruncate(r->fd, 0) || lseek(r->fd, 0, SEEK_SET))
		return err_errno(e, "cannot keep what is fetched");
	return 0;
}

static const char *kept_text(const char *s)
{
	return s ? arena_dup(flake_arena(), s, strlen(s)) : NULL;
}

/* Others will answer, or this one later. */
static int is_passing(int rc, const struct err *e)
{
	return rc == ERR_NETWORK || (rc == ERR_DENIED && e->msg && strstr(e->msg, "asked too often"));
}

static void run(struct download *d, struct running *r, struct transfer_request *q)
{
	struct err e = ERR_INIT;

	if (eval_settings.offline && strncmp(d->url, "file:", 5)) {
		struct buf shown = BUF_GC;
		transfer_show_url(&shown, d->url);
		throw_error(EK_IO, "'%s' needs the network, and --offline was given", shown.p);
	}
	q->url = d->url;
	q->bearer = d->bearer;
	q->etag = d->etag;
	protect_push(release, r);
	throw_if(transfer_settings_load(&r->settings, &e), &e);
	r->engine = transfer_engine_new(&r->settings, &e);
	if (!r->engine)
		throw_err(&e);
	int rc = transfer_get(r->engine, q, &r->result, &e);
	if (rc && d->older_will_do && is_passing(rc, &e)) {
		d->failed = kept_text(e.msg);
		err_release(&e);
		rc = 0;
	}
	throw_if(rc, &e);
	d->not_modified = r->result.not_modified;
	d->new_etag = kept_text(r->result.etag);
	d->immutable = kept_text(r->result.immutable);
	protect_pop(1);
}

void download_file(struct download *d, int fd)
{
	struct running r = { .fd = fd };
	struct transfer_request q = { .max_size = LIMIT_ARCHIVE_PACKED, .write = to_file, .restart = anew, .user = &r };

	run(d, &r, &q);
}

/* The whole of a small answer, in the flake arena. */
static struct slice answer(struct download *d)
{
	struct running r = { .fd = -1 };
	struct buf text = BUF_GC;
	struct transfer_request q = { .max_size = ANSWER_MAX, .write = transfer_write_buf, .restart = transfer_restart_buf,
				      .user = &text };

	run(d, &r, &q);
	return (struct slice){ arena_dup(flake_arena(), buf_str(&text), text.len), text.len };
}

const char *download_text(struct download *d)
{
	return answer(d).p;
}

struct jnode *download_json(struct download *d)
{
	struct slice text = answer(d);
	struct err e = ERR_INIT;
	struct jnode *doc;

	if (d->failed)
		return NULL;
	if (json_tree_parse(flake_arena(), text, &doc, &e)) {
		struct buf shown = BUF_GC;
		transfer_show_url(&shown, d->url);
		err_prefix(&e, "what '%s' answers is no JSON", shown.p);
		throw_err(&e);
	}
	return doc;
}

int download_nameless(int dirfd)
{
	int fd = openat(dirfd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT)) {
		fd = openat(dirfd, "archive", O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd >= 0)
			unlinkat(dirfd, "archive", 0);
	}
	if (fd < 0)
		throw_error(EK_IO, "cannot make a file in the cache: %s", strerror(errno));
	return fd;
}
