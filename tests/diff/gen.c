/* SPDX-License-Identifier: MIT
 *
 * gen SEED COUNT FOLDER: writes COUNT random expressions to FOLDER/g00001.gx and so on.
 *
 * Expressions are made by the type they should have, so that most of them evaluate; now and then one of another
 * type is put where it does not belong, so that the ways to fail are met as well.  Variables are taken
 * from what is in scope.  The same seed gives the same files on every machine.
 *
 * Left out is what the oracle (Nix 2.8) does not know or prints in another way: see known-differences.
 */
#include "config.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum type { T_INT, T_FLOAT, T_BOOL, T_STR, T_NULL, T_INTS, T_STRS, T_LIST, T_ATTRS, T_FUN, T_PATH, T_COUNT };

struct var {
	char name[8];
	enum type type;
};

enum { SCOPE_MAX = 64, TEXT_MAX = 6000 };

static struct var scope[SCOPE_MAX];
static int n_scope, n_declared;
static uint64_t state;
static FILE *out;
static long written;
static int wrong_per_1000; /* how often a place gets an expression of another type */

/* splitmix64 */
static uint64_t next(void)
{
	uint64_t z = (state += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static int pick(int n)
{
	return (int)(next() % (uint64_t)n);
}

static int chance(int per_100)
{
	return pick(100) < per_100;
}

static void gen(enum type t, int depth);

/* Writes fmt with these in place of a letter after '%': i f b s n l (list of ints) t (list of strings) L (any list)
 * a (set) F (function int -> int) p (path) v (anything) N (attribute name) I (small number) q (string without
 * interpolation); '%%' is a percent sign.  Parts are generated one level below depth. */
static void emit(int depth, const char *fmt);

static void put(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void put(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int n = vfprintf(out, fmt, ap);
	va_end(ap);
	if (n > 0)
		written += n;
}

static const char *const attr_names[] = { "a", "b", "c", "d", "foo", "bar", "x", "y", "name", "or", "a-b", "x'" };

static void put_attr_name(void)
{
	put("%s", attr_names[pick(9)]);
}

/* --- leaves --- */

static const char *const strings[] = {
	"\"\"", "\"a\"", "\"abc\"", "\"foo bar\"", "\"1.2.3\"", "\"hello-1.0pre2\"", "\"a/b/c\"", "\"/x/y\"",
	"\"${\"x\"}y\"", "\"\\n\\t\\\"\\\\\"", "\"$\"", "\"$$\"", "\"\\${a}\"", "''indented''",
	"''\n    two\n      lines\n  ''", "''a''${b''", "''  lead''", "''x '' '''y''", "\"0\"", "\"-5\"", "\"xx.yy\"",
	"\"\xc3\xa4\xc3\xb6\"", "http://example.org/x?y=1",
};

static const char *const floats[] = { "0.5", "1.5", "2.25", "1.0e3", "10.75", ".5", "100.", "0.0" };
static const char *const paths[] = { "/a/b", "/a/../c", "/x/./y", "/.", "/a/b/c.txt" };

static void leaf(enum type t)
{
	switch (t) {
	case T_INT: put("%d", chance(80) ? pick(12) : pick(100000)); break;
	case T_FLOAT: put("%s", floats[pick(8)]); break;
	case T_BOOL: put(chance(50) ? "true" : "false"); break;
	case T_STR: put("%s", strings[pick((int)(sizeof strings / sizeof *strings))]); break;
	case T_NULL: put("null"); break;
	case T_INTS: put("%s", chance(20) ? "[ ]" : chance(50) ? "[ 3 1 2 ]" : "[ 5 5 0 7 ]"); break;
	case T_STRS: put("%s", chance(20) ? "[ ]" : chance(50) ? "[ \"b\" \"a\" ]" : "[ \"x\" \"y\" \"x\" ]"); break;
	case T_LIST: put("%s", chance(30) ? "[ ]" : chance(50) ? "[ 1 \"a\" null ]" : "[ [ ] { } 1.5 ]"); break;
	case T_ATTRS: put("%s", chance(20) ? "{ }" : chance(50) ? "{ a = 1; b = \"x\"; }" : "{ foo = { bar = 2; }; }"); break;
	case T_FUN: put("%s", chance(40) ? "(x: x)" : chance(50) ? "(x: x + 1)" : "(y: 7)"); break;
	case T_PATH: put("%s", paths[pick(5)]); break;
	case T_COUNT: break;
	}
}

static int put_variable(enum type t)
{
	int found[SCOPE_MAX], n = 0;

	for (int i = 0; i < n_scope; i++)
		if (scope[i].type == t)
			found[n++] = i;
	if (!n)
		return 0;
	put("%s", scope[found[pick(n)]].name);
	return 1;
}

static const char *declare(enum type t)
{
	struct var *v = &scope[n_scope < SCOPE_MAX ? n_scope++ : SCOPE_MAX - 1];

	snprintf(v->name, sizeof v->name, "%c%d", 'p' + pick(8), n_declared++ % 40);
	v->type = t;
	return v->name;
}

static enum type any_type(void)
{
	static const enum type often[] = { T_INT, T_INT, T_STR, T_STR, T_BOOL, T_LIST, T_INTS, T_ATTRS, T_ATTRS, T_STRS };

	return chance(75) ? often[pick(10)] : (enum type)pick(T_FUN);
}

/* --- forms that give any type --- */

static void gen_let(enum type t, int depth)
{
	int mark = n_scope, n = 1 + pick(3);
	enum type types[3];
	const char *names[3];

	/* Declared before the values are made: a value may name a later variable, even itself. */
	for (int i = 0; i < n; i++)
		types[i] = any_type();
	put("(let ");
	if (chance(15)) {
		for (int i = 0; i < n; i++)
			names[i] = declare(types[i]);
		for (int i = 0; i < n; i++) {
			put("%s = ", names[i]);
			gen(types[i], depth - 1);
			put("; ");
		}
	} else {
		for (int i = 0; i < n; i++) {
			int before = n_scope;
			char name[8];
			snprintf(name, sizeof name, "%s", declare(types[i]));
			n_scope = before;
			put("%s = ", name);
			gen(types[i], depth - 1);
			put("; ");
			n_scope = before + 1;
		}
	}
	put("in ");
	gen(t, depth - 1);
	put(")");
	n_scope = mark;
}

static void gen_apply(enum type t, int depth)
{
	int mark = n_scope;
	enum type a = any_type();

	put("((%s: ", declare(a));
	gen(t, depth - 1);
	put(") ");
	n_scope = mark;
	put("(");
	gen(a, depth - 1);
	put("))");
}

static void gen_formals(enum type t, int depth)
{
	int mark = n_scope, with_default = chance(50), at = chance(40), dots = chance(50);
	enum type a = any_type(), b = any_type();
	char na[8], nb[8], all[8];

	snprintf(na, sizeof na, "%s", declare(a));
	snprintf(nb, sizeof nb, "%s", declare(b));
	snprintf(all, sizeof all, "%s", declare(T_ATTRS));
	if (!at)
		n_scope--;
	if (!strcmp(na, nb) || !strcmp(na, all) || !strcmp(nb, all)) {
		n_scope = mark;
		leaf(t);
		return;
	}
	put("((");
	if (at && chance(50)) {
		put("%s@", all);
		at = 2;
	}
	put("{ %s, %s", na, nb);
	if (with_default) {
		put(" ? ");
		gen(b, depth - 2);
	}
	put("%s }%s%s: ", dots ? ", ..." : "", at == 1 ? "@" : "", at == 1 ? all : "");
	gen(t, depth - 1);
	put(") { %s = ", na);
	n_scope = mark;
	gen(a, depth - 1);
	put("; ");
	if (!with_default || chance(40)) {
		put("%s = ", nb);
		gen(b, depth - 1);
		put("; ");
	}
	if (chance(dots ? 40 : 3))
		put("extra = 1; ");
	put("})");
}

static void gen_with(enum type t, int depth)
{
	int mark = n_scope;
	enum type a = any_type();
	char name[8];

	snprintf(name, sizeof name, "%s", declare(a));
	n_scope = mark;
	put("(with { %s = ", name);
	gen(a, depth - 1);
	put("; }; ");
	/* The name may also be bound around: then that one is meant. */
	scope[n_scope].type = a;
	snprintf(scope[n_scope].name, sizeof scope[n_scope].name, "%s", name);
	n_scope += n_scope < SCOPE_MAX - 1;
	gen(t, depth - 1);
	put(")");
	n_scope = mark;
}

static void gen_select(enum type t, int depth)
{
	static const char *const forms[] = {
		"({ a.b = %T; }.a.b)", "({ a = %T; c = %v; }.a or (%v))", "({ c = %v; }.a.b or (%T))",
		"(rec { a = b; b = %T; }.a)", "({ ${%q} = %v; foo = %T; }.foo)", "(({ a = %v; } // { a = %T; }).a)",
		"(let inherit ({ a = %T; b = %v; }) a; in a)", "({ inherit ({ x = %T; }) x; }.x)",
		"(let { body = %T; other = %v; })", "(builtins.getAttr \"a\" { a = %T; })", "({ \"a b\" = %T; }.\"a b\")",
		"({ a = { x = 1; }; a.y = %T; }.a.y)", "((rec { x = 1; y = %T; } // { x = %v; }).y)",
	};
	const char *f = forms[pick((int)(sizeof forms / sizeof *forms))];
	char text[256];
	size_t n = 0;
	static const char letter[] = "ifbsnltLaFp";

	/* %T is the type wanted: put its letter. */
	for (; *f; f++, n++)
		text[n] = *f == 'T' && n && text[n - 1] == '%' ? letter[t] : *f;
	text[n] = 0;
	emit(depth, text);
}

static void gen_any_form(enum type t, int depth)
{
	char text[128];
	char c = "ifbsnltLaFp"[t];
	static const char *const forms[] = {
		"(if %%b then %%%c else %%%c)", "(assert %%b; %%%c)", "(builtins.head [ (%%%c) %%v ])",
		"(builtins.elemAt [ (%%v) (%%%c) ] 1)", "(builtins.tryEval (%%%c)).value", "(builtins.seq (%%v) (%%%c))",
		"(builtins.foldl' (x: y: y) null [ (%%%c) ])", "(builtins.deepSeq (%%v) (%%%c))",
		"(if builtins.isList (%%v) then %%%c else %%%c)", "(builtins.trace \"t\" (%%%c))",
		"((x: y: x) (%%%c) (%%v))", "(builtins.elemAt (builtins.attrValues { a = %%%c; b = %%v; }) 0)",
		"((builtins.tryEval (throw \"no\")).value or (%%%c))", "(builtins.addErrorContext \"c\" (%%%c))",
		"(let f = { a ? %%%c }: a; in f { })", "({ __functor = self: x: %%%c; } (%%v))",
	};

	switch (pick(7)) {
	case 0: gen_let(t, depth); break;
	case 1: gen_apply(t, depth); break;
	case 2: gen_formals(t, depth); break;
	case 3: gen_with(t, depth); break;
	case 4: gen_select(t, depth); break;
	default:
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(text, sizeof text, forms[pick((int)(sizeof forms / sizeof *forms))], c, c);
#pragma GCC diagnostic pop
		emit(depth, text);
	}
}

/* --- forms of one type --- */

static const char *const int_forms[] = {
	"(%i + %i)", "(%i - %i)", "(%i * %i)", "(%i / %i)", "(-%i)", "(builtins.length (%L))", "(builtins.length (%l))",
	"(builtins.stringLength (%s))", "(builtins.add (%i) (%i))", "(builtins.sub (%i) (%i))", "(builtins.mul (%i) (%i))",
	"(builtins.div (%i) (%i))", "(builtins.bitAnd (%i) (%i))", "(builtins.bitOr (%i) (%i))", "(builtins.bitXor (%i) (%i))",
	"(builtins.compareVersions (%s) (%s))", "(builtins.foldl' (a: b: a + b) (%i) (%l))", "((%F) (%i))",
	"(builtins.floor (%f))", "(builtins.ceil (%f))", "(builtins.head (%l))", "(builtins.elemAt (%l) %I)",
	"(builtins.fromJSON \"%I\")", "(builtins.length (builtins.attrNames (%a)))", "(%a).a or (%i)",
	"(builtins.foldl' (a: b: b) (%i) (%l))", "(builtins.length (builtins.filter (x: x == %I) (%l)))",
};
static const char *const float_forms[] = {
	"(%f + %f)", "(%f - %i)", "(%i * %f)", "(%f * %f)", "(%i + %f)", "(-%f)", "(%f / %f)", "(builtins.add (%f) (%i))",
};
static const char *const bool_forms[] = {
	"(%i == %i)", "(%v == %v)", "(%i < %i)", "(%i <= %i)", "(%s < %s)", "(%s == %s)", "(%b && %b)", "(%b || %b)",
	"(%b -> %b)", "(!%b)", "(%a ? a)", "(%a ? %N.%N)", "(%v ? a)", "(builtins.isInt (%v))", "(builtins.isString (%v))",
	"(builtins.isList (%v))", "(builtins.isAttrs (%v))", "(builtins.isFunction (%v))", "(builtins.isBool (%v))",
	"(builtins.isNull (%v))", "(builtins.isFloat (%v))", "(builtins.isPath (%v))", "(builtins.hasAttr (%q) (%a))",
	"(builtins.elem (%v) (%L))", "(builtins.elem (%i) (%l))", "(builtins.any (x: x > %I) (%l))",
	"(builtins.all (x: x < %I) (%l))", "(%l < %l)", "(%l == %l)", "(%a == %a)", "(%L != %L)", "(%f < %i)", "(%f == %i)",
	"(builtins.lessThan (%i) (%i))", "(%t == %t)", "(%p == %p)", "(builtins.tryEval (%v)).success",
	"(builtins.tryEval (assert %b; %i)).success", "(builtins.match (%q) (%s) == null)", "(%v != %v)",
	"(builtins.tryEval ([ (%v) ] == [ (%v) ])).success", "(builtins.tryEval ([ (%v) ] < [ (%v) ])).success",
	"(builtins.tryEval (%v + %v)).success",
};
static const char *const str_forms[] = {
	"(%s + %s)", "\"%Q${%s}\"", "\"${%s}${%s}\"", "''\n  ${%s}\n    x\n ''", "(builtins.toString (%i))", "(toString (%v))",
	"(builtins.substring %I %I (%s))", "(builtins.concatStringsSep (%s) (%t))", "(builtins.typeOf (%v))",
	"(builtins.replaceStrings [ \"a\" \"o\" ] [ \"1\" \"\" ] (%s))", "(builtins.replaceStrings (%t) (%t) (%s))",
	"(baseNameOf (%s))", "(dirOf (%s))", "(builtins.toJSON (%v))", "(builtins.hashString \"sha256\" (%s))",
	"(builtins.hashString \"md5\" (%s))", "(builtins.head (%t))", "(toString (%l))", "(toString (%t))", "(toString (%b))",
	"(builtins.parseDrvName (%s)).name", "(builtins.elemAt (builtins.splitVersion (%s)) 0)", "(builtins.toXML (%v))",
	"(builtins.unsafeDiscardStringContext (%s))", "(baseNameOf (%p))", "(toString (%p))", "(builtins.toJSON (%a))",
	"(builtins.foldl' (a: b: a + b) \"\" (%t))", "(toString { __toString = self: %s; })", "\"${{ outPath = %s; }}\"",
	"(builtins.substring 1 (-1) (%s))", "(builtins.toJSON (%L))", "(builtins.concatStringsSep \",\" (builtins.attrNames (%a)))",
	"(builtins.fromJSON (builtins.toJSON (%s)))", "(builtins.hashString \"sha1\" (%s))",
	"(builtins.unsafeDiscardStringContext (%p))", "(builtins.concatStringsSep \"\" (builtins.attrNames { ${%s} = 1; }))",
};
static const char *const ints_forms[] = {
	"[ (%i) (%i) ]", "(%l ++ %l)", "(map (%F) (%l))", "(builtins.filter (x: x > %I) (%l))", "(builtins.genList (x: x * %I) %I)",
	"(builtins.sort builtins.lessThan (%l))", "(builtins.tail (%l))", "(builtins.concatLists [ (%l) (%l) ])",
	"(builtins.concatMap (x: [ x x ]) (%l))", "(builtins.sort (a: b: a > b) (%l))", "(map (x: x.a) [ { a = %i; } ])",
	"(builtins.partition (x: x > %I) (%l)).right", "(builtins.partition (x: x > %I) (%l)).wrong", "(map builtins.stringLength (%t))",
	"(builtins.catAttrs \"a\" [ { a = %i; } (%a) ])", "(builtins.fromJSON \"[1,2,%I]\")",
	"(map (x: x.key) (builtins.genericClosure { startSet = [ { key = %i; } ]; operator = x: if x.key > 9 then [ ] else [ { key = x.key + 3; } ]; }))",
};
static const char *const strs_forms[] = {
	"[ (%s) (%s) ]", "(%t ++ %t)", "(builtins.attrNames (%a))", "(map toString (%l))", "(builtins.splitVersion (%s))",
	"(builtins.sort builtins.lessThan (%t))", "(builtins.filter (x: x != \"\") (%t))", "(map (x: x + \"!\") (%t))",
	"(builtins.filter builtins.isString (builtins.split (%q) (%s)))", "(builtins.tail (%t))", "(map builtins.typeOf (%L))",
	"(builtins.genList (x: toString x) %I)", "(map (x: x.name) (builtins.attrValues { a.name = %s; b.name = %s; }))",
};
static const char *const list_forms[] = {
	"[ (%v) (%v) (%v) ]", "[ (%v) ]", "(%L ++ %L)", "(builtins.attrValues (%a))", "(builtins.split (%q) (%s))",
	"(builtins.match \"(.)(.*)\" (%s))", "(builtins.concatLists [ (%L) [ (%v) ] ])", "(map (x: [ x ]) (%L))",
	"(builtins.tail (%L))", "(builtins.filter (x: true) (%L))", "(map (x: { inherit x; }) (%l))",
	"(builtins.concatMap (x: [ (%v) x ]) (%L))", "(builtins.genList (x: %v) %I)", "(builtins.sort (a: b: false) (%L))",
	"(builtins.fromJSON (builtins.toJSON (%L)))",
};
static const char *const attrs_forms[] = {
	"{ %N = %v; }", "{ a = %v; b = %v; }", "rec { a = %v; b = a; }", "(%a // %a)", "({ a = 1; } // %a)",
	"(builtins.removeAttrs (%a) (%t))", "(builtins.listToAttrs [ { name = %s; value = %v; } { name = \"a\"; value = %v; } ])",
	"(builtins.intersectAttrs (%a) (%a))", "(builtins.mapAttrs (n: v: n) (%a))", "(builtins.mapAttrs (n: v: v) (%a))",
	"{ inherit ({ a = %v; }) a; }", "{ a.b.c = %v; a.d = %v; }", "(builtins.functionArgs ({ a, b ? %v }: a))", "{ \"${%s}\" = %v; }",
	"(builtins.parseDrvName (%s))", "(builtins.groupBy (x: if x > %I then \"big\" else \"small\") (%l))",
	"(builtins.zipAttrsWith (n: vs: vs) [ (%a) (%a) ])", "(builtins.partition (x: x > %I) (%l))",
	"(builtins.tryEval (%v))", "(builtins.tryEval (throw (%s)))", "(builtins.fromJSON \"{\\\"a\\\":%I}\")",
	"(builtins.fromTOML \"x = %I\")", "(builtins.foldl' (a: b: a // b) { } [ (%a) (%a) (%a) ])", "{ ${if %b then \"k\" else null} = %v; }",
	"(let r = rec { a = %v; b = { inherit a; }; }; in r.b)", "{ __functor = self: x: x; a = %v; }",
	"(builtins.mapAttrs (n: v: { inherit n v; }) (%a))", "(builtins.getAttr (%q) { foo = { }; a = %a; })",
	"(with %a; { z = a; })",
};
static const char *const fun_forms[] = {
	"(x: x + %i)", "(x: %i)", "(builtins.add (%i))", "(x: if x > %I then x - 1 else %i)", "({ __functor = self: x: x * %I; })",
	"(let f = x: %i; in f)", "(builtins.getAttr \"f\" { f = x: x; })",
};
static const char *const path_forms[] = { "(%p + \"/z\")", "(/a + \"/b\")", "/a/${%q}" };
static const char *const null_forms[] = { "(builtins.match \"x+\" \"y\")", "({ a = null; }.a)" };

static const struct {
	const char *const *v;
	int n;
} forms_of[] = {
#define FORMS(t, a) [t] = { a, (int)(sizeof a / sizeof *a) }
	FORMS(T_INT, int_forms), FORMS(T_FLOAT, float_forms), FORMS(T_BOOL, bool_forms), FORMS(T_STR, str_forms),
	FORMS(T_NULL, null_forms), FORMS(T_INTS, ints_forms), FORMS(T_STRS, strs_forms), FORMS(T_LIST, list_forms),
	FORMS(T_ATTRS, attrs_forms), FORMS(T_FUN, fun_forms), FORMS(T_PATH, path_forms),
#undef FORMS
};

static const char *const plain_strings[] = { "a", "b", "foo", "x", "o", "[a-z]+", "(a)", "b*", "\\\\.", "nope" };

static void emit(int depth, const char *fmt)
{
	static const char letter[] = "ifbsnltLaFp";

	for (; *fmt; fmt++) {
		if (*fmt != '%') {
			put("%c", *fmt);
			continue;
		}
		fmt++;
		const char *l = strchr(letter, *fmt);
		if (l && *fmt)
			gen((enum type)(l - letter), depth - 1);
		else if (*fmt == 'v')
			gen(any_type(), depth - 1);
		else if (*fmt == 'N')
			put_attr_name();
		else if (*fmt == 'I')
			put("%d", pick(8));
		else if (*fmt == 'q')
			put("\"%s\"", plain_strings[pick(10)]);
		else if (*fmt == 'Q')
			put("%s", plain_strings[pick(5)]);
	}
}

static void gen(enum type t, int depth)
{
	if (pick(1000) < wrong_per_1000) {
		static const char *const failing[] = { "(throw \"oops\")", "(assert false; 1)", "(abort \"stop\")", "({ }.missing)",
						       "(builtins.head [ ])", "undefined_name" };
		if (chance(25)) {
			/* An undefined variable is found before evaluation: rare, or nothing else is tested. */
			put("%s", failing[chance(95) ? pick(5) : 5]);
			return;
		}
		t = (enum type)pick(T_COUNT);
	}
	if (written > TEXT_MAX || depth <= 0) {
		if (!(chance(50) && put_variable(t)))
			leaf(t);
	} else if (chance(15) && put_variable(t)) {
		return;
	} else if (chance(12)) {
		leaf(t);
	} else if (chance(30)) {
		gen_any_form(t, depth);
	} else {
		emit(depth, forms_of[t].v[pick(forms_of[t].n)]);
	}
}

int main(int argc, char **argv)
{
	if (argc != 4) {
		fputs("usage: gen SEED COUNT FOLDER\n", stderr);
		return 2;
	}
	uint64_t seed = strtoull(argv[1], NULL, 10);
	int count = atoi(argv[2]);
	for (int i = 1; i <= count; i++) {
		char name[4096];
		snprintf(name, sizeof name, "%s/g%05d.gx", argv[3], i);
		out = fopen(name, "w");
		if (!out) {
			perror(name);
			return 1;
		}
		state = seed * 1000003u + (uint64_t)i;
		n_scope = n_declared = 0;
		written = 0;
		wrong_per_1000 = i % 3 == 0 ? 15 : 2;
		gen(any_type(), 1 + pick(6));
		put("\n");
		if (fclose(out)) {
			perror(name);
			return 1;
		}
	}
	return 0;
}
