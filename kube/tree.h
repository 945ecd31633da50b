/* SPDX-License-Identifier: MIT
 *
 * Looking into JSON trees by paths: what objects of Kubernetes are read with.
 */
#ifndef KUBE_TREE_H
#define KUBE_TREE_H

#include "base/json_tree.h"

#include <stdint.h>

/* The member at a path of names ("metadata.name"); NULL when there is none. */
struct jnode *tree_at(const struct jnode *o, const char *path);

/* Its text; empty when there is none. */
struct slice tree_text(const struct jnode *o, const char *path);

/* Its number; 0 when there is none. */
int64_t tree_int(const struct jnode *o, const char *path);

/* Whether it is true. */
int tree_true(const struct jnode *o, const char *path);

/* The element of an array whose member `name` is this text; NULL when there is none. */
struct jnode *tree_element(const struct jnode *array, const char *name, struct slice value);

/* Sets the member at a path, making objects on the way.  v is NULL: {}. */
void tree_set(struct arena *a, struct jnode *o, const char *path, struct jnode *v);
void tree_set_text(struct arena *a, struct jnode *o, const char *path, struct slice text);

/* A copy of text that a C string can hold; malloc'd. */
char *slice_string(struct slice s);

#endif
