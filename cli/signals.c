/* SPDX-License-Identifier: MIT
 *
 * An evaluation that nobody types into ends the program; the REPL makes an error of an interrupt; a build, which may run
 * in either, is cancelled.  Each pushes what it does and none needs to know of the others.
 */
#include "config.h"
#include "cli/signals.h"
#include "cli/options.h"
#include "cli/progress.h"

#include <signal.h>
#include <stddef.h>
#include <unistd.h>

static const int signals[] = { SIGINT, SIGTERM, SIGHUP };

enum { SIGNALS = sizeof signals / sizeof *signals, DEPTH = 8 };

/* What was there before, of as many signals as the level concerns. */
static struct {
	struct sigaction old[SIGNALS];
	size_t n;
} levels[DEPTH];
static size_t depth;

void signals_push(enum signals_which which, void (*handler)(int sig))
{
	struct sigaction sa = { .sa_handler = handler };

	if (depth == DEPTH)
		return;
	levels[depth].n = which == SIGNALS_END ? SIGNALS : 1;
	for (size_t i = 0; i < levels[depth].n; i++) {
		struct sigaction *old = &levels[depth].old[i];
		sigaction(signals[i], NULL, old);
		if (old->sa_handler != SIG_IGN || which == SIGNALS_KEYBOARD)
			sigaction(signals[i], &sa, NULL);
	}
	depth++;
}

void signals_pop(void)
{
	if (!depth)
		return;
	depth--;
	for (size_t i = 0; i < levels[depth].n; i++)
		sigaction(signals[i], &levels[depth].old[i], NULL);
}

void signals_exit(int sig)
{
	static const char text[] = "\nerror: interrupted\n";

	(void)sig;
	progress_wipe();
	ssize_t w = write(2, text, sizeof text - 1);
	(void)w;
	_exit(EXIT_INTERRUPTED);
}
