/* SPDX-License-Identifier: MIT
 *
 * One message for a token the grammar does not allow there.
 *
 * The parser knows which token came and which tokens it could have shifted.  Behind an expression that
 * is a short list, since it has by then decided that the expression is over: just `;` in a binding, just
 * `)` in parentheses.  So the list says where we are, and together with the token, the one before it and
 * the innermost open bracket it is enough to recognise the usual mistakes and say what to do.
 *
 * Tokens go by the names the grammar gives them ("'if'", "identifier"), as the generated parser
 * hands them out.
 */
#include "config.h"
#include "lang/ast_build.h"
#include "lang/mistake.h"
#include "lang/parser.h"
#include "lang/reread.h"
#include "base/buf.h"

#include <string.h>

/* What is known about the error. */
struct report {
	struct parse *ps;
	const char *token; /* that came */
	struct span at;
	const char *const *expected;
	int n;
	const struct bracket *open; /* innermost bracket the token stands in, NULL for none */
};

void show_position(struct buf *b, uint32_t pos)
{
	struct source_loc at;

	if (!source_locate(pos, &at))
		buf_addf(b, "%s:%u:%u", source_shown_name(at.src), at.line, at.column);
}

static int is(const struct report *r, const char *token)
{
	return !strcmp(r->token, token);
}

static int is_one_of(const char *token, const char *const *list)
{
	for (; *list; list++)
		if (!strcmp(token, *list))
			return 1;
	return 0;
}

static int expects(const struct report *r, const char *token)
{
	for (int i = 0; i < r->n; i++)
		if (!strcmp(r->expected[i], token))
			return 1;
	return 0;
}

static int expects_only(const struct report *r, const char *token)
{
	return r->n == 1 && expects(r, token);
}

/* Every expression may begin with an integer, and nothing else may. */
static int expects_expr(const struct report *r)
{
	return expects(r, "integer");
}

/* An attribute path may go on or begin. */
static int expects_name(const struct report *r)
{
	return expects(r, "'or'") && !expects_expr(r);
}

static const char *closer(char kind)
{
	return kind == '(' ? "')'" : kind == '[' ? "']'" : kind == '{' || kind == '$' ? "'}'" : "";
}

static const char *opener(char kind)
{
	return kind == '$' ? "${" : kind == '(' ? "(" : kind == '[' ? "[" : "{";
}

