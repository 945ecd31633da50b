/* SPDX-License-Identifier: MIT
 *
 * The history is a file of its own format, appended to after each input in one write: neither a second session nor a
 * crash loses entries, and no line is too long or split (nix#15162, nix#8183).  It is shortened when a session starts
 * and finds twice as much as is kept; a lock on the file keeps others from appending to what is about to be replaced.
 */
#include "config.h"
#include "cli/repl/repl_history.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "base/fdio.h"
#include "base/flock.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* One entry a line: a line end is written "\\n" and a backslash twice. */
static void encode(struct buf *b, const char *text)
{
	for (; *text; text++)
		if (*text == '\n')
			buf_adds(b, "\\n");
		else if (*text == '\\')
			buf_adds(b, "\\\\");
		else
			buf_addc(b, *text);
}

static void decode(struct buf *b, const char *line, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (line[i] == '\\' && i + 1 < n) {
			i++;
			buf_addc(b, line[i] == 'n' ? '\n' : line[i]);
		} else {
			buf_addc(b, line[i]);
		}
	}
}

char *history_file(void)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	struct buf b = BUF_INIT;

	if (state && *state == '/')
		buf_addf(&b, "%s/gx", state);
	else if (home && *home == '/')
		buf_addf(&b, "%s/.local/state/gx", home);
	else
		return NULL;
	make_folders(buf_str(&b), 0700);
	buf_adds(&b, "/repl-history");
	return buf_detach(&b, NULL);
}

/* The file, locked, -1 when there is none to be had.  One that was replaced while it was waited for is let go of. */
static int open_locked(const char *file, int flags)
{
	struct stat held, named;
	struct err e = ERR_INIT;
	int fd;

	while ((fd = open(file, flags | O_CLOEXEC | O_NOCTTY, 0600)) >= 0) {
		/* Where there are no locks, what several write is still whole lines. */
		if (lock_fd(fd, LOCK_EX, &e))
			err_release(&e);
		if (fstat(fd, &held) || !S_ISREG(held.st_mode))
			break;
		if (!stat(file, &named) && named.st_ino == held.st_ino && named.st_dev == held.st_dev) {
			if (held.st_mode & 077)
				fchmod(fd, 0600);
			return fd;
		}
		close(fd);
	}
	if (fd >= 0)
		close(fd);
	return -1;
}

/* Writes the last entries only, to a new file that takes the old one's place. */
static void shorten(const char *file, const char *kept, size_t n)
{
	struct buf name = BUF_INIT;

	buf_addf(&name, "%s.%ld", file, (long)getpid());
	int fd = open(name.p, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd >= 0) {
		int bad = fd_write_all(fd, kept, n);
		bad |= close(fd);
		if (bad || rename(name.p, file))
			unlink(name.p);
	}
	buf_release(&name);
}

void history_load(const char *file, void (*enter)(void *arg, const char *text), void *arg)
{
	struct buf all = BUF_INIT, entry = BUF_INIT;
	size_t total = 0, skip;
	int fd = open_locked(file, O_RDONLY);

	if (fd < 0 || fd_read_all(fd, &all))
		buf_trim(&all, 0);
	const char *p = buf_str(&all), *end = p + all.len;
	for (size_t i = 0; i < all.len; i++)
		total += p[i] == '\n';
	for (skip = total > REPL_HISTORY_MAX ? total - REPL_HISTORY_MAX : 0; skip; skip--)
		p = (const char *)memchr(p, '\n', (size_t)(end - p)) + 1;
	if (total > 2 * (size_t)REPL_HISTORY_MAX)
		shorten(file, p, (size_t)(end - p));
	if (fd >= 0)
		close(fd);
	for (const char *nl; (nl = memchr(p, '\n', (size_t)(end - p))); p = nl + 1) {
		buf_trim(&entry, 0);
		decode(&entry, p, (size_t)(nl - p));
		enter(arg, buf_str(&entry));
	}
	buf_release(&entry);
	buf_release(&all);
}

void history_append(const char *file, const char *text)
{
	struct buf b = BUF_INIT;
	int fd = open_locked(file, O_WRONLY | O_APPEND | O_CREAT);

	encode(&b, text);
	buf_addc(&b, '\n');
	if (fd >= 0) {
		ssize_t n = write(fd, b.p, b.len);
		(void)n;
		close(fd);
	}
	buf_release(&b);
}
