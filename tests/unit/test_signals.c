/* SPDX-License-Identifier: MIT
 *
 * cli/signals: who is on top hears a signal, and whoever was there before hears it again afterwards.
 */
#include "config.h"
#include "cli/signals.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static volatile sig_atomic_t heard[3];

static void outer(int sig)
{
	(void)sig;
	heard[0]++;
}

static void middle(int sig)
{
	(void)sig;
	heard[1]++;
}

static void inner(int sig)
{
	(void)sig;
	heard[2]++;
}

static int setup(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++)
		heard[i] = 0;
	signal(SIGINT, outer);
	signal(SIGTERM, outer);
	signal(SIGHUP, outer);
	return 0;
}

static void hear(int sig, int a, int b, int c)
{
	raise(sig);
	assert_int_equal(heard[0], a);
	assert_int_equal(heard[1], b);
	assert_int_equal(heard[2], c);
}

static void the_last_one_hears(void **state)
{
	(void)state;
	signals_push(SIGNALS_INTERRUPT, middle);
	hear(SIGINT, 0, 1, 0);
	hear(SIGTERM, 1, 1, 0);
	signals_push(SIGNALS_END, inner);
	hear(SIGINT, 1, 1, 1);
	hear(SIGTERM, 1, 1, 2);
	hear(SIGHUP, 1, 1, 3);
	signals_pop();
	hear(SIGINT, 1, 2, 3);
	hear(SIGHUP, 2, 2, 3);
	signals_pop();
	hear(SIGINT, 3, 2, 3);
}

/* nohup, and a shell's background. */
static void what_is_ignored_stays_so(void **state)
{
	(void)state;
	signal(SIGINT, SIG_IGN);
	signals_push(SIGNALS_END, middle);
	hear(SIGINT, 0, 0, 0);
	hear(SIGTERM, 0, 1, 0);
	signals_push(SIGNALS_KEYBOARD, inner);
	hear(SIGINT, 0, 1, 1);
	signals_pop();
	hear(SIGINT, 0, 1, 1);
	signals_pop();
	hear(SIGTERM, 1, 1, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_last_one_hears, setup),
		cmocka_unit_test_setup(what_is_ignored_stays_so, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
