/* SPDX-License-Identifier: MIT
 *
 * The text form of derivations, a fixed-shape subset of ATerm (Nix manual, protocols/derivation-aterm):
 *
 *   drv     = "Derive(" body ")"
 *           | "DrvWithVersion(" quote "xp-dyn-drv" quote "," body ")"    some input is dynamic
 *   body    = list(output) "," list(input) "," list(path) "," raw "," str "," list(str) "," list(env)
 *             outputs          input derivations  sources   system  builder   args           variables
 *   output  = "(" raw "," path? "," raw "," raw ")"     name, path, [method] algo, base16 hash:
 *                 ("out","/nix/store/…","","")                input-addressed
 *                 ("out","","","")                            the same, path not known (masked, deferred)
 *                 ("out","/nix/store/…","r:sha256","1b4d…")   fixed
 *                 ("out","","r:sha256","")                    content-addressed, floating
 *                 ("out","","r:sha256","impure")              impure
 *   input   = "(" path "," node ")"
 *   node    = list(raw)                                 names of outputs
 *           | "(" list(raw) "," list("(" raw "," node ")") ")"    and outputs that are derivations (xp-dyn-drv)
 *   env     = "(" str "," str ")"
 *   list(x) = "[" [ x { "," x } ] "]"
 *   str     = quote { any byte, with \" \\ \n \r \t escaped } quote
 *   raw     = quote { any byte } quote                  written as it is; sane names need no escapes
 *   path    = raw, a full store path; path? may be empty
 *
 * Lists that are sets are in byte order.  The form for hash modulo has base16 hashes for the paths of inputs.
 *
 * Writing: one pass into the room at the end of a buffer, or into a chunk on the stack that goes into a
 * hash when full.  Strings are escaped 16 bytes at a time: an evaluation writes each derivation
 * three times, and a byte loop cost as much as SHA-256 did.
 *
 * Reading takes what a writer writes, sets in any order but without repeats.  Nix also takes stray commas,
 * unknown escapes and a tail after the last parenthesis; no writer makes those, and a text with two
 * readings is not wanted in a store.
 */
#include "config.h"
#include "format/drv_int.h"
#include "format/basen.h"

#include <stdlib.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* --- writing --- */

enum { CHUNK = 8192, PIECE = 2048 };

struct out {
	struct buf *b;	    /* either a buffer */
	struct hash_ctx *h; /* or a hash, through chunk */
	size_t n;
	char chunk[CHUNK];
};

/* Room for n bytes (at most CHUNK); took() says how many were used. */
static char *room(struct out *o, size_t n)
{
	if (o->b) {
		if (o->b->cap - o->b->len <= n)
			buf_reserve(o->b, n);
		return o->b->p + o->b->len;
	}
	if (CHUNK - o->n < n) {
		hash_update(o->h, o->chunk, o->n);
		o->n = 0;
	}
	return o->chunk + o->n;
}

static void took(struct out *o, size_t n)
{
	if (o->b)
		buf_extend(o->b, n);
	else
		o->n += n;
}

static void put(struct out *o, const char *p, size_t n)
{
	while (n) {
		size_t k = n < CHUNK ? n : CHUNK;

		memcpy(room(o, k), p, k);
		took(o, k);
		p += k;
		n -= k;
	}
}

static void put_c(struct out *o, char c)
{
	*room(o, 1) = c;
	took(o, 1);
}

static void put_lit(struct out *o, const char *s)
{
	put(o, s, strlen(s));
}

/* Most tokens are short and follow a byte or two of punctuation: each is one piece of room, `lead` included. */
static void put_raw(struct out *o, const char *lead, struct slice s)
{
	size_t k = strlen(lead);

	if (s.n > PIECE) {
		put(o, lead, k);
		put_c(o, '"');
		put(o, s.p, s.n);
		put_c(o, '"');
		return;
	}
	char *q = room(o, k + s.n + 2);

	memcpy(q, lead, k);
	q[k] = '"';
	memcpy(q + k + 1, s.p, s.n);
	q[k + 1 + s.n] = '"';
	took(o, k + s.n + 2);
}

/* What follows the backslash for a byte that needs one, 0 for the others. */
static const char escape_of[256] = { ['"'] = '"', ['\\'] = '\\', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't' };

