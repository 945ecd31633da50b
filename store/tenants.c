/* SPDX-License-Identifier: MIT
 *
 * The age of a root is that of its link, which is made anew when it is added again.  A quota is a file beside the roots, whose name
 * no object has.
 */
#include "config.h"
#include "store/tenants.h"
#include "base/alloc.h"
#include "base/dir.h"
#include "base/fdio.h"
#include "store/roots.h"
#include "store/store_int.h"
#include "store/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER "gcroots/tenants"
#define QUOTA "quota"

int tenant_check(const char *tenant, struct err *e)
{
	size_t n = strlen(tenant);

	if (!n || n > 63 || strspn(tenant, "abcdefghijklmnopqrstuvwxyz0123456789-") != n || *tenant == '-' || tenant[n - 1] == '-')
		return err_set(e, ERR_INVALID, "'%s' is no name of a tenant: at most 63 lower-case letters, digits and dashes",
			       tenant);
	return 0;
}

/* Its folder, made when it is to be; ERR_NOTFOUND when there is none, which is no error to tell. */
static int open_folder(struct store *s, const char *tenant, int make, struct err *e)
{
	struct buf path = BUF_INIT;
	int fd, rc = tenant_check(tenant, e);

	if (rc)
		return rc;
	buf_addf(&path, FOLDER "/%s", tenant);
	fd = make ? tree_make_dirs(s->state_fd, path.p, e)
		  : openat(s->state_fd, path.p, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (!make && fd < 0)
		fd = errno == ENOENT ? ERR_NOTFOUND : err_errno(e, "cannot look for the roots of '%s'", tenant);
	buf_release(&path);
	return fd;
}

/* --- roots --- */

/* Calls each for the objects that are linked, with the time of the link. */
static int each_root(struct store *s, const char *tenant, int (*each)(void *arg, int fd, const char *name, time_t made), void *arg,
		     struct err *e)
{
	int fd = open_folder(s, tenant, 0, e), rc, more;
	struct dir d;

	if (fd < 0)
		return fd == ERR_NOTFOUND ? 0 : fd;
	rc = dir_take(&d, fd, tenant, e);
	while (!rc && (more = dir_next(&d, e))) {
		struct stat st;

		rc = more < 0 ? more : 0;
		if (!rc && !fstatat(d.fd, d.name, &st, AT_SYMLINK_NOFOLLOW) && S_ISLNK(st.st_mode))
			rc = each(arg, d.fd, d.name, st.st_mtime);
	}
	dir_close(&d);
	return rc;
}

static int add_root(void *arg, int fd, const char *name, time_t made)
{
	struct store_path p;

	(void)fd, (void)made;
	if (!store_path_parse_base(slice_of(name), &p, NULL))
		path_set_push(arg, &p);
	return 0;
}

int store_tenant_roots(struct store *s, const char *tenant, struct path_set *out, struct err *e)
{
	int rc = each_root(s, tenant, add_root, out, e);

	path_set_sort(out);
	return rc;
}

struct dropping {
	time_t before;
	size_t n;
};

static int drop_root(void *arg, int fd, const char *name, time_t made)
{
	struct dropping *d = arg;

	if (made < d->before && !unlinkat(fd, name, 0))
		d->n++;
	return 0;
}

int store_drop_tenant_roots(struct store *s, const char *tenant, time_t before, size_t *n, struct err *e)
{
	struct dropping d = { before, 0 };
	int rc = tenant_check(tenant, e);

	rc = rc ? rc : store_want_writable(s, e);
	rc = rc ? rc : each_root(s, tenant, drop_root, &d, e);
	*n = d.n;
	return rc;
}

/* --- closures and quotas --- */

static int size_of(struct store *s, const struct path_set *start, struct path_set *out, uint64_t *size, struct err *e)
{
	int rc = db_closure(store_db(s), start, 0, out, e);

	*size = 0;
	for (size_t i = 0; i < out->n && !rc; i++) {
		struct path_info info = { 0 };

		rc = db_info(store_db(s), &out->v[i], &info, e);
		*size += rc ? 0 : info.nar_size;
		path_info_release(&info);
	}
	return rc;
}

int store_tenant_closure(struct store *s, const char *tenant, struct path_set *out, uint64_t *size, struct err *e)
{
	struct path_set roots = { 0 };
	int rc = store_tenant_roots(s, tenant, &roots, e);

	rc = rc ? rc : size_of(s, &roots, out, size, e);
	path_set_release(&roots);
	return rc;
}

int store_tenant_quota(struct store *s, const char *tenant, uint64_t *size, struct err *e)
{
	int dir = open_folder(s, tenant, 0, e), fd, rc = 0;
	char text[32] = "";

	*size = 0;
	if (dir < 0)
		return dir == ERR_NOTFOUND ? 0 : dir;
	fd = openat(dir, QUOTA, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 ? errno != ENOENT : fd_read_full(fd, text, sizeof text - 1) < 0)
		rc = err_errno(e, "cannot read the quota of '%s'", tenant);
	*size = strtoull(text, NULL, 10);
	if (fd >= 0)
		close(fd);
	close(dir);
	return rc;
}

int store_set_tenant_quota(struct store *s, const char *tenant, uint64_t size, struct err *e)
{
	int rc = store_want_writable(s, e), dir = rc ? rc : open_folder(s, tenant, 1, e), fd;
	char text[32];

	if (dir < 0)
		return dir;
	snprintf(text, sizeof text, "%llu\n", (unsigned long long)size);
	/* Made beside it: a quota that is read half is another. */
	fd = openat(dir, QUOTA ".new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0 || fd_write_all(fd, text, strlen(text)) || renameat(dir, QUOTA ".new", dir, QUOTA))
		rc = err_errno(e, "cannot write the quota of '%s'", tenant);
	if (fd >= 0)
		close(fd);
	close(dir);
	return rc;
}

static int within_quota(struct store *s, const char *tenant, const struct store_path *p, struct err *e)
{
	struct path_set roots = { 0 }, all = { 0 };
	uint64_t may = 0, size = 0;
	int rc = store_tenant_quota(s, tenant, &may, e);

	if (!rc && may) {
		rc = store_tenant_roots(s, tenant, &roots, e);
		path_set_add(&roots, p);
		rc = rc ? rc : size_of(s, &roots, &all, &size, e);
		if (!rc && size > may)
			rc = err_set(e, ERR_LIMIT, "the tenant '%s' would have %llu bytes, and may have %llu", tenant,
				     (unsigned long long)size, (unsigned long long)may);
	}
	path_set_release(&roots);
	path_set_release(&all);
	return rc;
}

int store_add_tenant_root(struct store *s, const char *tenant, const struct store_path *p, struct err *e)
{
	struct buf target = BUF_INIT;
	int rc = tenant_check(tenant, e), fd = -1;

	rc = rc ? rc : store_want_writable(s, e);
	rc = rc ? rc : store_add_temp_root(s, p, e);
	if (!rc && (rc = store_is_valid(s, p, e)) >= 0)
		rc = rc ? 0 : err_set(e, ERR_NOTFOUND, "'%s' is not in the store", p->base);
	rc = rc ? rc : within_quota(s, tenant, p, e);
	if (!rc && (fd = open_folder(s, tenant, 1, e)) < 0)
		rc = fd;
	store_add_path(s, &target, p);
	if (!rc && symlinkat(target.p, fd, p->base) && errno != EEXIST)
		rc = err_errno(e, "cannot make a root of '%s'", p->base);
	if (!rc && utimensat(fd, p->base, NULL, AT_SYMLINK_NOFOLLOW))
		rc = err_errno(e, "cannot make a root of '%s'", p->base);
	if (fd >= 0)
		close(fd);
	buf_release(&target);
	return rc;
}

/* --- all of them --- */

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int store_tenants(struct store *s, struct words *out, struct err *e)
{
	int fd = openat(s->state_fd, FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc, more;
	struct dir d;

	if (fd < 0)
		return errno == ENOENT ? 0 : err_errno(e, "cannot look for tenants");
	rc = dir_take(&d, fd, FOLDER, e);
	while (!rc && (more = dir_next(&d, e))) {
		rc = more < 0 ? more : 0;
		if (!rc && !tenant_check(d.name, NULL))
			words_add(out, d.name);
	}
	dir_close(&d);
	if (out->n)
		qsort(out->v, out->n, sizeof *out->v, by_name);
	return rc;
}
