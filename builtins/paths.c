/* SPDX-License-Identifier: MIT
 *
 * Taking paths apart.  These work on text: nothing here looks at a file.
 */
#include "config.h"
#include "base/pathname.h"
#include "builtins/fs.h"
#include "eval/coerce.h"

#include <string.h>

/* The last component after at most one slash at the end: of "a/b/" it is "b", of "a//" it is "". */
static size_t base_name(const char *p, size_t n, size_t *len)
{
	size_t end = n, start;

	if (n > 1 && p[n - 1] == '/')
		end--;
	for (start = end; start > 0 && p[start - 1] != '/'; start--)
		;
	*len = end - start;
	return start;
}

BUILTIN_FLAGS(bi_base_name_of, BI_GLOBAL, "baseNameOf", "!x",
	      "The last component of the path or string *x*. One slash at the end of a string is ignored. The context of a "
	      "string is kept.",
	      "baseNameOf \"/usr/lib/libc.so\"", "\"libc.so\"")
{
	struct str *s = w_get_str(coerce_string(args[0], 0));
	size_t len, start = base_name(s->b, s->len, &len);

	return w_str(s->b + start, len, s->ctx);
}

static W string_dir(struct str *s)
{
	size_t n = s->len;

	while (n && s->b[n - 1] != '/')
		n--;
	if (!n)
		return w_str(".", 1, s->ctx);
	return n == 1 ? w_str("/", 1, s->ctx) : w_str(s->b, n - 1, s->ctx);
}

BUILTIN_FLAGS(bi_dir_of, BI_GLOBAL, "dirOf", "!x",
	      "The part of the path or string *x* before the last slash: a path for a path, a string for a string. "
	      "A string without slash is in `\".\"`.",
	      "dirOf \"/usr/lib/libc.so\"", "\"/usr/lib\"")
{
	W w = arg_force(args, 0);

	if (!w_is_path(w))
		return string_dir(w_get_str(coerce_string(w, 0)));
	struct box_path *p = w_get_path(w);
	return w_path(p->b, path_dir_len(p->b, p->h.n));
}

BUILTIN(bi_to_path, "toPath", "!s",
	"The absolute path *s* as a normalised string. Outdated: write `/. + \"/some/path\"` for a path.",
	"toPath \"/a/./b/../c\"", "\"/a/c\"")
{
	uint32_t ctx;
	struct box_path *p = w_path_text(coerce_path(args[0], &ctx));

	return w_str(p->b, p->h.n, ctx);
}

const struct builtin *const builtins_paths[] = { &def_bi_base_name_of, &def_bi_dir_of, &def_bi_to_path, NULL };
