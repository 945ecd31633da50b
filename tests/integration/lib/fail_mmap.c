/* SPDX-License-Identifier: MIT
 *
 * Preloaded into a program under test: from the MMAP_FAIL-th call on, mmap finds no memory.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

void *mmap(void *addr, size_t length, int prot, int flags, int fd, off_t offset)
{
	static int n;
	const char *from = getenv("MMAP_FAIL");

	if (from && ++n >= atoi(from)) {
		errno = ENOMEM;
		return MAP_FAILED;
	}
	return (void *)syscall(SYS_mmap, addr, length, prot, flags, fd, offset);
}
