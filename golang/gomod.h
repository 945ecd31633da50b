/* SPDX-License-Identifier: MIT
 *
 * Reading go.mod and go.work files, as much of them as decides what a build needs.
 *
 *     file   = { line }
 *     line   = [ verb { word } | verb "(" newline { { word } newline } ")" ] newline
 *     word   = bare characters | "quoted" | `raw`          // comment to the end of the line
 *
 *     module PATH; go VERSION; toolchain NAME; require PATH VERSION [// indirect]; exclude PATH VERSION;
 *     replace PATH [VERSION] => (PATH VERSION | DIRECTORY); use DIRECTORY; retract, tool, godebug, ignore: passed over
 */
#ifndef GOLANG_GOMOD_H
#define GOLANG_GOMOD_H

#include "base/arena.h"
#include "golang/modpath.h"

struct gomod_require {
	struct module_version m;
	int indirect;
};

struct gomod_replace {
	struct module_version old; /* version empty: every one */
	struct module_version new; /* version empty: path is a directory, beginning with ./ ../ or / */
};

/* Slices live in the arena or the text. */
struct gomod {
	int is_work;
	struct slice module, go, toolchain; /* empty: not given */
	struct gomod_require *requires;
	size_t nrequires, caprequires;
	struct module_version *excludes;
	size_t nexcludes, capexcludes;
	struct gomod_replace *replaces;
	size_t nreplaces, capreplaces;
	struct slice *uses; /* go.work */
	size_t nuses, capuses;
	struct arena arena;
};

/* Reads a go.mod, or with is_work a go.work; the text must stay.  Verbs it does not know are passed over, as the go
 * command does for the modules one depends on.  ERR_INVALID with the line's number. */
int gomod_parse(struct gomod *g, struct slice text, int is_work, struct err *e);
void gomod_release(struct gomod *g);

/* What a module is replaced by: the replacement of this version, else of every version; NULL for none. */
const struct gomod_replace *gomod_replacement(const struct gomod *g, const struct module_version *m);

#endif
