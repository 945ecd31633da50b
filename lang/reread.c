/* SPDX-License-Identifier: MIT
 *
 * What a message wants to know of the text before an error, and sometimes behind it.
 *
 * The parser keeps two tokens, since more would cost every file something; here, where somebody is about to read a
 * message, the text is scanned again from its beginning.
 */
#include "config.h"
#include "lang/reread.h"
#include "lang/parser.h"

#include <string.h>

struct stack reread(const struct source *src, uint32_t from, uint32_t to)
{
	struct err e = ERR_INIT;
	struct parse ps = { .src = src, .err = &e };
	struct stack v = STACK_INIT(struct reread);
	struct span at;
	union sem sem;

	lexer_init(&ps.lx, src, 0, &e);
	ps.lx.cur = ps.lx.run_end = ps.lx.url_from = ps.lx.text + (from - src->start);
	for (int t; (t = lang_lex(&sem, &at, &ps)) != END && !e.code && at.begin < to;)
		*(struct reread *)stack_push(&v) = (struct reread){ t, at };
	lexer_release(&ps.lx);
	err_release(&e);
	return v;
}

static const struct reread *tokens(const struct stack *v)
{
	return stack_from(v, 0);
}

static const char *text_at(const struct source *src, uint32_t pos)
{
	return src->text + (pos - src->start);
}

static int is_opening(int token)
{
	return token == '{' || token == '[' || token == '(' || token == DOLLAR_CURLY;
}

static int is_closing(int token)
{
	return token == '}' || token == ']' || token == ')';
}

/* The index of the first token of an attribute path whose last is v[i - 1]. */
static uint32_t path_begin(const struct reread *v, uint32_t i)
{
	for (;;) {
		if (!i)
			return 0;
		i--;
		if (v[i].token == '"')
			while (i && v[--i].token != '"')
				;
		else if (v[i].token == '}')
			while (i && v[--i].token != DOLLAR_CURLY)
				;
		if (!i || v[i - 1].token != '.')
			return i;
		i--;
	}
}

static int has_line_end(const struct source *src, uint32_t from, uint32_t to)
{
	return memchr(text_at(src, from), '\n', to - from) != NULL;
}

uint32_t reread_missing_semicolon(const struct source *src, struct span at)
{
	struct stack s = reread(src, src->start, at.begin);
	const struct reread *v = tokens(&s);
	uint32_t n = s.n, pos = 0;

	if (n && *text_at(src, at.begin) == '=') {
		n = path_begin(v, n);
		/* On one line it is more likely a comparison. */
		if (n && !has_line_end(src, v[n - 1].at.end, v[n].at.begin))
			n = 0;
	}
	if (n && v[n - 1].token != '=')
		pos = v[n - 1].at.end;
	stack_release(&s);
	return pos;
}

/* The index behind the bracket that is open where v ends, 0 for none. */
static uint32_t innermost_open(const struct reread *v, uint32_t n)
{
	unsigned closed = 0;

	for (; n; n--) {
		if (is_closing(v[n - 1].token))
			closed++;
		else if (is_opening(v[n - 1].token) && !closed--)
			return n;
	}
	return 0;
}

/* The last token of a kind outside of brackets that were closed, from the innermost open one on; NULL for none. */
static const struct reread *last_of(const struct stack *s, int token, int until)
{
	const struct reread *v = tokens(s);
	uint32_t first = innermost_open(v, s->n);
	unsigned closed = 0;

	for (uint32_t i = s->n; i > first; i--) {
		int t = v[i - 1].token;
		if (is_closing(t))
			closed++;
		else if (is_opening(t))
			closed--;
		else if (!closed && t == token)
			return &v[i - 1];
		else if (!closed && t == until)
			return NULL;
	}
	return NULL;
}

struct span reread_last_equals(const struct source *src, struct span at)
{
	struct stack s = reread(src, src->start, at.begin);
	const struct reread *t = last_of(&s, '=', ';');
	struct span found = t ? t->at : (struct span){ 0, 0 };

	stack_release(&s);
	return found;
}

int reread_has_question(const struct source *src, struct span at)
{
	struct stack s = reread(src, src->start, at.begin);
	int found = last_of(&s, '?', '=') != NULL;

	stack_release(&s);
	return found;
}

int reread_in_arguments(const struct source *src, struct span at)
{
	struct stack s = reread(src, at.begin, UINT32_MAX);
	const struct reread *v = tokens(&s);
	unsigned depth = 0;
	uint32_t i = 0;

	for (; i < s.n && (depth || v[i].token != '}'); i++)
		if (is_opening(v[i].token))
			depth++;
		else if (is_closing(v[i].token))
			depth -= depth > 0;
	int found = i + 1 < s.n && (v[i + 1].token == ':' || v[i + 1].token == '@');
	stack_release(&s);
	return found;
}

