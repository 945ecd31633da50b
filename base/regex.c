/* SPDX-License-Identifier: MIT
 *
 * Regular expressions: pattern text to a graph of states.
 *
 * The parser keeps its own stack of open groups, so that depth of nesting costs heap and not C stack.
 * A group under construction is a fragment for the alternatives so far, one for the sequence so
 * far, and the last term, to which a quantifier applies.  The states of the last term are always the newest ones,
 * so a bounded repetition copies a range of the array and shifts its links.
 *
 * Which texts are expressions at all follows libstdc++'s `extended` syntax, as users of Nix know it:
 * only .[\()*+?{|^$ may be escaped, there are no back-references, empty alternatives are fine, a quantifier
 * needs a term that consumes or a group, `{` always begins an interval, `}` and `]` alone are themselves.
 */
#include "config.h"
#include "base/regex.h"
#include "base/alloc.h"
#include "base/limits.h"
#include "base/regex_int.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NONE UINT32_MAX

/* States [lo, …) that are entered at `start` and left through `end`'s next. */
struct frag {
	uint32_t lo, start, end;
	int empty; /* can match nothing */
};

struct group {
	struct frag alts, seq, term;
	int has_alts, has_seq, has_term;
	int quantifiable;
	uint32_t index; /* NONE for the whole pattern */
	uint32_t open;	/* its RE_SAVE state */
};

struct compiler {
	const char *p, *end;
	struct regex *re;
	uint32_t cap, cap_sets;
	struct group *stack;
	size_t depth, cap_stack;
	struct err *err;
};

static int invalid(struct compiler *c, const char *why)
{
	return err_set(c->err, ERR_INVALID, "%s", why);
}

static int too_big(struct compiler *c)
{
	return err_set(c->err, ERR_LIMIT, "it needs more than %d states", LIMIT_REGEX_STATES);
}

/* --- building states --- */

/* Adds a state; the limit is checked between terms, where an error can be returned. */
static uint32_t add(struct compiler *c, enum re_op op, uint32_t arg)
{
	struct regex *re = c->re;

	if (re->n == c->cap) {
		c->cap = c->cap ? c->cap * 2 : 32;
		re->st = xrealloc_array(re->st, c->cap, sizeof *re->st);
	}
	re->st[re->n] = (struct re_state){ .op = (uint8_t)op, .loop = RE_NO_LOOP, .arg = arg, .next = NONE, .alt = NONE };
	return re->n++;
}

static uint32_t add_set(struct compiler *c, const struct re_set *s)
{
	struct regex *re = c->re;

	if (re->n_sets == c->cap_sets) {
		c->cap_sets = c->cap_sets ? c->cap_sets * 2 : 4;
		re->sets = xrealloc_array(re->sets, c->cap_sets, sizeof *re->sets);
	}
	re->sets[re->n_sets] = *s;
	return re->n_sets++;
}

static struct frag single(struct compiler *c, enum re_op op, uint32_t arg)
{
	uint32_t s = add(c, op, arg);

	return (struct frag){ s, s, s, op != RE_BYTE && op != RE_SET };
}

static struct frag byte_term(struct compiler *c, char ch)
{
	struct frag f = single(c, RE_BYTE, 0);

	c->re->st[f.start].c = (uint8_t)ch;
	return f;
}

static struct frag append(struct compiler *c, struct frag a, struct frag b)
{
	c->re->st[a.end].next = b.start;
	return (struct frag){ a.lo, a.start, b.end, a.empty && b.empty };
}

/* Every copy of a loop counts for itself. */
static uint8_t new_loop(struct compiler *c, int body_empty)
{
	if (!body_empty)
		return RE_NO_LOOP;
	return c->re->nullable_loops++ < RE_LOOPS ? (uint8_t)c->re->loops++ : RE_LOOP_UNCOUNTED;
}

/* A copy of the states [f.lo, hi), which hold all of f. */
static struct frag copy_of(struct compiler *c, struct frag f, uint32_t hi)
{
	uint32_t d = c->re->n - f.lo;

	for (uint32_t i = f.lo; i < hi; i++) {
		struct re_state s = c->re->st[i];
		uint32_t k = add(c, s.op, s.arg);
		if (s.next != NONE)
			s.next += d;
		if (s.alt != NONE)
			s.alt += d;
		s.loop = new_loop(c, s.loop != RE_NO_LOOP);
		c->re->st[k] = s;
	}
	c->re->st[f.end + d].next = NONE;
	return (struct frag){ f.lo + d, f.start + d, f.end + d, f.empty };
}

