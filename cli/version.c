/* SPDX-License-Identifier: MIT
 *
 * The standard library has the version of the program that it comes with (flake/source.c).
 */
#include "config.h"
#include "cli/version.h"
#include "builtins/constants.h"
#include "cli/output.h"
#include "flake/source.h"

int version_print(void)
{
	const char *std = source_stdlib();
	struct buf b = BUF_INIT;
	int rc;

	buf_addf(&b, PACKAGE_NAME " " PACKAGE_VERSION "\nlanguage: Nix " NIX_VERSION " (langVersion %d)\n", LANG_VERSION);
	if (std)
		buf_addf(&b, "gx:std: " PACKAGE_VERSION " in %s\n", std);
	else
		buf_adds(&b, "gx:std: not found\n");
	rc = output_show(b.p, b.len);
	buf_release(&b);
	return rc;
}
