/* SPDX-License-Identifier: MIT
 *
 * Wording of syntax errors.
 */
#include "config.h"
#include "lang/ast_build.h"
#include "base/buf.h"
void show_position(struct buf *b, uint32_t pos)
{
	struct source_loc at;

	if (!source_locate(pos, &at))
		buf_addf(b, "%s:%u:%u", at.src->name, at.line, at.column);
}
void syntax_error(struct parse *ps, const char *unexpected, struct span at, const char *const *expected, int n)
{
	(void)expected;(void)n;
	err_at(ps->err, at.begin, at.end - at.begin, "syntax error: unexpected %s", unexpected);
}
