/* SPDX-License-Identifier: MIT
 *
 * Preloaded into a program that builds: the child that is to become a builder prints more than a pseudo-terminal holds, as
 * one that counts its calls may.  It does so where it sets its host name.
 */
#define _GNU_SOURCE
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int sethostname(const char *name, size_t len)
{
	static char line[3000];

	memset(line, 'x', sizeof line - 1);
	line[sizeof line - 1] = '\n';
	for (int i = 0; i < 100; i++)
		if (write(1, line, sizeof line) != sizeof line)
			return -1;
	return (int)syscall(SYS_sethostname, name, len);
}
