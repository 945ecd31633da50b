/* SPDX-License-Identifier: MIT
 *
 * By hand: Debian has TOML libraries for C++ only.
 *
 *   document   lines of: key = value | [key] | [[key]] | nothing, each with an optional # comment
 *   key        parts joined by dots; a part is bare (A-Za-z0-9_-), "basic" or 'literal'
 *   value      string, number, boolean, time, [array], {inline table}
 *
 * The difficult part of TOML is who may extend which table, and `how` a table came to be answers it:
 *
 *   IMPLICIT  as a prefix of a [header]; one later [header] may define it
 *   DEFINED   by its own [header], or the document's root
 *   DOTTED    as a prefix of a dotted key; only dotted keys of the same section extend it, headers only pass through
 *   INLINE    by { }; closed
 *
 * A dotted key passes through DOTTED tables only.  One may think that it could then reach a table of an earlier
 * section; it cannot, since a section's own table is entered by one header only and its members made there.
 */
#include "config.h"
#include "base/toml_int.h"
#include "base/json.h"
#include "base/limits.h"

#include <string.h>

enum { IMPLICIT, DEFINED, DOTTED, INLINE };

/* Tables up to this size are searched one by one. */
enum { SMALL_TABLE = 8 };

/* --- errors --- */

int toml_fail_at(struct toml *t, const char *at, const char *msg)
{
	size_t line = 1;
	const char *bol = t->start, *nl;

	while ((nl = memchr(bol, '\n', (size_t)(at - bol)))) {
		line++;
		bol = nl + 1;
	}
	return err_set(t->err, ERR_INVALID, "%s at line %zu, column %zu of the TOML text", msg, line,
		       (size_t)(at - bol) + 1);
}

int toml_fail(struct toml *t, const char *msg)
{
	return toml_fail_at(t, t->p, msg);
}

/* --- tables --- */

static uint32_t hash_key(const char *p, size_t n)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)p[i]) * 16777619u;
	return h ^ h >> 15;
}

static void index_add(struct toml_table *t, size_t i)
{
	size_t k = hash_key(t->e[i].key.p, t->e[i].key.n) & t->mask;

	while (t->index[k])
		k = (k + 1) & t->mask;
	t->index[k] = (uint32_t)i + 1;
}

struct toml_value *toml_find(const struct toml_table *t, const char *key, size_t n)
{
	if (!t->index) {
		for (size_t i = 0; i < t->n; i++)
			if (t->e[i].key.n == n && !memcmp(t->e[i].key.p, key, n))
				return &t->e[i].value;
		return NULL;
	}
	for (size_t k = hash_key(key, n) & t->mask; t->index[k]; k = (k + 1) & t->mask) {
		struct toml_entry *e = &t->e[t->index[k] - 1];
		if (e->key.n == n && !memcmp(e->key.p, key, n))
			return &e->value;
	}
	return NULL;
}

static void table_grow(struct toml *p, struct toml_table *t)
{
	size_t cap = t->cap ? t->cap * 2 : 4;
	struct toml_entry *e = arena_alloc(p->mem, cap * sizeof *e);

	if (t->n)
		memcpy(e, t->e, t->n * sizeof *e);
	t->e = e;
	t->cap = cap;
	if (cap <= SMALL_TABLE)
		return;
	t->mask = cap * 2 - 1;
	t->index = arena_alloc(p->mem, (t->mask + 1) * sizeof *t->index);
	for (size_t i = 0; i < t->n; i++)
		index_add(t, i);
}

/* A new member; the caller fills the value. */
static struct toml_value *table_add(struct toml *p, struct toml_table *t, struct toml_string key)
{
	if (t->n == t->cap)
		table_grow(p, t);
	struct toml_entry *e = &t->e[t->n++];
	e->key = key;
	if (t->index)
		index_add(t, t->n - 1);
	return &e->value;
}

static struct toml_table *table_new(struct toml *p, int how)
{
	struct toml_table *t = arena_alloc(p->mem, sizeof *t);

	t->how = how;
	return t;
}

