/* SPDX-License-Identifier: MIT
 *
 * Recording.  Each thing is noted once, at the first look: an evaluation remembers what it read, so the first look is what it
 * went by.  What is read later of a file whose presence alone was noted is an entry of its own.
 */
#include "config.h"
#include "fetch/trail_int.h"
#include "base/alloc.h"
#include "base/fdio.h"
#include "base/pathname.h"
#include "fetch/git_index.h"
#include "fetch/pack.h"
#include "format/basen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static struct trail {
	struct buf bytes;
	uint32_t *table; /* of entries, by kind and name: where each begins, and one; open addressing */
	size_t n, cap;
	char **fixed; /* folders that are not recorded */
	size_t n_fixed;
	char *top; /* of the work tree whose index was noted last */
	struct git_index index;
	const char *spoilt;
} *trail;

static void free_trail(void)
{
	if (!trail)
		return;
	for (size_t i = 0; i < trail->n_fixed; i++)
		free(trail->fixed[i]);
	free(trail->fixed);
	free(trail->top);
	git_index_release(&trail->index);
	free(trail->table);
	buf_release(&trail->bytes);
	free(trail);
	trail = NULL;
}

void trail_begin(void)
{
	free_trail();
	trail = xcalloc(1, sizeof *trail);
}

int trail_is_on(void)
{
	return trail != NULL;
}

void trail_spoil(const char *why)
{
	if (trail && !trail->spoilt)
		trail->spoilt = why;
}

void trail_drop(void)
{
	free_trail();
}

/* --- identities --- */

struct trail_id trail_id_of(const struct stat *st)
{
	return (struct trail_id){
		.dev = st->st_dev, .ino = st->st_ino, .size = (uint64_t)st->st_size, .mode = st->st_mode,
		.modified = st->st_mtim.tv_sec, .modified_ns = (uint32_t)st->st_mtim.tv_nsec,
		.changed = st->st_ctim.tv_sec, .changed_ns = (uint32_t)st->st_ctim.tv_nsec,
	};
}

int trail_is_young(const struct trail_id *id)
{
	/* File systems take the time from a clock that ticks up to every 10 ms; without parts of a second, every second or two. */
	enum { TICKS_MS = 50, COARSE_MS = 3000 };
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	int64_t age = (now.tv_sec - id->changed) * 1000 + (now.tv_nsec - (int64_t)id->changed_ns) / 1000000;
	return age < (id->changed_ns ? TICKS_MS : COARSE_MS);
}

void trail_sum(const void *p, size_t n, uint8_t sum[HASH_SHA256_LEN])
{
	hash_sha256(p, n, sum);
}

/* --- entries --- */

static struct trail_entry *entry_at(uint32_t at)
{
	return (struct trail_entry *)(void *)(trail->bytes.p + at);
}

static uint64_t key_of(enum trail_kind kind, const char *name, size_t n)
{
	return pack_hash((uint64_t)kind, name, n);
}

static size_t slot_of(enum trail_kind kind, const char *name, size_t n)
{
	size_t i = (size_t)key_of(kind, name, n) & (trail->cap - 1);

	for (; trail->table[i]; i = (i + 1) & (trail->cap - 1)) {
		const struct trail_entry *e = entry_at(trail->table[i] - 1);
		if (e->kind == kind && e->len == n && !memcmp(trail_name(e), name, n))
			break;
	}
	return i;
}

static void grow_table(void)
{
	uint32_t *old = trail->table;
	size_t cap = trail->cap;

	trail->cap = cap ? cap * 2 : 1024;
	trail->table = xcalloc(trail->cap, sizeof *trail->table);
	for (size_t i = 0; i < cap; i++)
		if (old[i]) {
			const struct trail_entry *e = entry_at(old[i] - 1);
			trail->table[slot_of(e->kind, trail_name(e), e->len)] = old[i];
		}
	free(old);
}

static int is_fixed(const char *path, size_t n)
{
	for (size_t i = 0; i < trail->n_fixed; i++)
		if (path_is_within(path, n, trail->fixed[i], strlen(trail->fixed[i])))
			return 1;
	return 0;
}

