/* SPDX-License-Identifier: MIT
 *
 * Making values, and what a word is.
 */
#include "config.h"
#include "base/limits.h"
#include "eval/builtin.h"
#include "eval/eval.h"
#include "eval/state.h"

#include <stdlib.h>
#include <string.h>

_Thread_local struct es es;

void *alloc_refill(size_t cls, int scanned)
{
	return mem_many(cls * 16, scanned);
}

void alloc_forget(void)
{
	memset(es.free_bytes, 0, sizeof es.free_bytes);
}

W w_int_slow(int64_t i)
{
	struct box_int *b = alloc_bytes(sizeof *b);

	*b = (struct box_int){ { BOX_INT, 0 }, i };
	return w_tag(b, TAG_BOX);
}

W w_float(double d)
{
	struct box_float *b = alloc_bytes(sizeof *b);

	*b = (struct box_float){ { BOX_FLOAT, 0 }, d };
	return w_tag(b, TAG_BOX);
}

struct str *str_alloc(size_t n, uint32_t ctx)
{
	if (n > LIMIT_STRING_LENGTH)
		throw_error(EK_EVAL, "string of %zu bytes is longer than the limit of 4 GiB", n);
	struct str *s = alloc_bytes(sizeof *s + n + 1);
	s->len = (uint32_t)n;
	s->ctx = ctx;
	s->b[n] = 0;
	es.count.strings++;
	return s;
}

void str_begin(struct buf *b, size_t about)
{
	const struct str head = { 0 };

	buf_reserve(b, about + sizeof head);
	buf_add(b, &head, sizeof head);
}

W str_end(struct buf *b, uint32_t ctx)
{
	size_t n = str_length(b);
	struct str *s = (struct str *)(void *)b->p;

	if (n < 1024 || b->cap - b->len > n / 4 || n > LIMIT_STRING_LENGTH)
		return w_str(s->b, n, ctx);
	*s = (struct str){ (uint32_t)n, ctx };
	es.count.strings++;
	return w_tag(s, TAG_STR);
}

W w_str(const char *p, size_t n, uint32_t ctx)
{
	struct str *s = str_alloc(n, ctx);

	if (n)
		memcpy(s->b, p, n);
	return w_tag(s, TAG_STR);
}

W w_cstr(const char *s)
{
	return w_str(s, strlen(s), 0);
}

W str_with_context(W w, uint32_t ctx)
{
	struct str *s = w_get_str(w);

	return s->ctx == ctx ? w : w_str(s->b, s->len, ctx);
}

static int is_lazy(const char *p, size_t n)
{
	size_t dir = strlen(eval_settings.store_dir);

	return n > dir + 1 && p[dir + 1] == LAZY_TREE_MARK && p[dir] == '/' && !memcmp(p, eval_settings.store_dir, dir);
}

int w_path_is_lazy(W w)
{
	return is_lazy(w_get_path(w)->b, w_get_path(w)->h.n);
}

struct box_path *w_path_text(W w)
{
	return w_get_path(w_path_is_lazy(w) ? eval_world()->real_path(w) : w);
}

W w_path(const char *p, size_t n)
{
	struct box_path *b = alloc_bytes(sizeof *b + n + 1);

	b->h = (struct box){ BOX_PATH, (uint32_t)n };
	memcpy(b->b, p, n);
	b->b[n] = 0;
	return w_tag(b, TAG_BOX);
}

static enum vtype box_type(const struct box *b)
{
	switch ((enum box_kind)b->kind) {
	case BOX_INT: return V_INT;
	case BOX_FLOAT: return V_FLOAT;
	case BOX_PATH: return V_PATH;
	case BOX_BUILTIN: case BOX_PAP: return V_FUNCTION;
	}
	return V_NULL;
}

enum vtype w_type(W w)
{
	switch (W_TAG(w)) {
	case TAG_THUNK: return V_THUNK;
	case TAG_INT: return V_INT;
	case TAG_CONST: return w == W_NULL ? V_NULL : w_is_bool(w) ? V_BOOL : V_THUNK;
	case TAG_STR: return V_STRING;
	case TAG_ATTRS: return V_ATTRS;
	case TAG_LIST: return V_LIST;
	case TAG_CLOSURE: return V_FUNCTION;
	case TAG_BOX: return box_type(W_PTR(w));
	}
	return V_NULL;
}

const char *vtype_name(enum vtype t)
{
	static const char *const names[] = {
		[V_INT] = "an integer", [V_FLOAT] = "a float", [V_BOOL] = "a Boolean", [V_STRING] = "a string",
		[V_PATH] = "a path", [V_NULL] = "null", [V_ATTRS] = "a set", [V_LIST] = "a list",
		[V_FUNCTION] = "a function", [V_THUNK] = "a thunk",
	};

	return names[t];
}

