/* SPDX-License-Identifier: MIT
 *
 * gxeval: evaluates files, expressions and flakes.
 */
#include "config.h"
#include "cli/eval_main.h"
#include "cli/options.h"
#include "cli/report.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

/* A descriptor that the caller closed must not be given to a file that is opened later. */
static void hold_standard_descriptors(void)
{
	for (int fd = 0; fd <= 2; fd++)
		while (fcntl(fd, F_GETFD) < 0)
			if (open("/dev/null", fd ? O_RDONLY : O_WRONLY) < 0)
				_exit(EXIT_FAILED);
}

int main(int argc, char **argv)
{
	hold_standard_descriptors();
	signal(SIGPIPE, SIG_IGN);
	report_init();
	return eval_main(argc, argv);
}
