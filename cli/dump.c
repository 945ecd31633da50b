/* SPDX-License-Identifier: MIT
 *
 * One object a line, so that line tools can read it too.
 */
#include "config.h"
#include "cli/dump.h"
#include "cli/output.h"

#include <string.h>

static void add_member(struct buf *b, const char *name, const char *text)
{
	buf_addf(b, ",\"%s\":", name);
	output_json_string(b, text, strlen(text));
}

static void add_args(struct buf *b, const char *args)
{
	buf_adds(b, ",\"args\":[");
	for (const char *s = args, *sep = ""; *s; sep = ",") {
		size_t n = strcspn(s, " ");
		size_t bang = *s == '!';
		buf_adds(b, sep);
		output_json_string(b, s + bang, n - bang);
		s += n;
		s += strspn(s, " ");
	}
	buf_addc(b, ']');
}

static void add_builtin(struct buf *b, const struct builtin *d)
{
	buf_adds(b, "{\"name\":");
	output_json_string(b, d->name, strlen(d->name));
	add_args(b, d->args ? d->args : "");
	buf_addf(b, ",\"global\":%s,\"impure\":%s,\"constant\":%s,\"hidden\":%s", d->flags & BI_GLOBAL ? "true" : "false",
		 d->flags & BI_IMPURE ? "true" : "false", d->flags & BI_VALUE ? "true" : "false",
		 d->flags & BI_HIDDEN ? "true" : "false");
	add_member(b, "doc", d->doc);
	add_member(b, "example", d->example);
	add_member(b, "result", d->result);
	buf_addc(b, '}');
}

void dump_builtins(struct buf *b, const struct builtin *const *const *lists)
{
	const char *sep = "[\n";

	for (size_t i = 0; lists[i]; i++)
		for (size_t j = 0; lists[i][j]; j++, sep = ",\n") {
			buf_adds(b, sep);
			add_builtin(b, lists[i][j]);
		}
	buf_adds(b, "\n]\n");
}