/* A new entry, NULL when there is one already or none is wanted.  Valid until the next. */
static struct trail_entry *add(enum trail_kind kind, const char *name, size_t n)
{
	static const char zeros[8];

	if (!trail || trail->spoilt)
		return NULL;
	if (2 * trail->n >= trail->cap)
		grow_table();
	size_t slot = slot_of(kind, name, n), at = trail->bytes.len;
	if (trail->table[slot])
		return NULL;
	if (at > UINT32_MAX / 2 || n > UINT16_MAX) {
		trail_spoil("it read too many files");
		return NULL;
	}
	struct trail_entry e = { .kind = (uint8_t)kind, .len = (uint32_t)n };
	buf_add(&trail->bytes, &e, sizeof e);
	buf_add(&trail->bytes, name, n);
	buf_add(&trail->bytes, zeros, trail_size(n) - sizeof e - n);
	trail->table[slot] = (uint32_t)at + 1;
	trail->n++;
	return entry_at((uint32_t)at);
}

static struct trail_entry *add_path(enum trail_kind kind, const char *path)
{
	size_t n = strlen(path);

	return trail && !is_fixed(path, n) ? add(kind, path, n) : NULL;
}

static void set_id(struct trail_entry *e, const struct stat *st)
{
	e->id = trail_id_of(st);
	if (trail_is_young(&e->id))
		e->flags |= TRAIL_YOUNG;
}

static void set_sum(struct trail_entry *e, const void *p, size_t n)
{
	trail_sum(p, n, e->sum);
	e->flags |= TRAIL_HAS_SUM;
}

/* --- kinds --- */

static enum trail_what what_of(mode_t mode)
{
	return S_ISREG(mode) ? TRAIL_REGULAR : S_ISDIR(mode) ? TRAIL_DIRECTORY : S_ISLNK(mode) ? TRAIL_SYMLINK : TRAIL_OTHER;
}

enum trail_what trail_look(const char *path, int follow)
{
	struct stat st;

	if (follow ? stat(path, &st) : lstat(path, &st))
		return errno == ENOENT || errno == ENOTDIR ? TRAIL_MISSING : TRAIL_FAILED;
	return what_of(st.st_mode);
}

void trail_lstat(const char *path)
{
	struct trail_entry *e = add_path(TRAIL_LSTAT, path);

	if (e)
		e->what = (uint16_t)trail_look(path, 0);
}

void trail_stat(const char *path)
{
	struct trail_entry *e = add_path(TRAIL_STAT, path);

	if (e)
		e->what = (uint16_t)trail_look(path, 1);
}

void trail_link(const char *path, const char *target, size_t n)
{
	struct trail_entry *e = add_path(TRAIL_LINK, path);

	if (e)
		set_sum(e, target, n);
}

void trail_real(const char *path, const char *real)
{
	struct trail_entry *e = add_path(TRAIL_REAL, path);

	if (e)
		set_sum(e, real ? real : "", real ? strlen(real) : 0);
}

/* --- files --- */

void trail_file(const char *path, const struct stat *st, const void *bytes, size_t n)
{
	struct trail_entry *e = add_path(TRAIL_FILE, path);

	if (!e)
		return;
	set_id(e, st);
	if (bytes)
		set_sum(e, bytes, n);
	else if (e->flags & TRAIL_YOUNG)
		trail_spoil("it read a file that was changed at this moment");
}

int trail_read(const char *path, struct buf *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), rc = -1;
	struct stat st;

	if (fd >= 0 && !fstat(fd, &st) && S_ISREG(st.st_mode)) {
		size_t before = out->len;
		rc = fd_read_all(fd, out);
		if (!rc)
			trail_file(path, &st, buf_str(out) + before, out->len - before);
	} else {
		trail_stat(path);
	}
	if (fd >= 0)
		close(fd);
	return rc;
}

void trail_member(const char *path)
{
	struct trail_entry *e;
	struct stat st;

	if (!trail)
		return;
	if (lstat(path, &st)) {
		trail_lstat(path);
		return;
	}
	if (!(e = add_path(TRAIL_MEMBER, path)))
		return;
	set_id(e, &st);
	if (e->flags & TRAIL_YOUNG)
		trail_spoil("it read a tree that was changed at this moment");
}

