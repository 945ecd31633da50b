/* SPDX-License-Identifier: MIT
 *
 * The scanner.  Inside strings and paths the same bytes mean other tokens, so there is a re2c condition
 * for each, kept in lx->cond and, across the brackets of interpolations, on the stack of open brackets.
 *
 * The text ends where lx->lim points, at a NUL (base/source.h): a rule that meets a NUL compares with
 * lim, and a NUL before the end is wrong everywhere but in comments.
 *
 * Two things are done by hand before the generated code runs.  Blanks and comments are skipped, as
 * they are half of a typical file.  And since `a.b.c` may turn out to be the path `a.b.c/d` only at its
 * end, a run of path characters is looked at once (looks_like_path) and its parts are then
 * scanned with rules that know no paths: re-reading the run for every name in it would take quadratic
 * time.
 */
#include "config.h"
#include "lang/mistake.h"
#include "lang/parser.h"
#include "lang/reread.h"
#include "base/limits.h"

#include <errno.h>
#include <string.h>

enum { CC_PATH = 1, CC_URL = 2, CC_ALPHA = 4, CC_BLANK = 8 };

static const unsigned char char_class[256] = {
	[' '] = CC_BLANK, ['\t'] = CC_BLANK, ['\r'] = CC_BLANK, ['\n'] = CC_BLANK,
	['a' ... 'z'] = CC_PATH | CC_URL | CC_ALPHA,
	['A' ... 'Z'] = CC_PATH | CC_URL | CC_ALPHA,
	['0' ... '9'] = CC_PATH | CC_URL,
	['.'] = CC_PATH | CC_URL, ['_'] = CC_PATH | CC_URL, ['-'] = CC_PATH | CC_URL, ['+'] = CC_PATH | CC_URL,
	['%'] = CC_URL, ['/'] = CC_URL, ['?'] = CC_URL, [':'] = CC_URL, ['@'] = CC_URL, ['&'] = CC_URL,
	['='] = CC_URL, ['$'] = CC_URL, [','] = CC_URL, ['!'] = CC_URL, ['~'] = CC_URL, ['*'] = CC_URL,
	['\''] = CC_URL,
};

/*!types:re2c*/

static uint32_t pos_of(const struct lexer *lx, const unsigned char *p)
{
	return lx->src->start + (uint32_t)(p - lx->text);
}

/* Reports an error about n bytes at p; the result is the token that ends the parse. */
#define LEX_ERROR(lx, p, n, ...) (err_at((lx)->err, pos_of(lx, p), (uint32_t)(n), __VA_ARGS__), LANG_error)

static int open_bracket(struct parse *ps, char kind, uint8_t cond)
{
	struct lexer *lx = &ps->lx;
	struct bracket *b = stack_push(&lx->brackets);

	/* Behind an interpolation a path need not go on. */
	*b = (struct bracket){ pos_of(lx, lx->tok), kind, lx->cond == COND_path_slash ? COND_path : lx->cond };
	lx->cond = cond;
	if (lx->brackets.n <= LIMIT_PARSE_DEPTH)
		return 0;
	ast_too_deep(ps, b->pos, (uint32_t)(lx->cur - lx->tok));
	return LANG_error;
}

/* A closing bracket that does not fit leaves the stack alone: the parser refuses it and wants to know
 * what is open. */
static void close_bracket(struct lexer *lx, char kind, char or_kind)
{
	const struct bracket *top;

	if (!lx->brackets.n)
		return;
	top = stack_from(&lx->brackets, lx->brackets.n - 1);
	if (top->kind != kind && top->kind != or_kind)
		return;
	lx->cond = top->cond;
	lx->brackets.n--;
}

/* The first \n or \r from p on, eight bytes at a time. */
static const unsigned char *line_end(const unsigned char *p, const unsigned char *lim)
{
	const uint64_t ones = 0x0101010101010101u, high = ones << 7;

	for (; lim - p >= 8; p += 8) {
		uint64_t w, nl, cr;
		memcpy(&w, p, 8);
		nl = w ^ (ones * '\n');
		cr = w ^ (ones * '\r');
		if ((((nl - ones) & ~nl) | ((cr - ones) & ~cr)) & high)
			break;
	}
	while (p < lim && *p != '\n' && *p != '\r')
		p++;
	return p;
}