/* The byte of the source behind the token, past blanks; 0 at the end. */
static char next_char(const struct report *r)
{
	const char *p = literal_text(r->ps, r->at) + (r->at.end - r->at.begin);

	while (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r')
		p++;
	return *p;
}

/* "unexpected ...", with the token's text where the name does not tell it. */
static void add_token(struct buf *b, const struct report *r)
{
	static const char *const with_text[] = { "identifier", "integer", "floating-point number", "path",
						 "'~/' path", "'<...>' path", "URL", NULL };
	size_t n = r->at.end - r->at.begin;

	if (is(r, "'~/' path") || is(r, "'<...>' path"))
		buf_adds(b, "path");
	else
		buf_adds(b, r->token);
	if (is_one_of(r->token, with_text))
		buf_addf(b, " '%.*s%s'", (int)(n > 60 ? 60 : n), literal_text(r->ps, r->at), n > 60 ? "..." : "");
}

static const char *const expr_tokens[] = {
	"integer", "floating-point number", "path", "'~/' path", "'<...>' path", "URL", "'if'", "'assert'", "'with'",
	"'let'", "'rec'", "opening \"''\"", "'!'", "'-'", "'('", "'['", "'{'", NULL
};
static const char *const name_tokens[] = { "identifier", "'or'", "'\"'", "'${'", NULL };

/* What was expected, in at most four items; nothing if it is more. */
static void add_expected(struct buf *b, const struct report *r)
{
	const char *items[5];
	int n = 0, expr = expects_expr(r), name = expects_name(r);

	if (expr)
		items[n++] = "an expression";
	if (name)
		items[n++] = "a name";
	for (int i = 0; i < r->n; i++) {
		const char *t = r->expected[i];
		if ((expr && is_one_of(t, expr_tokens)) || ((expr || name) && is_one_of(t, name_tokens)) ||
		    !strcmp(t, "bindings"))
			continue;
		if (n == 4)
			return;
		items[n++] = t;
	}
	for (int i = 0; i < n; i++)
		buf_addf(b, "%s%s", i == 0 ? ", expected " : i == n - 1 ? " or " : ", ", items[i]);
}

/* Where the bracket is that was to be closed; no need if that is the token just before. */
static void add_open(struct buf *b, const struct report *r)
{
	if (!r->open || !expects(r, closer(r->open->kind)) || r->open->pos == r->ps->lx.prev.at.begin)
		return;
	buf_addf(b, " to close the '%s' opened at ", opener(r->open->kind));
	show_position(b, r->open->pos);
}

/* Before them a ';' may be missing. */
static const char *const binding_ends[] = { "'}'", "'in'", "'='", "'inherit'", NULL };
static const char *const comparisons[] = { "'=='", "'!='", "'<'", "'>'", "'<='", "'>='", NULL };
static const char *const prefix_words[] = { "'if'", "'let'", "'with'", "'assert'", NULL };
static const char *const keywords[] = { "'if'", "'then'", "'else'", "'let'", "'in'", "'with'", "'assert'", "'rec'",
					"'inherit'", NULL };

/* Whether a name may stand here.  In a `let` the parser has decided otherwise before it gives up, and
 * the token before tells. */
static int wants_name(const struct report *r)
{
	int prev = r->ps->lx.prev.token;

	return expects_name(r) || prev == LET || (prev == ';' && expects_only(r, "'in'"));
}

/* A keyword where a name should be, and is meant to be, to judge by what surrounds it. */
static const char *advice_for_keyword(const struct report *r)
{
	char next = next_char(r);

	if (!is_one_of(r->token, keywords))
		return NULL;
	if (r->ps->lx.prev.token == '.' || (wants_name(r) && (next == '=' || next == '.' || next == ';')))
		return ": it is a reserved word; in quotes it can be the name of an attribute";
	if (expects(r, "identifier") && !expects_expr(r) && (next == ',' || next == '?' || next == '}'))
		return ": it is a reserved word and cannot name an argument";
	if (is(r, "'in'") && r->ps->lx.prev.token == '}' && !r->open)
		return ": 'let' takes its bindings without braces, let a = 1; in a";
	if (is_one_of(r->token, prefix_words) && !wants_name(r))
		return ": as an operand or argument it needs parentheses";
	return NULL;
}

/* Names after `inherit`. */
static int in_inherit(const struct report *r)
{
	return expects(r, "';'") && expects_name(r) && !expects_expr(r) && !expects(r, "'}'");
}

static const char *advice_for_equals(const struct report *r)
{
	if (expects_only(r, "';'"))
		return ": is a ';' missing before this binding? A comparison is written '=='";
	if (in_inherit(r))
		return ": 'inherit' takes names only; what is bound to something else has a line of its own, a = 1;";
	if (literal_text(r->ps, r->at)[1] == '>')
		return ": a function is written 'x: body'";
	if (expects(r, "','") && expects(r, "'}'"))
		return ": the default of an argument is written with '?'";
	if (expects(r, "'in'") || expects_name(r) || expects_expr(r))
		return NULL;
	if (expects(r, "'then'") || expects(r, "'else'") || (r->open && r->open->kind != '$'))
		return ": a comparison is written '=='";
	return ": a comparison is written '==', and bindings stand in '{ }' or 'let ... in'";
}

static const char *advice_for_comma(const struct report *r)
{
	if (in_inherit(r))
		return ": names after 'inherit' are separated by blanks";
	if (r->ps->lx.prev.token == ELLIPSIS)
		return ": '...' comes last among the arguments";
	if (r->open && r->open->kind == '[')
		return ": elements of a list are separated by blanks";
	if (r->open && r->open->kind == '{' && expects_only(r, "';'"))
		return ": a binding ends with ';'";
	if (r->open && r->open->kind == '(')
		return ": arguments are separated by blanks, f a b";
	return NULL;
}

static const char *advice_for_dot(const struct report *r)
{
	const char *p = literal_text(r->ps, r->at);

	if (r->ps->lx.prev.token == '?')
		return ": an attribute that may be missing is written a.x or null";
	if (p[1] == '/' && p[2] == '$')
		return ": a variable in a path is written ./${d}";
	if (p[1] == '/' || (p[1] == '.' && p[2] == '/'))
		return p[1] == '/' ? ": a path cannot end with a slash; the current directory is './.'"
				   : ": a path cannot end with a slash; the parent directory is '../.'";
	return NULL;
}

static const char *advice_for_colon(const struct report *r)
{
	int prev = r->ps->lx.prev.token;

	if (reread_has_question(r->ps->src, r->at))
		return ": '?' asks whether a set has an attribute; a choice is written 'if c then a else b'";
	if (expects(r, "'='"))
		return ": names and values in a set are joined by '=', { a = 1; }";
	if (prev == ID)
		return ": a function used as an operand or argument needs parentheses";
	if (prev == '}')
		return ": these braces hold bindings; the arguments of a function are { a, b ? default, ... }";
	return NULL;
}

static const char *const operators[] = { "'+'", "'-'", "'*'", "'/'", "'//'", "'++'", "'=='", "'!='", "'<'", "'>'", "'<='", "'>='",
					 "'&&'", "'||'", "'->'", NULL };

/* An operator where none may be. */
static const char *advice_for_operator(const struct report *r)
{
	if (is(r, "'//'") && !expects(r, "'//'"))
		return ": a comment begins with '#', or stands between '/*' and '*/'";
	if (r->open && r->open->kind == '[' && expects(r, "']'"))
		return ": an operator inside a list needs parentheses, [ (a + b) (-1) ]";
	if (expects(r, "'='") && next_char(r) == '=')
		return ": a name is bound once, with '='";
	return NULL;
}

/* What follows a '?' is a name. */
static const char *advice_after_question(const struct report *r)
{
	if (r->ps->lx.prev.token != '?' || !expects_name(r))
		return NULL;
	if (is(r, "'?'"))
		return ": what stands for a missing attribute follows 'or', a.x or 1";
	return is(r, "'.'") ? NULL : ": '?' asks whether a set has an attribute; a choice is written 'if c then a else b'";
}

/* Nothing is open, and the expression was over. */
static const char *advice_at_end(const struct report *r)
{
	if (r->open || !expects(r, "end of file"))
		return NULL;
	if (is(r, "'}'") || is(r, "']'") || is(r, "')'"))
		return ": there is one too many, nothing is open here";
	if (is(r, "';'"))
		return ": the expression is over here; either a closing bracket before it is one too many, or the ';' is";
	return NULL;
}

/* What to do, for the mistakes we know; it begins with its own punctuation and replaces the list of what was
 * expected. */
static const char *advice(const struct report *r)
{
	const char *word = advice_for_keyword(r);

	if (word)
		return word;
	if (is(r, "'='"))
		return advice_for_equals(r);
	if (is(r, "','"))
		return advice_for_comma(r);
	if ((word = advice_after_question(r)) || (word = advice_at_end(r)))
		return word;
	if (is(r, "'.'"))
		return advice_for_dot(r);
	if (is_one_of(r->token, operators) && (word = advice_for_operator(r)))
		return word;
	if (is_one_of(r->token, comparisons) && expects(r, "'++'"))
		return ": comparisons do not chain; use parentheses or '&&'";
	if ((is(r, "'|>'") || is(r, "'<|'")) && !expects_expr(r))
		return ": '|>' and '<|' do not mix without parentheses";
	if (is(r, "end of path"))
		return ": a path cannot contain '//'; the operator needs blanks around it";
	if (is(r, "':'"))
		return advice_for_colon(r);
	if (is(r, "'@'") && r->ps->lx.prev.token == ID)
		return ": a function used as an operand or argument needs parentheses";
	if (expects_only(r, "'{'") && r->ps->lx.prev.token == LET)
		return ": a 'let' used as an operand or argument needs parentheses";
	if (expects_only(r, "'else'"))
		return ": every 'if' needs an 'else'";
	return NULL;
}

static void unclosed(const struct report *r, struct buf *b)
{
	buf_addf(b, "unexpected end of file: the '%s' opened at ", opener(r->open->kind));
	show_position(b, r->open->pos);
	buf_adds(b, " is never closed");
}

/* The bracket that was innermost before the token, which may itself have opened one. */
static const struct bracket *innermost(const struct parse *ps, struct span at)
{
	uint32_t n = ps->lx.brackets.n;
	const struct bracket *v = stack_from(&ps->lx.brackets, 0);

	if (n && v[n - 1].pos == at.begin)
		n--;
	return n ? &v[n - 1] : NULL;
}

/* Whether the token stands in a line that a merge left behind: one of them is the first thing that cannot be read. */
static int at_conflict_mark(const struct report *r)
{
	const char *p = literal_text(r->ps, r->at), *line = p;

	while (line > r->ps->src->text && line[-1] != '\n')
		line--;
	if (!*line || !strchr("<=>|", *line) || strspn(line, (char[]){ *line, 0 }) != 7 || !strchr(" \r\n", line[7]))
		return 0;
	err_at(r->ps->err, r->at.begin - (uint32_t)(p - line), 7,
	       "syntax error: this line is a mark of git's for a conflict: choose what stays, and take out the lines that begin "
	       "with '<<<<<<<', '=======' and '>>>>>>>'");
	return 1;
}

/* Whether a name follows a name among the arguments of a function, where a ',' should be between them. */
static int lacks_comma(const struct report *r)
{
	if ((!is(r, "identifier") && !is(r, "'...'")) || r->ps->lx.prev.token != ID || !r->open || r->open->kind != '{')
		return 0;
	return (expects(r, "','") && expects(r, "'}'")) || (expects(r, "'='") && reread_in_arguments(r->ps->src, r->at));
}

/* Sets the error and returns 1 when what is wrong began before the token: it is told where it began. */
static int began_earlier(const struct report *r)
{
	const struct source *src = r->ps->src;
	struct span at = is(r, "end of file") ? (struct span){ 0, 0 } : reread_long_string(src, r->at.begin);

	if (at.begin) {
          err_at(r->ps->err, at.begin, 1,
                 "the string that begins here runs over the end of its line; "
                 "is its closing '\"' missing?");
          return 1;
	}
	if (lacks_comma(r)) {
		err_at(r->ps->err, r->ps->lx.prev.at.end, 1, "syntax error: a ',' is missing here");
		return 1;
	}
	if (!expects_only(r, "';'"))
		return 0;
	/* What looked like a set is the arguments of a function. */
	if (is(r, "'}'") && (next_char(r) == ':' || next_char(r) == '@') && (at = reread_last_equals(src, r->at)).begin) {
		err_at(r->ps->err, at.begin, 1, "syntax error: the default of an argument is written with '?', { a ? 1 }: a");
		return 1;
	}
	uint32_t pos = is_one_of(r->token, binding_ends) ? reread_missing_semicolon(src, r->at) : 0;
	if (pos)
		err_at(r->ps->err, pos, 1, "syntax error: a ';' is missing here");
	return pos != 0;
}

/* The rest of a message about a bracket that is never closed: by the indentation another may be the one. */
static void add_odd_bracket(const struct report *r, struct buf *b)
{
	struct span opened, closed;

	if (!reread_odd_bracket(r->ps->src, &opened, &closed) || opened.begin == r->open->pos)
		return;
	buf_adds(b, "\nby the indentation it is the one opened at ");
	show_position(b, opened.begin);
	buf_adds(b, ": what closes it stands at ");
	show_position(b, closed.begin);
}

void syntax_error(struct parse *ps, const char *unexpected, struct span at, const char *const *expected, int n)
{
	struct report r = { ps, unexpected, at, expected, n, innermost(ps, at) };
	struct buf b = BUF_INIT;
	const char *what_to_do;

	if (at_conflict_mark(&r) || began_earlier(&r))
		return;
	buf_adds(&b, "syntax error: ");
	what_to_do = advice(&r);
	if (is(&r, "end of file") && r.open) {
		unclosed(&r, &b);
		add_odd_bracket(&r, &b);
	} else {
		buf_adds(&b, "unexpected ");
		add_token(&b, &r);
		if (what_to_do)
			buf_adds(&b, what_to_do);
		else
			add_expected(&b, &r);
		if (!what_to_do)
			add_open(&b, &r);
		mistake_in_braces(&b, ps->src, r.open);
	}
	err_at(ps->err, at.begin, at.end - at.begin, "%s", buf_str(&b));
	buf_release(&b);
}
