/* SPDX-License-Identifier: MIT
 *
 * builtin:release: a part of what a publisher released, from the first of several archives that can be had.
 *
 * One release is packed in several ways, with other things around it: the output is what all of them have, so that its hash does
 * not depend on where it came from.  Each archive is checked by a hash of its own before it is unpacked; what a place has that lies
 * is as good as nothing, and the next is asked.
 */
#include "config.h"
#include "base/buf.h"
#include "build/builder_archive.h"
#include "build/builder_fetch_int.h"
#include "store/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* An archive: its address, its SHA-256, the folder in it. */
struct source {
	struct slice address, folder;
	struct hash sha256;
};

/* Cuts one off the list; 0 at its end, negative on failure. */
static int next_source(struct slice *list, struct source *s, struct err *e)
{
	struct slice sum;

	if (!fetch_next_word(list, &s->address))
		return 0;
	if (!fetch_next_word(list, &sum) || !fetch_next_word(list, &s->folder))
		return err_set(e, ERR_INVALID, "attribute 'sources' must be groups of three: an address, a SHA-256 sum, a folder");
	int rc = hash_parse(sum.p, sum.n, HASH_SHA256, &s->sha256, NULL, e);

	return rc ? rc : 1;
}

/* --- fetching --- */

static int at_address(const struct drv *d, struct slice address, const struct hash *want, int fd, struct err *e)
{
	struct slice python = SLICE("pypi:"), npm = SLICE("npm:");
	struct buf url = BUF_INIT;
	int rc = 0;

	if (slice_starts(address, python))
		rc = fetch_find_python((struct slice){ address.p + python.n, address.n - python.n }, &url, e);
	else if (slice_starts(address, npm))
		rc = fetch_find_npm((struct slice){ address.p + npm.n, address.n - npm.n }, &url, e);
	else
		buf_add(&url, address.p, address.n);
	rc = rc ? rc : fetch_file(d, buf_str(&url), want, fd, e);
	buf_release(&url);
	return rc;
}

/* From the hashed mirrors, or the publisher. */
static int fetch_source(const struct drv *d, const struct source *s, int fd, struct err *e)
{
	struct words mirrors = { 0 };
	int rc = ERR_NOTFOUND;

	fetch_add_mirrors(&mirrors, &s->sha256);
	for (size_t i = 0; i < mirrors.n && rc; i++) {
		struct err own = ERR_INIT;

		rc = fetch_restart(&fd, &own);
		rc = rc ? rc : fetch_file(d, mirrors.v[i], &s->sha256, fd, &own);
		err_release(&own);
	}
	words_release(&mirrors);
	if (rc && !(rc = fetch_restart(&fd, e)))
		rc = at_address(d, s->address, &s->sha256, fd, e);
	return rc;
}

/* The first that can be had, into fd and *s. */
static int fetch_any(const struct drv *d, int fd, struct source *s, struct err *e)
{
	struct slice list = fetch_attr(d, "sources", SLICE(""));
	struct err last = ERR_INIT;
	int rc = 0, found = 0;

	while (!found && (rc = next_source(&list, s, e)) > 0) {
		if (last.msg)
			dprintf(2, "%s; trying the next address\n", last.msg);
		err_release(&last);
		found = !fetch_source(d, s, fd, &last);
	}
	if (rc >= 0 && !found)
		rc = err_set(e, last.code ? last.code : ERR_INVALID, "%s", last.msg ? last.msg : "attribute 'sources' missing");
	err_release(&last);
	return found ? 0 : rc;
}

/* --- what is taken of it --- */

/* "bin" of "bin/tool". */
static int make_parent(const char *out, struct slice name, struct err *e)
{
	const char *slash = memrchr(name.p, '/', name.n);
	struct buf dir = BUF_INIT;
	int rc = 0;

	if (slash) {
		buf_addf(&dir, "%s/%.*s", out, (int)(slash - name.p), name.p);
		rc = mkdir(buf_str(&dir), 0755) && errno != EEXIST ? err_errno(e, "cannot make '%s'", buf_str(&dir)) : 0;
	}
	buf_release(&dir);
	return rc;
}

/* The folder of the archive, with `keep` and without `drop`, as the output. */
static int take(const struct builtin_call *c, const char *tree, const char *out, struct err *e)
{
	struct slice keep = fetch_attr(c->drv, "keep", SLICE("")), drop = fetch_attr(c->drv, "drop", SLICE("")), name;
	struct buf from = BUF_INIT, to = BUF_INIT;
	int rc = mkdir(out, 0755) ? err_errno(e, "cannot make '%s'", out) : 0;

	while (!rc && fetch_next_word(&keep, &name)) {
		buf_trim(&from, 0);
		buf_trim(&to, 0);
		buf_addf(&from, "%s/%.*s", tree, (int)name.n, name.p);
		buf_addf(&to, "%s/%.*s", out, (int)name.n, name.p);
		if ((rc = make_parent(out, name, e)))
			break;
		if (rename(buf_str(&from), buf_str(&to)))
			rc = err_errno(e, "the archive has no '%.*s'", (int)name.n, name.p);
	}
	while (!rc && fetch_next_word(&drop, &name)) {
		buf_trim(&to, 0);
		buf_addf(&to, "%s/%.*s", out, (int)name.n, name.p);
		if (unlink(buf_str(&to)) && errno != ENOENT)
			rc = err_errno(e, "cannot remove '%s'", buf_str(&to));
	}
	buf_release(&from);
	buf_release(&to);
	return rc;
}

static int unpack(const struct builtin_call *c, int fd, struct slice folder, struct slice out, struct err *e)
{
	struct buf all = BUF_INIT, tree = BUF_INIT, to = BUF_INIT;

	buf_addf(&all, "%.*s.all", (int)out.n, out.p);
	buf_addf(&tree, "%s/%.*s", buf_str(&all), (int)folder.n, folder.p);
	buf_add(&to, out.p, out.n);
	int rc = archive_place(fd, buf_str(&all), 0, e);

	rc = rc ? rc : take(c, buf_str(&tree), buf_str(&to), e);
	rc = rc ? rc : tree_remove(AT_FDCWD, buf_str(&all), NULL, NULL, e);
	buf_release(&to);
	buf_release(&tree);
	buf_release(&all);
	return rc;
}

int build_release(const struct builtin_call *c, struct err *e)
{
	struct buf out = BUF_INIT;
	struct source s;
	int fd = -1, rc = builtin_output(c, SLICE("out"), &out, e);

	if (!rc && (fd = fetch_scratch(c->top, e)) < 0)
		rc = ERR_IO;
	rc = rc ? rc : fetch_any(c->drv, fd, &s, e);
	rc = rc ? rc : unpack(c, fd, s.folder, (struct slice){ buf_str(&out), out.len }, e);
	if (fd >= 0)
		close(fd);
	buf_release(&out);
	return rc;
}

void release_addresses(const struct drv *d, void (*tell)(struct slice address, void *arg), void *arg)
{
	struct slice list = fetch_attr(d, "sources", SLICE(""));
	struct err ignored = ERR_INIT;
	struct source s;

	/* What is wrong with them the builder says. */
	while (next_source(&list, &s, &ignored) > 0) {
		struct words mirrors = { 0 };

		tell(s.address, arg);
		fetch_add_mirrors(&mirrors, &s.sha256);
		for (size_t i = 0; i < mirrors.n; i++)
			tell(slice_of(mirrors.v[i]), arg);
		words_release(&mirrors);
	}
	err_release(&ignored);
}
