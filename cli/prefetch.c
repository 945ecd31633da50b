/* SPDX-License-Identifier: MIT
 *
 * What is fetched lies in a folder of its own until it is in the store.
 */
#include "config.h"
#include "cli/prefetch.h"
#include "base/fdio.h"
#include "cli/view.h"
#include "fetch/archive.h"
#include "fetch/transfer.h"
#include "store/object.h"
#include "store/tree.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int to_file(void *user, const void *p, size_t n, struct err *e)
{
	return fd_write_all(*(int *)user, p, n) ? err_errno(e, "writing what is fetched") : 0;
}

static int anew(void *user, struct err *e)
{
	int fd = *(int *)user;

	return ftruncate(fd, 0) || lseek(fd, 0, SEEK_SET) < 0 ? err_errno(e, "emptying a file") : 0;
}

static int fetch(const char *url, int fd, struct err *e)
{
	struct transfer_request q = { .url = url, .write = to_file, .restart = anew, .user = &fd };
	struct transfer_settings settings = { 0 };
	struct transfer_result result = { 0 };
	struct transfer_engine *g = NULL;
	int rc = transfer_settings_load(&settings, e);

	if (!rc && !(g = transfer_engine_new(&settings, e)))
		rc = e->code;
	rc = rc ? rc : transfer_get(g, &q, &result, e);
	transfer_result_release(&result);
	if (g)
		transfer_engine_free(g);
	transfer_settings_release(&settings);
	return rc;
}

static int add(struct store *s, const struct source_object *o, int dirfd, const char *name, struct store_path *path,
	       struct err *e)
{
	int rc = store_add_tree(s, dirfd, name, o, path, e);

	return rc ? rc : view_send(s, path, e);
}

/* The one thing in an archive, or all of them together. */
static int add_unpacked(struct store *s, const struct prefetch *p, const struct source_object *o, int dirfd, int file,
			struct store_path *path, struct err *e)
{
	struct archive_facts facts = { 0 };
	int rc = mkdirat(dirfd, "unpacked", 0700) ? err_errno(e, "making a folder") : 0, fd;

	if (rc)
		return rc;
	if ((fd = openat(dirfd, "unpacked", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return err_errno(e, "opening a folder");
	rc = archive_unpack_fd(file, fd, NULL, &facts, e);
	if (!rc && !facts.members)
		rc = err_set(e, ERR_INVALID, "the archive '%s' is empty", p->url);
	if (!rc)
		rc = add(s, o, facts.single ? fd : dirfd, facts.single ? facts.single : "unpacked", path, e);
	archive_facts_release(&facts);
	close(fd);
	return rc;
}

static int fetch_and_add(struct store *s, const struct prefetch *p, const struct source_object *o, int dirfd,
			 struct store_path *path, struct err *e)
{
	int fd = openat(dirfd, "file", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, p->executable ? 0700 : 0600);
	int rc = fd < 0 ? err_errno(e, "making a file") : fetch(p->url, fd, e);

	if (!rc && p->unpack)
		rc = lseek(fd, 0, SEEK_SET) < 0 ? err_errno(e, "reading a file") : add_unpacked(s, p, o, dirfd, fd, path, e);
	else if (!rc)
		rc = add(s, o, dirfd, "file", path, e);
	if (fd >= 0)
		close(fd);
	return rc;
}

static int in_folder(struct store *s, const struct prefetch *p, const struct source_object *o, struct store_path *path,
		     struct err *e)
{
	const char *tmp = getenv("TMPDIR");
	struct buf dir = BUF_INIT;
	int fd, rc;

	buf_addf(&dir, "%s/gx-prefetch-XXXXXX", tmp && *tmp ? tmp : "/tmp");
	if (!mkdtemp(dir.p)) {
		rc = err_errno(e, "cannot make the folder '%s'", buf_str(&dir));
		buf_release(&dir);
		return rc;
	}
	fd = open(buf_str(&dir), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	rc = fd < 0 ? err_errno(e, "opening '%s'", buf_str(&dir)) : fetch_and_add(s, p, o, fd, path, e);
	if (fd >= 0)
		close(fd);
	tree_remove(AT_FDCWD, buf_str(&dir), NULL, NULL, NULL);
	buf_release(&dir);
	return rc;
}

/* The hash that the store knows it by. */
static int hash_of(struct store *s, const struct store_path *path, struct hash *hash, struct err *e)
{
	struct path_info info = { 0 };
	enum ca_method m;
	int rc = db_info(store_db(s), path, &info, e);

	if (!rc)
		rc = ca_parse(slice_of(info.ca ? info.ca : ""), &m, hash, e);
	path_info_release(&info);
	return rc;
}

/* The last part of an address, without what is behind a '?'. */
static struct slice name_of(const char *url)
{
	size_t n = strcspn(url, "?#"), from;

	while (n && url[n - 1] == '/')
		n--;
	for (from = n; from && url[from - 1] != '/'; from--)
		;
	return (struct slice){ url + from, n - from };
}

int prefetch(struct store *s, const struct prefetch *p, struct store_path *path, struct hash *hash, struct err *e)
{
	struct source_object o = { .name = p->name ? slice_of(p->name) : name_of(p->url),
				   .method = p->unpack || p->executable ? CA_NAR : CA_FLAT,
				   .algo = p->algo,
				   .expected = p->expected.algo == HASH_ANY ? NULL : &p->expected };
	int rc;

	/* A name that cannot be is told before anything is fetched. */
	const struct hash any = { .algo = HASH_SHA256, .len = 32 };
	rc = store_path_make_fixed(store_dir(s), o.name, o.method, o.expected ? o.expected : &any, NULL, 0, 0, path, e);
	if (!rc && o.expected && (rc = store_is_valid(s, path, e)) == 1)
		return hash_of(s, path, hash, e);
	rc = rc ? rc : in_folder(s, p, &o, path, e);
	return rc ? rc : hash_of(s, path, hash, e);
}
