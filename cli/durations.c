/* SPDX-License-Identifier: MIT
 *
 * The file "durations" of the user's cache: a line for each name, the latest last.
 *
 *     272.4 gopls-0.23.0
 *
 * It is read when first asked, and written as a new file in the place of the old one.  Of two programs that end together one may
 * win: the other's builds are then expected as before.
 */
#include "config.h"
#include "cli/durations.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/fdio.h"
#include "fetch/cache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MAX = 1 << 18, ENTRIES_MAX = 2000, NAME_MAX_BYTES = 255 };

static struct {
	int read, changed;
	struct duration {
		char *name;
		double seconds;
	} *v;
	size_t n, cap;
} known;

static void set(const char *name, size_t len, double seconds)
{
	if (!len || len > NAME_MAX_BYTES || memchr(name, '\n', len))
		return;
	for (size_t i = 0; i < known.n; i++)
		if (strlen(known.v[i].name) == len && !memcmp(known.v[i].name, name, len)) {
			free(known.v[i].name);
			memmove(known.v + i, known.v + i + 1, (--known.n - i) * sizeof *known.v);
			break;
		}
	ARRAY_GROW(known.v, known.n + 1, known.cap);
	known.v[known.n++] = (struct duration){ xstrndup(name, len), seconds };
}

static int file_name(struct buf *out)
{
	struct err e = ERR_INIT;
	int rc = cache_user_dir(out, &e);

	err_release(&e);
	buf_adds(out, "/durations");
	return rc;
}

static void parse(char *text)
{
	for (char *line, *rest = text, *end; (line = strtok_r(rest, "\n", &rest));) {
		double seconds = strtod(line, &end);

		if (end > line && *end == ' ' && seconds > 0 && seconds < 1e7)
			set(end + 1, strlen(end + 1), seconds);
	}
}

static void read_file(void)
{
	struct buf name = BUF_INIT;
	char *text;
	ssize_t n = -1;
	int fd;

	if (known.read)
		return;
	known.read = 1;
	text = xmalloc(FILE_MAX + 1);
	fd = file_name(&name) ? -1 : open(name.p, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, text, FILE_MAX);
		close(fd);
	}
	if (n > 0) {
		text[n] = 0;
		parse(text);
	}
	free(text);
	buf_release(&name);
}

double durations_get(const char *name)
{
	read_file();
	for (size_t i = known.n; i-- > 0;)
		if (!strcmp(known.v[i].name, name))
			return known.v[i].seconds;
	return 0;
}

void durations_put(const char *name, double seconds)
{
	if (seconds < 1)
		return;
	read_file();
	set(name, strlen(name), seconds);
	known.changed = 1;
}

static void write_file(const struct buf *text)
{
	struct buf name = BUF_INIT, fresh = BUF_INIT, dir = BUF_INIT;
	struct err e = ERR_INIT;
	int fd = -1;

	if (!file_name(&name) && !cache_user_dir(&dir, &e) && !cache_make_dirs(dir.p, &e)) {
		buf_addf(&fresh, "%s.XXXXXX", name.p);
		fd = mkostemp(fresh.p, O_CLOEXEC);
	}
	if (fd >= 0) {
		int bad = fd_write_all(fd, text->p, text->len);

		bad |= close(fd);
		if (bad || rename(fresh.p, name.p))
			unlink(fresh.p);
	}
	err_release(&e);
	buf_release(&name);
	buf_release(&fresh);
	buf_release(&dir);
}

void durations_save(void)
{
	struct buf text = BUF_INIT;

	for (size_t i = known.n > ENTRIES_MAX ? known.n - ENTRIES_MAX : 0; i < known.n && known.changed; i++)
		buf_addf(&text, "%.1f %s\n", known.v[i].seconds, known.v[i].name);
	if (text.len)
		write_file(&text);
	buf_release(&text);
	for (size_t i = 0; i < known.n; i++)
		free(known.v[i].name);
	free(known.v);
	memset(&known, 0, sizeof known);
}
