/* SPDX-License-Identifier: MIT
 *
 * Threads beside the one that does what the program is for.
 */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <pthread.h>

/* As pthread_create, without attributes: signals are for who starts it.  Returns 0 or an errno. */
int thread_start(pthread_t *t, void *(*run)(void *arg), void *arg);

#endif
