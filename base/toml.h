/* SPDX-License-Identifier: MIT
 *
 * TOML 1.0 text to a tree.  The tree lives in the caller's arena; strings without escapes point into the text, so
 * both must outlive it.  Nothing recurses deeper than LIMIT_JSON_DEPTH.
 */
#ifndef BASE_TOML_H
#define BASE_TOML_H

#include "base/arena.h"
#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

enum toml_type { TOML_INT, TOML_FLOAT, TOML_BOOL, TOML_STRING, TOML_TIME, TOML_ARRAY, TOML_TABLE };

struct toml_string {
	const char *p;
	size_t n;
};

struct toml_value {
	enum toml_type type;
	union {
		int64_t i; /* TOML_BOOL too */
		double d;
		struct toml_string s; /* TOML_TIME: as it was written */
		struct toml_array *a;
		struct toml_table *t;
	};
};

struct toml_array {
	struct toml_value *v;
	size_t n, cap;
	int of_tables; /* made by [[name]], so that more may be appended */
};

/* Keys in the order they were first written. */
struct toml_table {
	struct toml_entry {
		struct toml_string key;
		struct toml_value value;
	} *e;
	size_t n, cap;
	uint32_t *index; /* private */
	size_t mask;
	int how; /* private: what made the table decides what may extend it */
};

/* The document's table; NULL with *e set (the message says where in the text). */
struct toml_table *toml_parse(const char *p, size_t n, struct arena *mem, struct err *e);

/* The value of a key, NULL when absent. */
struct toml_value *toml_find(const struct toml_table *t, const char *key, size_t n);

#endif
