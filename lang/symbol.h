/* SPDX-License-Identifier: MIT
 *
 * Symbols: interned names with small dense ids, in order of first use.  Ids compare equal
 * exactly when the names do; their order means nothing.  Names live as long as the process, for all its sessions:
 * what an id means depends on the name alone.
 */
#ifndef LANG_SYMBOL_H
#define LANG_SYMBOL_H

#include "lang/word.h"

typedef uint32_t sym_t;

/* Id 0 is no symbol.  These are interned first, so that their ids are constants. */
#define SYMBOLS(X)                                                                                         \
	X(OUT_PATH, "outPath") X(TYPE, "type") X(TO_STRING, "__toString") X(FUNCTOR, "__functor")          \
	X(OVERRIDES, "__overrides") X(NAME, "name") X(VALUE, "value") X(SYSTEM, "system")                  \
	X(DRV_PATH, "drvPath") X(OUTPUTS, "outputs") X(OUTPUT_NAME, "outputName") X(BODY, "body")           \
	X(BUILDER, "builder") X(ARGS, "args") X(PATH, "path") X(PREFIX, "prefix") X(FILE, "file")          \
	X(LINE, "line") X(COLUMN, "column") X(OR, "or") X(SUB, "__sub") X(MUL, "__mul") X(DIV, "__div")     \
	X(LESS_THAN, "__lessThan") X(FIND_FILE, "__findFile") X(NIX_PATH, "__nixPath")                     \
	X(CUR_POS, "__curPos") X(RIGHT, "right") X(WRONG, "wrong") X(SUCCESS, "success")                   \
	X(START_SET, "startSet") X(OPERATOR, "operator") X(KEY, "key") X(BUILTINS, "builtins")              \
	X(OUT, "out") X(ALL, "all") X(DERIVATION, "derivation") X(VERSION, "version")

enum {
	SYM_NONE,
#define X(id, text) SYM_##id,
	SYMBOLS(X)
#undef X
	SYM_FIRST_FREE
};

/* The symbol for a name of n bytes. */
sym_t sym_intern(const char *p, size_t n);

/* Says that a name will soon be interned: its place in the table is fetched meanwhile. */
void sym_expect(const char *p, size_t n);
sym_t sym_c(const char *s);

/* The symbol for a name if it was ever interned, else SYM_NONE: a set cannot have an attribute whose
 * name is no symbol, so look-ups by computed name need not grow the table. */
sym_t sym_find(const char *p, size_t n);

/* The name, as a string without context; never freed. */
const struct str *sym_name(sym_t s);

/* The name as a string value. */
static inline W sym_word(sym_t s)
{
	return w_tag(sym_name(s), TAG_STR);
}

/* memcmp order of two names: <0, 0, >0. */
int sym_cmp(sym_t a, sym_t b);

/* How many symbols there are (ids are below this). */
uint32_t sym_count(void);

#endif
