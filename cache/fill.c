/* SPDX-License-Identifier: MIT
 *
 * One loop: ask what is there, pack while there are cores, send, and publish what has all it refers to.  A cache in a folder gets
 * its archives under other names first; one that is reached by a network gets them out of files that have no name.
 *
 * An archive is called by the hash of its file, as Nix does: who is in the middle of fetching the same object packed otherwise is
 * not disturbed.
 */
#include "config.h"
#include "cache/fill.h"
#include "base/activity.h"
#include "base/alloc.h"
#include "base/fdio.h"
#include "base/parallel.h"
#include "cache/memory.h"
#include "cache/pack.h"
#include "store/roots.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ASKED_AT_ONCE = 128, SENT_AT_ONCE = 16, INFO_SIZE = 1 << 16 };

enum upload_state { UP_ASK, UP_ASKING, UP_PACK, UP_PACKING, UP_SENDING, UP_SENT, UP_PUBLISHING, UP_PUBLISHED };

struct upload {
	struct path_info info;
	enum upload_state state;
	struct packer *packer;
	struct packed packed;
	int file; /* the archive, -1: none */
	char name[32]; /* of that file in a folder, while it has no other */
	struct transfer *transfer;
	struct transfer_request request;
	struct transfer_upload body;
	struct buf url, text, title, refusal;
	unsigned activity;
};

struct fill {
	struct store *s;
	struct caches caches;
	struct binary_cache *to;
	struct secret_keys keys;
	const struct fill_options *o;
	struct fill_result *result;
	struct upload *v;
	size_t n, next, busy[UP_PUBLISHED + 1];
	int dir; /* a cache in a folder */
};

/* --- keys --- */

int secret_keys_read(struct secret_keys *k, const char *path, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc = 0;
	struct buf text = BUF_INIT;
	struct secret_key key;

	if (fd < 0 || fd_read_all(fd, &text))
		rc = err_errno(e, "cannot read the key '%s'", path);
	else if (secret_key_parse((struct slice){ buf_str(&text), text.len }, &key, e))
		err_prefix(e, "'%s'", path), rc = ERR_INVALID;
	if (fd >= 0)
		close(fd);
	buf_wipe(&text);
	if (!rc) {
		k->v = xrealloc_array(k->v, k->n + 1, sizeof *k->v);
		k->v[k->n++] = key;
	}
	return rc;
}

int secret_keys_of_settings(struct secret_keys *k, struct err *e)
{
	static const char blanks[] = " \t\n";
	int rc = 0;

	for (const char *p = cache_settings.secret_key_files; !rc && p && *(p += strspn(p, blanks)); p += strcspn(p, blanks)) {
		char *path = xstrndup(p, strcspn(p, blanks));

		rc = secret_keys_read(k, path, e);
		free(path);
	}
	if (rc)
		err_prefix(e, "the setting 'secret-key-files'");
	return rc;
}

void secret_keys_release(struct secret_keys *k)
{
	for (size_t i = 0; i < k->n; i++)
		secret_key_release(&k->v[i]);
	free(k->v);
	*k = (struct secret_keys){ 0 };
}

size_t path_info_add_sigs(struct path_info *i, const char *sigs)
{
	size_t added = 0;

	for (const char *p = sigs ? sigs : ""; *(p += strspn(p, " ")); p += strcspn(p, " ")) {
		struct slice sig = { p, strcspn(p, " ") };
		struct buf all = BUF_INIT;

		if (slice_in_words(sig, i->sigs ? i->sigs : ""))
			continue;
		buf_addf(&all, "%s%s%.*s", i->sigs ? i->sigs : "", i->sigs ? " " : "", (int)sig.n, sig.p);
		free(i->sigs);
		i->sigs = buf_detach(&all, NULL);
		added++;
	}
	return added;
}

int path_info_sign(const struct secret_keys *k, struct slice store_dir, struct path_info *i, size_t *added, struct err *e)
{
	struct buf data = BUF_INIT;
	int rc = 0;

	fingerprint_add(&data, store_dir, &i->path, &i->nar_hash, i->nar_size, &i->refs);
	for (size_t j = 0; !rc && j < k->n; j++) {
		struct buf sig = BUF_INIT;

		rc = secret_key_sign(&k->v[j], (struct slice){ data.p, data.len }, &sig, e);
		*added += rc ? 0 : path_info_add_sigs(i, sig.p);
		buf_release(&sig);
	}
	buf_release(&data);
	return rc;
}