/* --- folders --- */

void trail_listing_add(struct trail_listing *l, const char *name, unsigned char type)
{
	size_t n = strlen(name);

	/* In whatever order they come. */
	l->v[0] += pack_hash(type, name, n);
	l->v[1] += pack_hash(~(uint64_t)type, name, n);
	l->v[2]++;
}

void trail_dir(const char *path, const struct stat *st, const struct trail_listing *l, int tracked)
{
	struct trail_entry *e = add_path(TRAIL_DIR, path);

	if (!e)
		return;
	set_id(e, st);
	memcpy(e->sum, l->v, sizeof l->v);
	e->flags |= TRAIL_HAS_SUM | (tracked ? TRAIL_TRACKED : 0);
}

/* What a folder is called below that work tree, NULL when it is not in it. */
static const char *below_top(const char *path)
{
	size_t n = trail->top ? strlen(trail->top) : 0;

	if (!n || !trail->index.n || strncmp(path, trail->top, n) || (path[n] && path[n] != '/'))
		return NULL;
	return path[n] ? path + n + 1 : "";
}

void trail_list(const char *path, int tracked)
{
	struct trail_listing l = { { 0 } };
	struct stat st;

	if (!trail || trail->spoilt || is_fixed(path, strlen(path)))
		return;
	const char *below = tracked ? below_top(path) : NULL;
	if (trail_list_now(path, below ? &trail->index : NULL, below, &l, &st))
		trail_spoil("it read a folder that went away");
	else
		trail_dir(path, &st, &l, below != NULL);
}

void trail_index(const char *top, int whole)
{
	struct buf own = BUF_INIT, shared = BUF_INIT, name = BUF_INIT;
	struct trail_entry *e = NULL;
	struct stat st;

	if (trail && git_folders(top, &own, &shared)) {
		trail_spoil("its repository is not understood");
	} else if (trail) {
		buf_add(&name, top, strlen(top) + 1);
		buf_addf(&name, "%s/index", own.p);
		e = add(whole ? TRAIL_INDEX_WHOLE : TRAIL_INDEX, name.p, name.len);
	}
	if (e) {
		git_index_release(&trail->index);
		free(trail->top);
		trail->top = xstrdup(top);
		if (trail_index_sum(name.p + strlen(top) + 1, whole, &trail->index, &st, e->sum))
			trail_spoil("its repository has no index");
		else
			set_id(e, &st);
		e->flags |= TRAIL_HAS_SUM;
	}
	buf_release(&own);
	buf_release(&shared);
	buf_release(&name);
}

void trail_tracks(const char *path, int tracked)
{
	struct trail_entry *e = trail && below_top(path) ? add_path(TRAIL_TRACKS, path) : NULL;

	if (e)
		e->what = (uint16_t)tracked;
}

void trail_differs(const char *path, const char *blob)
{
	struct trail_entry *e = add_path(TRAIL_DIFFERS, path);
	size_t n = 0;

	if (e && strlen(blob) <= 2 * sizeof e->sum && !base16_decode(blob, strlen(blob), e->sum, &n, NULL))
		e->id.size = n;
}

/* --- trees --- */

static void note(const char *place, int is_folder, enum trail_folders folders)
{
	if (is_folder)
		trail_list(place, folders == TRAIL_OF_INDEX);
	if (!is_folder || folders == TRAIL_TIMES)
		trail_member(place);
}

static int include(void *user, const char *path, size_t n, enum nar_type type, struct err *e)
{
	const struct trail_tree *t = user;
	int rc = t->inner ? t->inner->include(t->inner->user, path, n, type, e) : 1;
	struct buf place = BUF_INIT;

	if (rc != 1)
		return rc;
	buf_adds(&place, t->place);
	buf_add(&place, path + t->root_len, n - t->root_len);
	note(place.p, type == NAR_DIRECTORY, t->folders);
	buf_release(&place);
	return 1;
}

