/* SPDX-License-Identifier: MIT
 *
 * An object of Kubernetes is at most 1.5 MiB in its database, and somewhat more as JSON; a line beyond MAX_EVENT is no event.
 */
#include "config.h"
#include "kube/events.h"

#include <string.h>

enum { MAX_EVENT = 8 << 20 };

void kube_events_release(struct kube_events *s)
{
	buf_release(&s->line);
}

int kube_object_is_whole(const struct jnode *o)
{
	return tree_text(o, "metadata.name").n && tree_text(o, "metadata.resourceVersion").n;
}

static int type_of(struct slice s)
{
	static const char *const names[] = { "ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR" };

	for (int i = 0; i < (int)(sizeof names / sizeof *names); i++)
		if (slice_eq(s, slice_of(names[i])))
			return i;
	return -1;
}

static int read_event(struct kube_event *v, struct slice line, struct err *e)
{
	struct jnode *top = NULL;
	struct err why = ERR_INIT;
	int type = -1;

	if (json_tree_parse(&v->a, line, &top, &why)) {
		err_set(e, ERR_NETWORK, "an event of the cluster makes no sense: %s", why.msg);
		err_release(&why);
		return ERR_NETWORK;
	}
	type = type_of(tree_text(top, "type"));
	v->object = tree_at(top, "object");
	if (type < 0 || !v->object || v->object->kind != JSON_OBJECT)
		return err_set(e, ERR_NETWORK, "an event of the cluster makes no sense: it is of no type, or of no object");
	v->type = (enum kube_event_type)type;
	v->version = tree_text(v->object, "metadata.resourceVersion");
	v->namespace = tree_text(v->object, "metadata.namespace");
	v->name = tree_text(v->object, "metadata.name");
	v->code = type == EVENT_ERROR ? (long)tree_int(v->object, "code") : 0;
	v->message = type == EVENT_ERROR ? tree_text(v->object, "message") : SLICE("");
	if (type == EVENT_BOOKMARK ? !v->version.n : type != EVENT_ERROR && !kube_object_is_whole(v->object))
		return err_set(e, ERR_NETWORK, "an event of the cluster makes no sense: its object has no name or version");
	return 0;
}

static int on_line(struct slice line, int (*each)(void *user, struct kube_event *v), void *user, struct err *e)
{
	struct kube_event v = { .a = ARENA_INIT };
	int rc = slice_trim(line).n ? read_event(&v, line, e) : 0;

	if (!rc && v.object)
		rc = each(user, &v);
	arena_release(&v.a);
	return rc;
}

int kube_events_feed(struct kube_events *s, struct slice bytes, int (*each)(void *user, struct kube_event *v), void *user,
		     struct err *e)
{
	int rc = 0;

	while (!rc && bytes.n) {
		const char *nl = memchr(bytes.p, '\n', bytes.n);
		size_t n = nl ? (size_t)(nl - bytes.p) : bytes.n;

		if (s->line.len + n > MAX_EVENT)
			return err_set(e, ERR_LIMIT, "an event of the cluster has more than %d MiB", MAX_EVENT >> 20);
		if (nl && !s->line.len) {
			rc = on_line((struct slice){ bytes.p, n }, each, user, e);
		} else {
			buf_add(&s->line, bytes.p, n);
			if (nl) {
				rc = on_line((struct slice){ s->line.p, s->line.len }, each, user, e);
				buf_trim(&s->line, 0);
			}
		}
		n += nl != NULL;
		bytes = (struct slice){ bytes.p + n, bytes.n - n };
	}
	return rc;
}
