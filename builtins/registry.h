/* SPDX-License-Identifier: MIT
 *
 * The lists that the files of this folder end with.  A new file's list is declared and named here, nowhere else.
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

/* The lists in the order the manual shows the themes, for tables of more than these. */
#define BUILTINS_LISTS                                                                                             \
	builtins_constants, builtins_types, builtins_arith, builtins_lists, builtins_sort, builtins_groups,        \
	builtins_closure, builtins_attrs, builtins_strings, builtins_match, builtins_versions, builtins_control,   \
	builtins_json, builtins_toml, builtins_hash, builtins_context, builtins_env, builtins_paths,               \
	builtins_files, builtins_search_path, builtins_import, builtins_xml, builtins_flakeref,                    \
	builtins_store_paths, builtins_derivation

/* The lists of this folder, NULL-terminated.  A program has more: cli/world.h. */
extern const struct builtin *const *const builtins_all[];

#endif