const struct nar_filter *trail_tree_begin(struct trail_tree *t, const char *place, size_t root_len, const struct nar_filter *inner,
					  enum trail_folders folders)
{
	*t = (struct trail_tree){ { include, t }, inner, place, root_len, folders };
	if (!trail || trail->spoilt || is_fixed(place, strlen(place)))
		return inner;
	note(place, trail_look(place, 0) == TRAIL_DIRECTORY, folders);
	return &t->filter;
}

void trail_fixed(const char *path)
{
	if (!trail)
		return;
	trail->fixed = xrealloc_array(trail->fixed, trail->n_fixed + 1, sizeof *trail->fixed);
	trail->fixed[trail->n_fixed++] = xstrdup(path);
}

/* --- what is no file --- */

void trail_env(const char *name)
{
	struct trail_entry *e = add(TRAIL_ENV, name, strlen(name));
	const char *value = getenv(name);

	if (e && value)
		set_sum(e, value, strlen(value));
}

void trail_said(const char *name, struct slice value)
{
	struct trail_entry *e = add(TRAIL_SAID, name, strlen(name));

	if (e)
		set_sum(e, value.p, value.n);
}

/* --- packing --- */

/* The length of the folder's name that a path begins with. */
static size_t folder_len(const struct trail_entry *e)
{
	const char *slash = strrchr(trail_name(e), '/');

	return slash ? (size_t)(slash - trail_name(e)) : 0;
}

static const struct trail_entry *entry_in(const char *bytes, size_t n, size_t at)
{
	return at < n ? (const void *)(bytes + at) : NULL;
}

/* Where the run of files of one folder that begins at a place ends; *files receives how many they are. */
static size_t run_end(const char *bytes, size_t n, size_t at, size_t *files)
{
	const struct trail_entry *first = entry_in(bytes, n, at), *e = first;
	size_t len = folder_len(first);

	for (*files = 0; e && e->kind == TRAIL_MEMBER && folder_len(e) == len && !memcmp(trail_name(e), trail_name(first), len);) {
		at += trail_size(e->len);
		e = entry_in(bytes, n, at);
		++*files;
	}
	return at;
}

static void pad(struct buf *b)
{
	static const char zeros[8];

	buf_add(b, zeros, -b->len & 7);
}

static void add_run(const char *bytes, size_t at, size_t end, struct buf *out)
{
	const struct trail_entry *first = (const void *)(bytes + at);
	struct trail_entry run = { .kind = TRAIL_MEMBERS, .len = (uint32_t)folder_len(first) };
	size_t begin = out->len;

	buf_add(out, &run, sizeof run);
	buf_add(out, trail_name(first), run.len);
	buf_addc(out, 0);
	pad(out);
	size_t names = out->len;
	while (at < end) {
		const struct trail_entry *e = (const void *)(bytes + at);
		trail_member_id id = trail_hash_id(&e->id);

		buf_add(out, &id, sizeof id);
		buf_add(out, trail_name(e) + run.len + 1, e->len - run.len);
		at += trail_size(e->len);
	}
	run.id.size = out->len - names;
	memcpy(out->p + begin, &run, sizeof run);
	pad(out);
}

void trail_pack(const char *bytes, size_t n, struct buf *out)
{
	enum { WORTH = 3 }; /* opening a folder is as much as looking at one file */
	size_t files, end;

	for (size_t at = 0; at < n; at = end) {
		const struct trail_entry *e = entry_in(bytes, n, at);

		end = e->kind == TRAIL_MEMBER ? run_end(bytes, n, at, &files) : at + trail_size(e->len);
		if (e->kind == TRAIL_MEMBER && files >= WORTH && folder_len(e))
			add_run(bytes, at, end, out);
		else
			buf_add(out, bytes + at, end - at);
	}
}

int trail_end(struct buf *out, const char **why)
{
	int rc = -1;

	*why = trail ? trail->spoilt : NULL;
	if (trail && !trail->spoilt) {
		trail_pack(buf_str(&trail->bytes), trail->bytes.len, out);
		rc = 0;
	}
	free_trail();
	return rc;
}
