/* SPDX-License-Identifier: MIT
 *
 * What people name on the command line, as derivations in the store: evaluated, its .drv files written.
 *
 *     REF#ATTR     an output of a flake
 *     ATTR         of the file or expression, where -f or -E gave one
 *     FILE         an expression (release.nix), or a folder without a flake but with such a file; see cli/project.h
 *     …^OUT,…      these outputs of it; ^* all
 */
#ifndef CLI_INSTALLABLE_H
#define CLI_INSTALLABLE_H

#include "cli/eval_cmd.h"
#include "cli/realise.h"
#include "flake/call.h"
#include "store/store.h"

/* Malloc'd. */
struct installable {
	struct build_targets targets; /* what has to be built */
	struct store_path path;	      /* of a package that is a string or path: an object that is there; len 0 for none */
	char *program; /* of an app: the program, a full path; NULL otherwise */
	char *main;    /* name of a package's main program, NULL when nothing says */

	/* Only where the request says `origin`; NULL when it is not known, or would mean nothing to anybody else: */
	char *flake;	/* the reference of its flake, locked */
	char *revision; /* the commit that it is of */

	/* Only with ORIGIN_FOR_PROFILE, where `flake` is any reference; NULL for what is not of a flake: */
	char *original; /* the reference as it was given */
	char *attr;	/* the attribute that was there */
	char *outputs;	/* those that were asked for: "out,dev", "*"; NULL without */
	char *priority; /* meta.priority, a number; NULL without */
};

/* Evaluates refs[0..n), without any what the folder here offers, and fills out (zeroed by the caller, one for each or
 * for the folder); what they need is in the store afterwards, and held by its temporary roots as long as it is open.
 * Returns 0, or an exit status after saying why. */
int installables_eval(const struct eval_request *r, struct store *s, char *const *refs, size_t n, enum flake_want want,
		      struct installable *out);

/* 1 when a word is for installables_eval, 0 when it names something of the store. */
int installable_is_evaluated(const struct eval_request *r, const char *word);

void installable_release(struct installable *i);

#endif
