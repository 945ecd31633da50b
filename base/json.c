/* SPDX-License-Identifier: MIT
 *
 * By hand, because no C library in Debian reads what Nix reads: cJSON has no 64-bit integers, json-c is
 * lenient, yajl accepts overlong UTF-8 and lone surrogates, jansson refuses integers past 64
 * bits (Nix makes floats of them) and builds a tree of its own first.
 *
 * The reader is a small automaton: `expect` says what may come next, a bit for each open bracket says whether it is
 * an object.  So depth costs a bit and hostile nesting meets LIMIT_JSON_DEPTH, not the C stack.
 *
 * UTF-8 is checked where the text is copied anyway: once over each string literal.
 */
#include "config.h"
#include "base/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What may come next. */
enum expect { WANT_VALUE, WANT_VALUE_OR_CLOSE, WANT_KEY, WANT_KEY_OR_CLOSE, WANT_COMMA_OR_CLOSE, WANT_END, FAILED };

void json_reader_init(struct json_reader *r, const char *p, size_t n, struct buf *scratch, struct err *e)
{
	memset(r, 0, offsetof(struct json_reader, is_object));
	r->start = r->p = r->at = p;
	r->end = p + n;
	r->scratch = scratch;
	r->err = e;
	r->expect = WANT_VALUE;
	if (n >= 3 && !memcmp(p, "\xef\xbb\xbf", 3))
		r->p += 3;
}

/* --- errors --- */

enum json_event json_fail(struct json_reader *r, const char *at, const char *msg)
{
	size_t line = 1;
	const char *bol = r->start, *nl;

	while ((nl = memchr(bol, '\n', (size_t)(at - bol)))) {
		line++;
		bol = nl + 1;
	}
	err_set(r->err, ERR_INVALID, "%s at line %zu, column %zu of the JSON text", msg, line, (size_t)(at - bol) + 1);
	r->expect = FAILED;
	return JSON_ERROR;
}

static enum json_event unexpected(struct json_reader *r, const char *wanted)
{
	char msg[128];
	unsigned char c = r->p < r->end ? (unsigned char)*r->p : 0;

	if (r->p >= r->end)
		snprintf(msg, sizeof msg, "unexpected end of input where %s should be,", wanted);
	else if (c > ' ' && c < 127)
		snprintf(msg, sizeof msg, "unexpected character '%c' where %s should be,", c, wanted);
	else
		snprintf(msg, sizeof msg, "unexpected byte 0x%02x where %s should be,", c, wanted);
	return json_fail(r, r->p, msg);
}

/* --- UTF-8 --- */

/* The table is RFC 3629's: the second byte's range excludes overlong forms, surrogates and what lies beyond U+10FFFF. */
size_t utf8_length(const char *text, size_t max)
{
	const unsigned char *p = (const unsigned char *)text;
	unsigned char lo = 0x80, hi = 0xbf;
	size_t n;

	if (*p < 0x80)
		return 1;
	if (*p < 0xc2 || *p > 0xf4)
		return 0;
	n = *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : 4;
	if (*p == 0xe0)
		lo = 0xa0;
	else if (*p == 0xed)
		hi = 0x9f;
	else if (*p == 0xf0)
		lo = 0x90;
	else if (*p == 0xf4)
		hi = 0x8f;
	if (max < n || p[1] < lo || p[1] > hi)
		return 0;
	for (size_t i = 2; i < n; i++)
		if (p[i] < 0x80 || p[i] > 0xbf)
			return 0;
	return n;
}

size_t utf8_check(const char *text, size_t n)
{
	const unsigned char *p = (const unsigned char *)text, *end = p + n;

	while (p < end) {
		uint64_t w;
		if (end - p >= 8 && (memcpy(&w, p, 8), !(w & 0x8080808080808080u))) {
			p += 8;
			continue;
		}
		size_t k = utf8_length((const char *)p, (size_t)(end - p));
		if (!k)
			return (size_t)(p - (const unsigned char *)text) + 1;
		p += k;
	}
	return 0;
}

