/* SPDX-License-Identifier: MIT
 *
 * Any bytes as TOML.  What is accepted must be a sound tree: every key found under its own name, strings valid UTF-8.
 */
#include "config.h"
#include "base/json.h"
#include "base/toml.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int ok)
{
	if (!ok)
		abort();
}

static void check_value(const struct toml_value *v);

static void check_table(const struct toml_table *t)
{
	for (size_t i = 0; i < t->n; i++) {
		must(!utf8_check(t->e[i].key.p, t->e[i].key.n));
		must(toml_find(t, t->e[i].key.p, t->e[i].key.n) == &t->e[i].value);
		check_value(&t->e[i].value);
	}
}

static void check_value(const struct toml_value *v)
{
	if (v->type == TOML_TABLE)
		check_table(v->t);
	else if (v->type == TOML_STRING || v->type == TOML_TIME)
		must(!utf8_check(v->s.p, v->s.n));
	else if (v->type == TOML_ARRAY)
		for (size_t i = 0; i < v->a->n; i++)
			check_value(&v->a->v[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size ? size : 1);
	struct arena mem = ARENA_INIT;
	struct err e = ERR_INIT;

	memcpy(text, data, size);
	struct toml_table *t = toml_parse(text, size, &mem, &e);
	must(t ? !e.code : e.code && *e.msg);
	if (t)
		check_table(t);
	err_release(&e);
	arena_release(&mem);
	free(text);
	return 0;
}
