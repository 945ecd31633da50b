/* SPDX-License-Identifier: MIT
 *
 * The folder of a build, and what of the machine its builder sees.
 *
 * All builds live below <state>/builds, which only its owner can enter (mode 0700): whatever a builder
 * makes world-writable or links to, nobody else gets there (CVE-2024-38531, CVE-2025-52991).  Everything is made and removed
 * by descriptor.  A folder whose lock nobody holds belongs to a process that is dead and goes away with the next build.
 *
 * What the builder sees:
 *     /build            its working directory
 *     /tmp, /dev/shm    for scratch
 *     /nix/store        the closure of its inputs, read-only, and room for its outputs
 *     /bin/sh           one static shell (doc/ARCHITECTURE.md, "How a builder gets its shell")
 *     …                 what the setting sandbox-paths names, read-only
 *     /dev              null zero full random urandom tty fd stdin stdout stderr pts ptmx
 *     /etc              passwd group hosts; for fixed outputs what is needed to reach the network
 *     /proc             its own processes
 */
#include "config.h"
#include "base/dir.h"
#include "base/flock.h"
#include "build/build_int.h"
#include "store/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- the folder --- */

#define PREFIX "nix-" /* of those in a folder that others use as well */
#define KEPT "kept"   /* a file in one that stays where it was */

struct build_place build_place;

/* Where builds are: the folder that the setting build-dir names, else <state>/builds. */
static void builds_name(struct store *s, struct buf *b)
{
	if (build_place.dir)
		buf_adds(b, build_place.dir);
	else
		buf_addf(b, "%s/builds", store_place(s)->state_dir);
}

static int builds_open(struct store *s, struct err *e)
{
	if (build_place.dir) {
		int named = open(build_place.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		return named < 0 ? err_errno(e, "cannot open the folder of builds '%s' (build-dir)", build_place.dir) : named;
	}
	int fd = tree_make_dirs(store_state_fd(s), "builds", e);
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) || st.st_uid != geteuid() || fchmod(fd, 0700)) {
		close(fd);
		return err_set(e, ERR_DENIED, "'%s/builds' belongs to somebody else: builds are not safe there",
			       store_place(s)->state_dir);
	}
	return fd;
}

static int has(int builds, const char *name, const char *file)
{
	char path[NAME_MAX + 8];

	snprintf(path, sizeof path, "%s/%s", name, file);
	return !faccessat(builds, path, F_OK, AT_SYMLINK_NOFOLLOW);
}

