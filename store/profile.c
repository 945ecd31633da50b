/* SPDX-License-Identifier: MIT
 *
 * Generations and switching between them.
 *
 * Links are made under another name, the folder is synced, then they are renamed over the old ones and the folder is synced again:
 * a profile that was switched stays so, and the generation it leads to is on the disk before it.
 */
#include "config.h"
#include "store/profile.h"
#include "base/alloc.h"
#include "base/dir.h"
#include "base/fdio.h"
#include "base/flock.h"
#include "store/roots.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct profile_settings profile_settings;

/* --- where --- */

const char *profile_home(struct err *e)
{
	const char *home = getenv("HOME");

	if (home && *home == '/')
		return home;
	err_set(e, ERR_INVALID, "HOME names no folder, so there is no place for a profile");
	return NULL;
}

static char *join(const char *dir, const char *name)
{
	struct buf b = BUF_INIT;

	buf_addf(&b, "%s/%s", dir, name);
	return buf_detach(&b, NULL);
}

char *profile_state_folder(struct err *e)
{
	const char *state = getenv("XDG_STATE_HOME"), *home;

	if (state && *state == '/')
		return join(state, "nix");
	home = profile_home(e);
	return home ? join(home, ".local/state/nix") : NULL;
}

char *profile_folder(const struct place *p, struct err *e)
{
	char *state = geteuid() ? profile_state_folder(e) : join(p->state_dir, "profiles/per-user/root"), *dir;

	if (!state || !geteuid())
		return state;
	dir = join(state, "profiles");
	free(state);
	return dir;
}

static char *folder_of(const char *profile)
{
	const char *slash = strrchr(profile, '/');

	return !slash ? xstrdup(".") : slash == profile ? xstrdup("/") : xstrndup(profile, (size_t)(slash - profile));
}

/* What the link leads to, in full. */
static char *follow(const char *link)
{
	char target[PATH_MAX];
	ssize_t n = readlink(link, target, sizeof target - 1);
	struct buf b = BUF_INIT;

	if (n < 0)
		return NULL;
	target[n] = 0;
	if (*target != '/')
		buf_addf(&b, "%.*s/", (int)(strrchr(link, '/') - link), link);
	buf_adds(&b, target);
	return buf_detach(&b, NULL);
}

static char *usual_link(int xdg, struct err *e)
{
	const char *home = xdg ? NULL : profile_home(e);
	char *state = xdg ? profile_state_folder(e) : NULL, *link = NULL;

	if (home)
		link = join(home, ".nix-profile");
	else if (state)
		link = join(state, "profile");
	free(state);
	return link;
}

char *profile_usual(const struct place *p, struct err *e)
{
	char *link = usual_link(profile_settings.xdg, e), *found = link ? follow(link) : NULL, *dir, *above;

	if (!link || found) {
		free(link);
		return found;
	}
	dir = profile_folder(p, e);
	found = dir ? join(dir, "profile") : NULL;
	above = folder_of(link);
	if (found && (make_folders(dir, 0755) || make_folders(above, 0755) || symlink(found, link)) && errno != EEXIST) {
		err_errno(e, "making the link '%s'", link);
		free(found);
		found = NULL;
	}
	free(above);
	free(dir);
	free(link);
	return found;
}

/* --- locks --- */

