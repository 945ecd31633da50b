/* SPDX-License-Identifier: MIT
 *
 * libyaml's events, written down as JSON as they come; the only file with that library.
 *
 * References to earlier parts (`*name`) are refused: nobody needs them here, and a few lines of them make gigabytes.  So are keys
 * that are no words.
 */
#include "config.h"
#include "kube/yaml.h"
#include "base/alloc.h"
#include "base/json.h"
#include "base/late.h"

#include <yaml.h>

#define CALLS(X) X(parser_initialize) X(parser_delete) X(parser_set_input_string) X(parser_parse) X(event_delete)
#define POINTER(f) __typeof__(yaml_##f) *f;

LATE_LIBRARY(yaml, GX_YAML_LIBRARY, "yaml_", CALLS, POINTER);

enum { MAX_DEPTH = 100, MAX_TEXT = 4 << 20 };

struct level {
	char is_map, wants_value;
	size_t members;
};

struct writer {
	struct buf *out;
	struct err *e;
	enum yaml_words words;
	struct level levels[MAX_DEPTH];
	size_t depth, documents;
};

static int fail(struct writer *w, const yaml_event_t *v, const char *why)
{
	return err_set(w->e, ERR_INVALID, "line %zu: %s", v->start_mark.line + 1, why);
}

static int is_whole_number(struct slice s)
{
	size_t i = s.n && (*s.p == '-' || *s.p == '+');

	if (i == s.n || s.n - i > 18 || (s.p[i] == '0' && s.n - i > 1) || *s.p == '+')
		return 0;
	while (i < s.n && s.p[i] >= '0' && s.p[i] <= '9')
		i++;
	return i == s.n;
}

/* A word without quotes that is no text; NULL: it is text. */
static const char *plain(struct slice s, enum yaml_words words)
{
	if (!s.n || slice_in_words(s, "~ null Null NULL"))
		return "null";
	if (words == YAML_TEXT)
		return NULL;
	if (slice_in_words(s, "true True TRUE"))
		return "true";
	return slice_in_words(s, "false False FALSE") ? "false" : NULL;
}

static int scalar(struct writer *w, const yaml_event_t *v, int is_key)
{
	struct slice s = { (const char *)v->data.scalar.value, v->data.scalar.length };
	int bare = v->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && !is_key;
	const char *is = bare ? plain(s, w->words) : NULL;

	if (is)
		buf_adds(w->out, is);
	else if (bare && w->words == YAML_TYPED && is_whole_number(s))
		buf_add(w->out, s.p, s.n);
	else if (json_add_string(w->out, s.p, s.n))
		return fail(w, v, "text that is no UTF-8");
	return 0;
}

/* What stands before a key, a value or an element. */
static int begin(struct writer *w, const yaml_event_t *v, int *is_key)
{
	struct level *l = w->depth ? &w->levels[w->depth - 1] : NULL;

	*is_key = l && l->is_map && !l->wants_value;
	if (*is_key && v->type != YAML_SCALAR_EVENT)
		return fail(w, v, "a key that is no word");
	if (l && (*is_key || !l->is_map) && l->members++)
		buf_addc(w->out, ',');
	return 0;
}

/* And after. */
static void ended(struct writer *w, int is_key)
{
	struct level *l = w->depth ? &w->levels[w->depth - 1] : NULL;

	if (is_key)
		buf_addc(w->out, ':');
	if (l && l->is_map)
		l->wants_value = (char)is_key;
}

static int open_level(struct writer *w, const yaml_event_t *v)
{
	int is_map = v->type == YAML_MAPPING_START_EVENT;

	if (w->depth == MAX_DEPTH)
		return fail(w, v, "it is nested too deeply");
	buf_addc(w->out, is_map ? '{' : '[');
	w->levels[w->depth++] = (struct level){ (char)is_map, 0, 0 };
	return 0;
}

static int on_event(struct writer *w, const yaml_event_t *v)
{
	int is_key = 0, rc;

	switch (v->type) {
	case YAML_DOCUMENT_START_EVENT: return w->documents++ ? fail(w, v, "a second document, where one is read") : 0;
	case YAML_ALIAS_EVENT: return fail(w, v, "references ('*name') are not read");
	case YAML_SCALAR_EVENT:
		rc = begin(w, v, &is_key);
		rc = rc ? rc : scalar(w, v, is_key);
		ended(w, is_key);
		return rc;
	case YAML_MAPPING_START_EVENT:
	case YAML_SEQUENCE_START_EVENT:
		rc = begin(w, v, &is_key);
		return rc ? rc : open_level(w, v);
	case YAML_MAPPING_END_EVENT:
	case YAML_SEQUENCE_END_EVENT:
		buf_addc(w->out, w->levels[--w->depth].is_map ? '}' : ']');
		ended(w, 0);
		return 0;
	default: return 0;
	}
}

int yaml_to_json(struct slice text, enum yaml_words words, struct buf *out, struct err *e)
{
	struct writer w = { .out = out, .e = e, .words = words };
	yaml_parser_t parser;
	yaml_event_t v;
	int rc = late_load(&yaml_library, e), last = 0;

	if (rc)
		return rc;
	if (text.n > MAX_TEXT)
		return err_set(e, ERR_LIMIT, "more than %d MiB", MAX_TEXT >> 20);
	if (!yaml.parser_initialize(&parser))
		out_of_memory();
	yaml.parser_set_input_string(&parser, (const unsigned char *)text.p, text.n);
	while (!rc && !last) {
		if (!yaml.parser_parse(&parser, &v)) {
			rc = err_set(e, ERR_INVALID, "line %zu: %s", parser.problem_mark.line + 1,
				     parser.problem ? parser.problem : "it is no YAML");
			break;
		}
		last = v.type == YAML_STREAM_END_EVENT;
		rc = on_event(&w, &v);
		yaml.event_delete(&v);
	}
	yaml.parser_delete(&parser);
	return rc || w.documents ? rc : err_set(e, ERR_INVALID, "nothing is in it");
}
