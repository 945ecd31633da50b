/* SPDX-License-Identifier: MIT
 *
 * Names come out of an expression: they make files in the folder that was named and nowhere else, by descriptor and without
 * following links.
 */
#include "config.h"
#include "cli/write_to.h"
#include "base/fdio.h"
#include "eval/attrs.h"
#include "eval/builtin.h"
#include "eval/eval.h"
#include "eval/show.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void close_fd(void *fd)
{
	close(*(int *)fd);
}

static __attribute__((noreturn)) void cannot_write(const char *path)
{
	throw_error(EK_IO, "cannot write '%s': %s", path, strerror(errno));
}

static void write_file(int dirfd, const char *name, const char *path, const struct str *s)
{
	int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);

	if (fd < 0)
		cannot_write(path);
	int bad = fd_write_all(fd, s->b, s->len) < 0;
	if (close(fd) || bad)
		cannot_write(path);
}

static void write_value(int dirfd, const char *name, const char *path, W v);

static void write_folder(int dirfd, const char *name, const char *path, struct attrs *a)
{
	int fd;

	stack_check();
	if (mkdirat(dirfd, name, 0777) || (fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)) < 0)
		cannot_write(path);
	protect_push(close_fd, &fd);
	for (uint32_t i = 0; i < a->n; i++) {
		uint32_t k = attrs_order(a)[i];
		const struct str *member = sym_name(a->sh->sym[k]);
		struct buf below = BUF_GC;

		if (!member->len || !strcmp(member->b, ".") || !strcmp(member->b, "..") || strlen(member->b) != member->len ||
		    strchr(member->b, '/'))
			throw_error(EK_EVAL, "the attribute '%s' cannot be the name of a file", member->b);
		buf_addf(&below, "%s/%s", path, member->b);
		write_value(fd, member->b, below.p, force(a->v[k]));
	}
	protect_pop(1);
}

static void write_value(int dirfd, const char *name, const char *path, W v)
{
	if (w_is_str(v))
		write_file(dirfd, name, path, w_get_str(v));
	else if (W_TAG(v) == TAG_ATTRS)
		write_folder(dirfd, name, path, attrs_of(v));
	else
		throw_error(EK_EVAL, "what is to be written to '%s' is neither a string nor a set but %s", path, show_type(v));
}

void write_to(const char *path, W v)
{
	struct stat st;

	if (!lstat(path, &st))
		throw_error(EK_IO, "the path '%s' exists already", path);
	write_value(AT_FDCWD, path, path, v);
}
