/* SPDX-License-Identifier: MIT
 *
 * apt-cache is run, which reads lists in any form that apt keeps them in, and has checked them.
 */
#include "config.h"
#include "cli/apt.h"
#include "fetch/program.h"

int apt_versions(const struct words *names, struct buf *out, struct err *e)
{
	struct words argv = { 0 }, env = { 0 };
	int rc;

	words_add(&argv, "apt-cache");
	words_add(&argv, "madison");
	for (size_t i = 0; i < names->n; i++)
		words_add(&argv, names->v[i]);
	rc = program_run(&argv, &env, out, NULL, e);
	words_release(&argv);
	words_release(&env);
	return rc;
}
