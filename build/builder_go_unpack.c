/* SPDX-License-Identifier: MIT
 *
 * builtin:go-unpack: the archive of a Go release, as its publisher offers it, as a tree of the same form as that of the toolchain's
 * module (golang/gomodule.h): what is below "go/" in the archive is GOROOT and the output itself, share/go leads there too, and
 * what modules of toolchains leave out is left out.
 *
 * The archive is known by its hash before it comes here; so this is about form, not about trust.
 */
#include "config.h"
#include "build/builtin_builders.h"
#include "base/dir.h"
#include "fetch/archive.h"
#include "golang/gomodule.h"
#include "store/tree.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TOP "go"

static const char *const left_out[] = { "api", "doc", "misc", "test" };

static int unpack(const char *archive, int out, struct err *e)
{
	struct archive_facts facts = { 0 };
	int fd = open(archive, O_RDONLY | O_CLOEXEC), rc;

	if (fd < 0)
		return err_errno(e, "cannot read '%s'", archive);
	rc = archive_unpack_fd(fd, out, NULL, &facts, e);
	close(fd);
	if (!rc && (!facts.single || strcmp(facts.single, TOP)))
		rc = err_set(e, ERR_INVALID, "'%s' is no archive of a Go release: not all in it is below '%s/'", archive, TOP);
	archive_facts_release(&facts);
	return rc;
}

static int remove_what_modules_lack(int out, struct err *e)
{
	int top = openat(out, TOP, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), rc = 0;

	if (top < 0)
		return err_errno(e, "cannot open '%s'", TOP);
	for (size_t i = 0; i < sizeof left_out / sizeof *left_out && !rc; i++)
		rc = tree_remove(top, left_out[i], NULL, NULL, e);
	close(top);
	return rc;
}

static int move_up(int out, struct err *e)
{
	struct dir d;
	int rc = dir_open(&d, out, TOP, e);

	while (!rc && (rc = dir_next(&d, e)) > 0)
		rc = renameat(d.fd, d.name, out, d.name) < 0 ? err_errno(e, "cannot move '%s/%s'", TOP, d.name) : 0;
	dir_close(&d);
	if (!rc && unlinkat(out, TOP, AT_REMOVEDIR) < 0)
		rc = err_errno(e, "cannot remove '%s'", TOP);
	return rc;
}

int builtin_go_unpack(const struct builtin_call *c, struct err *e)
{
	struct buf out = BUF_INIT;
	struct slice src;
	int fd = -1, rc = builtin_attr(c, "src", &src, e);

	rc = rc ? rc : builtin_output(c, SLICE("out"), &out, e);
	if (!rc && (mkdir(buf_str(&out), 0755) < 0 || (fd = open(out.p, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0))
		rc = err_errno(e, "cannot make '%s'", out.p);
	rc = rc ? rc : unpack(src.p, fd, e);
	rc = rc ? rc : remove_what_modules_lack(fd, e);
	rc = rc ? rc : move_up(fd, e);
	rc = rc ? rc : go_toolchain_link_share(fd, e);
	if (!rc && faccessat(fd, "bin/go", X_OK, 0) < 0)
		rc = err_errno(e, "'%s' is no archive of a Go release: bin/go", src.p);
	if (fd >= 0)
		close(fd);
	buf_release(&out);
	return rc;
}
