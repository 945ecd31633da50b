/* SPDX-License-Identifier: MIT
 *
 * The programs have the same words for it, and the whole environment, which says where their storage is.
 */
#include "config.h"
#include "image/load.h"
#include "fetch/program.h"

#include <unistd.h>

int image_load(const char *program, const char *file, struct err *e)
{
	struct words argv = { NULL, 0, 0 };
	int rc;

	words_add(&argv, program);
	words_add(&argv, "load");
	words_add(&argv, "-q");
	words_add(&argv, "-i");
	words_add(&argv, file);
	rc = program_run(&argv, NULL, NULL, NULL, e);
	words_release(&argv);
	return rc;
}
