/* SPDX-License-Identifier: MIT
 *
 * The grammar.  Actions only call a constructor of lang/ast_build.h; what may be bound twice, how
 * strings are stripped and what a path means is decided there.
 *
 * Where it looks odder than it need be:
 *
 *   - `{` may open a set or the formals of a function and one token of lookahead must tell, so the
 *     empty `{ }` and the first binding are rules of their own.
 *   - `or` is a keyword only behind an attribute path; elsewhere `f or` applies f to a variable of
 *     that name, which nixpkgs relied on.
 *   - Lists of things leave them on a stack and have its height as their value (lang/stack.h).
 */
%define api.pure full
%define api.prefix {lang_}
%define api.value.type {union sem}
%define api.location.type {struct span}
%define parse.error custom
%param { struct parse *ps }
%locations
%expect 0

%code top {
#include "config.h"
}

%code requires {
#include "lang/ast_build.h"
}

%code {
#include "base/limits.h"

/* Deep right-recursive input may use up to 8 entries a level; the tree's own limit is the real one. */
#define YYMAXDEPTH (8 * LIMIT_PARSE_DEPTH + 1000)
#define YYLLOC_DEFAULT(Current, Rhs, N)                                                                    \
	((Current).begin = (N) ? YYRHSLOC(Rhs, 1).begin : YYRHSLOC(Rhs, 0).end,                            \
	 (Current).end = YYRHSLOC(Rhs, N).end)

#define yylex lang_lex
static void lang_error(const struct span *at, struct parse *ps, const char *msg);
}

%token <sym>	ID		"identifier"
%token <i>	INT_LIT		"integer"
%token <d>	FLOAT_LIT	"floating-point number"
%token		STR		"string text"
%token <piece>	IND_STR		"indented string text"
%token		PATH		"path"
%token		HPATH		"'~/' path"
%token		SPATH		"'<...>' path"
%token		PATH_END	"end of path"
%token		URI		"URL"
%token		IF "'if'" THEN "'then'" ELSE "'else'" ASSERT "'assert'" WITH "'with'"
%token		LET "'let'" IN_KW "'in'" REC "'rec'" INHERIT "'inherit'" OR_KW "'or'"
%token		EQ "'=='" NEQ "'!='" LEQ "'<='" GEQ "'>='" UPDATE "'//'" CONCAT "'++'"
%token		AND "'&&'" OR "'||'" IMPL "'->'" PIPE_FROM "'<|'" PIPE_INTO "'|>'"
%token		DOLLAR_CURLY "'${'" IND_OPEN "opening \"''\"" IND_CLOSE "closing \"''\"" ELLIPSIS "'...'"
%token		START_BINDINGS "bindings"
%token		END 0 "end of file"

%type <e> expr pipe_from pipe_into op application select simple
%type <e> string string_attr path_start bindings bindings_1
%type <mark> parts ind_parts attrpath names list formals
%type <formals> formal_set
%type <sym> attr

%right IMPL
%left OR
%left AND
%nonassoc EQ NEQ
%nonassoc '<' '>' LEQ GEQ
%right UPDATE
%precedence NOT
%left '+' '-'
%left '*' '/'
%right CONCAT
%precedence '?'
%precedence NEGATE

%%

start
	: expr				{ ps->result = $1; (void)yynerrs; }
	| START_BINDINGS bindings_1	{ ps->result = set_done($2, 0, @2); }
	;

expr
	: ID ':' expr	{ $$ = ast_lambda(ps, $1, NULL, $3, @$); }
	| formal_set ':' expr
		{ $$ = ast_lambda(ps, SYM_NONE, $1, $3, @$); }
	| formal_set '@' ID ':' expr
		{ $$ = ast_lambda(ps, $3, formals_with_arg(ps, $1, $3, (struct span){ @1.begin, @3.end }), $5, @$); }
	| ID '@' formal_set ':' expr
		{ $$ = ast_lambda(ps, $1, formals_with_arg(ps, $3, $1, (struct span){ @1.begin, @3.end }), $5, @$); }
	| ASSERT expr ';' expr	{ $$ = ast_with(ps, E_ASSERT, $2, $4, @$); }
	| WITH expr ';' expr	{ $$ = ast_with(ps, E_WITH, $2, $4, @$); }
	| LET bindings IN_KW expr	{ $$ = ast_let(ps, $2, $4, @$); }
	| IF expr THEN expr ELSE expr	{ $$ = ast_if(ps, $2, $4, $6, @$); }
	| pipe_from
	| pipe_into
	| op
	;

