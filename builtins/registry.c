/* SPDX-License-Identifier: MIT
 *
 * The table of tables.  eval/ is handed it and knows no builtin by name.
 */
#include "config.h"
#include "builtins/registry.h"

#include <stddef.h>

const struct builtin *const *const builtins_all[] = {
	builtins_constants, builtins_types,	  builtins_arith,   builtins_lists,	 builtins_sort,
	builtins_groups,    builtins_closure,	  builtins_attrs,   builtins_strings,	 builtins_match,
	builtins_versions,  builtins_control,	  builtins_json,    builtins_toml,	 builtins_hash,
	builtins_context,   builtins_env,	  builtins_paths,   builtins_files,	 builtins_search_path,
	builtins_import,    builtins_xml,     builtins_flakeref,	  builtins_store_paths, builtins_derivation, NULL,
};
