/* SPDX-License-Identifier: MIT
 *
 * What a watch says: one JSON object a line, cut into pieces as the network likes.
 */
#ifndef KUBE_EVENTS_H
#define KUBE_EVENTS_H

#include "base/buf.h"
#include "kube/tree.h"

enum kube_event_type { EVENT_ADDED, EVENT_MODIFIED, EVENT_DELETED, EVENT_BOOKMARK, EVENT_ERROR };

struct kube_event {
	enum kube_event_type type;
	struct arena a;		/* what the object lies in: whoever wants to keep it takes it, leaving an empty one */
	struct jnode *object;
	struct slice version;	/* resourceVersion; of an error empty */
	struct slice namespace, name;
	long code;		/* of an error: 410 when one has to list again */
	struct slice message;	/* the same */
};

/* The line so far.  Zeroed is empty. */
struct kube_events {
	struct buf line;
};

/* Takes bytes, and calls `each` for every event that is whole; a return other than 0 ends it and is returned.  ERR_LIMIT for an
 * event larger than any object can be, ERR_NETWORK for one that is none. */
int kube_events_feed(struct kube_events *s, struct slice bytes, int (*each)(void *user, struct kube_event *v), void *user,
		     struct err *e);
void kube_events_release(struct kube_events *s);

/* The object of an event or a list is what it has to be: it has a name and a version. */
int kube_object_is_whole(const struct jnode *o);

#endif