/* Copies bytes that need no escape from p to q, up to the first that does; returns how many.  May write
 * up to 16 bytes at q that do not count. */
static size_t copy_plain(char *q, const char *p, size_t n)
{
	size_t i = 0;

#ifdef __SSE2__
	const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\'), nl = _mm_set1_epi8('\n'),
		      cr = _mm_set1_epi8('\r'), tab = _mm_set1_epi8('\t');

	for (; n - i >= 16; i += 16) {
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
		__m128i ctl = _mm_or_si128(_mm_cmpeq_epi8(v, nl),
					   _mm_or_si128(_mm_cmpeq_epi8(v, cr), _mm_cmpeq_epi8(v, tab)));
		__m128i hit = _mm_or_si128(ctl, _mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, slash)));
		unsigned mask = (unsigned)_mm_movemask_epi8(hit);

		_mm_storeu_si128((__m128i *)(void *)(q + i), v);
		if (mask)
			return i + (size_t)__builtin_ctz(mask);
	}
#endif
	for (; i < n && !escape_of[(unsigned char)p[i]]; i++)
		q[i] = p[i];
	return i;
}

/* Escapes n bytes from p to q, which has room for 2 * n + 16; returns the end. */
static char *escape(char *q, const char *p, size_t n)
{
	for (size_t i = 0; i < n;) {
		size_t k = copy_plain(q, p + i, n - i);

		q += k;
		i += k;
		if (i < n) {
			*q++ = '\\';
			*q++ = escape_of[(unsigned char)p[i++]];
		}
	}
	return q;
}

static void put_str(struct out *o, const char *lead, struct slice s)
{
	size_t k = strlen(lead), n = s.n < PIECE ? s.n : PIECE;
	char *start = room(o, k + 2 * n + 18), *q = start;

	memcpy(q, lead, k);
	q += k;
	*q++ = '"';
	for (;;) {
		q = escape(q, s.p, n);
		s.p += n;
		s.n -= n;
		if (!s.n)
			break;
		took(o, (size_t)(q - start));
		n = s.n < PIECE ? s.n : PIECE;
		q = start = room(o, 2 * n + 17);
	}
	*q++ = '"';
	took(o, (size_t)(q - start));
}

static void put_raws(struct out *o, const struct slice *s, size_t n)
{
	put_c(o, '[');
	for (size_t i = 0; i < n; i++)
		put_raw(o, i ? "," : "", s[i]);
	put_c(o, ']');
}

static void put_output(struct out *o, const struct drv_output *out, int masked)
{
	char hex[HASH_TEXT_MAX];
	struct slice none = SLICE(""), hash = none;

	put_raw(o, "(", out->name);
	put_raw(o, ",", masked ? none : out->path);
	put_lit(o, ",\"");
	if (out->kind == DRV_FIXED || out->kind == DRV_FLOATING || out->kind == DRV_IMPURE) {
		struct slice prefix = ca_method_prefix(out->method);

		put(o, prefix.p, prefix.n);
		put_lit(o, hash_algo_name(out->hash.algo));
	}
	if (out->kind == DRV_FIXED)
		hash = (struct slice){ hex, hash_print(&out->hash, HASH_BASE16, 0, hex) };
	else if (out->kind == DRV_IMPURE)
		hash = SLICE("impure");
	put_raw(o, "\",", hash);
	put_c(o, ')');
}

static void put_node(struct out *o, const struct drv_node *node)
{
	if (!node->nchildren) {
		put_raws(o, node->outputs, node->noutputs);
		return;
	}
	put_c(o, '(');
	put_raws(o, node->outputs, node->noutputs);
	put_lit(o, ",[");
	for (size_t i = 0; i < node->nchildren; i++) {
		put_raw(o, i ? ",(" : "(", node->children[i].output);
		put_c(o, ',');
		put_node(o, &node->children[i].node);
		put_c(o, ')');
	}
	put_lit(o, "])");
}

