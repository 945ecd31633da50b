/* SPDX-License-Identifier: MIT
 *
 * Any bytes as JSON.  Brackets must balance, strings must be UTF-8 and read back as written, and floats must be finite
 * and read back as the same number.
 */
#include "config.h"
#include "base/json.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int ok)
{
	if (!ok)
		abort();
}

static void check_string(const char *p, size_t n)
{
	struct buf b = BUF_INIT, scratch = BUF_INIT;
	struct json_reader *r = malloc(sizeof *r);
	struct err e = ERR_INIT;

	must(!json_add_string(&b, p, n));
	json_reader_init(r, b.p, b.len, &scratch, &e);
	must(json_next(r) == JSON_STRING && r->len == n && (!n || !memcmp(r->str, p, n)));
	must(json_next(r) == JSON_END);
	free(r);
	buf_release(&scratch);
	buf_release(&b);
}

static void check_float(double d)
{
	struct buf b = BUF_INIT;

	must(isfinite(d));
	json_add_double(&b, d);
	must(strtod(b.p, NULL) == d);
	buf_release(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size ? size : 1);
	struct json_reader *r = malloc(sizeof *r);
	struct buf scratch = BUF_INIT;
	struct err e = ERR_INIT;
	enum json_event ev;
	long depth = 0;

	memcpy(text, data, size);
	json_reader_init(r, text, size, &scratch, &e);
	while ((ev = json_next(r)) > 0) {
		depth += (ev == JSON_ARRAY || ev == JSON_OBJECT) - (ev == JSON_CLOSE);
		must(depth >= 0 && depth <= LIMIT_JSON_DEPTH);
		if (ev == JSON_STRING || ev == JSON_KEY)
			check_string(r->str, r->len);
		else if (ev == JSON_FLOAT)
			check_float(r->d);
	}
	must(ev == JSON_END ? !depth && !e.code : e.code && *e.msg);
	err_release(&e);
	buf_release(&scratch);
	free(r);
	free(text);
	return 0;
}
