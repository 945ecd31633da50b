/* SPDX-License-Identifier: MIT
 *
 * Derivations as JSON, both ways, in the form that Nix calls version 4: store paths as base names, hashes with their algorithms,
 * structured attributes as what they are.
 */
#ifndef CLI_DRV_JSON_H
#define CLI_DRV_JSON_H

#include "base/json_tree.h"
#include "format/drv.h"

/* The derivation as an object, in the arena; strings are borrowed from d. */
struct jnode *drv_json_node(struct arena *a, struct slice store_dir, const struct drv *d);

/* Fills d (initialised here; on error released again) with what an object says, but for the paths of outputs, as for drv_finish.
 * What it says of these is in o->path of each, in full; empty where it says nothing.  ERR_INVALID. */
int drv_json_read(struct drv *d, struct slice store_dir, const struct jnode *o, struct err *e);

#endif