pipe_from
	: op PIPE_FROM pipe_from	{ $$ = ast_call(ps, $1, $3, @2); }
	| op PIPE_FROM op		{ $$ = ast_call(ps, $1, $3, @2); }
	;

pipe_into
	: pipe_into PIPE_INTO op	{ $$ = ast_pipe(ps, $3, $1, @2); }
	| op PIPE_INTO op		{ $$ = ast_pipe(ps, $3, $1, @2); }
	;

op
	: '!' op %prec NOT	{ $$ = ast_unary(ps, E_NOT, $2, @$); }
	| '-' op %prec NEGATE	{ $$ = ast_unary(ps, E_NEG, $2, @$); }
	| op EQ op		{ $$ = ast_binary(ps, BIN_EQ, $1, $3, @2); }
	| op NEQ op		{ $$ = ast_binary(ps, BIN_NE, $1, $3, @2); }
	| op '<' op		{ $$ = ast_binary(ps, BIN_LT, $1, $3, @2); }
	| op LEQ op		{ $$ = ast_binary(ps, BIN_LE, $1, $3, @2); }
	| op '>' op		{ $$ = ast_binary(ps, BIN_GT, $1, $3, @2); }
	| op GEQ op		{ $$ = ast_binary(ps, BIN_GE, $1, $3, @2); }
	| op AND op		{ $$ = ast_binary(ps, BIN_AND, $1, $3, @2); }
	| op OR op		{ $$ = ast_binary(ps, BIN_OR, $1, $3, @2); }
	| op IMPL op		{ $$ = ast_binary(ps, BIN_IMPL, $1, $3, @2); }
	| op UPDATE op		{ $$ = ast_binary(ps, BIN_UPDATE, $1, $3, @2); }
	| op '?' attrpath	{ $$ = ast_has_attr(ps, $1, $3, @2); }
	| op '+' op		{ $$ = ast_binary(ps, BIN_ADD, $1, $3, @2); }
	| op '-' op		{ $$ = ast_binary(ps, BIN_SUB, $1, $3, @2); }
	| op '*' op		{ $$ = ast_binary(ps, BIN_MUL, $1, $3, @2); }
	| op '/' op		{ $$ = ast_binary(ps, BIN_DIV, $1, $3, @2); }
	| op CONCAT op		{ $$ = ast_binary(ps, BIN_CONCAT, $1, $3, @2); }
	| application
	;

application
	: application select	{ $$ = ast_call(ps, $1, ast_warn_or(ps, $2), @$); }
	| select		{ $$ = ast_plain_or($1); }
	;

select
	: simple '.' attrpath	{ $$ = ast_select(ps, $1, $3, NULL, @$); }
	| simple '.' attrpath OR_KW select
				{ $$ = ast_select(ps, $1, $3, ast_warn_or(ps, $5), @$); }
	| simple OR_KW		{ $$ = ast_call_or(ps, $1, @2, @$); }
	| simple
	;

simple
	: ID			{ $$ = ast_name_or_cur_pos(ps, $1, @1); }
	| INT_LIT		{ $$ = ast_int(ps, $1, @1); }
	| FLOAT_LIT		{ $$ = ast_float(ps, $1, @1); }
	| string
	| IND_OPEN ind_parts IND_CLOSE	{ $$ = indent_done(ps, $2, @$); }
	| path_start PATH_END
	| path_start parts PATH_END	{ $$ = ast_concat(ps, 0, $1, $2, @$); }
	| SPATH			{ $$ = literal_search_path(ps, @1); }
	| URI			{ $$ = literal_url(ps, @1); }
	| '(' expr ')'		{ $$ = ast_paren($2); }
	| LET '{' bindings '}'	{ $$ = ast_legacy_let(ps, $3, @$); }
	| REC '{' bindings '}'	{ $$ = set_done($3, 1, @$); }
	| '{' bindings_1 '}'	{ $$ = set_done($2, 0, @$); }
	| '{' '}'		{ $$ = set_new(ps, @$); }
	| '[' list ']'		{ $$ = ast_list(ps, $2, @$); }
	;

string
	: '"' '"'		{ $$ = ast_str(ps, "", 0, @$); }
	| '"' STR '"'		{ $$ = literal_string(ps, @2, @$); }
	| '"' parts '"'		{ $$ = ast_concat(ps, 1, NULL, $2, @$); }
	;