/* Is f already x* for an x that consumes?  Then repeating it again changes nothing, and a**** is a*. */
static int is_star(const struct compiler *c, struct frag f)
{
	const struct re_state *s = &c->re->st[f.start];

	return f.start == f.end && (s->op == RE_RUN || (s->op == RE_REP && s->loop == RE_NO_LOOP));
}

/* f* (f+ enters at the body first).  A repeated single byte or set becomes one RE_RUN. */
static struct frag star(struct compiler *c, struct frag f)
{
	struct re_state *s = &c->re->st[f.start];

	if (is_star(c, f))
		return f;
	if (f.start == f.end && (s->op == RE_SET || s->op == RE_BYTE)) {
		if (s->op == RE_BYTE) {
			struct re_set one = { { 0 } };
			one.w[s->c >> 6] |= (uint64_t)1 << (s->c & 63);
			uint32_t i = add_set(c, &one);
			s->arg = i;
		}
		s->op = RE_RUN;
		f.empty = 1;
		return f;
	}
	uint32_t rep = add(c, RE_REP, 0);
	c->re->st[rep].alt = f.start;
	c->re->st[rep].loop = new_loop(c, f.empty);
	c->re->st[f.end].next = rep;
	return (struct frag){ f.lo, rep, rep, 1 };
}

static struct frag plus(struct compiler *c, struct frag f)
{
	if (is_star(c, f))
		return f;
	if (f.start == f.end && !f.empty) {
		struct frag more = star(c, copy_of(c, f, c->re->n));
		return append(c, f, more);
	}
	struct frag r = star(c, f);
	return (struct frag){ f.lo, f.start, r.end, f.empty };
}

static struct frag maybe(struct compiler *c, struct frag f)
{
	if (is_star(c, f))
		return f;
	uint32_t rep = add(c, RE_REP, 0), end = add(c, RE_NOP, 0);

	c->re->st[rep].alt = f.start;
	c->re->st[rep].next = end;
	c->re->st[f.end].next = end;
	return (struct frag){ f.lo, rep, end, 1 };
}

/* --- quantifiers --- */

static int number(struct compiler *c, uint32_t *out)
{
	uint32_t n = 0;

	if (c->p == c->end || *c->p < '0' || *c->p > '9')
		return invalid(c, "a number is missing in an interval");
	for (; c->p < c->end && *c->p >= '0' && *c->p <= '9'; c->p++) {
		n = n * 10 + (uint32_t)(*c->p - '0');
		if (n > LIMIT_REGEX_STATES)
			return too_big(c);
	}
	*out = n;
	return 0;
}

/* f repeated between min and max times; max NONE is no bound. */
static int repeat(struct compiler *c, struct frag *f, uint32_t min, uint32_t max)
{
	uint32_t hi = c->re->n, size = hi - f->lo;
	uint32_t copies = max == NONE ? min + 1 : max;
	struct frag out, body = *f;

	if ((uint64_t)size * copies + c->re->n + copies > LIMIT_REGEX_STATES)
		return too_big(c);
	out = single(c, RE_NOP, 0);
	out.lo = body.lo;
	out.start = out.end;
	for (uint32_t i = 0; i < min; i++)
		out = append(c, out, copy_of(c, body, hi));
	if (max == NONE) {
		*f = append(c, out, star(c, copy_of(c, body, hi)));
		return 0;
	}
	/* Each optional copy lies inside the one before it, all leave to the same place. */
	uint32_t end = add(c, RE_NOP, 0);
	for (uint32_t i = min; i < max; i++) {
		struct frag b = copy_of(c, body, hi);
		uint32_t rep = add(c, RE_REP, 0);
		c->re->st[rep].alt = b.start;
		c->re->st[rep].next = end;
		c->re->st[out.end].next = rep;
		out.end = b.end;
	}
	c->re->st[out.end].next = end;
	out.end = end;
	out.empty = min == 0 || body.empty;
	*f = out;
	return 0;
}

