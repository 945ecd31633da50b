/* SPDX-License-Identifier: MIT
 *
 * A registry that knows of referrers says so when it takes one ("OCI-Subject").  For others there is the tag: an index that clients
 * change themselves, of which two that do so at once lose one entry, as the specification says.
 */
#include "config.h"
#include "image/attach.h"
#include "base/alloc.h"

#include <string.h>

/* The index that the tag names, as far as it is one. */
static int read_list(struct registry *r, const char *tag, struct arena *a, struct jnode **list, struct err *e)
{
	struct buf url = BUF_INIT, text = BUF_INIT, heads = BUF_INIT;
	struct err why = ERR_INIT;
	struct jnode *o = NULL;
	int rc;

	registry_add_url(r, &url, "manifests/%s", tag);
	rc = registry_get(r, url.p, MEDIA_INDEX, LIMIT_MANIFEST, &text, &heads, &why);
	if (!rc)
		rc = image_json(a, (struct slice){ buf_str(&text), text.len }, "the list of what refers to the image", &o, e);
	else if (rc == ERR_NOTFOUND)
		rc = 0;
	else
		err_set(e, rc, "%s", why.msg);
	*list = o ? json_member(o, SLICE("manifests")) : NULL;
	err_release(&why);
	buf_release(&url);
	buf_release(&text);
	buf_release(&heads);
	return rc;
}

static int list_by_tag(struct registry *r, const struct image *i, const struct attachment *t, struct err *e)
{
	struct arena a = ARENA_INIT;
	struct jnode *old, *next, *o = json_node(&a, JSON_OBJECT), *list = json_node(&a, JSON_ARRAY), *last = NULL,
			  *own = attachment_descriptor(&a, t);
	struct buf text = BUF_INIT;
	char tag[HASH_TEXT_MAX];
	struct hash digest;
	int rc;

	hash_print(&i->digest, HASH_BASE16, 1, tag);
	*strchr(tag, ':') = '-';
	rc = read_list(r, tag, &a, &old, e);
	for (struct jnode *m = old && old->kind == JSON_ARRAY ? old->first : NULL; m; m = next) {
		next = m->next;
		m->next = NULL;
		if (!slice_eq(image_text(m, "digest"), image_text(own, "digest")))
			json_append(list, &last, m);
	}
	json_append(list, &last, own);
	json_set(o, SLICE("manifests"), list);
	image_set(&a, o, "mediaType", SLICE(MEDIA_INDEX));
	image_set_int(&a, o, "schemaVersion", 2);
	json_tree_write(&text, o);
	hash_bytes(HASH_SHA256, text.p, text.len, &digest);
	rc = rc ? rc : registry_put_manifest(r, &text, &digest, MEDIA_INDEX, tag, NULL, e);
	buf_release(&text);
	arena_release(&a);
	return rc;
}

static void empty_digest(struct hash *out)
{
	hash_bytes(HASH_SHA256, EMPTY_TEXT, strlen(EMPTY_TEXT), out);
}

int attach_remote(struct registry *r, const struct image *i, const struct attachment *t, struct err *e)
{
	struct hash empty;
	int knows = 0, rc;

	empty_digest(&empty);
	rc = registry_put_blob(r, SLICE(EMPTY_TEXT), &empty, e);
	rc = rc ? rc : registry_put_blob(r, (struct slice){ t->text.p, t->text.len }, &t->text_digest, e);
	rc = rc ? rc : registry_put_manifest(r, &t->manifest, &t->digest, MEDIA_MANIFEST, NULL, &knows, e);
	return rc || knows ? rc : list_by_tag(r, i, t, e);
}

int attach_folder(struct layout *l, const struct attachment *t, struct err *e)
{
	struct buf text = BUF_INIT;
	struct arena a = ARENA_INIT;
	struct hash empty;
	int rc;

	empty_digest(&empty);
	buf_adds(&text, EMPTY_TEXT);
	rc = layout_blob(l, &text, &empty, e);
	rc = rc ? rc : layout_blob(l, &t->text, &t->text_digest, e);
	rc = rc ? rc : layout_blob(l, &t->manifest, &t->digest, e);
	rc = rc ? rc : layout_list(l, attachment_descriptor(&a, t), NULL, e);
	buf_release(&text);
	arena_release(&a);
	return rc;
}
