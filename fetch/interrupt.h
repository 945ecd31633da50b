/* SPDX-License-Identifier: MIT
 *
 * Giving up what waits for the network, for a program or for another process, in a program that goes on afterwards.
 */
#ifndef FETCH_INTERRUPT_H
#define FETCH_INTERRUPT_H

#include "base/err.h"

/* Readable when what is waited for is to be given up, with ERR_INTERRUPT; -1, the default, for never.  Whoever set it makes it
 * unreadable again. */
extern int fetch_interrupt_fd;

/* Waits until fd is readable (or at its end), or the time is over; fd -1: only for the time.  -1: as long as it takes.
 * ERR_INTERRUPT when asked to stop. */
int fetch_wait(int fd, int milliseconds, struct err *e);

#endif