static int interval(struct compiler *c, struct frag *f)
{
	uint32_t min, max;

	if (number(c, &min) < 0)
		return -1;
	max = min;
	if (c->p < c->end && *c->p == ',') {
		c->p++;
		max = NONE;
		if (c->p < c->end && *c->p != '}' && number(c, &max) < 0)
			return -1;
	}
	if (c->p == c->end || *c->p++ != '}')
		return invalid(c, "an interval is not closed");
	if (max < min)
		return invalid(c, "an interval ends before it begins");
	return repeat(c, f, min, max);
}

static int quantifier(struct compiler *c, struct group *g, char q)
{
	if (!g->has_term || !g->quantifiable)
		return invalid(c, "there is nothing to repeat");
	switch (q) {
	case '*':
		g->term = star(c, g->term);
		return 0;
	case '+':
		g->term = plus(c, g->term);
		return 0;
	case '?':
		g->term = maybe(c, g->term);
		return 0;
	default:
		return interval(c, &g->term);
	}
}

/* --- bracket expressions --- */

static void set_byte(struct re_set *s, unsigned char b)
{
	s->w[b >> 6] |= (uint64_t)1 << (b & 63);
}

static int in_class(const char *name, int b)
{
	int lower = b >= 'a' && b <= 'z', upper = b >= 'A' && b <= 'Z', digit = b >= '0' && b <= '9';

	if (!strcmp(name, "alpha"))
		return lower || upper;
	if (!strcmp(name, "digit") || !strcmp(name, "d"))
		return digit;
	if (!strcmp(name, "alnum"))
		return lower || upper || digit;
	if (!strcmp(name, "w"))
		return lower || upper || digit || b == '_';
	if (!strcmp(name, "upper"))
		return upper;
	if (!strcmp(name, "lower"))
		return lower;
	if (!strcmp(name, "space") || !strcmp(name, "s"))
		return b == ' ' || (b >= 9 && b <= 13);
	if (!strcmp(name, "blank"))
		return b == ' ' || b == 9;
	if (!strcmp(name, "punct"))
		return b > 32 && b < 127 && !lower && !upper && !digit;
	if (!strcmp(name, "print"))
		return b >= 32 && b < 127;
	if (!strcmp(name, "graph"))
		return b > 32 && b < 127;
	if (!strcmp(name, "cntrl"))
		return b < 32 || b == 127;
	if (!strcmp(name, "xdigit"))
		return digit || (b >= 'a' && b <= 'f') || (b >= 'A' && b <= 'F');
	return -1;
}

static int add_class(struct compiler *c, struct re_set *s, const char *p, size_t n)
{
	char name[8];

	if (n >= sizeof name)
		return invalid(c, "there is no such character class");
	for (size_t i = 0; i < n; i++)
		name[i] = (char)(p[i] >= 'A' && p[i] <= 'Z' ? p[i] + 32 : p[i]);
	name[n] = 0;
	if (in_class(name, 0) < 0)
		return invalid(c, "there is no such character class");
	for (int b = 0; b < 128; b++)
		if (in_class(name, b))
			set_byte(s, (unsigned char)b);
	return 0;
}

/* Names of the characters of ASCII between [. and .]; letters are their own names. */
static const char *const collating[] = {
	"NUL", "SOH", "STX", "ETX", "EOT", "ENQ", "ACK", "alert", "backspace", "tab", "newline",
	"vertical-tab", "form-feed", "carriage-return", "SO", "SI", "DLE", "DC1", "DC2", "DC3", "DC4", "NAK",
	"SYN", "ETB", "CAN", "EM", "SUB", "ESC", "IS4", "IS3", "IS2", "IS1", "space", "exclamation-mark",
	"quotation-mark", "number-sign", "dollar-sign", "percent-sign", "ampersand", "apostrophe",
	"left-parenthesis", "right-parenthesis", "asterisk", "plus-sign", "comma", "hyphen", "period", "slash",
	"zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "colon", "semicolon",
	"less-than-sign", "equals-sign", "greater-than-sign", "question-mark", "commercial-at",
	[91] = "left-square-bracket", "backslash", "right-square-bracket", "circumflex", "underscore",
	"grave-accent", [123] = "left-curly-bracket", "vertical-line", "right-curly-bracket", "tilde", "DEL",
};

static int collating_element(struct compiler *c, const char *p, size_t n)
{
	if (n == 1 && in_class("alpha", (unsigned char)*p))
		return (unsigned char)*p;
	for (int i = 0; i < 128; i++)
		if (collating[i] && strlen(collating[i]) == n && !memcmp(collating[i], p, n))
			return i;
	return invalid(c, "there is no such collating element");
}

