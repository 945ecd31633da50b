/* SPDX-License-Identifier: MIT
 *
 * What people name on the command line, as derivations in the store: "REF#ATTR" evaluated, its .drv files written.
 */
#ifndef CLI_INSTALLABLE_H
#define CLI_INSTALLABLE_H

#include "cli/flake_options.h"
#include "flake/call.h"
#include "store/store.h"

/* Malloc'd texts. */
struct installable {
	char *drvs;    /* "/nix/store/….drv" or "….drv!output", a line each; what has to be built */
	char *program; /* of an app: the program, a full path; NULL otherwise */
	char *main;    /* name of a package's main program, NULL when nothing says */
};

/* Evaluates refs[0..n) and fills out[0..n) (zeroed by the caller); what they need is in the store afterwards, and held by its
 * temporary roots as long as it is open.  Returns 0, or an exit status after saying why. */
int installables_eval(const struct flake_request *r, struct store *s, char *const *refs, size_t n, enum flake_want want,
		      struct installable *out);

void installable_release(struct installable *i);

#endif
