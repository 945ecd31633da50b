/* SPDX-License-Identifier: MIT
 *
 * Strings are bytes.  Every builtin here that gives back part of a string, or puts strings together, keeps
 * their contexts: a string made from a store path still refers to it.
 */
#include "config.h"
#include "builtins/registry.h"
#include "eval/builtin.h"
#include "eval/coerce.h"
#include "base/buf.h"
#include "base/limits.h"
#include "base/mem.h"

#include <string.h>

BUILTIN_FLAGS(bi_to_string, BI_GLOBAL, "toString", "!e",
	      "*e* as a string: strings as they are, paths as text without copying them to the store, numbers in decimal, "
	      "`true` as `\"1\"`, `false` and `null` as `\"\"`, lists with their elements separated by spaces, sets by their "
	      "`__toString` function or `outPath`.",
	      "map toString [ 1 true null [ 1 \"a\" ] { outPath = \"/x\"; } ]", "[ \"1\" \"1\" \"\" \"1 a\" \"/x\" ]")
{
	return coerce_string(args[0], COERCE_MORE);
}

static W coerced(W w, const char *note)
{
	if (w_is_str(w))
		return w;
	note_push(note, 0);
	w = coerce_string(w, COERCE_COPY);
	note_pop();
	return w;
}

BUILTIN(bi_string_length, "stringLength", "!e",
	"The number of bytes of the string *e*.",
	"map stringLength [ \"abc\" \"é\" ]", "[ 3 2 ]")
{
	return w_int(w_get_str(coerced(args[0], "while evaluating the argument of 'stringLength'"))->len);
}

BUILTIN(bi_substring, "substring", "!start !len !s",
	"*len* bytes of the string *s* from byte *start* on, counted from 0. Fewer when *s* ends before; all the rest when "
	"*len* is negative. The context of *s* is kept, even by an empty result.",
	"[ (substring 0 3 \"nixos\") (substring 3 (-1) \"nixos\") ]", "[ \"nix\" \"os\" ]")
{
	int64_t start = arg_int(args, 0);

	if (start < 0)
		throw_error(EK_EVAL, "negative start position in 'substring'");
	int64_t len = arg_int(args, 1);
	W w = coerced(arg_force(args, 2), "while evaluating the third argument of 'substring'");
	struct str *s = w_get_str(w);
	if (start >= s->len)
		return w_str("", 0, s->ctx);
	if (len < 0 || len > s->len - start)
		len = s->len - start;
	return len == s->len ? w : w_str(s->b + start, (size_t)len, s->ctx);
}

/* --- concatStringsSep --- */

BUILTIN(bi_concat_strings_sep, "concatStringsSep", "!separator !list",
	"The strings in *list* joined, with *separator* between them.",
	"concatStringsSep \"/\" [ \"usr\" \"local\" \"bin\" ]", "\"usr/local/bin\"")
{
	struct str *sep = arg_string(args, 0);
	W l = arg_list(args, 1);
	uint32_t n = list_len(l);
	W few[16], *part = n <= 16 ? few : mem_new(mem_size(n, sizeof *part, 0));
	struct ctx_acc ctx = { 0 };
	size_t total = n ? mem_size(n - 1, sep->len, 0) : 0;

	ctx_acc_add(&ctx, sep->ctx);
	for (uint32_t i = 0; i < n; i++) {
		part[i] = coerced(list_force(l, i), "while evaluating an element of the list given to 'concatStringsSep'");
		total += w_get_str(part[i])->len;
		ctx_acc_add(&ctx, w_get_str(part[i])->ctx);
	}
	struct str *out = str_alloc(total, ctx_acc_finish(&ctx));
	char *p = out->b;
	for (uint32_t i = 0; i < n; i++) {
		struct str *s = w_get_str(part[i]);
		if (i) {
			memcpy(p, sep->b, sep->len);
			p += sep->len;
		}
		memcpy(p, s->b, s->len);
		p += s->len;
	}
	return w_tag(out, TAG_STR);
}

/* --- replaceStrings --- */

struct replacer {
	uint32_t n;
	struct str **from;
	struct list *to;
	W *used;	  /* replacements evaluated so far, 0 for the others */
	uint8_t begins[256]; /* can a pattern begin with this byte? */
	int has_empty;
	struct ctx_acc ctx;
};