static struct toml_value *array_add(struct toml *p, struct toml_array *a)
{
	ARENA_GROW(p->mem, a->v, a->n + 1, a->cap);
	return &a->v[a->n++];
}

/* --- white space --- */

static void skip_blanks(struct toml *t)
{
	while (t->p < t->end && (*t->p == ' ' || *t->p == '\t'))
		t->p++;
}

/* Bytes at a line end: 1, 2, or 0 when there is none here. */
static int newline(const struct toml *t, const char *p)
{
	if (p < t->end && *p == '\n')
		return 1;
	return t->end - p >= 2 && p[0] == '\r' && p[1] == '\n' ? 2 : 0;
}

static int is_control(unsigned char c)
{
	return (c < 0x20 && c != '\t') || c == 0x7f;
}

/* A comment, if there is one, up to but without the end of its line. */
static int skip_comment(struct toml *t)
{
	const char *from = t->p;
	size_t bad;

	if (toml_peek(t) != '#')
		return 0;
	while (t->p < t->end && !newline(t, t->p)) {
		if (is_control((unsigned char)*t->p))
			return toml_fail(t, "control character in a comment");
		t->p++;
	}
	if ((bad = utf8_check(from, (size_t)(t->p - from))))
		return toml_fail_at(t, from + bad - 1, "invalid UTF-8");
	return 0;
}

/* Blanks, comments and line ends, as inside arrays. */
static int skip_lines(struct toml *t)
{
	int n;

	for (;;) {
		skip_blanks(t);
		if (skip_comment(t))
			return -1;
		if (!(n = newline(t, t->p)))
			return 0;
		t->p += n;
	}
}

/* --- strings --- */

static int hex_digits(const char *p, int n, uint32_t *out)
{
	*out = 0;
	for (int i = 0; i < n; i++) {
		char c = p[i] | 0x20;
		int d = p[i] >= '0' && p[i] <= '9' ? p[i] - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
		if (d < 0)
			return -1;
		*out = *out << 4 | (uint32_t)d;
	}
	return 0;
}

static int unicode_escape(struct toml *t, int digits)
{
	uint32_t c;

	if (t->end - t->p < digits + 2 || hex_digits(t->p + 2, digits, &c))
		return toml_fail(t, digits == 4 ? "\\u needs four hexadecimal digits" : "\\U needs eight hexadecimal digits");
	if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return toml_fail(t, "escape of something that is no character");
	utf8_add(&t->scratch, c);
	t->p += 2 + digits;
	return 0;
}

/* The escape at the backslash t->p. */
static int escape(struct toml *t)
{
	static const char from[] = "btnfr\"\\", to[] = "\b\t\n\f\r\"\\";
	char c = t->end - t->p >= 2 ? t->p[1] : 0;
	const char *which = c ? strchr(from, c) : NULL;

	if (c == 'u' || c == 'U')
		return unicode_escape(t, c == 'u' ? 4 : 8);
	if (!which)
		return toml_fail(t, "invalid escape");
	buf_addc(&t->scratch, to[which - from]);
	t->p += 2;
	return 0;
}

/* A backslash at the end of a line swallows white space up to the next visible character.  Returns 1 when it was that. */
static int line_ending_escape(struct toml *t)
{
	const char *p = t->p + 1;
	int n;

	while (p < t->end && (*p == ' ' || *p == '\t'))
		p++;
	if (!newline(t, p))
		return 0;
	for (;; p += n) {
		while (p < t->end && (*p == ' ' || *p == '\t'))
			p++;
		if (!(n = newline(t, p)))
			break;
	}
	t->p = p;
	return 1;
}

/* The string's content in *out: from scratch when it had escapes, else the text itself. */
static int string_done(struct toml *t, const char *from, const char *to, int copied, struct toml_string *out)
{
	size_t n = copied ? t->scratch.len : (size_t)(to - from), bad;
	const char *p = copied ? buf_str(&t->scratch) : from;

	if ((bad = utf8_check(p, n)))
		return toml_fail_at(t, copied ? from : from + bad - 1, "invalid UTF-8");
	*out = (struct toml_string){ copied ? arena_dup(t->mem, p, n) : from, n };
	return 0;
}

