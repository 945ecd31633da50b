/* SPDX-License-Identifier: MIT
 *
 * A descriptor and no flag: a signal comes to any thread, and need not wake the one that waits.
 */
#include "config.h"
#include "fetch/interrupt.h"

#include <errno.h>
#include <poll.h>

int fetch_interrupt_fd = -1;

int fetch_wait(int fd, int milliseconds, struct err *e)
{
	struct pollfd p[2] = { { .fd = fd, .events = POLLIN }, { .fd = fetch_interrupt_fd, .events = POLLIN } };

	while (poll(p, 2, milliseconds) < 0)
		if (errno != EINTR)
			return err_errno(e, "cannot wait");
	return p[1].revents & POLLIN ? err_set(e, ERR_INTERRUPT, "interrupted") : 0;
}