void utf8_add(struct buf *b, uint32_t c)
{
	char s[4];
	size_t n = 0;

	if (c < 0x80) {
		s[n++] = (char)c;
	} else if (c < 0x800) {
		s[n++] = (char)(0xc0 | c >> 6);
	} else if (c < 0x10000) {
		s[n++] = (char)(0xe0 | c >> 12);
		s[n++] = (char)(0x80 | (c >> 6 & 0x3f));
	} else {
		s[n++] = (char)(0xf0 | c >> 18);
		s[n++] = (char)(0x80 | (c >> 12 & 0x3f));
		s[n++] = (char)(0x80 | (c >> 6 & 0x3f));
	}
	if (c >= 0x80)
		s[n++] = (char)(0x80 | (c & 0x3f));
	buf_add(b, s, n);
}

/* --- strings --- */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Four hex digits at p; -1 when they are not there. */
static int32_t hex4(const char *p, const char *end)
{
	int32_t v = 0;

	if (end - p < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		int d = hex_digit(p[i]);
		if (d < 0)
			return -1;
		v = v << 4 | d;
	}
	return v;
}

/* Decodes \uXXXX at *pp (after the u), with its second half if it is a high surrogate. */
static int unicode_escape(struct json_reader *r, const char **pp)
{
	const char *p = *pp;
	int32_t c = hex4(p, r->end), low;

	if (c < 0)
		return json_fail(r, p, "\\u must be followed by four hexadecimal digits,");
	p += 4;
	if (c >= 0xdc00 && c <= 0xdfff)
		return json_fail(r, *pp - 2, "low surrogate without a high one before it");
	if (c >= 0xd800 && c <= 0xdbff) {
		if (r->end - p < 6 || p[0] != '\\' || p[1] != 'u' || (low = hex4(p + 2, r->end)) < 0xdc00 ||
		    low > 0xdfff)
			return json_fail(r, *pp - 2, "high surrogate without a low one after it");
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
		p += 6;
	}
	utf8_add(r->scratch, (uint32_t)c);
	*pp = p;
	return 0;
}

/* Decodes the escape whose backslash is at *pp. */
static int escape(struct json_reader *r, const char **pp)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *p = *pp + 1, *which;

	if (p < r->end && *p == 'u') {
		*pp = p + 1;
		return unicode_escape(r, pp);
	}
	if (p >= r->end || !*p || !(which = strchr(from, *p)))
		return json_fail(r, *pp, "invalid escape");
	buf_addc(r->scratch, to[which - from]);
	*pp = p + 1;
	return 0;
}

/* The end of a run of plain characters. */
static const char *plain_run(const char *p, const char *end)
{
	while (p < end && *p != '"' && *p != '\\' && (unsigned char)*p >= 0x20)
		p++;
	return p;
}

static int add_run(struct json_reader *r, const char *from, const char *to)
{
	size_t bad = utf8_check(from, (size_t)(to - from));

	if (bad)
		return json_fail(r, from + bad - 1, "invalid UTF-8");
	buf_add(r->scratch, from, (size_t)(to - from));
	return 0;
}

/* A string that has an escape somewhere after `run`. */
static int string_with_escapes(struct json_reader *r, const char *from, const char *run)
{
	buf_trim(r->scratch, 0);
	for (;;) {
		if (add_run(r, from, run))
			return JSON_ERROR;
		if (run >= r->end || *run != '\\')
			break;
		if (escape(r, &run))
			return JSON_ERROR;
		from = run;
		run = plain_run(from, r->end);
	}
	r->str = buf_str(r->scratch);
	r->len = r->scratch->len;
	r->p = run;
	return 0;
}

/* The literal whose opening quote is at r->p. */
static int read_string(struct json_reader *r)
{
	const char *from = r->p + 1, *run = plain_run(from, r->end);
	size_t bad;

	if (run < r->end && *run == '\\') {
		if (string_with_escapes(r, from, run))
			return JSON_ERROR;
	} else {
		if ((bad = utf8_check(from, (size_t)(run - from))))
			return json_fail(r, from + bad - 1, "invalid UTF-8");
		r->str = from;
		r->len = (size_t)(run - from);
		r->p = run;
	}
	if (r->p >= r->end)
		return json_fail(r, r->at, "unterminated string");
	if (*r->p != '"')
		return json_fail(r, r->p, "unescaped control character");
	r->p++;
	return 0;
}