static void put_inputs(struct out *o, const struct drv *d, const struct drv_form *f)
{
	char hex[BASE16_LEN(HASH_SHA256_LEN)];

	put_c(o, '[');
	for (size_t i = 0; f->hashed && i < f->ninputs; i++) {
		base16_encode(f->inputs[i].hash, HASH_SHA256_LEN, hex);
		put_raw(o, i ? ",(" : "(", (struct slice){ hex, sizeof hex });
		put_c(o, ',');
		put_raws(o, f->inputs[i].outputs, f->inputs[i].noutputs);
		put_c(o, ')');
	}
	for (size_t i = 0; !f->hashed && i < d->ninputs; i++) {
		put_raw(o, i ? ",(" : "(", d->inputs[i].path);
		put_c(o, ',');
		put_node(o, &d->inputs[i].node);
		put_c(o, ')');
	}
	put_c(o, ']');
}

/* Masked, a variable named as an output is empty; both lists are in order, so one walk finds them. */
static void put_env(struct out *o, const struct drv *d, int masked, size_t *cuts)
{
	size_t k = 0;

	put_c(o, '[');
	for (size_t i = 0; i < d->nenv; i++) {
		struct slice key = d->env[i].key, value = d->env[i].value;
		int is_output;

		while (masked && k < d->noutputs && slice_cmp(d->outputs[k].name, key) < 0)
			k++;
		is_output = masked && k < d->noutputs && slice_eq(d->outputs[k].name, key);
		put_str(o, i ? "),(" : "(", key);
		put_str(o, ",", is_output ? SLICE("") : value);
		if (is_output && cuts)
			cuts[k] = o->b->len - 1;
	}
	put_lit(o, d->nenv ? ")]" : "]");
}

/* Up to the inputs; what follows depends on the outputs' paths only. */
static void put_head(struct out *o, const struct drv *d, const struct drv_form *f)
{
	put_lit(o, !f->hashed && drv_is_dynamic(d) ? "DrvWithVersion(\"xp-dyn-drv\",[" : "Derive([");
	for (size_t i = 0; i < d->noutputs; i++) {
		if (i)
			put_c(o, ',');
		put_output(o, &d->outputs[i], f->masked);
	}
	put_lit(o, "],");
	put_inputs(o, d, f);
}

static void put_rest(struct out *o, const struct drv *d, const struct drv_form *f)
{
	put_c(o, ',');
	put_raws(o, d->srcs, d->nsrcs);
	put_raw(o, ",", d->system);
	put_str(o, ",", d->builder);
	put_lit(o, ",[");
	for (size_t i = 0; i < d->nargs; i++)
		put_str(o, i ? "," : "", d->args[i]);
	put_lit(o, "],");
	put_env(o, d, f->masked, f->cuts);
	put_c(o, ')');
}

size_t drv_write_form(struct buf *b, const struct drv *d, const struct drv_form *f)
{
	struct out o;

	o.b = b;
	buf_reserve(b, CHUNK);
	put_head(&o, d, f);
	size_t rest = b->len;
	put_rest(&o, d, f);
	return rest;
}

size_t drv_write_unmasked(struct buf *b, const struct drv *d, const struct buf *masked, size_t rest, const size_t *cuts)
{
	struct out o;
	size_t done = rest, at;

	o.b = b;
	buf_reserve(b, masked->len);
	put_head(&o, d, &(struct drv_form){ 0 });
	at = b->len;
	for (size_t i = 0; i < d->noutputs; i++) {
		struct slice path = d->outputs[i].path;

		buf_add(b, masked->p + done, cuts[i] - done);
		done = cuts[i];
		buf_reserve(b, 2 * path.n + 16);
		buf_extend(b, (size_t)(escape(b->p + b->len, path.p, path.n) - b->p) - b->len);
	}
	buf_add(b, masked->p + done, masked->len - done);
	return at;
}

void drv_hash_form(struct hash_ctx *h, const struct drv *d, const struct drv_form *f)
{
	struct out o;

	o.b = NULL;
	o.h = h;
	o.n = 0;
	put_head(&o, d, f);
	if (!f->rest.p)
		put_rest(&o, d, f);
	hash_update(h, o.chunk, o.n);
	if (f->rest.p)
		hash_update(h, f->rest.p, f->rest.n);
}

void drv_write(struct buf *b, const struct drv *d)
{
	drv_write_form(b, d, &(struct drv_form){ 0 });
}

/* --- reading --- */

struct parser {
	const char *start, *p, *end;
	struct drv *d;
	struct slice dir;
	struct err *e;
	int dynamic; /* the version allows dynamic inputs */
};