static int literal_string(struct toml *t, struct toml_string *out)
{
	const char *from = ++t->p;

	while (t->p < t->end && *t->p != '\'') {
		if (is_control((unsigned char)*t->p))
			return toml_fail(t, "control character in a string");
		t->p++;
	}
	if (t->p >= t->end)
		return toml_fail_at(t, from - 1, "unterminated string");
	return string_done(t, from, t->p++, 0, out);
}

static int basic_string(struct toml *t, struct toml_string *out)
{
	const char *from = ++t->p, *run = from;
	int copied = 0;

	while (t->p < t->end && *t->p != '"') {
		if (is_control((unsigned char)*t->p))
			return toml_fail(t, "control character in a string");
		if (*t->p != '\\') {
			t->p++;
			continue;
		}
		if (!copied)
			buf_trim(&t->scratch, 0);
		copied = 1;
		buf_add(&t->scratch, run, (size_t)(t->p - run));
		if (escape(t))
			return -1;
		run = t->p;
	}
	if (t->p >= t->end)
		return toml_fail_at(t, from - 1, "unterminated string");
	if (copied)
		buf_add(&t->scratch, run, (size_t)(t->p - run));
	return string_done(t, from, t->p++, copied, out);
}

/* One step inside a multi-line string: a line end, an escape, or a plain character. */
static int multiline_step(struct toml *t, char quote)
{
	int n = newline(t, t->p);

	if (n) {
		buf_add(&t->scratch, t->p, (size_t)n);
		t->p += n;
		return 0;
	}
	if (is_control((unsigned char)*t->p))
		return toml_fail(t, "control character in a string");
	if (quote == '"' && *t->p == '\\')
		return line_ending_escape(t) ? 0 : escape(t);
	buf_addc(&t->scratch, *t->p++);
	return 0;
}

/* Three quotes end it; one or two may stand in it, also right before the end. */
static int multiline_string(struct toml *t, char quote, struct toml_string *out)
{
	const char *from = t->p;

	t->p += 3;
	t->p += newline(t, t->p);
	buf_trim(&t->scratch, 0);
	while (t->p < t->end) {
		int quotes = 0;
		while (t->p + quotes < t->end && t->p[quotes] == quote && quotes < 5)
			quotes++;
		if (quotes >= 3) {
			buf_add(&t->scratch, t->p, (size_t)quotes - 3);
			t->p += quotes;
			return string_done(t, from, t->p, 1, out);
		}
		buf_add(&t->scratch, t->p, (size_t)quotes);
		t->p += quotes;
		if (!quotes && multiline_step(t, quote))
			return -1;
	}
	return toml_fail_at(t, from, "unterminated string");
}

static int read_string(struct toml *t, struct toml_string *out)
{
	char q = *t->p;

	if (t->end - t->p >= 3 && t->p[1] == q && t->p[2] == q)
		return multiline_string(t, q, out);
	return q == '"' ? basic_string(t, out) : literal_string(t, out);
}

/* --- keys --- */