/* Names of attributes that are computed are mostly the same few strings, from mapAttrs or attrNames. */
sym_t word_symbol_slow(W w)
{
	unsigned i = symbol_memo(w);

	es.symbols[i].sym = sym_intern(w_get_str(w)->b, w_get_str(w)->len);
	es.symbols[i].str = w;
	return es.symbols[i].sym;
}

/* --- functions --- */

/* The lambda behind a closure or partial application of one, and how many arguments it has. */
static const struct n_lambda *lambda_of(W f, uint32_t *given)
{
	*given = 0;
	if (w_is_box(f, BOX_PAP)) {
		struct box_pap *p = W_PTR(f);
		*given = p->h.n;
		f = p->fn;
	}
	return W_TAG(f) == TAG_CLOSURE ? ((struct closure *)W_PTR(f))->l : NULL;
}

static int by_name(const void *x, const void *y)
{
	const struct n_formal *a = *(const struct n_formal *const *)x, *b = *(const struct n_formal *const *)y;

	return sym_cmp(a->sym, b->sym);
}

int function_last_formals(W f, void (*each)(void *arg, sym_t name, uint32_t pos, int has_default), void *arg, int *ellipsis)
{
	uint32_t given;
	const struct n_lambda *l = lambda_of(f, &given);

	if (!l || !l->has_formals)
		return 0;
	/* The order of names, which is not that of symbols. */
	const struct n_formal **order = mem_bytes(mem_size(l->n_formals, sizeof *order, sizeof *order));
	for (uint32_t i = 0; i < l->n_formals; i++)
		order[i] = &l->formals[i];
	qsort(order, l->n_formals, sizeof *order, by_name);
	for (uint32_t i = 0; i < l->n_formals; i++)
		each(arg, order[i]->sym, order[i]->pos, order[i]->def != NULL);
	*ellipsis = l->ellipsis;
	return 1;
}

int function_formals(W f, void (*each)(void *arg, sym_t name, uint32_t pos, int has_default), void *arg,
		     int *ellipsis)
{
	return function_takes(f) == 1 && function_last_formals(f, each, arg, ellipsis);
}

unsigned function_given(W f)
{
	return w_is_box(f, BOX_PAP) ? ((struct box_pap *)W_PTR(f))->h.n : 0;
}

unsigned function_takes(W f)
{
	uint32_t given;
	const struct n_lambda *l = lambda_of(f, &given);

	return l ? l->arity - given : 0;
}

sym_t function_param(W f, unsigned i, int *is_set)
{
	uint32_t given;
	const struct n_lambda *l = lambda_of(f, &given);

	*is_set = l->has_formals && given + i + 1 == l->arity;
	return l->params[given + i];
}

int function_forces(W f, unsigned arity, unsigned arg)
{
	if (w_is_box(f, BOX_BUILTIN)) {
		const struct box_builtin *b = W_PTR(f);
		return b->h.n == arity && (b->strict >> arg & 1);
	}
	if (W_TAG(f) != TAG_CLOSURE)
		return 0;
	const struct n_lambda *l = ((struct closure *)W_PTR(f))->l;
	for (unsigned i = 0; l->arity == arity && i < l->n_strict; i++)
		if (l->strict[i] == arg)
			return 1;
	return 0;
}

sym_t function_arg(W f, uint32_t *pos)
{
	uint32_t given;
	const struct n_lambda *l = lambda_of(f, &given);

	*pos = l ? l->param_pos[given] : 0;
	return l ? l->params[given] : SYM_NONE;
}

sym_t function_name(W f, uint32_t *pos)
{
	uint32_t given;
	const struct n_lambda *l = lambda_of(f, &given);

	*pos = l ? l->param_pos[given] : 0;
	return l && !given ? l->name : SYM_NONE;
}

const struct builtin *function_builtin(W f)
{
	if (w_is_box(f, BOX_PAP))
		f = ((struct box_pap *)W_PTR(f))->fn;
	return w_is_box(f, BOX_BUILTIN) ? ((struct box_builtin *)W_PTR(f))->def : NULL;
}

const char *function_doc(W f, size_t *len)
{
	uint32_t given;
	const struct n_lambda *l = lambda_of(f, &given);

	const struct source *src = l && l->doc_pos ? source_of(l->doc_pos) : NULL;
	const char *text = src ? source_load(src) : NULL;

	if (!text)
		return NULL;
	*len = l->doc_len;
	return text + (l->doc_pos - src->start);
}