/* --- the cache itself --- */

static int read_keys(struct fill *f, struct err *e)
{
	char *list = f->to->at.secret_keys ? xstrdup(f->to->at.secret_keys) : NULL, *save = NULL;
	int rc = 0;

	for (char *p = list ? strtok_r(list, ",", &save) : NULL; !rc && p; p = strtok_r(NULL, ",", &save))
		rc = secret_keys_read(&f->keys, p, e);
	free(list);
	return rc;
}

static void info_text(struct fill *f, struct buf *b)
{
	buf_addf(b, "StoreDir: %.*s\n", (int)store_dir(f->s).n, store_dir(f->s).p);
}

static int open_folder(struct fill *f, struct err *e)
{
	struct buf path = BUF_INIT, text = BUF_INIT;
	int rc;

	cache_add_url(&path, f->to, "nar");
	if (make_folders(path.p, 0777) || (f->dir = open(f->to->at.base, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0) {
		err_errno(e, "cannot make the folder '%s'", f->to->at.base);
		buf_release(&path);
		return ERR_IO;
	}
	rc = cache_read_file(f->to, "nix-cache-info", INFO_SIZE, &text, e);
	if (rc == ERR_NOTFOUND) {
		err_release(e);
		buf_trim(&path, 0);
		cache_add_url(&path, f->to, "nix-cache-info");
		info_text(f, &text);
		rc = file_replace(path.p, text.p, text.len, 0666) ? err_errno(e, "cannot write '%s'", path.p) : 0;
	}
	rc = rc ? rc : cache_take_info(&f->caches, f->to, (struct slice){ buf_str(&text), text.len }, e);
	buf_release(&path);
	buf_release(&text);
	return rc;
}

static int put_info(struct fill *f, struct buf *url, struct err *e)
{
	struct buf text = BUF_INIT;
	struct transfer_upload body = { .fd = -1 };
	struct transfer_request r = { .title = "", .upload = &body };
	int rc;

	info_text(f, &text);
	body.p = text.p;
	body.size = text.len;
	rc = cache_request(&f->caches, f->to, "nix-cache-info", url, &r, e);
	rc = rc ? rc : transfer_get(f->caches.engine, &r, NULL, e);
	rc = rc ? rc : cache_take_info(&f->caches, f->to, (struct slice){ text.p, text.len }, e);
	buf_release(&text);
	return rc;
}

static int open_remote(struct fill *f, struct err *e)
{
	struct buf url = BUF_INIT, text = BUF_INIT, refusal = BUF_INIT;
	struct transfer_request r = { .title = "", .max_size = INFO_SIZE, .write = transfer_write_buf,
				      .restart = transfer_restart_buf, .user = &text, .refusal = &refusal };
	int rc = caches_engine(&f->caches, e) ? cache_request(&f->caches, f->to, "nix-cache-info", &url, &r, e) : ERR_IO;

	rc = rc ? rc : transfer_get(f->caches.engine, &r, NULL, e);
	if (rc == ERR_NOTFOUND || (rc == ERR_DENIED && cache_is_forbidden(&refusal))) {
		err_release(e);
		rc = put_info(f, &url, e);
	} else if (!rc) {
		rc = cache_take_info(&f->caches, f->to, (struct slice){ buf_str(&text), text.len }, e);
	}
	buf_release(&url);
	buf_release(&text);
	buf_release(&refusal);
	return rc;
}

/* --- what is there --- */

static void move_to(struct fill *f, struct upload *u, enum upload_state state)
{
	f->busy[u->state]--;
	f->busy[state]++;
	u->state = state;
}

static void add_narinfo_name(struct buf *b, const struct upload *u)
{
	buf_addf(b, "%.*s.narinfo", STORE_HASH_LEN, u->info.path.base);
}

static void found(struct fill *f, struct upload *u, int there)
{
	f->result->present += there != 0;
	move_to(f, u, there ? UP_PUBLISHED : UP_PACK);
}

static int ask(struct fill *f, struct upload *u, struct err *e)
{
	struct buf name = BUF_INIT;
	int rc = 0;

	add_narinfo_name(&name, u);
	if (f->to->at.kind == CACHE_FILE) {
		found(f, u, !faccessat(f->dir, name.p, F_OK, 0));
	} else {
		u->request = (struct transfer_request){ .title = "", .head = 1, .refusal = &u->refusal };
		rc = cache_request(&f->caches, f->to, name.p, &u->url, &u->request, e);
		if (!rc && !(u->transfer = transfer_start(f->caches.engine, &u->request, e)))
			rc = ERR_INVALID;
		move_to(f, u, UP_ASKING);
	}
	buf_release(&name);
	return rc;
}

static int asked(struct fill *f, struct upload *u, struct err *e)
{
	int rc = transfer_wait(u->transfer, NULL, e);

	u->transfer = NULL;
	if (rc == ERR_NOTFOUND || (rc == ERR_DENIED && cache_is_forbidden(&u->refusal))) {
		err_release(e);
		found(f, u, 0);
		return 0;
	}
	if (!rc)
		found(f, u, 1);
	return rc;
}

/* --- packing --- */

static void wake(void *user)
{
	transfer_engine_wake(user);
}

/* A file without a name. */
static int open_nameless(struct err *e)
{
	const char *dir = getenv("TMPDIR");
	char name[4096];
	int fd;

	dir = dir && *dir ? dir : "/tmp";
	fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0)
		return fd;
	snprintf(name, sizeof name, "%s/gx-archive-XXXXXX", dir);
	fd = mkostemp(name, O_CLOEXEC);
	if (fd >= 0)
		unlink(name);
	return fd < 0 ? err_errno(e, "cannot make a file in '%s'", dir) : fd;
}

static int open_named(struct fill *f, struct upload *u, struct err *e)
{
	int fd;

	snprintf(u->name, sizeof u->name, "nar/.new-%ld-%zu", (long)getpid(), (size_t)(u - f->v));
	fd = openat(f->dir, u->name, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
	return fd < 0 ? err_errno(e, "cannot make '%s/%s'", f->to->at.base, u->name) : fd;
}

static int begin_packing(struct fill *f, struct upload *u, struct err *e)
{
	const struct cache_address *a = &f->to->at;
	struct pack_job job = { .dirfd = store_fd(f->s),
				.name = u->info.path.base,
				.compression = a->compression,
				.level = a->level,
				.parallel = a->parallel,
				.listing = a->listing,
				.sync = a->kind == CACHE_FILE,
				.wake = wake,
				.user = f->caches.engine };

	u->file = job.to = a->kind == CACHE_FILE ? open_named(f, u, e) : open_nameless(e);
	if (u->file < 0)
		return u->file;
	store_add_path(f->s, &u->title, &u->info.path);
	if (a->kind == CACHE_FILE)
		u->activity = activity_begin(ACTIVITY_COPY, u->title.p);
	move_to(f, u, UP_PACKING);
	return packer_start(&u->packer, &job, e);
}

static void fill_narinfo(const struct upload *u, const struct cache_address *a, const char *url, struct narinfo *n)
{
	*n = (struct narinfo){ .path = u->info.path, .url = (char *)url, .compression = a->compression,
			       .file_hash = u->packed.file_hash, .file_size = u->packed.file_size, .nar_hash = u->info.nar_hash,
			       .nar_size = u->info.nar_size, .refs = u->info.refs, .deriver = u->info.deriver, .sigs = u->info.sigs,
			       .ca = u->info.ca };
}

static void archive_name(const struct upload *u, const struct cache_address *a, struct buf *b)
{
	char hash[HASH_TEXT_MAX];

	hash_print(&u->packed.file_hash, HASH_NIX32, 0, hash);
	buf_addf(b, "nar/%s.nar%s", hash, compression_suffix(a->compression));
}

static int send_body(struct fill *f, struct upload *u, const char *name, const char *title, struct err *e)
{
	u->request = (struct transfer_request){ .title = title, .upload = &u->body };
	int rc = cache_request(&f->caches, f->to, name, &u->url, &u->request, e);

	if (!rc && !(u->transfer = transfer_start(f->caches.engine, &u->request, e)))
		rc = ERR_INVALID;
	return rc;
}

static int packed(struct fill *f, struct upload *u, struct err *e)
{
	struct packer *p = u->packer;
	struct buf name = BUF_INIT;
	int rc;

	u->packer = NULL;
	rc = packer_join(p, &u->packed, e);
	if (!rc && (!hash_eq(&u->packed.nar_hash, &u->info.nar_hash) || u->packed.nar_size != u->info.nar_size))
		rc = err_set(e, ERR_HASH, "'%s' was damaged: 'gx store verify' says more", u->info.path.base);
	f->result->bytes += u->packed.file_size;
	archive_name(u, &f->to->at, &name);
	if (!rc && f->to->at.kind == CACHE_FILE) {
		if (renameat(f->dir, u->name, f->dir, name.p))
			rc = err_errno(e, "cannot make '%s/%s'", f->to->at.base, name.p);
		else
			*u->name = 0;
		close(u->file);
		u->file = -1;
		activity_end(u->activity, rc);
		u->activity = 0;
		move_to(f, u, UP_SENT);
	} else if (!rc) {
		u->body = (struct transfer_upload){ .fd = u->file, .size = u->packed.file_size };
		rc = send_body(f, u, name.p, u->title.p, e);
		move_to(f, u, UP_SENDING);
	}
	buf_release(&name);
	return rc;
}

/* --- publishing --- */

static int write_small(struct fill *f, const char *name, const struct buf *text, struct err *e)
{
	struct buf path = BUF_INIT;
	int rc;

	cache_add_url(&path, f->to, name);
	rc = file_replace(path.p, text->p, text->len, 0666) ? err_errno(e, "cannot write '%s'", path.p) : 0;
	buf_release(&path);
	return rc;
}

static int write_listing(struct fill *f, struct upload *u, struct err *e)
{
	char name[STORE_HASH_LEN + 4];
	struct buf url = BUF_INIT;
	int rc;

	if (!u->packed.listing.len)
		return 0;
	snprintf(name, sizeof name, "%.*s.ls", STORE_HASH_LEN, u->info.path.base);
	if (f->to->at.kind == CACHE_FILE)
		return write_small(f, name, &u->packed.listing, e);
	struct transfer_upload body = { .fd = -1, .p = u->packed.listing.p, .size = u->packed.listing.len };
	struct transfer_request r = { .title = "", .upload = &body };

	rc = cache_request(&f->caches, f->to, name, &url, &r, e);
	rc = rc ? rc : transfer_get(f->caches.engine, &r, NULL, e);
	buf_release(&url);
	return rc;
}

static void published(struct fill *f, struct upload *u)
{
	if (f->to->memory)
		memory_put(f->to->memory, 'P', store_path_hash(&u->info.path), (struct slice){ u->text.p, u->text.len });
	f->result->copied++;
	packed_release(&u->packed);
	u->packed.listing = (struct buf)BUF_INIT;
	buf_release(&u->text);
	move_to(f, u, UP_PUBLISHED);
}

static int publish(struct fill *f, struct upload *u, struct err *e)
{
	struct buf name = BUF_INIT, archive = BUF_INIT;
	struct narinfo n;
	int rc = write_listing(f, u, e);

	archive_name(u, &f->to->at, &archive);
	fill_narinfo(u, &f->to->at, archive.p, &n);
	narinfo_add(&u->text, store_dir(f->s), &n);
	add_narinfo_name(&name, u);
	if (!rc && f->to->at.kind == CACHE_FILE) {
		rc = write_small(f, name.p, &u->text, e);
		if (!rc)
			published(f, u);
	} else if (!rc) {
		u->body = (struct transfer_upload){ .fd = -1, .p = u->text.p, .size = u->text.len };
		rc = send_body(f, u, name.p, "", e);
		move_to(f, u, UP_PUBLISHING);
	}
	buf_release(&name);
	buf_release(&archive);
	return rc;
}

static int compare(const void *a, const void *b)
{
	return store_path_cmp(a, &((const struct upload *)b)->info.path);
}

/* All that it refers to is published; what is not copied is none of ours. */
static int may_publish(const struct fill *f, const struct upload *u)
{
	for (size_t k = 0; k < u->info.refs.n; k++) {
		const struct upload *r = bsearch(&u->info.refs.v[k], f->v, f->n, sizeof *f->v, compare);

		if (r && r != u && r->state != UP_PUBLISHED)
			return 0;
	}
	return 1;
}

/* --- the loop --- */

static int sent(struct fill *f, struct upload *u, struct err *e)
{
	int rc = transfer_wait(u->transfer, NULL, e);

	u->transfer = NULL;
	if (rc)
		return rc;
	if (u->state == UP_PUBLISHING) {
		published(f, u);
		return 0;
	}
	close(u->file);
	u->file = -1;
	move_to(f, u, UP_SENT);
	return 0;
}

/* 1 when something was done. */
static int move_one(struct fill *f, struct upload *u, struct err *e)
{
	int rc = 0;

	switch (u->state) {
	case UP_ASK:
		if (f->busy[UP_ASKING] >= ASKED_AT_ONCE)
			return 0;
		rc = ask(f, u, e);
		break;
	case UP_ASKING:
		if (!transfer_is_done(u->transfer))
			return 0;
		rc = asked(f, u, e);
		break;
	case UP_PACK:
		if (f->busy[UP_PACKING] >= parallel_workers() || f->busy[UP_SENDING] >= SENT_AT_ONCE)
			return 0;
		rc = begin_packing(f, u, e);
		break;
	case UP_PACKING:
		if (!packer_is_done(u->packer))
			return 0;
		rc = packed(f, u, e);
		break;
	case UP_SENDING:
	case UP_PUBLISHING:
		if (!transfer_is_done(u->transfer))
			return 0;
		rc = sent(f, u, e);
		break;
	case UP_SENT:
		if (!may_publish(f, u))
			return 0;
		rc = publish(f, u, e);
		break;
	case UP_PUBLISHED: return 0;
	}
	return rc ? rc : 1;
}

static int loop(struct fill *f, struct err *e)
{
	int rc = 0;

	f->busy[UP_ASK] = f->n;
	while (rc >= 0 && f->busy[UP_PUBLISHED] < f->n) {
		int any = 0;

		for (size_t k = 0; rc >= 0 && k < f->n; k++) {
			rc = move_one(f, &f->v[k], e);
			any |= rc == 1;
		}
		if (rc >= 0 && !any)
			rc = caches_turn(&f->caches, 1000, e);
	}
	return rc < 0 ? rc : 0;
}

static int load(struct fill *f, const struct path_set *paths, struct err *e)
{
	int rc = 0;

	f->v = xcalloc(paths->n + 1, sizeof *f->v);
	for (size_t k = 0; !rc && k < paths->n; k++) {
		struct upload *u = &f->v[f->n];
		size_t added = 0;

		u->file = -1;
		rc = store_add_temp_root(f->s, &paths->v[k], e);
		rc = rc ? rc : db_info(store_db(f->s), &paths->v[k], &u->info, e);
		if (rc)
			break;
		f->n++;
		rc = path_info_sign(&f->keys, store_dir(f->s), &u->info, &added, e);
		if (!rc && f->o->keys)
			rc = path_info_sign(f->o->keys, store_dir(f->s), &u->info, &added, e);
	}
	return rc;
}

static void release(struct fill *f)
{
	for (size_t k = 0; k < f->n; k++) {
		struct upload *u = &f->v[k];

		if (u->transfer)
			transfer_cancel(u->transfer);
		if (u->packer)
			packer_join(u->packer, &u->packed, NULL);
		if (u->file >= 0)
			close(u->file);
		if (*u->name)
			unlinkat(f->dir, u->name, 0);
		activity_end(u->activity, ERR_INTERRUPT);
		packed_release(&u->packed);
		path_info_release(&u->info);
		buf_release(&u->url);
		buf_release(&u->text);
		buf_release(&u->title);
		buf_release(&u->refusal);
	}
	free(f->v);
	secret_keys_release(&f->keys);
	caches_release(&f->caches);
	if (f->dir >= 0)
		close(f->dir);
}

int cache_fill(struct store *s, const char *address, const struct path_set *paths, const struct fill_options *o,
	       struct fill_result *out, struct err *e)
{
	struct fill f = { .s = s, .o = o, .result = out, .dir = -1 };
	int rc = caches_open(&f.caches, address, store_dir(s), e);

	*out = (struct fill_result){ 0 };
	f.to = rc ? NULL : f.caches.v[0];
	f.caches.note = o->note;
	f.caches.user = o->user;
	f.caches.cancel_fd = o->cancel_fd;
	if (!rc && f.to->at.kind == CACHE_STORE)
		rc = err_set(e, ERR_INVALID, "'%s' is a store, not a binary cache: 'gx copy --to' fills it", f.to->at.shown);
	rc = rc ? rc : read_keys(&f, e);
	rc = rc ? rc : caches_engine(&f.caches, e) ? 0 : ERR_IO;
	if (!rc && (rc = f.to->at.kind == CACHE_FILE ? open_folder(&f, e) : open_remote(&f, e)))
		err_prefix(e, "cannot copy to '%s'", f.to->at.shown);
	rc = rc ? rc : load(&f, paths, e);
	rc = rc ? rc : loop(&f, e);
	release(&f);
	return rc;
}