/* --- numbers --- */

static const char *digits(const char *p, const char *end)
{
	while (p < end && *p >= '0' && *p <= '9')
		p++;
	return p;
}

/* Ends of the number at r->p; NULL and the error set when it is malformed.  *whole: no fraction, no exponent. */
static const char *number_end(struct json_reader *r, int *whole)
{
	const char *p = r->p + (*r->p == '-'), *q = digits(p, r->end);

	*whole = 1;
	if (q == p)
		goto missing;
	if (*p == '0')
		q = p + 1;
	if (q < r->end && *q == '.') {
		*whole = 0;
		p = q + 1;
		if ((q = digits(p, r->end)) == p)
			goto missing;
	}
	if (q < r->end && (*q == 'e' || *q == 'E')) {
		*whole = 0;
		p = q + 1;
		if (p < r->end && (*p == '+' || *p == '-'))
			p++;
		if ((q = digits(p, r->end)) == p)
			goto missing;
	}
	return q;
missing:
	r->p = p;
	unexpected(r, "a digit");
	return NULL;
}

/* Integers: those that do not fit 64 bits become floats, as in Nix.  Returns JSON_FLOAT for these. */
static enum json_event whole_number(struct json_reader *r, const char *p, const char *end)
{
	int neg = *p == '-';
	uint64_t u = 0;

	for (p += neg; p < end; p++)
		if (__builtin_mul_overflow(u, 10, &u) || __builtin_add_overflow(u, (uint64_t)(*p - '0'), &u))
			return JSON_FLOAT;
	if (neg && u > (uint64_t)INT64_MAX + 1)
		return JSON_FLOAT;
	if (!neg && u > INT64_MAX) {
		r->u = u;
		return JSON_UINT;
	}
	r->i = (int64_t)(neg ? 0 - u : u);
	return JSON_INT;
}

static enum json_event read_number(struct json_reader *r)
{
	int whole;
	const char *from = r->p, *end = number_end(r, &whole);

	if (!end)
		return JSON_ERROR;
	r->p = end;
	enum json_event ev = whole ? whole_number(r, from, end) : JSON_FLOAT;
	if (ev != JSON_FLOAT)
		return ev;
	/* strtod needs an end it can see, and the text need not have one. */
	buf_trim(r->scratch, 0);
	buf_add(r->scratch, from, (size_t)(end - from));
	r->d = strtod(buf_str(r->scratch), NULL);
	if (!isfinite(r->d))
		return json_fail(r, from, "number too large for a float");
	return JSON_FLOAT;
}

/* --- the automaton --- */

static int in_object(const struct json_reader *r)
{
	return r->is_object[(r->depth - 1) / 8] >> ((r->depth - 1) % 8) & 1;
}

static void value_done(struct json_reader *r)
{
	r->expect = r->depth ? WANT_COMMA_OR_CLOSE : WANT_END;
}

static enum json_event open_bracket(struct json_reader *r, int object)
{
	if (r->depth == LIMIT_JSON_DEPTH)
		return json_fail(r, r->p, "nesting deeper than " LIMIT_TEXT(LIMIT_JSON_DEPTH) " levels");
	unsigned char bit = (unsigned char)(1u << r->depth % 8);
	if (object)
		r->is_object[r->depth / 8] |= bit;
	else
		r->is_object[r->depth / 8] &= (unsigned char)~bit;
	r->depth++;
	r->p++;
	r->expect = object ? WANT_KEY_OR_CLOSE : WANT_VALUE_OR_CLOSE;
	return object ? JSON_OBJECT : JSON_ARRAY;
}

static enum json_event close_bracket(struct json_reader *r)
{
	r->depth--;
	r->p++;
	value_done(r);
	return JSON_CLOSE;
}

static enum json_event word(struct json_reader *r, const char *text, enum json_event ev)
{
	size_t n = strlen(text);

	if ((size_t)(r->end - r->p) < n || memcmp(r->p, text, n))
		return unexpected(r, "a value");
	r->p += n;
	return ev;
}

static enum json_event read_value(struct json_reader *r)
{
	enum json_event ev;

