/* SPDX-License-Identifier: MIT
 *
 * Stopping an evaluation from a signal handler, without ending the program.
 *
 * As the profiler does, the handler moves the evaluating thread's stack limit to the top of memory, so that the next
 * check of the stack takes its slow path; that is where the error is raised, in a place that may raise one anyway.
 * Evaluation pays nothing for it.  The flag says that the detour was meant as a request to stop.
 */
#include "config.h"
#include "eval/state.h"

#include <signal.h>

static volatile sig_atomic_t asked;
static struct es *volatile stoppable;

static void set_limit(struct es *s, char *limit)
{
	*(char *volatile *)&s->stack_limit = limit;
}

void eval_interrupt(void)
{
	struct es *s = stoppable;

	asked = 1;
	if (s)
		set_limit(s, (char *)UINTPTR_MAX);
}

int eval_interrupt_asked(void)
{
	return asked;
}

void eval_interrupt_clear(void)
{
	stoppable = &es;
	asked = 0;
	set_limit(&es, es.steps || es.flame ? (char *)UINTPTR_MAX : es.stack_floor);
	/* A signal between these two lines: its flag is there, its limit was undone. */
	if (asked)
		eval_interrupt();
}

void interrupt_event(void)
{
	if (!asked || stoppable != &es)
		return;
	eval_interrupt_clear();
	throw_error(EK_INTERRUPT, "interrupted");
}