/* Past the comment that opens at p, NULL when it has no end. */
static const unsigned char *comment_end(const unsigned char *p, const unsigned char *lim)
{
	for (p += 2; p < lim; p++) {
		p = memchr(p, '*', (size_t)(lim - p));
		if (!p)
			return NULL;
		if (p[1] == '/')
			return p + 2;
	}
	return NULL;
}

/* To the next token, remembering a doc comment on the way.  Returns 0 or the error token. */
static int skip_blank(struct lexer *lx)
{
	const unsigned char *p = lx->cur, *end;

	for (;; p = end) {
		while (char_class[*p] & CC_BLANK)
			p++;
		if (*p == '#') {
			end = line_end(p, lx->lim);
		} else if (*p == '/' && p[1] == '*') {
			end = comment_end(p, lx->lim);
			if (!end)
				return LEX_ERROR(lx, p, 2, "unterminated comment: no closing '*/' before the end of file");
			if (p[2] == '*' && p[3] != '*' && p[3] != '/')
				lx->doc = (struct doc_comment){ 0, (uint32_t)(p + 3 - lx->text),
								(uint32_t)(end - p - 5) };
		} else {
			break;
		}
	}
	lx->cur = p;
	return 0;
}

/* Whether a path or URL literal begins at the token's first byte; then it is the longest token there. */
static int looks_like_path(struct lexer *lx)
{
	const unsigned char *p = lx->cur, *q;

	if (p >= lx->run_end) {
		lx->url_from = p;
		for (q = p; char_class[*q] & CC_PATH; q++)
			if (*q == '_')
				lx->url_from = q + 1;
		lx->run_end = q;
	}
	q = lx->run_end;
	if (*q == '/')
		return (char_class[q[1]] & CC_PATH) || (q[1] == '$' && q[2] == '{');
	if (*q == ':')
		return p >= lx->url_from && (char_class[*p] & CC_ALPHA) && (char_class[q[1]] & CC_URL);
	return 0;
}

/* A path literal ended, or was opened, with the byte before cur. */
static void in_path(struct lexer *lx)
{
	lx->cond = lx->cur[-1] == '/' ? COND_path_slash : COND_path;
}

static int path_goes_on(const unsigned char *p)
{
	return (char_class[*p] & CC_PATH) || *p == '/' || (p[0] == '$' && p[1] == '{');
}

static int end_path(struct lexer *lx)
{
	int slash = lx->cond == COND_path_slash;

	lx->cond = COND_code;
	if (slash)
		return LEX_ERROR(lx, lx->cur - 1, 1, "a path literal cannot end with a slash%s",
				 *lx->cur == '$' ? "; a variable in it is written ${d}" : "");
	return PATH_END;
}

static int number(struct lexer *lx, union sem *v)
{
	uint64_t i = 0;

	for (const unsigned char *p = lx->tok; p < lx->cur; p++) {
		uint64_t digit = *p - '0';
		if (i > ((uint64_t)INT64_MAX - digit) / 10)
			return LEX_ERROR(lx, lx->tok, lx->cur - lx->tok,
					 "integer '%.*s' is too large: the greatest is 9223372036854775807",
					 (int)(lx->cur - lx->tok > 60 ? 60 : lx->cur - lx->tok), (const char *)lx->tok);
		i = i * 10 + digit;
	}
	v->i = (int64_t)i;
	return INT_LIT;
}

static int floating(struct lexer *lx, union sem *v)
{
	int n = lx->cur - lx->tok > 60 ? 60 : (int)(lx->cur - lx->tok);

	errno = 0;
	v->d = strtod((const char *)lx->tok, NULL);
	if (errno)
		return LEX_ERROR(lx, lx->tok, lx->cur - lx->tok, "floating-point number '%.*s' is out of range", n,
				 (const char *)lx->tok);
	return FLOAT_LIT;
}