static int bad(struct parser *s, const char *what)
{
	return err_set(s->e, ERR_INVALID, "bad derivation: %s at byte %zu", what, (size_t)(s->p - s->start));
}

static int at(const struct parser *s, char c)
{
	return s->p < s->end && *s->p == c;
}

static int expect(struct parser *s, const char *lit)
{
	size_t n = strlen(lit);

	if ((size_t)(s->end - s->p) < n || memcmp(s->p, lit, n)) {
		err_set(s->e, ERR_INVALID, "bad derivation: expected '%s' at byte %zu", lit, (size_t)(s->p - s->start));
		return ERR_INVALID;
	}
	s->p += n;
	return 0;
}

/* The end of a string that starts at p, and whether it has escapes; NULL when there is none. */
static const char *string_end(const char *p, const char *end, int *escaped)
{
	const char *quote = p < end ? memchr(p, '"', (size_t)(end - p)) : NULL;

	*escaped = quote && memchr(p, '\\', (size_t)(quote - p));
	if (!*escaped)
		return quote;
	while (p < end && *p != '"') {
		if (*p == '\\' && ++p == end)
			return NULL;
		p++;
	}
	return p < end ? p : NULL;
}

static int unescape(struct parser *s, const char *end, struct slice *out)
{
	char *q = arena_alloc(&s->d->arena, (size_t)(end - s->p) + 1);

	out->p = q;
	for (; s->p < end; s->p++) {
		char c = *s->p;

		if (c == '\\') {
			c = *++s->p;
			if (c == 'n')
				c = '\n';
			else if (c == 'r')
				c = '\r';
			else if (c == 't')
				c = '\t';
			else if (c != '"' && c != '\\')
				return bad(s, "unknown escape");
		}
		*q++ = c;
	}
	*q = 0;
	out->n = (size_t)(q - out->p);
	return 0;
}

static int string(struct parser *s, struct slice *out)
{
	int escaped, rc = expect(s, "\"");

	if (rc)
		return rc;
	const char *end = string_end(s->p, s->end, &escaped);

	if (!end)
		return bad(s, "unterminated string");
	if (escaped) {
		if ((rc = unescape(s, end, out)))
			return rc;
	} else {
		*out = drv_dup(s->d, (struct slice){ s->p, (size_t)(end - s->p) });
	}
	s->p = end + 1;
	return 0;
}

static int path(struct parser *s, struct slice *out)
{
	struct store_path sp;
	int rc = string(s, out);

	return rc ? rc : store_path_parse(s->dir, *out, &sp, s->e);
}

/* After "[" or an element: 1 when another element follows, 0 at the end of the list, negative on error. */
static int more(struct parser *s, int first)
{
	if (at(s, ']')) {
		s->p++;
		return 0;
	}
	if (first)
		return 1;
	int rc = expect(s, ",");

	return rc ? rc : 1;
}

static int strings(struct parser *s, struct slice **a, size_t *n, size_t *cap,
		   int (*element)(struct parser *, struct slice *))
{
	int rc = expect(s, "["), first = 1;

	if (rc)
		return rc;
	while ((rc = more(s, first)) > 0) {
		struct slice *x = drv_push(a, n, cap, sizeof *x);

		first = 0;
		if ((rc = element(s, x)))
			return rc;
	}
	return rc;
}

/* Sorts n elements that start with a slice; 1 when two are equal. */
static int has_repeats(const void *array, size_t n, size_t size)
{
	const char *p = array;

	for (size_t i = 1; i < n; i++)
		if (slice_eq(*(const struct slice *)(const void *)(p + (i - 1) * size),
			     *(const struct slice *)(const void *)(p + i * size)))
			return 1;
	return 0;
}

/* Names of outputs: a list in the arena, sorted. */
static int node_outputs(struct parser *s, struct drv_node *node)
{
	struct slice *a = NULL;
	size_t n = 0, cap = 0;
	int rc = strings(s, &a, &n, &cap, string);

	if (!rc && drv_sort_slices(a, n) != n)
		rc = bad(s, "output of an input named twice");
	if (!rc && n) {
		node->outputs = arena_alloc(&s->d->arena, n * sizeof *a);
		memcpy(node->outputs, a, n * sizeof *a);
		node->noutputs = node->capoutputs = n;
	}
	free(a);
	return rc;
}

