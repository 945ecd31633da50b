/* SPDX-License-Identifier: MIT
 *
 * :doc, from what the registry of builtins says and from the doc comments that the parser keeps.
 */
#include "config.h"
#include "cli/repl/repl_int.h"
#include "eval/attrs.h"
#include "eval/builtin.h"
#include "eval/show.h"
#include "lang/parse.h"

#include <string.h>

static void add_builtin(struct buf *b, const struct builtin *d)
{
	buf_addf(b, "builtins.%s", d->name);
	for (const char *p = d->args; *p;) {
		/* The mark of an argument that is forced is for the evaluator. */
		p += *p == '!';
		size_t n = strcspn(p, " ");
		buf_addf(b, " %.*s", (int)n, p);
		p += n;
		p += strspn(p, " ");
	}
	buf_addf(b, "\n\n%s\n", d->doc);
	if (*d->example)
		buf_addf(b, "\nExample: %s\nResult:  %s\n", d->example, d->result);
}

static void add_formal(void *arg, sym_t name, uint32_t pos, int has_default)
{
	struct buf *b = arg;

	(void)pos;
	buf_addf(b, "%s%s%s", b->p[b->len - 1] == '{' ? " " : ", ", sym_name(name)->b, has_default ? " ? …" : "");
}

static void add_closure(struct buf *b, W v)
{
	struct source_loc at;
	uint32_t pos = 0, param_pos;
	int ellipsis = 0;
	size_t n;
	sym_t name = function_name(v, &pos), arg = function_arg(v, &param_pos);
	const char *doc = function_doc(v, &n);
	struct buf formals = BUF_GC;

	buf_addf(b, "%s ", name ? sym_name(name)->b : "function");
	buf_adds(&formals, "{");
	if (function_formals(v, add_formal, &formals, &ellipsis))
		buf_addf(b, "%s%s }", formals.p, !ellipsis ? "" : formals.len > 1 ? ", ..." : " ...");
	else
		buf_adds(b, arg ? sym_name(arg)->b : "");
	if (!source_locate(pos, &at))
		buf_addf(b, "\n  at %s:%u:%u", source_shown_name(at.src), at.line, at.column);
	buf_adds(b, "\n\n");
	if (doc)
		doc_text(b, doc, n);
	else
		buf_adds(b, "It has no doc comment ('/** ... */' before it).\n");
}

void repl_doc(struct repl *r, W v)
{
	const struct builtin *d = NULL;
	struct buf b = BUF_GC;
	W *functor = W_TAG(v) == TAG_ATTRS ? attrs_find(v, SYM_FUNCTOR) : NULL;

	if (functor)
		v = force(call1(*functor, v));
	if (w_is_function(v))
		d = function_builtin(v);
	else
		throw_error(EK_EVAL, "only functions have documentation, and this is %s", show_type(v));
	if (d)
		add_builtin(&b, d);
	else
		add_closure(&b, v);
	(void)r;
	repl_write(b.p, b.len);
}
