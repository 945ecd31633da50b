/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "base/thread.h"

#include <signal.h>

int thread_start(pthread_t *t, void *(*run)(void *arg), void *arg)
{
	sigset_t all, before;
	int code;

	/* It inherits what is blocked, so that there is no moment at which it takes one. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	code = pthread_create(t, NULL, run, arg);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return code;
}
