/* SPDX-License-Identifier: MIT
 *
 * All builtins: the lists that the files of this folder end with.  A new file's list is declared here
 * and named in registry.c, nowhere else.
 */
#ifndef BUILTINS_REGISTRY_H
#define BUILTINS_REGISTRY_H

#include "eval/builtin.h"

extern const struct builtin *const builtins_arith[];
extern const struct builtin *const builtins_attrs[];
extern const struct builtin *const builtins_closure[];
extern const struct builtin *const builtins_constants[];
extern const struct builtin *const builtins_context[];
extern const struct builtin *const builtins_control[];
extern const struct builtin *const builtins_derivation[];
extern const struct builtin *const builtins_env[];
extern const struct builtin *const builtins_files[];
extern const struct builtin *const builtins_flakeref[];
extern const struct builtin *const builtins_groups[];
extern const struct builtin *const builtins_hash[];
extern const struct builtin *const builtins_import[];
extern const struct builtin *const builtins_json[];
extern const struct builtin *const builtins_lists[];
extern const struct builtin *const builtins_match[];
extern const struct builtin *const builtins_paths[];
extern const struct builtin *const builtins_search_path[];
extern const struct builtin *const builtins_sort[];
extern const struct builtin *const builtins_store_paths[];
extern const struct builtin *const builtins_strings[];
extern const struct builtin *const builtins_toml[];
extern const struct builtin *const builtins_types[];
extern const struct builtin *const builtins_versions[];
extern const struct builtin *const builtins_xml[];

/* The lists, NULL-terminated, in the order the manual shows the themes. */
extern const struct builtin *const *const builtins_all[];

#endif
