/* SPDX-License-Identifier: MIT
 *
 * Inputs that are at an address: an archive's tree, or one file.  What is locked and here is not fetched again.
 *
 * A server may answer with a Link header that names, with rel="immutable", the address of what it served for good: that is what the
 * lock then holds.
 */
#include "config.h"
#include "flake/kept.h"
#include "flake/ref.h"
#include "flake/source_int.h"
#include "flake/source_url.h"
#include "base/mem.h"
#include "eval/error.h"

#include <string.h>

/* The hash that it is locked to, NULL for none. */
static const struct hash *locked_hash(const struct input *in, struct hash *h)
{
	const char *text = source_get(in, "narHash");
	struct err e = ERR_INIT;

	if (!text || !*text)
		return NULL;
	throw_if(hash_parse(text, strlen(text), HASH_SHA256, h, NULL, &e), &e);
	return h;
}

int source_find_kept(const struct input *in, struct flake_tree *t)
{
	struct hash h;

	if (!locked_hash(in, &h))
		return 0;
	t->place = kept_find(&h);
	if (t->place)
		t->hash = h;
	return t->place != NULL;
}

/* The address that a server names for good is what is locked, with what it says of itself. */
static void use_immutable(struct flake_tree *t, const struct url_request *r, const char *text)
{
	static const char *const taken[] = { "url", "rev", "revCount", "lastModified" };
	struct err e = ERR_INIT;
	struct input in;

	if (input_parse(slice_of(text), flake_arena(), &in, &e)) {
		err_prefix(&e, "'%s' has a link that is no address", source_url_shown(r->url));
		throw_err(&e);
	}
	const char *url = source_get(&in, "url");
	if (strcmp(source_get(&in, "type"), "tarball") || !url || strncmp(url, "http", 4))
		throw_error(EK_EVAL, "'%s' has a link that is no archive elsewhere: '%s'", source_url_shown(r->url),
			    source_url_shown(text));
	for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
		if (input_get(&in, taken[i]))
			input_set(&t->locked, input_get(&in, taken[i]), flake_arena());
}

const char *source_bring(const struct url_request *r, struct flake_tree *t)
{
	struct at_url u;

	source_url_bring(r, &u);
	t->place = u.place;
	t->hash = u.hash;
	if (r->kind == URL_TARBALL && !input_get(&t->locked, "lastModified"))
		source_set_int(&t->locked, "lastModified", u.modified);
	return u.immutable;
}

/* What people see in a browser is no archive. */
static void refuse_page(const char *url)
{
	const char *project = flake_ref_of_project(url);
	struct buf hint = BUF_GC;

	if (!project)
		return;
	buf_addf(&hint, "did you mean '%s'?", project);
	throw_error_hint(EK_EVAL, hint.p, "'%s' is the page of a project, not an archive", source_url_shown(url));
}

void source_tarball(const struct input *in, struct flake_tree *t)
{
	struct hash h;
	struct url_request r = { source_need(in, "url"), URL_TARBALL, locked_hash(in, &h), NULL, 0 };

	if (input_get(in, "lastModified") && source_find_kept(in, t))
		return;
	refuse_page(r.url);
	const char *immutable = source_bring(&r, t);
	if (immutable)
		use_immutable(t, &r, immutable);
}

void source_one_file(const struct input *in, struct flake_tree *t)
{
	struct hash h;

	if (!source_find_kept(in, t))
		source_bring(&(struct url_request){ source_need(in, "url"), URL_FILE, locked_hash(in, &h), NULL, 0 }, t);
}
