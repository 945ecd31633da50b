/* SPDX-License-Identifier: MIT
 *
 * What an evaluation can learn about where it runs.  Pure evaluation learns nothing: the clock and the system do not
 * exist, and every environment variable is empty.
 */
#include "config.h"
#include "builtins/env.h"
#include "eval/eval.h"
#include "fetch/trail.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

BUILTIN(bi_get_env, "getEnv", "!name",
	"The value of the environment variable *name*, `\"\"` when it is not set. In pure and restricted evaluation always `\"\"`.",
	"getEnv \"NO_SUCH_VARIABLE\"", "\"\"")
{
	struct str *name = arg_string_plain(args, 0);
	int hidden = eval_settings.pure || eval_settings.restricted;
	const char *value = hidden ? NULL : getenv(name->b);

	if (!hidden)
		trail_env(name->b);
	return w_cstr(value ? value : "");
}

BUILTIN_FLAGS(bi_current_time, BI_VALUE | BI_IMPURE, "currentTime", "",
	      "The time when it was first asked for, in seconds since 1970. It stays the same during an evaluation.",
	      "currentTime > 1000000000", "true")
{
	(void)args;
	trail_spoil("it asked for the time");
	return w_int((int64_t)time(NULL));
}

BUILTIN_FLAGS(bi_current_system, BI_VALUE | BI_IMPURE, "currentSystem", "",
	      "The system expressions are evaluated for, such as `\"x86_64-linux\"`: that of this machine unless `--system` "
	      "names another.",
	      "isString currentSystem", "true")
{
	(void)args;
	return w_cstr(eval_settings.system);
}

BUILTIN_FLAGS(bi_store_dir, BI_VALUE, "storeDir", "",
	      "The directory of the store, as it appears in store paths.",
	      "storeDir", "\"/nix/store\"")
{
	(void)args;
	return w_cstr(eval_settings.store_dir);
}

const struct builtin *const builtins_env[] = { &def_bi_get_env, &def_bi_current_time, &def_bi_current_system,
					       &def_bi_store_dir, NULL };