static int node(struct parser *s, struct drv_node *out, int depth);

static int by_output(const void *a, const void *b)
{
	return slice_cmp(((const struct drv_child *)a)->output, ((const struct drv_child *)b)->output);
}

static int child(struct parser *s, struct drv_child *c, int depth)
{
	int rc;

	if ((rc = expect(s, "(")) || (rc = string(s, &c->output)) || (rc = expect(s, ",")) ||
	    (rc = node(s, &c->node, depth + 1)))
		return rc;
	return expect(s, ")");
}

static int node_children(struct parser *s, struct drv_node *out, int depth)
{
	struct drv_child *a = NULL;
	size_t n = 0, cap = 0;
	int rc = expect(s, "["), first = 1;

	while (!rc && (rc = more(s, first)) > 0) {
		struct drv_child *c = drv_push(&a, &n, &cap, sizeof *c);

		first = 0;
		rc = child(s, c, depth);
	}
	if (!rc && n) {
		qsort(a, n, sizeof *a, by_output);
		if (has_repeats(a, n, sizeof *a))
			rc = bad(s, "dynamic output named twice");
	}
	if (!rc && n) {
		out->children = arena_alloc(&s->d->arena, n * sizeof *a);
		memcpy(out->children, a, n * sizeof *a);
		out->nchildren = n;
	}
	free(a);
	return rc;
}

static int node(struct parser *s, struct drv_node *out, int depth)
{
	int rc;

	if (depth >= DRV_DYNAMIC_DEPTH)
		return err_set(s->e, ERR_LIMIT, "bad derivation: dynamic inputs nest deeper than %d",
			       DRV_DYNAMIC_DEPTH);
	if (s->dynamic && at(s, '(')) {
		if ((rc = expect(s, "(")) || (rc = node_outputs(s, out)) || (rc = expect(s, ",")) ||
		    (rc = node_children(s, out, depth)) || (rc = expect(s, ")")))
			return rc;
	} else if ((rc = node_outputs(s, out))) {
		return rc;
	}
	return out->noutputs || out->nchildren ? 0 : bad(s, "input without outputs");
}

/* The three texts of an output after its name say what kind it is. */
static int output_kind(struct parser *s, struct drv_output *o, struct slice algo, struct slice hash)
{
	struct store_path sp;
	int rc;

	if (!algo.n) {
		if (hash.n)
			return bad(s, "output has a hash but no algorithm");
		o->kind = o->path.n ? DRV_INPUT : DRV_DEFERRED;
		return o->path.n ? store_path_parse(s->dir, o->path, &sp, s->e) : 0;
	}
	if ((rc = ca_method_parse_algo(algo, &o->method, &o->hash.algo, s->e)))
		return rc;
	if (hash.n && !slice_eq(hash, SLICE("impure"))) {
		o->kind = DRV_FIXED;
		return hash_parse_bare(hash.p, hash.n, o->hash.algo, &o->hash, s->e);
	}
	if (o->path.n)
		return bad(s, "output whose hash is not known has a path");
	o->kind = hash.n ? DRV_IMPURE : DRV_FLOATING;
	return 0;
}

/* The path of a fixed output is a function of its hash; a text that says otherwise would have two meanings. */
static int check_fixed(struct parser *s, const struct drv_output *o)
{
	char name[STORE_NAME_MAX + 1];
	struct store_path want, got;
	int rc;

	if ((rc = store_path_parse(s->dir, o->path, &got, s->e)) ||
	    (rc = store_path_make_fixed(s->dir, store_output_name(s->d->name, o->name, name), o->method, &o->hash, NULL,
					0, 0, &want, s->e)))
		return rc;
	if (store_path_cmp(&want, &got))
		return err_set(s->e, ERR_INVALID, "bad derivation: output '%s' has path '%s', but its hash makes it '%s'",
			       o->name.p, got.base, want.base);
	return 0;
}