	if (r->p >= r->end)
		return unexpected(r, "a value");
	switch (*r->p) {
	case '{':
		return open_bracket(r, 1);
	case '[':
		return open_bracket(r, 0);
	case '"':
		ev = read_string(r) ? JSON_ERROR : JSON_STRING;
		break;
	case 'n':
		ev = word(r, "null", JSON_NULL);
		break;
	case 't':
		ev = word(r, "true", JSON_TRUE);
		break;
	case 'f':
		ev = word(r, "false", JSON_FALSE);
		break;
	default:
		ev = *r->p == '-' || (*r->p >= '0' && *r->p <= '9') ? read_number(r) : unexpected(r, "a value");
	}
	if (ev != JSON_ERROR)
		value_done(r);
	return ev;
}

static void skip_space(struct json_reader *r)
{
	while (r->p < r->end && (*r->p == ' ' || *r->p == '\n' || *r->p == '\t' || *r->p == '\r'))
		r->p++;
}

static enum json_event read_key(struct json_reader *r)
{
	if (r->p >= r->end || *r->p != '"')
		return unexpected(r, "a member name");
	if (read_string(r))
		return JSON_ERROR;
	skip_space(r);
	if (r->p >= r->end || *r->p != ':')
		return unexpected(r, "a colon");
	r->p++;
	r->expect = WANT_VALUE;
	return JSON_KEY;
}

enum json_event json_next(struct json_reader *r)
{
	skip_space(r);
	char c = r->p < r->end ? *r->p : 0;
	r->at = r->p;
	switch ((enum expect)r->expect) {
	case FAILED:
		return JSON_ERROR;
	case WANT_END:
		return r->p == r->end ? JSON_END : unexpected(r, "the end");
	case WANT_VALUE_OR_CLOSE:
		return c == ']' ? close_bracket(r) : read_value(r);
	case WANT_KEY_OR_CLOSE:
		return c == '}' ? close_bracket(r) : read_key(r);
	case WANT_COMMA_OR_CLOSE:
		if (c == (in_object(r) ? '}' : ']'))
			return close_bracket(r);
		if (c != ',')
			return unexpected(r, in_object(r) ? "a comma or '}'" : "a comma or ']'");
		r->p++;
		r->expect = in_object(r) ? WANT_KEY : WANT_VALUE;
		return json_next(r);
	case WANT_KEY:
		return read_key(r);
	case WANT_VALUE:
		break;
	}
	return read_value(r);
}

/* --- writing --- */

static void add_escaped(struct buf *b, unsigned char c)
{
	static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
	const char *which = c ? strchr(from, c) : NULL;

	if (which)
		buf_addf(b, "\\%c", to[which - from]);
	else
		buf_addf(b, "\\u%04x", c);
}

size_t json_add_string(struct buf *b, const char *p, size_t n)
{
	size_t bad = utf8_check(p, n), i = 0;

	if (bad)
		return bad;
	buf_reserve(b, n + 2);
	buf_addc(b, '"');
	while (i < n) {
		const char *q = plain_run(p + i, p + n);
		buf_add(b, p + i, (size_t)(q - p) - i);
		i = (size_t)(q - p);
		if (i < n)
			add_escaped(b, (unsigned char)p[i++]);
	}
	buf_addc(b, '"');
	return 0;
}

/* --- indentation --- */

static void new_line(struct buf *b, int level)
{
	buf_addf(b, "\n%*s", level * 2, "");
}

void json_indent(struct buf *b, struct slice text)
{
	int level = 0, in_string = 0;

	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i], next = i + 1 < text.n ? text.p[i + 1] : 0;

		if (!in_string && (c == '}' || c == ']') && i && text.p[i - 1] != '{' && text.p[i - 1] != '[')
			new_line(b, --level);
		else if (!in_string && (c == '}' || c == ']'))
			level--;
		buf_addc(b, c);
		if (in_string) {
			if (c == '\\' && next)
				buf_addc(b, text.p[++i]);
			in_string = c != '"';
		} else if (c == '"') {
			in_string = 1;
		} else if (c == '{' || c == '[') {
			level++;
			if (next != '}' && next != ']')
				new_line(b, level);
		} else if (c == ',') {
			new_line(b, level);
		} else if (c == ':') {
			buf_addc(b, ' ');
		}
	}
}
