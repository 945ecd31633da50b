/* SPDX-License-Identifier: MIT
 *
 * What a derivation asks of its build, beyond running its builder: read from its environment variables or, with
 * structured attributes, from the JSON document in __json.
 *
 * Strings are slices into the derivation or the struct's own arena; both must live as long.
 */
#ifndef FORMAT_DRV_OPTIONS_H
#define FORMAT_DRV_OPTIONS_H

#include "format/drv.h"
#include "base/json_tree.h"

#include <stdint.h>

struct slice_list {
	struct slice *v;
	size_t n;
	int given; /* an empty list of allowed references is not the same as none */
};

/* What an output may be.  Entries are store paths or names of outputs. */
struct output_check {
	struct slice output; /* empty: every output */
	struct slice_list allowed_references, disallowed_references;
	struct slice_list allowed_requisites, disallowed_requisites;
	uint64_t max_size, max_closure_size; /* UINT64_MAX: any */
	int ignore_self;		     /* requisites do not count the output itself */
};

/* The closures of these paths, described under this name (a file, or with structured attributes a member). */
struct export_graph {
	struct slice name;
	struct slice_list paths;
};

struct drv_options {
	struct jnode *json; /* the document of structured attributes, NULL without */
	struct output_check *checks;
	size_t nchecks;
	struct slice_list discard_references; /* outputs whose references are not looked for */
	struct slice_list pass_as_file;
	struct slice_list impure_env;
	struct slice_list features; /* requiredSystemFeatures */
	struct export_graph *exports;
	size_t nexports;
	int no_chroot;
	int prefer_local;      /* it is not worth sending elsewhere */
	int allow_substitutes; /* its outputs may come from binary caches */
	struct arena arena;
};

/* Reads them. ERR_INVALID. */
int drv_options_read(struct drv_options *o, const struct drv *d, struct err *e);
void drv_options_release(struct drv_options *o);

#endif