/* 1 when nobody works in builds/name.  In a folder that others use as well only one that has our lock is ours. */
static int is_stale(int builds, const char *name)
{
	char path[NAME_MAX + 8];
	int fd, stale;

	snprintf(path, sizeof path, "%s/lock", name);
	fd = openat(builds, path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	stale = fd < 0 ? errno == ENOENT && !build_place.dir && !has(builds, name, KEPT) : !lock_fd(fd, LOCK_EX | LOCK_NB, NULL);
	if (fd >= 0)
		close(fd);
	return stale;
}

/* Removes what dead processes left.  The caller holds the lock of `builds`, so that no folder is without its own yet. */
static void sweep(int builds)
{
	struct dir d;
	int rc = dir_open(&d, builds, ".", NULL);

	while (!rc && dir_next(&d, NULL) > 0)
		if (d.name[0] != '.' && strncmp(d.name, "kept-", 5) && (!build_place.dir || !strncmp(d.name, PREFIX, 4)) &&
		    is_stale(builds, d.name))
			tree_remove(builds, d.name, NULL, NULL, NULL);
	dir_close(&d);
}

static int make_dir(int parent, const char *name, mode_t mode, struct err *e)
{
	int fd = -1;

	if (!mkdirat(parent, name, 0700))
		fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	/* Not by mkdir: the umask of whoever calls must not matter. */
	if (fd < 0 || fchmod(fd, mode)) {
		err_errno(e, "making the folder '%s' of a build", name);
		if (fd >= 0)
			close(fd);
		return -1;
	}
	return fd;
}

static int fill_dir(struct job *j, struct err *e)
{
	struct build_dir *d = &j->dir;
	int tmp;

	d->lock = openat(d->fd, "lock", O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (d->lock < 0 || lock_fd(d->lock, LOCK_EX, NULL))
		return err_errno(e, "locking the folder of a build");
	d->build = make_dir(d->fd, "build", 0700, e);
	d->store = make_dir(d->fd, "store", 01775, e);
	tmp = make_dir(d->fd, "tmp", 01777, e);
	if (d->build < 0 || d->store < 0 || tmp < 0) {
		if (tmp >= 0)
			close(tmp);
		return ERR_IO;
	}
	close(tmp);
	if (j->user.lock >= 0 && !j->bare &&
	    (fchown(d->build, j->user.uid, j->user.gid) || fchown(d->store, 0, j->user.gid) || fchmod(d->store, 01775)))
		return err_errno(e, "giving the folder of a build to its builder");
	return 0;
}

int build_dir_open(struct job *j, struct err *e)
{
	static unsigned count;
	struct build_dir *d = &j->dir;
	struct buf b = BUF_INIT;
	int builds = builds_open(j->b->s, e), rc;

	if (builds < 0)
		return builds;
	rc = lock_fd(builds, LOCK_EX, e);
	if (!rc && !j->b->started)
		sweep(builds);
	do {
		buf_trim(&b, 0);
		buf_addf(&b, "%s%ld-%u", build_place.dir ? PREFIX : "", (long)getpid(), count++);
	} while (has(builds, b.p, KEPT));
	d->name = buf_detach(&b, NULL);
	builds_name(j->b->s, &b);
	buf_addf(&b, "/%s", d->name);
	d->path = buf_detach(&b, NULL);
	if (!rc) {
		/* A process of this number died here before. */
		tree_remove(builds, d->name, NULL, NULL, NULL);
		d->fd = make_dir(builds, d->name, 0700, e);
		rc = d->fd < 0 ? ERR_IO : fill_dir(j, e);
	}
	close(builds);
	return rc;
}

/* Moves the working directory's folder out of the way of the next sweep. */
static void keep_dir(struct job *j, int builds)
{
	static const char *const parts[] = { "root", "store", "tmp", "lock" };
	char name[NAME_MAX];
	struct buf where = BUF_INIT;

	for (size_t i = 0; i < 4; i++)
		tree_remove(j->dir.fd, parts[i], NULL, NULL, NULL);
	builds_name(j->b->s, &where);
	/* Its builder knew it by that name, and so may what it wrote. */
	if (j->bare || build_place.dir) {
		int fd = openat(j->dir.fd, KEPT, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

		if (fd >= 0)
			close(fd);
		build_note(j->b, j->node, "keeping build directory \"%s/build\"", j->dir.path);
		buf_release(&where);
		return;
	}
	for (unsigned i = 0; i < 10000; i++) {
		snprintf(name, sizeof name, "kept-%.*s-%u", (int)j->node->drv.name.n, j->node->drv.name.p, i);
		if (!renameat2(builds, j->dir.name, builds, name, 1 /* RENAME_NOREPLACE */)) {
			build_note(j->b, j->node, "keeping build directory \"%s/%s/build\"", buf_str(&where), name);
			break;
		}
	}
	buf_release(&where);
}

void build_dir_close(struct job *j, int keep)
{
	struct build_dir *d = &j->dir;
	int fds[] = { d->build, d->store }, builds;

	for (size_t i = 0; i < 2; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	if (d->fd >= 0) {
		builds = builds_open(j->b->s, NULL);
		if (builds >= 0 && keep)
			keep_dir(j, builds);
		else if (builds >= 0)
			tree_remove(builds, d->name, NULL, NULL, NULL);
		if (builds >= 0)
			close(builds);
		close(d->fd);
	}
	if (d->lock >= 0)
		close(d->lock);
	free(d->path);
	free(d->name);
	*d = (struct build_dir){ NULL, NULL, -1, -1, -1, -1 };
}

/* --- what is seen --- */

/* A list in the job's arena gets room for one more. */
static void *more(struct job *j, const void *v, size_t n, size_t *cap, size_t size)
{
	void *grown;

	if (n < *cap)
		return NULL;
	*cap = *cap ? *cap * 2 : 64;
	grown = arena_alloc(&j->arena, *cap * size);
	if (n)
		memcpy(grown, v, n * size);
	return grown;
}

static void add_bind(struct job *j, const char *source, const char *target, enum bind_flags flags)
{
	struct sandbox_bind *v = more(j, j->binds, j->nbinds, &j->capbinds, sizeof *v);

	if (v)
		j->binds = v;
	j->binds[j->nbinds++] = (struct sandbox_bind){ arena_dup(&j->arena, source, strlen(source)),
						       arena_dup(&j->arena, target, strlen(target)), flags };
}

/* Something that / has of its own; text may be NULL. */
static void add_entry(struct job *j, enum sandbox_entry_kind kind, const char *path, const char *text)
{
	struct sandbox_entry *v = more(j, j->entries, j->nentries, &j->capentries, sizeof *v);

	if (v)
		j->entries = v;
	j->entries[j->nentries++] = (struct sandbox_entry){ kind, arena_dup(&j->arena, path, strlen(path)),
							    text ? arena_dup(&j->arena, text, strlen(text)) : NULL, 0 };
}

/* Something to mount on, on the disk: an empty file, or a folder. */
static int make_point(int base, const char *path, int is_dir, struct err *e)
{
	const char *slash = strrchr(path, '/');
	char parent[PATH_MAX] = ".";
	int dir, fd, rc = 0;

	if (slash)
		snprintf(parent, sizeof parent, "%.*s", (int)(slash - path), path);
	dir = slash ? tree_make_dirs(base, parent, e) : fcntl(base, F_DUPFD_CLOEXEC, 0);
	if (dir < 0)
		return ERR_IO;
	path = slash ? slash + 1 : path;
	if (is_dir) {
		if (mkdirat(dir, path, 0755) && errno != EEXIST)
			rc = err_errno(e, "making '%s' for a builder", path);
	} else {
		fd = openat(dir, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0444);
		if (fd < 0)
			rc = err_errno(e, "making '%s' for a builder", path);
		else
			close(fd);
	}
	close(dir);
	return rc;
}

/* The same for a full path as the builder sees it: what is in /tmp comes from that folder, all else is a part of /. */
static int make_point_at(struct job *j, const char *path, int is_dir, struct err *e)
{
	int tmp, rc;

	if (strncmp(path, "tmp/", 4)) {
		add_entry(j, is_dir ? ENTRY_FOLDER : ENTRY_FILE, path, NULL);
		return 0;
	}
	tmp = openat(j->dir.fd, "tmp", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	rc = tmp < 0 ? err_errno(e, "the folder of a build") : make_point(tmp, path + 4, is_dir, e);
	if (tmp >= 0)
		close(tmp);
	return rc;
}

/* Shows a file or device of the machine, when there is one, under `target`. */
static int show(struct job *j, const char *source, const char *target, enum bind_flags flags, struct err *e)
{
	char *real = realpath(source, NULL);
	struct stat st;
	int rc;

	if (!real || stat(real, &st)) {
		free(real);
		return 0;
	}
	rc = make_point_at(j, target, S_ISDIR(st.st_mode), e);
	if (!rc)
		add_bind(j, real, target, flags);
	free(real);
	return rc;
}

static int make_etc(struct job *j, struct err *e)
{
	int uid = SANDBOX_UID, gid = SANDBOX_GID, rc;
	char text[512];

	add_entry(j, ENTRY_FOLDER, "etc", NULL);
	j->entries[j->nentries - 1].mode = 0555;
	snprintf(text, sizeof text,
		 "root:x:0:0:Nix build user:" BUILD_TOP ":/noshell\n"
		 "nixbld:x:%d:%d:Nix build user:" BUILD_TOP ":/noshell\n"
		 "nobody:x:65534:65534:Nobody:/:/noshell\n",
		 uid, gid);
	add_entry(j, ENTRY_FILE, "etc/passwd", text);
	snprintf(text, sizeof text, "root:x:0:\nnixbld:!:%d:\nnogroup:x:65534:\n", gid);
	add_entry(j, ENTRY_FILE, "etc/group", text);
	if (!j->fixed) {
		add_entry(j, ENTRY_FILE, "etc/hosts", "127.0.0.1 localhost\n::1 localhost\n");
		return 0;
	}
	/* Names are looked up in files and by DNS alone, whatever else the machine is set up for. */
	add_entry(j, ENTRY_FILE, "etc/nsswitch.conf", "hosts: files dns\nservices: files\n");
	rc = show(j, "/etc/resolv.conf", "etc/resolv.conf", 0, e);
	rc = rc ? rc : show(j, "/etc/services", "etc/services", 0, e);
	rc = rc ? rc : show(j, "/etc/hosts", "etc/hosts", 0, e);
	return rc ? rc : show(j, "/etc/ssl/certs/ca-certificates.crt", "etc/ssl/certs/ca-certificates.crt", 0, e);
}

static int make_dev(struct job *j, struct err *e)
{
	static const char *const nodes[] = { "full", "null", "random", "tty", "urandom", "zero", "kvm" };
	static const char *const links[][2] = { { "/proc/self/fd", "dev/fd" },
						{ "/proc/self/fd/0", "dev/stdin" },
						{ "/proc/self/fd/1", "dev/stdout" },
						{ "/proc/self/fd/2", "dev/stderr" },
						{ "/dev/pts/ptmx", "dev/ptmx" } };
	char source[32];
	int rc = 0;

	add_entry(j, ENTRY_FOLDER, "dev/shm", NULL);
	add_entry(j, ENTRY_FOLDER, "dev/pts", NULL);
	for (size_t i = 0; i < sizeof nodes / sizeof *nodes && !rc; i++) {
		snprintf(source, sizeof source, "/dev/%s", nodes[i]);
		rc = show(j, source, source + 1, BIND_DEVICE, e);
	}
	for (size_t i = 0; i < sizeof links / sizeof *links; i++)
		add_entry(j, ENTRY_LINK, links[i][1], links[i][0]);
	return rc;
}

/* One input: a mount, but a copy of a link, on which nothing can be mounted. */
static int show_input(struct job *j, const char *store, const struct store_path *p, struct err *e)
{
	struct buf source = BUF_INIT, target = BUF_INIT;
	char link[PATH_MAX];
	struct stat st;
	ssize_t n;
	int rc = 0;

	if (fstatat(store_fd(j->b->s), p->base, &st, AT_SYMLINK_NOFOLLOW))
		return err_errno(e, "the input '%s' of a build", p->base);
	if (S_ISLNK(st.st_mode)) {
		n = readlinkat(store_fd(j->b->s), p->base, link, sizeof link - 1);
		link[n < 0 ? 0 : n] = 0;
		return n < 0 || symlinkat(link, j->dir.store, p->base) ? err_errno(e, "copying the link '%s'", p->base) : 0;
	}
	rc = make_point(j->dir.store, p->base, S_ISDIR(st.st_mode), e);
	store_add_real_path(j->b->s, &source, p);
	buf_addf(&target, "%s/%s", store, p->base);
	if (!rc)
		add_bind(j, buf_str(&source), buf_str(&target), 0);
	buf_release(&source);
	buf_release(&target);
	return rc;
}

static int show_store(struct job *j, struct err *e)
{
	struct slice dir = store_dir(j->b->s);
	const char *store = arena_dup(&j->arena, dir.p + 1, dir.n - 1);
	struct buf path = BUF_INIT;
	int rc;

	if (slice_starts(dir, SLICE(BUILD_TOP "/")) || slice_starts(dir, SLICE("/proc/")) || slice_starts(dir, SLICE("/dev/")))
		return err_set(e, ERR_INVALID, "builders cannot see a store at '%.*s': that place is theirs", (int)dir.n, dir.p);
	rc = make_point_at(j, store, 1, e);
	buf_addf(&path, "%s/store", j->dir.path);
	add_bind(j, buf_str(&path), store, BIND_WRITABLE);
	buf_release(&path);
	for (size_t i = 0; i < j->inputs.n && !rc; i++)
		rc = show_input(j, store, &j->inputs.v[i], e);
	return rc;
}

/* Its name is no other program's: the busybox of a system need not be static. */
const char *build_shell(void)
{
	static char found[PATH_MAX + 16];
	char exe[PATH_MAX];
	ssize_t n = *found ? 0 : readlink("/proc/self/exe", exe, sizeof exe - 1);

	if (n > 0) {
		exe[n] = 0;
		snprintf(found, sizeof found, "%.*s/busybox-static", (int)(strrchr(exe, '/') - exe), exe);
	}
	if (access(found, X_OK))
		snprintf(found, sizeof found, "%s", GX_SANDBOX_SHELL);
	return found;
}

/* --- what sandbox-paths names --- */

/* A word of it: TARGET, TARGET=SOURCE, either with a '?' behind when it need not be there. */
struct named_path {
	char target[PATH_MAX], source[PATH_MAX];
	int optional;
};

static int read_named_path(struct slice word, struct named_path *p, struct err *e)
{
	const char *eq = memchr(word.p, '=', word.n);
	size_t n = eq ? (size_t)(eq - word.p) : word.n;

	p->optional = word.p[word.n - 1] == '?';
	word.n -= p->optional;
	n = n > word.n ? word.n : n;
	if (word.n >= PATH_MAX || word.p[0] != '/' || (eq && eq[1] != '/'))
		return err_set(e, ERR_INVALID, "sandbox-paths: '%.*s' is neither PATH nor PATH=SOURCE, both absolute", (int)word.n,
			       word.p);
	snprintf(p->target, sizeof p->target, "%.*s", (int)n, word.p);
	snprintf(p->source, sizeof p->source, "%.*s", eq ? (int)(word.n - n - 1) : (int)n, eq ? eq + 1 : word.p);
	return 0;
}

/* Whether one of them is at `path`, or a folder that it is in. */
static int is_named(const char *path)
{
	struct named_path p;

	for (const char *w = build_place.paths ? build_place.paths : ""; *(w += strspn(w, " ")); w += strcspn(w, " ")) {
		size_t n;

		if (read_named_path((struct slice){ w, strcspn(w, " ") }, &p, NULL) || access(p.source, F_OK))
			continue;
		n = strlen(p.target);
		if (!strncmp(path, p.target, n) && (!path[n] || path[n] == '/'))
			return 1;
	}
	return 0;
}

static int show_named_path(struct job *j, const struct named_path *p, struct err *e)
{
	struct slice dir = store_dir(j->b->s);
	size_t n = strlen(p->target);

	/* Of the store it sees its inputs. */
	if (dir.n >= n && !memcmp(dir.p, p->target, n) && (dir.n == n || dir.p[n] == '/'))
		return 0;
	if (!p->optional && access(p->source, F_OK))
		return err_errno(e, "cannot show '%s' to a builder (sandbox-paths)", p->source);
	return show(j, p->source, p->target + 1, BIND_RECURSIVE, e);
}

static int show_named(struct job *j, struct err *e)
{
	struct named_path p;
	int rc = 0;

	for (const char *w = build_place.paths ? build_place.paths : ""; !rc && *(w += strspn(w, " ")); w += strcspn(w, " ")) {
		rc = read_named_path((struct slice){ w, strcspn(w, " ") }, &p, e);
		rc = rc ? rc : show_named_path(j, &p, e);
	}
	return rc;
}

static int show_shell(struct job *j, struct err *e)
{
	if (is_named("/bin/sh"))
		return 0;
	const char *shell = j->b->set->shell ? j->b->set->shell : build_shell();

	if (access(shell, X_OK) && slice_eq(j->node->drv.builder, SLICE("/bin/sh")))
		return err_set(e, ERR_DENIED,
			       "there is no shell for builders at '%s': install busybox-static, or name a static shell with "
			       "--sandbox-shell",
			       shell);
	return show(j, shell, "bin/sh", 0, e);
}

/* A folder of ours that the builder may write to. */
static void show_own(struct job *j, const char *name)
{
	struct buf path = BUF_INIT;

	buf_addf(&path, "%s/%s", j->dir.path, name);
	add_entry(j, ENTRY_FOLDER, name, NULL);
	add_bind(j, buf_str(&path), name, BIND_WRITABLE);
	buf_release(&path);
}

/* What a builtin builder was given by those who know it. */
struct shown {
	struct job *j;
	int rc;
	struct err *e;
};

static void show_path(void *arg, const char *path)
{
	struct shown *s = arg;

	if (!s->rc && path[0] == '/' && path[1])
		s->rc = show(s->j, path, path + 1, BIND_RECURSIVE, s->e);
}

static int show_more(struct job *j, struct err *e)
{
	const struct build_hooks *h = &j->b->set->hooks;
	struct shown s = { j, 0, e };
	int rc;

	if (!h->paths || !slice_starts(j->node->drv.builder, SLICE("builtin:")))
		return 0;
	rc = h->paths(h->user, j->b->s, &j->node->drv, show_path, &s, e);
	return rc ? rc : s.rc;
}

int build_root_make(struct job *j, struct err *e)
{
	int rc;

	if (mkdirat(j->dir.fd, "root", 0700))
		return err_errno(e, "making the folder 'root' of a build");
	add_entry(j, ENTRY_FOLDER, "proc", NULL);
	show_own(j, "build");
	show_own(j, "tmp");
	rc = make_dev(j, e);
	rc = rc ? rc : make_etc(j, e);
	rc = rc ? rc : show_named(j, e);
	rc = rc ? rc : show_store(j, e);
	rc = rc ? rc : show_shell(j, e);
	return rc ? rc : show_more(j, e);
}
