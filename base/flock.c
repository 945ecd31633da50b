/* SPDX-License-Identifier: MIT
 *
 * flock and not fcntl, because it goes with the open file and so ends with the process, whatever kills it, and because it is
 * what Nix uses on the files of a store.
 */
#include "config.h"
#include "base/flock.h"

#include <errno.h>
#include <sys/file.h>

int lock_fd(int fd, int how, struct err *e)
{
	while (flock(fd, how) < 0) {
		if (errno == EWOULDBLOCK)
			return 1;
		if (errno != EINTR)
			return err_errno(e, "cannot lock a file");
	}
	return 0;
}