static void replacer_init(struct replacer *r, struct list *from, struct list *to)
{
	*r = (struct replacer){ .n = from->n, .to = to };
	r->from = mem_new(mem_size(from->n, sizeof *r->from, 8));
	r->used = mem_new(mem_size(from->n, sizeof *r->used, 8));
	for (uint32_t i = 0; i < from->n; i++) {
		struct str *s = want_string(from->e[i], "an element of the first list given to 'replaceStrings'");
		r->from[i] = s;
		r->begins[s->len ? (unsigned char)s->b[0] : 0] |= s->len != 0;
		r->has_empty |= !s->len;
	}
}

/* Does s stand at p? Patterns are mostly of one byte. */
static inline int stands_at(const struct str *s, const char *p, size_t left)
{
	if (!s->len)
		return 1;
	return s->len <= left && s->b[0] == *p && (s->len == 1 || !memcmp(s->b + 1, p + 1, s->len - 1));
}

/* The first pattern that stands at p, or n. */
static uint32_t pattern_at(const struct replacer *r, const char *p, size_t left)
{
	uint32_t i = 0;

	while (i < r->n && !stands_at(r->from[i], p, left))
		i++;
	return i;
}

static void add_replacement(struct replacer *r, struct buf *out, uint32_t i)
{
	if (!r->used[i]) {
		struct str *s = want_string(r->to->e[i], "an element of the second list given to 'replaceStrings'");
		ctx_acc_add(&r->ctx, s->ctx);
		r->used[i] = w_tag(s, TAG_STR);
	}
	buf_add(out, w_get_str(r->used[i])->b, w_get_str(r->used[i])->len);
	/* Before gigabytes more are put together in vain. */
	if (str_length(out) > LIMIT_STRING_LENGTH)
		throw_error(EK_EVAL, "'replaceStrings' makes a string longer than the limit of 4 GiB");
}

/* Where a pattern may stand next, from `at` on; at the end of s at the latest, where an empty one may. */
static size_t next_candidate(const struct replacer *r, const struct str *s, size_t at)
{
	const unsigned char *p = (const unsigned char *)s->b;
	size_t n = s->len;

	if (!r->has_empty)
		while (at < n && !r->begins[p[at]])
			at++;
	return at;
}

/* An empty pattern matches before every byte and at the end, and the byte itself is kept. */
static void replace_all(struct replacer *r, struct buf *out, const struct str *s)
{
	size_t at = 0, kept = 0;

	while ((at = next_candidate(r, s, at)) <= s->len) {
		uint32_t i = pattern_at(r, s->b + at, s->len - at);
		if (i < r->n) {
			buf_add(out, s->b + kept, at - kept);
			kept = at + r->from[i]->len;
			add_replacement(r, out, i);
		}
		at += i < r->n && r->from[i]->len ? r->from[i]->len : 1;
	}
	if (kept < s->len)
		buf_add(out, s->b + kept, s->len - kept);
}

BUILTIN(bi_replace_strings, "replaceStrings", "!from !to s",
	"*s* with each occurrence of a string of the list *from* replaced by the string at the same place in the list *to*. "
	"At each position the first string of *from* that fits counts; what was replaced is not looked at again. "
	"Elements of *to* are evaluated only when they are used.",
	"replaceStrings [ \"oo\" \"a\" ] [ \"a\" \"i\" ] \"foobar\"", "\"fabir\"")
{
	struct list *from = list_of(arg_list(args, 0)), *to = list_of(arg_list(args, 1));
	struct buf out = BUF_GC;
	struct replacer r;

	if (from->n != to->n)
		throw_error(EK_EVAL, "the lists given to 'replaceStrings' have different lengths, %u and %u", from->n, to->n);
	replacer_init(&r, from, to);
	struct str *s = arg_string(args, 2);
	ctx_acc_add(&r.ctx, s->ctx);
	str_begin(&out, s->len);
	replace_all(&r, &out, s);
	return str_end(&out, ctx_acc_finish(&r.ctx));
}

const struct builtin *const builtins_strings[] = {
	&def_bi_to_string, &def_bi_string_length, &def_bi_substring, &def_bi_concat_strings_sep, &def_bi_replace_strings,
	NULL,
};