static int is_bare(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

static int key_part(struct toml *t, struct toml_string *out)
{
	const char *from = t->p;

	if (toml_peek(t) == '"')
		return basic_string(t, out);
	if (toml_peek(t) == '\'')
		return literal_string(t, out);
	while (is_bare(toml_peek(t)))
		t->p++;
	if (t->p == from)
		return toml_fail(t, "a key is expected");
	*out = (struct toml_string){ from, (size_t)(t->p - from) };
	return 0;
}

static void add_part(struct toml *t, struct toml_string s)
{
	ARENA_GROW(t->mem, t->part, t->parts + 1, t->part_cap);
	t->part[t->parts++] = s;
}

/* Parts joined by dots, into t->part; blanks around dots and after the key are skipped. */
static int read_key(struct toml *t)
{
	struct toml_string s;

	t->parts = 0;
	for (;;) {
		skip_blanks(t);
		if (key_part(t, &s))
			return -1;
		add_part(t, s);
		if (t->depth + (int)t->parts > LIMIT_JSON_DEPTH)
			return toml_fail(t, "nesting deeper than " LIMIT_TEXT(LIMIT_JSON_DEPTH) " levels");
		skip_blanks(t);
		if (toml_peek(t) != '.')
			return 0;
		t->p++;
	}
}

/* --- values --- */

static int read_value(struct toml *t, struct toml_value *v);
static int key_value(struct toml *t, struct toml_table *table);

static int read_array(struct toml *t, struct toml_value *v)
{
	struct toml_array *a = arena_alloc(t->mem, sizeof *a);

	t->p++;
	for (;;) {
		struct toml_value item;
		if (skip_lines(t))
			return -1;
		if (toml_peek(t) == ']')
			break;
		if (read_value(t, &item) || skip_lines(t))
			return -1;
		*array_add(t, a) = item;
		if (toml_peek(t) == ',')
			t->p++;
		else if (toml_peek(t) != ']')
			return toml_fail(t, "',' or ']' is expected");
	}
	t->p++;
	v->type = TOML_ARRAY;
	v->a = a;
	return 0;
}

/* Everything in it is closed with it: nothing can name what lies inside. */
static int read_inline(struct toml *t, struct toml_value *v)
{
	struct toml_table *table = table_new(t, DEFINED);

	t->p++;
	skip_blanks(t);
	while (toml_peek(t) != '}') {
		if (key_value(t, table))
			return -1;
		skip_blanks(t);
		if (toml_peek(t) == '}')
			break;
		if (toml_peek(t) != ',')
			return toml_fail(t, "',' or '}' is expected");
		t->p++;
		skip_blanks(t);
		if (toml_peek(t) == '}')
			return toml_fail(t, "a key is expected");
	}
	t->p++;
	table->how = INLINE;
	v->type = TOML_TABLE;
	v->t = table;
	return 0;
}

static int read_nested(struct toml *t, struct toml_value *v)
{
	if (++t->depth > LIMIT_JSON_DEPTH)
		return toml_fail(t, "nesting deeper than " LIMIT_TEXT(LIMIT_JSON_DEPTH) " levels");
	int r = *t->p == '[' ? read_array(t, v) : read_inline(t, v);
	t->depth--;
	return r;
}

static int read_value(struct toml *t, struct toml_value *v)
{
	int c = toml_peek(t);

	if (c == '[' || c == '{')
		return read_nested(t, v);
	if (c == '"' || c == '\'') {
		v->type = TOML_STRING;
		return read_string(t, &v->s);
	}
	if (c == 't' || c == 'f')
		return toml_read_bool(t, v);
	if (toml_is_digit(c) && toml_looks_like_time(t))
		return toml_read_time(t, v);
	if (toml_is_digit(c) || c == '+' || c == '-' || c == 'i' || c == 'n')
		return toml_read_number(t, v);
	return toml_fail(t, "a value is expected");
}

/* --- putting things where their keys say --- */

/* The table that holds the last part of a dotted key, made as needed. */
static struct toml_table *dotted_parent(struct toml *t, struct toml_table *table, const char *at)
{
	for (size_t i = 0; i + 1 < t->parts; i++) {
		struct toml_value *v = toml_find(table, t->part[i].p, t->part[i].n);
		if (!v) {
			v = table_add(t, table, t->part[i]);
			v->type = TOML_TABLE;
			v->t = table_new(t, DOTTED);
		} else if (v->type != TOML_TABLE || v->t->how != DOTTED) {
			toml_fail_at(t, at, "key extends something that is complete already");
			return NULL;
		}
		table = v->t;
	}
	return table;
}

static int key_value(struct toml *t, struct toml_table *table)
{
	const char *at = t->p;
	struct toml_value v;

	if (read_key(t))
		return -1;
	if (toml_peek(t) != '=')
		return toml_fail(t, "'=' is expected");
	t->p++;
	skip_blanks(t);
	struct toml_string last = t->part[t->parts - 1];
	if (!(table = dotted_parent(t, table, at)))
		return -1;
	if (toml_find(table, last.p, last.n))
		return toml_fail_at(t, at, "key is defined twice");
	int levels = (int)t->parts - 1;
	t->depth += levels;
	if (read_value(t, &v))
		return -1;
	t->depth -= levels;
	*table_add(t, table, last) = v;
	return 0;
}

/* Steps from a table into the member a header names on its way. */
static struct toml_table *header_step(struct toml *t, struct toml_table *table, struct toml_string key, const char *at)
{
	struct toml_value *v = toml_find(table, key.p, key.n);

	if (!v) {
		v = table_add(t, table, key);
		v->type = TOML_TABLE;
		v->t = table_new(t, IMPLICIT);
	}
	if (v->type == TOML_ARRAY && v->a->of_tables)
		return v->a->v[v->a->n - 1].t;
	if (v->type == TOML_TABLE && v->t->how != INLINE)
		return v->t;
	toml_fail_at(t, at, "header extends something that is complete already");
	return NULL;
}

static struct toml_table *define_table(struct toml *t, struct toml_table *table, struct toml_string key, const char *at)
{
	struct toml_value *v = toml_find(table, key.p, key.n);

	if (!v) {
		v = table_add(t, table, key);
		v->type = TOML_TABLE;
		v->t = table_new(t, DEFINED);
		return v->t;
	}
	if (v->type != TOML_TABLE || v->t->how != IMPLICIT) {
		toml_fail_at(t, at, "table is defined twice");
		return NULL;
	}
	v->t->how = DEFINED;
	return v->t;
}

static struct toml_table *append_table(struct toml *t, struct toml_table *table, struct toml_string key, const char *at)
{
	struct toml_value *v = toml_find(table, key.p, key.n);

	if (!v) {
		v = table_add(t, table, key);
		v->type = TOML_ARRAY;
		v->a = arena_alloc(t->mem, sizeof *v->a);
		v->a->of_tables = 1;
	}
	if (v->type != TOML_ARRAY || !v->a->of_tables) {
		toml_fail_at(t, at, "array of tables has the name of something else");
		return NULL;
	}
	struct toml_value *item = array_add(t, v->a);
	item->type = TOML_TABLE;
	item->t = table_new(t, DEFINED);
	return item->t;
}

/* A [header] or [[header]]; returns the table its section fills. */
static struct toml_table *header(struct toml *t, struct toml_table *root)
{
	const char *at = t->p++;
	int array = toml_peek(t) == '[';
	struct toml_table *table = root;

	t->p += array;
	if (read_key(t))
		return NULL;
	for (int i = 0; i <= array; i++, t->p++)
		if (toml_peek(t) != ']') {
			toml_fail(t, "']' is expected");
			return NULL;
		}
	for (size_t i = 0; table && i + 1 < t->parts; i++)
		table = header_step(t, table, t->part[i], at);
	if (!table)
		return NULL;
	struct toml_string last = t->part[t->parts - 1];
	return array ? append_table(t, table, last, at) : define_table(t, table, last, at);
}

static int document(struct toml *t, struct toml_table *root)
{
	struct toml_table *section = root;

	for (;;) {
		if (skip_lines(t))
			return -1;
		if (t->p >= t->end)
			return 0;
		if (toml_peek(t) == '[') {
			if (!(section = header(t, root)))
				return -1;
		} else if (key_value(t, section)) {
			return -1;
		}
		skip_blanks(t);
		if (skip_comment(t))
			return -1;
		if (t->p < t->end && !newline(t, t->p))
			return toml_fail(t, "the end of the line is expected");
	}
}

struct toml_table *toml_parse(const char *p, size_t n, struct arena *mem, struct err *e)
{
	struct toml t = { .start = p, .p = p, .end = p + n, .mem = mem, .err = e, .scratch = BUF_INIT };
	struct toml_table *root = table_new(&t, DEFINED);

	if (n >= 3 && !memcmp(p, "\xef\xbb\xbf", 3))
		t.p += 3;
	int r = document(&t, root);
	buf_release(&t.scratch);
	return r ? NULL : root;
}