int profile_lock(const char *profile, struct err *e)
{
	struct buf name = BUF_INIT;
	char *folder = folder_of(profile);
	struct stat a, b;
	int fd = -1, rc = make_folders(folder, 0755) ? err_errno(e, "making the folder of '%s'", profile) : 0;

	free(folder);

	buf_addf(&name, "%s.lock", profile);
	while (!rc && fd < 0) {
		fd = open(buf_str(&name), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		rc = fd < 0 ? err_errno(e, "locking the profile '%s'", profile) : lock_fd(fd, LOCK_EX, e);
		/* Whoever held it has removed it: that one is nobody's. */
		if (!rc && (fstat(fd, &a) || stat(buf_str(&name), &b) || a.st_ino != b.st_ino)) {
			close(fd);
			fd = -1;
		}
	}
	buf_release(&name);
	if (rc && fd >= 0)
		close(fd);
	return rc ? -1 : fd;
}

void profile_unlock(const char *profile, int fd)
{
	struct buf name = BUF_INIT;

	buf_addf(&name, "%s.lock", profile);
	if (fd >= 0) {
		unlink(buf_str(&name));
		close(fd);
	}
	buf_release(&name);
}

int profile_install(struct store *s, const char *named, const struct store_path *p, struct err *e)
{
	char *profile = profile_named(named, e);
	int lock = profile ? profile_lock(profile, e) : -1, rc = lock < 0 ? e->code : profile_set(s, profile, p, e);

	if (lock >= 0)
		profile_unlock(profile, lock);
	free(profile);
	return rc;
}

/* --- generations --- */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* The number in "NAME-N-link", 0 when it is none. */
static unsigned number_of(const char *file, const char *name)
{
	size_t n = strlen(name);
	char *end;
	unsigned long k;

	if (strncmp(file, name, n) || file[n] != '-' || file[n + 1] < '1' || file[n + 1] > '9')
		return 0;
	k = strtoul(file + n + 1, &end, 10);
	return k < UINT_MAX && !strcmp(end, "-link") ? (unsigned)k : 0;
}

static int by_number(const void *a, const void *b)
{
	unsigned x = ((const struct generation *)a)->number, y = ((const struct generation *)b)->number;

	return (x > y) - (x < y);
}

static unsigned current_of(const char *profile)
{
	char target[PATH_MAX];
	ssize_t n = readlink(profile, target, sizeof target - 1);

	if (n < 0)
		return 0;
	target[n] = 0;
	return number_of(base_name(target), base_name(profile));
}

char *profile_named(const char *text, struct err *e)
{
	struct buf b = BUF_INIT;
	char cwd[PATH_MAX];

	if (*text != '/' && !getcwd(cwd, sizeof cwd)) {
		err_errno(e, "finding the working directory");
		return NULL;
	}
	buf_addf(&b, "%s%s%s", *text == '/' ? "" : cwd, *text == '/' ? "" : "/", text);
	return buf_detach(&b, NULL);
}

int profile_generations(const char *profile, struct generations *out, struct err *e)
{
	char *folder = folder_of(profile);
	size_t cap = 0;
	struct stat st;
	struct dir d;
	int rc;

	*out = (struct generations){ NULL, 0, 0 };
	if (access(folder, F_OK)) {
		free(folder);
		return 0;
	}
	rc = dir_open(&d, AT_FDCWD, folder, e);
	while (!rc && (rc = dir_next(&d, e)) > 0) {
		unsigned k = number_of(d.name, base_name(profile));

		rc = 0;
		if (!k || fstatat(d.fd, d.name, &st, AT_SYMLINK_NOFOLLOW))
			continue;
		ARRAY_GROW(out->v, out->n + 1, cap);
		out->v[out->n++] = (struct generation){ k, join(folder, d.name), st.st_mtime };
	}
	dir_close(&d);
	free(folder);
	if (out->n)
		qsort(out->v, out->n, sizeof *out->v, by_number);
	out->current = current_of(profile);
	return rc;
}

void generations_release(struct generations *g)
{
	for (size_t i = 0; i < g->n; i++)
		free(g->v[i].link);
	free(g->v);
	*g = (struct generations){ NULL, 0, 0 };
}

/* --- switching --- */

static int sync_folder(const char *folder, struct err *e)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = 0;

	if (fd < 0 || fsync(fd))
		rc = err_errno(e, "writing the folder '%s'", folder);
	if (fd >= 0)
		close(fd);
	return rc;
}

/* In one step; the profile may be a link that leads elsewhere, and is nothing else. */
static int switch_to(const char *profile, unsigned number, struct err *e)
{
	struct buf target = BUF_INIT, temporary = BUF_INIT;
	char *folder = folder_of(profile);
	struct stat st;
	int rc = 0;

	buf_addf(&target, "%s-%u-link", base_name(profile), number);
	/* Always the same: who changes a profile has its lock, and what a killed one left is gone with the next. */
	buf_addf(&temporary, "%s.tmp", profile);
	if (!lstat(profile, &st) && !S_ISLNK(st.st_mode))
		rc = err_set(e, ERR_INVALID, "'%s' is no profile: it is no link", profile);
	unlink(buf_str(&temporary));
	if (!rc && symlink(buf_str(&target), buf_str(&temporary)))
		rc = err_errno(e, "making the link '%s'", buf_str(&temporary));
	/* The generation's link before the one that leads to it. */
	rc = rc ? rc : sync_folder(folder, e);
	if (!rc && rename(buf_str(&temporary), profile))
		rc = err_errno(e, "replacing the profile '%s'", profile);
	rc = rc ? rc : sync_folder(folder, e);
	unlink(buf_str(&temporary));
	buf_release(&target);
	buf_release(&temporary);
	free(folder);
	return rc;
}

static int leads_to(struct store *s, const char *link, const struct store_path *p)
{
	char target[PATH_MAX];
	ssize_t n = readlink(link, target, sizeof target - 1);
	struct buf want = BUF_INIT;
	int is;

	store_add_path(s, &want, p);
	is = n >= 0 && (size_t)n == want.len && !memcmp(target, want.p, want.len);
	buf_release(&want);
	return is;
}

int profile_set(struct store *s, const char *profile, const struct store_path *p, struct err *e)
{
	struct generations g;
	struct buf link = BUF_INIT;
	char *folder = folder_of(profile);
	unsigned number = 0;
	int rc = store_sync_all(e);

	if (!rc && make_folders(folder, 0755))
		rc = err_errno(e, "making the folder of '%s'", profile);
	free(folder);
	if (rc || (rc = profile_generations(profile, &g, e)))
		return rc;
	if (g.n && leads_to(s, g.v[g.n - 1].link, p))
		number = g.v[g.n - 1].number;
	if (!number) {
		number = g.n ? g.v[g.n - 1].number + 1 : 1;
		buf_addf(&link, "%s-%u-link", profile, number);
		rc = store_add_root_link(s, buf_str(&link), p, e);
	}
	rc = rc ? rc : switch_to(profile, number, e);
	buf_release(&link);
	generations_release(&g);
	return rc;
}

