/* SPDX-License-Identifier: MIT
 *
 * A listing has where in the archive the contents of each file begin, so that one file can be had without the rest.  The reader of
 * archives does not say where it is; but every string of an archive has one length only, so it is counted.
 */
#include "config.h"
#include "cache/pack.h"
#include "base/alloc.h"
#include "base/fdio.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/thread.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Bytes of strings in an archive: tags of at most 8 bytes, and longer ones of at most 16. */
enum { TAG = 16, LONG_TAG = 24, NUMBER = 8 };

struct packer {
	struct pack_job job;
	struct packed out;
	struct err err;
	int rc;
	pthread_t thread;
	atomic_int done;

	struct hash_ctx nar, file;
	struct codec *codec;
	struct nar_reader *reader;
	uint64_t at; /* where the listing is in the archive */
	int depth, first[LIMIT_NAR_DEPTH + 2];
};

void packed_release(struct packed *p)
{
	buf_release(&p->listing);
}

/* --- the listing --- */

static uint64_t string_size(size_t n)
{
	return NUMBER + (n + 7) / 8 * 8;
}

/* What stands before an object: its name, in a directory. */
static void begin_node(struct packer *p, struct slice name, const char *type)
{
	struct buf *b = &p->out.listing;

	if (p->depth) {
		p->at += 3 * TAG + string_size(name.n) + TAG;
		buf_adds(b, p->first[p->depth] ? "" : ",");
		p->first[p->depth] = 0;
		json_add_string(b, name.p, name.n);
		buf_addc(b, ':');
	}
	p->at += 2 * TAG + string_size(strlen(type));
	buf_addf(b, "{\"type\":\"%s\"", type);
}

static void end_node(struct packer *p)
{
	p->at += p->depth ? 2 * TAG : TAG;
	buf_addc(&p->out.listing, '}');
}

static int on_directory(void *user, struct slice name, struct err *e)
{
	struct packer *p = user;

	(void)e;
	begin_node(p, name, "directory");
	buf_adds(&p->out.listing, ",\"entries\":{");
	p->first[++p->depth] = 1;
	return 0;
}

static int on_directory_end(void *user, struct err *e)
{
	struct packer *p = user;

	(void)e;
	p->depth--;
	buf_addc(&p->out.listing, '}');
	end_node(p);
	return 0;
}

static int on_regular(void *user, struct slice name, int executable, uint64_t size, struct err *e)
{
	struct packer *p = user;

	(void)e;
	begin_node(p, name, "regular");
	p->at += (executable ? LONG_TAG + NUMBER : 0) + TAG + NUMBER;
	buf_addf(&p->out.listing, ",\"size\":%llu%s,\"narOffset\":%llu", (unsigned long long)size,
		 executable ? ",\"executable\":true" : "", (unsigned long long)p->at);
	p->at += (size + 7) / 8 * 8;
	return 0;
}

static int on_regular_end(void *user, struct err *e)
{
	(void)e;
	end_node(user);
	return 0;
}

static int on_symlink(void *user, struct slice name, struct slice target, struct err *e)
{
	struct packer *p = user;

	(void)e;
	begin_node(p, name, "symlink");
	p->at += TAG + string_size(target.n);
	buf_adds(&p->out.listing, ",\"target\":");
	json_add_string(&p->out.listing, target.p, target.n);
	end_node(p);
	return 0;
}

static const struct nar_events events = { on_directory, on_directory_end, on_regular, NULL, on_regular_end, on_symlink };

/* --- the thread --- */

/* The archive passes. */
static int take_nar(void *user, const void *data, size_t n, struct err *e)
{
	struct packer *p = user;
	size_t used;
	int rc = p->reader ? nar_reader_feed(p->reader, data, n, &used, e) : 0;

	hash_update(&p->nar, data, n);
	p->out.nar_size += n;
	return rc ? rc : codec_feed(p->codec, data, n, e);
}

/* What is served of it passes. */
static int take_file(void *user, const void *data, size_t n, struct err *e)
{
	struct packer *p = user;

	hash_update(&p->file, data, n);
	p->out.file_size += n;
	return fd_write_all(p->job.to, data, n) ? err_errno(e, "cannot write the archive") : 0;
}

static int pack(struct packer *p)
{
	const struct nar_sink nar = { take_nar, p }, file = { take_file, p };
	const struct pack_job *j = &p->job;
	int rc = compress_open(&p->codec, j->compression, j->level, j->parallel, &file, &p->err);

	hash_init(&p->nar, HASH_SHA256);
	hash_init(&p->file, HASH_SHA256);
	p->at = LONG_TAG;
	if (j->listing) {
		p->reader = nar_reader_new(&events, p);
		buf_adds(&p->out.listing, "{\"version\":1,\"root\":");
	}
	rc = rc ? rc : nar_write(j->dirfd, j->name, j->name, NULL, &nar, &p->err);
	rc = rc ? rc : codec_end(p->codec, &p->err);
	if (j->listing)
		buf_adds(&p->out.listing, "}");
	if (!rc && j->sync && fdatasync(j->to))
		rc = err_errno(&p->err, "cannot write the archive");
	hash_final(&p->nar, &p->out.nar_hash);
	hash_final(&p->file, &p->out.file_hash);
	codec_free(p->codec);
	nar_reader_free(p->reader);
	return rc;
}

static void *run(void *arg)
{
	struct packer *p = arg;

	p->rc = pack(p);
	p->done = 1;
	if (p->job.wake)
		p->job.wake(p->job.user);
	return NULL;
}

int packer_start(struct packer **out, const struct pack_job *job, struct err *e)
{
	struct packer *p = xcalloc(1, sizeof *p);
	int code;

	p->job = *job;
	code = thread_start(&p->thread, run, p);
	*out = code ? NULL : p;
	if (!code)
		return 0;
	free(p);
	return err_set(e, ERR_IO, "cannot start a thread: %s", strerror(code));
}

int packer_is_done(const struct packer *p)
{
	return p->done;
}

int packer_join(struct packer *p, struct packed *out, struct err *e)
{
	int rc;

	pthread_join(p->thread, NULL);
	rc = p->rc;
	*out = p->out;
	if (rc)
		err_set(e, rc, "%s", p->err.msg ? p->err.msg : "it cannot be packed");
	err_release(&p->err);
	free(p);
	return rc;
}
