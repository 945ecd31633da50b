/* SPDX-License-Identifier: MIT
 *
 * gxeval: evaluates files, expressions and flakes.
 */
#include "config.h"
#include "cli/complete.h"
#include "cli/conf.h"
#include "cli/eval_main.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/report.h"
#include "cli/settings.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	output_hold_descriptors();
	signal(SIGPIPE, SIG_IGN);
	report_init();
	settings_defaults();
	conf_load();
	if (argc > 1 && !strcmp(argv[1], "__complete"))
		return complete_gxeval(argc - 1, argv + 1);
	return gxeval_main(argc, argv);
}