static int output(struct parser *s, struct drv_output *o)
{
	struct slice algo, hash;
	int rc;

	if ((rc = expect(s, "(")) || (rc = string(s, &o->name)) || (rc = expect(s, ",")) ||
	    (rc = string(s, &o->path)) || (rc = expect(s, ",")) || (rc = string(s, &algo)) ||
	    (rc = expect(s, ",")) || (rc = string(s, &hash)) || (rc = expect(s, ")")) ||
	    (rc = output_kind(s, o, algo, hash)))
		return rc;
	return o->kind == DRV_FIXED ? check_fixed(s, o) : 0;
}

static int outputs(struct parser *s)
{
	struct drv *d = s->d;
	int rc = expect(s, "["), first = 1;

	while (!rc && (rc = more(s, first)) > 0) {
		struct drv_output *o = drv_push(&d->outputs, &d->noutputs, &d->capoutputs, sizeof *o);

		first = 0;
		rc = output(s, o);
	}
	return rc;
}

static int inputs(struct parser *s)
{
	struct drv *d = s->d;
	int rc = expect(s, "["), first = 1;

	while (!rc && (rc = more(s, first)) > 0) {
		struct drv_input *in = drv_push(&d->inputs, &d->ninputs, &d->capinputs, sizeof *in);

		first = 0;
		if ((rc = expect(s, "(")) || (rc = path(s, &in->path)) || (rc = expect(s, ",")) ||
		    (rc = node(s, &in->node, 0)))
			return rc;
		rc = expect(s, ")");
	}
	return rc;
}

static int variables(struct parser *s)
{
	struct drv *d = s->d;
	int rc = expect(s, "["), first = 1;

	while (!rc && (rc = more(s, first)) > 0) {
		struct drv_env *v = drv_push(&d->env, &d->nenv, &d->capenv, sizeof *v);

		first = 0;
		if ((rc = expect(s, "(")) || (rc = string(s, &v->key)) || (rc = expect(s, ",")) ||
		    (rc = string(s, &v->value)))
			return rc;
		rc = expect(s, ")");
	}
	return rc;
}

static int header(struct parser *s)
{
	struct slice version;
	int rc;

	if ((size_t)(s->end - s->p) < 2 || s->p[0] != 'D' || s->p[1] != 'r')
		return expect(s, "Derive(");
	if ((rc = expect(s, "DrvWithVersion(")) || (rc = string(s, &version)) || (rc = expect(s, ",")))
		return rc;
	if (!slice_eq(version, SLICE("xp-dyn-drv")))
		return bad(s, "unknown version of the format");
	s->dynamic = 1;
	return 0;
}

static int body(struct parser *s)
{
	struct drv *d = s->d;
	int rc;

	if ((rc = header(s)) || (rc = outputs(s)) || (rc = expect(s, ",")) || (rc = inputs(s)) ||
	    (rc = expect(s, ",")) || (rc = strings(s, &d->srcs, &d->nsrcs, &d->capsrcs, path)) ||
	    (rc = expect(s, ",")) || (rc = string(s, &d->system)) || (rc = expect(s, ",")) ||
	    (rc = string(s, &d->builder)) || (rc = expect(s, ",")) ||
	    (rc = strings(s, &d->args, &d->nargs, &d->capargs, string)) || (rc = expect(s, ",")) ||
	    (rc = variables(s)) || (rc = expect(s, ")")))
		return rc;
	return s->p == s->end ? 0 : bad(s, "text after the end");
}

/* Sorts; a set that shrinks by it had repeats. */
static int canonical(struct parser *s)
{
	struct drv *d = s->d;
	size_t noutputs = d->noutputs, ninputs = d->ninputs, nsrcs = d->nsrcs;

	drv_sort(d);
	if (d->noutputs != noutputs)
		return bad(s, "output named twice");
	if (d->ninputs != ninputs)
		return bad(s, "input derivation named twice");
	if (d->nsrcs != nsrcs)
		return bad(s, "input source named twice");
	return has_repeats(d->env, d->nenv, sizeof *d->env) ? bad(s, "environment variable named twice") : 0;
}

int drv_parse(struct drv *d, struct slice dir, struct slice name, struct slice text, struct err *e)
{
	struct parser s = { .start = text.p, .p = text.p, .end = text.p + text.n, .d = d, .dir = dir, .e = e };

	drv_init(d, name);
	int rc = body(&s);

	if (!rc)
		rc = canonical(&s);
	if (rc)
		drv_release(d);
	return rc;
}
