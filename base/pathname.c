/* SPDX-License-Identifier: MIT
 *
 * One pass from left to right; the output never runs ahead of the input, so it may overwrite it.
 */
#include "config.h"
#include "base/pathname.h"

#include <string.h>

size_t path_normalise(const char *p, size_t n, char *out)
{
	const char *end = p + n;
	size_t len = 0;

	while (p < end) {
		if (*p == '/') {
			p++;
			continue;
		}
		const char *slash = memchr(p, '/', (size_t)(end - p));
		size_t part = (size_t)((slash ? slash : end) - p);
		if (part == 2 && p[0] == '.' && p[1] == '.') {
			while (len && out[--len] != '/')
				;
		} else if (part != 1 || p[0] != '.') {
			memmove(out + len + 1, p, part);
			out[len] = '/';
			len += part + 1;
		}
		p += part;
	}
	if (!len)
		out[len++] = '/';
	out[len] = 0;
	return len;
}

int path_is_within(const char *p, size_t n, const char *dir, size_t dir_n)
{
	if (dir_n == 1)
		return 1;
	return n >= dir_n && !memcmp(p, dir, dir_n) && (n == dir_n || p[dir_n] == '/');
}

size_t path_dir_len(const char *p, size_t n)
{
	while (n > 1 && p[n - 1] != '/')
		n--;
	return n > 1 ? n - 1 : 1;
}