/* A word right behind a closing quote, or a `;` where the string's first line ends: it was closed by the next one's
 * opening quote. */
static int looks_unintended(const struct source *src, const struct reread *text)
{
	const char *p = text_at(src, text->at.begin), *end = text_at(src, text->at.end);
	const char *nl = memchr(p, '\n', (size_t)(end - p));

	if (!nl)
		return 0;
	if (*end == '"' && end[1] && strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_/.$<", end[1]))
		return 1;
	while (nl > p && (nl[-1] == ' ' || nl[-1] == '\t' || nl[-1] == '\r'))
		nl--;
	return nl > p && nl[-1] == ';';
}

struct span reread_long_string(const struct source *src, uint32_t to)
{
	struct stack s = reread(src, src->start, to);
	const struct reread *v = tokens(&s);
	struct span found = { 0, 0 };

	/* Text directly behind a quote: the quote opened a string. */
	for (uint32_t i = 1; i < s.n && !found.begin; i++)
		if (v[i].token == STR && v[i - 1].token == '"' && looks_unintended(src, &v[i]))
			found = v[i - 1].at;
	stack_release(&s);
	return found;
}

/* The blanks a position's line begins with; *first: whether nothing else stands before it. */
static uint32_t indent_at(const struct source *src, uint32_t pos, int *first)
{
	const char *p = text_at(src, pos), *line = p, *q;

	while (line > src->text && line[-1] != '\n')
		line--;
	for (q = line; *q == ' ' || *q == '\t'; q++)
		;
	*first = q == p;
	return (uint32_t)(q - line);
}

struct open_line {
	struct span at;
	uint32_t indent;
};

static int same_as_outer(const struct stack *open, uint32_t indent)
{
	const struct open_line *v = stack_from(open, 0);

	for (uint32_t i = 0; i + 1 < open->n; i++)
		if (v[i].indent == indent)
			return 1;
	return 0;
}

/* Whether the closing token t stands where an outer bracket's should: then *opened is the inner one that it closes. */
static int closes_oddly(const struct source *src, struct stack *open, const struct reread *t, struct span *opened)
{
	const struct open_line *top = stack_from(open, open->n - 1);
	int first;
	uint32_t indent = indent_at(src, t->at.begin, &first);

	if (first && indent < top->indent && same_as_outer(open, indent)) {
		*opened = top->at;
		return 1;
	}
	open->n--;
	return 0;
}

int reread_odd_bracket(const struct source *src, struct span *opened, struct span *closed)
{
	struct stack s = reread(src, src->start, UINT32_MAX), open = STACK_INIT(struct open_line);
	const struct reread *v = tokens(&s);
	int odd = 0, first;

	for (uint32_t i = 0; i < s.n && !odd; i++) {
		if (is_opening(v[i].token)) {
			uint32_t indent = indent_at(src, v[i].at.begin, &first);
			*(struct open_line *)stack_push(&open) = (struct open_line){ v[i].at, indent };
		} else if (is_closing(v[i].token) && open.n) {
			odd = closes_oddly(src, &open, &v[i], opened);
			*closed = v[i].at;
		}
	}
	stack_release(&open);
	stack_release(&s);
	return odd;
}

/* Whether the token, after the keyword `assert`, is the ';' that ends its
 * condition: each with, assert and let in it has one of its own. */
static int ends_condition(int token, unsigned *depth, unsigned *inner)
{
	if (is_opening(token) || token == LET)
		++*depth;
	else if (is_closing(token) || token == IN_KW)
		*depth -= *depth > 0;
	else if (!*depth && (token == WITH || token == ASSERT))
		++*inner;
	else if (!*depth && token == ';')
		return !(*inner)--;
	return 0;
}

uint32_t assert_condition(uint32_t pos, uint32_t *len)
{
	const struct source *src = source_of(pos);
	unsigned depth = 0, inner = 0;
	uint32_t found = 0;

	if (!src || !source_load(src))
		return 0;
	struct stack s = reread(src, pos, UINT32_MAX);
	const struct reread *v = tokens(&s);
	for (uint32_t i = 1; i < s.n && !found; i++)
		if (ends_condition(v[i].token, &depth, &inner)) {
			found = v[1].at.begin;
			*len = v[i - 1].at.end - found;
		}
	stack_release(&s);
	return found;
}