/* Text and interpolations, at least one of the latter. */
parts
	: DOLLAR_CURLY expr '}'	{ $$ = ps->exprs.n; ast_push(ps, $2); }
	| STR DOLLAR_CURLY expr '}'
		{ $$ = ps->exprs.n; ast_push(ps, literal_string(ps, @1, @1)); ast_push(ps, $3); }
	| parts STR		{ ast_push(ps, literal_string(ps, @2, @2)); }
	| parts DOLLAR_CURLY expr '}'	{ ast_push(ps, $3); }
	;

ind_parts
	: %empty		{ $$ = ps->pieces.n; }
	| ind_parts IND_STR	{ indent_text(ps, $2, @2); }
	| ind_parts DOLLAR_CURLY expr '}'	{ indent_expr(ps, $3); }
	;

path_start
	: PATH			{ $$ = literal_path(ps, @1); }
	| HPATH			{ $$ = literal_home_path(ps, @1); }
	;

bindings
	: bindings_1
	| %empty		{ $$ = set_new(ps, @$); }
	;

bindings_1
	: attrpath '=' expr ';'	{ $$ = set_add(ps, NULL, $1, @1, $3); }
	| bindings_1 attrpath '=' expr ';'
				{ $$ = set_add(ps, $1, $2, @2, $4); }
	| INHERIT names ';'	{ $$ = set_inherit(ps, NULL, $2); }
	| bindings_1 INHERIT names ';'
				{ $$ = set_inherit(ps, $1, $3); }
	| INHERIT '(' expr ')' names ';'
				{ $$ = set_inherit_from(ps, NULL, $3, $5); }
	| bindings_1 INHERIT '(' expr ')' names ';'
				{ $$ = set_inherit_from(ps, $1, $4, $6); }
	;

names
	: %empty		{ $$ = ps->names.n; }
	| names attr		{ ast_name(ps, $2, @2); }
	| names string_attr	{ ast_name_expr(ps, $2, @2); }
	;

attrpath
	: attr			{ $$ = ps->names.n; ast_name(ps, $1, @1); }
	| string_attr		{ $$ = ps->names.n; ast_name_expr(ps, $1, @1); }
	| attrpath '.' attr	{ ast_name(ps, $3, @3); }
	| attrpath '.' string_attr	{ ast_name_expr(ps, $3, @3); }
	;

attr
	: ID
	| OR_KW			{ $$ = SYM_OR; }
	;

string_attr
	: string
	| DOLLAR_CURLY expr '}'	{ $$ = $2; }
	;

list
	: %empty		{ $$ = ps->exprs.n; }
	| list select		{ ast_push(ps, ast_warn_or(ps, $2)); }
	;

formal_set
	: '{' '}'		{ $$ = formals_done(ps, ps->formals.n, 0); }
	| '{' ELLIPSIS '}'	{ $$ = formals_done(ps, ps->formals.n, 1); }
	| '{' formals '}'	{ $$ = formals_done(ps, $2, 0); }
	| '{' formals ',' '}'	{ $$ = formals_done(ps, $2, 0); }
	| '{' formals ',' ELLIPSIS '}'	{ $$ = formals_done(ps, $2, 1); }
	;

formals
	: formal		{ $$ = ps->formals.n - 1; }
	| formals ',' formal
	;

formal
	: ID			{ formal_add(ps, $1, NULL, @1); }
	| ID '?' expr		{ formal_add(ps, $1, $3, @1); }
	;

%%

/* Called by the skeleton for one thing only: its stack is full. */
static void lang_error(const struct span *at, struct parse *ps, const char *msg)
{
	(void)msg;
	ast_too_deep(ps, at->begin, at->end - at->begin);
}

static int yyreport_syntax_error(const yypcontext_t *ctx, struct parse *ps)
{
	yysymbol_kind_t expected[YYNTOKENS];
	const char *names[YYNTOKENS];
	int n = yypcontext_expected_tokens(ctx, expected, YYNTOKENS);
	yysymbol_kind_t token = yypcontext_token(ctx);

	for (int i = 0; i < n; i++)
		names[i] = yysymbol_name(expected[i]);
	syntax_error(ps, token == YYSYMBOL_YYEMPTY ? "" : yysymbol_name(token), *yypcontext_location(ctx), names, n);
	return 0;
}
