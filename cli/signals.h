/* SPDX-License-Identifier: MIT
 *
 * What Ctrl-C and its kin mean at the moment: a stack, for what evaluates, builds meanwhile and goes on.
 */
#ifndef CLI_SIGNALS_H
#define CLI_SIGNALS_H

enum signals_which {
	SIGNALS_INTERRUPT, /* SIGINT */
	SIGNALS_KEYBOARD,  /* SIGINT, also where it was ignored: of a program that people type into */
	SIGNALS_END	   /* SIGINT, SIGTERM, SIGHUP */
};

/* Has signals call a handler until signals_pop; system calls that wait end with EINTR.  What nohup and the like had
 * ignored stays ignored, but for SIGNALS_KEYBOARD. */
void signals_push(enum signals_which which, void (*handler)(int sig));

/* Has them do again what they did before the last signals_push. */
void signals_pop(void);

/* A handler: ends the program, saying so, with the status of an interrupted one. */
void signals_exit(int sig) __attribute__((noreturn));

#endif
