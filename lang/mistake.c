/* SPDX-License-Identifier: MIT
 *
 * The tables of other languages' words and characters, and what they are here.
 *
 * Whether a name stood in a string that a shell will read is told by the line it stands in: that is there when the tree
 * is not any more, and the same for names that are looked up while evaluating.
 */
#include "config.h"
#include "lang/mistake.h"

#include <string.h>

/* --- words --- */

static const struct { const char *word, *advice; } words[] = {
	{ "system", "a flake names its systems: \"x86_64-linux\", or eachDefaultSystem (system: …)" },
	{ "pkgs", "in a flake: let pkgs = nixpkgs.legacyPackages.${system}; in …; elsewhere: pkgs = import <nixpkgs> { }" },
	{ "None", "it is written null" },
	{ "nil", "it is written null" },
	{ "NULL", "it is written null" },
	{ "undefined", "it is written null" },
	{ "not", "'not' is written '!', as in !a" },
	{ "and", "'and' is written '&&'" },
	{ "elif", "it is written 'else if'" },
	{ "elsif", "it is written 'else if'" },
	{ "return", "there is no 'return': the body of a function is its value" },
	{ "function", "a function is written 'x: body', one of a set '{ a, b }: body'" },
	{ "lambda", "a function is written 'x: body', one of a set '{ a, b }: body'" },
	{ "def", "a function is written 'name = x: body;'" },
	{ "const", "names are bound in 'let a = 1; in a', or in a set" },
	{ "var", "names are bound in 'let a = 1; in a', or in a set" },
	{ "for", "there are no loops: builtins.map, filter and foldl' go through lists" },
	{ "while", "there are no loops: builtins.map, filter and foldl' go through lists" },
	{ "print", "builtins.trace prints a value while evaluating" },
};

static const char *word_advice(const char *name)
{
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (!strcmp(words[i].word, name))
			return words[i].advice;
	return NULL;
}

/* --- the shell's braces --- */

static int is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static size_t name_length(const char *p)
{
	size_t n = 0;

	while (is_alpha(p[n]) || (n && p[n] >= '0' && p[n] <= '9'))
		n++;
	return n;
}

int mistake_is_shell(const char *p)
{
	if ((*p == '#' || *p == '!') && is_alpha(p[1]))
		return *p == '#' || p[1 + name_length(p + 1)] != '}';
	size_t n = name_length(p);
	char c = p[n], d = c ? p[n + 1] : 0;
	if (!n)
		return 0;
	return (c == ':' && d && strchr("-=+?", d)) || c == '%' || c == '#' || c == '^' || (c == ',' && d == ',') ||
	       (c == '[' && (d == '@' || d == '*'));
}

static const char for_shell[] = "for a variable of the shell, ''${ is how to write ${ in a ''...'' string, and \\${ in \"...\"";

static void add_line(struct buf *b, const char *text)
{
	if (b->len)
		buf_addc(b, '\n');
	buf_adds(b, text);
}

void mistake_in_braces(struct buf *b, const struct source *src, const struct bracket *open)
{
	if (!open || open->kind != '$' || !mistake_is_shell(src->text + (open->pos - src->start) + 2))
		return;
	add_line(b, for_shell);
}

/* What stands before and at a position in its line. */
struct place {
	const char *line, *at;
};

static int find_place(struct place *p, uint32_t pos)
{
	struct source_loc loc;

	if (source_locate(pos, &loc) || !loc.line_text)
		return 0;
	*p = (struct place){ loc.line_text, loc.line_text + loc.column - 1 };
	return 1;
}

static int ends_with(const struct place *p, const char *text)
{
	size_t n = strlen(text);

	return (size_t)(p->at - p->line) >= n && !memcmp(p->at - n, text, n);
}

static int is_environment_name(const char *name)
{
	int letters = 0;

	for (; *name; name++) {
		if (*name >= 'a' && *name <= 'z')
			return 0;
		letters += *name >= 'A' && *name <= 'Z';
	}
	return letters > 1;
}

/* A variable of the shell, in a string that is a script. */
static const char *shell_advice(const char *name, const struct place *p)
{
	if (ends_with(p, "\\${"))
		return "in a ''...'' string ''${ is how to write ${";
	if (ends_with(p, "${") && is_environment_name(name))
		return for_shell;
	return NULL;
}