/* What the next piece of a bracket expression is. */
enum piece { P_END, P_CHAR, P_DASH, P_CLASS, P_ERROR };

/* Reads [:x:], [.x.] or [=x=] after its '['.  A class goes into s; an element into *ch. */
static enum piece bracket_class(struct compiler *c, struct re_set *s, int *ch)
{
	char kind = *c->p++;
	const char *name = c->p;

	while (c->p < c->end && *c->p != kind)
		c->p++;
	size_t n = (size_t)(c->p - name);
	if (c->end - c->p < 2 || c->p[1] != ']')
		return invalid(c, "a character class is not closed"), P_ERROR;
	c->p += 2;
	if (kind == ':')
		return add_class(c, s, name, n) < 0 ? P_ERROR : P_CLASS;
	*ch = collating_element(c, name, n);
	if (*ch < 0)
		return P_ERROR;
	if (kind == '.')
		return P_CHAR;
	set_byte(s, (unsigned char)*ch);
	if (in_class("lower", *ch))
		set_byte(s, (unsigned char)(*ch - 32));
	else if (in_class("upper", *ch))
		set_byte(s, (unsigned char)(*ch + 32));
	return P_CLASS;
}

static enum piece bracket_piece(struct compiler *c, struct re_set *s, int *ch, int first)
{
	if (c->p == c->end)
		return invalid(c, "a bracket expression is not closed"), P_ERROR;
	*ch = (unsigned char)*c->p++;
	if (*ch == '-')
		return P_DASH;
	if (*ch == ']' && !first)
		return P_END;
	if (*ch != '[')
		return P_CHAR;
	if (c->p == c->end)
		return invalid(c, "a bracket expression is not closed"), P_ERROR;
	if (*c->p == ':' || *c->p == '.' || *c->p == '=')
		return bracket_class(c, s, ch);
	return P_CHAR;
}

static int set_range(struct compiler *c, struct re_set *s, int lo, int hi)
{
	if ((signed char)lo > (signed char)hi)
		return invalid(c, "a range ends before it begins");
	for (int b = (signed char)lo; b <= (signed char)hi; b++)
		set_byte(s, (unsigned char)b);
	return 0;
}

/* A dash after `last` (-1: a class, -2: nothing that could begin a range).  Returns 1 when the bracket ended,
 * 0 when it goes on, negative on errors. */
static int bracket_dash(struct compiler *c, struct re_set *s, int last)
{
	int ch;

	if (c->end - c->p > 1 && *c->p == '[' && strchr(":.=", c->p[1]))
		return invalid(c, "a range ends in a character class");
	switch (bracket_piece(c, s, &ch, 0)) {
	case P_END:
		set_byte(s, '-');
		return 1;
	case P_CHAR:
	case P_DASH:
		if (last < 0)
			return invalid(c, "a dash stands where no range can begin");
		return set_range(c, s, last, ch);
	default:
		return -1;
	}
}

static int bracket(struct compiler *c, struct frag *out)
{
	struct re_set s = { { 0 } };
	int negate = c->p < c->end && *c->p == '^', last = -2, first = 1;

	c->p += negate;
	for (;; first = 0) {
		int ch;
		enum piece p = bracket_piece(c, &s, &ch, first);

		if (p == P_ERROR)
			return -1;
		if (p == P_END)
			break;
		if (p == P_DASH && !first) {
			int r = bracket_dash(c, &s, last);
			if (r < 0)
				return r;
			if (r)
				break;
			last = -2;
			continue;
		}
		if (p != P_CLASS)
			set_byte(&s, (unsigned char)ch);
		last = p == P_CLASS ? -1 : ch;
	}
	for (int i = 0; negate && i < 4; i++)
		s.w[i] = ~s.w[i];
	*out = single(c, RE_SET, add_set(c, &s));
	return 0;
}

/* --- the grammar --- */

/* The last term, which no quantifier can reach any more, joins the sequence. */
static void end_term(struct compiler *c, struct group *g)
{
	if (!g->has_term)
		return;
	g->seq = g->has_seq ? append(c, g->seq, g->term) : g->term;
	g->has_seq = 1;
	g->has_term = 0;
}