/* Bytes of the UTF-8 sequence at p, 0 if there is no valid one of more than a byte. */
static int utf8_length(const unsigned char *p)
{
	int n = *p >= 0xc2 && *p < 0xe0 ? 2 : *p >= 0xe0 && *p < 0xf0 ? 3 : *p >= 0xf0 && *p < 0xf5 ? 4 : 0;

	for (int i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

/* Sets the error about n bytes of UTF-8. */
static int bad_sequence(struct lexer *lx, const unsigned char *p, int n)
{
	struct buf b = BUF_INIT;

	mistake_character(&b, p, n);
	err_at(lx->err, pos_of(lx, p), (uint32_t)n, "%s", buf_str(&b));
	buf_release(&b);
	return LANG_error;
}

/* Of ASCII, in what the shell should see perhaps. */
static int bad_ascii(struct lexer *lx, const unsigned char *p)
{
	const struct bracket *top = lx->brackets.n ? stack_from(&lx->brackets, lx->brackets.n - 1) : NULL;
	struct buf b = BUF_INIT;

	buf_addf(&b, "unexpected character '%c'", *p);
	if (top && top->kind == '$' && mistake_is_shell((const char *)lx->text + (top->pos - lx->src->start) + 2))
		mistake_in_braces(&b, lx->src, top);
	else
		buf_adds(&b, mistake_ascii(*p));
	err_at(lx->err, pos_of(lx, p), 1, "%s", buf_str(&b));
	buf_release(&b);
	return LANG_error;
}

static int bad_character(struct lexer *lx)
{
	const unsigned char *p = lx->tok;
	int n = utf8_length(p);

	if (!*p)
		return LEX_ERROR(lx, p, 1, "unexpected NUL byte");
	if (n)
		return bad_sequence(lx, p, n);
	if (*p == '\\')
		return LEX_ERROR(lx, p, 1, "unexpected character '\\'; a function is written 'x: body'");
	if (*p == '&' || *p == '|')
		return LEX_ERROR(lx, p, 1, "unexpected character '%c'; did you mean '%c%c'?", *p, *p, *p);
	if (*p == '$')
		return LEX_ERROR(lx, p, 1, "unexpected character '$'; a variable is written without it, or as ${...} in a "
					   "string");
	if (*p == '\'')
		return LEX_ERROR(lx, p, 1, "unexpected character \"'\"; strings are written \"...\" or ''...''");
	if (*p > 0x20 && *p < 0x7f)
		return bad_ascii(lx, p);
	return LEX_ERROR(lx, p, 1, "unexpected byte 0x%02x", *p);
}

/* No text of a string goes on here: there is a NUL, perhaps behind a backslash, which a string value may not hold, or
 * its end is missing.  The innermost open bracket is the quote that was never closed.  It may well be a closing one
 * taken for an opening one, behind a `${` without its brace. */
static int unterminated_string(struct lexer *lx)
{
	uint32_t n = lx->brackets.n;
	const struct bracket *v = stack_from(&lx->brackets, 0), *top = &v[n - 1];
	int ind = top->kind == '\'';
	struct span before;
	struct buf b = BUF_INIT;

	for (const unsigned char *p = lx->tok; p < lx->lim; p++)
		if (!*p)
			return LEX_ERROR(lx, p, 1, "a string cannot contain a NUL byte");
	before = reread_long_string(lx->src, top->pos);
	if (n > 1 && top[-1].kind == '$') {
		buf_adds(&b, "; it begins inside the '${' opened at ");
		show_position(&b, top[-1].pos);
	}
	if (before.begin) {
		buf_adds(&b, "\nthe string opened at ");
		show_position(&b, before.begin);
		buf_adds(&b, " runs over the end of its line; is its closing '\"' missing?");
	}
	err_at(lx->err, top->pos, ind ? 2 : 1, "unterminated string: no closing %s before the end of file%s",
	       ind ? "\"''\"" : "'\"'", buf_str(&b));
	buf_release(&b);
	return LANG_error;
}

static int lex_token(struct parse *ps, union sem *v)
{
	struct lexer *lx = &ps->lx;
	const unsigned char *cur, *marker;
	int failed;

	if (lx->cond == COND_code) {
		failed = skip_blank(lx);
		if (failed)
			return failed;
		if (((char_class[*lx->cur] & CC_PATH) || *lx->cur == '/') && looks_like_path(lx))
			lx->cond = COND_word;
	}
	lx->tok = lx->cur;
	if ((lx->cond == COND_path || lx->cond == COND_path_slash) && !path_goes_on(lx->cur))
		return end_path(lx);

	cur = lx->cur;
	/* Scanning in a local variable takes a third less time; an action takes over where it came to. */
#define TAKE lx->cur = cur
	/*!re2c
	re2c:define:YYCTYPE = "unsigned char";
	re2c:define:YYCURSOR = cur;
	re2c:define:YYMARKER = "marker";
	re2c:define:YYGETCONDITION = "lx->cond";
	re2c:define:YYGETCONDITION:naked = 1;
	re2c:condenumprefix = COND_;
	re2c:yyfill:enable = 0;

	nul       = "\x00";
	any       = [^\x00];
	id        = [a-zA-Z_] [a-zA-Z0-9_'-]*;
	float     = ([1-9][0-9]* "." [0-9]* | "0"? "." [0-9]+) ([Ee] [+-]? [0-9]+)?;
	path_char = [a-zA-Z0-9._+-];
	path      = path_char* ("/" path_char+)+ "/"?;
	home_path = "~" ("/" path_char+)+ "/"?;
	search    = "<" path_char+ ("/" path_char+)* ">";
	url       = [a-zA-Z] [a-zA-Z0-9+.-]* ":" [a-zA-Z0-9%/?:@&=+$,_.!~*'-]+;
	str_char  = [^$"\\\x00] | "$" [^{"\\\x00] | "\\" any | "$\\" any;
	ind_char  = [^$'\x00] | "$" [^{'\x00] | "'" [^'$\x00];

	<word> path               { TAKE; in_path(lx); return PATH; }
	<word> path_char* "/" / "${" { TAKE; in_path(lx); return PATH; }
	<word> url                { TAKE; lx->cond = COND_code; return URI; }
	<word> any | nul          { TAKE; lx->cond = COND_code; return bad_character(lx); }

	<code> home_path          { TAKE; in_path(lx); return HPATH; }
	<code> "~/" / "${"        { TAKE; in_path(lx); return HPATH; }
	<code> search             { TAKE; return SPATH; }

	<code> "if"               { TAKE; return IF; }
	<code> "then"             { TAKE; return THEN; }
	<code> "else"             { TAKE; return ELSE; }
	<code> "assert"           { TAKE; return ASSERT; }
	<code> "with"             { TAKE; return WITH; }
	<code> "let"              { TAKE; return LET; }
	<code> "in"               { TAKE; return IN_KW; }
	<code> "rec"              { TAKE; return REC; }
	<code> "inherit"          { TAKE; return INHERIT; }
	<code> "or"               { TAKE; return OR_KW; }
	<code> id                 { TAKE; v->sym = sym_intern((const char *)lx->tok, (size_t)(lx->cur - lx->tok)); return ID; }
	<code> [0-9]+             { TAKE; return number(lx, v); }
	<code> float              { TAKE; return floating(lx, v); }

	<code> "..."              { TAKE; return ELLIPSIS; }
	<code> "=="               { TAKE; return EQ; }
	<code> "!="               { TAKE; return NEQ; }
	<code> "<="               { TAKE; return LEQ; }
	<code> ">="               { TAKE; return GEQ; }
	<code> "&&"               { TAKE; return AND; }
	<code> "||"               { TAKE; return OR; }
	<code> "->"               { TAKE; return IMPL; }
	<code> "//"               { TAKE; return UPDATE; }
	<code> "++"               { TAKE; return CONCAT; }
	<code> "<|"               { TAKE; return PIPE_FROM; }
	<code> "|>"               { TAKE; return PIPE_INTO; }
	<code> [-+*/<>=!?@.:;,]   { TAKE; return *lx->tok; }

	<code> [({[]              { TAKE; failed = open_bracket(ps, (char)*lx->tok, COND_code); return failed ? failed : *lx->tok; }
	<code> ")"                { TAKE; close_bracket(lx, '(', '('); return ')'; }
	<code> "]"                { TAKE; close_bracket(lx, '[', '['); return ']'; }
	<code> "}"                { TAKE; close_bracket(lx, '{', '$'); return '}'; }
	<code> "\""               { TAKE; failed = open_bracket(ps, '"', COND_string); return failed ? failed : '"'; }
	<code> "''" (" "* "\n")?  { TAKE; failed = open_bracket(ps, '\'', COND_indented); return failed ? failed : IND_OPEN; }
	<*> "${"                  { TAKE; failed = open_bracket(ps, '$', COND_code); return failed ? failed : DOLLAR_CURLY; }
	<code> any | nul          { if (lx->tok == lx->lim) return END; TAKE; return bad_character(lx); }

	<string> str_char+        { TAKE; return STR; }
	<string> str_char* "$" / "\"" { TAKE; return STR; }
	<string> "\""             { TAKE; close_bracket(lx, '"', '"'); return '"'; }
	<string> any | nul        { TAKE; return unterminated_string(lx); }

	<indented> ind_char+      { TAKE; v->piece = IND_TEXT; return IND_STR; }
	<indented> "$" | "''$"    { TAKE; v->piece = IND_DOLLAR; return IND_STR; }
	<indented> "'"            { TAKE; v->piece = IND_QUOTE; return IND_STR; }
	<indented> "'''"          { TAKE; v->piece = IND_QUOTES; return IND_STR; }
	<indented> "''\\" any     { TAKE; v->piece = IND_ESCAPE; return IND_STR; }
	<indented> "''"           { TAKE; close_bracket(lx, '\'', '\''); return IND_CLOSE; }
	<indented> any | nul      { TAKE; return unterminated_string(lx); }

	<path, path_slash> path | path_char* "/" | path_char+ { TAKE; in_path(lx); return STR; }
	<path, path_slash> any | nul { TAKE; return bad_character(lx); }
	*/
#undef TAKE
}

static void attach_doc(struct lexer *lx, uint32_t token)
{
	struct doc_comment *d = stack_push(&lx->docs);

	*d = lx->doc;
	d->token = token;
	lx->doc.len = 0;
}

int lang_lex(union sem *v, struct span *at, struct parse *ps)
{
	struct lexer *lx = &ps->lx;
	int token = lx->start_token;

	if (ps->err->code)
		return LANG_error;
	lx->start_token = 0;
	if (!token)
		token = lex_token(ps, v);
	*at = (struct span){ pos_of(lx, lx->tok), pos_of(lx, lx->cur) };
	if (lx->doc.len)
		attach_doc(lx, at->begin);
	lx->prev = lx->last;
	lx->last.token = token;
	lx->last.at = *at;
	return token;
}

void lexer_init(struct lexer *lx, const struct source *src, int start_token, struct err *err)
{
	*lx = (struct lexer){
		.src = src,
		.err = err,
		.text = (const unsigned char *)src->text,
		.lim = (const unsigned char *)src->text + src->len,
		.cond = COND_code,
		.start_token = start_token,
		.brackets = STACK_INIT(struct bracket),
		.docs = STACK_INIT(struct doc_comment),
	};
	lx->cur = lx->tok = lx->run_end = lx->url_from = lx->text;
}

void lexer_release(struct lexer *lx)
{
	stack_release(&lx->brackets);
	stack_release(&lx->docs);
}

const struct doc_comment *lexer_doc(const struct lexer *lx, uint32_t pos)
{
	const struct doc_comment *v = stack_from(&lx->docs, 0);
	uint32_t lo = 0, hi = lx->docs.n;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (v[mid].token < pos)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < lx->docs.n && v[lo].token == pos ? &v[lo] : NULL;
}
