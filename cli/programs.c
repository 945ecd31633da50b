/* SPDX-License-Identifier: MIT
 *
 * A program that was packed with its own C library is an argument of the loader, which is then what /proc says runs.
 */
#include "config.h"
#include "cli/programs.h"
#include "cli/report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int own_program(char *path, size_t size)
{
	static const char packed[] = "/lib/gx/loader";
	ssize_t n = readlink("/proc/self/exe", path, size - 1);
	size_t k = sizeof packed - 1;

	if (n <= 0) {
		report_error("cannot find out where this program is: %s", strerror(errno));
		return -1;
	}
	path[n] = 0;
	if ((size_t)n > k && !strcmp(path + n - k, packed))
		memcpy(path + n - k, "/bin/gx", sizeof "/bin/gx");
	return 0;
}

int program_in_path(const char *name, struct buf *out)
{
	const char *path = getenv("PATH");

	for (size_t n; path && *path; path += n + (path[n] == ':')) {
		n = strcspn(path, ":");
		buf_trim(out, 0);
		buf_add(out, path, n);
		buf_addf(out, "/%s", name);
		if (n && !access(out->p, X_OK))
			return 1;
	}
	return 0;
}
