/* SPDX-License-Identifier: MIT
 *
 * Members are written with a comma behind them, and the last one's is taken back.
 */
#include "config.h"
#include "cli/flake_json.h"
#include "cli/output.h"

#include <string.h>

void flake_json_input(struct buf *b, const struct input *in)
{
	buf_addc(b, '{');
	for (size_t i = 0; i < in->n; i++) {
		const struct input_attr *a = &in->a[i];
		buf_addf(b, "%s\"%.*s\":", i ? "," : "", (int)a->name.n, a->name.p);
		if (a->type == INPUT_STRING)
			output_json_string(b, a->s.p, a->s.n);
		else if (a->type == INPUT_INT)
			buf_addf(b, "%llu", (unsigned long long)a->i);
		else
			buf_adds(b, a->i ? "true" : "false");
	}
	buf_addc(b, '}');
}

void flake_json_text(struct buf *b, const char *name, const char *text)
{
	if (!text)
		return;
	buf_addf(b, "\"%s\":", name);
	output_json_string(b, text, strlen(text));
	buf_addc(b, ',');
}

void flake_json_number(struct buf *b, const char *name, uint64_t n)
{
	buf_addf(b, "\"%s\":%llu,", name, (unsigned long long)n);
}

void flake_json_end(struct buf *b)
{
	if (b->len && b->p[b->len - 1] == ',')
		buf_trim(b, b->len - 1);
	buf_addc(b, '}');
}