void mistake_builtin(struct buf *b, const char *name)
{
	static const struct { const char *name, *advice; } builtins[] = {
		{ "fetchurl", "builtins.fetchurl is the one that fetches while evaluating" },
		{ "currentSystem", "flakes are evaluated pure: name the system (lib.eachDefaultSystem), or pass --impure" },
		{ "currentTime", "flakes are evaluated pure: pass --impure for what changes from one time to the next" },
	};

	for (size_t i = 0; i < sizeof builtins / sizeof *builtins; i++)
		if (!strcmp(builtins[i].name, name))
			add_line(b, builtins[i].advice);
}

void mistake_variable(struct buf *b, sym_t name, uint32_t pos)
{
	const char *word = word_advice(sym_name(name)->b);
	struct place p;

	if (find_place(&p, pos) && !word)
		word = shell_advice(sym_name(name)->b, &p);
	if (word)
		add_line(b, word);
	else
		mistake_builtin(b, sym_name(name)->b);
}

void mistake_function(struct buf *b, uint32_t pos)
{
	struct place p;

	if (!find_place(&p, pos) || !ends_with(&p, "${") || !mistake_is_shell(p.at))
		return;
	add_line(b, for_shell);
}

/* --- characters --- */

static const struct { uint32_t code; const char *name, *advice; } characters[] = {
	{ 0x00a0, "no-break space", "a plain blank is needed" },
	{ 0x00ab, "quotation mark", "strings are written \"...\" or ''...''" },
	{ 0x00ad, "soft hyphen", "it is invisible and has to go" },
	{ 0x00bb, "quotation mark", "strings are written \"...\" or ''...''" },
	{ 0x00d7, "multiplication sign", "it is written '*'" },
	{ 0x200b, "zero width space", "it is invisible and has to go" },
	{ 0x200c, "zero width non-joiner", "it is invisible and has to go" },
	{ 0x200d, "zero width joiner", "it is invisible and has to go" },
	{ 0x2011, "non-breaking hyphen", "it is written '-'" },
	{ 0x2013, "en dash", "it is written '-'" },
	{ 0x2014, "em dash", "it is written '-'" },
	{ 0x2018, "quotation mark", "strings are written \"...\" or ''...''" },
	{ 0x2019, "quotation mark", "strings are written \"...\" or ''...''" },
	{ 0x201c, "quotation mark", "strings are written \"...\" or ''...''" },
	{ 0x201d, "quotation mark", "strings are written \"...\" or ''...''" },
	{ 0x201e, "quotation mark", "strings are written \"...\" or ''...''" },
	{ 0x2026, "ellipsis", "it is written '...'" },
	{ 0x202f, "narrow no-break space", "a plain blank is needed" },
	{ 0x2192, "arrow", "it is written '->'" },
	{ 0x2212, "minus sign", "it is written '-'" },
	{ 0x2260, "sign", "it is written '!='" },
	{ 0x2264, "sign", "it is written '<='" },
	{ 0x2265, "sign", "it is written '>='" },
	{ 0x3000, "ideographic space", "a plain blank is needed" },
	{ 0xfeff, "byte order mark", "it is invisible and has to go" },
};

static uint32_t code_point(const unsigned char *p, int n)
{
	uint32_t c = n == 2 ? *p & 0x1f : n == 3 ? *p & 0x0f : *p & 0x07;

	for (int i = 1; i < n; i++)
		c = c << 6 | (p[i] & 0x3f);
	return c;
}

void mistake_character(struct buf *b, const unsigned char *p, int n)
{
	uint32_t c = code_point(p, n);

	for (size_t i = 0; i < sizeof characters / sizeof *characters; i++)
		if (characters[i].code == c) {
			buf_addf(b, "unexpected %s (U+%04X): %s", characters[i].name, (unsigned)c, characters[i].advice);
			return;
		}
	buf_addf(b, "unexpected character '%.*s'", n, (const char *)p);
	/* The wide forms of ASCII. */
	if (c > 0xff00 && c < 0xff5f)
		buf_addf(b, " (U+%04X): it is written '%c'", (unsigned)c, (int)(c - 0xfee0));
}

const char *mistake_ascii(int c)
{
	switch (c) {
	case '`': return "; strings are written \"...\" or ''...''";
	case '%': return "; there is no remainder operator, it is a - b * (a / b)";
	case '^': return "; builtins.bitXor is the operation on bits";
	case '~': return "; a path in the home folder is written ~/x";
	default: return "";
	}
}