static void set_term(struct compiler *c, struct group *g, struct frag f, int quantifiable)
{
	end_term(c, g);
	g->term = f;
	g->has_term = 1;
	g->quantifiable = quantifiable;
}

/* The sequence joins the alternatives. */
static void end_alternative(struct compiler *c, struct group *g)
{
	end_term(c, g);
	struct frag seq = g->has_seq ? g->seq : single(c, RE_NOP, 0);
	g->has_seq = 0;
	if (!g->has_alts) {
		g->alts = seq;
		g->has_alts = 1;
		return;
	}
	uint32_t alt = add(c, RE_ALT, 0), end = add(c, RE_NOP, 0);
	struct re_state *st = c->re->st;
	st[alt].alt = g->alts.start;
	st[alt].next = seq.start;
	st[g->alts.end].next = end;
	st[seq.end].next = end;
	c->re->has_alt = 1;
	g->alts = (struct frag){ g->alts.lo, alt, end, g->alts.empty || seq.empty };
}

static struct group *push_group(struct compiler *c, uint32_t index)
{
	if (c->depth == c->cap_stack) {
		c->cap_stack = c->cap_stack ? c->cap_stack * 2 : 8;
		c->stack = xrealloc_array(c->stack, c->cap_stack, sizeof *c->stack);
	}
	struct group *g = &c->stack[c->depth++];
	*g = (struct group){ .index = index };
	g->open = index == NONE ? add(c, RE_NOP, 0) : add(c, RE_SAVE, 2 * index);
	return g;
}

static int close_group(struct compiler *c)
{
	if (c->depth < 2)
		return invalid(c, "a parenthesis is closed that was not opened");
	struct group *g = &c->stack[c->depth - 1];
	end_alternative(c, g);
	struct frag f = { g->open, g->open, g->open, 1 };
	f = append(c, f, g->alts);
	f = append(c, f, single(c, RE_SAVE, 2 * g->index + 1));
	f.empty = g->alts.empty;
	c->depth--;
	set_term(c, &c->stack[c->depth - 1], f, 1);
	return 0;
}

static int escape(struct compiler *c, struct group *g)
{
	if (c->p == c->end || !*c->p || !strchr(".[\\()*+?{|^$", *c->p))
		return invalid(c, "an escape that has no meaning");
	set_term(c, g, byte_term(c, *c->p++), 1);
	return 0;
}

static int special(struct compiler *c, struct group *g, char ch)
{
	struct frag f;

	switch (ch) {
	case '\\':
		return escape(c, g);
	case '(':
		push_group(c, c->re->groups++);
		return 0;
	case ')':
		return close_group(c);
	case '|':
		end_alternative(c, g);
		return 0;
	case '^':
	case '$':
		set_term(c, g, single(c, ch == '^' ? RE_BOL : RE_EOL, 0), 0);
		return 0;
	case '.': {
		struct re_set any = { { ~(uint64_t)1, ~(uint64_t)0, ~(uint64_t)0, ~(uint64_t)0 } };
		set_term(c, g, single(c, RE_SET, add_set(c, &any)), 1);
		return 0;
	}
	case '[':
		if (bracket(c, &f) < 0)
			return -1;
		set_term(c, g, f, 1);
		return 0;
	case 0:
		return invalid(c, "a NUL byte");
	default:
		return quantifier(c, g, ch);
	}
}

static int parse(struct compiler *c)
{
	push_group(c, NONE);
	while (c->p < c->end) {
		struct group *g = &c->stack[c->depth - 1];
		char ch = *c->p++;

		if (c->re->n > LIMIT_REGEX_STATES)
			return too_big(c);
		if (ch && !strchr(".[\\()*+?{|^$", ch))
			set_term(c, g, byte_term(c, ch), 1);
		else if (special(c, g, ch) < 0)
			return -1;
	}
	if (c->depth > 1)
		return invalid(c, "a parenthesis is not closed");
	struct group *g = &c->stack[0];
	end_alternative(c, g);
	uint32_t match = add(c, RE_MATCH, 0);
	c->re->st[g->alts.end].next = match;
	c->re->start = g->alts.start;
	return c->re->n > LIMIT_REGEX_STATES + 1 ? too_big(c) : 0;
}

/* --- finishing --- */

static uint32_t skip_nops(const struct regex *re, uint32_t s)
{
	while (s != NONE && re->st[s].op == RE_NOP)
		s = re->st[s].next;
	return s;
}

