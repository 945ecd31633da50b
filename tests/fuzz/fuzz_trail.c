/* SPDX-License-Identifier: MIT
 *
 * Any bytes as the trail of a kept answer, looked at again in an empty folder: a '/' that could lead out of it is taken away.
 * What comes of it has its reasons, and comes out the same when it is looked at once more,
 * and no file stays open.
 */
#include "config.h"
#include "fetch/trail.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int home, empty;

static void make_folder(void)
{
	static char folder[] = "/tmp/gx-fuzz-trail.XXXXXX";

	if (home)
		return;
	home = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	empty = mkdtemp(folder) ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	/* One that is no more is as empty, and need not be removed at the end. */
	if (home <= 0 || empty < 0 || rmdir(folder))
		abort();
}

/* The number that the next open file gets. */
static int next_file(void)
{
	int fd = dup(empty);

	close(fd);
	return fd;
}

static void stay_inside(char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] == '/' && (!i || p[i - 1] < 'a' || p[i - 1] > 'z'))
			p[i] = '_';
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct trail_now now[] = { { "setting", SLICE("value") } };
	struct buf why = BUF_INIT;
	char *copy = malloc(size ? size : 1);
	int fresh;

	if (!copy)
		abort();
	make_folder();
	if (size)
		memcpy(copy, data, size);
	stay_inside(copy, size);
	int next = next_file();
	if (fchdir(empty))
		abort();
	int rc = trail_holds(copy, size, now, 1, 1, &why, &fresh);
	if ((rc == 1 && why.len) || (rc == 0 && !why.len) || trail_holds(copy, size, now, 1, 1, NULL, &fresh) != rc || fchdir(home) || next_file() != next)
		abort();
	buf_release(&why);
	free(copy);
	return 0;
}
