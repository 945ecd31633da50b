/* SPDX-License-Identifier: MIT
 *
 * Names that stand for values.  nixVersion and langVersion say which Nix's language this is, since
 * expressions test them to learn what they may use; gxVersion is the program's own.
 */
#include "config.h"
#include "builtins/constants.h"
#include "builtins/registry.h"
#include "eval/builtin.h"

BUILTIN_FLAGS(bi_true, BI_VALUE | BI_FIXED | BI_GLOBAL, "true", "",
	      "The Boolean that conditions choose `then` for. It is a name like any other and can be shadowed.",
	      "true", "true")
{
	(void)args;
	return W_TRUE;
}

BUILTIN_FLAGS(bi_false, BI_VALUE | BI_FIXED | BI_GLOBAL, "false", "",
	      "The Boolean that conditions choose `else` for. It is a name like any other and can be shadowed.",
	      "!true", "false")
{
	(void)args;
	return W_FALSE;
}

BUILTIN_FLAGS(bi_null, BI_VALUE | BI_FIXED | BI_GLOBAL, "null", "",
	      "The value that stands for none. It is a name like any other and can be shadowed.",
	      "match \"a\" \"b\"", "null")
{
	(void)args;
	return W_NULL;
}

BUILTIN_FLAGS(bi_nix_version, BI_VALUE | BI_FIXED, "nixVersion", "",
	      "The version of Nix whose language and builtins these are. Compare it with `compareVersions`.",
	      "compareVersions nixVersion \"2.18\" >= 0", "true")
{
	(void)args;
	return w_cstr(NIX_VERSION);
}

BUILTIN_FLAGS(bi_lang_version, BI_VALUE | BI_FIXED, "langVersion", "",
	      "The version of the language. It rises with new syntax, not with new builtins: test for those with "
	      "`builtins ? name`.",
	      "langVersion", "6")
{
	(void)args;
	return w_int(LANG_VERSION);
}

BUILTIN_FLAGS(bi_gx_version, BI_VALUE | BI_FIXED, "gxVersion", "",
	      "The version of this program. Nix does not have this name, so `builtins ? gxVersion` tells the two apart.",
	      "isString gxVersion", "true")
{
	(void)args;
	return w_cstr(PACKAGE_VERSION);
}

const struct builtin *const builtins_constants[] = {
	&def_bi_true, &def_bi_false, &def_bi_null, &def_bi_nix_version, &def_bi_lang_version, &def_bi_gx_version, NULL,
};