/* Links go past the placeholders; runs get their numbers.  Walking backwards keeps chains short:
 * a placeholder mostly leads to a later state. */
static void link_states(struct regex *re)
{
	for (uint32_t i = re->n; i-- > 0;) {
		struct re_state *s = &re->st[i];
		s->next = skip_nops(re, s->next);
		s->alt = skip_nops(re, s->alt);
		if (s->op == RE_RUN)
			s->alt = re->runs++;
	}
	re->start = skip_nops(re, re->start);
}

/* Looks past what only notes positions to what must match after each run. */
static void find_exits(struct regex *re)
{
	for (uint32_t i = 0; i < re->n; i++) {
		struct re_state *s = &re->st[i];
		uint32_t t = s->next;
		if (s->op != RE_RUN)
			continue;
		/* Groups may be many; a few steps find nearly all.  The original of copies leads nowhere. */
		for (int steps = 0; t != NONE && re->st[t].op == RE_SAVE && steps < 8; steps++)
			t = re->st[t].next;
		if (t != NONE && re->st[t].op == RE_BYTE) {
			s->exit = RE_EXIT_BEFORE_BYTE;
			s->c = re->st[t].c;
		} else if (t != NONE && re->st[t].op == RE_MATCH) {
			s->exit = RE_EXIT_BEFORE_MATCH;
		}
	}
}

/* The bytes a match can begin with, by walking what consumes nothing.  None when it can be empty. */
static void find_first(struct regex *re)
{
	char *seen = xcalloc(re->n, 1);
	uint32_t *todo = xmalloc((2 * (size_t)re->n + 1) * sizeof *todo), n = 0;

	re->has_first = 1;
	todo[n++] = re->start;
	while (n && re->has_first) {
		uint32_t i = todo[--n];
		const struct re_state *s = &re->st[i];
		if (seen[i])
			continue;
		seen[i] = 1;
		if (s->op == RE_BYTE)
			set_byte(&re->first, s->c);
		if (s->op == RE_SET || s->op == RE_RUN)
			for (int k = 0; k < 4; k++)
				re->first.w[k] |= re->sets[s->arg].w[k];
		if (s->op == RE_MATCH)
			re->has_first = 0;
		if (s->op == RE_ALT || s->op == RE_REP)
			todo[n++] = s->alt;
		if (s->op != RE_BYTE && s->op != RE_SET && s->op != RE_MATCH)
			todo[n++] = s->next;
	}
	free(seen);
	free(todo);
	int bits = 0;
	for (int k = 0; k < 4; k++)
		bits += __builtin_popcountll(re->first.w[k]);
	re->first_byte = -1;
	for (int b = 0; bits == 1 && b < 256; b++)
		if (re_has(&re->first, (unsigned char)b))
			re->first_byte = b;
}

static struct regex *compile(const char *p, size_t n, struct err *e)
{
	struct regex *re = xrealloc_array(NULL, 1, sizeof *re);
	struct compiler c = { .p = p, .end = p + n, .re = re, .err = e };

	memset(re, 0, sizeof *re);
	int rc = parse(&c);
	free(c.stack);
	if (rc < 0) {
		free(re->st);
		free(re->sets);
		free(re);
		return NULL;
	}
	link_states(re);
	find_exits(re);
	find_first(re);
	re->pattern = xrealloc_array(NULL, n + 1, 1);
	memcpy(re->pattern, p, n);
	re->len = n;
	return re;
}

/* --- the cache --- */

#define BUCKETS 1024

static struct regex *cache[BUCKETS];
static pthread_mutex_t cache_lock = PTHREAD_MUTEX_INITIALIZER;

static uint32_t hash(const char *p, size_t n)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)p[i]) * 16777619u;
	return (h ^ h >> 15) % BUCKETS;
}

const struct regex *regex_get(const char *p, size_t n, struct err *e)
{
	struct regex **bucket = &cache[hash(p, n)], *re;

	pthread_mutex_lock(&cache_lock);
	for (re = *bucket; re; re = re->chain)
		if (re->len == n && !memcmp(re->pattern, p, n))
			break;
	if (!re && (re = compile(p, n, e))) {
		re->chain = *bucket;
		*bucket = re;
	}
	pthread_mutex_unlock(&cache_lock);
	return re;
}

uint32_t regex_groups(const struct regex *re)
{
	return re->groups;
}
