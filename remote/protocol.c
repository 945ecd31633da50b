/* SPDX-License-Identifier: MIT
 *
 * Values of the protocol that both sides read and write.
 */
#include "config.h"
#include "remote/protocol.h"
#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

/* --- what is known of an object --- */

void protocol_put_info(struct wire *w, struct slice dir, const struct path_info *i)
{
	char digits[HASH_TEXT_MAX];

	wire_put_path(w, dir, &i->deriver);
	hash_print(&i->nar_hash, HASH_BASE16, 0, digits);
	wire_put_string(w, digits);
	wire_put_paths(w, dir, &i->refs);
	wire_put_number(w, (uint64_t)i->registered);
	wire_put_number(w, i->nar_size);
	wire_put_number(w, i->ultimate);
	wire_put_words(w, i->sigs);
	wire_put_string(w, i->ca);
}

static int get_hash(struct wire *w, struct hash *h, struct err *e)
{
	struct buf b = BUF_INIT;
	int rc = wire_get_text(w, HASH_TEXT_MAX, &b, e);

	rc = rc ? rc : hash_parse(buf_str(&b), b.len, HASH_SHA256, h, NULL, e);
	buf_release(&b);
	return rc;
}

/* An empty text is NULL. */
static char *text_or_null(struct buf *b)
{
	if (b->len)
		return buf_detach(b, NULL);
	buf_release(b);
	return NULL;
}

static int get_trust(struct wire *w, struct path_info *i, struct err *e)
{
	struct buf sigs = BUF_INIT, ca = BUF_INIT;
	int rc = wire_get_bool(w, &i->ultimate, e);

	rc = rc ? rc : wire_get_words(w, &sigs, e);
	rc = rc ? rc : wire_get_text(w, HASH_TEXT_MAX * 2, &ca, e);
	i->sigs = text_or_null(&sigs);
	i->ca = text_or_null(&ca);
	return rc;
}

int protocol_get_info(struct wire *w, struct slice dir, struct path_info *i, struct err *e)
{
	uint64_t registered = 0;
	int rc = wire_get_path(w, dir, 1, &i->deriver, e);

	rc = rc ? rc : get_hash(w, &i->nar_hash, e);
	rc = rc ? rc : wire_get_paths(w, dir, &i->refs, e);
	rc = rc ? rc : wire_get_bounded(w, INT64_MAX, &registered, e);
	rc = rc ? rc : wire_get_number(w, &i->nar_size, e);
	i->registered = (int64_t)registered;
	return rc ? rc : get_trust(w, i, e);
}

/* --- what is wanted --- */

void wanted_release(struct wanted *w)
{
	free(w->names);
	w->names = NULL;
}

int wanted_parse(struct slice dir, struct slice text, int minor, struct wanted *out, struct err *e)
{
	const char *mark = memchr(text.p, '!', text.n);
	size_t n = mark ? (size_t)(mark - text.p) : text.n;
	struct slice names = mark ? (struct slice){ mark + 1, text.n - n - 1 } : (struct slice){ NULL, 0 };
	int rc = store_path_parse(dir, (struct slice){ text.p, n }, &out->path, e);

	out->names = NULL;
	out->outputs = mark || (minor < 30 && store_path_is_drv(&out->path));
	if (rc || !mark)
		return rc;
	if (memchr(names.p, '!', names.n))
		return err_set(e, ERR_INVALID,
			       "'%.*s' wants outputs of a derivation that is itself built, which is not possible yet", (int)text.n,
			       text.p);
	if (!names.n)
		return err_set(e, ERR_INVALID, "'%.*s' names no output", (int)text.n, text.p);
	if (!slice_eq(names, SLICE("*")))
		out->names = xstrndup(names.p, names.n);
	return 0;
}

void wanted_add(struct buf *b, struct slice dir, const struct wanted *w, int minor)
{
	store_path_add(b, dir, &w->path);
	if (w->outputs && (w->names || minor >= 30))
		buf_addf(b, "!%s", w->names ? w->names : "*");
}

/* --- content addresses --- */

int protocol_parse_method(struct slice text, enum ca_method *m, enum hash_algo *a, struct err *e)
{
	static const struct slice fixed = { "fixed:", 6 };

	if (slice_starts(text, fixed))
		text = (struct slice){ text.p + fixed.n, text.n - fixed.n };
	return ca_method_parse_algo(text, m, a, e);
}

void protocol_add_method(struct buf *b, enum ca_method m, enum hash_algo a)
{
	struct slice prefix = ca_method_prefix(m);

	buf_addf(b, "%s%.*s%s", m == CA_TEXT ? "" : "fixed:", (int)prefix.n, prefix.p, hash_algo_name(a));
}