int profile_switch(const char *profile, unsigned number, unsigned *to, struct err *e)
{
	struct generations g;
	const struct generation *found = NULL;
	int rc = profile_generations(profile, &g, e);

	for (size_t i = 0; !rc && i < g.n; i++)
		if (number ? g.v[i].number == number : g.v[i].number < g.current)
			found = &g.v[i];
	if (!rc && !found && number)
		rc = err_set(e, ERR_NOTFOUND, "the profile '%s' has no generation %u", profile, number);
	else if (!rc && !found)
		rc = err_set(e, ERR_NOTFOUND, "the profile '%s' has no generation before %u", profile, g.current);
	if (to && found)
		*to = found->number;
	rc = rc ? rc : switch_to(profile, found->number, e);
	generations_release(&g);
	return rc;
}

/* --- deleting --- */

static int is_listed(const struct generation_filter *f, unsigned number)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->numbers[i] == number)
			return 1;
	return 0;
}

/* Each was in use until the next was made. */
static int goes(const struct generation_filter *f, const struct generations *g, size_t i)
{
	size_t later = 0;

	if (g->v[i].number == g->current)
		return 0;
	for (size_t k = i + 1; k < g->n && g->v[k].number <= g->current; k++)
		later++;
	return f->old || is_listed(f, g->v[i].number) || (f->before && i + 1 < g->n && g->v[i + 1].made < f->before) ||
	       (f->keep && g->v[i].number < g->current && later >= f->keep);
}

int profile_delete(const char *profile, const struct generation_filter *f, struct err *e)
{
	struct generations g;
	int rc = profile_generations(profile, &g, e);

	if (!rc && is_listed(f, g.current))
		rc = err_set(e, ERR_INVALID, "generation %u of '%s' is in use and cannot be deleted", g.current, profile);
	for (size_t i = 0; !rc && i < g.n; i++) {
		if (!goes(f, &g, i))
			continue;
		if (f->each)
			f->each(f->arg, &g.v[i]);
		if (!f->dry && unlink(g.v[i].link))
			rc = err_errno(e, "deleting '%s'", g.v[i].link);
	}
	generations_release(&g);
	return rc;
}

/* A profile is a link that leads to one of its generations. */
static int delete_if_profile(struct dir *d, const char *folder, const struct generation_filter *f, struct err *e)
{
	char target[PATH_MAX], *profile;
	ssize_t n = readlinkat(d->fd, d->name, target, sizeof target - 1);
	int lock, rc = 0;

	if (n < 0)
		return 0;
	target[n] = 0;
	if (!number_of(base_name(target), d->name))
		return 0;
	profile = join(folder, d->name);
	lock = profile_lock(profile, e);
	rc = lock < 0 ? e->code : profile_delete(profile, f, e);
	profile_unlock(profile, lock);
	free(profile);
	return rc;
}

static int delete_below(const char *folder, const struct generation_filter *f, int depth, struct err *e)
{
	struct dir d;
	struct stat st;
	int rc;

	if (depth > 8 || access(folder, W_OK))
		return 0;
	rc = dir_open(&d, AT_FDCWD, folder, e);
	while (!rc && (rc = dir_next(&d, e)) > 0) {
		char *below;

		rc = delete_if_profile(&d, folder, f, e);
		if (rc || fstatat(d.fd, d.name, &st, AT_SYMLINK_NOFOLLOW) || !S_ISDIR(st.st_mode))
			continue;
		below = join(folder, d.name);
		rc = delete_below(below, f, depth + 1, e);
		free(below);
	}
	dir_close(&d);
	return rc;
}

int profile_delete_below(const char *folder, const struct generation_filter *f, struct err *e)
{
	return delete_below(folder, f, 0, e);
}

int profile_delete_all(const struct place *p, const struct generation_filter *f, struct err *e)
{
	char *state = join(p->state_dir, "profiles"), *link = getenv("HOME") ? usual_link(profile_settings.xdg, NULL) : NULL,
	     *usual = link ? follow(link) : NULL, *own = getenv("HOME") ? profile_folder(p, NULL) : NULL;
	int rc = profile_delete_below(state, f, e);

	if (!rc && own)
		rc = profile_delete_below(own, f, e);
	/* What is there may be no folder of profiles alone. */
	if (!rc && usual && current_of(usual)) {
		int lock = profile_lock(usual, e);

		rc = lock < 0 ? e->code : profile_delete(usual, f, e);
		profile_unlock(usual, lock);
	}
	free(state);
	free(link);
	free(usual);
	free(own);
	return rc;
}

int profile_period(const char *text, time_t *before, struct err *e)
{
	char *end;
	unsigned long days = strtoul(text, &end, 10);

	if (end == text || strcmp(end, "d") || *text == '-' || days > 36500)
		return err_set(e, ERR_INVALID, "'%s' is no period: a number of days, such as 30d", text);
	*before = time(NULL) - (time_t)days * 86400;
	return 0;
}
